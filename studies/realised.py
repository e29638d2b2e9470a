"""Liquidations that really happened, from a file: amounts per interval, turned into USD per bucket of a run's time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from seawall.protocols.errors import PriceFileError
from seawall.protocols.tables import Floats, Ints
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_source import ReplaySource
from seawall.scenarios.price_times import read_times
from seawall.scenarios.text_table import Cells, Faults, previous, read_cells, refuse

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class RealisedColumns:
    """Where liquidations that happened are recorded: one row an interval, in order of time.

    Attributes:
        file: .csv or .parquet.
        long: column of liquidated longs, per interval, >= 0; or of both sides together.
        short: column of liquidated shorts; None where there is none.
        loss: column of USD that the liquidated lost of the margin that they had put up; None where nobody recorded it.
        time: column of times.
        unit: what is recorded: units of the base asset, turned into USD at the price of the moment, or USD.
        stamp: whether a row's time is the start of its interval or its end.
        time_unit: ISO-8601 text, or seconds or milliseconds since 1970.
        time_zone: IANA name, for times without an offset; these are refused if None.
    """

    file: Path
    long: str
    short: str | None = None
    loss: str | None = None
    time: str = "timestamp"
    unit: Literal["base", "usd"] = "base"
    stamp: Literal["start", "end"] = "end"
    time_unit: Literal["iso", "seconds", "milliseconds"] = "iso"
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse (PriceFileError, a ValueError) what no file can be read by."""
        if self.unit not in ("base", "usd") or self.stamp not in ("start", "end"):
            raise PriceFileError(f"unit(={self.unit!r}) must be base or usd, stamp(={self.stamp!r}) start or end")
        if self.long == self.short:
            raise PriceFileError(f"long and short(={self.short!r}) name the same column, which would count twice")
        if self.loss is not None and self.loss in self.volumes:
            raise PriceFileError(f"loss(={self.loss!r}) is the column of volumes, too: what is liquidated is not what is lost")

    @property
    def volumes(self) -> tuple[str, ...]:
        """Columns of what was liquidated, which are added up."""
        return (self.long,) if self.short is None else (self.long, self.short)

    @property
    def amounts(self) -> dict[str, str]:
        """Columns that are read, by what they hold: long and short or, where one holds both, total; and loss."""
        sides = {"total": self.long} if self.short is None else {"long": self.long, "short": self.short}
        return sides if self.loss is None else sides | {"loss": self.loss}


def realised_usd(source: RealisedColumns, paths: Paths, prices: Floats, *, bucket_s: int, count: int) -> dict[str, Floats]:
    """USD per bucket from the start of a run, [count] each: `total`, `long` and `short` and `loss` as far as the file has them.

    NaN where the file has no row.

    Args:
        source: the file.
        paths: of the run: when it starts, and its grid.
        prices: [steps + 1] USD per unit of the base asset, on that grid.
        bucket_s: seconds in a bucket, > 0.
        count: buckets, > 0.

    Raises:
        PriceFileError: for a bad file, or one without a row in these buckets.
    """
    times, amounts = read_realised(source)
    since = times - int(paths.start.timestamp()) * _MICRO - paths.start.microsecond
    step = np.clip(since // (paths.step_seconds * _MICRO), 0, len(prices) - 1)
    late = 1 if source.stamp == "end" else 0  # what ends on an edge belongs to the bucket before
    bucket = (since - late) // (bucket_s * _MICRO)
    inside = (bucket >= 0) & (bucket < count)
    if not inside.any():
        raise PriceFileError(f"{source.file}: no row lies in the {count} buckets of {bucket_s} s from {paths.start.isoformat()}")
    rows = np.bincount(bucket[inside], minlength=count)
    found: dict[str, Floats] = {}
    for name, values in amounts.items():
        usd = values if source.unit == "usd" or name == "loss" else values * prices[step]
        sums = np.bincount(bucket[inside], weights=usd[inside], minlength=count)
        found[name] = np.where(rows > 0, sums, np.nan)
    return found if "total" in found else {"total": found["long"] + found["short"], **found}


def read_realised(source: RealisedColumns) -> tuple[Ints, dict[str, Floats]]:
    """Times (microseconds since 1970, ascending) and what was liquidated or lost, in the file's unit, `[rows]` each.

    Raises:
        PriceFileError: naming line, column and value, for what is not a time after the one before, or not a number >= 0.
    """
    cells, faults = read_cells(source.file, (source.time, *source.amounts.values()), use="scored against")
    times, good, wrong = read_times(_how(source), cells)
    before = previous(good)
    disordered = good & (before != np.arange(len(times))) & (times <= times[before])
    faults += wrong + cells.faults(disordered, source.time, lambda row: f"{cells.cells[source.time][row]!r} is not after the row before")
    for column in source.amounts.values():
        faults += _no_amounts(cells, column)
    refuse(source.file, faults)
    return times, {name: cells.values(column) for name, column in source.amounts.items()}


def _how(source: RealisedColumns) -> ReplaySource:
    """The way of reading times that price files have."""
    return ReplaySource(
        file=source.file,
        columns={"volume": source.long},
        bar_seconds=1,
        bar_stamp=source.stamp,
        max_gap_seconds=1,
        time_column=source.time,
        time_unit=source.time_unit,
        time_zone=source.time_zone,
    )


def _no_amounts(cells: Cells, column: str) -> Faults:
    values = cells.values(column)
    bad = ~(np.isfinite(values) & (values >= 0.0))
    return cells.faults(bad, column, lambda row: f"{cells.cells[column][row]!r} is not a number >= 0")
