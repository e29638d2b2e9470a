"""LPs come, go and change terms, prices move, orders are settled: the best eligible LP is never passed over, and no token is lost."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seawall.protocols import ledger, oracle, reputation, rfq, rfq_index, rfq_positions, rfq_ranges, rfq_tables, tables
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount, is_amount
from seawall.protocols.rfq_tables import NONE, Book, empty_book
from seawall.protocols.status import Status

ASSETS, POSITIONS = 3, 7
CONTRACT, TRADER, FEEDER, OWNERS = 0, 1, 2, 3  # accounts
PRICES = (3000.0, 1.0, 0.3)
RICH = 2.0**20
HOUR = 3600.0

odd = st.sampled_from([0.0, -0.0, UNIT, UNIT / 3, -UNIT, 0.1, 1e-300, LIMIT, LIMIT + 1, math.inf, -math.inf, math.nan])
amounts = st.one_of(st.floats(0.0, 2000.0).map(floor_amount), st.integers(1, 5).map(lambda count: count * UNIT), odd)
positions, assets = st.integers(0, POSITIONS - 1), st.integers(0, ASSETS - 1)
wild_assets = st.integers(-1, ASSETS)
pairs = st.permutations(range(ASSETS)).map(lambda rows: tuple(rows[:2]))
worths = st.one_of(st.floats(0.001, 20_000.0), st.sampled_from([1e-6, 1000.0, 2000.0, 10_000.0, 50_000.0]))  # USD
discounts = st.sampled_from([0.0, 0.25, 0.5, 0.5, 1.0, -0.1, 1.1, math.nan])
masks = st.one_of(st.just(0b111), st.integers(-1, 2**ASSETS))
factors = st.sampled_from([0.0, 0.5, 0.9, 1.0, 1.1, 2.0, math.inf])  # of a price: ends of ranges, which prices meet exactly


def a_market(positions=POSITIONS, assets=ASSETS, prices=PRICES):
    """An empty book, feeds published now, wallets in which everybody but the contract is rich, and tokens."""
    book, feeds, tokens = empty_book(positions, assets, credits=3), np.zeros(assets, tables.FEED), np.zeros(assets, tables.TOKEN)
    book.terms["account"] = CONTRACT
    book.assets["token"] = book.assets["feed"] = np.arange(assets)
    book.assets["taker_multiplier"], book.assets["maker_multiplier"] = np.arange(assets), 1.0 + np.arange(assets)
    feeds["feeder"], feeds["valid_for"], feeds["price"] = FEEDER, 60.0, prices
    wallets = np.zeros((OWNERS + positions, assets))
    for account in (TRADER, *range(OWNERS, OWNERS + positions)):
        for token in range(assets):
            ledger.mint(wallets, tokens, token, account, RICH)
    return book, feeds, wallets, tokens


def an_order(inbound, outbound, amount, all_or_none=False, most_lps=10):
    order = np.zeros(1, rfq_tables.RFQ_ORDER)[0]
    order.trader, order.inbound, order.outbound, order.amount = TRADER, inbound, outbound, amount
    order.all_or_none, order.most_lps = all_or_none, most_lps
    return order


def content(table):
    """The bytes of a table's columns; what lies between the columns of a copy is anything."""
    return b"".join(table[column].tobytes() for column in table.dtype.names or [...])


def copy_of(book):
    return Book(*(table.copy() for table in book))


def open_rows(book):
    return [int(row) for row in np.flatnonzero(book.lps["is_open"])]


def by_rank(book):
    """All open positions as the document ranks them, by Python's own sort."""
    return sorted(open_rows(book), key=lambda row: (-book.lps[row].fee_discount, -book.lps[row].rep, book.lps[row].created))


def is_eligible(book, lp, outbound, inbound, price_out, price_in, size):
    """The document's conditions, written anew."""
    row, ranges = book.lps[lp], book.ranges[lp]
    if row.uses_pair_ranges:
        lower, higher = sorted((outbound, inbound))
        line = ASSETS + [(0, 1), (0, 2), (1, 2)].index((lower, higher))
        price = (price_out / price_in) if outbound < inbound else (price_in / price_out)
        in_range = ranges[line].low <= price <= ranges[line].high
    else:
        in_range = all(ranges[asset].low <= price <= ranges[asset].high for asset, price in ((outbound, price_out), (inbound, price_in)))
    balance, least = Fraction(float(book.holdings[lp, outbound].balance)), Fraction(float(size)) / 10
    return bool(in_range and row.accepts & (1 << inbound) and balance > 0 and balance >= least)


def chain(find):
    """All rows that a search gives, one after the other."""
    found, lp = [], NONE
    while (lp := find(lp)) != NONE:
        found.append(int(lp))
    return found


def assert_index_is_right(book, feeds, needs=(UNIT, 200.0)):
    """On a copy that follows the prices: the index finds what a scan finds, and its tree is what a tree built anew would be."""
    book = copy_of(book)
    rfq_ranges.follow_prices(book, feeds)
    price = [float(feeds[asset].price) for asset in range(len(book.assets))]
    for outbound in range(len(book.assets)):
        for inbound in range(len(book.assets)):
            if outbound == inbound:
                continue
            assert rfq_ranges.is_current(book, outbound, inbound, price[outbound], price[inbound])
            for need in needs:
                question = (outbound, inbound)
                by_index = chain(lambda lp, q=question, n=need: rfq_index.best_by_index(book, lp, *q, n))
                by_scan = chain(lambda lp, q=question, n=need: rfq.best_by_scan(book, lp, *q, price[q[0]], price[q[1]], n))
                assert by_index == by_scan
                assert by_index == [row for row in by_rank(book) if row in by_index]
    anew = copy_of(book)
    anew.terms["root"], anew.best[:] = NONE, 0.0
    for row in reversed(open_rows(book)):
        rfq_index.insert(anew, row)
    rows = open_rows(book)
    assert anew.terms[0].root == book.terms[0].root
    for column in ("left", "right", "parent"):
        assert anew.lps[column][rows].tolist() == book.lps[column][rows].tolist()
    assert np.array_equal(anew.best[rows], book.best[rows])


def assert_ends_are_listed(book):
    """Every end of a range that a price can pass stands once in the list of its bucket, and nothing else stands there."""
    for line in range(len(book.lines)):
        listed = []
        for bucket in np.flatnonzero(book.heads[line] != NONE):
            end, previous = book.heads[line, bucket], NONE
            while end != NONE:
                bounds = book.ranges[end // 2, line]
                assert rfq_ranges.bucket_of(bounds.high if end % 2 else bounds.low) % book.heads.shape[1] == bucket
                assert book.prev_bound[line, end] == previous
                listed.append(int(end))
                end, previous = book.next_bound[line, end], end
        bounds = book.ranges[:, line]
        ends = np.stack([bounds["low"], bounds["high"]], axis=1).ravel()
        assert sorted(listed) == np.flatnonzero((ends > 0.0) & (ends < math.inf)).tolist()


def assert_books_balance(book, wallets, tokens):
    assert np.array_equal(wallets.sum(axis=0), tokens["supply"])
    assert np.array_equal(book.holdings["balance"].sum(axis=0), wallets[CONTRACT])
    assert all(is_amount(balance) for balance in book.holdings["balance"].flat)


class Market(RuleBasedStateMachine):
    """One book under everything that can happen to it."""

    @initialize(penalty=st.sampled_from([0.0, 0.1]), half_life=st.sampled_from([math.inf, 48 * HOUR]), per_fill=st.sampled_from([0.0, 5.0]))
    def start(self, penalty, half_life, per_fill):
        self.book, self.feeds, self.wallets, self.tokens = a_market()
        terms = self.book.terms[0]
        terms.out_of_range_loss = terms.short_loss = penalty
        terms.rep_half_life, terms.rep_per_fill, terms.min_value_usd = half_life, per_fill, 10.0
        self.now = 0.0
        for lp, asset in enumerate((0, 1, 0, 2, 0)):
            assert rfq_positions.open_position(self.book, lp, OWNERS + lp, asset, 0b111, (lp // 2) / 2) == Status.OK
            assert rfq_positions.deposit(self.book, lp, self.wallets, floor_amount(1000.0 * (lp + 1) / PRICES[asset])) == Status.OK

    def state(self):
        return b"".join(content(table) for table in (*self.book, self.feeds, self.wallets, self.tokens))

    def all_or_nothing(self, call, *arguments):
        before = self.state()
        status = call(*arguments)
        assert Status(status) == Status.OK or self.state() == before, Status(status)
        return Status(status)

    @rule(lp=positions, primary=wild_assets, accepts=masks, discount=discounts)
    def open(self, lp, primary, accepts, discount):
        if self.all_or_nothing(rfq_positions.open_position, self.book, lp, OWNERS + lp, primary, accepts, discount) == Status.OK:
            assert self.book.ranges["is_active"][lp].all()
            assert not self.book.ranges["low"][lp].any() and np.isinf(self.book.ranges["high"][lp]).all()

    @rule(lp=positions)
    def close(self, lp):
        had = self.wallets[OWNERS + lp] + self.book.holdings["balance"][lp]
        if self.all_or_nothing(rfq_positions.close_position, self.book, lp, self.wallets) == Status.OK:
            assert np.array_equal(self.wallets[OWNERS + lp], had)
            assert not self.book.holdings["balance"][lp].any()

    @rule(lp=positions, amount=amounts)
    def deposit(self, lp, amount):
        self.all_or_nothing(rfq_positions.deposit, self.book, lp, self.wallets, amount)

    @rule(lp=positions, asset=wild_assets, amount=amounts, part=st.none() | st.sampled_from([0.5, 0.99, 1.0]))
    def withdraw(self, lp, asset, amount, part):
        if part is not None and 0 <= asset < ASSETS:
            amount = floor_amount(float(self.book.holdings[lp, asset].balance) * part)
        self.all_or_nothing(rfq_positions.withdraw, self.book, lp, asset, self.wallets, amount)

    @rule(lp=positions, asset=wild_assets, low=factors, high=factors)
    def set_range(self, lp, asset, low, high):
        price = PRICES[asset % ASSETS]
        self.all_or_nothing(rfq_ranges.set_range, self.book, lp, asset, price * low, price * high)

    @rule(lp=positions, asset=wild_assets, counter=wild_assets, low=factors, high=factors)
    def set_pair_range(self, lp, asset, counter, low, high):
        price = PRICES[asset % ASSETS] / PRICES[counter % ASSETS]
        self.all_or_nothing(rfq_ranges.set_pair_range, self.book, lp, asset, counter, price * low, price * high)

    @rule(lp=positions, discount=discounts)
    def set_discount(self, lp, discount):
        self.all_or_nothing(rfq_positions.set_discount, self.book, lp, discount)

    @rule(lp=positions, accepts=masks, uses_pair_ranges=st.booleans())
    def set_accepted(self, lp, accepts, uses_pair_ranges):
        self.all_or_nothing(rfq_positions.set_accepted, self.book, lp, accepts, uses_pair_ranges)

    @rule(
        asset=assets,
        factor=st.sampled_from([0.25, 0.5, 0.9, 0.999, 1.0, 1.001, 1.1, 2.0, 5.0]),
        follows=st.sampled_from([True, True, False]),
    )
    def publish(self, asset, factor, follows):
        self.all_or_nothing(oracle.publish, self.feeds[asset], FEEDER, PRICES[asset] * factor, self.now)
        if follows:
            rfq_ranges.follow_prices(self.book, self.feeds)

    @rule(seconds=st.sampled_from([1.0, 61.0, HOUR, 48 * HOUR]))
    def wait(self, seconds):
        self.now += seconds
        reputation.grant_due(self.book, self.now)

    @rule()
    def publish_all(self):
        for feed in self.feeds:
            assert oracle.publish(feed, FEEDER, feed.price, self.now) == Status.OK

    @rule()
    def review(self):
        before = self.book.lps["rep"].copy()
        short, out_of_range = reputation.review(self.book, self.feeds)
        assert short + out_of_range <= len(open_rows(self.book))
        assert (self.book.lps["rep"] <= before).all()

    @rule(lp=positions, fraction=st.sampled_from([0.0, 0.5, 1.0, -0.1, 1.1, math.nan]))
    def lose(self, lp, fraction):
        self.all_or_nothing(reputation.lose, self.book, lp, fraction)

    @rule(inbound=wild_assets, outbound=wild_assets, amount=amounts, all_or_none=st.booleans(), most=st.integers(0, 10))
    def send(self, inbound, outbound, amount, all_or_none, most):
        self.settle(an_order(inbound, outbound, amount, all_or_none, most))

    @rule(pair=pairs, usd=worths, all_or_none=st.booleans(), most=st.sampled_from([1, 2, 10]))
    def send_with_fresh_prices(self, pair, usd, all_or_none, most):
        self.publish_all()
        self.settle(an_order(*pair, floor_amount(usd / float(self.feeds[pair[0]].price)), all_or_none, most))

    @rule(orders=st.lists(st.tuples(pairs, worths), min_size=2, max_size=6))
    def send_many(self, orders):
        rfq_ranges.follow_prices(self.book, self.feeds)
        for pair, usd in orders:
            self.send_with_fresh_prices(pair, usd, False, 10)

    def settle(self, order):
        """By the index, and on a copy by a scan."""
        before, book, wallets = self.state(), copy_of(self.book), self.wallets.copy()
        fills = np.zeros(10, rfq_tables.RFQ_FILL)
        status, received, paid, count = rfq.settle(self.book, order, self.feeds, self.wallets, fills, self.now, False)
        other = Book(*(table.copy() for table in book)), wallets.copy(), fills.copy()
        again = rfq.settle(other[0], order, self.feeds, other[1], other[2], self.now, True)
        assert again == (status, received, paid, count)
        for mine, its in zip((*self.book, self.wallets, fills), (*other[0], *other[1:]), strict=True):
            assert content(mine) == content(its)
        if status == Status.OK:
            self.assert_settled_as_written(order, book, wallets, fills[:count], received, paid)
        else:
            assert (self.state(), received, paid, count) == (before, 0.0, 0.0, 0)

    def assert_settled_as_written(self, order, book, wallets, fills, received, paid):
        """The first of the eligible in rank order, all but the last up to their balance, at oracle prices, for their own fee."""
        outbound, inbound = int(order.outbound), int(order.inbound)
        price_out, price_in = float(self.feeds[outbound].price), float(self.feeds[inbound].price)
        size = floor_amount(order.amount * price_in / price_out)
        eligible = [lp for lp in by_rank(book) if is_eligible(book, lp, outbound, inbound, price_out, price_in, size)]
        settling = fills["lp"].tolist()
        assert settling == eligible[: len(settling)]
        left = order.amount - paid
        assert left >= 0.0 and len(settling) <= order.most_lps
        balances = book.holdings["balance"][:, outbound]
        if floor_amount(left * price_in / price_out) > 0.0:
            assert not order.all_or_none
            assert len(settling) == min(len(eligible), order.most_lps)
        for number, fill in enumerate(fills):
            assert 0.0 < fill["settled"] <= balances[fill["lp"]]
            assert number == len(fills) - 1 or fill["settled"] == balances[fill["lp"]]
            value_in, value_out = Fraction(float(fill["paid"])) * Fraction(price_in), Fraction(float(fill["settled"])) * Fraction(price_out)
            assert value_in >= value_out * (1 - Fraction(1, 2**49))
            assert value_in <= value_out * (1 + Fraction(1, 2**49)) + Fraction(UNIT) * Fraction(max(price_in, price_out))
            rate = Fraction(1, 100) * (1 - Fraction(float(book.lps[fill["lp"]].fee_discount)))
            exact = Fraction(float(fill["settled"])) * rate
            assert exact * (1 - Fraction(1, 2**49)) - Fraction(UNIT) < fill["fee"] <= exact * (1 + Fraction(1, 2**49))
        assert received == fills["settled"].sum() - fills["fee"].sum()
        change = self.wallets - wallets
        assert (change[TRADER, inbound], change[TRADER, outbound]) == (-paid, received)
        assert np.count_nonzero(change) <= 4

    @invariant()
    def books_balance(self):
        assert_books_balance(self.book, self.wallets, self.tokens)
        assert (self.book.lps["rep"] >= 0.0).all()

    @invariant()
    def the_index_is_right(self):
        assert_index_is_right(self.book, self.feeds)
        assert_ends_are_listed(self.book)


TestMarket = Market.TestCase
TestMarket.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


# --- many positions ---


def test_a_large_book_after_many_changes():
    """Two hundred positions with few different discounts and REP, so ties are common."""
    random, count = np.random.default_rng(5), 200
    book, feeds, wallets, tokens = a_market(count)
    for lp in range(count):
        assert rfq_positions.open_position(book, lp, OWNERS + lp, int(random.integers(ASSETS)), 0b111, random.integers(4) / 4) == Status.OK
        assert rfq_positions.deposit(book, lp, wallets, float(random.integers(1, 400))) == Status.OK
    fills = np.zeros(10, rfq_tables.RFQ_FILL)
    for number in range(800):
        lp, asset, price = int(random.integers(count)), int(random.integers(ASSETS)), random.lognormal(0.0, 0.3)
        match number % 5:
            case 0:
                rfq_positions.set_discount(book, lp, random.integers(4) / 4)
            case 1:
                width = random.uniform(1.0, 3.0)
                rfq_ranges.set_range(book, lp, asset, PRICES[asset] * price / width, PRICES[asset] * price * width)
            case 2:
                reputation.grant(book, lp, float(random.integers(3)), 0.0)
            case 3 if number % 15 == 3:
                feeds[asset].price = PRICES[asset] * price
                rfq_ranges.follow_prices(book, feeds)
            case 4:
                order = an_order(asset, (asset + 1) % ASSETS, floor_amount(500.0 / PRICES[asset]))
                rfq.settle(book, order, feeds, wallets, fills, 0.0, False)
    assert_books_balance(book, wallets, tokens)
    assert_index_is_right(book, feeds, needs=[100.0])
    assert depth(book) <= 30  # a perfect tree has 8 levels
    for lp in random.permutation(count)[:170]:
        assert rfq_positions.close_position(book, int(lp), wallets) == Status.OK
    assert_index_is_right(book, feeds, needs=[100.0])
    assert_books_balance(book, wallets, tokens)


def depth(book):
    def levels(row):
        steps = 0
        while row != NONE:
            row, steps = book.lps[row].parent, steps + 1
        return steps

    return max(levels(row) for row in open_rows(book))


grid = st.sampled_from([0.0, 0.5, 0.99, 0.9999, 1.0, 1.0001, 1.01, 2.0, 40.0, math.inf])
changes = st.one_of(
    st.tuples(positions, assets, grid, grid).map(lambda change: (*change[:2], *sorted(change[2:]))),
    st.tuples(st.just(None), assets, st.sampled_from([0.4, 0.9, 0.99, 1.0, 1.00005, 1.0001, 1.5, 2.0, 50.0]), st.none()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(changes, min_size=20, max_size=60))
def test_ranges_are_active_exactly_while_the_price_is_within(steps):
    book, feeds, wallets, _ = a_market()
    for lp in range(POSITIONS):
        assert rfq_positions.open_position(book, lp, OWNERS + lp, 0, 0b111, lp / POSITIONS) == Status.OK
        assert rfq_positions.deposit(book, lp, wallets, 1.0) == Status.OK
    for lp, asset, first, second in steps:
        if lp is None:
            feeds[asset].price = PRICES[asset] * first
        else:
            expected = Status.OK if second > 0.0 else Status.BAD_TERMS
            assert rfq_ranges.set_range(book, lp, asset, PRICES[asset] * first, PRICES[asset] * second) == expected
        rfq_ranges.follow_prices(book, feeds)
        for line in range(ASSETS):
            bounds, price = book.ranges[:, line], feeds[line].price
            assert np.array_equal(bounds["is_active"], (bounds["low"] <= price) & (price <= bounds["high"]))
    assert_ends_are_listed(book)
    assert_index_is_right(book, feeds, needs=[UNIT])


@settings(deadline=None)  # the first call compiles
@given(low=st.floats(1e-12, 1e12), factor=st.floats(1.0, 8.0))
def test_buckets_rise_with_the_price(low, factor):
    assert rfq_ranges.bucket_of(low) <= rfq_ranges.bucket_of(low * factor)
    assert rfq_ranges.bucket_of(low * 2.0) == rfq_ranges.bucket_of(low) + rfq_ranges.BUCKETS_PER_OCTAVE


# --- one rule at a time ---


@pytest.mark.parametrize(
    ("size", "least"), [(10.0, 1.0), (30.0, 3.0), (UNIT, UNIT), (9 * UNIT, UNIT), (10 * UNIT, UNIT), (11 * UNIT, 2 * UNIT)]
)
def test_exactly_a_tenth_is_enough(size, least):
    assert rfq.least_balance(size, 0.1) == least


@settings(deadline=None)
@given(units=st.integers(1, 2**52))
def test_a_tenth_is_rounded_up_exactly(units):
    assert rfq.least_balance(units * UNIT, 0.1) == pytest.approx(-(-units // 10) * UNIT, abs=UNIT * (units > 2**50), rel=0)


@pytest.mark.parametrize(
    ("low", "high", "is_in"),
    [(3000.0, 4000.0, True), (2000.0, 3000.0, True), (3000.1, 4000.0, False), (0.0, 2999.9, False), (0.0, math.inf, True)],
)
def test_the_ends_of_a_range_are_in_it(low, high, is_in):
    book, feeds, wallets, _ = a_market()
    rfq_positions.open_position(book, 0, OWNERS, 0, 0b010, 0.0)
    rfq_positions.deposit(book, 0, wallets, 10.0)
    assert rfq_ranges.set_range(book, 0, 0, low, high) == Status.OK
    rfq_ranges.follow_prices(book, feeds)
    assert rfq_ranges.is_in_range(book, 0, 0, 1, 3000.0, 1.0) == is_in
    assert (rfq_index.best_by_index(book, NONE, 0, 1, 1.0) == 0) == is_in


def test_a_derived_range_holds_the_quotient_and_not_the_prices():
    book, feeds, wallets, _ = a_market()
    rfq_positions.open_position(book, 0, OWNERS, 0, 0b010, 0.0)
    rfq_positions.deposit(book, 0, wallets, 10.0)
    rfq_positions.set_accepted(book, 0, 0b010, True)
    assert rfq_ranges.set_range(book, 0, 0, 2900.0, 3100.0) == Status.OK
    assert rfq_ranges.set_pair_range(book, 0, 1, 0, 1.0, 2.0) == Status.WRONG_ASSET
    assert rfq_ranges.set_pair_range(book, 0, 0, 1, 2900.0, 3100.0) == Status.OK
    for price, counter, is_in in ((3000.0, 1.0, True), (6000.0, 2.0, True), (3000.0, 0.9, False), (2900.0, 1.0, True)):
        feeds["price"][:2] = price, counter
        rfq_ranges.follow_prices(book, feeds)
        assert rfq_ranges.is_in_range(book, 0, 0, 1, price, counter) == is_in
        assert rfq_index.best_by_index(book, NONE, 0, 1, 1.0) == (0 if is_in else NONE)


def funded():
    """One position with 10 tokens of the first asset that takes the second one at half the maximum fee."""
    book, feeds, wallets, tokens = a_market()
    rfq_positions.open_position(book, 0, OWNERS, 0, 0b010, 0.5)
    rfq_positions.deposit(book, 0, wallets, 10.0)
    rfq_ranges.follow_prices(book, feeds)
    return book, feeds, wallets, tokens


@pytest.mark.parametrize(
    ("change", "now", "expected"),
    [
        ({}, 60.0, Status.OK),
        ({}, 60.5, Status.STALE_PRICE),
        ({"outbound": 1}, 0.0, Status.WRONG_ASSET),
        ({"inbound": ASSETS}, 0.0, Status.WRONG_ASSET),
        ({"trader": CONTRACT}, 0.0, Status.UNAUTHORIZED),
        ({"amount": UNIT}, 0.0, Status.BAD_AMOUNT),  # worth less than a unit
        ({"amount": math.nan}, 0.0, Status.BAD_AMOUNT),
        ({"amount": RICH + UNIT}, 0.0, Status.INSUFFICIENT_BALANCE),
        ({"inbound": 2}, 0.0, Status.NO_ELIGIBLE_LP),
        ({"amount": 3000.0 * 101}, 0.0, Status.NO_ELIGIBLE_LP),  # 10 is less than a tenth of 101
        ({"amount": 3000.0 * 100}, 0.0, Status.OK),
        ({"amount": 3000.0 * 100, "all_or_none": True}, 0.0, Status.NOT_WHOLLY_FILLED),
        ({"most_lps": 0}, 0.0, Status.NO_ELIGIBLE_LP),
    ],
)
def test_refusals_of_an_order(change, now, expected):
    book, feeds, wallets, _ = funded()
    order = an_order(1, 0, 3000.0)
    for column, value in change.items():
        order[column] = value
    before = [table.tobytes() for table in (*book, feeds, wallets)]
    status, received, paid, count = rfq.settle(book, order, feeds, wallets, np.zeros(10, rfq_tables.RFQ_FILL), now, False)
    assert status == expected
    if status == Status.OK:
        assert 0.0 < received == floor_amount(paid / 3000.0) - floor_amount(paid / 3000.0 * 0.005)
    else:
        assert ([table.tobytes() for table in (*book, feeds, wallets)], received, paid, count) == (before, 0.0, 0.0, 0)


def test_an_index_that_lags_behind_the_prices_is_not_used():
    book, feeds, wallets, _ = funded()
    rfq_ranges.set_range(book, 0, 0, 2900.0, 3100.0)
    feeds[0].price = 4000.0
    assert rfq_index.best_by_index(book, NONE, 0, 1, 1.0) == 0
    answer = rfq.settle(book, an_order(1, 0, 3000.0), feeds, wallets, np.zeros(10, rfq_tables.RFQ_FILL), 0.0, False)
    assert answer[0] == Status.NO_ELIGIBLE_LP


# --- REP ---


def test_rep_is_credited_after_the_delay_and_decays_by_half():
    book, *_ = funded()
    book.terms["rep_half_life"] = 48 * HOUR
    reputation.earn(book, 0, 0, 1, 100.0, 0.0)
    reputation.grant_due(book, 48 * HOUR - 1.0)
    assert reputation.current_rep(book, 0, 48 * HOUR) == 0.0
    reputation.grant_due(book, 48 * HOUR)
    assert reputation.current_rep(book, 0, 48 * HOUR) == pytest.approx(200.0)  # the higher multiplier of the two assets is 2
    assert reputation.current_rep(book, 0, 96 * HOUR) == pytest.approx(100.0)


def test_a_full_table_credits_the_oldest_early_and_loses_none():
    book, *_ = funded()
    for _ in range(5):
        reputation.earn(book, 0, 0, 1, 100.0, 0.0)
    assert (book.terms[0].credits_early, book.terms[0].credits_waiting, book.lps[0].rep) == (2, 3, 400.0)
    reputation.grant_due(book, 48 * HOUR)
    assert (book.terms[0].credits_waiting, book.lps[0].rep) == (0, 1000.0)


def test_a_closed_position_leaves_its_ranges_to_nobody():
    book, feeds, wallets, _ = funded()
    assert rfq_ranges.set_range(book, 0, 0, 2900.0, 3100.0) == Status.OK
    assert rfq_ranges.set_pair_range(book, 0, 0, 2, 1.0, 2.0) == Status.OK
    assert rfq_positions.close_position(book, 0, wallets) == Status.OK
    assert (book.heads == NONE).all()
    assert rfq_positions.open_position(book, 0, OWNERS + 1, 0, 0b010, 0.5) == Status.OK
    feeds["price"][0] = 4000.0
    rfq_ranges.follow_prices(book, feeds)
    assert book.ranges["is_active"][0].all()


def test_a_closed_position_leaves_its_credits_to_nobody():
    book, _, wallets, _ = funded()
    reputation.earn(book, 0, 0, 1, 100.0, 0.0)
    assert rfq_positions.close_position(book, 0, wallets) == Status.OK
    assert rfq_positions.open_position(book, 0, OWNERS + 1, 0, 0b010, 0.5) == Status.OK
    reputation.grant_due(book, 48 * HOUR)
    assert (book.lps[0].rep, book.terms[0].credits_waiting) == (0.0, 0)


@pytest.mark.parametrize(
    ("price", "balance", "counted", "rep"), [(3000.0, 10.0, (0, 0), 100.0), (4000.0, 10.0, (0, 1), 75.0), (4000.0, UNIT, (1, 0), 50.0)]
)
def test_a_review_takes_rep_from_those_who_cannot_serve(price, balance, counted, rep):
    book, feeds, wallets, _ = funded()
    book.terms["out_of_range_loss"], book.terms["short_loss"], book.terms["min_value_usd"] = 0.25, 0.5, 1.0
    rfq_ranges.set_range(book, 0, 0, 2900.0, 3100.0)
    if balance < 10.0:
        assert rfq_positions.withdraw(book, 0, 0, wallets, 10.0 - balance) == Status.OK
    reputation.grant(book, 0, 100.0, 0.0)
    feeds[0].price = price
    assert reputation.review(book, feeds) == counted
    assert book.lps[0].rep == rep
