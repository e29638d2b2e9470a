"""What one key must say about another, and what is allowed but unwise."""

from __future__ import annotations

from collections.abc import Iterable

from seawall.protocols.errors import Fault
from seawall.scenarios import feasibility
from seawall.scenarios.avmm_checks import avmm_faults, avmm_warnings
from seawall.scenarios.avmm_layout import lay_out_avmm
from seawall.scenarios.disturbance_checks import disturbance_faults
from seawall.scenarios.exchange_checks import exchange_faults, feed_warnings
from seawall.scenarios.exchange_layout import lay_out_exchange, own_assets
from seawall.scenarios.price_checks import price_faults
from seawall.scenarios.schema import Scenario
from seawall.scenarios.yaml_lines import Document, Key

SECONDS_PER_DAY = 86_400
TOLERATED_SECONDS = 1e-3  # 0.7 days are 60479.999... seconds
MAX_PRICES = 20_000_000
MAX_ORDERS = 20_000_000
MAX_BALANCES = 100_000_000
MAX_RECORDS = 50_000  # each of some 17 kB: how often each action was answered how


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
        require(("outages", i, "asset"), outage.asset, _tracked(scenario), "asset that a feed follows")
    faults += [document.fault(key, message) for key, message in price_faults(scenario.prices, scenario.shocks, scenario.step_seconds)]
    for name in scenario.minters.shares:
        require(("minters", "shares", name), name, tassets, "tASSET")
    for name in scenario.minters.collateral:
        require(("minters", "collateral", name), name, {"tDOLLAR", *(k for k in tassets if scenario.tassets[k].listed)}, "listed tASSET")
    for i, poll in enumerate(scenario.polls):
        require(("polls", i, "tasset"), poll.tasset, tassets, "tASSET")
    for i, event in enumerate(scenario.delistings):
        require(("delistings", i, "tasset"), event.tasset, tassets, "tASSET")
    faults += exchange_faults(scenario, document) + avmm_faults(scenario, document) or _size_faults(scenario, document)
    faults += disturbance_faults(scenario, document)
    faults += _emptiness_faults(scenario, document) + _listing_faults(scenario, document)
    return faults + _time_faults(scenario, document)


def _tracked(scenario: Scenario) -> set[str]:
    """Assets that a feed follows."""
    return {*(terms.tracks for terms in scenario.tassets.values()), *own_assets(scenario)}


def _emptiness_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Nothing to simulate, and agents who would have nothing to do."""
    if scenario.tassets:
        return []
    if scenario.exchange is None and scenario.avmm is None:
        return [document.fault(("tassets",), "is missing, and there is neither exchange nor avmm; one of them is needed")]
    counts = {
        "minters": scenario.minters.count,
        "liquidators": scenario.liquidators.count,
        "traders": scenario.traders.count,
        "arbitrageurs": scenario.arbitrageurs.count,
    }
    return [
        document.fault((name, "count"), f"{count} have nothing to do: there is no tASSET") for name, count in counts.items() if count > 0
    ]


def _listing_faults(scenario: Scenario, document: Document) -> list[Fault]:
    """Polls without voters, tASSETs that nobody can ever list, names given twice."""
    faults = []
    if scenario.polls and scenario.texo is None:
        faults.append(document.fault(("polls",), "nobody can vote: there is no texo, whose stakers would"))
    whitelisted = {poll.tasset for poll in scenario.polls if poll.change == "whitelist"}
    for name, terms in scenario.tassets.items():
        if not terms.listed and name not in whitelisted:
            faults.append(document.fault(("tassets", name, "listed"), "is false, and no poll whitelists it"))
    for i, poll in enumerate(scenario.polls):
        if poll.change == "whitelist" and poll.tasset in scenario.tassets and scenario.tassets[poll.tasset].listed:
            faults.append(document.fault(("polls", i, "change"), f"{poll.tasset} is listed already"))
    if scenario.tassets and not any(terms.listed for terms in scenario.tassets.values()):
        faults.append(document.fault(("tassets",), "at least one must be listed at the start"))
    for name in {"tDOLLAR", "tEXO", "dUSD"} & set(scenario.tassets):
        faults.append(document.fault(("tassets", name), "is the name of another token; choose another name"))
    seen = {*scenario.tassets, "tDOLLAR", "tEXO", "dUSD"}
    delisted: set[str] = set()
    for i, event in enumerate(scenario.delistings):
        if event.replacement in seen:
            faults.append(document.fault(("delistings", i, "replacement"), f"{event.replacement!r} is taken; choose another name"))
        if event.tasset in delisted:
            faults.append(document.fault(("delistings", i, "tasset"), f"{event.tasset!r} is delisted already"))
        seen.add(event.replacement)
        delisted.add(event.tasset)
    return faults


def whole_rounds(days: float, step_seconds: int) -> int:
    """Rounds in a number of days, to the nearest."""
    return round(days * SECONDS_PER_DAY / step_seconds)


def _size_faults(scenario: Scenario, document: Document) -> list[Fault]:
    tokens = 3 + 2 * len(scenario.tasset_names)
    spec = scenario.traders
    accounts = scenario.minters.count + scenario.liquidators.count + spec.count + scenario.lps.count * len(scenario.tassets)
    accounts += scenario.texo.stakers if scenario.texo else 0
    if scenario.exchange is not None:
        layout = lay_out_exchange(scenario, scenario.exchange)
        tokens, accounts = tokens + len(layout.tokens), accounts + layout.account_count(scenario.exchange)
    if scenario.avmm is not None:
        rows = lay_out_avmm(scenario, scenario.avmm)
        tokens, accounts = tokens + rows.token_count, accounts + sum(rows.counts(scenario.avmm))
    faults = []
    if accounts * tokens > MAX_BALANCES:
        message = f"agents and LPs make {accounts:,} accounts of {tokens} tokens, more than {MAX_BALANCES:,} balances"
        faults.append(document.fault(("minters", "count"), message))
    days = getattr(scenario.prices, "days", None)
    if days is None:
        return faults
    for key, per_day in scenario.order_rates():
        if per_day * days > MAX_ORDERS:
            faults.append(document.fault(tuple(key.split(".")), f"{per_day * days:,.0f} orders are more than {MAX_ORDERS:,}"))
    return faults + _round_faults(scenario, document, days)


def _round_faults(scenario: Scenario, document: Document, days: float) -> list[Fault]:
    rounds = whole_rounds(days, scenario.step_seconds)
    if rounds == 0 or abs(rounds * scenario.step_seconds - days * SECONDS_PER_DAY) > TOLERATED_SECONDS:
        message = f"{days:g} days are not a whole number of rounds of {scenario.step_seconds} s"
        return [document.fault(("prices", "days"), message)]
    if rounds * len(scenario.prices.assets) > MAX_PRICES:
        message = f"{rounds:,} rounds of {len(scenario.prices.assets)} assets are more than {MAX_PRICES:,} prices; use longer rounds"
        return [document.fault(("prices", "days"), message)]
    records = days * SECONDS_PER_DAY / max(60.0 * (scenario.record_minutes or 1e6), scenario.step_seconds)
    if records > MAX_RECORDS:
        return [document.fault(("record_minutes",), f"{scenario.record_minutes:g} makes {records:,.0f} records, more than {MAX_RECORDS:,}")]
    return []


def _time_faults(scenario: Scenario, document: Document) -> list[Fault]:
    start = getattr(scenario.prices, "start", None)
    faults = []
    if start is not None and start.tzinfo is None:
        faults.append(document.fault(("prices", "start"), f"{start.isoformat()} has no time zone; write {start.isoformat()}Z"))
    days = getattr(scenario.prices, "days", None)
    if days is not None:
        faults += [
            document.fault((*what.split("."), i, "at_hours"), f"{at_hours:g} is after the end of the run ({days * 24:g} hours)")
            for what, i, at_hours in scenario.event_times()
            if at_hours > days * 24
        ]
    return faults


def warnings(scenario: Scenario, document: Document) -> list[Fault]:
    """Terms under which auctions cannot do their work (docs/design.md, "Four facts")."""
    found = []
    for name, terms in scenario.tassets.items():
        most = feasibility.restoring_line(terms.min_collateral_ratio)
        if terms.auction_discount > most:
            message = (
                f"{terms.auction_discount:g} is more than 1 - 1/min_collateral_ratio = {most:.4g}: "
                "each purchase from a CDP at the minimum lowers the ratio that it should restore"
            )
            found.append(document.fault(("tassets", name, "auction_discount"), message))
        least = feasibility.floor_discount(terms, scenario)
        if terms.auction_discount < least and scenario.liquidators.count and feasibility.buys_on_pool(scenario):
            message = (
                f"{terms.auction_discount:g} is less than {least:.4g}, which the pool's commission, the auction fee and min_profit take: "
                "no purchase pays unless the pool trades below the oracle's price"
            )
            found.append(document.fault(("tassets", name, "auction_discount"), message))
        if scenario.oracle_feeders.heartbeat_seconds > terms.price_valid_seconds:
            message = f"{terms.price_valid_seconds:g} is less than the feeders' heartbeat: the price is stale between publications"
            found.append(document.fault(("tassets", name, "price_valid_seconds"), message))
        if scenario.step_seconds > terms.price_valid_seconds:
            message = f"{terms.price_valid_seconds:g} is less than a round of {scenario.step_seconds} s"
            found.append(document.fault(("tassets", name, "price_valid_seconds"), message))
    return found + feed_warnings(scenario, document) + avmm_warnings(scenario, document)
