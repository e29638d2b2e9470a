"""Daily bars bridged to minutes: all four prices honoured, sessions kept, impossible bars refused."""

import math
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.protocols.errors import PriceFileError
from seawall.scenarios.daily_bars import arch_bars, bridge, parkinson
from seawall.scenarios.paths import Paths

WEEK = ["2008-11-25", "2008-11-26", "2008-11-28"]  # Tuesday; Wednesday; the half-day after Thanksgiving
MINUTES = [(0, 390), (1440, 1830), (4320, 4530)]  # first and last row of each session


def some_bars(*rows: list[float]) -> pd.DataFrame:
    table = list(rows) or [[100.0, 110.0, 95.0, 105.0], [104.0, 104.0, 90.0, 92.0], [99.0, 101.0, 98.0, 101.0]]
    return pd.DataFrame(table, index=pd.DatetimeIndex(WEEK[: len(table)]), columns=["open", "high", "low", "close"])


def a_bridge(bars: pd.DataFrame, *, seed: int = 1, step_seconds: int = 60) -> Paths:
    return bridge({"A": bars}, calendar="XNYS", step_seconds=step_seconds, rng=np.random.default_rng(seed))


def bar(low: float, spread: float, open_at: float, close_at: float) -> list[float]:
    high = low * (1 + spread)
    return [min(low + open_at * (high - low), high), high, low, min(low + close_at * (high - low), high)]


# Opens and closes at the bounds, and days that did not move at all, come often.
some_bar = st.builds(
    bar,
    st.floats(0.01, 1e4),
    st.just(0.0) | st.floats(0, 0.5),
    st.sampled_from([0, 1]) | st.floats(0, 1),
    st.sampled_from([0, 1]) | st.floats(0, 1),
)


@settings(deadline=None)
@given(rows=st.lists(some_bar, min_size=3, max_size=3), seed=st.integers(0, 2**32))
def test_each_session_has_exactly_its_open_high_low_and_close(rows: list[list[float]], seed: int) -> None:
    paths = a_bridge(some_bars(*rows), seed=seed)
    for (first, last), (open_, high, low, close) in zip(MINUTES, rows, strict=True):
        session = paths.market_price[first : last + 1, 0]
        assert (session[0], session.max(), session.min(), session[-1]) == (open_, high, low, close)


def test_the_market_is_closed_at_the_last_close_between_sessions() -> None:
    paths = a_bridge(some_bars())
    assert paths.start == datetime(2008, 11, 25, 14, 30, tzinfo=UTC)
    assert paths.steps == MINUTES[-1][1]
    expected = np.zeros(paths.steps + 1, dtype=np.bool_)
    for first, last in MINUTES:
        expected[first : last + 1] = True
    assert (paths.market_open[:, 0] == expected).all()
    assert (paths.market_price[391:1440] == 105.0).all()
    assert (paths.market_price[1831:4320] == 92.0).all()
    assert paths.market_price[4320, 0] == 99.0


def test_equal_seeds_give_equal_bytes_and_others_others() -> None:
    assert a_bridge(some_bars()).market_price.tobytes() == a_bridge(some_bars()).market_price.tobytes()
    assert a_bridge(some_bars()).market_price.tobytes() != a_bridge(some_bars(), seed=2).market_price.tobytes()


def test_a_day_without_movement_draws_as_much_as_any_other() -> None:
    moving, still = some_bars(), some_bars()
    still.iloc[0] = 100.0
    assert (a_bridge(moving).market_price[1440:] == a_bridge(still).market_price[1440:]).all()


def test_dates_may_be_plain_dates() -> None:
    dated = some_bars().set_axis(pd.Index([date.fromisoformat(day) for day in WEEK], dtype=object))
    assert a_bridge(dated).market_price.tobytes() == a_bridge(some_bars()).market_price.tobytes()


def test_a_market_that_never_closes_begins_each_day_at_its_open() -> None:
    bars = some_bars().set_axis(pd.date_range("2022-03-14", periods=3))
    paths = bridge({"A": bars}, calendar="24/7", step_seconds=60, rng=np.random.default_rng(1))
    assert paths.market_open.all()
    assert paths.market_price[[0, 1439, 1440, 2879, 2880, 4320], 0].tolist() == [100, 105, 104, 92, 99, 101]


def test_volatility_within_the_day_is_about_parkinsons() -> None:
    bars = arch_bars("sp500", date(2008, 9, 2), date(2009, 3, 31))
    paths = a_bridge(bars)
    log_steps, both_open = np.diff(np.log(paths.market_price[:, 0])), paths.market_open[1:, 0] & paths.market_open[:-1, 0]
    configured = sum(parkinson(high, low) ** 2 for high, low in zip(bars["high"], bars["low"], strict=True))
    assert (log_steps[both_open] ** 2).sum() == pytest.approx(configured, rel=0.12)


def test_parkinsons_volatility_of_a_range_worked_by_hand() -> None:
    assert parkinson(2.0, 1.0) == pytest.approx(math.sqrt(math.log(2)) / 2)
    assert parkinson(7.0, 7.0) == 0


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("low", 106.0, "bars of A: 2008-11-25: low 106 is above open 100 or close 105"),
        ("high", 104.0, "bars of A: 2008-11-25: high 104 is below open 100 or close 105"),
        ("low", 0.0, "bars of A: 2008-11-25: .*low 0.*every price must be finite and > 0"),
        ("close", math.nan, "bars of A: 2008-11-25: .*close nan: every price must be finite and > 0"),
    ],
)
def test_an_impossible_bar_is_refused(column: str, value: float, text: str) -> None:
    bars = some_bars()
    bars.loc[bars.index[0], column] = value
    with pytest.raises(PriceFileError, match=text):
        a_bridge(bars)


def test_bars_and_sessions_must_match_and_every_fault_is_told() -> None:
    bars = some_bars().set_axis(pd.DatetimeIndex(["2008-11-25", "2008-11-27", "2008-11-28"]))
    with pytest.raises(PriceFileError) as refused:
        a_bridge(bars)
    assert str(refused.value).splitlines() == [
        "bars of A: 2008-11-26: no bar, but XNYS had a session",
        "bars of A: 2008-11-27: a bar, but XNYS had no session",
    ]


def test_dates_twice_and_columns_missing_are_refused() -> None:
    twice = some_bars().set_axis(pd.DatetimeIndex(["2008-11-25", "2008-11-26", "2008-11-26"]))
    with pytest.raises(PriceFileError, match="2008-11-26: comes after 2008-11-26; dates must rise, each once"):
        a_bridge(twice)
    with pytest.raises(PriceFileError, match="bars of A: no column low; present are open, high, close"):
        a_bridge(some_bars().drop(columns="low"))


def test_a_grid_too_coarse_for_a_session_is_refused() -> None:
    with pytest.raises(ValueError, match=r"step_seconds\(=7200\) leaves 2 times in the session of 2008-11-28; 4 are needed"):
        a_bridge(some_bars(), step_seconds=7200)
    with pytest.raises(ValueError, match=r"step_seconds\(=0\) must be > 0"):
        a_bridge(some_bars(), step_seconds=0)


def test_a_coarse_grid_off_the_session_times_stays_inside_the_session() -> None:
    paths = a_bridge(some_bars(), step_seconds=3000)
    times = np.arange(paths.steps + 1) * 50
    inside = [any(first <= time <= last for first, last in MINUTES) for time in times]
    assert paths.market_open[:, 0].tolist() == inside


@pytest.mark.parametrize(("series", "rise"), [("sp500", 0.1158), ("nasdaq", 0.1181)])
def test_the_rally_of_13_october_2008_is_in_the_data(series: str, rise: float) -> None:
    close = arch_bars(series, date(2008, 10, 10), date(2008, 10, 13))["close"]  # type: ignore[arg-type]
    assert close.iloc[1] / close.iloc[0] - 1 == pytest.approx(rise, abs=5e-5)


@pytest.mark.parametrize(
    ("series", "first", "last", "text"),
    [
        ("dax", date(2008, 1, 1), date(2008, 2, 1), r"series\(='dax'\) must be one of sp500, nasdaq"),
        ("sp500", date(1998, 1, 1), date(2008, 2, 1), "within 1999-01-04 to 2018-12-31"),
        ("sp500", date(2008, 1, 1), date(2020, 2, 1), "within 1999-01-04 to 2018-12-31"),
        ("sp500", date(2008, 2, 1), date(2008, 1, 1), "must be in order"),
        ("nasdaq", date(2008, 11, 29), date(2008, 11, 30), "holds no trading day of nasdaq"),
    ],
)
def test_bars_the_data_does_not_have_are_refused(series: str, first: date, last: date, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        arch_bars(series, first, last)  # type: ignore[arg-type]
