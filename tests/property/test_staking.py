"""Stakers come, go and claim while rewards arrive: nothing is paid that did not come in, and nobody earns for the time before."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seawall.protocols import governance, ledger, staking, tables
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount, is_amount
from seawall.protocols.governance import Choice, PollKind, PollState
from seawall.protocols.status import Status

LP, TEXO = 0, 1  # tokens
PAYER, POOLS, GOVERNOR, OWNERS = 0, (1, 2), 3, 4  # accounts: rewards come from the first; a pool of LP tokens, one of tEXO
STAKERS = 4  # each has a stake in both pools
RICH = 1_000_000.0
HOUR = 3600.0

odd = st.sampled_from([0.0, -0.0, UNIT, UNIT / 3, -UNIT, 0.1, 1e-300, LIMIT, LIMIT + 1, math.inf, -math.inf, math.nan])
dust = st.integers(1, 5).map(lambda count: count * UNIT)
amounts = st.one_of(st.floats(0.0, 2000.0).map(floor_amount), dust, odd)
stakes = st.integers(0, 2 * STAKERS - 1)


def whole(amount):
    """Units, as an integer."""
    return round(float(amount) / UNIT)


def set_up():
    """Pools without stakes; everybody has both tokens; two tokens a minute of inflation for a day, twice as much for tEXO."""
    tokens, wallets = np.zeros(2, tables.TOKEN), np.zeros((OWNERS + STAKERS, 2))
    pools, rows = np.zeros(2, tables.STAKE_POOL), np.zeros(2 * STAKERS, tables.STAKE)
    pools["account"], pools["staked_token"], pools["reward_token"] = POOLS, (LP, TEXO), TEXO
    pools["is_rewarded"], pools["emission_weight"] = True, (1.0, 2.0)
    rows["owner"], rows["pool"] = OWNERS + np.arange(2 * STAKERS) // 2, np.arange(2 * STAKERS) % 2
    for account in (PAYER, *range(OWNERS, OWNERS + STAKERS)):
        for token in (LP, TEXO):
            ledger.mint(wallets, tokens, token, account, RICH)
    inflation, emissions = np.zeros(1, tables.INFLATION), np.zeros(1, tables.EMISSION)
    inflation["token"], inflation["min_interval"] = TEXO, 60.0
    emissions["end"], emissions["per_second"] = 24 * HOUR, 2.0 / 60.0
    return tokens, wallets, pools, rows, inflation, emissions


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


# --- governance ---


def a_poll(kind=PollKind.MIN_COLLATERAL_RATIO, value=2.0):
    """A poll opened at time 0 by the payer, voting for a week, in which the first two stakers have 60 and 40 tEXO."""
    _, wallets, pools, rows, *_ = set_up()
    terms, poll, ballots = np.zeros(1, tables.GOVERNANCE)[0], np.zeros(1, tables.POLL)[0], np.zeros(STAKERS, tables.BALLOT)
    terms.account, terms.stake_pool, terms.token, terms.deposit = GOVERNOR, 1, TEXO, 1000.0
    terms.quorum, terms.threshold, terms.voting_seconds, terms.delay_seconds = 0.18, 0.5, 168 * HOUR, 24 * HOUR
    ballots["voter"] = OWNERS + np.arange(STAKERS)
    voters = [rows[1], rows[3]]
    for row, amount in zip(voters, (60.0, 40.0), strict=True):
        assert staking.bond(row, pools[1], wallets, amount) == Status.OK
    assert governance.propose(poll, terms, wallets, PAYER, kind, 0, value, 0.0) == Status.OK
    return wallets, pools, rows, terms, poll, ballots, voters


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (PollKind.MIN_COLLATERAL_RATIO, 0.99),
        (PollKind.MIN_COLLATERAL_RATIO, math.inf),
        (PollKind.MIN_COLLATERAL_RATIO, math.nan),
        (PollKind.AUCTION_DISCOUNT, 1.0),
        (PollKind.AUCTION_DISCOUNT, -0.1),
        (PollKind.AUCTION_DISCOUNT, math.nan),
        (PollKind.REASSIGN_FEEDER, -1.0),
        (PollKind.REASSIGN_FEEDER, 1.5),
        (PollKind.REASSIGN_FEEDER, float(OWNERS + STAKERS)),
        (PollKind.WHITELIST, math.inf),
        (17, 1.0),
    ],
)
def test_what_cannot_be_executed_cannot_be_proposed(kind, value):
    _, wallets, *_ = set_up()
    terms, poll = np.zeros(1, tables.GOVERNANCE)[0], np.zeros(1, tables.POLL)[0]
    terms.account, terms.token, terms.deposit = GOVERNOR, TEXO, 10.0
    before = wallets.tobytes(), poll.tobytes()
    assert governance.propose(poll, terms, wallets, PAYER, kind, 0, value, 0.0) == Status.BAD_TERMS
    assert (wallets.tobytes(), poll.tobytes()) == before


def test_one_vote_each_of_no_more_than_the_stake():
    _, _, rows, terms, poll, ballots, (first, second) = a_poll()
    attempts = [
        (ballots[1], first, Choice.YES, 1.0, 0.0, Status.UNAUTHORIZED),  # another's ballot
        (ballots[0], rows[0], Choice.YES, 1.0, 0.0, Status.UNAUTHORIZED),  # LP tokens have no vote
        (ballots[0], first, Choice.YES, 60.0 + UNIT, 0.0, Status.INSUFFICIENT_STAKE),
        (ballots[0], first, Choice.YES, 0.0, 0.0, Status.BAD_AMOUNT),
        (ballots[0], first, 3, 1.0, 0.0, Status.BAD_AMOUNT),
        (ballots[0], first, Choice.YES, 60.0, 168 * HOUR, Status.WRONG_POLL_STATE),  # voting is over
        (ballots[0], first, Choice.YES, 60.0, 168 * HOUR - 1.0, Status.OK),
        (ballots[0], first, Choice.NO, 1.0, 0.0, Status.ALREADY_VOTED),
        (ballots[1], second, Choice.ABSTAIN, 1.0, 0.0, Status.OK),
    ]
    for ballot, stake, choice, weight, now, expected in attempts:
        before = ballots.tobytes(), rows.tobytes(), poll.tobytes()
        assert governance.vote(poll, ballot, terms, stake, choice, weight, now) == expected
        assert expected == Status.OK or (ballots.tobytes(), rows.tobytes(), poll.tobytes()) == before
    assert (poll.yes, poll.no, poll.abstain) == (60.0, 0.0, 1.0)


def test_tokens_that_have_voted_stay_staked_until_voting_is_over():
    wallets, pools, _, terms, poll, ballots, (first, _) = a_poll()
    assert governance.vote(poll, ballots[0], terms, first, Choice.YES, 50.0, 0.0) == Status.OK
    assert staking.unbond(first, pools[1], wallets, 10.0 + UNIT, 1.0) == Status.INSUFFICIENT_STAKE
    assert staking.unbond(first, pools[1], wallets, 10.0, 1.0) == Status.OK
    assert staking.unbond(first, pools[1], wallets, UNIT, 168 * HOUR - 1.0) == Status.INSUFFICIENT_STAKE
    assert staking.unbond(first, pools[1], wallets, 50.0, 168 * HOUR) == Status.OK


def test_a_smaller_vote_in_another_poll_frees_nothing():
    wallets, pools, _, terms, poll, ballots, (first, _) = a_poll()
    other, paper = poll.copy(), np.zeros(1, tables.BALLOT)[0]
    other.row = paper.poll = 1
    paper.voter = first.owner
    assert governance.vote(poll, ballots[0], terms, first, Choice.YES, 50.0, 0.0) == Status.OK
    assert governance.vote(other, paper, terms, first, Choice.NO, 1.0, 0.0) == Status.OK
    assert staking.unbond(first, pools[1], wallets, 10.0 + UNIT, 1.0) == Status.INSUFFICIENT_STAKE


@pytest.mark.parametrize(
    ("yes", "no", "state", "returned"),
    [
        (0.0, 0.0, PollState.REJECTED, 0.0),
        (17.0, 0.0, PollState.REJECTED, 0.0),  # quorum is 18 of 100
        (18.0, 0.0, PollState.PASSED, 1000.0),
        (40.0, 40.0, PollState.REJECTED, 1000.0),  # exactly half is not a majority
        (40.0 + UNIT, 40.0, PollState.PASSED, 1000.0),
    ],
)
def test_how_a_poll_ends(yes, no, state, returned):
    wallets, pools, _, terms, poll, ballots, voters = a_poll()
    for choice, amount in ((Choice.YES, yes), (Choice.NO, no)):
        if amount:
            assert governance.vote(poll, ballots[choice], terms, voters[choice], choice, amount, 0.0) == Status.OK
    before = wallets.tobytes(), poll.tobytes()
    assert governance.end_poll(poll, terms, pools[1], wallets, 168 * HOUR - 1.0) == Status.TOO_EARLY
    assert (wallets.tobytes(), poll.tobytes()) == before
    assert governance.end_poll(poll, terms, pools[1], wallets, 168 * HOUR) == Status.OK
    assert governance.end_poll(poll, terms, pools[1], wallets, 168 * HOUR) == Status.WRONG_POLL_STATE
    assert poll.state == state
    assert wallets[PAYER, TEXO] == RICH - 1000.0 + returned
    claimed = [staking.claim(voter, pools[1], wallets)[1] for voter in voters]
    assert claimed == ([0.0, 0.0] if returned else [600.0, 400.0])  # a deposit lost is the stakers'


def decided(kind, value, choice=Choice.YES):
    """A poll of that kind, ended, and its objects: a tASSET at a ratio of 1.5 with a discount of 0.2, its feed, its LP tokens' pool."""
    wallets, pools, _, terms, poll, ballots, (first, _) = a_poll(kind, value)
    assert governance.vote(poll, ballots[0], terms, first, choice, 60.0, 0.0) == Status.OK
    assert governance.end_poll(poll, terms, pools[1], wallets, 168 * HOUR) == Status.OK
    tasset, feed = np.zeros(1, tables.TASSET)[0], np.zeros(1, tables.FEED)[0]
    tasset.min_collateral_ratio, tasset.auction_discount, feed.feeder = 1.5, 0.2, -1
    pools["is_rewarded"][0] = False
    return poll, terms, tasset, feed, pools[0]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (PollKind.MIN_COLLATERAL_RATIO, 2.0, (2.0, 0.2, -1, False)),
        (PollKind.AUCTION_DISCOUNT, 0.1, (1.5, 0.1, -1, False)),
        (PollKind.REASSIGN_FEEDER, 5.0, (1.5, 0.2, 5, False)),
        (PollKind.WHITELIST, 5.0, (1.5, 0.2, 5, True)),
    ],
)
def test_a_passed_poll_is_executed_once_after_the_delay(kind, value, expected):
    rows = decided(kind, value)
    poll, terms, tasset, feed, pool = rows
    before = [row.tobytes() for row in rows]
    assert not governance.is_executable(poll, terms, 192 * HOUR - 1.0)
    assert governance.execute(*rows, 192 * HOUR - 1.0) == Status.TOO_EARLY
    assert [row.tobytes() for row in rows] == before
    assert governance.is_executable(poll, terms, 192 * HOUR)
    assert governance.execute(*rows, 192 * HOUR) == Status.OK
    assert (tasset.min_collateral_ratio, tasset.auction_discount, feed.feeder, pool.is_rewarded) == expected
    assert governance.execute(*rows, 192 * HOUR) == Status.WRONG_POLL_STATE


@pytest.mark.parametrize("kind", PollKind)
def test_a_rejected_poll_changes_nothing(kind):
    rows = decided(kind, 1.0 if kind != PollKind.AUCTION_DISCOUNT else 0.5, Choice.NO)
    before = [row.tobytes() for row in rows]
    assert governance.execute(*rows, 1e9) == Status.WRONG_POLL_STATE
    assert [row.tobytes() for row in rows] == before


@pytest.mark.parametrize("kind", [PollKind.WHITELIST, PollKind.MIN_COLLATERAL_RATIO, PollKind.AUCTION_DISCOUNT])
def test_a_delisted_tasset_keeps_its_terms(kind):
    rows = decided(kind, 1.0 if kind != PollKind.AUCTION_DISCOUNT else 0.5)
    rows[2].is_delisted = True
    before = [row.tobytes() for row in rows]
    assert governance.execute(*rows, 1e9) == Status.TASSET_DELISTED
    assert [row.tobytes() for row in rows] == before


def test_a_whitelist_poll_cannot_list_what_has_no_terms():
    rows = decided(PollKind.WHITELIST, 5.0)
    rows[2].auction_discount = 1.0
    before = [row.tobytes() for row in rows]
    assert governance.execute(*rows, 1e9) == Status.BAD_TERMS
    assert [row.tobytes() for row in rows] == before
