"""When disturbances happen on a path, and whom a drain of liquidity sends away.

Each disturbance has streams of its own, by its kind and its number among those of its kind: one more of them, or other parameters, move
no draw of another, nor of anything else.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from seawall.agents.tables import DEPARTURE
from seawall.protocols.tables import Bools, Floats, Ints, Table
from seawall.scenarios.disturbance_schema import KINDS, Disturbance, LiquidityDrain, Shaped
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose, stream

SECONDS_PER_HOUR = 3_600.0
SECONDS_PER_YEAR = 365.0 * 86_400.0


class Event(NamedTuple):
    """One occurrence of a disturbance.

    `place` is that in the scenario's list. Seconds since the start: it begins, ends or begins to fade (infinite: never), is over.
    `child` tells its streams from those of all others.
    """

    place: int
    spec: Disturbance
    from_s: float
    to_s: float
    over_s: float
    child: tuple[int, int, int]


class Plan(NamedTuple):
    """All disturbances of one path, by time of beginning, with what their draws depend on."""

    events: tuple[Event, ...]
    steps: int
    step_seconds: int
    seed: int
    path: int

    @property
    def seconds(self) -> float:
        """Length of the run."""
        return float(self.steps * self.step_seconds)

    def of_kind(self, *kinds: str) -> list[Event]:
        """Events of some kinds."""
        return [event for event in self.events if event.spec.kind in kinds]

    def rng(self, purpose: Purpose, event: Event, *child: int) -> np.random.Generator:
        """The stream of an event for a purpose."""
        return stream(self.seed, self.path, purpose, *event.child, *child)

    def rounds(self, from_s: float, to_s: float) -> slice:
        """Rounds whose time t has from_s <= t < to_s, of those from 0 to the last."""
        first = math.ceil(from_s / self.step_seconds)
        return slice(first, self.steps + 1 if math.isinf(to_s) else min(math.ceil(to_s / self.step_seconds), self.steps + 1))


def plan_of(scenario: Scenario, steps: int, seed: int, path: int) -> Plan:
    """Draw the times of all disturbances of a path of so many rounds."""
    events: list[Event] = []
    for index, spec in enumerate(scenario.disturbances):
        number = sum(other.kind == spec.kind for other in scenario.disturbances[:index])
        rng = stream(seed, path, Purpose.DISTURBANCE_TIMES, KINDS.index(spec.kind), number)
        times = _times(spec, rng, float(steps * scenario.step_seconds))
        events += [_event(index, spec, at_s, (KINDS.index(spec.kind), number, k)) for k, at_s in enumerate(times)]
    events.sort(key=lambda event: (event.from_s, event.place))
    return Plan(tuple(events), steps, scenario.step_seconds, seed, path)


def _times(spec: Disturbance, rng: np.random.Generator, seconds: float) -> list[float]:
    """Beginnings, seconds: the stated one, or those of a Poisson process, of which a longer run sees the same and more."""
    if spec.per_year is None:
        return [float(spec.at_hours or 0.0) * SECONDS_PER_HOUR]
    times: list[float] = []
    at_s = 0.0
    while True:
        at_s += float(rng.standard_exponential()) * SECONDS_PER_YEAR / spec.per_year
        if at_s >= seconds:
            return times
        times.append(at_s)


def _event(index: int, spec: Disturbance, at_s: float, child: tuple[int, int, int]) -> Event:
    to_s = math.inf if spec.hours is None else at_s + spec.hours * SECONDS_PER_HOUR
    fading = spec.recovery_hours * SECONDS_PER_HOUR if isinstance(spec, Shaped) else 0.0
    return Event(index, spec, at_s, to_s, to_s + fading, child)


def strength(event: Event, times: Floats) -> Floats:
    """Share in [0, 1] of a disturbance with ramp and recovery that is felt at each time, seconds since the start."""
    spec = event.spec
    if not isinstance(spec, Shaped):
        raise TypeError(f"a {spec.kind} has neither ramp nor recovery")
    ramp = spec.ramp_hours * SECONDS_PER_HOUR
    rise = np.clip(times - event.from_s, 0.0, ramp) / ramp if ramp > 0.0 else np.where(times >= event.from_s, 1.0, 0.0)
    fading = event.over_s - event.to_s
    fall = np.clip(event.over_s - times, 0.0, fading) / fading if fading > 0.0 else np.where(times < event.to_s, 1.0, 0.0)
    felt: Floats = rise * fall
    return felt


# --- drains ---


def pool_departures(plan: Plan, scenario: Scenario, lp_pools: Ints) -> Table:
    """Departures of LPs of the tASSETs' pools.

    Args:
        plan: of the path.
        scenario: of the run.
        lp_pools: `[LPs]` row of pools; LPs of the tEXO pool stay.
    """
    names = scenario.tasset_names
    of_tassets = lp_pools < len(names)
    return _departures(
        plan,
        "pools",
        len(lp_pools),
        lambda drain: of_tassets if drain.tasset is None else lp_pools == names.index(drain.tasset),
    )


def rfq_departures(plan: Plan, names: tuple[str, ...], primary: Ints) -> Table:
    """Departures of LPs of the RFQ market, of whose assets there are names and each LP's primary one, `[LPs]`."""
    everybody = np.ones(len(primary), np.bool_)
    return _departures(
        plan,
        "rfq",
        len(primary),
        lambda drain: everybody if drain.asset is None else primary == names.index(drain.asset),
    )


def exchange_departures(plan: Plan, lps: int) -> Table:
    """Departures of the exchange's LPs."""
    everybody = np.ones(lps, np.bool_)
    return _departures(plan, "exchange", lps, lambda _: everybody)


def _departures(plan: Plan, venue: str, lps: int, eligible: Any) -> Table:
    """Rows of `DEPARTURE` of the drains of a venue, by round; `eligible` says of a drain which LPs it can strike."""
    rows = [np.zeros(0, DEPARTURE)]
    for event in plan.of_kind("liquidity_drain"):
        if isinstance(event.spec, LiquidityDrain) and event.spec.venue == venue:
            struck = _drawn(plan.rng(Purpose.DRAINED_LPS, event), eligible(event.spec), lps, event.spec.share)
            left = np.zeros(len(struck), DEPARTURE)
            left["step"], left["lp"], left["until"] = max(plan.rounds(event.from_s, event.to_s).start, 1), struck, event.to_s
            rows.append(left)
    found = np.concatenate(rows)
    return found[np.argsort(found["step"], kind="stable")]


def _drawn(rng: np.random.Generator, eligible: Bools, lps: int, share: float) -> Ints:
    """A share of those eligible, rounded to whole LPs; each LP has one draw, so a larger share strikes the same ones and more."""
    rank, rows = rng.random(lps), np.flatnonzero(eligible)
    count = math.floor(share * len(rows) + 0.5)
    return np.sort(rows[np.argsort(rank[rows], kind="stable")[:count]])


# --- for the manifest ---


def listed(scenario: Scenario, steps: int, seed: int, path: int) -> list[dict[str, Any]]:
    """Every event of a path as plain data, by time.

    Each has what the scenario says of it, `place` (in the scenario's list), `what` in words, and, in seconds since the start and
    at most to the end of the run: `from_s`, `to_s` (it ends or begins to fade), `over_s`.
    """
    plan = plan_of(scenario, steps, seed, path)
    return [
        {
            **event.spec.model_dump(exclude={"at_hours", "per_year"}, exclude_none=True),
            "place": event.place,
            "from_s": event.from_s,
            "to_s": min(event.to_s, plan.seconds),
            "over_s": min(event.over_s, plan.seconds),
            "what": event.spec.what(),
        }
        for event in plan.events
    ]
