"""What a sensitivity study may say: every key, its unit and its interval. Unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.fields import Text, Within
from seawall.scenarios.parts import Part
from seawall.studies.expressions import ExpressionError
from seawall.studies.quantity import Quantity, parse_quantity
from seawall.studies.tune_schema import Label, Parameter, Settings

MAX_ROWS = 100_000
LEAST_SOBOL = 64
"""Base points below which the halves of Sobol's sequence are too much alike for the intervals to hold (docs/tuning.md)."""


class Measured(Part):
    """What the parameters may drive."""

    name: Label
    of: Text = Field(description='a mean or a probability over paths: "mean(bad_debt / debt_start)", "p(bad_debt > 0)"')

    @model_validator(mode="after")
    def _is_mean(self) -> Self:
        if self.quantity.statistic not in ("mean", "p"):
            raise ExpressionError(f"{self.of!r}: a mean or a p belongs here; few paths per point tell nothing of a tail")
        return self

    @property
    def quantity(self) -> Quantity:
        """It, read."""
        return parse_quantity(self.of)


class SensitivitySpec(Part):
    """A sensitivity study: which parameters drive which outcomes, over these ranges."""

    name: Text
    about: Text
    seed: Annotated[int, Within("[0, 9007199254740991]")] | None = Field(default=None, description="the scenario's own if left out")
    scenario: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="file, as seen from the study's folder")
    settings: Settings = Field(default_factory=dict, description="key: value, before anything else is set")
    parameters: tuple[Parameter, ...] = Field(strict=False, min_length=2, max_length=30)
    outcomes: tuple[Measured, ...] = Field(strict=False, min_length=1, max_length=6)
    method: Literal["sobol", "morris"] = Field(default="sobol", description="morris screens many parameters with few points")
    points: Annotated[int, Within("[4, 16384]")] = Field(default=64, description="sobol: base points, a power of two; morris: trajectories")
    paths: Annotated[int, Within("[1, 10000]")] = Field(default=20, description="of each point, the same at all")
    resamples: Annotated[int, Within("[100, 10000]")] = Field(default=500, description="for the intervals")
    confidence: Annotated[float, Within("[0.5, 0.9999]")] = 0.95

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for what, names in (("parameters", [one.name for one in self.parameters]), ("outcomes", [one.name for one in self.outcomes])):
            if len(set(names)) < len(names):
                raise ValueError(f"{what}: a name stands twice in {', '.join(names)}")
        listed = [one.name for one in self.parameters if not one.is_range]
        if listed:
            raise ValueError(f"parameters: {', '.join(listed)} must have low and high, not values")
        if self.method == "sobol" and (self.points < LEAST_SOBOL or self.points & (self.points - 1)):
            raise ValueError(
                f"points ({self.points}) must be a power of two and at least {LEAST_SOBOL} with method sobol, or nothing can be told"
            )
        if self.rows > MAX_ROWS:
            raise ValueError(f"{self.rows:,} points are more than {MAX_ROWS:,}; give fewer points, or method morris")
        return self

    @property
    def block(self) -> int:
        """Rows that belong together: a base point with its crossings, or a trajectory."""
        return len(self.parameters) + (2 if self.method == "sobol" else 1)

    @property
    def rows(self) -> int:
        """Points that are played."""
        return self.points * self.block
