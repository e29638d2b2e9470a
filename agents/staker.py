"""Stakers of tEXO: they earn the protocol fee, vote on polls, and compound, sell or keep what they earn.

Whether and how somebody votes is drawn before the run, from the shares that the scenario states for each poll; all its stake goes one way.
Proposals come from the scenario and are paid for by the staker named there. Assumptions; what a vote does: `protocols/governance.py`.
"""

from __future__ import annotations

from enum import IntEnum

from seawall.agents.base import MarketAgent, draw_order, tally, whole_units
from seawall.agents.strategies import sell_rewards
from seawall.protocols import governance, staking
from seawall.protocols.compiled import rule
from seawall.protocols.poll_terms import Choice, PollState
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Ints, Row, World

NEVER = float("inf")


class Use(IntEnum):
    """What a staker does with rewards."""

    KEEP = 0
    COMPOUND = 1
    SELL = 2


@rule
def propose_due(world: World) -> None:
    """Put to the vote what is due. A proposer who cannot pay the deposit has had its chance."""
    now = world.clock[0].now
    for i in range(len(world.proposals)):
        proposal = world.proposals[i]
        if proposal.is_made or now < proposal.at:
            continue
        proposal.is_made = True
        status = governance.propose(
            world.polls[i],
            world.governance[0],
            world.wallets,
            proposal.proposer,
            proposal.kind,
            proposal.tasset,
            proposal.value,
            now,
        )
        tally(world.tallies, Action.PROPOSE, status)
        world.calms[len(world.pools)].until = 0.0


@rule
def is_vote_due(world: World, poll: int, index: int) -> bool:
    """Tell whether a staker is about to vote on a poll."""
    row, ballot = world.polls[poll], poll * len(world.stakers) + index
    plan, now = world.intentions[ballot], world.clock[0].now
    if row.state != PollState.IN_PROGRESS.value or now >= row.ends_at or plan.choice < 0:
        return False
    return bool(world.ballots[ballot].weight <= 0.0 and now >= row.created_at + plan.after)


@rule
def is_awake(world: World, index: int) -> bool:
    """Tell whether a staker has rewards to claim or a vote to cast."""
    staker = world.stakers[index]
    if world.clock[0].now >= staker.harvest_at:
        return True
    votes = 0
    for poll in range(len(world.polls)):
        votes += int(is_vote_due(world, poll, index))
    return votes > 0 and world.stakes[staker.stake].bond > 0.0


@rule
def order(world: World, rows: Ints) -> int:
    """Fill `rows` with those who have something to do this round, in the order drawn for it; return how many."""
    count, calm = 0, world.calms[len(world.pools)]
    if world.clock[0].now < calm.until:
        return 0
    calm.until = NEVER
    for i in range(len(world.stakers)):
        calm.until = min(calm.until, due_at(world, i))
        if is_awake(world, i):
            rows[count] = i
            count += 1
    draw_order(rows, count, world.clock[0].order_seed, world.clock[0].step)
    return count


@rule
def due_at(world: World, index: int) -> float:
    """Time from which a staker may have something to do; it may have passed."""
    due = world.stakers[index].harvest_at
    for poll in range(len(world.polls)):
        row, ballot = world.polls[poll], poll * len(world.stakers) + index
        if row.state == PollState.IN_PROGRESS.value and world.intentions[ballot].choice >= 0 and world.ballots[ballot].weight <= 0.0:
            due = min(due, row.created_at + world.intentions[ballot].after)
    return float(due)


@rule
def harvest(world: World, staker: Row) -> None:
    """Claim what the stake has earned, and use it."""
    stake = world.stakes[staker.stake]
    pool = world.stake_pools[stake.pool]
    status, paid = staking.claim(stake, pool, world.wallets)
    tally(world.tallies, Action.CLAIM, status)
    if paid <= 0.0:
        return
    if staker.use == Use.COMPOUND.value:
        tally(world.tallies, Action.BOND, staking.bond(stake, pool, world.wallets, paid))
    elif staker.use == Use.SELL.value:
        sell_rewards(world, staker.account, paid)


@rule
def act(world: World, index: int) -> None:
    """Claim when it is time; cast the votes that are due."""
    staker, now = world.stakers[index], world.clock[0].now
    stake = world.stakes[staker.stake]
    if now >= staker.harvest_at:
        staker.harvest_at = now + staker.harvest_every
        harvest(world, staker)
    for poll in range(len(world.polls)):
        if is_vote_due(world, poll, index) and stake.bond > 0.0:
            ballot = poll * len(world.stakers) + index
            choice = world.intentions[ballot].choice
            status = governance.vote(world.polls[poll], world.ballots[ballot], world.governance[0], stake, choice, stake.bond, now)
            tally(world.tallies, Action.VOTE, status)


class Staker(MarketAgent):
    """Stakes tEXO and votes."""

    kind = "stakers"
    act = staticmethod(act)

    @property
    def row(self) -> Row:
        """Row of behaviour, a view; since it may be written, all stakers are looked at in the next round."""
        self.world.calms["until"] = 0.0
        return super().row

    @property
    def stake(self) -> Row:
        """Row of `World.stakes`, a view."""
        return self.world.stakes[self.row.stake]

    @property
    def stake_pool(self) -> Row:
        """Where its tEXO is staked."""
        return self.world.stake_pools[self.stake.pool]

    def bond(self, amount: float) -> None:
        """Stake tEXO. Raises `Refused` by name."""
        self.ask(Action.BOND, staking.bond(self.stake, self.stake_pool, self.world.wallets, whole_units(amount)))

    def unbond(self, amount: float) -> None:
        """Take tEXO back. Raises `Refused` by name."""
        self.ask(Action.UNBOND, staking.unbond(self.stake, self.stake_pool, self.world.wallets, whole_units(amount), self.now))

    def claim(self) -> float:
        """Claim rewards; return what was paid."""
        status, paid = staking.claim(self.stake, self.stake_pool, self.world.wallets)
        self.ask(Action.CLAIM, status)
        return paid

    def vote(self, poll: int, choice: Choice) -> None:
        """Vote with the whole stake on a poll (row of `World.polls`). Raises `Refused` by name."""
        ballot = self.world.ballots[poll * len(self.world.stakers) + self.index]
        row, terms = self.world.polls[poll], self.world.governance[0]
        status = governance.vote(row, ballot, terms, self.stake, int(choice), float(self.stake.bond), self.now)
        self.ask(Action.VOTE, Status(status))
