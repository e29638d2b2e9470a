"""What a price file holds and how it is to be read: columns, times, bars, sessions, and what becomes of gaps and of duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

Gaps = Literal["closed", "refuse", "hold", "interpolate"]
Duplicates = Literal["refuse", "first", "last"]


@dataclass(frozen=True, slots=True)
class Ohlc:
    """Columns of opens, highs, lows and closes to check against each other; None for those the file lacks. `{}` is the asset's name."""

    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None

    def __post_init__(self) -> None:
        """Refuse (ValueError) names that leave nothing to compare."""
        if self.high is None and self.low is None:
            raise ValueError("ohlc names neither high nor low; with only opens and closes there is nothing to check")
        if [self.open, self.high, self.low, self.close].count(None) > 2:
            raise ValueError("ohlc names one column; at least two are needed to check one against another")

    def named(self, name: str) -> dict[str, str]:
        """Columns of an asset of that name, by what they are."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return {what: column.replace("{}", name) for what, column in columns.items() if column is not None}


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """Which columns of which file to replay, and how to read its bars.

    Attributes:
        file: a .csv (UTF-8, comma, one header line) or .parquet file, at most 256 MiB.
        columns: by asset, the name that it has in the file: of its column in a wide file (`{}` in the names below stands for it), in the
            asset column of a long one.
        bar_seconds: length of a bar, > 0.
        bar_stamp: whether the time of a row is the start of its bar or its end, when the close is known.
        max_gap_seconds: longest time between two prints through which the market stays open at the last price, >= bar_seconds.
        longer_gaps: beyond that, inside a session, the market counts as closed ("closed") or stays open at the last price ("hold"), the
            price goes evenly in its logarithm to the next print, which nobody could know then ("interpolate"), or the file is refused
            ("refuse").
        time_column: column of times, ISO-8601 with an offset or Z.
        session_column: column that says which session a row belongs to; None where the market never closes.
        sessions: its values that are trading time, such as ("regular",); rows of other sessions are not replayed.
        start: earliest time at which a close is known that is replayed; None for the file's first.
        end: latest such time; None for the file's last.
        layout: one column an asset ("wide"), or one row an asset and time ("long").
        asset_column: of a long file, the column that names the asset.
        price: whether the price is a column's own ("close") or midway between bid and ask ("mid").
        price_column: column of closes in USD; None for that of the asset's name, in a wide file.
        bid_column: column of bids in USD, with "mid".
        ask_column: column of asks in USD, not below the bids.
        ohlc: columns checked against each other; None for no check.
        time_zone: IANA name of the zone of times without an offset; None refuses them.
        time_unit: what times are: ISO-8601 text ("iso"), or seconds or milliseconds since 1970.
        duplicates: which of the rows with the same time (and asset) counts; "refuse" for none.
    """

    file: Path
    columns: Mapping[str, str]
    bar_seconds: int
    bar_stamp: Literal["start", "end"]
    max_gap_seconds: int
    longer_gaps: Gaps = "closed"
    time_column: str = "timestamp"
    session_column: str | None = None
    sessions: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    layout: Literal["wide", "long"] = "wide"
    asset_column: str | None = None
    price: Literal["close", "mid"] = "close"
    price_column: str | None = None
    bid_column: str | None = None
    ask_column: str | None = None
    ohlc: Ohlc | None = None
    time_zone: str | None = None
    time_unit: Literal["iso", "seconds", "milliseconds"] = "iso"
    duplicates: Duplicates = "refuse"

    def __post_init__(self) -> None:
        """Refuse (ValueError) settings that make no sense, whatever the file holds."""
        if not self.columns or self.bar_seconds <= 0 or self.max_gap_seconds < self.bar_seconds:
            raise ValueError(
                f"columns(={dict(self.columns)}) must name an asset, bar_seconds(={self.bar_seconds}) be > 0, "
                f"max_gap_seconds(={self.max_gap_seconds}) be >= bar_seconds"
            )
        if self.bar_stamp not in ("start", "end") or self.longer_gaps not in ("closed", "refuse", "hold", "interpolate"):
            said = f"longer_gaps(={self.longer_gaps!r}) closed or refuse, hold or interpolate"
            raise ValueError(f"bar_stamp(={self.bar_stamp!r}) must be start or end, {said}")
        if (self.session_column is None) != (not self.sessions):
            raise ValueError(f"session_column(={self.session_column!r}) and sessions(={self.sessions}) go together: give both or neither")
        if any(edge is not None and edge.utcoffset() is None for edge in (self.start, self.end)):
            raise ValueError(f"start(={self.start}) and end(={self.end}) must carry a time zone")
        self._check_columns()
        self._check_times()

    def _check_columns(self) -> None:
        if self.layout not in ("wide", "long") or self.price not in ("close", "mid"):
            raise ValueError(f"layout(={self.layout!r}) must be wide or long, price(={self.price!r}) close or mid")
        if (self.layout == "long") != (self.asset_column is not None):
            raise ValueError(f"asset_column(={self.asset_column!r}) is needed with layout: long, and with no other")
        sides = (self.bid_column, self.ask_column)
        if (None in sides) if self.price == "mid" else any(sides):
            raise ValueError(f"bid_column(={sides[0]!r}) and ask_column(={sides[1]!r}) are needed with price: mid, and with no other")
        if self.price == "mid" and self.price_column is not None:
            raise ValueError(f"price_column(={self.price_column!r}) is not read with price: mid; leave one of the two out")
        if self.layout == "long" and self.price == "close" and self.price_column is None:
            raise ValueError("price_column is missing: a long file has one column of closes for all assets")

    def _check_times(self) -> None:
        if self.time_unit not in ("iso", "seconds", "milliseconds") or self.duplicates not in ("refuse", "first", "last"):
            said = f"duplicates(={self.duplicates!r}) refuse, first or last"
            raise ValueError(f"time_unit(={self.time_unit!r}) must be iso, seconds or milliseconds, {said}")
        if self.time_zone is None:
            return
        if self.time_unit != "iso":
            raise ValueError(f"time_zone(={self.time_zone!r}) has no meaning for {self.time_unit} since 1970, which are UTC; leave it out")
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"time_zone(={self.time_zone!r}) is not known; write an IANA name such as America/New_York") from None

    def price_columns(self, asset: str) -> tuple[str, ...]:
        """Columns that make the price of an asset: one of closes, or bid and ask."""
        templates = (self.bid_column, self.ask_column) if self.price == "mid" else (self.price_column or "{}",)
        return tuple((column or "").replace("{}", self.columns[asset]) for column in templates)

    def ohlc_columns(self, asset: str) -> dict[str, str]:
        """Columns of an asset to check, by what they are; the closes are those replayed unless others are named."""
        if self.ohlc is None:
            return {}
        named = self.ohlc.named(self.columns[asset])
        return named if self.price == "mid" or "close" in named else {**named, "close": self.price_columns(asset)[0]}

    def all_columns(self) -> list[str]:
        """Every column to read, some perhaps twice."""
        apart = [self.time_column, self.session_column, self.asset_column]
        of_assets = [column for asset in self.columns for column in (*self.price_columns(asset), *self.ohlc_columns(asset).values())]
        return [column for column in apart if column is not None] + of_assets
