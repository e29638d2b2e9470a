"""The figures of the exchange: skew and funding, LPs' gain by source, pools and their debt, credit against what traders own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seawall.reports.backdrop import backdrop
from seawall.reports.result import Result
from seawall.reports.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    INK,
    MOST_PANELS,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Chart,
    TimeAxis,
    finish,
    house_style,
    line,
    panels,
    say,
    shortened,
)
from seawall.reports.words import duration, percent, usd

SOURCES = {
    "lp_order_fees_usd": ("order fees", GREEN),
    "lp_price_impact_usd": ("price impact", SKY),
    "lp_funding_usd": ("funding", ORANGE),
    "lp_price_gain_usd": ("price moves", VERMILION),
    "lp_liquidation_gain_usd": ("liquidations", PURPLE),
}
"""Columns that add up to the LPs' gain, with their names and colours."""

HIGHEST_RATIO = 10.0  # above it, how high a collateral ratio is does not matter

Rows = tuple[str, pd.DataFrame]
"""A market or pool and its records in order of time."""


def exchange_charts(result: Result) -> list[Chart]:
    """Every figure of the exchange; none where the run has none."""
    if result.markets.empty or result.pools.empty:
        return []
    return [skew_and_funding(result), lp_gain(result), pool_health(result), credit(result)]


@house_style()
def skew_and_funding(result: Result) -> Chart:
    """Skew in USD and funding rate of each market."""
    markets = result.markets
    shown = _split(markets, "market")
    figure = _panel_per_column(result, shown, {"skew_usd": "skew (USD)", "funding_rate_per_day": "funding rate\n(fraction per day)"})
    worst = _row_of_least(markets, -markets["skew_usd"].abs())
    title = "No market had a skew at any record"
    if worst["skew_usd"]:
        title = f"Largest skew {usd(abs(worst['skew_usd']))} {'long' if worst['skew_usd'] > 0 else 'short'} ({_where(worst, 'market')})"
    note = "Above zero traders together are long, or longs pay funding; LPs have the other side."
    alt = f"Skew and funding rate of the markets over {_horizon(markets)}. {_spoken(shown, _skew_words)}"
    return Chart("exchange_skew", title, alt, _left_out(markets, "market") + note, figure)


def _skew_words(rows: pd.DataFrame) -> str:
    funding = _span(rows["funding_rate_per_day"], percent)
    return f"skew between {_span(rows['skew_usd'], usd)}, funding between {funding} per day"


@house_style()
def lp_gain(result: Result) -> Chart:
    """LPs' gain by source, cumulative, a panel per market."""
    markets = result.markets
    shown = _split(markets, "market")
    figure = _panel_per_market(result, shown, _draw_sources)
    last = markets.groupby("market", sort=False)[list(SOURCES)].last().sum()
    title = f"LPs {'gained' if last.sum() >= 0 else 'lost'} {usd(abs(last.sum()))} through the markets, before siphons"
    note = f"{_left_out(markets, 'market')}At the end, of all markets: {_by_source(last)}."
    alt = f"Cumulative gain of LPs by source over {_horizon(markets)}. {_spoken(shown, lambda rows: _by_source(rows.iloc[-1]))}"
    return Chart("exchange_lp_gain", title, alt, note, figure)


def _by_source(row: pd.Series[Any]) -> str:
    return ", ".join(f"{label} {usd(row[column])}" for column, (label, _) in SOURCES.items())


def _draw_sources(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    for (column, (label, colour)), dash in zip(SOURCES.items(), DASHES[1:], strict=True):
        line(ax, axis, rows["time_s"], rows[column], color=colour, linestyle=dash, label=label)
    line(ax, axis, rows["time_s"], rows[list(SOURCES)].sum(axis=1), color=INK, linewidth=1.8, label="together")


@house_style()
def pool_health(result: Result) -> Chart:
    """Value, debt and lowest collateral ratio of each pool."""
    pools, ratios = result.pools, result.pools["min_collateral_ratio"]
    shown = _split(pools.assign(ratio=ratios.clip(upper=HIGHEST_RATIO)), "pool")
    figure = _panel_per_column(result, shown, {"value_usd": "value (USD)", "debt_usd": "debt (USD)", "ratio": "lowest ratio\nof an LP"})
    lowest = figure.axes[-1]
    lowest.axhline(1.0, color=VERMILION, linewidth=1)
    lowest.set_ylim(bottom=0.0)
    title = "No LP owed anything at any record"
    if ratios.notna().any():
        worst = _row_of_least(pools, ratios)
        title = f"Lowest collateral ratio of an LP {worst['min_collateral_ratio']:.3g} ({_where(worst, 'pool')})"
    else:
        say(lowest, "no debt")
    note = f"A negative debt is credit. Below 1 an LP is insolvent; ratios above {HIGHEST_RATIO:g} are drawn at {HIGHEST_RATIO:g}."
    alt = f"Value, debt and lowest collateral ratio of the pools over {_horizon(pools)}. {_spoken(shown, _pool_words)}"
    return Chart("exchange_pools", title, alt, _left_out(pools, "pool") + note, figure)


def _pool_words(rows: pd.DataFrame) -> str:
    ratio = rows["min_collateral_ratio"]
    lowest = "no debt of an LP" if ratio.isna().all() else f"lowest ratio of an LP {ratio.min():.3g}"
    return f"value between {_span(rows['value_usd'], usd)}, debt between {_span(rows['debt_usd'], usd)}, {lowest}"


@house_style()
def credit(result: Result) -> Chart:
    """What traders own of each market, and the credit left beyond it."""
    markets = result.markets
    shown = _split(markets, "market")
    figure = _panel_per_market(result, shown, _draw_credit)
    worst = _row_of_least(markets, markets["credit_left_usd"])
    left, where = worst["credit_left_usd"], _where(worst, "market")
    title = f"At every record credit covered what traders own; the least left was {usd(left)} ({where})"
    if left < 0:
        title = f"Credit fell short of what traders own by up to {usd(-left)} ({where})"
    note = "Credit left is what pools vouch for beyond what traders own; below zero not everybody can be paid."
    alt = f"Credit left and what traders own over {_horizon(markets)}. {_spoken(shown, _credit_words)}"
    return Chart("exchange_credit", title, alt, _left_out(markets, "market") + note, figure)


def _credit_words(rows: pd.DataFrame) -> str:
    return f"traders own up to {usd(rows['traders_own_usd'].max())}, least credit left {usd(rows['credit_left_usd'].min())}"


def _draw_credit(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    ax.axhline(0.0, color=VERMILION, linewidth=1)
    line(ax, axis, rows["time_s"], rows["credit_left_usd"], color=BLUE, label="credit left")
    line(ax, axis, rows["time_s"], rows["traders_own_usd"], color=INK, linestyle=DASHES[1], label="what traders own")


def _panel_per_column(result: Result, shown: list[Rows], columns: dict[str, str]) -> Figure:
    """A panel per column, whose unit is given, with a curve for each market or pool."""
    axis = TimeAxis.of(result)
    figure, axes = panels(len(columns), height=1.5)
    for ax, (column, unit) in zip(axes, columns.items(), strict=True):
        for (name, rows), colour, dash in zip(shown, COLOURS, DASHES, strict=False):
            line(ax, axis, rows["time_s"], rows[column], color=colour, linestyle=dash, label=shortened(name))
        backdrop(ax, result, axis, closed=False)
        ax.set_ylabel(unit)
    finish(figure, axes, axis)
    return figure


def _panel_per_market(result: Result, shown: list[Rows], draw: Callable[[Axes, TimeAxis, pd.DataFrame], None]) -> Figure:
    """A panel per market, drawn by `draw` from its records, in USD."""
    axis = TimeAxis.of(result)
    figure, axes = panels(len(shown), height=1.6)
    for ax, (name, rows) in zip(axes, shown, strict=True):
        draw(ax, axis, rows)
        backdrop(ax, result, axis, closed=False)
        ax.set_title(shortened(name))
        ax.set_ylabel("USD")
    finish(figure, axes, axis)
    return figure


def _split(frame: pd.DataFrame, key: str) -> list[Rows]:
    """The markets or pools shown, at most as many as there are colours, each with its records in order of time."""
    return [(str(name), rows.sort_values("time_s", kind="stable")) for name, rows in frame.groupby(key, sort=False)][:MOST_PANELS]


def _left_out(frame: pd.DataFrame, key: str) -> str:
    """A sentence that says which have no curve; empty where all are shown."""
    every = frame[key].nunique()
    return f"Shown are the first {MOST_PANELS} of {every} {key}s. " if every > MOST_PANELS else ""


def _spoken(shown: list[Rows], words: Callable[[pd.DataFrame], str]) -> str:
    """What `words` says of the records of each, for the alternative text."""
    return " ".join(f"{name}: {words(rows)}." for name, rows in shown)


def _span(values: pd.Series[float], words: Callable[[float], str]) -> str:
    return f"{words(float(values.min()))} and {words(float(values.max()))}"


def _row_of_least(frame: pd.DataFrame, values: pd.Series[float]) -> pd.Series[Any]:
    return frame.iloc[int(np.nanargmin(values.to_numpy(float)))]


def _where(row: pd.Series[Any], key: str) -> str:
    return f"{row[key]}, {duration(float(row['time_s']))} after the start"


def _horizon(frame: pd.DataFrame) -> str:
    return duration(float(frame["time_s"].max() - frame["time_s"].min()))
