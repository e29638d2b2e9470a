"""What a contract answers, and which actions it is asked for."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Answer of a rule: OK, or the reason for which nothing was changed.

    UNPROFITABLE, NO_CAPITAL and NO_LIQUIDITY are an agent's own reasons for leaving a margin-called CDP alone; they are counted beside the
    refusals.
    """

    OK = 0
    BAD_AMOUNT = 1
    STALE_PRICE = 2
    BELOW_MIN_RATIO = 3
    INSUFFICIENT_BALANCE = 4
    INSUFFICIENT_COLLATERAL = 5
    INSUFFICIENT_DEBT = 6
    UNAUTHORIZED = 7
    NOT_MARGIN_CALLED = 8
    CDP_NOT_OPEN = 9
    CDP_ALREADY_OPEN = 10
    EXCEEDS_MAX_SPREAD = 11
    EXCEEDS_MAX_SLIPPAGE = 12
    EMPTY_POOL = 13
    SUPPLY_LIMIT = 14
    UNPROFITABLE = 15
    NO_CAPITAL = 16
    NO_LIQUIDITY = 17
    TASSET_DELISTED = 18
    TASSET_LISTED = 19
    INSUFFICIENT_STAKE = 20
    NOT_REWARDED = 21
    TOO_EARLY = 22
    WRONG_POLL_STATE = 23
    ALREADY_VOTED = 24
    BAD_TERMS = 25
    ACCOUNT_LIQUIDATABLE = 26
    NOT_LIQUIDATABLE = 27
    NEGATIVE_FILL_PRICE = 28
    MAX_OPEN_INTEREST = 29
    MAX_OPEN_INTEREST_USD = 30
    INSUFFICIENT_MARGIN = 31
    EXCEEDS_CREDIT_CAPACITY = 32
    EXCEEDS_ACCEPTABLE_PRICE = 33
    INSUFFICIENT_CREDIT = 34
    LIQUIDATION_WINDOW_USED = 35


class Action(IntEnum):
    """What an agent asked a contract to do; a row of `World.tallies`."""

    PUBLISH = 0
    OPEN = 1
    DEPOSIT = 2
    WITHDRAW = 3
    MINT = 4
    BURN = 5
    CLOSE = 6
    PURCHASE = 7
    SWAP = 8
    PROVIDE = 9
    REDEEM = 10
