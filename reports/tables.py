"""The tables of the report, each cell already in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from seawall.reports.result import Result, refusal_counts
from seawall.reports.words import amount, duration, label_of, number, percent

_LARGEST = 20
_MISSING = "-"
_BEHAVIOURS = {
    "hold": "kept them, or had sold them before the run",
    "leverage": "sold them for more collateral, and minted again",
    "short": "sold them at a premium, to buy them back",
    "provide": "provided them to the pool",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table in words.

    Attributes:
        headings: of the columns, with units.
        rows: cells as text.
        texts: number of leading columns that hold text; the others are numbers, aligned right.
        caption: what the table shows.
    """

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    texts: int
    caption: str


def liquidations(result: Result) -> Table:
    """The largest purchases of margin-called CDPs' collateral."""
    largest = result.liquidations.sort_values("burned_usd", ascending=False, kind="stable").head(_LARGEST)
    rows = [
        (
            str(row["tasset"]),
            duration(row["time_s"]),
            str(row["cdp"]),
            str(row["liquidator"]),
            number(row["burned_tokens"]),
            amount(row["burned_usd"]),
            amount(row["sold_usd"]),
            amount(row["price"]),
            duration(row["seconds_called"]),
            amount(row["bad_debt_usd"]),
        )
        for row in largest.to_dict("records")
    ]
    headings = (
        "tASSET",
        "After start",
        "CDP",
        "Liquidator",
        "Burned (tASSET)",
        "Burned (USD)",
        "Collateral sold (USD)",
        "Oracle price (USD)",
        "After margin call",
        "Bad debt (USD)",
    )
    shown, every = len(rows), len(result.liquidations)
    caption = f"All {number(every)} liquidations" if shown == every else f"The {shown} largest of {number(every)} liquidations"
    return Table(headings, rows, 1, f"{caption}, by debt burned")


def refusals(result: Result) -> Table:
    """Refused actions by action and reason."""
    counts = refusal_counts(result)
    total = sum(count for _, _, count in counts)
    rows = [(label_of(action), label_of(status), number(count), percent(count / total)) for action, status, count in counts]
    return Table(("Action", "Reason", "Times", "Share"), rows, 2, "Refused actions: the contracts changed nothing")


def moments(path_moments: list[Mapping[str, Any]]) -> Table:
    """What each price path turned out to be, one line an asset."""
    rows = [
        (str(path["asset"]), *(_cell(path["realised"].get(name), words) for name, (_, words) in _MOMENTS.items())) for path in path_moments
    ]
    headings = ("Asset", *(heading for heading, _ in _MOMENTS.values()))
    return Table(headings, rows, 1, "Prices of the path, shocks and closed hours included")


_MOMENTS: dict[str, tuple[str, Callable[[float], str]]] = {
    "first_price": ("First (USD)", amount),
    "last_price": ("Last (USD)", amount),
    "largest_up": ("Largest rise in a step", percent),
    "largest_down": ("Largest fall in a step", percent),
    "volatility_per_year": ("Volatility per year", percent),
    "open_share": ("Market open", percent),
}


def _cell(value: float | None, words: Callable[[float], str]) -> str:
    return _MISSING if value is None else words(value)


def polls(result: Result) -> Table:
    """Every proposal, its votes and what became of it."""
    rows = [
        (
            str(row["tasset"]),
            label_of(row["change"]),
            str(row["outcome"]),
            duration(row["proposed_s"]),
            _known(row["executed_s"], duration),
            _known(row["value"], percent),
            _known(row["yes"], percent),
            _known(row["no"], percent),
            _known(row["abstain"], percent),
        )
        for row in result.polls.to_dict("records")
    ]
    headings = ("tASSET", "Change", "Outcome", "Proposed after", "Executed after", "New value", "Yes", "No", "Abstain")
    return Table(headings, rows, 3, "Polls; votes in percent of the tEXO staked")


def owners(result: Result) -> Table:
    """What owners of CDPs gained, by behaviour; no rows where all behaved alike."""
    rows = [
        (
            _BEHAVIOURS.get(row["strategy"], label_of(row["strategy"])),
            number(row["owners"]),
            amount(row["start_usd"]),
            amount(row["gain_usd"]),
            percent(row["gain_usd"] / row["start_usd"]) if row["start_usd"] > 0 else _MISSING,
        )
        for row in result.owners.to_dict("records")
    ]
    headings = ("What they did", "Owners", "At the start (USD)", "Gain (USD)", "Gain")
    return Table(headings, rows if len(rows) > 1 else [], 1, "Owners by what they did with the tokens that they minted")


def _known(value: float, words: Callable[[float], str]) -> str:
    return _MISSING if pd.isna(value) else words(value)
