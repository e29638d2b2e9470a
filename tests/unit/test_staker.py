"""Stakers: proposals in their hour, votes when due and once, and what is done with rewards."""

import math

import numpy as np
import pytest
from markets import copy_of, same
from worlds import NEW, OLD, OTHER, TEXO, TEXO_POOL, a_wide_market, fill_pool, give, move_clock

from seawall.agents import staker
from seawall.agents.staker import Use
from seawall.models import frames, measures
from seawall.models.records import observe
from seawall.protocols import audit, staking
from seawall.protocols.poll_terms import Choice, PollKind, PollState
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import GOVERNANCE_ACCOUNT, TDOLLAR

NEVER = math.inf
DEEP = 1_000_000.0


def asked(world, action):
    return {Status(code): int(world.tallies[action, code]) for code in np.flatnonzero(world.tallies[action])}


def ordered(world):
    rows = np.zeros(10, np.int64)
    return sorted(int(row) for row in rows[: staker.order(world, rows)])


# --- proposals ---


def plan(world, index=0, *, at=60.0, tasset=OLD, kind=PollKind.AUCTION_DISCOUNT, value=0.1, proposer=0, deposit=100.0):
    row = world.proposals[index]
    row.at, row.tasset, row.kind, row.value, row.proposer = at, tasset, int(kind), value, world.stakers[proposer].account
    if deposit:
        give(world, row.proposer, TEXO, deposit)
    return row


def round_of(world, now):
    """The stakers' phase of a round."""
    move_clock(world, now)
    staker.propose_due(world)
    for row in ordered(world):
        staker.act(world, row)
    audit.check(world)


def test_a_proposal_is_made_in_its_hour_and_paid_for():
    world = a_wide_market()
    row = plan(world, at=90.0)
    round_of(world, 60.0)
    assert (bool(row.is_made), world.polls[0].state) == (False, PollState.NONE)
    round_of(world, 120.0)
    poll = world.polls[0]
    assert (poll.state, poll.created_at, poll.ends_at, poll.target) == (PollState.IN_PROGRESS, 120.0, 720.0, OLD)
    assert (poll.kind, poll.value, poll.proposer) == (PollKind.AUCTION_DISCOUNT, 0.1, world.stakers[0].account)
    assert (world.wallets[row.proposer, TEXO], world.wallets[GOVERNANCE_ACCOUNT, TEXO]) == (0.0, 100.0)
    round_of(world, 180.0)
    assert asked(world, Action.PROPOSE) == {Status.OK: 1}


def test_a_proposer_who_cannot_pay_has_had_its_chance():
    world = a_wide_market()
    row = plan(world, deposit=99.0)
    round_of(world, 60.0)
    assert (bool(row.is_made), world.polls[0].state) == (True, PollState.NONE)
    assert world.wallets[row.proposer, TEXO] == 99.0
    give(world, row.proposer, TEXO, 1.0)
    round_of(world, 120.0)
    assert asked(world, Action.PROPOSE) == {Status.INSUFFICIENT_BALANCE: 1}
    assert list(frames.polls(world, ("tA", "tB", "tA2"))["outcome"]) == ["not proposed"]


def test_one_who_cannot_pay_does_not_stop_the_next():
    world = a_wide_market(proposals=2)
    plan(world, 0, deposit=0.0)
    plan(world, 1, proposer=1, tasset=OTHER)
    round_of(world, 60.0)
    assert list(world.polls["state"]) == [PollState.NONE, PollState.IN_PROGRESS]
    assert world.polls[1].target == OTHER


# --- votes ---


def intend(world, row, choice, after=0.0, poll=0):
    ballot = world.intentions[poll * len(world.stakers) + row]
    ballot.choice, ballot.after = int(choice), after


def test_votes_are_cast_when_due_with_the_whole_stake_and_once():
    world = a_wide_market(stakers=3)
    plan(world)
    intend(world, 0, Choice.YES, 0.0)
    intend(world, 1, Choice.NO, 100.0)
    seen = []
    for now in (60.0, 120.0, 180.0, 240.0):
        move_clock(world, now)
        staker.propose_due(world)
        awake = ordered(world)
        for row in awake:
            staker.act(world, row)
        seen.append((awake, world.polls[0].yes, world.polls[0].no))
    assert seen == [([0], 1000.0, 0.0), ([], 1000.0, 0.0), ([1], 1000.0, 1000.0), ([], 1000.0, 1000.0)]
    assert (world.stakes[0].locked, world.stakes[0].locked_until) == (1000.0, 660.0)
    assert asked(world, Action.VOTE) == {Status.OK: 2}
    assert world.ballots[2].weight == 0.0


@pytest.mark.parametrize(("choice", "column"), [(Choice.YES, "yes"), (Choice.NO, "no"), (Choice.ABSTAIN, "abstain")])
def test_a_vote_counts_for_what_was_said(choice, column):
    world = a_wide_market()
    plan(world)
    intend(world, 1, choice)
    round_of(world, 60.0)
    assert {name: world.polls[0][name] for name in ("yes", "no", "abstain")} == {"yes": 0, "no": 0, "abstain": 0} | {column: 1000.0}
    assert world.ballots[1].choice == choice


def test_who_has_no_stake_has_no_vote_and_is_left_asleep():
    world = a_wide_market()
    plan(world)
    intend(world, 1, Choice.YES)
    stake = world.stakes[1]
    assert staking.unbond(stake, world.stake_pools[TEXO_POOL], world.wallets, stake.bond, 0.0) == Status.OK
    round_of(world, 60.0)
    assert ordered(world) == []
    assert world.tallies[Action.VOTE].sum() == 0
    assert staking.bond(stake, world.stake_pools[TEXO_POOL], world.wallets, 500.0) == Status.OK
    round_of(world, 120.0)
    assert world.polls[0].yes == 500.0


@pytest.mark.parametrize(("now", "votes"), [(600.0, True), (659.0, True), (660.0, False)])
def test_nobody_votes_after_the_end(now, votes):
    world = a_wide_market()
    plan(world)
    intend(world, 0, Choice.YES, 500.0)
    round_of(world, 60.0)
    round_of(world, now)
    assert (world.polls[0].yes > 0.0) == votes
    assert world.tallies[Action.VOTE, 1:].sum() == 0


def test_a_staker_votes_on_every_poll_that_is_due():
    world = a_wide_market(proposals=2)
    plan(world, 0)
    plan(world, 1, tasset=OTHER, proposer=1)
    intend(world, 0, Choice.YES, poll=0)
    intend(world, 0, Choice.NO, poll=1)
    intend(world, 1, Choice.ABSTAIN, poll=1)
    round_of(world, 60.0)
    assert (world.polls[0].yes, world.polls[0].abstain) == (1000.0, 0.0)
    assert (world.polls[1].no, world.polls[1].abstain) == (1000.0, 1000.0)
    assert list(world.ballots["weight"]) == [1000.0, 0.0, 1000.0, 1000.0]


def test_votes_are_shown_as_parts_of_what_is_staked():
    world = a_wide_market(stakers=4)
    plan(world)
    intend(world, 0, Choice.YES)
    intend(world, 2, Choice.NO)
    intend(world, 3, Choice.NO)
    round_of(world, 60.0)
    shown = frames.polls(world, ("tA", "tB", "tA2")).iloc[0]
    assert (shown["yes"], shown["no"], shown["abstain"], shown["outcome"]) == (0.25, 0.5, 0.0, "in voting")


# --- rewards ---


def with_rewards(world, amount=30.0, *, use=Use.KEEP, harvest_at=60.0):
    """Rewards for the two stakers, 15 each; the first claims every 600 s."""
    account = world.keepers[0].account
    give(world, account, TEXO, amount)
    assert staking.deposit_reward(world.stake_pools[TEXO_POOL], world.wallets, account, amount) == Status.OK
    row = world.stakers[0]
    row.use, row.harvest_at, row.harvest_every = int(use), harvest_at, 600.0
    return row


def test_rewards_are_claimed_when_it_is_time():
    world = a_wide_market()
    row = with_rewards(world, harvest_at=90.0)
    round_of(world, 60.0)
    assert world.wallets[row.account, TEXO] == 0.0
    round_of(world, 120.0)
    assert (world.wallets[row.account, TEXO], row.harvest_at) == (15.0, 720.0)
    round_of(world, 180.0)
    assert asked(world, Action.CLAIM) == {Status.OK: 1}


def test_a_keeper_of_rewards_keeps_them():
    world = a_wide_market()
    row = with_rewards(world, use=Use.KEEP)
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    round_of(world, 60.0)
    assert (world.wallets[row.account, TEXO], world.wallets[row.account, TDOLLAR]) == (15.0, 0.0)
    assert world.stakes[0].bond == 1000.0


def test_who_compounds_has_a_larger_stake_and_vote():
    world = a_wide_market()
    row = with_rewards(world, use=Use.COMPOUND)
    plan(world, deposit=0.0)
    give(world, row.account, TEXO, 100.0)  # a deposit kept for its proposal stays out of the stake
    intend(world, 0, Choice.YES)
    round_of(world, 60.0)
    assert (world.stakes[0].bond, world.polls[0].yes, world.wallets[row.account, TEXO]) == (1015.0, 1015.0, 0.0)
    assert world.stake_pools[TEXO_POOL].total_bond == 2015.0


def test_who_sells_gets_tdollar_from_the_pool():
    world = a_wide_market()
    row = with_rewards(world, use=Use.SELL)
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    round_of(world, 60.0)
    assert world.wallets[row.account, TEXO] == 0.0
    assert world.wallets[row.account, TDOLLAR] == pytest.approx(30.0, rel=1e-4)


def test_who_cannot_sell_keeps_the_rewards():
    world = a_wide_market()
    row = with_rewards(world, use=Use.SELL)
    round_of(world, 60.0)
    assert world.wallets[row.account, TEXO] == 15.0
    assert asked(world, Action.SWAP) == {Status.EMPTY_POOL: 1}


@pytest.mark.parametrize("use", list(Use))
def test_nothing_earned_is_nothing_done(use):
    world = a_wide_market()
    row = world.stakers[0]
    row.use, row.harvest_at, row.harvest_every = int(use), 60.0, 600.0
    move_clock(world, 60.0)
    before = copy_of(world)
    staker.act(world, 0)
    assert row.harvest_at == 660.0
    assert asked(world, Action.CLAIM) == {Status.OK: 1}
    row.harvest_at = 60.0
    world.tallies[:] = 0
    assert same(world, before)


def test_tokens_that_have_voted_may_be_added_to_but_not_taken():
    world = a_wide_market()
    with_rewards(world, use=Use.COMPOUND, harvest_at=120.0)
    plan(world, proposer=1)
    intend(world, 0, Choice.YES)
    round_of(world, 60.0)
    round_of(world, 120.0)
    stake, pool = world.stakes[0], world.stake_pools[TEXO_POOL]
    assert (stake.bond, stake.locked) == (1015.0, 1000.0)
    assert staking.unbond(stake, pool, world.wallets, 16.0, 120.0) == Status.INSUFFICIENT_STAKE
    assert staking.unbond(stake, pool, world.wallets, 15.0, 120.0) == Status.OK


# --- what it is worth ---


def test_texo_is_priced_by_its_pool_and_lp_tokens_by_their_reserves():
    world = a_wide_market()
    assert measures.token_prices(world)[TEXO] == 0.0
    fill_pool(world, TEXO_POOL, 3_000.0, 1_000.0)
    fill_pool(world, OLD, 22_500.0, 400.0)  # 3,000 LP tokens for 22,500 and 40,000 USD
    prices = measures.token_prices(world)
    assert prices[TEXO] == 3.0
    assert prices[world.pools[OLD].share_token] == pytest.approx((22_500 + 400 * 100) / 3_000)
    assert prices[world.pools[TEXO_POOL].share_token] == pytest.approx(6_000 / math.sqrt(3_000_000), rel=1e-5)
    assert (prices[TDOLLAR], prices[1], prices[2]) == (1.0, 100.0, 50.0)
    assert prices[world.pools[NEW].share_token] == 0.0


def test_a_stake_is_worth_its_bond_and_all_it_has_earned_booked_or_not():
    world = a_wide_market()
    fill_pool(world, TEXO_POOL, 3_000.0, 1_000.0)
    with_rewards(world)
    worth = measures.stakes_worth(world)
    assert worth[:2] == pytest.approx([1015 * 3.0, 1015 * 3.0])
    staking.accrue(world.stakes[0], world.stake_pools[TEXO_POOL])
    assert world.stakes[0].pending == 15.0
    assert measures.stakes_worth(world)[:2] == pytest.approx([1015 * 3.0, 1015 * 3.0])
    round_of(world, 60.0)
    assert measures.stakes_worth(world)[:2] == pytest.approx([1000 * 3.0, 1015 * 3.0])


def test_what_stakers_earned_is_recorded():
    world = a_wide_market()
    fill_pool(world, TEXO_POOL, 3_000.0, 1_000.0)
    observe(world)
    with_rewards(world)
    world.clock[0].step, world.clock[0].now = 1, 86_400.0
    observe(world)
    figures = measures.staking(world)
    assert (figures["texo_price_start_usd"].value, figures["texo_price_end_usd"].value) == (3.0, 3.0)
    assert figures["texo_staking_yield_per_year"].value == pytest.approx(30 / 2000 * 365)
    assert list(frames.rewards(world)["staked_texo"]) == [2000.0, 2000.0]
    assert list(frames.rewards(world)["texo_price_usd"]) == [3.0, 3.0]
