"""Margins of panels on top of each other, from the lengths of their labels.

A layout engine of Matplotlib would place, format and measure every tick several times, which takes as long as drawing the figure.
Lengths are in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.transforms import ScaledTranslation

TEXT = 9.5  # size of labels, of ticks and of legends
_INCH = 72.0
_EDGE = 3.0  # kept free around the figure
_LINE = 1.2 * TEXT
_LEGEND_ROW, _LEGEND_ENDS = 1.5 * TEXT, 0.3 * TEXT
_TICK = 7.0  # the tick and the room between it and its label
_LABEL = 4.0  # between the labels of ticks and that of the axis
_BELOW = 33.0  # ticks, their labels and the label of the time axis
_TITLE, _OWN_LEGEND, _LEGEND = 13.5, 2.0, 6.0  # what each takes of the room above a panel beside itself; the title with its line
_BETWEEN, _BELOW_PANEL = 12.0, 9.5  # between panels at the least; under a panel if something stands above the next
_FONT = FontProperties(family="DejaVu Sans", size=TEXT)


def lay_out(figure: Figure, axes: Sequence[Axes], *, rows: int, own_rows: Sequence[int]) -> None:
    """Place panels and the labels of their vertical axes, one below the other.

    Args:
        figure: of the house style; its panels have their labels, titles and limits by now.
        axes: the panels from the top down, which share the time axis.
        rows: of the legend on top of the figure; 0 without one.
        own_rows: of the legend on top of each panel; 0 without one.
    """
    figure.set_layout_engine(None)  # that of the style: none
    width, height = (float(_INCH * inches) for inches in figure.get_size_inches())
    to_label = _TICK + max(map(_widest_tick, axes)) + _LABEL
    left = _EDGE + to_label + _LINE * max(ax.get_ylabel().count("\n") + 1 for ax in axes)
    right = _EDGE + _length(f"{axes[-1].get_xlim()[1]:.0f}") / 2.0
    first, *others = (_TITLE * bool(ax.get_title("left")) + _legend(own, _OWN_LEGEND) for ax, own in zip(axes, own_rows, strict=True))
    top = _EDGE + first + _legend(rows, _LEGEND)
    between = max(_BETWEEN, _BELOW_PANEL + max(others, default=0.0))
    panel = (height - top - _BELOW - (len(axes) - 1) * between) / len(axes)
    figure.subplots_adjust(left / width, _BELOW / height, 1.0 - right / width, 1.0 - top / height, hspace=between / panel)
    for ax in axes:
        aside = ScaledTranslation(-to_label / _INCH, 0.0, figure.dpi_scale_trans)
        ax.yaxis.set_label_coords(0.0, 0.5, transform=ax.transAxes + aside)


def _widest_tick(ax: Axes) -> float:
    """Length of the longest label on the vertical axis."""
    low, high = sorted(ax.get_ylim())
    places = [float(at) for at in ax.yaxis.get_majorticklocs()]
    labels = ax.yaxis.get_major_formatter().format_ticks(places)
    return max((_length(text) for at, text in zip(places, labels, strict=True) if low <= at <= high), default=0.0)


def _legend(rows: int, beside: float) -> float:
    return rows * _LEGEND_ROW + _LEGEND_ENDS + beside if rows else 0.0


@lru_cache(maxsize=4096)
def _length(text: str) -> float:
    """Length of a label."""
    return float(text_to_path.get_text_width_height_descent(text, _FONT, ismath=False)[0])
