"""What a report reads of a run, and the answer in words that every report opens with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pandas as pd

from seawall.reports.words import NOT_COMPUTED, number, percent, quantity, usd

GROUPS = {
    "solvency": "Solvency",
    "liquidations": "Liquidations",
    "fee_yield": "Fee yield",
    "waterfall": "Who bore the loss",
    "staking": "tEXO, staking and governance",
    "delisting": "Delisting and migration",
    "exchange": "Exchange",
    "exchange_waterfall": "Who gained on the exchange",
    "avmm": "RFQ market",
    "market_waterfall": "Who gained and who lost, all protocols",
}
"""The groups of headline figures in the order of every report, with their headings."""

Entry = Mapping[str, Any]
"""One headline figure: `value` (None if not computed, then `why`), `unit`, `paths`, perhaps `interval` (low, high)."""


class Result(Protocol):
    """One run as a report sees it; columns and units are those of the files a run writes."""

    @property
    def summary(self) -> Mapping[str, Mapping[str, Entry]]:
        """Headline figures by group and name."""

    @property
    def series(self) -> pd.DataFrame:
        """A row per record time (`time_s`) and tASSET."""

    @property
    def ratios(self) -> pd.DataFrame:
        """Number of CDPs per record time, tASSET and bin of the collateral ratio."""

    @property
    def refusals(self) -> pd.DataFrame:
        """Refused actions by record time, action and status, counted since the record before."""

    @property
    def liquidations(self) -> pd.DataFrame:
        """A row per purchase of a margin-called CDP's collateral."""

    @property
    def rewards(self) -> pd.DataFrame:
        """A row per record time: price of tEXO, fees and inflation paid; empty without tEXO."""

    @property
    def polls(self) -> pd.DataFrame:
        """A row per proposal: when, on what, votes as fractions of what is staked, outcome."""

    @property
    def owners(self) -> pd.DataFrame:
        """A row per behaviour of CDP owners: how many, start and gain in USD."""

    @property
    def markets(self) -> pd.DataFrame:
        """A row per record time and perps market of the exchange; empty without one, as are the next three."""

    @property
    def pools(self) -> pd.DataFrame:
        """A row per record time and liquidity pool of the exchange."""

    @property
    def exchange_traders(self) -> pd.DataFrame:
        """A row per kind of perps trader: how many, start and gain in USD, liquidations."""

    @property
    def exchange_lps(self) -> pd.DataFrame:
        """A row per liquidity pool: how many LPs, their collateral, debt and gain in USD."""

    @property
    def book(self) -> pd.DataFrame:
        """A row per record time and asset of the RFQ market; empty without one, as are the next two."""

    @property
    def rfq_lps(self) -> pd.DataFrame:
        """A row per kind of RFQ LP: how many, what they settled, earned, lost and gained in USD."""

    @property
    def rfq_flows(self) -> pd.DataFrame:
        """A row per kind of RFQ trader: orders, what was ordered and filled, its cost in USD."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Scenario, digest, seed, versions, machine, timings, assumptions, outages, shocks, delistings, path moments."""


def has_tassets(result: Result) -> bool:
    """Tell whether the run had tASSETs: not where it recorded other markets only."""
    return not result.series.empty or (result.markets.empty and result.book.empty)


def entry(result: Result, name: str) -> Entry | None:
    """The headline figure of that name, in whichever group it stands."""
    return next((group[name] for group in result.summary.values() if name in group), None)


def said(result: Result, name: str) -> str:
    """A headline figure in words; "not computed" where the run has none."""
    found = entry(result, name)
    return NOT_COMPUTED if found is None else quantity(found["value"], found["unit"])


def refusal_counts(result: Result) -> list[tuple[str, str, int]]:
    """Action, status and number of refusals over the whole run, most frequent first."""
    counts = result.refusals.groupby(["action", "status"], as_index=False)["count"].sum()
    counts = counts[counts["count"] > 0].sort_values("count", ascending=False, kind="stable")
    return list(zip(counts["action"].astype(str), counts["status"].astype(str), counts["count"].astype(int), strict=True))


def answer(result: Result) -> list[str]:
    """What happened, in a few sentences: solvency, liquidations, LPs; other markets, delistings and polls where there were any."""
    of_tassets = [_solvency(result), _liquidations(result), _liquidity_providers(result)] if has_tassets(result) else []
    return [*of_tassets, *_exchange(result), *_rfq_market(result), *_delistings(result), *_polls(result)]


def _solvency(result: Result) -> str:
    insolvent, cdps = _value(result, "insolvent_cdps_peak"), _most_open_cdps(result)
    if insolvent is None:
        who = "The number of insolvent CDPs was not computed"
    elif insolvent == 0:
        who = f"None of the {number(cdps)} CDPs was insolvent at any time"
    else:
        who = f"At worst {number(insolvent)} of {number(cdps)} CDPs {'was' if insolvent == 1 else 'were'} insolvent at once"
    shortfall = f"peak shortfall {said(result, 'shortfall_peak_usd')}{_share_of_debt(result)}"
    return f"{who}; {shortfall}; bad debt {said(result, 'bad_debt_usd')}."


def _liquidations(result: Result) -> str:
    count = _value(result, "liquidations")
    still = f"{said(result, 'margin_called_at_end')} CDPs still margin-called at the end"
    if count is None:
        return "The number of liquidations was not computed."
    if count == 0:
        return f"No collateral was sold in auctions; {still}."
    many = "liquidation" if count == 1 else "liquidations"
    return f"{said(result, 'liquidations')} {many} burned {said(result, 'liquidated_debt_usd')} of debt; {still}."


def _liquidity_providers(result: Result) -> str:
    fees, net = said(result, "fee_yield_per_year"), said(result, "lp_net_yield_per_year")
    if fees == NOT_COMPUTED:
        return "What LPs earned was not computed."
    rewards = "with rewards and " if "staking" in result.summary else ""
    return f"LPs earned {fees} in fees" + ("." if net == NOT_COMPUTED else f", {net} {rewards}net of impermanent loss.")


def _exchange(result: Result) -> Iterator[str]:
    """What LPs of the exchange gained, how many traders were liquidated, and whether all could be paid."""
    gain, count, unpaid = (_value(result, name) for name in ("lp_exchange_gain_usd", "perps_liquidations", "unpaid_peak_usd"))
    if gain is None:
        return
    rate = said(result, "lp_return_per_year")
    yearly = "" if rate == NOT_COMPUTED else f", {rate}"
    liquidated = f"traders were liquidated {number(count)} {'time' if count == 1 else 'times'}" if count else "no trader was liquidated"
    paid = f"credit fell short of what traders own by up to {usd(unpaid)}" if unpaid else "credit always covered what traders own"
    yield f"On the exchange LPs {'gained' if gain >= 0 else 'lost'} {usd(abs(gain))}{yearly}; {liquidated}; {paid}."


def _rfq_market(result: Result) -> Iterator[str]:
    """How much RFQ LPs settled, what it cost those who ordered, and what stale quotes cost LPs."""
    if entry(result, "avmm_volume_usd") is None:
        return
    settled = f"RFQ LPs settled {said(result, 'avmm_volume_usd')}"
    if _value(result, "avmm_fill_rate") is not None:
        settled += f"; {said(result, 'avmm_fill_rate')} of what traders ordered was filled"
        settled += f" at a cost of {said(result, 'avmm_execution_cost')}" if _value(result, "avmm_execution_cost") is not None else ""
    yield f"{settled}; {_rfq_income(_value(result, 'avmm_fees_usd') or 0.0, _value(result, 'avmm_stale_loss_usd'))}."


def _rfq_income(fees: float, lost: float | None) -> str:
    """What orders left to RFQ LPs: fees, less what stale quotes cost them where that is known."""
    if lost is None:
        return f"they earned {usd(fees)} in fees"
    if lost < 0.0:
        return f"they earned {usd(fees - lost)} on orders" + (f", {usd(fees)} of it in fees" if fees else "")
    return f"stale quotes cost them {usd(lost)} against {usd(fees)} of fees"


def _delistings(result: Result) -> Iterator[str]:
    """What was delisted, and what is still owed in it and in its replacement."""
    delistings = result.manifest["delistings"]
    old, new = (said(result, f"{which}_debt_end_usd") for which in ("delisted", "replacement"))
    if len(delistings) == 1:
        event = delistings[0]
        gone = f"{event['tasset']} was delisted at {usd(event['end_price'])}"
        yield f"{gone}; at the end {old} of it was still owed, and {new} of its replacement {event['replacement']}."
    elif delistings:
        yield f"{number(len(delistings))} tASSETs were delisted; at the end {old} of them was still owed, and {new} of their replacements."


def _polls(result: Result) -> Iterator[str]:
    """How many polls had which outcome."""
    outcomes = result.polls["outcome"].value_counts(sort=False)
    if not outcomes.empty:
        yield f"Polls: {'; '.join(f'{number(count)} {outcome}' for outcome, count in outcomes.items())}."


def _value(result: Result, name: str) -> float | None:
    found = entry(result, name)
    return None if found is None else found["value"]


def _most_open_cdps(result: Result) -> float:
    """The largest number of CDPs open at one time."""
    if result.series.empty:
        return 0.0
    return float(result.series.groupby("time_s")["open_cdps"].sum().max())


def _share_of_debt(result: Result) -> str:
    """The peak shortfall as a share of all debt at that time, in brackets; nothing without debt or shortfall."""
    shortfall = _value(result, "shortfall_peak_usd")
    if not shortfall or result.series.empty:
        return ""
    totals = result.series.groupby("time_s")[["shortfall_usd", "debt_usd"]].sum()
    debt = float(totals["debt_usd"].iloc[int(totals["shortfall_usd"].to_numpy().argmax())])
    return f" ({percent(shortfall / debt)} of debt)" if debt > 0 else ""
