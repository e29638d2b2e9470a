"""Records of the exchange as data frames: markets and pools over time, traders by kind, LPs by pool; all empty without an exchange."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from seawall.agents.exchange import MARKET_SERIES, POOL_SERIES, Exchange
from seawall.agents.perps_trader import TraderKind
from seawall.models.exchange_measures import ExchangeNames, numbered
from seawall.models.exchange_neutrality import recorded
from seawall.models.exchange_wealth import DUST, wealth_of
from seawall.protocols.tables import Floats, Table

IN_NO_POOL = "in no pool"


def markets(x: Exchange | None, names: ExchangeNames | None) -> pd.DataFrame:
    """One row per record and market. Seconds, USD, USD per unit of the base asset; gains of LPs and what was traded are cumulative.

    `credit_left_usd` is what pools vouch for beyond what traders own (`traders_own_usd`); negative where that is not covered.
    """
    rows = np.zeros((0, 0), MARKET_SERIES) if x is None else recorded(x)
    flat, price = rows.reshape(-1), rows.reshape(-1)["index_price"]
    return pd.DataFrame(
        {
            "time_s": flat["time"],
            "market": _labels(names_of(x, names).markets, rows),
            "index_price": _known(price, price > 0.0),
            "market_price": flat["market_price"],
            "skew": flat["skew"],
            "skew_usd": flat["skew"] * price,
            "open_interest_usd": flat["open_interest"] * price,
            "open_positions": flat["positions"],
            "funding_rate_per_day": flat["funding_rate"],
            "traders_own_usd": flat["reported_debt"],
            "total_debt_usd": flat["total_debt"],
            "credit_left_usd": flat["capacity"],
            "delegated_usd": flat["delegated"],
            "margin_usd": flat["margin"],
            "lp_order_fees_usd": flat["fees"],
            "lp_price_impact_usd": flat["impact"],
            "lp_funding_usd": flat["funding"],
            "lp_price_gain_usd": flat["price_gain"],
            "lp_liquidation_gain_usd": flat["liquidation_gain"],
            "volume_usd": flat["volume"],
            "liquidations": flat["liquidations"],
            "liquidated_usd": flat["liquidated_usd"],
        }
    )


def pools(x: Exchange | None, names: ExchangeNames | None) -> pd.DataFrame:
    """One row per record and pool. Seconds, USD, fractions; ratios are collateral value / debt, NaN without debt."""
    rows = np.zeros((0, 0), POOL_SERIES) if x is None else x.pool_series[: int(x.times[0].records)]
    flat = rows.reshape(-1)
    owed = flat["debt"] >= DUST
    return pd.DataFrame(
        {
            "time_s": flat["time"],
            "pool": _labels(names_of(x, names).pools, rows),
            "value_usd": flat["value"],
            "debt_usd": flat["debt"],
            "collateral_ratio": np.divide(flat["value"], flat["debt"], out=np.full(len(flat), np.nan), where=owed),
            "min_collateral_ratio": _known(flat["min_ratio"], np.isfinite(flat["min_ratio"])),
            "lps": flat["lps"],
            "yield_per_year": flat["yield_mean"],
            "siphoned_usd": flat["siphoned"],
        }
    )


def traders(x: Exchange | None) -> pd.DataFrame:
    """One row per kind of trader: how many, what they started with and gained, USD, and how often they were liquidated."""
    kinds = np.empty(0, np.int64) if x is None else x.perps_traders["kind"]
    found = [kind for kind in TraderKind if (kinds == kind).any()]
    start, gain, liquidations = (
        (np.empty(0),) * 3 if x is None else (x.perps_traders["start_usd"], wealth_of(x).traders, x.perps_traders["liquidations"])
    )
    return pd.DataFrame(
        {
            "kind": pd.Series([kind.name.lower() for kind in found], dtype=object),
            "traders": np.array([(kinds == kind).sum() for kind in found], np.int64),
            "start_usd": np.array([start[kinds == kind].sum() for kind in found], np.float64),
            "gain_usd": np.array([gain[kinds == kind].sum() for kind in found], np.float64),
            "liquidations": np.array([liquidations[kinds == kind].sum() for kind in found], np.int64),
        }
    )


def lps(x: Exchange | None, names: ExchangeNames | None) -> pd.DataFrame:
    """One row per pool, and one for LPs in none: how many, value of their collateral, what they owe and what they gained, USD, now."""
    pool = np.empty(0, np.int64) if x is None else x.liquidity_lps["pool"]
    value, debt, gain = (np.empty(0),) * 3
    if x is not None:
        owned = wealth_of(x)
        value, debt, gain = owned.lp_values, owned.lp_debts, owned.lps
    groups = [*enumerate(names_of(x, names).pools), *([(-1, IN_NO_POOL)] if (pool < 0).any() else [])]
    return pd.DataFrame(
        {
            "pool": pd.Series([name for _, name in groups], dtype=object),
            "lps": np.array([(pool == row).sum() for row, _ in groups], np.int64),
            "value_usd": np.array([value[pool == row].sum() for row, _ in groups], np.float64),
            "debt_usd": np.array([debt[pool == row].sum() for row, _ in groups], np.float64),
            "gain_usd": np.array([gain[pool == row].sum() for row, _ in groups], np.float64),
        }
    )


def names_of(x: Exchange | None, names: ExchangeNames | None) -> ExchangeNames:
    """The names given; numbers where there are none; no names without an exchange."""
    if x is None:
        return ExchangeNames()
    return names or numbered(x)


def _labels(names: Sequence[str], rows: Table) -> np.ndarray:
    """The name of each row's market or pool, of a table [records, markets or pools] row by row."""
    return np.tile(np.asarray(names, dtype=object), len(rows))


def _known(values: Floats, where: np.ndarray) -> Floats:
    known: Floats = np.where(where, values, np.nan)
    return known
