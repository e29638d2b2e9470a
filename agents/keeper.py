"""Keepers: call what anybody may call and somebody must: inflation, the sale of protocol fees and their payment, the end of polls.

That the calls come at fixed intervals is assumption. Source of what they do: 004_7b43fd311786c790.txt, "Protocol Fee" and "Whitelisting".
"""

from __future__ import annotations

from seawall.agents.alarm_tree import NEVER
from seawall.agents.alarms import reopen
from seawall.agents.base import MarketAgent, tally
from seawall.protocols import collector, decisions, governance, staking
from seawall.protocols.compiled import rule
from seawall.protocols.poll_terms import PollState
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, Row, World


@rule
def act(world: World, index: int) -> None:
    """Make the calls that are due."""
    keeper, now = world.keepers[index], world.clock[0].now
    if now >= keeper.emission_at:
        keeper.emission_at = now + keeper.emission_every
        status, _ = staking.emit(world.inflation[0], world.emissions, world.stake_pools, world.tokens, world.wallets, now)
        tally(world.tallies, Action.EMIT, status)
    if now >= keeper.fees_at:
        keeper.fees_at = now + keeper.fees_every
        pay_fees(world, keeper)
    for i in range(len(world.polls)):
        settle_poll(world, world.polls[i], now)


@rule
def pay_fees(world: World, keeper: Row) -> None:
    """Sell the collector's tASSETs for tDOLLAR, its tDOLLAR for tEXO, and pay this to the stakers; what finds no buyer waits."""
    wallets = world.wallets
    for k in range(len(world.tassets)):
        token = world.tassets[k].token
        if wallets[COLLECTOR_ACCOUNT, token] > 0.0:
            tally(world.tallies, Action.CONVERT, collector.convert(world.pools[k], wallets, token, collector.MAX_SPREAD)[0])
    stake_pool = world.stake_pools[len(world.tassets)]
    sold = wallets[COLLECTOR_ACCOUNT, TDOLLAR]
    if sold > 0.0:
        status, _ = collector.convert(world.pools[len(world.tassets)], wallets, TDOLLAR, collector.MAX_SPREAD)
        tally(world.tallies, Action.CONVERT, status)
        if status == Status.OK:
            keeper.converted += sold
    if wallets[COLLECTOR_ACCOUNT, stake_pool.reward_token] > 0.0:
        status, paid = collector.distribute(stake_pool, wallets)
        tally(world.tallies, Action.DISTRIBUTE, status)
        keeper.distributed += paid


@rule
def settle_poll(world: World, poll: Row, now: float) -> None:
    """End a poll whose voting is over; execute one that has passed, and let owners adjust to a new minimum ratio."""
    terms = world.governance[0]
    if poll.state == PollState.IN_PROGRESS.value and now >= poll.ends_at:
        tally(world.tallies, Action.END_POLL, governance.end_poll(poll, terms, world.stake_pools[terms.stake_pool], world.wallets, now))
    if not decisions.is_executable(poll, terms, now):
        return
    tasset = world.tassets[poll.target]
    before = tasset.min_collateral_ratio
    status = decisions.execute(poll, terms, tasset, world.feeds[tasset.feed], world.stake_pools[poll.target], now)
    tally(world.tallies, Action.EXECUTE, status)
    if status == Status.OK:
        adjust_owners(world, poll.target, tasset.min_collateral_ratio / before)
    else:
        poll.state = PollState.REJECTED.value  # what cannot be done today (a delisted tASSET) will never be


@rule
def concerns(world: World, tasset: int, other: int) -> bool:
    """Tell whether a term of a tASSET is, or will be, that of another: itself, or the replacement that will take it over."""
    found = tasset == other
    for i in range(len(world.migrations)):
        found = found or (world.migrations[i].tasset == tasset and world.migrations[i].replacement == other)
    return bool(found)


@rule
def adjust_owners(world: World, tasset: int, factor: float) -> None:
    """Scale what owners of a tASSET's CDPs aim at with its minimum ratio, so that their buffers stay what they were (assumption)."""
    for i in range(len(world.minters)):
        minter = world.minters[i]
        if concerns(world, tasset, world.cdps[minter.cdp].tasset) and factor != 1.0:
            minter.target_ratio *= factor
            minter.alert_ratio *= factor
            minter.excess_ratio *= factor if minter.excess_ratio < NEVER else 1.0
    reopen(world, tasset)


class Keeper(MarketAgent):
    """Calls what anybody may call."""

    kind = "keepers"
    act = staticmethod(act)
