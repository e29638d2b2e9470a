"""What is written down about the exchange: the state of each market and each pool at intervals."""

from __future__ import annotations

from seawall.agents.exchange import Exchange, core_of, perps_of
from seawall.agents.exchange_books import lowest_ratio
from seawall.protocols import markets, perps_debt, vaults
from seawall.protocols.compiled import rule
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.perps_tables import index_price
from seawall.protocols.tables import Row


@rule
def record_market(x: Exchange, m: int, row: Row) -> None:
    """Fill one row of a market's time series."""
    clock, memory, perps = x.clock[0], x.market_memory[m], perps_of(x, m)
    market, group, core_market = x.perps_markets[m, 0], x.groups[m], x.markets[m]
    row.time, row.index_price = clock.now, index_price(perps, 0)
    row.market_price = x.market_price[clock.step, memory.asset]
    row.skew, row.open_interest = market.skew, market.open_interest
    row.funding_rate, _ = funding_now(market, row.index_price, clock.now)
    row.reported_debt, row.total_debt = core_market.reported_debt, markets.total_debt(core_market)
    row.capacity = markets.capacity(core_market, x.backings, m) - perps_debt.reported_debt(perps, clock.now)
    row.delegated, row.margin = markets.delegated_value(core_market, x.backings, m), group.margin
    row.fees, row.impact, row.funding = memory.fees, memory.impact, memory.funding
    row.price_gain, row.liquidation_gain, row.volume = memory.price_gain, memory.liquidation_gain, memory.volume
    row.liquidations, row.liquidated_usd = memory.liquidations, memory.liquidated_usd
    row.positions = market.open_positions


@rule
def record_pool(x: Exchange, p: int, row: Row) -> None:
    """Fill one row of a pool's time series."""
    core, memory = core_of(x), x.pool_memory[p]
    row.time, row.yield_mean, row.siphoned = x.clock[0].now, memory.yield_mean, memory.siphoned
    row.min_ratio = lowest_ratio(x, p)
    for c in range(len(x.collateral_types)):
        row.value += vaults.vault_value(core, p, c)
        row.debt += vaults.vault_debt(core, p, c)
        row.lps += x.vaults[p, c].members


@rule
def observe(x: Exchange) -> None:
    """Add up what is averaged over time; write a record when its turn has come."""
    clock, times, core = x.clock[0], x.times[0], core_of(x)
    for p in range(len(x.pools)):
        for c in range(len(x.collateral_types)):
            x.pool_memory[p].value_seconds += vaults.vault_value(core, p, c) * clock.step_seconds
    if clock.step % clock.record_every != 0 and clock.step != clock.steps:
        return
    for m in range(len(x.markets)):
        record_market(x, m, x.market_series[times.records, m])
    for p in range(len(x.pools)):
        record_pool(x, p, x.pool_series[times.records, p])
    times.records += 1
