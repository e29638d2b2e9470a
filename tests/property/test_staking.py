"""Stakers come, go and claim while rewards arrive: nothing is paid that did not come in, and nobody earns for the time before."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from staking_pools import HOUR, LP, PAYER, POOLS, RICH, STAKERS, TEXO, set_up

from seawall.protocols import staking
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount, is_amount
from seawall.protocols.status import Status

odd = st.sampled_from([0.0, -0.0, UNIT, UNIT / 3, -UNIT, 0.1, 1e-300, LIMIT, LIMIT + 1, math.inf, -math.inf, math.nan])
dust = st.integers(1, 5).map(lambda count: count * UNIT)
amounts = st.one_of(st.floats(0.0, 2000.0).map(floor_amount), dust, odd)
stakes = st.integers(0, 2 * STAKERS - 1)


def whole(amount):
    """Units, as an integer."""
    return round(float(amount) / UNIT)


class Staking(RuleBasedStateMachine):
    """Two pools, beside what each stake should have earned in exact fractions."""

    @initialize()
    def start(self):
        self.tokens, self.wallets, self.pools, self.stakes, self.inflation, self.emissions = set_up()
        self.now = 0.0
        self.came_in, self.paid = [0, 0], [0, 0]
        self.earned = [Fraction(0)] * len(self.stakes)
        self.waiting = [Fraction(0), Fraction(0)]
        self.claimed = [0] * len(self.stakes)
        self.touches = 0

    def state(self):
        tables_ = (self.tokens, self.wallets, self.pools, self.stakes, self.inflation, self.emissions)
        return b"".join(table.tobytes() for table in tables_)

    def expect_all_or_nothing(self, before, status):
        assert Status(status) == Status.OK or before == self.state(), Status(status)
        return status == Status.OK

    def share_exactly(self, index, amount):
        """The same deposit without rounding."""
        self.came_in[index] += amount
        self.touches += 1
        members = [i for i in range(len(self.stakes)) if self.stakes[i].pool == index and self.stakes[i].bond > 0.0]
        total = sum(whole(self.stakes[i].bond) for i in members)
        available = self.waiting[index] + amount
        self.waiting[index] = Fraction(0) if members else available
        for i in members:
            self.earned[i] += available * whole(self.stakes[i].bond) / total

    @rule(i=stakes, amount=amounts)
    def bond(self, i, amount):
        before, row = self.state(), self.stakes[i]
        index = float(self.pools[row.pool].reward_index)
        if self.expect_all_or_nothing(before, staking.bond(row, self.pools[row.pool], self.wallets, amount)):
            assert row.index == index
            self.touches += 1

    @rule(i=stakes, amount=amounts, part=st.none() | st.floats(0.0, 1.0))
    def unbond(self, i, amount, part):
        row = self.stakes[i]
        before, held = self.state(), float(row.bond)
        amount = amount if part is None else floor_amount(part * held)
        if self.expect_all_or_nothing(before, staking.unbond(row, self.pools[row.pool], self.wallets, amount, self.now)):
            assert row.bond == held - amount
            self.touches += 1

    @rule(i=stakes)
    def leave(self, i):
        row = self.stakes[i]
        if row.bond > 0.0:
            assert staking.unbond(row, self.pools[row.pool], self.wallets, row.bond, self.now) == Status.OK
            self.touches += 1

    @rule(i=stakes)
    def claim(self, i):
        row = self.stakes[i]
        held = float(self.wallets[row.owner, TEXO])
        status, paid = staking.claim(row, self.pools[row.pool], self.wallets)
        assert status == Status.OK
        assert self.wallets[row.owner, TEXO] == held + paid
        self.paid[row.pool] += whole(paid)
        self.claimed[i] += whole(paid)
        self.touches += 1
        assert staking.claim(row, self.pools[row.pool], self.wallets) == (Status.OK, 0.0)

    @rule(index=st.integers(0, 1), amount=amounts)
    def deposit(self, index, amount):
        before = self.state()
        if self.expect_all_or_nothing(before, staking.deposit_reward(self.pools[index], self.wallets, PAYER, amount)):
            self.share_exactly(index, whole(amount))

    @rule(seconds=st.sampled_from([0.0, 59.0, 60.0, 61.7, HOUR, 30 * HOUR]))
    def emit(self, seconds):
        self.now += seconds
        before, held = self.state(), [float(self.wallets[account, TEXO]) for account in POOLS]
        status, minted = staking.emit(self.inflation[0], self.emissions, self.pools, self.tokens, self.wallets, self.now)
        if not self.expect_all_or_nothing(before, status):
            return
        parts = [whole(self.wallets[account, TEXO] - had) for account, had in zip(POOLS, held, strict=True)]
        assert sum(parts) == whole(minted)
        for index, part in enumerate(parts):
            if self.pools[index].is_rewarded:
                self.share_exactly(index, part)
            else:
                assert part == 0

    @rule(index=st.integers(0, 1), is_rewarded=st.booleans())
    def stop_or_resume(self, index, is_rewarded):
        self.pools[index].is_rewarded = is_rewarded

    @invariant()
    def books_balance(self):
        assert np.array_equal(self.wallets.sum(axis=0), self.tokens["supply"])
        for index, pool in enumerate(self.pools):
            mine = self.stakes[self.stakes["pool"] == index]
            assert pool.total_bond == mine["bond"].sum()
            owed = pool.pending_reward + pool.unsettled + mine["pending"].sum()
            assert whole(owed) + self.paid[index] == self.came_in[index]
            own = owed + (pool.total_bond if pool.staked_token == TEXO else 0.0)
            assert self.wallets[pool.account, TEXO] == own
            assert self.wallets[pool.account, LP] == (pool.total_bond if pool.staked_token == LP else 0.0)
            assert 0.0 <= pool.dust <= pool.unsettled + UNIT

    @invariant()
    def inflation_is_never_ahead_of_its_schedule(self):
        assert self.inflation[0].emitted <= staking.scheduled(self.emissions, self.now)

    @invariant()
    def amounts_are_whole_units(self):
        columns = [self.stakes["bond"], self.stakes["pending"], self.pools["pending_reward"], self.pools["unsettled"], self.wallets.ravel()]
        assert all(is_amount(float(amount)) for amount in np.concatenate(columns))

    @invariant()
    def everybody_has_earned_what_exact_fractions_say(self):
        """Within a unit for each touch, and what an index of 53 bits cannot say of a large stake (it waits)."""
        for i, row in enumerate(self.stakes):
            pool, copy = self.pools[row.pool].copy(), row.copy()
            staking.accrue(copy, pool)
            got = self.claimed[i] + whole(copy.pending)
            index_error = 4.0 * (1.0 + float(pool.reward_index)) * 2.0**-52 * (1.0 + self.touches) * float(pool.total_bond) / UNIT
            assert abs(got - self.earned[i]) <= 4 * (1 + self.touches) + index_error


TestStaking = Staking.TestCase
TestStaking.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@settings(max_examples=100, deadline=None)
@given(
    bonds=st.lists(st.floats(UNIT, 1000.0).map(floor_amount), min_size=STAKERS, max_size=STAKERS),
    rewards=st.lists(st.floats(UNIT, 500.0).map(floor_amount), min_size=1, max_size=5),
    order=st.permutations(range(STAKERS)),
)
def test_the_order_of_claims_does_not_matter(bonds, rewards, order):
    results = []
    for sequence in (range(STAKERS), order):
        _, wallets, pools, rows, *_ = set_up()
        for i, amount in enumerate(bonds):
            assert staking.bond(rows[2 * i], pools[0], wallets, amount) == Status.OK
        for reward in rewards:
            assert staking.deposit_reward(pools[0], wallets, PAYER, reward) == Status.OK
        paid = {i: staking.claim(rows[2 * i], pools[0], wallets)[1] for i in sequence}
        results.append([paid[i] for i in range(STAKERS)])
        assert sum(results[-1]) <= sum(rewards)
        assert sum(rewards) - sum(results[-1]) <= (2 * STAKERS + len(rewards)) * UNIT
    assert results[0] == results[1]


def test_who_joins_later_earns_nothing_of_the_past():
    _, wallets, pools, rows, *_ = set_up()
    assert staking.bond(rows[0], pools[0], wallets, 1.0) == Status.OK
    assert staking.deposit_reward(pools[0], wallets, PAYER, 10.0) == Status.OK
    assert staking.bond(rows[2], pools[0], wallets, 1000.0) == Status.OK
    assert staking.claim(rows[2], pools[0], wallets) == (Status.OK, 0.0)
    assert staking.claim(rows[0], pools[0], wallets) == (Status.OK, 10.0)


def test_dust_joins_the_next_deposit():
    _, wallets, pools, rows, *_ = set_up()
    for i in range(3):
        assert staking.bond(rows[2 * i], pools[0], wallets, 1.0) == Status.OK
    for _ in range(300):
        assert staking.deposit_reward(pools[0], wallets, PAYER, UNIT) == Status.OK
        for i in range(3):
            staking.claim(rows[2 * i], pools[0], wallets)
    paid = [wallets[rows[2 * i].owner, TEXO] - RICH for i in range(3)]
    assert paid[0] == paid[1] == paid[2]
    assert 300 * UNIT - sum(paid) <= 6 * UNIT


def test_one_unit_staked_alone_does_not_spoil_the_index_for_those_who_come_after():
    _, wallets, pools, rows, *_ = set_up()
    assert staking.bond(rows[0], pools[0], wallets, UNIT) == Status.OK
    assert staking.deposit_reward(pools[0], wallets, PAYER, 1000.0) == Status.OK
    assert staking.unbond(rows[0], pools[0], wallets, UNIT, 0.0) == Status.OK
    assert staking.bond(rows[2], pools[0], wallets, RICH) == Status.OK
    assert staking.deposit_reward(pools[0], wallets, PAYER, UNIT) == Status.OK
    assert staking.claim(rows[2], pools[0], wallets) == (Status.OK, UNIT)
    assert staking.claim(rows[0], pools[0], wallets) == (Status.OK, 1000.0)
