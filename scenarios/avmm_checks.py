"""What one key of an RFQ market must say about another, or about another protocol."""

from __future__ import annotations

from seawall.protocols.errors import Fault
from seawall.scenarios.avmm_schema import AvmmSpec, InformedTraders, RfqTraders
from seawall.scenarios.exchange_layout import own_assets
from seawall.scenarios.exchange_schema import DUSD_NAME
from seawall.scenarios.layout import TDOLLAR_NAME
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import Document, Key

MAX_ENTRIES = 50_000_000  # of the book's index and ranges
KINDS = ("static", "undercutting", "volatility_aware", "inventory")


def avmm_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Faults inside the RFQ market that need more than one key to see; none without one."""
    spec = scenario.avmm
    if spec is None:
        return []
    faults = [fault for name in spec.names for fault in _asset_faults(scenario, spec, name, document)]
    for kind, terms in zip(KINDS, spec.lps.by_kind(), strict=True):
        for name in terms.primaries:
            if name not in spec.assets:
                message = f"{name!r} is no asset of avmm.assets; known: {', '.join(sorted(spec.assets))}"
                faults.append(document.fault(("avmm", "lps", kind, "primaries", name), message))
    return faults + _agent_faults(scenario, spec, document) + _size_faults(spec, document)


def _asset_faults(scenario: Scenario, spec: AvmmSpec, name: str, document: Document) -> list[Fault]:
    """What is wrong with the name of an asset, or with what it tracks."""
    key: Key = ("avmm", "assets", name)
    tracks, collaterals = spec.assets[name].tracks, scenario.exchange.collaterals if scenario.exchange is not None else {}
    incentives = {event.token for event in scenario.exchange.incentives} if scenario.exchange is not None else set()
    faults = []
    if name in scenario.tasset_names:
        faults += [document.fault(key, message) for message in _listing_messages(scenario, name)]
    elif name in {"tEXO", DUSD_NAME} | (incentives - set(collaterals)):
        faults.append(document.fault(key, f"{name!r} is taken; choose another name"))
    if name in {TDOLLAR_NAME, *scenario.tasset_names, *collaterals} and tracks is not None:
        faults.append(document.fault((*key, "tracks"), f"{name} is a token of another protocol, which says what it follows; leave it out"))
    elif tracks is not None and tracks not in scenario.prices.assets:
        known = ", ".join(sorted(scenario.prices.assets))
        faults.append(document.fault((*key, "tracks"), f"{tracks!r} is no asset of prices.assets; known: {known}"))
    return faults


def _listing_messages(scenario: Scenario, name: str) -> list[str]:
    """Why a tASSET cannot be held from the first round to the last."""
    if name not in scenario.tassets or not scenario.tassets[name].listed:
        return [f"{name} is not listed at the start; only what is can be an asset here"]
    if any(event.tasset == name for event in scenario.delistings):
        return [f"{name} is delisted during the run; only what stays can be an asset here"]
    return []


def _agent_faults(scenario: Scenario, spec: AvmmSpec, document: Document) -> list[Fault]:
    """Nobody to trade with, and traders with nothing to trade."""
    faults = []
    if spec.lp_count == 0:
        faults.append(document.fault(("avmm", "lps"), "nobody provides liquidity; at least one LP is needed"))
    groups: dict[str, RfqTraders | InformedTraders] = {"traders": spec.traders, "informed": spec.informed}
    for name, group in groups.items():
        if group.count and group.cash_usd == 0.0 and group.tokens_usd == 0.0:
            message = f"{group.count} have nothing to trade: cash_usd and tokens_usd are 0"
            faults.append(document.fault(("avmm", name, "count"), message))
    if spec.informed.count and not any(_has_price(scenario, spec, name) for name in spec.names):
        message = f"{spec.informed.count} have nothing to know: every asset is always a dollar"
        faults.append(document.fault(("avmm", "informed", "count"), message))
    return faults


def _has_price(scenario: Scenario, spec: AvmmSpec, name: str) -> bool:
    """Tell whether an asset is more than a dollar."""
    if scenario.exchange is not None and name in scenario.exchange.collaterals:
        return scenario.exchange.collaterals[name].tracks is not None
    return name in scenario.tassets or spec.assets[name].tracks is not None


def _size_faults(spec: AvmmSpec, document: Document) -> list[Fault]:
    """A book that would not fit: of each position its subtree's best by pair, and on each line a range with two ends in lists."""
    assets = len(spec.assets)
    lines = assets * (assets + 1) // 2
    entries = spec.lp_count * (assets * assets + 5 * lines)
    if entries <= MAX_ENTRIES:
        return []
    message = f"{spec.lp_count:,} LPs with {assets} assets make {entries:,} entries in the book, more than {MAX_ENTRIES:,}"
    return [document.fault(("avmm", "lps"), message)]


def avmm_warnings(scenario: Scenario, document: Document) -> list[Fault]:
    """Terms under which prices of the RFQ market's own feeds are stale between publications."""
    spec = scenario.avmm
    others = scenario.exchange.tracked() if scenario.exchange is not None else ()
    if spec is None or not set(own_assets(scenario)) - set(others):
        return []
    key, found = ("avmm", "price_valid_seconds"), []
    if scenario.oracle_feeders.heartbeat_seconds > spec.price_valid_seconds:
        message = f"{spec.price_valid_seconds:g} is less than the feeders' heartbeat: the price is stale between publications"
        found.append(document.fault(key, message))
    if scenario.step_seconds > spec.price_valid_seconds:
        found.append(document.fault(key, f"{spec.price_valid_seconds:g} is less than a round of {scenario.step_seconds} s"))
    return found
