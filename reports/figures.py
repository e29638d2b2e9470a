"""The figures of a run: each a picture with its finding, its alternative text and how to read it.

Here the curves over time, one panel per tASSET; the figures that count CDPs, auctions and refusals are in `counts`, that of tEXO in
`staking`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seawall.reports.avmm import avmm_charts
from seawall.reports.backdrop import backdrop
from seawall.reports.counts import liquidations_and_refusals, ratio_distribution
from seawall.reports.exchange import exchange_charts
from seawall.reports.life import life_of, quoted, since_listing
from seawall.reports.market_waterfall import waterfall_charts
from seawall.reports.result import Result
from seawall.reports.staking import staking_income
from seawall.reports.style import (
    BLUE,
    COLOURS,
    DASHES,
    INK,
    NEVER_LISTED,
    VERMILION,
    Chart,
    Floats,
    TimeAxis,
    finish,
    house_style,
    left_out,
    line,
    panels,
    say,
    shortened,
    shown_tassets,
)
from seawall.reports.words import duration, number, percent, usd

UNSEEN = 1e-9  # a relative difference of prices that nobody could see
LEAST_POOL_USD = 1.0  # what a pool must hold for its price to mean anything
Rows = tuple[str, pd.DataFrame]
"""A tASSET and its rows."""


def all_charts(result: Result) -> list[Chart]:
    """Every figure that the run has records for, in the order of the report."""
    others = [*exchange_charts(result), *avmm_charts(result), *waterfall_charts(result)]
    if result.series.empty:
        return others
    distribution = [] if result.ratios.empty else [ratio_distribution(result)]
    income = [] if result.rewards.empty else [staking_income(result)]
    return [
        price_and_oracle(result),
        system_ratio(result),
        *distribution,
        liquidations_and_refusals(result),
        amm_premium(result),
        lp_fees(result),
        *income,
        *others,
    ]


@house_style()
def price_and_oracle(result: Result) -> Chart:
    """Market price and oracle price; where the oracle is stale its last price is dotted. After a delisting the end price."""
    market = quoted(result.series)
    gaps = (market["oracle_price"].where(market["oracle_price"] > 0) / market["market_price"] - 1).abs()
    title = "The oracle never gave a price"
    if gaps.notna().any():
        worst = _row_of_largest(market, gaps)
        title = f"The oracle was at most {percent(gaps.max())} away from the market ({_where(worst)})"
        if gaps.max() < UNSEEN:
            title = "At every record the oracle had the market's price"
    notes = [
        "Labels at vertical lines are shocks." if result.manifest["shocks"] else "",
        "A delisted tASSET is worth its end price for ever." if result.series["is_delisted"].any() else "",
    ]
    shown = _shown(result)
    figure = _per_tasset(result, shown, _draw_prices, unit="USD per\ntASSET")
    alt = f"Market price and oracle price over {_horizon(result)}. {_spoken(result, shown, _price_range)}"
    return Chart("price_and_oracle", title, alt, (left_out(result) + " ".join(filter(None, notes))).strip(), figure)


def _draw_prices(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    gone, fresh = rows["is_delisted"].to_numpy(bool), rows["oracle_fresh"].to_numpy(bool)
    market, oracle = rows["market_price"].to_numpy(float), rows["oracle_price"].to_numpy(float)
    line(ax, axis, rows["time_s"], _while(~gone, market), color=INK, linewidth=1.0, label="market price")
    line(ax, axis, rows["time_s"], _while(fresh & ~gone, oracle), color=BLUE, label="oracle price")
    if not fresh.all():
        stale = _while(~fresh, oracle)
        line(ax, axis, rows["time_s"], stale, color=VERMILION, linestyle=(0, (1.5, 1)), linewidth=2, label="oracle, stale")
    if gone.any():
        line(ax, axis, rows["time_s"], _while(gone, market), color=INK, linestyle="--", linewidth=1, label="end price")


def _while(state: np.ndarray[tuple[int], np.dtype[np.bool_]], values: Floats) -> Floats:
    """The curve from each record in that state to the next one, whose own state may be another; NaN elsewhere."""
    return np.where(state | np.r_[False, state[:-1]], values, np.nan)


def _price_range(rows: pd.DataFrame) -> str:
    market, words = quoted(rows), []
    if not market.empty:
        price = market["market_price"]
        words.append(
            f"market price between {usd(price.min())} and {usd(price.max())}, at the end {usd(price.iloc[-1])}; "
            f"oracle stale in {percent(1 - market['oracle_fresh'].mean())} of the records"
        )
    if len(market) < len(rows):
        words.append(f"delisted at an end price of {usd(rows['market_price'].iloc[-1])}")
    return "; ".join(words)


@house_style()
def system_ratio(result: Result) -> Chart:
    """Collateral ratio of each tASSET's whole system against its minimum and 1."""
    ratios = result.series["system_collateral_ratio"]
    title = "Nobody had debt, so there is no collateral ratio"
    if ratios.notna().any():
        worst = _row_of_largest(result.series, -ratios)
        minimum = f"the minimum for a CDP is {worst['min_collateral_ratio']:.3g}"
        title = f"Lowest system collateral ratio {ratios.min():.3g} ({_where(worst)}); {minimum}"
    shown = _shown(result)
    figure = _per_tasset(result, shown, _draw_ratio, unit="fraction")
    alt = f"Collateral value divided by debt value over {_horizon(result)}. {_spoken(result, shown, _ratio_range)}"
    delisted = " The minimum of a delisted tASSET is 1." if result.series["is_delisted"].any() else ""
    return Chart("system_ratio", title, alt, f"{left_out(result)}Collateral value divided by debt value.{delisted}", figure)


def _draw_ratio(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    ratio = rows["system_collateral_ratio"]
    if ratio.isna().all():
        say(ax, "no debt")
    line(ax, axis, rows["time_s"], ratio, color=BLUE, label="system ratio")
    line(ax, axis, rows["time_s"], rows["min_collateral_ratio"], color=INK, linestyle="--", linewidth=1, label="minimum ratio of a CDP")
    ax.axhline(1.0, color=VERMILION, linewidth=1, label="1: insolvent below")


def _ratio_range(rows: pd.DataFrame) -> str:
    ratio = rows["system_collateral_ratio"]
    if ratio.isna().all():
        return "no debt"
    return f"between {ratio.min():.3g} and {ratio.max():.3g}, last {ratio.dropna().iloc[-1]:.3g}"


@house_style()
def amm_premium(result: Result) -> Chart:
    """AMM price over the oracle price: what buying a tASSET to burn it costs extra. After a delisting over the end price."""
    series, market = result.series, quoted(result.series)
    premium, after = _premium(market), _premium(series[series["is_delisted"].astype(bool)])
    title = "No AMM premium: a pool or the oracle gave no price"
    if premium.notna().any():
        widest = _row_of_largest(market, premium.abs())
        title = f"The AMM was at most {percent(premium.abs().max())} away from the oracle ({_where(widest)})"
    if after.notna().any():
        title += f"; after a delisting, at most {percent(after.abs().max())} away from the end price"
    notes = [
        "Above zero, tASSETs cost more in the AMM than the oracle says.",
        "After a delisting the end price takes the oracle's place." if series["is_delisted"].any() else "",
        f"Left out: records of pools that hold less than {usd(LEAST_POOL_USD)}." if _some_left_out(series) else "",
    ]
    shown = _shown(result)
    figure = _per_tasset(result, shown, _draw_premium, unit="fraction of\noracle price")
    alt = f"AMM price over oracle price, less one, over {_horizon(result)}. {_spoken(result, shown, _premium_range)}"
    return Chart("amm_premium", title, alt, left_out(result) + " ".join(filter(None, notes)), figure)


def _premium(rows: pd.DataFrame) -> pd.Series[float]:
    """The AMM premium, NaN where the pool is too small for its price to mean anything."""
    return rows["amm_premium"].replace([np.inf, -np.inf], np.nan).where(rows["pool_usd"] >= LEAST_POOL_USD)


def _some_left_out(series: pd.DataFrame) -> bool:
    return bool((series["amm_premium"].notna() & (series["pool_usd"] < LEAST_POOL_USD)).any())


def _draw_premium(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    premium = _premium(rows)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    if premium.isna().all():
        say(ax, "no price")
    line(ax, axis, rows["time_s"], premium, color=BLUE)


def _premium_range(rows: pd.DataFrame) -> str:
    premium = _premium(rows)
    return "no price" if premium.isna().all() else f"between {percent(premium.min())} and {percent(premium.max())}"


@house_style()
def lp_fees(result: Result) -> Chart:
    """Fees of liquidity providers, cumulative, and how often each pool's value has been traded."""
    axis, shown = TimeAxis.of(result), _shown(result)
    figure, axes = panels(2, height=1.7)
    for (tasset, rows), colour, dash in zip(shown, COLOURS, DASHES, strict=False):
        if not rows.empty:
            line(axes[0], axis, rows["time_s"], rows["lp_fees_usd"], color=colour, linestyle=dash, label=shortened(tasset))
            line(axes[1], axis, rows["time_s"], _turnover(rows), color=colour, linestyle=dash)
    for ax, unit in zip(axes, ("cumulative fees\n(USD)", "turnover (times\nthe pool value)"), strict=True):
        backdrop(ax, result, axis)
        ax.set_ylabel(unit)
        ax.set_ylim(bottom=0)
    finish(figure, axes, axis)
    fees = result.series.groupby("tasset")["lp_fees_usd"].last()
    title = f"LPs earned {usd(fees.sum())} in fees"
    if fees.sum() > 0:
        title += f", {percent(fees.max() / fees.sum())} of it in the {fees.idxmax()} pool"
    note = f"{left_out(result)}Turnover: value traded divided by the value of the pool at the time, added up."
    alt = f"Cumulative fees and turnover per pool over {_horizon(result)}. {_spoken(result, shown, _fees_and_turnover)}"
    return Chart("lp_fees", title, alt, note, figure)


def _fees_and_turnover(rows: pd.DataFrame) -> str:
    return f"{usd(rows['lp_fees_usd'].iloc[-1])} of fees, pool traded {number(float(_turnover(rows)[-1]))} times over"


def _turnover(rows: pd.DataFrame) -> Floats:
    """Cumulative volume in multiples of the pool's value at the time of each trade; an empty pool trades nothing."""
    traded = rows["volume_usd"].diff().fillna(rows["volume_usd"])
    multiples = (traded / rows["pool_usd"].where(rows["pool_usd"] >= LEAST_POOL_USD)).fillna(0.0)
    return multiples.cumsum().to_numpy(float)


def _per_tasset(result: Result, shown: list[Rows], draw: Callable[[Axes, TimeAxis, pd.DataFrame], None], *, unit: str) -> Figure:
    """A panel per tASSET, drawn by `draw` from its rows in order of time; `unit` labels the vertical axis."""
    axis = TimeAxis.of(result)
    figure, axes = panels(len(shown))
    for ax, (tasset, rows) in zip(axes, shown, strict=True):
        if rows.empty:
            say(ax, NEVER_LISTED)
            ax.set_yticks([])
        else:
            draw(ax, axis, rows)
        backdrop(ax, result, axis, tasset=tasset)
        ax.set_title(shortened(tasset))
        ax.set_ylabel(unit)
    finish(figure, axes, axis)
    return figure


def _shown(result: Result) -> list[Rows]:
    """The tASSETs that get a panel, each with its rows from its listing on."""
    return [(tasset, since_listing(result, tasset)) for tasset in shown_tassets(result)]


def _spoken(result: Result, shown: list[Rows], words: Callable[[pd.DataFrame], str]) -> str:
    """What `words` says of the rows of each tASSET that gets a panel, for the alternative text."""
    first, spoken = float(result.series["time_s"].min()), []
    for tasset, rows in shown:
        listed = life_of(result, tasset).listed
        late = f" (listed {duration(listed)} after the start)" if first < listed < inf else ""
        spoken.append(f"{tasset}{late}: {NEVER_LISTED if rows.empty else words(rows)}.")
    return " ".join(spoken)


def _row_of_largest(series: pd.DataFrame, values: pd.Series[float]) -> pd.Series[Any]:
    return series.iloc[int(np.nanargmax(values.to_numpy(float)))]


def _where(row: pd.Series[Any]) -> str:
    return f"{row['tasset']}, {duration(float(row['time_s']))} after the start"


def _horizon(result: Result) -> str:
    return duration(float(result.series["time_s"].max() - result.series["time_s"].min()))
