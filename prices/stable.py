"""A stablecoin: the log of its price reverts to that of its level, and depegs now and then.

Around the level it is an Ornstein-Uhlenbeck process, stepped exactly. A depeg is a jump of the log price that fades exponentially (a shot
noise), apart from the daily noise and at its own pace, since confidence returns more slowly than arbitrageurs do (assumption).

Sources: Glasserman, Monte Carlo Methods in Financial Engineering (2003), section 3.3.1; shot noise and its cumulants: Campbell's theorem,
Kingman, Poisson Processes (1993), section 3.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from seawall.prices.jumps import arrivals, normal_moments
from seawall.prices.process import YEAR_HOURS, Expected, check_finite, check_not_negative, check_positive, check_steps
from seawall.protocols.tables import Floats


@numba.njit(cache=True, nogil=True, error_model="numpy")
def fading_sum(start: float, kept: Floats, added: Floats) -> Floats:
    """Begin with `start`; in each step keep a share and add something: `[steps]` values at the ends of the steps."""
    path = np.empty(len(kept))
    value = start
    for i in range(len(kept)):
        value = kept[i] * value + added[i]
        path[i] = value
    return path


@dataclass(frozen=True, slots=True)
class OrnsteinUhlenbeck:
    """A price that reverts to a level, with depegs.

    Attributes:
        start_usd: price at the beginning, USD, > 0.
        level_usd: what it reverts to, USD, > 0.
        reversion_per_hour: speed, > 0; half of a departure is gone after ln 2 / reversion hours.
        deviation: standard deviation of the log price in the long run, depegs apart, >= 0; 0.001 is 10 basis points.
        depegs_per_year: mean number, >= 0.
        depeg_mean: mean log jump; -0.05 takes the price to 95.1 %.
        depeg_deviation: standard deviation of a log jump, >= 0.
        recovery_hours: time until half of a depeg is recovered, > 0.
    """

    start_usd: float
    level_usd: float
    reversion_per_hour: float
    deviation: float
    depegs_per_year: float = 0.0
    depeg_mean: float = 0.0
    depeg_deviation: float = 0.0
    recovery_hours: float = 24.0

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_positive(start_usd=self.start_usd, level_usd=self.level_usd, reversion_per_hour=self.reversion_per_hour)
        check_positive(recovery_hours=self.recovery_hours)
        check_not_negative(deviation=self.deviation, depegs_per_year=self.depegs_per_year, depeg_deviation=self.depeg_deviation)
        check_finite(depeg_mean=self.depeg_mean)

    @property
    def reversion_per_year(self) -> float:
        """Speed of the daily noise."""
        return self.reversion_per_hour * YEAR_HOURS

    @property
    def recovery_per_year(self) -> float:
        """Speed at which depegs fade."""
        return math.log(2) / self.recovery_hours * YEAR_HOURS

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps]`; depegs from `rng`. See `Process.log_returns`."""
        check_steps(years, z)
        start = math.log(self.start_usd / self.level_usd)
        kept = np.exp(-self.reversion_per_year * years)
        noise = self.deviation * np.sqrt(-np.expm1(-2 * self.reversion_per_year * years)) * z
        away = fading_sum(start, kept, noise) + self._depegged(years, rng)
        return np.diff(away, prepend=start)

    def _depegged(self, years: Floats, rng: np.random.Generator) -> Floats:
        """What is left of all depegs at the end of each step, log, `[steps]`."""
        ends = np.cumsum(years)
        at, size = arrivals(self.depegs_per_year, float(ends[-1]), lambda r, n: r.normal(self.depeg_mean, self.depeg_deviation, n), rng)
        step = np.searchsorted(ends, at, side="left")
        left = size * np.exp(-self.recovery_per_year * (ends[step] - at))
        added = np.asarray(np.bincount(step, weights=left, minlength=len(years)), dtype=np.float64)
        return fading_sum(0.0, np.exp(-self.recovery_per_year * years), added)

    def expected(self, years_per_step: float) -> Expected:
        """In the long run, when the start is forgotten: cumulants of the normal noise and of the shot noise add up."""
        check_positive(years_per_step=years_per_step)
        gone = -math.expm1(-self.reversion_per_year * years_per_step)
        noise = 2 * self.deviation**2 * gone
        second, third, fourth = (self._depeg_cumulant(n, years_per_step) for n in (2, 3, 4))
        variance = noise + second
        if variance == 0.0:
            return Expected(0.0, 0.0, 0.0, 0.0, self.depegs_per_year, None)
        # Returns follow each other with correlation -gone / 2, squares of jointly normal ones with its square.
        squares = (gone / 2) ** 2 if self.depegs_per_year == 0.0 else None
        volatility = math.sqrt(variance / years_per_step)
        return Expected(0.0, volatility, third / variance**1.5, fourth / variance**2, self.depegs_per_year, squares)

    def _depeg_cumulant(self, n: int, years: float) -> float:
        """Of the change of the shot noise over a step: what was there fades, what arrives is added."""
        rate, moment = self.recovery_per_year, normal_moments(self.depeg_mean, self.depeg_deviation)[n - 1]
        fades, arrives = math.expm1(-rate * years) ** n, -math.expm1(-n * rate * years)
        return self.depegs_per_year * moment / (n * rate) * (fades + arrives)
