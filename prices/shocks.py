"""Events laid over any path, at stated times or at random ones.

The changes of log price of several events add up, in whatever order they are given. A market that is closed shows nothing until it opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from seawall.prices.events import Change, Depeg, Drift, Event, Gap, PriceEvent, Quiet, VolatilityBurst
from seawall.prices.process import YEAR_SECONDS, check_not_negative, check_positive
from seawall.protocols.tables import Bools, Floats

MOST_EVENTS = 10_000  # expected of one kind on one path
TIMES_AT_A_TIME = 64  # drawn together, so that a longer path begins with the events of the shorter one

AnyEvent = TypeVar("AnyEvent", Change, Gap, Drift, VolatilityBurst, Depeg)


def apply(
    prices_usd: Floats,
    is_open: Bools,
    events: Iterable[PriceEvent],
    *,
    assets: Sequence[str],
    step_seconds: float,
    drift_per_step: Floats | None = None,
) -> Floats:
    """The same prices with every event multiplied in; one outside of the sessions shows at the next open.

    Args:
        prices_usd: `[steps + 1, assets]`, > 0; while a market is closed, its price rests.
        is_open: `[steps + 1, assets]` whether each market is open.
        events: in any order.
        assets: names of the columns.
        step_seconds: > 0.
        drift_per_step: `[assets]` expected log return of a step, from which a burst of volatility counts deviations; None for 0, the
            difference being small beside the volatility.

    Returns:
        `[steps + 1, assets]` USD; untouched columns keep their bytes.

    Raises:
        ValueError: an event names an asset that is not there, begins after the end (it would do nothing, unnoticed), or waits for an open
            that does not come; shapes differ.
    """
    if prices_usd.shape != is_open.shape or prices_usd.ndim != 2 or prices_usd.shape[1] != len(assets):
        raise ValueError(f"prices_usd {prices_usd.shape} and is_open {is_open.shape} must be [steps + 1, {len(assets)} assets]")
    at_s = np.arange(len(prices_usd), dtype=np.float64) * step_seconds
    rounds = np.broadcast_to(np.arange(len(at_s))[:, None], prices_usd.shape)
    never_closes = bool(is_open.all())
    last_open = rounds if never_closes else np.maximum.accumulate(np.where(is_open, rounds, 0), axis=0)
    drifts = np.zeros(len(assets)) if drift_per_step is None else drift_per_step
    log_prices = np.log(prices_usd)
    log_change = np.zeros_like(prices_usd)
    for event in events:
        _check_event(event, assets, float(at_s[-1]))
        for column, asset in enumerate(assets):
            if event.asset in (None, asset):
                quiet = Quiet(at_s, log_prices[:, column], is_open[:, column], last_open[:, column], float(drifts[column]))
                log_change[:, column] += event.log_change(quiet)
    return prices_usd * np.exp(log_change if never_closes else np.take_along_axis(log_change, last_open, axis=0))


def at_random(event: AnyEvent, per_year: float, seconds: float, rng: np.random.Generator) -> list[AnyEvent]:
    """The same event at random times of a path, independent of each other (a Poisson process).

    Args:
        event: whose `at_s` is replaced.
        per_year: how often, >= 0; at most 10,000 expected on the path.
        seconds: length of the path, > 0.
        rng: source of the times; a longer path begins with the events of the shorter one.

    Raises:
        ValueError: an argument is out of range.
    """
    check_not_negative(per_year=per_year)
    check_positive(seconds=seconds)
    expected = per_year * seconds / YEAR_SECONDS
    if expected > MOST_EVENTS:
        raise ValueError(f"per_year(={per_year}) makes about {expected:,.0f} events in {seconds:g} s, more than {MOST_EVENTS:,}")
    times = np.empty(0)
    while per_year > 0 and (not len(times) or times[-1] <= seconds):
        waits = rng.standard_exponential(TIMES_AT_A_TIME) * (YEAR_SECONDS / per_year)
        times = np.concatenate([times, (times[-1] if len(times) else 0.0) + np.cumsum(waits)])
    return [replace(event, at_s=float(time)) for time in times[times <= seconds]]


def _check_event(event: Event, assets: Sequence[str], end_s: float) -> None:
    if event.asset is not None and event.asset not in assets:
        raise ValueError(f"an event names {event.asset!r}; the assets are {', '.join(assets)}")
    if event.at_s > end_s:
        raise ValueError(f"an event begins at at_s(={event.at_s}), after the end of the path at {end_s:g} s")
