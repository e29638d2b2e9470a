"""Routing of one order: who is eligible, who comes first, and the settlement at oracle prices.

The trader names an amount of the inbound asset. Its worth in the outbound asset at the two oracle prices, floored to a unit, is the size of
the order, of which a position must hold at least a tenth. Positions settle in rank order, each up to its balance: at most ten of
them, since each holds a tenth. A position receives at least what it settles is worth; roundings (below one unit of each asset for each
position) are the trader's. The fee, value * 1 % * (1 - discount), is kept by the position out of what it settles, so it goes to
those who settle, by settled value, each at its own discount.

Source: 001_e37e2646f2495a8d.txt, "LP Eligibility and Priority Rules", "Order Routing in Practice"; several LPs in rank order and fees by
settled value from MECHANICS.md section 5. Assumptions, where these are silent: the fee is taken from the outbound asset and floored to a
unit, both prices must be fresh, the trader must hold the whole amount, and what is worth less than a unit stays with the trader.
"""

from __future__ import annotations

from enum import IntEnum

from seawall.protocols import ledger
from seawall.protocols.amounts import LIMIT, PRODUCT_ERROR, UNIT, UNITS_PER_TOKEN, ceil_amount, floor_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.reputation import earn
from seawall.protocols.rfq_index import best_by_index, ranks_before, refresh
from seawall.protocols.rfq_ranges import INFINITE, is_current, is_in_range
from seawall.protocols.rfq_tables import NONE, Book, is_asset
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table


class Exclusion(IntEnum):
    """Why a position is not eligible for an order: the first reason, in the document's order."""

    ELIGIBLE = 0
    NO_OUT_ASSET = 1
    INACTIVE_RANGE = 2
    INBOUND_NOT_ACCEPTED = 3
    BELOW_THRESHOLD = 4


@rule
def worth(amount: float, price: float, price_of_other: float) -> float:
    """Tokens of another asset that an amount is worth at oracle prices, floored to a unit; infinite above the limit of amounts."""
    exact = amount * price / price_of_other
    return floor_amount(exact) if exact <= LIMIT else INFINITE


@rule
def least_balance(size: float, min_fraction: float) -> float:
    """Tokens that a position must hold for an order of this size: the fraction of it, rounded up to a unit, at least one.

    A product that is more than a whole unit only by the error of float64 counts as whole: exactly a tenth is enough.
    """
    exact = size * min_fraction
    least = floor_amount(exact)
    if (exact - least) * UNITS_PER_TOKEN > exact * UNITS_PER_TOKEN * PRODUCT_ERROR:
        least += UNIT
    return max(least, UNIT)


@rule
def lp_fee(value: float, max_fee: float, fee_discount: float) -> float:
    """Fee of an LP on what it settles, same unit as the value, floored to a unit: value * maximum fee * (1 - discount).

    Source: 001_e37e2646f2495a8d.txt, "LP Prioritization".
    """
    return floor_amount(value * (max_fee - max_fee * fee_discount))


@rule
def exclusion(book: Book, lp: int, outbound: int, inbound: int, price_out: float, price_in: float, need: float) -> Exclusion:
    """Tell whether an open position is eligible for an order, or the first reason why not.

    Args:
        book: the liquidity book; the index is not used.
        lp: row of `rfq_lps`.
        outbound: row of `rfq_assets`: what the position pays.
        inbound: row of `rfq_assets`: what it receives.
        price_out: USD per token of the outbound asset.
        price_in: USD per token of the inbound asset.
        need: tokens of the outbound asset that it must hold.

    Source: 001_e37e2646f2495a8d.txt, "LP Eligibility", "Eligibility Checks".
    """
    balance = book.holdings[lp, outbound].balance
    if balance <= 0.0:
        return Exclusion.NO_OUT_ASSET
    if not is_in_range(book, lp, outbound, inbound, price_out, price_in):
        return Exclusion.INACTIVE_RANGE
    if not (book.lps[lp].accepts >> inbound) & 1:
        return Exclusion.INBOUND_NOT_ACCEPTED
    if balance < need:
        return Exclusion.BELOW_THRESHOLD
    return Exclusion.ELIGIBLE


@rule
def best_by_scan(book: Book, after: int, outbound: int, inbound: int, price_out: float, price_in: float, need: float) -> int:
    """Row of the best-ranked eligible position, or of the next one after a given position, by looking at every one; NONE if none.

    The definition that `rfq_index.best_by_index` must agree with.
    """
    best = NONE
    for lp in range(len(book.lps)):
        if book.lps[lp].is_open and (after == NONE or ranks_before(book.lps, after, lp)):
            reason = exclusion(book, lp, outbound, inbound, price_out, price_in, need)
            if reason == Exclusion.ELIGIBLE and (best == NONE or ranks_before(book.lps, lp, best)):
                best = lp
    return best


@rule
def match(book: Book, order: Row, price_out: float, price_in: float, fills: Table, by_scan: bool) -> tuple[int, float]:
    """Share an order among eligible positions in rank order, each up to its balance. Only `fills`, a scratch table, is written.

    Args:
        book: the liquidity book.
        order: row of `RFQ_ORDER`.
        price_out: USD per token of the outbound asset.
        price_in: USD per token of the inbound asset.
        fills: table of `RFQ_FILL`: room for as many positions as may settle one order; ten are enough at a tenth of the size.
        by_scan: whether to look at every position instead of the index.

    Returns:
        How many positions settle, and the inbound tokens that are left over.
    """
    outbound, inbound, left = order.outbound, order.inbound, order.amount
    need = least_balance(worth(left, price_in, price_out), book.terms[0].min_fraction)
    lp, count = NONE, 0
    while count < min(order.most_lps, len(fills)):
        settled = worth(left, price_in, price_out)
        if settled <= 0.0:
            break
        if by_scan:
            lp = best_by_scan(book, lp, outbound, inbound, price_out, price_in, need)
        else:
            lp = best_by_index(book, lp, outbound, inbound, need)
        if lp == NONE:
            break
        fill, balance, paid = fills[count], book.holdings[lp, outbound].balance, left
        if settled > balance:
            settled, paid = balance, min(left, ceil_amount(balance * price_out / price_in))
        fill.lp, fill.paid, fill.settled = lp, paid, settled
        fill.fee = lp_fee(settled, book.terms[0].max_fee, book.lps[lp].fee_discount)
        left -= paid
        count += 1
    return count, left


@rule
def apply(book: Book, fill: Row, order: Row, wallets: Floats, price_out: float, now: float) -> None:
    """Book one position's part of an order and move the tokens."""
    account, received = book.terms[0].account, fill.settled - fill.fee
    ledger.transfer(wallets, book.assets[order.inbound].token, order.trader, account, fill.paid)
    ledger.transfer(wallets, book.assets[order.outbound].token, account, order.trader, received)
    row, value = book.lps[fill.lp], fill.settled * price_out
    book.holdings[fill.lp, order.inbound].balance += fill.paid
    book.holdings[fill.lp, order.outbound].balance -= received
    book.holdings[fill.lp, order.outbound].fees += fill.fee
    row.fills += 1
    row.volume_usd += value
    refresh(book, fill.lp)
    earn(book, fill.lp, order.outbound, order.inbound, value, now)


@rule
def why_not(book: Book, order: Row, price_out: float, price_in: float) -> Status:
    """Tell whether an order may be matched at these prices (USD): OK, or WRONG_ASSET, UNAUTHORIZED, STALE_PRICE (no price), BAD_AMOUNT."""
    if not (is_asset(book, order.inbound) and is_asset(book, order.outbound)) or order.inbound == order.outbound:
        return Status.WRONG_ASSET
    if order.trader == book.terms[0].account:
        return Status.UNAUTHORIZED
    if not (price_out > 0.0 and price_in > 0.0):
        return Status.STALE_PRICE
    if not (is_positive_amount(order.amount) and is_positive_amount(worth(order.amount, price_in, price_out))):
        return Status.BAD_AMOUNT
    return Status.OK


@rule
def fresh_prices(book: Book, order: Row, feeds: Table, now: float) -> tuple[float, float]:
    """USD per token of the outbound and the inbound asset of an order; 0 for one without a fresh price, or that is no asset of the book."""
    price_out = price_in = 0.0
    if is_asset(book, order.outbound) and is_fresh(feeds[book.assets[order.outbound].feed], now):
        price_out = feeds[book.assets[order.outbound].feed].price
    if is_asset(book, order.inbound) and is_fresh(feeds[book.assets[order.inbound].feed], now):
        price_in = feeds[book.assets[order.inbound].feed].price
    return price_out, price_in


@rule
def route(book: Book, order: Row, price_out: float, price_in: float, fills: Table, by_scan: bool) -> tuple[Status, float, float, int]:
    """Find who would settle an order that may be matched (`why_not`), whatever its trader holds. Only `fills` is written.

    Returns:
        As `settle`: (OK, outbound tokens received, inbound tokens paid, positions), or (NO_ELIGIBLE_LP, NOT_WHOLLY_FILLED; 0, 0, 0).
    """
    scans = by_scan or not is_current(book, order.outbound, order.inbound, price_out, price_in)
    count, left = match(book, order, price_out, price_in, fills, scans)
    if count == 0:
        return Status.NO_ELIGIBLE_LP, 0.0, 0.0, 0
    if order.all_or_none and worth(left, price_in, price_out) > 0.0:
        return Status.NOT_WHOLLY_FILLED, 0.0, 0.0, 0
    received = 0.0
    for i in range(count):
        received += fills[i].settled - fills[i].fee
    return Status.OK, received, order.amount - left, count


@rule
def quote_at(
    book: Book, order: Row, price_out: float, price_in: float, wallets: Floats, fills: Table, by_scan: bool
) -> tuple[Status, float, float, int]:
    """Tell what `settle_at` would do at these prices. Only `fills` is written; arguments and answers are those of `settle_at`."""
    status = why_not(book, order, price_out, price_in)
    if status != Status.OK:
        return status, 0.0, 0.0, 0
    if wallets[order.trader, book.assets[order.inbound].token] < order.amount:
        return Status.INSUFFICIENT_BALANCE, 0.0, 0.0, 0
    return route(book, order, price_out, price_in, fills, by_scan)


@rule
def quote(
    book: Book, order: Row, feeds: Table, wallets: Floats, fills: Table, now: float, by_scan: bool
) -> tuple[Status, float, float, int]:
    """Tell what `settle` would do now. Only `fills` is written; arguments and answers are those of `settle`."""
    price_out, price_in = fresh_prices(book, order, feeds, now)
    return quote_at(book, order, price_out, price_in, wallets, fills, by_scan)


@rule
def settle_at(
    book: Book, order: Row, price_out: float, price_in: float, wallets: Floats, fills: Table, now: float, by_scan: bool
) -> tuple[Status, float, float, int]:
    """Route an order and settle it at given prices, such as those of an earlier quote; ranges must hold these prices.

    Args:
        book: the liquidity book; changed. Its index is used if it follows these prices (`rfq_ranges.follow_prices`); else all are scanned.
        order: row of `RFQ_ORDER`.
        price_out: USD per token of the outbound asset, > 0.
        price_in: USD per token of the inbound asset, > 0.
        wallets: `[accounts, tokens]`; changed through the ledger.
        fills: scratch table of `RFQ_FILL`, one row for each position that may settle; holds who settled what, as many as returned.
        now: seconds since the start.
        by_scan: whether to look at every position in any case; the result is the same.

    Returns:
        As `settle`; STALE_PRICE when a price is not positive.
    """
    status, received, paid, count = quote_at(book, order, price_out, price_in, wallets, fills, by_scan)
    for i in range(count):
        apply(book, fills[i], order, wallets, price_out, now)
    return status, received, paid, count


@rule
def settle(
    book: Book, order: Row, feeds: Table, wallets: Floats, fills: Table, now: float, by_scan: bool
) -> tuple[Status, float, float, int]:
    """Route an order and settle it at oracle prices.

    Args:
        book: the liquidity book; changed (see `settle_at`).
        order: row of `RFQ_ORDER`.
        feeds: `World.feeds`.
        wallets: `[accounts, tokens]`; changed through the ledger.
        fills: scratch table of `RFQ_FILL`, one row for each position that may settle; holds who settled what, as many as returned.
        now: seconds since the start.
        by_scan: whether to look at every position in any case; the result is the same.

    Returns:
        (OK, outbound tokens received, inbound tokens paid, positions that settled), or (WRONG_ASSET, UNAUTHORIZED, STALE_PRICE, BAD_AMOUNT,
        INSUFFICIENT_BALANCE, NO_ELIGIBLE_LP, NOT_WHOLLY_FILLED; 0, 0, 0) with nothing changed but `fills`. UNAUTHORIZED for the contract's
        own account; BAD_AMOUNT also when the amount is worth less than a unit of the outbound asset or more than the limit of amounts.

    Source: 001_e37e2646f2495a8d.txt, "Order Routing in Practice".
    """
    price_out, price_in = fresh_prices(book, order, feeds, now)
    return settle_at(book, order, price_out, price_in, wallets, fills, now, by_scan)
