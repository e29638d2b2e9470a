"""Tables of the perpetual futures markets, and what a rule on them is given: `Perps`.

Markets of one group share their accounts (cross margin) and are one market of the core. A position is a row for each pair of account and
market, held or not, so an account's positions stand side by side: `positions[account * markets + market]`.

Quantities of the base asset are whole units (`amounts`), so skew and open interest are exact sums. Margin is a claim on the core and no
token (see `perps_account`): margin, account debt, funding, interest and profit are plain float64.
"""

from __future__ import annotations

from typing import NamedTuple

from seawall.protocols.compiled import rule
from seawall.protocols.tables import BOOL, FLOAT, INT, Table, table_type

PERPS_GROUP = table_type(
    "perps_group",
    token=(INT, "row of tokens: dUSD"),
    net_issuance=(FLOAT, "USD minted by the markets minus USD burned by them: whole units; negative while traders have deposited more"),
    margin=(FLOAT, "USD of all accounts' margin: running sum"),
    account_debt=(FLOAT, "USD that accounts owe beyond their margin: running sum"),
    settlement_reward=(FLOAT, "USD for whoever settles an order, paid by the trader"),
    settlement_cost=(FLOAT, "USD of that keeper's cost, paid by the trader"),
    flag_cost=(FLOAT, "USD of a keeper's cost for each open position of an account that it flags"),
    liquidation_cost=(FLOAT, "USD of a keeper's cost of one liquidation"),
    min_keeper_reward=(FLOAT, "USD that a keeper earns beyond its cost at least"),
    min_keeper_profit=(FLOAT, "fraction of its cost that a keeper earns beyond it at least"),
    max_keeper_reward=(FLOAT, "USD that a keeper is paid at most"),
    max_keeper_share=(FLOAT, "fraction of the margin that a keeper is paid at most"),
    margin_reward_ratio=(FLOAT, "fraction of the margin that rewards flagging at least"),
    interest_low=(FLOAT, "fraction of locked notional per year for each percent of utilization, below the breakpoint"),
    interest_high=(FLOAT, "the same above the breakpoint"),
    interest_breakpoint=(FLOAT, "fraction: utilization at which the slope changes"),
    interest_rate=(FLOAT, "fraction of locked notional per year since the last update"),
    interest_index=(FLOAT, "USD of interest per USD of locked notional since the start, at the last update"),
    interest_updated_at=(FLOAT, "seconds: time of the last update"),
)

PERPS_MARKET = table_type(
    "perps_markets",
    feed=(INT, "row of feeds: the index price"),
    skew_scale=(FLOAT, "base asset: skew at which the price impact is 100 %; 0 for no impact and no funding"),
    max_funding_velocity=(FLOAT, "funding rate gained per day when skew is skew_scale or more: fraction per day, per day"),
    maker_fee=(FLOAT, "fraction of notional of what reduces the skew"),
    taker_fee=(FLOAT, "fraction of notional of what increases the skew"),
    max_open_interest=(FLOAT, "base asset, limit of each side; infinite for none"),
    max_open_interest_usd=(FLOAT, "USD, limit of each side; 0 for none"),
    margin_slope=(FLOAT, "fraction of notional needed initially, per skew_scale of size"),
    min_margin_ratio=(FLOAT, "fraction of notional needed initially, however small"),
    maintenance_scalar=(FLOAT, "maintenance margin ratio / initial margin ratio"),
    min_position_margin=(FLOAT, "USD needed for each position beyond these"),
    flag_reward_ratio=(FLOAT, "fraction of notional that rewards flagging"),
    liquidation_multiplier=(FLOAT, "factor on (maker_fee + taker_fee) * skew_scale: base asset liquidated per second at most"),
    liquidation_window=(FLOAT, "seconds over which that limit is counted; 0 for no limit"),
    max_liquidation_skew=(FLOAT, "fraction: abs(skew) / skew_scale below which one more window is allowed at a time; 0 for never"),
    endorsed_liquidator=(INT, "account that no window limits and no flagging rewards; -1 for none"),
    locked_oi_ratio=(FLOAT, "fraction of open interest for which the core's credit is locked"),
    skew=(FLOAT, "base asset: sum of all positions"),
    open_interest=(FLOAT, "base asset: sum of all positions' absolute values, both sides"),
    open_positions=(INT, "positions: running count"),
    correction=(FLOAT, "USD: sum over positions of quantity * (entry_price + entry_funding)"),
    funding_rate=(FLOAT, "fraction of notional per day that longs pay, at the last update"),
    funding_per_unit=(FLOAT, "USD per unit of base asset since the start, at the last update; falls while longs pay"),
    funding_updated_at=(FLOAT, "seconds: time of the last update"),
)

PERPS_ACCOUNT = table_type(
    "perps_accounts",
    owner=(INT, "account (row of wallets)"),
    margin=(FLOAT, "USD"),
    debt=(FLOAT, "USD owed beyond the margin: losses realised when it was used up"),
    open_positions=(INT, "markets in which it has a position"),
    is_flagged=(BOOL, "being liquidated: margin seized, positions left over to be closed"),
)

PERPS_POSITION = table_type(
    "perps_positions",
    quantity=(FLOAT, "base asset: > 0 long, < 0 short, 0 none"),
    entry_price=(FLOAT, "USD per unit: fill price of the last change"),
    entry_funding=(FLOAT, "funding_per_unit of the market at the last change"),
    entry_interest=(FLOAT, "interest_index of the group at the last change"),
)

LIQUIDATED = table_type(
    "liquidated",
    at=(FLOAT, "seconds"),
    quantity=(FLOAT, "base asset liquidated at that time; 0 for an empty entry"),
)


class Perps(NamedTuple):
    """All state of one group of markets, and the prices it reads.

    `group` has one row; `liquidated` is [markets, entries]: what was liquidated lately. One entry for each round of a window is enough;
    with fewer the limit recovers later, never earlier. `feeds` is only read.
    """

    group: Table
    markets: Table
    accounts: Table
    positions: Table
    liquidated: Table
    feeds: Table


NO_MARKET = -1  # in the place of a market, where none is meant


@rule
def position_index(perps: Perps, account: int, market: int) -> int:
    """Row of `positions` of an account in a market."""
    return account * len(perps.markets) + market


@rule
def index_price(perps: Perps, market: int) -> float:
    """USD per unit of the market's base asset, last published."""
    return float(perps.feeds[perps.markets[market].feed].price)
