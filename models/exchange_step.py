"""One round of the exchange, in its written order, after the round of the tASSET market that it shares clock and feeds with.

1 prices of collateral, funding, averages, incentives, 2 traders' orders as they arrive, 3 margins: traders add, keepers liquidate, 4 LPs, 5
keepers look at LPs, vaults and distributors, 6 pool owners, 7 records.
"""

from __future__ import annotations

import numpy as np

from seawall.agents import exchange_keeper, liquidity_lp, margin_watch, perps_trader, pool_owner
from seawall.agents.avmm import Avmm
from seawall.agents.exchange import Exchange
from seawall.agents.exchange_books import follow_prices, observe_yields, price_collateral, report, watch_solvency
from seawall.models import step
from seawall.models.exchange_records import observe
from seawall.protocols.compiled import rule
from seawall.protocols.tables import Ints, World


@rule
def begin(x: Exchange) -> None:
    """Take in what has happened outside since the last round."""
    now = x.clock[0].now
    price_collateral(x, now)
    for m in range(len(x.markets)):
        follow_prices(x, m, now)
        report(x, m, now)
    exchange_keeper.pay_incentives(x, now)


@rule
def watch_margins(x: Exchange, rows: Ints) -> None:
    """Let traders whose margin may have fallen to where somebody acts add to it, and keepers liquidate those who may be."""
    clock = x.clock[0]
    now, keepers = clock.now, len(x.exchange_keepers)
    for k in range(margin_watch.traders_to_watch(x, rows)):
        trader = x.perps_traders[rows[k]]
        if not x.perps_accounts[trader.market, trader.member].is_flagged:
            perps_trader.mind_margin(x, trader, now)
        if exchange_keeper.can_liquidate(x, trader, now):
            for i in range(keepers):
                exchange_keeper.liquidate_trader(x, x.exchange_keepers[(clock.step + i) % keepers], trader, now)
                if not exchange_keeper.can_liquidate(x, trader, now):
                    break
        else:
            margin_watch.set_bounds(x, trader, max(trader.alert, 1.0), now)


@rule
def finish(x: Exchange) -> None:
    """Bring the core's view of the markets up to date, look at yields, and write things down."""
    now = x.clock[0].now
    for m in range(len(x.markets)):
        watch_solvency(x, m, report(x, m, now), now)
    observe_yields(x, now)
    observe(x)


@rule
def play(x: Exchange, rows: Ints) -> None:
    """Play one round of the exchange."""
    begin(x)
    for k in range(perps_trader.traders_with_orders(x, rows)):
        perps_trader.act(x, rows[k])
    watch_margins(x, rows)
    for k in range(liquidity_lp.order(x, rows)):
        liquidity_lp.act(x, rows[k])
    for k in range(len(x.exchange_keepers)):
        exchange_keeper.act(x, k)
    for k in range(len(x.pool_owners)):
        pool_owner.act(x, k)
    finish(x)


@rule
def run(world: World, x: Exchange, rows: Ints, rounds: int, v: Avmm | None) -> None:
    """Play rounds of both: first the tASSET market's phases, with the RFQ market's if there is one, then the exchange's."""
    for _ in range(rounds):
        step.run(world, rows, 1, v)
        play(x, rows)


def room_for_rows(world: World, x: Exchange, v: Avmm | None) -> Ints:
    """Memory for the rows of the largest table of agents of any market."""
    return np.zeros(max(len(step.room_for_rows(world, v)), len(x.perps_traders), len(x.liquidity_lps), 1), np.int64)
