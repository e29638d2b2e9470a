"""Keepers: inflation and fees at their intervals, polls ended and executed at the right second, owners who follow a new minimum."""

import math

import numpy as np
import pytest
from markets import copy_of, same
from worlds import (
    LOCKING_KIND,
    NEW,
    NEW_KIND,
    OLD,
    OLD_KIND,
    OTHER,
    OTHER_KIND,
    TEXO,
    TEXO_POOL,
    a_wide_market,
    fill_cdp,
    fill_pool,
    give,
    move_clock,
)

from seawall.agents import keeper, liquidator, minter
from seawall.agents.alarms import update_called, wake_owners
from seawall.models import frames, measures
from seawall.models.records import observe
from seawall.protocols import audit, governance, listing
from seawall.protocols.poll_terms import Choice, PollKind, PollState
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, GOVERNANCE_ACCOUNT, TDOLLAR

NEVER = math.inf
OLD_TOKEN, OTHER_TOKEN = 1, 2
DEEP = 1_000_000.0


def turn(world, now):
    move_clock(world, now)
    keeper.act(world, 0)
    audit.check(world)


def asked(world, action):
    return {Status(code): int(world.tallies[action, code]) for code in np.flatnonzero(world.tallies[action])}


# --- inflation ---


def with_emissions(world, *, every=300.0, per_second=1.0):
    row = world.keepers[0]
    row.emission_at = row.emission_every = every
    world.emissions["per_second"] = per_second
    return row


def test_inflation_is_paid_at_its_interval_by_weight():
    world = a_wide_market()
    row = with_emissions(world)
    emitted = []
    for now in range(60, 960, 60):
        turn(world, float(now))
        emitted.append(float(world.inflation[0].emitted))
    assert emitted == [0.0] * 4 + [300.0] * 5 + [600.0] * 5 + [900.0]
    assert row.emission_at == 1200.0
    assert list(world.stake_pools["rewarded"]) == [225.0, 225.0, 0.0, 450.0]  # the replacement is not listed


def test_rounds_that_miss_an_interval_lose_no_inflation():
    world = a_wide_market()
    row = with_emissions(world, every=90.0)
    for now in range(60, 660, 60):
        turn(world, float(now))
    assert (world.inflation[0].emitted, row.emission_at) == (600.0, 690.0)


def test_a_market_without_inflation_pays_none():
    world = a_wide_market()
    before = copy_of(world)
    keeper.act(world, 0)
    assert same(world, before)


# --- fees ---


def with_fees(world, *, every=600.0, **tokens):
    """A collector with fees, and a tEXO pool at 2 USD."""
    row = world.keepers[0]
    row.fees_at = row.fees_every = every
    for token, amount in tokens.items():
        give(world, COLLECTOR_ACCOUNT, {"tdollar": TDOLLAR, "old": OLD_TOKEN, "other": OTHER_TOKEN, "texo": TEXO}[token], amount)
    return row


def test_fees_become_texo_at_their_interval():
    world = a_wide_market()
    row = with_fees(world, tdollar=100.0)
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    turn(world, 540.0)
    assert (row.converted, row.distributed) == (0.0, 0.0)
    turn(world, 600.0)
    assert (row.converted, row.fees_at) == (100.0, 1200.0)
    assert row.distributed == pytest.approx(50.0, rel=1e-3)
    assert world.stake_pools[TEXO_POOL].rewarded == row.distributed
    assert world.wallets[COLLECTOR_ACCOUNT].sum() == 0.0
    give(world, COLLECTOR_ACCOUNT, TDOLLAR, 50.0)
    turn(world, 660.0)
    assert row.converted == 100.0
    turn(world, 1200.0)
    assert row.converted == 150.0


def test_fees_of_a_tasset_are_sold_first_and_count_for_what_they_fetched():
    world = a_wide_market()
    row = with_fees(world, old=2.0, other=4.0, tdollar=10.0)
    fill_pool(world, OLD, 100 * DEEP, DEEP)
    fill_pool(world, OTHER, 50 * DEEP, DEEP)
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    turn(world, 600.0)
    assert row.converted == pytest.approx(10 + 2 * 100 + 4 * 50, rel=1e-4)
    assert row.distributed == pytest.approx(205.0, rel=1e-3)
    assert world.wallets[COLLECTOR_ACCOUNT].sum() == 0.0
    assert asked(world, Action.CONVERT) == {Status.OK: 3}


def test_fees_in_tokens_of_a_delisted_tasset_are_sold_too():
    world = a_wide_market()
    row = with_fees(world, old=2.0)
    fill_pool(world, OLD, 100 * DEEP, DEEP)
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    listing.delist(world.tassets[OLD], world.feeds[OLD], world.cdp_kinds, world.stake_pools[OLD], world.feeds[OLD].feeder)
    turn(world, 600.0)
    assert row.converted == pytest.approx(200.0, rel=1e-4)


@pytest.mark.parametrize(("reserves", "status"), [((50.0, 25.0), Status.EXCEEDS_MAX_SPREAD), (None, Status.EMPTY_POOL)])
def test_fees_wait_for_a_pool_that_can_take_them(reserves, status):
    world = a_wide_market()
    row = with_fees(world, tdollar=100.0)
    if reserves:
        fill_pool(world, TEXO_POOL, *reserves)  # 100 into 50 would lose two thirds
    turn(world, 600.0)
    assert world.wallets[COLLECTOR_ACCOUNT, TDOLLAR] == 100.0
    assert (row.converted, row.distributed, row.fees_at) == (0.0, 0.0, 1200.0)
    assert asked(world, Action.CONVERT) == {status: 1}
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    turn(world, 1200.0)
    assert row.converted == 100.0


def test_a_tasset_that_finds_no_buyer_does_not_hold_up_the_rest():
    world = a_wide_market()
    row = with_fees(world, old=2.0, tdollar=100.0)
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    turn(world, 600.0)
    assert (row.converted, world.wallets[COLLECTOR_ACCOUNT, OLD_TOKEN]) == (100.0, 2.0)


def test_texo_in_the_collector_is_paid_out_even_where_nothing_was_sold():
    world = a_wide_market()
    row = with_fees(world, texo=8.0)
    turn(world, 600.0)
    assert (row.converted, row.distributed) == (0.0, 8.0)


def test_nothing_to_pay_asks_nobody():
    world = a_wide_market()
    with_fees(world)
    turn(world, 600.0)
    assert world.tallies.sum() == 0


def test_protocol_fees_are_counted_once_sold_or_not():
    world = a_wide_market()
    with_fees(world, tdollar=100.0, old=2.0)
    fill_pool(world, TEXO_POOL, 2 * DEEP, DEEP)
    assert measures.protocol_fees(world) == pytest.approx(300.0)
    turn(world, 600.0)
    assert measures.protocol_fees(world) == pytest.approx(300.0)
    observe(world)
    assert measures.staking(world)["fees_sold_usd"].value == 100.0
    assert measures.staking(world)["fee_purchase_price_usd"].value == pytest.approx(2.0, rel=1e-3)


# --- polls ---


def a_poll(world, kind=PollKind.MIN_COLLATERAL_RATIO, value=1.8, *, tasset=OLD, yes=(0, 1), no=(), index=0):
    """Proposed at time 0: votes are taken for 600 s, and 120 s later it may be executed. Stakers have 1,000 each."""
    poll, terms, proposer = world.polls[index], world.governance[0], world.stakers[0].account
    give(world, proposer, TEXO, terms.deposit)
    assert governance.propose(poll, terms, world.wallets, proposer, int(kind), tasset, value, 0.0) == Status.OK
    for voters, choice in ((yes, Choice.YES), (no, Choice.NO)):
        for row in voters:
            ballot, stake = world.ballots[index * len(world.stakers) + row], world.stakes[row]
            assert governance.vote(poll, ballot, terms, stake, int(choice), stake.bond, 0.0) == Status.OK
    return poll


def test_a_poll_is_ended_and_executed_at_its_seconds():
    world = a_wide_market()
    poll = a_poll(world)
    seen = {}
    for now in (540.0, 599.0, 600.0, 660.0, 719.0, 720.0, 780.0):
        turn(world, now)
        seen[now] = PollState(int(poll.state)).name, world.tassets[OLD].min_collateral_ratio
    assert seen == {
        540.0: ("IN_PROGRESS", 1.5),
        599.0: ("IN_PROGRESS", 1.5),
        600.0: ("PASSED", 1.5),
        660.0: ("PASSED", 1.5),
        719.0: ("PASSED", 1.5),
        720.0: ("EXECUTED", 1.8),
        780.0: ("EXECUTED", 1.8),
    }
    assert poll.executed_at == 720.0
    assert (asked(world, Action.END_POLL), asked(world, Action.EXECUTE)) == ({Status.OK: 1}, {Status.OK: 1})


def test_without_a_delay_both_come_in_one_round():
    world = a_wide_market()
    world.governance[0].delay_seconds = 0.0
    poll = a_poll(world)
    turn(world, 600.0)
    assert poll.state == PollState.EXECUTED


def test_a_deposit_goes_back_with_a_quorum_and_to_stakers_without():
    world = a_wide_market()
    a_poll(world, no=(0,), yes=())
    turn(world, 600.0)
    assert world.polls[0].state == PollState.REJECTED
    assert world.wallets[world.stakers[0].account, TEXO] == 100.0
    world = a_wide_market()
    a_poll(world, yes=())
    turn(world, 600.0)
    assert world.polls[0].state == PollState.REJECTED
    assert world.wallets[world.stakers[0].account, TEXO] == 0.0
    assert world.stake_pools[TEXO_POOL].rewarded == 100.0
    assert world.wallets[GOVERNANCE_ACCOUNT].sum() == 0.0
    turn(world, 5000.0)
    assert world.tassets[OLD].min_collateral_ratio == 1.5


def test_a_whitelisted_tasset_may_be_fed_and_staked_from_then_on():
    world = a_wide_market()
    world.tassets[NEW].min_collateral_ratio = 1.5
    a_poll(world, PollKind.WHITELIST, float(world.oracle_feeders[NEW].account), tasset=NEW)
    turn(world, 600.0)
    assert (world.feeds[NEW].feeder, bool(world.stake_pools[NEW].is_rewarded)) == (-1, False)
    turn(world, 720.0)
    assert (world.feeds[NEW].feeder, bool(world.stake_pools[NEW].is_rewarded)) == (world.oracle_feeders[NEW].account, True)


def test_a_poll_on_the_feeder_lists_nothing():
    """Nobody can mint a tASSET before a poll has whitelisted it; one that only names its feeder does not."""
    world = a_wide_market()
    a_poll(world, PollKind.REASSIGN_FEEDER, float(world.traders[0].account), tasset=NEW)
    for now in (600.0, 720.0):
        turn(world, now)
    assert world.feeds[NEW].feeder < 0


@pytest.mark.parametrize("kind", [PollKind.MIN_COLLATERAL_RATIO, PollKind.AUCTION_DISCOUNT])
def test_what_a_delisting_overtook_is_rejected_once_and_for_all(kind):
    world = a_wide_market(kinds=(OLD_KIND, OLD_KIND, LOCKING_KIND, OTHER_KIND, NEW_KIND))
    world.minters["target_ratio"] = 2.0
    poll = a_poll(world, kind, 1.0 if kind == PollKind.MIN_COLLATERAL_RATIO else 0.5)
    turn(world, 600.0)
    listing.delist(world.tassets[OLD], world.feeds[OLD], world.cdp_kinds, world.stake_pools[OLD], world.feeds[OLD].feeder)
    for now in (720.0, 780.0):
        turn(world, now)
    assert poll.state == PollState.REJECTED
    assert asked(world, Action.EXECUTE) == {Status.TASSET_DELISTED: 1}
    assert (world.tassets[OLD].min_collateral_ratio, world.tassets[OLD].auction_discount) == (1.0, 0.2)
    assert set(world.minters["target_ratio"]) == {2.0}


def test_polls_are_shown_with_what_became_of_them():
    world = a_wide_market(proposals=3, stakers=4)
    for row, (kind, tasset, value) in enumerate([(2, OLD, 1.8), (3, OTHER, 0.1), (1, OLD, 5.0)]):
        plan = world.proposals[row]
        plan.kind, plan.tasset, plan.value, plan.at = kind, tasset, value, 60.0 * row
    a_poll(world, yes=(0, 1), no=(2,))
    a_poll(world, PollKind.AUCTION_DISCOUNT, 0.1, tasset=OTHER, yes=(0,), no=(1, 2), index=1)
    shown = frames.polls(world, ("tA", "tB", "tA2"))
    assert list(shown["outcome"]) == ["in voting", "in voting", "not proposed"]
    assert list(shown["yes"]) == [0.5, 0.25, 0.0]
    for now in (600.0, 720.0):
        turn(world, now)
    shown = frames.polls(world, ("tA", "tB", "tA2"))
    assert list(shown["outcome"]) == ["executed", "rejected", "not proposed"]
    assert list(shown["no"]) == [0.25, 0.5, 0.0]
    assert list(shown["tasset"]) == ["tA", "tB", "tA"]
    np.testing.assert_array_equal(shown["value"], [1.8, 0.1, np.nan])
    np.testing.assert_array_equal(shown["executed_s"], [720.0, np.nan, np.nan])


# --- owners and a new minimum ---


def test_aims_are_scaled_with_the_minimum_for_owners_of_the_tasset_and_of_its_replacement():
    world = a_wide_market()
    world.minters["target_ratio"], world.minters["alert_ratio"], world.minters["excess_ratio"] = 2.0, 1.75, 3.0
    world.minters["alert_ratio"][1], world.minters["excess_ratio"][1] = 0.0, NEVER  # inattentive
    a_poll(world, value=3.0)
    for now in (600.0, 720.0):
        turn(world, now)
    owners = world.minters
    assert list(owners["target_ratio"]) == [4.0, 4.0, 4.0, 2.0, 4.0]
    assert list(owners["alert_ratio"]) == [3.5, 0.0, 3.5, 1.75, 3.5]
    assert list(owners["excess_ratio"]) == [6.0, NEVER, 6.0, 3.0, 6.0]


def test_another_discount_changes_no_aims():
    world = a_wide_market()
    world.minters["target_ratio"] = 2.0
    a_poll(world, PollKind.AUCTION_DISCOUNT, 0.1)
    for now in (600.0, 720.0):
        turn(world, now)
    assert world.tassets[OLD].auction_discount == 0.1
    assert set(world.minters["target_ratio"]) == {2.0}


def test_a_raised_minimum_calls_cdps_and_wakes_owners_at_once():
    """No price has moved: only the alarms that were set for the old minimum stand in the way."""
    world = a_wide_market()
    fill_cdp(world, 0, 1600.0, 10.0)
    fill_cdp(world, 2, 40.0, 10.0)  # 2,000 USD of the other tASSET
    fill_cdp(world, 1, 3000.0, 10.0)
    world.minters["target_ratio"], world.minters["alert_ratio"], world.minters["reaction"] = 1.6, 1.55, 600.0
    rows = np.zeros(10, np.int64)
    poll = a_poll(world, value=2.25)
    for now in (600.0, 660.0):
        turn(world, now)
        assert (update_called(world), wake_owners(world, rows)) == (0, 0)
    turn(world, 720.0)
    assert poll.state == PollState.EXECUTED
    assert liquidator.find_margin_called(world) == 2
    assert list(world.called[1:3]) == [0, 2]
    assert wake_owners(world, rows) == 2
    minter.act(world, 0)
    assert world.minters[0].due_at == 720.0 + 600.0
    assert list(world.marks["called_at"][[0, 2]]) == [720.0, 720.0]


def test_a_lowered_minimum_lets_margin_called_cdps_go():
    world = a_wide_market()
    fill_cdp(world, 0, 1400.0, 10.0)
    a_poll(world, value=1.25)
    for now, called in ((600.0, 1), (720.0, 0)):
        turn(world, now)
        assert liquidator.find_margin_called(world) == called
    assert not world.cdps[0].is_called


def test_kinds_stand_where_these_tests_expect_them():
    world = a_wide_market()
    assert list(world.cdps["kind"]) == [OLD_KIND, OLD_KIND, LOCKING_KIND, OTHER_KIND, NEW_KIND]
