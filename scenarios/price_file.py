"""A price file, read and checked: every fault with its line, column and value, up to ten at once.

A CSV or Parquet file, one row a bar, of one column an asset or of one row an asset. A file is either right or refused, and an empty cell
means that nothing traded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seawall.protocols.tables import Bools, Floats, Ints
from seawall.scenarios.price_source import Ohlc, ReplaySource
from seawall.scenarios.price_times import disorder, read_times, repeated
from seawall.scenarios.text_table import MAX_BYTES, MAX_FAULTS, MAX_ROWS, Cells, Faults, previous, read_cells, refuse

__all__ = ["MAX_BYTES", "MAX_FACTOR", "MAX_FAULTS", "MAX_ROWS", "Bars", "Faults", "Ohlc", "Quotes", "ReplaySource", "read_prices", "refuse"]

MAX_FACTOR = 10.0  # between two successive prices of an asset (assumption): more is a split not adjusted for, or a slipped decimal
MAX_NAMES = 20  # of those present in a file, when one is not
RIGHT = "write a finite number > 0, or leave the cell empty"


@dataclass(frozen=True, slots=True)
class Quotes:
    """The prices of one asset.

    Attributes:
        label: the columns they come from, as faults name them.
        rows: `[rows]` which rows of the file speak of this asset.
        usd: `[rows]` USD; not finite and > 0 where there is no price.
        shown: the price in a row as it stands in the file.
    """

    label: str
    rows: Bools
    usd: Floats
    shown: Callable[[int], str]

    @property
    def good(self) -> Bools:
        """Which rows hold a price, `[rows]`."""
        return self.rows & np.isfinite(self.usd) & (self.usd > 0)


@dataclass(frozen=True, slots=True)
class Bars:
    """A checked file: its rows as text, their times `[rows]` in microseconds since 1970, prices by asset, duplicates left out."""

    text: Cells
    times: Ints
    quotes: tuple[Quotes, ...]
    dropped: Ints


def read_prices(source: ReplaySource) -> Bars:
    """The wanted prices, checked, and the times of their rows.

    Raises:
        PriceFileError: the file is missing, too large or not readable; an asset has no row; times are not what `time_unit` and
            `time_zone` say, or do not rise; prices are no numbers, not finite, not > 0 or jump by more than a factor of ten, bids are
            above asks, highs below lows; a session is named that no row has.
    """
    text, faults = read_cells(source.file, source.all_columns())
    if len(text.cells) < 2:
        refuse(source.file, [(0, f"has {len(text.cells)} whole rows; at least 2 are needed"), *faults])
    text, assets, absent = _wanted_rows(source, text)
    times, timed, time_faults = read_times(source, text)
    faults = faults + absent + time_faults
    dropped = np.zeros(0, np.int64)
    if source.duplicates != "refuse":
        twice = repeated(times, assets, timed, source.duplicates)
        text, times, assets, timed, dropped = text.only(~twice), times[~twice], assets[~twice], timed[~twice], text.numbers[twice]
    quotes = tuple(_quotes(source, text, asset) for asset in source.columns)
    order = (disorder(text, source.time_column, times, timed & quote.rows) for quote in _each_rows(quotes, source.layout))
    faults += [fault for found in order for fault in found]
    faults += [fault for asset, quote in zip(source.columns, quotes, strict=True) for fault in _quote_faults(source, text, asset, quote)]
    refuse(source.file, faults + _session_faults(source, text))
    return Bars(text, times, quotes, dropped)


def _each_rows(quotes: tuple[Quotes, ...], layout: str) -> tuple[Quotes, ...]:
    """Quotes whose rows must be in order: of each asset, or of one where all share their rows."""
    return quotes if layout == "long" else quotes[:1]


def _wanted_rows(source: ReplaySource, text: Cells) -> tuple[Cells, Ints, Faults]:
    """Rows that speak of a wanted asset, the number of that asset (0 for all of a wide file), and assets that no row has."""
    if source.asset_column is None:
        return text, np.zeros(len(text.cells), np.int64), []
    names, wanted = text.cells[source.asset_column], list(dict.fromkeys(source.columns.values()))
    faults = text.faults(~text.given(source.asset_column), source.asset_column, lambda row: "is empty; every row must name its asset")
    present = sorted(set(names) - {""})
    more = ", ..." if len(present) > MAX_NAMES else ""
    shown = ", ".join(map(repr, present[:MAX_NAMES])) + more
    faults += [(0, f"{source.asset_column}: no row of {name!r}; present are {shown}") for name in wanted if name not in present]
    kept = names.isin(wanted).to_numpy(dtype=np.bool_)
    codes = np.searchsorted(sorted(wanted), names[kept].to_numpy(dtype=np.str_))
    return text.only(kept), codes.astype(np.int64), faults


def _quotes(source: ReplaySource, text: Cells, asset: str) -> Quotes:
    columns, name = source.price_columns(asset), source.columns[asset]
    label, rows = ", ".join(columns), np.ones(len(text.cells), dtype=np.bool_)
    if source.asset_column is not None:
        label, rows = f"{label} of {name}", (text.cells[source.asset_column] == name).to_numpy(dtype=np.bool_)
    if source.price == "close":
        cells = text.cells[columns[0]]
        return Quotes(label, rows, text.values(columns[0]), lambda row: repr(cells[row]))
    bid, ask = (text.values(column) for column in columns)
    mid = np.where((bid > 0) & (ask > 0), (bid + ask) / 2.0, np.nan)
    return Quotes(label, rows, mid, lambda row: f"{mid[row]:.10g}")


def _quote_faults(source: ReplaySource, text: Cells, asset: str, quote: Quotes) -> Faults:
    """What is wrong with the prices of an asset, and with all columns that they are checked against."""
    columns, ohlc = source.price_columns(asset), source.ohlc_columns(asset)
    if not (quote.rows & text.given(columns[0]) & text.given(columns[-1])).any():
        return [] if source.layout == "long" and not quote.rows.any() else [(0, f"{quote.label}: holds no price")]
    faults = [fault for column in dict.fromkeys((*columns, *ohlc.values())) for fault in _not_prices(text, column, quote.rows)]
    pairs = [(ohlc[low], ohlc[high]) for low, high in _ORDERED if low in ohlc and high in ohlc]
    if source.price == "mid":
        pairs.append((columns[0], columns[1]))
    return faults + [fault for low, high in pairs for fault in _crossed(text, low, high, quote.rows)] + _jumps(text, quote)


_ORDERED = (("low", "high"), ("low", "open"), ("low", "close"), ("open", "high"), ("close", "high"))


def _not_prices(text: Cells, column: str, rows: Bools) -> Faults:
    cells, usd = text.cells[column], text.values(column)
    bad = rows & text.given(column) & ~(np.isfinite(usd) & (usd > 0))
    return text.faults(bad, column, lambda row: f"{cells[row]!r} is not a price; {RIGHT}")


def _crossed(text: Cells, low: str, high: str, rows: Bools) -> Faults:
    below = rows & (text.values(high) < text.values(low))
    said = f"of the same {text.unit}"
    return text.faults(below, high, lambda row: f"{text.cells[high][row]!r} is below {low} {text.cells[low][row]!r} {said}")


def _jumps(text: Cells, quote: Quotes) -> Faults:
    good, before = quote.good, previous(quote.good)
    safe = np.where(good, quote.usd, 1.0)
    with np.errstate(over="ignore"):
        jumps = np.maximum(safe / safe[before], safe[before] / safe) > MAX_FACTOR

    def jump(row: int) -> str:
        earlier = f"{quote.shown(before[row])} of {text.place(before[row])}"
        return f"{quote.shown(row)} follows {earlier}, more than a factor of {MAX_FACTOR:g}; adjust for the split, or empty the wrong cell"

    return text.faults(jumps, quote.label, jump)


def _session_faults(source: ReplaySource, text: Cells) -> Faults:
    if source.session_column is None:
        return []
    present = sorted(set(text.cells[source.session_column]))
    absent = [name for name in source.sessions if name not in present]
    return [(0, f"{source.session_column}: no row of {name!r}; present are {', '.join(map(repr, present))}") for name in absent]
