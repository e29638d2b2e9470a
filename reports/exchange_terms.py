"""What each headline figure of the exchange means. LPs are the other side of all traders: what one of them gains the others lose."""

from __future__ import annotations

from seawall.reports.definition import CASCADES, GAIN, LOSS, SIZE, Definition

LP_GAIN = {
    "lp_order_fees_usd": Definition(
        "LPs: order fees",
        "Order fees that markets kept for LPs, before siphons.",
        "USD",
        GAIN,
    ),
    "lp_price_impact_usd": Definition(
        "LPs: price impact",
        "What LPs gained because orders were filled away from the index price: size times (fill price less index price), added up.",
        "USD",
        GAIN,
    ),
    "lp_funding_usd": Definition(
        "LPs: funding",
        "Funding that LPs received, net: what one side of a market pays beyond what the other receives.",
        "USD",
        GAIN,
    ),
    "lp_price_gain_usd": Definition(
        "LPs: price moves",
        "What LPs gained from index prices moving against the skew, which is what traders lost by them; minus skew times move, added up.",
        "USD",
        GAIN,
    ),
    "lp_liquidation_gain_usd": Definition(
        "LPs: liquidations",
        "Margin that LPs gained when traders were liquidated, less keepers' pay and what traders under water could not pay.",
        "USD",
        GAIN,
    ),
    "siphoned_usd": Definition(
        "siphoned fees",
        "dUSD that the pools' distributors paid to other receivers; the pools' LPs owe it. Of one receiver: what it holds.",
        "USD",
        "positive is taken off LPs' gain",
    ),
    "lp_incentives_tokens": Definition(
        "incentives, tokens",
        "Reward tokens that distributors shared out among LPs, claimed or not; tokens of every kind added up.",
        "tokens",
        GAIN,
    ),
    "lp_incentives_usd": Definition(
        "incentives",
        "The same at prices at the end; not computed where a token has no price.",
        "USD",
        GAIN,
    ),
    "lp_exchange_gain_usd": Definition(
        "LPs' gain",
        "The sum of LPs' sources of gain less what was siphoned off, incentives at their price included where they have one. A move of the "
        "collateral's price is no part of it.",
        "USD",
        GAIN,
    ),
    "lp_gain_residual_usd": Definition(
        "check: LPs' gain",
        "Sources of LPs' gain plus the change of the markets' total debt since the first record: a check of the books. What remains beyond "
        "rounding is interest charged to traders, which is no source of its own, or losses beyond what traders own.",
        "USD",
        "0 within rounding where no interest is charged",
    ),
    "mean_pool_value_usd": Definition(
        "mean pool value",
        "Value of the collateral delegated to all pools, at the exchange's prices, averaged over time.",
        "USD",
        SIZE,
    ),
    "lp_return": Definition(
        "LP return",
        "LPs' gain divided by the mean value of the pools; of one market, its gain less siphons by the mean value that took part in it at "
        "records.",
        "percent",
        GAIN,
    ),
    "lp_return_per_year": Definition(
        "LP yield",
        "LP return divided by the years of the run, not compounded; the horizon is short, so read it as a rate, not a forecast.",
        "percent per year",
        GAIN,
    ),
    "lp_fee_return_per_year": Definition(
        "LP fee yield",
        "Order fees less siphons, divided by the mean value of the pools and by the years of the run.",
        "percent per year",
        GAIN,
    ),
}

SOLVENCY = {
    "min_pool_collateral_ratio": Definition(
        "lowest pool ratio",
        "Smallest value at any record of a pool's collateral divided by what its LPs owe, through markets and by minting.",
        "percent",
        "below 100% the pool is insolvent",
    ),
    "min_lp_collateral_ratio": Definition(
        "lowest LP ratio",
        "Smallest collateral value divided by debt of any LP's position at any record.",
        "percent",
        "below 100% the position is insolvent",
    ),
    "vaults_below_liquidation_ratio": Definition(
        "vaults to liquidate",
        "Vaults (one collateral of one pool) whose collateral value divided by debt is below the liquidation ratio when the run ends.",
        "vaults",
        SIZE,
    ),
    "market_insolvency_probability": Definition(
        "market insolvency",
        "Share of the time in which the credit that pools give a market did not cover what its traders own; the mean over all markets.",
        "percent",
        "lower is better",
    ),
    "time_to_market_insolvency_s": Definition(
        "time to market insolvency",
        "Time from the start to the first moment at which the credit of any market did not cover what its traders own.",
        "time",
        "longer is better; not computed when it never happened",
    ),
    "unpaid_peak_usd": Definition(
        "unpaid, peak",
        "The most by which the credit of any one market fell short of what its traders own.",
        "USD",
        LOSS,
    ),
}

TRADING = {
    "perps_volume_usd": Definition("perps volume", "Notional of all orders settled, at their fill prices.", "USD", SIZE),
    "perps_orders": Definition("perps orders", "Orders settled.", "orders", SIZE),
    "perps_liquidations": Definition(
        "perps liquidations",
        "Liquidations of traders; one that the limit per window splits counts each time.",
        "liquidations",
        SIZE,
    ),
    "perps_liquidated_usd": Definition("perps liquidated", "Notional closed by liquidations, at the index price.", "USD", SIZE),
    "perps_cascade_usd": Definition(
        "largest perps cascade",
        "Largest notional liquidated within an hour at most, between two records, all markets together.",
        "USD",
        SIZE,
        CASCADES,
    ),
    "perps_cascade_share": Definition(
        "largest perps cascade, of open interest",
        "Notional liquidated in the worst hour of the run as a share of the open interest at its beginning.",
        "percent",
        SIZE,
        CASCADES,
    ),
    "perps_shortfall_usd": Definition(
        "perps shortfall",
        "What liquidated traders owed beyond their margin; LPs bear it.",
        "USD",
        LOSS,
    ),
    "keepers_paid_usd": Definition(
        "keepers' pay",
        "dUSD that markets paid keepers for settling orders and liquidating traders.",
        "USD",
        "positive is income of keepers",
    ),
    "keepers_profit_usd": Definition(
        "keepers' profit",
        "What keepers own at the end (dUSD, and collateral of liquidated LPs at the exchange's prices) less what they started with and "
        "what their liquidations cost them outside, at their mean cost.",
        "USD",
        GAIN,
    ),
}

NEUTRALITY = {
    "lp_beta_to_market": Definition(
        "LPs' beta to the market",
        "By how much LPs' return moves with the return of the index price: slope of a least-squares line over intervals between records, "
        "gains divided by the value that takes part at the interval's start, markets weighted by it. The interval holds 95% if errors are "
        "independent and normal.",
        "percent",
        "0 is delta neutral",
    ),
    "lp_beta_to_traders": Definition(
        "LPs' beta to traders",
        "By how much LPs' return moves with what traders win by moves of the price, per value that takes part: slope as above. It shows "
        "whether fees, price impact, funding and liquidations make up for what traders win.",
        "percent",
        "0 is delta neutral; at -100% LPs lose what traders win",
    ),
}

WATERFALL = {
    "perps_traders_gain_usd": Definition(
        "traders' gain",
        "What traders own at the end (dUSD, margin and open profit less account debt; interest not yet charged is not taken off) less what "
        "they started with.",
        "USD",
        GAIN,
    ),
    "exchange_lps_gain_usd": Definition(
        "LPs' gain, net",
        "What LPs own at the end (dUSD and collateral less debt) less what they started with, all at the exchange's prices at the end; "
        "collateral lost to liquidations is in it, reward tokens are not.",
        "USD",
        GAIN,
    ),
    "exchange_keepers_gain_usd": Definition(
        "keepers' gain",
        "What keepers own at the end less what they started with; costs outside the market are not taken off.",
        "USD",
        GAIN,
    ),
    "siphon_receivers_gain_usd": Definition("receivers' gain", "Siphoned fees, of all receivers.", "USD", GAIN),
    "unsettled_usd": Definition(
        "unsettled",
        "Debt of markets that no LP owes, because no pool has room for it, less what markets owe to nobody: gains of positions being "
        "liquidated, and losses beyond what traders own.",
        "USD",
        "positive: traders' gains that nobody has lost yet",
    ),
    "waterfall_residual_usd": Definition(
        "check: waterfall",
        "All gains added up less what is unsettled: a check of the books. dUSD that people brought along is no gain.",
        "USD",
        "0 within rounding",
    ),
}

EXCHANGE_TERMS: dict[str, Definition] = LP_GAIN | SOLVENCY | TRADING | NEUTRALITY | WATERFALL
