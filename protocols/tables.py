"""The state of a market: one row per thing, one table per kind, each column with its unit.

`World` holds every table; nothing else holds market state. Rows are views (`world.cdps[3].debt -= 1.0` changes the table), compiled and in
plain Python alike. Amounts are whole units of tokens (see `amounts`), prices USD per token, times seconds since the start.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seawall.protocols.by_reference import by_reference

FLOAT = "f8"
INT = "i8"
BOOL = "?"

Table = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Row = Any  # a record of a table; its columns are read and written as attributes

UNITS: dict[str, dict[str, str]] = {}
"""Unit and meaning of each column, by table name."""


def table_type(name: str, **columns: tuple[str, str]) -> np.dtype[Any]:
    """Define a table: columns as `name=(type, "unit: meaning")`. The documentation is kept in `UNITS`."""
    hidden = [column for column in columns if hasattr(np.record, column)]
    if hidden:
        raise ValueError(f"{name}: {hidden} are attributes of every NumPy record, so `row.{hidden[0]}` would not be the column")
    UNITS[name] = {column: meaning for column, (_, meaning) in columns.items()}
    fields = np.dtype([(column, kind) for column, (kind, _) in columns.items()], align=True)
    return np.dtype((np.record, fields))


CLOCK = table_type(
    "clock",
    step=(INT, "rounds done; 0 is the state at the start"),
    steps=(INT, "rounds in the whole run"),
    now=(FLOAT, "seconds since the start"),
    step_seconds=(FLOAT, "seconds per round"),
    order_seed=(INT, "seed of the stream that draws who goes first, 31 bits"),
    record_every=(INT, "rounds between two records"),
    records=(INT, "records written so far"),
    events=(INT, "events written so far"),
    events_lost=(INT, "events that found the table full; their totals are counted all the same"),
)

TOKEN = table_type(
    "tokens",
    supply=(FLOAT, "tokens: minted minus burned so far; equals the sum of all wallets"),
)

FEED = table_type(
    "feeds",
    feeder=(INT, "account that may publish"),
    price=(FLOAT, "USD per token, last published"),
    updated_at=(FLOAT, "seconds: time of the last publication; infinite where frozen, minus infinite for none"),
    valid_for=(FLOAT, "seconds for which a price may be used; infinite for ever"),
    is_frozen=(BOOL, "takes no more prices; the last counts for ever: the end price of a delisted tASSET, or tDOLLAR's price of 1"),
)

TASSET = table_type(
    "tassets",
    token=(INT, "row of tokens"),
    feed=(INT, "row of feeds"),
    pool=(INT, "row of pools: tASSET against tDOLLAR"),
    asset=(INT, "column of market_price: what the tASSET tracks; contracts never read it"),
    min_collateral_ratio=(FLOAT, "fraction: collateral value / debt value below which a CDP is margin called"),
    auction_discount=(FLOAT, "fraction off the price at which a margin-called CDP's collateral is sold"),
    protocol_fee=(FLOAT, "fraction of collateral withdrawn"),
    auction_fee=(FLOAT, "fraction of collateral bought in an auction"),
    liquidate_whole=(BOOL, "one purchase may take the whole debt, not only what restores the minimum ratio"),
    auction_needs_fresh_price=(BOOL, "a stale price stops auctions too; otherwise they go on at the last price"),
    is_delisted=(BOOL, "fixed at its end price and being wound up"),
    end_price=(FLOAT, "USD per token at which a delisted tASSET is burned"),
    replacement=(INT, "row of tassets that took over when it was delisted; -1 for none"),
    debt=(FLOAT, "tokens owed by all open CDPs: running sum"),
    bad_debt=(FLOAT, "tokens whose CDP ran out of collateral: cumulative"),
    bad_debt_usd=(FLOAT, "USD: the same at the oracle price of the moment: cumulative"),
)

CDP_KIND = table_type(
    "cdp_kinds",
    tasset=(INT, "row of tassets: what is minted"),
    feed=(INT, "row of feeds: its price"),
    token=(INT, "row of tokens: the collateral, tDOLLAR or another tASSET"),
    collateral_feed=(INT, "row of feeds: the collateral's price"),
    is_revoked=(BOOL, "the collateral is taken no more, because it was delisted"),
    debt=(FLOAT, "tokens owed by all CDPs of the kind: running sum"),
    collateral=(FLOAT, "tokens of collateral held for them: running sum"),
    touched=(INT, "row of cdps + 1: first of the CDPs changed since somebody took notice; 0 for none"),
    unranked=(INT, "row of cdps + 1: first of the CDPs changed since they were ranked (models/ranking.py); 0 for none"),
    first=(INT, "row of cdps: first of the kind"),
    end=(INT, "row of cdps after the last of the kind"),
    root=(INT, "row of alarms: root of its CDPs' alarms (agents/alarm_tree.py); -1 without CDPs"),
)

CDP = table_type(
    "cdps",
    owner=(INT, "account"),
    tasset=(INT, "row of tassets"),
    kind=(INT, "row of cdp_kinds"),
    is_open=(BOOL, "holds collateral or owes debt"),
    collateral=(FLOAT, "tokens of the collateral of its kind"),
    debt=(FLOAT, "tASSET tokens"),
    backing=(FLOAT, "collateral per token owed: the price ratio at which it just covers debt; infinite without debt"),
    row=(INT, "row of cdps: its own"),
    is_touched=(BOOL, "changed since somebody took notice"),
    next_touched=(INT, "row of cdps + 1: the next such CDP of its kind; 0 for none"),
    is_unranked=(BOOL, "changed since it was ranked"),
    next_unranked=(INT, "row of cdps + 1: the next such CDP of its kind; 0 for none"),
    ranked=(FLOAT, "collateral per token: the backing under which it is ranked; -1 while it is closed, infinite without debt"),
    is_called=(BOOL, "listed in called"),
    is_insolvent=(BOOL, "listed in insolvent"),
)

POOL = table_type(
    "pools",
    account=(INT, "account that holds the reserves"),
    base_token=(INT, "row of tokens: tDOLLAR"),
    asset_token=(INT, "row of tokens: the tASSET, or tEXO"),
    share_token=(INT, "row of tokens: the LP token"),
    commission=(FLOAT, "fraction of what a swap pays out; stays in the pool"),
    fees_base=(FLOAT, "tDOLLAR of commission kept so far"),
    fees_asset=(FLOAT, "tokens of commission kept so far, of the asset token"),
    volume_base=(FLOAT, "tDOLLAR swapped in or out so far"),
)

STAKE_POOL = table_type(
    "stake_pools",
    account=(INT, "account that holds staked tokens and rewards; no other pool has it"),
    staked_token=(INT, "row of tokens: an LP token, or tEXO"),
    reward_token=(INT, "row of tokens: tEXO; may be the staked token"),
    is_rewarded=(BOOL, "takes new stakes and rewards; otherwise stakes only leave with what they earned"),
    emission_weight=(FLOAT, "part of the inflation, relative to the other rewarded pools"),
    total_bond=(FLOAT, "staked tokens of all stakes: running sum"),
    reward_index=(FLOAT, "reward tokens per staked token, since somebody was last the first to stake"),
    pending_reward=(FLOAT, "reward tokens that wait for the next deposit: nobody was bonded, or too little to share"),
    unsettled=(FLOAT, "reward tokens shared out by the index that no stake has booked yet"),
    dust=(FLOAT, "reward tokens: fractions of a unit lost by stakes' floors, part of unsettled"),
    rewarded=(FLOAT, "reward tokens that have come in so far"),
)

STAKE = table_type(
    "stakes",
    owner=(INT, "account"),
    pool=(INT, "row of stake_pools"),
    bond=(FLOAT, "staked tokens"),
    index=(FLOAT, "reward_index of the pool when the stake last booked its rewards"),
    pending=(FLOAT, "reward tokens booked and not yet claimed"),
    locked=(FLOAT, "staked tokens that have voted and stay until locked_until"),
    locked_until=(FLOAT, "seconds: end of the last poll voted in"),
)

INFLATION = table_type(
    "inflation",
    token=(INT, "row of tokens: tEXO"),
    min_interval=(FLOAT, "seconds between two emissions at least"),
    emitted_at=(FLOAT, "seconds: time of the last emission; minus infinite for none"),
    emitted=(FLOAT, "tokens minted so far"),
)

EMISSION = table_type(
    "emissions",
    start=(FLOAT, "seconds"),
    end=(FLOAT, "seconds, exclusive; infinite for never"),
    per_second=(FLOAT, "tokens per second"),
)

GOVERNANCE = table_type(
    "governance",
    stake_pool=(INT, "row of stake_pools: tEXO, whose stakes vote"),
    token=(INT, "row of tokens: tEXO"),
    deposit=(FLOAT, "tokens that a proposer pays"),
    quorum=(FLOAT, "fraction of all that is staked which must vote, abstaining included"),
    threshold=(FLOAT, "fraction of yes + no that yes must exceed"),
    voting_seconds=(FLOAT, "seconds for which votes are taken"),
    delay_seconds=(FLOAT, "seconds between the end of voting and execution"),
)

POLL = table_type(
    "polls",
    row=(INT, "row of polls: its own"),
    proposer=(INT, "account"),
    kind=(INT, "poll_terms.PollKind"),
    target=(INT, "row of tassets"),
    value=(FLOAT, "account of the feeder, or fraction: the new ratio or discount"),
    deposit=(FLOAT, "tokens held until the end"),
    created_at=(FLOAT, "seconds"),
    ends_at=(FLOAT, "seconds: votes are taken before"),
    yes=(FLOAT, "staked tokens"),
    no=(FLOAT, "staked tokens"),
    abstain=(FLOAT, "staked tokens"),
    staked=(FLOAT, "staked tokens when it was counted; 0 before"),
    executed_at=(FLOAT, "seconds: when it was executed; 0 before"),
    state=(INT, "poll_terms.PollState"),
)

BALLOT = table_type(
    "ballots",
    poll=(INT, "row of polls"),
    voter=(INT, "account"),
    choice=(INT, "poll_terms.Choice"),
    weight=(FLOAT, "staked tokens; 0 before the vote"),
)

TDOLLAR = 0  # row of tokens
MINT_ACCOUNT = 0  # row of wallets: the contract that holds all CDPs' collateral
COLLECTOR_ACCOUNT = 1  # row of wallets: protocol fees
GOVERNANCE_ACCOUNT = 2  # row of wallets: deposits of polls
FIRST_FREE_ACCOUNT = 3


@by_reference
class World(NamedTuple):
    """All state of one market, and the outside inputs it will meet.

    `wallets` is [accounts, tokens]; the inputs `market_price`, `market_open` ([steps + 1, assets]) and `feed_noise`, `feed_up` ([steps +
    1, oracle feeders]) are only read. So are those of disturbances: `feed_faults` ([steps + 1, oracle feeders]), `gas` ([steps + 1]) and
    `departures`, which have no rows where nothing disturbs. Tables of agents (`oracle_feeders` ... `intentions`) are described in
    `agents/tables.py`, measurements in `models/records.py`. Tokens are tDOLLAR, the tASSETs, their LP tokens, tEXO and its LP token; the
    last row of `pools` is tEXO's, the last of `stake_pools` is where tEXO itself is staked, and the last of `feeds` says that a tDOLLAR is
    a dollar. `start_holdings` is [groups, tokens]: what each group of agents owned, net of debt, before the first round
    (`models/market_waterfall.py`). `calms` has a row for the LPs of each pool and a last one
    for the stakers, `alarms` is [uses, nodes] (`agents/alarm_tree.py`), `backings` [3, CDPs] (`models/ranking.py`).
    `called` and `insolvent` are lists of rows of cdps behind their number; `changes`, [2, CDPs + 1], is room for what is to change in them.
    """

    clock: Table
    tokens: Table
    wallets: Floats
    feeds: Table
    tassets: Table
    cdp_kinds: Table
    cdps: Table
    pools: Table
    stake_pools: Table
    stakes: Table
    inflation: Table
    emissions: Table
    governance: Table
    polls: Table
    ballots: Table
    oracle_feeders: Table
    minters: Table
    liquidators: Table
    traders: Table
    arbitrageurs: Table
    lps: Table
    stakers: Table
    keepers: Table
    proposals: Table
    intentions: Table
    migrations: Table
    market_price: Floats
    market_open: Bools
    feed_noise: Floats
    feed_up: Bools
    feed_faults: Table
    gas: Table
    departures: Table
    orders: Table
    order_start: Ints
    calms: Table
    alarms: Table
    called: Ints
    insolvent: Ints
    changes: Ints
    backings: Floats
    marks: Table
    tallies: Ints
    flows: Table
    events: Table
    peaks: Table
    series: Table
    ratio_counts: Ints
    reward_series: Table
    tally_series: Ints
    start_holdings: Floats
