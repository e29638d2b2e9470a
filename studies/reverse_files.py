"""The files of a reverse stress test: `reverse.json`, `levels.parquet` with a row per level, and the manifest that seals them.

The page is made of nothing else, so that `load` gives what `save` was given.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from seawall.studies.environment import environment
from seawall.studies.file_columns import Kind
from seawall.studies.levels import Level
from seawall.studies.reverse import Answer, Outcome, Reversed
from seawall.studies.reverse_checks import faults_of_answer, faults_of_levels, most_levels
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.seal import MANIFEST, NoRunError, read_json, read_manifest, sealed
from seawall.studies.store import read_frame, write, write_json
from seawall.studies.study_file import ABOUT, Studied
from seawall.studies.verdicts import Standing, Verdict

ANSWER, LEVELS = "reverse.json", "levels.parquet"
_EDGES = ("holds", "breaks", "surely_holds", "surely_breaks")
_COLUMNS: dict[str, Kind] = {
    "case": "text",
    "level": "number",
    "paths": "count",
    "failed": "count",
    "value": "number",
    "lower_bound": "figure",
    "upper_bound": "figure",
    "verdict": "text",
    "value_on_first_paths": "figure",
    "command": "text",
}


def save(found: Reversed, folder: Path) -> None:
    """Write all files, the manifest last. Raises WriteError where one cannot be written."""
    frame = levels_frame(found)
    write_json(folder / ANSWER, {**found.spec.model_dump(mode="json"), "answers": [_answer(one) for one in found.answers]})
    write(folder / LEVELS, lambda file: frame.to_parquet(file, index=False))
    manifest = {
        "study": "reverse",
        "name": found.spec.name,
        **found.scenario.as_manifest(),
        "seed": found.seed,
        **found.about,
        **environment(),
    }
    write_json(folder / MANIFEST, sealed(manifest, folder, [ANSWER, LEVELS]))


def load(folder: Path) -> Reversed:
    """Read a reverse stress test again.

    Raises:
        NoRunError: the folder holds none, or one that is damaged, lacks a key or column, or does not fit together.
    """
    from seawall.studies import file_keys

    manifest = file_keys.checked(folder / MANIFEST, read_manifest(folder), file_keys.StudyManifest)
    told = file_keys.checked(folder / ANSWER, read_json(folder / ANSWER), file_keys.Edges)
    spec = file_keys.asked(folder / ANSWER, {key: value for key, value in told.items() if key != "answers"}, ReverseSpec)
    frame = read_frame(folder / LEVELS, _COLUMNS)
    searches = _searches(frame)
    _refuse_other_levels(folder, spec, told["answers"], searches)
    answers = tuple(_answer_of(one, rows) for one, rows in zip(told["answers"], searches, strict=True))
    _refuse_other_answers(folder, spec, answers)
    about = {name: manifest[name] for name in ABOUT}
    return Reversed(spec, Studied.from_manifest(manifest), manifest["seed"], answers, about)


def _searches(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each search: levels grow in one, and begin anew in the next; cases may have the same name."""
    return [rows for _, rows in frame.groupby((frame["level"].diff() <= 0.0).cumsum())]


def _refuse_other_levels(folder: Path, spec: ReverseSpec, answers: list[dict[str, Any]], searches: list[pd.DataFrame]) -> None:
    """Refuse levels that are not those of the study and its answers."""
    answer, levels = folder / ANSWER, folder / LEVELS
    cases = [one.name for one in spec.cases] or [""]
    if not (cases == [one["name"] for one in answers] == ["/".join(rows["case"].unique()) for rows in searches]):
        raise NoRunError(f"{answer}: cases, answers and the rows of {LEVELS} (columns 'case', 'level') are not those of the same searches")
    for one, rows in zip(answers, searches, strict=True):
        if len(rows) > (most := most_levels(spec)):
            made = f"a search by points of along, precision, paths and most_paths in {ANSWER} makes {most:,} at most"
            raise NoRunError(f"{levels}: column 'level' has {len(rows):,} rows of a case; {made}")
        tried = rows["level"].tolist()
        if (tried[0], tried[-1]) != (spec.along.low, spec.along.high):
            ends = f"column 'level' is from {tried[0]:g} to {tried[-1]:g}"
            raise NoRunError(f"{levels}: {ends}, in {ANSWER} along is from {spec.along.low:g} to {spec.along.high:g}")
        if unknown := set(rows["verdict"]) - set(Verdict):
            raise NoRunError(f"{levels}: column 'verdict' has {min(unknown)!r}; known: {', '.join(Verdict)}")
        if other := {one[name] for name in _EDGES} - {None, *tried}:
            raise NoRunError(f"{answer}: answers: {min(other):g} is not in column 'level' of {LEVELS}")


def _refuse_other_answers(folder: Path, spec: ReverseSpec, answers: Iterable[Answer]) -> None:
    """Refuse figures that cannot be, and answers that the levels do not give."""
    for one in answers:
        if fault := next(faults_of_levels(spec, one), ""):
            raise NoRunError(f"{folder / LEVELS}: {fault} ({ANSWER})")
        if fault := next(faults_of_answer(spec, one), ""):
            raise NoRunError(f"{folder / ANSWER}: {fault} ({LEVELS})")


def _answer_of(told: dict[str, Any], rows: pd.DataFrame) -> Answer:
    levels = tuple(_level_of(row) for row in rows.to_dict("records"))
    known: dict[str, Any] = {name: told[name] for name in ("name", "is_rising", "crossings", *_EDGES)}
    return Answer(**known, outcome=Outcome(told["outcome"]), levels=levels)


def _level_of(row: Mapping[Hashable, Any]) -> Level:
    low, high, early = (None if pd.isna(row[end]) else float(row[end]) for end in ("lower_bound", "upper_bound", "value_on_first_paths"))
    standing = Standing(float(row["value"]), low, high, Verdict(row["verdict"]))
    return Level(float(row["level"]), row["paths"], standing, math.nan if early is None else early, row["failed"], row["command"])


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
        "failed": level.failed,
        "value": standing.value,
        "lower_bound": standing.low,
        "upper_bound": standing.high,
        "verdict": str(standing.verdict),
        "value_on_first_paths": level.early,
        "command": level.command,
    }
