"""What stands behind the curves: closed markets, oracle outages and shocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from seawall.reports.result import Result
from seawall.reports.style import CLOSED, GREY, MUTED, PAPER, TimeAxis, shortened
from seawall.reports.words import percent

_LETTER = 0.022  # width of a letter of a label, of the axis
_LABEL_ROWS = 3
_HEADROOM = 0.2  # of the range of the curves, for those labels


def backdrop(ax: Axes, result: Result, axis: TimeAxis, *, tasset: str | None = None, closed: bool = True) -> None:
    """Shade closed markets (unless told not to) and oracle outages, and mark shocks, of one tASSET or (None) of all."""
    for start, end in _closed_spans(result.series, tasset) if closed else ():
        ax.axvspan(*axis.units((start, end)), color=CLOSED, linewidth=0, zorder=0, label="market closed")
    for outage in result.manifest["outages"]:
        start, end = axis.units((outage["from_s"], outage["to_s"])).clip(axis.low, axis.high)
        if tasset in (None, outage["tasset"]) and start < end:
            ax.axvspan(start, end, facecolor="none", edgecolor=GREY, hatch="////", linewidth=0, zorder=0.5, label="oracle outage")
    _mark_shocks(ax, _shocks_of(result, axis, tasset), axis)


def _closed_spans(series: pd.DataFrame, tasset: str | None) -> list[tuple[float, float]]:
    """Stretches of seconds in which the market of the tASSET (None: every market) was closed."""
    rows = series if tasset is None else series[series["tasset"] == tasset]
    is_open = rows.groupby("time_s")["market_open"].any()
    times = [*is_open.index, is_open.index[-1]]
    turns = np.flatnonzero(np.diff(np.r_[0, ~is_open.to_numpy(bool), 0]))
    return [(float(times[start]), float(times[end])) for start, end in pairwise(turns)][::2]


def _shocks_of(result: Result, axis: TimeAxis, tasset: str | None) -> list[tuple[float, str]]:
    """Place on the axis and label of each shock that moves the tASSET; a shock to something else moves all."""
    tassets = set(result.series["tasset"])
    shocks = []
    for shock in result.manifest["shocks"]:
        names = {shock["asset"], "t" + shock["asset"]}
        if tasset is None or tasset in names or not names & tassets:
            change = ("+" if shock["change"] > 0 else "") + percent(shock["change"])
            shocks.append((float(shock["at_s"]) / axis.unit_s, change if tasset in names else f"{shortened(shock['asset'], 16)} {change}"))
    return sorted(shock for shock in shocks if axis.low <= shock[0] <= axis.high)


def _mark_shocks(ax: Axes, shocks: Sequence[tuple[float, str]], axis: TimeAxis) -> None:
    """Draw thin lines, labelled on the first of three rows that has room; a label without room is left out."""
    if shocks:
        ax.margins(y=_HEADROOM)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_LABEL_ROWS)]
    for at, label in shocks:
        ax.axvline(at, color=MUTED, linewidth=0.9, zorder=1.5)
        start, width = axis.share(at), _LETTER * (len(label) + 1)
        leftwards = start + width > 1
        span = (start - width, start) if leftwards else (start, start + width)
        row = next((row for row, spans in enumerate(taken) if all(span[1] <= low or high <= span[0] for low, high in spans)), None)
        if row is not None:
            taken[row].append(span)
            _label(ax, label, at, row=row, leftwards=leftwards)


def _label(ax: Axes, label: str, at: float, *, row: int, leftwards: bool) -> None:
    ax.annotate(
        label,
        (at, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if leftwards else 3, -1 - 11 * row),
        textcoords="offset points",
        ha="right" if leftwards else "left",
        va="top",
        fontsize=9,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
    )
