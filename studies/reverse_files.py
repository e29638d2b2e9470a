"""The files of a reverse stress test: `reverse.json`, `levels.parquet` with a row per level, and the manifest that seals them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from seawall.studies.environment import environment
from seawall.studies.levels import Level
from seawall.studies.reverse import Answer, Reversed
from seawall.studies.seal import MANIFEST, sealed
from seawall.studies.store import write, write_json

ANSWER, LEVELS = "reverse.json", "levels.parquet"


def save(found: Reversed, folder: Path) -> None:
    """Write all files, the manifest last. Raises WriteError where one cannot be written."""
    frame = levels_frame(found)
    write_json(folder / ANSWER, {**found.spec.model_dump(mode="json"), "answers": [_answer(one) for one in found.answers]})
    write(folder / LEVELS, lambda file: frame.to_parquet(file, index=False))
    manifest = {
        "study": "reverse",
        "name": found.spec.name,
        "scenario_file": str(found.base.file),
        "digest": found.base.loaded.digest,
        "settings": list(found.base.loaded.settings),
        "seed": found.seed,
        "bound_confidence": found.bound_confidence,
        **found.about,
        **environment(),
    }
    write_json(folder / MANIFEST, sealed(manifest, folder, [ANSWER, LEVELS]))


def levels_frame(found: Reversed) -> pd.DataFrame:
    """A row per case and level: paths, estimate, one-sided bounds, verdict, and the command that plays it again."""
    return pd.DataFrame([{"case": one.name, **_level(level)} for one in found.answers for level in one.levels])


def _answer(one: Answer) -> dict[str, Any]:
    names = ("name", "outcome", "is_rising", "holds", "breaks", "surely_holds", "surely_breaks", "crossings", "is_disordered")
    return {name: getattr(one, name) for name in names}


def _level(level: Level) -> dict[str, Any]:
    standing = level.standing
    return {
        "level": level.value,
        "paths": level.paths,
        "failed": len(level.failures),
        "value": standing.value,
        "lower_bound": standing.low,
        "upper_bound": standing.high,
        "verdict": str(standing.verdict),
        "value_on_first_paths": level.early,
        "command": level.command,
    }
