"""When prices move: volatility by hour of the day and day of the week, sessions on top of it, and gaps at the open.

Weights stretch the time of each step (`years` of a process), so that their mean of 1 leaves the volatility per year what it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from seawall.prices.dependence import gaussian_copula
from seawall.protocols.tables import Bools, Floats, Ints

HOURS = 24
WEEKDAYS = 7
SAMPLE_SECONDS = 900  # no time zone is offset by less than a quarter of an hour


def variance_weights(
    by_hour: Sequence[float],
    by_weekday: Sequence[float] | None = None,
    *,
    start: datetime,
    steps: int,
    step_seconds: int,
    time_zone: str = "UTC",
) -> Floats:
    """How fast time runs in each step by the clock on the wall, summer time included.

    Args:
        by_hour: 24 volatilities from midnight on, relative to each other, >= 0; scaled here to a mean square of 1.
        by_weekday: 7 of them from Monday on; None for all alike.
        start: time of the first row, UTC.
        steps: >= 1.
        step_seconds: > 0; the weight of a step is the mean over it, to a quarter of an hour.
        time_zone: IANA name, such as "America/New_York".

    Returns:
        `[steps]`, whose mean is 1 over whole weeks, and over whole days where weekdays are alike; not over a run that ends sooner, for a
        quiet night is quiet.

    Raises:
        ValueError: an argument is out of range, or an unknown time zone.

    Source: Andersen and Bollerslev, Intraday periodicity and volatility persistence in financial markets (1997); the steps: assumption.
    """
    if start.utcoffset() != timedelta(0) or steps < 1 or step_seconds <= 0:
        raise ValueError(f"start(={start}) must be in UTC, steps(={steps}) >= 1, step_seconds(={step_seconds}) > 0")
    hour_weights = _mean_one("by_hour", by_hour, HOURS)
    weekday_weights = _mean_one("by_weekday", [1.0] * WEEKDAYS if by_weekday is None else by_weekday, WEEKDAYS)
    samples = math.ceil(step_seconds / SAMPLE_SECONDS)
    hours, weekdays = _wall_clock(start, steps * samples, step_seconds / samples, time_zone)
    return (hour_weights[hours] * weekday_weights[weekdays]).reshape(steps, samples).mean(axis=1)


def _mean_one(name: str, volatility: Sequence[float], length: int) -> Floats:
    """Squares of a profile of volatility, scaled to a mean of 1."""
    squares = np.array(volatility, dtype=np.float64) ** 2
    if squares.shape != (length,) or not (np.isfinite(squares).all() and min(volatility) >= 0 and squares.sum() > 0):
        raise ValueError(f"{name}(={list(volatility)}) must be {length} finite numbers >= 0, not all 0")
    return squares / squares.mean()


def _wall_clock(start: datetime, count: int, seconds: float, time_zone: str) -> tuple[Ints, Ints]:
    """Hour and weekday, Monday being 0, at the middle of each of `count` stretches of so many seconds."""
    import pandas as pd

    middles = (np.arange(count) + 0.5) * seconds
    try:
        local = (pd.Timestamp(start) + pd.to_timedelta(middles, unit="s")).tz_convert(time_zone)
    except (KeyError, ValueError) as error:  # zoneinfo's own error is a KeyError
        raise ValueError(f"time_zone(={time_zone!r}) must be an IANA name, such as 'Europe/London'") from error
    return local.hour.to_numpy(), local.day_of_week.to_numpy()


def combine(*weights: Floats) -> Floats:
    """Product of weights `[steps]`, such as a profile's and a calendar's, scaled to a mean of 1 over the run.

    Raises:
        ValueError: lengths differ, or no time is left.
    """
    if not weights or len({len(one) for one in weights}) > 1:
        raise ValueError(f"weights of {[len(one) for one in weights]} steps must be at least one, all as long")
    product = np.prod(weights, axis=0)
    if not product.sum() > 0:
        raise ValueError("weights leave no step in which time runs: the sessions lie in hours of volatility 0")
    return product / product.mean()


def opening_gaps(is_open: Bools, deviation: Sequence[float], correlation: Floats, rng: np.random.Generator) -> Floats:
    """Jumps at each open, apart from what the closed hours have added up; compensated, so that expected prices stay what they were.

    Args:
        is_open: `[steps + 1]`; a gap is in the step from a closed round to an open one, so none is at the start.
        deviation: by asset, standard deviation of a gap in log price, >= 0.
        correlation: `[assets, assets]` of the gaps.
        rng: source of their sizes; a longer path begins with the shorter one.

    Returns:
        Log returns `[steps, assets]`, to add to those of the assets.

    Raises:
        ValueError: a deviation is out of range, or as many as assets are not given.

    Source: assumption (normal gaps, alike after nights and weekends).
    """
    sizes = np.array(deviation, dtype=np.float64)
    if sizes.shape != correlation.shape[:1] or not (np.isfinite(sizes).all() and (sizes >= 0).all()):
        raise ValueError(f"deviation(={list(deviation)}) must be {len(correlation)} finite numbers >= 0")
    opens = np.flatnonzero(is_open[1:] & ~is_open[:-1])
    gaps = np.zeros((len(is_open) - 1, len(sizes)))
    gaps[opens] = sizes * gaussian_copula(rng.standard_normal((len(opens), len(sizes))), correlation) - sizes**2 / 2
    return gaps
