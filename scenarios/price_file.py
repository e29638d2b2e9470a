"""A price file, read and checked: every fault with its line, column and value, up to ten at once.

A wide CSV or Parquet file, one column an asset, one row a bar. A file is either right or refused. Nothing in it is ever executed, and an
empty cell means that nothing traded.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from seawall.protocols.errors import PriceFileError

MAX_BYTES = 256 * 2**20
MAX_ROWS = 10_000_000  # 19 years of minutes: of a file's rows (Parquet can hide many in few bytes) and of the path's
MAX_FAULTS = 10
MAX_FACTOR = 10.0  # between two successive closes of an asset (assumption): more is a split not adjusted for, or a slipped decimal
ZONED = r".{0,16}\d\d:\d\d.{0,16}(?:Z|[+-]\d\d:?\d\d)"

Faults = list[tuple[int, str]]
"""Number of a row in the file (0 for the whole file), and what is wrong there."""


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """Which columns of which file to replay, and how to read its bars.

    Attributes:
        file: a .csv (UTF-8, comma, one header line) or .parquet file, at most 256 MiB.
        columns: column of closes in USD, by asset.
        bar_seconds: length of a bar, > 0.
        bar_stamp: whether the time of a row is the start of its bar or its end, when the close is known.
        max_gap_seconds: longest time between two prints through which the market stays open at the last price, >= bar_seconds.
        longer_gaps: beyond that the market counts as closed ("closed"), or the file is refused if the gap lies in a session ("refuse").
        time_column: column of times, ISO-8601 with an offset or Z.
        session_column: column that says which session a row belongs to; None where the market never closes.
        sessions: its values that are trading time, such as ("regular",); rows of other sessions are not replayed.
        start: earliest time at which a close is known that is replayed; None for the file's first.
        end: latest such time; None for the file's last.
    """

    file: Path
    columns: Mapping[str, str]
    bar_seconds: int
    bar_stamp: Literal["start", "end"]
    max_gap_seconds: int
    longer_gaps: Literal["closed", "refuse"] = "closed"
    time_column: str = "timestamp"
    session_column: str | None = None
    sessions: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse (ValueError) settings that make no sense, whatever the file holds."""
        if not self.columns or self.bar_seconds <= 0 or self.max_gap_seconds < self.bar_seconds:
            raise ValueError(
                f"columns(={dict(self.columns)}) must name an asset, bar_seconds(={self.bar_seconds}) be > 0, "
                f"max_gap_seconds(={self.max_gap_seconds}) be >= bar_seconds"
            )
        if self.bar_stamp not in ("start", "end") or self.longer_gaps not in ("closed", "refuse"):
            raise ValueError(f"bar_stamp(={self.bar_stamp!r}) must be start or end, longer_gaps(={self.longer_gaps!r}) closed or refuse")
        if (self.session_column is None) != (not self.sessions):
            raise ValueError(f"session_column(={self.session_column!r}) and sessions(={self.sessions}) go together: give both or neither")
        if any(edge is not None and edge.utcoffset() is None for edge in (self.start, self.end)):
            raise ValueError(f"start(={self.start}) and end(={self.end}) must carry a time zone")


@dataclass(frozen=True, slots=True)
class Cells:
    """The wanted columns as text, `[rows]`, and the number each row has in the file, which counts lines or rows."""

    cells: pd.DataFrame
    numbers: NDArray[np.int64]
    unit: str

    def place(self, row: int) -> str:
        """Where a row is, in words."""
        return f"{self.unit} {self.numbers[row]}"

    def prices(self, column: str) -> NDArray[np.float64]:
        """Closes of a column, `[rows]` USD; NaN where the text is no number."""
        return pd.to_numeric(self.cells[column], errors="coerce").to_numpy(dtype=np.float64)

    def faults(self, rows: NDArray[np.bool_], column: str, say: Callable[[int], str]) -> Faults:
        """One fault a marked row, of the first few: its number in the file, and what is wrong."""
        return [(int(self.numbers[row]), f"{column}: {say(row)}") for row in np.flatnonzero(rows)[: MAX_FAULTS + 1].tolist()]


def read_prices(source: ReplaySource) -> tuple[Cells, NDArray[np.int64]]:
    """The wanted columns, checked, and the times of their rows in microseconds since 1970.

    Raises:
        PriceFileError: the file is missing, too large or not readable; or times are not ISO-8601 with an offset, or do not rise; prices
        are no
            numbers, not finite, not > 0 or jump by more than a factor of ten; a session is named that no row has.
    """
    text, faults = _read(source)
    times, time_faults = _times(text, source.time_column)
    price_faults = [fault for column in source.columns.values() for fault in _price_faults(text, column)]
    refuse(source, faults + time_faults + price_faults + _session_faults(source, text))
    return text, times


def _read(source: ReplaySource) -> tuple[Cells, Faults]:
    """The wanted columns, and the rows that are not even rows."""
    file = source.file
    if file.suffix not in (".csv", ".parquet"):
        raise PriceFileError(f"{file}: the name ends in {file.suffix!r}; only .csv and .parquet can be replayed")
    if not file.is_file():
        raise PriceFileError(f"{file}: no such file")
    if file.stat().st_size > MAX_BYTES:
        raise PriceFileError(f"{file}: has {file.stat().st_size} bytes; at most {MAX_BYTES} can be replayed")
    try:
        text, faults = _read_csv(source) if file.suffix == ".csv" else _read_parquet(source)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error, OSError) as error:
        raise PriceFileError(f"{file}: cannot be read as {file.suffix}: {error}") from error
    if len(text.cells) < 2:
        refuse(source, [(0, f"has {len(text.cells)} whole rows; at least 2 are needed"), *faults])
    return text, faults


def _read_csv(source: ReplaySource) -> tuple[Cells, Faults]:
    with source.file.open(encoding="utf-8-sig", newline="") as lines:
        names = next(csv.reader(lines), [])
    wanted = _wanted(source, names)
    faults: Faults = []

    def broken(row: arrow_csv.InvalidRow) -> str:
        faults.append((row.number, f"{row.text[:80]!r} has {row.actual_columns} columns; the header has {row.expected_columns}"))
        return "skip"

    table = arrow_csv.read_csv(
        source.file,
        # One thread, because only then are broken rows numbered.
        read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False),
        parse_options=arrow_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=broken),
        convert_options=arrow_csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())),
    )
    lines_of_file = np.arange(2, 2 + table.num_rows + len(faults))  # the header is line 1
    return Cells(table.to_pandas(), np.setdiff1d(lines_of_file, [number for number, _ in faults]), "line"), faults


def _read_parquet(source: ReplaySource) -> tuple[Cells, Faults]:
    with parquet.ParquetFile(source.file) as file:
        wanted = _wanted(source, file.schema_arrow.names)
        if file.metadata.num_rows > MAX_ROWS:
            raise PriceFileError(f"{source.file}: has {file.metadata.num_rows} rows; at most {MAX_ROWS} can be replayed")
        table = file.read(columns=wanted)
    # As text, so that one set of checks serves both kinds of file.
    cells = pd.DataFrame({name: table[name].cast(pa.string()).fill_null("").to_pandas() for name in wanted})
    return Cells(cells, np.arange(1, 1 + len(cells)), "row"), []


def _wanted(source: ReplaySource, names: Sequence[str]) -> list[str]:
    """Names of the columns to read; refuses those the file lacks or has twice."""
    wanted = dict.fromkeys([source.time_column, *([source.session_column] if source.session_column else []), *source.columns.values()])
    wrong = {name: "is missing" if name not in names else "is there twice" for name in wanted if list(names).count(name) != 1}
    if wrong:
        present = ", ".join(map(repr, names)) or "none"
        raise PriceFileError("\n".join(f"{source.file}: column {name!r} {why}; present are {present}" for name, why in wrong.items()))
    return list(wanted)


def _times(text: Cells, column: str) -> tuple[NDArray[np.int64], Faults]:
    """Times in microseconds since 1970, and what is wrong with them."""
    cells = text.cells[column]
    parsed = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
    is_time, zoned = parsed.notna().to_numpy(), cells.str.fullmatch(ZONED).to_numpy(dtype=np.bool_)
    times = pd.DatetimeIndex(parsed).as_unit("us").asi8
    before = previous(is_time & zoned)
    falls = (before != np.arange(len(before))) & (times <= times[before])
    right = "write 2022-03-14T08:00:00Z, or an offset such as +01:00"

    def disorder(row: int) -> str:
        how = "repeats" if times[row] == times[before[row]] else "is earlier than"
        return f"{cells[row]!r} {how} {cells[before[row]]!r} of {text.place(before[row])}; times must rise, each once"

    return times, [
        *text.faults(~is_time, column, lambda row: f"{cells[row]!r} is not an ISO-8601 time; {right}"),
        *text.faults(is_time & ~zoned, column, lambda row: f"{cells[row]!r} has no time zone; {right}"),
        *text.faults(falls, column, disorder),
    ]


def previous(good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For every good row the good row before it; for the first and for all others the row itself."""
    before, rows = np.arange(len(good)), np.flatnonzero(good)
    before[rows[1:]] = rows[:-1]
    return before


def _price_faults(text: Cells, column: str) -> Faults:
    cells, close = text.cells[column], text.prices(column)
    given = (cells != "").to_numpy(dtype=np.bool_)
    if not given.any():
        return [(0, f"{column}: holds no price")]
    good = np.isfinite(close) & (close > 0)
    before = previous(good)
    safe = np.where(good, close, 1.0)
    with np.errstate(over="ignore"):
        jumps = np.maximum(safe / safe[before], safe[before] / safe) > MAX_FACTOR

    def jump(row: int) -> str:
        previous = f"{cells[before[row]]!r} of {text.place(before[row])}"
        return f"{cells[row]!r} follows {previous}, more than a factor of {MAX_FACTOR:g}; adjust for the split, or empty the wrong cell"

    right = "write a finite number > 0, or leave the cell empty"
    return [
        *text.faults(given & ~good, column, lambda row: f"{cells[row]!r} is not a price; {right}"),
        *text.faults(jumps, column, jump),
    ]


def _session_faults(source: ReplaySource, text: Cells) -> Faults:
    if source.session_column is None:
        return []
    present = sorted(set(text.cells[source.session_column]))
    absent = [name for name in source.sessions if name not in present]
    return [(0, f"{source.session_column}: no row of {name!r}; present are {', '.join(map(repr, present))}") for name in absent]


def refuse(source: ReplaySource, faults: Faults) -> None:
    """Raise if there are faults: in the order of the file, the first ten."""
    if not faults:
        return
    where = str(source.file) + (":" if source.file.suffix == ".csv" else ": row ")
    lines = [f"{where}{number}: {said}" if number else f"{source.file}: {said}" for number, said in sorted(faults)]
    raise PriceFileError("\n".join(lines[:MAX_FAULTS] + ["... and more"] * (len(lines) > MAX_FAULTS)))
