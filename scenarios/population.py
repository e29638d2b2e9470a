"""Draws a population: who owns what, who watches, who is quick.

Each kind of agent has its own stream and each quantity one draw per row, used or not: with the same numbers of agents, changing a
parameter moves nobody's draws.
"""

from __future__ import annotations

import math

import numpy as np

from seawall.agents.strategies import Strategy
from seawall.protocols.tables import Bools, Floats, Ints, World
from seawall.scenarios.layout import Layout, by_weight, lognormal
from seawall.scenarios.schema import Scenario
from seawall.scenarios.snapshot import Positions

NEVER = np.inf
SECONDS_PER_MINUTE = 60.0
SECONDS_PER_HOUR = 3_600.0
SECONDS_PER_DAY = 86_400.0


def chosen(share: float, rng: np.random.Generator, count: int) -> Bools:
    """Which of `count` rows belong to a share of all."""
    picked: Bools = rng.random(count) < share
    return picked


def draw_minters(
    world: World, scenario: Scenario, layout: Layout, rng: np.random.Generator, positions: Positions | None = None
) -> tuple[Floats, Floats]:
    """Fill the owners' behaviour and what their CDPs are. Returns collateral and reserve cash, USD, [owners]; 0 for successors.

    With positions of a real market, these are handed to the owners in a drawn order; the ratio of each is what its owner aims at. Otherwise
    a minimum above the reference lets owners post more or mint less: debt moves with minimum ** -debt_elasticity (assumption).
    """
    spec, count = scenario.minters, scenario.minters.count
    world.cdps["tasset"] = world.cdp_kinds["tasset"][layout.kinds]
    collateral = lognormal(spec.collateral_usd, rng, count)
    buffer = lognormal(spec.buffer, rng, count)
    reaction = lognormal(spec.reaction_minutes, rng, count) * SECONDS_PER_MINUTE
    asleep = chosen(spec.inattentive_share, rng, count)
    relevers = chosen(spec.relever_share, rng, count)
    holding = rng.standard_exponential(count)
    weights = [spec.responses.deposit, spec.responses.burn, spec.responses.close]
    response = by_weight(weights, rng, count)
    kept = np.full(count, NEVER) if spec.holding_days is None else np.where(asleep, NEVER, holding * spec.holding_days * SECONDS_PER_DAY)
    same = np.where(layout.predecessor < 0, np.arange(len(layout.kinds)), layout.predecessor)  # a successor is its predecessor again
    minimum = np.array([terms.min_collateral_ratio for terms in scenario.tassets.values()])[world.cdps["tasset"][same]]
    minters, buffer, asleep = world.minters, buffer[same], asleep[same]
    collateral = collateral * (minimum[:count] / spec.reference_ratio) ** (1.0 - spec.debt_elasticity)
    if positions is not None:
        order = rng.permutation(count)
        collateral, buffer = positions.collateral_usd[order], positions.ratio[order][same] / minimum - 1.0
    minters["response"], minters["relevers"], minters["holding"] = response[same], relevers[same], kept[same]
    minters["reaction"] = reaction[same]
    minters["target_ratio"] = minimum * (1.0 + buffer)
    minters["alert_ratio"] = np.where(asleep, 0.0, minimum * (1.0 + buffer * spec.alert_at))
    minters["excess_ratio"] = np.where(asleep, NEVER, minters["target_ratio"] * (1.0 + spec.excess))
    _set_strategies(world, scenario, layout)
    at_start = layout.predecessor < 0
    minters["predecessor"] = layout.predecessor
    minters["account"][~at_start] = minters["account"][layout.predecessor[~at_start]]
    world.cdps["owner"] = minters["account"]
    reserve = np.where(at_start, collateral[same] * spec.reserve, 0.0)
    return np.where(at_start, collateral[same], 0.0), reserve


def _set_strategies(world: World, scenario: Scenario, layout: Layout) -> None:
    spec, minters = scenario.minters.strategies, world.minters
    minters["strategy"], minters["delisting"] = layout.strategies, layout.reactions
    minters["loops"], minters["look_every"] = spec.loops, spec.look_minutes * SECONDS_PER_MINUTE
    minters["entry_premium"], minters["exit_premium"] = spec.entry_premium, spec.exit_premium


def plan_entries(world: World, scenario: Scenario, layout: Layout, rng: np.random.Generator) -> Bools:
    """Say when owners open their CDPs; returns who opens at once: the holders of what is listed.

    Successors wait for the delisting, owners of what is not listed for its first price.
    """
    wait = rng.standard_exponential(len(layout.kinds)) * scenario.minters.strategies.entry_hours * SECONDS_PER_HOUR
    terms = [*(terms.listed for terms in scenario.tassets.values()), *(False for _ in scenario.delistings)]
    listed = np.array(terms, np.bool_)[world.cdps["tasset"]]
    at_start = layout.predecessor < 0
    at_once = at_start & listed & (layout.strategies == Strategy.HOLD)
    world.minters["opens_at"] = np.where(at_start & ~at_once, wait, NEVER)
    world.minters["exit_at"] = np.where(at_once, world.minters["holding"], NEVER)
    return at_once


def react(world: World, layout: Layout) -> None:
    """Fill what owners, traders and LPs do about a delisting, and when."""
    delays = layout.reaction_hours * SECONDS_PER_HOUR
    if len(world.migrations):
        world.minters["reaction_to_delisting"] = delays
    world.traders["delisting"], world.traders["reaction"] = layout.trader_reactions, layout.trader_hours * SECONDS_PER_HOUR
    world.lps["delisting"], world.lps["reaction"] = layout.lp_reactions, layout.lp_hours * SECONDS_PER_HOUR


def draw_liquidators(world: World, scenario: Scenario, rng: np.random.Generator) -> Floats:
    """Fill the liquidators' behaviour. Returns their cash, USD, [liquidators]: more where discounts promise more (assumption)."""
    spec = scenario.liquidators
    promised = sum(terms.auction_discount for terms in scenario.tassets.values()) / max(len(scenario.tassets), 1)
    drawn = lognormal(spec.cash_usd, rng, len(world.liquidators))
    world.liquidators["min_profit"], world.liquidators["cost_usd"] = spec.min_profit, spec.cost_usd
    world.liquidators["uses_pool"] = spec.venue == "pool"
    return drawn * (promised / spec.reference_discount) ** spec.capital_elasticity


def draw_lps(world: World, scenario: Scenario, layout: Layout, rng: np.random.Generator) -> None:
    """Fill the LPs' behaviour; who provides tEXO, which no oracle prices, stays."""
    spec, lps = scenario.lps, world.lps
    lps["pool"] = layout.lp_pools
    nervous = chosen(spec.nervous_share, rng, len(lps)) & (layout.lp_pools < len(layout.names))
    lps["exit_premium"] = np.where(nervous, spec.exit_premium, NEVER)
    lps["exit_stale"] = np.where(nervous, spec.exit_stale_hours * SECONDS_PER_HOUR, NEVER)
    lps["return_after"] = spec.return_after_hours * SECONDS_PER_HOUR


def draw_orders(scenario: Scenario, steps: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Bools, Floats]:
    """Draw all swap orders of a run: round, trader, pool, side and size (USD), by time of arrival."""
    spec = scenario.traders
    seconds = steps * scenario.step_seconds
    count = int(rng.poisson(spec.count * spec.orders_per_day * seconds / SECONDS_PER_DAY)) if spec.count else 0
    times = np.sort(rng.random(count)) * seconds
    rounds = np.minimum(np.floor(times / scenario.step_seconds).astype(np.int64) + 1, steps)
    traders = rng.integers(max(spec.count, 1), size=count)
    pools = rng.integers(max(len(scenario.tassets), 1), size=count)
    sells = ~chosen(spec.buy_share, rng, count)
    return rounds, traders, pools, sells, lognormal(spec.order_usd, rng, count)


def whole_steps(seconds: float, step_seconds: float) -> int:
    """Rounds that cover a time, rounded up."""
    return math.ceil(seconds / step_seconds)
