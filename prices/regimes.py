"""Regime switching: geometric Brownian motion whose drift and volatility are those of the regime in force, a Markov chain in time.

How long a regime lasts is exponential, which follows it is drawn by weights. The chain lives in continuous time and is looked at when a
step begins: that regime rules the whole step, so regimes should last several steps. Time is that of the steps: where seasonality
stretches them, regimes pass faster, too.

Sources: Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle", Econometrica 57 (1989);
the chain: Norris, Markov Chains (1997), sections 2.6 and 3.5; moments of a mixture of normals: Timmermann, "Moments of Markov switching
models", Journal of Econometrics 96 (2000), section 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seawall.prices.process import YEAR_HOURS, Expected, check_finite, check_not_negative, check_positive, check_steps
from seawall.protocols.tables import Floats, Ints

_FIRST_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Regime:
    """One state of the market.

    Attributes:
        drift_per_year: of the expected price while it lasts.
        volatility_per_year: while it lasts, >= 0.
        mean_hours: mean duration, > 0.
        then: weight of each regime that may follow, by name, >= 0, not itself; need not add up to 1.
    """

    drift_per_year: float
    volatility_per_year: float
    mean_hours: float
    then: Mapping[str, float]

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_finite(drift_per_year=self.drift_per_year)
        check_not_negative(volatility_per_year=self.volatility_per_year, **{f"then[{name}]": weight for name, weight in self.then.items()})
        check_positive(mean_hours=self.mean_hours, **{"sum of then": math.fsum(self.then.values())})


@dataclass(frozen=True, slots=True)
class RegimeSwitching:
    """A market that changes between named regimes.

    Attributes:
        start_usd: price at the beginning, USD, > 0.
        regimes: by name, at least two, each reachable from each.
        start_regime: name of the first regime; None to draw it from the stationary shares.
    """

    start_usd: float
    regimes: Mapping[str, Regime]
    start_regime: str | None = None

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_positive(start_usd=self.start_usd)
        if len(self.regimes) < 2:
            raise ValueError(f"regimes(={list(self.regimes)}) must be at least two; with one, it would be geometric Brownian motion")
        if self.start_regime is not None and self.start_regime not in self.regimes:
            raise ValueError(f"start_regime(={self.start_regime!r}) must be one of {list(self.regimes)}")
        for name, regime in self.regimes.items():
            wrong = [other for other in regime.then if other == name or other not in self.regimes]
            if wrong:
                raise ValueError(f"then of {name!r} names {wrong[0]!r}; it must be another of {list(self.regimes)}")
        reached = np.linalg.matrix_power(np.eye(len(self.regimes)) + self._follows(), len(self.regimes)) > 0.0
        if not reached.all():
            one, other = (list(self.regimes)[i] for i in np.argwhere(~reached)[0])
            raise ValueError(f"regimes: {other!r} can never follow from {one!r}, however long it takes")

    def _follows(self) -> Floats:
        """Probability that column follows row, `[regimes, regimes]`."""
        weights = np.array([[regime.then.get(name, 0.0) for name in self.regimes] for regime in self.regimes.values()])
        return weights / weights.sum(axis=1, keepdims=True)

    def _hours(self) -> Floats:
        return np.array([regime.mean_hours for regime in self.regimes.values()])

    def stationary_shares(self) -> Floats:
        """Share of the time spent in each regime in the long run, `[regimes]`, sum 1."""
        n = len(self.regimes)
        visits = np.linalg.lstsq(np.vstack([self._follows().T - np.eye(n), np.ones(n)]), np.append(np.zeros(n), 1.0))[0]
        return visits * self._hours() / (visits @ self._hours())

    def path(self, years: Floats, rng: np.random.Generator) -> Ints:
        """Number of the regime in force at the beginning of each step, `[steps]`, in the order of `regimes`."""
        begins = np.concatenate([[0.0], np.cumsum(years)[:-1]])
        last = float(begins[-1])
        follows = np.cumsum(self._follows(), axis=1)
        mean_years = self._hours() / YEAR_HOURS
        first = rng.random()  # drawn even if not needed, so that a fixed start changes nothing of what follows
        now = (
            _pick(np.cumsum(self.stationary_shares()), first) if self.start_regime is None else list(self.regimes).index(self.start_regime)
        )
        switched, names, at, block = [0.0], [now], 0.0, _FIRST_BLOCK
        while at <= last:
            for stay, which in zip(rng.standard_exponential(block).tolist(), rng.random(block).tolist(), strict=True):
                at += stay * mean_years[now]
                now = _pick(follows[now], which)
                switched.append(at)
                names.append(now)
            block *= 2
        return np.array(names, dtype=np.int64)[np.searchsorted(np.array(switched), begins, side="right") - 1]

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps]`; the chain comes from `rng`. See `Process.log_returns`."""
        check_steps(years, z)
        drifts, volatilities = self._log_drifts(), self._volatilities()
        regime = self.path(years, rng)
        return drifts[regime] * years + volatilities[regime] * np.sqrt(years) * z

    def _volatilities(self) -> Floats:
        return np.array([regime.volatility_per_year for regime in self.regimes.values()])

    def _log_drifts(self) -> Floats:
        return np.array([regime.drift_per_year for regime in self.regimes.values()]) - self._volatilities() ** 2 / 2

    def expected(self, years_per_step: float) -> Expected:
        """Of the stationary chain: the moments of a mixture of normals. That of squares leaves out the drifts, small against volatility."""
        from scipy.linalg import expm

        check_positive(years_per_step=years_per_step)
        shares, drifts = self.stationary_shares(), self._log_drifts() * years_per_step
        variances = self._volatilities() ** 2 * years_per_step
        mean = float(shares @ drifts)
        off = drifts - mean
        second = float(shares @ (off**2 + variances))
        if second == 0.0:
            return Expected(mean / years_per_step, 0.0, 0.0, 0.0, 0.0, None)
        third = float(shares @ (off**3 + 3 * off * variances))
        fourth = float(shares @ (off**4 + 6 * off**2 * variances + 3 * variances**2))
        rates = (self._follows() - np.eye(len(shares))) * (YEAR_HOURS / self._hours())[:, None]
        together = float((shares * variances) @ expm(rates * years_per_step) @ variances)
        usual = float(shares @ variances) ** 2
        squares = (together - usual) / (3 * float(shares @ variances**2) - usual)
        volatility = math.sqrt(second / years_per_step)
        return Expected(mean / years_per_step, volatility, third / second**1.5, fourth / second**2 - 3, 0.0, squares)


def _pick(cumulative: Floats, uniform: float) -> int:
    """First entry whose cumulated probability exceeds the uniform; the last one, should rounding leave the sum below it."""
    return min(int(np.searchsorted(cumulative, uniform, side="right")), len(cumulative) - 1)
