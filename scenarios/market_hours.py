"""Sessions of an exchange laid over a price model that knows none: the price rests while the market is closed, and reopens with a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from seawall.scenarios.paths import Paths
from seawall.scenarios.sessions import open_minutes


def open_rounds(calendar: str, *, start: datetime, steps: int, step_seconds: int) -> NDArray[np.bool_]:
    """Tell in which rounds an exchange is open, half-days, holidays and lunch breaks right.

    Args:
        calendar: name of an exchange calendar, such as "XNYS".
        start: time of the first row, UTC.
        steps: number of steps.
        step_seconds: seconds per step, > 0.

    Returns:
        `[steps + 1]`; the instants of open and close both count as open, so that the closing price is observed.

    Raises:
        ValueError: an unknown calendar, or no session within the run.
    """
    end = start + timedelta(seconds=steps * step_seconds)
    sessions = open_minutes(calendar, start.date() - timedelta(days=1), end.date() + timedelta(days=1))
    seconds = np.arange(steps + 1) * step_seconds
    is_open = np.zeros(steps + 1, dtype=np.bool_)
    for session in sessions:
        for begin, end_of in session.stretches():
            opens, closes = (begin - start).total_seconds(), (end_of - start).total_seconds()
            is_open |= (seconds >= opens) & (seconds <= closes)
    if not is_open.any():
        raise ValueError(f"calendar {calendar!r} has no session between {start.isoformat()} and {end.isoformat()}")
    return is_open


def variance_weights(is_open: NDArray[np.bool_], closed_volatility: float) -> NDArray[np.float64]:
    """Share of the variance that falls on each step, so that closed hours move `closed_volatility` times as fast as open ones.

    Args:
        is_open: `[steps + 1]`; a step counts as open when both its ends are.
        closed_volatility: ratio of the standard deviation per root second, closed to open, >= 0; 1 makes no difference, 0 no gaps.

    Returns:
        `[steps]`, with mean 1: over the whole calendar the volatility is the one configured.
    """
    weights = np.where(is_open[1:] & is_open[:-1], 1.0, closed_volatility**2)
    return weights / weights.mean()


def rest_while_closed(paths: Paths, is_open: NDArray[np.bool_]) -> Paths:
    """Hold every price at its last open round while the market is closed; what happened meanwhile shows at the next open.

    Before the first session the price rests at the start.
    """
    market_open = np.repeat(is_open[:, None], len(paths.assets), axis=1)
    return replace(paths, market_price=paths.market_price[last_open(is_open)], market_open=market_open)


def last_open(is_open: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For every round the last one, itself included, in which the market was open; the first round before any."""
    return np.maximum.accumulate(np.where(is_open, np.arange(len(is_open)), 0))
