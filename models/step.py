"""One round, in its written order. The clock knows no domain: what contracts do is in `protocols/`, who decides what in `agents/`.

1 environment, 2 oracle feeders and delistings, 3 keepers (inflation, fees, polls), 4 traders and arbitrageurs, 5 minters, 6 liquidators, 7
liquidity providers, 8 stakers (proposals, votes, rewards), 9 the RFQ market, where there is one: its quotes due, its traders, its LPs; 10
records. Within a phase the order of those who act is drawn; orders of traders come as they arrived.
"""

from __future__ import annotations

import numpy as np

from seawall.agents import keeper, liquidator, lp, migration, minter, oracle_feeder, staker, trader
from seawall.agents.avmm import Avmm
from seawall.models import avmm_records, avmm_step
from seawall.models.records import observe
from seawall.protocols.compiled import rule
from seawall.protocols.tables import Ints, Row, World


@rule
def begin(clock: Row) -> None:
    """Move the clock; prices, sessions and outages are read by the round's number."""
    clock.step += 1
    clock.now = clock.step * clock.step_seconds


@rule
def trader_order(world: World, rows: Ints) -> int:
    """Fill `rows` with the traders who have orders, by their first one's arrival, then with those who are to burn; return how many."""
    step = world.clock[0].step
    count = 0
    for i in range(world.order_start[step], world.order_start[step + 1]):
        row = world.orders[i].trader
        known = False
        for k in range(count):
            known = known or rows[k] == row
        if not known:
            rows[count] = row
            count += 1
    return count if len(world.migrations) == 0 else add_recoverers(world, rows, count)


@rule
def add_recoverers(world: World, rows: Ints, count: int) -> int:
    """Append the traders whose time to burn has come and who are not among the first `count`; return how many there are now."""
    listed = count
    for i in range(len(world.traders)):
        known = world.clock[0].now < world.traders[i].recovers_at
        for k in range(listed):
            known = known or rows[k] == i
        if not known:
            rows[count] = i
            count += 1
    return count


@rule
def run(world: World, rows: Ints, rounds: int, v: Avmm | None) -> None:
    """Play rounds, each with its phases in order; with the RFQ market's if there is one. `rows` has room for every agent of a kind.

    One function on purpose: with a call for each round, a run took twice as long.
    """
    clock = world.clock[0]
    for _ in range(rounds):
        begin(clock)
        for row in range(len(world.oracle_feeders)):
            oracle_feeder.act(world, row)
        migration.act(world)
        if v is not None:
            avmm_step.begin(v)
        for row in range(len(world.keepers)):
            keeper.act(world, row)
        for k in range(trader_order(world, rows)):
            trader.act(world, rows[k], v)
        for k in range(trader.arbitrageur_order(world, rows)):
            trader.act_arbitrageur(world, rows[k], v)
        for k in range(minter.order(world, rows)):
            minter.act(world, rows[k])
        for k in range(liquidator.order(world, rows)):
            liquidator.act(world, rows[k], v)
        liquidator.explain(world)
        for k in range(lp.order(world, rows)):
            lp.act(world, rows[k])
        staker.propose_due(world)
        for k in range(staker.order(world, rows)):
            staker.act(world, rows[k])
        if v is not None:
            avmm_step.play(v, rows)
            avmm_records.observe(v)
        observe(world)


def room_for_rows(world: World, v: Avmm | None) -> Ints:
    """Memory for the rows of the largest table of agents, reused by all phases."""
    tables = (world.minters, world.liquidators, world.traders, world.arbitrageurs, world.lps, world.stakers)
    of_avmm = (v.avmm_lps, v.avmm_traders) if v is not None else ()
    return np.zeros(max(len(table) for table in tables + of_avmm), np.int64)
