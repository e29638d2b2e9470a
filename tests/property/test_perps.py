"""Traders of perpetual futures come, trade, are liquidated and go: what they gain is what liquidity providers and keepers lose."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seawall.protocols import ledger, perps_debt, perps_liquidation, perps_margin, perps_orders, perps_tables, tables
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount, is_amount
from seawall.protocols.perps_account import deposit_margin, most_withdrawable, pay_debt, withdraw_margin
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.perps_interest import interest_rate
from seawall.protocols.perps_keeper import keeper_reward, max_in_window
from seawall.protocols.perps_pricing import fill_price, order_fee
from seawall.protocols.perps_tables import Perps, position_index
from seawall.protocols.status import Status

KEEPER, ENDORSED, OWNERS = 0, 1, 2  # accounts
TRADERS, MARKETS = 3, 2
RICH, CREDIT = 1_000_000.0, 5_000_000.0
PRICES = (2000.0, 30000.0)
HOUR = 3600.0

odd = st.sampled_from([0.0, -0.0, UNIT, UNIT / 3, -UNIT, 1e-300, LIMIT, LIMIT + 1, math.inf, -math.inf, math.nan])
amounts = st.one_of(st.floats(0.0, 50_000.0).map(floor_amount), odd)
traders, markets = st.integers(0, TRADERS - 1), st.integers(0, MARKETS - 1)


def set_up(entries=6):
    """Two markets with every term in use, traders with dUSD, prices that stay valid for a day."""
    perps = Perps(
        np.zeros(1, perps_tables.PERPS_GROUP),
        np.zeros(MARKETS, perps_tables.PERPS_MARKET),
        np.zeros(TRADERS, perps_tables.PERPS_ACCOUNT),
        np.zeros(TRADERS * MARKETS, perps_tables.PERPS_POSITION),
        np.zeros((MARKETS, entries), perps_tables.LIQUIDATED),
        np.zeros(MARKETS, tables.FEED),
    )
    perps.feeds["price"], perps.feeds["valid_for"] = PRICES, 24 * HOUR
    perps.accounts["owner"] = OWNERS + np.arange(TRADERS)
    group, rows = perps.group, perps.markets
    group["settlement_reward"], group["settlement_cost"] = 0.4, 0.1
    group["flag_cost"], group["liquidation_cost"], group["min_keeper_reward"], group["min_keeper_profit"] = 0.2, 0.3, 1.0, 0.3
    group["max_keeper_reward"], group["max_keeper_share"], group["margin_reward_ratio"] = 30.0, 0.3, 0.001
    group["interest_low"], group["interest_high"], group["interest_breakpoint"] = 0.0003, 0.01, 0.75
    rows["feed"], rows["endorsed_liquidator"] = np.arange(MARKETS), ENDORSED
    rows["skew_scale"], rows["max_funding_velocity"] = (20_000.0, 1000.0), 9.0
    rows["maker_fee"], rows["taker_fee"] = 0.0002, 0.001
    rows["max_open_interest"], rows["max_open_interest_usd"] = (2000.0, 100.0), (0.0, 2_500_000.0)
    rows["margin_slope"], rows["min_margin_ratio"], rows["maintenance_scalar"], rows["min_position_margin"] = 1.16, 0.02, 0.5, 15.0
    rows["flag_reward_ratio"], rows["locked_oi_ratio"] = 0.0003, 0.5
    rows["liquidation_multiplier"], rows["liquidation_window"], rows["max_liquidation_skew"] = (0.05, 0.02), 30.0, 0.0005
    tokens, wallets = np.zeros(1, tables.TOKEN), np.zeros((OWNERS + TRADERS, 1))
    for owner in perps.accounts["owner"]:
        assert ledger.mint(wallets, tokens, 0, owner, RICH) == Status.OK
    return perps, tokens, wallets


def bytes_of(*state):
    return b"".join(table.tobytes() for table in state)


class Trading(RuleBasedStateMachine):
    """Beside the contracts: each trader's account in exact fractions, by what was paid and received and not by entry prices."""

    @initialize()
    def start(self):
        self.perps, self.tokens, self.wallets = set_up()
        self.now = 0.0
        self.cash = [Fraction(0)] * TRADERS  # USD: deposits, and what trades brought, less fees and interest
        self.funding = [[Fraction(0)] * MARKETS for _ in range(TRADERS)]
        self.pool_funding = [Fraction(0)] * MARKETS
        self.ended_funding = [Fraction(0)] * MARKETS  # what the contracts made of positions changed or closed
        self.seen = [Fraction(0)] * MARKETS  # funding per unit up to which both are booked
        self.operations = 1
        self.scale = 1.0
        for i in range(TRADERS):
            self.deposit(i, 20_000.0)

    # --- the second account ---

    def state(self):
        return bytes_of(*self.perps, self.tokens, self.wallets)

    def quantity(self, i, m):
        return Fraction(float(self.perps.positions[position_index(self.perps, i, m)].quantity))

    def book_funding(self, m, price):
        per_unit = Fraction(funding_now(self.perps.markets[m], price, self.now)[1])
        for i in range(TRADERS):
            self.funding[i][m] += self.quantity(i, m) * (per_unit - self.seen[m])
        self.pool_funding[m] -= Fraction(float(self.perps.markets[m].skew)) * (per_unit - self.seen[m])
        self.seen[m] = per_unit

    def equity(self, i):
        total = self.cash[i]
        for m in range(MARKETS):
            per_unit = Fraction(funding_now(self.perps.markets[m], self.price(m), self.now)[1])
            quantity = self.quantity(i, m)
            total += quantity * Fraction(self.price(m)) + self.funding[i][m] + quantity * (per_unit - self.seen[m])
        return total

    def price(self, m):
        return perps_tables.index_price(self.perps, m)

    def bound(self):
        """USD: 64 units in the last place of the largest amount so far, for each operation so far."""
        return 64 * 2.0**-52 * self.operations * self.scale

    def ask(self, call, *arguments):
        """Call a rule on the markets and wallets: a refusal changes nothing, bit for bit."""
        before = self.state()
        answer = call(self.perps, self.tokens, self.wallets, *arguments)
        status = Status(answer[0] if isinstance(answer, tuple) else answer)
        assert status == Status.OK or self.state() == before, status
        self.operations += 1
        event(f"{call.__name__}: {status.name}")
        return status, answer

    def open_funding(self, i, m, price):
        return Fraction(perps_margin.position_profit(self.perps, i, m, price, self.now)[1])

    # --- what may happen ---

    @rule(i=traders, amount=amounts)
    def deposit(self, i, amount):
        if self.ask(deposit_margin, i, amount)[0] == Status.OK:
            self.cash[i] += Fraction(amount)

    @rule(i=traders, amount=amounts)
    def withdraw(self, i, amount):
        if self.ask(withdraw_margin, i, amount, CREDIT, self.now)[0] == Status.OK:
            self.cash[i] -= Fraction(amount)

    @rule(i=traders)
    def withdraw_all(self, i):
        """What the markets say can be withdrawn can be, and no unit more."""
        most = most_withdrawable(self.perps, i, CREDIT, self.now)
        fresh = perps_margin.has_fresh_prices(self.perps, i, perps_tables.NO_MARKET, self.now)
        assert self.ask(withdraw_margin, i, most + UNIT, CREDIT, self.now)[0] != Status.OK
        if most > 0.0:
            status, _ = self.ask(withdraw_margin, i, most, CREDIT, self.now)
            assert status == (Status.OK if fresh else Status.STALE_PRICE)
            self.cash[i] -= Fraction(most) if fresh else 0

    @rule(i=traders, amount=amounts)
    def repay(self, i, amount):
        status, answer = self.ask(pay_debt, i, amount)
        self.cash[i] += Fraction(answer[1])
        assert status == Status.OK or answer[1] == 0.0

    def order(self, i, m, size, price):
        row = self.perps.markets[m]
        interest = perps_margin.position_profit(self.perps, i, m, fill_price(price, row.skew, size, row.skew_scale), self.now)[2]
        ended = self.open_funding(i, m, price)
        kept = self.state(), self.pool_funding[m], [row[m] for row in self.funding], self.seen[m]
        self.book_funding(m, price)
        acceptable = math.inf if size > 0.0 else 0.0
        status, answer = self.ask(perps_orders.settle, i, m, size, price, acceptable, KEEPER, CREDIT, self.now)
        if status != Status.OK:
            assert kept[0] == self.state()
            self.pool_funding[m], self.seen[m] = kept[1], kept[3]
            for booked, value in zip(self.funding, kept[2], strict=True):
                booked[m] = value
            return
        self.ended_funding[m] += ended
        _, fill, fees = answer
        self.cash[i] -= Fraction(size) * Fraction(fill) + Fraction(fees) + Fraction(interest)

    @rule(i=traders, m=markets, share=st.floats(-1.0, 1.0), slip=st.floats(0.99, 1.01))
    def trade(self, i, m, share, slip):
        self.order(i, m, math.copysign(floor_amount(abs(share) * (300.0, 20.0)[m]), share), self.price(m) * slip)

    @rule(i=traders, m=markets, size=odd)
    def trade_oddly(self, i, m, size):
        if not is_amount(abs(size)) or size == 0.0:
            before = self.state()
            answer = perps_orders.settle(
                self.perps, self.tokens, self.wallets, i, m, size, self.price(m), math.inf, KEEPER, CREDIT, self.now
            )
            assert answer == (Status.BAD_AMOUNT, 0.0, 0.0)
            assert self.state() == before
        else:
            self.order(i, m, size, self.price(m))

    @rule(i=traders, m=markets)
    def close(self, i, m):
        size = -float(self.quantity(i, m))
        if size != 0.0:
            self.order(i, m, size, self.price(m))

    @rule(i=traders, m=markets, leverage=st.floats(5.0, 30.0), is_long=st.booleans(), fall=st.floats(0.0, 0.1))
    def overreach(self, i, m, leverage, is_long, fall):
        """A large position, and a price that moves against it."""
        size = floor_amount(leverage * float(self.perps.accounts[i].margin) / self.price(m))
        if size > 0.0:
            self.order(i, m, size if is_long else -size, self.price(m))
            self.move(m, 1.0 - fall if is_long else 1.0 + fall, True)
            self.liquidate(i, KEEPER)

    @rule(i=traders, amount=st.floats(0.0, 30_000.0))
    def lose(self, i, amount):
        """A loss from elsewhere: the way into account debt without a position."""
        if not self.perps.accounts[i].is_flagged:
            perps_margin.charge(self.perps, i, -amount)
            self.cash[i] -= Fraction(amount)

    @rule(i=traders, keeper=st.sampled_from([KEEPER, ENDORSED]))
    def liquidate(self, i, keeper):
        row, held = self.perps.accounts[i], [self.quantity(i, m) for m in range(MARKETS)]
        ended = [self.open_funding(i, m, self.price(m)) for m in range(MARKETS)]
        could = row.is_flagged or perps_margin.is_liquidatable(self.perps, i, self.now)
        for m in range(MARKETS):
            self.book_funding(m, self.price(m))
        status, _ = self.ask(perps_liquidation.liquidate, i, keeper, CREDIT, self.now)
        assert could or status != Status.OK
        if status != Status.OK:
            return
        assert row.margin == row.debt == 0.0
        assert row.is_flagged == (row.open_positions > 0)
        self.cash[i] = Fraction(0)
        for m in range(MARKETS):
            left = self.perps.positions[position_index(self.perps, i, m)]
            quantity = Fraction(float(left.quantity))
            assert abs(quantity) <= abs(held[m])
            assert keeper != ENDORSED or quantity == 0
            self.ended_funding[m] += ended[m] if quantity != held[m] else 0
            self.cash[i] -= quantity * Fraction(float(left.entry_price))
            self.funding[i][m] = quantity * (self.seen[m] - Fraction(float(left.entry_funding)))

    @rule(i=traders)
    def liquidate_margin(self, i):
        status, answer = self.ask(perps_liquidation.liquidate_margin, i, KEEPER, CREDIT, self.now)
        if status == Status.OK:
            assert answer[2] > 0.0
            self.cash[i] = Fraction(0)
            self.funding[i] = [Fraction(0)] * MARKETS

    @rule(m=markets, factor=st.floats(0.8, 1.25), publish=st.booleans())
    def move(self, m, factor, publish):
        self.perps.feeds["price"][m] *= factor
        if publish:
            self.perps.feeds["updated_at"] = self.now

    @rule(seconds=st.sampled_from([1.0, 15.0, 30.0, HOUR, 10 * HOUR]))
    def wait(self, seconds):
        self.now += seconds
        self.operations += 1

    # --- what always holds ---

    @invariant()
    def sums_are_exact(self):
        quantities = self.perps.positions["quantity"].reshape(TRADERS, MARKETS)
        assert (self.perps.markets["skew"] == quantities.sum(axis=0)).all()
        assert (self.perps.markets["open_interest"] == np.abs(quantities).sum(axis=0)).all()
        assert (self.perps.accounts["open_positions"] == (quantities != 0.0).sum(axis=1)).all()
        assert (self.perps.markets["correction"][self.perps.markets["open_interest"] == 0.0] == 0.0).all()
        assert (self.perps.accounts["margin"] >= 0.0).all()
        assert (self.perps.accounts["debt"] >= 0.0).all()

    @invariant()
    def dollars_are_conserved_exactly(self):
        assert self.wallets.sum() == self.tokens[0].supply
        assert self.perps.group[0].net_issuance == self.tokens[0].supply - TRADERS * RICH
        assert all(is_amount(float(amount)) for amount in self.wallets.ravel())

    @invariant()
    def the_debt_of_markets_is_what_traders_own(self):
        """Traders by their payments in exact fractions, by their positions, and the markets by their running sums: one figure."""
        notional = sum(float(row.open_interest) * self.price(m) for m, row in enumerate(self.perps.markets))
        self.scale = max(self.scale, notional + float(self.perps.accounts["margin"].sum()))
        assert abs(self.perps.group[0].margin - self.perps.accounts["margin"].sum()) <= self.bound()
        total = Fraction(0)
        for i in range(TRADERS):
            profits = [perps_margin.position_profit(self.perps, i, m, self.price(m), self.now) for m in range(MARKETS)]
            by_positions = perps_margin.available_margin(self.perps, i, self.now) + sum(interest for _, _, interest in profits)
            assert abs(by_positions - self.equity(i)) <= self.bound()
            total += self.equity(i)
        assert abs(perps_debt.unclamped_debt(self.perps, self.now) - total) <= self.bound()
        assert perps_debt.reported_debt(self.perps, self.now) >= 0.0

    @invariant()
    def funding_nets_to_zero(self):
        """What the contracts gave and took for positions ended and open is what the skew's funding took from and gave to the pool."""
        for m, row in enumerate(self.perps.markets):
            price = self.price(m)
            pending = Fraction(float(row.skew)) * (Fraction(funding_now(row, price, self.now)[1]) - self.seen[m])
            of_traders = self.ended_funding[m] + sum(self.open_funding(i, m, price) for i in range(TRADERS))
            assert abs(of_traders + self.pool_funding[m] - pending) <= self.bound()


TestTrading = Trading.TestCase
TestTrading.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


# --- one idea each ---

skews = st.floats(-5000.0, 5000.0).map(lambda skew: math.copysign(floor_amount(abs(skew)), skew))


def a_trader_in(size, margin=50_000.0, m=0):
    """Markets in which the first trader has a position at time 0."""
    perps, tokens, wallets = set_up()
    assert deposit_margin(perps, tokens, wallets, 0, margin) == Status.OK
    acceptable = math.inf if size > 0.0 else 0.0
    answer = perps_orders.settle(perps, tokens, wallets, 0, m, size, PRICES[m], acceptable, KEEPER, CREDIT, 0.0)
    assert answer[0] == Status.OK
    return perps, tokens, wallets


@given(skew=skews, first=skews, second=skews, scale=st.sampled_from([0.0, 1e4, 1e6]))
def test_an_order_split_in_two_costs_the_same(skew, first, second, scale):
    whole = (first + second) * fill_price(2000.0, skew, first + second, scale)
    parts = first * fill_price(2000.0, skew, first, scale) + second * fill_price(2000.0, skew + first, second, scale)
    assert abs(whole - parts) <= 2.0**-45 * 2000.0 * (abs(first) + abs(second) + 1.0)


@given(skew=skews, size=skews, maker=st.floats(0.0, 0.01), taker=st.floats(0.0, 0.01))
def test_an_order_that_turns_the_skew_is_a_maker_up_to_zero_and_a_taker_beyond(skew, size, maker, taker):
    fee = order_fee(skew, size, 2000.0, maker, taker)
    if skew * (skew + size) < 0.0:
        parts = order_fee(skew, -skew, 2000.0, maker, taker) + order_fee(0.0, skew + size, 2000.0, maker, taker)
        assert fee == pytest.approx(parts, rel=1e-12, abs=1e-12)
    else:
        assert fee == abs(size) * 2000.0 * (maker if skew * size < 0.0 else taker)


@given(used=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0))
def test_interest_grows_with_utilization(used, more):
    low, high = sorted((used, more))
    assert interest_rate(low, 0.0003, 0.75, 0.01) <= interest_rate(high, 0.0003, 0.75, 0.01) + 1e-15


@given(reward=st.floats(0.0, 1e4), cost=st.floats(0.0, 1e3), margin=st.floats(0.0, 1e5))
def test_a_keeper_is_never_paid_more_than_the_limits(reward, cost, margin):
    group = set_up()[0].group[0]
    paid = keeper_reward(group, reward, cost, margin)
    assert 0.0 <= paid <= group.max_keeper_reward
    assert margin == 0.0 or paid <= margin * group.max_keeper_share


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from([0.0, 1.0, 7.0, 15.0, 29.0, 30.0, 31.0]), st.floats(0.0, 1.0)), max_size=40),
    entries=st.integers(1, 40),
)
def test_a_window_is_never_overdrawn(steps, entries):
    """Beside a list of all liquidations: with room for all of a window the same, with less never more."""
    perps, _, _ = set_up(entries)
    perps.markets["max_liquidation_skew"] = 0.0
    most, seconds = max_in_window(perps.markets[0]), perps.markets[0].liquidation_window
    now, done = 0.0, []
    for wait, share in steps:
        now += wait
        used = sum(quantity for at, quantity in done if now - at < seconds)
        capacity = perps_liquidation.liquidation_capacity(perps, 0, now)
        assert capacity <= most - used + 1e-9  # a limit is a product of decimals, so a float64 error off a whole number
        if entries >= 40:
            assert capacity == pytest.approx(most - used, abs=1e-9)
        size = floor_amount(share * capacity)
        if size > 0.0:
            perps_liquidation.remember(perps, 0, size, now)
            done.append((now, size))
    assert all(sum(q for at, q in done if start <= at < start + seconds) <= most for start, _ in done)


def test_with_a_small_skew_one_more_window_is_allowed_but_not_twice_at_a_time():
    perps, _, _ = set_up()
    most = max_in_window(perps.markets[0])
    perps_liquidation.remember(perps, 0, most, 100.0)
    assert perps_liquidation.liquidation_capacity(perps, 0, 100.0) == 0.0
    assert perps_liquidation.liquidation_capacity(perps, 0, 101.0) == most
    perps.markets["skew"][0] = 0.0005 * 20_000.0
    assert perps_liquidation.liquidation_capacity(perps, 0, 101.0) == 0.0
    assert perps_liquidation.liquidation_capacity(perps, 0, 130.0) == most


def test_a_large_position_is_liquidated_window_by_window_and_nothing_is_left_of_its_margin():
    perps, tokens, wallets = a_trader_in(200.0)
    perps.markets["liquidation_multiplier"] = 0.005
    most = floor_amount(max_in_window(perps.markets[0]))
    assert most < 200.0
    perps.feeds["price"][0] = 1700.0
    answer = perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, 0.0)
    assert answer[0] == Status.OK
    assert answer[2] > 49_000.0
    assert perps.accounts[0].is_flagged
    assert perps.markets[0].skew == 200.0 - most
    before = bytes_of(*perps, tokens, wallets)
    assert perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, 0.0)[0] == Status.LIQUIDATION_WINDOW_USED
    assert deposit_margin(perps, tokens, wallets, 0, 1.0) == Status.ACCOUNT_LIQUIDATABLE
    assert withdraw_margin(perps, tokens, wallets, 0, 1.0, CREDIT, 0.0) == Status.ACCOUNT_LIQUIDATABLE
    assert perps_orders.commit(perps, 0, 0, -1.0, CREDIT, 0.0) == Status.ACCOUNT_LIQUIDATABLE
    assert bytes_of(*perps, tokens, wallets) == before
    now = 0.0
    while perps.accounts[0].is_flagged:
        now += 30.0
        assert perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, now)[0] == Status.OK
    assert now == 30.0 * (math.ceil(200.0 / most) - 1)
    assert perps_debt.unclamped_debt(perps, now) == 0.0


def test_liquidity_providers_bear_what_a_trader_under_water_cannot_pay():
    """The shortfall is hidden by the netting, and becomes debt when the loser is liquidated."""
    perps, tokens, wallets = a_trader_in(100.0)
    assert deposit_margin(perps, tokens, wallets, 1, 100_000.0) == Status.OK
    answer = perps_orders.settle(perps, tokens, wallets, 1, 0, -100.0, 2000.0, 0.0, KEEPER, CREDIT, 0.0)
    assert answer[0] == Status.OK
    perps.feeds["price"][0] = 1000.0
    loser, winner = (perps_margin.available_margin(perps, i, 0.0) for i in range(2))
    assert loser < 0.0 < winner
    assert perps_debt.reported_debt(perps, 0.0) == pytest.approx(loser + winner)
    assert perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, 0.0)[0] == Status.OK
    assert perps_debt.reported_debt(perps, 0.0) == pytest.approx(winner)


def test_when_the_core_has_no_credit_left_traders_withdraw_what_there_is_first_come_first_served():
    perps, tokens, wallets = set_up()
    for i in range(TRADERS):
        assert deposit_margin(perps, tokens, wallets, i, 1000.0) == Status.OK
    credit = -1500.0  # liquidity providers owe more than they have: half of the deposits is gone
    assert perps_debt.withdrawable_usd(perps.group[0], credit) == 1500.0
    assert perps_debt.utilization(perps, credit) == 1.0
    assert perps_debt.is_capacity_locked(perps, credit)
    asked = [most_withdrawable(perps, i, credit, 0.0) for i in range(TRADERS)]
    assert asked == [1000.0, 1000.0, 1000.0]
    assert withdraw_margin(perps, tokens, wallets, 0, 1000.0, credit, 0.0) == Status.OK
    before = bytes_of(*perps, tokens, wallets)
    assert withdraw_margin(perps, tokens, wallets, 1, 500.0 + UNIT, credit, 0.0) == Status.INSUFFICIENT_CREDIT
    assert bytes_of(*perps, tokens, wallets) == before
    assert withdraw_margin(perps, tokens, wallets, 1, 500.0, credit, 0.0) == Status.OK
    assert most_withdrawable(perps, 2, credit, 0.0) == 0.0
    before = bytes_of(*perps, tokens, wallets)
    perps_margin.charge(perps, 2, -1500.0)
    assert perps_liquidation.liquidate_margin(perps, tokens, wallets, 2, KEEPER, credit, 0.0)[0] == Status.INSUFFICIENT_CREDIT
    perps_margin.charge(perps, 2, 1500.0)
    assert bytes_of(*perps, tokens, wallets) == before


def test_an_order_needs_credit_for_what_it_locks_and_none_for_what_it_frees():
    perps, tokens, wallets = a_trader_in(100.0)  # 100,000 USD locked
    group = perps.group[0]
    assert perps_debt.locked_credit(perps) == 100_000.0
    spare = group.net_issuance + group.margin + perps_debt.locked_credit(perps)
    assert perps_orders.commit(perps, 0, 0, 1.0, spare + 999.0, 0.0) == Status.EXCEEDS_CREDIT_CAPACITY
    assert perps_orders.commit(perps, 0, 0, 1.0, spare + 1001.0, 0.0) == Status.OK
    assert perps_orders.commit(perps, 0, 0, -1.0, spare - 50_000.0, 0.0) == Status.OK
    before = bytes_of(*perps, tokens, wallets)
    answer = perps_orders.settle(perps, tokens, wallets, 0, 0, -1.0, 2000.0, 0.0, KEEPER, group.net_issuance + 0.4, 0.0)
    assert answer[0] == Status.INSUFFICIENT_CREDIT
    assert bytes_of(*perps, tokens, wallets) == before


def test_nothing_that_reads_prices_is_done_on_stale_ones():
    perps, tokens, wallets = a_trader_in(200.0)
    perps.feeds["price"][0] = 1000.0
    later = 24 * HOUR + 1.0
    perps.feeds["updated_at"][1] = later
    before = bytes_of(*perps, tokens, wallets)
    assert withdraw_margin(perps, tokens, wallets, 0, 1.0, CREDIT, later) == Status.STALE_PRICE
    assert perps_orders.commit(perps, 0, 1, 1.0, CREDIT, later) == Status.STALE_PRICE
    assert perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, later)[0] == Status.STALE_PRICE
    assert bytes_of(*perps, tokens, wallets) == before
    assert deposit_margin(perps, tokens, wallets, 0, 1.0) == Status.OK
    assert perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, later - 1.0)[0] == Status.OK


def test_a_gain_repays_debt_before_it_is_margin_and_a_loss_takes_margin_first():
    perps, tokens, wallets = set_up()
    row = perps.accounts[0]
    assert deposit_margin(perps, tokens, wallets, 0, 100.0) == Status.OK
    perps_margin.charge(perps, 0, -130.25)
    assert (row.margin, row.debt) == (0.0, 30.25)
    assert deposit_margin(perps, tokens, wallets, 0, 10.0) == Status.OK
    assert withdraw_margin(perps, tokens, wallets, 0, 10.0, CREDIT, 0.0) == Status.INSUFFICIENT_MARGIN
    perps_margin.charge(perps, 0, 20.0)
    assert (row.margin, row.debt) == (10.0, 10.25)
    assert pay_debt(perps, tokens, wallets, 0, 4.0) == (Status.OK, 4.0)
    assert pay_debt(perps, tokens, wallets, 0, 100.0) == (Status.OK, 6.25)
    assert pay_debt(perps, tokens, wallets, 0, 1.0) == (Status.INSUFFICIENT_DEBT, 0.0)
    assert withdraw_margin(perps, tokens, wallets, 0, 10.0, CREDIT, 0.0) == Status.OK
    assert perps.group[0].net_issuance == -110.25  # 120.25 came in, 10 went out


def test_account_debt_of_less_than_a_unit_is_paid_with_a_unit():
    perps, tokens, wallets = set_up()
    perps_margin.charge(perps, 0, -UNIT / 4)
    assert pay_debt(perps, tokens, wallets, 0, 1.0) == (Status.OK, UNIT)
    assert (perps.accounts[0].margin, perps.accounts[0].debt) == (UNIT - UNIT / 4, 0.0)


def test_an_account_is_liquidatable_only_below_maintenance_margin_and_reward():
    perps, tokens, wallets = a_trader_in(100.0)
    _, maintenance, reward = perps_margin.required_margins(perps, 0, perps_tables.NO_MARKET, 0.0, 0.0)
    assert reward > 1.0
    slack = perps_margin.available_margin(perps, 0, 0.0) - maintenance - reward
    perps_margin.charge(perps, 0, 1e-6 - slack)
    assert perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, 0.0)[0] == Status.NOT_LIQUIDATABLE
    perps_margin.charge(perps, 0, -2e-6)
    assert withdraw_margin(perps, tokens, wallets, 0, UNIT, CREDIT, 0.0) == Status.ACCOUNT_LIQUIDATABLE
    assert perps_liquidation.liquidate(perps, tokens, wallets, 0, KEEPER, CREDIT, 0.0)[0] == Status.OK


@pytest.mark.parametrize("size", [100.0, -100.0])
def test_an_order_needs_its_margin_its_fees_the_settlement_reward_and_the_impact_that_it_pays(size):
    perps = set_up()[0]
    fill = fill_price(2000.0, 0.0, size, 20_000.0)
    impact = size * (fill - 2000.0)
    perps_margin.charge(perps, 0, 30_000.0)  # the share of a keeper depends on the margin; the largest reward is reached from 100 USD on
    needed = perps_orders.required_margin(perps, 0, 0, size, 2000.0) + 0.5 + impact
    perps_margin.charge(perps, 0, needed - 30_000.0 - 0.01)
    assert perps_orders.commit(perps, 0, 0, size, CREDIT, 0.0) == Status.INSUFFICIENT_MARGIN
    perps_margin.charge(perps, 0, 0.02)
    assert perps_orders.commit(perps, 0, 0, size, CREDIT, 0.0) == Status.OK


def test_an_order_that_reduces_needs_no_more_than_its_fees():
    perps = a_trader_in(1.0, margin=600.0)[0]
    available = perps_margin.available_margin(perps, 0, 0.0)
    fee = perps_orders.quote(perps.markets[0], -1.0, 2000.0)[1]
    perps.group["settlement_reward"] = available - fee - 0.1 + 0.01
    assert perps_orders.commit(perps, 0, 0, -1.0, CREDIT, 0.0) == Status.INSUFFICIENT_MARGIN
    perps.group["settlement_reward"] = available - fee - 0.1 - 0.01
    assert perps_orders.commit(perps, 0, 0, -1.0, CREDIT, 0.0) == Status.OK
    assert perps_orders.commit(perps, 0, 0, 0.5, CREDIT, 0.0) == Status.INSUFFICIENT_MARGIN


def test_who_flags_is_paid_for_each_position_and_for_notional_or_margin_whichever_is_more():
    perps, tokens, wallets = a_trader_in(10.0)
    assert perps_orders.settle(perps, tokens, wallets, 0, 1, -1.0, 30_000.0, 0.0, KEEPER, CREDIT, 0.0)[0] == Status.OK
    group, margin = perps.group, perps.accounts[0].margin
    group["max_keeper_reward"], group["min_keeper_reward"], group["min_keeper_profit"] = 1e6, 0.0, 0.0
    cost = 2 * 0.2 + 0.3
    for ratio, reward in ((0.0, 50_000.0 * 0.0003), (0.1, margin * 0.1)):
        group["margin_reward_ratio"] = ratio
        assert perps_liquidation.liquidation_reward(perps, 0, KEEPER, True) == pytest.approx(cost + reward)
        assert perps_liquidation.liquidation_reward(perps, 0, ENDORSED, True) == pytest.approx(cost + margin * ratio)
    assert perps_liquidation.liquidation_reward(perps, 0, KEEPER, False) == 0.3
    group["liquidation_cost"], group["min_keeper_reward"] = 0.0, 5.0
    assert perps_liquidation.liquidation_reward(perps, 0, KEEPER, False) == 0.0
