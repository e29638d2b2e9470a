"""What a fit is: the history it was made from, parameters with standard errors, and what is left unexplained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seawall.prices.moments import Estimate, moments
from seawall.prices.process import YEAR_SECONDS, Process
from seawall.protocols.tables import Floats

LEAST_RETURNS = 100
_SAME = 0.01  # steps within 1 % of the usual length count as bars
_RESIDUAL_LAGS = 10
_EDGE = 1e-12  # uniform residuals are kept off 0 and 1, or their normal quantiles would be infinite


@dataclass(frozen=True, slots=True)
class History:
    """Log returns of even bars.

    Attributes:
        log_returns: `[bars]`, those over gaps left out.
        log_before: `[bars]` log price at the beginning of each bar.
        bar_seconds: usual distance of two prices.
        left_out: returns over longer or shorter times, which are in no fit.
        last_usd: last price.
    """

    log_returns: Floats
    log_before: Floats
    bar_seconds: float
    left_out: int
    last_usd: float

    @property
    def bar_years(self) -> float:
        """Length of a bar in years."""
        return self.bar_seconds / YEAR_SECONDS

    @property
    def years(self) -> float:
        """Time in the bars together."""
        return len(self.log_returns) * self.bar_years


def history(prices: Floats, times_seconds: Floats) -> History:
    """Log returns of the bars, checked.

    Args:
        prices: `[rows]` USD, finite, > 0.
        times_seconds: `[rows]` rising.

    Raises:
        ValueError: a price or time is out of range, too few or too many odd bars, or prices that stand still.
    """
    if prices.ndim != 1 or times_seconds.shape != prices.shape:
        raise ValueError(f"prices {prices.shape} and times_seconds {times_seconds.shape} must be [rows], the same")
    bad = np.flatnonzero(~(np.isfinite(prices) & (prices > 0)))
    if len(bad):
        raise ValueError(f"prices[{bad[0]}](={prices[bad[0]]}) must be finite and > 0; {len(bad)} such")
    if len(prices) <= LEAST_RETURNS:
        raise ValueError(f"prices: {len(prices)} of them; at least {LEAST_RETURNS + 1} are needed for a fit that means anything")
    lengths = np.diff(times_seconds)
    if not (np.isfinite(times_seconds).all() and (lengths > 0).all()):
        raise ValueError(f"times_seconds must be finite and rise; they do not at row {int(np.argmin(lengths)) + 1}")
    usual = float(np.median(lengths))
    kept = np.abs(lengths / usual - 1) <= _SAME
    if kept.sum() < max(LEAST_RETURNS, len(kept) / 2):
        raise ValueError(f"times_seconds: {int(kept.sum())} of {len(kept)} steps have the usual length of {usual:g} s; at least half must")
    logs = np.log(prices)
    returns = np.diff(logs)[kept]
    if not returns.std() > 1e-12:
        raise ValueError(f"prices: stand still at {prices[0]}, or grow evenly; there is no volatility to fit")
    return History(returns, logs[:-1][kept], usual, int((~kept).sum()), float(prices[-1]))


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What is left of the returns once the model has explained them; residuals of a true model are independent standard normals.

    Attributes:
        mean: of the residuals.
        deviation: their standard deviation.
        skewness: theirs.
        excess_kurtosis: theirs.
        autocorrelation_p: Ljung and Box over 10 lags: p value of no autocorrelation of the residuals.
        square_autocorrelation_p: the same of their squares; below 0.01 the model misses how volatility clusters.
        ks_distance: largest distance of their distribution from the normal (Kolmogorov and Smirnov).
        ks_p: its p value; too high, since the parameters were fitted to the same returns.
    """

    mean: float
    deviation: float
    skewness: float
    excess_kurtosis: float
    autocorrelation_p: float
    square_autocorrelation_p: float
    ks_distance: float
    ks_p: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A model fitted to a history.

    Attributes:
        model: its name.
        process: the model with these parameters, to draw paths from; None for the bootstrap, which needs the history.
        parameters: by name, with standard errors; NaN where there is none.
        log_likelihood: of the log returns; None where the method has none that may be compared.
        free: number of parameters fitted.
        bars: number of returns fitted to.
        left_out: returns over gaps, in no fit.
        bar_seconds: length of a bar.
        method: how it was fitted.
        notes: what to know before use; empty if nothing.
        residuals: `[residuals]` standard normal if the model is true.
    """

    model: str
    process: Process | None
    parameters: Mapping[str, Estimate]
    log_likelihood: float | None
    free: int
    bars: int
    left_out: int
    bar_seconds: float
    method: str
    notes: tuple[str, ...]
    residuals: Floats

    @property
    def aic(self) -> float | None:
        """Akaike's criterion; the lower, the better, among fits to the same returns."""
        return None if self.log_likelihood is None else 2 * self.free - 2 * self.log_likelihood

    @property
    def bic(self) -> float | None:
        """Schwarz's criterion; harder on parameters than Akaike's."""
        return None if self.log_likelihood is None else self.free * math.log(self.bars) - 2 * self.log_likelihood

    @property
    def diagnostics(self) -> Diagnostics:
        """What is left unexplained."""
        from scipy.stats import kstest
        from statsmodels.stats.diagnostic import acorr_ljungbox

        z = self.residuals
        found = moments(z, np.ones(len(z)), batch_steps=1)
        plain, squares = (float(acorr_ljungbox(x, [_RESIDUAL_LAGS])["lb_pvalue"].iloc[0]) for x in (z, z**2))
        ks = kstest(z, "norm")
        mean, deviation = found.mean_per_year.value, found.volatility_per_year.value
        shape = found.skewness.value, found.excess_kurtosis.value
        return Diagnostics(mean, deviation, *shape, plain, squares, float(ks.statistic), float(ks.pvalue))


def fitted(model: str, past: History, *, process: Process | None, parameters: Mapping[str, Estimate], **others: object) -> Fit:
    """A fit to that history."""
    return Fit(
        model=model,
        process=process,
        parameters=parameters,
        bars=len(past.log_returns),
        left_out=past.left_out,
        bar_seconds=past.bar_seconds,
        **others,  # type: ignore[arg-type]
    )


def normal_residuals(uniform: Floats) -> Floats:
    """Standard normals at the quantiles where the model puts what happened (Rosenblatt, Annals of Mathematical Statistics 23, 1952)."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(uniform, _EDGE, 1 - _EDGE)), dtype=np.float64)
