"""Geometric Brownian motion: dS/S = mu dt + sigma dW.

Source: Glasserman, Monte Carlo Methods in Financial Engineering (2003), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seawall.prices.process import Expected, check_finite, check_not_negative, check_positive, check_steps
from seawall.protocols.tables import Floats


def diffusion(log_drift_per_year: float, volatility_per_year: float, years: Floats, z: Floats) -> Floats:
    """Log returns `[steps]` of a Brownian motion with drift; the steps are its exact solution, so their length biases nothing."""
    return log_drift_per_year * years + volatility_per_year * np.sqrt(years) * z


@dataclass(frozen=True, slots=True)
class Gbm:
    """Geometric Brownian motion; E[S_T] = S_0 exp(drift T).

    Attributes:
        start_usd: price at the beginning, USD, > 0.
        drift_per_year: mu of dS/S; that of ln S is mu - sigma^2 / 2.
        volatility_per_year: sigma, >= 0.
    """

    start_usd: float
    drift_per_year: float
    volatility_per_year: float

    def __post_init__(self) -> None:
        """Refuse (ValueError) parameters out of range."""
        check_positive(start_usd=self.start_usd)
        check_finite(drift_per_year=self.drift_per_year)
        check_not_negative(volatility_per_year=self.volatility_per_year)

    @property
    def log_drift_per_year(self) -> float:
        """Drift of ln S."""
        # A product, not a power: it rounds as NumPy's square does.
        return self.drift_per_year - self.volatility_per_year * self.volatility_per_year / 2

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns `[steps]`; draws nothing from `rng`. See `Process.log_returns`."""
        check_steps(years, z)
        return diffusion(self.log_drift_per_year, self.volatility_per_year, years, z)

    def expected(self, years_per_step: float) -> Expected:
        """Independent normals, whatever the step."""
        check_positive(years_per_step=years_per_step)
        return Expected(self.log_drift_per_year, self.volatility_per_year, 0.0, 0.0, 0.0, 0.0)
