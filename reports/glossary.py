"""What each headline figure means: definition, unit, sign and source.

Sign convention of the whole project: losses are positive, and so are yields and profits where the name says so. CDPs are marked at market
prices for solvency; whether a CDP is margin-called is judged at the oracle price, which is all the protocol sees. A delisted tASSET counts
at its end price.
"""

from __future__ import annotations

from seawall.reports.avmm_terms import AVMM_TERMS
from seawall.reports.definition import CASCADES, GAIN, LOSS, SIZE, Definition
from seawall.reports.exchange_terms import EXCHANGE_TERMS
from seawall.reports.market_terms import MARKET_TERMS

PEREZ = "Perez et al., Liquidations: DeFi on a Knife-edge, arXiv 2009.13235"
GUDGEON = "Gudgeon et al., The Decentralized Financial Crisis, arXiv 2002.08099"
QIN = "Qin et al., An Empirical Study of DeFi Liquidations, arXiv 2106.06389"

OF_OTHER_MARKETS = EXCHANGE_TERMS | AVMM_TERMS | MARKET_TERMS

GLOSSARY: dict[str, Definition] = {
    "bad_debt_usd": Definition(
        "bad debt",
        "Debt left when a CDP's collateral is gone: realised, added up over the run, at the oracle price of the moment.",
        "USD",
        LOSS,
    ),
    "shortfall_peak_usd": Definition(
        "peak shortfall",
        "Largest total shortfall at any time. Shortfall is debt value less collateral value where positive, per CDP at market prices; "
        "surpluses of other CDPs are not netted against it.",
        "USD",
        LOSS,
    ),
    "shortfall_end_usd": Definition(
        "shortfall at the end",
        "Total shortfall when the run ends: debt value less collateral value where positive, per CDP, never netted.",
        "USD",
        LOSS,
    ),
    "insolvent_cdps_peak": Definition(
        "insolvent CDPs, peak",
        "Largest number of CDPs at one time whose collateral was worth less than their debt at market prices.",
        "CDPs",
        SIZE,
    ),
    "insolvent_cdps_end": Definition(
        "insolvent CDPs, end",
        "CDPs whose collateral is worth less than their debt at market prices when the run ends.",
        "CDPs",
        SIZE,
    ),
    "min_system_collateral_ratio": Definition(
        "lowest system ratio",
        "Smallest value over the run of the collateral of all CDPs divided by the value of all their debt at market prices.",
        "percent",
        "below 100% the system is insolvent",
    ),
    "time_to_insolvency_s": Definition(
        "time to insolvency",
        "Time from the start to the first moment at which any CDP's collateral was worth less than its debt.",
        "time",
        "longer is better; not computed when nothing became insolvent",
        GUDGEON,
    ),
    "under_collateralised_debt_share_end": Definition(
        "under-collateralised debt",
        "Share of all debt that sits in CDPs whose collateral is worth less than their debt when the run ends.",
        "percent",
        LOSS,
    ),
    "debt_end_usd": Definition(
        "debt at the end",
        "Value of what all CDPs owe when the run ends, at market prices.",
        "USD",
        SIZE,
    ),
    "open_cdps_end": Definition(
        "open CDPs at the end",
        "CDPs that still hold collateral or owe debt when the run ends.",
        "CDPs",
        SIZE,
    ),
    "lp_fees_usd": Definition(
        "LP fees",
        "Commission that swaps left in the pools, tokens at market prices at the end.",
        "USD",
        GAIN,
    ),
    "liquidations": Definition(
        "liquidations",
        "Number of purchases of collateral from margin-called CDPs; one CDP may be sold in several purchases.",
        "purchases",
        SIZE,
    ),
    "liquidated_debt_usd": Definition(
        "liquidated debt",
        "Value of the tASSET burned by buyers of collateral in auctions, at the oracle price of the purchase.",
        "USD",
        SIZE,
    ),
    "collateral_sold_usd": Definition(
        "collateral sold",
        "Value of the collateral handed to buyers in auctions.",
        "USD",
        SIZE,
    ),
    "discount_paid_usd": Definition(
        "discount paid",
        "What owners of CDPs lost to the auction discount: collateral sold less debt burned, both at the oracle price of the purchase.",
        "USD",
        LOSS,
        QIN,
    ),
    "liquidation_efficiency": Definition(
        "liquidation efficiency",
        "Share of the debt for sale (what restores the minimum ratio) of newly margin-called CDPs that was liquidated in that same round.",
        "percent",
        "higher is better",
        PEREZ,
    ),
    "mean_time_to_liquidation_s": Definition(
        "time to liquidation",
        "Mean time from a CDP's margin call to the purchases of its collateral.",
        "time",
        "shorter is better",
    ),
    "margin_called_at_end": Definition(
        "margin-called at end",
        "CDPs below their minimum collateral ratio at the oracle price when the run ends.",
        "CDPs",
        SIZE,
    ),
    "cascade_usd": Definition(
        "largest cascade",
        "Largest value of debt burned in purchases within any one hour, each at its oracle price.",
        "USD",
        SIZE,
        CASCADES,
    ),
    "cascade_debt_share": Definition(
        "largest cascade, of all debt",
        "Debt burned in the worst hour of the run as a share of the debt of all CDPs at the last record before that hour.",
        "percent",
        SIZE,
        CASCADES,
    ),
    "cascade_rounds": Definition(
        "longest cascade",
        "Most rounds one after the other in each of which something was liquidated.",
        "rounds",
        SIZE,
        CASCADES,
    ),
    "collateral_returned_usd": Definition(
        "collateral returned",
        "Value of the unsold collateral that auctions gave back to owners once all debt was burned.",
        "USD",
        SIZE,
    ),
    "refused_stale_price": Definition(
        "refused: stale price",
        "Rounds in which a margin-called CDP was left alone because the oracle price was older than its validity, counted per CDP.",
        "CDP rounds",
        SIZE,
    ),
    "refused_unprofitable": Definition(
        "refused: unprofitable",
        "Rounds in which a margin-called CDP was left alone because slippage, fees and costs would have eaten the discount, "
        "counted per CDP.",
        "CDP rounds",
        SIZE,
        QIN,
    ),
    "refused_no_capital": Definition(
        "refused: no capital",
        "Rounds in which a margin-called CDP was left alone because liquidators had spent their cash (or there were none), "
        "counted per CDP.",
        "CDP rounds",
        SIZE,
    ),
    "refused_no_liquidity": Definition(
        "refused: no liquidity",
        "Rounds in which a margin-called CDP was left alone because the pool was empty of the tASSET that has to be burned, or not used, "
        "counted per CDP.",
        "CDP rounds",
        SIZE,
    ),
    "refused_too_early": Definition(
        "refused: too early",
        "Rounds in which a margin-called CDP was left alone because a gas spike held liquidators up, counted per CDP.",
        "CDP rounds",
        SIZE,
    ),
    "refused_delisted": Definition(
        "refused: delisted",
        "Rounds in which a margin-called CDP was left alone because its collateral is a delisted tASSET, counted per CDP.",
        "CDP rounds",
        SIZE,
    ),
    "fee_yield_per_year": Definition(
        "fee yield",
        "Fees earned by liquidity providers divided by the mean value of the pools and by the years of the run; the horizon is "
        "short, so read it as a rate, not a forecast.",
        "percent per year",
        GAIN,
    ),
    "lp_net_yield_per_year": Definition(
        "LP net yield",
        "What liquidity providers own at the end (tokens at market prices, staked LP tokens and rewards included) less what they "
        "would own had they kept what they started with, so fees and rewards less impermanent loss, divided by the latter and by years.",
        "percent per year",
        GAIN,
    ),
    "protocol_fees_usd": Definition(
        "protocol fees",
        "Fees that CDPs and auctions paid to the protocol.",
        "USD",
        "positive is income of the protocol",
    ),
    "volume_usd": Definition(
        "AMM volume",
        "Value traded against the AMM pools, each swap counted once.",
        "USD",
        SIZE,
    ),
    "owners_loss_usd": Definition(
        "CDP owners' loss",
        "What auctions took from owners of CDPs: collateral sold less debt cleared for them.",
        "USD",
        LOSS,
    ),
    "holders_loss_usd": Definition(
        "holders' loss",
        "tASSET in circulation whose CDP ran out of collateral, at market prices at the end; shortfall of CDPs still open is not in it.",
        "USD",
        LOSS,
    ),
    "lp_impermanent_loss_usd": Definition(
        "impermanent loss",
        "Value that liquidity providers would have had they kept what they started with, less what they own (rewards included) without "
        "the fees they earned, at market prices at the end.",
        "USD",
        LOSS,
    ),
    "liquidators_profit_usd": Definition(
        "liquidators' profit",
        "What liquidators own at the end (tokens at market prices) less what they started with, costs of purchases taken off.",
        "USD",
        GAIN,
        QIN,
    ),
    "texo_price_start_usd": Definition(
        "tEXO price, start",
        "tDOLLAR per tEXO on its pool at the first record.",
        "USD",
        SIZE,
    ),
    "texo_price_end_usd": Definition(
        "tEXO price, end",
        "tDOLLAR per tEXO on its pool when the run ends.",
        "USD",
        SIZE,
    ),
    "fees_sold_usd": Definition(
        "fees sold for tEXO",
        "Protocol fees, in tDOLLAR, that the collector sold for tEXO on its pool.",
        "USD",
        GAIN,
    ),
    "fees_paid_texo": Definition(
        "fees paid to stakers",
        "tEXO bought with protocol fees and paid to those who stake tEXO.",
        "tEXO",
        GAIN,
    ),
    "fee_purchase_price_usd": Definition(
        "price paid for tEXO",
        "Protocol fees sold divided by the tEXO they paid: what the collector paid on average, its own slippage and the pool's "
        "commission included.",
        "USD per tEXO",
        "lower is more tEXO for stakers",
    ),
    "inflation_texo": Definition(
        "inflation",
        "New tEXO minted and paid by weight to those who stake tEXO and to those who stake LP tokens of listed tASSETs.",
        "tEXO",
        SIZE,
    ),
    "texo_staking_yield_per_year": Definition(
        "tEXO staking yield",
        "tEXO paid to those who stake tEXO, out of fees, inflation and deposits that polls lost, divided by the mean of what was staked "
        "and by the years of the run; in tEXO, not compounded. The horizon is short, so read it as a rate, not a forecast.",
        "percent per year",
        GAIN,
    ),
    "lp_rewards_usd": Definition(
        "rewards of LP stakers",
        "Inflation paid to those who stake LP tokens, at the price of tEXO on its pool when the run ends.",
        "USD",
        GAIN,
    ),
    "polls_executed": Definition(
        "polls executed",
        "Proposals that passed and whose change was made.",
        "polls",
        SIZE,
    ),
    "polls_rejected": Definition(
        "polls rejected",
        "Proposals that missed the quorum or the majority, or that could not be carried out once passed.",
        "polls",
        SIZE,
    ),
    "delisted_tassets": Definition(
        "delisted tASSETs",
        "tASSETs that were fixed at an end price during the run.",
        "tASSETs",
        SIZE,
    ),
    "delisted_debt_end_usd": Definition(
        "delisted debt, end",
        "What CDPs of delisted tASSETs still owe when the run ends, at the end price.",
        "USD",
        SIZE,
    ),
    "delisted_collateral_end_usd": Definition(
        "delisted collateral, end",
        "Collateral still locked in CDPs of delisted tASSETs when the run ends, at market prices.",
        "USD",
        SIZE,
    ),
    "delisted_pools_end_usd": Definition(
        "delisted pools, end",
        "What the pools of delisted tASSETs still hold when the run ends: twice their tDOLLAR.",
        "USD",
        SIZE,
    ),
    "replacement_debt_end_usd": Definition(
        "replacement debt, end",
        "What CDPs of replacements of delisted tASSETs owe when the run ends, at market prices.",
        "USD",
        SIZE,
    ),
    "replacement_pools_end_usd": Definition(
        "replacement pools, end",
        "What the pools of replacements of delisted tASSETs hold when the run ends: twice their tDOLLAR.",
        "USD",
        SIZE,
    ),
} | OF_OTHER_MARKETS


def define(name: str) -> Definition:
    """The definition of a headline figure; what follows a dot says of which market or of whom it is.

    Raises:
        KeyError: nobody defined it; a report never shows a figure it cannot explain.
    """
    try:
        return GLOSSARY[name.partition(".")[0]]
    except KeyError:
        raise KeyError(f"headline figure {name!r} has no definition in reports/glossary.py") from None
