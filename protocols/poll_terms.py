"""The words of governance: what a poll may decide, how far it has come, what a voter may say."""

from __future__ import annotations

from enum import IntEnum


class PollKind(IntEnum):
    """What a poll decides."""

    WHITELIST = 0
    REASSIGN_FEEDER = 1
    MIN_COLLATERAL_RATIO = 2
    AUCTION_DISCOUNT = 3


class PollState(IntEnum):
    """How far a poll has come."""

    NONE = 0
    IN_PROGRESS = 1
    PASSED = 2
    REJECTED = 3
    EXECUTED = 4


class Choice(IntEnum):
    """What a voter may say."""

    YES = 0
    NO = 1
    ABSTAIN = 2
