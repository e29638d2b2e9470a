"""Units of the columns of data frames, by their names, for `frame.attrs["units"]`."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

_BY_ENDING = {
    "_per_year": "per_year",
    "_usd": "USD",
    "_usd_seconds": "USD seconds",
    "_seconds": "seconds",
    "_s": "seconds",
    "_tokens": "tokens",
    "_texo": "tEXO",
    "_price": "USD per token",
    "_ratio": "fraction",
    "_premium": "fraction",
    "_discount": "fraction",
    "_share": "fraction",
    "_cdps": "count",
    "_lps": "count",
}
_BY_NAME = {
    "price": "USD per token",
    "seconds_called": "seconds",
    "low": "fraction",
    "high": "fraction",
    "share": "fraction",
    "cdps": "count",
    "count": "count",
    "liquidations": "count",
    "orders": "count",
    "paths": "count",
    "yes": "fraction",
    "no": "fraction",
    "abstain": "fraction",
}


def unit_of(column: str) -> str:
    """Unit of a column by its name, what follows a dot left out; empty for names, flags and what has none."""
    name = column.partition(".")[0]
    return _BY_NAME.get(name) or next((unit for ending, unit in _BY_ENDING.items() if name.endswith(ending)), "")


def with_units(frame: pd.DataFrame, known: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The same frame with `attrs["units"]`: the unit of each column that has one; units that are known go before names."""
    found = {str(column): (known or {}).get(str(column)) or unit_of(str(column)) for column in frame.columns}
    frame.attrs["units"] = {column: unit for column, unit in found.items() if unit}
    return frame
