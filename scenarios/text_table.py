"""A CSV or Parquet file as text, with the number of every row, so that whatever is wrong can be named by line, column and value.

Nothing in a file is ever executed. A file is either right or refused: the first ten faults in the order of the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from seawall.protocols.errors import PriceFileError
from seawall.protocols.tables import Bools, Floats, Ints

MAX_BYTES = 256 * 2**20
MAX_ROWS = 10_000_000  # 19 years of minutes: of a file's rows (Parquet can hide many in few bytes) and of the path's
MAX_FAULTS = 10

Faults = list[tuple[int, str]]
"""Number of a row in the file (0 for the whole file), and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The wanted columns as text, `[rows]`, and the number each row has in the file, which counts lines or rows."""

    cells: pd.DataFrame
    numbers: Ints
    unit: str

    def place(self, row: int) -> str:
        """Where a row is, in words."""
        return f"{self.unit} {self.numbers[row]}"

    def values(self, column: str) -> Floats:
        """Numbers of a column, `[rows]`; NaN where the text is no number."""
        return pd.to_numeric(self.cells[column], errors="coerce").to_numpy(dtype=np.float64)

    def given(self, column: str) -> Bools:
        """Which cells of a column are not empty, `[rows]`."""
        return (self.cells[column] != "").to_numpy(dtype=np.bool_)

    def only(self, rows: Bools) -> Cells:
        """The marked rows, with the numbers they had."""
        return Cells(self.cells[rows].reset_index(drop=True), self.numbers[rows], self.unit)

    def faults(self, rows: Bools, column: str, say: Callable[[int], str]) -> Faults:
        """One fault a marked row, of the first few: its number in the file, and what is wrong."""
        return [(int(self.numbers[row]), f"{column}: {say(row)}") for row in np.flatnonzero(rows)[: MAX_FAULTS + 1].tolist()]


def read_cells(file: Path, wanted: Iterable[str], *, use: str = "replayed") -> tuple[Cells, Faults]:
    """The wanted columns of a file, and the rows that are not even rows.

    Args:
        file: a .csv (UTF-8, comma, one header line) or .parquet file, at most `MAX_BYTES` and `MAX_ROWS`.
        wanted: names of columns; a name may come more than once.
        use: what the file is wanted for, as a refusal words it.

    Raises:
        PriceFileError: the file is of another kind, missing, too large or not readable, or a column is missing or there twice.
    """
    return cells_of(file, read_content(file, use=use), wanted, use=use)


def cells_of(file: Path, content: bytes, wanted: Iterable[str], *, use: str = "replayed") -> tuple[Cells, Faults]:
    """As `read_cells`, of a file whose bytes are at hand."""
    try:
        return _read_csv(file, content, wanted, use) if file.suffix == ".csv" else _read_parquet(file, content, wanted, use)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error, OSError) as error:
        raise PriceFileError(f"{file}: cannot be read as {file.suffix}: {error}") from error


def read_content(file: Path, *, use: str = "replayed") -> bytes:
    """All bytes of a file. Refuses (PriceFileError) what is no table by name, no plain file (a pipe would be waited for), too large."""
    if file.suffix not in (".csv", ".parquet"):
        raise PriceFileError(f"{file}: the name ends in {file.suffix!r}; only .csv and .parquet can be {use}")
    try:
        if not file.is_file():
            raise PriceFileError(f"{file}: no such file")
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise PriceFileError(f"{file}: has {size} bytes; at most {MAX_BYTES} can be {use}")
        return file.read_bytes()
    except OSError as error:
        raise PriceFileError(f"{file}: cannot be read: {error.strerror}") from None


def _read_csv(file: Path, content: bytes, names_wanted: Iterable[str], use: str) -> tuple[Cells, Faults]:
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="") as lines:
        names = next(csv.reader(lines), [])
    wanted = _found(file, names_wanted, names)
    faults: Faults = []

    def broken(row: arrow_csv.InvalidRow) -> str:
        faults.append((row.number, f"{row.text[:80]!r} has {row.actual_columns} columns; the header has {row.expected_columns}"))
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        # One thread, because only then are broken rows numbered.
        read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False),
        parse_options=arrow_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=broken),
        convert_options=arrow_csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())),
    )
    _refuse_rows(file, table.num_rows, use)
    lines_of_file = np.arange(2, 2 + table.num_rows + len(faults))  # the header is line 1
    return Cells(table.to_pandas(), np.setdiff1d(lines_of_file, [number for number, _ in faults]), "line"), faults


def _read_parquet(file: Path, content: bytes, names_wanted: Iterable[str], use: str) -> tuple[Cells, Faults]:
    with parquet.ParquetFile(pa.BufferReader(content)) as opened:
        wanted = _found(file, names_wanted, opened.schema_arrow.names)
        _refuse_rows(file, opened.metadata.num_rows, use)  # before they are unpacked
        table = opened.read(columns=wanted)
    # As text, so that one set of checks serves both kinds of file.
    cells = pd.DataFrame({name: table[name].cast(pa.string()).fill_null("").to_pandas() for name in wanted})
    return Cells(cells, np.arange(1, 1 + len(cells)), "row"), []


def _refuse_rows(file: Path, rows: int, use: str) -> None:
    if rows > MAX_ROWS:
        raise PriceFileError(f"{file}: has {rows} rows; at most {MAX_ROWS} can be {use}")


def _found(file: Path, names_wanted: Iterable[str], names: Sequence[str]) -> list[str]:
    """Names of the columns to read, each once; refuses those that the file lacks or has twice."""
    wanted = list(dict.fromkeys(names_wanted))
    wrong = {name: "is missing" if name not in names else "is there twice" for name in wanted if list(names).count(name) != 1}
    if wrong:
        present = ", ".join(map(repr, names)) or "none"
        raise PriceFileError("\n".join(f"{file}: column {name!r} {why}; present are {present}" for name, why in wrong.items()))
    return wanted


def previous(good: Bools) -> Ints:
    """For every good row the good row before it; for the first and for all others the row itself."""
    before, rows = np.arange(len(good)), np.flatnonzero(good)
    before[rows[1:]] = rows[:-1]
    return before


def first_faults(file: Path, faults: Faults) -> list[str]:
    """The faults as text, in the order of the file, the first ten; the same fault once."""
    where = str(file) + (":" if file.suffix == ".csv" else ": row ")
    lines = [f"{where}{number}: {said}" if number else f"{file}: {said}" for number, said in sorted(set(faults))]
    return lines[:MAX_FAULTS] + ["... and more"] * (len(lines) > MAX_FAULTS)


def refuse(file: Path, faults: Faults) -> None:
    """Raise PriceFileError if there are faults."""
    if faults:
        raise PriceFileError("\n".join(first_faults(file, faults)))
