"""Keys that JSON files of results must have, and what stands under each: whoever reads a folder is told by name what is missing or wrong.

Only what reports and comparisons read is asked for, as this version writes it; a file may have further keys.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator

from seawall.studies.seal import NoRunError

_FAR = 1e15
Number = Annotated[float, Field(ge=-_FAR, le=_FAR)]
"""Any number of a manifest: seconds, fractions, USD; what is larger is none."""
Span = Annotated[float, Field(ge=0.0, le=1e12)]
"""Seconds."""
Count = Annotated[int, Field(ge=0, le=10**12)]
Seed = Annotated[int, Field(ge=0)]
"""As large as the command line takes it."""


class Keys(BaseModel):
    """Keys and values of a file, and whatever else it has."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class Entry(Keys):
    """One headline figure."""

    value: float | None
    unit: Literal["USD", "fraction", "count", "seconds", "per_year", "tokens"]
    paths: Count
    why: str = ""
    interval: list[float | None] | None = Field(default=None, min_length=2, max_length=2)

    @model_validator(mode="after")
    def _says_why(self) -> Entry:
        if self.value is None and "why" not in self.model_fields_set:
            raise ValueError("has neither a value nor `why` there is none")
        return self


class Summary(RootModel[dict[str, dict[str, Entry]]]):
    """`summary.json`: headline figures by group and name."""

    model_config = ConfigDict(strict=True)


_TERMS = {
    "change": {"change"},
    "gap": {"change"},
    "drift": {"per_day", "duration_s"},
    "volatility_burst": {"factor", "duration_s"},
    "depeg": {"level_usd"},
}


class Shock(Keys):
    """A shock of a manifest, with the terms of its kind."""

    asset: str
    kind: Literal["change", "gap", "drift", "volatility_burst", "depeg"] = "change"
    change: Number = 0.0
    per_day: Number = 0.0
    duration_s: Span = 0.0
    factor: Number = 0.0
    level_usd: Number = 0.0

    @model_validator(mode="after")
    def _has_its_terms(self) -> Shock:
        if absent := sorted(_TERMS[self.kind] - self.model_fields_set):
            raise ValueError(f"has no {absent[0]!r}")
        return self


class TimedShock(Shock):
    """One that struck a run."""

    at_s: Span


class PlannedShock(Shock):
    """One of an ensemble: at a time, or so often a year."""

    at_s: Span | None = None
    per_year: Number | None = None


class Outage(Keys):
    """Seconds of silence of a tASSET's feed."""

    tasset: str
    from_s: Span
    to_s: Span


class Disturbance(Keys):
    """A disturbance that struck a run."""

    kind: str
    what: Annotated[str, Field(min_length=1)]
    from_s: Span
    over_s: Span


class PlannedDisturbance(Keys):
    """A disturbance of an ensemble."""

    what: Annotated[str, Field(min_length=1)]
    at_s: Span | None = None
    per_year: Number | None = None


class Delisting(Keys):
    """A delisting that was planned."""

    tasset: str
    at_s: Span
    replacement: str


class Delisted(Delisting):
    """One that happened."""

    split: Number
    end_price: Number


class Check(Keys):
    """One moment of a path, configured beside realised."""

    asset: str
    quantity: str
    configured: float | None
    realised: float | None
    p: float | None
    verdict: str


class PathCheck(Keys):
    """The check on the path generator."""

    rows: list[Check]
    why: str


class Moments(Keys):
    """What the path of an asset turned out to be."""

    asset: str
    realised: dict[str, float | None]


class Played(Keys):
    """What the manifests of a run and of an ensemble both say."""

    name: str
    about: str
    scenario_file: str
    scenario_text: str
    settings: list[str]
    digest: str
    seed: Seed
    versions: dict[str, str]
    machine: str
    started: str
    notes: list[str]
    outages: list[Outage]
    path_check: PathCheck | None = None


class RunManifest(Played):
    """The manifest of a single run."""

    path: Count
    log_weight: float
    command: str
    start: str
    seconds: dict[str, Span]
    shocks: list[TimedShock]
    disturbances: list[Disturbance] = []
    delistings: list[Delisted]
    path_moments: list[Moments]


class Stopping(Keys):
    """How a stopping rule stands."""

    rule: str
    is_met: bool
    paths: Count
    figure: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None


class FailedPath(Keys):
    """A path that failed, and the command that plays it again."""

    path: Count
    type: str
    error: str
    command: str


class EnsembleManifest(Played):
    """The manifest of an ensemble."""

    first_path: Count
    paths_asked: Count
    paths: Count
    sampling: str = "plain"
    stopping: Stopping | None
    failed: list[FailedPath]
    replay: str
    seconds: Span
    workers: Count
    peak_memory_mb: Span
    paths_kept_from_before: Count = 0
    shocks: list[PlannedShock]
    disturbances: list[PlannedDisturbance] = []
    delistings: list[Delisting]
    start: str = ""
    steps: Count = 0
    step_seconds: Span = 0.0
    paths_checked: Count = 0


class Bounds(Keys):
    """A figure of a study with its interval."""

    value: float | None
    low: float | None
    high: float | None


class Standing(Bounds):
    """How a constraint stands."""

    verdict: Literal["met", "broken", "open"]


class TunedPoint(Keys):
    """A point of a tuning study with its figures."""

    number: Count
    values: dict[str, str | bool | int | float]
    paths: Count
    objectives: dict[str, Bounds]
    constraints: dict[str, Standing]
    failure: str | None
    commands: list[str]


class TuningCheck(Keys):
    """The best points once more."""

    kind: str
    name: str
    best: Count | None
    points: list[TunedPoint]


class TunedScenario(Keys):
    """A scenario of a tuning study."""

    file: str
    name: str
    weight: Number
    digest: str


class Purchases(Keys):
    """Debt of the median CDP, USD."""

    lowest_ratio: Number
    highest_ratio: Number


class TuningLines(Keys):
    """Lines of a map of ratio and discount."""

    x: str
    y: str
    ratios: list[float]
    restoring: list[float]
    toxic: list[float] | None
    gap: float | None
    least: list[float] | None
    floor: float | None
    purchase_usd: Purchases


class Tuning(Keys):
    """`tuning.json`; what was asked is checked where it is read."""

    name: str
    about: str
    seed: Seed
    digest: str
    study_file: str
    study_text: str
    allow_outside: bool
    study: dict[str, Any]
    scenarios: Annotated[list[TunedScenario], Field(min_length=1)]
    rounds: list[str]
    points: Count
    excused: Count
    paths_played: Count
    paths_without_halving: Count
    recommended: TunedPoint | None
    runner_up: TunedPoint | None
    closest: list[TunedPoint]
    frontier: list[Count]
    lines: TuningLines | None
    checks: list[TuningCheck]


class TuningManifest(Keys):
    """The manifest of a tuning study."""

    seconds: Span
    workers: str
    machine: str
    paths_found_from_before: Count
    versions: dict[str, str]


class StudyManifest(Keys):
    """The manifest of a study of one scenario."""

    scenario_file: str
    scenario_name: str
    digest: str
    settings: list[str]
    seed: Seed
    started: str
    seconds: Span
    players: str
    workers: Count
    paths: Count
    paths_kept_from_before: Count


class Edge(Keys):
    """How far a limit holds in one case."""

    name: str
    outcome: Literal["found", "holds everywhere", "breaks everywhere", "no order"]
    is_rising: bool
    holds: float | None
    breaks: float | None
    surely_holds: float | None
    surely_breaks: float | None
    crossings: Count

    @model_validator(mode="after")
    def _has_its_edge(self) -> Edge:
        if (self.outcome == "found") != (self.holds is not None and self.breaks is not None):
            raise ValueError("`holds` and `breaks` have levels where the outcome is found, and only there")
        if self.outcome != "found" and not (self.surely_holds is None and self.surely_breaks is None):
            raise ValueError("`surely_holds` and `surely_breaks` have levels only where the outcome is found")
        return self


class Edges(Keys):
    """What `reverse.json` has beside the study."""

    answers: Annotated[list[Edge], Field(min_length=1)]


class DrivenOutcome(Keys):
    """An outcome of a sensitivity study; `why` says why nothing can be told of it."""

    name: str
    why: str
    noise: Annotated[float, Field(ge=0.0, le=_FAR)] | None

    @model_validator(mode="after")
    def _has_no_noise_without_indices(self) -> DrivenOutcome:
        if self.why and self.noise is not None:
            raise ValueError("`noise` is null where `why` says why nothing can be told")
        return self


class DrivenOutcomes(Keys):
    """What `sensitivity.json` has beside the study."""

    answers: Annotated[list[DrivenOutcome], Field(min_length=1)]


K = TypeVar("K", bound=BaseModel)


def checked(file: Path, found: dict[str, Any], kind: type[K]) -> dict[str, Any]:
    """The same keys and values, if they are of that kind.

    Raises:
        NoRunError: they are not; the text names file and key.
    """
    try:
        kind.model_validate(found)
    except ValidationError as error:
        raise _refusal(file, error, ()) from None
    return found


def asked(file: Path, found: dict[str, Any], kind: type[K], *within: str) -> K:
    """What a study asked, as its answer's file has it; `within` are the keys under which it stands there.

    Raises:
        NoRunError: no such study can be asked; the text names file and key.
    """
    try:
        return kind.model_validate_json(json.dumps(found))
    except ValidationError as error:
        raise _refusal(file, error, within) from None


def _refusal(file: Path, error: ValidationError, within: tuple[str, ...]) -> NoRunError:
    fault = error.errors()[0]
    where = "".join(f"{key}: " for key in [".".join(map(str, (*within, *fault["loc"])))] if key)
    return NoRunError(f"{file}: is not what this version writes: {where}{fault['msg']}")
