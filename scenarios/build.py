"""From a scenario and a seed to a market ready for its first round."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from seawall.agents import alarms
from seawall.models import market_waterfall, ranking
from seawall.models.records import observe
from seawall.models.stress import StressModel
from seawall.models.world import Sizes, empty_world
from seawall.protocols.tables import World
from seawall.scenarios import (
    avmm_build,
    community,
    disturbance_checks,
    disturbance_inputs,
    disturbances,
    founding,
    inputs,
    population,
    stampedes,
)
from seawall.scenarios.avmm_layout import lay_out_avmm
from seawall.scenarios.exchange_build import build_exchange, names_of
from seawall.scenarios.exchange_layout import lay_out_exchange, own_assets
from seawall.scenarios.layout import Layout, lay_out
from seawall.scenarios.load import Loaded, load
from seawall.scenarios.paths import Paths
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose, order_seed, stream

DEFAULT_SCENARIO = Path(__file__).parent / "short_squeeze.yaml"
RECORDS = 500  # aimed at when the scenario does not say
EVENTS_PER_CDP, MAX_EVENTS = 20, 200_000  # purchases listed one by one; more are only counted


def build(loaded: Loaded, *, seed: int | None = None, path: int = 0, with_audit: bool = False) -> StressModel:
    """Build the model of one path.

    Args:
        loaded: a checked scenario.
        seed: replaces the scenario's own.
        path: number of the path, >= 0.
        with_audit: check the books after every round.

    Raises:
        ScenarioError: if the market cannot be set up as the scenario says (too few tokens for the pools, say).
        PriceFileError: if a price file cannot be replayed.
    """
    seed = loaded.scenario.seed if seed is None else seed
    return build_model(loaded, inputs.price_paths(loaded, seed, path), seed, path, with_audit=with_audit)


def build_model(loaded: Loaded, paths: Paths, seed: int, path: int, *, with_audit: bool = False) -> StressModel:
    """The same for prices that are known already."""
    scenario = loaded.scenario
    world = build_world(loaded, paths, seed, path)
    exchange = build_exchange(world, loaded, paths, seed, path) if scenario.exchange is not None else None
    avmm = avmm_build.build_avmm(world, loaded, paths, seed, path) if scenario.avmm is not None else None
    market_waterfall.note_start(world, avmm, exchange)
    return StressModel(
        world,
        exchange=exchange,
        exchange_names=names_of(scenario.exchange) if scenario.exchange is not None else None,
        avmm=avmm,
        avmm_names=avmm_build.names_of(scenario.avmm) if scenario.avmm is not None else None,
        tasset_names=scenario.tasset_names,
        seed=seed,
        with_audit=with_audit,
    )


def default_world() -> tuple[World, tuple[str, ...]]:
    """The default scenario's world and the names of its tASSETs."""
    model = build(load(DEFAULT_SCENARIO))
    return model.world, model.tasset_names


def build_world(loaded: Loaded, paths: Paths, seed: int, path: int) -> World:
    """Allocate a world, write terms, prices and behaviour into it, and let the market come to be.

    It has room for the exchange and the RFQ market of the scenario, which `build_exchange` and `build_avmm` found.
    """
    scenario = loaded.scenario
    layout = lay_out(scenario, seed, path)
    disturbance_checks.check_sizes(scenario, str(loaded.file), paths.steps)
    plan = disturbances.plan_of(scenario, paths.steps, seed, path)
    orders = stampedes.of_pools(plan, scenario, population.draw_orders(scenario, paths.steps, stream(seed, path, Purpose.ARRIVALS)))
    departures = disturbances.pool_departures(plan, scenario, layout.lp_pools)
    world = empty_world(_sizes(scenario, layout, paths.steps, len(orders[0]), len(departures)), layout.kinds)
    world.clock["step_seconds"], world.clock["order_seed"] = scenario.step_seconds, order_seed(seed, path)
    _set_inputs(world, scenario, paths, seed, path)
    disturbance_inputs.fill_feed_faults(world, scenario, plan)
    disturbance_inputs.fill_gas(world, plan)
    world.departures[:] = departures
    _set_terms(world, scenario, paths.assets)
    community.set_terms(world, scenario)
    inputs.fill_orders(world, orders)
    founding.found(world, loaded, layout, seed, path)
    alarms.set_all(world)
    ranking.rank_all(world)
    observe(world)
    return world


def _sizes(scenario: Scenario, layout: Layout, steps: int, orders: int, departures: int) -> Sizes:
    record_seconds = scenario.record_minutes * 60.0 if scenario.record_minutes is not None else steps * scenario.step_seconds / RECORDS
    texo = scenario.texo
    extra_tokens, extra_accounts = _extra_rows(scenario)
    return Sizes(
        steps=steps,
        tassets=len(layout.names),
        assets=len(scenario.prices.assets) + len(scenario.delistings),
        collaterals=layout.collaterals,
        spare_feeders=len(community.spare_feeders(scenario)),
        minters=len(layout.kinds),
        liquidators=scenario.liquidators.count,
        traders=scenario.traders.count,
        arbitrageurs=scenario.arbitrageurs.count,
        lps=len(layout.lp_pools),
        stakers=texo.stakers if texo else 0,
        lp_stakes=len(community.lp_stakers(scenario, layout)[0]) + len(community.lp_stakers(scenario, layout)[1]),
        keepers=int(texo is not None),
        emissions=int(texo is not None and texo.inflation_per_day > 0.0),
        proposals=len(scenario.polls),
        migrations=len(scenario.delistings),
        extra_tokens=extra_tokens,
        extra_accounts=extra_accounts,
        extra_feeds=len(own_assets(scenario)),
        orders=orders,
        departures=departures,
        has_feed_faults=any(event.kind in disturbance_inputs.OF_FEEDS for event in scenario.disturbances),
        has_gas=any(event.kind == "gas_spike" for event in scenario.disturbances),
        record_every=max(math.ceil(record_seconds / scenario.step_seconds), 1),
        events=min(1_000 + EVENTS_PER_CDP * len(layout.kinds), MAX_EVENTS),
    )


def _extra_rows(scenario: Scenario) -> tuple[int, int]:
    """Tokens and accounts of the RFQ market and the exchange, which come last."""
    tokens = accounts = 0
    if scenario.avmm is not None:
        rows = lay_out_avmm(scenario, scenario.avmm)
        tokens, accounts = rows.token_count, sum(rows.counts(scenario.avmm))
    if scenario.exchange is not None:
        layout = lay_out_exchange(scenario, scenario.exchange)
        tokens, accounts = tokens + len(layout.tokens), accounts + layout.account_count(scenario.exchange)
    return tokens, accounts


def _set_inputs(world: World, scenario: Scenario, paths: Paths, seed: int, path: int) -> None:
    prices, is_open = inputs.with_new_shares(scenario, paths)
    world.market_price[:], world.market_open[:] = prices, is_open
    community.assign_feeders(world, scenario)
    world.feed_up[:] = inputs.feed_up(scenario, paths.steps, world.feed_up.shape[1])
    if scenario.oracle_feeders.noise > 0.0:
        world.feed_noise[:] = inputs.feed_noise(seed, path, world.feed_noise.shape)
    feeders, spec = world.oracle_feeders, scenario.oracle_feeders
    tracked = [paths.assets.index(terms.tracks) for terms in scenario.tassets.values()]
    tracked += [len(paths.assets) + i for i in range(len(scenario.delistings))]
    tracked += [0, *(paths.assets.index(asset) for asset in own_assets(scenario))]  # nothing feeds tDOLLAR's feed
    feeders["asset"] = np.array(tracked)[feeders["feed"]]
    feeders["heartbeat"], feeders["deviation"], feeders["noise"] = spec.heartbeat_seconds, spec.deviation, spec.noise
    feeders["lag"] = population.whole_steps(spec.latency_seconds, scenario.step_seconds)


def _set_terms(world: World, scenario: Scenario, assets: tuple[str, ...]) -> None:
    """Write the terms of the scenario's tASSETs; a replacement has its pool and its price, the rest is carried over when it is listed."""
    for k, terms in enumerate(scenario.tassets.values()):
        row, feed = world.tassets[k], world.feeds[k]
        row.asset = assets.index(terms.tracks)
        row.min_collateral_ratio, row.auction_discount = terms.min_collateral_ratio, terms.auction_discount
        row.protocol_fee, row.auction_fee = terms.protocol_fee, terms.auction_fee
        row.liquidate_whole, row.auction_needs_fresh_price = terms.liquidate_whole, terms.auction_needs_fresh_price
        world.pools[k].commission = terms.pool.commission
        feed.valid_for = terms.price_valid_seconds
        if not terms.listed:
            feed.feeder = -1
    for i, event in enumerate(scenario.delistings):
        k = len(scenario.tassets) + i
        world.tassets[k].asset = len(assets) + i
        world.tassets[k].min_collateral_ratio = 1.0
        world.pools[k].commission = scenario.tassets[event.tasset].pool.commission
        world.feeds[k].feeder = -1
    traders, arbitrageurs = world.traders, world.arbitrageurs
    traders["max_spread"], arbitrageurs["min_edge"] = scenario.traders.max_spread, scenario.arbitrageurs.min_edge
