"""Small exchanges for tests: two pools behind two markets, LPs with ETH or a stablecoin, traders with dUSD."""

from __future__ import annotations

import numpy as np

from seawall.agents.exchange import (
    COLLATERAL_SOURCE,
    EXCHANGE_CLOCK,
    EXCHANGE_KEEPER,
    INCENTIVE,
    LIQUIDITY_LP,
    LP_BLOCK,
    MARGIN_BLOCK,
    MARKET_MEMORY,
    MARKET_SERIES,
    PERPS_ORDER,
    PERPS_TRADER,
    POOL_MEMORY,
    POOL_OWNER,
    POOL_SERIES,
    Exchange,
    blocks_of,
    core_in,
)
from seawall.agents.tables import DEPARTURE, GAS
from seawall.protocols import delegation, ledger, liquidity_pools, oracle
from seawall.protocols import liquidity_tables as core_tables
from seawall.protocols import perps_tables as perps
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import CLOCK, FEED, TOKEN

USD, ETH, COIN, GIFT = 0, 1, 2, 3  # tokens
CORE, FUNDER, STREAM, CREATOR, OWNER, KEEPER, FIRST_LP = 0, 1, 2, 3, 4, 6, 7  # accounts; two owners
NEVER = float("inf")
PRICE = 2000.0


def an_exchange(*, lps: int = 4, traders: int = 4, steps: int = 60, step_seconds: float = 60.0, lp_usd: float = 1_000_000.0) -> Exchange:
    """An exchange at time 0: LPs delegated evenly to two pools, each behind both markets; nobody has traded yet."""
    accounts = FIRST_LP + lps + traders
    x = Exchange(
        clock=np.zeros(1, CLOCK),
        tokens=np.zeros(4, TOKEN),
        wallets=np.zeros((accounts, 4)),
        feeds=np.zeros(2, FEED),
        market_price=np.full((steps + 1, 2), PRICE),
        system=np.zeros(1, core_tables.LIQUIDITY_SYSTEM),
        collateral_types=np.zeros(2, core_tables.COLLATERAL_TYPE),
        deposits=np.zeros((accounts, 2)),
        pools=np.zeros(2, core_tables.LIQUIDITY_POOL),
        markets=np.zeros(2, core_tables.MARKET),
        backings=np.zeros((2, 2), core_tables.BACKING),
        vaults=np.zeros((2, 2), core_tables.VAULT),
        positions=np.zeros(2 * lps, core_tables.POSITION),
        streams=np.zeros(1, core_tables.STREAM),
        stream_vaults=np.zeros((1, 2), core_tables.STREAM_VAULT),
        claims=np.zeros((2 * lps, 1), core_tables.REWARD_CLAIM),
        siphons=np.zeros(2, core_tables.SIPHON),
        groups=np.zeros(2, perps.PERPS_GROUP),
        perps_markets=np.zeros((2, 1), perps.PERPS_MARKET),
        perps_accounts=np.zeros((2, traders), perps.PERPS_ACCOUNT),
        perps_positions=np.zeros((2, traders), perps.PERPS_POSITION),
        liquidated=np.zeros((2, 1, 8), perps.LIQUIDATED),
        perps_traders=np.zeros(traders, PERPS_TRADER),
        liquidity_lps=np.zeros(lps, LIQUIDITY_LP),
        pool_owners=np.zeros(2, POOL_OWNER),
        exchange_keepers=np.zeros(1, EXCHANGE_KEEPER),
        incentives=np.zeros(0, INCENTIVE),
        collateral_sources=np.zeros(2, COLLATERAL_SOURCE),
        perps_orders=np.zeros(0, PERPS_ORDER),
        order_start=np.zeros(steps + 2, np.int64),
        recorded=np.zeros((steps + 1, 0)),
        times=np.zeros(1, EXCHANGE_CLOCK),
        market_memory=np.zeros(2, MARKET_MEMORY),
        pool_memory=np.zeros(2, POOL_MEMORY),
        new_weights=np.zeros(2),
        new_limits=np.zeros(2),
        market_series=np.zeros((steps + 2, 2), MARKET_SERIES),
        pool_series=np.zeros((steps + 2, 2), POOL_SERIES),
        tallies=np.zeros((len(Action), len(Status)), np.int64),
        gas=np.zeros(0, GAS),
        departures=np.zeros(0, DEPARTURE),
        margin_blocks=np.zeros((2, blocks_of(traders)), MARGIN_BLOCK),
        watched=np.zeros(traders + 1, np.int64),
        lp_blocks=np.zeros(blocks_of(lps), LP_BLOCK),
    )
    x.clock["steps"], x.clock["step_seconds"], x.clock["record_every"] = steps, step_seconds, 1
    x.times["observe_every"], x.times["memory_seconds"] = 3600.0, 86_400.0
    x.feeds["feeder"], x.feeds["valid_for"] = CREATOR, NEVER
    for feed in x.feeds:
        _ok(oracle.publish(feed, CREATOR, PRICE, 0.0))
    _set_terms(x)
    _place_agents(x, lps, lp_usd)
    return x


def _set_terms(x: Exchange) -> None:
    x.system["account"], x.system["usd_token"], x.system["min_liquidity_ratio"] = CORE, USD, 1.0
    kinds = x.collateral_types
    kinds["token"], kinds["price"] = [ETH, COIN], [PRICE, 1.0]
    kinds["issuance_ratio"], kinds["liquidation_ratio"] = [4.0, 1.2], [1.5, 1.05]
    kinds["liquidation_reward"], kinds["min_delegation"] = [0.0078125, 8.0], [0.125, 128.0]
    x.collateral_sources["feed"] = [0, -1]
    x.vaults["max_collateral"] = NEVER
    x.positions["delegated_at"] = -NEVER
    x.pools["owner"] = OWNER + np.arange(2)
    x.groups["token"], x.groups["max_keeper_reward"], x.groups["max_keeper_share"] = USD, 1e6, 1.0
    x.groups["min_keeper_reward"] = 1.0
    market = x.perps_markets
    market["feed"][:, 0] = [0, 1]
    market["skew_scale"], market["max_funding_velocity"], market["max_open_interest"] = 10_000.0, 9.0, NEVER
    market["maker_fee"], market["taker_fee"] = 0.0002, 0.0005
    market["margin_slope"], market["min_margin_ratio"], market["maintenance_scalar"] = 1.0, 0.02, 0.5
    market["flag_reward_ratio"], market["locked_oi_ratio"], market["endorsed_liquidator"] = 0.0003, 0.1, -1
    memory = x.market_memory
    memory["fast"] = memory["slow"] = memory["last_price"] = PRICE
    memory["fast_seconds"], memory["slow_seconds"], memory["first_insolvent_at"] = 1_800.0, 14_400.0, NEVER
    memory["asset"] = [0, 1]


def _place_agents(x: Exchange, lps: int, lp_usd: float) -> None:
    core, pools = core_in(x), len(x.pools)
    x.exchange_keepers["account"], x.exchange_keepers["look_every"] = KEEPER, 600.0
    x.pool_owners["account"], x.pool_owners["pool"] = OWNER + np.arange(2), np.arange(2)
    x.pool_owners["rebalance_at"] = x.pool_owners["rebalance_every"] = NEVER
    for i, lp in enumerate(x.liquidity_lps):
        lp.account, lp.collateral_type, lp.pool = FIRST_LP + i, i % 2, (i // 2) % 2
        lp.hurdle = lp.fear = lp.borrow_ratio = NEVER
        lp.look_every = 600.0
        amount = lp_usd / x.collateral_types[lp.collateral_type].price
        lp.start_tokens = amount
        _ok(ledger.mint(x.wallets, x.tokens, x.collateral_types[lp.collateral_type].token, lp.account, amount))
        for p in range(pools):
            position = x.positions[i * pools + p]
            position.row, position.account, position.pool, position.collateral_type = i * pools + p, lp.account, p, lp.collateral_type
        _ok(delegation.deposit(core, x.wallets, lp.account, lp.collateral_type, amount))
        _ok(delegation.delegate(core, x.positions[i * pools + lp.pool], amount, 0.0))
    for p in range(pools):
        _ok(liquidity_pools.configure(core, p, OWNER + p, np.ones(2), np.ones(2)))
    for i, trader in enumerate(x.perps_traders):
        trader.account, trader.market, trader.member = FIRST_LP + lps + i, i % 2, i
        trader.leverage, trader.capital, trader.long_share, trader.away_until = 5.0, 100_000.0, 0.5, -NEVER
        trader.cooldown = 3_600.0
        x.perps_accounts["owner"][trader.market, i] = trader.account
        _ok(ledger.mint(x.wallets, x.tokens, USD, trader.account, 100_000.0))
        trader.start_usd = 100_000.0


def next_round(x: Exchange, price: float) -> None:
    """Move the clock on by a round and publish a price (USD) on both feeds."""
    clock = x.clock[0]
    clock.step += 1
    clock.now = clock.step * clock.step_seconds
    for feed in x.feeds:
        _ok(oracle.publish(feed, CREATOR, price, clock.now))
    x.market_price[clock.step] = price


def _ok(status: int) -> None:
    if status != Status.OK:
        raise AssertionError(f"a test's exchange cannot be built: {Status(status).name}")
