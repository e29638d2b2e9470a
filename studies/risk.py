"""The risk figures of an ensemble: from one value per path to an estimate with its interval.

Signs: losses are positive, gains are positive where the name says gain or yield. Fractions, USD, seconds; yields are per year. A path on
which a figure could not be computed is NaN: left out and counted as missing. The general measures (mean, quantile, VaR, CVaR, probability,
exceedance, survival) are those of tails.py, proportions.py and survival.py and can be imported from here; how well their intervals
cover: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from seawall.protocols.tables import Floats
from seawall.studies.estimate import Estimate, SampleError
from seawall.studies.proportions import exceedance, frequency, probability
from seawall.studies.survival import Survival, kaplan_meier, median_time
from seawall.studies.tails import cvar, mean, quantile, ratio_of_sums, var

__all__ = [
    "Estimate",
    "SampleError",
    "Survival",
    "borrower_loss_at_risk",
    "capital_efficiency",
    "cvar",
    "delta_neutrality",
    "exceedance",
    "explained_failures",
    "frequency",
    "insolvency_probability",
    "kaplan_meier",
    "liquidation_at_risk",
    "liquidation_efficiency",
    "loss_waterfall",
    "mean",
    "mean_yield",
    "median_time",
    "probability",
    "quantile",
    "ratio_of_sums",
    "time_to_insolvency",
    "under_collateralised_runs",
    "var",
]

AT_RISK = 0.95  # level of liquidation at risk and borrower loss at risk
UNDER_COLLATERALISED = 0.01  # share of debt from which Gauntlet calls a run under-collateralised


def insolvency_probability(first_insolvent_s: ArrayLike, log_weights: ArrayLike | None = None) -> Estimate:
    """Share of paths on which at least one position became worth less than it owes. Fraction; positive is a risk.

    Args:
        first_insolvent_s: [paths], seconds until the first one; NaN where none ever was.
        log_weights: [paths].

    Source: definition; Gudgeon et al., arXiv 2002.08099, for insolvency marked at market prices.
    """
    return frequency(~np.isnan(_floats(first_insolvent_s)), log_weights)


def time_to_insolvency(first_insolvent_s: ArrayLike, horizon_s: float, log_weights: ArrayLike | None = None) -> Survival:
    """Share of paths that are still solvent, over time; seconds. Longer is better; paths that never fail count as watched to the horizon.

    Args:
        first_insolvent_s: [paths], seconds until the first insolvent position; NaN where there never was one.
        horizon_s: length of a path, seconds.
        log_weights: [paths].

    Source: Gudgeon et al., arXiv 2002.08099; Kaplan and Meier (1958).
    """
    times = _floats(first_insolvent_s)
    never = np.isnan(times)
    return kaplan_meier(np.where(never, horizon_s, times), never, log_weights)


def under_collateralised_runs(
    debt_share: ArrayLike, log_weights: ArrayLike | None = None, *, limit: float = UNDER_COLLATERALISED
) -> Estimate:
    """Probability that more than 1% of all debt sits in positions worth less than they owe when a path ends. Fraction; positive is a risk.

    Args:
        debt_share: [paths], share of the debt that is under-collateralised at the end; NaN where nothing is owed.
        log_weights: [paths].
        limit: share of the debt from which a path counts.

    Source: Gauntlet, Market Risk Assessment of Compound (2020), "under-collateralised run".
    """
    return exceedance(debt_share, limit, log_weights)[0]


def liquidation_efficiency(instant_usd: ArrayLike, called_usd: ArrayLike, log_weights: ArrayLike | None = None) -> Estimate:
    """Share of the debt put up for sale, over all paths, that was liquidated in the round of its margin call. Fraction; higher is better.

    Sum over sum, so that a path counts by how much was called on it.

    Args:
        instant_usd: [paths], debt liquidated in the round in which it was called.
        called_usd: [paths], debt called.
        log_weights: [paths].

    Source: Perez et al., arXiv 2009.13235.
    """
    return ratio_of_sums(instant_usd, called_usd, log_weights)


def liquidation_at_risk(liquidated_usd: ArrayLike, log_weights: ArrayLike | None = None, *, level: float = AT_RISK) -> Estimate:
    """LaR: 95th percentile over paths of the value liquidated on a path, USD. Never negative; more is more pressure on liquidators.

    Args:
        liquidated_usd: [paths], debt burned in liquidations.
        log_weights: [paths].
        level: of the percentile.

    Source: Gauntlet, "Liquidations at Risk".
    """
    return quantile(liquidated_usd, level, log_weights)


def borrower_loss_at_risk(
    owners_loss_usd: ArrayLike, collateral_usd: ArrayLike, log_weights: ArrayLike | None = None, *, level: float = AT_RISK
) -> Estimate:
    """95th percentile over paths of what owners of CDPs lost to auctions, as a share of their collateral. Fraction; positive is a loss.

    Args:
        owners_loss_usd: [paths], collateral sold less debt cleared.
        collateral_usd: [paths], collateral that it is a share of, at the start; a path without any has no value.
        log_weights: [paths].
        level: of the percentile.

    Source: crvUSDrisk, "borrower loss".
    """
    lost, held = _floats(owners_loss_usd), _floats(collateral_usd)
    share = np.divide(lost, held, out=np.full(lost.shape, np.nan), where=held > 0.0)
    return quantile(share, level, log_weights)


def capital_efficiency(required_usd: ArrayLike, collateral_usd: ArrayLike, log_weights: ArrayLike | None = None) -> Estimate:
    """Debt minted as a share of what the collateral allows, over all paths. Fraction; higher uses more of the collateral, 1 is the limit.

    Args:
        required_usd: [paths], sum over positions of debt value * minimum collateral ratio.
        collateral_usd: [paths], value of their collateral.
        log_weights: [paths].

    Source: Gauntlet's report on Synthetix, "mint usage".
    """
    return ratio_of_sums(required_usd, collateral_usd, log_weights)


def explained_failures(refused: Mapping[str, ArrayLike], log_weights: ArrayLike | None = None) -> dict[str, Estimate]:
    """Why margin-called positions were left alone: each reason's share of all refusals over all paths. Fractions that add up to 1.

    Args:
        refused: reason: [paths], rounds and positions refused for it.
        log_weights: [paths].

    Source: definition; reasons as in Qin et al., arXiv 2106.06389.
    """
    counts = {reason: _floats(values) for reason, values in refused.items()}
    total = sum(counts.values(), start=np.zeros(()))
    return {reason: ratio_of_sums(values, total, log_weights) for reason, values in counts.items()}


def mean_yield(yield_per_year: ArrayLike, log_weights: ArrayLike | None = None) -> Estimate:
    """Mean over paths of what LPs of one venue or kind earned per year, fees alone or net of all losses. Per year; positive is a gain.

    A path without liquidity has no yield. The horizon is short: read it as a rate, not as a forecast.

    Args:
        yield_per_year: [paths], as the run states it.
        log_weights: [paths].

    Source: definition.
    """
    return mean(yield_per_year, log_weights)


def delta_neutrality(slopes: ArrayLike, log_weights: ArrayLike | None = None) -> Estimate:
    """Mean over paths of the slope of LPs' return on the market's return, or on what traders win. Fraction; 0 is neutral.

    Args:
        slopes: [paths], one per path, as models/exchange_neutrality.py fits them.
        log_weights: [paths].

    Source: 000_f10a0af1cff63fc7.txt ("unaffected by perps trader profit and losses").
    """
    return mean(slopes, log_weights)


def loss_waterfall(losses_usd: Mapping[str, ArrayLike], log_weights: ArrayLike | None = None) -> dict[str, Estimate]:
    """Who bears each dollar: mean over paths of each group's loss, USD. Positive is a loss; gains are negative here.

    Paths on which any group has no value are left out for all of them, so that the means add up to the mean of the total.

    Args:
        losses_usd: group: [paths].
        log_weights: [paths].

    Source: definition.
    """
    table = {group: _floats(values) for group, values in losses_usd.items()}
    known = ~np.isnan(sum(table.values(), start=np.zeros(())))
    return {group: mean(np.where(known, values, np.nan), log_weights) for group, values in table.items()}


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
