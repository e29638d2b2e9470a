"""From chunks to the files of a whole ensemble. Nothing but the chunks goes in, so the bytes do not depend on how they came to be.

`measures.parquet` has a row per path, and so have `sums.parquet`, what ratios over all paths are made of, and `moments.parquet`, what
prices turned out to be; `bands.parquet` has quantiles over paths of each time series, `ratios.parquet` the share of CDPs by collateral
ratio over time, `refusals.parquet` what was refused, `summary.json` each figure over all paths.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seawall.protocols.tables import Floats
from seawall.studies.bands import LEVELS, bands, spread
from seawall.studies.chunks import FIGURE, MOMENT, SUM, Chunk, read_chunk
from seawall.studies.ratio_shares import ratio_shares
from seawall.studies.store import MEASURES, SUMMARY, write, write_together
from seawall.studies.survey import Survey, survey

BANDS, MOMENTS, RATIOS, REFUSALS, SUMS = "bands.parquet", "moments.parquet", "ratios.parquet", "refusals.parquet", "sums.parquet"
_ROWS = {MEASURES: FIGURE, SUMS: SUM, MOMENTS: MOMENT}
"""Files with a row per path, and how the names of what they hold begin in a chunk."""
_CHUNKS_AT_ONCE = 200  # bounds the memory, however many paths there are


def assemble(chunks: Sequence[Chunk], folder: Path, beside: Executor) -> Survey:
    """Write all files of an ensemble but its manifest; return what stands in its chunks.

    Args:
        chunks: all of them.
        folder: where the files go.
        beside: where the bands are worked out meanwhile.
    """
    found = survey(chunks)
    charted = beside.submit(bands, found.charted, found.labels, found.log_weights)
    write_together([folder / file for file in _ROWS], partial(_fill_rows, chunks, found))
    _write(ratio_shares(found.charted, found.labels.get("series"), found.log_weights), folder / RATIOS)
    _write(_refusals(found), folder / REFUSALS)
    _write(charted.result(), folder / BANDS)
    text = json.dumps(_summarise(found, folder / MEASURES), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write(folder / SUMMARY, lambda file: file.write_text(text, encoding="utf-8"))
    return found


def _write(frame: pd.DataFrame, file: Path) -> None:
    write(file, partial(frame.to_parquet, index=False))


def _fill_rows(chunks: Sequence[Chunk], found: Survey, parts: Sequence[Path]) -> None:
    """Fill files with one row per path: its number, log weight, whether it failed, and what each file holds, without first letters."""
    rest, named = iter(chunks), {prefix: found.named(prefix) for prefix in _ROWS.values()}
    schemas = {prefix: _schema(names, len(prefix)) for prefix, names in named.items()}
    wanted = ["log_weight", "error_type", *chain.from_iterable(named.values())]
    with ExitStack() as stack:
        writers = {
            prefix: stack.enter_context(pq.ParquetWriter(part, schemas[prefix], compression="zstd"))
            for part, prefix in zip(parts, _ROWS.values(), strict=True)
        }
        while some := [read_chunk(chunk, wanted) for chunk in islice(rest, _CHUNKS_AT_ONCE)]:
            for prefix, names in named.items():
                rows = pa.concat_tables(_rows(table, names, schemas[prefix]) for table in some)
                writers[prefix].write_table(rows.combine_chunks())


def _schema(names: Sequence[str], skipped: int) -> pa.Schema:
    fixed = [("path", pa.int64()), ("log_weight", pa.float64()), ("failed", pa.bool_())]
    return pa.schema([*fixed, *((name[skipped:], pa.float64()) for name in names)])


def _rows(table: pa.Table, names: Sequence[str], schema: pa.Schema) -> pa.Table:
    nothing = pa.array(np.full(len(table), math.nan))
    there = set(table.column_names)
    columns = [table[name] if name in there else nothing for name in names]
    return pa.table([table["path"], table["log_weight"], table["error_type"].is_valid(), *columns], schema=schema)


def _refusals(found: Survey) -> pd.DataFrame:
    """How often what was refused for which reason on all paths, and on how many of them: action, status, count, paths."""
    keys = sorted(found.refused)
    return pd.DataFrame(
        {
            "action": pd.Series([action for action, _ in keys], dtype="str"),
            "status": pd.Series([status for _, status in keys], dtype="str"),
            "count": pd.Series([found.refused[key] for key in keys], dtype="int64"),
            "paths": pd.Series([found.refused_paths[key] for key in keys], dtype="int64"),
        }
    )


def _summarise(found: Survey, measures: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Each figure over all paths, by group and name.

    `value` is the mean over the `paths` that have it, `least` and `most` the extremes, `q05` to `q95` quantiles; null with `why` where no
    path has it. `missing` counts paths without it, by reason. Failed paths are in none of it.
    """
    log_weights, played = np.asarray(found.log_weights, dtype=np.float64), ~found.failed
    summary: dict[str, dict[str, dict[str, Any]]] = {}
    with pq.ParquetFile(measures) as file:
        for name, (group, unit) in found.units.items():
            values = file.read(columns=[name], use_threads=False)[name].to_numpy()  # one at a time is in memory
            entry = _entry(values[played], log_weights[played], unit)
            whys = found.missing.get(name, Counter())
            if entry["value"] is None:
                entry["why"] = whys.most_common(1)[0][0] if whys else "not a finite number"
            summary.setdefault(group, {})[name] = entry | {"missing": dict(sorted(whys.items()))}
    return summary


def _entry(values: Floats, log_weights: Floats, unit: str) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return {"value": None, "unit": unit, "paths": 0}
    mean, *levels = (float(number) for number in spread(values, log_weights))
    extremes = {"least": float(known.min()), "most": float(known.max())}
    return {"value": mean, "unit": unit, "paths": len(known), **extremes, **dict(zip(LEVELS, levels, strict=True))}
