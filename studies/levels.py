"""Levels along a key of a scenario: each is a trial with that value, and a limit that stands there one way or another."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seawall.protocols.errors import Fault, ScenarioError, SeawallError
from seawall.studies.keys import expand
from seawall.studies.proposals import Base, written
from seawall.studies.simulate import replay_command
from seawall.studies.trials import Sample, Trial, Trials
from seawall.studies.tune_schema import Parameter
from seawall.studies.verdicts import Limit, Standing, Verdict, judge, keeps

MAX_FAILED_SHARE = 0.01
FIRST_LEVELS = 5


class PathsFailed(SeawallError):
    """More paths failed than a study can leave out; the text says where, why, and how to play the first of them again."""


class NoValueError(SeawallError, ValueError):
    """A quantity that has no value on any path; the text says at which level."""


@dataclass(frozen=True, slots=True)
class Line:
    """The way between two ends of a key, and how closely it is looked at.

    Attributes:
        along: the key and its ends.
        precision: share of the way, in (0, 1).
        is_whole: whether only whole numbers are levels.
    """

    along: Parameter
    precision: float
    is_whole: bool

    @classmethod
    def of(cls, along: Parameter, base: Base, study: Path, precision: float) -> Line:
        """The line in a scenario; whole where its values there are.

        Raises:
            ScenarioError: it has no such key, or takes only whole numbers there.
        """
        written({along.key: 1.0}, base.loaded.scenario, study)
        values = [value for _, value in expand(along.key, base.loaded.scenario)]
        found = cls(along, precision, not along.scales and all(isinstance(value, int) for value in values))
        if found.is_whole and not all(end.is_integer() for end in found._ends):
            raise ScenarioError([Fault(str(study), None, along.key, f"{along.low:g} to {along.high:g}: the ends must be whole numbers")])
        return found

    def grid(self) -> list[float]:
        """Levels that are looked at first, from the low end to the high one."""
        count = self.along.points or FIRST_LEVELS
        return sorted({self.at(i / (count - 1)) for i in range(count)})

    def middle(self, one: float, other: float) -> float | None:
        """The level in the middle of two; None where they are as close as the precision asks, or nothing lies between them."""
        if abs(self.place(one) - self.place(other)) <= self.precision:
            return None
        found = self.at((self.place(one) + self.place(other)) / 2.0)
        return found if min(one, other) < found < max(one, other) else None

    def at(self, share: float) -> float:
        """The level at a share of the way, in as few digits as leave it within a tenth of the precision; the ends as they are."""
        low, high = self._ends
        if share in (0.0, 1.0):
            return high if share else low
        is_log = self.along.spacing == "log"
        level = low * math.pow(high / low, share) if is_log else low + (high - low) * share
        step = level * math.log(high / low) if is_log else high - low
        return float(round(level)) if self.is_whole else round(level, math.ceil(-math.log10(self.precision * step / 5.0)))

    def place(self, level: float) -> float:
        """How far along the line it is: 0 at the low end, 1 at the high one."""
        low, high = self._ends
        if self.along.spacing == "log":
            return math.log(level / low) / math.log(high / low)
        return (level - low) / (high - low)

    def text(self, level: float, base: Base, study: Path) -> tuple[str, ...]:
        """`KEY=VALUE` for each key that it stands for. Raises ScenarioError where one cannot be multiplied."""
        value = int(level) if self.is_whole else level
        return written({self.along.key: value}, base.loaded.scenario, study, scales=self.along.scales)

    @property
    def _ends(self) -> tuple[float, float]:
        assert self.along.low is not None and self.along.high is not None
        return float(self.along.low), float(self.along.high)


@dataclass(frozen=True, slots=True)
class Level:
    """How a limit stands at one level.

    Attributes:
        value: of the key.
        paths: that were played and did not fail.
        standing: estimate, one-sided bounds, verdict.
        early: the estimate on the paths of the first look alone, which all levels share; NaN where those have none.
        failed: paths that failed, which are in no estimate; the bounds of a `p` allow for either outcome of each.
        command: plays the level's paths again.
    """

    value: float
    paths: int
    standing: Standing
    early: float
    failed: int
    command: str

    @property
    def is_open(self) -> bool:
        """Whether more paths would change the verdict."""
        return self.standing.verdict is Verdict.OPEN


class Levels:
    """Levels that were looked at, each with its paths.

    Attributes:
        line: that they lie on.
        limit: what must hold.
    """

    def __init__(self, base: Base, line: Line, limit: Limit, *, confidence: float, first_paths: int, trials: Trials, study: Path) -> None:
        """No level yet; `confidence` is of each one-sided bound, `study` the file that faults name."""
        self.line, self.limit = line, limit
        self._base, self._confidence, self._first_paths, self._trials, self._study = base, confidence, first_paths, trials, study
        self._trial_of: dict[float, Trial] = {}
        self._known: dict[float, Level] = {}

    def look(self, values: Iterable[float], paths: int) -> None:
        """Bring levels to so many paths.

        Raises:
            ScenarioError: the scenario cannot have such a value.
            PathsFailed, NoValueError, ExpressionError: nothing can be said of one.
        """
        wanted = {value: self._trial(value) for value in values}
        self._trials.bring(dict.fromkeys(wanted.values(), paths))
        for value, trial in wanted.items():
            self._known[value] = self._level(value, trial)

    def __getitem__(self, value: float) -> Level:
        """How the limit stands at a level. Raises KeyError for one that was not looked at."""
        return self._known[value]

    @property
    def tried(self) -> list[Level]:
        """All of them, from the low end to the high one."""
        return [self._known[value] for value in sorted(self._known)]

    def holds(self, level: Level) -> bool:
        """Whether the limit holds there by the estimate."""
        return self.keeps(level.standing.value)

    def keeps(self, estimate: float | None) -> bool:
        """Whether a number is on the right side of the limit."""
        assert estimate is not None
        return keeps(self.limit, estimate)

    def _trial(self, value: float) -> Trial:
        if value not in self._trial_of:
            more = self.line.text(value, self._base, self._study)
            self._trial_of[value] = Trial((self._base.with_settings(more),), (1.0,))
        return self._trial_of[value]

    def _level(self, value: float, trial: Trial) -> Level:
        sample, paths = self._trials.sample(trial), self._trials.paths(trial)
        where = f"{self.line.along.key} at {value:g}"
        refuse_failed(sample, paths, where)
        quantity = self.limit.quantity
        values = quantity.values(sample.measures)
        standing = judge(self.limit, values, sample.log_weights, self._confidence, failed=len(sample.failures))
        if standing.value is None:
            raise NoValueError(f"{where}: {quantity.text} has no value on any path")
        early = quantity.estimate(values[: self._first_paths], sample.log_weights[: self._first_paths]).value
        command = f"{replay_command(trial.members[0], self._trials.seed)} --paths {paths}"
        return Level(value, sample.paths, standing, math.nan if early is None else early, len(sample.failures), command)


def refuse_failed(sample: Sample, paths: int, where: str, most: float = MAX_FAILED_SHARE) -> None:
    """Refuse (PathsFailed) a sample of which more than a share of the paths failed."""
    if len(sample.failures) > most * paths:
        raise PathsFailed(f"{where}: {len(sample.failures):,} of {paths:,} paths failed; the first: {sample.failures[0]}")
