"""Price paths: what one is, the drawn kinds (constant, geometric Brownian motion), and shocks laid over any of them.

Prices are in USD, times in seconds since the start of the path, a year is 365 days of 86 400 s. Fractions, not percents: +0.35 is +35%.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

YEAR_SECONDS = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Paths:
    """One trajectory of market prices, on an even grid of times.

    Attributes:
        start: time of the first row, UTC.
        step_seconds: seconds from one row to the next, > 0.
        assets: names of the columns, in order.
        market_price: `[steps + 1, assets]` USD, finite, > 0.
        market_open: `[steps + 1, assets]` whether a trading session is running, so that an oracle feeder observes the price.
    """

    start: datetime
    step_seconds: int
    assets: tuple[str, ...]
    market_price: NDArray[np.float64]
    market_open: NDArray[np.bool_]

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


def gbm(
    start_usd: Mapping[str, float],
    drift_per_year: Mapping[str, float],
    volatility_per_year: Mapping[str, float],
    *,
    correlation: float,
    start: datetime,
    steps: int,
    step_seconds: int,
    rng: np.random.Generator,
    variance_weights: NDArray[np.float64] | None = None,
) -> Paths:
    """Correlated geometric Brownian motion, dS/S = mu dt + sigma dW, in a market that never closes.

    The steps are the exact log-normal solution, so their length does not bias them: E[S_T] = S_0 exp(mu T). Normals are drawn step by step,
    so a longer path begins with the shorter one.

    Args:
        start_usd: price by asset, USD, > 0.
        drift_per_year: mu by asset, the drift of dS/S (that of ln S is mu - sigma^2 / 2).
        volatility_per_year: sigma by asset, >= 0.
        correlation: of the Brownian motions of every pair of the n assets, in (-1 / (n - 1), 1); of no effect with one asset.
        start: time of the first row, UTC.
        steps: number of steps, >= 1.
        step_seconds: seconds per step, > 0.
        rng: source of all randomness; the same state gives the same bytes.
        variance_weights: `[steps]` with mean 1, how fast time runs in each step; None for evenly.

    Raises:
        ValueError: an argument is out of its range, or the mappings name different assets.

    Source: Glasserman, Monte Carlo Methods in Financial Engineering (2003), sections 2.3.3 and 3.2.
    """
    mu, sigma = _by_asset(start_usd, drift_per_year, "drift_per_year"), _by_asset(start_usd, volatility_per_year, "volatility_per_year")
    if not (np.isfinite(mu).all() and np.isfinite(sigma).all() and (sigma >= 0).all()):
        raise ValueError(f"drift_per_year(={drift_per_year}) must be finite, volatility_per_year(={volatility_per_year}) finite and >= 0")
    flat = constant(start_usd, start=start, steps=steps, step_seconds=step_seconds)
    dt = step_seconds / YEAR_SECONDS
    noise = _correlated(rng.standard_normal((steps, len(sigma))), correlation)
    if variance_weights is None:
        log_steps = (mu - sigma**2 / 2) * dt + sigma * math.sqrt(dt) * noise
    else:
        years = (dt * variance_weights)[:, None]
        log_steps = (mu - sigma**2 / 2) * years + sigma * np.sqrt(years) * noise
    growth = np.exp(np.vstack([np.zeros(len(sigma)), np.cumsum(log_steps, axis=0)]))
    return replace(flat, market_price=flat.market_price * growth)


def _by_asset(start_usd: Mapping[str, float], values: Mapping[str, float], name: str) -> NDArray[np.float64]:
    if set(values) != set(start_usd):
        raise ValueError(f"{name} names {sorted(values)}, start_usd names {sorted(start_usd)}: they must be the same assets")
    return np.array([values[asset] for asset in start_usd], dtype=np.float64)


def _correlated(normals: NDArray[np.float64], correlation: float) -> NDArray[np.float64]:
    """Standard normals `[steps, n]` with equal pairwise correlation, from independent ones."""
    n = normals.shape[1]
    lowest = -1 / max(n - 1, 1)
    if not lowest < correlation < 1:
        raise ValueError(f"correlation(={correlation}) must be in ({lowest:g}, 1) for {n} assets")
    # The factor of the correlation matrix, not of the covariance: sigma is applied once, by the caller.
    factor = np.linalg.cholesky(np.full((n, n), correlation) + (1 - correlation) * np.eye(n))
    # A sum in a written order, because a matrix product may round differently from machine to machine.
    return sum((normals[:, [k]] * factor[:, k] for k in range(n)), np.zeros_like(normals))


@dataclass(frozen=True, slots=True)
class Shock:
    """A push on the price of one asset, or of all, that lasts or fades. Linear in log price, both ways (assumption).

    Attributes:
        asset: whom it hits; None for all.
        at_s: when it begins, seconds since the start, >= 0.
        change: size at its peak as a fraction of the price, > -1; 0.35 is +35%.
        ramp_s: seconds from its beginning to its peak, >= 0; 0 is a jump.
        recovery_s: seconds from its peak until nothing is left of it, > 0; None for a lasting one.
    """

    asset: str | None
    at_s: float
    change: float
    ramp_s: float = 0.0
    recovery_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        if not (math.isfinite(self.change) and self.change > -1):
            raise ValueError(f"change(={self.change}) must be finite and > -1")
        if not (math.isfinite(self.at_s) and self.at_s >= 0 and math.isfinite(self.ramp_s) and self.ramp_s >= 0):
            raise ValueError(f"at_s(={self.at_s}) and ramp_s(={self.ramp_s}) must be finite and >= 0")
        if self.recovery_s is not None and not (math.isfinite(self.recovery_s) and self.recovery_s > 0):
            raise ValueError(f"recovery_s(={self.recovery_s}) must be finite and > 0, or None")

    def strength(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share in [0, 1] of the log change that is felt at each time `at`, seconds since the start."""
        since = at - self.at_s
        rise = np.clip(since, 0, self.ramp_s) / self.ramp_s if self.ramp_s > 0 else np.where(since >= 0, 1.0, 0.0)
        return rise if self.recovery_s is None else rise - np.clip(since - self.ramp_s, 0, self.recovery_s) / self.recovery_s


def apply_shocks(paths: Paths, shocks: Iterable[Shock]) -> Paths:
    """The same paths with every shock multiplied in; sessions stay as they are, and a shock outside of them shows at the next open.

    Raises:
        ValueError: a shock names an asset the paths lack, or begins after their end (it would do nothing, unnoticed).
    """
    at = np.arange(paths.steps + 1, dtype=np.float64) * paths.step_seconds
    log_change = np.zeros_like(paths.market_price)
    for shock in shocks:
        if shock.asset is not None and shock.asset not in paths.assets:
            raise ValueError(f"a shock names {shock.asset!r}; the assets are {', '.join(paths.assets)}")
        if shock.at_s > at[-1]:
            raise ValueError(f"a shock begins at_s(={shock.at_s}), after the end of the path at {at[-1]:g} s")
        columns = [shock.asset in (None, asset) for asset in paths.assets]
        log_change[:, columns] += (math.log1p(shock.change) * shock.strength(at))[:, None]
    rounds = np.arange(len(at))[:, None]
    felt = np.maximum.accumulate(np.where(paths.market_open, rounds, 0), axis=0)  # the last round in which each market was open
    return replace(paths, market_price=paths.market_price * np.exp(np.take_along_axis(log_change, felt, axis=0)))


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
    log_steps = np.diff(np.log(prices), axis=0)
    per_year = YEAR_SECONDS / paths.step_seconds
    mean, volatility = log_steps.mean(axis=0) * per_year, log_steps.std(axis=0) * math.sqrt(per_year)
    up, down = np.expm1(log_steps.max(axis=0)), np.expm1(log_steps.min(axis=0))
    # A row speaks for the step that follows it, so the last one has no time of its own.
    open_share = paths.market_open[:-1].mean(axis=0)
    columns = np.column_stack([mean, volatility, up, down, prices[0], prices[-1], open_share])
    return [Moments(asset, *row) for asset, row in zip(paths.assets, columns.tolist(), strict=True)]
