"""Draws a population: who owns what, who watches, who is quick.

Each kind of agent has its own stream and each quantity one draw per row, used or not: with the same numbers of agents, changing a
parameter moves nobody's draws.
"""

from __future__ import annotations

import math

import numpy as np

from seawall.protocols.tables import Bools, Floats, Ints, World
from seawall.scenarios.schema import LogNormal, Scenario

NEVER = np.inf
SECONDS_PER_MINUTE = 60.0
SECONDS_PER_HOUR = 3_600.0
SECONDS_PER_DAY = 86_400.0


def lognormal(quantity: LogNormal, rng: np.random.Generator, count: int) -> Floats:
    """`count` draws with the given median."""
    draws: Floats = quantity.median * np.exp(quantity.sigma * rng.standard_normal(count))
    return draws


def chosen(share: float, rng: np.random.Generator, count: int) -> Bools:
    """Which of `count` rows belong to a share of all."""
    picked: Bools = rng.random(count) < share
    return picked


def spread(count: int, weights: Floats) -> Ints:
    """Divide `count` rows into consecutive groups by weight (largest remainders get the odd ones); returns each row's group."""
    exact = count * weights / weights.sum()
    sizes = np.floor(exact).astype(np.int64)
    odd = np.argsort(-(exact - sizes), kind="stable")[: count - sizes.sum()]
    sizes[odd] += 1
    return np.repeat(np.arange(len(weights)), sizes)


def draw_minters(world: World, scenario: Scenario, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Fill the minters' behaviour and their CDPs' tASSETs. Returns collateral and reserve cash, USD, [minters]."""
    spec, count = scenario.minters, len(world.minters)
    weights = np.array([spec.shares.get(name, 0.0 if spec.shares else 1.0) for name in scenario.tassets])
    world.cdps["tasset"] = spread(count, weights)
    minimum = world.tassets["min_collateral_ratio"][world.cdps["tasset"]]
    collateral = lognormal(spec.collateral_usd, rng, count)
    buffer = lognormal(spec.buffer, rng, count)
    reaction = lognormal(spec.reaction_minutes, rng, count) * SECONDS_PER_MINUTE
    asleep = chosen(spec.inattentive_share, rng, count)
    relevers = chosen(spec.relever_share, rng, count)
    holding = rng.standard_exponential(count)
    weights = np.cumsum([spec.responses.deposit, spec.responses.burn, spec.responses.close])
    minters = world.minters
    minters["response"] = np.searchsorted(weights / weights[-1], rng.random(count), side="right")
    minters["target_ratio"] = minimum * (1.0 + buffer)
    minters["alert_ratio"] = np.where(asleep, 0.0, minimum * (1.0 + buffer * spec.alert_at))
    minters["excess_ratio"] = np.where(asleep, NEVER, minters["target_ratio"] * (1.0 + spec.excess))
    minters["reaction"] = reaction
    minters["relevers"] = relevers
    if spec.holding_days is not None:
        minters["exit_at"] = np.where(asleep, NEVER, holding * spec.holding_days * SECONDS_PER_DAY)
    return collateral, collateral * spec.reserve


def draw_liquidators(world: World, scenario: Scenario, rng: np.random.Generator) -> Floats:
    """Fill the liquidators' behaviour. Returns their cash, USD, [liquidators]."""
    spec = scenario.liquidators
    world.liquidators["min_profit"], world.liquidators["cost_usd"] = spec.min_profit, spec.cost_usd
    world.liquidators["uses_pool"] = spec.venue == "pool"
    return lognormal(spec.cash_usd, rng, len(world.liquidators))


def draw_lps(world: World, scenario: Scenario, rng: np.random.Generator) -> None:
    """Fill the LPs' behaviour: `count` of them for each pool, in turn."""
    spec, lps = scenario.lps, world.lps
    lps["pool"] = np.repeat(np.arange(len(world.pools)), spec.count)
    nervous = chosen(spec.nervous_share, rng, len(lps))
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
    pools = rng.integers(len(scenario.tassets), size=count)
    sells = ~chosen(spec.buy_share, rng, count)
    return rounds, traders, pools, sells, lognormal(spec.order_usd, rng, count)


def whole_steps(seconds: float, step_seconds: float) -> int:
    """Rounds that cover a time, rounded up."""
    return math.ceil(seconds / step_seconds)
