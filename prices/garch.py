"""Volatility that clusters: GARCH(1,1), GJR and EGARCH on bars, with normal or Student t innovations.

Parameters are those that the `arch` package prints for log returns in percent; `bars.py` says how a bar is laid over its steps.

Sources: Bollerslev, "Generalized autoregressive conditional heteroskedasticity", Journal of Econometrics 31 (1986); Glosten, Jagannathan
and Runkle, Journal of Finance 48 (1993); Nelson, "Conditional heteroskedasticity in asset returns", Econometrica 59 (1991), section 2 and
appendix 1; signs and scale: `arch.univariate`, GARCH and EGARCH, version 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from seawall.prices.bars import Bars
from seawall.prices.process import Expected, check_finite, check_not_negative, check_positive
from seawall.protocols.tables import Floats

_MAX_LOG = 300.0  # beyond it a variance is nonsense, and its square overflows
_MEAN_ABSOLUTE_NORMAL = math.sqrt(2 / math.pi)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def garch_variance(start: float, omega: float, alpha: float, gamma: float, beta: float, innovations: Floats) -> Floats:
    """Variance of each bar, percent squared, `[bars]`: h' = omega + (alpha + gamma [e < 0]) e^2 h + beta h."""
    path = np.empty(len(innovations))
    h = start
    for i in range(len(innovations)):
        path[i] = h
        e = innovations[i]
        react = alpha + gamma if e < 0.0 else alpha
        h = omega + react * (h * e * e) + beta * h
    return path


@numba.njit(cache=True, nogil=True, error_model="numpy")
def egarch_log_variance(start: float, omega: float, alpha: float, gamma: float, beta: float, innovations: Floats) -> Floats:
    """Log of the variance of each bar, `[bars]`: ln h' = omega + alpha (|e| - sqrt(2 / pi)) + gamma e + beta ln h."""
    path = np.empty(len(innovations))
    log_h = start
    for i in range(len(innovations)):
        path[i] = log_h
        e = innovations[i]
        log_h = omega + alpha * (abs(e) - _MEAN_ABSOLUTE_NORMAL) + gamma * e + beta * log_h
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Gjr(Bars):
    """GARCH(1,1) in which falls weigh `alpha + gamma`, rises `alpha` (Glosten, Jagannathan and Runkle).

    Attributes:
        gamma: `gamma[1]`, more weight of a fall; alpha + gamma >= 0.
    """

    gamma: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range, and those under which the variance would grow without end."""
        Bars.__post_init__(self)
        check_positive(omega=self.omega)
        check_not_negative(alpha=self.alpha, beta=self.beta, **{"alpha + gamma": self.alpha + self.gamma})
        if self.persistence >= 1:
            raise ValueError(
                f"alpha(={self.alpha}) + gamma(={self.gamma}) / 2 + beta(={self.beta}) is {self.persistence:g}: "
                "it must be < 1, or the variance has no mean to return to"
            )

    @property
    def persistence(self) -> float:
        """Share of a departure from the mean variance that is left after a bar, < 1."""
        return self.alpha + self.gamma / 2 + self.beta

    @property
    def mean_variance(self) -> float:
        """Of a bar in the long run, percent squared."""
        return self.omega / (1 - self.persistence)

    def variances(self, innovations: Floats) -> Floats:
        """Variance of each bar, percent squared, `[bars]`, from standardised innovations `[bars]`."""
        return garch_variance(self.first_variance(self.mean_variance), self.omega, self.alpha, self.gamma, self.beta, innovations)

    def expected(self, years_per_step: float) -> Expected:
        """In the long run, at steps that divide a bar; fourth moments where they are finite.

        Derived as in Bollerslev (1986), section 3, from E[h] and E[h^2]; a step is sqrt(h) (e / n + sqrt((n - 1) / n^2) g), g normal.
        """
        mean, volatility = self.per_year(self.mean_variance)
        n, k = self.whole_steps(years_per_step), self.fourth_moment
        cross = self.alpha + self.gamma / 2
        square = k * (self.alpha**2 + self.alpha * self.gamma + self.gamma**2 / 2) + 2 * self.beta * cross + self.beta**2
        if n is None or not square < 1:
            return Expected(mean, volatility, 0.0, None, 0.0, None)
        h = self.mean_variance
        h2 = h**2 * (1 - self.persistence**2) / (1 - square)
        # Squares of a step in units of h / n: fourth moment, product of two in a bar, product with the square of the bar's innovation.
        fourth = k / n**2 + 6 * (n - 1) / n**2 + 3 * ((n - 1) / n) ** 2
        near = (k + 2 * (n - 1) - 4 + (n - 1) ** 2 + 2) / n**2 if n > 1 else 0.0
        ahead = self.omega * h + h2 * (cross * (k / n + 1 - 1 / n) + self.beta)
        covariance = ((n - 1) * h2 * near + ahead) / n - h**2
        return Expected(mean, volatility, 0.0, fourth * h2 / h**2 - 3, 0.0, covariance / (fourth * h2 - h**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Garch(Gjr):
    """GARCH(1,1): rises and falls weigh the same (Bollerslev)."""

    gamma: float = 0.0

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range, and an asymmetry."""
        Gjr.__post_init__(self)
        if self.gamma != 0.0:
            raise ValueError(f"gamma(={self.gamma}) must be 0; Gjr has one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Egarch(Bars):
    """EGARCH(1,1,1): the log of the variance moves with size (alpha) and sign (gamma, < 0: falls weigh more) of the last innovation.

    With t innovations the variance has no mean (Nelson, appendix 1), and a rare innovation can make it enormous.

    Attributes:
        gamma: `gamma[1]`, weight of the sign.
    """

    gamma: float = 0.0

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range, and those under which the variance would grow without end."""
        Bars.__post_init__(self)
        check_finite(gamma=self.gamma)
        if not -1 < self.beta < 1:
            raise ValueError(f"beta(={self.beta}) must be in (-1, 1), or the log variance has no mean to return to")
        if not abs(self.mean_log_variance) <= _MAX_LOG:
            raise ValueError(
                f"omega(={self.omega}), alpha(={self.alpha}), beta(={self.beta}): mean log variance {self.mean_log_variance:g}"
            )

    @property
    def mean_log_variance(self) -> float:
        """Of a bar in the long run, of percent squared."""
        absolute = _MEAN_ABSOLUTE_NORMAL
        if self.nu is not None:
            absolute = math.sqrt((self.nu - 2) / math.pi) * math.exp(math.lgamma((self.nu - 1) / 2) - math.lgamma(self.nu / 2))
        return (self.omega + self.alpha * (absolute - _MEAN_ABSOLUTE_NORMAL)) / (1 - self.beta)

    def variances(self, innovations: Floats) -> Floats:
        """Variance of each bar, percent squared, `[bars]`, from standardised innovations `[bars]`."""
        start = math.log(self.first_variance(math.exp(self.mean_log_variance)))
        return np.exp(egarch_log_variance(start, self.omega, self.alpha, self.gamma, self.beta, innovations))

    def expected(self, years_per_step: float) -> Expected:
        """In the long run, at steps that divide a bar. Source: Nelson (1991), theorem A1.2."""
        n = self.whole_steps(years_per_step)
        first, second = self._log_moment(1), self._log_moment(2)
        if self.nu is not None or max(first, second - 2 * first) > _MAX_LOG:
            return Expected(self.per_year(1.0)[0], None, None, None, 0.0, None)
        mean, volatility = self.per_year(math.exp(first))
        kurtosis = None if n is None else 3 * math.expm1(second - 2 * first)
        return Expected(mean, volatility, 0.0, kurtosis, 0.0, None)

    def _log_moment(self, power: int) -> float:
        """Log of E[h^power] for normal innovations: a product over all past ones."""
        from scipy.special import log_ndtr

        lags = 1 if self.beta == 0 else 1 + math.ceil(math.log(1e-14) / math.log(abs(self.beta)))
        weight = power * self.beta ** np.arange(lags)
        up, down = weight * (self.alpha + self.gamma), weight * (self.alpha - self.gamma)
        factors = np.logaddexp(up**2 / 2 + log_ndtr(up), down**2 / 2 + log_ndtr(down))
        constant = power * (self.omega - self.alpha * _MEAN_ABSOLUTE_NORMAL) / (1 - self.beta)
        return float(constant + factors.sum())
