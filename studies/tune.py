"""A tuning study: which values of these parameters, for these scenarios, at this tolerance, and why.

What is impossible is explained; the rest is raced on common random numbers (`halving.py`); the recommended point is checked on fresh seeds,
on scenarios held back, and in worlds that are a little different.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from seawall.studies import halving, tpe
from seawall.studies.candidates import Assessment, Candidates, Point
from seawall.studies.keys import Value
from seawall.studies.players import Players, Threads
from seawall.studies.proposals import Base, bases, grid, point_of, varied
from seawall.studies.study_file import read_study
from seawall.studies.trials import Trials
from seawall.studies.tune_schema import Member, TuneSpec

if TYPE_CHECKING:
    import pandas as pd

CHECKED = 3
"""Points looked at again in each variation: the recommended one, the runner-up and the next."""


@dataclass(frozen=True, slots=True)
class Study:
    """A checked study file."""

    spec: TuneSpec
    text: str
    file: Path
    allow_outside: bool = False

    @property
    def digest(self) -> str:
        """Twelve hex digits that stand for its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Check:
    """The best points looked at again.

    Attributes:
        kind: `fresh seed`, `held back` or `variation`.
        name: of what is different.
        seed: of its paths.
        points: recommended one first.
        found: how each stands there.
        best: number of the point that would be recommended there, among these; None where none meets every constraint.
    """

    kind: str
    name: str
    seed: int
    points: tuple[Point, ...]
    found: tuple[Assessment, ...]
    best: int | None


@dataclass
class Tuned:
    """The answer of a study.

    Attributes:
        study: what was asked.
        seed: of the search.
        bases: its scenarios.
        candidates: points that were played.
        excused: points that were explained instead.
        rounds: what the search did, round by round.
        best: points that meet every constraint on all paths, recommended one first.
        checks: of the best points.
        seconds: wall time.
    """

    study: Study
    seed: int
    bases: list[Base]
    candidates: Candidates
    excused: list[Point]
    rounds: list[str] = field(default_factory=list)
    best: list[Point] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def recommended(self) -> dict[str, Value] | None:
        """Values of the recommended point by parameter; None where no point meets every constraint."""
        names = (one.name for one in self.study.spec.parameters)
        return dict(zip(names, self.best[0].values, strict=True)) if self.best else None

    @property
    def points(self) -> pd.DataFrame:
        """A row per point; see `tune_files.points_frame`."""
        from seawall.studies.tune_files import points_frame

        return points_frame(self)

    def _repr_html_(self) -> str:
        """The recommended point and the points that meet every constraint, for notebooks."""
        said = "no point meets every constraint" if self.recommended is None else f"recommended: {self.recommended}"
        points = self.points
        met = points[points["status"] == "met"].to_html(escape=True)
        return f"<p>{escape(self.study.spec.name)}: {escape(said)}</p>{met}"


def load_study(file: Path, *, allow_outside: bool = False) -> Study:
    """Read and check a study.

    Raises:
        ScenarioError: with all faults found.
    """
    spec, text = read_study(file, TuneSpec)
    return Study(spec, text, file, allow_outside)


def scenarios_of(study: Study) -> list[Base]:
    """The scenarios of a study with the settings that all have in common. Raises as `proposals.bases` does."""
    return bases(study.file, study.spec.scenarios, study.spec.settings, allow_outside=study.allow_outside)


def rehearse(study: Study) -> list[Base]:
    """The scenarios of a study, once all that its search and its checks will set has been tried on them, without playing anything.

    Raises:
        ScenarioError: something cannot be set, names a file that is not there, or would be set by two.
        ExpressionError: paths of a scenario are not independent of each other.
    """
    members, spec = scenarios_of(study), study.spec
    worlds = [members, *(_held(study, member) for member in spec.checks.held_back)]
    worlds += [varied(members, one, study.file, spec.parameters) for one in spec.checks.variations]
    for world in worlds:
        for values in (tuple(one.levels(2)[0] for one in spec.parameters), tuple(one.levels(2)[-1] for one in spec.parameters)):
            point_of(0, values, spec.parameters, world, study.file)
    return members


def tune(
    study: Study | str | Path,
    folder: Path | None = None,
    players: Players | None = None,
    *,
    seed: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Tuned:
    """Answer a study.

    Args:
        study: what is asked, or the file of it.
        folder: where played paths are kept, and found again; nowhere if left out.
        players: who plays them, threads on all cores unless told otherwise; never shows in the answer.
        seed: replaces the study's own.
        progress: called with paths played and paths wanted so far.

    Raises:
        ScenarioError: a scenario lacks a key, or cannot have a value of a parameter.
        ExpressionError: an objective or constraint names a measure that its scenarios do not have.
    """
    asked = study if isinstance(study, Study) else load_study(Path(study))
    seed = asked.spec.seed if seed is None else seed
    with nullcontext(folder) if folder is not None else TemporaryDirectory() as place:
        return _answer(asked, Path(place), players or Threads(), seed, progress)


def _answer(study: Study, folder: Path, players: Players, seed: int, progress: Callable[[int, int], None]) -> Tuned:
    clock, spec = time.perf_counter(), study.spec
    members = rehearse(study)
    candidates = Candidates(spec, Trials(folder, seed, players, spec.search.first_paths, progress))

    def make(number: int, values: tuple[Value, ...]) -> Point:
        return point_of(number, values, spec.parameters, members, study.file)

    if spec.search.method == "optuna":
        excused = tpe.propose(spec, candidates, make)
    else:
        points = [make(number, values) for number, values in enumerate(grid(spec.parameters))]
        candidates.add(points)
        excused = [point for point in points if point.trial is None]
    found = Tuned(study, seed, members, candidates, excused)
    if candidates.points:
        found.rounds = halving.race(candidates, spec.search)
        found.best = candidates.settled(spec.search.paths, spec.search.limit)
        found.checks = _checks(found, players, folder, progress)
    found.seconds = time.perf_counter() - clock
    return found


def _checks(found: Tuned, players: Players, folder: Path, progress: Callable[[int, int], None]) -> list[Check]:
    """The best points on fresh seeds, on scenarios held back, in other worlds."""
    spec, study = found.study.spec, found.study
    if not found.best or spec.checks.paths == 0:
        return []
    first = _trials(found, players, folder, found.seed + 1, progress)
    same = _trials(found, players, folder, found.seed, progress)
    worlds = [("fresh seed", f"seed {found.seed + 1}", found.bases, first)]
    worlds += [("held back", member.file, _held(study, member), first) for member in spec.checks.held_back]
    worlds += [("variation", one.name, varied(found.bases, one, study.file, spec.parameters), same) for one in spec.checks.variations]
    return [_check(found, kind, name, members, trials) for kind, name, members, trials in worlds]


def _held(study: Study, member: Member) -> list[Base]:
    return bases(study.file, [member], study.spec.settings, allow_outside=study.allow_outside)


def _trials(found: Tuned, players: Players, folder: Path, seed: int, progress: Callable[[int, int], None]) -> Trials:
    return Trials(folder, seed, players, found.study.spec.search.first_paths, progress, files=found.candidates.trials.files)


def _check(found: Tuned, kind: str, name: str, members: Sequence[Base], trials: Trials) -> Check:
    """The best points once more, on other scenarios or another seed."""
    spec, study = found.study.spec, found.study
    points = [point_of(one.number, one.values, spec.parameters, members, study.file) for one in found.best[:CHECKED]]
    again = Candidates(spec, trials)
    again.add(points)
    again.bring(dict.fromkeys(again.points, spec.checks.paths))
    best = again.settled(1, spec.checks.paths)
    played = tuple(again.points)
    return Check(kind, name, trials.seed, played, tuple(again[point] for point in played), best[0].number if best else None)
