"""The tables of the exchange, each cell already in words; no rows without an exchange."""

from __future__ import annotations

from seawall.reports.glossary import define
from seawall.reports.result import Result
from seawall.reports.tables import Table
from seawall.reports.words import amount, label_of, number, percent, quantity

_MISSING = "-"
_GAINERS = ("perps_traders_gain_usd", "exchange_lps_gain_usd", "exchange_keepers_gain_usd", "siphon_receivers_gain_usd")
_CHECKS = ("unsettled_usd", "waterfall_residual_usd")
_KINDS = {
    "noise": "take sides at random",
    "momentum": "follow the trend",
    "reversion": "bet against the trend",
    "carry": "take the side that receives funding",
    "whale": "take large positions",
}


def all_tables(result: Result) -> list[Table]:
    """Every table that has rows."""
    return [table for table in (waterfall(result), traders(result), lps(result), parts(result)) if table.rows]


def waterfall(result: Result) -> Table:
    """Who gained and who lost each dollar."""
    group = result.summary.get("exchange_waterfall", {})
    rows = [(define(name).label, quantity(group[name]["value"], group[name]["unit"])) for name in (*_GAINERS, *_CHECKS) if name in group]
    return Table(("Who", "Gain"), rows, 1, "Who gained and who lost on the exchange; gains less what is unsettled add up to 0")


def traders(result: Result) -> Table:
    """What traders gained, by kind."""
    rows = [
        (
            _KINDS.get(row["kind"], label_of(row["kind"])),
            number(row["traders"]),
            amount(row["start_usd"]),
            amount(row["gain_usd"]),
            percent(row["gain_usd"] / row["start_usd"]) if row["start_usd"] > 0 else _MISSING,
            number(row["liquidations"]),
        )
        for row in result.exchange_traders.to_dict("records")
    ]
    headings = ("What they do", "Traders", "At the start (USD)", "Gain (USD)", "Gain", "Times liquidated")
    return Table(headings, rows, 1, "Traders of perpetual futures by what makes them take a side")


def lps(result: Result) -> Table:
    """What LPs have, owe and gained, by the pool that they are in at the end."""
    rows = [
        (
            str(row["pool"]),
            number(row["lps"]),
            amount(row["value_usd"]),
            amount(row["debt_usd"]),
            amount(row["gain_usd"]),
        )
        for row in result.exchange_lps.to_dict("records")
    ]
    headings = ("Pool", "LPs", "Collateral (USD)", "Debt (USD)", "Gain (USD)")
    return Table(headings, rows, 1, "LPs of the exchange by the pool that they are in at the end; a negative debt is credit")


def parts(result: Result) -> Table:
    """Figures of one market, kind of trader or receiver, which have no card of their own."""
    rows = []
    for name, entry in result.summary.get("exchange", {}).items():
        _, dot, part = name.partition(".")
        if dot:
            low, high = entry.get("interval") or (None, None)
            spread = _MISSING if low is None else f"{quantity(low, entry['unit'])} to {quantity(high, entry['unit'])}"
            rows.append((define(name).label, label_of(part) if part in _KINDS else part, quantity(entry["value"], entry["unit"]), spread))
    return Table(("Figure", "Of", "Value", "Interval"), rows, 2, "Figures of the exchange by market, kind of trader and receiver")
