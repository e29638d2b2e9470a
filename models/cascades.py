"""Cascades: how much is liquidated at once, and for how long without a pause. Measured after a run, from what it has written down.

That liquidations bring about more of them, by moving the price that they are made at, is the deleveraging spiral of Klages-Mundt and Minca,
(In)Stability for the Blockchain, arXiv 1906.02152. It names no measure of size: the hour and the row of rounds are assumption.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seawall.agents.exchange import Exchange
from seawall.protocols.tables import Floats, Ints, World

WINDOW_S = 3_600.0


class Cascade(NamedTuple):
    """The worst hour of a run.

    Attributes:
        usd: largest value liquidated within any hour, >= 0.
        share: the same as a fraction of what was owed, or open, at the last record before that hour; 0 where nothing was liquidated, None
            where nothing was owed or open then.
    """

    usd: float
    share: float | None


def largest_in_window(times: Floats, amounts: Floats, window_s: float = WINDOW_S) -> tuple[float, float]:
    """Largest sum of amounts at times within (t - window_s, t], and that t; 0 and 0 without any.

    Args:
        times: [events] seconds, ascending.
        amounts: [events], >= 0.
        window_s: length of the window, > 0.
    """
    if not len(times):
        return 0.0, 0.0
    sums = np.concatenate([[0.0], np.cumsum(amounts)])
    in_window = sums[1:] - sums[np.searchsorted(times, times - window_s, side="right")]
    worst = int(in_window.argmax())
    return float(in_window[worst]), float(times[worst])


def longest_row(rounds: Ints) -> int:
    """Most consecutive numbers among `rounds`, [events] ascending, each any number of times; 0 without any."""
    distinct = np.unique(rounds)
    if not len(distinct):
        return 0
    breaks = np.flatnonzero(np.diff(distinct) != 1)
    return int(np.diff(np.concatenate([[-1], breaks, [len(distinct) - 1]])).max())


def of_cdps(world: World) -> Cascade | None:
    """The worst hour of purchases from margin-called CDPs, at the oracle price of each; None where not all of them were listed."""
    clock = world.clock[0]
    if clock.events_lost:
        return None
    events, records = world.events[: int(clock.events)], world.series[: int(clock.records)]
    usd, end = largest_in_window(events["time"], events["burned"] * events["price"])
    return Cascade(usd, _share(usd, end, records["time"][:, 0], (records["debt"] * records["market_price"]).sum(axis=1)))


def rounds_in_a_row(world: World) -> int:
    """Most rounds one after the other with a purchase each."""
    clock = world.clock[0]
    return longest_row(np.rint(world.events["time"][: int(clock.events)] / clock.step_seconds).astype(np.int64))


def of_traders(x: Exchange) -> Cascade | None:
    """The worst hour of liquidated positions, of all markets together, from one record to another at most an hour later.

    None where records are further apart.
    """
    records = x.market_series[: int(x.times[0].records)]
    times = records["time"][:, 0] if records.shape[1] else np.empty(0)
    if len(times) < 2 or np.diff(times).max() > WINDOW_S:
        return None
    total = records["liquidated_usd"].sum(axis=1)
    first = np.searchsorted(times, times - WINDOW_S, side="left")
    within = total - total[first]
    worst = int(within.argmax())
    is_open = (records["open_interest"] * records["index_price"]).sum(axis=1)
    return Cascade(float(within[worst]), _share_of(float(within[worst]), float(is_open[first[worst]])))


def _share(usd: float, end: float, times: Floats, whole: Floats) -> float | None:
    """USD as a fraction of the whole at the last record before the hour that ends at `end`."""
    before = max(int(np.searchsorted(times, end - WINDOW_S, side="right")) - 1, 0)
    return _share_of(usd, float(whole[before]) if len(whole) else 0.0)


def _share_of(usd: float, whole: float) -> float | None:
    """USD as a fraction of a whole; 0 of nothing liquidated, None where there was no whole."""
    if usd == 0.0:
        return 0.0
    return usd / whole if whole > 0.0 else None
