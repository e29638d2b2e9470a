"""Reverse stress: the smallest shock, gap, outage or drain that breaks a limit, by bisection on the same paths at every level.

At each level the limit is met, open or broken by one-sided bounds (`verdicts.py`). The answer is the interval between the most harmful
level that surely holds and the least harmful one that surely breaks, and inside of it where the estimate passes the limit. All levels share
their paths. So where harm grows along the key on every one of them, the levels together are wrong on either side no more often than the one
at the true edge alone, however many there are. Looks with more and more paths do add up; they share the error equally (Bonferroni).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

from seawall.studies.levels import Level, Levels, Line
from seawall.studies.players import Players
from seawall.studies.proposals import Base, varied
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.study_file import Studied, seed_of
from seawall.studies.trials import Trials
from seawall.studies.verdicts import Limit, Verdict, keeps

CHUNK_PATHS = 10
"""Paths per file: few, so that the paths of a single level keep all players busy."""


class Outcome(StrEnum):
    """What a search found."""

    FOUND = "found"
    HOLDS = "holds everywhere"
    BREAKS = "breaks everywhere"
    NO_ORDER = "no order"


@dataclass(frozen=True)
class Answer:
    """How far along the key the limit holds.

    Attributes:
        name: of the case; empty where there is but one.
        outcome: `found`; or the limit holds, or breaks, at both ends and all levels between; or at both ends the same and else between.
        is_rising: whether harm grows with the level; so that "up to" is the word, else "down to".
        holds: the most harmful level, as far as the precision goes, at which the estimate keeps the limit; None unless found.
        breaks: its neighbour, at which it does not.
        surely_holds: the most harmful level at which the limit is met for sure; None where no level is that sure.
        surely_breaks: the least harmful one at which it is broken for sure.
        crossings: how often the estimate passes the limit from level to level, on the paths that all of them share.
        levels: that were tried, from the low end to the high one.
    """

    name: str
    outcome: Outcome
    is_rising: bool
    holds: float | None
    breaks: float | None
    surely_holds: float | None
    surely_breaks: float | None
    crossings: int
    levels: tuple[Level, ...]

    @property
    def is_disordered(self) -> bool:
        """Whether a level is met for sure that is more harmful than one that is broken for sure."""
        in_order = self.levels if self.is_rising else self.levels[::-1]
        verdicts = [level.standing.verdict for level in in_order]
        return Verdict.BROKEN in verdicts and Verdict.MET in verdicts[verdicts.index(Verdict.BROKEN) :]


@dataclass(frozen=True)
class Reversed:
    """The answer of a reverse stress test.

    Attributes:
        spec: what was asked.
        scenario: before any case.
        seed: of all paths.
        answers: one for each case.
        about: when and how it was played.
    """

    spec: ReverseSpec
    scenario: Studied
    seed: int
    answers: tuple[Answer, ...]
    about: dict[str, Any]


def reverse(
    spec: ReverseSpec,
    base: Base,
    study: Path,
    trials_folder: Path,
    players: Players,
    *,
    seed: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Reversed:
    """Answer a reverse stress test.

    Args:
        spec: what is asked.
        base: its scenario, as `study_file.base_of` gives it.
        study: the file that faults name.
        trials_folder: where played paths are kept, and found again.
        players: who plays them; never shows in the answer.
        seed: replaces that of the study and of the scenario.
        progress: called with paths played and paths wanted so far.

    Raises:
        ScenarioError: the scenario cannot have such a value.
        ExpressionError: the limit names a measure that its paths do not have.
        PathsFailed, NoValueError: nothing can be said of a level.
    """
    seed = seed_of(spec, base, seed)
    started, clock = datetime.now(UTC), time.perf_counter()
    trials = Trials(trials_folder, seed, players, CHUNK_PATHS, progress)
    line = Line.of(spec.along, base, study, spec.precision)
    worlds = [(one.name, varied([base], one, study)[0]) for one in spec.cases] or [("", base)]
    answers = []
    for name, world in worlds:
        told: dict[str, Any] = {"confidence": spec.bound_confidence, "first_paths": spec.paths, "trials": trials, "study": study}
        answers.append(Search(Levels(world, line, spec.limit, **told), spec.looks).answer(name))
    about = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 3),
        "players": players.place,
        "workers": players.workers,
        "paths": trials.played,
        "paths_kept_from_before": trials.found,
    }
    return Reversed(spec, Studied.of(base), seed, tuple(answers), about)


def outcome_of(hold: Sequence[bool]) -> tuple[Outcome, bool]:
    """What levels say, by whether the limit holds at each from the low end to the high one, and whether harm grows with the level."""
    if hold[0] != hold[-1]:
        return Outcome.FOUND, hold[0]
    if len(set(hold)) > 1:
        return Outcome.NO_ORDER, True
    return (Outcome.HOLDS if hold[0] else Outcome.BREAKS), True


def crossings_of(limit: Limit, levels: Sequence[Level]) -> int:
    """How often the estimate on the paths of the first look passes the limit from level to level."""
    early = [level.early for level in levels if not math.isnan(level.early)]
    return sum(keeps(limit, one) != keeps(limit, other) for one, other in pairwise(early))


class Search:
    """One search along a key."""

    def __init__(self, levels: Levels, looks: tuple[int, ...]) -> None:
        """Search these levels, with so many paths at each look."""
        self._levels, self._looks = levels, looks
        self._grid = levels.line.grid()

    def answer(self, name: str) -> Answer:
        """Look with more and more paths for as long as they narrow the interval."""
        found = None
        for paths in self._looks:
            self._levels.look([value for value in self._grid if found is None or self._levels[value].is_open], paths)
            outcome, is_rising = self._outcome()
            ends = self._narrow_all(paths, is_rising) if outcome is Outcome.FOUND else (None, None, None, None)
            found = Answer(name, outcome, is_rising, *ends, self._crossings(), tuple(self._levels.tried))
            if self._is_settled(found):
                break
        assert found is not None
        return found

    def _outcome(self) -> tuple[Outcome, bool]:
        """What the levels tried so far say, and whether harm grows with the level."""
        return outcome_of([self._levels.holds(level) for level in self._levels.tried])

    def _narrow_all(self, paths: int, is_rising: bool) -> tuple[float | None, float | None, float | None, float | None]:
        """Both neighbours of the estimate's edge, and both sure edges."""
        tried = self._levels.tried if is_rising else self._levels.tried[::-1]
        verdicts = [level.standing.verdict for level in tried]
        broken = verdicts.index(Verdict.BROKEN) if Verdict.BROKEN in verdicts else len(tried)
        met = [level.value for level in tried[:broken] if level.standing.verdict is Verdict.MET]
        good = met[-1] if met else tried[0].value
        bad = tried[broken].value if broken < len(tried) else tried[-1].value
        holds, breaks = self._narrow(good, bad, self._levels.holds, paths)
        surely_holds, _ = self._narrow(good, breaks, lambda level: level.standing.verdict is Verdict.MET, paths) if met else (None, None)
        _, surely_breaks = self._narrow(holds, bad, lambda level: level.standing.verdict is not Verdict.BROKEN, paths)
        return holds, breaks, surely_holds, surely_breaks if broken < len(tried) else None

    def _narrow(self, good: float, bad: float, still: Callable[[Level], bool], paths: int) -> tuple[float, float]:
        """Bisect between a level where something still is so and one where it is not, through levels that were tried first."""
        while (value := self._between(good, bad)) is not None:
            self._levels.look([value], paths)
            good, bad = (value, bad) if still(self._levels[value]) else (good, value)
        return good, bad

    def _between(self, one: float, other: float) -> float | None:
        line = self._levels.line
        inner = [level.value for level in self._levels.tried if min(one, other) < level.value < max(one, other)]
        middle = (line.place(one) + line.place(other)) / 2.0
        return min(inner, key=lambda value: abs(line.place(value) - middle)) if inner else line.middle(one, other)

    def _crossings(self) -> int:
        return crossings_of(self._levels.limit, self._levels.tried)

    def _is_settled(self, found: Answer) -> bool:
        """Whether more paths would change nothing."""
        if found.outcome is not Outcome.FOUND:
            return not any(level.is_open for level in found.levels)
        pairs = ((found.surely_holds, found.holds), (found.breaks, found.surely_breaks))
        return all(one is not None and other is not None and self._levels.line.middle(one, other) is None for one, other in pairs)
