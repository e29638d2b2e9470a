"""What one key of an exchange must say about another."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from seawall.protocols.errors import Fault
from seawall.scenarios.exchange_layout import lay_out_exchange
from seawall.scenarios.exchange_schema import ALL, DUSD_NAME, ExchangeSpec, most_leverage
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import Document, Key

MAX_ROWS = 50_000_000

Require = Callable[[Key, str | None, Iterable[str], str], None]


def exchange_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Faults inside the exchange that need more than one key to see; none without an exchange."""
    spec = scenario.exchange
    if spec is None:
        return []
    named = _name_faults(scenario, spec, document)
    if named:
        return named  # the rest reads what the names stand for
    return _token_faults(scenario, spec, document) + _term_faults(spec, document) + _size_faults(scenario, spec, document)


def _name_faults(scenario: Scenario, spec: ExchangeSpec, document: Document) -> list[Fault]:
    faults: list[Fault] = []

    def require(key: Key, name: str | None, known: Iterable[str], what: str) -> None:
        if name is not None and name not in known:
            faults.append(document.fault(("exchange", *key), f"{name!r} is no {what}; known: {', '.join(sorted(known))}"))

    for name, collateral in spec.collaterals.items():
        require(("collaterals", name, "tracks"), collateral.tracks, scenario.prices.assets, "asset of prices.assets")
    for name, market in spec.markets.items():
        require(("markets", name, "tracks"), market.tracks, scenario.prices.assets, "asset of prices.assets")
    _check_pools(spec, require)
    for name in spec.lps.collateral:
        require(("lps", "collateral", name), name, spec.collaterals, "collateral")
    for name in spec.lps.pools:
        require(("lps", "pools", name), name, spec.pools, "pool")
    for i, event in enumerate(spec.incentives):
        require(("incentives", i, "pool"), event.pool, spec.pools, "pool")
        require(("incentives", i, "collateral"), event.collateral, [*spec.collaterals, ALL], "collateral")
    return faults


def _check_pools(spec: ExchangeSpec, require: Require) -> None:
    for name, pool in spec.pools.items():
        for market in pool.weights:
            require(("pools", name, "weights", market), market, spec.markets, "market")
        for collateral in pool.collateral_limits:
            require(("pools", name, "collateral_limits", collateral), collateral, spec.collaterals, "collateral")
        for i, siphon in enumerate(pool.siphons):
            require(("pools", name, "siphons", i, "market"), siphon.market, spec.weights(name), f"market of {name}")


def _token_faults(scenario: Scenario, spec: ExchangeSpec, document: Document) -> list[Fault]:
    """Names of tokens that stand for something else already."""
    taken = {*scenario.tasset_names, "tDOLLAR", "tEXO"}
    faults = [
        document.fault(("exchange", "collaterals", name), f"{name!r} is taken; choose another name")
        for name in spec.collaterals
        if name in taken | {DUSD_NAME, ALL}
    ]
    for i, event in enumerate(spec.incentives):
        if event.token in taken:
            faults.append(document.fault(("exchange", "incentives", i, "token"), f"{event.token!r} is a token of another protocol"))
    return faults


def _term_faults(spec: ExchangeSpec, document: Document) -> list[Fault]:
    faults = []
    for name, pool in spec.pools.items():
        for market in spec.weights(name):
            siphoned = sum(siphon.share for siphon in pool.siphons if siphon.market in (None, market))
            if siphoned > 1.0:
                message = f"together {siphoned:g} of the fees of {market}; more than 1 there is not"
                faults.append(document.fault(("exchange", "pools", name, "siphons"), message))
    if spec.lps.borrow_share > 0.0:
        for name in spec.lps.collateral or spec.collaterals:
            least = spec.collaterals[name].issuance_ratio
            if spec.lps.borrow_ratio <= least:
                message = f"{spec.lps.borrow_ratio:g} must be more than the issuance ratio of {name} ({least:g})"
                faults.append(document.fault(("exchange", "lps", "borrow_ratio"), message))
    for i, flow in enumerate(spec.flows):
        if flow.market not in spec.markets:
            known = ", ".join(sorted(spec.markets))
            faults.append(document.fault(("exchange", "flows", i, "market"), f"{flow.market!r} is no market; known: {known}"))
    most = most_leverage(spec.markets.values())
    for kind, _ in spec.traders:
        terms = getattr(spec.traders, kind)
        if terms.count and terms.leverage > most:
            message = f"{terms.leverage:g} is more than {most:g}, the most that min_margin_ratio of every market allows"
            faults.append(document.fault(("exchange", "traders", kind, "leverage"), message))
    return faults


def _size_faults(scenario: Scenario, spec: ExchangeSpec, document: Document) -> list[Fault]:
    layout = lay_out_exchange(scenario, spec)
    positions = spec.lps.count * len(spec.pools) * max(len(layout.streams), 1)
    faults = []
    if positions > MAX_ROWS:
        message = f"{spec.lps.count:,} LPs in {len(spec.pools)} pools with {len(layout.streams)} streams are more than {MAX_ROWS:,} rows"
        faults.append(document.fault(("exchange", "lps", "count"), message))
    entries = max(market.liquidation_window_seconds for market in spec.markets.values()) / scenario.step_seconds * len(spec.markets)
    if spec.trader_count * len(spec.markets) + entries > MAX_ROWS:
        message = f"{spec.trader_count:,} traders in {len(spec.markets)} markets are more than {MAX_ROWS:,} rows"
        faults.append(document.fault(("exchange", "traders"), message))
    return faults


def feed_warnings(scenario: Scenario, document: Document) -> list[Fault]:
    """Terms under which the exchange's own prices are stale between publications."""
    spec, found = scenario.exchange, []
    key = ("exchange", "price_valid_seconds")
    if spec is not None and scenario.oracle_feeders.heartbeat_seconds > spec.price_valid_seconds:
        message = f"{spec.price_valid_seconds:g} is less than the feeders' heartbeat: the price is stale between publications"
        found.append(document.fault(key, message))
    if spec is not None and scenario.step_seconds > spec.price_valid_seconds:
        found.append(document.fault(key, f"{spec.price_valid_seconds:g} is less than a round of {scenario.step_seconds} s"))
    return found
