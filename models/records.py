"""What is written down about a run: the state of each tASSET at intervals, its worst moments, and how often who was refused.

Solvency is marked at the market price (the path), not at the oracle's: a silent feed does not make anybody solvent.
"""

from __future__ import annotations

import numpy as np

from seawall.agents.alarms import collateral_mark, mark_price, market_ratio, update_insolvent
from seawall.agents.sorted_rows import place
from seawall.models.ranking import place_of_ratio, rank
from seawall.protocols import amm
from seawall.protocols.cdp import last_price
from seawall.protocols.compiled import rule
from seawall.protocols.tables import FLOAT, INT, Floats, Row, World, table_type

NEVER = float("inf")

# One row per tASSET and a last one for the whole market.
PEAK = table_type(
    "peaks",
    shortfall=(FLOAT, "USD: sum over CDPs of max(debt value - collateral, 0), now"),
    insolvent=(INT, "CDPs whose collateral is worth less than their debt, now"),
    shortfall_peak=(FLOAT, "USD: largest shortfall so far"),
    shortfall_peak_at=(FLOAT, "seconds: when that was"),
    insolvent_peak=(INT, "largest number of insolvent CDPs so far"),
    first_insolvent_at=(FLOAT, "seconds: first time a CDP was insolvent; infinite for never"),
    insolvent_debt_usd=(FLOAT, "USD: debt of insolvent CDPs, now"),
    min_system_ratio=(FLOAT, "fraction: lowest collateral of all CDPs / value of their debt so far; infinite without debt"),
    pool_value_seconds=(FLOAT, "USD x seconds: value of the pool's reserves added up over time"),
)

SERIES = table_type(
    "series",
    time=(FLOAT, "seconds"),
    market_price=(FLOAT, "USD per token: the market's, or the end price"),
    market_open=(INT, "1 while the market of the tracked asset is open"),
    oracle_price=(FLOAT, "USD per token"),
    oracle_age=(FLOAT, "seconds since the last publication; minus infinite where the price is frozen, infinite before the first"),
    pool_base=(FLOAT, "tDOLLAR in the pool"),
    pool_asset=(FLOAT, "tASSET tokens in the pool"),
    collateral_usd=(FLOAT, "USD of collateral of all CDPs, at the market price"),
    min_collateral_ratio=(FLOAT, "fraction"),
    is_delisted=(INT, "1 once it is"),
    debt=(FLOAT, "tASSET tokens owed by all CDPs"),
    bad_debt_usd=(FLOAT, "USD: cumulative"),
    shortfall=(FLOAT, "USD"),
    insolvent=(INT, "CDPs"),
    called=(INT, "CDPs left margin called after the liquidators' turn"),
    open_cdps=(INT, "CDPs"),
    liquidations=(INT, "purchases: cumulative"),
    burned_usd=(FLOAT, "USD of debt burned in purchases: cumulative"),
    volume=(FLOAT, "tDOLLAR swapped on the pool: cumulative"),
    fees_base=(FLOAT, "tDOLLAR of commission: cumulative"),
    fees_asset=(FLOAT, "tASSET tokens of commission: cumulative"),
)

REWARD_SERIES = table_type(
    "reward_series",
    time=(FLOAT, "seconds"),
    texo_price=(FLOAT, "tDOLLAR per tEXO on its pool; 0 for an empty pool"),
    staked=(FLOAT, "tEXO staked"),
    converted=(FLOAT, "tDOLLAR of protocol fees sold for tEXO: cumulative"),
    distributed=(FLOAT, "tEXO paid to stakers out of fees: cumulative"),
    emitted=(FLOAT, "tEXO of inflation: cumulative"),
    lp_rewards=(FLOAT, "tEXO of inflation paid for staked LP tokens: cumulative"),
)

RATIO_EDGES = np.array(
    [
        0.0,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
        1.0,
        1.1,
        1.2,
        1.3,
        1.4,
        1.5,
        1.6,
        1.7,
        1.8,
        1.9,
        2.0,
        2.2,
        2.4,
        2.6,
        2.8,
        3.0,
        3.5,
        4.0,
        5.0,
        7.0,
        10.0,
        np.inf,
    ]
)
"""Edges of the bins of collateral ratios; a CDP without debt is in the last."""
PAR_BIN = int(np.searchsorted(RATIO_EDGES, 1.0))
"""The bin that begins where the collateral just covers the debt."""


@rule
def mark_shortfall(world: World) -> None:
    """Set the shortfall and number of insolvent CDPs, per tASSET and (last row of peaks) in all, at the market price of this round."""
    step, whole = world.clock[0].step, world.peaks[len(world.tassets)]
    for k in range(len(world.peaks)):
        world.peaks[k].shortfall = 0.0
        world.peaks[k].insolvent = 0
        world.peaks[k].insolvent_debt_usd = 0.0
    for k in range(1, update_insolvent(world) + 1):
        cdp = world.cdps[world.insolvent[k]]
        debt_usd = cdp.debt * mark_price(world.tassets[cdp.tasset], world.market_price, step)
        shortfall = debt_usd - cdp.collateral * collateral_mark(world.cdp_kinds[cdp.kind], world.tassets, world.market_price, step)
        add_insolvent(world.peaks[cdp.tasset], shortfall, debt_usd)
        add_insolvent(whole, shortfall, debt_usd)


@rule
def add_insolvent(peak: Row, shortfall: float, debt_usd: float) -> None:
    """Add one CDP that is worth less than it owes, USD."""
    peak.shortfall += shortfall
    peak.insolvent += 1
    peak.insolvent_debt_usd += debt_usd


@rule
def update_peak(peak: Row, collateral: float, debt_usd: float, pool_value: float, now: float, seconds: float) -> None:
    """Keep the worst of what was seen so far."""
    if peak.shortfall > peak.shortfall_peak:
        peak.shortfall_peak = peak.shortfall
        peak.shortfall_peak_at = now
    peak.insolvent_peak = max(peak.insolvent_peak, peak.insolvent)
    if peak.insolvent > 0 and peak.first_insolvent_at == NEVER:
        peak.first_insolvent_at = now
    if debt_usd > 0.0:
        peak.min_system_ratio = min(peak.min_system_ratio, collateral / debt_usd)
    peak.pool_value_seconds += pool_value * seconds


@rule
def record_tasset(row: Row, tasset: Row, flow: Row, peak: Row, feed: Row, pool: Row, wallets: Floats, now: float) -> None:
    """Fill one row of the time series, prices of the market apart."""
    row.time = now
    row.oracle_price, row.oracle_age = feed.price, now - feed.updated_at
    row.pool_base, row.pool_asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    row.debt, row.bad_debt_usd = tasset.debt, tasset.bad_debt_usd
    row.min_collateral_ratio, row.is_delisted = tasset.min_collateral_ratio, int(tasset.is_delisted)
    row.shortfall, row.insolvent = peak.shortfall, peak.insolvent
    row.liquidations, row.burned_usd = flow.liquidations, flow.burned_usd
    row.volume, row.fees_base, row.fees_asset = pool.volume_base, pool.fees_base, pool.fees_asset


@rule
def count_cdps(world: World, record: int) -> None:
    """Count open and margin-called CDPs, and those in each bin of collateral ratio at the market price."""
    for k in range(len(world.cdp_kinds)):
        rank(world.cdp_kinds[k], world.cdps, world.backings)
        count_kind(world, world.cdp_kinds[k], record)
    for k in range(1, world.insolvent[0] + 1):
        cdp = world.cdps[world.insolvent[k]]
        ratio = cdp.backing / market_ratio(world.cdp_kinds[cdp.kind], world.tassets, world.market_price, world.clock[0].step)
        if ratio < 1.0:  # who is not insolvent by whole units counts as covered
            world.ratio_counts[record, cdp.tasset, PAR_BIN] -= 1
            world.ratio_counts[record, cdp.tasset, ratio_bin(ratio)] += 1


@rule
def count_kind(world: World, kind: Row, record: int) -> None:
    """Add the CDPs of a kind to a record, as if none were insolvent."""
    tasset, backings, end = world.tassets[kind.tasset], world.backings[0], kind.end
    row, counts = world.series[record, kind.tasset], world.ratio_counts[record, kind.tasset]
    first = place(backings, kind.first, end, 0.0)
    row.open_cdps += end - first
    if not tasset.is_delisted:
        row.called += place(backings, first, end, last_price(kind, world.feeds) * tasset.min_collateral_ratio) - first
    market = market_ratio(kind, world.tassets, world.market_price, world.clock[0].step)
    for ratio in range(PAR_BIN, len(RATIO_EDGES) - 1):
        after = place_of_ratio(backings, first, end, market, RATIO_EDGES[ratio + 1]) if ratio + 2 < len(RATIO_EDGES) else end
        counts[ratio] += after - first
        first = after


@rule
def ratio_bin(ratio: float) -> int:
    """Bin of `RATIO_EDGES` that a collateral ratio falls into."""
    low, high = 0, len(RATIO_EDGES) - 2
    while low < high:
        middle = (low + high + 1) // 2
        if ratio >= RATIO_EDGES[middle]:
            low = middle
        else:
            high = middle - 1
    return low


@rule
def collateral_usd(world: World, tasset: int) -> float:
    """USD of collateral behind a tASSET, at the marks of this round."""
    total = 0.0
    for i in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[i]
        if kind.tasset == tasset:
            total += kind.collateral * collateral_mark(kind, world.tassets, world.market_price, world.clock[0].step)
    return total


@rule
def record_rewards(world: World, row: Row) -> None:
    """Fill one row of the time series of tEXO."""
    count = len(world.tassets)
    pool, stake_pool = world.pools[count], world.stake_pools[count]
    price = amm.price(pool, world.wallets)
    row.time, row.staked, row.emitted = world.clock[0].now, stake_pool.total_bond, world.inflation[0].emitted
    row.texo_price = price if price > 0.0 else 0.0
    for i in range(len(world.keepers)):
        row.converted += world.keepers[i].converted
        row.distributed += world.keepers[i].distributed
    for k in range(count):
        row.lp_rewards += world.stake_pools[k].rewarded


@rule
def record(world: World) -> None:
    """Write one record: the series, the distribution of ratios and the tallies."""
    clock = world.clock[0]
    at = clock.records
    for k in range(len(world.tassets)):
        tasset, row = world.tassets[k], world.series[at, k]
        record_tasset(
            row, tasset, world.flows[k], world.peaks[k], world.feeds[tasset.feed], world.pools[tasset.pool], world.wallets, clock.now
        )
        row.market_price = mark_price(tasset, world.market_price, clock.step)
        row.collateral_usd = collateral_usd(world, k)
        row.market_open = int(world.market_open[clock.step, tasset.asset])
    count_cdps(world, at)
    record_rewards(world, world.reward_series[at])
    for action in range(world.tallies.shape[0]):
        for status in range(world.tallies.shape[1]):
            if world.tallies[action, status] > 0:
                world.tally_series[action, status, at] = world.tallies[action, status]
    clock.records += 1


@rule
def observe(world: World) -> None:
    """Measure the round that has just been played; record it when its turn has come."""
    clock = world.clock[0]
    mark_shortfall(world)
    seconds = clock.step_seconds if clock.step > 0 else 0.0
    texo_pool = world.pools[len(world.tassets)]
    all_collateral, all_debt_usd, all_pools = 0.0, 0.0, 2.0 * world.wallets[texo_pool.account, texo_pool.base_token]
    for k in range(len(world.tassets)):
        tasset = world.tassets[k]
        pool = world.pools[tasset.pool]
        price, collateral = mark_price(tasset, world.market_price, clock.step), collateral_usd(world, k)
        pool_value = world.wallets[pool.account, pool.base_token] + world.wallets[pool.account, pool.asset_token] * price
        update_peak(world.peaks[k], collateral, tasset.debt * price, pool_value, clock.now, seconds)
        all_collateral += collateral
        all_debt_usd += tasset.debt * price
        all_pools += pool_value
    update_peak(world.peaks[len(world.tassets)], all_collateral, all_debt_usd, all_pools, clock.now, seconds)
    if clock.step % clock.record_every == 0 or clock.step == clock.steps:
        record(world)
