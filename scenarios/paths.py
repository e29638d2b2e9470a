"""Price paths: what one is, one that stands still, and what one turned out to be. How paths move and are struck is in `prices/`.

Prices are in USD, times in seconds since the start of the path, a year is 365 days of 86 400 s. Fractions, not percents: +0.35 is +35%.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from seawall.prices.process import YEAR_SECONDS


@dataclass(frozen=True, slots=True)
class Paths:
    """One trajectory of market prices, on an even grid of times.

    Attributes:
        start: time of the first row, UTC.
        step_seconds: seconds from one row to the next, > 0.
        assets: names of the columns, in order.
        market_price: `[steps + 1, assets]` USD, finite, > 0.
        market_open: `[steps + 1, assets]` whether a trading session is running, so that an oracle feeder observes the price.
        log_weight: log of how much likelier the path is than it was drawn; 0 unless importance sampling pushed it.
    """

    start: datetime
    step_seconds: int
    assets: tuple[str, ...]
    market_price: NDArray[np.float64]
    market_open: NDArray[np.bool_]
    log_weight: float = 0.0

    def __post_init__(self) -> None:
        """Refuse (ValueError) a path no market could follow, naming the argument and the value."""
        if self.start.utcoffset() != timedelta(0):
            raise ValueError(f"start(={self.start}) must be a time in UTC")
        if self.step_seconds <= 0:
            raise ValueError(f"step_seconds(={self.step_seconds}) must be > 0")
        if not self.assets or len(set(self.assets)) < len(self.assets):
            raise ValueError(f"assets(={self.assets}) must be at least one name, each once")
        shape = self.market_price.shape
        if len(shape) != 2 or shape[0] < 2 or shape[1] != len(self.assets) or self.market_open.shape != shape:
            raise ValueError(f"market_price {shape}, market_open {self.market_open.shape} must be [steps + 1, {len(self.assets)} assets]")
        if not math.isfinite(self.log_weight):
            raise ValueError(f"log_weight(={self.log_weight}) must be finite")
        if self.market_price.dtype != np.float64 or self.market_open.dtype != np.bool_:
            raise ValueError(f"market_price ({self.market_price.dtype}) must be float64, market_open ({self.market_open.dtype}) bool")
        bad = np.argwhere(~(np.isfinite(self.market_price) & (self.market_price > 0)))
        if len(bad):
            step, column = bad[0]
            price = self.market_price[step, column]
            raise ValueError(f"market_price of {self.assets[column]} at step {step} (={price}) must be finite and > 0")

    @property
    def steps(self) -> int:
        """Number of steps, one less than the rows."""
        return len(self.market_price) - 1


def constant(start_usd: Mapping[str, float], *, start: datetime, steps: int, step_seconds: int) -> Paths:
    """Prices that never move, in a market that never closes.

    Args:
        start_usd: price by asset, USD, > 0.
        start: time of the first row, UTC.
        steps: number of steps, >= 1.
        step_seconds: seconds per step, > 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    if steps < 1:
        raise ValueError(f"steps(={steps}) must be >= 1")
    prices = np.tile(np.array(list(start_usd.values()), dtype=np.float64), (steps + 1, 1))
    return Paths(start, step_seconds, tuple(start_usd), prices, np.ones(prices.shape, dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class Moments:
    """What the path of one asset turned out to be, to set beside what was configured.

    Attributes:
        asset: its name.
        mean_per_year: of the log returns, times steps per year; for geometric Brownian motion near mu - sigma^2 / 2.
        volatility_per_year: standard deviation of the log returns, times the root of steps per year.
        largest_up: largest step as a fraction of the price; the least fall where nothing rose.
        largest_down: lowest step as a fraction of the price, negative where anything fell.
        first_price: USD.
        last_price: USD.
        open_share: share of the time in [0, 1] with a session running.
    """

    asset: str
    mean_per_year: float
    volatility_per_year: float
    largest_up: float
    largest_down: float
    first_price: float
    last_price: float
    open_share: float


def realised_moments(paths: Paths) -> list[Moments]:
    """Moments of every asset, over all steps: closed hours count as time in which the price stood still."""
    prices = paths.market_price
    log_steps = np.diff(np.log(prices.T.copy()))  # a row per asset: sums along rows take a tenth of the time of those down columns
    per_year = YEAR_SECONDS / paths.step_seconds
    mean, volatility = log_steps.mean(axis=1) * per_year, log_steps.std(axis=1) * math.sqrt(per_year)
    up, down = np.expm1(log_steps.max(axis=1)), np.expm1(log_steps.min(axis=1))
    # A row speaks for the step that follows it, so the last one has no time of its own.
    open_share = paths.market_open[:-1].mean(axis=0)
    columns = np.column_stack([mean, volatility, up, down, prices[0], prices[-1], open_share])
    return [Moments(asset, *row) for asset, row in zip(paths.assets, columns.tolist(), strict=True)]
