"""Liquidity positions of an RFQ market: opened, funded in the primary asset, given terms, drawn down, closed.

Source: 001_e37e2646f2495a8d.txt, "LP Eligibility", "LP Prioritization" (discount, creation order), "Order Routing in Practice" (primary and
secondary balances, accepted inbound assets). Assumptions, where it is silent: a position is funded in its primary asset alone, its other
balances come from orders; the terms may be changed, and tokens taken out, at any time and without a fee.
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_index import insert, refresh, remove, rerank
from seawall.protocols.rfq_ranges import INFINITE, set_line_range
from seawall.protocols.rfq_tables import Book, is_asset
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats


@rule
def is_mask(book: Book, accepts: int) -> bool:
    """Tell whether a bit mask names assets of the book and no others."""
    return 0 <= accepts < (1 << len(book.assets))


@rule
def open_position(book: Book, lp: int, owner: int, primary: int, accepts: int, fee_discount: float) -> Status:
    """Open a position without tokens, REP or ranges (all prices are in range until ranges are set); it ranks by its discount at once.

    Args:
        book: the liquidity book; changed.
        lp: row of `rfq_lps` that is not open.
        owner: account.
        primary: row of `rfq_assets`.
        accepts: bit mask of inbound assets.
        fee_discount: fraction off the maximum fee, 0 to 1.

    Returns:
        OK, or POSITION_ALREADY_OPEN, WRONG_ASSET, UNAUTHORIZED (the contract's own account), BAD_TERMS with nothing changed.
    """
    row, terms = book.lps[lp], book.terms[0]
    if row.is_open:
        return Status.POSITION_ALREADY_OPEN
    if not (is_asset(book, primary) and is_mask(book, accepts)):
        return Status.WRONG_ASSET
    if owner == terms.account:
        return Status.UNAUTHORIZED
    if not 0.0 <= fee_discount <= 1.0:
        return Status.BAD_TERMS
    row.owner, row.primary, row.accepts, row.fee_discount = owner, primary, accepts, fee_discount
    row.uses_pair_ranges, row.rep, row.fills, row.volume_usd = False, 0.0, 0, 0.0
    row.created = terms.created
    terms.created += 1
    row.is_open = True
    for asset in range(len(book.assets)):
        book.holdings[lp, asset].fees = 0.0
    insert(book, lp)
    return Status.OK


@rule
def close_position(book: Book, lp: int, wallets: Floats) -> Status:
    """Pay all balances of a position to its owner and take it off the book; its REP is gone, and credits to come are void.

    Returns:
        OK, or POSITION_NOT_OPEN with nothing changed.
    """
    row = book.lps[lp]
    if not row.is_open:
        return Status.POSITION_NOT_OPEN
    for asset in range(len(book.assets)):
        if book.holdings[lp, asset].balance > 0.0:
            withdraw(book, lp, asset, wallets, book.holdings[lp, asset].balance)
    for line in range(len(book.lines)):
        set_line_range(book, lp, line, 0.0, INFINITE)
    remove(book, lp)
    row.is_open = False
    return Status.OK


@rule
def deposit(book: Book, lp: int, wallets: Floats, amount: float) -> Status:
    """Add tokens of the primary asset to a position.

    Args:
        book: the liquidity book; changed.
        lp: row of `rfq_lps`.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: tokens of the primary asset, > 0.

    Returns:
        OK, or POSITION_NOT_OPEN, BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    row = book.lps[lp]
    if not row.is_open:
        return Status.POSITION_NOT_OPEN
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    status = ledger.transfer(wallets, book.assets[row.primary].token, row.owner, book.terms[0].account, amount)
    if status == Status.OK:
        book.holdings[lp, row.primary].balance += amount
        refresh(book, lp)
    return status


@rule
def withdraw(book: Book, lp: int, asset: int, wallets: Floats, amount: float) -> Status:
    """Take tokens of any asset out of a position.

    Args:
        book: the liquidity book; changed.
        lp: row of `rfq_lps`.
        asset: row of `rfq_assets`.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: tokens, > 0.

    Returns:
        OK, or POSITION_NOT_OPEN, WRONG_ASSET, BAD_AMOUNT, INSUFFICIENT_BALANCE (more than the position holds) with nothing changed.
    """
    row = book.lps[lp]
    if not row.is_open:
        return Status.POSITION_NOT_OPEN
    if not is_asset(book, asset):
        return Status.WRONG_ASSET
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    if amount > book.holdings[lp, asset].balance:
        return Status.INSUFFICIENT_BALANCE
    status = ledger.transfer(wallets, book.assets[asset].token, book.terms[0].account, row.owner, amount)
    if status == Status.OK:
        book.holdings[lp, asset].balance -= amount
        refresh(book, lp)
    return status


@rule
def set_discount(book: Book, lp: int, fee_discount: float) -> Status:
    """Change a position's fee discount (fraction, 0 to 1), and with it the rank.

    Returns:
        OK, or POSITION_NOT_OPEN, BAD_TERMS with nothing changed.
    """
    if not book.lps[lp].is_open:
        return Status.POSITION_NOT_OPEN
    if not 0.0 <= fee_discount <= 1.0:
        return Status.BAD_TERMS
    rerank(book, lp, fee_discount, book.lps[lp].rep)
    return Status.OK


@rule
def set_accepted(book: Book, lp: int, accepts: int, uses_pair_ranges: bool) -> Status:
    """Change which inbound assets a position takes, and whether its ranges on pairs count or those in USD.

    Returns:
        OK, or POSITION_NOT_OPEN, WRONG_ASSET (a bit without an asset) with nothing changed.
    """
    if not book.lps[lp].is_open:
        return Status.POSITION_NOT_OPEN
    if not is_mask(book, accepts):
        return Status.WRONG_ASSET
    book.lps[lp].accepts, book.lps[lp].uses_pair_ranges = accepts, uses_pair_ranges
    refresh(book, lp)
    return Status.OK
