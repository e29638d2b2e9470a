"""What log returns turned out to be: moments with standard errors, jumps, autocorrelation of squares, correlation between assets.

Every statistic is, to first order, the mean of an influence function over the steps; its standard error is that of the means of that
function over batches of consecutive steps. With batches longer than the memory of volatility it holds under heteroskedasticity; with
batches of one step it is the usual large-sample formula for independent returns. Nothing is resampled. Errors of third and fourth moments
assume that the sixth and eighth exist, and are too small where a few rare jumps make the moment.

Sources: influence functions: Hampel, Journal of the American Statistical Association 69 (1974); batch means with about as many batches as
steps in each: Flegal and Jones, Annals of Statistics 38 (2010); Ljung and Box, Biometrika 65 (1978), of squares: McLeod and Li, Journal of
Time Series Analysis 4 (1983).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seawall.prices.jump_test import find_jumps
from seawall.protocols.tables import Floats

LAGS = (1, 10, 60)
_LEAST_STEPS = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its standard error, NaN where there is none."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Moments:
    """Of the log returns of one asset.

    Attributes:
        steps: number of returns.
        years: time they span.
        mean_per_year: log return per year.
        volatility_per_year: standard deviation of returns over the root of their length.
        skewness: of single steps, scaled by the root of their lengths.
        excess_kurtosis: of the same; 0 for a normal.
        jumps_per_year: returns too large to be diffusion; NaN where the path is too short to tell.
        square_autocorrelation: of squared returns, by lag in steps; lags beyond a quarter of the steps are left out.
        ljung_box_p: by lag, p value of no autocorrelation of squares up to it.
    """

    steps: int
    years: float
    mean_per_year: Estimate
    volatility_per_year: Estimate
    skewness: Estimate
    excess_kurtosis: Estimate
    jumps_per_year: Estimate
    square_autocorrelation: Mapping[int, Estimate]
    ljung_box_p: Mapping[int, float]


def moments(log_returns: Floats, years: Floats, *, batch_steps: int | None = None) -> Moments:
    """Moments of log returns.

    Args:
        log_returns: `[steps]` of one path or `[paths, steps]` of several that are alike; at least 8 of nonzero length.
        years: `[steps]` length of each step in years, >= 0; steps without length (a closed market) are left out.
        batch_steps: steps over which returns count as dependent, >= 1; the root of the steps if None, 1 for independent ones.

    Raises:
        ValueError: shapes differ, a value is not finite, too few steps, or batches so long that fewer than two fit in a path.
    """
    x, y = _checked(log_returns, years)
    steps = x.shape[1]
    batch = math.isqrt(steps) if batch_steps is None else batch_steps
    if not 1 <= batch <= steps // 2:
        raise ValueError(f"batch_steps(={batch_steps}) must be from 1 to half of the {steps} steps")
    mean = x.sum() / (y.sum() * len(x))
    off = x - mean * y
    scaled = off / np.sqrt(y)
    variance = float((scaled**2).mean())
    u = scaled / math.sqrt(variance) if variance > 0 else np.full_like(scaled, math.nan)
    # Products, here and below: NumPy's powers above the second take ten times as long.
    skewness, kurtosis = float((u * u * u).mean()), float(((u * u) ** 2).mean())
    volatility = math.sqrt(variance * x.size / (x.size - 1))
    autocorrelations = {lag: _square_autocorrelation(u, lag, batch) for lag in LAGS if lag <= steps // 4}
    return Moments(
        x.size,
        float(y.sum()) * len(x),
        Estimate(float(mean), batch_error(off / y.mean(), batch)),
        Estimate(volatility, batch_error((u**2 - 1) / 2, batch) * volatility if variance > 0 else 0.0),
        Estimate(skewness, batch_error(skewness_influence(u, skewness), batch)),
        Estimate(kurtosis - 3, batch_error(kurtosis_influence(u, skewness, kurtosis), batch)),
        _jump_rate(scaled, y),
        autocorrelations,
        _ljung_box(u, tuple(autocorrelations)),
    )


def correlations(log_returns: Floats, *, batch_steps: int = 1) -> tuple[Floats, Floats]:
    """Correlation matrix of `[steps, assets]` log returns and the standard errors of its entries, both `[assets, assets]`.

    Args:
        log_returns: finite, none of them constant.
        batch_steps: as in `moments`.

    Source of the errors: Browne and Shapiro, Linear Algebra and its Applications 82 (1986): free of any distribution.
    """
    if log_returns.ndim != 2 or len(log_returns) < max(_LEAST_STEPS, 2 * batch_steps) or not np.isfinite(log_returns).all():
        raise ValueError(f"log_returns {log_returns.shape} must be [steps, assets], finite, at least {_LEAST_STEPS} steps and two batches")
    deviations = log_returns.std(axis=0)
    if not (deviations > 0).all():
        raise ValueError(f"log_returns: column {int(np.argmin(deviations))} is constant, so it has no correlation")
    u = (log_returns - log_returns.mean(axis=0)) / deviations
    matrix = u.T @ u / len(u)
    errors = np.zeros_like(matrix)
    for i in range(len(matrix)):
        for j in range(i):
            influence = u[:, i] * u[:, j] - matrix[i, j] * (u[:, i] ** 2 + u[:, j] ** 2) / 2
            errors[i, j] = errors[j, i] = batch_error(influence[None, :], batch_steps)
    np.fill_diagonal(matrix, 1.0)
    return matrix, errors


def skewness_influence(u: Floats, skewness: float) -> Floats:
    """How far each standardised return moves the skewness, times the number of steps."""
    return u * u * u - skewness - 3 * u - 1.5 * skewness * (u**2 - 1)


def kurtosis_influence(u: Floats, skewness: float, kurtosis: float) -> Floats:
    """How far each standardised return moves the kurtosis (3 for a normal), times the number of steps."""
    return (u * u) ** 2 - kurtosis - 4 * skewness * u - 2 * kurtosis * (u**2 - 1)


def batch_means(values: Floats, batch_steps: int) -> Floats:
    """Means of whole batches, `[batches]`, of `[paths, steps]` values; a remainder shorter than a batch is left out."""
    batches = values.shape[1] // batch_steps
    whole: Floats = values[:, : batches * batch_steps].reshape(len(values) * batches, batch_steps).mean(axis=1)
    return whole


def batch_error(values: Floats, batch_steps: int) -> float:
    """Standard error of the mean of `[paths, steps]` values that are dependent over so many steps; at least two batches."""
    means = batch_means(values, batch_steps)
    return float(means.std(ddof=1)) / math.sqrt(len(means))


def _checked(log_returns: Floats, years: Floats) -> tuple[Floats, Floats]:
    """Returns `[paths, steps]` and lengths `[steps]`, without steps of no length."""
    x = np.atleast_2d(np.asarray(log_returns, dtype=np.float64))
    if x.ndim != 2 or years.shape != x.shape[1:]:
        raise ValueError(f"log_returns {log_returns.shape} must be [steps] or [paths, steps], years {years.shape} [steps]")
    if not (np.isfinite(x).all() and np.isfinite(years).all() and (years >= 0).all()):
        raise ValueError("log_returns must be finite, years finite and >= 0")
    used = years > 0
    if used.sum() < _LEAST_STEPS:
        raise ValueError(f"log_returns: {int(used.sum())} steps have a length; at least {_LEAST_STEPS} are needed")
    return x[:, used], years[used]


def _square_autocorrelation(u: Floats, lag: int, batch: int) -> Estimate:
    w = u**2 - 1
    spread = float((w**2).mean())
    if not spread > 0:
        return Estimate(math.nan, math.nan)
    now, later = w[:, :-lag], w[:, lag:]
    value = float((now * later).mean()) / spread
    influence = (now * later - value * (now**2 + later**2) / 2) / spread
    # Never less than of independent squares: a few large returns far apart show nothing of their chance to meet.
    return Estimate(value, max(batch_error(influence, min(batch, influence.shape[1] // 2)), 1 / math.sqrt(w.size)))


def _jump_rate(scaled: Floats, years: Floats) -> Estimate:
    found, untested = find_jumps(scaled, float(years.mean()))
    tested = float(years[untested:].sum()) * len(scaled)
    if tested == 0:
        return Estimate(math.nan, math.nan)
    count = int(found.sum())
    return Estimate(count / tested, math.sqrt(max(count, 1)) / tested)


def _ljung_box(u: Floats, lags: tuple[int, ...]) -> dict[int, float]:
    """P value of each lag, of squares; paths are taken as parts of one series."""
    from scipy.special import chdtrc

    w = u**2 - 1
    spread = float((w**2).sum())
    if not (lags and spread > 0):
        return dict.fromkeys(lags, math.nan)
    terms = [(float((w[:, :-k] * w[:, k:]).sum()) / spread) ** 2 / (w.size - k * len(w)) for k in range(1, max(lags) + 1)]
    sums = w.size * (w.size + 2) * np.cumsum(terms)
    return {lag: float(chdtrc(lag, sums[lag - 1])) for lag in lags}
