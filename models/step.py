"""One round, in its written order. The clock knows no domain: what contracts do is in `protocols/`, who decides what in `agents/`.

1 environment, 2 oracle feeders, 3 traders and arbitrageurs, 4 minters, 5 liquidators, 6 liquidity providers, 7 records. Within a phase
the order of those who act is drawn; orders of traders come as they arrived.
"""

from __future__ import annotations

import numpy as np

from seawall.agents import liquidator, lp, minter, oracle_feeder, trader
from seawall.agents.base import everybody
from seawall.models.records import observe
from seawall.protocols.compiled import rule
from seawall.protocols.tables import Ints, Row, World


@rule
def begin(clock: Row) -> None:
    """Move the clock; prices, sessions and outages are read by the round's number."""
    clock.step += 1
    clock.now = clock.step * clock.step_seconds


@rule
def trader_order(world: World) -> Ints:
    """Traders with orders in this round, by their first order's arrival."""
    step = world.clock[0].step
    first, last = world.order_start[step], world.order_start[step + 1]
    rows = np.empty(last - first, np.int64)
    count = 0
    for i in range(first, last):
        row = world.orders[i].trader
        if not (rows[:count] == row).any():
            rows[count] = row
            count += 1
    return rows[:count]


@rule
def run(world: World, rounds: int) -> None:
    """Play rounds, each with its phases in order."""
    clock = world.clock[0]
    for _ in range(rounds):
        begin(clock)
        for row in range(len(world.oracle_feeders)):
            oracle_feeder.act(world, row)
        for row in trader_order(world):
            trader.act(world, row)
        for row in everybody(len(world.arbitrageurs), clock.order_seed, clock.step):
            trader.act_arbitrageur(world, row)
        for row in minter.order(world):
            minter.act(world, row)
        for row in liquidator.order(world):
            liquidator.act(world, row)
        liquidator.explain(world)
        for row in lp.order(world):
            lp.act(world, row)
        observe(world)
