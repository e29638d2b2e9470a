"""What a tuning study may say: every key, its unit and its interval. Unknown keys are refused."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.fields import Positive, Share, Text, Within
from seawall.scenarios.parts import Part
from seawall.studies.keys import Value
from seawall.studies.quantity import Quantity, parse_quantity
from seawall.studies.until import parse as parse_until
from seawall.studies.verdicts import parse_limit

MAX_POINTS = 10_000
Label = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]
Settings = dict[str, bool | int | float | str]


class Member(Part):
    """A scenario of a study, with its weight among them."""

    file: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="beside the study, or in the folder above")
    weight: Positive = 1.0


class Parameter(Part):
    """What is to be chosen: keys of the scenarios, and the values tried."""

    name: Label
    key: Text = Field(description="as --set names it; * stands for every name, [*] for every number of a list")
    scales: bool = Field(default=False, description="true: values multiply what the scenario says")
    values: tuple[bool | int | float | str, ...] = Field(default=(), strict=False, max_length=200)
    low: float | None = None
    high: float | None = None
    points: Annotated[int, Within("[2, 200]")] | None = None
    spacing: Literal["even", "log"] = "even"

    @model_validator(mode="after")
    def _one_range(self) -> Self:
        has_range = self.low is not None and self.high is not None
        if bool(self.values) == has_range or (self.low is None) != (self.high is None):
            raise ValueError("either values, or low and high with points, say what is tried")
        if has_range and not self.low < self.high:  # type: ignore[operator]
            raise ValueError(f"low ({self.low:g}) must be less than high ({self.high:g})")
        if len({(type(value), value) for value in self.values}) < len(self.values):
            raise ValueError(f"values: one stands twice in {', '.join(map(str, self.values))}")
        if self.spacing == "log" and not (self.low or 0.0) > 0.0:
            raise ValueError("spacing log needs low > 0")
        return self

    @property
    def is_range(self) -> bool:
        """Whether it may lie anywhere between two ends."""
        return not self.values

    def levels(self, points: int | None = None) -> list[Value]:
        """The values tried on a grid; of a range `points` of them, to six digits, so that settings stay short."""
        if self.values:
            return list(self.values)
        assert self.low is not None and self.high is not None
        count = points or self.points or 5
        shares = [i / (count - 1) for i in range(count)]
        if self.spacing == "log":
            return [_short(self.low * math.pow(self.high / self.low, share)) for share in shares]
        return [_short(self.low + (self.high - self.low) * share) for share in shares]


def _short(value: float) -> float:
    return float(f"{value:.6g}")


class Objective(Part):
    """What is to be small or large, the most important one first."""

    name: Label
    minimise: Text | None = None
    maximise: Text | None = None
    within: Share = Field(default=0.0, description="points that close to the best one count as equal, and the next objective decides")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.minimise is None) == (self.maximise is None):
            raise ValueError("either minimise or maximise must be given")
        parse_quantity(self.text)
        return self

    @property
    def text(self) -> str:
        """The quantity as written."""
        return self.minimise if self.minimise is not None else self.maximise or ""

    @property
    def sign(self) -> float:
        """1 where less is better, -1 where more is."""
        return 1.0 if self.minimise is not None else -1.0

    @property
    def quantity(self) -> Quantity:
        """The quantity, read."""
        return parse_quantity(self.text)


class Constraint(Part):
    """What must hold, and how sure that must be."""

    name: Label
    require: Text = Field(description='a quantity, <= or >=, and a number: "p(bad_debt > 0) <= 1%"')
    confidence: Annotated[float, Within("[0.5, 0.9999]")] = 0.95

    @model_validator(mode="after")
    def _readable(self) -> Self:
        parse_limit(self.require)
        return self


class Search(Part):
    """How points are proposed, and how many paths each gets."""

    method: Literal["grid", "optuna"] = "grid"
    first_paths: Annotated[int, Within("[10, 100000]")] = Field(default=25, description="paths that every point gets")
    paths: Annotated[int, Within("[10, 1000000]")] = Field(default=500, description="paths that the best points get")
    keep: Annotated[float, Within("(0, 0.9]")] = Field(default=0.4, description="share of the points that goes on to twice the paths")
    finalists: Annotated[int, Within("[2, 100]")] = Field(default=6, description="points that get all paths at least")
    until: Text | None = Field(default=None, description="of the recommended point: more paths until this holds, as run --until")
    most_paths: Annotated[int, Within("[10, 10000000]")] | None = Field(
        default=None, description="of a leader of which a constraint is open, or until not met; four times paths if left out"
    )
    trials: Annotated[int, Within("[1, 10000]")] = Field(default=60, description="points that Optuna proposes")
    batch: Annotated[int, Within("[1, 200]")] = Field(default=8, description="points that it proposes at once")
    warm_start: Annotated[int, Within("[2, 20]")] = Field(default=3, description="levels of each range on the grid that it begins with")

    @property
    def limit(self) -> int:
        """Most paths that any point gets."""
        return self.most_paths or 4 * self.paths

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.first_paths <= self.paths <= self.limit:
            raise ValueError(f"first_paths ({self.first_paths}) <= paths ({self.paths}) <= most_paths ({self.limit}) must hold")
        if self.until is not None:
            parse_until(self.until)
        return self


class Variation(Part):
    """Another world in which the recommendation is looked at again."""

    name: Text
    set: Settings = Field(default_factory=dict, description="key: value")
    scale: dict[str, Positive] = Field(default_factory=dict, description="key: factor")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.set and not self.scale:
            raise ValueError("set or scale must say what is different")
        return self


class Checks(Part):
    """What the recommendation must stand afterwards."""

    paths: Annotated[int, Within("[10, 1000000]")] = Field(default=500, description="of each check")
    held_back: tuple[Member, ...] = Field(default=(), strict=False, max_length=16, description="scenarios that the search has not seen")
    variations: tuple[Variation, ...] = Field(default=(), strict=False, max_length=32)


class TuneSpec(Part):
    """A tuning study: for these scenarios, which values of these parameters, judged how."""

    name: Text
    about: Text
    seed: Annotated[int, Within("[0, 9007199254740991]")]
    scenarios: tuple[Member, ...] = Field(strict=False, min_length=1, max_length=16)
    settings: Settings = Field(default_factory=dict, description="key: value, in all scenarios")
    parameters: tuple[Parameter, ...] = Field(strict=False, min_length=1, max_length=12)
    objectives: tuple[Objective, ...] = Field(strict=False, min_length=1, max_length=6)
    constraints: tuple[Constraint, ...] = Field(default=(), strict=False, max_length=12)
    search: Search = Search()
    checks: Checks = Checks()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for what, parts in (("parameters", self.parameters), ("objectives", self.objectives), ("constraints", self.constraints)):
            names = [part.name for part in parts]
            if len(set(names)) < len(names):
                raise ValueError(f"{what}: a name stands twice in {', '.join(names)}")
        _refuse_same_columns(self)
        if self.search.method == "grid" and math.prod(len(one.levels()) for one in self.parameters) > MAX_POINTS:
            raise ValueError(f"the grid has more than {MAX_POINTS:,} points; give fewer points, or search.method optuna")
        return self


def _refuse_same_columns(spec: TuneSpec) -> None:
    """Refuse names that would share a column of the table of points (`tune_files.points_frame`)."""
    names = [one.name for one in spec.parameters]
    names += [one.name + end for one in spec.objectives for end in ("", "_low", "_high")]
    names += [one.name + end for one in spec.constraints for end in ("", "_low", "_high", "_verdict")]
    taken = {"number", "on_frontier", "status", "why", "paths"}
    for name in names:
        if name in taken:
            raise ValueError(f"the name {name} would stand for two columns of the table of points; choose another")
        taken.add(name)
