"""Draws `two_stocks_1m.csv`, synthetic minutes of two stocks; run it to write the file anew beside itself. The method is in README.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from seawall.prices.dependence import correlation_matrix, gaussian_copula
from seawall.prices.events import Change
from seawall.prices.gbm import Gbm
from seawall.prices.process import YEAR_SECONDS
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_events import strike
from seawall.scenarios.sessions import Session, open_minutes

FILE = Path(__file__).with_name("two_stocks_1m.csv")
SEED = 20241125
FIRST, LAST = date(2024, 11, 25), date(2024, 12, 2)  # Thanksgiving week: closed on the 28th, half a day on the 29th
EXTENDED = timedelta(hours=1)  # before and after the regular session
START = datetime(2024, 11, 25, 13, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3_600, 86_400
NO_TRADE = {"pre": 0.24, "regular": 0.004, "post": 0.11}  # share of GME's minutes without a trade in the real file of this layout
SHOCKS = (
    Change("GME", at_s=2 * DAY + 3 * HOUR, change=0.9, ramp_s=1.5 * HOUR, recovery_s=6 * DAY),  # the squeeze: Wednesday 11:30 to 13:00
    Change("GME", at_s=4 * DAY, change=0.45, recovery_s=3 * DAY),  # after the holiday Friday reopens higher still
    Change("TSLA", at_s=DAY + 4 * HOUR, change=-0.07, recovery_s=5 * HOUR),  # a jump down on Tuesday at 12:30, made good by the close
    Change("TSLA", at_s=7 * DAY, change=0.05, ramp_s=10 * MINUTE),  # news on Monday before the open, for good
)


def two_stocks() -> str:
    """The text of the file: a header and a line per minute, the same at every call."""
    rng = np.random.default_rng(SEED)
    days = open_minutes("XNYS", FIRST, LAST)
    minutes = int((days[-1].closes + EXTENDED - START).total_seconds()) // MINUTE
    z = gaussian_copula(rng.standard_normal((minutes, 2)), correlation_matrix(("TSLA", "GME"), 0.3))
    years = np.full(minutes, MINUTE / YEAR_SECONDS)
    logs = [process.log_returns(years, z[:, k], rng) for k, process in enumerate((Gbm(340.0, 0.0, 0.6), Gbm(28.0, 0.0, 1.5)))]
    prices = np.array([340.0, 28.0]) * np.exp(np.vstack([np.zeros(2), np.cumsum(np.column_stack(logs), axis=0)]))
    paths = Paths(START, MINUTE, ("TSLA", "GME"), prices, np.ones(prices.shape, dtype=np.bool_))
    lines = _lines(strike(paths, SHOCKS), days, traded=rng.random(minutes + 1))
    return "\n".join(["timestamp,session,TSLA,GME", *lines]) + "\n"


def _lines(paths: Paths, days: list[Session], *, traded: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Iterator[str]:
    """A line per minute bar of the extended day, stamped at its start; its close is the price one minute on."""
    for day in days:
        begin, end = day.opens - EXTENDED, day.closes + EXTENDED
        for row in range(int((begin - START).total_seconds()) // MINUTE, int((end - START).total_seconds()) // MINUTE):
            stamp = START + timedelta(minutes=row)
            session = "pre" if stamp < day.opens else "regular" if stamp < day.closes else "post"
            tsla, gme = paths.market_price[row + 1].tolist()
            yield f"{stamp:%Y-%m-%dT%H:%M:%SZ},{session},{tsla:.2f},{f'{gme:.2f}' if traded[row] >= NO_TRADE[session] else ''}"


if __name__ == "__main__":
    FILE.write_text(two_stocks(), encoding="utf-8", newline="\n")
