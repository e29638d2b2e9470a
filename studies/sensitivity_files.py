"""The files of a sensitivity study: `sensitivity.json`, `indices.parquet`, `points.parquet`, and the manifest that seals them.

The page is made of nothing else, so that `load` gives what `save` was given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seawall.protocols.tables import Floats
from seawall.studies.environment import environment
from seawall.studies.expressions import MOST
from seawall.studies.file_columns import Kind
from seawall.studies.indices import SALIB_NAMES, Index
from seawall.studies.seal import MANIFEST, NoRunError, read_json, read_manifest, sealed
from seawall.studies.sensitivity import HARDLY, Driven, Sensitivity, why_not
from seawall.studies.sensitivity_schema import SensitivitySpec
from seawall.studies.store import read_frame, write, write_json
from seawall.studies.study_file import ABOUT, Studied

ANSWER, INDICES, POINTS = "sensitivity.json", "indices.parquet", "points.parquet"
_WHOSE = ("outcome", "parameter", "index")
_ENDS = ("value", "low", "high")


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
        **found.scenario.as_manifest(),
        "seed": found.seed,
        **found.about,
        **environment(),
    }
    write_json(folder / MANIFEST, sealed(manifest, folder, [ANSWER, INDICES, POINTS]))


def load(folder: Path) -> Sensitivity:
    """Read a sensitivity study again.

    Raises:
        NoRunError: the folder holds none, or one that is damaged, lacks a key or column, or does not fit together.
    """
    from seawall.studies import file_keys

    manifest = file_keys.checked(folder / MANIFEST, read_manifest(folder), file_keys.StudyManifest)
    told = file_keys.checked(folder / ANSWER, read_json(folder / ANSWER), file_keys.DrivenOutcomes)
    spec = file_keys.asked(folder / ANSWER, {key: value for key, value in told.items() if key != "answers"}, SensitivitySpec)
    indices = _load_indices(folder, spec, told["answers"])
    points = _load_points(folder, spec)
    _refuse_other_answers(folder, spec, told["answers"], points)
    driven = tuple(
        Driven(outcome, _floats(points[f"outcome.{outcome.name}"]), indices.get(outcome.name, {}), one["noise"], one["why"])
        for outcome, one in zip(spec.outcomes, told["answers"], strict=True)
    )
    levels = points[[one.name for one in spec.parameters]].to_numpy(np.float64)
    about = {name: manifest[name] for name in ABOUT}
    return Sensitivity(spec, Studied.from_manifest(manifest), manifest["seed"], levels, driven, about)


def _load_indices(folder: Path, spec: SensitivitySpec, answers: list[dict[str, Any]]) -> dict[str, dict[str, Index]]:
    """The indices of each outcome that has any, by its name and theirs."""
    kinds: dict[str, Kind] = {**{name: "text" for name in _WHOSE}, **{name: "figure" for name in _ENDS}}
    frame, names = read_frame(folder / INDICES, kinds), tuple(SALIB_NAMES[spec.method])
    told = [one["name"] for one in answers if not one["why"]]
    wanted = [(outcome, one.name, index) for outcome in told for index in names for one in spec.parameters]
    if [one["name"] for one in answers] != [one.name for one in spec.outcomes]:
        raise NoRunError(f"{folder / ANSWER}: outcomes and answers do not name the same outcomes")
    if list(frame[list(_WHOSE)].itertuples(index=False, name=None)) != wanted:
        of_answer = f"outcomes, parameters and method in {ANSWER}, without the answers that say why"
        raise NoRunError(f"{folder / INDICES}: columns 'outcome', 'parameter' and 'index' are not those of {of_answer}")
    numbers = np.stack([_floats(frame[end]) for end in _ENDS]).reshape(3, len(told), len(names), len(spec.parameters))
    if not (np.abs(numbers) <= MOST).all() or (np.diff(numbers[[1, 0, 2]], axis=0) < 0.0).any():
        raise NoRunError(f"{folder / INDICES}: columns 'value', 'low' and 'high' must have finite numbers, value between low and high")
    return {outcome: {index: Index(*numbers[:, place, row]) for row, index in enumerate(names)} for place, outcome in enumerate(told)}


def _load_points(folder: Path, spec: SensitivitySpec) -> pd.DataFrame:
    kinds: dict[str, Kind] = dict.fromkeys((one.name for one in spec.parameters), "number")
    frame = read_frame(folder / POINTS, kinds | dict.fromkeys((f"outcome.{one.name}" for one in spec.outcomes), "figure"))
    if len(frame) != spec.rows:
        raise NoRunError(f"{folder / POINTS}: has {len(frame):,} rows; points, method and parameters in {ANSWER} ask for {spec.rows:,}")
    return frame


def _refuse_other_answers(folder: Path, spec: SensitivitySpec, answers: list[dict[str, Any]], points: pd.DataFrame) -> None:
    """Refuse values that cannot be, and a `why` that the points do not give."""
    for outcome, one in zip(spec.outcomes, answers, strict=True):
        column = f"outcome.{outcome.name}"
        values = _floats(points[column])
        if (np.abs(values[~np.isnan(values)]) > MOST).any():
            raise NoRunError(f"{folder / POINTS}: column {column!r} must have finite numbers, or none")
        if one["why"] not in ((why := why_not(values)), why or HARDLY):
            raise NoRunError(f"{folder / ANSWER}: answers: why of {outcome.name} is not {why!r}, as column {column!r} of {POINTS} has it")


def _floats(column: pd.Series[float]) -> Floats:
    return np.asarray(column.to_numpy(np.float64, na_value=np.nan), np.float64)


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
