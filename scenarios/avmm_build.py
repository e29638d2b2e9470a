"""From a scenario and its founded world to the RFQ market beside it: tables with the terms, then the population and its money."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from seawall.agents import avmm as tables
from seawall.agents.avmm import CONSTANT, Avmm, Mechanism, RfqTraderKind
from seawall.agents.tables import DEPARTURE
from seawall.models import avmm_records
from seawall.models.avmm_measures import AvmmNames
from seawall.protocols import oracle, reputation, rfq_tables
from seawall.protocols.tables import POOL, World
from seawall.scenarios import avmm_founding, avmm_population, disturbances, stampedes
from seawall.scenarios.avmm_layout import Accounts, AvmmLayout, lay_out_avmm
from seawall.scenarios.avmm_schema import AvmmSpec
from seawall.scenarios.exchange_layout import own_assets
from seawall.scenarios.load import Loaded
from seawall.scenarios.paths import Paths
from seawall.scenarios.population import NEVER, SECONDS_PER_DAY, SECONDS_PER_HOUR, whole_steps
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose, stream

LEAST_CREDITS, MOST_CREDITS, CREDITS_PER_ORDER = 4_096, 200_000, 2  # most orders are settled by one LP or two
REP = {
    "stablecoin": reputation.STABLECOIN,
    "altcoin": reputation.ALTCOIN,
    "eth": reputation.ETH,
    "btc": reputation.BTC,
    "dxtr": reputation.DXTR,
}


class _Place(NamedTuple):
    """What the tables are filled from."""

    scenario: Scenario
    spec: AvmmSpec
    layout: AvmmLayout
    accounts: Accounts
    paths: Paths


def build_avmm(world: World, loaded: Loaded, paths: Paths, seed: int, path: int) -> Avmm:
    """Build the scenario's RFQ market on a founded world, whose clock, tokens, wallets and feeds it shares.

    Args:
        world: made by `build_world` for the same scenario, with the exchange built if there is one; its wallets take in the LPs' and
            traders' money.
        loaded: a checked scenario with an RFQ market.
        paths: prices of the run.
        seed: of the run.
        path: number of the path.

    Raises:
        ScenarioError: for an RFQ market that cannot be founded as the scenario says.
    """
    scenario, spec = loaded.scenario, loaded.scenario.avmm
    if spec is None:
        raise ValueError("the scenario has no RFQ market")
    layout = lay_out_avmm(scenario, spec)
    plan = disturbances.plan_of(scenario, paths.steps, seed, path)
    orders = avmm_population.draw_orders(spec, paths.steps, scenario.step_seconds, stream(seed, path, Purpose.AVMM_ORDERS))
    orders = stampedes.of_rfq(plan, spec, orders)
    drawn = avmm_population.draw_lps(spec, stream(seed, path, Purpose.AVMM_LPS))
    departures = disturbances.rfq_departures(plan, spec.names, drawn.primary)
    v = empty_avmm(world, scenario, spec, len(orders[0]), len(departures))
    v.departures[:] = departures
    _set_orders(v, orders)
    place = _Place(scenario, spec, layout, layout.accounts(spec, len(world.wallets)), paths)
    _publish(v, place)
    _set_terms(v, place)
    _set_book_terms(v, place)
    _set_assets(v, place)
    _set_pools(v, place)
    v.avmm_lps["account"] = place.accounts.lps
    v.avmm_traders["account"] = np.concatenate([place.accounts.traders, place.accounts.informed])
    avmm_population.set_lps(v, spec, drawn)
    avmm_population.set_traders(v, spec)
    avmm_founding.found(v, loaded, spec, layout, drawn)
    avmm_records.observe(v)
    return v


def names_of(spec: AvmmSpec) -> AvmmNames:
    """What the rows of the RFQ market are called."""
    return AvmmNames(spec.names)


def empty_avmm(world: World, scenario: Scenario, spec: AvmmSpec, orders: int, departures: int = 0) -> Avmm:
    """Allocate all tables, empty; pools only where orders go to them."""
    assets, lps, traders = len(spec.names), spec.lp_count, spec.traders.count + spec.informed.count
    layout, steps = lay_out_avmm(scenario, spec), int(world.clock[0].steps)
    return Avmm(
        clock=world.clock,
        tokens=world.tokens,
        wallets=world.wallets,
        feeds=world.feeds,
        market_price=world.market_price,
        tallies=world.tallies,
        book=rfq_tables.empty_book(max(lps, 1), assets, credits=_credits(scenario, spec, steps)),
        order=np.zeros(1, rfq_tables.RFQ_ORDER),
        fills=np.zeros(math.ceil(1.0 / spec.min_fraction), rfq_tables.RFQ_FILL),
        terms=np.zeros(1, tables.AVMM_TERMS),
        avmm_assets=np.zeros(assets, tables.AVMM_ASSET),
        avmm_lps=np.zeros(lps, tables.AVMM_LP),
        avmm_traders=np.zeros(traders, tables.AVMM_TRADER),
        avmm_orders=np.zeros(orders, tables.AVMM_ORDER),
        order_start=np.zeros(len(world.order_start), np.int64),
        quotes=np.zeros(orders + traders, tables.AVMM_QUOTE),
        pools=np.zeros(len(layout.share_tokens), POOL),
        flows=np.zeros(len(RfqTraderKind), tables.AVMM_FLOW),
        series=np.zeros((len(world.reward_series), assets), tables.AVMM_SERIES),
        limits=np.zeros(lps),
        departures=np.zeros(departures, DEPARTURE),
    )


def _credits(scenario: Scenario, spec: AvmmSpec, steps: int) -> int:
    """Room for the REP of all orders within its delay, an informed order each round included; when it is full, REP is credited early."""
    days = min(spec.rep.delay_hours * SECONDS_PER_HOUR, steps * scenario.step_seconds) / SECONDS_PER_DAY
    orders = days * (spec.orders_per_day + spec.informed.count * SECONDS_PER_DAY / scenario.step_seconds)
    return int(min(LEAST_CREDITS + CREDITS_PER_ORDER * orders, MOST_CREDITS))


def _set_orders(v: Avmm, orders: tuple[np.ndarray, ...]) -> None:
    rounds, v.avmm_orders["trader"], v.avmm_orders["asset"], v.avmm_orders["sells"], v.avmm_orders["usd"] = orders
    v.order_start[:] = np.searchsorted(rounds, np.arange(len(v.order_start)))


def _publish(v: Avmm, place: _Place) -> None:
    """Give feeds that only the RFQ market follows the market's first price; the exchange has done so with its own."""
    scenario = place.scenario
    others = scenario.exchange.tracked() if scenario.exchange is not None else ()
    for asset in place.layout.assets:
        if asset.tracks in own_assets(scenario) and asset.tracks not in others:
            feed = v.feeds[asset.feed]
            feed.valid_for = place.spec.price_valid_seconds
            oracle.publish(feed, int(feed.feeder), float(v.market_price[0, place.paths.assets.index(asset.tracks)]), 0.0)


def _set_terms(v: Avmm, place: _Place) -> None:
    """Write the mechanism and its terms."""
    row, spec, auctions = v.terms[0], place.spec, place.spec.auctions
    row.mechanism = Mechanism[spec.mechanism.upper()]
    row.latency = whole_steps(spec.latency_seconds, place.scenario.step_seconds)
    loses = spec.rep.out_of_range_loss > 0.0 or spec.rep.short_loss > 0.0
    row.review_every = row.review_at = spec.rep.review_hours * SECONDS_PER_HOUR if loses else NEVER
    row.volatility_seconds = spec.volatility_hours * SECONDS_PER_HOUR
    row.dutch_start, row.dutch_floor = auctions.start_premium, auctions.floor_premium
    row.dutch_seconds, row.dutch_tick, row.shade = auctions.duration_seconds, auctions.tick_seconds, auctions.shade


def _set_book_terms(v: Avmm, place: _Place) -> None:
    """Write the contract's terms."""
    row, spec, rep = v.book.terms[0], place.spec, place.spec.rep
    row.account, row.max_fee, row.min_fraction = place.accounts.contract[0], spec.max_fee, spec.min_fraction
    row.rep_delay, row.rep_per_fill = rep.delay_hours * SECONDS_PER_HOUR, rep.per_fill
    row.rep_half_life = NEVER if rep.half_life_days is None else rep.half_life_days * SECONDS_PER_DAY
    row.out_of_range_loss, row.short_loss, row.min_value_usd = rep.out_of_range_loss, rep.short_loss, rep.min_value_usd


def _set_assets(v: Avmm, place: _Place) -> None:
    """Write what each asset is, to the contract and to its agents; memories of prices begin at the first ones."""
    for row, memory, asset, terms in zip(v.book.assets, v.avmm_assets, place.layout.assets, place.spec.assets.values(), strict=True):
        row.token, row.feed = asset.token, asset.feed
        row.taker_multiplier, row.maker_multiplier = REP[terms.rep or ("stablecoin" if asset.tracks is None else "altcoin")]
        memory.market = CONSTANT if asset.tracks is None else place.paths.assets.index(asset.tracks)
        memory.last_price, memory.pool = v.feeds[asset.feed].price, -1


def _set_pools(v: Avmm, place: _Place) -> None:
    """Pair each asset but the numeraire with it, where orders go to pools."""
    numeraire, *others = (asset.token for asset in place.layout.assets)
    if not len(v.pools):
        return
    v.avmm_assets["pool"][1:] = np.arange(len(v.pools))
    v.pools["account"], v.pools["share_token"] = place.accounts.pools, place.layout.share_tokens
    v.pools["base_token"], v.pools["asset_token"] = numeraire, others
    v.pools["commission"] = place.spec.pool_commission
