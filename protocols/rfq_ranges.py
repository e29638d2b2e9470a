"""Price ranges of positions, and which of them are active as prices move.

A range in USD stands on each asset; both must hold the oracle price. A derived range stands on a pair and must hold the quotient of the
two oracle prices; a position uses either kind. Ends are inclusive, and a range never set is unbounded (assumptions: the document is
silent).

When a price moves, only ranges with an end between the old price and the new one can change. Ends are therefore kept in lists by price, in
buckets of a 1,024th of a power of two, so a price move looks at the buckets that it passes and at nothing else.

Source: 001_e37e2646f2495a8d.txt, "LP Eligibility" (ranges in USD; ranges for pairs are announced there, their arithmetic is an assumption).
"""

from __future__ import annotations

import math

from seawall.protocols.compiled import rule
from seawall.protocols.rfq_index import refresh
from seawall.protocols.rfq_tables import NONE, Book, is_asset, is_within, pair_line
from seawall.protocols.status import Status
from seawall.protocols.tables import Table

BUCKETS_PER_OCTAVE = 1024
INFINITE = float("inf")


@rule
def pair_price(one: int, other: int, price_of_one: float, price_of_other: float) -> float:
    """Price on the line of a pair: tokens of the higher row per token of the lower row, whichever comes first; 0 when there is none."""
    upper, lower = (price_of_one, price_of_other) if one < other else (price_of_other, price_of_one)
    if not (upper > 0.0 and lower > 0.0):
        return 0.0
    quotient = upper / lower
    return quotient if quotient < INFINITE else 0.0


@rule
def is_in_range(book: Book, lp: int, outbound: int, inbound: int, price_out: float, price_in: float) -> bool:
    """Tell whether a position's ranges hold the oracle prices of both assets; or its derived range, their quotient."""
    ranges = book.ranges
    if book.lps[lp].uses_pair_ranges:
        price = pair_price(outbound, inbound, price_out, price_in)
        return is_within(ranges[lp, pair_line(outbound, inbound, len(book.assets))], price)
    return is_within(ranges[lp, outbound], price_out) and is_within(ranges[lp, inbound], price_in)


@rule
def bucket_of(price: float) -> int:
    """Number of the bucket of a price > 0: rises with the price, 1,024 numbers to each doubling. Exact, so both modes agree."""
    mantissa, exponent = math.frexp(price)
    return exponent * BUCKETS_PER_OCTAVE + int((mantissa - 0.5) * 2.0 * BUCKETS_PER_OCTAVE)


@rule
def is_end(price: float) -> bool:
    """Tell whether a price can pass this end: all prices are above a low end of 0 and below a high one that is infinite."""
    return 0.0 < price < INFINITE


@rule
def put_end(book: Book, line: int, end: int, price: float) -> None:
    """Enter an end of a range in the list of its bucket."""
    if not is_end(price):
        return
    bucket = bucket_of(price) % book.heads.shape[1]
    following = book.heads[line, bucket]
    book.next_bound[line, end], book.prev_bound[line, end] = following, NONE
    if following != NONE:
        book.prev_bound[line, following] = end
    book.heads[line, bucket] = end


@rule
def take_end(book: Book, line: int, end: int, price: float) -> None:
    """Take an end of a range off its list."""
    if not is_end(price):
        return
    following, previous = book.next_bound[line, end], book.prev_bound[line, end]
    if previous == NONE:
        book.heads[line, bucket_of(price) % book.heads.shape[1]] = following
    else:
        book.next_bound[line, previous] = following
    if following != NONE:
        book.prev_bound[line, following] = previous


@rule
def update_active(book: Book, lp: int, line: int) -> None:
    """Compare a range with its line's price anew."""
    bounds = book.ranges[lp, line]
    is_active = is_within(bounds, book.lines[line].price)
    if is_active != bounds.is_active:
        bounds.is_active = is_active
        refresh(book, lp)


@rule
def move_line(book: Book, line: int, price: float) -> None:
    """Bring the index to a new price of one line: look at all ranges with an end in a bucket that the price passes."""
    old = book.lines[line].price
    if price == old:
        return
    book.lines[line].price = price
    buckets = book.heads.shape[1]
    first, last = 0, buckets - 1
    if old > 0.0 and price > 0.0:
        low, high = bucket_of(min(old, price)), bucket_of(max(old, price))
        if high - low < buckets:
            first, last = low, high
    for bucket in range(first, last + 1):
        end = book.heads[line, bucket % buckets]
        while end != NONE:
            update_active(book, end // 2, line)
            end = book.next_bound[line, end]


@rule
def follow_prices(book: Book, feeds: Table) -> None:
    """Bring the index to the last published prices. Done once a round, after the feeders; until then orders are matched by a plain scan."""
    assets = len(book.assets)
    for asset in range(assets):
        move_line(book, asset, feeds[book.assets[asset].feed].price)
    for higher in range(1, assets):
        for lower in range(higher):
            price = pair_price(lower, higher, book.lines[lower].price, book.lines[higher].price)
            move_line(book, pair_line(lower, higher, assets), price)


@rule
def is_current(book: Book, outbound: int, inbound: int, price_out: float, price_in: float) -> bool:
    """Tell whether the index reckons with these prices of two assets."""
    line = pair_line(outbound, inbound, len(book.assets))
    return bool(
        book.lines[outbound].price == price_out
        and book.lines[inbound].price == price_in
        and book.lines[line].price == pair_price(outbound, inbound, price_out, price_in)
    )


@rule
def set_line_range(book: Book, lp: int, line: int, low: float, high: float) -> Status:
    """Set a position's range on a line.

    Returns:
        OK, or POSITION_NOT_OPEN, BAD_TERMS (a low end below 0 or above the high end, a high end of 0, NaN) with nothing changed.
    """
    if not book.lps[lp].is_open:
        return Status.POSITION_NOT_OPEN
    if not (0.0 <= low <= high and high > 0.0):
        return Status.BAD_TERMS
    bounds = book.ranges[lp, line]
    take_end(book, line, 2 * lp, bounds.low)
    take_end(book, line, 2 * lp + 1, bounds.high)
    bounds.low, bounds.high = low, high
    put_end(book, line, 2 * lp, low)
    put_end(book, line, 2 * lp + 1, high)
    update_active(book, lp, line)
    return Status.OK


@rule
def set_range(book: Book, lp: int, asset: int, low: float, high: float) -> Status:
    """Set the range in USD in which a position trades an asset.

    Args:
        book: the liquidity book; changed.
        lp: row of `rfq_lps`.
        asset: row of `rfq_assets`.
        low: USD per token, >= 0.
        high: USD per token, at least `low` and > 0; may be infinite.

    Returns:
        OK, or WRONG_ASSET, POSITION_NOT_OPEN, BAD_TERMS with nothing changed.

    Source: 001_e37e2646f2495a8d.txt, "LP Eligibility".
    """
    if not is_asset(book, asset):
        return Status.WRONG_ASSET
    return set_line_range(book, lp, asset, low, high)


@rule
def set_pair_range(book: Book, lp: int, asset: int, counter: int, low: float, high: float) -> Status:
    """Set the derived range in which a position trades a pair; it counts once the position uses ranges on pairs.

    Args:
        book: the liquidity book; changed.
        lp: row of `rfq_lps`.
        asset: row of `rfq_assets`, the lower one of the pair.
        counter: row of `rfq_assets` in which the price is counted, the higher one.
        low: tokens of `counter` per token of `asset`, >= 0.
        high: the same unit, at least `low` and > 0; may be infinite.

    Returns:
        OK, or WRONG_ASSET (also when the rows are not in this order), POSITION_NOT_OPEN, BAD_TERMS with nothing changed.

    Source: 001_e37e2646f2495a8d.txt, "LP Eligibility" (announced there); the arithmetic is an assumption.
    """
    if not (is_asset(book, asset) and is_asset(book, counter) and asset < counter):
        return Status.WRONG_ASSET
    return set_line_range(book, lp, pair_line(asset, counter, len(book.assets)), low, high)
