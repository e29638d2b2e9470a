"""The exchange: DexToro's pools, markets and traders beside the tASSET market, with which it shares clock, tokens, wallets and feeds.

`Exchange` holds the core (LPs -> pools -> markets), one group of perps accounts for each market, the agents' behaviour and what was
measured. `core_of` and `perps_of` hand rules what they work on, `core_in` and `perps_in` do so in Python.
"""

from __future__ import annotations

from typing import NamedTuple

from seawall.protocols.by_reference import by_reference
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import Core
from seawall.protocols.perps_tables import Perps
from seawall.protocols.tables import BOOL, FLOAT, INT, Floats, Ints, Table, table_type

SIZE = 32
"""Rows of a block: of traders, whose bounds it keeps together, and of LPs, whose next looks."""

_SCRIPTED = (BOOL, "stepped by a user's Python class instead of the built-in behaviour")

PERPS_TRADER = table_type(
    "perps_traders",
    account=(INT, "account"),
    market=(INT, "row of markets that it trades"),
    member=(INT, "row of perps_accounts in that market's group: the same as its own"),
    kind=(INT, "TraderKind"),
    recorded=(INT, "column of recorded positions that it follows; -1 for none"),
    leverage=(FLOAT, "notional / margin that it opens with"),
    capital=(FLOAT, "USD: the notional that it takes on at most is this times the leverage"),
    threshold=(FLOAT, "fraction: signal from which it takes a side (momentum, reversion), or funding rate per day (carry)"),
    exit_threshold=(FLOAT, "the same, below which it closes"),
    long_share=(FLOAT, "fraction of its positions without a signal that are long"),
    alert=(FLOAT, "margin / maintenance margin below which it adds margin; 0 for one who lets it go"),
    cooldown=(FLOAT, "seconds that it stays away after a liquidation; infinite for ever"),
    away_until=(FLOAT, "seconds: it places no orders before; infinite for ever, minus infinite at the start"),
    first_order=(INT, "row of perps_orders: its first order of the last round in which it had any"),
    safe_low=(FLOAT, "USD: its margin needs nobody's attention while the index price is not below, and so for the next four"),
    safe_high=(FLOAT, "USD: the index price is not above; infinite for any price, 0 to be looked at in any case"),
    least_funding=(FLOAT, "USD per unit: the market's funding per unit is not below; minus infinite for any"),
    most_funding=(FLOAT, "USD per unit: it is not above; infinite for any"),
    most_interest=(FLOAT, "USD per USD of locked notional: the group's interest index is not above; infinite for any"),
    is_watched=(BOOL, "stands in Exchange.watched"),
    start_usd=(FLOAT, "dUSD at the start"),
    callable_since=(FLOAT, "seconds: since when it may be liquidated, if it may; followed only where gas can hold keepers up"),
    callable_until=(INT, "round after the last one in which it could be liquidated; the same"),
    liquidations=(INT, "times that it was liquidated"),
    scripted=_SCRIPTED,
)

MARGIN_BLOCK = table_type(
    "margin_blocks",
    safe_low=(FLOAT, "USD: as in perps_traders, the tightest of those of the block who hold a position; so are the next four"),
    safe_high=(FLOAT, "USD; infinite for any price, 0 to be looked at in any case"),
    least_funding=(FLOAT, "USD per unit; minus infinite for any"),
    most_funding=(FLOAT, "USD per unit; infinite for any"),
    most_interest=(FLOAT, "USD per USD of locked notional; infinite for any"),
)

PERPS_ORDER = table_type(
    "perps_orders",
    trader=(INT, "row of perps_traders"),
    side=(FLOAT, "draw in [0, 1): long if less than the trader's long share, where it has no signal; -1 surely long, 1 surely short"),
    usd=(FLOAT, "USD: notional where it has no signal"),
    is_first=(BOOL, "no order of the same trader comes before it in its round"),
    next_order=(INT, "row of perps_orders: the trader's next one in the same round; -1 for none"),
)

LIQUIDITY_LP = table_type(
    "liquidity_lps",
    account=(INT, "account"),
    collateral_type=(INT, "row of collateral_types"),
    pool=(INT, "row of liquidity_pools that it is in; -1 for none"),
    yield_weight=(FLOAT, "per unit of yield per year: what it cares for when it compares pools"),
    risk_weight=(FLOAT, "per unit of standard deviation of the yield, per square root of a year"),
    trust_weight=(FLOAT, "per unit of trust in the owner"),
    hurdle=(FLOAT, "difference of scores at which it moves to another pool; infinite for one who stays"),
    fear=(FLOAT, "fraction: debt / collateral value above which it leaves; infinite for never"),
    borrow_ratio=(FLOAT, "fraction: collateral value / debt that it mints dUSD down to; infinite for one who does not"),
    look_every=(FLOAT, "seconds between two looks"),
    look_at=(FLOAT, "seconds: time of the next"),
    is_away=(BOOL, "a drain frightens it: it leaves its pool at its next look, if the contracts let it"),
    away_until=(FLOAT, "seconds: end of that fright; infinite for never"),
    start_tokens=(FLOAT, "tokens of collateral delegated at the start"),
    start_usd=(FLOAT, "dUSD at the start"),
    scripted=_SCRIPTED,
)

LP_BLOCK = table_type(
    "lp_blocks",
    next_look=(FLOAT, "seconds: none of the block's LPs looks before; infinite for never"),
)

POOL_OWNER = table_type(
    "pool_owners",
    account=(INT, "account"),
    pool=(INT, "row of liquidity_pools"),
    policy=(INT, "Policy: how it sets the weights"),
    trust=(FLOAT, "fraction: how far LPs trust it"),
    rebalance_every=(FLOAT, "seconds between two settings of the weights; infinite for never again"),
    rebalance_at=(FLOAT, "seconds: time of the next; infinite for never"),
    scripted=_SCRIPTED,
)

EXCHANGE_KEEPER = table_type(
    "exchange_keepers",
    account=(INT, "account"),
    cost_usd=(FLOAT, "USD per liquidation, paid outside the market (gas), as long as gas is not dearer; it is not done for less"),
    extra_cost_usd=(FLOAT, "USD paid for liquidations beyond cost_usd, because gas was dearer: cumulative"),
    look_every=(FLOAT, "seconds between two looks at LPs' positions and vaults, and between two payments of the distributors"),
    look_at=(FLOAT, "seconds: time of the next"),
    start_usd=(FLOAT, "dUSD at the start"),
    earned_usd=(FLOAT, "USD earned by liquidations, collateral at the price of the moment"),
    scripted=_SCRIPTED,
)

INCENTIVE = table_type(
    "incentives",
    stream=(INT, "row of reward_streams"),
    at=(FLOAT, "seconds: when it is paid in"),
    amount=(FLOAT, "tokens"),
    duration=(FLOAT, "seconds over which it is paid out"),
    is_paid=(BOOL, "has been paid in, or refused"),
)

COLLATERAL_SOURCE = table_type(
    "collateral_sources",
    feed=(INT, "row of feeds whose price collateral of the type has; -1 for a stablecoin, a dollar"),
)

MARKET_MEMORY = table_type(
    "market_memory",
    asset=(INT, "column of market_price that the market's index follows"),
    fast_seconds=(FLOAT, "seconds: time constant of the fast average"),
    slow_seconds=(FLOAT, "seconds: time constant of the slow average"),
    fast=(FLOAT, "USD: moving average of the index price"),
    slow=(FLOAT, "USD: moving average of the index price"),
    last_price=(FLOAT, "USD: index price of the last round"),
    last_per_unit=(FLOAT, "USD per unit: funding at the end of the last round"),
    fees=(FLOAT, "USD of order fees kept by the market: cumulative"),
    fees_shared=(FLOAT, "USD of these that the distributors have seen"),
    siphoned=(FLOAT, "dUSD paid to the distributors' receivers: cumulative"),
    impact=(FLOAT, "USD that LPs gained from fills away from the index price: cumulative"),
    funding=(FLOAT, "USD of funding that LPs received, net: cumulative"),
    price_gain=(FLOAT, "USD that LPs gained from the index price moving against the skew: cumulative"),
    liquidation_gain=(FLOAT, "USD of margin seized less keepers' pay: cumulative"),
    keepers_paid=(FLOAT, "dUSD paid to keepers: cumulative"),
    volume=(FLOAT, "USD of notional traded: cumulative"),
    orders=(INT, "orders settled"),
    liquidations=(INT, "liquidations, partial ones counted each"),
    liquidated_usd=(FLOAT, "USD of notional liquidated, at the index price: cumulative"),
    shortfall=(FLOAT, "USD by which liquidated accounts owed more than their margin: cumulative"),
    first_insolvent_at=(FLOAT, "seconds: first time the credit did not cover what traders own; infinite for never"),
    insolvent_seconds=(FLOAT, "seconds for which that was so"),
    unpaid_peak=(FLOAT, "USD: the most by which the credit fell short of what traders own"),
    last_debt=(FLOAT, "USD: total debt when the yield was last looked at"),
    yield_mean=(FLOAT, "per year: moving average of the LPs' return on their capital in this market"),
    yield_square=(FLOAT, "per year: moving average of the squared return per look, over the look's part of a year"),
)

POOL_MEMORY = table_type(
    "pool_memory",
    last_debt=(FLOAT, "USD: debt, that of its markets included, when the yield was last looked at"),
    yield_mean=(FLOAT, "per year: moving average of the LPs' return"),
    yield_square=(FLOAT, "per year: moving average of the squared return per look, over the look's part of a year"),
    value_seconds=(FLOAT, "USD x seconds: value added up over time"),
    siphoned=(FLOAT, "dUSD that its distributor has paid away: cumulative"),
)

EXCHANGE_CLOCK = table_type(
    "exchange_clock",
    observe_every=(FLOAT, "seconds between two looks at the yields of pools and markets"),
    observe_at=(FLOAT, "seconds: time of the next"),
    memory_seconds=(FLOAT, "seconds: time constant of the averages of yields"),
    records=(INT, "records written so far"),
)

MARKET_SERIES = table_type(
    "market_series",
    time=(FLOAT, "seconds"),
    index_price=(FLOAT, "USD: what the exchange sees"),
    market_price=(FLOAT, "USD: the path"),
    skew=(FLOAT, "base asset"),
    open_interest=(FLOAT, "base asset"),
    funding_rate=(FLOAT, "fraction of notional per day that longs pay"),
    reported_debt=(FLOAT, "USD that traders own"),
    total_debt=(FLOAT, "USD: reported debt and net issuance: what LPs owe through this market"),
    capacity=(FLOAT, "USD of credit left; negative when what traders own is not covered"),
    delegated=(FLOAT, "USD of pools' value in the market"),
    margin=(FLOAT, "USD of all traders' margin"),
    fees=(FLOAT, "USD: cumulative, as in market_memory; so are the next five"),
    impact=(FLOAT, "USD"),
    funding=(FLOAT, "USD"),
    price_gain=(FLOAT, "USD"),
    liquidation_gain=(FLOAT, "USD"),
    volume=(FLOAT, "USD"),
    liquidations=(INT, "cumulative"),
    liquidated_usd=(FLOAT, "USD: cumulative"),
    positions=(INT, "open positions"),
)

POOL_SERIES = table_type(
    "pool_series",
    time=(FLOAT, "seconds"),
    value=(FLOAT, "USD of collateral delegated, at today's prices"),
    debt=(FLOAT, "USD that its LPs owe, through markets and by minting; negative is credit"),
    lps=(INT, "LPs in the pool"),
    yield_mean=(FLOAT, "per year: as its LPs see it"),
    siphoned=(FLOAT, "dUSD: cumulative"),
    min_ratio=(FLOAT, "fraction: lowest collateral ratio of its positions; infinite without debt"),
)


@by_reference
class Exchange(NamedTuple):
    """All state of the exchange.

    The first four are the world's own tables. Then the core (`protocols/liquidity_tables.py`): `backings` is [pools, markets], `vaults`
    and `stream_vaults` have a column for each collateral type, `positions` are [LPs * pools], LP by LP. Then the markets' perps, one group
    each (`protocols/perps_tables.py`): `perps_markets` [markets, 1], `perps_accounts` and `perps_positions` [markets, traders],
    `liquidated` [markets, 1, entries]. `recorded` is [steps + 1, columns]: positions (base asset, signed) of recorded flow. Then agents,
    memories, room for the owners' weights, and records: `market_series` [records, markets], `pool_series` [records, pools], `tallies`
    [actions, statuses]; then `gas`, the world's own, and `departures` of its own LPs (`agents/tables.py`). At last what lets quiet rows
    rest: `margin_blocks` [markets, blocks of traders], `watched` [traders + 1] (how many, and which rows of traders), `lp_blocks`.
    """

    clock: Table
    tokens: Table
    wallets: Floats
    feeds: Table
    market_price: Floats
    system: Table
    collateral_types: Table
    deposits: Floats
    pools: Table
    markets: Table
    backings: Table
    vaults: Table
    positions: Table
    streams: Table
    stream_vaults: Table
    claims: Table
    siphons: Table
    groups: Table
    perps_markets: Table
    perps_accounts: Table
    perps_positions: Table
    liquidated: Table
    perps_traders: Table
    liquidity_lps: Table
    pool_owners: Table
    exchange_keepers: Table
    incentives: Table
    collateral_sources: Table
    perps_orders: Table
    order_start: Ints
    recorded: Floats
    times: Table
    market_memory: Table
    pool_memory: Table
    new_weights: Floats
    new_limits: Floats
    market_series: Table
    pool_series: Table
    tallies: Ints
    gas: Table
    departures: Table
    margin_blocks: Table
    watched: Ints
    lp_blocks: Table


def blocks_of(rows: int) -> int:
    """How many blocks of rows there are."""
    return -(-rows // SIZE)


def core_in(x: Exchange) -> Core:
    """The core, as its rules take it: for Python; rules call `core_of`."""
    return Core(
        x.system,
        x.collateral_types,
        x.deposits,
        x.pools,
        x.markets,
        x.backings,
        x.vaults,
        x.positions,
        x.streams,
        x.stream_vaults,
        x.claims,
        x.siphons,
    )


def perps_in(x: Exchange, market: int) -> Perps:
    """The group of perps accounts behind a market of the core, as its rules take it: for Python; rules call `perps_of`."""
    return Perps(
        x.groups[market : market + 1],
        x.perps_markets[market],
        x.perps_accounts[market],
        x.perps_positions[market],
        x.liquidated[market],
        x.feeds,
    )


core_of, perps_of = rule(core_in), rule(perps_in)
"""The same, compiled. What a rule returns to Python has lost the types of its rows, hence the two."""
