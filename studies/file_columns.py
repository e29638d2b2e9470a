"""Columns that files of results must have, and what stands in each: a reader is told by name what is missing or of another kind.

A file may have further columns. Frames without rows may have any type: there is nothing in them to be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from seawall.studies.seal import NoRunError

Kind = Literal["text", "flag", "figure", "number", "count", "any"]
"""What stands in each row: a text; true or false; a number, or NaN or null where there is none; a number; a whole one, >= 0; anything."""

_TEXT = ["tasset", "market", "pool", "asset", "kind", "strategy", "action", "status", "change", "outcome", "table", "name", "column"]
_FLAGS = ["oracle_fresh", "market_open", "is_delisted", "failed"]
_NUMBERS = ["time_s", "path", "log_weight", "paths", "low", "high", "cdps", "count", "open_cdps", "proposed_s"]
_KINDS: dict[str, Kind] = {
    **{name: "text" for name in _TEXT},
    **{name: "flag" for name in _FLAGS},
    **{name: "number" for name in _NUMBERS},
}
_SAID: dict[Kind, str] = {
    "text": "must have a text in each row",
    "flag": "must be true or false in each row",
    "figure": "must have numbers",
    "number": "must have a number in each row",
    "count": "must have a whole number in each row, 0 or more",
}

RUN = {
    "series": (
        "time_s tasset market_price oracle_price oracle_fresh market_open amm_price amm_premium collateral_usd debt_usd debt_tokens"
        " system_collateral_ratio min_collateral_ratio is_delisted shortfall_usd insolvent_cdps margin_called_cdps open_cdps bad_debt_usd"
        " liquidated_debt_usd liquidations volume_usd lp_fees_usd pool_usd"
    ),
    "ratios": "time_s tasset low high cdps",
    "refusals": "time_s action status count",
    "liquidations": "time_s tasset cdp liquidator burned_tokens burned_usd sold_usd price seconds_called bad_debt_usd",
    "rewards": "time_s texo_price_usd staked_texo fees_sold_usd fees_paid_texo inflation_texo lp_rewards_texo",
    "polls": "proposed_s tasset change value yes no abstain outcome executed_s",
    "owners": "strategy owners start_usd gain_usd",
    "markets": (
        "time_s market index_price market_price skew skew_usd open_interest_usd open_positions funding_rate_per_day traders_own_usd"
        " total_debt_usd credit_left_usd delegated_usd margin_usd lp_order_fees_usd lp_price_impact_usd lp_funding_usd lp_price_gain_usd"
        " lp_liquidation_gain_usd volume_usd liquidations liquidated_usd"
    ),
    "pools": "time_s pool value_usd debt_usd collateral_ratio min_collateral_ratio lps yield_per_year siphoned_usd",
    "exchange_traders": "kind traders start_usd gain_usd liquidations",
    "exchange_lps": "pool lps value_usd debt_usd gain_usd",
    "book": (
        "time_s asset oracle_price oracle_age_s market_price balance_tokens payable_tokens payable_usd lps best_discount settled_usd"
        " fees_usd stale_loss_usd ordered_usd filled_usd"
    ),
    "rfq_lps": "kind lps start_usd settled_usd fees_usd stale_loss_usd gain_usd fills rep",
    "rfq_flows": "kind orders filled ordered_usd filled_usd cost_usd mean_wait_s",
}
"""Columns of each frame of a single run, by its name in `store.FRAMES`."""
ENSEMBLE = {
    "measures": "path log_weight failed",
    "sums": "path log_weight failed",
    "moments": "path log_weight failed",
    "bands": "table name column time_s paths mean q05 q25 q50 q75 q95",
    "ratios": "time_s tasset low high share paths",
    "refusals": "action status count paths",
}
"""Columns of each frame of an ensemble; the first three have a column per figure beside."""


def of_run(name: str) -> dict[str, Kind]:
    """Columns of a frame of a single run, by its name in `store.FRAMES`."""
    return _by_name(RUN[name])


def of_ensemble(name: str) -> dict[str, Kind]:
    """Columns of a frame of an ensemble, by the name of its file without the ending."""
    return _by_name(ENSEMBLE[name])


def _by_name(columns: str) -> dict[str, Kind]:
    return {column: _KINDS.get(column, "figure") for column in columns.split()}


def checked(file: Path, frame: pd.DataFrame, columns: Mapping[str, Kind]) -> pd.DataFrame:
    """The same frame, if it has these columns and each holds what it should.

    Raises:
        NoRunError: it has not; the text names file and column.
    """
    if not frame.columns.is_unique:
        raise NoRunError(f"{file}: has two columns {frame.columns[frame.columns.duplicated()][0]!r}")
    for name, kind in columns.items():
        if name not in frame:
            raise NoRunError(f"{file}: has no column {name!r}")
        if len(frame) and not _holds(frame[name], kind):
            raise NoRunError(f"{file}: column {name!r} {_SAID[kind]}")
    return frame


def _holds(column: pd.Series[float], kind: Kind) -> bool:
    kinds, has_gaps = pd.api.types, bool(column.isna().any())
    match kind:
        case "text":
            return kinds.is_string_dtype(column) and not has_gaps
        case "flag":
            return kinds.is_bool_dtype(column) and not has_gaps
        case "figure":
            return _is_numeric(column) or bool(column.isna().all())
        case "number":
            return _is_numeric(column) and not has_gaps
        case "count":
            return kinds.is_integer_dtype(column) and not has_gaps and column.min() >= 0
        case "any":
            return True


def _is_numeric(column: pd.Series[float]) -> bool:
    kinds = pd.api.types
    return kinds.is_integer_dtype(column) or kinds.is_float_dtype(column)
