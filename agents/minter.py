"""Minters: owners of CDPs who watch their collateral ratio, or do not.

An attentive owner notices a ratio below its alert (target less part of the safety buffer), comes back after its reaction time, and if it
is still low does what the document advises: deposit, burn, or close. Far above the target it puts the spare collateral to use. An
inattentive owner never acts. Owners close their CDPs after a holding time. Who does which, and when, is assumption; the three answers and
the advice of a buffer of 50% are in 004_7b43fd311786c790.txt, "Margin Call & Auction".
"""

from __future__ import annotations

from enum import IntEnum

from seawall.agents.alarms import is_awake, open_all, wake_owners
from seawall.agents.base import MarketAgent, draw_order, tally, whole_units
from seawall.protocols import amm, cdp
from seawall.protocols.amounts import ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Floats, Ints, Row, Table, World

NEVER = float("inf")
ANY_SPREAD = 1.0
RETRY_EXIT = 86_400.0  # seconds until an owner who could not pay for its exit tries again (assumption)


class Response(IntEnum):
    """What an owner does first about a low ratio: add cash (then burn), burn (buying if need be), or close (burning if it cannot)."""

    DEPOSIT = 0
    BURN = 1
    CLOSE = 2


@rule
def order(world: World, rows: Ints) -> int:
    """Fill `rows` with those who have something to do this round, in the order drawn for it; return how many."""
    count = wake_owners(world, rows)
    draw_order(rows, count, world.clock[0].order_seed, world.clock[0].step)
    return count


@rule
def top_up(minter: Row, position: Row, tasset: Row, feed: Row, tokens: Table, wallets: Floats, tallies: Ints, now: float) -> Status:
    """Bring the ratio back to the target: add cash, then burn tokens kept. Returns the last answer; NO_CAPITAL with neither."""
    status = Status.NO_CAPITAL
    needed = ceil_amount(minter.target_ratio * position.debt * feed.price) - position.collateral
    cash = min(needed, wallets[minter.account, TDOLLAR])
    if cash > 0.0:
        status = cdp.deposit(position, tasset, feed, wallets, cash, now)
        tally(tallies, Action.DEPOSIT, status)
    surplus = position.debt - floor_amount(position.collateral / (minter.target_ratio * feed.price))
    kept = min(surplus, wallets[minter.account, tasset.token])
    if cash < needed and kept > 0.0:
        status = cdp.burn(position, tasset, feed, tokens, wallets, kept, now)
        tally(tallies, Action.BURN, status)
    return status


@rule
def leave(
    minter: Row, position: Row, tasset: Row, feed: Row, pool: Row, tokens: Table, wallets: Floats, tallies: Ints, now: float
) -> Status:
    """Close the CDP, buying the tokens that are missing on the pool; nothing is bought while the CDP could not be closed."""
    if not is_fresh(feed, now):
        tally(tallies, Action.CLOSE, Status.STALE_PRICE)
        return Status.STALE_PRICE
    missing = position.debt - wallets[minter.account, tasset.token]
    if missing > 0.0:
        base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
        cost = amm.quote_cost(base, asset, missing + amm.ROUNDING, pool.commission)
        if cost > wallets[minter.account, TDOLLAR]:
            return Status.NO_CAPITAL
        status = amm.swap(pool, wallets, minter.account, TDOLLAR, cost, ANY_SPREAD)[0]
        tally(tallies, Action.SWAP, status)
    status = cdp.close(position, tasset, feed, tokens, wallets, now)
    tally(tallies, Action.CLOSE, status)
    return status


@rule
def burn_down(
    minter: Row, position: Row, tasset: Row, feed: Row, pool: Row, tokens: Table, wallets: Floats, tallies: Ints, now: float
) -> Status:
    """Bring the ratio back to the target by burning: tokens kept, then tokens bought on the pool as far as the cash goes."""
    surplus = position.debt - floor_amount(position.collateral / (minter.target_ratio * feed.price))
    missing, cash = surplus - wallets[minter.account, tasset.token], wallets[minter.account, TDOLLAR]
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    if missing > 0.0 and cash > 0.0 and asset > 0.0 and is_fresh(feed, now):
        cost = min(amm.quote_cost(base, asset, missing + amm.ROUNDING, pool.commission), cash)
        tally(tallies, Action.SWAP, amm.swap(pool, wallets, minter.account, TDOLLAR, cost, ANY_SPREAD)[0])
    burned = min(surplus, wallets[minter.account, tasset.token])
    if burned <= 0.0:
        return Status.NO_CAPITAL
    status = cdp.burn(position, tasset, feed, tokens, wallets, burned, now)
    tally(tallies, Action.BURN, status)
    return status


@rule
def respond(
    minter: Row, position: Row, tasset: Row, feed: Row, pool: Row, tokens: Table, wallets: Floats, tallies: Ints, now: float
) -> Status:
    """Do what this owner does about a low ratio; one who cannot afford to close burns instead."""
    if minter.response == Response.DEPOSIT.value:
        return top_up(minter, position, tasset, feed, tokens, wallets, tallies, now)
    if minter.response == Response.CLOSE.value:
        status = leave(minter, position, tasset, feed, pool, tokens, wallets, tallies, now)
        if status != Status.NO_CAPITAL:
            return status
    return burn_down(minter, position, tasset, feed, pool, tokens, wallets, tallies, now)


@rule
def use_excess(
    minter: Row, position: Row, tasset: Row, feed: Row, pool: Row, tokens: Table, wallets: Floats, tallies: Ints, now: float
) -> Status:
    """Bring the ratio down to the target: mint and sell more, or withdraw collateral."""
    if minter.relevers:
        more = floor_amount(position.collateral / (minter.target_ratio * feed.price)) - position.debt
        status = cdp.mint(position, tasset, feed, tokens, wallets, more, now)
        tally(tallies, Action.MINT, status)
        if status == Status.OK:
            tally(tallies, Action.SWAP, amm.swap(pool, wallets, minter.account, tasset.token, more, ANY_SPREAD)[0])
        return status
    spare = position.collateral - ceil_amount(minter.target_ratio * position.debt * feed.price)
    status = cdp.withdraw(position, tasset, feed, wallets, floor_amount(spare), now)
    tally(tallies, Action.WITHDRAW, status)
    return status


@rule
def act(world: World, index: int) -> None:
    """Look at the ratio and do what it calls for; after a refusal come back a reaction time later."""
    minter = world.minters[index]
    position = world.cdps[minter.cdp]
    tasset = world.tassets[position.tasset]
    feed, pool = world.feeds[tasset.feed], world.pools[tasset.pool]
    now = world.clock[0].now
    if not is_awake(minter, position, feed.price, now):
        return
    later = now + max(minter.reaction, world.clock[0].step_seconds)
    if now >= minter.exit_at:
        status = leave(minter, position, tasset, feed, pool, world.tokens, world.wallets, world.tallies, now)
        minter.exit_at = NEVER if status == Status.OK else now + RETRY_EXIT if status == Status.NO_CAPITAL else later
        return
    ratio = cdp.collateral_ratio(position.collateral, position.debt, feed.price)
    if ratio < minter.alert_ratio:
        if minter.due_at == NEVER and minter.reaction > 0.0:
            minter.due_at = now + minter.reaction
            return
        respond(minter, position, tasset, feed, pool, world.tokens, world.wallets, world.tallies, now)
    elif ratio > minter.excess_ratio:
        use_excess(minter, position, tasset, feed, pool, world.tokens, world.wallets, world.tallies, now)
    still = is_unsettled(minter, position, feed.price)
    minter.due_at = later if still else NEVER


@rule
def is_unsettled(minter: Row, position: Row, price: float) -> bool:
    """Tell whether the ratio is still outside alert and excess."""
    ratio = cdp.collateral_ratio(position.collateral, position.debt, price)
    return bool(position.is_open and (ratio < minter.alert_ratio or ratio > minter.excess_ratio))


class Minter(MarketAgent):
    """Owns one CDP."""

    kind = "minters"
    act = staticmethod(act)

    @property
    def row(self) -> Row:
        """Row of behaviour, a view; since it may be written, all alarms are set anew in the next round."""
        open_all(self.world)
        return super().row

    @property
    def cdp(self) -> Row:
        """Row of `World.cdps`, a view."""
        return self.world.cdps[self.row.cdp]

    @property
    def tasset(self) -> Row:
        """Terms of the minted tASSET."""
        return self.world.tassets[self.cdp.tasset]

    @property
    def feed(self) -> Row:
        """Oracle feed of the minted tASSET."""
        return self.world.feeds[self.tasset.feed]

    @property
    def collateral_ratio(self) -> float:
        """Collateral value / debt value at the oracle price; infinite without debt."""
        return cdp.collateral_ratio(float(self.cdp.collateral), float(self.cdp.debt), float(self.feed.price))

    def deposit(self, amount: float) -> None:
        """Add collateral (tDOLLAR). Raises `Refused` by name."""
        self.ask(Action.DEPOSIT, cdp.deposit(self.cdp, self.tasset, self.feed, self.world.wallets, whole_units(amount), self.now))

    def withdraw(self, amount: float) -> None:
        """Take out collateral (tDOLLAR, fee included). Raises `Refused` by name."""
        self.ask(Action.WITHDRAW, cdp.withdraw(self.cdp, self.tasset, self.feed, self.world.wallets, whole_units(amount), self.now))

    def mint(self, amount: float) -> None:
        """Mint tokens. Raises `Refused` by name."""
        world = self.world
        self.ask(Action.MINT, cdp.mint(self.cdp, self.tasset, self.feed, world.tokens, world.wallets, whole_units(amount), self.now))

    def burn(self, amount: float) -> None:
        """Return tokens. Raises `Refused` by name."""
        world = self.world
        self.ask(Action.BURN, cdp.burn(self.cdp, self.tasset, self.feed, world.tokens, world.wallets, whole_units(amount), self.now))

    def close(self) -> None:
        """Return the whole debt and take out all collateral. Raises `Refused` by name."""
        world = self.world
        self.ask(Action.CLOSE, cdp.close(self.cdp, self.tasset, self.feed, world.tokens, world.wallets, self.now))
