"""What stands behind the curves: closed markets, oracle outages, shocks, listings and delistings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from seawall.reports import shock_words
from seawall.reports.life import life_of, lineage, quoted, since_listing
from seawall.reports.result import Result
from seawall.reports.style import CLOSED, GREY, MUTED, PAPER, TimeAxis, shortened
from seawall.reports.words import label_of

_LETTER = 0.022  # width of a letter of a label, of the axis
_LABEL_ROWS = 4
_MOST_SHOCKS = 200  # lines that a figure can hold
_HEADROOM, _ROW = 0.2, 0.2  # of the range of the curves, for the first row of labels and for each other


def backdrop(ax: Axes, result: Result, axis: TimeAxis, *, tasset: str | None = None, closed: bool = True) -> None:
    """Shade closed markets (unless told not to) and outages, mark shocks, listings and delistings, of one tASSET or (None) of all."""
    for start, end in _closed_spans(result, tasset) if closed else ():
        ax.axvspan(*axis.units((start, end)), color=CLOSED, linewidth=0, zorder=0, label="market closed")
    for start, end in _outages(result, tasset):
        low, high = axis.units((start, end)).clip(axis.low, axis.high)
        if low < high:
            ax.axvspan(low, high, facecolor="none", edgecolor=GREY, hatch="////", linewidth=0, zorder=0.5, label="oracle outage")
    for start, end, _ in _disturbances(result, tasset):
        low, high = axis.units((start, end)).clip(axis.low, axis.high)
        if low < high:
            ax.axvspan(low, high, facecolor="none", edgecolor=GREY, hatch="....", linewidth=0, zorder=0.4, label="disturbance")
    begun = [(start, label) for start, _, label in _disturbances(result, tasset)]
    marks = [(seconds / axis.unit_s, label) for seconds, label in (*_shocks(result, tasset), *begun, *_turns(result, tasset))]
    mark(ax, sorted(mark for mark in marks if axis.low <= mark[0] <= axis.high), axis)


def _closed_spans(result: Result, tasset: str | None) -> list[tuple[float, float]]:
    """Stretches of seconds in which the market of the tASSET (None: every market) was closed; delisted tASSETs have none."""
    rows = result.series if tasset is None else since_listing(result, tasset)
    is_open = quoted(rows).groupby("time_s")["market_open"].any()
    if is_open.empty:
        return []
    times = [*is_open.index, is_open.index[-1]]
    turns = np.flatnonzero(np.diff(np.r_[0, ~is_open.to_numpy(bool), 0]))
    return [(float(times[start]), float(times[end])) for start, end in pairwise(turns)][::2]


def _outages(result: Result, tasset: str | None) -> list[tuple[float, float]]:
    """Stretches of seconds in which the oracle of the tASSET (None: of any) was silent while it was listed."""
    outages = result.manifest["outages"]
    if tasset is None:
        return [(outage["from_s"], outage["to_s"]) for outage in outages]
    life, names = life_of(result, tasset), lineage(result, tasset)
    return [(max(outage["from_s"], life.listed), min(outage["to_s"], life.delisted)) for outage in outages if outage["tasset"] in names]


def _shocks(result: Result, tasset: str | None) -> list[tuple[float, str]]:
    """Time and label of each shock that moves the tASSET; a shock to something else moves all."""
    tassets = set(result.series["tasset"].unique())
    shocks = []
    for shock in result.manifest["shocks"][:_MOST_SHOCKS]:
        names, seconds = {shock["asset"], "t" + shock["asset"]}, float(shock["at_s"])
        change = shock_words.label(shock)
        if tasset is None or not names & tassets:
            shocks.append((seconds, f"{shortened(shock['asset'], 16)} {change}"))
        elif names & lineage(result, tasset) and life_of(result, tasset).spans(seconds):
            shocks.append((seconds, change))
    return shocks


def _disturbances(result: Result, tasset: str | None) -> list[tuple[float, float, str]]:
    """Beginning and end, seconds, and name of each disturbance that strikes the tASSET, or that names none."""
    own = {None} if tasset is None else {None, *lineage(result, tasset)}
    found = result.manifest.get("disturbances", ())[:_MOST_SHOCKS]
    return [(event["from_s"], event["over_s"], label_of(event["kind"])) for event in found if tasset is None or event.get("tasset") in own]


def _turns(result: Result, tasset: str | None) -> list[tuple[float, str]]:
    """Time and label of each listing after the first record, and of each delisting."""
    first, turns = float(result.series["time_s"].min()), []
    for name in result.series["tasset"].unique() if tasset is None else [tasset]:
        life, whose = life_of(result, name), f"{shortened(name, 16)} " if tasset is None else ""
        if life.listed > first:
            turns.append((life.listed, f"{whose}listed"))
        turns.append((life.delisted, f"{whose}delisted"))
    return turns


def mark(ax: Axes, marks: Sequence[tuple[float, str]], axis: TimeAxis) -> None:
    """Draw thin lines, labelled on the first of four rows that has room; a label without room is left out."""
    if marks:
        ax.margins(y=_HEADROOM)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_LABEL_ROWS)]
    for at, label in marks:
        ax.axvline(at, color=MUTED, linewidth=0.9, zorder=1.5)
        start, width = axis.share(at), _LETTER * (len(label) + 1)
        leftwards = start + width > 1
        span = (start - width, start) if leftwards else (start, start + width)
        row = next((row for row, spans in enumerate(taken) if all(span[1] <= low or high <= span[0] for low, high in spans)), None)
        if row is not None:
            taken[row].append(span)
            _label(ax, label, at, row=row, leftwards=leftwards)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + _ROW * max(sum(map(bool, taken)) - 1, 0) * (high - low))


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
