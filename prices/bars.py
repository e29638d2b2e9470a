"""Bars of several steps, for models whose variance is drawn bar by bar.

A bar is a number of steps. Its innovation comes from the normals of its steps; its variance falls on them in proportion to their lengths.
With t innovations the steps of a bar share evenly what lies between the normal quantile and that of t, which keeps the sum of the bar and
the variance of each step exact (assumption).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seawall.prices.process import YEAR_SECONDS, check_finite, check_positive, check_steps
from seawall.protocols.tables import Floats

_PERCENT = 100.0


def student(x: Floats, nu: float) -> Floats:
    """Student t of variance 1 with nu > 2 degrees of freedom at the quantile where the standard normals `x` lie."""
    from scipy.special import ndtr, stdtrit

    below = ndtr(-np.abs(x))  # the lower tail, in which small probabilities keep their digits
    return np.copysign(stdtrit(nu, below) * math.sqrt((nu - 2) / nu), x)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A process whose variance is drawn bar by bar: what GARCH, GJR and EGARCH share.

    Attributes:
        start_usd: price at the beginning, USD, > 0.
        mu: mean log return of a bar, percent.
        omega: constant of the variance equation; percent squared for GARCH and GJR.
        alpha: `alpha[1]`, weight of the last innovation.
        beta: `beta[1]`, weight of the last variance.
        nu: degrees of freedom of t innovations, > 2; None for normal ones.
        bar_minutes: length of a bar of the fit, > 0.
        steps_per_bar: None to take it from the mean length of the steps.
        start_volatility_per_year: of the first bar, > 0; None for that of the long run.
    """

    start_usd: float
    mu: float = 0.0
    omega: float
    alpha: float
    beta: float
    nu: float | None = None
    bar_minutes: float
    steps_per_bar: int | None = None
    start_volatility_per_year: float | None = None

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_positive(start_usd=self.start_usd, bar_minutes=self.bar_minutes)
        check_finite(mu=self.mu, omega=self.omega, alpha=self.alpha, beta=self.beta)
        if self.nu is not None and not 2 < self.nu < math.inf:
            raise ValueError(f"nu(={self.nu}) must be finite and > 2, or None for normal innovations")
        if self.steps_per_bar is not None and self.steps_per_bar < 1:
            raise ValueError(f"steps_per_bar(={self.steps_per_bar}) must be >= 1")
        if self.start_volatility_per_year is not None:
            check_positive(start_volatility_per_year=self.start_volatility_per_year)

    @property
    def bar_years(self) -> float:
        """Length of a bar in years."""
        return self.bar_minutes * 60 / YEAR_SECONDS

    @property
    def fourth_moment(self) -> float:
        """Of an innovation; infinite for t with nu <= 4."""
        if self.nu is None:
            return 3.0
        return 3 + 6 / (self.nu - 4) if self.nu > 4 else math.inf

    def variances(self, innovations: Floats) -> Floats:
        """Variance of each bar, percent squared, `[bars]`, from standardised innovations `[bars]`."""
        raise NotImplementedError

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps]`; draws nothing from `rng`. A longer path begins with the shorter one, up to its last whole bar.

        Raises:
            ValueError: as in `Process.log_returns`, and where a bar is not a whole number of steps.
        """
        check_steps(years, z)
        first = np.arange(0, len(z), self._steps(float(years.mean())))
        counts = np.diff(first, append=len(z))
        bar = np.repeat(np.arange(len(first)), counts)
        lengths = np.add.reduceat(years, first)
        with np.errstate(invalid="ignore"):  # a bar without length counts its steps evenly
            share = np.where(lengths[bar] > 0, years / lengths[bar], 1 / counts[bar])
        x = np.add.reduceat(np.sqrt(share) * z, first)
        innovations = x if self.nu is None else student(x, self.nu)
        deviation = np.sqrt(self.variances(innovations)) / _PERCENT
        returns = self.mu / _PERCENT * (years / self.bar_years) + deviation[bar] * np.sqrt(years / self.bar_years) * z
        if self.nu is None:
            return returns
        return returns + (deviation * np.sqrt(lengths / self.bar_years) * (innovations - x))[bar] * share

    def _steps(self, mean_years: float) -> int:
        """Steps per bar."""
        if self.steps_per_bar is not None:
            return self.steps_per_bar
        steps = self.bar_years / mean_years if mean_years > 0 else math.inf
        if not (math.isfinite(steps) and round(steps) >= 1 and abs(steps / round(steps) - 1) < 0.01):
            step = mean_years * YEAR_SECONDS
            raise ValueError(f"bar_minutes(={self.bar_minutes}) must be a whole number of steps, on average {step:g} s")
        return round(steps)

    def first_variance(self, long_run: float) -> float:
        """Variance of the first bar, percent squared."""
        if self.start_volatility_per_year is None:
            return long_run
        return (self.start_volatility_per_year * _PERCENT) ** 2 * self.bar_years

    def per_year(self, mean_variance: float) -> tuple[float, float]:
        """Mean and volatility per year, given the mean variance of a bar, percent squared."""
        return self.mu / _PERCENT / self.bar_years, math.sqrt(mean_variance / self.bar_years) / _PERCENT

    def whole_steps(self, years_per_step: float) -> int | None:
        """Steps of that length per bar; None where they do not divide it."""
        check_positive(years_per_step=years_per_step)
        steps = self.bar_years / years_per_step
        return round(steps) if round(steps) >= 1 and abs(steps / round(steps) - 1) < 1e-9 else None
