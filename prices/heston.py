"""Heston's stochastic volatility: dS/S = mu dt + sqrt(v) dW, dv = kappa (theta - v) dt + xi sqrt(v) dW', correlation of dW and dW' rho.

The variance walks by Andersen's quadratic-exponential (QE) scheme, which keeps mean and variance of v exact for any step. Its normal is
correlated with the price's, and the price takes the variance at the beginning of the step: E[S_T] = S_0 exp(mu T) for any step, and the
dependence between assets that z carries is kept whole. (Andersen's own price step would use z for the part uncorrelated with the variance
only.) What the step biases is the dependence of v and S within it, which vanishes with its length.

Feller's condition 2 kappa theta >= xi^2 keeps the true variance above zero. It is not required here: the scheme lets the variance touch
zero and come back. Where it fails by far, calm stretches alternate with bursts.

Sources: Heston, "A closed-form solution for options with stochastic volatility", Review of Financial Studies 6 (1993), section 1; Andersen,
"Simple and efficient simulation of the Heston stochastic volatility model", Journal of Computational Finance 11 (2008), section 3.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from seawall.prices.process import Expected, check_finite, check_not_negative, check_positive, check_steps
from seawall.protocols.tables import Floats

_SWITCH = 1.5  # between the branches; Andersen, section 3.2.3: anything in [1, 2] will do
_NOTHING = 1e-100  # below it a variance, or its relative spread, is zero; squares of what is above do not underflow


@numba.njit(cache=True, nogil=True, error_model="numpy")
def next_variance(v: float, decay: float, theta: float, scale: float, normal: float) -> float:
    """Variance after one step of the QE scheme.

    Args:
        v: variance at its beginning, >= 0.
        decay: exp(-kappa dt).
        theta: mean variance, >= 0.
        scale: xi^2 / kappa.
        normal: standard normal that drives it; a higher one never gives a lower variance.

    Source: Andersen (2008), equations (17) to (30).
    """
    mean = theta + (v - theta) * decay
    spread = scale * (1.0 - decay) * (v * decay + theta * (1.0 - decay) / 2.0)
    if mean < _NOTHING:
        return 0.0
    psi = spread / mean / mean
    if psi < _NOTHING:
        return mean
    if psi <= _SWITCH:
        b2 = 2.0 / psi - 1.0 + math.sqrt(2.0 / psi) * math.sqrt(2.0 / psi - 1.0)
        root = math.sqrt(b2) + normal
        return mean / (1.0 + b2) * root * root
    leaves_zero = 2.0 / (psi + 1.0)
    above = math.erfc(normal / math.sqrt(2.0)) / 2.0  # 1 - U, kept precise where it is small
    if above >= leaves_zero:
        return 0.0
    return math.log(leaves_zero / above) * mean / leaves_zero


@numba.njit(cache=True, nogil=True, error_model="numpy")
def variance_path(start: float, decay: Floats, theta: float, scale: float, normals: Floats) -> Floats:
    """Variance at the beginning of each step, `[steps]`; arguments as in `next_variance`, per step where plural."""
    path = np.empty(len(normals))
    v = start
    for i in range(len(normals)):
        path[i] = v
        v = next_variance(v, decay[i], theta, scale, normals[i])
    return path


@dataclass(frozen=True, slots=True)
class Heston:
    """Stochastic volatility that reverts to a mean. Variances are given as volatilities: v = volatility^2.

    Attributes:
        start_usd: price at the beginning, USD, > 0.
        drift_per_year: mu, of the expected price.
        start_volatility_per_year: root of v at the beginning, >= 0.
        mean_volatility_per_year: root of theta, which v reverts to, >= 0.
        reversion_per_year: kappa, > 0; half of a departure is gone after ln 2 / kappa years.
        volatility_of_variance: xi, >= 0. Feller's condition is xi^2 <= 2 kappa theta.
        correlation: rho of price and variance, in [-1, 1]; below zero a falling price brings higher volatility.
    """

    start_usd: float
    drift_per_year: float
    start_volatility_per_year: float
    mean_volatility_per_year: float
    reversion_per_year: float
    volatility_of_variance: float
    correlation: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_positive(start_usd=self.start_usd, reversion_per_year=self.reversion_per_year)
        check_finite(drift_per_year=self.drift_per_year)
        check_not_negative(start_volatility_per_year=self.start_volatility_per_year, volatility_of_variance=self.volatility_of_variance)
        check_not_negative(mean_volatility_per_year=self.mean_volatility_per_year)
        if not -1.0 <= self.correlation <= 1.0:
            raise ValueError(f"correlation(={self.correlation}) must be in [-1, 1]")

    @property
    def feller(self) -> bool:
        """Whether the variance never reaches zero."""
        return self.volatility_of_variance**2 <= 2 * self.reversion_per_year * self.mean_volatility_per_year**2

    def variance(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Variance per year at the beginning of each step, `[steps]`; one normal a step from `rng`."""
        check_steps(years, z)
        own = math.sqrt(1.0 - self.correlation * self.correlation)
        normals = self.correlation * z + own * rng.standard_normal(len(z))
        scale = self.volatility_of_variance**2 / self.reversion_per_year
        decay = np.exp(-self.reversion_per_year * years)
        start, theta = self.start_volatility_per_year**2, self.mean_volatility_per_year**2
        return variance_path(start, decay, theta, scale, normals)

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps]`. See `Process.log_returns`."""
        variance = self.variance(years, z, rng)
        return (self.drift_per_year - variance / 2) * years + np.sqrt(variance * years) * z

    def expected(self, years_per_step: float) -> Expected:
        """Of the stationary state, in which v is gamma distributed.

        Skewness of a single step and the kurtosis and autocorrelation of squares are their limits for short steps (1 / kappa long or more:
        None), mean and volatility are exact. Over many steps the correlation adds skewness, which single steps do not have.
        """
        check_positive(years_per_step=years_per_step)
        theta, kappa, dt = self.mean_volatility_per_year**2, self.reversion_per_year, years_per_step
        spread = self.volatility_of_variance**2 * theta / (2 * kappa)
        volatility = math.sqrt(theta + spread * dt / 4)
        if theta == 0.0 or kappa * dt >= 1.0:
            return Expected(self.drift_per_year - theta / 2, volatility, None, None, 0.0, None)
        squares = spread * math.exp(-kappa * dt) / (3 * spread + 2 * theta**2)
        return Expected(self.drift_per_year - theta / 2, volatility, 0.0, 3 * spread / theta**2, 0.0, squares)
