"""What disturbances of oracles and of gas put into the inputs of a run, round by round."""

from __future__ import annotations

import numpy as np

from seawall.protocols.tables import Bools, Ints, World
from seawall.scenarios.disturbance_schema import GasSpike, OracleLag, OracleStuck, OracleWrong
from seawall.scenarios.disturbances import Event, Plan, strength
from seawall.scenarios.exchange_layout import own_assets
from seawall.scenarios.population import SECONDS_PER_MINUTE, whole_steps
from seawall.scenarios.schema import Scenario

OF_FEEDS = ("oracle_lag", "oracle_wrong", "oracle_stuck")


def struck_feeders(scenario: Scenario, tasset: str | None, asset: str | None, feeders: int) -> list[int]:
    """Rows of the feeders of a tASSET and its replacement, of an asset, or (None, None) of all; those of feeds without a tASSET are last.

    A feeder that a poll has put in another's place is none of them.
    """
    names, own = scenario.tasset_names, own_assets(scenario)
    successors = {event.tasset: event.replacement for event in scenario.delistings}
    tracking = [name for name, terms in scenario.tassets.items() if asset in (None, terms.tracks) and tasset in (None, name)]
    struck = [*tracking, *(successors[name] for name in tracking if name in successors)]
    apart = [i for i, name in enumerate(own) if tasset is None and asset in (None, name)]
    return [names.index(name) for name in struck] + [feeders - len(own) + i for i in apart]


def fill_feed_faults(world: World, scenario: Scenario, plan: Plan) -> None:
    """Write how late and how wrong each feeder is. Lags add up, factors multiply; where one is stuck, the older price counts.

    The feeders' assets and lags, and the market's sessions, stand in the world already.
    """
    faults, count = world.feed_faults, len(world.oracle_feeders)
    for event in plan.of_kind("oracle_lag", "oracle_wrong"):
        rounds = plan.rounds(event.from_s, event.over_s)
        match event.spec:
            case OracleLag(tasset=tasset, asset=asset, extra_seconds=seconds):
                struck = struck_feeders(scenario, tasset, asset, count)
                faults["lag"][rounds, struck] += whole_steps(seconds, plan.step_seconds)
            case OracleWrong(tasset=tasset, asset=asset, factor=factor):
                struck = struck_feeders(scenario, tasset, asset, count)
                faults["factor"][rounds, struck] *= _factors(plan, event, factor, rounds)[:, None]
    for index in range(count if len(faults) else 0):  # nobody saw anything before the start
        seen = np.arange(plan.steps + 1) - world.oracle_feeders[index].lag
        faults["lag"][:, index] = np.minimum(faults["lag"][:, index], np.maximum(seen, 0))
    for event in plan.of_kind("oracle_stuck"):
        if isinstance(event.spec, OracleStuck):
            for index in struck_feeders(scenario, event.spec.tasset, event.spec.asset, count):
                _stick(world, plan.rounds(event.from_s, event.to_s), index)


def _stick(world: World, rounds: slice, index: int) -> None:
    """Have a feeder see what it saw at the beginning of some rounds, or when the market was last open before."""
    feeder, lags = world.oracle_feeders[index], world.feed_faults["lag"]
    steps = np.arange(rounds.start, rounds.stop)
    first = _last_open(world.market_open[:, feeder.asset], max(rounds.start - int(feeder.lag), 0))
    lags[rounds, index] = np.maximum(lags[rounds, index], steps - feeder.lag - first)


def _last_open(is_open: Bools, step: int) -> int:
    """The last round up to this one in which the market was open; this one if there is none."""
    before: Ints = np.flatnonzero(is_open[: step + 1])
    return int(before[-1]) if len(before) else step


def fill_gas(world: World, plan: Plan) -> None:
    """Write what gas costs and for how long it holds liquidators up. Factors multiply; of several delays the longest counts."""
    for event in plan.of_kind("gas_spike"):
        if isinstance(event.spec, GasSpike):
            rounds, full = plan.rounds(event.from_s, event.over_s), plan.rounds(event.from_s, event.to_s)
            world.gas["factor"][rounds] *= _factors(plan, event, event.spec.factor, rounds)
            world.gas["delay"][full] = np.maximum(world.gas["delay"][full], event.spec.delay_minutes * SECONDS_PER_MINUTE)


def _factors(plan: Plan, event: Event, factor: float, rounds: slice) -> np.ndarray:
    times = np.arange(rounds.start, rounds.stop, dtype=np.float64) * plan.step_seconds
    factors: np.ndarray = factor ** strength(event, times)
    return factors
