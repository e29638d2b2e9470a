"""Time series over all paths: at each moment the mean and quantiles of what the paths had then."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from seawall.protocols.tables import Floats
from seawall.studies.chunks import Chunk, lists, read_chunk
from seawall.studies.one_path import COLUMNS, TABLES

Labels = tuple[Floats, list[str]]
"""Time in seconds, and name of the row, of each record of a table."""

LEVELS = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
"""Quantiles over paths, by column of `bands.parquet`."""
_TYPES: dict[str, Any] = {"table": "str", "name": "str", "column": "str", "time_s": "float64", "paths": "int64", "mean": "float64"} | {
    name: "float64" for name in LEVELS
}
_MOST_BYTES = 256_000_000  # of columns in memory together: a chunk is read and checked as a whole, so few columns at a time are dear


def bands(chunks: Sequence[Chunk], labels: Mapping[str, Labels], log_weights: pd.Series[float]) -> pd.DataFrame:
    """Mean and quantiles `LEVELS` over paths of every time series, record by record.

    Args:
        chunks: those of which some path kept a series.
        labels: of the records of each table of which some path kept a series.
        log_weights: of every path, by its number.

    Returns:
        `table`, `name`, `column`, `time_s`, `paths` (that have a value then), `mean`, and a column per level.
    """
    frames = [pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _TYPES.items()})]
    for table in (table for table in TABLES if table in labels):
        for columns in _together(table, labels[table], sum(len(chunk.numbers) for chunk in chunks)):
            numbers, found = _read(chunks, columns)
            weights = np.asarray(log_weights.loc[numbers], dtype=np.float64)
            frames += [_band(table, column, labels[table], values, weights) for column, values in zip(columns, found, strict=True)]
    return pd.concat(frames, ignore_index=True)


def _together(table: str, labels: Labels, paths: int) -> Iterator[list[str]]:
    """Names of a table's columns, as many at a time as `_MOST_BYTES` allow, one at least."""
    names = [f"{table}.{column}" for column in COLUMNS[table]]
    each = max(_MOST_BYTES // (8 * len(labels[0]) * paths), 1)
    for start in range(0, len(names), each):
        yield names[start : start + each]


def _read(chunks: Sequence[Chunk], columns: list[str]) -> tuple[list[int], list[Floats]]:
    """Numbers of the paths that kept a series, and `[paths, records]` of each column."""
    numbers: list[int] = []
    values: list[list[Floats]] = [[] for _ in columns]
    for chunk in chunks:
        rows: pa.Table = read_chunk(chunk, columns)
        if columns[0] not in rows.column_names:
            continue
        rows = rows.drop_null()
        numbers += rows["path"].to_pylist()
        for kept, column in zip(values, columns, strict=True):
            kept.append(lists(rows[column]))
    return numbers, [np.concatenate(kept) for kept in values]


def _band(table: str, name: str, labels: Labels, values: Floats, log_weights: Floats) -> pd.DataFrame:
    mean, *levels = spread(values, log_weights)
    times, names = labels
    known = np.isfinite(values).sum(axis=0)
    fixed = {"table": table, "name": names, "column": name.removeprefix(f"{table}."), "time_s": times, "paths": known, "mean": mean}
    return pd.DataFrame(fixed | dict(zip(LEVELS, levels, strict=True))).astype(_TYPES)


def spread(values: Floats, log_weights: Floats) -> list[Floats]:
    """Mean and quantiles `LEVELS` over the first axis of what is not NaN; NaN where nothing is.

    Args:
        values: `[paths, ...]`.
        log_weights: `[paths]`.
    """
    levels = list(LEVELS.values())
    if np.isfinite(values).all() and not log_weights.any():
        return [values.mean(axis=0), *np.quantile(values, levels, axis=0)]  # the same figures in a tenth of the time
    values = np.where(np.isfinite(values), values, math.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy warns of columns without any value, for which NaN is the answer
        if not log_weights.any():
            return [np.nanmean(values, axis=0), *np.nanquantile(values, levels, axis=0)]
        weights = np.exp(log_weights - log_weights.max()).reshape(-1, *[1] * (values.ndim - 1)) * np.ones_like(values)
        mean = np.nansum(values * weights, axis=0) / np.where(np.isnan(values), 0.0, weights).sum(axis=0)
        return [mean, *np.nanquantile(values, levels, axis=0, weights=weights, method="inverted_cdf")]
