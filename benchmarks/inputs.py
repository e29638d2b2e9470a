"""A built world as the plain arrays that all peers start from."""

from __future__ import annotations

import numpy as np
from peers.job import Floats, Ints, Job

from seawall.protocols.tables import World


def job_of(world: World) -> Job:
    """Copy prices, outages, orders, terms, populations and first balances of a world that has not been played."""
    terms, wallets = world.tassets, world.wallets
    cdps = world.cdps[world.minters["cdp"]]
    orders = world.orders[_by_trader(world)]
    minters, liquidators, traders, arbitrageurs, lps = world.minters, world.liquidators, world.traders, world.arbitrageurs, world.lps
    pools, feeds = world.pools[terms["pool"]], world.feeds[terms["feed"]]  # without tEXO's pool and tDOLLAR's feed
    reserves = [wallets[pools["account"], pools[token]] for token in ("base_token", "asset_token")]
    tokens = slice(1, 1 + len(terms))
    return Job(
        step_seconds=float(world.clock[0].step_seconds),
        order_seed=int(world.clock[0].order_seed),
        record_every=int(world.clock[0].record_every),
        market_price=world.market_price[:, terms["asset"]].copy(),
        can_publish=world.feed_up & world.market_open[:, terms["asset"]],
        feeder=_columns(world.oracle_feeders, "heartbeat", "deviation"),
        terms=np.column_stack(
            [
                _columns(terms, "min_collateral_ratio", "auction_discount", "protocol_fee"),
                pools["commission"],
                feeds["valid_for"],
            ]
        ),
        oracle=_columns(feeds, "price", "updated_at"),
        pool=np.column_stack([*reserves, world.tokens["supply"][pools["share_token"]]]),
        order_start=world.order_start.copy(),
        order_trader=orders["trader"].copy(),
        order_pool=orders["pool"].copy(),
        order_sells=orders["sells"].copy(),
        order_usd=orders["usd"].copy(),
        max_spread=traders["max_spread"].copy(),
        trader_cash=wallets[traders["account"], 0],
        trader_tokens=wallets[traders["account"], tokens],
        min_edge=arbitrageurs["min_edge"].copy(),
        arbitrageur_cash=wallets[arbitrageurs["account"], 0],
        arbitrageur_tokens=wallets[arbitrageurs["account"], tokens],
        first=np.searchsorted(cdps["tasset"], np.arange(len(terms) + 1)),
        collateral=cdps["collateral"].copy(),
        debt=cdps["debt"].copy(),
        minter=_columns(minters, "target_ratio", "alert_ratio", "excess_ratio", "reaction", "due_at"),
        relevers=minters["relevers"].copy(),
        minter_cash=wallets[minters["account"], 0],
        minter_tokens=wallets[minters["account"], 1 + cdps["tasset"]],
        liquidator=_columns(liquidators, "min_profit", "cost_usd"),
        liquidator_cash=wallets[liquidators["account"], 0],
        liquidator_tokens=wallets[liquidators["account"], tokens],
        lp_pool=lps["pool"].copy(),
        lp=_columns(lps, "exit_premium", "exit_stale", "return_after", "calm_since"),
        lp_cash=wallets[lps["account"], 0],
        lp_tokens=wallets[lps["account"], 1 + lps["pool"]],
        lp_shares=wallets[lps["account"], world.pools["share_token"][lps["pool"]]],
    )


def _columns(table: np.ndarray, *names: str) -> Floats:
    return np.column_stack([table[name].astype(np.float64) for name in names])


def _by_trader(world: World) -> Ints:
    """Orders of a round by their trader's first order: a trader places all orders of the round at its turn."""
    rounds = np.searchsorted(world.order_start, np.arange(len(world.orders)), side="right")
    first: dict[tuple[int, int], int] = {}
    turn = [first.setdefault(key, j) for j, key in enumerate(zip(rounds.tolist(), world.orders["trader"].tolist(), strict=True))]
    return np.argsort(np.array(turn, dtype=np.int64), kind="stable")
