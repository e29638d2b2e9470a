"""Is every figure a number? A look at all columns of a market: NaN nowhere, infinity only where a column means it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from seawall.protocols.errors import NumberError
from seawall.protocols.tables import UNITS, Table

ENDLESS = frozenset({"backings"})  # an array without columns: ratios without debt


def check(market: NamedTuple) -> None:
    """Raise `NumberError` naming tables and columns that hold NaN, or an infinity that they cannot mean."""
    found = list(faults(market))
    if found:
        raise NumberError("; ".join(found))


def faults(market: NamedTuple) -> Iterator[str]:
    """Every column with such a figure, in words, with the first row that has one."""
    for where, is_endless, values in _columns(market, ""):
        wrong = np.isnan(values) if is_endless else ~np.isfinite(values)
        if wrong.any():
            row = tuple(int(i) for i in np.argwhere(wrong)[0])
            yield f"{where} holds {values[row]} at {list(row)}"


def _columns(market: Any, above: str) -> Iterator[tuple[str, bool, Table]]:
    """Place, whether they may be infinite, and values of all columns of floats; a tuple inside a market (a book) included."""
    for name, table in zip(market._fields, market, strict=True):
        if isinstance(table, tuple):
            yield from _columns(table, f"{above}{name}.")
        elif table.dtype.names is None:
            if table.dtype.kind == "f":
                yield f"{above}{name}", name in ENDLESS, table
        else:
            meanings = _meanings(table.dtype.names)
            for column in table.dtype.names:
                if table[column].dtype.kind == "f":
                    yield f"{above}{name}.{column}", "infinite" in meanings[column], table[column]


def _meanings(columns: tuple[str, ...]) -> dict[str, str]:
    """What is written of each column where the table with these columns is defined."""
    return next(meanings for meanings in UNITS.values() if tuple(meanings) == columns)
