"""The liquidity book of an oracle-driven RFQ market (Dextr AVMM): positions, balances, price ranges, orders, and the index over them.

A position belongs to one LP. It is funded in its primary asset; what it takes in by settling orders are secondary balances, which it pays
out as well. Assets are numbered as rows of `RFQ_ASSET`; a *line* is anything on which a price range can stand: first the USD price of each
asset, then the price of each pair of assets. `Book` holds every table, and the RFQ contract's wallet holds the tokens: for each
asset the balances of all positions together are that wallet, exactly.

Source: 001_e37e2646f2495a8d.txt, "LP Eligibility", "LP Prioritization".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seawall.protocols.compiled import rule
from seawall.protocols.tables import BOOL, FLOAT, INT, Floats, Ints, Row, Table, table_type

NONE = -1  # no row
MAX_LP_FEE = 0.01
MIN_FRACTION = 0.1
CREDIT_DELAY = 48 * 3600.0
MOST_ASSETS = 62  # one bit each

RFQ = table_type(
    "rfq",
    account=(INT, "account of the RFQ contract: holds all positions' tokens"),
    max_fee=(FLOAT, "fraction of the value settled: LP fee at a discount of 0"),
    min_fraction=(FLOAT, "fraction of an order's size, in the outbound asset, that a position must hold to be eligible"),
    created=(INT, "positions opened so far; numbers them in order of creation"),
    root=(INT, "row of rfq_lps: root of the tree in rank order; -1 while no position is open"),
    rep_delay=(FLOAT, "seconds from a settlement to the credit of its REP"),
    rep_half_life=(FLOAT, "seconds in which REP halves; infinite without decay"),
    rep_per_fill=(FLOAT, "REP points for each order settled, beside those for its value"),
    out_of_range_loss=(FLOAT, "fraction of REP lost at a review by a position out of range"),
    short_loss=(FLOAT, "fraction of REP lost at a review by a position short of funds"),
    min_value_usd=(FLOAT, "USD: a position with less is short of funds"),
    first_credit=(INT, "row of rfq_credits: the oldest one not yet granted"),
    credits_waiting=(INT, "credits not yet granted"),
    credits_early=(INT, "credits granted before their time because the table was full"),
)

RFQ_ASSET = table_type(
    "rfq_assets",
    token=(INT, "row of tokens"),
    feed=(INT, "row of feeds"),
    taker_multiplier=(FLOAT, "REP points per USD for a trader who buys this asset"),
    maker_multiplier=(FLOAT, "REP points per USD for an LP; the higher one of the two assets counts"),
)

RFQ_LINE = table_type(
    "rfq_lines",
    price=(FLOAT, "USD per token, or tokens of the pair's second asset per token of its first: what the index reckons with; 0 is none yet"),
)

RFQ_LP = table_type(
    "rfq_lps",
    owner=(INT, "account"),
    is_open=(BOOL, "whether the row is a position"),
    created=(INT, "number in order of creation"),
    primary=(INT, "row of rfq_assets in which the position is funded"),
    accepts=(INT, "bit mask: inbound assets that the position takes, bit k for row k of rfq_assets"),
    uses_pair_ranges=(BOOL, "whether ranges on pairs count instead of those in USD"),
    fee_discount=(FLOAT, "fraction, 0 to 1, off the maximum fee"),
    rep=(FLOAT, "REP points, in points of time 0 (see reputation)"),
    fills=(INT, "orders settled, wholly or in part"),
    volume_usd=(FLOAT, "USD settled, fees included"),
    left=(INT, "row: subtree of better ranks, or -1"),
    right=(INT, "row: subtree of worse ranks, or -1"),
    parent=(INT, "row above in the tree, or -1"),
)

RFQ_HOLDING = table_type(
    "rfq_holdings",
    balance=(FLOAT, "tokens of one asset in one position"),
    fees=(FLOAT, "tokens: fees earned so far in this asset; they are part of the balance"),
)

RFQ_RANGE = table_type(
    "rfq_ranges",
    low=(FLOAT, "price of the line from which the position trades, inclusive"),
    high=(FLOAT, "price of the line up to which the position trades, inclusive; infinite for any"),
    is_active=(BOOL, "whether the line's price is within"),
)

RFQ_CREDIT = table_type(
    "rfq_credits",
    lp=(INT, "row of rfq_lps"),
    created=(INT, "the position's number, so that nobody else inherits the credit with the row"),
    points=(FLOAT, "REP points"),
    due_at=(FLOAT, "seconds"),
)

RFQ_ORDER = table_type(
    "rfq_orders",
    trader=(INT, "account"),
    inbound=(INT, "row of rfq_assets: what the trader pays"),
    outbound=(INT, "row of rfq_assets: what the trader receives"),
    amount=(FLOAT, "tokens of the inbound asset to be traded"),
    all_or_none=(BOOL, "whether the order is refused unless it can be filled wholly"),
    most_lps=(INT, "positions that may settle the order together; 1: the best one alone"),
)

RFQ_FILL = table_type(
    "rfq_fills",
    lp=(INT, "row of rfq_lps"),
    paid=(FLOAT, "tokens of the inbound asset that the position receives"),
    settled=(FLOAT, "tokens of the outbound asset that the position settles, fee included"),
    fee=(FLOAT, "tokens of the outbound asset that the position keeps"),
)


class Book(NamedTuple):
    """Everything that the RFQ contract stores.

    `holdings` is [positions, assets], `ranges` [positions, lines]. The rest is the index: `best` [positions, outbound, inbound] has for
    each subtree of the rank order the most that one eligible position can pay; `heads` [lines, buckets], `next_bound` and `prev_bound`
    [lines, 2 * positions] are lists of range ends by price. The end 2k is the low one of position k, 2k + 1 the high one.
    """

    terms: Table
    assets: Table
    lines: Table
    lps: Table
    holdings: Table
    ranges: Table
    credits: Table
    best: Floats
    heads: Ints
    next_bound: Ints
    prev_bound: Ints


@rule
def pair_line(one: int, other: int, assets: int) -> int:
    """Row of the line of a pair of assets, whichever comes first; the price counts tokens of the higher row per token of the lower row."""
    lower, higher = min(one, other), max(one, other)
    return assets + higher * (higher - 1) // 2 + lower


@rule
def is_asset(book: Book, asset: int) -> bool:
    """Tell whether this is a row of the book's assets."""
    return 0 <= asset < len(book.assets)


@rule
def is_within(bounds: Row, price: float) -> bool:
    """Tell whether a price is in a range, ends included (assumption: the document does not say)."""
    return bool(bounds.low <= price <= bounds.high)


def empty_book(positions: int, assets: int, credits: int = 1024, buckets: int = 4096) -> Book:
    """Make a book without positions, with the document's terms, no decay and no losses of REP.

    Args:
        positions: how many may be open at once.
        assets: how many are traded; their rows are left to the caller.
        credits: room for REP that is not yet credited.
        buckets: of range ends, for each line.
    """
    if not 2 <= assets <= MOST_ASSETS:
        raise ValueError(f"an RFQ market has 2 to {MOST_ASSETS} assets, not {assets}")
    lines = assets * (assets + 1) // 2
    terms, lps, ranges = np.zeros(1, RFQ), np.zeros(positions, RFQ_LP), np.zeros((positions, lines), RFQ_RANGE)
    terms["max_fee"], terms["min_fraction"], terms["root"] = MAX_LP_FEE, MIN_FRACTION, NONE
    terms["rep_delay"], terms["rep_half_life"] = CREDIT_DELAY, np.inf
    lps["left"] = lps["right"] = lps["parent"] = NONE
    ranges["high"], ranges["is_active"] = np.inf, True
    return Book(
        terms=terms,
        assets=np.zeros(assets, RFQ_ASSET),
        lines=np.zeros(lines, RFQ_LINE),
        lps=lps,
        holdings=np.zeros((positions, assets), RFQ_HOLDING),
        ranges=ranges,
        credits=np.zeros(credits, RFQ_CREDIT),
        best=np.zeros((positions, assets, assets)),
        heads=np.full((lines, buckets), NONE, dtype=np.int64),
        next_bound=np.full((lines, 2 * positions), NONE, dtype=np.int64),
        prev_bound=np.full((lines, 2 * positions), NONE, dtype=np.int64),
    )
