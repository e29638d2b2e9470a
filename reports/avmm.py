"""The figures of the RFQ market: what the book would pay and how stale its prices are, and what fees and stale quotes left to LPs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from seawall.reports.backdrop import backdrop
from seawall.reports.result import Result, entry
from seawall.reports.style import (
    COLOURS,
    DASHES,
    GREEN,
    INK,
    MOST_PANELS,
    MUTED,
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

UNSEEN = 1e-9  # a relative difference of prices that nobody could see

Rows = tuple[str, pd.DataFrame]
"""An asset and its records in order of time."""


def avmm_charts(result: Result) -> list[Chart]:
    """Every figure of the RFQ market; none where the run has none."""
    if result.book.empty:
        return []
    return [book_and_prices(result), *([lp_income(result)] if _is_known(result, "avmm_stale_loss_usd") else [])]


@house_style()
def book_and_prices(result: Result) -> Chart:
    """What the book would pay of each asset, how far the oracle is from the market, and what was ordered and filled."""
    book, axis, has_book = result.book, TimeAxis.of(result), _is_known(result, "avmm_payable_min_usd")
    shown = _split(book)
    figure, axes = panels(2 + has_book, height=1.5)
    if has_book:
        _draw_payable(axes[0], axis, shown)
    _draw_deviation(axes[-2], axis, shown)
    _draw_orders(axes[-1], axis, shown[0][1])
    for ax in axes:
        backdrop(ax, result, axis, closed=False)
    finish(figure, axes, axis)
    title = "; ".join(filter(None, (_least_payable(book) if has_book else "", _furthest_oracle(book))))
    every = book["asset"].nunique()
    left_out = f"Shown are the first {MOST_PANELS} of {every} assets. " if every > MOST_PANELS else ""
    payable = "Payable is what positions whose ranges hold the prices would pay; nothing while a price is stale. " if has_book else ""
    note = f"{left_out}{payable}Above zero the oracle's price is higher than the market's."
    alt = f"The RFQ market over {_horizon(book)}. " + " ".join(f"{name}: {_asset_words(rows, has_book)}." for name, rows in shown)
    return Chart("avmm_book", title[0].upper() + title[1:], alt, note, figure)


def _draw_payable(ax: Axes, axis: TimeAxis, shown: list[Rows]) -> None:
    for (name, rows), colour, dash in zip(shown, COLOURS, DASHES, strict=False):
        line(ax, axis, rows["time_s"], rows["payable_usd"], color=colour, linestyle=dash, label=shortened(name))
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("payable (USD)")


def _draw_deviation(ax: Axes, axis: TimeAxis, shown: list[Rows]) -> None:
    """A curve per asset whose oracle ever differed from the market; dollars have none."""
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    some = False
    for (name, rows), colour, dash in zip(shown, COLOURS, DASHES, strict=False):
        gap = _gap(rows)
        if (gap.abs() > UNSEEN).any():
            some = True
            line(ax, axis, rows["time_s"], gap, color=colour, linestyle=dash, linewidth=1.1, label=shortened(name))
    if not some:
        say(ax, "the market's price at every record")
    ax.set_ylabel("oracle less market\n(fraction)")


def _draw_orders(ax: Axes, axis: TimeAxis, rows: pd.DataFrame) -> None:
    line(ax, axis, rows["time_s"], rows["ordered_usd"], color=MUTED, linestyle=DASHES[1], label="ordered")
    line(ax, axis, rows["time_s"], rows["filled_usd"], color=INK, label="filled")
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("traders' orders\n(cumulative USD)")


def _least_payable(book: pd.DataFrame) -> str:
    """The least that the book would pay of all assets together, and when; how often that was nothing."""
    payable = book.groupby("time_s")["payable_usd"].sum()
    nothing = float((payable <= 0.0).mean())
    if nothing > 0.0:
        return f"in {percent(nothing)} of the records the book would pay nothing"
    when = float(payable.index[int(payable.argmin())])
    return f"the book would pay at least {usd(payable.min())} ({duration(when)} after the start)"


def _furthest_oracle(book: pd.DataFrame) -> str:
    gaps = _gap(book).abs()
    if not gaps.notna().any():
        return "the oracle never gave a price"
    worst = book.iloc[int(np.nanargmax(gaps.to_numpy(float)))]
    if gaps.max() < UNSEEN:
        return "at every record the oracle had the market's price"
    when = duration(float(worst["time_s"]))
    return f"the oracle was at most {percent(gaps.max())} away from the market ({worst['asset']}, {when} after the start)"


def _gap(rows: pd.DataFrame) -> pd.Series[Any]:
    """Oracle price over market price, less one; NaN before the first price."""
    return rows["oracle_price"] / rows["market_price"] - 1.0


def _asset_words(rows: pd.DataFrame, has_book: bool) -> str:
    gap = _gap(rows).abs()
    words = [f"payable between {usd(rows['payable_usd'].min())} and {usd(rows['payable_usd'].max())}"] if has_book else []
    words.append(f"oracle up to {percent(gap.max())} from the market" if gap.notna().any() else "no oracle price")
    return ", ".join(words)


@house_style()
def lp_income(result: Result) -> Chart:
    """Fees of LPs, what stale quotes cost them, and what is left, cumulative."""
    axis, rows = TimeAxis.of(result), _split(result.book)[0][1]
    fees, lost = rows["fees_usd"], rows["stale_loss_usd"]
    figure, axes = panels(1, height=2.2)
    axes[0].axhline(0.0, color=MUTED, linewidth=0.8)
    line(axes[0], axis, rows["time_s"], fees, color=GREEN, linestyle=DASHES[1], label="fees")
    line(axes[0], axis, rows["time_s"], -lost, color=VERMILION, linestyle=DASHES[2], label="less stale loss")
    line(axes[0], axis, rows["time_s"], fees - lost, color=INK, linewidth=1.8, label="net")
    backdrop(axes[0], result, axis, closed=False)
    axes[0].set_ylabel("cumulative USD")
    finish(figure, axes, axis)
    spoken = f"fees {usd(fees.iloc[-1])}, stale loss {usd(lost.iloc[-1])}, net {usd(fees.iloc[-1] - lost.iloc[-1])}"
    note = "Stale loss: what LPs settled was worth more than what they were paid, at market prices of the settlement; negative is a gain."
    alt = f"LPs' income from orders over {_horizon(result.book)}. At the end {spoken}."
    return Chart("avmm_lps", _income_title(float(fees.iloc[-1]), float(lost.iloc[-1])), alt, note, figure)


def _income_title(fees: float, lost: float) -> str:
    net = fees - lost
    if lost < 0.0:
        return f"RFQ LPs earned {usd(net)} on orders" + (f", {usd(fees)} of it in fees" if fees else "")
    return f"RFQ LPs {'earned' if net >= 0.0 else 'lost'} {usd(abs(net))} on orders: {usd(fees)} of fees less {usd(lost)} to stale quotes"


def _is_known(result: Result, name: str) -> bool:
    """Tell whether the run's mechanism has that figure."""
    found = entry(result, name)
    return found is not None and found["value"] is not None


def _split(book: pd.DataFrame) -> list[Rows]:
    """The assets shown, at most as many as there are colours, each with its records in order of time."""
    return [(str(name), rows.sort_values("time_s", kind="stable")) for name, rows in book.groupby("asset", sort=False)][:MOST_PANELS]


def _horizon(book: pd.DataFrame) -> str:
    return duration(float(book["time_s"].max() - book["time_s"].min()))
