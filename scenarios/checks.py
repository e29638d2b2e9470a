"""What one key must say about another, and what is allowed but unwise."""

from __future__ import annotations

from collections.abc import Iterable

from seawall.protocols.errors import Fault
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import Document, Key

MAX_STEPS = 1_000_000
MAX_PRICES = 50_000_000


def cross_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Faults that need more than one key to see."""
    assets, tassets = set(scenario.prices.assets), set(scenario.tassets)
    faults: list[Fault] = []

    def require(key: Key, name: str | None, known: Iterable[str], what: str) -> None:
        if name is not None and name not in known:
            faults.append(document.fault(key, f"{name!r} is no {what}; known: {', '.join(sorted(known))}"))

    for name, terms in scenario.tassets.items():
        require(("tassets", name, "tracks"), terms.tracks, assets, "asset of prices.assets")
    for i, shock in enumerate(scenario.shocks):
        require(("shocks", i, "asset"), shock.asset, assets, "asset of prices.assets")
    for i, outage in enumerate(scenario.outages):
        require(("outages", i, "tasset"), outage.tasset, tassets, "tASSET")
    for name in scenario.minters.shares:
        require(("minters", "shares", name), name, tassets, "tASSET")
    return faults + _size_faults(scenario, document) + _time_faults(scenario, document)


def _size_faults(scenario: Scenario, document: Document) -> list[Fault]:
    days = getattr(scenario.prices, "days", None)
    if days is None:
        return []
    steps = days * 86_400 / scenario.step_seconds
    if steps != int(steps):
        return [document.fault(("prices", "days"), f"{days!r} days are not a whole number of rounds of {scenario.step_seconds} s")]
    if steps > MAX_STEPS or steps * len(scenario.prices.assets) > MAX_PRICES:
        message = f"{steps:,.0f} rounds of {scenario.step_seconds} s are more than {MAX_STEPS:,}; use longer rounds"
        return [document.fault(("prices", "days"), message)]
    return []


def _time_faults(scenario: Scenario, document: Document) -> list[Fault]:
    start = getattr(scenario.prices, "start", None)
    faults = []
    if start is not None and start.tzinfo is None:
        faults.append(document.fault(("prices", "start"), f"{start.isoformat()} has no time zone; write {start.isoformat()}Z"))
    days = getattr(scenario.prices, "days", None)
    if days is not None:
        faults += [
            document.fault((what, i, "at_hours"), f"{at_hours!r} is after the end of the run ({days * 24:g} hours)")
            for what, i, at_hours in scenario.event_times()
            if at_hours > days * 24
        ]
    return faults


def warnings(scenario: Scenario, document: Document) -> list[Fault]:
    """Terms under which auctions cannot do their work (docs/design.md, "Four facts")."""
    found = []
    for name, terms in scenario.tassets.items():
        most = 1.0 - 1.0 / terms.min_collateral_ratio
        if terms.auction_discount > most:
            message = (
                f"{terms.auction_discount:g} is more than 1 - 1/min_collateral_ratio = {most:.4g}: "
                "each purchase from a CDP at the minimum lowers the ratio that it should restore"
            )
            found.append(document.fault(("tassets", name, "auction_discount"), message))
        if scenario.oracle_feeders.heartbeat_seconds > terms.price_valid_seconds:
            message = f"{terms.price_valid_seconds:g} is less than the feeders' heartbeat: the price is stale between publications"
            found.append(document.fault(("tassets", name, "price_valid_seconds"), message))
        if scenario.step_seconds > terms.price_valid_seconds:
            message = f"{terms.price_valid_seconds:g} is less than a round of {scenario.step_seconds} s"
            found.append(document.fault(("tassets", name, "price_valid_seconds"), message))
    return found
