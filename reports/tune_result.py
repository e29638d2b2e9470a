"""The answer of a tuning study as reports use it: read from its folder, with the units of its figures and what stands beside what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seawall.protocols.tables import Floats
from seawall.reports.tune_units import in_words, limit_unit, quantity_unit, with_interval
from seawall.reports.words import plain
from seawall.studies import file_keys, ranking
from seawall.studies.file_columns import Kind, checked
from seawall.studies.keys import Value
from seawall.studies.seal import NoRunError
from seawall.studies.tune_files import ANSWER, POINTS, RECOMMENDATION, load_tuning
from seawall.studies.tune_schema import Constraint, Objective, Parameter, TuneSpec
from seawall.studies.verdicts import Limit, parse_limit

Entry = dict[str, Any]
"""A point of the answer with its figures, or a row of the table of points."""


@dataclass(frozen=True)
class Tuning:
    """A study that was answered.

    Attributes:
        folder: of its files.
        answer: `tuning.json`.
        points: a row per point, as `points_frame` has them.
        manifest: who made it, with what.
        spec: the study.
        paste: settings of the recommended point as YAML; empty where none is recommended.
    """

    folder: Path
    answer: dict[str, Any]
    points: pd.DataFrame
    manifest: dict[str, Any]
    spec: TuneSpec
    paste: str

    @cached_property
    def units(self) -> dict[str, str]:
        """Unit of each objective and constraint, by its name."""
        asked = {one.name: quantity_unit(one.quantity) for one in self.spec.objectives}
        return asked | {name: limit_unit(limit) for name, limit in self.limits.items()}

    @cached_property
    def limits(self) -> dict[str, Limit]:
        """What each constraint demands, by its name."""
        return {one.name: parse_limit(one.require) for one in self.spec.constraints}

    @property
    def best(self) -> list[Entry]:
        """The recommended point and the runner-up, as far as there are any."""
        return [entry for entry in (self.answer["recommended"], self.answer["runner_up"]) if entry is not None]

    @property
    def closest(self) -> list[Entry]:
        """Where nothing is recommended, the points of which most constraints are met; those that failed left out."""
        return [entry for entry in self.answer["closest"] if not entry["failure"]]

    @property
    def is_grid(self) -> bool:
        """Whether points are all combinations of the values tried."""
        return self.spec.search.method == "grid"

    def counts(self) -> Counter[str]:
        """Points by status: met, open, broken, failed, not simulated."""
        return Counter(self.points["status"])

    def column(self, name: str) -> Floats:
        """A column of the points as numbers, `[points]`; NaN where there is none."""
        if name not in self.points:
            return np.full(len(self.points), np.nan)
        return pd.to_numeric(self.points[name]).to_numpy(np.float64, na_value=np.nan)

    def with_status(self, *statuses: str) -> pd.DataFrame:
        """The points of these statuses."""
        return self.points[self.points["status"].isin(statuses)]

    def rivals(self) -> pd.DataFrame:
        """Points that meet every constraint on all the paths of the search: among them one is recommended."""
        met = self.with_status("met")
        return met[met["paths"] >= self.spec.search.paths]

    def open_ahead(self) -> pd.DataFrame:
        """Points that would be better than the recommended one if the constraints that are open there held."""
        known = self.with_status("met", "open")
        scores = np.array([[_number(row.get(one.name)) * one.sign for one in self.spec.objectives] for row in rows_of(known)])
        order = ranking.in_order(scores.reshape(len(known), len(self.spec.objectives)), [one.within for one in self.spec.objectives])
        ranked = known.iloc[order]
        place = int(np.flatnonzero(ranked["number"] == self.best[0]["number"])[0])
        return ranked.iloc[:place].query("status == 'open'")

    def neighbours(self, entry: Entry) -> Iterator[tuple[Parameter, Value, Entry]]:
        """The points one step down and one step up in each parameter of a grid: parameter, its value there, the point's row."""
        for one in self.spec.parameters if self.is_grid else ():
            levels = levels_of(one)
            place = levels.index(entry["values"][one.name])
            for value in (*levels[max(place - 1, 0) : place], *levels[place + 1 : place + 2]):
                yield one, value, self.row(entry["values"] | {one.name: value})

    def row(self, values: dict[str, Value]) -> Entry:
        """The point with these values."""
        chosen = np.logical_and.reduce([self.points[name] == value for name, value in values.items()])
        return next(rows_of(self.points[chosen]))


def load(folder: Path) -> Tuning:
    """Read a study's folder.

    Raises:
        NoRunError: it holds none, or one that is damaged or of a version that asked otherwise.
    """
    answer, points, manifest = load_tuning(folder)
    spec = file_keys.asked(folder / ANSWER, answer["study"], TuneSpec, "study")
    checked(folder / POINTS, points, _columns(spec, points))
    _refuse_other_points(folder / ANSWER, spec, answer, set(points["number"]))
    return Tuning(folder, answer, points, manifest, spec, _text(folder / RECOMMENDATION) if answer["recommended"] else "")


def _columns(spec: TuneSpec, points: pd.DataFrame) -> dict[str, Kind]:
    """Columns that a study's points have: a value of each parameter and, where one was played, how objectives and constraints stand."""
    found: dict[str, Kind] = dict.fromkeys((one.name for one in spec.parameters), "any")
    if points["status"].isin(["met", "open", "broken"]).any():
        names = [*(one.name for one in spec.objectives), *(one.name for one in spec.constraints)]
        found |= {f"{name}{end}": "figure" for name in names for end in ("", "_low", "_high")}
        found |= dict.fromkeys((f"{one.name}_verdict" for one in spec.constraints), "any")
    return found


def _refuse_other_points(file: Path, spec: TuneSpec, answer: Entry, numbers: set[int]) -> None:
    """Refuse an answer with points that its table lacks, or that lack the value of a parameter."""
    told = [answer["recommended"], answer["runner_up"], *answer["closest"], *(one for check in answer["checks"] for one in check["points"])]
    for entry in filter(None, told):
        if absent := [one.name for one in spec.parameters if one.name not in entry["values"]]:
            raise NoRunError(f"{file}: is not what this version writes: point {entry['number']} has no value of {absent[0]!r}")
    if unknown := {*(one["number"] for one in told if one), *answer["frontier"]} - numbers:
        raise NoRunError(f"{file}: is not what this version writes: {POINTS} has no point {min(unknown)}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise NoRunError(f"{file}: cannot be read: {error}") from None


def rows_of(frame: pd.DataFrame) -> Iterator[Entry]:
    """Rows by column name."""
    return ({str(name): value for name, value in row.items()} for row in frame.to_dict("records"))


def is_numeric(one: Parameter) -> bool:
    """Whether a parameter's values are numbers; else they are names or switches."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in one.values)


def levels_of(one: Parameter) -> list[Any]:
    """Values of a parameter that a grid tries, numbers in ascending order."""
    return sorted(set(one.levels())) if is_numeric(one) else one.levels()


def level(one: Parameter, value: Any) -> str:
    """A value of a parameter: 1.5, or 1.5 times where it multiplies what the scenario says."""
    shown = str(value).lower() if isinstance(value, bool) else f"{value:.10g}" if isinstance(value, int | float) else str(value)
    return f"{shown} times" if one.scales else shown


def called(found: Tuning, values: dict[str, Any]) -> str:
    """A point in words: min collateral ratio 1.5, auction discount 0.1."""
    return ", ".join(f"{plain(one.name)} {level(one, values[one.name])}" for one in found.spec.parameters)


def objective(found: Tuning, one: Objective, entry: Entry) -> str:
    """An objective at a point, with its interval."""
    known = entry["objectives"].get(one.name)
    return "unknown" if known is None else with_interval(known, found.units[one.name])


def bounded(found: Tuning, one: Constraint, known: Entry) -> str:
    """A constrained quantity with the one-sided bound that decides: 78.5%, at least 75.9%."""
    limit, unit = found.limits[one.name], found.units[one.name]
    is_broken = known["verdict"] == "broken"
    end, words = ("high", "at most") if limit.is_upper != is_broken else ("low", "at least")
    value = in_words(known["value"], unit)
    return value if known[end] is None else f"{value}, {words} {in_words(known[end], unit)}"


def demanded(found: Tuning, one: Constraint) -> str:
    """The limit: at least 75%."""
    limit = found.limits[one.name]
    return f"at {'most' if limit.is_upper else 'least'} {in_words(limit.limit, found.units[one.name])}"


def standing_in(row: Entry, one: Constraint) -> Entry:
    """How a constraint stands in a row of the table of points, as entries of the answer have it."""
    return {"verdict": row[f"{one.name}_verdict"]} | estimate_in(row, one.name)


def estimate_in(row: Entry, name: str) -> Entry:
    """A figure with its ends in a row of the table of points, as entries of the answer have it."""
    return {key: _none(row[column]) for key, column in (("value", name), ("low", f"{name}_low"), ("high", f"{name}_high"))}


def _none(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
