"""Daily open, high, low and close turned into a path of minutes that honours all four, inside the exchange's hours.

Within a session the log price is a Brownian bridge from anchor to anchor: the open at the first grid time, the high and the low at two
drawn at random, the close at the last. Its volatility is the one that Parkinson's estimator reads from the day's range. Where the bridge
would leave the range it is reflected at the bound. Between sessions the price rests at the last close, so an overnight gap lands at the
next open.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seawall.protocols.errors import PriceFileError
from seawall.scenarios.paths import Paths
from seawall.scenarios.sessions import Session, open_minutes

COLUMNS = ["open", "high", "low", "close"]
MAX_FAULTS = 10
MIN_ROWS = 4  # one for each anchor


def arch_bars(series: Literal["sp500", "nasdaq"], first: date, last: date) -> pd.DataFrame:
    """Daily bars of the S&P 500 or the NASDAQ Composite, 1999 to 2018, as the `arch` package carries them.

    The opens of the S&P 500 equal the close before on nearly all days until 2005, and on many in 2006, 2007 and 2011 to 2013: such days
    reopen without a gap. From September 2008 to March 2009 that is so on one day only, yet the S&P's gaps stay small (median 0.2%, against
    1.1% for the NASDAQ), as its open is computed before all its stocks have opened: much of a gap lies in its first minutes.

    Args:
        series: which index.
        first: first date.
        last: last date, >= first.

    Returns:
        Columns open, high, low, close (index points, unadjusted); a row per trading day, indexed by date.

    Raises:
        ValueError: the series is unknown, or the dates lie outside the data or hold no trading day.

    Source: arch.data.sp500 and arch.data.nasdaq (Yahoo Finance).
    """
    # Here, not above: the import takes a second that only a replay of these indices need wait for.
    from arch.data import nasdaq, sp500

    loaders = {"sp500": sp500.load, "nasdaq": nasdaq.load}
    if series not in loaders:
        raise ValueError(f"series(={series!r}) must be one of {', '.join(loaders)}")
    bars: pd.DataFrame = loaders[series]().rename(columns=str.lower)[COLUMNS]
    begins, ends = bars.index[0].date(), bars.index[-1].date()
    if not begins <= first <= last <= ends:
        raise ValueError(f"first(={first}) to last(={last}) must be in order and within {begins} to {ends}, the dates of {series}")
    chosen = bars.loc[pd.Timestamp(first) : pd.Timestamp(last)]
    if chosen.empty:
        raise ValueError(f"first(={first}) to last(={last}) holds no trading day of {series}")
    return chosen


def bridge(bars: Mapping[str, pd.DataFrame], *, calendar: str, step_seconds: int, rng: np.random.Generator) -> Paths:
    """A path through daily bars, on all the calendar time from the first session's open to the last session's close.

    In every session the first price is the open, the last the close, the largest the high and the least the low, exactly, whatever is
    drawn. The close is still observed (the market counts as open at that instant); nights, weekends and holidays are closed at the last
    close. Opens and closes off the grid move inside the session, to the nearest grid time.

    Assumptions: the high and the low fall at distinct grid times drawn uniformly, in either order; volatility is even over the session;
    two assets move independently within the day (their daily bars carry what correlation there is).

    Args:
        bars: by asset, columns open, high, low, close in USD, indexed by date; every asset has a row for every session, and no other.
        calendar: name of the exchange calendar, such as "XNYS".
        step_seconds: grid, > 0; a session must hold at least four grid times.
        rng: source of all randomness, drawn day by day and, within a day, asset by asset in the order of `bars`.

    Raises:
        PriceFileError: a bar is impossible, missing or on a day without a session; every fault up to ten, with asset and date.
        ValueError: no assets, an unknown calendar, or a session too short for the grid.

    Source: volatility from Parkinson, "The Extreme Value Method for Estimating the Variance of the Rate of Return", Journal of Business
    53 (1980).
    """
    if step_seconds <= 0 or not bars or any(table.empty for table in bars.values()):
        raise ValueError(f"step_seconds(={step_seconds}) must be > 0, bars of {list(bars)} at least one asset, none of them empty")
    days = list(itertools.chain.from_iterable(_days(table) for table in bars.values()))
    sessions = open_minutes(calendar, min(days), max(days))
    _refuse(itertools.chain.from_iterable(_faults(asset, table, sessions, calendar) for asset, table in bars.items()))
    ohlc = np.stack([table[COLUMNS].to_numpy(dtype=np.float64) for table in bars.values()], axis=1)
    firsts, lasts = _rows(sessions, step_seconds)
    prices = np.empty((lasts[-1] + 1, len(bars)), dtype=np.float64)
    is_open = np.zeros(prices.shape, dtype=np.bool_)
    for day, (begin, end) in enumerate(zip(firsts, lasts, strict=True)):
        is_open[begin : end + 1] = True
        for column, bar in enumerate(ohlc[day]):
            prices[begin : end + 1, column] = _session(bar, end - begin, rng)
            prices[end + 1 : firsts[day + 1] if day + 1 < len(firsts) else None, column] = bar[3]
    return Paths(sessions[0].opens, step_seconds, tuple(bars), prices, is_open)


def _days(table: pd.DataFrame) -> list[date]:
    return [stamp.date() for stamp in pd.DatetimeIndex(table.index)]


def _rows(sessions: Sequence[Session], step_seconds: int) -> tuple[list[int], list[int]]:
    """First and last grid row of every session."""
    start = sessions[0].opens
    firsts = [math.ceil((session.opens - start).total_seconds() / step_seconds) for session in sessions]
    lasts = [math.floor((session.closes - start).total_seconds() / step_seconds) for session in sessions]
    # Where one session ends as the next begins (24/7), the instant belongs to the one that begins.
    lasts[:-1] = [min(last, following - 1) for last, following in zip(lasts[:-1], firsts[1:], strict=True)]
    for session, begin, end in zip(sessions, firsts, lasts, strict=True):
        rows = end - begin + 1
        if rows < MIN_ROWS:
            raise ValueError(f"step_seconds(={step_seconds}) leaves {rows} times in the session of {session.day}; {MIN_ROWS} are needed")
    return firsts, lasts


def _session(bar: NDArray[np.float64], steps: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Prices `[steps + 1]` of one asset over one session, USD; `bar` is open, high, low, close."""
    open_, high, low, close = bar.tolist()
    at_high, at_low = rng.choice(np.arange(1, steps), size=2, replace=False).tolist()
    noise = np.concatenate([[0.0], np.cumsum(rng.standard_normal(steps))])
    anchors = {0: open_, at_high: high, at_low: low, steps: close}
    rows = sorted(anchors)
    usd = np.array([anchors[row] for row in rows])
    wander = noise * parkinson(high, low) / math.sqrt(steps)
    log_price = wander + np.interp(np.arange(steps + 1), rows, np.log(usd) - wander[rows])
    prices = np.clip(np.exp(_reflect(log_price, math.log(low), math.log(high))), low, high)
    prices[rows] = usd
    return prices


def parkinson(high: float, low: float) -> float:
    """Volatility of one day's log price from its range: ln(high / low) / (2 sqrt(ln 2)).

    Args:
        high: USD.
        low: USD, > 0, <= high.

    Source: Parkinson (1980), equation for the variance of a driftless Brownian motion from its range.
    """
    return math.log(high / low) / (2 * math.sqrt(math.log(2)))


def _reflect(values: NDArray[np.float64], lowest: float, highest: float) -> NDArray[np.float64]:
    """Fold values back at both bounds until they are inside, however often that takes."""
    width = highest - lowest
    if width == 0:
        return np.full_like(values, lowest)
    return highest - np.abs(np.mod(values - lowest, 2 * width) - width)


def _faults(asset: str, table: pd.DataFrame, sessions: Sequence[Session], calendar: str) -> Iterator[str]:
    """What is wrong with the bars of one asset, a line each."""
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        yield f"bars of {asset}: no column {', '.join(missing)}; present are {', '.join(map(str, table.columns))}"
        return
    days, expected = _days(table), [session.day for session in sessions]
    for day in sorted(set(expected) - set(days)):
        yield f"bars of {asset}: {day}: no bar, but {calendar} had a session"
    for day in sorted(set(days) - set(expected)):
        yield f"bars of {asset}: {day}: a bar, but {calendar} had no session"
    for earlier, later in itertools.pairwise(days):
        if later <= earlier:
            yield f"bars of {asset}: {later}: comes after {earlier}; dates must rise, each once"
    for day, bar in zip(days, table[COLUMNS].to_numpy(dtype=np.float64).tolist(), strict=True):
        yield from (f"bars of {asset}: {day}: {text}" for text in _bar_faults(*bar))


def _bar_faults(open_: float, high: float, low: float, close: float) -> Iterator[str]:
    if not all(math.isfinite(price) and price > 0 for price in (open_, high, low, close)):
        yield f"open {open_:g}, high {high:g}, low {low:g}, close {close:g}: every price must be finite and > 0"
        return
    if low > min(open_, close):
        yield f"low {low:g} is above open {open_:g} or close {close:g}; it must be the day's least price"
    if high < max(open_, close):
        yield f"high {high:g} is below open {open_:g} or close {close:g}; it must be the day's largest price"


def _refuse(faults: Iterator[str]) -> None:
    found = list(itertools.islice(faults, MAX_FAULTS))
    if found:
        raise PriceFileError("\n".join(found))
