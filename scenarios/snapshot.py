"""Starting positions from a real market: collateral and debt of each owner, read from a CSV or Parquet file by a mapping of columns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import Field, StrictBool, model_validator

from seawall.protocols.errors import Fault, PriceFileError, ScenarioError
from seawall.protocols.tables import Bools, Floats, Ints
from seawall.scenarios.fields import FileName, Positive, Ratio, Text, Within
from seawall.scenarios.parts import Part

if TYPE_CHECKING:
    from seawall.scenarios.text_table import Cells, Faults

FAR = 1e6  # collateral over debt beyond which a position is a slip of units (assumption), as debts below `min_debt_usd` are left out
MAX_NAMES = 20  # of those present in a file, when one is not


class PositionColumns(Part):
    """Where collateral and debt are found, and in what they are counted: in tokens where a price is given, in USD where none is."""

    collateral: Text
    collateral_price_usd: Text | Positive | None = Field(default=None, description="column, or USD a token; USD already if left out")
    cash_usd: Text | None = Field(default=None, description="column of collateral in USD besides, such as what was liquidated in part")
    debt: Text
    debt_price_usd: Text | Positive | None = Field(default=None, description="column, or USD a token; USD already if left out")

    def names(self) -> list[str]:
        """Columns to read, some perhaps twice."""
        named = (self.collateral, self.collateral_price_usd, self.cash_usd, self.debt, self.debt_price_usd)
        return [name for name in named if isinstance(name, str)]


class PositionsFile(Part):
    """Positions of a real market at one time, as owners of CDPs start with."""

    file: FileName
    columns: PositionColumns
    where: dict[Text, Text | StrictBool | float] = Field(
        default_factory=dict,
        max_length=16,
        description="column: value; only rows that hold them all are read, numbers as numbers",
    )
    min_debt_usd: Positive = Field(default=1.0, description="smaller debts are dust, left out")
    scale: Positive = Field(default=1.0, description="collateral and debt times this; ratios stay as they are")
    least_ratio: Ratio | None = Field(
        default=None, description="positions below it, or below a tASSET's minimum, are left out; refused if it is left out"
    )
    max_rows: Annotated[int, Within("[1, 1000000]")] = Field(default=100_000, description="of more positions the largest debts are taken")

    @model_validator(mode="after")
    def _one_role_each(self) -> Self:
        if self.columns.collateral == self.columns.debt:
            raise ValueError(f"columns names {self.columns.debt!r} as collateral and as debt")
        return self


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions in the order of the file, `[positions]` each, and what was left out.

    Attributes:
        collateral_usd: USD, > 0.
        debt_usd: USD, >= min_debt_usd x scale.
        lines: line of each in the file (of Parquet, row).
        others: rows that `where` leaves out.
        dust: positions with a debt below `min_debt_usd`.
        beyond: positions beyond `max_rows`.
        digest: SHA-256 of the bytes that they were read from, hex digits.
    """

    collateral_usd: Floats
    debt_usd: Floats
    lines: Ints
    others: int
    dust: int
    beyond: int
    digest: str

    @property
    def ratio(self) -> Floats:
        """Collateral over debt, > 0; below the market's minimum where a position awaits its liquidation."""
        return self.collateral_usd / self.debt_usd


def read_positions(spec: PositionsFile, file: Path) -> Positions:
    """Positions of a file.

    Args:
        spec: which columns and rows to read.
        file: where the file was found: a .csv (UTF-8, comma, one header line) or .parquet file, at most 256 MiB.

    Raises:
        ScenarioError: the file cannot be read; no row is left; or, of the rows that `where` keeps, an amount or a price is no number or
            negative, a position of more than dust has no collateral, or more than a million times its debt. Each with its line.
    """
    from seawall.scenarios.text_table import cells_of, read_content

    try:
        content = read_content(file, use="read")
        text, broken = cells_of(file, content, [*spec.columns.names(), *spec.where], use="read")
    except PriceFileError as error:
        raise ScenarioError([_whole(file, error)]) from None
    kept = _where(spec, text)
    _refuse(file, broken + _absent(spec, text))
    rows = text.only(kept)
    collateral, debt, faults = _amounts(spec.columns, rows)
    _refuse(file, faults)
    large = debt >= spec.min_debt_usd
    _refuse(file, _impossible(spec, rows, collateral, debt, large))
    if not large.any():
        _refuse(file, [(0, f"none of its {len(text.cells)} rows is a position with a debt of {spec.min_debt_usd:g} USD or more")])
    chosen = _largest(debt, large, spec.max_rows)
    return Positions(
        collateral_usd=collateral[chosen] * spec.scale,
        debt_usd=debt[chosen] * spec.scale,
        lines=rows.numbers[chosen],
        others=int((~kept).sum()),
        dust=int((~large).sum()),
        beyond=int(large.sum()) - len(chosen),
        digest=hashlib.sha256(content).hexdigest(),
    )


def _whole(file: Path, error: PriceFileError) -> Fault:
    """A fault of the file as a whole, whose name the message gives already."""
    return Fault(str(file), None, "", str(error).replace(f"{file}: ", ""))


def _refuse(file: Path, faults: Faults) -> None:
    from seawall.scenarios.text_table import MAX_FAULTS

    if faults:
        ordered = sorted(set(faults))
        told = [Fault(str(file), number or None, "", said) for number, said in ordered[:MAX_FAULTS]]
        more = [Fault(str(file), None, "", "and more")] if len(ordered) > MAX_FAULTS else []
        raise ScenarioError(told + more)


def _where(spec: PositionsFile, text: Cells) -> Bools:
    kept = np.ones(len(text.cells), dtype=np.bool_)
    for column, value in spec.where.items():
        kept &= _equal(text, column, value)
    return kept


def _equal(text: Cells, column: str, value: str | bool | float) -> Bools:
    if isinstance(value, bool):
        return (text.cells[column].str.lower() == str(value).lower()).to_numpy(dtype=np.bool_)
    if isinstance(value, str):
        return (text.cells[column] == value).to_numpy(dtype=np.bool_)
    return np.asarray(text.values(column) == value)


def _absent(spec: PositionsFile, text: Cells) -> Faults:
    """Values of `where` that no row has."""
    faults = []
    for column, value in spec.where.items():
        if not _equal(text, column, value).any():
            present = sorted(set(text.cells[column]))
            shown = ", ".join(map(repr, present[:MAX_NAMES])) + (", ..." if len(present) > MAX_NAMES else "")
            faults.append((0, f"{column}: no row of {value!r}; present are {shown}"))
    return faults


def _amounts(columns: PositionColumns, rows: Cells) -> tuple[Floats, Floats, Faults]:
    """Collateral and debt in USD, and cells that are no amounts."""
    faults = [fault for column in dict.fromkeys(columns.names()) for fault in _not_amounts(rows, column)]
    collateral = _in_usd(rows, columns.collateral, columns.collateral_price_usd)
    if columns.cash_usd is not None:
        collateral = collateral + rows.values(columns.cash_usd)
    return collateral, _in_usd(rows, columns.debt, columns.debt_price_usd), faults


def _in_usd(rows: Cells, amount: str, price: str | float | None) -> Floats:
    if price is None:
        return rows.values(amount)
    return rows.values(amount) * (rows.values(price) if isinstance(price, str) else price)


def _not_amounts(rows: Cells, column: str) -> Faults:
    cells, values = rows.cells[column], rows.values(column)
    bad = ~(np.isfinite(values) & (values >= 0))
    return rows.faults(bad, column, lambda row: f"{cells[row]!r} is not an amount; write a finite number >= 0")


def _impossible(spec: PositionsFile, rows: Cells, collateral: Floats, debt: Floats, large: Bools) -> Faults:
    column = spec.columns.collateral
    none, far = large & (collateral <= 0), large & (collateral > FAR * debt)
    return [
        *rows.faults(none, column, lambda row: f"a debt of {debt[row]:g} USD has no collateral"),
        *rows.faults(far, column, lambda row: f"{collateral[row]:g} USD are more than {FAR:g} times the debt of {debt[row]:g} USD"),
    ]


def _largest(debt: Floats, large: Bools, most: int) -> Ints:
    """Rows of the largest debts, in the order of the file; of equal debts the earlier."""
    ranked = np.argsort(-np.where(large, debt, -1.0), kind="stable")
    return np.sort(ranked[: min(most, int(large.sum()))])
