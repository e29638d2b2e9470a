"""REP: the score that decides between positions with the same fee discount.

Earned by settling orders: USD value times the higher maker multiplier of the two assets, credited 48 hours after the settlement
(MECHANICS.md section 5, from the white paper v3.0), and a number of points for each order settled (assumption; 0 without). Lost at a
review, by a fraction (assumption): by a position that is short of funds, or has funds but cannot pay a token of them because its ranges do
not hold the oracle prices. Decays by half each half-life (assumption; no decay when that is infinite).

REP is kept in points of time 0: a point earned at time t is entered as 2**(t / half-life) points. Decay then changes nobody's row and,
since all decay alike, nobody's rank ("forward decay", Cormode et al. 2009). A run may last 900 half-lives.

REP is no token: plain float64, never negative.
"""

from __future__ import annotations

import math

from seawall.protocols.compiled import rule
from seawall.protocols.rfq_index import rerank
from seawall.protocols.rfq_ranges import is_in_range
from seawall.protocols.rfq_tables import Book
from seawall.protocols.status import Status
from seawall.protocols.tables import Row, Table

LN2 = math.log(2.0)
STABLECOIN, ALTCOIN, ETH, BTC, DXTR = (1.0, 2.0), (2.0, 3.0), (3.0, 4.0), (4.0, 5.0), (5.0, 8.0)
"""REP points per USD for a taker who buys the asset, and for a maker. Source: MECHANICS.md section 5; reference cases `rep_accrual`."""


@rule
def taker_points(bought: Row, value_usd: float) -> float:
    """REP points of a trader for an order: by the asset bought (row of `rfq_assets`)."""
    return float(value_usd * bought.taker_multiplier)


@rule
def maker_points(one: Row, other: Row, value_usd: float) -> float:
    """REP points of an LP for an order between two assets: the higher maker multiplier counts."""
    return float(value_usd * max(one.maker_multiplier, other.maker_multiplier))


@rule
def growth(terms: Row, now: float) -> float:
    """Points of time 0 that make one point now."""
    return math.exp(LN2 * (now / terms.rep_half_life))


@rule
def current_rep(book: Book, lp: int, now: float) -> float:
    """REP points that a position has now, decayed."""
    return float(book.lps[lp].rep / growth(book.terms[0], now))


@rule
def grant(book: Book, lp: int, points: float, now: float) -> None:
    """Credit points to an open position; its rank changes."""
    rerank(book, lp, book.lps[lp].fee_discount, book.lps[lp].rep + points * growth(book.terms[0], now))


@rule
def grant_oldest(book: Book, now: float) -> None:
    """Credit the oldest waiting points; void if the position was closed since they were earned."""
    terms = book.terms[0]
    credit = book.credits[terms.first_credit]
    if book.lps[credit.lp].is_open and book.lps[credit.lp].created == credit.created:
        grant(book, credit.lp, credit.points, now)
    terms.first_credit = (terms.first_credit + 1) % len(book.credits)
    terms.credits_waiting -= 1


@rule
def earn(book: Book, lp: int, outbound: int, inbound: int, value_usd: float, now: float) -> None:
    """Book the points of a settlement, to be credited after the delay. When the table is full the oldest are credited early, and counted.

    Args:
        book: the liquidity book; changed.
        lp: open position that settled.
        outbound: row of `rfq_assets`.
        inbound: row of `rfq_assets`.
        value_usd: USD settled, fee included.
        now: seconds since the start.
    """
    terms = book.terms[0]
    points = maker_points(book.assets[outbound], book.assets[inbound], value_usd) + terms.rep_per_fill
    if terms.rep_delay <= 0.0:
        grant(book, lp, points, now)
        return
    if terms.credits_waiting == len(book.credits):
        grant_oldest(book, now)
        terms.credits_early += 1
    credit = book.credits[(terms.first_credit + terms.credits_waiting) % len(book.credits)]
    credit.lp, credit.created, credit.points, credit.due_at = lp, book.lps[lp].created, points, now + terms.rep_delay
    terms.credits_waiting += 1


@rule
def grant_due(book: Book, now: float) -> None:
    """Credit all points whose time has come. Done once a round."""
    terms = book.terms[0]
    while terms.credits_waiting > 0 and book.credits[terms.first_credit].due_at <= now:
        grant_oldest(book, now)


@rule
def lose(book: Book, lp: int, fraction: float) -> Status:
    """Take a fraction of its REP from a position.

    Args:
        book: the liquidity book; changed.
        lp: row of `rfq_lps`.
        fraction: 0 to 1.

    Returns:
        OK, or POSITION_NOT_OPEN, BAD_TERMS with nothing changed.
    """
    if not book.lps[lp].is_open:
        return Status.POSITION_NOT_OPEN
    if not 0.0 <= fraction <= 1.0:
        return Status.BAD_TERMS
    rerank(book, lp, book.lps[lp].fee_discount, book.lps[lp].rep * (1.0 - fraction))
    return Status.OK


@rule
def value_usd(book: Book, lp: int, feeds: Table) -> float:
    """USD value of a position's balances at the last published prices."""
    total = 0.0
    for asset in range(len(book.assets)):
        total += book.holdings[lp, asset].balance * feeds[book.assets[asset].feed].price
    return total


@rule
def is_out_of_range(book: Book, lp: int, feeds: Table) -> bool:
    """Tell whether a position can pay none of its tokens, for any asset that it accepts, because its ranges do not hold the last prices."""
    for outbound in range(len(book.assets)):
        if book.holdings[lp, outbound].balance > 0.0:
            price_out = feeds[book.assets[outbound].feed].price
            for inbound in range(len(book.assets)):
                price_in = feeds[book.assets[inbound].feed].price
                is_accepted = inbound != outbound and (book.lps[lp].accepts >> inbound) & 1
                if is_accepted and is_in_range(book, lp, outbound, inbound, price_out, price_in):
                    return False
    return True


@rule
def review(book: Book, feeds: Table) -> tuple[int, int]:
    """Take REP from positions that cannot serve traders: a fraction of it each, by the terms `short_loss` and `out_of_range_loss`.

    A position short of funds (less than `min_value_usd`, or nothing) is not asked about its range as well.

    Args:
        book: the liquidity book; changed.
        feeds: `World.feeds`; the last published prices count, fresh or not.

    Returns:
        How many were short of funds, and how many out of range.
    """
    terms = book.terms[0]
    short = out_of_range = 0
    for lp in range(len(book.lps)):
        if book.lps[lp].is_open:
            value = value_usd(book, lp, feeds)
            if value <= 0.0 or value < terms.min_value_usd:
                short += 1
                lose(book, lp, terms.short_loss)
            elif is_out_of_range(book, lp, feeds):
                out_of_range += 1
                lose(book, lp, terms.out_of_range_loss)
    return short, out_of_range
