"""Heston's model from realised variance, by quasi-likelihood: rough, and labelled so.

Prices do not show their variance. Sums of squared returns over blocks show its integral, with noise. For Heston's model the integral has
the autocovariances of an ARMA(1, 1), and noise that is independent from block to block leaves it one. Its normal likelihood gives mean,
reversion and volatility of variance; the law is not normal, so errors are those of White. The correlation comes from the covariance of the
return of a block with the realised variance of the next. Wide errors are the rule, not an exception: months of variance hold few swings.

Sources: Barndorff-Nielsen and Shephard, "Econometric analysis of realized volatility", J. R. Statist. Soc. B 64 (2002);
covariance of return and later variance: derived here from dv = kappa (theta - v) dt + xi sqrt(v) dW'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from seawall.prices.fit import Fit, History, fitted
from seawall.prices.fit_likelihood import Maximum, maximise
from seawall.prices.heston import Heston
from seawall.prices.moments import Estimate, batch_error
from seawall.protocols.tables import Floats

_DAY_SECONDS = 86_400
_LEAST_PER_BLOCK = 12
_LEAST_BLOCKS = 60


def fit_heston(past: History) -> Fit:
    """Quasi-likelihood of the realised variance of days, or of twelve bars where these are longer.

    Raises:
        ValueError: fewer than 60 blocks.
    """
    per_block = max(_LEAST_PER_BLOCK, round(_DAY_SECONDS / past.bar_seconds))
    blocks = len(past.log_returns) // per_block
    if blocks < _LEAST_BLOCKS:
        days = _LEAST_BLOCKS * per_block * past.bar_seconds / _DAY_SECONDS
        raise ValueError(f"prices: {blocks} blocks of {per_block} bars; heston needs at least {_LEAST_BLOCKS}, {days:.0f} days of trading")
    mean = float(past.log_returns.mean())
    returns = (past.log_returns[-blocks * per_block :] - mean).reshape(blocks, per_block)
    block_years = per_block * past.bar_years
    realised = (returns**2).sum(axis=1) / block_years
    best = _fit_variance(realised, block_years, per_block)
    theta, kappa, xi = (math.exp(value) for value in best.at)
    correlation, notes = _correlation(returns.sum(axis=1), realised, kappa, xi * theta, block_years)
    drift = Estimate(mean / past.bar_years + theta / 2, math.sqrt(theta / past.years))
    surprise, variance = _surprises(best.at, realised, block_years, per_block)
    kept, echo, _ = _arma(best.at, block_years, per_block)
    ahead = max(theta + kept * (float(realised[-1]) - theta) + echo * float(surprise[-1]), 0.01 * theta)
    start = {"drift_per_year": drift, "start_volatility_per_year": Estimate(math.sqrt(ahead), math.nan)}
    parameters = {**start, **best.parameters, "correlation": correlation}
    feller = () if xi**2 <= 2 * kappa * theta else ("Feller's condition fails: the variance touches zero",)
    return fitted(
        "heston",
        past,
        process=Heston(past.last_usd, **{name: one.value for name, one in parameters.items()}),
        parameters=parameters,
        log_likelihood=None,
        free=5,
        method=f"quasi-likelihood of the realised variance of {blocks} blocks of {per_block} bars; errors after White, wide",
        notes=(*best.notes, *notes, *feller, "residuals are those of realised variance, which is not normal"),
        residuals=surprise / math.sqrt(variance),
    )


def _fit_variance(realised: Floats, block_years: float, per_block: int) -> Maximum:
    """Mean, reversion and volatility of variance from `[blocks]` realised variance per year."""
    theta, spread = float(realised.mean()), float(realised.var())

    def terms(at: Floats) -> Floats:
        surprise, variance = _surprises(at, realised, block_years, per_block)
        return -(np.log(2 * math.pi * variance) + surprise**2 / variance) / 2

    def wanted(at: Floats) -> Mapping[str, float]:
        names = ("mean_volatility_per_year", "reversion_per_year", "volatility_of_variance")
        return dict(zip(names, (math.exp(at[0] / 2), math.exp(at[1]), math.exp(at[2])), strict=True))

    starts = []
    for blocks in (3.0, 15.0):
        kappa = 1 / (blocks * block_years)
        starts.append(np.log([theta, kappa, math.sqrt(max(spread, 1e-6 * theta**2) * kappa / theta)]))
    slowest, fastest = math.log(0.5 / (len(realised) * block_years)), math.log(3 / block_years)
    bounds = [(math.log(theta) - 3, math.log(theta) + 3), (slowest, fastest), (starts[0][2] - 6, starts[0][2] + 6)]
    return maximise(terms, starts, bounds, wanted, robust=True)


def _surprises(at: Floats, realised: Floats, block_years: float, per_block: int) -> tuple[Floats, float]:
    """What the past blocks did not foretell, `[blocks]`, and its variance."""
    from scipy.signal import lfilter

    kept, echo, variance = _arma(at, block_years, per_block)
    return np.asarray(lfilter([1.0, -kept], [1.0, echo], realised - math.exp(at[0])), dtype=np.float64), variance


def _arma(at: Floats, block_years: float, per_block: int) -> tuple[float, float, float]:
    """Autoregression, moving average and variance of the surprises of realised variance, from log theta, log kappa, log xi.

    Source: autocovariances of integrated variance as in Barndorff-Nielsen and Shephard (2002), with noise of sums of squares.
    """
    theta, kappa, xi = np.exp(at).tolist()
    k = kappa * block_years
    spread = xi**2 * theta / (2 * kappa)  # stationary variance of v
    kept = math.exp(-k)
    whole = spread * 2 * (k + math.expm1(-k)) / k**2 + 2 * (theta**2 + spread) / per_block
    nearest = spread * (math.expm1(-k) / k) ** 2
    own, next_one = whole * (1 + kept**2) - 2 * kept * nearest, nearest - kept * whole
    ratio = next_one / own  # echo / (1 + echo^2), so below 1/2 in size
    echo = 2 * ratio / (1 + math.sqrt(max(1 - 4 * ratio**2, 0.0)))
    return kept, echo, own / (1 + echo**2)


def _correlation(returns: Floats, realised: Floats, kappa: float, strength: float, block_years: float) -> tuple[Estimate, tuple[str, ...]]:
    """Of price and variance: the covariance of a block's return and the next realised variance is correlation * strength * lag^2 / block.

    `lag` is (1 - exp(-kappa block)) / kappa, `strength` xi theta.
    """
    lag = -math.expm1(-kappa * block_years) / kappa
    unit = strength * lag**2 / block_years
    products = returns[:-1] * (realised[1:] - realised.mean())
    value, error = float(products.mean()) / unit, batch_error(products[None, :], max(1, math.isqrt(len(products)) // 2)) / unit
    if abs(value) <= 1:
        return Estimate(value, error), ()
    return Estimate(math.copysign(1.0, value), error), (f"the correlation came out at {value:.2f} and was cut: it is not known",)
