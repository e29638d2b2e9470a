"""The files of a tuning study, beside the paths under `trials/`.

`tuning.json` is the answer, `points.parquet` has a row per point, `recommendation.yaml` is to be pasted into a scenario, and the manifest
seals them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from seawall.studies.candidates import Assessment, Point
from seawall.studies.environment import environment
from seawall.studies.estimate import Estimate
from seawall.studies.file_columns import Kind
from seawall.studies.keys import Value, as_text
from seawall.studies.proposals import label
from seawall.studies.seal import MANIFEST, read_json, read_manifest, sealed
from seawall.studies.simulate import replay_command
from seawall.studies.store import read_frame, write, write_json
from seawall.studies.tune import Check, Tuned
from seawall.studies.tune_lines import lines_of
from seawall.studies.tune_schema import Parameter
from seawall.studies.verdicts import Standing, Verdict, excess, parse_limit

ANSWER, POINTS, RECOMMENDATION = "tuning.json", "points.parquet", "recommendation.yaml"
_COLUMNS: dict[str, Kind] = {"number": "number", "on_frontier": "flag", "status": "text", "why": "any", "paths": "number"}
"""Of the points, whatever is tuned."""


def save_tuning(found: Tuned, folder: Path, *, workers: str) -> None:
    """Write the files of an answer, the manifest last. `workers` says who played the paths."""
    write(folder / POINTS, partial(points_frame(found).to_parquet, index=False))
    files = [ANSWER, POINTS]
    if found.best:
        text = recommendation(found)
        write(folder / RECOMMENDATION, lambda file: file.write_text(text, encoding="utf-8"))
        files.append(RECOMMENDATION)
    else:
        (folder / RECOMMENDATION).unlink(missing_ok=True)
    write_json(folder / ANSWER, as_answer(found))
    manifest = {
        "study": "tune",
        "name": found.study.spec.name,
        "study_file": str(found.study.file),
        "digest": found.study.digest,
        "seed": found.seed,
        "seconds": round(found.seconds, 1),
        "workers": workers,
        "paths_found_from_before": found.candidates.trials.found,
        **environment(),
    }
    write_json(folder / MANIFEST, sealed(manifest, folder, files))


def load_tuning(folder: Path) -> tuple[dict[str, Any], pd.DataFrame, dict[str, Any]]:
    """The answer of a study, its points and its manifest.

    Raises:
        NoRunError: the folder holds none, or one that is damaged or lacks a key or column.
    """
    from seawall.studies import file_keys

    manifest = file_keys.checked(folder / MANIFEST, read_manifest(folder), file_keys.TuningManifest)
    answer = file_keys.checked(folder / ANSWER, read_json(folder / ANSWER), file_keys.Tuning)
    return answer, read_frame(folder / POINTS, _COLUMNS), manifest


def as_answer(found: Tuned) -> dict[str, Any]:
    """Everything but the points, as plain data; no times and no machines, so that equal answers are equal bytes."""
    spec, candidates = found.study.spec, found.candidates
    points = candidates.points
    full = len(points) * spec.search.paths * len(found.bases)
    return {
        "name": spec.name,
        "about": spec.about,
        "seed": found.seed,
        "digest": found.study.digest,
        "study_file": str(found.study.file),
        "study_text": found.study.text,
        "allow_outside": found.study.allow_outside,
        "study": spec.model_dump(mode="json"),
        "scenarios": [
            {"file": str(base.file), "name": base.loaded.scenario.name, "weight": base.weight, "digest": base.loaded.digest}
            for base in found.bases
        ],
        "rounds": found.rounds,
        "points": len(points),
        "excused": len(found.excused),
        "paths_played": candidates.trials.played,
        "paths_without_halving": full,
        "recommended": _entry(found, found.best[0]) if found.best else None,
        "runner_up": _entry(found, found.best[1]) if len(found.best) > 1 else None,
        "closest": [] if found.best else [_entry(found, point) for point in _closest(found)],
        "frontier": [point.number for point in candidates.frontier()],
        "lines": lines_of(spec, found.bases),
        "checks": [_check(found, check) for check in found.checks],
    }


def _entry(found: Tuned, point: Point) -> dict[str, Any]:
    return _point(found, point, found.candidates[point], found.seed)


def _point(found: Tuned, point: Point, known: Assessment, seed: int) -> dict[str, Any]:
    spec = found.study.spec
    return {
        "number": point.number,
        "values": {one.name: value for one, value in zip(spec.parameters, point.values, strict=True)},
        "label": label(spec.parameters, point.values),
        "paths": known.paths,
        "objectives": {one.name: _estimate(value) for one, value in zip(spec.objectives, known.objectives, strict=False)},
        "constraints": {one.name: _standing(value) for one, value in zip(spec.constraints, known.standings, strict=False)},
        "failure": known.failure,
        "failed": known.failed,
        "commands": [f"{replay_command(member, seed)} --paths {known.paths}" for member in (point.trial.members if point.trial else ())],
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "paths": one.paths, "method": one.method, "why": one.why}


def _standing(one: Standing) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "verdict": str(one.verdict)}


def _check(found: Tuned, check: Check) -> dict[str, Any]:
    rows = [_point(found, point, known, check.seed) for point, known in zip(check.points, check.found, strict=True)]
    return {"kind": check.kind, "name": check.name, "seed": check.seed, "best": check.best, "points": rows}


def _closest(found: Tuned) -> list[Point]:
    """Where no point meets every constraint: those of which most are met, then those that pass their limits by least."""
    candidates, spec = found.candidates, found.study.spec
    limits = [parse_limit(one.require) for one in spec.constraints]

    def standing(point: Point) -> tuple[int, float]:
        known = candidates[point].standings
        met = sum(one.verdict is Verdict.MET for one in known)
        return -met, sum(max(excess(limit, one), 0.0) / (abs(limit.limit) or 1.0) for limit, one in zip(limits, known, strict=True))

    return sorted((point for point in candidates.points if not candidates[point].failure), key=standing)[:3]


def points_frame(found: Tuned) -> pd.DataFrame:
    """A row per point.

    Its number, the parameters, `on_frontier`, `status` (not simulated, failed, broken, open, met), `why`, `paths`; of each objective its
    value, low and high, of each constraint these and its verdict.
    """
    spec, frontier = found.study.spec, {point.number for point in found.candidates.frontier()}
    rows = []
    for point in sorted([*found.candidates.points, *found.excused], key=lambda one: one.number):
        row: dict[str, Any] = {"number": point.number}
        row |= {one.name: _cell(one, value) for one, value in zip(spec.parameters, point.values, strict=True)}
        rows.append(row | {"on_frontier": point.number in frontier} | _figures(found, point))
    return pd.DataFrame(rows)


def _cell(one: Parameter, value: Value) -> Value:
    """A value in a column of one type: as text where values of a parameter are of several."""
    return value if len({type(each) for each in one.values}) <= 1 else as_text(value)


def _figures(found: Tuned, point: Point) -> dict[str, Any]:
    spec = found.study.spec
    if point.trial is None:
        return {"status": "not simulated", "why": "; ".join(point.excuses), "paths": 0}
    known = found.candidates[point]
    status = "failed" if known.failure else "broken" if known.is_broken else "met" if known.is_met else "open"
    row: dict[str, Any] = {"status": status, "why": known.failure, "paths": known.paths}
    for objective, estimate in zip(spec.objectives, known.objectives, strict=False):
        row |= {objective.name: estimate.value, f"{objective.name}_low": estimate.low, f"{objective.name}_high": estimate.high}
    for constraint, standing in zip(spec.constraints, known.standings, strict=False):
        name = constraint.name
        row |= {name: standing.value, f"{name}_low": standing.low, f"{name}_high": standing.high, f"{name}_verdict": str(standing.verdict)}
    return row


def recommendation(found: Tuned) -> str:
    """The recommended settings of each scenario, as YAML to paste into it and as `--set` options."""
    point = found.best[0]
    assert point.trial is not None
    text = f"# {found.study.spec.name}: {label(found.study.spec.parameters, point.values)}\n"
    text += f"# recommended on {found.candidates.paths(point):,} paths of seed {found.seed}; {ANSWER} has the figures\n"
    for base, loaded in zip(found.bases, point.trial.members, strict=True):
        made = loaded.settings[len(base.loaded.settings) :]
        text += f"---\n# in {base.file.name}; on the command line: {' '.join(f'--set {one}' for one in made)}\n"
        text += yaml.safe_dump(_nested(made), sort_keys=False, allow_unicode=True)
    return text


def _nested(settings: tuple[str, ...]) -> dict[str, Any]:
    """Settings as a scenario writes them; those of lists stay dotted, because a list cannot be pasted in part."""
    tree: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        number = yaml.safe_load(value)
        place, parts = tree, key.split(".")
        if "[" in key:
            tree[key] = number
            continue
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        place[parts[-1]] = number
    return tree
