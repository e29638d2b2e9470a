"""Price files of other layouts: rows of several assets, bid and ask, OHLC checks, local and epoch times, duplicates, and gaps filled."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.protocols.errors import PriceFileError, ScenarioError
from seawall.scenarios.history import Findings, examine, read_replay
from seawall.scenarios.load import load
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_file import Ohlc, ReplaySource
from seawall.scenarios.price_schema import ReplayPrices

NOON = datetime(2022, 3, 14, 12, tzinfo=UTC)
LONG = {"layout": "long", "asset_column": "asset", "price_column": "price"}
MID = {"price": "mid", "bid_column": "bid", "ask_column": "ask"}


def at(minute: float) -> str:
    return f"{NOON + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"


def a_source(folder: Path, header: str, *lines: str, **changes: Any) -> ReplaySource:
    file = folder / "prices.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    plain = ReplaySource(file, {"A": "A"}, bar_seconds=60, bar_stamp="end", max_gap_seconds=60)
    return replace(plain, **changes)


def replay(source: ReplaySource, step_seconds: int = 60) -> Paths:
    return read_replay(source, step_seconds=step_seconds)


def refusal(source: ReplaySource) -> list[str]:
    with pytest.raises(PriceFileError) as refused:
        replay(source)
    return str(refused.value).replace(str(source.file), "FILE").splitlines()


def prices(paths: Paths) -> list[list[float]]:
    return paths.market_price.T.tolist()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3)])
def test_a_long_file_tells_the_same_whether_assets_are_stacked_or_interleaved(tmp_path: Path, order: tuple[int, ...]) -> None:
    rows = [f"{at(0)},X,10", f"{at(1)},X,11", f"{at(0)},Y,7", f"{at(1)},Y,8"]
    source = a_source(tmp_path, "timestamp,asset,price", *(rows[i] for i in order), columns={"B": "Y", "A": "X"}, **LONG)
    assert prices(replay(source)) == [[7, 8], [10, 11]]


def test_one_name_in_a_long_file_may_serve_two_assets(tmp_path: Path) -> None:
    source = a_source(tmp_path, "timestamp,asset,price", f"{at(0)},X,10", f"{at(1)},X,11", columns={"A": "X", "B": "X"}, **LONG)
    assert prices(replay(source)) == [[10, 11], [10, 11]]


def test_rows_of_assets_that_nobody_asked_for_are_not_even_checked(tmp_path: Path) -> None:
    source = a_source(tmp_path, "timestamp,asset,price", f"{at(0)},A,10", "never,Z,none", f"{at(1)},A,11", **LONG)
    assert prices(replay(source)) == [[10, 11]]


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        ([f"{at(2)},B,1", f"{at(3)},B,1"], ["FILE: asset: no row of 'A'; present are 'B'"]),
        ([f"{at(0)},A,1", f"{at(1)},,1", f"{at(1)},A,1"], ["FILE:3: asset: is empty; every row must name its asset"]),
        (
            [f"{at(0)},A,1", f"{at(0)},B,1", f"{at(0)},A,1"],
            [f"FILE:4: timestamp: '{at(0)}' repeats '{at(0)}' of line 2; times must rise, each once"],
        ),
        (
            [f"{at(0)},A,1", f"{at(1)},B,1", f"{at(2)},A,11"],
            ["FILE:4: price of A: '11' follows '1' of line 2, more than a factor of 10; adjust for the split, or empty the wrong cell"],
        ),
        ([f"{at(0)},A,", f"{at(1)},A,"], ["FILE: price of A: holds no price"]),
    ],
)
def test_a_long_file_is_refused_by_asset(tmp_path: Path, lines: list[str], faults: list[str]) -> None:
    assert refusal(a_source(tmp_path, "timestamp,asset,price", *lines, **LONG)) == faults


def test_times_of_every_asset_must_rise(tmp_path: Path) -> None:
    lines = [f"{at(0)},A,1", f"{at(1)},A,1", f"{at(1)},B,1", f"{at(0)},B,1"]
    source = a_source(tmp_path, "timestamp,asset,price", *lines, columns={"A": "A", "B": "B"}, **LONG)
    assert refusal(source) == [f"FILE:5: timestamp: '{at(0)}' is earlier than '{at(1)}' of line 4; times must rise, each once"]


def test_sessions_of_a_long_file_are_of_each_asset(tmp_path: Path) -> None:
    lines = [f"{at(0)},A,1,on", f"{at(0)},B,1,off", f"{at(1)},A,1,on", f"{at(1)},B,1,on", f"{at(2)},A,1,on", f"{at(2)},B,1,on"]
    given = {"columns": {"A": "A", "B": "B"}, "session_column": "session", "sessions": ("on",)}
    paths = replay(a_source(tmp_path, "timestamp,asset,price,session", *lines, **LONG, **given), 30)
    assert paths.market_open.T.tolist() == [[True] * 5, [False, False, True, True, True]]


def test_the_price_may_be_midway_between_bid_and_ask(tmp_path: Path) -> None:
    source = a_source(tmp_path, "timestamp,bid,ask", f"{at(0)},9,11", f"{at(1)},,12", f"{at(2)},10,12", max_gap_seconds=120, **MID)
    assert prices(replay(source)) == [[10, 10, 11]]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("11,9", "FILE:3: ask: '9' is below bid '11' of the same line"),
        ("0,11", "FILE:3: bid: '0' is not a price; write a finite number > 0, or leave the cell empty"),
        (
            "900,1100",
            "FILE:3: bid, ask: 1000 follows 10 of line 2, more than a factor of 10; adjust for the split, or empty the wrong cell",
        ),
    ],
)
def test_bids_and_asks_that_no_market_had_are_refused(tmp_path: Path, line: str, fault: str) -> None:
    assert refusal(a_source(tmp_path, "timestamp,bid,ask", f"{at(0)},9,11", f"{at(1)},{line}", **MID)) == [fault]


@pytest.mark.parametrize(
    ("bar", "faults"),
    [
        ("10,12,9,11", []),
        ("10,10,10,10", []),
        ("10,12,9,", []),
        ("10,10.5,9,11", ["FILE:2: A_h: '10.5' is below A '11' of the same line"]),
        ("13,12,9,11", ["FILE:2: A_h: '12' is below A_o '13' of the same line"]),
        ("8,12,9,11", ["FILE:2: A_o: '8' is below A_l '9' of the same line"]),
        (
            "10,12,11.5,11",
            ["FILE:2: A: '11' is below A_l '11.5' of the same line", "FILE:2: A_o: '10' is below A_l '11.5' of the same line"],
        ),
        ("10,x,9,11", ["FILE:2: A_h: 'x' is not a price; write a finite number > 0, or leave the cell empty"]),
    ],
)
def test_highs_and_lows_are_checked_against_opens_and_closes(tmp_path: Path, bar: str, faults: list[str]) -> None:
    source = a_source(tmp_path, "timestamp,A_o,A_h,A_l,A", f"{at(0)},{bar}", f"{at(1)},10,10,10,10", f"{at(2)},10,10,10,10")
    checked = replace(source, ohlc=Ohlc(open="{}_o", high="{}_h", low="{}_l"))
    if faults:
        assert refusal(checked) == faults
    else:
        assert prices(replay(checked))[0][-1] == 10
    if "x" not in bar:
        assert prices(replay(source))[0][-1] == 10  # and nobody looks where nothing is named


def test_local_times_are_read_in_their_zone_and_offsets_still_count(tmp_path: Path) -> None:
    lines = ["2022-03-14T09:30:00,10", "2022-03-14T13:31:00Z,11", "2022-03-14 09:32:00,12"]
    paths = replay(a_source(tmp_path, "timestamp,A", *lines, time_zone="America/New_York"))
    assert paths.start == datetime(2022, 3, 14, 13, 30, tzinfo=UTC)
    assert prices(paths) == [[10, 11, 12]]


@pytest.mark.parametrize(
    ("clock", "said"),
    [("2022-03-13T02:30:00", "never came"), ("2022-11-06T01:30:00", "came twice")],
)
def test_local_times_that_clock_changes_make_unclear_are_named(tmp_path: Path, clock: str, said: str) -> None:
    source = a_source(tmp_path, "timestamp,A", "2022-03-01T00:00:00,1", f"{clock},1", "2022-12-01,1", time_zone="America/New_York")
    right = "write 2022-03-14T08:00:00Z, or an offset such as +01:00"
    assert refusal(source) == [f"FILE:3: timestamp: '{clock}' {said} in America/New_York, where clocks were changed; {right}"]


@settings(deadline=None, max_examples=30)
@given(zone=st.sampled_from(["Europe/Zurich", "America/New_York", "Asia/Tokyo"]), hours=st.integers(0, 24 * 900))
def test_local_times_are_those_that_pandas_finds(tmp_path_factory: pytest.TempPathFactory, zone: str, hours: int) -> None:
    instant = pd.Timestamp("2021-01-01", tz="UTC") + pd.Timedelta(hours=hours)
    clocks = [f"{(instant + pd.Timedelta(days=day)).tz_convert(zone).tz_localize(None)}" for day in (0, 1)]
    source = a_source(tmp_path_factory.mktemp("zone"), "timestamp,A", *(f"{clock},1" for clock in clocks), time_zone=zone)
    try:
        assert replay(source, 3600).start == instant
    except PriceFileError as error:
        assert "came twice" in str(error)


@pytest.mark.parametrize(
    ("unit", "scale"),
    [("seconds", 1), ("milliseconds", 1_000)],
)
def test_times_may_be_counted_since_1970(tmp_path: Path, unit: Any, scale: int) -> None:
    moments = [int(NOON.timestamp() + 60 * k) * scale for k in range(3)]
    paths = replay(a_source(tmp_path, "timestamp,A", *(f"{moment},{k + 1}" for k, moment in enumerate(moments)), time_unit=unit))
    assert paths.start == NOON
    assert prices(paths) == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("unit", "written", "hint"),
    [
        ("seconds", "1647259200000", "; time_unit: milliseconds would make it one"),
        ("milliseconds", "1647259200", "; time_unit: seconds would make it one"),
        ("seconds", "2022-03-14T12:00:00Z", ""),
        ("seconds", "inf", ""),
        ("milliseconds", "", ""),
    ],
)
def test_times_of_another_unit_are_refused_with_a_hint(tmp_path: Path, unit: Any, written: str, hint: str) -> None:
    good = "1647259100" if unit == "seconds" else "1647259100000"
    fault = f"FILE:3: timestamp: {written!r} is not a number of {unit} since 1970 in the years 1990 to 2199{hint}"
    assert refusal(a_source(tmp_path, "timestamp,A", f"{good},1", f"{written},1", time_unit=unit)) == [fault]


def test_whole_numbers_of_parquet_are_times_too(tmp_path: Path) -> None:
    file = tmp_path / "prices.parquet"
    pd.DataFrame({"timestamp": [1_647_259_200, 1_647_259_260], "A": [1.0, 2.0]}).to_parquet(file)
    source = ReplaySource(file, {"A": "A"}, bar_seconds=60, bar_stamp="end", max_gap_seconds=60, time_unit="seconds")
    assert replay(source).start == NOON


@pytest.mark.parametrize(("rule", "expected"), [("first", [10, 11, 12]), ("last", [10, 21, 12])])
def test_of_duplicates_the_one_asked_for_counts(tmp_path: Path, rule: Any, expected: list[float]) -> None:
    lines = [f"{at(0)},10", f"{at(1)},11", f"{at(1)},21", f"{at(2)},12"]
    source = a_source(tmp_path, "timestamp,A", *lines, duplicates=rule)
    assert prices(replay(source)) == [expected]
    assert examine(source)[1] == 1


def test_a_block_that_comes_again_at_the_end_is_dropped_by_first_and_refused_by_last(tmp_path: Path) -> None:
    lines = [f"{at(minute)},{10 + minute}" for minute in (0, 1, 2, 0, 1)]
    source = a_source(tmp_path, "timestamp,A", *lines, duplicates="first")
    assert prices(replay(source)) == [[10, 11, 12]]
    assert "is earlier than" in refusal(replace(source, duplicates="last"))[0]


def test_many_duplicates_are_counted(tmp_path: Path) -> None:
    faults = refusal(a_source(tmp_path, "timestamp,A", *[f"{at(0)},10"] * 31))
    assert faults[0] == "FILE: timestamp: 30 rows repeat the time before; duplicates: first, or last, would choose one of each"
    assert faults[1].startswith("FILE:3: ")


@pytest.mark.parametrize(
    ("rule", "expected", "is_open"),
    [
        ("closed", [16, 16, 16, 16, 16, 81, 81], [True, True, False, False, False, True, True]),
        ("hold", [16, 16, 16, 16, 16, 81, 81], [True] * 7),
        ("interpolate", [16, 16, 24, 36, 54, 81, 81], [True] * 7),
    ],
)
def test_longer_gaps_follow_the_rule(tmp_path: Path, rule: Any, expected: list[float], is_open: list[bool]) -> None:
    lines = [f"{at(0)},16", f"{at(1)},16", f"{at(5)},81", f"{at(6)},81"]
    paths = replay(a_source(tmp_path, "timestamp,A", *lines, longer_gaps=rule))
    assert prices(paths)[0] == pytest.approx(expected, rel=1e-12)
    assert paths.market_open[:, 0].tolist() == is_open


def test_many_gaps_are_counted_where_they_are_refused(tmp_path: Path) -> None:
    faults = refusal(a_source(tmp_path, "timestamp,A", *(f"{at(2 * k)},10" for k in range(21)), longer_gaps="refuse"))
    assert faults[:2] == [
        "FILE: A: 20 gaps of more than 60 s",
        "FILE:3: A: no price for 120 s, since line 2; at most 60 s are bridged (max_gap_seconds)",
    ]


@pytest.mark.parametrize("rule", ["hold", "interpolate"])
def test_no_rule_fills_a_night_or_another_session(tmp_path: Path, rule: Any) -> None:
    minutes = [(0, "on"), (1, "on"), (5, "off"), (9, "on"), (9 + 1440, "on")]
    lines = [f"{at(minute)},{name},10" for minute, name in minutes]
    given = {"session_column": "session", "sessions": ("on",), "longer_gaps": rule}
    paths = replay(a_source(tmp_path, "timestamp,session,A", *lines, **given))
    assert np.flatnonzero(paths.market_open[:, 0]).tolist() == [0, 1, 9, 1449]


def test_what_a_file_holds_is_told(tmp_path: Path) -> None:
    lines = [f"{at(0)},10", f"{at(1)},10", f"{at(3)},10", f"{at(4)},", f"{at(7)},10", f"{at(7)},10"]
    found, dropped = examine(a_source(tmp_path, "timestamp,A", *lines, duplicates="first", max_gap_seconds=120))
    assert found == [
        Findings("A", 4, NOON, NOON + timedelta(minutes=7), missing_bars=4, gaps=((6, 240.0), (4, 120.0)), long_gaps=1),
    ]
    assert dropped == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"layout": "long"}, r"asset_column\(=None\) is needed with layout: long"),
        ({"asset_column": "asset"}, "with no other"),
        ({"layout": "long", "asset_column": "asset"}, "price_column is missing"),
        ({"layout": "tall"}, r"layout\(='tall'\) must be wide or long"),
        ({"price": "mid", "bid_column": "bid"}, r"ask_column\(=None\) are needed with price: mid"),
        ({"bid_column": "bid"}, "with no other"),
        ({**MID, "price_column": "p"}, r"price_column\(='p'\) is not read"),
        ({"time_zone": "Mars/Base"}, r"time_zone\(='Mars/Base'\) is not known"),
        ({"time_zone": "../etc"}, "is not known"),
        ({"time_zone": "UTC", "time_unit": "seconds"}, "leave it out"),
        ({"time_unit": "days"}, r"time_unit\(='days'\) must be iso"),
        ({"duplicates": "mean"}, r"duplicates\(='mean'\) refuse, first or last"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        a_source(tmp_path, "timestamp,A", **changes)


@pytest.mark.parametrize(("named", "text"), [({"open": "o", "close": "c"}, "neither high nor low"), ({"high": "h"}, "at least two")])
def test_ohlc_columns_that_leave_nothing_to_check_are_refused(named: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Ohlc(**named)


SCENARIO = """\
name: R
about: A.
seed: 1
prices:
  model: replay
  file: FILE
  assets: {A: ETH/USDT}
  layout: long
  asset_column: asset
  price_column: price
  ohlc: {high: h, low: l}
  longer_gaps: hold
tassets: {tA: {tracks: A, pool: {liquidity_usd: 1}}}
minters: {count: 1}
"""


def a_scenario(folder: Path, old: str = "FILE", new: str = "x.csv") -> Path:
    file = folder / "scenario.yaml"
    file.write_text(SCENARIO.replace(old, new).replace("FILE", "x.csv"), encoding="utf-8")
    return file


def test_a_scenario_says_how_its_file_is_read(tmp_path: Path) -> None:
    spec = load(a_scenario(tmp_path)).scenario.prices
    assert isinstance(spec, ReplayPrices)
    source = spec.source(Path("x.csv"))
    assert (source.columns, source.layout, source.price_column, source.longer_gaps) == ({"A": "ETH/USDT"}, "long", "price", "hold")
    assert source.ohlc == Ohlc(high="h", low="l")
    with pytest.raises(ValueError, match=r"prices\.layout must be wide"):
        spec.source(Path("x.csv"), {"longs": "open_interest"})


def test_recorded_flow_is_read_beside_the_prices_and_not_as_prices() -> None:
    spec = ReplayPrices(model="replay", file="x.csv", assets={"A": "A"}, **MID)  # type: ignore[arg-type]
    source = spec.source(Path("x.csv"), {"longs": "open_interest"})
    assert (source.price, source.bid_column, source.all_columns()) == ("close", None, ["timestamp", "open_interest"])


def test_a_contradiction_in_a_scenario_is_refused_on_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(a_scenario(tmp_path, "  asset_column: asset\n", ""))
    assert str(caught.value).endswith("scenario.yaml:4: prices: asset_column(=None) is needed with layout: long, and with no other")


def test_a_price_file_outside_the_folder_may_be_allowed(tmp_path: Path) -> None:
    file = a_scenario(tmp_path, "FILE", "../x.csv")
    with pytest.raises(ScenarioError, match="--allow-outside"):
        load(file)
    assert load(file, allow_outside=True).prices_file == tmp_path / ".." / "x.csv"
