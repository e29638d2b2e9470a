"""Delisting: a tASSET that can no longer be tracked is fixed at an end price, and its CDPs are wound up.

From then on nobody opens, deposits, mints or buys in auctions, of it or against it; owners burn and withdraw at the end price, at a minimum
ratio of 100%; anybody may burn tokens against any CDP for its collateral; its LP tokens earn no more. The pool trades on. A replacement
takes over its terms and its feeder.

Source: 004_7b43fd311786c790.txt, "Delisting & Migration" (three steps, started by the feeder; the end price is the latest valid one); who
may burn against what, and for how much: MECHANICS.md section 1, "Delisting / migration", version 1, whose burns carry no fee.
"""

from __future__ import annotations

from seawall.protocols import ledger, oracle
from seawall.protocols.amounts import floor_amount, is_positive_amount
from seawall.protocols.cdp import change, fresh_price
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import MINT_ACCOUNT, Floats, Row, Table

DELISTED_MIN_RATIO = 1.0


@rule
def why_not_delisted(tasset: Row, feed: Row, feeder: int) -> Status:
    """Reason for which an account cannot delist a tASSET; OK if it can."""
    if feeder != feed.feeder or feeder < 0:
        return Status.UNAUTHORIZED
    if tasset.is_delisted:
        return Status.TASSET_DELISTED
    if not feed.price > 0.0:
        return Status.STALE_PRICE
    return Status.OK


@rule
def delist(tasset: Row, feed: Row, kinds: Table, stake_pool: Row, feeder: int) -> Status:
    """Fix a tASSET at its last published price.

    Args:
        tasset: row of `World.tassets`; changed.
        feed: row of `World.feeds` of the tASSET; changed: it takes no more prices.
        kinds: `World.cdp_kinds`; those with the tASSET as collateral are changed: they take no more of it.
        stake_pool: row of `World.stake_pools` of the tASSET's LP token; changed: it earns no more.
        feeder: account that asks; only the feed's own feeder may.

    Returns:
        OK, or UNAUTHORIZED, TASSET_DELISTED (already), STALE_PRICE (no price was ever published) with nothing changed.
    """
    status = why_not_delisted(tasset, feed, feeder)
    if status != Status.OK:
        return status
    tasset.is_delisted = True
    tasset.end_price = feed.price
    tasset.min_collateral_ratio = DELISTED_MIN_RATIO
    oracle.freeze(feed)
    for i in range(len(kinds)):
        kinds[i].is_revoked = kinds[i].is_revoked or kinds[i].token == tasset.token
    stake_pool.is_rewarded = False
    return Status.OK


@rule
def migrate(tassets: Table, which: int, replacement: int, feeds: Table, kinds: Table, stake_pools: Table, feeder: int) -> Status:
    """Delist a tASSET in favour of a replacement, in the document's three steps: properties transferred, end price set, ratio 100%.

    Args:
        tassets: `World.tassets`; the two rows are changed.
        which: row to be delisted.
        replacement: row that nobody has listed yet: takes over terms, fees and feeder, and its LP tokens earn from now on.
        feeds: `World.feeds`; both tASSETs' rows are changed.
        kinds: `World.cdp_kinds`; changed as by `delist`.
        stake_pools: `World.stake_pools`, of which row k is that of tASSET k's LP token; changed.
        feeder: account that asks; only the tASSET's own feeder may.

    Returns:
        OK, or what `delist` refuses with, or TASSET_LISTED (the replacement is listed already), with nothing changed.
    """
    tasset, new_tasset = tassets[which], tassets[replacement]
    feed, new_feed = feeds[tasset.feed], feeds[new_tasset.feed]
    stake_pool, new_stake_pool = stake_pools[which], stake_pools[replacement]
    status = why_not_delisted(tasset, feed, feeder)
    if status != Status.OK:
        return status
    if new_feed.feeder >= 0 or new_tasset.is_delisted:
        return Status.TASSET_LISTED
    new_tasset.min_collateral_ratio, new_tasset.auction_discount = tasset.min_collateral_ratio, tasset.auction_discount
    new_tasset.protocol_fee, new_tasset.auction_fee = tasset.protocol_fee, tasset.auction_fee
    new_tasset.liquidate_whole = tasset.liquidate_whole
    new_tasset.auction_needs_fresh_price = tasset.auction_needs_fresh_price
    new_feed.feeder, new_feed.valid_for = feed.feeder, feed.valid_for
    new_stake_pool.is_rewarded, new_stake_pool.emission_weight = stake_pool.is_rewarded, stake_pool.emission_weight
    tasset.replacement = replacement
    return delist(tasset, feed, kinds, stake_pool, feeder)


@rule
def recovered_collateral(cdp: Row, price: float, amount: float) -> float:
    """Collateral that burning `amount` tokens of a delisted tASSET takes out of a CDP, at a price in collateral per token.

    min(amount * price, amount / debt * collateral): a CDP worth less than it owes pays only its own share.
    """
    return min(floor_amount(amount * price), floor_amount(amount * cdp.collateral / cdp.debt))


@rule
def recover(
    cdp: Row, tasset: Row, kind: Row, feeds: Table, tokens: Table, wallets: Floats, burner: int, amount: float, now: float
) -> tuple[Status, float]:
    """Burn tokens of a delisted tASSET against any CDP, and take collateral for them at the end price. No fee.

    Args:
        cdp: row of `World.cdps`, anybody's; changed. What its debt leaves of the collateral stays for the owner to withdraw.
        tasset: row of `World.tassets`; running sum changed.
        kind: row of `World.cdp_kinds` of the CDP; running sums changed.
        feeds: `World.feeds`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        burner: account that brings the tokens and receives the collateral.
        amount: tASSET tokens, > 0 and at most the CDP's debt.
        now: seconds since the start.

    Returns:
        (OK, collateral received), or (CDP_NOT_OPEN, TASSET_LISTED, STALE_PRICE (of the collateral), BAD_AMOUNT, INSUFFICIENT_DEBT,
        INSUFFICIENT_BALANCE; 0) with nothing changed.
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN, 0.0
    if not tasset.is_delisted:
        return Status.TASSET_LISTED, 0.0
    price = fresh_price(kind, feeds, now)
    if price <= 0.0:
        return Status.STALE_PRICE, 0.0
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT, 0.0
    if amount > cdp.debt:
        return Status.INSUFFICIENT_DEBT, 0.0
    received = recovered_collateral(cdp, price, amount)
    status = ledger.burn(wallets, tokens, tasset.token, burner, amount)
    if status != Status.OK:
        return status, 0.0
    ledger.transfer(wallets, kind.token, MINT_ACCOUNT, burner, received)
    change(cdp, tasset, kind, -received, -amount)
    return Status.OK, received
