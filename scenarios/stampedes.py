"""Stampedes: orders beyond those that arrive anyway, which stay as they are.

Extra orders arrive as a Poisson process with `factor` - 1 times the usual rate, by the same traders, in sizes of the same distribution; in
a round they come after the usual ones. An assumption throughout.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seawall.agents.perps_trader import TraderKind
from seawall.protocols.tables import Bools, Floats, Ints
from seawall.scenarios.avmm_schema import AvmmSpec
from seawall.scenarios.disturbance_schema import Stampede
from seawall.scenarios.disturbances import Event, Plan
from seawall.scenarios.exchange_population import DRAWN
from seawall.scenarios.exchange_schema import ExchangeSpec
from seawall.scenarios.layout import lognormal
from seawall.scenarios.parts import LogNormal
from seawall.scenarios.population import SECONDS_PER_DAY, chosen
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose

LONG, SHORT = -1.0, 1.0  # sides of an order on the exchange that no trader's long share changes
BY_THEMSELVES = (TraderKind.NOISE, TraderKind.WHALE)  # the others' orders follow signals

Orders = tuple[Ints, Ints, Ints, Bools, Floats]
"""Round, trader, pool or asset, whether it sells, USD, each [orders], by round."""


class _Extra(NamedTuple):
    """Extra orders of one event: round, trader, one of several targets, whether it sells, USD."""

    rounds: Ints
    traders: Ints
    targets: Ints
    sells: Bools
    usd: Floats


def of_pools(plan: Plan, scenario: Scenario, orders: Orders) -> Orders:
    """Orders on the pools, with those of stampedes."""
    spec, names = scenario.traders, list(scenario.tassets)
    extra = []
    for event, stampede in _stampedes(plan, "pools"):
        targets = np.arange(len(names)) if stampede.tasset is None else np.array([names.index(stampede.tasset)])
        per_day = spec.count * spec.orders_per_day * len(targets) / max(len(names), 1)
        extra.append(_draw(plan, event, stampede, per_day, spec.count, targets, spec.order_usd))
    return _merged(orders, extra)


def of_rfq(plan: Plan, spec: AvmmSpec, orders: Orders) -> Orders:
    """Orders on the RFQ market, with those of stampedes."""
    extra = []
    for event, stampede in _stampedes(plan, "rfq"):
        targets = np.arange(1, len(spec.names)) if stampede.asset is None else np.array([spec.names.index(stampede.asset)])
        per_day = spec.orders_per_day * len(targets) / (len(spec.names) - 1)
        extra.append(_draw(plan, event, stampede, per_day, spec.traders.count, targets, spec.traders.order_usd))
    return _merged(orders, extra)


def of_exchange(plan: Plan, spec: ExchangeSpec, orders: tuple[Ints, Ints, Floats, Floats]) -> tuple[Ints, Ints, Floats, Floats]:
    """Orders on the exchange (round, trader, draw of the side, USD), with those of stampedes, by noise traders and whales."""
    extra = []
    for event, stampede in _stampedes(plan, "exchange"):
        first = 0
        for kind, terms in zip(DRAWN, spec.traders.by_kind(), strict=True):
            if kind in BY_THEMSELVES:
                per_day, rows = terms.count * terms.orders_per_day, first + np.arange(max(terms.count, 1))
                extra.append(_draw(plan, event, stampede, per_day, terms.count, rows, terms.order_usd, int(kind)))
            first += terms.count
    found = [(more.rounds, more.targets, np.where(more.sells, SHORT, LONG), more.usd) for more in extra]
    rounds, traders, sides, usd = (np.concatenate(parts) for parts in zip(orders, *found, strict=True))
    order = np.argsort(rounds, kind="stable")
    return rounds[order], traders[order], sides[order], usd[order]


def _stampedes(plan: Plan, venue: str) -> list[tuple[Event, Stampede]]:
    found = [(event, event.spec) for event in plan.of_kind("stampede")]
    return [(event, spec) for event, spec in found if isinstance(spec, Stampede) and spec.venue == venue]


def _draw(plan: Plan, event: Event, spec: Stampede, per_day: float, traders: int, targets: Ints, usd: LogNormal, *child: int) -> _Extra:
    """Draw the extra orders of one event, where `per_day` arrive usually."""
    rng, seconds = plan.rng(Purpose.STAMPEDES, event, *child), min(event.to_s, plan.seconds) - event.from_s
    count = int(rng.poisson((spec.factor - 1.0) * per_day * max(seconds, 0.0) / SECONDS_PER_DAY))
    times = event.from_s + np.sort(rng.random(count)) * seconds
    rounds = np.minimum(np.floor(times / plan.step_seconds).astype(np.int64) + 1, plan.steps)
    who = rng.integers(max(traders, 1), size=count)
    which = targets[rng.integers(len(targets), size=count)]
    return _Extra(rounds, who, which, chosen(spec.selling, rng, count), lognormal(usd, rng, count))


def _merged(orders: Orders, extra: list[_Extra]) -> Orders:
    rounds, traders, targets, sells, usd = (np.concatenate(parts) for parts in zip(orders, *extra, strict=True))
    order = np.argsort(rounds, kind="stable")
    return rounds[order], traders[order], targets[order], sells[order], usd[order]
