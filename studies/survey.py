"""What a first reading of all chunks of an ensemble finds: little enough to be kept, however many paths there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from seawall.protocols.tables import Bools, Floats, Ints
from seawall.studies.bands import Labels
from seawall.studies.chunks import Chunk, opened, rows_of, units_of
from seawall.studies.one_path import TABLES

_FIXED = ("log_weight", "error_type", "error", "missing.figure", "missing.why", "refused.action", "refused.status", "refused.count")


@dataclass
class Survey:
    """Of all chunks.

    Attributes:
        columns: names of all columns; a figure may be there on some paths only.
        units: (group, unit) of each figure, by name.
        missing: how often a figure is missing for which reason, by name of the figure.
        refused: how often what was refused for which reason, by (action, reason).
        refused_paths: on how many paths, by the same.
        charted: chunks of which some path kept a series.
        labels: time and name of each record, by table of which some path kept a series.
        path_numbers: of each chunk, `[paths]` each.
        path_weights: logs of the weights, likewise.
        path_failed: who failed, likewise.
        errors: of each path that failed its number, and type and text of its error.
    """

    columns: dict[str, None] = field(default_factory=dict)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    missing: dict[str, Counter[str]] = field(default_factory=dict)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused_paths: Counter[tuple[str, str]] = field(default_factory=Counter)
    charted: list[Chunk] = field(default_factory=list)
    labels: dict[str, Labels] = field(default_factory=dict)
    path_numbers: list[Ints] = field(default_factory=list)
    path_weights: list[Floats] = field(default_factory=list)
    path_failed: list[Bools] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def log_weights(self) -> pd.Series[float]:
        """Of all paths, by their numbers."""
        return pd.Series(np.concatenate(self.path_weights), index=np.concatenate(self.path_numbers))

    @property
    def failed(self) -> Bools:
        """Who failed, in order of paths."""
        return np.concatenate(self.path_failed)

    def named(self, prefix: str) -> list[str]:
        """Columns whose names begin like that."""
        return [name for name in self.columns if name.startswith(prefix)]


def survey(chunks: Sequence[Chunk]) -> Survey:
    """Read all chunks once."""
    found = Survey()
    for chunk in chunks:
        with opened(chunk) as file:
            names = file.schema_arrow.names
            found.columns |= dict.fromkeys(names)
            rows = rows_of(file, chunk, [*_FIXED, *_labels_wanted(found)])
        if any(f"{table}.time_s" in names for table in TABLES):
            found.charted.append(chunk)
        found.units |= {name: unit for name, unit in units_of(rows).items() if name not in found.units}
        _note_paths(found, rows)
        _note_missing(found, rows)
        _note_refused(found, rows)
        _note_labels(found, rows)
    return found


def _labels_wanted(found: Survey) -> list[str]:
    return [f"{table}.{column}" for table, names in TABLES.items() if table not in found.labels for column in ("time_s", names)]


def _note_paths(found: Survey, table: pa.Table) -> None:
    found.path_numbers.append(table["path"].to_numpy())
    found.path_weights.append(table["log_weight"].to_numpy())
    found.path_failed.append(table["error_type"].is_valid().to_numpy())
    failed = table.select(["path", "error_type", "error"]).filter(table["error_type"].is_valid())
    found.errors += zip(*(failed[name].to_pylist() for name in failed.column_names), strict=True)


def _note_missing(found: Survey, table: pa.Table) -> None:
    for figures, whys in zip(table["missing.figure"].to_pylist(), table["missing.why"].to_pylist(), strict=True):
        for figure, why in zip(figures, whys, strict=True):
            found.missing.setdefault(figure, Counter())[why] += 1


def _note_refused(found: Survey, table: pa.Table) -> None:
    columns = [table[f"refused.{name}"].to_pylist() for name in ("action", "status", "count")]
    for actions, statuses, counts in zip(*columns, strict=True):
        for key, times in zip(zip(actions, statuses, strict=True), counts, strict=True):
            found.refused[key] += times
            found.refused_paths[key] += 1


def _note_labels(found: Survey, table: pa.Table) -> None:
    for name, label in TABLES.items():
        times, names = f"{name}.time_s", f"{name}.{label}"
        if name in found.labels or times not in table.column_names:
            continue
        kept = table.select([times, names]).drop_null()
        if len(kept):
            found.labels[name] = np.array(kept[times][0].as_py()), kept[names][0].as_py()
