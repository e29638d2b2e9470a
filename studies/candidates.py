"""Points of a tuning study: the values of its parameters, what they mean in each scenario, and how they stand after some paths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from seawall.protocols.tables import Floats
from seawall.studies import ranking
from seawall.studies.estimate import Estimate
from seawall.studies.keys import Value
from seawall.studies.trials import Sample, Trial, Trials
from seawall.studies.tune_schema import TuneSpec
from seawall.studies.verdicts import Standing, Verdict, judge, parse_limit

MAX_FAILED_SHARE = 0.01
"""Of a point's paths; with more of them nothing is said of it."""


@dataclass(frozen=True, eq=False)
class Point:
    """One choice of the parameters.

    Attributes:
        number: in the order in which points were proposed.
        values: of the parameters, in their order.
        excuses: why it is not simulated; empty where it is.
        trial: what is played; None where nothing is.
    """

    number: int
    values: tuple[Value, ...]
    excuses: tuple[str, ...] = ()
    trial: Trial | None = None


@dataclass(frozen=True)
class Assessment:
    """How a point stands.

    Attributes:
        paths: of each scenario, failed ones included.
        objectives: estimates in their order; none where too many paths failed.
        standings: of the constraints, in their order; none where too many paths failed.
        failure: how many paths failed and why the first did, where they are too many; else empty.
        failed: paths that failed and are in none of the estimates, where they are few.
    """

    paths: int
    objectives: tuple[Estimate, ...]
    standings: tuple[Standing, ...]
    failure: str = ""
    failed: int = 0

    @property
    def is_broken(self) -> bool:
        """Whether a constraint certainly does not hold, or too many paths failed to tell."""
        return bool(self.failure) or any(one.verdict is Verdict.BROKEN for one in self.standings)

    @property
    def is_met(self) -> bool:
        """Whether all constraints hold as surely as asked."""
        return not self.failure and all(one.verdict is Verdict.MET for one in self.standings)


@dataclass
class Candidates:
    """Points that are simulated, with what is known of each.

    Attributes:
        spec: the study.
        trials: where their paths are.
        points: in the order in which they were proposed.
    """

    spec: TuneSpec
    trials: Trials
    points: list[Point] = field(default_factory=list)
    _known: dict[int, Assessment] = field(default_factory=dict)
    _keys: dict[str, Point] = field(default_factory=dict)

    def bring(self, wanted: Mapping[Point, int]) -> None:
        """Play points until each has so many paths, and assess anew those that got more."""
        lacking = {point: paths for point, paths in wanted.items() if self.paths(point) < paths}
        self.trials.bring({_trial(point): paths for point, paths in lacking.items()})
        for point in lacking:
            self._known[point.number] = assess(self.spec, self.trials.sample(_trial(point)), self.trials.paths(_trial(point)))

    def add(self, points: Iterable[Point]) -> list[Point]:
        """Take in points to be played but for those that would play what another one plays; returns those taken in."""
        fresh = []
        for point in points:
            if point.trial is not None and point.trial.key not in self._keys:
                self._keys[point.trial.key] = point
                fresh.append(point)
        self.points += fresh
        return fresh

    def same_as(self, point: Point) -> Point:
        """The point taken in that plays what this one would. Raises KeyError where there is none."""
        return self._keys[_trial(point).key]

    def contenders(self, most_paths: int) -> list[Point]:
        """Points that meet every constraint, or may turn out to on so many paths at most, from the best to the worst among themselves."""
        return self.ranked([point for point in self.standing() if self[point].is_met or self.paths(point) < most_paths])

    def settled(self, paths: int, most_paths: int) -> list[Point]:
        """Contenders that meet every constraint on at least `paths` paths, in their order."""
        return [point for point in self.contenders(most_paths) if self.is_settled(point, paths)]

    def is_settled(self, point: Point, paths: int) -> bool:
        """Whether a point meets every constraint on at least so many paths."""
        return self[point].is_met and self.paths(point) >= paths

    def paths(self, point: Point) -> int:
        """Paths of each scenario that a point has."""
        known = self._known.get(point.number)
        return known.paths if known else 0

    def __getitem__(self, point: Point) -> Assessment:
        """How a point stands that has been played. Raises KeyError for another."""
        return self._known[point.number]

    def scores(self, points: Sequence[Point]) -> Floats:
        """Estimates of the objectives, `[points, objectives]`, turned so that less is better; NaN where there is none."""
        signs = [objective.sign for objective in self.spec.objectives]
        rows = [[_number(one.value) * sign for one, sign in zip(self[point].objectives, signs, strict=True)] for point in points]
        return np.array(rows, np.float64).reshape(len(points), len(signs))

    def ranked(self, points: Sequence[Point]) -> list[Point]:
        """Points from the best to the worst, whatever the constraints say."""
        within = [objective.within for objective in self.spec.objectives]
        return [points[row] for row in ranking.in_order(self.scores(points), within)]

    def standing(self) -> list[Point]:
        """Points of which no constraint is certainly broken, from the best to the worst."""
        return self.ranked([point for point in self.points if self.paths(point) and not self[point].is_broken])

    def frontier(self) -> list[Point]:
        """Points that meet all constraints and that none of the others beats in every objective, from the best to the worst."""
        met = self.ranked([point for point in self.standing() if self[point].is_met])
        kept = ranking.frontier(self.scores(met))
        return [point for point, stays in zip(met, kept, strict=True) if stays]


def assess(spec: TuneSpec, sample: Sample, paths: int) -> Assessment:
    """How a study's objectives and constraints stand on a sample.

    Raises:
        ExpressionError: one of them names a measure that these paths do not have.
    """
    failed = len(sample.failures)
    if failed > MAX_FAILED_SHARE * (sample.paths + failed):
        return Assessment(paths, (), (), f"{failed:,} of {sample.paths + failed:,} paths failed; the first: {sample.failures[0]}")
    objectives, standings = [], []
    for objective in spec.objectives:
        quantity = objective.quantity
        objectives.append(quantity.estimate(quantity.values(sample.measures), sample.log_weights))
    for constraint in spec.constraints:
        limit = parse_limit(constraint.require)
        standings.append(judge(limit, limit.quantity.values(sample.measures), sample.log_weights, constraint.confidence, failed=failed))
    return Assessment(paths, tuple(objectives), tuple(standings), failed=failed)


def _trial(point: Point) -> Trial:
    assert point.trial is not None, f"{point.values} is not simulated: {point.excuses}"
    return point.trial


def _number(value: float | None) -> float:
    return math.nan if value is None else value
