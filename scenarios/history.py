"""Replay of recorded closes on an even grid. A bar's close is known when the bar ends, never before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from seawall.protocols.errors import PriceFileError
from seawall.protocols.tables import Bools, Floats, Ints
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_file import MAX_FAULTS, MAX_ROWS, Bars, Faults, Quotes, ReplaySource, read_prices, refuse
from seawall.scenarios.text_table import previous

SECOND, DAY = 1_000_000, 86_400_000_000  # times below are integers, microseconds since 1970


@dataclass(frozen=True, slots=True)
class _Prints:
    """The closes of one asset, `[prints]`: when each is known and USD.

    Until the next one, `bridged` says whether the market is open, `slanted` whether the price goes towards it.
    """

    known: Ints
    close: Floats
    bridged: Bools
    slanted: Bools

    def at(self, grid: Ints) -> tuple[Floats, Bools]:
        """Price and openness at every grid time."""
        last = np.searchsorted(self.known, grid, side="right") - 1
        newest = np.maximum(last, 0)
        price = self.close[newest]
        on_the_way = (last >= 0) & self.slanted[newest]
        if on_the_way.any():
            before = newest[on_the_way]
            share = (grid[on_the_way] - self.known[before]) / (self.known[before + 1] - self.known[before])
            price[on_the_way] *= (self.close[before + 1] / self.close[before]) ** share
        return price, (last >= 0) & (self.bridged[newest] | (self.known[newest] == grid))


@dataclass(frozen=True, slots=True)
class Findings:
    """What a file turned out to hold of one asset, among the rows to replay.

    Attributes:
        asset: its name.
        prices: rows with a price.
        first: when the first close is known, UTC.
        last: when the last one is.
        missing_bars: bars that are not there between two closes of the same session, estimated from the time between these.
        gaps: line (of Parquet, row) of each close that comes later than one bar after the one before, and seconds between the two; the
            ten longest.
        long_gaps: closes that come later than `max_gap_seconds` after the one before.
    """

    asset: str
    prices: int
    first: datetime
    last: datetime
    missing_bars: int
    gaps: tuple[tuple[int, float], ...]
    long_gaps: int


def read_replay(source: ReplaySource, *, step_seconds: int) -> Paths:
    """Replay recorded closes on an even grid, from the first one known to the last.

    The price at a grid time is the last close known then, of replayed rows; before an asset's first close it is that first close, and
    its market closed. An asset's market is open when a close becomes known, and from one close to the next if both are in the same
    session and at most `max_gap_seconds` apart, or further where `longer_gaps` is hold or interpolate. So whether it is open depends on
    the next close too (an exchange says when it halts); the price never does, but in a gap that is interpolated.

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
    bars = read_prices(source)
    known, used = _known(source, bars)
    found = [_prints(source, bars, quotes, known=known, used=used) for quotes in bars.quotes]
    refuse(source.file, [fault for _, gap_faults in found for fault in gap_faults])
    prints = [one for one, _ in found]
    grid = _grid(source, prints, step_seconds)
    held = [one.at(grid) for one in prints]
    market_price, market_open = (np.column_stack(columns) for columns in zip(*held, strict=True))
    return Paths(_instant(grid[0]), step_seconds, tuple(source.columns), market_price, market_open)


def examine(source: ReplaySource) -> tuple[list[Findings], int]:
    """What a file holds of each asset, and how many rows were left out as duplicates.

    Raises:
        PriceFileError: the file is refused (see `price_file.read_prices`), or nothing of an asset is left to replay.
    """
    bars = read_prices(source)
    known, used = _known(source, bars)
    found = []
    for asset, quotes in zip(source.columns, bars.quotes, strict=True):
        rows, _, in_session, seconds = _between(source, bars, quotes, known=known, used=used)
        refuse(source.file, [(0, f"{quotes.label}: holds no price in the rows to replay")] if not len(rows) else [])
        late = in_session & (seconds > source.bar_seconds)
        missing = int(np.maximum(np.rint(seconds[late] / source.bar_seconds) - 1, 0).sum())
        longest = [row for row in np.argsort(-seconds, kind="stable") if late[row]][:MAX_FAULTS]
        gaps = tuple((int(bars.text.numbers[rows[row]]), float(seconds[row])) for row in longest)
        long_gaps = int((in_session & (seconds > source.max_gap_seconds)).sum())
        found.append(Findings(asset, len(rows), _instant(known[rows[0]]), _instant(known[rows[-1]]), missing, gaps, long_gaps))
    return found, len(bars.dropped)


def _instant(microseconds: np.int64) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))


def _known(source: ReplaySource, bars: Bars) -> tuple[Ints, Bools]:
    """When each row's close is known, and whether the row lies in the window to replay."""
    known = bars.times + source.bar_seconds * SECOND * (source.bar_stamp == "start")
    inside = np.ones(len(known), dtype=np.bool_)
    if source.start is not None:
        inside &= known >= source.start.timestamp() * SECOND
    if source.end is not None:
        inside &= known <= source.end.timestamp() * SECOND
    return known, inside


def _between(source: ReplaySource, bars: Bars, quotes: Quotes, *, known: Ints, used: Bools) -> tuple[Ints, Bools, Bools, Floats]:
    """The rows to replay of one asset, and for each of them what lies between the one before and itself.

    Returns:
        rows: `[prints]` numbers of the rows.
        together: `[prints]` whether no row of another session comes between.
        in_session: `[prints]` the same, and not over night either.
        seconds: `[prints]` since the one before; 0 for the first.
    """
    trading = quotes.rows
    if source.session_column is not None:
        trading = trading & bars.text.cells[source.session_column].isin(source.sessions).to_numpy(dtype=np.bool_)
    good = used & trading & quotes.good
    rows, before = np.flatnonzero(good), previous(good)[good]
    # A count that rises wherever a row of another session comes between two of the asset.
    stretch = np.cumsum(quotes.rows & ~trading)
    together = stretch[rows] == stretch[before]
    # A file may hold trading hours only: then a night is a gap with no row in it, told from a hole by the change of date.
    overnight = ((known[rows] - 1) // DAY > (known[before] - 1) // DAY) & (source.session_column is not None)
    return rows, together, together & ~overnight, (known[rows] - known[before]) / SECOND


def _prints(source: ReplaySource, bars: Bars, quotes: Quotes, *, known: Ints, used: Bools) -> tuple[_Prints, Faults]:
    """The closes of an asset to replay, and the gaps between them that are to be refused."""
    rows, together, in_session, seconds = _between(source, bars, quotes, known=known, used=used)
    if not len(rows):
        return _Prints(known[rows], quotes.usd[rows], used[rows], used[rows]), [
            (0, f"{quotes.label}: holds no price in the rows to replay")
        ]
    long = seconds > source.max_gap_seconds
    filled = long & in_session & (source.longer_gaps in ("hold", "interpolate"))
    faults = _gap_faults(source, bars, quotes.label, rows, long & in_session, seconds) if source.longer_gaps == "refuse" else []
    open_before = (together & ~long) | filled
    slanted_before = filled & (source.longer_gaps == "interpolate")
    to_next = [np.append(marked[1:], False) for marked in (open_before, slanted_before)]
    return _Prints(known[rows], quotes.usd[rows], *to_next), faults


def _gap_faults(source: ReplaySource, bars: Bars, label: str, rows: Ints, refused: Bools, seconds: Floats) -> Faults:
    """One fault for each of the first gaps, on the line where it ends, and one that counts them where they are many."""
    numbers, ends = bars.text.numbers, np.flatnonzero(refused)
    faults = [(0, f"{label}: {len(ends)} gaps of more than {source.max_gap_seconds} s")] if len(ends) > MAX_FAULTS else []
    for end in ends[: MAX_FAULTS + 1].tolist():
        since = f"no price for {seconds[end]:g} s, since {bars.text.place(rows[end - 1])}"
        said = f"{label}: {since}; at most {source.max_gap_seconds} s are bridged (max_gap_seconds)"
        faults.append((int(numbers[rows[end]]), said))
    return faults


def _grid(source: ReplaySource, prints: Sequence[_Prints], step_seconds: int) -> Ints:
    first, last = min(int(one.known[0]) for one in prints), max(int(one.known[-1]) for one in prints)
    steps = (last - first) // (step_seconds * SECOND)
    if not 1 <= steps <= MAX_ROWS:
        raise PriceFileError(f"{source.file}: its closes span {steps} steps of {step_seconds} s; 1 to {MAX_ROWS} can be replayed")
    return first + np.arange(steps + 1) * (step_seconds * SECOND)
