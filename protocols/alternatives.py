"""Two other ways to sell one order, to compare with RFQ routing: a Dutch auction and a sealed-bid auction among solvers.

The document names "traditional Dutch auctions or Solver models" as what its ranking replaces: participants outbid one another there, away
from market value, and solvers make routing inefficient. It gives no rules for them, so all below is an assumption. In both the trader sells
a fixed amount of the inbound asset, and solvers say how much of the outbound asset they deliver for it; there is no fee beside that.

Source: 001_e37e2646f2495a8d.txt, "Conclusion".
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import floor_amount, is_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import NONE
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats


@rule
def dutch_ask(worth: float, start_premium: float, floor_premium: float, duration: float, elapsed: float) -> float:
    """Outbound tokens asked after some time: worth * (1 + premium), the premium falling in a straight line; floored to a unit.

    Args:
        worth: outbound tokens that the order is worth at oracle prices.
        start_premium: fraction at the start.
        floor_premium: fraction at the end and after it; negative is a discount.
        duration: seconds from start to end, > 0.
        elapsed: seconds since the start, >= 0.
    """
    share = min(elapsed / duration, 1.0)
    return floor_amount(worth * (1.0 + start_premium + (floor_premium - start_premium) * share))


@rule
def highest(bids: Floats) -> int:
    """Row of the highest bid, the first of equal ones; NONE without any. What is not a positive amount is no bid."""
    best = NONE
    for i in range(len(bids)):
        if is_positive_amount(bids[i]) and (best == NONE or bids[i] > bids[best]):
            best = i
    return best


@rule
def dutch_auction(
    worth: float, start_premium: float, floor_premium: float, duration: float, tick: float, limits: Floats
) -> tuple[Status, int, float, float]:
    """Ask for less at every tick until a solver accepts; the first to accept delivers what is asked then.

    A solver accepts as soon as its limit covers what is asked, so the one with the highest limit is first; of equal ones, the first row.

    Args:
        worth: outbound tokens that the order is worth at oracle prices, > 0.
        start_premium: fraction above the worth asked first.
        floor_premium: fraction asked last, > -1 and at most `start_premium`; negative is a discount.
        duration: seconds until the last ask, > 0 and finite.
        tick: seconds between two asks, > 0.
        limits: the most that each solver would deliver, outbound tokens.

    Returns:
        (OK, winner's row, outbound tokens, seconds until it accepted), or (BAD_AMOUNT, BAD_TERMS, NO_BID; -1, 0, 0). NO_BID when nobody
        accepts what is asked last.
    """
    if not is_positive_amount(worth):
        return Status.BAD_AMOUNT, NONE, 0.0, 0.0
    if not (-1.0 < floor_premium <= start_premium < float("inf") and 0.0 < duration < float("inf") and tick > 0.0):
        return Status.BAD_TERMS, NONE, 0.0, 0.0
    winner = highest(limits)
    if winner == NONE or limits[winner] < dutch_ask(worth, start_premium, floor_premium, duration, duration):
        return Status.NO_BID, NONE, 0.0, 0.0
    ticks, elapsed = 0, 0.0
    ask = dutch_ask(worth, start_premium, floor_premium, duration, elapsed)
    while ask > limits[winner]:
        ticks += 1
        elapsed = min(ticks * tick, duration)
        ask = dutch_ask(worth, start_premium, floor_premium, duration, elapsed)
    return Status.OK, winner, ask, elapsed


@rule
def sealed_bid_auction(bids: Floats, reserve: float) -> tuple[Status, int, float]:
    """Take the best of bids that nobody else sees; the winner delivers its own bid, the first row of equal ones.

    Args:
        bids: outbound tokens that each solver offers to deliver; 0 is no bid.
        reserve: the least that the trader takes, outbound tokens, >= 0.

    Returns:
        (OK, winner's row, outbound tokens), or (BAD_AMOUNT, NO_BID; -1, 0).
    """
    if not is_amount(reserve):
        return Status.BAD_AMOUNT, NONE, 0.0
    winner = highest(bids)
    if winner == NONE or bids[winner] < reserve:
        return Status.NO_BID, NONE, 0.0
    return Status.OK, winner, bids[winner]


@rule
def deliver(wallets: Floats, trader: int, solver: int, inbound: int, paid: float, outbound: int, delivered: float) -> Status:
    """Exchange the order's tokens with the winner of an auction: both sides or neither.

    Args:
        wallets: `[accounts, tokens]`; changed through the ledger.
        trader: account that pays the inbound token.
        solver: account that pays the outbound token.
        inbound: row of tokens.
        paid: inbound tokens, > 0.
        outbound: row of tokens, another one.
        delivered: outbound tokens, > 0.

    Returns:
        OK, or WRONG_ASSET, BAD_AMOUNT, INSUFFICIENT_BALANCE (of either) with nothing changed.
    """
    if inbound == outbound:
        return Status.WRONG_ASSET
    if not (is_positive_amount(paid) and is_positive_amount(delivered)):
        return Status.BAD_AMOUNT
    if wallets[trader, inbound] < paid or wallets[solver, outbound] < delivered:
        return Status.INSUFFICIENT_BALANCE
    ledger.transfer(wallets, inbound, trader, solver, paid)
    return ledger.transfer(wallets, outbound, solver, trader, delivered)
