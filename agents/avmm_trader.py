"""Traders of the RFQ market: noise, whose orders arrive by themselves, and informed ones, who see the market's price before the oracle.

Orders of noise traders arrive as a Poisson process with log-normal sizes, drawn before the run. An informed trader trades when what it
would receive is worth more, at the market's prices, than what it would pay, by its edge: against the oracle's price in the book, against
the pool's price where orders go to pools. Solvers in an auction see the market's price too, so there it stays away. All of it is an
assumption.
"""

from __future__ import annotations

from seawall.agents import avmm_alternatives
from seawall.agents.avmm import NUMERAIRE, Avmm, Mechanism, RfqTraderKind, market_price
from seawall.agents.avmm_desk import ask, book_filled, book_order, request_quote, trade
from seawall.agents.base import AvmmAgent, whole_units
from seawall.agents.swaps import amount_to_buy, amount_to_sell
from seawall.protocols.amounts import UNIT, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.errors import raise_unless_ok
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Row

ANY_COST = 1.0


@rule
def execute(v: Avmm, trader: Row, inbound: int, outbound: int, amount: float, max_cost: float) -> tuple[Status, float, float, float]:
    """Have an order settled now by the mechanism: the answer, tokens received, tokens paid, and the seconds that it took."""
    mechanism, account = v.terms[0].mechanism, trader.account
    if mechanism == Mechanism.RFQ.value:
        status, received, paid = trade(v, account, inbound, outbound, amount)
        return status, received, paid, 0.0
    if mechanism == Mechanism.CONSTANT_PRODUCT.value:
        status, received = avmm_alternatives.swap(v, account, inbound, outbound, amount, max_cost)
        return status, received, amount, 0.0
    status, received, waited = avmm_alternatives.auction(v, account, inbound, outbound, amount, max_cost)
    return status, received, amount, waited


@rule
def send(v: Avmm, trader: Row, q: int, inbound: int, outbound: int, amount: float, max_cost: float) -> None:
    """Place an order and book it; where quotes settle later, have it wait in row `q` of the quotes."""
    market_in, market_out, terms = market_price(v, inbound), market_price(v, outbound), v.terms[0]
    book_order(v, trader.kind, amount * market_in)
    if terms.mechanism == Mechanism.RFQ.value and terms.latency > 0:
        request_quote(v, q, trader.account, inbound, outbound, amount)
        return
    status, received, paid, waited = execute(v, trader, inbound, outbound, amount, max_cost)
    if status == Status.OK:
        book_filled(v, trader.kind, paid * market_in, received * market_out, waited)


@rule
def place(v: Avmm, i: int) -> None:
    """Place one order (row of avmm_orders) of a noise trader: so much of what is paid as its USD buy at the market's price."""
    order = v.avmm_orders[i]
    trader = v.avmm_traders[order.trader]
    inbound, outbound = (order.asset, NUMERAIRE) if order.sells else (NUMERAIRE, order.asset)
    send(v, trader, i, inbound, outbound, floor_amount(order.usd / market_price(v, inbound)), trader.max_cost)


@rule
def affordable(v: Avmm, trader: Row, inbound: int) -> float:
    """Tokens that an informed trader pays at most: its largest order, or its wallet if that is less."""
    wanted = floor_amount(trader.order_usd / market_price(v, inbound))
    return min(wanted, v.wallets[trader.account, v.book.assets[inbound].token])


@rule
def is_worth(v: Avmm, trader: Row, inbound: int, outbound: int, received: float, paid: float) -> bool:
    """Tell whether a trade gains more than the trader's edge at the market's prices."""
    cost = paid * market_price(v, inbound)
    return bool(received * market_price(v, outbound) - cost > trader.min_edge * cost)


@rule
def pick_off(v: Avmm, trader: Row, q: int, asset: int) -> bool:
    """Buy an asset that the oracle has too low, or sell one that it has too high, if that is worth it; tell whether an order was placed."""
    oracle, oracle_of_numeraire = v.feeds[v.book.assets[asset].feed].price, v.feeds[v.book.assets[NUMERAIRE].feed].price
    is_low = market_price(v, asset) * oracle_of_numeraire > market_price(v, NUMERAIRE) * oracle
    inbound, outbound = (NUMERAIRE, asset) if is_low else (asset, NUMERAIRE)
    amount = affordable(v, trader, inbound)
    status, received, paid = ask(v, trader.account, inbound, outbound, amount)
    if status != Status.OK or not is_worth(v, trader, inbound, outbound, received, paid):
        return False
    send(v, trader, q, inbound, outbound, amount, ANY_COST)
    return True


@rule
def correct_pool(v: Avmm, trader: Row, q: int, asset: int) -> None:
    """Pull an asset's pool towards the market's price, until commission and edge leave nothing to gain."""
    pool, price = v.pools[v.avmm_assets[asset].pool], market_price(v, asset) / market_price(v, NUMERAIRE)
    base, tokens = v.wallets[pool.account, pool.base_token], v.wallets[pool.account, pool.asset_token]
    band = pool.commission + trader.min_edge
    if tokens <= 0.0:
        return
    if base < price * (1.0 - band) * tokens:
        inbound, outbound, wanted = NUMERAIRE, asset, amount_to_buy(base, tokens, price * (1.0 - band))
    elif base > price * (1.0 + band) * tokens:
        inbound, outbound, wanted = asset, NUMERAIRE, amount_to_sell(base, tokens, price * (1.0 + band))
    else:
        return
    amount = min(floor_amount(wanted), affordable(v, trader, inbound))
    if amount >= UNIT:
        send(v, trader, q, inbound, outbound, amount, ANY_COST)


@rule
def seek_edge(v: Avmm, index: int) -> None:
    """Look at each asset for what the mechanism has priced wrongly; where quotes wait, one order at a time."""
    trader, q, mechanism = v.avmm_traders[index], len(v.avmm_orders) + index, v.terms[0].mechanism
    for asset in range(NUMERAIRE + 1, len(v.book.assets)):
        if v.quotes[q].is_waiting:
            return
        if mechanism == Mechanism.RFQ.value:
            pick_off(v, trader, q, asset)
        elif mechanism == Mechanism.CONSTANT_PRODUCT.value:
            correct_pool(v, trader, q, asset)


@rule
def act(v: Avmm, index: int) -> None:
    """Place the orders of this round, or look for an edge."""
    if v.avmm_traders[index].kind == RfqTraderKind.INFORMED.value:
        seek_edge(v, index)
        return
    step = v.clock[0].step
    for i in range(v.order_start[step], v.order_start[step + 1]):
        if v.avmm_orders[i].trader == index:
            place(v, i)


class AvmmTrader(AvmmAgent):
    """Trades on the RFQ market."""

    kind = "avmm_traders"
    act = staticmethod(act)

    def quote(self, inbound: int, outbound: int, amount: float) -> tuple[float, float]:
        """What the book would settle now: tokens received and tokens paid. Raises `Refused` by name."""
        status, received, paid = ask(self.avmm, self.account, inbound, outbound, whole_units(amount))
        raise_unless_ok(status, Action.RFQ_ORDER.name.lower())
        return received, paid

    def trade(self, inbound: int, outbound: int, amount: float) -> tuple[float, float]:
        """Pay up to so many tokens of one asset (rows of the book's assets) for another, by the market's mechanism, now (no latency).

        Returns:
            Tokens received and tokens paid. Counted and booked as the built-in traders' orders are. Raises `Refused` by name.
        """
        v, trader, units = self.avmm, self.row, whole_units(amount)
        market_in, market_out = market_price(v, inbound), market_price(v, outbound)
        book_order(v, trader.kind, units * market_in)
        status, received, paid, waited = execute(v, trader, inbound, outbound, units, float(trader.max_cost))
        raise_unless_ok(status, Action.RFQ_ORDER.name.lower())
        book_filled(v, trader.kind, paid * market_in, received * market_out, waited)
        return received, paid
