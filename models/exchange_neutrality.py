"""Delta neutrality: how LPs' return moves with the market's return, and with what traders win from the price.

Both are slopes of a straight line fitted to the records by least squares. The document hopes for 0: "fees earned by liquidity providers are
unaffected by perps trader profit and losses" (000_f10a0af1cff63fc7.txt); -1 on the traders' profit means that LPs lose what traders win.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seawall.agents.exchange import Exchange
from seawall.models.measures import Figure
from seawall.protocols.tables import Floats, Table

SOURCES = ("fees", "impact", "funding", "price_gain", "liquidation_gain")
"""Columns of market_memory and market_series that add up to the LPs' gain through a market."""

LEAST_RECORDS = 10  # intervals between records from which a line is fitted
STILL = 1e-12  # a range of returns that counts as none
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Figure):
    """A figure with its confidence interval (low, high)."""

    interval: tuple[float, float]


class Returns(NamedTuple):
    """Per interval between two records, as fractions of the value delegated at its start: LPs' gain, index price, traders' profit on it."""

    lps: Floats
    market: Floats
    traders: Floats


def recorded(x: Exchange) -> Table:
    """Records of the markets written so far, [records, markets]."""
    series: Table = x.market_series[: int(x.times[0].records)]
    return series


def returns(x: Exchange, market: int | None) -> Returns:
    """Returns of one market, or of all (None), each weighted by the value delegated to it.

    Intervals that start without anything delegated or without a price are left out.
    """
    rows = recorded(x) if market is None else recorded(x)[:, market : market + 1]
    before, after = rows[:-1], rows[1:]
    used = (before["delegated"] > 0.0) & (before["index_price"] > 0.0)
    weight = np.where(used, before["delegated"], 0.0)
    gain = np.where(used, sum(after[name] - before[name] for name in SOURCES), 0.0)
    lost = np.where(used, after["price_gain"] - before["price_gain"], 0.0)
    moved = np.divide(after["index_price"], before["index_price"], out=np.ones(used.shape), where=used) - 1.0
    capital = weight.sum(axis=1)
    some = capital > 0.0
    capital = capital[some]
    return Returns(gain.sum(axis=1)[some] / capital, (weight * moved).sum(axis=1)[some] / capital, -lost.sum(axis=1)[some] / capital)


def slope(cause: Floats, effect: Floats, what: str) -> Figure:
    """Slope of `effect` on `cause` with its interval; errors count as independent and normal."""
    if len(cause) < LEAST_RECORDS:
        return Figure(None, "fraction", f"fewer than {LEAST_RECORDS} intervals between records")
    if np.ptp(cause) < STILL:
        return Figure(None, "fraction", f"{what} did not vary")
    if np.ptp(effect) < STILL:
        return Figure(None, "fraction", "the return of LPs did not vary")
    from scipy import stats

    line = stats.linregress(cause, effect)
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2.0, len(cause) - 2) * line.stderr)
    value = float(line.slope)
    return Estimate(value, "fraction", interval=(value - reach, value + reach))


def slopes(x: Exchange, market: int | None) -> dict[str, Figure]:
    """Both slopes of one market, or of all (None)."""
    found = returns(x, market)
    return {
        "lp_beta_to_market": slope(found.market, found.lps, "the index price"),
        "lp_beta_to_traders": slope(found.traders, found.lps, "the traders' profit"),
    }
