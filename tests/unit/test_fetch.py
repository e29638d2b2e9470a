"""Fetching of histories against a recorded server on this machine: pages, failures and patience; the network is never needed."""

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.prices.fetch import Gap, Patience, bar_seconds, fetch, gaps, open_source, pages, write_csv
from seawall.prices.klines import MAX_ANSWER_BYTES, Klines
from seawall.prices.market_data import Busy, FetchError
from seawall.scenarios.history import read_replay
from seawall.scenarios.price_file import ReplaySource

RECORDED = json.loads((Path(__file__).parents[1] / "reference" / "klines.json").read_text(encoding="utf-8"))
START = datetime.fromtimestamp(1_700_000_040, UTC)
END = START + timedelta(minutes=5)


@dataclass
class Server:
    """Answers to come, the first first; when there are none left, the recorded pages."""

    url: str = ""
    answers: list[tuple[int, str, str]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, str, str]:
        assert urlsplit(path).path == "/api/v3/klines"
        self.asked.append(parse_qs(urlsplit(path).query))
        if self.answers:
            return self.answers.pop(0)
        return 200, json.dumps(RECORDED["pages"].get(self.asked[-1]["startTime"][0], [])), ""

    def will_refuse(self, name: str) -> None:
        refusal = RECORDED["refusals"][name]
        body = refusal["body"] if isinstance(refusal["body"], str) else json.dumps(refusal["body"])
        self.answers.append((refusal["status"], body, refusal.get("retry_after", "")))


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, retry_after = told.answer(self.path)
            self.send_response(status)
            if retry_after:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.url = f"http://127.0.0.1:{listening.server_port}"
    yield told
    listening.shutdown()
    thread.join()
    listening.server_close()


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    at: float = 1.8e9
    slept: list[float] = field(default_factory=list)

    def patience(self, **changes: Any) -> Patience:
        return Patience(sleep=self.slept.append, now=lambda: self.at, **{"pause_s": 0.0} | changes)

    @property
    def waits(self) -> list[float]:
        return [seconds for seconds in self.slept if seconds > 0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fetched(server: Server, clock: Clock, **changes: Any) -> pd.DataFrame:
    return fetch(f"klines:{server.url}", "ETHUSDT", START, END, "1m", patience=clock.patience(**changes))


def refusal(server: Server, clock: Clock, **changes: Any) -> str:
    with pytest.raises(FetchError) as refused:
        fetched(server, clock, **changes)
    return str(refused.value).replace(server.url, "URL")


def test_pages_are_joined_and_what_lies_between_is_a_gap(server: Server, clock: Clock) -> None:
    frame = fetched(server, clock)
    assert frame["close"].tolist() == [2000.5, 2002.0, 1991.0, 1995.5]
    assert frame.index[0] == START
    assert gaps(frame, "1m") == [Gap(START + timedelta(minutes=2), START + timedelta(minutes=4), 1)]
    assert server.asked[0] == {"symbol": ["ETHUSDT"], "interval": ["1m"], "startTime": ["1700000040000"], "limit": ["1000"]}


def test_a_bar_that_is_not_over_is_left_for_another_time(server: Server, clock: Clock) -> None:
    clock.at = 1_700_000_219
    assert len(fetched(server, clock)) == 2
    clock.at = 1_700_000_220
    assert len(fetched(server, clock)) == 3


def test_the_end_is_not_part_of_it(server: Server, clock: Clock) -> None:
    frame = fetch(f"klines:{server.url}", "ETHUSDT", START, START + timedelta(minutes=1), "1m", patience=clock.patience())
    assert len(frame) == 1


def test_a_rate_limit_is_waited_for_as_long_as_it_says(server: Server, clock: Clock) -> None:
    server.will_refuse("too_many")
    assert len(fetched(server, clock)) == 4
    assert clock.waits == [7.0]


def test_a_rate_limit_of_a_day_is_not_waited_for(server: Server, clock: Clock) -> None:
    server.will_refuse("banned_for_long")
    said = "URL: HTTP 418: Way too much request weight used; IP banned.; it asks to wait 90000 s, more than 120"
    assert refusal(server, clock) == said
    assert clock.waits == []


def test_failures_of_the_server_are_waited_out_longer_and_longer(server: Server, clock: Clock) -> None:
    for _ in range(3):
        server.will_refuse("broken")
    assert len(fetched(server, clock)) == 4
    assert clock.waits == [1.0, 2.0, 4.0]


def test_patience_ends(server: Server, clock: Clock) -> None:
    for _ in range(3):
        server.will_refuse("broken")
    assert refusal(server, clock, tries=3) == "URL: HTTP 500: Internal Server Error; given up after 3 tries"
    assert clock.waits == [1.0, 2.0]


def test_what_the_exchange_refuses_is_not_asked_again(server: Server, clock: Clock) -> None:
    server.will_refuse("unknown_symbol")
    assert refusal(server, clock) == "URL: HTTP 400: Invalid symbol."
    assert len(server.asked) == 1


def test_an_answer_cut_short_is_asked_for_again(server: Server, clock: Clock) -> None:
    server.answers.append((200, '[[1700000040000, "2000', ""))
    assert len(fetched(server, clock)) == 4
    server.answers.extend([(200, "<html>", "")] * 6)
    assert refusal(server, clock) == "URL: answers with what is no JSON: b'<html>'; given up after 6 tries"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"code": 0}', "URL: answers with {'code': 0} instead of a list of bars"),
        ("[[1700000040000]]", "URL: [1700000040000] is no bar of start, open, high, low, close, volume"),
        ('["abcdefg"]', "URL: abcdefg is no bar of start, open, high, low, close, volume"),
        ('[[1700000040000,"1","2","0","1","1"]]', "ETHUSDT: [1700000040000.0, 1.0, 2.0, 0.0, 1.0, 1.0] is not a bar: "),
        ('[[1700000040000,"1","2","1","3","1"]]', "ETHUSDT: [1700000040000.0, 1.0, 2.0, 1.0, 3.0, 1.0] is not a bar: "),
        ('[[1700000040000,"1","2","1","nan","1"]]', "ETHUSDT: [1700000040000.0, 1.0, 2.0, 1.0, nan, 1.0] is not a bar: "),
    ],
)
def test_bars_that_no_market_made_are_refused(server: Server, clock: Clock, body: str, said: str) -> None:
    server.answers.append((200, body, ""))
    assert refusal(server, clock).startswith(said)


def test_an_answer_without_end_is_refused(server: Server, clock: Clock) -> None:
    server.answers.append((200, " " * (MAX_ANSWER_BYTES + 1), ""))
    assert refusal(server, clock) == f"URL: answers with more than {MAX_ANSWER_BYTES} bytes"


def test_a_server_that_is_not_there_is_named(server: Server, clock: Clock) -> None:
    with pytest.raises(FetchError, match=r"127\.0\.0\.1:9: .*given up after 2 tries"):
        fetch("klines:http://127.0.0.1:9", "ETHUSDT", START, END, "1m", patience=clock.patience(tries=2))


def test_empty_pages_are_stepped_over_and_nothing_at_all_is_refused(server: Server, clock: Clock) -> None:
    long_before = START - timedelta(minutes=1_000)
    frame = fetch(f"klines:{server.url}", "ETHUSDT", long_before, END, "1m", patience=clock.patience())
    assert frame.index[0] == START
    assert [asked["startTime"][0] for asked in server.asked[:2]] == ["1699940040000", "1700000040000"]
    with pytest.raises(FetchError, match="ETHUSDT: no bar of 1m from 2023-11-14T05:34"):
        fetch(f"klines:{server.url}", "ETHUSDT", long_before, START, "1m", patience=clock.patience())


@dataclass
class Scripted:
    """An exchange that holds the given starts, in minutes, and is not always careful with its pages."""

    minutes: Sequence[int]
    overlap: int = 0

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> Sequence[Sequence[float]]:
        held = [minute * 60_000 for minute in self.minutes if minute * 60_000 >= since - self.overlap * 60_000]
        return [[start, 1.0, 2.0, 1.0, 1.0 + start % 7 / 7, 5.0] for start in held[:limit]]


@settings(deadline=None, max_examples=60)
@given(minutes=st.sets(st.integers(0, 60), min_size=1), page=st.integers(2, 9), overlap=st.integers(0, 1))
def test_whatever_the_pages_each_bar_is_there_once(minutes: set[int], page: int, overlap: int) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    exchange = Scripted(sorted(minutes), overlap)
    frame = pages(exchange, "A", epoch, epoch + timedelta(minutes=61), "1m", page=page + overlap, patience=Clock().patience())
    assert [at / 60_000 for at in pd.DatetimeIndex(frame.index).as_unit("ms").asi8.tolist()] == sorted(minutes)


def test_an_exchange_that_forgets_what_it_was_asked_does_not_hold_us_up(clock: Clock) -> None:
    stuck = SimpleNamespace(fetch_ohlcv=lambda *_: [[0, 1.0, 1.0, 1.0, 1.0, 0.0]])
    with pytest.raises(FetchError, match="no bar"):
        pages(stuck, "A", START, END, "1m", page=10, patience=clock.patience())


def test_a_written_history_is_replayed_as_it_was(server: Server, clock: Clock, tmp_path: Path) -> None:
    frame, file = fetched(server, clock), tmp_path / "eth.csv"
    write_csv(frame, file)
    assert file.read_text(encoding="utf-8").splitlines()[:2] == [
        "timestamp,open,high,low,close,volume",
        "2023-11-14T22:14:00Z,2000.1,2001.0,1999.0,2000.5,12.5",
    ]
    paths = read_replay(ReplaySource(file, {"ETH": "close"}, bar_seconds=60, bar_stamp="start", max_gap_seconds=60), step_seconds=60)
    assert paths.market_price[:, 0].tolist() == [2000.5, 2002.0, 1991.0, 1991.0, 1995.5]


def test_no_file_is_overwritten_and_none_is_left_half_written(server: Server, clock: Clock, tmp_path: Path, monkeypatch: Any) -> None:
    frame, file = fetched(server, clock), tmp_path / "eth.csv"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(FetchError, match=r"eth\.csv: exists; it is not overwritten"):
        write_csv(frame, file)
    monkeypatch.setattr(Path, "exists", lambda *_: False)  # it comes to be while we write
    with pytest.raises(FetchError, match="it is not overwritten"):
        write_csv(frame, file)
    monkeypatch.undo()
    assert file.read_text(encoding="utf-8") == "mine"
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_fails_leaves_nothing(server: Server, clock: Clock, tmp_path: Path, monkeypatch: Any) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    frame = fetched(server, clock)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_csv(frame, tmp_path / "eth.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["binance", "ccxt:", "csv:x", ""])
def test_unknown_sources_are_refused(source: str) -> None:
    with pytest.raises(FetchError, match="is unknown; known are ccxt:EXCHANGE, yfinance, klines and klines:URL"):
        open_source(source, 60)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host", "host", "http://"])
def test_only_the_web_is_asked(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with http"):
        Klines(url)


@pytest.mark.parametrize("bar", ["", "m", "0m", "1", "1w", "1.5h", "1m "])
def test_bars_of_no_length_are_refused(bar: str) -> None:
    with pytest.raises(ValueError, match=r"bar\(="):
        bar_seconds(bar)


def test_times_that_make_no_sense_are_refused() -> None:
    for start, end in ((END, START), (START.replace(tzinfo=None), END)):
        with pytest.raises(ValueError, match="must carry a time zone, and start come first"):
            fetch("klines", "A", start, end, "1m")
    with pytest.raises(ValueError, match="more than 10000000 bars"):
        fetch("klines", "A", START, START + timedelta(days=9_000), "1m")


@pytest.mark.parametrize(("source", "library"), [("ccxt:binance", "ccxt"), ("yfinance", "yfinance")])
def test_a_library_that_is_not_installed_is_named(source: str, library: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(FetchError, match=rf"^{library} is not installed; run: pip install seawall\[fetch\]$"):
        open_source(source, 60)


class _CcxtError(Exception):
    pass


class _CcxtNetworkError(_CcxtError):
    pass


def a_ccxt(answers: list[Any]) -> SimpleNamespace:
    def fetch_ohlcv(symbol: str, timeframe: str, since: int, limit: int) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def binance(_: object) -> SimpleNamespace:
        return SimpleNamespace(fetch_ohlcv=fetch_ohlcv)

    return SimpleNamespace(exchanges=["binance"], NetworkError=_CcxtNetworkError, BaseError=_CcxtError, binance=binance)


def test_failures_of_ccxt_are_told_apart(clock: Clock, monkeypatch: Any) -> None:
    bar = [START.timestamp() * 1_000, 1.0, 1.0, 1.0, 1.0, 0.0]
    monkeypatch.setitem(sys.modules, "ccxt", a_ccxt([_CcxtNetworkError("slow"), [bar], [], _CcxtError("no such market")]))
    assert len(fetch("ccxt:binance", "A", START, END, "1m", patience=clock.patience())) == 1
    assert clock.waits == [1.0]
    with pytest.raises(FetchError, match="ccxt: no such market"):
        fetch("ccxt:binance", "A", START, END, "1m", patience=clock.patience())
    with pytest.raises(FetchError, match="ccxt knows no exchange 'mtgox'"):
        fetch("ccxt:mtgox", "A", START, END, "1m")


def test_yahoo_is_asked_for_a_week_of_minutes_at_most(clock: Clock, monkeypatch: Any) -> None:
    asked: list[dict[str, Any]] = []

    def history(**given: Any) -> pd.DataFrame:
        asked.append(given)
        if len(asked) > 1:
            return pd.DataFrame()
        row = {"Open": 1.0, "High": 2.0, "Low": 1.0, "Close": 1.5, "Volume": 7, "Dividends": 0.0}
        return pd.DataFrame([row], index=pd.DatetimeIndex([pd.Timestamp(START).tz_convert("America/New_York")]))

    monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(Ticker=lambda _: SimpleNamespace(history=history)))
    frame = fetch("yfinance", "AAPL", START, START + timedelta(days=10), "1m", patience=clock.patience())
    assert frame.to_numpy().tolist() == [[1.0, 2.0, 1.0, 1.5, 7.0]]
    assert frame.index[0] == START
    assert {given["end"] - given["start"] for given in asked} == {timedelta(days=7)}
    assert asked[0]["auto_adjust"] is False


def test_busy_says_how_long() -> None:
    assert Busy("x", 3.0).retry_after_s == 3.0
