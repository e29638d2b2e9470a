"""What every agent of the exchange needs to know of it: credit, prices of collateral, and who gained what since the last round.

LPs are the other side of every trader. Their gain is minus the change of the markets' total debt (what traders own + what was paid out -
what was paid in); its sources are followed one by one: order fees, fills away from the index price, funding, moves of the index price
against the skew, and liquidations.
"""

from __future__ import annotations

import math

from seawall.agents.exchange import Exchange, core_of, perps_of
from seawall.protocols import liquidity_pools, markets, perps_debt, vaults
from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.perps_tables import index_price
from seawall.protocols.tables import Row

SECONDS_PER_YEAR = 365.0 * 86_400.0
SMALL = 1e-9  # USD of capital below which there is no yield


@rule
def report(x: Exchange, m: int, now: float) -> float:
    """Write what a market owes its traders where the core reads it; return the USD of credit that the core vouches for, issuance apart."""
    perps, market = perps_of(x, m), x.markets[m]
    market.net_issuance = x.groups[m].net_issuance
    market.reported_debt = perps_debt.reported_debt(perps, now)
    market.minimum_credit = perps_debt.minimum_credit(perps)
    return float(markets.capacity(market, x.backings, m) + market.net_issuance)


@rule
def price_collateral(x: Exchange, now: float) -> None:
    """Write fresh oracle prices where the core reads them; a stale one stays as it was."""
    for c in range(len(x.collateral_types)):
        f = x.collateral_sources[c].feed
        if f >= 0 and is_fresh(x.feeds[f], now):
            x.collateral_types[c].price = x.feeds[f].price


@rule
def follow_prices(x: Exchange, m: int, now: float) -> None:
    """Book what the move of the index price and funding since the last round brought the LPs, and move the averages on."""
    memory, row = x.market_memory[m], x.perps_markets[m, 0]
    price = index_price(perps_of(x, m), 0)
    _, per_unit = funding_now(row, price, now)
    memory.price_gain -= row.skew * (price - memory.last_price)
    memory.funding -= row.skew * (per_unit - memory.last_per_unit)
    memory.last_price, memory.last_per_unit = price, per_unit
    step = x.clock[0].step_seconds
    memory.fast += (price - memory.fast) * (1.0 - math.exp(-step / memory.fast_seconds))
    memory.slow += (price - memory.slow) * (1.0 - math.exp(-step / memory.slow_seconds))


@rule
def watch_solvency(x: Exchange, m: int, credit: float, now: float) -> None:
    """Book for how long and by how much the credit has not covered what traders own."""
    memory, group = x.market_memory[m], x.groups[m]
    missing = x.markets[m].reported_debt - (credit - group.net_issuance)
    if missing > 0.0:
        memory.insolvent_seconds += x.clock[0].step_seconds
        memory.unpaid_peak = max(memory.unpaid_peak, missing)
        memory.first_insolvent_at = min(memory.first_insolvent_at, now)


@rule
def remember_yield(memory: Row, debt: float, capital: float, part_of_year: float, weight: float) -> None:
    """Take the change of a debt since the last look into the averages of the yield on some capital.

    The mean is per year; the mean square, over the look's part of a year, is the variance per year of a return that scatters around 0.
    """
    gain = memory.last_debt - debt
    memory.last_debt = debt
    if capital > SMALL:
        rate = gain / capital / part_of_year
        memory.yield_mean += (rate - memory.yield_mean) * weight
        memory.yield_square += (rate * rate * part_of_year - memory.yield_square) * weight


@rule
def pool_debt(x: Exchange, p: int) -> float:
    """USD that a pool's LPs owe up to now, through its markets, to its distributor's receivers, and for what they minted."""
    return float(x.pools[p].debt + liquidity_pools.incoming_debt(core_of(x), p))


@rule
def observe_yields(x: Exchange, now: float) -> None:
    """Look at what markets and pools have earned since the last look, as their LPs do."""
    times = x.times[0]
    if now < times.observe_at:
        return
    times.observe_at = now + times.observe_every
    part, weight = times.observe_every / SECONDS_PER_YEAR, 1.0 - math.exp(-times.observe_every / times.memory_seconds)
    for m in range(len(x.markets)):
        capital = markets.delegated_value(x.markets[m], x.backings, m)
        remember_yield(x.market_memory[m], markets.total_debt(x.markets[m]), capital, part, weight)
    for p in range(len(x.pools)):
        remember_yield(x.pool_memory[p], pool_debt(x, p), x.pools[p].value, part, weight)


@rule
def lowest_ratio(x: Exchange, p: int) -> float:
    """Lowest collateral ratio of a pool's positions; infinite without debt."""
    core, lowest, known, per_share = core_of(x), float("inf"), -1, 0.0
    for i in range(len(x.liquidity_lps)):
        position = x.positions[i * len(x.pools) + p]
        if position.shares > 0.0:
            if position.collateral_type != known:
                known = position.collateral_type
                per_share = vaults.debt_per_share(core, p, known)
            debt = vaults.position_debt_at(core, position, per_share)
            lowest = min(lowest, vaults.collateral_ratio(vaults.position_value(core, position), debt))
    return lowest
