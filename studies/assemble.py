"""From chunks to the files of a whole ensemble. Nothing but the chunks goes in, so the bytes do not depend on how they came to be.

`measures.parquet` has a row per path, and so have `sums.parquet`, what ratios over all paths are made of, and `moments.parquet`, what
prices turned out to be; `bands.parquet` has quantiles over paths of each time series, `ratios.parquet` the share of CDPs by collateral
ratio over time, `refusals.parquet` what was refused, `summary.json` each figure over all paths.
"""

from __future__ import annotations

import json
import math
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seawall.protocols.tables import Floats
from seawall.studies.chunks import FIGURE, MOMENT, SUM, Chunk, column_names, read_chunk, units_of
from seawall.studies.one_path import COLUMNS, TABLES
from seawall.studies.ratio_shares import ratio_shares
from seawall.studies.store import MEASURES, SUMMARY, write

BANDS, MOMENTS, RATIOS, REFUSALS, SUMS = "bands.parquet", "moments.parquet", "ratios.parquet", "refusals.parquet", "sums.parquet"
LEVELS = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
"""Quantiles over paths, by column of `bands.parquet`."""
_CHUNKS_AT_ONCE = 200  # bounds the memory, however many paths there are


def assemble(chunks: Sequence[Chunk], folder: Path) -> None:
    """Write all files of an ensemble but its manifest."""
    schemas = [pq.read_schema(chunk.file) for chunk in chunks]
    _write_rows(chunks, folder / MEASURES, _named(schemas, FIGURE), len(FIGURE))
    _write_rows(chunks, folder / SUMS, _named(schemas, SUM), len(SUM))
    _write_rows(chunks, folder / MOMENTS, _named(schemas, MOMENT), len(MOMENT))
    weights = pd.read_parquet(folder / MEASURES, columns=["path", "log_weight"]).set_index("path")["log_weight"]
    _write(pd.concat(_bands(chunks, weights), ignore_index=True), folder / BANDS)
    _write(ratio_shares(chunks, _first_series(chunks, "series"), weights), folder / RATIOS)
    _write(refusals(chunks), folder / REFUSALS)
    text = json.dumps(summarise(chunks, folder / MEASURES), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write(folder / SUMMARY, lambda file: file.write_text(text, encoding="utf-8"))


def _named(schemas: Sequence[pa.Schema], prefix: str) -> list[str]:
    """Columns of that kind in any chunk: a figure may be there on some paths only."""
    return list(dict.fromkeys(name for schema in schemas for name in schema.names if name.startswith(prefix)))


def _write(frame: pd.DataFrame, file: Path) -> None:
    write(file, partial(frame.to_parquet, index=False))


def _write_rows(chunks: Sequence[Chunk], file: Path, names: list[str], skipped: int) -> None:
    """One row per path: its number, log weight, whether it failed, and columns `names` without their first letters."""
    schema = pa.schema(
        [("path", pa.int64()), ("log_weight", pa.float64()), ("failed", pa.bool_()), *((name[skipped:], pa.float64()) for name in names)]
    )

    def fill(part: Path) -> None:
        rest = iter(chunks)
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            while some := list(islice(rest, _CHUNKS_AT_ONCE)):
                writer.write_table(pa.concat_tables(_rows(chunk, names, schema) for chunk in some).combine_chunks())

    write(file, fill)


def _rows(chunk: Chunk, names: list[str], schema: pa.Schema) -> pa.Table:
    table = read_chunk(chunk, ["log_weight", "error_type", *names])
    nothing = pa.array(np.full(len(table), math.nan))
    columns = [table[name] if name in table.column_names else nothing for name in names]
    return pa.table([table["path"], table["log_weight"], table["error_type"].is_valid(), *columns], schema=schema)


def _bands(chunks: Sequence[Chunk], weights: pd.Series[float]) -> Iterator[pd.DataFrame]:
    """Quantiles over paths of one column after the other, so that one column of all paths is in memory at a time."""
    yield pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _BAND_TYPES.items()})
    for table in TABLES:
        labelled = _first_series(chunks, table)
        if labelled is not None:
            for column in COLUMNS[table]:
                yield _band(chunks, table, column, labelled, weights)


_BAND_TYPES: dict[str, Any] = {"table": "str", "name": "str", "column": "str", "time_s": "float64", "paths": "int64", "mean": "float64"} | {
    name: "float64" for name in LEVELS
}


def _first_series(chunks: Sequence[Chunk], table: str) -> tuple[Floats, list[str]] | None:
    """Times and names of the records of a table; None where no path kept any."""
    times, names, *_ = column_names(table)
    for chunk in chunks:
        found = read_chunk(chunk, [times, names]).drop_columns("path")
        rows = found.drop_null() if times in found.column_names else found.slice(0, 0)
        if len(rows):
            return np.array(rows[times][0].as_py()), rows[names][0].as_py()
    return None


def _band(chunks: Sequence[Chunk], table: str, column: str, labelled: tuple[Floats, list[str]], weights: pd.Series[float]) -> pd.DataFrame:
    name = f"{table}.{column}"
    found = [rows for chunk in chunks if name in (rows := read_chunk(chunk, [name])).column_names]
    rows = pa.concat_tables(found).drop_null()
    values = np.stack([value.values.to_numpy() for value in rows[name]])
    mean, *levels = spread(values, weights.loc[rows["path"].to_numpy()].to_numpy(np.float64))
    times, names = labelled
    known = np.isfinite(values).sum(axis=0)
    fixed = {"table": table, "name": names, "column": column, "time_s": times, "paths": known, "mean": mean}
    return pd.DataFrame(fixed | dict(zip(LEVELS, levels, strict=True))).astype(_BAND_TYPES)


def spread(values: Floats, log_weights: Floats) -> list[Floats]:
    """Mean and quantiles `LEVELS` over the first axis of what is not NaN; NaN where nothing is.

    Args:
        values: `[paths, ...]`.
        log_weights: `[paths]`.
    """
    levels = list(LEVELS.values())
    values = np.where(np.isfinite(values), values, math.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy warns of columns without any value, for which NaN is the answer
        if not log_weights.any():
            return [np.nanmean(values, axis=0), *np.nanquantile(values, levels, axis=0)]
        weights = np.exp(log_weights - log_weights.max()).reshape(-1, *[1] * (values.ndim - 1)) * np.ones_like(values)
        mean = np.nansum(values * weights, axis=0) / np.where(np.isnan(values), 0.0, weights).sum(axis=0)
        return [mean, *np.nanquantile(values, levels, axis=0, weights=weights, method="inverted_cdf")]


def refusals(chunks: Sequence[Chunk]) -> pd.DataFrame:
    """How often what was refused for which reason on all paths, and on how many of them: action, status, count, paths."""
    count: Counter[tuple[str, str]] = Counter()
    paths: Counter[tuple[str, str]] = Counter()
    for chunk in chunks:
        table = read_chunk(chunk, ["refused.action", "refused.status", "refused.count"])
        for actions, statuses, counts in zip(*(table[name].to_pylist() for name in table.column_names[1:]), strict=True):
            for key, times in zip(zip(actions, statuses, strict=True), counts, strict=True):
                count[key] += times
                paths[key] += 1
    keys = sorted(count)
    return pd.DataFrame(
        {
            "action": pd.Series([action for action, _ in keys], dtype="str"),
            "status": pd.Series([status for _, status in keys], dtype="str"),
            "count": pd.Series([count[key] for key in keys], dtype="int64"),
            "paths": pd.Series([paths[key] for key in keys], dtype="int64"),
        }
    )


def summarise(chunks: Sequence[Chunk], measures: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Each figure over all paths, by group and name.

    `value` is the mean over the `paths` that have it, `least` and `most` the extremes, `q05` to `q95` quantiles; null with `why` where no
    path has it. `missing` counts paths without it, by reason. Failed paths are in none of it.
    """
    units, missing = _units_and_missing(chunks)
    fixed = pq.read_table(measures, columns=["log_weight", "failed"], use_threads=False)
    log_weights, played = fixed["log_weight"].to_numpy(), ~fixed["failed"].to_numpy()
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, (group, unit) in units.items():
        values = pq.read_table(measures, columns=[name], use_threads=False)[name].to_numpy()
        entry = _entry(values[played], log_weights[played], unit)
        whys = missing.get(name, Counter())
        if entry["value"] is None:
            entry["why"] = whys.most_common(1)[0][0] if whys else "not a finite number"
        found.setdefault(group, {})[name] = entry | {"missing": dict(sorted(whys.items()))}
    return found


def _units_and_missing(chunks: Sequence[Chunk]) -> tuple[dict[str, tuple[str, str]], dict[str, Counter[str]]]:
    units: dict[str, tuple[str, str]] = {}
    missing: dict[str, Counter[str]] = {}
    for chunk in chunks:
        table = read_chunk(chunk, ["missing.figure", "missing.why"])
        units |= {name: unit for name, unit in units_of(table).items() if name not in units}
        for figures, whys in zip(table["missing.figure"].to_pylist(), table["missing.why"].to_pylist(), strict=True):
            for figure, why in zip(figures, whys, strict=True):
                missing.setdefault(figure, Counter())[why] += 1
    return units, missing


def _entry(values: Floats, log_weights: Floats, unit: str) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return {"value": None, "unit": unit, "paths": 0}
    mean, *levels = (float(number) for number in spread(values, log_weights))
    extremes = {"least": float(known.min()), "most": float(known.max())}
    return {"value": mean, "unit": unit, "paths": len(known), **extremes, **dict(zip(LEVELS, levels, strict=True))}
