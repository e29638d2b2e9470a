"""What a poll that has passed does: list a tASSET, reassign its feeder, change its minimum ratio or its discount.

Source: 004_7b43fd311786c790.txt, "Whitelisting" (listed automatically once approved) and "Oracle Feeder"; bounds of the terms and the delay
from MECHANICS.md section 1, "Parameters".
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.poll_terms import PollKind, PollState
from seawall.protocols.status import Status
from seawall.protocols.tables import Row


@rule
def are_terms_valid(min_collateral_ratio: float, auction_discount: float) -> bool:
    """Tell whether a tASSET may have these terms: ratio at least 1 and finite, discount in [0, 1)."""
    return 1.0 <= min_collateral_ratio < float("inf") and 0.0 <= auction_discount < 1.0


@rule
def is_executable(poll: Row, terms: Row, now: float) -> bool:
    """Tell whether a poll has passed, is not yet executed, and its delay is over."""
    return bool(poll.state == PollState.PASSED and now >= poll.ends_at + terms.delay_seconds)


@rule
def reassign_feeder(feed: Row, new_feeder: int) -> Status:
    """Let another account publish a tASSET's price; the last price stays.

    Returns:
        OK, or TASSET_DELISTED, BAD_TERMS (not listed yet: that takes another poll) with nothing changed.
    """
    if feed.is_frozen:
        return Status.TASSET_DELISTED
    if feed.feeder < 0:
        return Status.BAD_TERMS
    feed.feeder = new_feeder
    return Status.OK


@rule
def change_terms(tasset: Row, min_collateral_ratio: float, auction_discount: float) -> Status:
    """Set a tASSET's minimum ratio and discount (fractions).

    Returns:
        OK, or TASSET_DELISTED, BAD_TERMS with nothing changed. Open CDPs are judged by the new terms at once.
    """
    if tasset.is_delisted:
        return Status.TASSET_DELISTED
    if not are_terms_valid(min_collateral_ratio, auction_discount):
        return Status.BAD_TERMS
    tasset.min_collateral_ratio = min_collateral_ratio
    tasset.auction_discount = auction_discount
    return Status.OK


@rule
def whitelist(tasset: Row, feed: Row, stake_pool: Row, feeder: int) -> Status:
    """List a prepared tASSET: its feeder may publish from now on, and its LP tokens earn when staked.

    Before, its feed belongs to nobody (feeder -1, never published), so no CDP can be opened.

    Returns:
        OK, or TASSET_DELISTED, BAD_TERMS with nothing changed.
    """
    if tasset.is_delisted:
        return Status.TASSET_DELISTED
    if not are_terms_valid(tasset.min_collateral_ratio, tasset.auction_discount):
        return Status.BAD_TERMS
    stake_pool.is_rewarded = True
    feed.feeder = feeder
    return Status.OK


@rule
def execute(poll: Row, terms: Row, tasset: Row, feed: Row, stake_pool: Row, now: float) -> Status:
    """Do what a passed poll has decided, once.

    Args:
        poll: row of `World.polls`; changed.
        terms: row of `World.governance`.
        tasset: row of `World.tassets` that the poll targets; changed.
        feed: row of `World.feeds` of the tASSET; changed.
        stake_pool: row of `World.stake_pools` of the tASSET's LP token; changed.
        now: seconds since the start.

    Returns:
        OK, or WRONG_POLL_STATE (not passed, or executed), TOO_EARLY (within the delay), TASSET_DELISTED, BAD_TERMS with nothing changed.
    """
    if poll.state != PollState.PASSED:
        return Status.WRONG_POLL_STATE
    if not is_executable(poll, terms, now):
        return Status.TOO_EARLY
    if poll.kind == PollKind.WHITELIST:
        status = whitelist(tasset, feed, stake_pool, int(poll.value))
    elif poll.kind == PollKind.REASSIGN_FEEDER:
        status = reassign_feeder(feed, int(poll.value))
    elif poll.kind == PollKind.MIN_COLLATERAL_RATIO:
        status = change_terms(tasset, poll.value, tasset.auction_discount)
    else:
        status = change_terms(tasset, tasset.min_collateral_ratio, poll.value)
    if status == Status.OK:
        poll.state, poll.executed_at = PollState.EXECUTED.value, now
    return status
