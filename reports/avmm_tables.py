"""The tables of the RFQ market, each cell already in words; no rows without one."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from seawall.reports.result import Result, entry
from seawall.reports.tables import Table
from seawall.reports.words import amount, duration, label_of, number, percent, quantity

_MISSING = "-"
_LP_KINDS = {
    "static": "set their ranges once",
    "undercutting": "outbid the best discount",
    "volatility_aware": "widen with volatility, step out in a storm",
    "inventory": "trade back into their primary asset",
}
_TRADER_KINDS = {
    "noise": "know no more than the oracle",
    "informed": "see the market before the oracle does",
}


def all_tables(result: Result) -> list[Table]:
    """Every table that has rows."""
    return [table for table in (lps(result), flows(result), lowest_payable(result)) if table.rows]


def lps(result: Result) -> Table:
    """What LPs settled, earned and lost, by kind."""
    rows = [
        (
            _LP_KINDS.get(row["kind"], label_of(row["kind"])),
            number(row["lps"]),
            amount(row["start_usd"]),
            _known(row["settled_usd"], amount),
            _figure(result, f"avmm_settled_share.{row['kind']}"),
            _known(row["fees_usd"], amount),
            _known(row["stale_loss_usd"], amount),
            amount(row["gain_usd"]),
            _figure(result, f"avmm_lp_net_yield_per_year.{row['kind']}").removesuffix(" per year"),
            number(row["fills"]),
            number(row["rep"]),
        )
        for row in result.rfq_lps.to_dict("records")
    ]
    headings = (
        "What they do",
        "LPs",
        "At the start (USD)",
        "Settled (USD)",
        "Share",
        "Fees (USD)",
        "Stale loss (USD)",
        "Gain (USD)",
        "Gain per year",
        "Fills",
        "REP",
    )
    return Table(headings, rows, 1, "RFQ LPs by what they do; gain against holding, REP the mean of their points at the end")


def flows(result: Result) -> Table:
    """What traders ordered, got and paid, by kind."""
    rows = [
        (
            _TRADER_KINDS.get(row["kind"], label_of(row["kind"])),
            number(row["orders"]),
            number(row["filled"]),
            amount(row["ordered_usd"]),
            amount(row["filled_usd"]),
            _share(row["filled_usd"], row["ordered_usd"]),
            amount(row["cost_usd"]),
            _share(row["cost_usd"], row["filled_usd"]),
            _known(row["mean_wait_s"], duration),
        )
        for row in result.rfq_flows.to_dict("records")
    ]
    headings = ("Traders who", "Orders", "Settled", "Ordered (USD)", "Filled (USD)", "Filled", "Cost (USD)", "Cost", "Mean wait")
    return Table(headings, rows, 1, "Order flow of the RFQ market; a negative cost is a gain of traders")


def lowest_payable(result: Result) -> Table:
    """The least that the book would have paid of each asset, at oracle prices."""
    rows = []
    for name, found in result.summary.get("avmm", {}).items():
        figure, dot, asset = name.partition(".")
        if dot and figure == "avmm_payable_min_usd":
            rows.append((asset, quantity(found["value"], found["unit"])))
    return Table(("Asset", "Lowest payable"), rows, 1, "The least at any record that the book would pay of each asset")


def _figure(result: Result, name: str) -> str:
    """A headline figure in words; a dash where there is none."""
    found = entry(result, name)
    return _MISSING if found is None or found["value"] is None else quantity(found["value"], found["unit"])


def _share(part: float, whole: float) -> str:
    return percent(part / whole) if whole > 0.0 else _MISSING


def _known(value: float, words: Callable[[float], str]) -> str:
    return _MISSING if pd.isna(value) else words(value)
