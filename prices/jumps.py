"""Geometric Brownian motion with jumps at the times of a Poisson process: Merton's (normal) and Kou's (double exponential).

The drift is compensated, so jumps change the shape of the distribution and not its mean: E[S_T] = S_0 exp(drift T).

Sources: Merton, "Option pricing when underlying stock returns are discontinuous", Journal of Financial Economics 3 (1976), section 2;
Kou, "A jump-diffusion model for option pricing", Management Science 48 (2002), section 2; cumulants of a compound Poisson process:
Cont and Tankov, Financial Modelling with Jump Processes (2004), proposition 3.13.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seawall.prices.gbm import diffusion
from seawall.prices.process import Expected, check_finite, check_not_negative, check_positive, check_steps
from seawall.protocols.tables import Floats

Sizes = Callable[[np.random.Generator, int], Floats]
Moments = tuple[float, float, float, float]  # of one log jump about zero, first to fourth
_FIRST_BLOCK = 16


def arrivals(per_year: float, horizon_years: float, sizes: Sizes, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Times of a Poisson process up to a horizon, and the size of what arrives.

    Gaps and sizes are drawn in blocks whose lengths do not depend on the horizon, so a longer path begins with the shorter one.

    Args:
        per_year: intensity, >= 0.
        horizon_years: end of the interval, >= 0.
        sizes: draws so many log sizes.
        rng: source of all randomness.

    Returns:
        Times in years, rising, in (0, horizon]; sizes. Both `[arrivals]`.
    """
    expected = per_year * horizon_years
    if per_year == 0.0:
        return np.empty(0), np.empty(0)
    arrived, drawn, last, block = [], [], 0.0, _FIRST_BLOCK
    while last <= expected:  # in units of the mean gap, so that the rarest of events overflow nothing
        arrived.append(last + np.cumsum(rng.standard_exponential(block)))
        drawn.append(sizes(rng, block))
        last, block = float(arrived[-1][-1]), 2 * block
    at = np.concatenate(arrived)
    within = int(np.searchsorted(at, expected, side="right"))
    # A quotient may round to just above the horizon.
    return np.minimum(at[:within] / per_year, horizon_years), np.concatenate(drawn)[:within]


def jumps_by_step(per_year: float, years: Floats, sizes: Sizes, rng: np.random.Generator) -> Floats:
    """Sum of the log jumps in each step, `[steps]`; their number in a step is Poisson, so there may be several."""
    ends = np.cumsum(years)
    at, size = arrivals(per_year, float(ends[-1]), sizes, rng)
    # The first step that ends at or after the jump: a step without length gets none.
    sums = np.bincount(np.searchsorted(ends, at, side="left"), weights=size, minlength=len(years))
    return np.asarray(sums, dtype=np.float64)


def normal_moments(mean: float, deviation: float) -> Moments:
    """First four moments about zero of a normal."""
    v = deviation**2
    return mean, mean**2 + v, mean**3 + 3 * mean * v, mean**4 + 6 * mean**2 * v + 3 * v**2


def _expected(log_drift_per_year: float, volatility_per_year: float, per_year: float, moments: Moments, years: float) -> Expected:
    """Of a jump diffusion: cumulants add up, and grow in proportion to time."""
    check_positive(years_per_step=years)
    variance = volatility_per_year**2 + per_year * moments[1]
    skewness = per_year * moments[2] / (variance**1.5 * math.sqrt(years)) if variance > 0.0 else 0.0
    kurtosis = per_year * moments[3] / (variance**2 * years) if variance > 0.0 else 0.0
    return Expected(log_drift_per_year + per_year * moments[0], math.sqrt(variance), skewness, kurtosis, per_year, 0.0)


@dataclass(frozen=True, slots=True)
class Merton:
    """Geometric Brownian motion with normal log jumps.

    Attributes:
        start_usd: price at the beginning, USD, > 0.
        drift_per_year: of the expected price, jumps included.
        volatility_per_year: of the diffusion between jumps, >= 0.
        jumps_per_year: mean number of jumps, >= 0.
        jump_mean: of a log jump; -0.1 takes the price to 90.5 %.
        jump_deviation: standard deviation of a log jump, >= 0.
    """

    start_usd: float
    drift_per_year: float
    volatility_per_year: float
    jumps_per_year: float
    jump_mean: float
    jump_deviation: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_positive(start_usd=self.start_usd)
        check_finite(drift_per_year=self.drift_per_year, jump_mean=self.jump_mean)
        check_not_negative(volatility_per_year=self.volatility_per_year, jumps_per_year=self.jumps_per_year)
        check_not_negative(jump_deviation=self.jump_deviation)

    @property
    def log_drift_per_year(self) -> float:
        """Drift of ln S between jumps."""
        per_jump = math.expm1(self.jump_mean + self.jump_deviation**2 / 2)
        return self.drift_per_year - self.volatility_per_year**2 / 2 - self.jumps_per_year * per_jump

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps]`; jumps from `rng`. See `Process.log_returns`."""
        check_steps(years, z)
        jumps = jumps_by_step(self.jumps_per_year, years, lambda r, n: r.normal(self.jump_mean, self.jump_deviation, n), rng)
        return diffusion(self.log_drift_per_year, self.volatility_per_year, years, z) + jumps

    def expected(self, years_per_step: float) -> Expected:
        """From the cumulants: independent from step to step."""
        moments = normal_moments(self.jump_mean, self.jump_deviation)
        return _expected(self.log_drift_per_year, self.volatility_per_year, self.jumps_per_year, moments, years_per_step)


@dataclass(frozen=True, slots=True)
class Kou:
    """Geometric Brownian motion with double exponential log jumps: up and down of different size and frequency.

    Attributes:
        start_usd: price at the beginning, USD, > 0.
        drift_per_year: of the expected price, jumps included.
        volatility_per_year: of the diffusion between jumps, >= 0.
        jumps_per_year: mean number of jumps, >= 0.
        up_probability: share of the jumps that go up, in [0, 1].
        mean_up: mean log jump of those, in (0, 1); from 1 on the expected price would be infinite.
        mean_down: mean log jump of the others, as a positive number, > 0.
    """

    start_usd: float
    drift_per_year: float
    volatility_per_year: float
    jumps_per_year: float
    up_probability: float
    mean_up: float
    mean_down: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_positive(start_usd=self.start_usd, mean_up=self.mean_up, mean_down=self.mean_down)
        check_finite(drift_per_year=self.drift_per_year)
        check_not_negative(volatility_per_year=self.volatility_per_year, jumps_per_year=self.jumps_per_year)
        if not 0.0 <= self.up_probability <= 1.0:
            raise ValueError(f"up_probability(={self.up_probability}) must be in [0, 1]")
        if self.mean_up >= 1.0:
            raise ValueError(f"mean_up(={self.mean_up}) must be < 1, or the expected price is infinite")

    @property
    def log_drift_per_year(self) -> float:
        """Drift of ln S between jumps."""
        up = self.up_probability
        per_jump = up * self.mean_up / (1 - self.mean_up) - (1 - up) * self.mean_down / (1 + self.mean_down)
        return self.drift_per_year - self.volatility_per_year**2 / 2 - self.jumps_per_year * per_jump

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps]`; jumps from `rng`. See `Process.log_returns`."""
        check_steps(years, z)
        jumps = jumps_by_step(self.jumps_per_year, years, self._sizes, rng)
        return diffusion(self.log_drift_per_year, self.volatility_per_year, years, z) + jumps

    def _sizes(self, rng: np.random.Generator, n: int) -> Floats:
        goes_up = rng.random(n) < self.up_probability
        return rng.standard_exponential(n) * np.where(goes_up, self.mean_up, -self.mean_down)

    def expected(self, years_per_step: float) -> Expected:
        """From the cumulants: independent from step to step."""
        up, down = self.up_probability, 1 - self.up_probability
        first, second, third, fourth = (math.factorial(n) * (up * self.mean_up**n + down * (-self.mean_down) ** n) for n in (1, 2, 3, 4))
        moments = (first, second, third, fourth)
        return _expected(self.log_drift_per_year, self.volatility_per_year, self.jumps_per_year, moments, years_per_step)
