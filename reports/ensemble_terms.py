"""What each statistic over paths means: definition, sign and source, beside the glossary of the figures themselves."""

from __future__ import annotations

from seawall.reports.definition import DEFINITION, GAIN, LOSS, SIZE, Definition

LEVELS = {"var95": "VaR 95%", "cvar95": "CVaR 95%", "var99": "VaR 99%", "cvar99": "CVaR 99%"}
"""Statistics of a loss beside its mean, as they are called."""

_VAR = "Smallest loss that {0} of all paths does not exceed."
_CVAR = "Mean loss on the worst {0} of all paths; the path at the edge counts with the part of it that belongs to them."
_ACERBI = "Acerbi and Tasche (2002), On the coherence of expected shortfall"

STATISTIC_TERMS: dict[str, Definition] = {
    "mean": Definition(
        "mean",
        "Mean over all paths that have the figure, by weight where paths are weighted. Interval: Student's, with the skewness removed.",
        "as the figure",
        "as the figure",
        "Hall (1992), On the removal of skewness by transformation",
    ),
    "var95": Definition("VaR 95%", f"{_VAR.format('a share of 95%')} Interval: order statistics.", "as the figure", LOSS),
    "var99": Definition("VaR 99%", f"{_VAR.format('a share of 99%')} Interval: order statistics.", "as the figure", LOSS),
    "cvar95": Definition("CVaR 95%", _CVAR.format("5%"), "as the figure", LOSS, _ACERBI),
    "cvar99": Definition("CVaR 99%", _CVAR.format("1%"), "as the figure", LOSS, _ACERBI),
    "exceedance": Definition(
        "exceedance curve",
        "Share of paths on which the loss is larger than each amount. Intervals are Wilson's and pointwise: each holds by itself, "
        "not all at once.",
        "percent of paths",
        LOSS,
        "Wilson (1927), Probable inference",
    ),
    "insolvency": Definition(
        "probability of insolvency",
        "Share of paths on which at least one CDP's collateral was at any time worth less than its debt at market prices. Interval: "
        "Wilson's.",
        "percent of paths",
        LOSS,
        "Gudgeon et al., arXiv 2002.08099; Wilson (1927), Probable inference",
    ),
    "under_collateralised_run": Definition(
        "under-collateralised run",
        "Share of paths that end with more than 1% of all debt in CDPs whose collateral is worth less than they owe.",
        "percent of paths",
        LOSS,
        "Gauntlet, Market Risk Assessment of Compound (2020)",
    ),
    "survival": Definition(
        "survival curve",
        "Share of paths on which no CDP has been insolvent yet; a path on which none ever was counts as watched to its end. The median is "
        "the time by which half of the paths have had one.",
        "percent of paths",
        "longer is better",
        "Kaplan and Meier (1958); interval: Kalbfleisch and Prentice (2002), section 1.4",
    ),
    "liquidation_efficiency_ratio": Definition(
        "liquidation efficiency, all paths",
        "Debt liquidated in the round of its margin call as a share of the debt then put up for sale, sum over all paths by sum over all "
        "paths: a path counts by how much was called on it.",
        "percent",
        "higher is better",
        "Perez et al., arXiv 2009.13235; Cochran (1977), Sampling Techniques, chapter 6",
    ),
    "liquidation_at_risk": Definition(
        "liquidation at risk (LaR)",
        "95th percentile over paths of the debt that liquidators burned.",
        "USD",
        SIZE,
        "Gauntlet, Liquidations at Risk",
    ),
    "borrower_loss": Definition(
        "borrower loss at risk",
        "95th percentile over paths of what owners of CDPs lost to auctions, as a share of their collateral at the start.",
        "percent",
        LOSS,
        "crvUSDrisk, borrower loss",
    ),
    "capital_efficiency": Definition(
        "capital efficiency",
        "Debt at the end times its minimum ratio, as a share of the collateral at the end, over all paths: 100% is all that may be minted.",
        "percent",
        "higher uses more of the collateral",
        "Gauntlet, report on Synthetix, mint usage",
    ),
    "explained_failures": Definition(
        "why liquidations failed",
        "Each reason's share of all rounds and margin-called CDPs that liquidators left alone, over all paths; shares add up to 100%.",
        "percent",
        SIZE,
        "definition; reasons as in Qin et al., arXiv 2106.06389",
    ),
    "delta_neutrality": Definition(
        "delta neutrality",
        "Mean over paths of the slope of LPs' return on the market's return, or on what traders win.",
        "percent",
        "0 is neutral",
        DEFINITION,
    ),
    "waterfall": Definition(
        "loss waterfall",
        "Mean over paths of what each group lost; paths on which a group has no figure are left out for all of them.",
        "USD",
        f"{LOSS}; gains are negative",
        DEFINITION,
    ),
    "net_yield": Definition(
        "yields over paths",
        "Mean over paths of what liquidity earned per year, fees alone or net of all losses; a path without liquidity has none.",
        "per year",
        GAIN,
        DEFINITION,
    ),
}
"""In the order of the report; a page shows those that it uses."""
