"""What each headline figure of the RFQ market means. LPs are the other side of all orders: what a stale quote costs them others gain."""

from __future__ import annotations

from seawall.reports.definition import GAIN, LOSS, SIZE, Definition

LVR = "Milionis et al., Automated Market Making and Loss-Versus-Rebalancing, arXiv 2208.06046"
PEROLD = "Perold, The Implementation Shortfall: Paper versus Reality, Journal of Portfolio Management 14 (3), 1988"
HERFINDAHL = "Herfindahl, Concentration in the Steel Industry, 1950"

ORDERS = {
    "avmm_volume_usd": Definition(
        "RFQ volume",
        "What LPs settled of all orders, those of other protocols' agents included, at market prices of the settlement; with pools "
        "their volume.",
        "USD",
        SIZE,
    ),
    "avmm_orders": Definition(
        "RFQ orders",
        "Orders of traders who know no more than the oracle, settled or not.",
        "orders",
        SIZE,
    ),
    "avmm_fill_rate": Definition(
        "fill rate",
        "What was settled of these traders' orders divided by what they ordered, both at market prices when the order was placed.",
        "percent",
        "higher is better",
    ),
    "avmm_execution_cost": Definition(
        "execution cost",
        "What these traders paid less what they received, divided by what was filled, all at market prices when the order was placed: "
        "fees, slippage, and what prices did until the settlement.",
        "percent",
        "positive is a cost to traders",
        PEROLD,
    ),
    "avmm_informed_gain_usd": Definition(
        "informed traders' gain",
        "What traders who see the market's price before the oracle does received less what they paid, at market prices when the order was "
        "placed.",
        "USD",
        GAIN,
    ),
    "avmm_refused_no_lp": Definition(
        "refused: no LP",
        "Orders refused because no position could settle them: out of range, too small, or not accepting the asset. Informed traders and "
        "the tASSET market's agents ask first and place no order then.",
        "refusals",
        SIZE,
    ),
    "avmm_refused_stale_price": Definition(
        "refused: no fresh quote",
        "Orders refused because the oracle price of one of the two assets was too old.",
        "refusals",
        SIZE,
    ),
}

LPS = {
    "avmm_fees_usd": Definition(
        "RFQ fees",
        "Fees that LPs kept of orders, at market prices of the settlement. In auctions there are none: a solver's gain is in the price. Of "
        "pools the commissions, at market prices of the end.",
        "USD",
        GAIN,
    ),
    "avmm_fee_yield_per_year": Definition(
        "RFQ fee yield",
        "RFQ fees divided by what LPs started with, at market prices of the end, and by the years of the run; not compounded.",
        "percent per year",
        GAIN,
    ),
    "avmm_stale_loss_usd": Definition(
        "stale loss (LVR)",
        "By how much what LPs settled, fees included, was worth more than what they were paid, at market prices of the settlement: their "
        "loss against rebalancing at market prices. Fees less this is LPs' gain from orders.",
        "USD",
        LOSS,
        LVR,
    ),
    "avmm_lp_gain_usd": Definition(
        "RFQ LPs' gain",
        "What LPs own at the end (wallets, positions, their part of pools) less what they started with, all at market prices of the end: "
        "against holding.",
        "USD",
        GAIN,
    ),
    "avmm_lp_net_yield_per_year": Definition(
        "RFQ LP net yield",
        "RFQ LPs' gain divided by what they started with, at market prices of the end, and by the years of the run; the horizon is short, "
        "so read it as a rate, not a forecast.",
        "percent per year",
        GAIN,
    ),
    "avmm_herfindahl": Definition(
        "concentration of LPs",
        "Sum of the squared shares of LPs in what was settled: 100% if one LP settles all, 1 / n if n of them settle as much each. In "
        "pools of their shares in what LPs started with.",
        "percent",
        "lower is more even",
        HERFINDAHL,
    ),
    "avmm_settled_share": Definition(
        "share of what was settled",
        "What LPs of one kind settled divided by what all LPs settled; in pools by what they started with.",
        "percent",
        SIZE,
    ),
    "avmm_payable_min_usd": Definition(
        "lowest payable",
        "The least at any record that positions in range would pay, of all assets, at oracle prices; 0 while prices are stale. Of one "
        "asset: the least that they would pay of it.",
        "USD",
        "higher is better",
    ),
    "avmm_lps_out_end": Definition(
        "RFQ LPs out, end",
        "LPs who have stepped out of the market or whose ranges do not hold the last prices when the run ends.",
        "LPs",
        SIZE,
    ),
}

AVMM_TERMS: dict[str, Definition] = ORDERS | LPS
