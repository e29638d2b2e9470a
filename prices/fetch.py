"""Fetching of price histories: bars of an exchange or of Yahoo Finance, page by page, into a CSV file that can be replayed.

Bars are stamped at their start, in UTC. Sources are `ccxt:EXCHANGE` and `yfinance` (both of the optional extra `fetch`), and
`klines:URL` for an exchange that speaks as Binance does, which needs nothing more; `klines` alone is Binance.
"""

from __future__ import annotations

import importlib
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seawall.prices.klines import BINANCE, Klines
from seawall.prices.market_data import Busy, Exchange, FetchError

COLUMNS = ("open", "high", "low", "close", "volume")
PAGE = 1_000
MAX_BARS = 10_000_000  # as many as can be replayed
SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
WEEK_SECONDS = 7 * 86_400  # the most of a minute's bars that Yahoo gives at once


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask, and how long to wait.

    Attributes:
        tries: times that one page is asked for before giving up, >= 1.
        first_wait_s: seconds before the second time, doubled from then on, > 0.
        longest_wait_s: most seconds of one wait; a source that asks for more is not waited for.
        pause_s: seconds between two pages, >= 0.
        sleep: waits so many seconds.
        now: seconds since 1970.
    """

    tries: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 120.0
    pause_s: float = 0.1
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that a history lacks: the starts of the two around them, and how many."""

    after: datetime
    before: datetime
    bars: int


def bar_seconds(bar: str) -> int:
    """Length of a bar such as "1m", "4h" or "1d" in seconds. Raises ValueError for anything else."""
    if not re.fullmatch(r"[1-9]\d{0,2}[mhd]", bar):
        raise ValueError(f"bar(={bar!r}) must be a whole number and m, h or d, such as 1m")
    return int(bar[:-1]) * SECONDS[bar[-1]]


def fetch(source: str, symbol: str, start: datetime, end: datetime, bar: str, *, patience: Patience | None = None) -> pd.DataFrame:
    """Bars of a market that start in [start, end) and are over, the oldest first, each once.

    Args:
        source: "ccxt:EXCHANGE", "yfinance", "klines" or "klines:URL".
        symbol: market, as the source names it: BTC/USDT of ccxt, BTCUSDT of Binance, BTC-USD of Yahoo.
        start: with a time zone.
        end: with a time zone, after start.
        bar: length of a bar, such as "1m", "1h", "1d".
        patience: how often to ask, and how long to wait; the usual if left out.

    Returns:
        A frame of open, high, low, close and volume by `timestamp`, the start of the bar in UTC. May have gaps: see `gaps`.

    Raises:
        ValueError: an argument is out of its range.
        FetchError: the source is unknown or not installed, refuses, stays busy, or has no bar or an impossible one.
    """
    seconds = bar_seconds(bar)
    if start.utcoffset() is None or end.utcoffset() is None or not start < end:
        raise ValueError(f"start(={start}) and end(={end}) must carry a time zone, and start come first")
    if (end - start).total_seconds() / seconds > MAX_BARS:
        raise ValueError(f"start(={start}) to end(={end}) are more than {MAX_BARS} bars of {bar}")
    exchange, page = open_source(source, seconds)
    return pages(exchange, symbol, start, end, bar, page=page, patience=patience or Patience())


def open_source(source: str, seconds: int) -> tuple[Exchange, int]:
    """The exchange of a source, and how many bars of that many seconds it gives at once.

    Raises:
        FetchError: the source is unknown, or the library that it needs is not installed.
        ValueError: a URL is none of the web.
    """
    kind, _, name = source.partition(":")
    if kind == "klines":
        return Klines(name or BINANCE), PAGE
    if kind == "ccxt" and name:
        return _Ccxt(name), PAGE
    if source == "yfinance":
        return _Yahoo(), max(WEEK_SECONDS // seconds, 1) if seconds < SECONDS["d"] else PAGE
    raise FetchError(f"source(={source!r}) is unknown; known are ccxt:EXCHANGE, yfinance, klines and klines:URL")


def pages(exchange: Exchange, symbol: str, start: datetime, end: datetime, bar: str, *, page: int, patience: Patience) -> pd.DataFrame:
    """Ask an exchange for page after page of `page` bars each (see `fetch`)."""
    step = bar_seconds(bar) * 1_000
    since, until = math.ceil(start.timestamp() * 1_000), math.ceil(end.timestamp() * 1_000)
    until = min(until, int(patience.now() * 1_000) - step + 1)  # a bar that is not over would change after it was written
    bars: dict[int, Sequence[float]] = {}
    while since < until:
        rows = [_checked(row, symbol) for row in _ask(exchange, symbol, bar, since=since, page=page, patience=patience)]
        for row in rows:
            if since <= row[0] < until:
                bars.setdefault(int(row[0]), row)
        # An empty page may be a halt of the market, so its time is stepped over; a page of old bars must not hold us up either.
        since = max([int(row[0]) + step for row in rows if row[0] >= since], default=since + page * step)
        patience.sleep(patience.pause_s)
    if not bars:
        raise FetchError(f"{symbol}: no bar of {bar} from {start.isoformat()} to {end.isoformat()}")
    times = sorted(bars)
    index = pd.DatetimeIndex(pd.to_datetime(times, unit="ms", utc=True), name="timestamp")
    return pd.DataFrame([bars[at][1:] for at in times], index=index, columns=list(COLUMNS), dtype=np.float64)


def _ask(exchange: Exchange, symbol: str, bar: str, *, since: int, page: int, patience: Patience) -> Sequence[Sequence[float]]:
    """One page, asked for again while the source is busy."""
    wait = patience.first_wait_s
    for tried in range(1, patience.tries + 1):
        try:
            return exchange.fetch_ohlcv(symbol, bar, since, page)
        except Busy as busy:
            asked = wait if busy.retry_after_s is None else busy.retry_after_s
            if tried == patience.tries:
                raise FetchError(f"{busy}; given up after {tried} tries") from None
            if asked > patience.longest_wait_s:
                raise FetchError(f"{busy}; it asks to wait {asked:g} s, more than {patience.longest_wait_s:g}") from None
            patience.sleep(asked)
            wait = min(2.0 * wait, patience.longest_wait_s)
    raise ValueError(f"tries(={patience.tries}) must be >= 1")


def _checked(row: Sequence[float], symbol: str) -> Sequence[float]:
    """A bar as it came, if a market could have made it."""
    good = len(row) == len(COLUMNS) + 1 and all(isinstance(value, int | float) and math.isfinite(value) for value in row)
    if good:
        opened, high, low, close = row[1:5]
        good = 0.0 < low <= min(opened, close) and max(opened, close) <= high
    if not good:
        raise FetchError(f"{symbol}: {list(row)!r:.160} is not a bar: start, open, high, low, close, volume, with prices > 0")
    return row


def gaps(frame: pd.DataFrame, bar: str) -> list[Gap]:
    """Where a history lacks bars, the longest first. Nights and weekends of a stock are among them."""
    index = pd.DatetimeIndex(frame.index)
    starts, seconds = index.to_pydatetime(), np.diff(index.as_unit("ms").asi8) / 1_000
    missing = np.rint(seconds / bar_seconds(bar)).astype(np.int64) - 1
    found = np.flatnonzero(missing > 0)
    found = found[np.argsort(-missing[found], kind="stable")]
    return [Gap(starts[i], starts[i + 1], int(missing[i])) for i in found.tolist()]


def write_csv(frame: pd.DataFrame, file: Path) -> None:
    """Write a history as it can be replayed, whole or not at all, and never over another file.

    Raises:
        FetchError: the file exists.
        OSError: the folder is missing, or cannot be written to.
    """
    if file.exists():
        raise FetchError(f"{file}: exists; it is not overwritten")
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with partial.open("x", encoding="utf-8", newline="") as out:
            frame.to_csv(out, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\n")
            out.flush()
            os.fsync(out.fileno())
        _appear(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def _appear(partial: Path, file: Path) -> None:
    """Give a whole file its name. Unlike a renaming, a link fails if that file has come to be meanwhile."""
    try:
        os.link(partial, file)
    except FileExistsError:
        raise FetchError(f"{file}: exists; it is not overwritten") from None


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise FetchError(f"{name} is not installed; run: pip install seawall[fetch]") from None


class _Ccxt:
    """An exchange that the library ccxt knows; it keeps to the exchange's rate limit by itself."""

    def __init__(self, name: str) -> None:
        self._ccxt = _library("ccxt")
        if name not in self._ccxt.exchanges:
            raise FetchError(f"ccxt knows no exchange {name!r}; see ccxt.exchanges")
        self._exchange = getattr(self._ccxt, name)({"enableRateLimit": True})

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> Sequence[Sequence[float]]:
        try:
            return self._exchange.fetch_ohlcv(symbol, timeframe, since, limit)
        except self._ccxt.NetworkError as error:
            raise Busy(f"ccxt: {error}") from None
        except self._ccxt.BaseError as error:
            raise FetchError(f"ccxt: {error}") from None


class _Yahoo:
    """Yahoo Finance by the library yfinance: prices adjusted for splits, not for dividends; bars of nights and weekends do not exist."""

    def __init__(self) -> None:
        self._yfinance = _library("yfinance")

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> Sequence[Sequence[float]]:
        start = pd.Timestamp(since, unit="ms", tz="UTC")
        end = start + pd.Timedelta(seconds=limit * bar_seconds(timeframe))
        try:
            frame = self._yfinance.Ticker(symbol).history(start=start, end=end, interval=timeframe, auto_adjust=False, actions=False)
        except Exception as error:  # its errors have no common root, and change from version to version
            raise Busy(f"yfinance: {error}") from None
        if not len(frame):
            return []
        starts = pd.DatetimeIndex(frame.index).tz_convert("UTC").as_unit("ms").asi8.tolist()
        values = frame[["Open", "High", "Low", "Close", "Volume"]].astype(float).to_numpy().tolist()
        return [[at, *row] for at, row in zip(starts, values, strict=True)]
