"""Delisting: a tASSET that can no longer be tracked is fixed at an end price, and its CDPs are wound up.

From then on nobody opens, deposits, mints or buys in auctions; owners burn and withdraw at the end price, at a minimum ratio of 100%; and
anybody may burn tokens against any CDP for its collateral. The pool trades on.

Source: 004_7b43fd311786c790.txt, "Delisting & Migration" (the feeder sets the end price to the latest valid one); who may burn against
what, and for how much: MECHANICS.md section 1, "Delisting / migration", version 1, whose burns carry no fee.
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import floor_amount, is_positive_amount
from seawall.protocols.cdp import change
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import MINT_ACCOUNT, TDOLLAR, Floats, Row, Table

DELISTED_MIN_RATIO = 1.0


@rule
def delist(tasset: Row, feed: Row, feeder: int) -> Status:
    """Fix a tASSET at its last published price.

    Args:
        tasset: row of `World.tassets`; changed.
        feed: row of `World.feeds` of the tASSET.
        feeder: account that asks; only the feed's own feeder may.

    Returns:
        OK, or UNAUTHORIZED, TASSET_DELISTED (already), STALE_PRICE (no price was ever published) with nothing changed.
    """
    if feeder != feed.feeder:
        return Status.UNAUTHORIZED
    if tasset.is_delisted:
        return Status.TASSET_DELISTED
    if not feed.price > 0.0:
        return Status.STALE_PRICE
    tasset.is_delisted = True
    tasset.end_price = feed.price
    tasset.min_collateral_ratio = DELISTED_MIN_RATIO
    return Status.OK


@rule
def recovered_collateral(cdp: Row, tasset: Row, amount: float) -> float:
    """tDOLLAR that burning `amount` tokens of a delisted tASSET takes out of a CDP.

    min(amount * end price, amount / debt * collateral): a CDP worth less than it owes pays only its own share.
    """
    return min(floor_amount(amount * tasset.end_price), floor_amount(amount * cdp.collateral / cdp.debt))


@rule
def recover(cdp: Row, tasset: Row, tokens: Table, wallets: Floats, burner: int, amount: float) -> tuple[Status, float]:
    """Burn tokens of a delisted tASSET against any CDP, and take collateral for them at the end price. No fee.

    Args:
        cdp: row of `World.cdps`, anybody's; changed. What its debt leaves of the collateral stays for the owner to withdraw.
        tasset: row of `World.tassets`; running sums changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        burner: account that brings the tokens and receives the collateral.
        amount: tASSET tokens, > 0 and at most the CDP's debt.

    Returns:
        (OK, tDOLLAR received), or (CDP_NOT_OPEN, TASSET_LISTED, BAD_AMOUNT, INSUFFICIENT_DEBT, INSUFFICIENT_BALANCE; 0) with nothing
        changed.
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN, 0.0
    if not tasset.is_delisted:
        return Status.TASSET_LISTED, 0.0
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT, 0.0
    if amount > cdp.debt:
        return Status.INSUFFICIENT_DEBT, 0.0
    received = recovered_collateral(cdp, tasset, amount)
    status = ledger.burn(wallets, tokens, tasset.token, burner, amount)
    if status != Status.OK:
        return status, 0.0
    ledger.transfer(wallets, TDOLLAR, MINT_ACCOUNT, burner, received)
    change(cdp, tasset, -received, -amount)
    return Status.OK, received
