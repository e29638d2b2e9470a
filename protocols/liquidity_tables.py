"""Tables of DexToro Liquidity's core: LPs delegate collateral to vaults of pools, pools back markets.

`Core` holds them all; `core.backings[pool, market]` and `core.vaults[pool, collateral_type]` are dense, `core.deposits[account,
collateral_type]` counts tokens as `wallets` does. Unless said otherwise a column starts at 0 and only the rules of this part write it.

Collateral and dUSD are whole units of tokens, exact. Debt, shares and values per share are accounting in plain float64.
"""

from __future__ import annotations

from typing import NamedTuple

from seawall.protocols.tables import FLOAT, INT, Floats, Table, table_type

EVERY = -1
"""In a column that names one collateral type or one market: all of them."""

LIQUIDITY_SYSTEM = table_type(
    "liquidity_system",
    account=(INT, "account that holds all collateral, free and delegated; no other contract has it"),
    usd_token=(INT, "row of tokens: dUSD"),
    min_liquidity_ratio=(FLOAT, "fraction: a pool's value in a market / most debt it may take there; 0 counts as 1"),
)

COLLATERAL_TYPE = table_type(
    "collateral_types",
    token=(INT, "row of tokens"),
    price=(FLOAT, "USD per token; written by the oracle before the core reads it"),
    issuance_ratio=(FLOAT, "fraction: collateral value / debt that a position needs to mint or to undelegate"),
    liquidation_ratio=(FLOAT, "fraction: collateral value / debt below which a position, or a vault, is liquidated"),
    liquidation_reward=(FLOAT, "tokens of the collateral, whole units: what a liquidator of a position receives"),
    min_delegation=(FLOAT, "tokens: the smallest position; more than the liquidation reward"),
)

LIQUIDITY_POOL = table_type(
    "liquidity_pools",
    owner=(INT, "account that may configure it"),
    total_weight=(FLOAT, "sum of the weights of its markets"),
    value=(FLOAT, "USD: sum of the weights of its vaults, which are its shares"),
    value_per_share=(FLOAT, "USD of debt per USD of value, since the start"),
    debt=(FLOAT, "USD that its LPs owe as far as the markets have handed debt out: running sum"),
)

MARKET = table_type(
    "markets",
    min_liquidity_ratio=(FLOAT, "fraction: the market's own, in place of the system's; 0 for none"),
    min_delegation_seconds=(FLOAT, "seconds for which collateral delegated to a pool of this market stays at least"),
    reported_debt=(FLOAT, "USD that the market owes to its traders; written by the market before the core reads it"),
    minimum_credit=(FLOAT, "USD of capacity that the market needs, so LPs may not leave; written by the market, too"),
    collateral_value=(FLOAT, "USD: value of collateral that the market holds itself; written by the market, too"),
    net_issuance=(FLOAT, "USD paid out of the market less USD paid in"),
    distributed_debt=(FLOAT, "USD of total debt handed out to pools so far"),
    value_per_share=(FLOAT, "USD of debt per share, since the start"),
)

BACKING = table_type(
    "backings",
    weight=(FLOAT, "part of the pool's value in this market, relative to its other markets; 0: not its market"),
    max_debt_per_share=(FLOAT, "USD per share: the pool takes no debt of this market beyond this value per share; infinite for no limit"),
    shares=(FLOAT, "USD: the pool's shares of the market, as of its last rebalancing"),
    limit=(FLOAT, "USD per share: the lower of max_debt_per_share and what the minimum liquidity ratio allows"),
    last_value=(FLOAT, "value_per_share of the market when the pool last took its debt"),
)

VAULT = table_type(
    "vaults",
    max_collateral=(FLOAT, "tokens: the pool's limit; starts infinite for none"),
    issuance_ratio=(FLOAT, "fraction: the pool's own, used where higher than the collateral type's"),
    collateral=(FLOAT, "tokens delegated, of all positions together"),
    shares=(FLOAT, "sum of the shares of its positions; as many as tokens until collateral is seized"),
    members=(INT, "positions with shares"),
    weight=(FLOAT, "USD: value of the collateral when somebody last changed it; its shares of the pool"),
    last_value=(FLOAT, "value_per_share of the pool when the vault last took its debt"),
    value_per_share=(FLOAT, "USD of debt per share of a position, in this epoch"),
    debt=(FLOAT, "USD that its positions owe together, as far as the pool has handed debt out"),
    epoch=(INT, "times that the vault was liquidated whole; positions of an earlier epoch are gone"),
)

POSITION = table_type(
    "positions",
    row=(INT, "row of positions: its own"),
    account=(INT, "account of the LP"),
    pool=(INT, "row of liquidity_pools"),
    collateral_type=(INT, "row of collateral_types"),
    epoch=(INT, "epoch of the vault that the other columns belong to"),
    shares=(FLOAT, "shares of the vault's collateral and of its debt"),
    last_value=(FLOAT, "value_per_share of the vault when the position last took its debt"),
    debt=(FLOAT, "USD owed as of then; negative is credit"),
    delegated_at=(FLOAT, "seconds: time of the last change of the amount delegated; minus infinite at the start"),
)

STREAM = table_type(
    "reward_streams",
    pool=(INT, "row of liquidity_pools"),
    collateral_type=(INT, "row of collateral_types whose vault is rewarded; EVERY: all vaults, by their weights"),
    funder=(INT, "account of the distributor, which alone may distribute and takes back what nobody earns"),
    account=(INT, "account that holds the rewards until they are claimed; no other contract has it"),
    token=(INT, "row of tokens"),
    amount=(FLOAT, "tokens of the schedule in progress"),
    start=(FLOAT, "seconds: when it begins"),
    duration=(FLOAT, "seconds over which it is paid, evenly; 0: at once"),
    released=(FLOAT, "tokens of it paid to the LPs so far"),
    next_amount=(FLOAT, "tokens of the schedule that waits for the end of this one; 0 for none"),
    next_start=(FLOAT, "seconds"),
    next_duration=(FLOAT, "seconds"),
    returnable=(FLOAT, "tokens that fell due when nobody had shares: the funder's"),
    total_bond=(FLOAT, "USD: value of the pool when last used; this and the next five as in stake_pools, with vaults for stakes"),
    pending_reward=(FLOAT, "tokens too few to share"),
    reward_index=(FLOAT, "tokens per USD of value"),
    unsettled=(FLOAT, "tokens shared out that no vault has booked yet"),
    dust=(FLOAT, "tokens: fractions of a unit lost by vaults' floors, part of unsettled"),
    rewarded=(FLOAT, "tokens that have come in so far"),
)

STREAM_VAULT = table_type(
    "stream_vaults",
    bond=(FLOAT, "USD: weight of the vault when last used; this and the next two as in stakes, of a stream for every vault"),
    index=(FLOAT, "reward_index of the stream when the vault last booked"),
    pending=(FLOAT, "tokens booked and not yet shared among positions; always 0 between rules"),
    total_bond=(FLOAT, "shares of the vault when last used; this and the next five as in stake_pools, with positions for stakes"),
    pending_reward=(FLOAT, "tokens too few to share"),
    reward_index=(FLOAT, "tokens per share"),
    unsettled=(FLOAT, "tokens shared out that no position has booked yet"),
    dust=(FLOAT, "tokens: fractions of a unit lost by positions' floors, part of unsettled"),
    rewarded=(FLOAT, "tokens that have come in so far"),
)

REWARD_CLAIM = table_type(
    "reward_claims",
    bond=(FLOAT, "shares of the position when last used; this and the next two as in stakes"),
    index=(FLOAT, "reward_index of the vault when the position last booked"),
    pending=(FLOAT, "tokens booked and not yet claimed"),
)

SIPHON = table_type(
    "siphons",
    pool=(INT, "row of liquidity_pools whose owner grants it"),
    market=(INT, "row of markets whose fees are meant; EVERY: all"),
    account=(INT, "account that receives"),
    fee_share=(FLOAT, "fraction of the pool's part of the fees; 0: an unused row"),
)


class Core(NamedTuple):
    """All state of the core. `deposits` is [accounts, collateral types]: tokens deposited and not delegated.

    `system` has one row, `backings` is [pools, markets], `vaults` [pools, collateral types], `stream_vaults` [streams, collateral
    types], `claims` [positions, streams].
    """

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
