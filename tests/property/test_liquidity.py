"""LPs, markets, distributors and liquidators do whatever they may: money is conserved, debt adds up, a refusal changes nothing."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from liquidity import CORE_ACCOUNT, EVERY, POOL_OWNER, USD, a_core, first_lp

from seawall.protocols import (
    debt_liquidation,
    delegation,
    distributor,
    issuance,
    liquidity_pools,
    markets,
    rewards,
    shares,
    vaults,
)
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount, is_amount
from seawall.protocols.status import Status

POOLS, MARKETS, TYPES, MEMBERS = 2, 2, 2, 3
STREAMS = ((0, 0), (0, EVERY))
FIRST = first_lp(len(STREAMS))
LPS = range(FIRST, FIRST + MEMBERS)
LIQUIDATOR, RECEIVER = FIRST + MEMBERS, FIRST + MEMBERS + 1
RICH = 100_000.0
ROUNDING = 2.0**-49  # of the largest figures in play, for each touch

odd = st.sampled_from([0.0, -0.0, -UNIT, UNIT / 3, 1e-300, LIMIT + 1, 1e30, math.inf, -math.inf, math.nan])
whole_amounts = st.floats(0.0, 3000.0).map(floor_amount)
small = st.integers(1, 5).map(lambda count: count * UNIT)
amounts = st.one_of(whole_amounts, whole_amounts, whole_amounts, whole_amounts, small, odd)
usd_amounts = st.one_of(amounts, st.floats(0.0, 500.0), st.floats(0.0, 5000.0))
members = st.sampled_from(LPS)
pools, types = st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 0, 0, 1])  # most of what happens, happens in one vault
market_rows = st.integers(0, MARKETS - 1)
streams = st.integers(0, len(STREAMS) - 1)
ratios = st.floats(0.0, 6.0)


def set_up(min_delegation=20.0):
    """Two pools behind two markets, 1:3 and 2:1; nothing delegated; everybody has collateral, rewards to give, and dUSD from elsewhere."""
    lent = a_core(LPS, pools=POOLS, markets=MARKETS, types=TYPES, streams=STREAMS, siphons=3, accounts=RECEIVER + 1)
    terms = lent.core.collateral_types
    terms["issuance_ratio"], terms["liquidation_ratio"] = 3.0, 1.5
    terms["liquidation_reward"], terms["min_delegation"] = 5.0, min_delegation
    for account in (*LPS, LIQUIDATOR, POOL_OWNER):
        for token in range(1 + TYPES):
            lent.give(token, account, RICH)
    for stream in lent.core.streams:
        lent.give(stream.token, stream.funder, RICH)
    for c in range(TYPES):
        for account in LPS:
            assert delegation.deposit(lent.core, lent.wallets, account, c, RICH / 2) == Status.OK
    for p, weights in enumerate(([1.0, 3.0], [2.0, 1.0])):
        assert liquidity_pools.configure(lent.core, p, POOL_OWNER, np.array(weights), np.full(MARKETS, 10.0)) == Status.OK
    return lent


def undistributed(lent):
    """USD of debt of each market that no pool can take."""
    rows, backings = lent.core.markets, lent.core.backings
    return [markets.total_debt(rows[m]) - markets.settled(rows[m], backings, m)[1] for m in range(MARKETS)]


def pool_debt(core, p):
    return float(core.pools[p].debt + liquidity_pools.incoming_debt(core, p))


class Liquidity(RuleBasedStateMachine):
    """Everybody acts in any order; prices and what markets report move as they like."""

    @initialize(delegated=st.lists(st.sampled_from([0.0, 20.0, 700.0, 2000.0]), min_size=12, max_size=12))
    def start(self, delegated):
        self.lent = set_up()
        self.core = self.lent.core
        self.lent_usd = float(self.lent.tokens[USD].supply)
        self.now, self.touches, self.size = 0.0, 1, RICH
        for row, amount in zip(self.core.positions, delegated, strict=True):
            if amount:
                assert delegation.delegate(self.core, row, amount, 0.0) == Status.OK

    def expect_all_or_nothing(self, before, status):
        """A refusal leaves every byte as it was."""
        assert Status(status) == Status.OK or before == self.lent.state(), Status(status)
        self.touches += 1
        core = self.core
        self.size = max(
            self.size,
            float(np.abs(core.markets["value_per_share"]).max() * core.pools["value"].sum()),
            float(np.abs(core.pools["value_per_share"] * core.pools["value"]).max()),
            float(np.abs(core.vaults["value_per_share"] * core.vaults["shares"]).max()),
        )
        return status == Status.OK

    @property
    def bound(self):
        """USD that the rounding of float64 accounting may have cost so far."""
        return self.touches * self.size * ROUNDING

    @rule(account=members, c=types, amount=amounts, back=st.booleans())
    def deposit_or_withdraw(self, account, c, amount, back):
        before, ask = self.lent.state(), delegation.withdraw if back else delegation.deposit
        self.expect_all_or_nothing(before, ask(self.core, self.lent.wallets, account, c, amount))

    @rule(account=members, p=pools, c=types, amount=amounts)
    def delegate(self, account, p, c, amount):
        row, before = self.lent.position(account, p, c), self.lent.state()
        debt, others = vaults.position_debt(self.core, row), vaults.vault_debt(self.core, p, c)
        waits = any(undistributed(self.lent))
        if self.expect_all_or_nothing(before, delegation.delegate(self.core, row, amount, self.now)):
            assert vaults.collateral(row, self.core.vaults[p, c]) == amount
            assert waits or vaults.position_debt(self.core, row) == pytest.approx(debt, abs=self.bound)
            assert waits or vaults.vault_debt(self.core, p, c) == pytest.approx(others, abs=self.bound)

    @rule(account=members, p=pools, c=types)
    def leave(self, account, p, c):
        row, before = self.lent.position(account, p, c), self.lent.state()
        self.expect_all_or_nothing(before, delegation.delegate(self.core, row, 0.0, self.now))

    @rule(account=members, p=pools, c=types)
    def migrate(self, account, p, c):
        source, target = self.lent.position(account, p, c), self.lent.position(account, 1 - p, c)
        before, held = self.lent.state(), vaults.collateral(source, self.core.vaults[p, c])
        debt = vaults.position_debt(self.core, source) + vaults.position_debt(self.core, target)
        waits = any(undistributed(self.lent))
        if self.expect_all_or_nothing(before, delegation.migrate(self.core, source, target, self.now)):
            assert vaults.collateral(target, self.core.vaults[1 - p, c]) == held
            assert vaults.position_debt(self.core, source) == 0.0
            assert waits or vaults.position_debt(self.core, target) == pytest.approx(debt, abs=self.bound)

    @rule(account=members, p=pools, c=types, amount=usd_amounts)
    def mint(self, account, p, c, amount):
        row, before, lent = self.lent.position(account, p, c), self.lent.state(), self.lent
        waits = any(undistributed(lent))
        if self.expect_all_or_nothing(before, issuance.mint_usd(self.core, row, lent.tokens, lent.wallets, amount, self.now)):
            ratio = vaults.collateral_ratio(vaults.position_value(self.core, row), vaults.position_debt(self.core, row))
            assert waits or ratio >= 3.0 * (1.0 - 1e-6)

    @rule(account=members, p=pools, c=types, part=st.floats(0.5, 1.0))
    def mint_what_the_ratio_allows(self, account, p, c, part):
        row = self.lent.position(account, p, c)
        self.mint(account, p, c, floor_amount(part * (vaults.position_value(self.core, row) / 3.0 - vaults.position_debt(self.core, row))))

    @rule(account=members, p=pools, c=types, amount=usd_amounts)
    def burn(self, account, p, c, amount):
        row, before, lent = self.lent.position(account, p, c), self.lent.state(), self.lent
        debt = vaults.position_debt(self.core, row)
        status, repaid = issuance.burn_usd(self.core, row, lent.tokens, lent.wallets, amount, self.now)
        if self.expect_all_or_nothing(before, status):
            assert 0.0 < repaid <= min(amount, debt)

    @rule(account=members, p=pools, c=types, m=market_rows, amount=usd_amounts)
    def associate(self, account, p, c, m, amount):
        row, before = self.lent.position(account, p, c), self.lent.state()
        self.expect_all_or_nothing(before, issuance.associate_debt(self.core, m, row, amount))

    @rule(m=market_rows, debt=st.floats(0.0, 5000.0), locked=st.one_of(st.just(0.0), st.floats(0.0, 500.0)), own=st.floats(0.0, 50.0))
    def report(self, m, debt, locked, own):
        row = self.core.markets[m]
        row.reported_debt, row.minimum_credit, row.collateral_value = debt, locked, own

    @rule(m=market_rows, amount=usd_amounts, out=st.booleans())
    def pay_market(self, m, amount, out):
        before, lent, row = self.lent.state(), self.lent, self.core.markets[m]
        left = markets.withdrawable_usd(row, self.core.backings, m)
        ask = markets.withdraw_usd if out else markets.deposit_usd
        if self.expect_all_or_nothing(before, ask(self.core, m, lent.tokens, lent.wallets, POOL_OWNER, amount)):
            assert not out or amount <= left

    @rule(c=types, price=st.sampled_from([0.01, 0.3, 0.7, 1.0, 1.1, 2.0, 10.0]))
    def move_price(self, c, price):
        self.core.collateral_types[c].price = price

    @rule(p=pools, c=types, ratio=st.floats(0.8, 2.0))
    def crash(self, p, c, ratio):
        """The price at which a vault's collateral is worth so much of its debt."""
        held, owed = float(self.core.vaults[p, c].collateral), vaults.vault_debt(self.core, p, c)
        if held > 0.0 and owed > 1.0:
            self.core.collateral_types[c].price = ratio * owed / held

    @rule(p=pools, c=types)
    def touch(self, p, c):
        capacities = [markets.capacity(self.core.markets[m], self.core.backings, m) for m in range(MARKETS)]
        liquidity_pools.settle(self.core, p)
        for m in range(MARKETS):
            after = markets.capacity(self.core.markets[m], self.core.backings, m)
            assert after == pytest.approx(capacities[m], abs=self.bound)
        vaults.touch_vault(self.core, p, c)

    @rule(p=pools, weights=st.lists(st.one_of(ratios, odd), min_size=2, max_size=2), most=ratios, caller=st.sampled_from([0, POOL_OWNER]))
    def configure(self, p, weights, most, caller):
        before = self.lent.state()
        status = liquidity_pools.configure(self.core, p, caller, np.array(weights), np.full(MARKETS, most))
        self.expect_all_or_nothing(before, status)

    @rule(ratio=st.sampled_from([0.0, 0.5, 1.0, 2.0]), own=st.sampled_from([0.0, 1.25]))
    def set_liquidity_ratio(self, ratio, own):
        self.core.system[0].min_liquidity_ratio = ratio
        self.core.markets[0].min_liquidity_ratio = own

    @rule(account=members, p=pools, c=types)
    def liquidate(self, account, p, c):
        row, before, vault = self.lent.position(account, p, c), self.lent.state(), self.core.vaults[p, c]
        held, whole, owed = vaults.collateral(row, vault), float(vault.collateral), vaults.vault_debt(self.core, p, c)
        waits = any(undistributed(self.lent))
        status, _, seized, reward = debt_liquidation.liquidate(self.core, row, LIQUIDATOR, self.now)
        if self.expect_all_or_nothing(before, status):
            assert seized == held
            assert vault.collateral == whole - reward
            assert vaults.collateral(row, vault) == vaults.position_debt(self.core, row) == 0.0
            assert waits or vaults.vault_debt(self.core, p, c) == pytest.approx(owed, abs=self.bound)

    @rule(p=pools, c=types, max_usd=usd_amounts)
    def liquidate_vault(self, p, c, max_usd):
        before, lent, vault = self.lent.state(), self.lent, self.core.vaults[p, c]
        held, owed = float(vault.collateral), vaults.vault_debt(self.core, p, c)
        status, paid, received = debt_liquidation.liquidate_vault(self.core, p, c, lent.tokens, lent.wallets, LIQUIDATOR, max_usd, self.now)
        if self.expect_all_or_nothing(before, status):
            assert vault.collateral == held - received
            assert paid <= max_usd
            assert received / held <= paid / owed * (1.0 + 1e-12)

    @rule(s=streams, amount=amounts, start=st.one_of(st.floats(-200.0, 400.0), odd), duration=st.one_of(st.floats(0.0, 300.0), odd))
    def distribute_reward(self, s, amount, start, duration):
        before, funder = self.lent.state(), int(self.core.streams[s].funder)
        had = float(self.lent.wallets[funder, self.core.streams[s].token])
        status, cancelled = rewards.distribute(self.core, s, self.lent.wallets, amount, self.now + start, duration, self.now)
        if self.expect_all_or_nothing(before, status):
            assert self.lent.wallets[funder, self.core.streams[s].token] == had - amount + cancelled

    @rule(s=streams)
    def reclaim(self, s):
        owed = float(self.core.streams[s].returnable)
        assert rewards.reclaim(self.core.streams[s], self.lent.wallets) == (Status.OK, owed)

    @rule(account=members, p=pools, c=types, s=streams)
    def claim(self, account, p, c, s):
        row, before = self.lent.position(account, p, c), self.lent.state()
        status, _ = rewards.claim(self.core, row, s, self.lent.wallets, self.now)
        if self.expect_all_or_nothing(before, status):
            assert rewards.claim(self.core, row, s, self.lent.wallets, self.now) == (Status.OK, 0.0)

    @rule(seconds=st.floats(0.0, 200.0))
    def wait(self, seconds):
        self.now += seconds

    @rule(i=st.integers(0, 2), p=pools, m=st.sampled_from([EVERY, 0, 1]), share=st.one_of(st.floats(0.0, 1.0), odd))
    def grant(self, i, p, m, share):
        before = self.lent.state()
        self.expect_all_or_nothing(before, distributor.grant(self.core, i, POOL_OWNER, p, m, RECEIVER, share))

    @rule(m=market_rows, fees=usd_amounts)
    def distribute_fees(self, m, fees):
        before, lent, had = self.lent.state(), self.lent, float(self.lent.wallets[RECEIVER, USD])
        status, paid = distributor.distribute_fees(self.core, m, lent.tokens, lent.wallets, fees)
        if self.expect_all_or_nothing(before, status):
            assert lent.wallets[RECEIVER, USD] == had + paid
            assert paid <= fees

    @invariant()
    def tokens_are_conserved(self):
        core, wallets = self.core, self.lent.wallets
        assert np.array_equal(wallets.sum(axis=0), self.lent.tokens["supply"])
        for c in range(TYPES):
            assert wallets[CORE_ACCOUNT, 1 + c] == core.deposits[:, c].sum() + core.vaults[:, c]["collateral"].sum()
        held = np.concatenate([wallets.ravel(), core.deposits.ravel(), core.vaults["collateral"].ravel()])
        assert all(is_amount(float(amount)) for amount in held)

    @invariant()
    def rewards_paid_in_are_waiting_shared_booked_paid_or_returned(self):
        for s, stream in enumerate(self.core.streams):
            inner = self.core.stream_vaults[s]
            indices = sum(float(row[key].sum()) for row in (stream, inner) for key in ("unsettled", "pending_reward"))
            waiting = stream.amount - stream.released + stream.next_amount + stream.returnable
            assert self.lent.wallets[stream.account, stream.token] == waiting + indices + self.core.claims[:, s]["pending"].sum()
            assert not inner["pending"].any()

    @invariant()
    def positions_make_up_their_vault(self):
        core = self.core
        for p in range(POOLS):
            for c in range(TYPES):
                vault = core.vaults[p, c]
                mine = [row for row in core.positions if (row.pool, row.collateral_type, row.epoch) == (p, c, vault.epoch)]
                parts = [vaults.collateral(row, vault) for row in mine]
                assert vault.members == sum(row.shares > 0.0 for row in mine)
                assert 0.0 <= vault.collateral - sum(parts) <= MEMBERS * UNIT
                assert sum(row.shares for row in mine) == pytest.approx(vault.shares, rel=1e-9)
                owed = sum(vaults.position_debt(core, row) for row in mine)
                assert owed == pytest.approx(vaults.vault_debt(core, p, c), abs=self.bound)

    @invariant()
    def vaults_make_up_their_pool(self):
        for p in range(POOLS):
            owed = sum(vaults.vault_debt(self.core, p, c) for c in range(TYPES))
            assert owed == pytest.approx(pool_debt(self.core, p), abs=self.bound)
            assert self.core.pools[p].value == self.core.vaults[p]["weight"].sum()

    @invariant()
    def all_usd_is_owed(self):
        """What LPs owe, and what no pool can take, is the dUSD in wallets, less what was there before, and what markets owe beyond."""
        owed = sum(pool_debt(self.core, p) for p in range(POOLS)) + sum(undistributed(self.lent))
        rows = self.core.markets
        issued = self.lent.tokens[USD].supply - self.lent_usd + rows["reported_debt"].sum() - rows["collateral_value"].sum()
        assert owed == pytest.approx(issued, abs=self.bound + self.touches * UNIT)  # a payment of a broken amount is rounded to a unit

    @invariant()
    def shares_are_not_negative(self):
        core = self.core
        for column in (core.positions["shares"], core.vaults["shares"], core.vaults["weight"], core.backings["shares"]):
            assert (column >= 0.0).all()


TestLiquidity = Liquidity.TestCase
TestLiquidity.settings = settings(
    max_examples=80, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


# --- what each rule is for ---


def funded(*amounts_, **columns):
    """The first LPs with these amounts in the first vault of the first pool, which backs only the first market, without a maximum."""
    lent = set_up()
    assert liquidity_pools.configure(lent.core, 0, POOL_OWNER, np.array([1.0, 0.0]), np.full(MARKETS, math.inf)) == Status.OK
    rows = [lent.position(account) for account in LPS][: len(amounts_)]
    for row, amount in zip(rows, amounts_, strict=True):
        assert delegation.delegate(lent.core, row, amount, 0.0) == Status.OK
    for column, value in columns.items():
        lent.core.markets[column][0] = value
    return lent, rows


curves = st.lists(st.tuples(st.floats(1.0, 100.0), st.floats(-5.0, 5.0)), min_size=POOLS, max_size=POOLS)


@settings(max_examples=300, deadline=None)
@given(curve=curves, totals=st.lists(st.floats(-500.0, 500.0), min_size=1, max_size=6))
def test_the_way_by_which_debt_came_does_not_matter(curve, totals):
    """Settling after every report, or only after the last one: the same value per share, and the pools' parts are what was handed out."""
    each, last = set_up().core, set_up().core
    for core in (each, last):
        for p, (held, limit) in enumerate(curve):
            core.backings[p, 0].shares, core.backings[p, 0].limit = held, limit
    for total in totals:
        each.markets[0].reported_debt = last.markets[0].reported_debt = total
        markets.settle(each.markets[0], each.backings, 0)
    markets.settle(last.markets[0], last.backings, 0)
    for core in (each, last):
        value = core.markets[0].value_per_share
        parts = [shares.accrued_up_to(limit, held, value, 0.0) for held, limit in curve]
        assert sum(parts) == pytest.approx(core.markets[0].distributed_debt, abs=1e-10)
    left = [markets.capacity(core.markets[0], core.backings, 0) for core in (each, last)]
    assert left[0] == pytest.approx(left[1], abs=1e-10)
    highest, most = max(limit for _, limit in curve), sum(shares.accrued_up_to(limit, held, 5.0, 0.0) for held, limit in curve)
    assert last.markets[0].value_per_share <= max(highest, 0.0) + 1e-12
    assert last.markets[0].distributed_debt <= max(most, 0.0) + 1e-9


def test_who_joins_later_owes_nothing_of_the_past():
    lent, (first, second) = funded(100.0, 300.0, reported_debt=80.0)
    third = lent.position(LPS[2])
    assert delegation.delegate(lent.core, third, 400.0, 0.0) == Status.OK
    assert [vaults.position_debt(lent.core, row) for row in (first, second, third)] == [20.0, 60.0, 0.0]
    lent.core.markets[0].reported_debt = 160.0
    assert [vaults.position_debt(lent.core, row) for row in (first, second, third)] == pytest.approx([30.0, 90.0, 40.0])


def test_collateral_stays_for_the_minimum_delegation_time():
    lent, (row, _) = funded(100.0, 100.0, min_delegation_seconds=60.0)
    before = lent.state()
    assert delegation.delegate(lent.core, row, 50.0, 59.0) == Status.TOO_EARLY
    assert lent.state() == before
    assert delegation.delegate(lent.core, row, 150.0, 59.0) == Status.OK
    assert delegation.delegate(lent.core, row, 50.0, 118.0) == Status.TOO_EARLY
    assert delegation.delegate(lent.core, row, 50.0, 119.0) == Status.OK


def test_a_debt_of_rounding_holds_nobody_back():
    lent, (row,) = funded(100.0)
    row.debt = lent.core.vaults[0, 0].debt = lent.core.pools[0].debt = 1e-13
    assert delegation.delegate(lent.core, row, 0.0, 0.0) == Status.OK


def test_a_pool_may_not_cut_what_a_market_has_locked():
    lent, _ = funded(100.0, minimum_credit=60.0)
    before = lent.state()
    for weights, most in (([0.0, 1.0], 1.0), ([1.0, 1.0], 1.0), ([1.0, 0.0], 0.5)):
        assert liquidity_pools.configure(lent.core, 0, POOL_OWNER, np.array(weights), np.full(MARKETS, most)) == Status.CAPACITY_LOCKED
        assert lent.state() == before
    assert liquidity_pools.configure(lent.core, 0, POOL_OWNER, np.array([3.0, 2.0]), np.full(MARKETS, 2.0)) == Status.OK


def test_a_market_that_leaves_hands_its_debt_to_the_pool():
    lent, (row,) = funded(100.0, reported_debt=30.0)
    assert liquidity_pools.configure(lent.core, 0, POOL_OWNER, np.zeros(MARKETS), np.zeros(MARKETS)) == Status.OK
    lent.core.markets[0].reported_debt = 90.0
    assert vaults.position_debt(lent.core, row) == 30.0


def test_the_last_to_leave_takes_what_floors_have_left():
    """A third of the collateral seized is no whole number of units; nothing of it is lost."""
    lent, rows = funded(100.0, 100.0, 100.0)
    vault = lent.core.vaults[0, 0]
    assert vaults.share_collateral(vault, UNIT) == Status.OK
    lent.core.deposits[LPS[0], 0] -= UNIT
    assert [vaults.collateral(row, vault) for row in rows] == [100.0] * 3
    for row in rows:
        assert delegation.delegate(lent.core, row, 0.0, 0.0) == Status.OK
    assert (vault.collateral, vault.shares, vault.members) == (0.0, 0.0, 0)
    assert lent.core.deposits[LPS[2], 0] == RICH / 2 + UNIT


def test_liquidation_shares_a_position_out():
    lent, (poor, small, large) = funded(100.0, 100.0, 300.0)
    assert issuance.mint_usd(lent.core, poor, lent.tokens, lent.wallets, 30.0, 0.0) == Status.OK
    lent.core.collateral_types[0].price = 0.45
    assert debt_liquidation.liquidate(lent.core, poor, LIQUIDATOR, 0.0)[0] == Status.NOT_LIQUIDATABLE  # 45 for 30: exactly the ratio
    lent.core.collateral_types[0].price = 0.4
    assert debt_liquidation.liquidate(lent.core, poor, LIQUIDATOR, 0.0) == (Status.OK, 30.0, 100.0, 5.0)
    assert lent.core.deposits[LIQUIDATOR, 0] == 5.0
    assert [vaults.collateral(row, lent.core.vaults[0, 0]) for row in (poor, small, large)] == [0.0, 123.75, 371.25]
    assert [vaults.position_debt(lent.core, row) for row in (poor, small, large)] == [0.0, 7.5, 22.5]
    assert lent.wallets[LPS[0], USD] == RICH + 30.0


def test_the_only_position_is_liquidated_with_its_vault():
    lent, (row,) = funded(100.0)
    assert issuance.mint_usd(lent.core, row, lent.tokens, lent.wallets, 33.0, 0.0) == Status.OK
    lent.core.collateral_types[0].price = 0.4
    before = lent.state()
    assert debt_liquidation.liquidate(lent.core, row, LIQUIDATOR, 0.0)[0] == Status.MUST_LIQUIDATE_VAULT
    assert lent.state() == before
    ask = (lent.core, 0, 0, lent.tokens, lent.wallets, LIQUIDATOR)
    assert debt_liquidation.liquidate_vault(*ask, 8.25, 0.0) == (Status.OK, 8.25, 25.0)
    assert (vaults.collateral(row, lent.core.vaults[0, 0]), vaults.position_debt(lent.core, row)) == (75.0, 24.75)
    assert debt_liquidation.liquidate_vault(*ask, 100.0, 0.0) == (Status.OK, 24.75, 75.0)
    assert (vaults.collateral(row, lent.core.vaults[0, 0]), vaults.position_debt(lent.core, row)) == (0.0, 0.0)
    assert lent.wallets[LIQUIDATOR, USD] == RICH - 33.0
    assert delegation.delegate(lent.core, row, 50.0, 0.0) == Status.OK
    assert (vaults.collateral(row, lent.core.vaults[0, 0]), vaults.position_debt(lent.core, row)) == (50.0, 0.0)


def test_a_broken_amount_of_usd_is_rounded_for_the_core():
    """Debt changes by the exact amount; who is paid gets the unit below, who pays gives the unit above."""
    lent, (row, _) = funded(100.0, 900.0)
    core, part = lent.core, UNIT / 4.0
    ask = (lent.tokens, lent.wallets)
    assert issuance.mint_usd(core, row, *ask, 10.0 + part, 0.0) == Status.OK
    assert (vaults.position_debt(core, row), lent.wallets[LPS[0], USD]) == (10.0 + part, RICH + 10.0)
    assert issuance.burn_usd(core, row, *ask, 4.0 + part, 0.0) == (Status.OK, 4.0 + part)
    assert (vaults.position_debt(core, row), lent.wallets[LPS[0], USD]) == (6.0, RICH + 6.0 - UNIT)
    assert markets.withdraw_usd(core, 0, *ask, RECEIVER, 20.0 + part) == Status.OK
    assert (core.markets[0].net_issuance, lent.wallets[RECEIVER, USD]) == (20.0 + part, 20.0)
    assert markets.deposit_usd(core, 0, *ask, RECEIVER, 5.0 + part) == Status.OK
    assert (core.markets[0].net_issuance, lent.wallets[RECEIVER, USD]) == (15.0, 15.0 - UNIT)
    core.collateral_types[0].price = 0.025
    held = float(lent.wallets[LIQUIDATOR, USD])
    assert debt_liquidation.liquidate_vault(core, 0, 0, *ask, LIQUIDATOR, 2.0 + part, 0.0)[:2] == (Status.OK, 2.0 + part)
    assert lent.wallets[LIQUIDATOR, USD] == held - 2.0 - UNIT


def test_the_only_holder_has_everything_whatever_the_shares_have_lost():
    assert shares.amount_of(1.0, 1.0 + 1e-9, 5.0, 1) == 5.0
    assert shares.amount_of(1.0, 1.0 + 1e-9, 5.0, 2) == floor_amount(5.0 - 5e-9) == 5.0 - UNIT


def test_a_vault_below_the_liquidation_ratio_takes_no_more_until_it_is_enough():
    lent, (row, _) = funded(100.0, 100.0, reported_debt=160.0)
    before = lent.state()
    assert delegation.delegate(lent.core, row, 130.0, 0.0) == Status.VAULT_BELOW_RATIO
    assert lent.state() == before
    assert delegation.delegate(lent.core, row, 140.0, 0.0) == Status.OK  # 240 for 160


# --- rewards ---


@settings(max_examples=150, deadline=None)
@given(
    held=st.lists(st.floats(20.0, 2000.0).map(floor_amount), min_size=MEMBERS, max_size=MEMBERS),
    gifts=st.lists(st.tuples(whole_amounts.filter(bool), st.floats(0.0, 100.0)), min_size=1, max_size=4),
    leaves=st.integers(0, MEMBERS - 1),
)
def test_rewards_paid_out_are_rewards_paid_in(held, gifts, leaves):
    """One schedule after another; one LP leaves half way; at the end everybody claims, leaves, and the funder takes back the dust."""
    lent, rows = funded(*held)
    stream, now = lent.core.streams[0], 0.0
    for amount, duration in gifts:
        assert rewards.distribute(lent.core, 0, lent.wallets, amount, now, duration, now) == (Status.OK, 0.0)
        now += duration / 2.0
        wanted = 0.0 if vaults.collateral(rows[leaves], lent.core.vaults[0, 0]) > 0.0 else held[leaves]
        assert delegation.delegate(lent.core, rows[leaves], wanted, now) == Status.OK
        now += duration
    for row in rows:
        assert rewards.claim(lent.core, row, 0, lent.wallets, now)[0] == Status.OK
        if vaults.collateral(row, lent.core.vaults[0, 0]) > 0.0:
            assert delegation.delegate(lent.core, row, 0.0, now) == Status.OK
    assert rewards.reclaim(stream, lent.wallets)[0] == Status.OK
    earned = sum(lent.wallets[account, stream.token] for account in LPS)
    assert lent.wallets[stream.account, stream.token] == 0.0
    assert lent.wallets[stream.funder, stream.token] == RICH - earned
    assert sum(amount for amount, _ in gifts) - earned <= 10 * (1 + len(gifts)) * UNIT


def test_a_stream_for_all_vaults_is_split_by_their_weights():
    lent, (first, second) = funded(100.0, 300.0)
    other = lent.position(LPS[2], 0, 1)
    assert delegation.delegate(lent.core, other, 600.0, 0.0) == Status.OK
    assert rewards.distribute(lent.core, 1, lent.wallets, 1000.0, 0.0, 0.0, 0.0) == (Status.OK, 0.0)
    paid = [rewards.claim(lent.core, row, 1, lent.wallets, 0.0)[1] for row in (first, second, other)]
    assert paid == [100.0, 300.0, 600.0]
    assert rewards.claim(lent.core, other, 0, lent.wallets, 0.0) == (Status.NOT_REWARDED, 0.0)


def test_what_falls_due_when_nobody_is_there_is_the_funders():
    lent, (row,) = funded(100.0)
    assert rewards.distribute(lent.core, 0, lent.wallets, 100.0, 0.0, 100.0, 0.0) == (Status.OK, 0.0)
    assert delegation.delegate(lent.core, row, 0.0, 25.0) == Status.OK
    assert delegation.delegate(lent.core, row, 100.0, 75.0) == Status.OK
    assert rewards.claim(lent.core, row, 0, lent.wallets, 100.0) == (Status.OK, 50.0)
    assert rewards.reclaim(lent.core.streams[0], lent.wallets) == (Status.OK, 50.0)


def test_a_reward_for_an_empty_vault_is_the_funders_at_once():
    lent, _ = funded()
    assert rewards.distribute(lent.core, 0, lent.wallets, 100.0, -10.0, 5.0, 0.0) == (Status.OK, 0.0)
    assert rewards.reclaim(lent.core.streams[0], lent.wallets) == (Status.OK, 100.0)


def test_positions_of_a_vault_liquidated_whole_earn_nothing_of_what_comes_later():
    lent, (first, second) = funded(100.0, 100.0)
    assert rewards.distribute(lent.core, 0, lent.wallets, 60.0, 0.0, 0.0, 0.0) == (Status.OK, 0.0)
    assert issuance.mint_usd(lent.core, first, lent.tokens, lent.wallets, 33.0, 0.0) == Status.OK
    assert delegation.delegate(lent.core, first, 110.0, 0.0) == Status.OK  # books 30
    lent.core.collateral_types[0].price = 0.1
    assert debt_liquidation.liquidate_vault(lent.core, 0, 0, lent.tokens, lent.wallets, LIQUIDATOR, 100.0, 0.0) == (Status.OK, 33.0, 210.0)
    third = lent.position(LPS[2])
    assert delegation.delegate(lent.core, third, 100.0, 0.0) == Status.OK
    assert rewards.distribute(lent.core, 0, lent.wallets, 50.0, 0.0, 0.0, 0.0) == (Status.OK, 0.0)
    assert [rewards.claim(lent.core, row, 0, lent.wallets, 0.0)[1] for row in (first, second, third)] == [30.0, 0.0, 50.0]
    assert rewards.reclaim(lent.core.streams[0], lent.wallets) == (Status.OK, 30.0)


def test_a_waiting_schedule_gives_way_to_one_that_overlaps_it():
    lent, (row,) = funded(100.0)
    ask = (lent.core, 0, lent.wallets)
    assert rewards.distribute(*ask, 100.0, 0.0, 100.0, 0.0) == (Status.OK, 0.0)
    assert rewards.distribute(*ask, 40.0, 100.0, 10.0, 0.0) == (Status.OK, 0.0)
    assert rewards.distribute(*ask, 70.0, 150.0, 10.0, 0.0) == (Status.OK, 40.0)
    assert rewards.distribute(*ask, 10.0, 50.0, 50.0, 50.0) == (Status.OK, 50.0)
    assert rewards.distribute(*ask, 20.0, 60.0, 100.0, 60.0) == (Status.OK, 78.0)
    assert rewards.claim(lent.core, row, 0, lent.wallets, 160.0) == (Status.OK, 72.0)


# --- the distributor ---


def test_fees_are_siphoned_off_first_and_the_rest_is_the_lps():
    """5% to the market's creator, 15% to those who stake DTORO; the other pool of the market has granted nothing and pays nothing."""
    lent, (first, second) = funded(100.0, 300.0)
    core, creator, stakers = lent.core, RECEIVER, LIQUIDATOR
    assert liquidity_pools.configure(core, 1, POOL_OWNER, np.array([1.0, 0.0]), np.full(MARKETS, math.inf)) == Status.OK
    other = lent.position(LPS[2], 1)
    assert delegation.delegate(core, other, 400.0, 0.0) == Status.OK
    assert distributor.grant(core, 0, POOL_OWNER, 0, 0, creator, 0.05) == Status.OK
    assert distributor.grant(core, 1, POOL_OWNER, 0, EVERY, stakers, 0.15) == Status.OK
    assert markets.deposit_usd(core, 0, lent.tokens, lent.wallets, POOL_OWNER, 200.0) == Status.OK
    assert distributor.distribute_fees(core, 0, lent.tokens, lent.wallets, 200.0) == (Status.OK, floor_amount(100.0 * 0.15) + 5.0)
    assert (lent.wallets[creator, USD], lent.wallets[stakers, USD]) == (5.0, RICH + 15.0)
    assert [vaults.position_debt(core, row) for row in (first, second, other)] == pytest.approx([-20.0, -60.0, -100.0], abs=1e-12)
    assert [pool_debt(core, p) for p in range(POOLS)] == pytest.approx([-80.0, -100.0], abs=1e-12)


@pytest.mark.parametrize(
    ("row", "caller", "market", "share", "expected"),
    [
        (1, 0, 0, 0.1, Status.UNAUTHORIZED),
        (1, POOL_OWNER, 0, -0.1, Status.BAD_TERMS),
        (1, POOL_OWNER, 0, math.nan, Status.BAD_TERMS),
        (1, POOL_OWNER, 0, 0.5 + UNIT, Status.BAD_TERMS),
        (1, POOL_OWNER, EVERY, 0.5 + UNIT, Status.BAD_TERMS),
        (1, POOL_OWNER, 1, 0.5 + UNIT, Status.OK),
        (1, POOL_OWNER, EVERY, 0.5, Status.OK),
        (0, POOL_OWNER, 0, 1.0, Status.OK),
    ],
)
def test_nobody_is_granted_more_than_all_fees(row, caller, market, share, expected):
    lent = set_up()
    assert distributor.grant(lent.core, 0, POOL_OWNER, 0, 0, RECEIVER, 0.5) == Status.OK
    before = lent.state()
    assert distributor.grant(lent.core, row, caller, 0, market, LIQUIDATOR, share) == expected
    assert (lent.state() == before) == (expected != Status.OK)
