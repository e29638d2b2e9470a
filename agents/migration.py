"""Delistings: the feeder delists in its hour, and those concerned plan what they will do about it.

Owners, LPs and traders react when their own time has come (`strategies.wind_up`, `lp.move`, `trader.recover`). Who reacts, and when, is
assumption. Source: 004_7b43fd311786c790.txt, "Delisting & Migration".
"""

from __future__ import annotations

from seawall.agents.alarms import reopen
from seawall.agents.base import tally
from seawall.agents.minter import Response
from seawall.agents.strategies import Reaction
from seawall.protocols import listing
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import World

NEVER = float("inf")


@rule
def act(world: World) -> None:
    """Delist what is due."""
    now = world.clock[0].now
    for i in range(len(world.migrations)):
        plan = world.migrations[i]
        if now >= plan.at and plan.done_at == NEVER:
            feeder = world.feeds[world.tassets[plan.tasset].feed].feeder
            status = listing.migrate(world.tassets, plan.tasset, plan.replacement, world.feeds, world.cdp_kinds, world.stake_pools, feeder)
            tally(world.tallies, Action.MIGRATE, status)
            if status == Status.OK:
                plan.done_at = now
                announce(world, plan.tasset, plan.replacement, now)


@rule
def is_open(world: World, minter: int) -> bool:
    """Tell whether the owner in a row of minters has a CDP; not for a row that is none."""
    return bool(minter >= 0 and world.cdps[world.minters[minter].cdp].is_open)


@rule
def announce(world: World, tasset: int, replacement: int, now: float) -> None:
    """Let everybody concerned make an appointment with itself; owners stop minding a ratio that no longer matters."""
    for i in range(len(world.minters)):
        minter = world.minters[i]
        position = world.cdps[minter.cdp]
        if position.tasset == tasset:
            minter.alert_ratio, minter.excess_ratio = 0.0, NEVER
            minter.due_at = minter.opens_at = NEVER
            if minter.delisting != Reaction.SIT.value:  # who has no CDP any more may still hold tokens
                minter.exit_at = minter.opens_at = now + minter.reaction_to_delisting
        elif world.cdp_kinds[position.kind].is_revoked:  # what it locks is taken no more: it can only burn and withdraw
            minter.relevers, minter.response = False, Response.BURN.value
        elif position.tasset == replacement and minter.delisting == Reaction.MOVE.value and is_open(world, minter.predecessor):
            minter.opens_at = now + minter.reaction_to_delisting + world.clock[0].step_seconds  # after the old CDP of the same owner
    reopen(world, tasset)
    reopen(world, replacement)
    for i in range(len(world.lps)):
        if world.lps[i].pool == tasset and world.lps[i].delisting != Reaction.SIT.value:
            world.lps[i].moves_at = now + world.lps[i].reaction
            world.calms[tasset].until = 0.0
    for i in range(len(world.traders)):
        if world.traders[i].delisting != Reaction.SIT.value:
            world.traders[i].recovers_at = now + world.traders[i].reaction
