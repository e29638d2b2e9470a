"""The figures that count: CDPs by collateral ratio, auctions and refusals by interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from seawall.reports.backdrop import backdrop
from seawall.reports.life import life_of, quoted, since_listing
from seawall.reports.ratio_heat import NONE_BELOW, SHADES, below_one, draw_shares, drawable, ratio_axis, shade_samples, spoken
from seawall.reports.result import Result
from seawall.reports.style import (
    COLOURS,
    GREY,
    INK,
    NEVER_LISTED,
    VERMILION,
    Chart,
    TimeAxis,
    columns,
    finish,
    house_style,
    left_out,
    line,
    of_tasset,
    panels,
    say,
    shortened,
    shown_tassets,
)
from seawall.reports.words import DAY, HOUR, MINUTE, duration, label_of, number, percent, usd

_INTERVALS = (MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 28 * DAY)
_BARS = 60  # an interval is the shortest that needs no more bars than this
_OTHER = "other"


@house_style()
def ratio_distribution(result: Result) -> Chart:
    """Share of CDPs per bin of the collateral ratio over time; below 1 in another colour. Up to a delisting: after it no ratio counts."""
    axis = TimeAxis.of(result)
    shares = {tasset: _shares(_until_delisting(result, tasset)) for tasset in shown_tassets(result)}
    most = max((float(share.to_numpy().max()) for share in shares.values() if share.size), default=0.0) or 1.0
    figure, axes = panels(len(shares), height=1.7)
    for ax, (tasset, share) in zip(axes, shares.items(), strict=True):
        rows = quoted(since_listing(result, tasset))
        end = min(axis.high, float(axis.units(life_of(result, tasset).delisted)))
        draw_shares(ax, axis, drawable(share), most, end=end, empty="no CDPs" if len(rows) else NEVER_LISTED)
        minimum = rows["min_collateral_ratio"]
        line(ax, axis, rows["time_s"], minimum, color=INK, linestyle="--", linewidth=1, label="minimum ratio")
        ax.axhline(1.0, color=VERMILION, linewidth=1, label="1: insolvent below")
        backdrop(ax, result, axis, tasset=tasset, closed=False)
        ratio_axis(ax, share, minimum)
        ax.set_title(shortened(tasset))
        ax.set_ylabel("collateral ratio\n(fraction)")
    shade_samples(axes[0], most)
    finish(figure, axes, axis)
    title, alt = _ratio_words(shares)
    delisted = " Nothing after a delisting: no ratio counts any more." if result.series["is_delisted"].any() else ""
    return Chart("ratio_distribution", title, alt, f"{left_out(result)}{SHADES}{delisted}", figure)


def _until_delisting(result: Result, tasset: str) -> pd.DataFrame:
    """The counts of CDPs of one tASSET by ratio, in order of time, while it is not delisted."""
    rows = of_tasset(result.ratios, tasset)
    return rows[rows["time_s"] < life_of(result, tasset).delisted]


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of open CDPs per bin (index: low and high edge) and time (columns: seconds)."""
    counts = rows.pivot_table(index=["low", "high"], columns="time_s", values="cdps", aggfunc="sum", fill_value=0)
    return (counts / counts.sum().replace(0, np.nan)).fillna(0.0)


def _ratio_words(shares: Mapping[str, pd.DataFrame]) -> tuple[str, str]:
    """The finding and the alternative text."""
    title = "No CDP was recorded below a collateral ratio of 1"
    worst, tasset = max(((below_one(share), tasset) for tasset, share in shares.items()), default=(NONE_BELOW, ""))
    if worst.peak > 0:
        when = duration(worst.at_s)
        title = f"Up to {percent(worst.peak)} of the CDPs of {tasset} were below a collateral ratio of 1, {when} after the start"
    return title, f"Heat map of the share of CDPs by collateral ratio over time. {spoken(shares)}"


@house_style()
def liquidations_and_refusals(result: Result) -> Chart:
    """Debt liquidated per interval by tASSET; refused actions per interval by reason."""
    axis, interval = TimeAxis.of(result), _interval(result)
    debts, refusals = _liquidated(result, interval), _refused(result, interval)
    figure, axes = panels(2, height=2.1)
    per = duration(interval)
    for ax, table, unit in zip(
        axes, (debts, refusals), (f"debt liquidated\n(USD per {per})", f"refused actions\n(per {per})"), strict=True
    ):
        _draw_bars(ax, axis, table, interval)
        backdrop(ax, result, axis)
        ax.set_ylabel(unit)
    finish(figure, axes, axis, legend=False)
    title, alt = _flow_words(debts, refusals, interval)
    return Chart("liquidations_and_refusals", title, alt, "Bars are stacked. Grey: all markets closed. Hatched: oracle outage.", figure)


def _interval(result: Result) -> int:
    """Seconds per bar."""
    horizon = float(result.series["time_s"].max())
    return next((interval for interval in _INTERVALS if horizon <= interval * _BARS), _INTERVALS[-1])


def _interval_of(seconds: pd.Series[Any], interval: int) -> pd.Series[Any]:
    """Number of the interval; a record counts what happened since the one before, so it belongs to the interval it closes."""
    return ((seconds / interval).map(math.ceil) - 1).clip(lower=0)


def _liquidated(result: Result, interval: int) -> pd.DataFrame:
    """USD of debt liquidated per interval (rows) and tASSET (columns)."""
    series = result.series.sort_values("time_s", kind="stable")
    cumulative = series["liquidated_debt_usd"]
    since = cumulative.groupby(series["tasset"]).diff().fillna(cumulative)
    shown = shown_tassets(result)
    names = series["tasset"].where(series["tasset"].isin(shown), _OTHER)
    table = since.groupby([_interval_of(series["time_s"], interval), names]).sum().unstack(fill_value=0)
    return table[[name for name in (*shown, _OTHER) if name in table]]


def _refused(result: Result, interval: int) -> pd.DataFrame:
    """Refused actions per interval (rows) and reason (columns, most frequent first, the rare ones summed up)."""
    refusals = result.refusals
    totals = refusals.groupby("status")["count"].sum().sort_values(ascending=False, kind="stable")
    frequent = list(totals.index if len(totals) <= len(COLOURS) else totals.index[: len(COLOURS) - 1])
    names = refusals["status"].where(refusals["status"].isin(frequent), _OTHER)
    table = refusals["count"].groupby([_interval_of(refusals["time_s"], interval), names]).sum().unstack(fill_value=0)
    return table[[name for name in (*frequent, _OTHER) if name in table]].rename(columns=label_of)


def _draw_bars(ax: Axes, axis: TimeAxis, table: pd.DataFrame, interval: int) -> None:
    """Stacked bars with a legend of their own above the panel."""
    width = interval / axis.unit_s
    centres = (table.index.to_numpy(float) + 0.5) * width
    floor = np.zeros(len(table))
    handles: list[Patch] = []
    for place, name in enumerate(table):
        colour = GREY if name == _OTHER else COLOURS[place]
        heights = table[name].to_numpy(float)
        if heights.any():
            some = heights > 0
            ax.bar(centres[some], heights[some], 0.9 * width, floor[some], color=colour, linewidth=0)
            handles.append(Patch(color=colour, label=shortened(str(name))))
        floor += heights
    if handles:
        names = [str(handle.get_label()) for handle in handles]
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns(names))
        ax.set_ylim(0, 1.15 * floor.max())
    else:
        say(ax, "none")
        ax.set_yticks([])


def _flow_words(debts: pd.DataFrame, refusals: pd.DataFrame, interval: int) -> tuple[str, str]:
    """The finding and the alternative text."""
    debt, refused = float(debts.to_numpy().sum()), float(refusals.to_numpy().sum())
    title = "Nothing was liquidated"
    if debt > 0:
        per_interval = debts.sum(axis=1)
        start = duration(float(per_interval.index[int(per_interval.to_numpy().argmax())]) * interval)
        title = f"{usd(debt)} of debt was liquidated, {percent(per_interval.max() / debt)} of it in the {duration(interval)} from {start}"
    if refused > 0:
        title += f"; {number(refused)} actions were refused, most often: {refusals.columns[0]}"
    else:
        title += "; no action was refused"
    by_tasset = "; ".join(f"{name} {usd(float(total))}" for name, total in debts.sum().items())
    by_reason = "; ".join(f"{name} {number(float(total))}" for name, total in refusals.sum().items()) or "none"
    return title, f"Stacked bars per {duration(interval)}. Debt liquidated: {by_tasset}. Refused actions: {by_reason}."
