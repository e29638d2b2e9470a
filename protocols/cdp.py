"""Collateralised debt positions: tDOLLAR or a tASSET locked, another tASSET minted against it.

A CDP is short its tASSET: it is hurt when the price rises, or when its collateral's falls. Every operation needs a fresh oracle price of
both, or the end price of a delisted one; tDOLLAR's price is 1 at all times. What a rule calls the price is the ratio of the two:
tokens of collateral per token owed.

Source: 004_7b43fd311786c790.txt, "Collateralized Debt Position" to "Protocol Fee" and, on stale prices, "Price"; order of rounding from
MECHANICS.md section 1. Ratios are compared as the public contracts do: required collateral = floor(floor(debt * price) * ratio).
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import floor_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, MINT_ACCOUNT, Floats, Row, Table

INFINITE = float("inf")


@rule
def collateral_ratio(collateral: float, debt: float, price: float) -> float:
    """Collateral value / debt value, at a price in collateral per token owed; infinite without debt."""
    if debt <= 0.0:
        return INFINITE
    return collateral / (debt * price)


@rule
def last_price(kind: Row, feeds: Table) -> float:
    """Tokens of collateral per token owed at the last published prices, however old; 0 where either was never published."""
    owed, held = feeds[kind.feed].price, feeds[kind.collateral_feed].price
    return float(owed / held) if held > 0.0 else 0.0


@rule
def fresh_price(kind: Row, feeds: Table, now: float) -> float:
    """Tokens of collateral per token owed to reckon with now; 0 while the price of either is stale."""
    if not (is_fresh(feeds[kind.feed], now) and is_fresh(feeds[kind.collateral_feed], now)):
        return 0.0
    return last_price(kind, feeds)


@rule
def required_collateral(debt: float, price: float, ratio: float) -> float:
    """Collateral, in whole units, that `debt` tokens need at `ratio`."""
    return floor_amount(floor_amount(debt * price) * ratio)


@rule
def change(cdp: Row, tasset: Row, kind: Row, collateral_change: float, debt_change: float) -> None:
    """Book a change on the position and on the running sums of its kind, and leave word of it. Every rule that alters a CDP ends here."""
    cdp.collateral += collateral_change
    cdp.debt += debt_change
    kind.collateral += collateral_change
    kind.debt += debt_change
    tasset.debt += debt_change
    if cdp.debt > 0.0:
        cdp.backing = cdp.collateral / cdp.debt
    else:
        cdp.backing = INFINITE
    cdp.is_open = cdp.collateral > 0.0 or cdp.debt > 0.0
    if not cdp.is_touched:
        cdp.is_touched = True
        cdp.next_touched = kind.touched
        kind.touched = cdp.row + 1


@rule
def open_position(
    cdp: Row, tasset: Row, kind: Row, feeds: Table, tokens: Table, wallets: Floats, collateral: float, ratio: float, now: float
) -> tuple[Status, float]:
    """Lock collateral and mint as much of the tASSET as the chosen ratio allows.

    Args:
        cdp: closed row of `World.cdps` with owner and tasset set; changed.
        tasset: row of `World.tassets`: terms; running sum changed.
        kind: row of `World.cdp_kinds` of the CDP; running sums changed.
        feeds: `World.feeds`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        collateral: tokens of collateral, > 0.
        ratio: chosen collateral ratio, at least the minimum.
        now: seconds since the start.

    Returns:
        (OK, tokens minted), or (CDP_ALREADY_OPEN, TASSET_DELISTED, STALE_PRICE, BAD_AMOUNT, BELOW_MIN_RATIO, INSUFFICIENT_BALANCE,
        SUPPLY_LIMIT; 0) with nothing changed. BAD_AMOUNT also when the collateral is too small to mint one unit.

    Source: 004_7b43fd311786c790.txt, "Opening a new position".
    """
    if cdp.is_open:
        return Status.CDP_ALREADY_OPEN, 0.0
    if tasset.is_delisted or kind.is_revoked:
        return Status.TASSET_DELISTED, 0.0
    price = fresh_price(kind, feeds, now)
    if price <= 0.0:
        return Status.STALE_PRICE, 0.0
    if not (is_positive_amount(collateral) and ratio < INFINITE):
        return Status.BAD_AMOUNT, 0.0
    if not ratio >= tasset.min_collateral_ratio:
        return Status.BELOW_MIN_RATIO, 0.0
    minted = floor_amount(collateral / price / ratio)
    if minted <= 0.0:
        return Status.BAD_AMOUNT, 0.0
    if wallets[cdp.owner, kind.token] < collateral:
        return Status.INSUFFICIENT_BALANCE, 0.0
    status = ledger.mint(wallets, tokens, tasset.token, cdp.owner, minted)
    if status != Status.OK:
        return status, 0.0
    ledger.transfer(wallets, kind.token, cdp.owner, MINT_ACCOUNT, collateral)
    change(cdp, tasset, kind, collateral, minted)
    return Status.OK, minted


@rule
def deposit(cdp: Row, tasset: Row, kind: Row, feeds: Table, wallets: Floats, amount: float, now: float) -> Status:
    """Add collateral to an open CDP.

    Args:
        cdp: row of `World.cdps`; changed.
        tasset: row of `World.tassets`; running sum changed.
        kind: row of `World.cdp_kinds` of the CDP; running sums changed.
        feeds: `World.feeds`.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: tokens of collateral, > 0.
        now: seconds since the start.

    Returns:
        OK, or CDP_NOT_OPEN, TASSET_DELISTED, STALE_PRICE, BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.

    Source: 004_7b43fd311786c790.txt, "Depositing / withdrawing collateral" and "Price" (the public implementation reads no price here).
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN
    if tasset.is_delisted or kind.is_revoked:
        return Status.TASSET_DELISTED
    if fresh_price(kind, feeds, now) <= 0.0:
        return Status.STALE_PRICE
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    status = ledger.transfer(wallets, kind.token, cdp.owner, MINT_ACCOUNT, amount)
    if status == Status.OK:
        change(cdp, tasset, kind, amount, 0.0)
    return status


@rule
def withdraw(cdp: Row, tasset: Row, kind: Row, feeds: Table, wallets: Floats, amount: float, now: float) -> Status:
    """Take collateral out of a CDP, less the protocol fee.

    Args:
        cdp: row of `World.cdps`; changed.
        tasset: row of `World.tassets`: minimum ratio, fee; running sum changed.
        kind: row of `World.cdp_kinds` of the CDP; running sums changed.
        feeds: `World.feeds`.
        wallets: `[accounts, tokens]`; changed through the ledger. The fee goes to the collector.
        amount: tokens of collateral, > 0, fee included.
        now: seconds since the start.

    Returns:
        OK, or CDP_NOT_OPEN, STALE_PRICE, BAD_AMOUNT, INSUFFICIENT_COLLATERAL, BELOW_MIN_RATIO with nothing changed.

    Source: 004_7b43fd311786c790.txt, "Depositing / withdrawing collateral", "Protocol Fee".
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN
    price = fresh_price(kind, feeds, now)
    if price <= 0.0:
        return Status.STALE_PRICE
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    if amount > cdp.collateral:
        return Status.INSUFFICIENT_COLLATERAL
    if cdp.collateral - amount < required_collateral(cdp.debt, price, tasset.min_collateral_ratio):
        return Status.BELOW_MIN_RATIO
    fee = floor_amount(amount * tasset.protocol_fee)
    ledger.transfer(wallets, kind.token, MINT_ACCOUNT, COLLECTOR_ACCOUNT, fee)
    ledger.transfer(wallets, kind.token, MINT_ACCOUNT, cdp.owner, amount - fee)
    change(cdp, tasset, kind, -amount, 0.0)
    return Status.OK


@rule
def mint(cdp: Row, tasset: Row, kind: Row, feeds: Table, tokens: Table, wallets: Floats, amount: float, now: float) -> Status:
    """Mint more of the tASSET against the collateral already locked.

    Args:
        cdp: row of `World.cdps`; changed.
        tasset: row of `World.tassets`: minimum ratio; running sum changed.
        kind: row of `World.cdp_kinds` of the CDP; running sums changed.
        feeds: `World.feeds`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: tASSET tokens, > 0.
        now: seconds since the start.

    Returns:
        OK, or CDP_NOT_OPEN, TASSET_DELISTED, STALE_PRICE, BAD_AMOUNT, BELOW_MIN_RATIO, SUPPLY_LIMIT with nothing changed.

    Source: 004_7b43fd311786c790.txt, "Minting / Burning tASSETs".
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN
    if tasset.is_delisted or kind.is_revoked:
        return Status.TASSET_DELISTED
    price = fresh_price(kind, feeds, now)
    if price <= 0.0:
        return Status.STALE_PRICE
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    if cdp.collateral < required_collateral(cdp.debt + amount, price, tasset.min_collateral_ratio):
        return Status.BELOW_MIN_RATIO
    status = ledger.mint(wallets, tokens, tasset.token, cdp.owner, amount)
    if status == Status.OK:
        change(cdp, tasset, kind, 0.0, amount)
    return status


@rule
def burn(cdp: Row, tasset: Row, kind: Row, feeds: Table, tokens: Table, wallets: Floats, amount: float, now: float) -> Status:
    """Return minted tokens and lower the debt.

    Args:
        cdp: row of `World.cdps`; changed.
        tasset: row of `World.tassets`; running sum changed.
        kind: row of `World.cdp_kinds` of the CDP; running sums changed.
        feeds: `World.feeds`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: tASSET tokens, > 0.
        now: seconds since the start.

    Returns:
        OK, or CDP_NOT_OPEN, STALE_PRICE, BAD_AMOUNT, INSUFFICIENT_DEBT, INSUFFICIENT_BALANCE with nothing changed.

    Source: 004_7b43fd311786c790.txt, "Minting / Burning tASSETs" and "Price" (the public implementation reads no price here).
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN
    if fresh_price(kind, feeds, now) <= 0.0:
        return Status.STALE_PRICE
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    if amount > cdp.debt:
        return Status.INSUFFICIENT_DEBT
    status = ledger.burn(wallets, tokens, tasset.token, cdp.owner, amount)
    if status == Status.OK:
        change(cdp, tasset, kind, 0.0, -amount)
    return status


@rule
def close(cdp: Row, tasset: Row, kind: Row, feeds: Table, tokens: Table, wallets: Floats, now: float) -> Status:
    """Return all minted tokens and take out all collateral, less the protocol fee; both or neither.

    Returns:
        OK, or CDP_NOT_OPEN, STALE_PRICE, INSUFFICIENT_BALANCE (of the tASSET) with nothing changed.

    Source: 004_7b43fd311786c790.txt, "Closing a position", "Protocol Fee".
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN
    if fresh_price(kind, feeds, now) <= 0.0:
        return Status.STALE_PRICE
    if wallets[cdp.owner, tasset.token] < cdp.debt:
        return Status.INSUFFICIENT_BALANCE
    if cdp.debt > 0.0:
        burn(cdp, tasset, kind, feeds, tokens, wallets, cdp.debt, now)
    if cdp.collateral > 0.0:
        withdraw(cdp, tasset, kind, feeds, wallets, cdp.collateral, now)
    return Status.OK
