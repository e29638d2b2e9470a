"""Orders of the RFQ market sent elsewhere, to compare: to constant-product pools, or to solvers in a Dutch or a sealed-bid auction.

The same LPs stand behind all: they hold the pools' tokens, or are the solvers, out of their own wallets. A solver knows the market's
price and delivers at most an order's worth there less the fee that it would take as an LP, at its present discount.

Source: 001_e37e2646f2495a8d.txt, "Conclusion", names these ways and gives no rules: all of it is an assumption.
"""

from __future__ import annotations

from seawall.agents.avmm import Avmm, Mechanism, market_price
from seawall.agents.avmm_desk import book_fill
from seawall.agents.base import tally
from seawall.protocols import alternatives, amm
from seawall.protocols.amounts import floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Row


@rule
def pool_of(v: Avmm, inbound: int, outbound: int) -> Row:
    """Pool of an asset against the numeraire, which is one of the two."""
    return v.pools[v.avmm_assets[max(inbound, outbound)].pool]


@rule
def swap(v: Avmm, trader: int, inbound: int, outbound: int, amount: float, max_cost: float) -> tuple[Status, float]:
    """Send an order to the asset's pool, slippage at most `max_cost`; return the answer, which is counted, and the tokens received."""
    token = v.book.assets[inbound].token
    status, received = amm.swap(pool_of(v, inbound, outbound), v.wallets, trader, token, amount, max_cost)
    tally(v.tallies, Action.SWAP, status)
    return status, received


@rule
def market_worth(v: Avmm, inbound: int, outbound: int, amount: float) -> float:
    """Outbound tokens that an amount is worth at the market's prices, floored to a unit."""
    return floor_amount(amount * market_price(v, inbound) / market_price(v, outbound))


@rule
def limit(v: Avmm, lp: Row, inbound: int, outbound: int, worth: float) -> float:
    """The most outbound tokens that an LP would deliver for inbound tokens of this worth; 0 if it is out, takes none, or has too few."""
    position, terms = v.book.lps[lp.position], v.book.terms[0]
    if lp.is_out or not (position.accepts >> inbound) & 1:
        return 0.0
    most = floor_amount(worth * (1.0 - terms.max_fee * (1.0 - position.fee_discount)))
    return most if v.wallets[lp.account, v.book.assets[outbound].token] >= most else 0.0


@rule
def hold_auction(v: Avmm, worth: float, max_cost: float) -> tuple[Status, int, float, float]:
    """Auction an order of this worth among the solvers of `v.limits`: status, winner, outbound tokens, seconds that it took.

    The trader takes no less than its worth less `max_cost`. Sealed bids are less than solvers would deliver by their shade.
    """
    terms = v.terms[0]
    if terms.mechanism == Mechanism.DUTCH_AUCTION.value:
        last = max(terms.dutch_floor, -max_cost)
        return alternatives.dutch_auction(worth, terms.dutch_start, last, terms.dutch_seconds, terms.dutch_tick, v.limits)
    for i in range(len(v.limits)):
        v.limits[i] = floor_amount(v.limits[i] * (1.0 - terms.shade))
    status, winner, delivered = alternatives.sealed_bid_auction(v.limits, floor_amount(worth * (1.0 - max_cost)))
    return status, winner, delivered, 0.0


@rule
def auction(v: Avmm, trader: int, inbound: int, outbound: int, amount: float, max_cost: float) -> tuple[Status, float, float]:
    """Sell an order of an account to the best solver.

    Args:
        v: the RFQ market; changed.
        trader: account.
        inbound: row of the book's assets: what is paid.
        outbound: row of the book's assets: what is received.
        amount: inbound tokens, > 0, all of them or none.
        max_cost: fraction of its worth that the order may cost.

    Returns:
        (OK, outbound tokens received, seconds until a solver accepted), or (BAD_AMOUNT, INSUFFICIENT_BALANCE, NO_BID; 0, 0) with nothing
        changed. Counted.
    """
    worth = market_worth(v, inbound, outbound, amount)
    for i in range(len(v.avmm_lps)):
        v.limits[i] = limit(v, v.avmm_lps[i], inbound, outbound, worth)
    status, winner, delivered, waited = hold_auction(v, worth, max_cost)
    if status == Status.OK:
        assets, solver = v.book.assets, v.avmm_lps[winner]
        status = alternatives.deliver(v.wallets, trader, solver.account, assets[inbound].token, amount, assets[outbound].token, delivered)
    tally(v.tallies, Action.AUCTION, status)
    if status != Status.OK:
        return status, 0.0, 0.0
    book_fill(v, v.avmm_lps[winner], inbound, outbound, amount, worth, worth - delivered)  # what the solver keeps is its fee
    return status, delivered, waited
