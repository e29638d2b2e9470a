"""The desk of the RFQ market: every order passes here on its way to the book, so that all are counted and booked alike.

An order is settled at once at the oracle's prices, or later at those of its quote (latency). What an LP gains from a fill is the fee less
the stale loss: what it settled less what it received, both at the market's prices when it settles. Orders of the RFQ market's own traders
are added up by kind (`AVMM_FLOW`), at the market's prices when they were placed.

Source: 001_e37e2646f2495a8d.txt, "Order Routing in Practice". Assumptions: nobody gets a quote for an order that would be refused now; a
quote binds no LP, so whoever is eligible at its settlement settles it, or the order is refused.
"""

from __future__ import annotations

from seawall.agents.avmm import Avmm, market_price
from seawall.agents.base import tally
from seawall.protocols import rfq
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import NONE
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Row


@rule
def asset_of(v: Avmm, token: int) -> int:
    """Row of the book's assets that is this token (row of tokens); NONE if it is not traded there."""
    for asset in range(len(v.book.assets)):
        if v.book.assets[asset].token == token:
            return asset
    return NONE


@rule
def set_order(v: Avmm, trader: int, inbound: int, outbound: int, amount: float) -> None:
    """Write an order of an account on the desk's form: a market order, filled as far as it can be, by as many positions as may share it."""
    order = v.order[0]
    order.trader, order.inbound, order.outbound, order.amount = trader, inbound, outbound, amount
    order.all_or_none, order.most_lps = False, len(v.fills)


@rule
def book_fill(v: Avmm, lp: Row, inbound: int, outbound: int, paid: float, settled: float, fee: float) -> None:
    """Add to an LP's record what it settled, received and kept as its fee, tokens, at the market's prices now."""
    price_out = market_price(v, outbound)
    lp.settled_usd += settled * price_out
    lp.fees_usd += fee * price_out
    lp.stale_loss_usd += settled * price_out - paid * market_price(v, inbound)
    lp.fills += 1


@rule
def conclude(v: Avmm, status: Status, count: int) -> None:
    """Count the answer to the order on the form, and add its fills to the records of the LPs that settled them."""
    order = v.order[0]
    tally(v.tallies, Action.RFQ_ORDER, status)
    for i in range(count):
        fill = v.fills[i]
        book_fill(v, v.avmm_lps[fill.lp], order.inbound, order.outbound, fill.paid, fill.settled, fill.fee)


@rule
def ask(v: Avmm, trader: int, inbound: int, outbound: int, amount: float) -> tuple[Status, float, float]:
    """Tell what `trade` would answer now. Nothing changes but the desk's form, and nothing is counted."""
    set_order(v, trader, inbound, outbound, amount)
    status, received, paid, _ = rfq.quote(v.book, v.order[0], v.feeds, v.wallets, v.fills, v.clock[0].now, False)
    return status, received, paid


@rule
def ask_without_tokens(v: Avmm, trader: int, inbound: int, outbound: int, amount: float) -> tuple[Status, float, float]:
    """Tell what `trade` would answer now, did the trader hold the amount. Nothing changes but the desk's form."""
    set_order(v, trader, inbound, outbound, amount)
    order = v.order[0]
    price_out, price_in = rfq.fresh_prices(v.book, order, v.feeds, v.clock[0].now)
    status = rfq.why_not(v.book, order, price_out, price_in)
    if status != Status.OK:
        return status, 0.0, 0.0
    status, received, paid, _ = rfq.route(v.book, order, price_out, price_in, v.fills, False)
    return status, received, paid


@rule
def trade(v: Avmm, trader: int, inbound: int, outbound: int, amount: float) -> tuple[Status, float, float]:
    """Settle a market order at once, at fresh oracle prices.

    Args:
        v: the RFQ market; changed.
        trader: account.
        inbound: row of the book's assets: what is paid.
        outbound: row of the book's assets: what is received.
        amount: inbound tokens, > 0; paid as far as positions can settle them.

    Returns:
        (OK, outbound tokens received, inbound tokens paid), or (a refusal of `rfq.settle`; 0, 0) with no market changed.
    """
    set_order(v, trader, inbound, outbound, amount)
    status, received, paid, count = rfq.settle(v.book, v.order[0], v.feeds, v.wallets, v.fills, v.clock[0].now, False)
    conclude(v, status, count)
    return status, received, paid


@rule
def book_order(v: Avmm, kind: int, usd: float) -> None:
    """Add an order of a trader of a kind to the flows."""
    v.flows[kind].orders += 1
    v.flows[kind].ordered_usd += usd


@rule
def book_filled(v: Avmm, kind: int, paid_usd: float, received_usd: float, waited: float) -> None:
    """Add to the flows what an order paid and received, USD at the market's prices when it was placed, seconds ago."""
    flow = v.flows[kind]
    flow.filled += 1
    flow.filled_usd += paid_usd
    flow.cost_usd += paid_usd - received_usd
    flow.waited_usd_seconds += paid_usd * waited


@rule
def request_quote(v: Avmm, q: int, trader: int, inbound: int, outbound: int, amount: float) -> Status:
    """Have an order wait in row `q` of the quotes for its settlement at the prices of now; a refusal is counted, and nothing waits."""
    status = ask(v, trader, inbound, outbound, amount)[0]
    if status != Status.OK:
        tally(v.tallies, Action.RFQ_ORDER, status)
        return status
    waiting, clock = v.quotes[q], v.clock[0]
    waiting.is_waiting, waiting.due_step = True, clock.step + v.terms[0].latency
    waiting.inbound, waiting.outbound, waiting.amount = inbound, outbound, amount
    waiting.price_out, waiting.price_in = rfq.fresh_prices(v.book, v.order[0], v.feeds, clock.now)
    waiting.market_in, waiting.market_out = market_price(v, inbound), market_price(v, outbound)
    return status


@rule
def quoted_trader(v: Avmm, q: int) -> int:
    """Row of the trader whose order waits in row `q`: orders by their number, then a row for each trader."""
    orders = len(v.avmm_orders)
    return int(v.avmm_orders[q].trader) if q < orders else q - orders


@rule
def settle_quote(v: Avmm, q: int) -> tuple[Status, float, float]:
    """Settle the order that waits in row `q` of the quotes, at the prices quoted; it waits no more, settled or refused.

    Returns:
        As `trade`.
    """
    waiting, trader, clock = v.quotes[q], v.avmm_traders[quoted_trader(v, q)], v.clock[0]
    waiting.is_waiting = False
    set_order(v, trader.account, waiting.inbound, waiting.outbound, waiting.amount)
    status, received, paid, count = rfq.settle_at(
        v.book, v.order[0], waiting.price_out, waiting.price_in, v.wallets, v.fills, clock.now, False
    )
    conclude(v, status, count)
    if status == Status.OK:
        waited = v.terms[0].latency * clock.step_seconds
        book_filled(v, trader.kind, paid * waiting.market_in, received * waiting.market_out, waited)
    return status, received, paid
