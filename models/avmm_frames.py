"""Records of the RFQ market as data frames: the book over time, LPs by kind, traders by kind; all empty without an RFQ market."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seawall.agents.avmm import AVMM_FLOW, AVMM_LP, AVMM_SERIES, AVMM_TRADER, Avmm, LpKind, RfqTraderKind
from seawall.models.avmm_measures import AvmmNames, by_kind, gains, is_pooled, numbered, recorded, start_usd
from seawall.protocols.reputation import current_rep
from seawall.protocols.tables import Bools, Floats


def book(v: Avmm | None, names: AvmmNames | None) -> pd.DataFrame:
    """One row per record and asset. Seconds, USD, tokens, fractions; the last five are of all assets together, cumulative.

    `payable_tokens` is what positions in range would pay of the asset for the numeraire (of the numeraire: for any asset). What stale
    prices cost nobody follows in pools: NaN there.
    """
    rows, known = np.zeros((0, 0), AVMM_SERIES) if v is None else recorded(v), _known_by_lp(v)
    flat, price = rows.reshape(-1), rows.reshape(-1)["oracle_price"]
    return pd.DataFrame(
        {
            "time_s": flat["time"],
            "asset": pd.Series(list(names_of(v, names).assets) * len(rows), dtype=object),
            "oracle_price": np.where(price > 0.0, price, np.nan),
            "oracle_age_s": flat["oracle_age"],
            "market_price": flat["market_price"],
            "balance_tokens": flat["balance"],
            "payable_tokens": flat["payable"],
            "payable_usd": flat["payable"] * price,
            "lps": flat["lps"],
            "best_discount": np.where(flat["lps"] > 0, flat["best_discount"], np.nan),
            "settled_usd": flat["settled_usd"],
            "fees_usd": flat["fees_usd"],
            "stale_loss_usd": flat["stale_loss_usd"] * known,
            "ordered_usd": flat["ordered_usd"],
            "filled_usd": flat["filled_usd"],
        }
    )


def lps(v: Avmm | None) -> pd.DataFrame:
    """One row per kind of LP: how many, what they started with at today's prices, settled, earned, lost to stale prices and gained, USD.

    `rep` is the mean of their REP points now. What pools settle nobody follows by LP: NaN there.
    """
    table = np.zeros(0, AVMM_LP) if v is None else v.avmm_lps
    kinds = by_kind(table, LpKind)
    start, gain, rep = (np.empty(0),) * 3 if v is None else (start_usd(v), gains(v), _rep(v))
    known = _known_by_lp(v)
    return pd.DataFrame(
        {
            "kind": pd.Series([kind.name.lower() for kind, _ in kinds], dtype=object),
            "lps": np.array([of.sum() for _, of in kinds], np.int64),
            "start_usd": _sums(kinds, start),
            "settled_usd": _sums(kinds, table["settled_usd"]) * known,
            "fees_usd": _sums(kinds, table["fees_usd"]) * known,
            "stale_loss_usd": _sums(kinds, table["stale_loss_usd"]) * known,
            "gain_usd": _sums(kinds, gain),
            "fills": np.array([table["fills"][of].sum() for _, of in kinds], np.int64),
            "rep": np.array([rep[of].mean() for _, of in kinds], np.float64),
        }
    )


def flows(v: Avmm | None) -> pd.DataFrame:
    """One row per kind of trader: orders, USD ordered and filled, what they cost, and the mean seconds to settlement by USD filled."""
    table, rows = (np.zeros(0, AVMM_TRADER), np.zeros(0, AVMM_FLOW)) if v is None else (v.avmm_traders, v.flows)
    kinds = [kind for kind, _ in by_kind(table, RfqTraderKind)]
    found = rows[kinds]
    waited, filled = found["waited_usd_seconds"], found["filled_usd"]
    return pd.DataFrame(
        {
            "kind": pd.Series([kind.name.lower() for kind in kinds], dtype=object),
            "orders": found["orders"],
            "filled": found["filled"],
            "ordered_usd": found["ordered_usd"],
            "filled_usd": filled,
            "cost_usd": found["cost_usd"],
            "mean_wait_s": np.divide(waited, filled, out=np.full(len(found), np.nan), where=filled > 0.0),
        }
    )


def names_of(v: Avmm | None, names: AvmmNames | None) -> AvmmNames:
    """The names given; numbers where there are none; no names without an RFQ market."""
    if v is None:
        return AvmmNames()
    return names or numbered(v)


def _known_by_lp(v: Avmm | None) -> float:
    """Factor 1, or NaN in pools, where nobody knows which LP settled what."""
    return np.nan if v is not None and is_pooled(v) else 1.0


def _rep(v: Avmm) -> Floats:
    """REP points of each LP's position now."""
    now = float(v.clock[0].now)
    return np.array([current_rep(v.book, int(position), now) for position in v.avmm_lps["position"]])


def _sums(kinds: list[tuple[LpKind | RfqTraderKind, Bools]], values: Floats) -> Floats:
    return np.array([values[of].sum() for _, of in kinds], np.float64)
