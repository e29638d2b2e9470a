"""Heat maps of collateral ratios: the share of CDPs in each bin over time, those below a ratio of 1 in another colour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm, to_rgb
from matplotlib.ticker import FixedLocator, NullLocator

from seawall.reports.style import HEAT, VERMILION, Floats, TimeAxis, say
from seawall.reports.words import percent

_HEAT_COLUMNS = 240  # as many as can be told apart at the width of a page
_FAINT = 0.2  # opacity of the smallest share
_RATIO_TICKS = (1, 2, 0.5, 4, 1.5, 3, 0.75, 8, 0.25, 1.25, 6, 1.75, 12, 16, 24, 50, 100)  # the first come, the first served
_TICK_GAP = 0.12  # least distance of ticks, of the axis
SHADES = "The deeper the colour, the larger the share of CDPs with that ratio. The topmost band holds all higher ratios."


def drawable(share: pd.DataFrame) -> pd.DataFrame:
    """At most as many columns as can be told apart: means of stretches of records, under the time at which each begins."""
    if share.shape[1] <= _HEAT_COLUMNS:
        return share
    stretches = np.arange(share.shape[1]) * _HEAT_COLUMNS // share.shape[1]
    starts = share.columns[np.r_[True, np.diff(stretches) > 0]]
    return share.T.groupby(stretches).mean().T.set_axis(starts, axis="columns")


def draw_shares(ax: Axes, axis: TimeAxis, share: pd.DataFrame, most: float, *, end: float, empty: str) -> None:
    """One mesh below a ratio of 1 and one above; opacity is the share, so that the picture works on any background."""
    if not share.to_numpy().any():
        say(ax, empty)
        return
    edges, heights = np.r_[axis.units(share.columns), end], _edges(share)
    if share.shape[1] == 1:
        edges[0] = axis.low
    for colour, part in ((VERMILION, heights[:-1] < 1), (HEAT, heights[:-1] >= 1)):
        rows = np.flatnonzero(part)
        if rows.size:
            cells = np.ma.masked_less_equal(share.to_numpy(float)[rows], 0.0)
            bounds = heights[rows[0] : rows[-1] + 2]
            ax.pcolormesh(edges, bounds, cells, cmap=_ramp(colour), norm=_opacity(most), rasterized=True, zorder=1)


def _ramp(colour: str) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list(colour, [(*to_rgb(colour), _FAINT), (*to_rgb(colour), 1.0)])


def _opacity(most: float) -> PowerNorm:
    """From share to opacity by the square root, so that a few CDPs in a thousand are still seen."""
    return PowerNorm(0.5, 0.0, most)


def shade_samples(ax: Axes, most: float) -> None:
    """Samples of the shades for the legend: 1%, 10% and the largest share."""
    for share in (*(step for step in (0.01, 0.1) if step < most), most):
        colour = _ramp(HEAT)(float(_opacity(most)(share)))
        ax.fill_between([], [], color=colour, linewidth=0, label=f"{percent(share)} of CDPs")


def _edges(share: pd.DataFrame) -> Floats:
    """The edges of the ratio bins; the open ends, 0 and infinity, are drawn as wide as their neighbours."""
    edges: Floats = np.r_[share.index.get_level_values("low"), share.index.get_level_values("high")[-1]].astype(np.float64)
    if not np.isfinite(edges[-1]):
        edges[-1] = edges[-2] * 1.25
    if edges[0] <= 0:
        edges[0] = edges[1] / 1.25
    return edges


def ratio_axis(ax: Axes, share: pd.DataFrame, minimum: pd.Series[float]) -> None:
    """A logarithmic axis no larger than the bins in use, 1 and the minimum ratio of every record."""
    used = np.r_[1.0, minimum]
    if share.size:
        edges, filled = _edges(share), np.flatnonzero(share.to_numpy().any(axis=1))
        used = np.r_[used, edges[filled], edges[filled + 1]]
    low, high = used.min() / 1.06, used.max() * 1.06
    ticks: list[float] = []
    for tick in _RATIO_TICKS:
        if low <= tick <= high and all(abs(math.log(tick / taken)) > _TICK_GAP * math.log(high / low) for taken in ticks):
            ticks.append(tick)
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_major_formatter(lambda ratio, _: f"{ratio:g}")
    ax.yaxis.set_minor_locator(NullLocator())


class Below(NamedTuple):
    """CDPs below a ratio of 1: their largest share, when that was, and their share at the end."""

    peak: float
    at_s: float
    end: float


NONE_BELOW = Below(0.0, 0.0, 0.0)


def below_one(share: pd.DataFrame) -> Below:
    """How large the share of CDPs below a ratio of 1 was; bins are rows, times in seconds are columns."""
    below = share[share.index.get_level_values("high") <= 1].sum()
    if not share.size:
        return NONE_BELOW
    return Below(float(below.max()), float(share.columns[int(below.to_numpy().argmax())]), float(below.iloc[-1]))


def spoken(shares: Mapping[str, pd.DataFrame]) -> str:
    """The shares of each tASSET in words, for the alternative text."""
    return " ".join(f"{tasset}: {_ever(share)}." for tasset, share in shares.items())


def _ever(share: pd.DataFrame) -> str:
    found = below_one(share)
    return f"at most {percent(found.peak)} of CDPs below 1, {percent(found.end)} at the end" if share.to_numpy().any() else "no CDPs"
