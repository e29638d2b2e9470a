"""The best of pool and RFQ book: how the tASSET market's agents trade where a scenario has both.

A swap goes to the pool until the pool's next token costs what an LP of the book asks, then to that LP, and so on with the next ones, which
ask more; what the book cannot fill goes back to the pool. Arbitrageurs and liquidators refill on the book what they are short of, where
that pays. Without an RFQ market (`v` is None) everything goes to the pool.

Source: 001_e37e2646f2495a8d.txt for the book's prices and fees; the split between venues is an assumption (what an aggregator does), and
so is that these orders settle at once, whatever the latency of the RFQ market's own quotes: a pool's leg would not wait for them.
"""

from __future__ import annotations

import math

from seawall.agents.avmm import Avmm
from seawall.agents.avmm_desk import asset_of, conclude, set_order
from seawall.agents.base import tally
from seawall.protocols import amm, rfq
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import NONE
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Floats, Ints, Row

ANY_SPREAD = 1.0


@rule
def unit_cost(v: Avmm, lp: int, inbound: int, outbound: int) -> float:
    """Inbound tokens that an LP of the book asks for an outbound one at the oracle's prices, fee included, roundings apart."""
    assets, terms = v.book.assets, v.book.terms[0]
    worth = v.feeds[assets[outbound].feed].price / v.feeds[assets[inbound].feed].price
    return float(worth / (1.0 - terms.max_fee * (1.0 - v.book.lps[lp].fee_discount)))


@rule
def offers(v: Avmm, account: int, inbound: int, outbound: int, amount: float) -> int:
    """How many LPs would settle an order now, the cheapest first in `v.fills`; 0 if it would be refused. Nothing is counted."""
    set_order(v, account, inbound, outbound, amount)
    return int(rfq.quote(v.book, v.order[0], v.feeds, v.wallets, v.fills, v.clock[0].now, False)[3])


@rule
def trade_within(v: Avmm, account: int, inbound: int, outbound: int, amount: float, most_per_token: float) -> tuple[float, float]:
    """Settle an order at once with those LPs alone that ask no more than a limit; counted, unless there are none.

    Args:
        v: the RFQ market; changed.
        account: who trades.
        inbound: row of the book's assets: what is paid.
        outbound: row of the book's assets: what is received.
        amount: inbound tokens; paid as far as these LPs can settle them.
        most_per_token: inbound tokens per outbound one, fee included, roundings apart.

    Returns:
        Outbound tokens received and inbound tokens paid; (0, 0) with no market changed.
    """
    count, cheap = offers(v, account, inbound, outbound, amount), 0
    while cheap < count and unit_cost(v, v.fills[cheap].lp, inbound, outbound) <= most_per_token:
        cheap += 1
    if cheap == 0:
        return 0.0, 0.0
    v.order[0].most_lps = cheap
    status, received, paid, count = rfq.settle(v.book, v.order[0], v.feeds, v.wallets, v.fills, v.clock[0].now, False)
    conclude(v, status, count)
    return received, paid


@rule
def pool_part(pool: Row, wallets: Floats, offer_token: int, cost: float, offer: float) -> float:
    """How much of an offer a pool takes until the next token asked costs `cost` tokens offered, commission included.

    After x offered the next token costs (R + x)**2 / (R * A * (1 - commission)) with reserves R offered and A asked; solved for x.
    """
    ask_token = pool.asset_token if offer_token == pool.base_token else pool.base_token
    reserve, asked = wallets[pool.account, offer_token], wallets[pool.account, ask_token]
    taken = math.sqrt(reserve) * math.sqrt(asked * (1.0 - pool.commission) * cost) - reserve
    return min(max(floor_amount(taken), 0.0), offer)


@rule
def swap_on_pool(pool: Row, wallets: Floats, tallies: Ints, account: int, offer_token: int, offer: float, max_spread: float) -> Status:
    """Swap on a pool, counted."""
    status = amm.swap(pool, wallets, account, offer_token, offer, max_spread)[0]
    tally(tallies, Action.SWAP, status)
    return status


@rule
def swap_best(
    v: Avmm | None, pool: Row, wallets: Floats, tallies: Ints, account: int, offer_token: int, offer: float, max_spread: float
) -> Status:
    """Swap on pool and book, whichever is cheaper token by token; every answer is counted.

    Args:
        v: the RFQ market, or None.
        pool: row of `World.pools`.
        wallets: `[accounts, tokens]`.
        tallies: `[actions, statuses]`.
        account: who swaps.
        offer_token: one of the pool's two tokens.
        offer: tokens paid.
        max_spread: fraction: slippage on the pool at which what the book does not take is called off. What the pool takes before the book
            is limited by the book's price instead.

    Returns:
        OK if anything was swapped, else why not.
    """
    if v is not None:
        ask_token = pool.asset_token if offer_token == pool.base_token else pool.base_token
        inbound, outbound = asset_of(v, offer_token), asset_of(v, ask_token)
        if inbound != NONE and outbound != NONE:
            count = offers(v, account, inbound, outbound, offer)
            cheap, limit = split(v, pool, wallets, offer_token, offer, count)
            if cheap < offer:
                return _swap_on_both(v, pool, wallets, tallies, account, offer_token, offer, max_spread, cheap, limit)
    return swap_on_pool(pool, wallets, tallies, account, offer_token, offer, max_spread)


@rule
def split(v: Avmm, pool: Row, wallets: Floats, offer_token: int, offer: float, count: int) -> tuple[float, float]:
    """What of an offer the pool takes first, all of it if the book is dearer, and the most that the book may ask per token for the rest.

    LPs are taken from the cheapest on, as long as the pool's part at an LP's price and what those before it take leave something over.
    """
    order, cheap, limit, taken = v.order[0], offer, 0.0, 0.0
    for i in range(count):
        cost = unit_cost(v, v.fills[i].lp, order.inbound, order.outbound)
        part = pool_part(pool, wallets, offer_token, cost, offer)
        if part + taken >= offer:
            return max(cheap, offer - taken), limit
        cheap, limit = part, cost
        taken += v.fills[i].paid
    return cheap, limit


@rule
def _swap_on_both(
    v: Avmm,
    pool: Row,
    wallets: Floats,
    tallies: Ints,
    account: int,
    offer_token: int,
    offer: float,
    max_spread: float,
    cheap: float,
    limit: float,
) -> Status:
    """Pool up to the book's price, then the book, then the pool again."""
    inbound, outbound = v.order[0].inbound, v.order[0].outbound
    left, done = offer, Status.BAD_AMOUNT
    if cheap >= UNIT and swap_on_pool(pool, wallets, tallies, account, offer_token, cheap, ANY_SPREAD) == Status.OK:
        left, done = left - cheap, Status.OK
    paid = trade_within(v, account, inbound, outbound, left, limit)[1]
    if paid > 0.0:
        left, done = left - paid, Status.OK
    if left >= UNIT:
        status = swap_on_pool(pool, wallets, tallies, account, offer_token, left, max_spread)
        if done != Status.OK:
            done = status
    return done


@rule
def quote_refill(
    v: Avmm, account: int, pay_token: int, wanted_token: int, wanted: float, most: float, most_per_token: float
) -> tuple[float, float, float]:
    """Tell what `refill` would buy now.

    Returns:
        Tokens received, tokens paid for them, and what the dearest LP asks per token; (0, 0, 0) if nothing.
    """
    inbound, outbound = asset_of(v, pay_token), asset_of(v, wanted_token)
    received = paid = dearest = 0.0
    if inbound == NONE or outbound == NONE or wanted < UNIT or most < UNIT:
        return received, paid, dearest
    for i in range(offers(v, account, inbound, outbound, most)):
        fill, missing = v.fills[i], wanted - received
        part, cost = fill.settled - fill.fee, unit_cost(v, fill.lp, inbound, outbound)
        if missing <= 0.0 or cost > most_per_token:
            break
        paid += min(fill.paid, ceil_amount(missing * fill.paid / part))
        received, dearest = received + min(part, missing), cost
    return received, paid, dearest


@rule
def refill(v: Avmm, account: int, pay_token: int, wanted_token: int, wanted: float, most: float, most_per_token: float) -> float:
    """Buy tokens on the book from those LPs alone that ask no more than a limit.

    Args:
        v: the RFQ market; changed.
        account: who buys.
        pay_token: row of tokens.
        wanted_token: row of tokens.
        wanted: tokens to be received; more by a rounding, or by what LPs that only a smaller order can reach are cheaper.
        most: tokens paid, at most.
        most_per_token: tokens paid per token received, fees included, at most.

    Returns:
        Tokens received.
    """
    paid = quote_refill(v, account, pay_token, wanted_token, wanted, most, most_per_token)[1]
    if paid < UNIT:
        return 0.0
    return trade_within(v, account, asset_of(v, pay_token), asset_of(v, wanted_token), paid, most_per_token)[0]
