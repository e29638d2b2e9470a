"""Replay of recorded closes on an even grid. A bar's close is known when the bar ends, never before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from seawall.protocols.errors import PriceFileError
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_file import MAX_ROWS, Cells, Faults, ReplaySource, previous, read_prices, refuse

SECOND, DAY = 1_000_000, 86_400_000_000  # times below are integers, microseconds since 1970


@dataclass(frozen=True, slots=True)
class _Prints:
    """The closes of one asset, `[prints]`: when each is known, USD, and whether the market stays open until the next."""

    known: NDArray[np.int64]
    close: NDArray[np.float64]
    bridged: NDArray[np.bool_]

    def at(self, grid: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Price and openness at every grid time."""
        last = np.searchsorted(self.known, grid, side="right") - 1
        newest = np.maximum(last, 0)
        return self.close[newest], (last >= 0) & (self.bridged[newest] | (self.known[newest] == grid))


def read_replay(source: ReplaySource, *, step_seconds: int) -> Paths:
    """Replay recorded closes on an even grid, from the first one known to the last.

    The price at a grid time is the last close known then, of replayed rows; before an asset's first close it is that first close, and
    its market closed. An asset's market is open when a close becomes known, and from one close to the next if both are in the same
    session and at most `max_gap_seconds` apart. So whether it is open depends on the next close too (an exchange says when it halts);
    the price never does.

    Args:
        source: what to replay.
        step_seconds: grid, > 0.

    Returns:
        Paths with the assets in the order of `source.columns`.

    Raises:
        PriceFileError: the file is refused (see `price_file.read_prices`), nothing is left to replay, or a gap is to be refused.
        ValueError: step_seconds is not > 0.
    """
    if step_seconds <= 0:
        raise ValueError(f"step_seconds(={step_seconds}) must be > 0")
    text, times = read_prices(source)
    known = times + source.bar_seconds * SECOND * (source.bar_stamp == "start")
    used, stretch = _usable(source, text, known)
    found = [_prints(source, text, column, known=known, used=used, stretch=stretch) for column in source.columns.values()]
    refuse(source, [fault for _, gap_faults in found for fault in gap_faults])
    prints = [one for one, _ in found]
    grid = _grid(source, prints, step_seconds)
    held = [one.at(grid) for one in prints]
    market_price, market_open = (np.column_stack(columns) for columns in zip(*held, strict=True))
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(grid[0]))
    return Paths(start, step_seconds, tuple(source.columns), market_price, market_open)


def _usable(source: ReplaySource, text: Cells, known: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which rows are replayed, and a count that rises wherever a row of another session comes between two of them."""
    trading = np.ones(len(known), dtype=np.bool_)
    if source.session_column is not None:
        trading = text.cells[source.session_column].isin(source.sessions).to_numpy(dtype=np.bool_)
    inside = np.ones(len(known), dtype=np.bool_)
    if source.start is not None:
        inside &= known >= source.start.timestamp() * SECOND
    if source.end is not None:
        inside &= known <= source.end.timestamp() * SECOND
    return trading & inside, np.cumsum(~trading)


def _prints(
    source: ReplaySource, text: Cells, column: str, *, known: NDArray[np.int64], used: NDArray[np.bool_], stretch: NDArray[np.int64]
) -> tuple[_Prints, Faults]:
    """The closes of a column to replay, and the gaps between them that are to be refused."""
    close = text.prices(column)
    good = used & ~np.isnan(close)
    rows, before = np.flatnonzero(good), previous(good)
    if not len(rows):
        return _Prints(known[rows], close[rows], used[rows]), [(0, f"{column}: holds no price in the rows to replay")]
    together = stretch == stretch[before]
    long = known - known[before] > source.max_gap_seconds * SECOND

    def gap(row: int) -> str:
        seconds = (known[row] - known[before[row]]) / SECOND
        return (
            f"no price for {seconds:g} s, since {text.place(before[row])}; at most {source.max_gap_seconds} s are bridged (max_gap_seconds)"
        )

    # A file may hold trading hours only: then a night is a gap with no row in it, told from a hole by the change of date.
    overnight = ((known - 1) // DAY > (known[before] - 1) // DAY) & (source.session_column is not None)
    faults = text.faults(long & together & ~overnight, column, gap) if source.longer_gaps == "refuse" else []
    return _Prints(known[rows], close[rows], np.append((together & ~long)[rows[1:]], False)), faults


def _grid(source: ReplaySource, prints: Sequence[_Prints], step_seconds: int) -> NDArray[np.int64]:
    first, last = min(int(one.known[0]) for one in prints), max(int(one.known[-1]) for one in prints)
    steps = (last - first) // (step_seconds * SECOND)
    if not 1 <= steps <= MAX_ROWS:
        raise PriceFileError(f"{source.file}: its closes span {steps} steps of {step_seconds} s; 1 to {MAX_ROWS} can be replayed")
    return first + np.arange(steps + 1) * (step_seconds * SECOND)
