"""Reward streams: tokens that a rewards distributor gives to the LPs of a vault, or of all vaults of a pool, at once or evenly over time.

A stream is a chain of the indices of `staking`: of the pool by the vaults' weights (only when all vaults are meant), of each vault by the
positions' shares. Every token that comes in is at every moment waiting in a schedule, being shared, booked by a position, paid, or the
funder's again, in whole units; so what is paid is exactly what was earned, whoever comes or goes. What falls due while nobody has shares
goes back to the funder, and so do the fractions that the last to leave a vault left behind. Of a vault that is liquidated whole the
positions keep what they had booked; the rest is the funder's.

Source: MECHANICS.md section 3, "Rewards"; 000_f10a0af1cff63fc7.txt, "LP's, Pools, Markets & Traders" (the distributor may distribute
additional rewards to LPs).
"""

from __future__ import annotations

from seawall.protocols import ledger, staking
from seawall.protocols.amounts import floor_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import EVERY, Core
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row

INFINITE = float("inf")


@rule
def is_fed(core: Core, s: int, p: int, c: int) -> bool:
    """Tell whether a stream rewards a vault."""
    stream = core.streams[s]
    return bool(stream.pool == p and (stream.collateral_type == c or stream.collateral_type == EVERY))


@rule
def due(stream: Row, now: float) -> float:
    """Tokens of the schedule in progress that have fallen due: by the time elapsed, floored to a unit."""
    if now < stream.start:
        return 0.0
    if now >= stream.start + stream.duration:
        return float(stream.amount)
    return min(floor_amount(stream.amount * ((now - stream.start) / stream.duration)), float(stream.amount))


@rule
def release(stream: Row, now: float) -> float:
    """Take what has newly fallen due out of the schedules; the one that waits follows the one in progress."""
    total = due(stream, now) - stream.released
    stream.released += total
    if stream.released == stream.amount and stream.next_amount > 0.0:
        stream.amount, stream.start, stream.duration = stream.next_amount, stream.next_start, stream.next_duration
        stream.next_amount = stream.released = 0.0
        stream.released = due(stream, now)
        total += stream.released
    return float(total)


@rule
def accrue(core: Core, s: int, now: float) -> None:
    """Share what has fallen due among those who have shares now; the funder's when nobody has."""
    stream = core.streams[s]
    amount = release(stream, now)
    if stream.collateral_type == EVERY:
        stream.total_bond = core.pools[stream.pool].value
        give(stream, stream, amount)
    else:
        holder = core.stream_vaults[s, stream.collateral_type]
        holder.total_bond = core.vaults[stream.pool, stream.collateral_type].shares
        give(stream, holder, amount)


@rule
def give(stream: Row, holder: Row, amount: float) -> None:
    """Share tokens of a stream by an index, if anybody has shares of it."""
    if holder.total_bond <= 0.0:
        stream.returnable += amount
    elif amount > 0.0:
        staking.take_in(holder, amount)


@rule
def accrue_vault(core: Core, p: int, c: int, now: float) -> None:
    """Bring all streams of a vault up to now. Done before the vault's weight or shares change."""
    for s in range(len(core.streams)):
        if is_fed(core, s, p, c):
            accrue(core, s, now)
            if core.streams[s].collateral_type == EVERY:
                holder = core.stream_vaults[s, c]
                holder.bond = core.vaults[p, c].weight
                holder.total_bond = core.vaults[p, c].shares
                staking.accrue(holder, core.streams[s])
                give(core.streams[s], holder, holder.pending)
                holder.pending = 0.0


@rule
def accrue_position(core: Core, position: Row, now: float) -> None:
    """Book what a position has earned in all its streams up to now. Done before its shares change."""
    p, c = position.pool, position.collateral_type
    accrue_vault(core, p, c, now)
    for s in range(len(core.streams)):
        if is_fed(core, s, p, c):
            reward = core.claims[position.row, s]
            reward.bond = position.shares if position.epoch == core.vaults[p, c].epoch else 0.0
            staking.accrue(reward, core.stream_vaults[s, c])


@rule
def close_index(stream: Row, holder: Row) -> None:
    """Give the funder back what an index still holds."""
    stream.returnable += holder.unsettled + holder.pending_reward
    holder.unsettled = holder.pending_reward = holder.dust = 0.0


@rule
def close_empty(core: Core, p: int, c: int) -> None:
    """Give the funders back what the indices of a vault, or of the pool, still hold when nobody has shares any more."""
    for s in range(len(core.streams)):
        stream = core.streams[s]
        if is_fed(core, s, p, c):
            if core.vaults[p, c].shares <= 0.0:
                close_index(stream, core.stream_vaults[s, c])
            if stream.collateral_type == EVERY and core.pools[p].value <= 0.0:
                close_index(stream, stream)


@rule
def distribute(core: Core, s: int, wallets: Floats, amount: float, start: float, duration: float, now: float) -> tuple[Status, float]:
    """Schedule a reward. Its funder pays it in now.

    A schedule that starts at or after the end of the one in progress waits for it, in place of one that waits already. Otherwise it
    replaces the one in progress, and one that waits if that would start before its end. What is replaced and not yet released is cancelled
    and goes back to the funder. What has already fallen due is paid at once.

    Args:
        core: streams and their vaults changed.
        s: row of `core.streams`.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: reward tokens, > 0.
        start: seconds; may lie in the past, minus infinity for "at once" whatever is in progress.
        duration: seconds, >= 0; 0 pays all at the start.
        now: seconds since the start.

    Returns:
        (OK, tokens cancelled), or (BAD_AMOUNT, BAD_TERMS, INSUFFICIENT_BALANCE; 0) with nothing changed. BAD_TERMS also for neither a start
        nor a duration, which the public implementation accepts and never pays.

    Source: MECHANICS.md section 3, "Rewards". That a waiting schedule gives way to one that overlaps it is an assumption.
    """
    stream = core.streams[s]
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT, 0.0
    if not (start < INFINITE and 0.0 <= duration < INFINITE) or (start == -INFINITE and duration == 0.0):
        return Status.BAD_TERMS, 0.0
    status = ledger.transfer(wallets, stream.token, stream.funder, stream.account, amount)
    if status != Status.OK:
        return status, 0.0
    accrue(core, s, now)
    cancelled = 0.0
    if stream.released < stream.amount and start >= stream.start + stream.duration:
        cancelled += stream.next_amount
        stream.next_amount, stream.next_start, stream.next_duration = amount, start, duration
    else:
        cancelled += stream.amount - stream.released
        if stream.next_start < start + duration:
            cancelled += stream.next_amount
            stream.next_amount = 0.0
        stream.amount, stream.start, stream.duration, stream.released = amount, start, duration, 0.0
    accrue(core, s, now)
    ledger.transfer(wallets, stream.token, stream.account, stream.funder, cancelled)
    return Status.OK, cancelled


@rule
def claim(core: Core, position: Row, s: int, wallets: Floats, now: float) -> tuple[Status, float]:
    """Pay a position all that it has earned in a stream.

    Args:
        core: streams, their vaults and the position's claims changed.
        position: row of `core.positions`.
        s: row of `core.streams`.
        wallets: `[accounts, tokens]`; changed through the ledger.
        now: seconds since the start.

    Returns:
        (OK, reward tokens paid), or (NOT_REWARDED, 0) when the stream is not for the position's vault, with nothing changed.
    """
    if not is_fed(core, s, position.pool, position.collateral_type):
        return Status.NOT_REWARDED, 0.0
    accrue_position(core, position, now)
    stream, reward = core.streams[s], core.claims[position.row, s]
    paid = float(reward.pending)
    reward.pending = 0.0
    return ledger.transfer(wallets, stream.token, stream.account, position.account, paid), paid


@rule
def reclaim(stream: Row, wallets: Floats) -> tuple[Status, float]:
    """Pay back to the funder what nobody could earn; never refused.

    Returns:
        (OK, tokens paid).
    """
    paid = float(stream.returnable)
    stream.returnable = 0.0
    return ledger.transfer(wallets, stream.token, stream.account, stream.funder, paid), paid
