"""Discounted sale of a margin-called CDP's collateral to whoever brings the tASSET it owes.

Source: 004_7b43fd311786c790.txt, "Margin Call & Auction": the margin call starts below the minimum ratio (strictly), the sale goes on
until the ratio is restored or the debt is gone, and what is not sold goes back to the owner. Arithmetic of one sale and the restoring
amount: MECHANICS.md section 1. Where the ratio cannot be restored (it is at most 1/(1-discount): each partial sale lowers it) the whole
debt is for sale. The document does not say whether auctions stop while the price is stale; the public implementation stops them, and so
does the term `auction_needs_fresh_price` unless it is set to false.
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import ceil_amount, floor_amount, is_positive_amount
from seawall.protocols.cdp import change, fresh_price, last_price, required_collateral
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, MINT_ACCOUNT, Floats, Row, Table


@rule
def is_margin_called(cdp: Row, tasset: Row, price: float) -> bool:
    """Tell whether the collateral is less than the minimum ratio requires at this price; never once the tASSET is delisted."""
    return bool(not tasset.is_delisted and cdp.collateral < required_collateral(cdp.debt, price, tasset.min_collateral_ratio))


@rule
def restoring_amount(collateral: float, debt: float, price: float, min_ratio: float, discount: float) -> float:
    """Tokens whose purchase brings the ratio back to the minimum; the whole debt where no purchase can.

    (ratio*debt*price - collateral) / (price*(ratio - 1/(1-discount))), rounded up to a unit; it is at most the debt exactly when the
    collateral ratio is at least 1/(1-discount). Derived in MECHANICS.md section 1.
    """
    sold_per_usd = 1.0 / (1.0 - discount)
    if min_ratio <= sold_per_usd or collateral <= debt * price * sold_per_usd:
        return debt
    amount = (min_ratio * debt * price - collateral) / (price * (min_ratio - sold_per_usd))
    return min(ceil_amount(max(amount, 0.0)), debt)


@rule
def amount_for_sale(cdp: Row, tasset: Row, price: float) -> float:
    """Tokens that may be brought to a margin-called CDP in one purchase, before its collateral runs out."""
    if tasset.liquidate_whole:
        return float(cdp.debt)
    return restoring_amount(cdp.collateral, cdp.debt, price, tasset.min_collateral_ratio, tasset.auction_discount)


@rule
def quote(cdp: Row, tasset: Row, price: float, offer: float) -> tuple[float, float]:
    """What an offer of tokens would do: tokens burned, collateral sold (before the auction fee). Nothing changes.

    The discounted price is price/(1-discount) tokens of collateral per token owed. An offer for more than is for sale is cut; one worth
    more than the collateral takes all of it and burns only the tokens that this is worth.
    """
    discounted_price = price / (1.0 - tasset.auction_discount)
    burned = min(offer, amount_for_sale(cdp, tasset, price))
    sold = floor_amount(burned * discounted_price)
    if sold > cdp.collateral:
        burned -= floor_amount((sold - cdp.collateral) / discounted_price)
        sold = cdp.collateral
    return burned, sold


@rule
def purchase(
    cdp: Row, tasset: Row, kind: Row, feeds: Table, tokens: Table, wallets: Floats, buyer: int, offer: float, now: float
) -> tuple[Status, float, float]:
    """Buy collateral of a margin-called CDP with the tASSET it owes.

    The tokens are burned. With the debt gone, collateral left goes back to the owner; with the collateral gone, debt left is bad debt:
    tokens in circulation that nothing backs.

    Args:
        cdp: row of `World.cdps`; changed.
        tasset: row of `World.tassets`: terms; running sum and bad debt changed.
        kind: row of `World.cdp_kinds` of the CDP; running sums changed.
        feeds: `World.feeds`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        buyer: account that brings the tokens and receives the collateral.
        offer: tASSET tokens, > 0 and at most the debt; only what is used is taken.
        now: seconds since the start.

    Returns:
        (OK, tokens burned, collateral sold, auction fee included), or (CDP_NOT_OPEN, BAD_AMOUNT, TASSET_DELISTED (it, or its collateral),
        INSUFFICIENT_DEBT, STALE_PRICE, NOT_MARGIN_CALLED, INSUFFICIENT_BALANCE; 0, 0) with nothing changed. BAD_AMOUNT also when the offer
        is worth less than one unit of collateral.
    """
    if not cdp.is_open:
        return Status.CDP_NOT_OPEN, 0.0, 0.0
    if not is_positive_amount(offer):
        return Status.BAD_AMOUNT, 0.0, 0.0
    if tasset.is_delisted or kind.is_revoked:
        return Status.TASSET_DELISTED, 0.0, 0.0
    if offer > cdp.debt:
        return Status.INSUFFICIENT_DEBT, 0.0, 0.0
    price = fresh_price(kind, feeds, now) if tasset.auction_needs_fresh_price else last_price(kind, feeds)
    if price <= 0.0:
        return Status.STALE_PRICE, 0.0, 0.0
    if not is_margin_called(cdp, tasset, price):
        return Status.NOT_MARGIN_CALLED, 0.0, 0.0
    burned, sold = quote(cdp, tasset, price, offer)
    if sold <= 0.0 and cdp.collateral > 0.0:
        return Status.BAD_AMOUNT, 0.0, 0.0
    status = ledger.burn(wallets, tokens, tasset.token, buyer, burned)
    if status != Status.OK:
        return status, 0.0, 0.0
    fee = floor_amount(sold * tasset.auction_fee)
    ledger.transfer(wallets, kind.token, MINT_ACCOUNT, COLLECTOR_ACCOUNT, fee)
    ledger.transfer(wallets, kind.token, MINT_ACCOUNT, buyer, sold - fee)
    change(cdp, tasset, kind, -sold, -burned)
    settle(cdp, tasset, kind, feeds[kind.feed].price, wallets)
    return Status.OK, burned, sold


@rule
def settle(cdp: Row, tasset: Row, kind: Row, price_usd: float, wallets: Floats) -> None:
    """End a CDP whose debt is gone (collateral left goes to the owner) or whose collateral is gone (debt left is bad debt)."""
    if cdp.debt <= 0.0:
        left = cdp.collateral
        ledger.transfer(wallets, kind.token, MINT_ACCOUNT, cdp.owner, left)
        change(cdp, tasset, kind, -left, 0.0)
    elif cdp.collateral <= 0.0:
        tasset.bad_debt += cdp.debt
        tasset.bad_debt_usd += cdp.debt * price_usd
        change(cdp, tasset, kind, 0.0, -cdp.debt)
