"""From a scenario and a seed to a market ready for its first round."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from seawall.agents.alarms import lay_out
from seawall.models import genesis
from seawall.models.records import observe
from seawall.models.stress import StressModel
from seawall.models.world import Sizes, empty_world
from seawall.protocols.amounts import LIMIT
from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.status import Status
from seawall.protocols.tables import TDOLLAR, Floats, Ints, World
from seawall.scenarios import inputs, population
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
    paths = inputs.price_paths(loaded, seed, path)
    world = build_world(loaded, paths, seed, path)
    return StressModel(world, tasset_names=tuple(loaded.scenario.tassets), seed=seed, with_audit=with_audit)


def default_world() -> tuple[World, tuple[str, ...]]:
    """The default scenario's world and the names of its tASSETs."""
    model = build(load(DEFAULT_SCENARIO))
    return model.world, model.tasset_names


def build_world(loaded: Loaded, paths: Paths, seed: int, path: int) -> World:
    """Allocate a world, write terms, prices and behaviour into it, and let the market come to be."""
    scenario = loaded.scenario
    orders = population.draw_orders(scenario, paths.steps, stream(seed, path, Purpose.ARRIVALS))
    world = empty_world(_sizes(scenario, paths.steps, len(orders[0])))
    _set_clock(world, scenario, order_seed(seed, path))
    _set_inputs(world, scenario, paths, seed, path)
    _set_terms(world, scenario, paths.assets)
    inputs.fill_orders(world, orders)
    _found(world, loaded, seed, path)
    observe(world)
    return world


def _sizes(scenario: Scenario, steps: int, orders: int) -> Sizes:
    record_seconds = scenario.record_minutes * 60.0 if scenario.record_minutes is not None else steps * scenario.step_seconds / RECORDS
    return Sizes(
        steps=steps,
        tassets=len(scenario.tassets),
        assets=len(scenario.prices.assets),
        minters=scenario.minters.count,
        liquidators=scenario.liquidators.count,
        traders=scenario.traders.count,
        arbitrageurs=scenario.arbitrageurs.count,
        lps=scenario.lps.count * len(scenario.tassets),
        orders=orders,
        record_every=max(math.ceil(record_seconds / scenario.step_seconds), 1),
        events=min(1_000 + EVENTS_PER_CDP * scenario.minters.count, MAX_EVENTS),
    )


def _set_clock(world: World, scenario: Scenario, seed: int) -> None:
    world.clock["step_seconds"] = scenario.step_seconds
    world.clock["order_seed"] = seed


def _set_inputs(world: World, scenario: Scenario, paths: Paths, seed: int, path: int) -> None:
    world.market_price[:] = paths.market_price
    world.market_open[:] = paths.market_open
    world.feed_up[:] = inputs.feed_up(scenario, paths.steps)
    world.feed_noise[:] = inputs.feed_noise(seed, path, world.feed_noise.shape, scenario.oracle_feeders.noise)
    feeders, spec = world.oracle_feeders, scenario.oracle_feeders
    feeders["asset"] = [paths.assets.index(terms.tracks) for terms in scenario.tassets.values()]
    feeders["heartbeat"], feeders["deviation"], feeders["noise"] = spec.heartbeat_seconds, spec.deviation, spec.noise
    feeders["lag"] = population.whole_steps(spec.latency_seconds, scenario.step_seconds)


def _set_terms(world: World, scenario: Scenario, assets: tuple[str, ...]) -> None:
    for row, pool, feed, terms in zip(world.tassets, world.pools, world.feeds, scenario.tassets.values(), strict=True):
        row.asset = assets.index(terms.tracks)
        row.min_collateral_ratio, row.auction_discount = terms.min_collateral_ratio, terms.auction_discount
        row.protocol_fee, row.auction_fee = terms.protocol_fee, terms.auction_fee
        row.liquidate_whole, row.auction_needs_fresh_price = terms.liquidate_whole, terms.auction_needs_fresh_price
        pool.commission = terms.pool.commission
        feed.valid_for = terms.price_valid_seconds
    traders, arbitrageurs = world.traders, world.arbitrageurs
    traders["max_spread"], arbitrageurs["min_edge"] = scenario.traders.max_spread, scenario.arbitrageurs.min_edge


def _found(world: World, loaded: Loaded, seed: int, path: int) -> None:
    """Endow everybody, open the CDPs, hand out the tokens and fill the pools."""
    scenario = loaded.scenario
    collateral, reserve = population.draw_minters(world, scenario, stream(seed, path, Purpose.MINTERS))
    cash = population.draw_liquidators(world, scenario, stream(seed, path, Purpose.LIQUIDATORS))
    population.draw_lps(world, scenario, stream(seed, path, Purpose.LPS))
    lay_out(world)
    genesis.publish_first_prices(world)
    _endow(world, loaded, "minters", world.minters["account"], collateral + reserve)
    _endow(world, loaded, "liquidators", world.liquidators["account"], cash)
    _endow(world, loaded, "traders", world.traders["account"], np.full(len(world.traders), scenario.traders.cash_usd))
    _endow(world, loaded, "arbitrageurs", world.arbitrageurs["account"], np.full(len(world.arbitrageurs), scenario.arbitrageurs.cash_usd))
    half = np.array([terms.pool.liquidity_usd / 2.0 for terms in scenario.tassets.values()])
    _endow(world, loaded, "tassets", world.lps["account"], half[world.lps["pool"]] / scenario.lps.count)
    _open(world, loaded, collateral)
    for index in range(len(world.tassets)):
        _hand_out(world, loaded, index, half[index])
    held = world.wallets[world.liquidators["account"]]
    world.liquidators["start_usd"] = held[:, TDOLLAR] + held[:, world.tassets["token"]] @ world.feeds["price"]
    status, row = genesis.fill_pools(world)
    if status != Status.OK:
        _refuse(loaded, "lps", f"LP {row} cannot provide its part: {Status(status).name}; fewer LPs or deeper pools would do")


def _endow(world: World, loaded: Loaded, what: str, accounts: Ints, tdollar: Floats) -> None:
    if genesis.endow(world.wallets, world.tokens, np.ascontiguousarray(accounts), tdollar) != Status.OK:
        _refuse(loaded, what, f"together they own more than {LIMIT:,.0f} tDOLLAR, past which cents could not be counted exactly")


def _open(world: World, loaded: Loaded, collateral: Floats) -> None:
    ratios = np.ascontiguousarray(world.minters["target_ratio"])
    status, row = genesis.open_cdps(world.cdps, world.tassets, world.feeds, world.tokens, world.wallets, collateral, ratios)
    if status != Status.OK:
        _refuse(loaded, "minters", f"CDP {row} with {collateral[row]:,.2f} tDOLLAR cannot be opened: {Status(status).name}")


def _hand_out(world: World, loaded: Loaded, index: int, pool_usd: float) -> None:
    """Hand tokens of one tASSET from its minters to the LPs of its pool, the traders and the arbitrageurs."""
    scenario, price = loaded.scenario, world.feeds[index].price
    lps = world.lps["account"][world.lps["pool"] == index]
    takers = np.concatenate([world.traders["account"], world.arbitrageurs["account"], world.liquidators["account"], lps])
    wanted = np.concatenate(
        [
            np.full(len(world.traders), scenario.traders.tokens_usd),
            np.full(len(world.arbitrageurs), scenario.arbitrageurs.tokens_usd),
            np.full(len(world.liquidators), scenario.liquidators.tokens_usd),
            np.full(len(lps), pool_usd / len(lps)),
        ]
    )
    minted_usd = world.tassets[index].debt * price
    if wanted.sum() > minted_usd:
        name = list(scenario.tassets)[index]
        message = (
            f"its pool and agents are to hold {wanted.sum():,.0f} USD of {name}, but CDPs mint {minted_usd:,.0f} USD; "
            "more or larger CDPs, or a shallower pool, would do"
        )
        _refuse(loaded, f"tassets.{name}.pool.liquidity_usd", message)
    tasset = world.tassets[index]
    pool_account = int(world.pools[tasset.pool].account)
    genesis.gather(world.cdps, world.wallets, index, int(tasset.token), pool_account, wanted.sum() / minted_usd)
    genesis.hand_out(world, index, takers, wanted / wanted.sum())


def _refuse(loaded: Loaded, key: str, message: str) -> None:
    raise ScenarioError([Fault(str(loaded.file), None, key, message)])
