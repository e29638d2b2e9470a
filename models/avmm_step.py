"""The RFQ market's parts of a round: `begin` after the feeders have published, `play` after everybody else has acted.

1 index and REP follow time and prices, volatility is measured; then, in `play`: 2 quotes whose time has come are settled, 3 orders of noise
traders as they arrive, then informed traders, 4 LPs. Records are written by the caller.
"""

from __future__ import annotations

import math

from seawall.agents import avmm_lp, avmm_trader
from seawall.agents.avmm import Avmm, Mechanism, RfqTraderKind
from seawall.agents.avmm_desk import settle_quote
from seawall.agents.base import draw_order
from seawall.protocols import reputation, rfq_ranges
from seawall.protocols.compiled import rule
from seawall.protocols.tables import Ints


@rule
def follow_volatility(v: Avmm, asset: int) -> None:
    """Take a round into the moving average of an asset's squared log returns, per second; a first price is no return.

    With memory T and rounds of d seconds: variance <- variance * exp(-d / T) + (1 - exp(-d / T)) * return**2 / d.
    """
    row, price = v.avmm_assets[asset], v.feeds[v.book.assets[asset].feed].price
    if not price > 0.0:
        return
    seconds, change = v.clock[0].step_seconds, 0.0
    if row.last_price > 0.0 and price != row.last_price:
        change = math.log(price / row.last_price)
    kept = math.exp(-seconds / v.terms[0].volatility_seconds)
    row.variance = row.variance * kept + (1.0 - kept) * change * change / seconds
    row.last_price = price


@rule
def begin(v: Avmm) -> None:
    """Take in what has happened outside since the last round."""
    terms, now = v.terms[0], v.clock[0].now
    rfq_ranges.follow_prices(v.book, v.feeds)
    reputation.grant_due(v.book, now)
    if now >= terms.review_at:
        reputation.review(v.book, v.feeds)
        terms.review_at = now + terms.review_every
    for asset in range(len(v.book.assets)):
        follow_volatility(v, asset)


@rule
def settle_due(v: Avmm) -> None:
    """Settle the quotes whose time has come: orders as they arrived, then informed traders, another one first in each round."""
    clock, terms = v.clock[0], v.terms[0]
    placed = clock.step - terms.latency
    if terms.latency == 0 or placed < 0:
        return
    for q in range(v.order_start[placed], v.order_start[placed + 1]):
        if v.quotes[q].is_waiting:
            settle_quote(v, q)
    orders, traders = len(v.avmm_orders), len(v.avmm_traders)
    for i in range(traders):
        q = orders + (placed + i) % traders
        if v.quotes[q].is_waiting and v.quotes[q].due_step <= clock.step:
            settle_quote(v, q)


@rule
def add_informed(v: Avmm, rows: Ints, count: int) -> int:
    """Append the informed traders in the order drawn for the round, where they can have an edge; return how many rows there are now."""
    mechanism, first = v.terms[0].mechanism, count
    if mechanism != Mechanism.RFQ.value and mechanism != Mechanism.CONSTANT_PRODUCT.value:
        return count
    for i in range(len(v.avmm_traders)):
        if v.avmm_traders[i].kind == RfqTraderKind.INFORMED.value:
            rows[count] = i
            count += 1
    draw_order(rows[first:], count - first, v.clock[0].order_seed, v.clock[0].step)
    return count


@rule
def trader_order(v: Avmm, rows: Ints) -> int:
    """Fill `rows` with the traders who have orders, by their first one's arrival, then with informed ones; return how many."""
    step, count = v.clock[0].step, 0
    for i in range(v.order_start[step], v.order_start[step + 1]):
        row, known = v.avmm_orders[i].trader, False
        for k in range(count):
            known = known or rows[k] == row
        if not known:
            rows[count] = row
            count += 1
    return add_informed(v, rows, count)


@rule
def play(v: Avmm, rows: Ints) -> None:
    """Play the round's orders and looks. `rows` has room for every trader and every LP."""
    settle_due(v)
    for k in range(trader_order(v, rows)):
        avmm_trader.act(v, rows[k])
    for k in range(avmm_lp.order(v, rows)):
        avmm_lp.act(v, rows[k])
