"""Shocks of a scenario as events of one path: those at stated times, and those at random ones, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seawall.prices.events import Change, Gap, PriceEvent
from seawall.prices.shocks import apply, at_random
from seawall.scenarios.paths import Paths
from seawall.scenarios.shock_schema import SECONDS_PER_HOUR, PriceShock
from seawall.scenarios.streams import Purpose, stream

_ANY = Change(None, 0.0, 0.0)  # whose times are drawn; times do not depend on what happens at them


def events_of(shocks: Sequence[PriceShock], paths: Paths, *, seed: int, path: int) -> list[PriceEvent]:
    """Every shock with its time; a random one may happen never or often. Each has a stream of its own, by its number.

    Args:
        shocks: of the scenario.
        paths: what they strike.
        seed: of the run, >= 0.
        path: number of the path, >= 0.

    Raises:
        ValueError: so frequent that a path would have more than `prices.shocks.MOST_EVENTS`.
    """
    events: list[PriceEvent] = []
    seconds = paths.steps * paths.step_seconds
    for i, shock in enumerate(shocks):
        if shock.at_hours is not None:
            events.append(shock.event(shock.at_hours * SECONDS_PER_HOUR))
        else:
            times = at_random(_ANY, shock.per_year or 0.0, seconds, stream(seed, path, Purpose.SHOCK_TIMES, i))
            drawn = [shock.event(time.at_s) for time in times]
            events += [event for event in drawn if _is_seen(event, paths)]
    return events


def strike(paths: Paths, events: Sequence[PriceEvent]) -> Paths:
    """The same paths with every event laid over them; see `prices.shocks.apply`."""
    if not events:
        return paths
    struck = apply(paths.market_price, paths.market_open, events, assets=paths.assets, step_seconds=paths.step_seconds)
    return replace(paths, market_price=struck)


def _is_seen(event: PriceEvent, paths: Paths) -> bool:
    """Whether every market that it hits opens once more: a gap that happens after the last open would show after the end of the path."""
    if not isinstance(event, Gap):
        return True
    columns = [k for k, asset in enumerate(paths.assets) if event.asset in (None, asset)]
    return all(event.at_s <= _last_open_s(paths, column) for column in columns)


def _last_open_s(paths: Paths, column: int) -> float:
    """Seconds after the start at which a market opens for the last time; the end where it never closes."""
    is_open = paths.market_open[:, column]
    opens = np.flatnonzero(is_open[1:] & ~is_open[:-1]) + 1
    last = paths.steps if is_open.all() else opens.max(initial=-1)
    return float(last * paths.step_seconds)
