"""Replay of recorded closes: what is known when, when the market is open, and every refusal with its line."""

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.protocols.errors import PriceFileError
from seawall.scenarios.history import read_replay
from seawall.scenarios.paths import realised_moments
from seawall.scenarios.price_file import MAX_BYTES, ReplaySource

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "eq_intraday_1m_close_4us_2022-03-14_04-18.csv"
PRICES = ROOT / "scenarios" / "prices"


def a_source(file: Path, **changes: object) -> ReplaySource:
    plain = ReplaySource(file, {"A": "A"}, bar_seconds=60, bar_stamp="end", max_gap_seconds=180)
    return replace(plain, **changes)  # type: ignore[arg-type]


def in_sessions(file: Path, **changes: object) -> ReplaySource:
    return a_source(file, **{"session_column": "session", "sessions": ("regular",)} | changes)


def a_file(folder: Path, *lines: str, header: str = "timestamp,A") -> Path:
    file = folder / "prices.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def at(minute: int) -> str:
    return f"{datetime(2022, 3, 14, 13, 30, tzinfo=UTC) + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"


def minutes(*closes: object) -> list[str]:
    return [f"{at(minute)},{close}" for minute, close in enumerate(closes)]


def refusal(source: ReplaySource) -> list[str]:
    with pytest.raises(PriceFileError) as refused:
        read_replay(source, step_seconds=60)
    return str(refused.value).replace(str(source.file), "FILE").splitlines()


def test_a_close_stamped_at_the_end_of_its_bar_is_known_then(tmp_path: Path) -> None:
    paths = read_replay(a_source(a_file(tmp_path, *minutes(10, 11, 12))), step_seconds=60)
    assert paths.start == datetime(2022, 3, 14, 13, 30, tzinfo=UTC)
    assert paths.market_price[:, 0].tolist() == [10, 11, 12]
    assert paths.market_open.all()


def test_a_close_stamped_at_the_start_of_its_bar_is_known_a_bar_later(tmp_path: Path) -> None:
    paths = read_replay(a_source(a_file(tmp_path, *minutes(10, 11)), bar_stamp="start"), step_seconds=60)
    assert paths.start == datetime(2022, 3, 14, 13, 31, tzinfo=UTC)
    assert paths.market_price[:, 0].tolist() == [10, 11]


def test_between_bars_the_last_close_holds_and_the_market_is_open(tmp_path: Path) -> None:
    paths = read_replay(a_source(a_file(tmp_path, *minutes(10, 11))), step_seconds=20)
    assert paths.market_price[:, 0].tolist() == [10, 10, 10, 11]
    assert paths.market_open.all()


def test_a_short_hole_is_bridged_and_a_longer_one_closes_the_market(tmp_path: Path) -> None:
    paths = read_replay(a_source(a_file(tmp_path, *minutes(10, "", "", 11, "", "", "", 12))), step_seconds=60)
    assert paths.market_price[:, 0].tolist() == [10, 10, 10, 11, 11, 11, 11, 12]
    assert paths.market_open[:, 0].tolist() == [True, True, True, True, False, False, False, True]


def test_a_longer_hole_is_refused_where_that_is_asked(tmp_path: Path) -> None:
    source = a_source(a_file(tmp_path, *minutes(10, "", "", 11, "", "", "", 12)), longer_gaps="refuse")
    assert refusal(source) == ["FILE:9: A: no price for 240 s, since line 5; at most 180 s are bridged (max_gap_seconds)"]


def test_before_its_first_print_an_asset_is_closed_at_it(tmp_path: Path) -> None:
    file = a_file(tmp_path, f"{at(0)},10,", f"{at(1)},11,", f"{at(2)},12,7", f"{at(3)},,8", header="timestamp,A,B")
    paths = read_replay(a_source(file, columns={"B": "B", "A": "A"}), step_seconds=60)
    assert paths.assets == ("B", "A")
    assert paths.market_price.tolist() == [[7, 10], [7, 11], [7, 12], [8, 12]]
    assert paths.market_open.tolist() == [[False, True], [False, True], [True, True], [True, False]]


def test_rows_of_other_sessions_are_not_replayed_and_part_two_sessions(tmp_path: Path) -> None:
    sessions = ["pre", "regular", "regular", "break", "regular", "post"]
    file = a_file(tmp_path, *(f"{at(k)},{name},{10 + k}" for k, name in enumerate(sessions)), header="timestamp,session,A")
    paths = read_replay(in_sessions(file), step_seconds=30)
    assert paths.start == datetime(2022, 3, 14, 13, 31, tzinfo=UTC)
    assert paths.market_price[:, 0].tolist() == [11, 11, 12, 12, 12, 12, 14]
    assert paths.market_open[:, 0].tolist() == [True, True, True, False, False, False, True]


def test_a_night_is_no_hole_of_a_session_even_without_rows_in_it(tmp_path: Path) -> None:
    file = a_file(tmp_path, *(f"{at(k)},regular,10" for k in (0, 1, 1440, 1441)), header="timestamp,session,A")
    paths = read_replay(in_sessions(file, longer_gaps="refuse"), step_seconds=60)
    assert np.flatnonzero(paths.market_open[:, 0]).tolist() == [0, 1, 1440, 1441]


def test_a_window_keeps_the_closes_known_inside_it(tmp_path: Path) -> None:
    start = datetime(2022, 3, 14, 13, 31, tzinfo=UTC)
    source = a_source(a_file(tmp_path, *minutes(10, 11, 12, 13)), start=start, end=start + timedelta(minutes=1))
    paths = read_replay(source, step_seconds=60)
    assert paths.start == start
    assert paths.market_price[:, 0].tolist() == [11, 12]
    assert refusal(replace(source, end=start + timedelta(seconds=30))) == [
        "FILE: its closes span 0 steps of 60 s; 1 to 10000000 can be replayed"
    ]
    assert refusal(replace(source, start=start + timedelta(days=1), end=None)) == ["FILE: A: holds no price in the rows to replay"]


def test_offsets_are_honoured(tmp_path: Path) -> None:
    file = a_file(tmp_path, "2022-03-14T09:30:00-04:00,10", "2022-03-14T13:31:00+0000,11")
    paths = read_replay(a_source(file), step_seconds=60)
    assert paths.start == datetime(2022, 3, 14, 13, 30, tzinfo=UTC)
    assert paths.market_price[:, 0].tolist() == [10, 11]


@settings(deadline=None)
@given(
    closes=st.lists(st.none() | st.floats(1, 9), min_size=3, max_size=30).filter(lambda closes: closes[0] is not None),
    others=st.lists(st.floats(1, 9), min_size=30, max_size=30),
    data=st.data(),
)
def test_replay_never_looks_ahead(
    tmp_path_factory: pytest.TempPathFactory, closes: list[float | None], others: list[float], data: st.DataObject
) -> None:
    now = data.draw(st.integers(0, len(closes) - 1))
    changed = [close if minute <= now else others[minute] for minute, close in enumerate(closes)]
    folder = tmp_path_factory.mktemp("replay")
    told = [
        read_replay(a_source(a_file(folder, *minutes(*("" if close is None else close for close in version), 5))), step_seconds=60)
        for version in (closes, changed)
    ]
    assert (told[0].market_price[: now + 1] == told[1].market_price[: now + 1]).all()


def test_parquet_tells_the_same_story(tmp_path: Path) -> None:
    file = a_file(tmp_path, *minutes(10.1, "", 11.7, 12.25))
    table = pd.read_csv(file)
    table["timestamp"] = pd.to_datetime(table["timestamp"])
    table.to_parquet(tmp_path / "prices.parquet")
    from_csv, from_parquet = (read_replay(a_source(tmp_path / name), step_seconds=60) for name in ("prices.csv", "prices.parquet"))
    assert from_csv.market_price.tobytes() == from_parquet.market_price.tobytes()
    assert (from_csv.market_open == from_parquet.market_open).all()


def test_parquet_is_refused_with_the_same_words_by_row(tmp_path: Path) -> None:
    file = tmp_path / "prices.parquet"
    pd.DataFrame({"timestamp": pd.to_datetime([at(0), at(1), at(1)]).tz_localize(None), "A": [1.0, -2.0, 30.0]}).to_parquet(file)
    assert refusal(a_source(file))[:2] == [
        "FILE: row 1: timestamp: '2022-03-14 13:30:00.000000' has no time zone; write 2022-03-14T08:00:00Z, or an offset such as +01:00",
        "FILE: row 2: A: '-2' is not a price; write a finite number > 0, or leave the cell empty",
    ]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["x,1"], "FILE:4: timestamp: 'x' is not an ISO-8601 time; write 2022-03-14T08:00:00Z, or an offset such as +01:00"),
        (
            ["2022-03-14T13:32:00,1"],
            "FILE:4: timestamp: '2022-03-14T13:32:00' has no time zone; write 2022-03-14T08:00:00Z, or an offset such as +01:00",
        ),
        (["2022-03-15,1"], "FILE:4: timestamp: '2022-03-15' has no time zone; write 2022-03-14T08:00:00Z, or an offset such as +01:00"),
        ([f"{at(1)},1"], f"FILE:4: timestamp: '{at(1)}' repeats '{at(1)}' of line 3; times must rise, each once"),
        ([f"{at(0)},1"], f"FILE:4: timestamp: '{at(0)}' is earlier than '{at(1)}' of line 3; times must rise, each once"),
        (["", f"{at(2)},1"], "FILE:4: timestamp: '' is not an ISO-8601 time; write 2022-03-14T08:00:00Z, or an offset such as +01:00"),
        ([f"{at(2)}"], f"FILE:4: '{at(2)}' has 1 columns; the header has 2"),
        ([f"{at(2)},1,2"], f"FILE:4: '{at(2)},1,2' has 3 columns; the header has 2"),
        ([f"{at(2)},11"], "FILE:4: A: '11' follows '1' of line 3, more than a factor of 10; adjust for the split, or empty the wrong cell"),
        (
            [f"{at(2)},", f"{at(3)},0.09"],
            "FILE:5: A: '0.09' follows '1' of line 3, more than a factor of 10; adjust for the split, or empty the wrong cell",
        ),
        *(
            ([f"{at(2)},{text}"], f"FILE:4: A: '{text}' is not a price; write a finite number > 0, or leave the cell empty")
            for text in ("1e999", "NaN", "null", "inf", "-inf", "0", "-3", "=1+1", "1_000", "0x10", "True", "1;2")
        ),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path: Path, lines: list[str], fault: str) -> None:
    assert refusal(a_source(a_file(tmp_path, *minutes(1, 1), *lines))) == [fault]


def test_a_factor_of_exactly_ten_is_still_replayed(tmp_path: Path) -> None:
    paths = read_replay(a_source(a_file(tmp_path, *minutes(100, 1000, 100))), step_seconds=60)
    assert paths.market_price[:, 0].tolist() == [100, 1000, 100]


def test_all_faults_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = a_file(tmp_path, f"{at(0)},regular,1", f"{at(1)}", "x,regular,-1", f"{at(3)},regular,0", header="timestamp,session,A")
    faults = refusal(in_sessions(file, sessions=("regular", "late")))
    assert [fault.split(" ")[0] for fault in faults] == ["FILE:", "FILE:3:", "FILE:4:", "FILE:4:", "FILE:5:"]
    assert faults[0] == "FILE: session: no row of 'late'; present are 'regular'"


def test_ten_faults_are_enough(tmp_path: Path) -> None:
    faults = refusal(a_source(a_file(tmp_path, *minutes(*["none"] * 15))))
    assert len(faults) == 11
    assert faults[9].startswith("FILE:11: A: 'none'")
    assert faults[10] == "... and more"


@pytest.mark.parametrize(
    ("lines", "changes", "fault"),
    [
        (minutes(1, 2), {"columns": {"B": "B"}}, "FILE: column 'B' is missing; present are 'timestamp', 'A'"),
        (minutes(1, 2), {"time_column": "date"}, "FILE: column 'date' is missing; present are 'timestamp', 'A'"),
        (["x"], {}, "FILE: has 0 whole rows; at least 2 are needed\nFILE:2: 'x' has 1 columns; the header has 2"),
        (minutes(1), {}, "FILE: has 1 whole rows; at least 2 are needed"),
        ([], {}, "FILE: has 0 whole rows; at least 2 are needed"),
        (minutes("", "", ""), {}, "FILE: A: holds no price"),
    ],
)
def test_a_file_without_what_is_needed_is_refused(tmp_path: Path, lines: list[str], changes: dict[str, object], fault: str) -> None:
    assert refusal(a_source(a_file(tmp_path, *lines), **changes)) == fault.splitlines()


def test_lines_are_counted_right_in_a_long_file_with_broken_ones(tmp_path: Path) -> None:
    lines = minutes(*[10] * 90_000)
    lines[70_000], lines[80_000] = "broken", f"{at(80_000)},-1"
    assert [fault.split(" ")[0] for fault in refusal(a_source(a_file(tmp_path, *lines)))] == ["FILE:70002:", "FILE:80002:"]


def test_a_column_there_twice_is_refused(tmp_path: Path) -> None:
    file = a_file(tmp_path, f"{at(0)},1,2", header="timestamp,A,A")
    assert refusal(a_source(file)) == ["FILE: column 'A' is there twice; present are 'timestamp', 'A', 'A'"]


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    assert refusal(a_source(tmp_path / "none.csv")) == ["FILE: no such file"]
    for name in ("prices.csv.gz", "prices.pickle", "prices"):
        suffix = Path(name).suffix
        assert refusal(a_source(tmp_path / name)) == [f"FILE: the name ends in '{suffix}'; only .csv and .parquet can be replayed"]
    for name in ("binary.csv", "binary.parquet"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\x01" * 10)
        assert refusal(a_source(tmp_path / name))[0].startswith(f"FILE: cannot be read as {Path(name).suffix}: ")
    (tmp_path / "empty.csv").touch()
    assert refusal(a_source(tmp_path / "empty.csv"))[0] == "FILE: column 'timestamp' is missing; present are none"


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)
    assert refusal(a_source(file)) == ["FILE: has 268435457 bytes; at most 268435456 can be replayed"]


def test_a_time_far_in_the_future_is_refused_before_memory_runs_out(tmp_path: Path) -> None:
    file = a_file(tmp_path, f"{at(0)},1", "2260-01-01T00:00:00Z,1")
    [fault] = refusal(a_source(file))
    assert fault.endswith("steps of 60 s; 1 to 10000000 can be replayed")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"columns": {}}, "columns.* must name an asset"),
        ({"bar_seconds": 0}, r"bar_seconds\(=0\)"),
        ({"max_gap_seconds": 59}, r"max_gap_seconds\(=59\) be >= bar_seconds"),
        ({"bar_stamp": "middle"}, r"bar_stamp\(='middle'\) must be start or end"),
        ({"longer_gaps": "fill"}, r"longer_gaps\(='fill'\) closed or refuse"),
        ({"sessions": ("regular",)}, "give both or neither"),
        ({"session_column": "session"}, "give both or neither"),
        ({"start": datetime(2022, 3, 14)}, "must carry a time zone"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, changes: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        a_source(tmp_path / "prices.csv", **changes)


def test_a_step_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"step_seconds\(=0\) must be > 0"):
        read_replay(a_source(tmp_path / "prices.csv"), step_seconds=0)


def test_the_shipped_minutes_are_drawn_anew_byte_for_byte() -> None:
    drawn = runpy.run_path(str(PRICES / "make_two_stocks.py"))["two_stocks"]()
    assert drawn.encode() == (PRICES / "two_stocks_1m.csv").read_bytes()
    assert len(drawn) < 150_000


def test_the_shipped_minutes_replay_with_a_squeeze_a_half_day_and_a_gap_at_the_open() -> None:
    source = in_sessions(PRICES / "two_stocks_1m.csv", columns={"tTSLA": "TSLA", "tGME": "GME"}, bar_stamp="start", longer_gaps="refuse")
    paths = read_replay(source, step_seconds=60)
    assert paths.start == datetime(2024, 11, 25, 14, 31, tzinfo=UTC)
    assert paths.market_open[:, 0].sum() == 4 * 390 + 210
    gme = paths.market_price[:, 1]
    assert gme.max() / gme[0] > 2
    assert realised_moments(paths)[1].largest_up > 0.2


@pytest.mark.skipif(not REAL.exists(), reason="the real minutes are not part of the project")
def test_real_minutes_replay_in_regular_hours() -> None:
    stocks = {name: name for name in ("AAPL", "GOOG", "TSLA", "GME")}
    source = in_sessions(REAL, columns=stocks, bar_stamp="start", max_gap_seconds=300)
    paths = read_replay(source, step_seconds=60)
    assert paths.start == datetime(2022, 3, 14, 13, 31, tzinfo=UTC)
    assert paths.market_price[-1].tolist() == [165.11, 2559.54, 1004.7, 141.4]
    # 22 days of 390 bars, as two bars a day or so are missing and bridged.
    assert paths.market_open[:, 2].sum() == 22 * 390
    assert refusal(replace(source, longer_gaps="refuse")) == [
        "FILE:14916: GOOG: no price for 360 s, since line 14910; at most 300 s are bridged (max_gap_seconds)"
    ]
