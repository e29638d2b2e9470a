"""Points proposed by Optuna where a grid would be too large: a tree-structured Parzen estimator, several objectives, with constraints.

It begins with a coarse grid, proposes points in batches of fixed size and is told their figures in order, so its proposals do not depend on
who plays the paths. Its seed is the study's.

Source: Bergstra et al. (2011), Algorithms for hyper-parameter optimization; Ozaki et al. (2022), Multiobjective tree-structured Parzen
estimator, JAIR 73; as Optuna's TPESampler has them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from seawall.studies.candidates import Assessment, Candidates, Point
from seawall.studies.keys import Value
from seawall.studies.proposals import grid
from seawall.studies.tune_schema import Parameter, TuneSpec
from seawall.studies.verdicts import excess, parse_limit

if TYPE_CHECKING:
    import optuna

_EXCUSED = 1e9
"""Excess of a point that is explained and not played: worse than any that is."""


def propose(spec: TuneSpec, candidates: Candidates, make: Callable[[int, tuple[Value, ...]], Point]) -> list[Point]:
    """Let Optuna propose points, each played with the first paths; returns those that are explained instead.

    Args:
        spec: the study.
        candidates: those played are appended.
        make: a point from its number and values.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=spec.seed % 2**32, multivariate=True)
    study = optuna.create_study(directions=["minimize"] * len(spec.objectives), sampler=sampler)
    for values in grid(spec.parameters, spec.search.warm_start)[: spec.search.trials]:
        study.enqueue_trial({one.name: _proposed(one, value) for one, value in zip(spec.parameters, values, strict=True)})
    excused: list[Point] = []
    for first in range(0, spec.search.trials, spec.search.batch):
        asked = [study.ask() for _ in range(min(spec.search.batch, spec.search.trials - first))]
        points = [make(first + i, _values(trial, spec.parameters)) for i, trial in enumerate(asked)]
        candidates.bring(dict.fromkeys(candidates.add(points), spec.search.first_paths))
        for trial, point in zip(asked, points, strict=True):
            _tell(study, trial, spec, candidates, point)
        excused += [point for point in points if point.trial is None]
    return excused


def _values(trial: optuna.Trial, parameters: Sequence[Parameter]) -> tuple[Value, ...]:
    return tuple(_value(trial, one) for one in parameters)


def _value(trial: optuna.Trial, one: Parameter) -> Value:
    if one.values:
        return one.values[trial.suggest_categorical(one.name, list(range(len(one.values))))]
    assert one.low is not None and one.high is not None
    return float(f"{trial.suggest_float(one.name, one.low, one.high, log=one.spacing == 'log'):.6g}")


def _proposed(one: Parameter, value: Value) -> Value:
    """A value as Optuna knows it: of a list its number, since values of a list need not be of one type."""
    return one.values.index(value) if one.values else value


def _tell(study: optuna.Study, trial: optuna.Trial, spec: TuneSpec, candidates: Candidates, point: Point) -> None:
    if point.trial is None:
        trial.set_constraint("simulated", _EXCUSED)
        study.tell(trial, [_EXCUSED] * len(spec.objectives))
        return
    point = candidates.same_as(point)
    known = candidates[point]
    trial.set_constraint("simulated", _EXCUSED if known.failure else 0.0)
    for name, beyond in excesses(spec, known).items():
        trial.set_constraint(name, beyond)
    scores = [math.nan] * len(spec.objectives) if known.failure else candidates.scores([point])[0]
    study.tell(trial, [_EXCUSED if math.isnan(score) else float(score) for score in scores])


def excesses(spec: TuneSpec, found: Assessment) -> dict[str, float]:
    """By how much the estimate of each constraint passes its limit, by name; not above 0 where it holds."""
    judged = zip(spec.constraints, found.standings, strict=False)
    return {one.name: min(excess(parse_limit(one.require), standing), _EXCUSED) for one, standing in judged}
