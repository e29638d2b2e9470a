"""Minters: owners of CDPs who watch their collateral ratio, or do not.

An attentive owner notices a ratio below its alert (target less part of the safety buffer), comes back after its reaction time, and if it
is still low does what the document advises: deposit, burn, or close. Far above the target it puts the spare collateral to use. An
inattentive owner never acts. Owners close their CDPs after a holding time; some open them during the run (see `strategies`). Who does
which, and when, is assumption; the three answers and the advice of a buffer of 50% are in 004_7b43fd311786c790.txt, "Margin Call &
Auction".
"""

from __future__ import annotations

from enum import IntEnum

from seawall.agents import strategies
from seawall.agents.alarm_tree import look_next_time
from seawall.agents.alarms import Use, is_awake, wake_owners
from seawall.agents.base import MarketAgent, draw_order, tally, whole_units
from seawall.agents.strategies import Strategy
from seawall.agents.swaps import ANY_SPREAD, amount_to_sell, buy_missing
from seawall.protocols import amm, cdp
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Floats, Ints, Row, World

NEVER = float("inf")
RETRY_EXIT = 86_400.0  # seconds until an owner who could not pay for its exit tries again (assumption)
SALE_LIMIT = 0.05  # fraction below the oracle's price down to which an owner sells what it mints more (assumption)


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
def top_up(world: World, minter: Row, position: Row, price: float, now: float) -> Status:
    """Bring the ratio back to the target: add collateral, bought if need be, then burn tokens kept. NO_CAPITAL with neither."""
    status = Status.NO_CAPITAL
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    needed = ceil_amount(minter.target_ratio * position.debt * price) - position.collateral
    if kind.token != TDOLLAR and cdp.fresh_price(kind, world.feeds, now) > 0.0:
        missing = needed - world.wallets[minter.account, kind.token]
        buy_missing(world.pools[kind.collateral_feed], world.wallets, world.tallies, minter.account, missing)
    added = min(needed, world.wallets[minter.account, kind.token])
    if added > 0.0:
        status = cdp.deposit(position, tasset, kind, world.feeds, world.wallets, added, now)
        tally(world.tallies, Action.DEPOSIT, status)
    surplus = position.debt - floor_amount(position.collateral / (minter.target_ratio * price))
    kept = min(surplus, world.wallets[minter.account, tasset.token])
    if added < needed and kept > 0.0:
        status = cdp.burn(position, tasset, kind, world.feeds, world.tokens, world.wallets, kept, now)
        tally(world.tallies, Action.BURN, status)
    return status


@rule
def leave(world: World, minter: Row, position: Row, now: float) -> Status:
    """Close the CDP, buying the tokens that are missing on the pool; nothing is bought while the CDP could not be closed."""
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    if cdp.fresh_price(kind, world.feeds, now) <= 0.0:
        tally(world.tallies, Action.CLOSE, Status.STALE_PRICE)
        return Status.STALE_PRICE
    pool, wallets = world.pools[tasset.pool], world.wallets
    missing = position.debt - wallets[minter.account, tasset.token]
    if missing > 0.0:
        base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
        cost = amm.quote_cost(base, asset, missing + amm.ROUNDING, pool.commission)
        if cost > wallets[minter.account, TDOLLAR]:
            return Status.NO_CAPITAL
        status = amm.swap(pool, wallets, minter.account, TDOLLAR, cost, ANY_SPREAD)[0]
        tally(world.tallies, Action.SWAP, status)
    status = cdp.close(position, tasset, kind, world.feeds, world.tokens, wallets, now)
    tally(world.tallies, Action.CLOSE, status)
    return status


@rule
def burn_down(world: World, minter: Row, position: Row, price: float, now: float) -> Status:
    """Bring the ratio back to the target by burning: tokens kept, then tokens bought on the pool as far as the cash goes."""
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    surplus = position.debt - floor_amount(position.collateral / (minter.target_ratio * price))
    if cdp.fresh_price(kind, world.feeds, now) > 0.0:
        missing = surplus - world.wallets[minter.account, tasset.token]
        buy_missing(world.pools[tasset.pool], world.wallets, world.tallies, minter.account, missing)
    burned = min(surplus, world.wallets[minter.account, tasset.token])
    if burned <= 0.0:
        return Status.NO_CAPITAL
    status = cdp.burn(position, tasset, kind, world.feeds, world.tokens, world.wallets, burned, now)
    tally(world.tallies, Action.BURN, status)
    return status


@rule
def respond(world: World, minter: Row, position: Row, price: float, now: float) -> Status:
    """Do what this owner does about a low ratio; one who cannot afford to close burns instead."""
    if minter.strategy == Strategy.PROVIDE.value:
        strategies.take_liquidity(world, minter, position, now)
    elif minter.strategy == Strategy.LEVERAGE.value:
        return strategies.deleverage(world, minter, position, minter.target_ratio, now)
    if minter.response == Response.DEPOSIT.value:
        return top_up(world, minter, position, price, now)
    if minter.response == Response.CLOSE.value:
        status = leave(world, minter, position, now)
        if status != Status.NO_CAPITAL:
            return status
    return burn_down(world, minter, position, price, now)


@rule
def amount_sellable(pool: Row, wallets: Floats, oracle_price: float) -> float:
    """Tokens that a pool takes until its price is `SALE_LIMIT` below the oracle's; 0 when it is already, or empty."""
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    if base <= 0.0 or asset <= 0.0:
        return 0.0
    return max(floor_amount(amount_to_sell(base, asset, oracle_price * (1.0 - SALE_LIMIT))), 0.0)


@rule
def use_excess(world: World, minter: Row, position: Row, price: float, now: float) -> Status:
    """Bring the ratio down to the target: mint and sell more, as far as the pool takes it, or else withdraw collateral."""
    kind, tasset = world.cdp_kinds[position.kind], world.tassets[position.tasset]
    sellable = amount_sellable(world.pools[tasset.pool], world.wallets, world.feeds[tasset.feed].price)
    if minter.relevers and sellable >= UNIT:
        more = min(floor_amount(position.collateral / (minter.target_ratio * price)) - position.debt, sellable)
        status = cdp.mint(position, tasset, kind, world.feeds, world.tokens, world.wallets, more, now)
        tally(world.tallies, Action.MINT, status)
        if status == Status.OK:
            swapped = amm.swap(world.pools[tasset.pool], world.wallets, minter.account, tasset.token, more, ANY_SPREAD)[0]
            tally(world.tallies, Action.SWAP, swapped)
        return status
    spare = position.collateral - ceil_amount(minter.target_ratio * position.debt * price)
    status = cdp.withdraw(position, tasset, kind, world.feeds, world.wallets, floor_amount(spare), now)
    tally(world.tallies, Action.WITHDRAW, status)
    return status


@rule
def end(world: World, minter: Row, position: Row, now: float) -> None:
    """Do what the owner does at its time to leave: wind up a delisted CDP, wait with a short that still pays, or close."""
    later = now + max(minter.reaction, world.clock[0].step_seconds)
    if world.tassets[position.tasset].is_delisted:
        is_priced = cdp.fresh_price(world.cdp_kinds[position.kind], world.feeds, now) > 0.0
        if is_priced:
            strategies.wind_up(world, minter, position, now)
        minter.exit_at = NEVER if is_priced else later
        return
    if strategies.is_short_worth_keeping(world, minter, position):
        minter.exit_at = now + minter.look_every
        return
    if minter.strategy == Strategy.PROVIDE.value:
        strategies.take_liquidity(world, minter, position, now)
    elif minter.strategy == Strategy.LEVERAGE.value:
        strategies.deleverage(world, minter, position, NEVER, now)
    status = leave(world, minter, position, now)
    minter.exit_at = NEVER if status == Status.OK else now + RETRY_EXIT if status == Status.NO_CAPITAL else later
    if status == Status.OK and minter.strategy == Strategy.SHORT.value:
        minter.opens_at = now + minter.look_every


@rule
def act(world: World, index: int) -> None:
    """Look at the ratio and do what it calls for; after a refusal come back a reaction time later."""
    minter = world.minters[index]
    position = world.cdps[minter.cdp]
    price, now = cdp.last_price(world.cdp_kinds[position.kind], world.feeds), world.clock[0].now
    if not is_awake(minter, position, price, now):
        return
    if not position.is_open:
        strategies.enter(world, minter, position, now)
        return
    if now >= minter.exit_at:
        end(world, minter, position, now)
        return
    ratio = cdp.collateral_ratio(position.collateral, position.debt, price)
    if ratio < minter.alert_ratio:
        if minter.due_at == NEVER and minter.reaction > 0.0:
            minter.due_at = now + minter.reaction
            return
        respond(world, minter, position, price, now)
    elif ratio > minter.excess_ratio:
        use_excess(world, minter, position, price, now)
    still = is_unsettled(minter, position, price)
    minter.due_at = now + max(minter.reaction, world.clock[0].step_seconds) if still else NEVER


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
        """Row of behaviour, a view; since it may be written, the owner is looked at in the next round."""
        look_next_time(self.world.alarms[Use.OWNER], self.index)
        return super().row

    @property
    def cdp(self) -> Row:
        """Row of `World.cdps`, a view."""
        return self.world.cdps[self.row.cdp]

    @property
    def cdp_kind(self) -> Row:
        """What the CDP mints against what."""
        return self.world.cdp_kinds[self.cdp.kind]

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
        """Collateral value / debt value at the oracle's prices; infinite without debt."""
        price = cdp.last_price(self.cdp_kind, self.world.feeds)
        return cdp.collateral_ratio(float(self.cdp.collateral), float(self.cdp.debt), price)

    def deposit(self, amount: float) -> None:
        """Add collateral, in its tokens. Raises `Refused` by name."""
        rows = (self.cdp, self.tasset, self.cdp_kind, self.world.feeds, self.world.wallets)
        self.ask(Action.DEPOSIT, cdp.deposit(*rows, whole_units(amount), self.now))

    def withdraw(self, amount: float) -> None:
        """Take out collateral, in its tokens, fee included. Raises `Refused` by name."""
        rows = (self.cdp, self.tasset, self.cdp_kind, self.world.feeds, self.world.wallets)
        self.ask(Action.WITHDRAW, cdp.withdraw(*rows, whole_units(amount), self.now))

    def mint(self, amount: float) -> None:
        """Mint tokens. Raises `Refused` by name."""
        rows = (self.cdp, self.tasset, self.cdp_kind, self.world.feeds, self.world.tokens, self.world.wallets)
        self.ask(Action.MINT, cdp.mint(*rows, whole_units(amount), self.now))

    def burn(self, amount: float) -> None:
        """Return tokens. Raises `Refused` by name."""
        rows = (self.cdp, self.tasset, self.cdp_kind, self.world.feeds, self.world.tokens, self.world.wallets)
        self.ask(Action.BURN, cdp.burn(*rows, whole_units(amount), self.now))

    def close(self) -> None:
        """Return the whole debt and take out all collateral. Raises `Refused` by name."""
        rows = (self.cdp, self.tasset, self.cdp_kind, self.world.feeds, self.world.tokens, self.world.wallets)
        self.ask(Action.CLOSE, cdp.close(*rows, self.now))
