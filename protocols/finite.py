"""Is every figure a number? A look at all columns of a market: NaN nowhere, infinity only where a column means it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from seawall.protocols.errors import NumberError
from seawall.protocols.tables import UNITS, Table

ENDLESS_UNITS = ("seconds", "fraction", "collateral per token")  # a time that never comes, a limit that is none, a ratio without debt
ENDLESS = frozenset({"high", "safe_high", "backings"})  # upper ends of ranges of prices; ratios without debt


def check(market: NamedTuple) -> None:
    """Raise `NumberError` naming tables and columns that hold NaN, or an infinity that they cannot mean."""
    found = list(faults(market))
    if found:
        raise NumberError("; ".join(found))


def faults(market: NamedTuple) -> Iterator[str]:
    """Every column with such a figure, in words, with the first row that has one."""
    for where, column, values in _columns(market, ""):
        wrong = np.isnan(values) if may_be_endless(column) else ~np.isfinite(values)
        if wrong.any():
            row = tuple(int(i) for i in np.argwhere(wrong)[0])
            yield f"{where} holds {values[row]} at {list(row)}"


def may_be_endless(column: str) -> bool:
    """Tell whether a column of this name may be infinite, by what is written of it where its table is defined."""
    told = (table[column] for table in UNITS.values() if column in table)
    return column in ENDLESS or any("infinite" in meaning or meaning.startswith(ENDLESS_UNITS) for meaning in told)


def _columns(market: Any, above: str) -> Iterator[tuple[str, str, Table]]:
    """Place, name and values of all columns of floats; a tuple inside a market (a book) included."""
    for name, table in zip(market._fields, market, strict=True):
        if isinstance(table, tuple):
            yield from _columns(table, f"{above}{name}.")
        elif table.dtype.names is None:
            if table.dtype.kind == "f":
                yield f"{above}{name}", name, table
        else:
            for column in table.dtype.names:
                if table[column].dtype.kind == "f":
                    yield f"{above}{name}.{column}", column, table[column]
