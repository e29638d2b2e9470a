"""What a price process is: log returns from given normals, and what is known of them in closed form.

Time is in years of 365 days of 86,400 s, prices in USD, returns are logarithmic, fractions not percents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seawall.protocols.tables import Floats

YEAR_SECONDS = 365 * 86_400
YEAR_HOURS = YEAR_SECONDS / 3_600


@dataclass(frozen=True, slots=True)
class Expected:
    """What a process promises of the log returns of even steps; None where no closed form is known.

    Processes with a memory promise it of their stationary state, once the start is forgotten.

    Attributes:
        mean_per_year: expected log return, times steps per year.
        volatility_per_year: standard deviation, times the root of steps per year.
        skewness: of the log returns of single steps.
        excess_kurtosis: of the log returns of single steps; 0 for a normal.
        jumps_per_year: how often the price jumps; 0 for a process without jumps.
        square_autocorrelation: of squared log returns, less their mean, one step apart.
    """

    mean_per_year: float | None
    volatility_per_year: float | None
    skewness: float | None
    excess_kurtosis: float | None
    jumps_per_year: float | None
    square_autocorrelation: float | None


class Process(Protocol):
    """The price of one asset."""

    @property
    def start_usd(self) -> float:
        """Price at the beginning, USD, > 0."""
        ...

    def log_returns(self, years: Floats, z: Floats, rng: np.random.Generator) -> Floats:
        """Log returns of consecutive steps.

        Args:
            years: `[steps]` length of each step, >= 0; seasonality and sessions stretch it.
            z: `[steps]` standard normals that drive the diffusion; dependent across assets, independent from step to step.
            rng: the process's own stream, for jumps, variance and regimes; the same state gives the same bytes.

        Returns:
            `[steps]` log returns.

        Raises:
            ValueError: years and z differ in shape, are empty, or hold a value out of range.
        """
        ...

    def expected(self, years_per_step: float) -> Expected:
        """Moments in closed form for even steps of that length in years, > 0."""
        ...


def check_steps(years: Floats, z: Floats) -> None:
    """Refuse (ValueError) steps that no process can walk."""
    if years.ndim != 1 or len(years) == 0 or z.shape != years.shape:
        raise ValueError(f"years {years.shape} and z {z.shape} must be [steps], the same and at least one")
    if not (math.isfinite(float(years.sum())) and float(years.min()) >= 0.0):
        raise ValueError(f"years (from {years.min()} to {years.max()}) must be finite and >= 0")
    if not math.isfinite(float(z.sum())):
        raise ValueError("z must be finite")


def check_finite(**values: float) -> None:
    """Refuse (ValueError) the first value that is no number."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{name}(={value}) must be finite")


def check_positive(**values: float) -> None:
    """Refuse (ValueError) the first value that is not a number above 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name}(={value}) must be finite and > 0")


def check_not_negative(**values: float) -> None:
    """Refuse (ValueError) the first value that is not a number of 0 or more."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"{name}(={value}) must be finite and >= 0")
