"""The public implementation's cases on staking, the collector, polls and inflation against our rules.

One micro-unit of a case is one `UNIT`. There each reward is split between staked LP tokens and staked short positions; the document knows
no reward for short positions, but both parts follow one index, so a case runs with one staking pool for each part and is split by the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from reference.case_files import (
    Case,
    Figures,
    Handler,
    assert_each_has_one_place,
    assert_matches,
    assert_nothing_is_called,
    read_cases,
    units,
)
from worlds import a_market, a_pool, give_tassets

from seawall.protocols import audit, collector, governance, ledger, staking, tables
from seawall.protocols.amounts import UNIT, floor_amount
from seawall.protocols.poll_terms import Choice, PollKind, PollState
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, Floats, Row, Table

CASES = read_cases("mirror_staking")

NO_PREMIUM = "a pool's premium over the oracle only sets the reward of short positions, which the document does not have"
NO_SHORT = "rewards go to LP tokens and tEXO only, so short positions have no part of them"
NO_LOCK = "what is minted is the minter's at once, sold or not: the document locks no proceeds"

NOT_APPLICABLE = {
    "ms_010": (f"{NO_PREMIUM} (prices equal)", "premium_rate"),
    "ms_011": (f"{NO_PREMIUM} (pool below the oracle)", "premium_rate"),
    "ms_012": (f"{NO_PREMIUM} (pool above the oracle)", "premium_rate"),
    "ms_014": (f"{NO_SHORT} (contract, premium 0)", "short_reward"),
    "ms_016": (f"{NO_SHORT} (contract, premium 0.02)", "short_reward"),
    "ms_019": (f"{NO_SHORT} (contract, premium 0.15)", "short_reward"),
    "ms_021": (f"{NO_SHORT} (table, premium 0.005)", "short_reward"),
    "ms_022": (f"{NO_SHORT} (table, premium 0.01)", "short_reward"),
    "ms_025": (f"{NO_SHORT} (table, premium 0.025)", "short_reward"),
    "ms_026": (f"{NO_SHORT} (table, premium 0.03)", "short_reward"),
    "ms_027": (f"{NO_SHORT} (table, premium 0.04)", "short_reward"),
    "ms_028": (f"{NO_SHORT} (table, premium 0.05)", "short_reward"),
    "ms_029": (f"{NO_SHORT} (table, premium 0.06)", "short_reward"),
    "ms_048": (f"{NO_LOCK} (one sale)", "unlock"),
    "ms_049": (f"{NO_LOCK} (two sales)", "unlock"),
}
"""Case: why our contracts have nothing to run, and a word that they would have to know if they had."""

LP, REWARD = 0, 1  # tokens: what is staked, and tEXO
FIRST_POOL, FIRST_OWNER = 3, 6  # accounts; the collector's and governance's stand before them
AMPLE = 2.0**20


# --- a few stakes in a few pools ---


@dataclass(frozen=True, slots=True)
class Staked:
    """Staking pools, stakes and the wallets behind them."""

    pools: Table
    stakes: Table
    tokens: Table
    wallets: Floats

    def bond(self, stake: int, amount: int) -> None:
        row = self.stakes[stake]
        assert staking.bond(row, self.pools[row.pool], self.wallets, amount * UNIT) == Status.OK

    def deposit(self, pool: int, amount: int) -> None:
        if amount:
            assert staking.deposit_reward(self.pools[pool], self.wallets, COLLECTOR_ACCOUNT, amount * UNIT) == Status.OK

    def pending(self, stake: int) -> int:
        row = self.stakes[stake].copy()
        staking.accrue(row, self.pools[row.pool].copy())
        return units(row.pending)

    def claim(self, stake: int) -> int:
        row = self.stakes[stake]
        status, paid = staking.claim(row, self.pools[row.pool], self.wallets)
        assert status == Status.OK
        return units(paid)


def staked(*pool_of: int, token: int = LP, rewards: float = AMPLE) -> Staked:
    """Three rewarded pools, and one empty stake in each pool named; every owner has tokens to stake, the collector rewards to pay."""
    pools, stakes, tokens = np.zeros(3, tables.STAKE_POOL), np.zeros(len(pool_of), tables.STAKE), np.zeros(2, tables.TOKEN)
    wallets = np.zeros((FIRST_OWNER + len(pool_of), 2))
    pools["account"], pools["staked_token"], pools["reward_token"] = FIRST_POOL + np.arange(3), token, REWARD
    pools["is_rewarded"] = True
    stakes["owner"], stakes["pool"] = FIRST_OWNER + np.arange(len(pool_of)), pool_of
    for account in stakes["owner"]:
        ledger.mint(wallets, tokens, token, account, AMPLE)
    ledger.mint(wallets, tokens, REWARD, COLLECTOR_ACCOUNT, rewards)
    return Staked(pools, stakes, tokens, wallets)


def parts(reward: int, weight: str) -> tuple[int, int]:
    """Of LP tokens, and of the pool that stands for short positions."""
    other = units(floor_amount(reward * UNIT * float(weight)))
    return reward - other, other


# --- one handler per operation: inputs of a case to the figures that it may expect ---


def deposit_reward(case: Case) -> Figures:
    inputs, pools = case.inputs, staked(0, 1)
    bonds = (inputs["total_bond"], inputs["total_short"])
    for stake, amount in enumerate(bonds):
        if amount:
            pools.bond(stake, amount)
    for pool, part in enumerate(parts(inputs["reward"], inputs["short_reward_weight"])):
        pools.deposit(pool, part)
    rows = pools.pools
    return {
        "reward_index": rows[0].reward_index,
        "short_reward_index": rows[1].reward_index,
        "pending_reward": units(rows[0].pending_reward),
        "short_pending_reward": units(rows[1].pending_reward),
    }


def sequence(case: Case) -> Figures:
    inputs, pools = case.inputs, staked(0)
    stake, pool = pools.stakes[0], pools.pools[0]
    assert inputs["initial"]["user_bond"] == inputs["initial"]["total_bond"]
    pools.bond(0, inputs["initial"]["user_bond"])
    reports = []
    for number, step in enumerate(inputs["steps"], 1):
        ((action, amount),) = step.items()
        if action == "deposit_reward":
            pools.deposit(0, parts(amount, inputs["short_reward_weight"])[0])
        elif action == "bond":
            pools.bond(0, amount)
        else:
            assert staking.unbond(stake, pool, pools.wallets, amount * UNIT, 0.0) == Status.OK
        if number in inputs["report_after_steps"]:
            reports.append({"pending": units(stake.pending), "bond": units(stake.bond), "user_index": stake.index})
    return {"user": reports}


def withdraw_reward(case: Case) -> Figures:
    inputs, pools = case.inputs, staked(0)
    pools.bond(0, inputs["user_bond"])
    pools.deposit(0, parts(inputs["reward"], inputs["short_reward_weight"])[0])
    paid = pools.claim(0)
    assert pools.claim(0) == 0
    assert units(pools.wallets[pools.stakes[0].owner, REWARD]) == paid
    return {"paid": paid}


def withdraw_from_several(case: Case) -> Figures:
    """Three of our pools: the LP tokens of both tASSETs, and what stands for the short positions of the first."""
    first, second = case.inputs["pools"]
    pools = staked(0, 1, 2)
    for stake, amount in enumerate((first["user_bond"], second["user_bond"], first["user_short"])):
        pools.bond(stake, amount)
    weight = case.inputs["short_reward_weight"]
    pools.deposit(0, parts(first["reward"], weight)[0])
    pools.deposit(2, parts(first["reward"], weight)[1])
    pools.deposit(1, parts(second["reward"], weight)[0])  # nobody holds a short position in it
    pending = [pools.pending(stake) for stake in range(3)]
    paid = sum(pools.claim(stake) for stake in range(3))
    return {"pending": pending[:2], "pending_short": [pending[2], 0], "paid_total": paid}


def migration(case: Case) -> Figures:
    """The old LP token's pool is no longer rewarded, the new one's is: there one pool with a snapshot, here two pools."""
    initial, weight = case.inputs["initial"], case.inputs["short_reward_weight"]
    old, shorts, new = 0, 1, 2
    pools = staked(old, shorts, new)
    lp_part, short_part = parts(100, weight)
    pools.bond(old, initial["bond"])
    pools.bond(shorts, initial["short"])
    pools.deposit(old, lp_part)
    pools.deposit(shorts, short_part)
    result = {
        "after_first_deposit": {"reward_index": pools.pools[old].reward_index, "short_reward_index": pools.pools[shorts].reward_index}
    }
    pools.pools[old].is_rewarded = False
    assert staking.deposit_reward(pools.pools[old], pools.wallets, COLLECTOR_ACCOUNT, lp_part * UNIT) == Status.NOT_REWARDED
    assert staking.bond(pools.stakes[old], pools.pools[old], pools.wallets, UNIT) == Status.NOT_REWARDED
    pools.deposit(new, lp_part)
    pools.deposit(shorts, short_part)
    result["after_migration_and_deposit"] = {
        "pending_reward": units(pools.pools[new].pending_reward),
        "reward_index": pools.pools[old].reward_index,
        "short_reward_index": pools.pools[shorts].reward_index,
        "old_staker_pending": pools.pending(old),
        "short_staker_pending": pools.pending(shorts),
    }
    assert staking.unbond(pools.stakes[old], pools.pools[old], pools.wallets, initial["bond"] * UNIT, 0.0) == Status.OK
    pools.bond(new, initial["bond"])
    pools.deposit(new, lp_part)
    pools.deposit(shorts, short_part)
    at_end = {"staker_pending": pools.pending(old) + pools.pending(new), "short_staker_pending": pools.pending(shorts)}
    return {**result, "at_end": at_end}


def unbond(case: Case) -> Figures:
    pools = staked(0)
    pools.bond(0, case.inputs["user_bond"])
    status = staking.unbond(pools.stakes[0], pools.pools[0], pools.wallets, case.inputs["unbond"] * UNIT, 0.0)
    assert units(pools.stakes[0].bond) == case.inputs["user_bond"]
    return {"error": {Status.INSUFFICIENT_STAKE: "UNBOND_MORE_THAN_BONDED"}[Status(status)]}


def convert(case: Case) -> Figures:
    """Any price is accepted, in ever so thin a pool."""
    world = a_market(price=1.0)
    token, balance = world.tassets[0].token, case.inputs["collector_balance"] * UNIT
    a_pool(world, balance, balance, UNIT)
    give_tassets(world, COLLECTOR_ACCOUNT, balance)
    status, received = collector.convert(world.pools[0], world.wallets, token, 1.0)
    audit.check(world)
    assert status == Status.OK
    assert 0.0 < received == world.wallets[COLLECTOR_ACCOUNT, TDOLLAR]
    return {"amount_sold": units(balance - world.wallets[COLLECTOR_ACCOUNT, token]), "max_spread": None}


def distribute(case: Case) -> Figures:
    balance = case.inputs["collector_governance_token_balance"]
    pools = staked(0, token=REWARD, rewards=balance * UNIT)
    pools.bond(0, 100)
    status, sent = collector.distribute(pools.pools[0], pools.wallets)
    assert status == Status.OK
    assert pools.wallets[COLLECTOR_ACCOUNT, REWARD] == 0.0
    assert pools.claim(0) == units(sent)
    return {"sent_to_staking": units(sent)}


def gov_stake(case: Case) -> Figures:
    """Nothing staked yet: a share is a token."""
    pools = staked(0, token=REWARD)
    pools.bond(0, case.inputs["amount"])
    return {"share": units(pools.stakes[0].bond)}


@dataclass(frozen=True, slots=True)
class Voting:
    """A poll in progress, and stakes that may vote on it."""

    poll: Row
    terms: Row
    ballots: Table
    staked: Staked

    def vote(self, stake: int, choice: Choice, amount: int, now: float = 0.0) -> Status:
        row = self.staked.stakes[stake]
        return Status(governance.vote(self.poll, self.ballots[stake], self.terms, row, choice, amount * UNIT, now))

    def end(self, now: float) -> Status:
        return Status(governance.end_poll(self.poll, self.terms, self.staked.pools[0], self.staked.wallets, now))


VOTING, DELAY, DEPOSIT = 7 * 86400.0, 86400.0, 1000.0
PROPOSER = 0  # account


def voting(quorum: str, threshold: str, stakes: int, kind: PollKind = PollKind.MIN_COLLATERAL_RATIO, value: float = 2.0) -> Voting:
    """A poll opened at time 0."""
    pools, terms, polls = staked(*[0] * stakes, token=REWARD), np.zeros(1, tables.GOVERNANCE)[0], np.zeros(1, tables.POLL)
    ledger.mint(pools.wallets, pools.tokens, REWARD, PROPOSER, DEPOSIT)
    terms.token, terms.deposit = REWARD, DEPOSIT
    terms.quorum, terms.threshold, terms.voting_seconds, terms.delay_seconds = float(quorum), float(threshold), VOTING, DELAY
    assert governance.propose(polls[0], terms, pools.wallets, PROPOSER, kind, 0, value, 0.0) == Status.OK
    assert pools.wallets[PROPOSER, REWARD] == 0.0
    ballots = np.zeros(stakes, tables.BALLOT)
    ballots["voter"] = pools.stakes["owner"]
    return Voting(polls[0], terms, ballots, pools)


def poll_result(case: Case) -> Figures:
    """One voter for each choice, and one who stakes the rest and does not vote."""
    inputs = case.inputs
    votes = [inputs[choice.name.lower()] for choice in Choice]
    made = voting(inputs["quorum"], inputs["threshold"], 4)
    for stake, amount in enumerate([*votes, inputs["staked"] - sum(votes)]):
        if amount:
            made.staked.bond(stake, amount)
    for choice, amount in zip(Choice, votes, strict=True):
        if amount:
            assert made.vote(choice.value, choice, amount) == Status.OK
    assert made.end(VOTING) == Status.OK
    has_quorum = governance.has_quorum(made.poll, made.terms, made.staked.pools[0].total_bond)
    refunded, lost = made.staked.wallets[PROPOSER, REWARD], made.staked.pools[0].unsettled
    assert refunded + lost == DEPOSIT
    return {
        "passed": made.poll.state == PollState.PASSED,
        "reason": "" if has_quorum else "Quorum not reached",
        "deposit_refunded": refunded == DEPOSIT,
    }


def inflation_split(case: Case) -> Figures:
    """A case without a schedule emits one token a second, and has just emitted."""
    inputs = case.inputs
    pools, inflation = staked(), np.zeros(1, tables.INFLATION)[0]
    schedule = inputs.get("schedule", [[0, 1000, 1000]])
    emissions = np.zeros(len(schedule), tables.EMISSION)
    for row, (start, end, amount) in zip(emissions, schedule, strict=True):
        row.start, row.end, row.per_second = start, end, amount * UNIT / (end - start)
    weights = inputs.get("weights", {"one": 1})
    pools.pools["emission_weight"][: len(weights)] = list(weights.values())
    inflation.token, inflation.min_interval = REWARD, inputs.get("min_interval", 60)
    inflation.emitted_at = inputs.get("last_distributed", 0)
    now = inputs.get("now", inputs.get("seconds_since_last"))
    supply = pools.tokens[REWARD].supply
    status, minted = staking.emit(inflation, emissions, pools.pools, pools.tokens, pools.wallets, float(now))
    assert pools.tokens[REWARD].supply == supply + minted
    if status != Status.OK:
        return {"error": Status(status).name}
    received = [units(pools.wallets[pool.account, REWARD]) for pool in pools.pools]
    return {"distributed": units(minted), "split": dict(zip(weights, received, strict=True))}


HANDLERS: dict[str, Handler] = {
    "deposit_reward": deposit_reward,
    "staking_sequence": sequence,
    "withdraw_reward": withdraw_reward,
    "withdraw_reward_multiple_pools": withdraw_from_several,
    "staking_token_migration": migration,
    "unbond": unbond,
    "collector_convert": convert,
    "collector_distribute": distribute,
    "gov_stake": gov_stake,
    "poll_result": poll_result,
    "inflation_split": inflation_split,
}


# --- where the document, hence our contracts, differ from the public implementation ---


def no_tax_is_taken_from_a_transfer(case: Case) -> None:
    """There 1% of the amount sold goes to the chain; here all of it is sold. The limit of the spread is the same."""
    balance = case.inputs["collector_base_balance"] * UNIT
    for depth, expected in ((balance * 0.99, Status.EXCEEDS_MAX_SPREAD), (balance, Status.OK)):
        world = a_market(price=1.0)
        a_pool(world, floor_amount(depth), AMPLE, UNIT)
        ledger.mint(world.wallets, world.tokens, TDOLLAR, COLLECTOR_ACCOUNT, balance)
        status, received = collector.convert(world.pools[0], world.wallets, TDOLLAR, collector.MAX_SPREAD)
        audit.check(world)
        assert status == expected
        assert world.wallets[COLLECTOR_ACCOUNT, TDOLLAR] == (0.0 if status == Status.OK else balance)
        assert world.wallets[COLLECTOR_ACCOUNT, world.tassets[0].token] == received
    assert float(case.expected["max_spread"]) == collector.MAX_SPREAD


def stake_and_reward_are_counted_apart(case: Case) -> None:
    """There a deposit raises the price of a share, so that 100 tokens buy 50; here they are 100, and the reward is the first staker's."""
    inputs, pools = case.inputs, staked(0, 0, token=REWARD)
    pools.bond(0, inputs["total_share"])
    pools.deposit(0, inputs["staked_balance"] - inputs["total_share"])
    pools.bond(1, inputs["amount"])
    assert units(pools.stakes[1].bond) == inputs["amount"] != case.expected["share"]
    worth = [units(stake.bond) + pools.pending(number) for number, stake in enumerate(pools.stakes)]
    price = inputs["staked_balance"] / inputs["total_share"]
    assert worth == [inputs["total_share"] * price, case.expected["share"] * price]


def a_withdrawal_leaves_the_reward(case: Case) -> None:
    """There 100 tokens are 50 shares; here they come from the stake, and the reward is claimed apart. What is left is worth the same."""
    inputs, pools = case.inputs, staked(0, token=REWARD)
    pools.bond(0, inputs["total_share"])
    pools.deposit(0, inputs["staked_balance"] - inputs["total_share"])
    assert staking.unbond(pools.stakes[0], pools.pools[0], pools.wallets, inputs["amount"] * UNIT, 0.0) == Status.OK
    left = units(pools.stakes[0].bond)
    assert left == inputs["user_share"] - inputs["amount"]
    assert left + pools.claim(0) == case.expected["user_balance_after"]


def all_stakers_are_rewarded_whether_they_vote_or_not(case: Case) -> None:
    """There half of the fee is for voters of polls in progress; here all is by stake: "distributed to tEXO token stakers"."""
    votes, fee = case.inputs["votes"], case.inputs["fee_deposit"]
    bonds: dict[str, int] = {}
    for entry in votes:
        bonds[entry["voter"]] = max(bonds.get(entry["voter"], 0), entry["amount"])
    pools = staked(*[0] * len(bonds), token=REWARD)
    for stake, amount in enumerate(bonds.values()):
        pools.bond(stake, amount)
    pools.deposit(0, fee)
    paid = {voter: pools.claim(stake) for stake, voter in enumerate(bonds)}
    assert paid == {voter: fee * amount // sum(bonds.values()) for voter, amount in bonds.items()}
    assert sum(paid.values()) == fee == sum(case.expected["rewards"].values()) / float(case.inputs["voter_weight"])


DIFFERENT: dict[str, Any] = {
    "ms_031": no_tax_is_taken_from_a_transfer,
    "ms_034": stake_and_reward_are_counted_apart,
    "ms_035": a_withdrawal_leaves_the_reward,
    "ms_037": all_stakers_are_rewarded_whether_they_vote_or_not,
    "ms_038": all_stakers_are_rewarded_whether_they_vote_or_not,
}
"""Case: the test of what our contracts do instead."""

RUN = [case for case in CASES.values() if case.id not in NOT_APPLICABLE and case.id not in DIFFERENT]


# --- tests ---


def test_every_case_has_exactly_one_place() -> None:
    assert_each_has_one_place(CASES, [case.id for case in RUN], DIFFERENT, NOT_APPLICABLE)
    assert {case.op for case in RUN} == HANDLERS.keys()


@pytest.mark.parametrize("case", RUN, ids=lambda case: f"{case.id}-{case.op}")
def test_case(case: Case) -> None:
    assert_matches(case, HANDLERS[case.op](case))


@pytest.mark.parametrize("case_id", DIFFERENT)
def test_our_contracts_do_what_the_document_says_instead(case_id: str) -> None:
    DIFFERENT[case_id](CASES[case_id])


@pytest.mark.parametrize("case_id", NOT_APPLICABLE)
def test_what_a_case_not_applicable_would_need_does_not_exist(case_id: str) -> None:
    why, word = NOT_APPLICABLE[case_id]
    assert_nothing_is_called(word, why)
