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

FEED_FAULT = table_type(
    "feed_faults",
    lag=(INT, "rounds: how much older than usual what the feeder publishes is"),
    factor=(FLOAT, "what it publishes / what it saw"),
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
    holding=(FLOAT, "seconds for which it keeps a CDP; infinite for ever"),
    predecessor=(INT, "row of minters: whose CDP of a delisted tASSET this owner's follows; -1 for none"),
    exit_at=(FLOAT, "seconds: time at which it closes the CDP, or looks whether to; infinite for never"),
    opens_at=(FLOAT, "seconds: time at which it opens its closed CDP, or looks whether to; infinite for never"),
    response=(INT, "Response: what it does first about a low ratio"),
    relevers=(BOOL, "mints and sells more above excess_ratio; otherwise withdraws collateral"),
    strategy=(INT, "Strategy: what it does with the tokens that it mints"),
    budget=(FLOAT, "collateral put into a CDP opened during the run, in tokens of the collateral"),
    loops=(INT, "times that a leverage loop is gone round at most"),
    entry_premium=(FLOAT, "fraction: premium of the pool over the oracle from which a short-seller mints and sells"),
    exit_premium=(FLOAT, "fraction: premium below which it buys back and closes"),
    look_every=(FLOAT, "seconds between two looks at what is no emergency: an entry, an exit"),
    stake=(INT, "row of stakes of its LP tokens; -1 for none"),
    delisting=(INT, "Reaction: what it does once its tASSET is delisted"),
    reaction_to_delisting=(FLOAT, "seconds between a delisting and what it does about it"),
    start_usd=(FLOAT, "USD: what it owned less what it owed at the start, all at the first prices"),
    scripted=_SCRIPTED,
)

LIQUIDATOR = table_type(
    "liquidators",
    account=(INT, "account"),
    min_profit=(FLOAT, "fraction of the money laid out that a purchase must earn, slippage and cost included"),
    cost_usd=(FLOAT, "USD per purchase, paid outside the market (gas), as long as gas is not dearer"),
    gas_factor=(FLOAT, "price of gas now / usual price"),
    gas_delay=(FLOAT, "seconds from a margin call until it can act on it now"),
    extra_cost_usd=(FLOAT, "USD paid for purchases beyond cost_usd, because gas was dearer: cumulative"),
    uses_pool=(BOOL, "buys tokens on the pool; otherwise it brings only what it holds"),
    start_usd=(FLOAT, "USD: cash and tokens at the start, tokens at the first price"),
    purchases=(INT, "purchases made so far"),
    scripted=_SCRIPTED,
)

TRADER = table_type(
    "traders",
    account=(INT, "account"),
    max_spread=(FLOAT, "fraction: slippage at which an order is called off"),
    delisting=(INT, "Reaction: what it does with tokens of a delisted tASSET"),
    reaction=(FLOAT, "seconds between a delisting and what it does about it"),
    recovers_at=(FLOAT, "seconds: time at which it burns tokens of delisted tASSETs; infinite for never"),
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
    delisting=(INT, "Reaction: what it does once its tASSET is delisted"),
    reaction=(FLOAT, "seconds between a delisting and what it does about it"),
    moves_at=(FLOAT, "seconds: time at which it leaves the pool of a delisted tASSET; infinite for never"),
    stake=(INT, "row of stakes of its LP tokens; -1 if it stakes none"),
    harvest_every=(FLOAT, "seconds between two claims of rewards"),
    harvest_at=(FLOAT, "seconds: time of the next claim; infinite for never"),
    sells_rewards=(BOOL, "sells rewards on the tEXO pool; otherwise keeps them"),
    is_away=(BOOL, "a drain has sent it away, and it has not come back"),
    away_until=(FLOAT, "seconds: time at which it comes back; infinite for never"),
    start_pool=(INT, "row of pools at the start"),
    start_base=(FLOAT, "tDOLLAR provided at the start"),
    start_asset=(FLOAT, "tokens of the pool's asset provided at the start"),
    scripted=_SCRIPTED,
)

CALM = table_type(
    "calms",
    until=(FLOAT, "seconds: nobody has an appointment before; infinite for none"),
    premium=(FLOAT, "fraction: nor anything to do while the pool's price is not farther from the oracle's; infinite for any"),
    stale=(FLOAT, "seconds: nor while the oracle's is not older; infinite for any"),
    is_over=(BOOL, "all have to be looked at in this round"),
)

DEPARTURE = table_type(
    "departures",
    step=(INT, "round in which an LP leaves; rows stand in this order"),
    lp=(INT, "row of the LPs of its market"),
    until=(FLOAT, "seconds: time until which it stays away; infinite for ever"),
)

GAS = table_type(
    "gas",
    factor=(FLOAT, "price of gas / usual price"),
    delay=(FLOAT, "seconds that pass between a margin call and what anybody can do about it"),
)

STAKER = table_type(
    "stakers",
    account=(INT, "account"),
    stake=(INT, "row of stakes: its tEXO"),
    use=(INT, "Use: what it does with rewards"),
    harvest_every=(FLOAT, "seconds between two claims of rewards"),
    harvest_at=(FLOAT, "seconds: time of the next claim; infinite for never"),
    start_texo=(FLOAT, "tokens staked at the start"),
    scripted=_SCRIPTED,
)

KEEPER = table_type(
    "keepers",
    account=(INT, "account"),
    fees_every=(FLOAT, "seconds between two distributions of the protocol fees"),
    fees_at=(FLOAT, "seconds: time of the next; infinite for never"),
    emission_every=(FLOAT, "seconds between two payments of the inflation"),
    emission_at=(FLOAT, "seconds: time of the next; infinite for never"),
    converted=(FLOAT, "tDOLLAR of protocol fees sold for tEXO so far"),
    distributed=(FLOAT, "tEXO paid to stakers out of fees so far"),
    scripted=_SCRIPTED,
)

PROPOSAL = table_type(
    "proposals",
    at=(FLOAT, "seconds: time at which it is put to the vote"),
    proposer=(INT, "account"),
    kind=(INT, "poll_terms.PollKind"),
    tasset=(INT, "row of tassets"),
    value=(FLOAT, "account of the feeder, or fraction: the new ratio or discount"),
    is_made=(BOOL, "has been put to the vote, or refused"),
)

INTENTION = table_type(
    "intentions",
    choice=(INT, "poll_terms.Choice; -1 for one who does not vote"),
    after=(FLOAT, "seconds after the start of the poll at which it votes"),
)

MIGRATION = table_type(
    "migrations",
    at=(FLOAT, "seconds: time at which the feeder delists the tASSET"),
    tasset=(INT, "row of tassets"),
    replacement=(INT, "row of tassets"),
    done_at=(FLOAT, "seconds: when it was done; infinite before"),
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
    called_at=(FLOAT, "seconds: when the CDP was found margin called; infinite for one that is not"),
    reason=(INT, "Status for which the last liquidator who looked left it alone"),
)

FLOW = table_type(
    "flows",
    called_first=(INT, "place in called of the first margin-called CDP of the tASSET"),
    called_count=(INT, "margin-called CDPs of the tASSET"),
    rest_first=(INT, "place in called of the first of them that the last liquidator did not look at one by one"),
    reason=(INT, "Status for which it left those from there on alone"),
    liquidations=(INT, "purchases"),
    burned_usd=(FLOAT, "USD: debt burned in purchases, at the oracle price"),
    sold_usd=(FLOAT, "USD of collateral sold, at the oracle price"),
    returned_usd=(FLOAT, "USD of collateral returned to owners whose debt was gone"),
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
    sold=(FLOAT, "tokens of collateral"),
    sold_usd=(FLOAT, "USD of collateral, at the oracle price"),
    price=(FLOAT, "USD per token: oracle price"),
    called_at=(FLOAT, "seconds: when the CDP was found margin called"),
    bad_debt=(FLOAT, "tASSET tokens left when the collateral was gone"),
)
