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
    WRONG_ASSET = 26
    POSITION_NOT_OPEN = 27
    POSITION_ALREADY_OPEN = 28
    NO_ELIGIBLE_LP = 29
    NOT_WHOLLY_FILLED = 30
    NO_BID = 31
    EMPTY_DISTRIBUTION = 32
    NOT_ENOUGH_LIQUIDITY = 33
    CAPACITY_LOCKED = 34
    VAULT_BELOW_RATIO = 35
    BELOW_MIN_DELEGATION = 36
    DELEGATION_UNCHANGED = 37
    POOL_COLLATERAL_LIMIT = 38
    NOT_BACKED = 39
    NOT_LIQUIDATABLE = 40
    MUST_LIQUIDATE_VAULT = 41
    ACCOUNT_LIQUIDATABLE = 42
    NEGATIVE_FILL_PRICE = 43
    MAX_OPEN_INTEREST = 44
    MAX_OPEN_INTEREST_USD = 45
    INSUFFICIENT_MARGIN = 46
    EXCEEDS_CREDIT_CAPACITY = 47
    EXCEEDS_ACCEPTABLE_PRICE = 48
    INSUFFICIENT_CREDIT = 49
    LIQUIDATION_WINDOW_USED = 50


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
    MIGRATE = 11
    RECOVER = 12
    BOND = 13
    UNBOND = 14
    CLAIM = 15
    EMIT = 16
    CONVERT = 17
    DISTRIBUTE = 18
    PROPOSE = 19
    VOTE = 20
    END_POLL = 21
    EXECUTE = 22
    TRADE = 23
    ADD_MARGIN = 24
    TAKE_MARGIN = 25
    LIQUIDATE_TRADER = 26
    UNDELEGATE = 27
    MOVE_POOL = 28
    MINT_USD = 29
    BURN_USD = 30
    LIQUIDATE_LP = 31
    LIQUIDATE_VAULT = 32
    CONFIGURE = 33
    SHARE_FEES = 34
    INCENTIVE = 35
    CLAIM_REWARD = 36
    RFQ_ORDER = 37
    RFQ_TERMS = 38
    RFQ_FUND = 39
    AUCTION = 40
