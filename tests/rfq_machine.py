"""The whole RFQ market as a state machine: positions, ranges, quotes, settlements, REP, and the auctions that stand in for it."""

from __future__ import annotations

import math

import numpy as np
from avmm_markets import BOOK, FEEDER, FIRST_LP, PRICES, an_avmm
from driven import Driven, amounts, dust, no_amounts, shares
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from seawall.models import avmm_audit
from seawall.protocols import alternatives, ledger, oracle, reputation, rfq, rfq_index, rfq_positions, rfq_ranges
from seawall.protocols.amounts import UNIT, floor_amount, is_amount
from seawall.protocols.rfq_tables import NONE
from seawall.protocols.status import Status

LPS, ASSETS, LINES = 5, 3, 6
TRADER = FIRST_LP + LPS  # the first of two

positions, assets, lines = st.integers(0, LPS - 1), st.integers(0, ASSETS - 1), st.integers(0, LINES - 1)
wild_assets = st.sampled_from([0, 1, 2, 0, 1, 2, -1, ASSETS])
discounts = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), no_amounts)
masks = st.one_of(st.just(0b111), st.integers(-1, 2**ASSETS))
ends = st.sampled_from([0.0, 0.5, 0.9, 1.0, 1.1, 2.0, math.inf, -1.0, math.nan])  # of a price, which meets them exactly
bounds = st.tuples(ends, ends).map(lambda pair: tuple(sorted(pair))) | st.tuples(ends, ends)
worths = st.one_of(st.floats(1.0, 200_000.0), st.sampled_from([1e-6, 50_000.0, 1e6]))  # USD


class RfqMarket(Driven):
    """Five LPs, one trader, prices that move while the index follows or lags."""

    drives = (
        *(oracle.publish, ledger.transfer, rfq_positions.open_position, rfq_positions.close_position, rfq_positions.deposit),
        *(rfq_positions.withdraw, rfq_positions.set_discount, rfq_positions.set_accepted),
        *(rfq_ranges.set_range, rfq_ranges.set_pair_range, rfq_ranges.set_line_range, rfq_ranges.follow_prices),
        *(rfq.quote, rfq.settle, rfq.settle_at, reputation.grant_due, reputation.review, reputation.lose, alternatives.deliver),
    )

    @initialize(penalty=st.sampled_from([0.0, 0.1]), half_life=st.sampled_from([math.inf, 172_800.0]), per_fill=st.sampled_from([0.0, 5.0]))
    def start(self, penalty, half_life, per_fill):
        self.v = v = an_avmm(lps=(0,) * LPS, steps=1)
        self.book, self.now = v.book, 0.0
        terms = v.book.terms[0]
        terms.out_of_range_loss = terms.short_loss = penalty
        terms.rep_half_life, terms.rep_per_fill, terms.min_value_usd = half_life, per_fill, 10.0
        v.feeds["valid_for"][1:] = 3_600.0
        for lp in range(LPS):
            for token, price in enumerate(PRICES):
                assert ledger.mint(v.wallets, v.tokens, token, FIRST_LP + lp, floor_amount(50_000.0 / price)) == Status.OK

    def tables(self):
        """All but the form of the desk and its room for fills, which every quote writes on."""
        v = self.v
        lent = {id(v.order), id(v.fills), id(v.book)}
        return [*(table for table in v if id(table) not in lent), *v.book]

    # --- LPs ---

    @rule(lp=positions, primary=wild_assets, accepts=masks, discount=discounts, closes=st.booleans())
    def open(self, lp, primary, accepts, discount, closes):
        if closes:
            self.close(lp)
        owner = int(self.v.avmm_lps[lp].account)
        if self.ask(rfq_positions.open_position, self.book, lp, owner, primary, accepts, discount) == Status.OK:
            assert not self.book.ranges["low"][lp].any() and np.isinf(self.book.ranges["high"][lp]).all()

    @rule(lp=positions)
    def close_and_return(self, lp):
        """Audits of the market ask that its LPs have positions."""
        self.close(lp)
        self.open(lp, 1, 0b111, 0.5, False)

    def close(self, lp):
        wallets, account = self.v.wallets, int(self.v.avmm_lps[lp].account)
        had = wallets[account, :ASSETS] + self.book.holdings["balance"][lp]
        if self.ask(rfq_positions.close_position, self.book, lp, wallets) == Status.OK:
            assert np.array_equal(wallets[account, :ASSETS], had)
            assert not self.book.holdings["balance"][lp].any()

    @rule(lp=positions, amount=st.none() | amounts, share=shares)
    def deposit(self, lp, amount, share):
        held = float(self.v.wallets[self.v.avmm_lps[lp].account, self.book.lps[lp].primary])
        self.ask(rfq_positions.deposit, self.book, lp, self.v.wallets, floor_amount(share * held) if amount is None else amount)

    @rule(lp=positions, asset=wild_assets, amount=st.none() | amounts, share=shares)
    def withdraw(self, lp, asset, amount, share):
        if amount is None:
            amount = floor_amount(float(self.book.holdings[lp, asset % ASSETS].balance) * share)
        self.ask(rfq_positions.withdraw, self.book, lp, asset, self.v.wallets, amount)

    @rule(lp=positions, asset=wild_assets, bounds=bounds)
    def set_range(self, lp, asset, bounds):
        price = PRICES[asset % ASSETS]
        self.ask(rfq_ranges.set_range, self.book, lp, asset, price * bounds[0], price * bounds[1])

    @rule(lp=positions, asset=wild_assets, counter=st.one_of(assets, wild_assets), bounds=bounds)
    def set_pair_range(self, lp, asset, counter, bounds):
        price = PRICES[asset % ASSETS] / PRICES[counter % ASSETS]
        self.ask(rfq_ranges.set_pair_range, self.book, lp, asset, counter, price * bounds[0], price * bounds[1])

    @rule(lp=positions, line=lines, bounds=bounds)
    def set_line_range(self, lp, line, bounds):
        price = float(self.book.lines[line].price)
        self.ask(rfq_ranges.set_line_range, self.book, lp, line, price * bounds[0], price * bounds[1])

    @rule(lp=positions, discount=discounts)
    def set_discount(self, lp, discount):
        self.ask(rfq_positions.set_discount, self.book, lp, discount)

    @rule(lp=positions, accepts=masks, uses_pair_ranges=st.booleans())
    def set_accepted(self, lp, accepts, uses_pair_ranges):
        self.ask(rfq_positions.set_accepted, self.book, lp, accepts, uses_pair_ranges)

    @rule(lp=positions, fraction=st.one_of(st.floats(0.0, 1.0), no_amounts))
    def lose(self, lp, fraction):
        self.ask(reputation.lose, self.book, lp, fraction)

    # --- prices and time ---

    @rule(
        asset=st.integers(1, 2),
        factor=st.sampled_from([0.25, 0.5, 0.9, 0.999, 1.0, 1.001, 1.1, 2.0, 5.0]),
        follows=st.sampled_from([True, True, False]),
    )
    def publish(self, asset, factor, follows):
        self.ask(oracle.publish, self.v.feeds[asset], FEEDER, PRICES[asset] * factor, self.now)
        if follows:
            self.follow()

    @rule()
    def follow(self):
        self.do(rfq_ranges.follow_prices, self.book, self.v.feeds)

    @rule(seconds=st.sampled_from([1.0, 61.0, 3_600.0, 172_800.0]), is_published=st.sampled_from([True, True, False]))
    def wait(self, seconds, is_published):
        self.now += seconds
        self.do(reputation.grant_due, self.book, self.now)
        for feed in self.v.feeds[1:] if is_published else ():
            self.ask(oracle.publish, feed, FEEDER, float(feed.price), self.now)

    @rule()
    def review(self):
        before = self.book.lps["rep"].copy()
        self.do(reputation.review, self.book, self.v.feeds)
        assert (self.book.lps["rep"] <= before).all()

    # --- orders ---

    def form(self, inbound, outbound, amount, all_or_none, most):
        order = self.v.order[0]
        order.trader, order.inbound, order.outbound, order.amount = TRADER, inbound, outbound, amount
        order.all_or_none, order.most_lps = all_or_none, most
        return order

    @rule(
        inbound=wild_assets,
        outbound=wild_assets,
        amount=amounts,
        usd=st.none() | worths,
        all_or_none=st.booleans(),
        most=st.integers(0, 10),
    )
    def send(self, inbound, outbound, amount, usd, all_or_none, most):
        """A quote changes nothing, and its order is settled as quoted."""
        v = self.v
        if usd is not None:
            amount = floor_amount(usd / float(v.feeds[inbound % ASSETS].price))
        order = self.form(inbound, outbound, amount, all_or_none, most)
        before = self.state()
        quoted = self.ask(rfq.quote, self.book, order, v.feeds, v.wallets, v.fills, self.now, False)
        assert self.state() == before
        settled = self.ask(rfq.settle, self.book, order, v.feeds, v.wallets, v.fills, self.now, False)
        assert settled == quoted
        self.assert_paid_in_full(settled, amount)

    @rule(inbound=assets, outbound=assets, usd=worths, slip=st.sampled_from([0.9, 1.0, 1.1]), by_scan=st.booleans())
    def settle_at_other_prices(self, inbound, outbound, usd, slip, by_scan):
        v = self.v
        price_in, price_out = float(v.feeds[inbound].price) * slip, float(v.feeds[outbound].price)
        amount = floor_amount(usd / price_in)
        order = self.form(inbound, outbound, amount, False, 10)
        answer = self.ask(rfq.settle_at, self.book, order, price_out, price_in, v.wallets, v.fills, self.now, by_scan)
        self.assert_paid_in_full(answer, amount)

    def assert_paid_in_full(self, answer, amount):
        status, received, paid, count = answer
        fills = self.v.fills[:count]
        assert (status == Status.OK) == (count > 0)
        if status == Status.OK:
            assert 0.0 < paid <= amount
            assert paid == fills["paid"].sum() and received == fills["settled"].sum() - fills["fee"].sum()

    @rule(solver=positions, inbound=assets, outbound=assets, paid=amounts, delivered=st.one_of(dust, amounts))
    def deliver(self, solver, inbound, outbound, paid, delivered):
        account = int(self.v.avmm_lps[solver].account)
        self.ask(alternatives.deliver, self.v.wallets, TRADER, account, inbound, paid, outbound, delivered)

    @rule(payer=positions, token=assets, amount=amounts)
    def transfer(self, payer, token, amount):
        self.ask(ledger.transfer, self.v.wallets, token, int(self.v.avmm_lps[payer].account), TRADER, amount)

    # --- what always holds ---

    @invariant()
    def books_balance(self):
        avmm_audit.check(self.v)
        v = self.v
        assert np.array_equal(v.wallets.sum(axis=0), v.tokens["supply"])
        assert np.array_equal(self.book.holdings["balance"].sum(axis=0), v.wallets[BOOK, :ASSETS])
        assert all(is_amount(amount) for amount in np.unique(v.wallets).tolist())

    @invariant()
    def the_index_finds_what_a_scan_finds(self):
        """At the prices that the index stands at, for every pair."""
        lines = self.book.lines["price"]
        for outbound in range(ASSETS):
            for inbound in set(range(ASSETS)) - {outbound}:
                price_out, price_in = float(lines[outbound]), float(lines[inbound])
                if not rfq_ranges.is_current(self.book, outbound, inbound, price_out, price_in):
                    continue
                by_index = rfq_index.best_by_index(self.book, NONE, outbound, inbound, UNIT)
                assert by_index == rfq.best_by_scan(self.book, NONE, outbound, inbound, price_out, price_in, UNIT)

    @invariant()
    def credits_waiting_fit_their_table(self):
        assert 0 <= self.book.terms[0].credits_waiting <= len(self.book.credits)
        assert np.isfinite(self.book.lps["rep"]).all()
