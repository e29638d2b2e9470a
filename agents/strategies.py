"""What owners do with a CDP opened during the run, and how they get out of it: named behaviours, all of them assumptions.

- HOLD keeps the tokens.
- LEVERAGE goes round a loop: mint, sell, deposit the proceeds, mint again; a larger short with the same money.
- SHORT mints into a premium of the pool over the oracle, sells, waits for the premium to go, and buys back.
- PROVIDE puts the tokens and as much tDOLLAR into the pool and stakes the LP tokens; what it owes and what it provides nearly cancel, so it
  earns fees and rewards without a view on the price (delta neutral, up to the pool's curvature).

When its tASSET is delisted an owner sits still, or winds up: it burns what it holds and takes out all collateral above 100%
(004_7b43fd311786c790.txt, "Delisting & Migration"); one that moves then opens a CDP of the replacement.
"""

from __future__ import annotations

from enum import IntEnum

from seawall.agents.base import tally
from seawall.agents.swaps import ANY_SPREAD, buy_missing, recover_all
from seawall.protocols import amm, cdp, staking
from seawall.protocols.amounts import LIMIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Row, World

NEVER = float("inf")
ANY_SLIPPAGE = 1.0
MAX_SALE_SPREAD = 0.05  # fraction: slippage at which a leverage loop stops selling
DELEVERAGE_ROUNDS = 20  # withdrawals, purchases and burns until an owner of a leveraged CDP gives up for now
MARGIN = 1.0 + 1e-9  # what is withdrawn leaves this much more than the minimum, so that rounding does not refuse it


class Strategy(IntEnum):
    """What an owner does with the tokens that it mints."""

    HOLD = 0
    LEVERAGE = 1
    SHORT = 2
    PROVIDE = 3


class Reaction(IntEnum):
    """What somebody does about a delisting: nothing, take the end price, or take it and go on with the replacement."""

    SIT = 0
    RECOVER = 1
    MOVE = 2


@rule
def premium(world: World, tasset: Row) -> float:
    """Pool price / oracle price - 1; -1 without a pool price."""
    pool = world.pools[tasset.pool]
    asset = world.wallets[pool.account, pool.asset_token]
    if asset <= 0.0:
        return -1.0
    return float(world.wallets[pool.account, pool.base_token] / asset / world.feeds[tasset.feed].price - 1.0)


@rule
def is_short_worth_keeping(world: World, minter: Row, position: Row) -> bool:
    """Tell whether a short-seller still waits for the premium to go."""
    return bool(minter.strategy == Strategy.SHORT.value and premium(world, world.tassets[position.tasset]) > minter.exit_premium)


@rule
def enter(world: World, minter: Row, position: Row, now: float) -> None:
    """Open the CDP if prices are fresh and, for a short-seller, the premium is there; otherwise look again later."""
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    minter.opens_at = now + max(minter.look_every, world.clock[0].step_seconds)
    if tasset.is_delisted:
        recover_all(world, minter.account, position.tasset, now)
        minter.opens_at = NEVER
        return
    if kind.is_revoked or cdp.fresh_price(kind, world.feeds, now) <= 0.0:
        return
    if minter.strategy == Strategy.SHORT.value and premium(world, tasset) < minter.entry_premium:
        return
    if kind.token != TDOLLAR:
        missing = minter.budget - world.wallets[minter.account, kind.token]
        buy_missing(world.pools[kind.collateral_feed], world.wallets, world.tallies, minter.account, missing)
    means = world.wallets[minter.account, kind.token]
    if minter.strategy == Strategy.PROVIDE.value and kind.token == TDOLLAR:  # the rest goes into the pool beside what is minted
        means = floor_amount(means * minter.target_ratio / (1.0 + minter.target_ratio))
    collateral = min(minter.budget, means)
    if collateral <= 0.0:
        return
    status, minted = cdp.open_position(
        position, tasset, kind, world.feeds, world.tokens, world.wallets, collateral, minter.target_ratio, now
    )
    tally(world.tallies, Action.OPEN, status)
    if status != Status.OK:
        return
    minter.opens_at, minter.exit_at = NEVER, now + minter.holding
    if minter.strategy == Strategy.LEVERAGE.value:
        lever(world, minter, position, now)
    elif minter.strategy == Strategy.SHORT.value:
        tally(
            world.tallies,
            Action.SWAP,
            amm.swap(world.pools[tasset.pool], world.wallets, minter.account, tasset.token, minted, ANY_SPREAD)[0],
        )
        minter.exit_at = now + minter.look_every
    elif minter.strategy == Strategy.PROVIDE.value:
        give_liquidity(world, minter, position, minted)


@rule
def lever(world: World, minter: Row, position: Row, now: float) -> None:
    """Sell what was minted, deposit the proceeds, mint again up to the target: `loops` times, or until selling costs too much."""
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    for _ in range(minter.loops):
        held = world.wallets[minter.account, tasset.token]
        status, proceeds = amm.swap(world.pools[tasset.pool], world.wallets, minter.account, tasset.token, held, MAX_SALE_SPREAD)
        tally(world.tallies, Action.SWAP, status)
        if status != Status.OK:
            return
        tally(world.tallies, Action.DEPOSIT, cdp.deposit(position, tasset, kind, world.feeds, world.wallets, proceeds, now))
        more = floor_amount(position.collateral / (minter.target_ratio * world.feeds[kind.feed].price)) - position.debt
        status = cdp.mint(position, tasset, kind, world.feeds, world.tokens, world.wallets, more, now)
        tally(world.tallies, Action.MINT, status)
        if status != Status.OK:
            return


@rule
def cash_missing(world: World, minter: Row, tasset: Row, wanted: float) -> float:
    """tDOLLAR to withdraw, fee included, so that the owner can buy what it lacks of `wanted` tokens."""
    pool, wallets = world.pools[tasset.pool], world.wallets
    missing = wanted - wallets[minter.account, tasset.token]
    if missing <= 0.0:
        return 0.0
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    cost = amm.quote_cost(base, asset, missing + amm.ROUNDING, pool.commission) - wallets[minter.account, TDOLLAR]
    return ceil_amount(max(min(cost, LIMIT), 0.0) / (1.0 - tasset.protocol_fee))


@rule
def deleverage(world: World, minter: Row, position: Row, ratio: float, now: float) -> Status:
    """Go round the loop backwards until the ratio is reached: withdraw what the purchase needs, buy tokens, burn them.

    Tokens and cash that are there go first, and nothing is withdrawn below the minimum. Returns the last refusal, or OK.
    """
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    for _ in range(DELEVERAGE_ROUNDS):
        price = cdp.fresh_price(kind, world.feeds, now)
        if price <= 0.0:
            return Status.STALE_PRICE
        surplus = position.debt - floor_amount(position.collateral / (ratio * price)) if ratio < NEVER else position.debt
        if surplus <= 0.0:
            return Status.OK
        spare = floor_amount(position.collateral - cdp.required_collateral(position.debt, price, tasset.min_collateral_ratio) * MARGIN)
        spare = min(spare, cash_missing(world, minter, tasset, surplus))
        if spare > 0.0:
            tally(world.tallies, Action.WITHDRAW, cdp.withdraw(position, tasset, kind, world.feeds, world.wallets, spare, now))
        buy_missing(
            world.pools[tasset.pool], world.wallets, world.tallies, minter.account, surplus - world.wallets[minter.account, tasset.token]
        )
        burned = min(surplus, world.wallets[minter.account, tasset.token])
        if burned <= 0.0:
            return Status.NO_CAPITAL
        status = cdp.burn(position, tasset, kind, world.feeds, world.tokens, world.wallets, burned, now)
        tally(world.tallies, Action.BURN, status)
        if status != Status.OK:
            return status
    return Status.OK


@rule
def give_liquidity(world: World, minter: Row, position: Row, minted: float) -> None:
    """Provide the tokens minted and as much tDOLLAR, at the oracle's price to an empty pool; stake the LP tokens where they earn."""
    tasset = world.tassets[position.tasset]
    pool, wallets = world.pools[tasset.pool], world.wallets
    pool_price = amm.price(pool, wallets)
    price = pool_price if pool_price > 0.0 else world.feeds[tasset.feed].price
    base = min(ceil_amount(minted * price), wallets[minter.account, TDOLLAR])
    status, shares = amm.provide(pool, world.tokens, wallets, minter.account, base, minted, ANY_SLIPPAGE)
    tally(world.tallies, Action.PROVIDE, status)
    if status == Status.OK and minter.stake >= 0:
        stake = world.stakes[minter.stake]
        tally(world.tallies, Action.BOND, staking.bond(stake, world.stake_pools[stake.pool], wallets, shares))


@rule
def take_liquidity(world: World, minter: Row, position: Row, now: float) -> None:
    """Unstake and redeem all LP tokens of the owner's pool, and sell the rewards."""
    pool, wallets = world.pools[world.tassets[position.tasset].pool], world.wallets
    if minter.stake >= 0 and world.stakes[minter.stake].bond > 0.0:
        stake = world.stakes[minter.stake]
        stake_pool = world.stake_pools[stake.pool]
        tally(world.tallies, Action.UNBOND, staking.unbond(stake, stake_pool, wallets, stake.bond, now))
        status, paid = staking.claim(stake, stake_pool, wallets)
        tally(world.tallies, Action.CLAIM, status)
        sell_rewards(world, minter.account, paid)
    shares = wallets[minter.account, pool.share_token]
    if shares > 0.0:
        tally(world.tallies, Action.REDEEM, amm.redeem(pool, world.tokens, wallets, minter.account, shares)[0])


@rule
def sell_rewards(world: World, account: int, amount: float) -> None:
    """Sell tEXO on its pool at whatever it pays; nothing for nothing."""
    pool = world.pools[len(world.tassets)]
    if amount > 0.0:
        tally(world.tallies, Action.SWAP, amm.swap(pool, world.wallets, account, pool.asset_token, amount, ANY_SPREAD)[0])


@rule
def wind_up(world: World, minter: Row, position: Row, now: float) -> None:
    """Get out of a delisted tASSET: burn the tokens held, take out all above 100%, recover with what tokens are left."""
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    take_liquidity(world, minter, position, now)
    burned = min(position.debt, world.wallets[minter.account, tasset.token])
    if burned > 0.0:
        tally(world.tallies, Action.BURN, cdp.burn(position, tasset, kind, world.feeds, world.tokens, world.wallets, burned, now))
    price = cdp.fresh_price(kind, world.feeds, now)
    spare = position.collateral - cdp.required_collateral(position.debt, price, tasset.min_collateral_ratio)
    if spare > 0.0:
        tally(world.tallies, Action.WITHDRAW, cdp.withdraw(position, tasset, kind, world.feeds, world.wallets, spare, now))
    recover_all(world, minter.account, position.tasset, now)
