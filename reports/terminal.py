"""The summary on the terminal: one screen, the answer first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.reports.glossary import define
from seawall.reports.result import GROUPS, Entry, Result, answer, has_tassets, refusal_counts
from seawall.reports.words import label_of, number, printable, quantity

Block = tuple[str, str, tuple[str, ...]]
"""A heading, a group of headline figures and the names shown of it."""


def _block(group: str, *names: str) -> Block:
    return GROUPS[group], group, names


_OF_TASSETS = (
    _block("solvency", "bad_debt_usd", "shortfall_peak_usd", "insolvent_cdps_peak", "min_system_collateral_ratio", "time_to_insolvency_s"),
    _block(
        "liquidations",
        "liquidations",
        "liquidated_debt_usd",
        "liquidation_efficiency",
        "mean_time_to_liquidation_s",
        "margin_called_at_end",
    ),
    _block("fee_yield", "fee_yield_per_year", "lp_net_yield_per_year", "volume_usd", "protocol_fees_usd"),
    _block("waterfall", "owners_loss_usd", "holders_loss_usd", "lp_impermanent_loss_usd", "liquidators_profit_usd"),
)
"""The figures that fit on one screen; the report has all of them."""

_OF_EXCHANGE = (
    _block(
        "exchange",
        "lp_exchange_gain_usd",
        "lp_return_per_year",
        "min_lp_collateral_ratio",
        "unpaid_peak_usd",
        "perps_volume_usd",
        "perps_liquidations",
    ),
    _block(
        "exchange_waterfall",
        "perps_traders_gain_usd",
        "exchange_lps_gain_usd",
        "exchange_keepers_gain_usd",
        "siphon_receivers_gain_usd",
        "unsettled_usd",
    ),
)
_OF_AVMM: tuple[Block, ...] = (
    (
        "RFQ LPs",
        "avmm",
        ("avmm_lp_gain_usd", "avmm_lp_net_yield_per_year", "avmm_fees_usd", "avmm_stale_loss_usd", "avmm_herfindahl"),
    ),
    (
        "RFQ orders",
        "avmm",
        ("avmm_volume_usd", "avmm_fill_rate", "avmm_execution_cost", "avmm_informed_gain_usd", "avmm_payable_min_usd"),
    ),
)
"""The same for a run without tASSETs."""

_TOP_REFUSALS = 3


def print_summary(result: Result, console: Console, folder: Path) -> None:
    """Print what happened on one screen of at most 24 lines from 80 columns on.

    Args:
        result: the run.
        console: where to print.
        folder: where the run wrote its files; the report is `report.html` in it.
    """
    manifest = result.manifest
    title = Text.assemble((printable(manifest["name"]), "bold"), "  ", printable(manifest["about"]))
    console.print(title, no_wrap=True, overflow="ellipsis")
    console.print(Text(" ".join(answer(result))))
    console.print(_headlines(result))
    console.print(_refusals(result))
    if manifest["notes"]:
        console.print(Text(f"{number(len(manifest['notes']))} assumptions and warnings stand in the report.", style="dim"))
    console.print(Text(f"Report  {folder / 'report.html'}, files beside it"), soft_wrap=True)


def _headlines(result: Result) -> Table:
    """The groups, two beside each other."""
    table = Table.grid(padding=(0, 1), expand=False)
    for _ in range(2):
        table.add_column(no_wrap=True, overflow="ellipsis", min_width=22)
        table.add_column(no_wrap=True, justify="right", min_width=13)
        table.add_column(width=2)
    blocks = _blocks(result)
    for left, right in zip(blocks[::2], blocks[1::2], strict=True):
        table.add_row(Text(left[0], style="bold"), "", "", Text(right[0], style="bold"), "", "")
        lines = [_lines(result.summary.get(group, {}), names) for _, group, names in (left, right)]
        for row in range(max(map(len, lines))):
            cells = [side[row] if row < len(side) else ("", "") for side in lines]
            table.add_row(cells[0][0], cells[0][1], "", cells[1][0], cells[1][1], "")
    return table


def _blocks(result: Result) -> tuple[Block, ...]:
    """The groups shown: those of tASSETs where there are any, for one screen holds no more; else those of the other markets."""
    if has_tassets(result):
        return _OF_TASSETS
    return _OF_EXCHANGE * (not result.markets.empty) + _OF_AVMM * (not result.book.empty)


def _lines(group: Mapping[str, Entry], names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(define(name).label, quantity(group[name]["value"], group[name]["unit"])) for name in names if name in group]


def _refusals(result: Result) -> Text:
    """The most frequent refusals, by action and reason."""
    counts = refusal_counts(result)
    if not counts:
        return Text("Nothing was refused.")
    parts = [f"{label_of(action)}, {label_of(status)} {number(count)}" for action, status, count in counts[:_TOP_REFUSALS]]
    more = f"; and {len(counts) - _TOP_REFUSALS} kinds more" if len(counts) > _TOP_REFUSALS else ""
    return Text(f"Refused: {'; '.join(parts)}{more}.")
