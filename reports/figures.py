"""The figures of a run: each a picture with its finding, its alternative text and how to read it.

Here the curves over time, one panel per tASSET; the figures that count CDPs, auctions and refusals are in `counts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seawall.reports.backdrop import backdrop
from seawall.reports.counts import liquidations_and_refusals, ratio_distribution
from seawall.reports.result import Result
from seawall.reports.style import (
    BLUE,
    COLOURS,
    DASHES,
    INK,
    VERMILION,
    Chart,
    Floats,
    TimeAxis,
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
from seawall.reports.words import duration, number, percent, usd

UNSEEN = 1e-9  # a relative difference of prices that nobody could see


def all_charts(result: Result) -> list[Chart]:
    """Every figure that the run has records for, in the order of the report."""
    if result.series.empty:
        return []
    distribution = [] if result.ratios.empty else [ratio_distribution(result)]
    return [
        price_and_oracle(result),
        system_ratio(result),
        *distribution,
        liquidations_and_refusals(result),
        amm_premium(result),
        lp_fees(result),
    ]


@house_style()
def price_and_oracle(result: Result) -> Chart:
    """Market price and oracle price; where the oracle is stale its last price is dotted."""
    series = result.series
    gaps = (series["oracle_price"].where(series["oracle_price"] > 0) / series["market_price"] - 1).abs()
    title = "The oracle never gave a price"
    if gaps.notna().any():
        worst = _row_of_largest(series, gaps)
        title = f"The oracle was at most {percent(gaps.max())} away from the market ({_where(worst)})"
        if gaps.max() < UNSEEN:
            title = "At every record the oracle had the market's price"
    spoken = [
        f"{tasset}: market price between {usd(rows['market_price'].min())} and {usd(rows['market_price'].max())}, "
        f"at the end {usd(rows['market_price'].iloc[-1])}; oracle stale in {percent(1 - rows['oracle_fresh'].mean())} of the records."
        for tasset, rows in _shown(result)
    ]
    shocks = "Percentages at vertical lines are shocks." if result.manifest["shocks"] else ""
    figure = _per_tasset(result, _draw_prices, unit="USD per\ntASSET")
    alt = f"Market price and oracle price over {_horizon(result)}. {' '.join(spoken)}"
    return Chart("price_and_oracle", title, alt, left_out(result) + shocks, figure)


def _draw_prices(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    fresh = rows["oracle_fresh"].to_numpy(bool)
    oracle = rows["oracle_price"].to_numpy(float)
    line(ax, axis, rows["time_s"], rows["market_price"], color=INK, linewidth=1.0, label="market price")
    line(ax, axis, rows["time_s"], _while(fresh, oracle), color=BLUE, label="oracle price")
    if not fresh.all():
        line(ax, axis, rows["time_s"], _while(~fresh, oracle), color=VERMILION, linestyle=(0, (1.5, 1)), linewidth=2, label="oracle, stale")


def _while(state: np.ndarray[tuple[int], np.dtype[np.bool_]], values: Floats) -> Floats:
    """The curve from each record in that state to the next one, whose own state may be another; NaN elsewhere."""
    return np.where(state | np.r_[False, state[:-1]], values, np.nan)


@house_style()
def system_ratio(result: Result) -> Chart:
    """Collateral ratio of each tASSET's whole system against its minimum and 1."""
    ratios = result.series["system_collateral_ratio"]
    title = "Nobody had debt, so there is no collateral ratio"
    if ratios.notna().any():
        worst = _row_of_largest(result.series, -ratios)
        minimum = f"the minimum for a CDP is {worst['min_collateral_ratio']:.3g}"
        title = f"Lowest system collateral ratio {ratios.min():.3g} ({_where(worst)}); {minimum}"
    spoken = [f"{tasset}: {_ratio_range(rows['system_collateral_ratio'])}." for tasset, rows in _shown(result)]
    figure = _per_tasset(result, _draw_ratio, unit="fraction")
    alt = f"Collateral value divided by debt value over {_horizon(result)}. {' '.join(spoken)}"
    return Chart("system_ratio", title, alt, f"{left_out(result)}Collateral value divided by debt value.", figure)


def _draw_ratio(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    ratio = rows["system_collateral_ratio"]
    if ratio.isna().all():
        say(ax, "no debt")
    line(ax, axis, rows["time_s"], ratio, color=BLUE, label="system ratio")
    line(ax, axis, rows["time_s"], rows["min_collateral_ratio"], color=INK, linestyle="--", linewidth=1, label="minimum ratio of a CDP")
    ax.axhline(1.0, color=VERMILION, linewidth=1, label="1: insolvent below")


def _ratio_range(ratio: pd.Series[float]) -> str:
    if ratio.isna().all():
        return "no debt"
    return f"between {ratio.min():.3g} and {ratio.max():.3g}, last {ratio.dropna().iloc[-1]:.3g}"


@house_style()
def amm_premium(result: Result) -> Chart:
    """AMM price over the oracle price: what buying a tASSET to burn it costs extra."""
    premium = result.series["amm_premium"].replace([np.inf, -np.inf], np.nan)
    title = "No AMM premium: a pool or the oracle gave no price"
    if premium.notna().any():
        widest = _row_of_largest(result.series, premium.abs())
        title = f"The AMM was at most {percent(premium.abs().max())} away from the oracle ({_where(widest)})"
    spoken = [
        f"{tasset}: between {percent(rows['amm_premium'].min())} and {percent(rows['amm_premium'].max())}."
        for tasset, rows in _shown(result)
    ]
    figure = _per_tasset(result, _draw_premium, unit="fraction of\noracle price")
    alt = f"AMM price over oracle price, less one, over {_horizon(result)}. {' '.join(spoken)}"
    return Chart("amm_premium", title, alt, f"{left_out(result)}Above zero, tASSETs cost more in the AMM than the oracle says.", figure)


def _draw_premium(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    ax.axhline(0.0, color=INK, linewidth=0.8)
    if rows["amm_premium"].isna().all():
        say(ax, "no price")
    line(ax, axis, rows["time_s"], rows["amm_premium"], color=BLUE)


@house_style()
def lp_fees(result: Result) -> Chart:
    """Fees of liquidity providers, cumulative, and how often each pool's value has been traded."""
    axis = TimeAxis.of(result)
    figure, axes = panels(2, height=1.7)
    spoken = []
    for (tasset, rows), colour, dash in zip(_shown(result), COLOURS, DASHES, strict=False):
        turnover = _turnover(rows)
        line(axes[0], axis, rows["time_s"], rows["lp_fees_usd"], color=colour, linestyle=dash, label=shortened(tasset))
        line(axes[1], axis, rows["time_s"], turnover, color=colour, linestyle=dash)
        spoken.append(f"{tasset}: {usd(rows['lp_fees_usd'].iloc[-1])} of fees, pool traded {number(float(turnover[-1]))} times over.")
    for ax, unit in zip(axes, ("cumulative fees\n(USD)", "turnover (times\nthe pool value)"), strict=True):
        backdrop(ax, result, axis)
        ax.set_ylabel(unit)
        ax.set_ylim(bottom=0)
    finish(figure, axes, axis)
    fees = result.series.groupby("tasset")["lp_fees_usd"].max()
    title = f"LPs earned {usd(fees.sum())} in fees"
    if fees.sum() > 0:
        title += f", {percent(fees.max() / fees.sum())} of it in the {fees.idxmax()} pool"
    note = f"{left_out(result)}Turnover: value traded divided by the value of the pool at the time, added up."
    return Chart("lp_fees", title, f"Cumulative fees and turnover per pool over {_horizon(result)}. {' '.join(spoken)}", note, figure)


def _turnover(rows: pd.DataFrame) -> Floats:
    """Cumulative volume in multiples of the pool's value at the time of each trade; an empty pool trades nothing."""
    traded = rows["volume_usd"].diff().fillna(rows["volume_usd"])
    multiples = (traded / rows["pool_usd"].where(rows["pool_usd"] > 0)).fillna(0.0)
    return multiples.cumsum().to_numpy(float)


def _per_tasset(result: Result, draw: Callable[[Axes, TimeAxis, pd.DataFrame], None], *, unit: str) -> Figure:
    """A panel per tASSET, drawn by `draw` from its rows in order of time; `unit` labels the vertical axis."""
    axis = TimeAxis.of(result)
    shown = _shown(result)
    figure, axes = panels(len(shown))
    for ax, (tasset, rows) in zip(axes, shown, strict=True):
        draw(ax, axis, rows)
        backdrop(ax, result, axis, tasset=tasset)
        ax.set_title(shortened(tasset))
        ax.set_ylabel(unit)
    finish(figure, axes, axis)
    return figure


def _shown(result: Result) -> list[tuple[str, pd.DataFrame]]:
    return [(tasset, of_tasset(result.series, tasset)) for tasset in shown_tassets(result)]


def _row_of_largest(series: pd.DataFrame, values: pd.Series[float]) -> pd.Series[Any]:
    return series.iloc[int(np.nanargmax(values.to_numpy(float)))]


def _where(row: pd.Series[Any]) -> str:
    return f"{row['tasset']}, {duration(float(row['time_s']))} after the start"


def _horizon(result: Result) -> str:
    return duration(float(result.series["time_s"].max() - result.series["time_s"].min()))
