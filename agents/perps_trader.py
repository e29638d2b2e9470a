"""Perps traders: named kinds that take sides of a market with borrowed size, and what they do about their margin.

- NOISE takes a side at random and gives it up again; WHALE is noise of another size, with a side that it prefers.
- MOMENTUM follows the fast average above or below the slow one, REVERSION bets against it.
- REPLAY holds what was recorded of a market: all its longs, or all its shorts, as one position.
- CARRY takes the side that receives funding, up to what brings the skew to 0; its hedge on the spot market lies outside.

Orders arrive as a Poisson process, drawn before the run. A trader adds margin when its margin falls to its alert, or lets itself be
liquidated, and then stays away for a time. All of it is assumption; what an order does: `protocols/perps_orders.py`. Orders are settled in
the round in which they are placed, at the last oracle price.
"""

from __future__ import annotations

from enum import IntEnum

from seawall.agents.base import ExchangeAgent, tally, whole_units
from seawall.agents.exchange import Exchange, perps_in, perps_of
from seawall.agents.exchange_books import report
from seawall.agents.margin_watch import position_of, watch
from seawall.protocols import perps_account, perps_margin, perps_orders
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.perps_tables import NO_MARKET, index_price
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Ints, Row

NEVER = float("inf")
MARGIN_SLACK = 1.02  # what is put up exceeds what is required by this factor, so that rounding and fees do not refuse an order


class TraderKind(IntEnum):
    """What makes a trader take a side."""

    NOISE = 0
    MOMENTUM = 1
    REVERSION = 2
    CARRY = 3
    WHALE = 4
    REPLAY = 5


@rule
def signal(x: Exchange, trader: Row) -> float:
    """Fast average / slow average - 1 for a follower, its opposite for one who bets against it; 0 for the others."""
    memory = x.market_memory[trader.market]
    drift = memory.fast / memory.slow - 1.0
    if trader.kind == TraderKind.MOMENTUM.value:
        return float(drift)
    return float(-drift) if trader.kind == TraderKind.REVERSION.value else 0.0


@rule
def carry_target(x: Exchange, trader: Row, price: float, now: float) -> float:
    """Position that receives funding: against the others' skew, as large as it or as the capital allows; 0 where funding does not pay."""
    market, held = x.perps_markets[trader.market, 0], position_of(x, trader).quantity
    rate, _ = funding_now(market, price, now)
    others = market.skew - held
    receives = -1.0 if rate > 0.0 else 1.0
    if abs(rate) < (trader.exit_threshold if held * receives > 0.0 else trader.threshold) or others * receives >= 0.0:
        return 0.0
    return float(receives * min(abs(others), trader.capital * trader.leverage / price))


@rule
def target(x: Exchange, trader: Row, order: Row, price: float, now: float) -> float:
    """Position (base asset, signed) that the trader wants now."""
    held = position_of(x, trader).quantity
    size = min(order.usd, trader.capital * trader.leverage) / price
    if trader.kind == TraderKind.CARRY.value:
        return carry_target(x, trader, price, now)
    if trader.kind == TraderKind.MOMENTUM.value or trader.kind == TraderKind.REVERSION.value:
        strength = signal(x, trader)
        if abs(strength) >= trader.threshold:
            wanted = size if strength > 0.0 else -size
            return float(held if held * wanted > 0.0 else wanted)  # a side taken is kept, not changed in size
        return 0.0 if abs(strength) < trader.exit_threshold else float(held)
    if held != 0.0:
        return 0.0
    return float(size if order.side < trader.long_share else -size)


@rule
def put_up_margin(x: Exchange, trader: Row, size: float, price: float, credit: float, now: float) -> None:
    """Deposit what an order needs beyond the margin there is, at the trader's leverage, as far as its dUSD goes."""
    m, perps = trader.market, perps_of(x, trader.market)
    after = position_of(x, trader).quantity + size
    group = x.groups[m]
    needed = (
        perps_orders.required_margin(perps, trader.member, 0, size, price) * MARGIN_SLACK + group.settlement_reward + group.settlement_cost
    )
    wanted = max(abs(after) * price / trader.leverage, needed) - perps_margin.available_margin(perps, trader.member, now)
    amount = min(ceil_amount(max(wanted, 0.0)), x.wallets[trader.account, group.token])
    if amount > 0.0:
        status = perps_account.deposit_margin(perps, x.tokens, x.wallets, trader.member, amount)
        tally(x.tallies, Action.ADD_MARGIN, status)


@rule
def trade(x: Exchange, trader: Row, wanted: float, keeper: int, now: float) -> Status:
    """Change the position to what is wanted (base asset, signed); book who gained what by it."""
    m, perps, position = trader.market, perps_of(x, trader.market), position_of(x, trader)
    price, change = index_price(perps, 0), wanted - position.quantity
    size = floor_amount(abs(change)) if change > 0.0 else -floor_amount(abs(change))
    if size == 0.0:
        return Status.OK
    credit = report(x, m, now)
    if not perps_orders.only_reduces(position.quantity, position.quantity + size):
        put_up_margin(x, trader, size, price, credit, now)
        credit = report(x, m, now)
    acceptable = NEVER if size > 0.0 else 0.0
    status, fill, fees = perps_orders.settle(perps, x.tokens, x.wallets, trader.member, 0, size, price, acceptable, keeper, credit, now)
    tally(x.tallies, Action.TRADE, status)
    watch(x, trader)
    if status == Status.OK:
        memory, group = x.market_memory[m], x.groups[m]
        payment = floor_amount(group.settlement_reward + group.settlement_cost)
        memory.fees += fees - payment
        memory.keepers_paid += payment
        memory.impact += size * (fill - price)
        memory.volume += abs(size) * fill
        memory.orders += 1
    if position.quantity == 0.0:
        take_margin(x, trader, now)
    return status


@rule
def take_margin(x: Exchange, trader: Row, now: float) -> None:
    """Take out all margin of an account without positions; where the credit has run out, as much as there is."""
    perps, account = perps_of(x, trader.market), x.perps_accounts[trader.market, trader.member]
    credit = report(x, trader.market, now)
    own = floor_amount(max(0.0, min(account.margin, perps_margin.withdrawable_margin(perps, trader.member, now))))
    if own <= 0.0:
        return
    status = perps_account.withdraw_margin(perps, x.tokens, x.wallets, trader.member, own, credit, now)
    tally(x.tallies, Action.TAKE_MARGIN, status)
    if status == Status.INSUFFICIENT_CREDIT:
        most = perps_account.most_withdrawable(perps, trader.member, credit, now)
        if most > 0.0:
            tally(
                x.tallies, Action.TAKE_MARGIN, perps_account.withdraw_margin(perps, x.tokens, x.wallets, trader.member, most, credit, now)
            )


@rule
def mind_margin(x: Exchange, trader: Row, now: float) -> None:
    """Add margin up to the leverage it opened with, if the margin is below the alert, as far as its dUSD goes."""
    perps, position = perps_of(x, trader.market), position_of(x, trader)
    price, group = index_price(perps, 0), x.groups[trader.market]
    _, maintenance, reward = perps_margin.required_margins(perps, trader.member, NO_MARKET, 0.0, 0.0)
    available = perps_margin.available_margin(perps, trader.member, now)
    if trader.alert <= 0.0 or available >= trader.alert * (maintenance + reward):
        return
    wanted = ceil_amount(max(abs(position.quantity) * price / trader.leverage - available, 0.0))
    amount = min(wanted, x.wallets[trader.account, group.token])
    if amount > 0.0:
        tally(x.tallies, Action.ADD_MARGIN, perps_account.deposit_margin(perps, x.tokens, x.wallets, trader.member, amount))


@rule
def is_present(x: Exchange, trader: Row, now: float) -> bool:
    """Tell whether a trader places orders: not while it stays away after a liquidation, or is being liquidated."""
    return bool(now >= trader.away_until and not x.perps_accounts[trader.market, trader.member].is_flagged)


@rule
def recorded_position(x: Exchange, trader: Row) -> float:
    """Position (base asset, signed) that recorded flow holds in this round."""
    return float(x.recorded[x.clock[0].step, trader.recorded])


@rule
def is_behind(x: Exchange, trader: Row) -> bool:
    """Tell whether recorded flow holds something else than what was recorded."""
    return abs(recorded_position(x, trader) - position_of(x, trader).quantity) >= UNIT


@rule
def traders_with_orders(x: Exchange, rows: Ints) -> int:
    """Fill `rows` with the traders who have orders now, by their first one's arrival, then with recorded flow; return how many.

    Recorded flow is followed by the last traders, one for each column.
    """
    step = x.clock[0].step
    count = 0
    for i in range(x.order_start[step], x.order_start[step + 1]):
        order = x.perps_orders[i]
        if order.is_first:
            x.perps_traders[order.trader].first_order = i
            rows[count] = order.trader
            count += 1
    for i in range(len(x.perps_traders) - x.recorded.shape[1], len(x.perps_traders)):
        if x.perps_traders[i].kind == TraderKind.REPLAY.value and is_behind(x, x.perps_traders[i]):
            rows[count] = i
            count += 1
    return count


@rule
def first_order(x: Exchange, index: int) -> int:
    """Row of the first order that a trader places in this round; -1 for none."""
    i, step = x.perps_traders[index].first_order, x.clock[0].step
    is_now = x.order_start[step] <= i < x.order_start[step + 1]
    return int(i) if is_now and x.perps_orders[i].trader == index else -1


@rule
def act(x: Exchange, index: int) -> None:
    """Follow what was recorded; place the orders of this round."""
    trader, now = x.perps_traders[index], x.clock[0].now
    if trader.kind == TraderKind.REPLAY.value and is_behind(x, trader) and is_present(x, trader, now):
        trade(x, trader, recorded_position(x, trader), x.exchange_keepers[0].account, now)
    i = first_order(x, index)
    while i >= 0:
        order = x.perps_orders[i]
        if is_present(x, trader, now):
            price = index_price(perps_of(x, trader.market), 0)
            trade(x, trader, target(x, trader, order, price, now), x.exchange_keepers[0].account, now)
        i = order.next_order


class PerpsTrader(ExchangeAgent):
    """Trades one perps market."""

    kind = "perps_traders"
    act = staticmethod(act)

    @property
    def row(self) -> Row:
        """Row of behaviour, a view; since it may be written, the margin is looked at in the next round."""
        row = super().row
        watch(self.exchange, row)
        return row

    @property
    def account(self) -> int:
        """Row of `Exchange.wallets`; it is read when the agent is made, which must change nothing."""
        return int(super().row.account)

    @property
    def position(self) -> Row:
        """Row of the position, a view."""
        return position_of(self.exchange, self.row)

    def trade(self, wanted: float) -> None:
        """Change the position to `wanted` units of the base asset (< 0 short). Raises `Refused` by name."""
        keeper = int(self.exchange.exchange_keepers[0].account)
        self.ask(Action.TRADE, trade(self.exchange, self.row, float(wanted), keeper, self.now))

    def add_margin(self, amount: float) -> None:
        """Deposit dUSD. Raises `Refused` by name."""
        x, perps = self.exchange, perps_in(self.exchange, int(self.row.market))
        self.ask(Action.ADD_MARGIN, perps_account.deposit_margin(perps, x.tokens, x.wallets, int(self.row.member), whole_units(amount)))
