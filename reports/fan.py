"""The fan chart of a scenario's prices: quantiles over many paths, one path, shocks and closed sessions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from seawall.prices.events import PriceEvent
from seawall.reports.backdrop import mark
from seawall.reports.shock_words import label
from seawall.reports.style import BLUE, CLOSED, INK, MOST_PANELS, Chart, TimeAxis, finish, house_style, line, logarithmic, panels, shortened
from seawall.reports.words import DAY, HOUR, number, usd
from seawall.studies.methods import described
from seawall.studies.price_check import LEVELS, PriceCheck

_DAYS_FROM = 4 * DAY
_LOG_FROM = 8.0  # ratio of the highest to the lowest price shown
_BANDS = ((0, -1, 0.15, "9 in 10 paths"), (1, -2, 0.3, "half of the paths"))  # numbers of quantiles, opacity, label
_MOST_SHOCKS = 200


@house_style()
def fan_chart(found: PriceCheck, *, name: str = "prices") -> Chart:
    """A panel per asset: bands of quantiles over all paths, the median, the first path."""
    shown = found.assets[:MOST_PANELS]
    axis = _axis(float(found.at_s[-1]))
    figure, axes = panels(len(shown), height=1.7)
    for k, (ax, asset) in enumerate(zip(axes, shown, strict=True)):
        _draw(ax, axis, found, k)
        ax.set_title(shortened(asset))
        ax.set_ylabel("USD")
    finish(figure, axes, axis)
    notes = [
        "Labels at vertical lines are shocks of the first path." if found.events else "",
        "Shaded: market closed." if not found.is_open.all() else "",
        f"Shown are the first {MOST_PANELS} of {len(found.assets)} assets." if len(found.assets) > MOST_PANELS else "",
    ]
    title = f"{_end(found, 0)}, from {number(found.paths)} path{'s' * (found.paths != 1)}"
    alt = f"Quantiles of prices over time. {' '.join(_end(found, k) + '.' for k in range(len(shown)))}"
    return Chart(name, title, alt, " ".join(filter(None, notes)), figure)


def _axis(seconds: float) -> TimeAxis:
    unit_s, text = (DAY, "days since start") if seconds > _DAYS_FROM else (HOUR, "hours since start")
    return TimeAxis(unit_s, text, 0.0, seconds / unit_s)


def _draw(ax: Axes, axis: TimeAxis, found: PriceCheck, column: int) -> None:
    quantiles = found.quantiles[:, :, column]
    at = axis.units(found.at_s)
    for low, high, opacity, text in _BANDS:
        ax.fill_between(at, quantiles[low], quantiles[high], color=BLUE, alpha=opacity, linewidth=0, label=text)
    line(ax, axis, found.at_s, quantiles[len(LEVELS) // 2], color=BLUE, label="median")
    line(ax, axis, found.at_s, found.first_path[:, column], color=INK, linewidth=0.9, label="first path")
    if quantiles.max() > _LOG_FROM * quantiles.min():
        logarithmic(ax)
    _shade(ax, axis, found, column)
    struck = [event for event in found.events[:_MOST_SHOCKS] if event.asset in (None, found.assets[column])]
    mark(ax, sorted((event.at_s / axis.unit_s, _label(event)) for event in struck), axis)


def _shade(ax: Axes, axis: TimeAxis, found: PriceCheck, column: int) -> None:
    """Closed stretches, to the nearest time kept."""
    turns = np.flatnonzero(np.diff(np.r_[0, ~found.is_open[:, column], 0]))
    last = len(found.at_s) - 1
    for start, end in list(pairwise(turns.tolist()))[::2]:
        ax.axvspan(*axis.units(found.at_s[[start, min(end, last)]]), color=CLOSED, linewidth=0, zorder=0, label="market closed")


def _label(event: PriceEvent) -> str:
    return label(described(event))


def _end(found: PriceCheck, column: int) -> str:
    low, high = found.quantiles[0, -1, column], found.quantiles[-1, -1, column]
    return f"{shortened(found.assets[column])} ends from {usd(float(low))} to {usd(float(high))} in 9 of 10 cases"
