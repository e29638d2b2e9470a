"""The files of a sensitivity study: `sensitivity.json`, `indices.parquet`, `points.parquet`, and the manifest that seals them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from seawall.studies.environment import environment
from seawall.studies.seal import MANIFEST, sealed
from seawall.studies.sensitivity import Driven, Sensitivity
from seawall.studies.store import write, write_json

ANSWER, INDICES, POINTS = "sensitivity.json", "indices.parquet", "points.parquet"


def save(found: Sensitivity, folder: Path) -> None:
    """Write all files, the manifest last. Raises WriteError where one cannot be written."""
    indices, points = indices_frame(found), points_frame(found)
    outcomes = [{"name": one.outcome.name, "why": one.why, "noise": one.noise} for one in found.driven]
    write_json(folder / ANSWER, {**found.spec.model_dump(mode="json"), "answers": outcomes})
    write(folder / INDICES, lambda file: indices.to_parquet(file, index=False))
    write(folder / POINTS, lambda file: points.to_parquet(file, index=False))
    manifest = {
        "study": "sensitivity",
        "name": found.spec.name,
        "scenario_file": str(found.base.file),
        "digest": found.base.loaded.digest,
        "settings": list(found.base.loaded.settings),
        "seed": found.seed,
        **found.about,
        **environment(),
    }
    write_json(folder / MANIFEST, sealed(manifest, folder, [ANSWER, INDICES, POINTS]))


def indices_frame(found: Sensitivity) -> pd.DataFrame:
    """A row per outcome, parameter and index, with its interval."""
    rows = [row for one in found.driven for row in _rows(found, one)]
    return pd.DataFrame(rows, columns=["outcome", "parameter", "index", "value", "low", "high"])


def points_frame(found: Sensitivity) -> pd.DataFrame:
    """A row per point: the parameters as they were set, and each outcome (NaN where a path has none)."""
    levels = {one.name: found.levels[:, column] for column, one in enumerate(found.spec.parameters)}
    return pd.DataFrame(levels | {f"outcome.{one.outcome.name}": one.values for one in found.driven})


def _rows(found: Sensitivity, one: Driven) -> list[dict[str, Any]]:
    return [
        {
            "outcome": one.outcome.name,
            "parameter": parameter.name,
            "index": name,
            "value": float(index.value[row]),
            "low": float(index.low[row]),
            "high": float(index.high[row]),
        }
        for name, index in one.indices.items()
        for row, parameter in enumerate(found.spec.parameters)
    ]
