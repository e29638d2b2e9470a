"""Chunks of an ensemble: a fixed range of path numbers, one Parquet file each, there whole or not at all.

One row per path: `path`, `log_weight`, `error_type` and `error` (null unless it failed), `figure.*` (float64, NaN where there is none),
`missing.figure` and `missing.why` (lists), `refused.action`, `refused.status`, `refused.count` (lists), `sum.*` and `moment.*` (float64),
and lists `series.*`, `markets.*`, `book.*` of thinned time series and `ratios.cdps` (null where none was kept). The schema's metadata say
which ensemble it belongs to, and group and unit of each figure; those of the file have its SHA-256 digest, by which a flipped bit is found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seawall.protocols.errors import SeawallError
from seawall.protocols.tables import Floats
from seawall.studies.one_path import COLUMNS, TABLES, TURN, Outcome
from seawall.studies.seal import ROOM, is_stamped, stamped
from seawall.studies.store import write

FIGURE, SUM, MOMENT = "figure.", "sum.", "moment."
_BELONGS, _UNITS, _DIGEST = b"seawall.ensemble", b"seawall.units", b"seawall.digest"


class SpoiltChunkError(SeawallError, ValueError):
    """A file of paths that is truncated, damaged, or of another ensemble; the text names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Paths `first` to `last`, and the file that holds them.

    Attributes:
        folder: of all chunks.
        first: number of its first path.
        last: number of its last path.
        ensemble: fingerprint of what the ensemble is bound to.
    """

    folder: Path
    first: int
    last: int
    ensemble: str

    @property
    def file(self) -> Path:
        """Where it is, or will be."""
        return self.folder / f"paths-{self.first:07}-{self.last:07}.parquet"

    @property
    def numbers(self) -> range:
        """Numbers of its paths."""
        return range(self.first, self.last + 1)


def divide(folder: Path, numbers: range, size: int, ensemble: str) -> list[Chunk]:
    """Chunks of `size` paths, the last one maybe shorter, in order."""
    return [Chunk(folder, some[0], some[-1], ensemble) for start in range(0, len(numbers), size) if (some := numbers[start : start + size])]


def write_chunk(chunk: Chunk, outcomes: Sequence[Outcome]) -> None:
    """Write the outcomes of a chunk's paths, in order of their numbers. Raises OSError where that is not possible."""
    sink = pa.BufferOutputStream()
    with TURN:
        table = as_table(outcomes, chunk.ensemble)
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)  # numbers hardly ever repeat
    content = stamped(sink.getvalue().to_pybytes())
    write(chunk.file, lambda part: part.write_bytes(content))


def as_table(outcomes: Sequence[Outcome], ensemble: str) -> pa.Table:
    """One row per path; columns in the order in which paths name them."""
    units = {name: unit for outcome in outcomes for name, unit in outcome.units.items()}
    # The room comes last of what stands there as it is: Arrow's own copy of all this, behind it, is in base64.
    metadata = {_BELONGS: ensemble.encode(), _UNITS: json.dumps(units).encode(), _DIGEST: ROOM}
    columns: dict[str, pa.Array] = {
        "path": pa.array([one.path for one in outcomes], pa.int64()),
        "log_weight": pa.array([one.log_weight for one in outcomes], pa.float64()),
        "error_type": pa.array([one.error and one.error[0] for one in outcomes], pa.string()),
        "error": pa.array([one.error and one.error[1] for one in outcomes], pa.string()),
        "missing.figure": pa.array([list(one.missing) for one in outcomes], pa.list_(pa.string())),
        "missing.why": pa.array([list(one.missing.values()) for one in outcomes], pa.list_(pa.string())),
        "refused.action": pa.array([[action for action, _ in one.refused] for one in outcomes], pa.list_(pa.string())),
        "refused.status": pa.array([[status for _, status in one.refused] for one in outcomes], pa.list_(pa.string())),
        "refused.count": pa.array([list(one.refused.values()) for one in outcomes], pa.list_(pa.int64())),
    }
    columns |= _numbers(FIGURE, [one.figures for one in outcomes])
    columns |= _numbers(SUM, [one.sums for one in outcomes]) | _numbers(MOMENT, [one.moments for one in outcomes])
    return pa.table(columns | _series(outcomes)).replace_schema_metadata(metadata)


def _numbers(prefix: str, rows: Sequence[dict[str, float]]) -> dict[str, pa.Array]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {prefix + name: pa.array([row.get(name, math.nan) for row in rows], pa.float64()) for name in names}


def _series(outcomes: Sequence[Outcome]) -> dict[str, pa.Array]:
    """List columns of those paths that kept a series."""
    names = dict.fromkeys(name for one in outcomes for name in one.series)
    labels = {f"{table}.{label}" for table, label in TABLES.items()}
    return {
        name: pa.array([one.series.get(name) for one in outcomes], pa.list_(pa.string() if name in labels else pa.float64()))
        for name in names
    }


def read_chunk(chunk: Chunk, columns: Sequence[str] | None = None) -> pa.Table:
    """A chunk's rows, its digest verified; of all columns or of those named that it has.

    Raises:
        SpoiltChunkError: it is not whole, or not of this ensemble.
        FileNotFoundError: it is not there.
    """
    with opened(chunk) as file:
        return rows_of(file, chunk, columns)


def rows_of(file: pq.ParquetFile, chunk: Chunk, columns: Sequence[str] | None = None) -> pa.Table:
    """Rows of an opened chunk. Raises as `read_chunk` does."""
    wanted = None if columns is None else [name for name in file.schema_arrow.names if name in {"path", *columns}]
    table = file.read(columns=wanted, use_threads=False)
    if "path" not in table.column_names or table["path"].to_pylist() != list(chunk.numbers):
        raise SpoiltChunkError(f"{chunk.file.name} does not hold paths {chunk.first} to {chunk.last}")
    return table


@contextmanager
def opened(chunk: Chunk) -> Iterator[pq.ParquetFile]:
    """A file that is, to the last bit, as it was written for this ensemble. Raises as `read_chunk` does."""
    if chunk.file.exists() and not chunk.file.is_file():  # nobody waits for a pipe
        raise SpoiltChunkError(f"{chunk.file.name} cannot be read: it is no file")
    try:
        content = chunk.file.read_bytes()
        if not is_stamped(content):
            raise SpoiltChunkError(f"{chunk.file.name} is not as it was written: its SHA-256 digest is another than the one in it")
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            if (file.schema_arrow.metadata or {}).get(_BELONGS) != chunk.ensemble.encode():
                raise SpoiltChunkError(f"{chunk.file.name} belongs to another ensemble")
            yield file
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise SpoiltChunkError(f"{chunk.file.name} cannot be read: {str(error).splitlines()[0]}") from None


def lists(column: pa.ChunkedArray) -> Floats:
    """A column of lists of numbers, all of one length, as `[paths, numbers]`."""
    found: Floats = column.combine_chunks().flatten().to_numpy().reshape(len(column), -1 if len(column) else 0)
    return found


def units_of(table: pa.Table) -> dict[str, tuple[str, str]]:
    """(group, unit) of each figure of a chunk, by name."""
    return {name: (group, unit) for name, (group, unit) in json.loads(table.schema.metadata[_UNITS]).items()}


def column_names(table: str) -> Iterator[str]:
    """Columns of a thinned time series in a chunk, its times and names of rows first."""
    yield from (f"{table}.time_s", f"{table}.{TABLES[table]}", *(f"{table}.{column}" for column in COLUMNS[table]))


def measure_values(table: pa.Table) -> dict[str, Floats]:
    """Figures and sums of a chunk by name, `[paths]` each: what an expression may name."""
    return {
        name.removeprefix(prefix): table[name].to_numpy()
        for prefix in (FIGURE, SUM)
        for name in table.column_names
        if name.startswith(prefix)
    }
