"""Polls: who may propose and vote, what counts, and what a poll does once it has passed."""

import math

import numpy as np
import pytest
from staking_pools import HOUR, OWNERS, PAYER, RICH, STAKERS, TEXO, set_up

from seawall.protocols import decisions, governance, staking, tables
from seawall.protocols.amounts import UNIT
from seawall.protocols.poll_terms import Choice, PollKind, PollState
from seawall.protocols.status import Status


def a_poll(kind=PollKind.MIN_COLLATERAL_RATIO, value=2.0):
    """A poll opened at time 0 by the payer, voting for a week, in which the first two stakers have 60 and 40 tEXO."""
    _, wallets, pools, rows, *_ = set_up()
    terms, poll, ballots = np.zeros(1, tables.GOVERNANCE)[0], np.zeros(1, tables.POLL)[0], np.zeros(STAKERS, tables.BALLOT)
    terms.stake_pool, terms.token, terms.deposit = 1, TEXO, 1000.0
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
    terms.token, terms.deposit = TEXO, 10.0
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
    feed.feeder = 3 if kind == PollKind.REASSIGN_FEEDER else -1
    before = [row.tobytes() for row in rows]
    assert not decisions.is_executable(poll, terms, 192 * HOUR - 1.0)
    assert decisions.execute(*rows, 192 * HOUR - 1.0) == Status.TOO_EARLY
    assert [row.tobytes() for row in rows] == before
    assert decisions.is_executable(poll, terms, 192 * HOUR)
    assert decisions.execute(*rows, 192 * HOUR) == Status.OK
    assert (tasset.min_collateral_ratio, tasset.auction_discount, feed.feeder, pool.is_rewarded) == expected
    assert decisions.execute(*rows, 192 * HOUR) == Status.WRONG_POLL_STATE


def test_a_poll_on_the_feeder_neither_lists_a_tasset_nor_revives_one():
    for frozen, expected in ((False, Status.BAD_TERMS), (True, Status.TASSET_DELISTED)):
        rows = decided(PollKind.REASSIGN_FEEDER, 5.0)
        rows[3].is_frozen = frozen
        before = [row.tobytes() for row in rows]
        assert decisions.execute(*rows, 192 * HOUR) == expected
        assert [row.tobytes() for row in rows] == before


@pytest.mark.parametrize("kind", PollKind)
def test_a_rejected_poll_changes_nothing(kind):
    rows = decided(kind, 1.0 if kind != PollKind.AUCTION_DISCOUNT else 0.5, Choice.NO)
    before = [row.tobytes() for row in rows]
    assert decisions.execute(*rows, 1e9) == Status.WRONG_POLL_STATE
    assert [row.tobytes() for row in rows] == before


@pytest.mark.parametrize("kind", [PollKind.WHITELIST, PollKind.MIN_COLLATERAL_RATIO, PollKind.AUCTION_DISCOUNT])
def test_a_delisted_tasset_keeps_its_terms(kind):
    rows = decided(kind, 1.0 if kind != PollKind.AUCTION_DISCOUNT else 0.5)
    rows[2].is_delisted = True
    before = [row.tobytes() for row in rows]
    assert decisions.execute(*rows, 1e9) == Status.TASSET_DELISTED
    assert [row.tobytes() for row in rows] == before


def test_a_whitelist_poll_cannot_list_what_has_no_terms():
    rows = decided(PollKind.WHITELIST, 5.0)
    rows[2].auction_discount = 1.0
    before = [row.tobytes() for row in rows]
    assert decisions.execute(*rows, 1e9) == Status.BAD_TERMS
    assert [row.tobytes() for row in rows] == before
