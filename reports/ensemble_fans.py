"""Fan charts of an ensemble: where a quantity stands over time on half and on nine in ten of all paths, with what was planned to happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from seawall.reports import shock_words
from seawall.reports.backdrop import mark
from seawall.reports.style import (
    BLUE,
    CLOSED,
    GREY,
    INK,
    MOST_PANELS,
    VERMILION,
    Chart,
    TimeAxis,
    finish,
    house_style,
    line,
    logarithmic,
    panels,
    say,
    shortened,
)
from seawall.reports.words import DAY, HOUR, duration, number, percent, usd
from seawall.studies.ensemble_files import EnsembleFiles

_BANDS = (("q05", "q95", 0.16, "9 in 10 paths"), ("q25", "q75", 0.32, "half of the paths"))
_DAYS_FROM = 4 * DAY
_LOG_FROM = 8.0  # ratio of the highest to the lowest price shown
_MOST_SHOCKS = 200


@dataclass(frozen=True, slots=True)
class Fan:
    """A quantity of which a fan chart is drawn.

    Attributes:
        table: of the bands: series, markets or book.
        column: of the bands.
        what: in words, as a sentence begins with it.
        unit: on the vertical axis.
        words: a value of it in words.
        level: where a thin line stands, such as a ratio of 1; None for none.
        is_price: whether a wide range is drawn on a logarithmic axis.
    """

    table: str
    column: str
    what: str
    unit: str
    words: Callable[[float], str]
    level: float | None = None
    is_price: bool = False


FANS = (
    Fan("series", "market_price", "Market price", "USD per\ntASSET", usd, is_price=True),
    Fan("series", "amm_premium", "AMM premium over the oracle price", "fraction", percent, 0.0),
    Fan("series", "system_collateral_ratio", "System collateral ratio", "fraction", "{:.3g}".format, 1.0),
    Fan("series", "margin_called_cdps", "Margin-called CDPs", "CDPs", number),
    Fan("series", "shortfall_usd", "Shortfall", "USD", usd),
    Fan("series", "bad_debt_usd", "Bad debt so far", "USD", usd),
    Fan("markets", "index_price", "Index price", "USD", usd, is_price=True),
    Fan("markets", "skew_usd", "Skew", "USD", usd, 0.0),
    Fan("markets", "total_debt_usd", "What traders own in a market", "USD", usd),
    Fan("book", "market_price", "Market price", "USD", usd, is_price=True),
    Fan("book", "payable_usd", "What RFQ LPs can pay", "USD", usd),
    Fan("book", "stale_loss_usd", "What stale quotes cost RFQ LPs so far", "USD", usd),
)
"""In the order of the report; those of markets that a scenario has not got are left out."""


def fan_charts(found: EnsembleFiles) -> list[Chart]:
    """Every fan chart that the bands have rows for."""
    bands = found.bands()
    axis = time_axis(bands)
    of = {fan: bands[(bands["table"] == fan.table) & (bands["column"] == fan.column)] for fan in FANS}
    return [fan_chart(found, fan, rows, axis) for fan, rows in of.items() if rows["mean"].notna().any() and not _is_repeated(fan, bands)]


def _is_repeated(fan: Fan, bands: pd.DataFrame) -> bool:
    """Whether prices of the RFQ market are drawn already, as those of tASSETs."""
    return fan.table == "book" and fan.is_price and bool((bands["table"] == "series").any())


def time_axis(bands: pd.DataFrame) -> TimeAxis:
    """The axis that spans all records of an ensemble."""
    last = float(bands["time_s"].max()) if len(bands) else 0.0
    unit_s, label = (DAY, "days since start") if last > _DAYS_FROM else (HOUR, "hours since start")
    return TimeAxis(unit_s, label, 0.0, max(last, 1.0) / unit_s)


@house_style()
def fan_chart(found: EnsembleFiles, fan: Fan, rows: pd.DataFrame, axis: TimeAxis) -> Chart:
    """A panel per tASSET, market or asset: bands of quantiles over paths, the median, the mean, and what was planned.

    Args:
        found: the ensemble.
        fan: what is shown.
        rows: of the bands, of this quantity.
        axis: of time, shared by all fan charts.
    """
    every = list(dict.fromkeys(rows["name"]))
    names = every[:MOST_PANELS]
    figure, axes = panels(len(names), height=1.5)
    closed = _closed(found, fan)
    for ax, name in zip(axes, names, strict=True):
        own = rows[rows["name"] == name].sort_values("time_s", kind="stable")
        _draw(ax, axis, own, fan)
        _shade(ax, axis, closed.get(name, []))
        plan(ax, axis, found, name)
        ax.set_title(shortened(name))
        ax.set_ylabel(fan.unit)
    finish(figure, axes, axis)
    left_out = f"Shown are the first {MOST_PANELS} of {len(every)}. " if len(every) > MOST_PANELS else ""
    alt = f"Quantiles over paths of {fan.what.lower()} over time. {' '.join(_spoken(rows, name, fan) for name in names)}"
    return Chart(f"fan-{fan.table}-{fan.column}".replace("_", "-"), _title(rows, fan), alt, left_out + _note(found, rows), figure)


def _draw(ax: Axes, axis: TimeAxis, rows: pd.DataFrame, fan: Fan) -> None:
    if rows["mean"].isna().all():
        say(ax, "no path has a value")
        return
    at = axis.units(rows["time_s"])
    for low, high, opacity, text in _BANDS:
        ax.fill_between(at, rows[low], rows[high], color=BLUE, alpha=opacity, linewidth=0, label=text)
    line(ax, axis, rows["time_s"], rows["q50"], color=BLUE, label="median")
    line(ax, axis, rows["time_s"], rows["mean"], color=INK, linestyle="--", linewidth=1.1, label="mean")
    if fan.level is not None:
        ax.axhline(fan.level, color=VERMILION if fan.level else GREY, linewidth=0.9)
    if fan.is_price and rows["q95"].max() > _LOG_FROM * rows["q05"].min() > 0.0:
        logarithmic(ax)


def _closed(found: EnsembleFiles, fan: Fan) -> dict[str, list[tuple[float, float]]]:
    """Stretches of seconds, by tASSET, in which the market was closed on most paths."""
    if fan.table != "series":
        return {}
    bands = found.bands()
    is_open = bands[(bands["table"] == "series") & (bands["column"] == "market_open")]
    return {str(name): _stretches(rows) for name, rows in is_open.groupby("name", sort=False)}


def _stretches(rows: pd.DataFrame) -> list[tuple[float, float]]:
    ordered = rows.sort_values("time_s", kind="stable")
    times = [*ordered["time_s"], ordered["time_s"].iloc[-1]]
    turns = np.flatnonzero(np.diff(np.r_[0, ordered["mean"].to_numpy(float) < 0.5, 0]))
    return [(float(times[start]), float(times[end])) for start, end in pairwise(turns)][::2]


def _shade(ax: Axes, axis: TimeAxis, stretches: Sequence[tuple[float, float]]) -> None:
    for start, end in stretches:
        ax.axvspan(*axis.units((start, end)), color=CLOSED, linewidth=0, zorder=0, label="market closed")


def plan(ax: Axes, axis: TimeAxis, found: EnsembleFiles, name: str) -> None:
    """Mark outages, shocks at stated times and delistings of a tASSET or of what it follows."""
    manifest = found.manifest
    for outage in manifest["outages"]:
        low, high = axis.units((outage["from_s"], outage["to_s"])).clip(axis.low, axis.high)
        if outage["tasset"] == name and low < high:
            ax.axvspan(low, high, facecolor="none", edgecolor=GREY, hatch="////", linewidth=0, zorder=0.5, label="oracle outage")
    timed = [shock for shock in manifest["shocks"] if "at_s" in shock and shock["asset"] == name][:_MOST_SHOCKS]
    marks = [(shock["at_s"] / axis.unit_s, shock_words.label(shock)) for shock in timed]
    marks += [(event["at_s"] / axis.unit_s, "delisted") for event in manifest["delistings"] if event["tasset"] == name]
    mark(ax, sorted(one for one in marks if axis.low <= one[0] <= axis.high), axis)


def _title(rows: pd.DataFrame, fan: Fan) -> str:
    """Where it ends, of the first row of the table."""
    own = rows[rows["name"] == rows["name"].iloc[0]].sort_values("time_s", kind="stable").dropna(subset="mean")
    if own.empty:
        return f"{fan.what}: no path has a value"
    if own[["q05", "q95", "mean"]].nunique().max() == 1 and own["q05"].iloc[0] == own["q95"].iloc[0] == own["mean"].iloc[0]:
        return f"{fan.what}, {shortened(own['name'].iloc[0])}: {fan.words(float(own['mean'].iloc[0]))} on every path, all the time"
    end = own.iloc[-1]
    return f"{fan.what}, {shortened(end['name'])}: ends from {fan.words(end['q05'])} to {fan.words(end['q95'])} in 9 of 10 cases"


def _spoken(rows: pd.DataFrame, name: str, fan: Fan) -> str:
    own = rows[rows["name"] == name].sort_values("time_s", kind="stable").dropna(subset="mean")
    if own.empty:
        return f"{name}: no path has a value."
    end, widest = own.iloc[-1], own.iloc[int((own["q95"] - own["q05"]).to_numpy().argmax())]
    return (
        f"{name}: at the end 9 in 10 paths lie between {fan.words(end['q05'])} and {fan.words(end['q95'])}, "
        f"median {fan.words(end['q50'])}, mean {fan.words(end['mean'])}; widest {duration(widest['time_s'])} after the start, "
        f"from {fan.words(widest['q05'])} to {fan.words(widest['q95'])}."
    )


def _note(found: EnsembleFiles, rows: pd.DataFrame) -> str:
    """From how many paths, and what is not marked."""
    most = int(rows["paths"].max())
    fewer = f"; fewer where a path has no value, at the least {number(int(rows['paths'].min()))}" if rows["paths"].min() < most else ""
    random = any("at_s" not in shock for shock in found.manifest["shocks"])
    unmarked = " Shocks at random times differ from path to path and are not marked." if random else ""
    return f"From {number(most)} paths{fewer}.{unmarked}"
