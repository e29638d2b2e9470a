"""Staking: rewards shared among those who are bonded, by an index of reward tokens per staked token.

One mechanism serves LP tokens (rewarded by inflation) and tEXO (rewarded by the protocol fee). Rewards that come while nobody is bonded
wait and join the next deposit.

All that is paid out was paid in: a reward deposited is at every moment either waiting (`pending_reward`), shared out but not booked
(`unsettled`), booked (`pending` of a stake) or claimed, each in whole units. The index is a plain float64 that rounds down, and what it
cannot express waits; a stake's part is floored to a unit, and the fractions so lost (`dust`) join the next deposit as soon as they make a
unit. A stake's part is at most what is unsettled, whatever the rounding of a product; below 2**30 tokens of rewards this limit is
not met.

Source: 004_7b43fd311786c790.txt, "Protocol Fee", "Whitelisting" (LP tokens earn inflation when staked), "Delisting & Migration" (they stop
counting); the index from MECHANICS.md section 1, "Staking".
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import LIMIT, floor_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table

ONE_ULP = 2.0**-53  # x - x * ONE_ULP is the next float64 below x
CAUTION = 1.0 - 2.0**-50  # a fraction lost is counted a little low, so that it is not given away twice


@rule
def share_out(pool: Row) -> None:
    """Raise the index by what waits, per staked token; what the index cannot express goes on waiting.

    The sum of index and growth is rounded down, so stakes together never earn more than was there. Nothing happens while nobody is bonded.
    """
    if pool.total_bond <= 0.0 or pool.pending_reward <= 0.0:
        return
    available = pool.pending_reward
    growth = available / pool.total_bond
    index = pool.reward_index + growth
    if index - pool.reward_index > growth:
        index -= index * ONE_ULP
    left = min(floor_amount((growth - (index - pool.reward_index)) * pool.total_bond), available)
    pool.reward_index = index
    pool.pending_reward = left
    pool.unsettled += available - left


@rule
def take_in(pool: Row, amount: float) -> None:
    """Book a reward that has come to the pool's account, together with whole units of dust, and share it out."""
    swept = min(floor_amount(pool.dust), pool.unsettled)
    pool.dust = max(pool.dust - swept, 0.0)
    pool.unsettled -= swept
    pool.rewarded += amount
    pool.pending_reward += amount + swept
    share_out(pool)


@rule
def accrue(stake: Row, pool: Row) -> None:
    """Book what a stake has earned since it was last touched: floor(bond * growth of the index). Done before its bond changes."""
    exact = stake.bond * (pool.reward_index - stake.index)
    earned = min(floor_amount(exact), pool.unsettled)
    stake.index = pool.reward_index
    stake.pending += earned
    pool.unsettled -= earned
    pool.dust += max(exact * CAUTION - earned, 0.0)


@rule
def bond(stake: Row, pool: Row, wallets: Floats, amount: float) -> Status:
    """Stake tokens; they earn from the next reward on.

    Args:
        stake: row of `World.stakes` with owner and pool set; changed.
        pool: row of `World.stake_pools` of the stake; changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: staked tokens, > 0.

    Returns:
        OK, or NOT_REWARDED, BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    if not pool.is_rewarded:
        return Status.NOT_REWARDED
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    status = ledger.transfer(wallets, pool.staked_token, stake.owner, pool.account, amount)
    if status == Status.OK:
        accrue(stake, pool)
        stake.bond += amount
        pool.total_bond += amount
    return status


@rule
def unbond(stake: Row, pool: Row, wallets: Floats, amount: float, now: float) -> Status:
    """Take staked tokens back; what they earned stays to be claimed. A pool no longer rewarded lets go, too.

    When the last stake leaves, what nobody booked waits for the next deposit and the index starts again from 0.

    Args:
        stake: row of `World.stakes`; changed.
        pool: row of `World.stake_pools` of the stake; changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: staked tokens, > 0.
        now: seconds since the start.

    Returns:
        OK, or BAD_AMOUNT, INSUFFICIENT_STAKE (more than is bonded, or than has not voted in a poll in progress) with nothing changed.
    """
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    kept = stake.locked if now < stake.locked_until else 0.0
    if amount > stake.bond - kept:
        return Status.INSUFFICIENT_STAKE
    accrue(stake, pool)
    stake.bond -= amount
    pool.total_bond -= amount
    if pool.total_bond <= 0.0:
        pool.pending_reward += pool.unsettled
        pool.unsettled = pool.dust = pool.reward_index = 0.0
    return ledger.transfer(wallets, pool.staked_token, pool.account, stake.owner, amount)


@rule
def deposit_reward(pool: Row, wallets: Floats, payer: int, amount: float) -> Status:
    """Pay a reward to those who are bonded now, by their bonds.

    Args:
        pool: row of `World.stake_pools`; changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        payer: account.
        amount: reward tokens, > 0.

    Returns:
        OK, or NOT_REWARDED, BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    if not pool.is_rewarded:
        return Status.NOT_REWARDED
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    status = ledger.transfer(wallets, pool.reward_token, payer, pool.account, amount)
    if status == Status.OK:
        take_in(pool, amount)
    return status


@rule
def claim(stake: Row, pool: Row, wallets: Floats) -> tuple[Status, float]:
    """Pay a stake all that it has earned.

    Args:
        stake: row of `World.stakes`; changed.
        pool: row of `World.stake_pools` of the stake; changed.
        wallets: `[accounts, tokens]`; changed through the ledger.

    Returns:
        (OK, reward tokens paid), 0 when it has earned less than a unit; never refused, not by a pool no longer rewarded either.
    """
    accrue(stake, pool)
    paid = stake.pending
    stake.pending = 0.0
    return ledger.transfer(wallets, pool.reward_token, pool.account, stake.owner, paid), paid


@rule
def scheduled(emissions: Table, now: float) -> float:
    """Tokens that the schedule has released up to now: per second over [start, end) of each of its rows, floored to a unit."""
    total = 0.0
    for i in range(len(emissions)):
        seconds = min(now, emissions[i].end) - emissions[i].start
        if seconds > 0.0:
            total += floor_amount(emissions[i].per_second * seconds)
    return total


@rule
def total_weight(pools: Table, token: int) -> float:
    """Sum of the weights of the pools that share in the inflation of a token."""
    total = 0.0
    for i in range(len(pools)):
        if pools[i].is_rewarded and pools[i].reward_token == token:
            total += pools[i].emission_weight
    return total


@rule
def emit(inflation: Row, emissions: Table, pools: Table, tokens: Table, wallets: Floats, now: float) -> tuple[Status, float]:
    """Mint what the schedule has released and not yet paid, and share it among the rewarded pools by weight.

    Each part is floored to a unit; the rest is not minted and is due next time. So is everything while no pool is rewarded.

    Args:
        inflation: row of `World.inflation`; changed.
        emissions: `World.emissions`, the schedule.
        pools: `World.stake_pools`; changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        now: seconds since the start.

    Returns:
        (OK, tokens minted), or (TOO_EARLY, BAD_AMOUNT, SUPPLY_LIMIT; 0) with nothing changed. BAD_AMOUNT when nothing is due to anybody.

    Source: MECHANICS.md section 1, "Staking" (weight 100 for an LP token, 300 for the governance token, at least 60 s apart).
    """
    if now - inflation.emitted_at < inflation.min_interval:
        return Status.TOO_EARLY, 0.0
    due, weights = scheduled(emissions, now) - inflation.emitted, total_weight(pools, inflation.token)
    if not (weights > 0.0 and is_positive_amount(due)):
        return Status.BAD_AMOUNT, 0.0
    if tokens[inflation.token].supply + due > LIMIT:
        return Status.SUPPLY_LIMIT, 0.0
    minted = 0.0
    for i in range(len(pools)):
        if pools[i].is_rewarded and pools[i].reward_token == inflation.token:
            part = min(floor_amount(due * pools[i].emission_weight / weights), due - minted)
            ledger.mint(wallets, tokens, inflation.token, pools[i].account, part)
            take_in(pools[i], part)
            minted += part
    inflation.emitted += minted
    inflation.emitted_at = now
    return Status.OK, minted
