"""Buying on a pool what is missing, how much a pool takes, and burning tokens of a delisted tASSET: what several kinds of agents do."""

from __future__ import annotations

import math

from seawall.agents.base import tally
from seawall.protocols import amm, listing
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Floats, Ints, Row, World

ANY_SPREAD = 1.0


@rule
def buy_missing(pool: Row, wallets: Floats, tallies: Ints, account: int, missing: float) -> None:
    """Buy `missing` tokens of a pool's asset, or as many as the cash pays for; nothing when none are missing or the pool is empty."""
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    cash = wallets[account, TDOLLAR]
    if missing > 0.0 and cash > 0.0 and asset > 0.0:
        cost = min(amm.quote_cost(base, asset, missing + amm.ROUNDING, pool.commission), cash)
        tally(tallies, Action.SWAP, amm.swap(pool, wallets, account, TDOLLAR, cost, ANY_SPREAD)[0])


@rule
def amount_to_buy(base: float, asset: float, price: float) -> float:
    """tDOLLAR that lifts a pool of `base` and `asset` to `price` (commission apart); 0 or less when it is there already."""
    return math.sqrt(base) * math.sqrt(asset * price) - base


@rule
def amount_to_sell(base: float, asset: float, price: float) -> float:
    """tASSET tokens that press a pool of `base` and `asset` down to `price` (commission apart); 0 or less when it is there already."""
    return math.sqrt(base / price) * math.sqrt(asset) - asset


@rule
def best_backed(world: World, tasset: int) -> int:
    """Row of the open CDP of a tASSET whose collateral is worth most per token owed, at the last prices; -1 when nobody owes any.

    Burners go there first, since an under-collateralised CDP pays only its own share (MECHANICS.md section 1, "Delisting / migration").
    """
    best, most = -1, 0.0
    for i in range(len(world.cdps)):
        position = world.cdps[i]
        if position.tasset != tasset or position.debt <= 0.0:
            continue
        worth = position.backing * world.feeds[world.cdp_kinds[position.kind].collateral_feed].price
        if best < 0 or worth > most:
            best, most = i, worth
    return best


@rule
def recover_all(world: World, account: int, which: int, now: float) -> None:
    """Burn all that an account holds of a delisted tASSET against the best CDPs there are, until none is left or one refuses."""
    tasset = world.tassets[which]
    while world.wallets[account, tasset.token] > 0.0:
        row = best_backed(world, which)
        if row < 0:
            return
        position = world.cdps[row]
        kind = world.cdp_kinds[position.kind]
        amount = min(world.wallets[account, tasset.token], position.debt)
        status, _ = listing.recover(position, tasset, kind, world.feeds, world.tokens, world.wallets, account, amount, now)
        tally(world.tallies, Action.RECOVER, status)
        if status != Status.OK:
            return
