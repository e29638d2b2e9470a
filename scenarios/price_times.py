"""Times of a price file in microseconds since 1970, whatever way they are written, with duplicates dropped where the reader says so."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from seawall.protocols.tables import Bools, Ints
from seawall.scenarios.price_source import ReplaySource
from seawall.scenarios.text_table import MAX_FAULTS, Cells, Faults, previous

SECOND = 1_000_000
ZONED = r".{0,16}\d\d:\d\d.{0,16}(?:Z|[+-]\d\d:?\d\d)"
RIGHT = "write 2022-03-14T08:00:00Z, or an offset such as +01:00"
EPOCHS = {"seconds": SECOND, "milliseconds": 1_000}  # microseconds in each
EARLIEST, LATEST = 631_152_000 * SECOND, 7_258_118_400 * SECOND
"""1990 to 2200 (assumption): a number of seconds read as milliseconds lies before, one of milliseconds read as seconds after."""


def read_times(source: ReplaySource, text: Cells) -> tuple[Ints, Bools, Faults]:
    """Times of all rows `[rows]`, which of them are times, and what is wrong with the others."""
    if source.time_unit == "iso":
        return _iso(text, source.time_column, source.time_zone)
    return _epoch(text, source.time_column, source.time_unit)


def _epoch(text: Cells, column: str, unit: str) -> tuple[Ints, Bools, Faults]:
    numbers, cells = text.values(column), text.cells[column]

    def within(unit: str) -> Bools:
        scaled = numbers * EPOCHS[unit]
        return (scaled >= EARLIEST) & (scaled < LATEST)

    good = within(unit)
    other = next(name for name in EPOCHS if name != unit)
    fits_other = within(other)

    def not_a_time(row: int) -> str:
        hint = f"; time_unit: {other} would make it one" if fits_other[row] else ""
        return f"{cells[row]!r} is not a number of {unit} since 1970 in the years 1990 to 2199{hint}"

    times = np.rint(np.where(good, numbers, 0.0) * EPOCHS[unit]).astype(np.int64)
    return times, good, text.faults(~good, column, not_a_time)


def _iso(text: Cells, column: str, zone: str | None) -> tuple[Ints, Bools, Faults]:
    cells = text.cells[column]
    parsed = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
    index = pd.DatetimeIndex(parsed).as_unit("us")
    is_time, zoned = parsed.notna().to_numpy(), cells.str.fullmatch(ZONED).to_numpy(dtype=np.bool_)
    faults = text.faults(~is_time, column, lambda row: f"{cells[row]!r} is not an ISO-8601 time; {RIGHT}")
    if zone is None:
        faults += text.faults(is_time & ~zoned, column, lambda row: f"{cells[row]!r} has no time zone; {RIGHT}")
        return index.asi8, is_time & zoned, faults
    local = is_time & ~zoned
    times, good = index.asi8.copy(), is_time & zoned
    times[local], unclear, skipped = _localised(index[local], zone)
    good[local] = ~(unclear | skipped)
    for bad, said in ((unclear, "came twice"), (skipped, "never came")):
        marked = np.zeros(len(times), dtype=np.bool_)
        marked[local] = bad
        faults += text.faults(marked, column, lambda row, said=said: f"{cells[row]!r} {said} in {zone}, where clocks were changed; {RIGHT}")  # type: ignore[misc]
    return times, good, faults


def _localised(clock: pd.DatetimeIndex, zone: str) -> tuple[Ints, Bools, Bools]:
    """Times of local clock readings, and which of these came twice, and which never, because clocks were changed."""
    naive, where = clock.tz_localize(None), ZoneInfo(zone)
    shifted = naive.tz_localize(where, ambiguous="NaT", nonexistent="shift_forward")
    unclear = np.asarray(shifted.isna())
    skipped = np.asarray(naive.tz_localize(where, ambiguous="NaT", nonexistent="NaT").isna()) & ~unclear
    return shifted.as_unit("us").asi8, unclear, skipped


def repeated(times: Ints, assets: Ints, good: Bools, keep: str) -> Bools:
    """Rows whose time some other row of the same asset has, all but the one to keep ("first" or "last"), `[rows]`.

    Args:
        times: `[rows]` microseconds since 1970.
        assets: `[rows]` number of the asset that each row speaks of; the same for all rows of a wide file.
        good: `[rows]` which times are times.
        keep: "first" or "last".
    """
    rows = pd.DataFrame({"time": times, "asset": assets})[good]
    found = np.zeros(len(times), dtype=np.bool_)
    found[good] = rows.duplicated(keep="last" if keep == "last" else "first").to_numpy()
    return found


def disorder(text: Cells, column: str, times: Ints, good: Bools) -> Faults:
    """Marked rows whose time is not after that of the marked row before."""
    cells, before = text.cells[column], previous(good)
    follows = before != np.arange(len(before))
    repeats = follows & (times == times[before])

    def said(row: int) -> str:
        how = "repeats" if repeats[row] else "is earlier than"
        return f"{cells[row]!r} {how} {cells[before[row]]!r} of {text.place(before[row])}; times must rise, each once"

    faults = text.faults(follows & (times <= times[before]), column, said)
    if repeats.sum() > MAX_FAULTS:
        faults.append((0, f"{column}: {repeats.sum()} rows repeat the time before; duplicates: first, or last, would choose one of each"))
    return faults
