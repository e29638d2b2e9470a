"""Tables of the agents: what each one owns, how it behaves, and what was written down about its actions."""

from __future__ import annotations

from seawall.protocols.tables import BOOL, FLOAT, INT, table_type

_SCRIPTED = (BOOL, "stepped by a user's Python class instead of the built-in behaviour")

ORACLE_FEEDER = table_type(
    "oracle_feeders",
    account=(INT, "account that publishes"),
    feed=(INT, "row of feeds"),
    asset=(INT, "column of market_price"),
    heartbeat=(FLOAT, "seconds after which it publishes again even without a move"),
    deviation=(FLOAT, "fraction: a move of this size is published at once"),
    lag=(INT, "rounds between seeing a price and having it on chain"),
    noise=(FLOAT, "fraction: standard deviation of the error of an observation"),
    scripted=_SCRIPTED,
)

MINTER = table_type(
    "minters",
    account=(INT, "account that owns the CDP"),
    cdp=(INT, "row of cdps"),
    target_ratio=(FLOAT, "fraction: collateral ratio it restores"),
    alert_ratio=(FLOAT, "fraction: below this it acts; 0 for an inattentive owner"),
    excess_ratio=(FLOAT, "fraction: above this it uses the spare collateral; infinite for an inattentive owner"),
    reaction=(FLOAT, "seconds between noticing and acting"),
    due_at=(FLOAT, "seconds: time of the next look; infinite while nothing is the matter"),
    exit_at=(FLOAT, "seconds: time at which it closes the CDP; infinite for never"),
    response=(INT, "Response: what it does first about a low ratio"),
    relevers=(BOOL, "mints and sells more above excess_ratio; otherwise withdraws collateral"),
    scripted=_SCRIPTED,
)

LIQUIDATOR = table_type(
    "liquidators",
    account=(INT, "account"),
    min_profit=(FLOAT, "fraction of the money laid out that a purchase must earn, slippage and cost included"),
    cost_usd=(FLOAT, "USD per purchase, paid outside the market (gas)"),
    uses_pool=(BOOL, "buys tokens on the pool; otherwise it brings only what it holds"),
    start_usd=(FLOAT, "USD: cash and tokens at the start, tokens at the first price"),
    purchases=(INT, "purchases made so far"),
    scripted=_SCRIPTED,
)

TRADER = table_type(
    "traders",
    account=(INT, "account"),
    max_spread=(FLOAT, "fraction: slippage at which an order is called off"),
    scripted=_SCRIPTED,
)

ARBITRAGEUR = table_type(
    "arbitrageurs",
    account=(INT, "account"),
    min_edge=(FLOAT, "fraction: distance of the pool's price from the oracle's that it leaves alone"),
    scripted=_SCRIPTED,
)

LP = table_type(
    "lps",
    account=(INT, "account"),
    pool=(INT, "row of pools"),
    exit_premium=(FLOAT, "fraction: distance of the pool's price from the oracle's at which it leaves; infinite for never"),
    exit_stale=(FLOAT, "seconds without a fresh price after which it leaves; infinite for never"),
    return_after=(FLOAT, "seconds of calm after which it comes back"),
    calm_since=(FLOAT, "seconds: start of the calm; infinite while there is none"),
    start_base=(FLOAT, "tDOLLAR provided at the start"),
    start_asset=(FLOAT, "tASSET tokens provided at the start"),
    scripted=_SCRIPTED,
)

ORDER = table_type(
    "orders",
    trader=(INT, "row of traders"),
    pool=(INT, "row of pools"),
    sells=(BOOL, "offers the tASSET; otherwise tDOLLAR"),
    usd=(FLOAT, "USD: size of the order"),
)

MARK = table_type(
    "marks",
    called_at=(FLOAT, "seconds: when the CDP was found margin called, if it still is"),
    seen_step=(INT, "last round in which it was found margin called"),
    reason=(INT, "Status for which the last liquidator who looked left it alone"),
)

FLOW = table_type(
    "flows",
    called_first=(INT, "place in called of the first margin-called CDP of the tASSET"),
    called_count=(INT, "margin-called CDPs of the tASSET"),
    reason=(INT, "Status for which the last liquidator left all of them alone; OK if it looked at them one by one"),
    liquidations=(INT, "purchases"),
    burned_usd=(FLOAT, "USD: debt burned in purchases, at the oracle price"),
    sold_usd=(FLOAT, "tDOLLAR of collateral sold"),
    returned_usd=(FLOAT, "tDOLLAR of collateral returned to owners whose debt was gone"),
    called_usd=(FLOAT, "USD: debt for sale (what restores the ratio) when CDPs were first found margin called"),
    instant_usd=(FLOAT, "USD: debt burned in the round in which its CDP was first found margin called"),
    waited_usd_seconds=(FLOAT, "USD x seconds: debt burned times the time since its CDP was margin called"),
)

EVENT = table_type(
    "events",
    time=(FLOAT, "seconds"),
    cdp=(INT, "row of cdps"),
    tasset=(INT, "row of tassets"),
    liquidator=(INT, "account of the buyer"),
    burned=(FLOAT, "tASSET tokens"),
    sold=(FLOAT, "tDOLLAR of collateral"),
    price=(FLOAT, "USD per token: oracle price"),
    called_at=(FLOAT, "seconds: when the CDP was found margin called"),
    bad_debt=(FLOAT, "tASSET tokens left when the collateral was gone"),
)
