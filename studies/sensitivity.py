"""Sensitivity: which parameters drive which outcomes over their ranges, by Sobol's or Morris's indices; each point has the same paths."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.tables import Floats
from seawall.studies.indices import LEADING, Design, Index, design, indices, means, path_noise, varies
from seawall.studies.levels import Line, refuse_failed
from seawall.studies.players import Players
from seawall.studies.proposals import Base
from seawall.studies.sensitivity_schema import Measured, SensitivitySpec
from seawall.studies.study_file import Studied, seed_of
from seawall.studies.trials import Sample, Trial, Trials

CHUNK_PATHS = 25
_PRECISION = 1e-4  # of parameters, share of their range: settings stay short
SAME = "it is the same at all points"
HARDLY = "it differs at too few points"


@dataclass(frozen=True)
class Driven:
    """What drives an outcome.

    Attributes:
        outcome: which.
        values: `[points]`, of the outcome; NaN where a path has none.
        indices: by name, `[parameters]` each; empty with `why`.
        noise: share of the variance over points that comes from having so few paths; None where that cannot be told.
        why: why there are no indices; else empty.
    """

    outcome: Measured
    values: Floats
    indices: dict[str, Index]
    noise: float | None
    why: str

    def order(self, method: str) -> list[int]:
        """Parameters from the strongest to the weakest."""
        leading = self.indices[LEADING[method]]  # type: ignore[index]
        return [int(row) for row in np.argsort(-leading.value, kind="stable")]


@dataclass(frozen=True)
class Sensitivity:
    """The answer of a sensitivity study.

    Attributes:
        spec: what was asked.
        scenario: before any parameter.
        seed: of paths, points and intervals.
        levels: `[points, parameters]`, as they were set.
        driven: one for each outcome.
        about: when and how it was played.
    """

    spec: SensitivitySpec
    scenario: Studied
    seed: int
    levels: Floats
    driven: tuple[Driven, ...]
    about: dict[str, Any]


def sensitivity(
    spec: SensitivitySpec,
    base: Base,
    study: Path,
    trials_folder: Path,
    players: Players,
    *,
    seed: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Sensitivity:
    """Answer a sensitivity study.

    Args:
        spec: what is asked.
        base: its scenario, as `study_file.base_of` gives it.
        study: the file that faults name.
        trials_folder: where played paths are kept, and found again.
        players: who plays them; never shows in the answer.
        seed: replaces that of the study and of the scenario.
        progress: called with paths played and paths wanted so far.

    Raises:
        ScenarioError: the scenario cannot have such values.
        ExpressionError: an outcome names a measure that its paths do not have.
        PathsFailed: a path failed; indices need all of them.
    """
    seed = seed_of(spec, base, seed)
    started, clock = datetime.now(UTC), time.perf_counter()
    asked = design(spec.method, len(spec.parameters), spec.points, seed)
    lines = [Line.of(one, base, study, _PRECISION) for one in spec.parameters]
    levels = np.array([[line.at(float(share)) for line, share in zip(lines, row, strict=True)] for row in asked.unit])
    points = [_trial(base, lines, row, study) for row in levels.tolist()]
    trials = Trials(trials_folder, seed, players, -(-spec.paths // math.ceil(spec.paths / CHUNK_PATHS)), progress)
    samples: list[Sample] = []
    for some in (points[: asked.block], points[asked.block :]):  # what cannot be played mostly shows at once
        trials.bring(dict.fromkeys(some, spec.paths))
        samples += [_sample(trials, point, number) for number, point in enumerate(some, len(samples))]
        for outcome in spec.outcomes:  # a misspelt one shows before all the rest is played
            outcome.quantity.values(samples[0].measures)
    about = {
        "started": started.isoformat(timespec="seconds"),
        "players": players.place,
        "workers": players.workers,
        "paths": trials.played,
        "paths_kept_from_before": trials.found,
    }
    driven = tuple(_driven(spec, asked, one, samples, seed) for one in spec.outcomes)
    return Sensitivity(spec, Studied.of(base), seed, levels, driven, about | {"seconds": round(time.perf_counter() - clock, 3)})


def _trial(base: Base, lines: list[Line], levels: list[float], study: Path) -> Trial:
    more = tuple(text for line, level in zip(lines, levels, strict=True) for text in line.text(level, base, study))
    keys = [text.partition("=")[0] for text in more]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ScenarioError([Fault(str(study), None, "parameters", f"two of them set {twice}")])
    return Trial((base.with_settings(more),), (1.0,))


def _sample(trials: Trials, point: Trial, number: int) -> Sample:
    sample = trials.sample(point)
    refuse_failed(sample, trials.paths(point), f"point {number}", most=0.0)
    return sample


def _driven(spec: SensitivitySpec, asked: Design, outcome: Measured, samples: list[Sample], seed: int) -> Driven:
    values = np.stack([outcome.quantity.values(sample.measures)[: spec.paths] for sample in samples])
    log_weights = np.stack([sample.log_weights[: spec.paths] for sample in samples])
    found = means(values, log_weights)
    if why := why_not(found):
        return Driven(outcome, found, {}, None, why)
    terms: dict[str, Any] = {"resamples": spec.resamples, "confidence": spec.confidence, "seed": seed}
    if (by_name := indices(asked, values, log_weights, **terms)) is None:
        return Driven(outcome, found, {}, None, HARDLY)
    return Driven(outcome, found, by_name, path_noise(values, log_weights), "")


def why_not(values: Floats) -> str:
    """Why an outcome with such values at the points, NaN where some path has none, can have no indices; else empty."""
    if without := int(np.isnan(values).sum()):
        return f"at {without:,} of {len(values):,} points some path has no value of it"
    return "" if varies(values) else SAME
