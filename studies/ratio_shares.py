"""How the CDPs of all paths are spread over collateral ratios, record by record. One chunk of paths is in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from seawall.models.records import RATIO_EDGES
from seawall.protocols.tables import Floats
from seawall.studies.chunks import Chunk, lists, read_chunk
from seawall.studies.one_path import RATIOS

BINS = len(RATIO_EDGES) - 1
_TYPES = {"time_s": "float64", "tasset": "str", "low": "float64", "high": "float64", "share": "float64", "paths": "int64"}


def ratio_shares(chunks: Sequence[Chunk], labelled: tuple[Floats, list[str]] | None, log_weights: pd.Series[float]) -> pd.DataFrame:
    """Share of the open CDPs of all paths per bin [low, high) of the collateral ratio at the market price; a row per record, tASSET, bin.

    Args:
        chunks: those of which some path kept a series.
        labelled: time in seconds and tASSET of each record, as a thinned series has them; None where no path kept one.
        log_weights: of every path, by its number.

    Returns:
        `time_s`, `tasset`, `low`, `high`, `share` (a fraction of the CDPs that are open then, by weight where paths are weighted; 0 where
        none is), `paths` (that kept a series).
    """
    if labelled is None:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _TYPES.items()})
    times, names = labelled
    most, paths = float(log_weights.max()), 0
    sums = np.zeros((len(times), BINS))
    for chunk in chunks:
        numbers, counts = _counts(chunk)
        weights = np.exp(log_weights.loc[numbers].to_numpy(np.float64) - most)
        sums += np.tensordot(weights, counts, axes=1) if len(numbers) else 0.0
        paths += len(numbers)
    every = sums.sum(axis=1, keepdims=True)
    shares = np.divide(sums, every, out=np.zeros_like(sums), where=every > 0.0)
    columns = {
        "time_s": np.repeat(times, BINS),
        "tasset": np.repeat(np.asarray(names, dtype=object), BINS),
        "low": np.tile(RATIO_EDGES[:-1], len(times)),
        "high": np.tile(RATIO_EDGES[1:], len(times)),
        "share": shares.reshape(-1),
        "paths": paths,
    }
    return pd.DataFrame(columns).astype(_TYPES)


def _counts(chunk: Chunk) -> tuple[list[int], Floats]:
    """Numbers of the paths that kept a series, and their CDPs, [paths, records, bins]."""
    table = read_chunk(chunk, [RATIOS])
    if RATIOS not in table.column_names:
        return [], np.zeros((0, 0, BINS))
    rows: pa.Table = table.drop_null()
    return rows["path"].to_pylist(), lists(rows[RATIOS]).reshape(len(rows), -1, BINS)
