"""Labels of an axis in words, in which no two ticks look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import Formatter

from seawall.reports.words import apart, number


class AxisLabels(Formatter):
    """Numbers as people read them, with as many digits as tell the ticks of an axis apart, and an ending such as a percent sign."""

    def __init__(self, ending: str) -> None:
        """Labels with this ending."""
        self._ending = ending

    def __call__(self, x: float, pos: Any = None) -> str:
        """The label of a value alone."""
        return f"{number(x)}{self._ending}"

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Labels of all ticks."""
        return [f"{text}{self._ending}" for text in apart([float(f"{value:.12g}") for value in values])]
