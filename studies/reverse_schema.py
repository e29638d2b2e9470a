"""What a reverse stress test may say: every key, its unit and its interval. Unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from seawall.scenarios.fields import Text, Within
from seawall.scenarios.parts import Part
from seawall.studies.tune_schema import Parameter, Settings, Variation
from seawall.studies.verdicts import Limit, parse_limit

MOST_LOOKS = 8
"""How often the number of paths may be doubled, first look included: each look makes the bounds of all of them wider."""


class ReverseSpec(Part):
    """A reverse stress test: how far along a key a limit holds."""

    name: Text
    about: Text
    seed: Annotated[int, Within("[0, 9007199254740991]")] | None = Field(default=None, description="the scenario's own if left out")
    scenario: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="file, as seen from the study's folder")
    settings: Settings = Field(default_factory=dict, description="key: value, before anything else is set")
    require: Text = Field(description='what must hold: "p(bad_debt > 0.005 * debt_start) <= 5%"')
    confidence: Annotated[float, Within("[0.5, 0.9999]")] = Field(default=0.95, description="of either end of the interval")
    along: Parameter = Field(description="the key, its ends, and how many levels are looked at first (points)")
    precision: Annotated[float, Within("[0.0001, 0.25]")] = Field(default=0.01, description="share of the way between the ends")
    paths: Annotated[int, Within("[10, 1000000]")] = Field(default=200, description="of each level")
    most_paths: Annotated[int, Within("[10, 10000000]")] = Field(default=800, description="of a level where more narrow the interval")
    cases: tuple[Variation, ...] = Field(default=(), strict=False, max_length=24, description="worlds that are searched one by one")

    @field_validator("require")
    @classmethod
    def _readable(cls, text: str) -> str:
        parse_limit(text)
        return text

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.along.is_range:
            raise ValueError("along needs low and high, not values")
        if self.paths > self.most_paths:
            raise ValueError(f"paths ({self.paths}) must not be more than most_paths ({self.most_paths})")
        if len(self.looks) > MOST_LOOKS:
            raise ValueError(f"most_paths ({self.most_paths}) is more than {2 ** (MOST_LOOKS - 1)} times paths ({self.paths})")
        return self

    @property
    def limit(self) -> Limit:
        """What must hold, read."""
        return parse_limit(self.require)

    @property
    def bound_confidence(self) -> float:
        """Of each one-sided bound at each look, so that either end of the interval has the confidence asked for."""
        return 1.0 - (1.0 - self.confidence) / len(self.looks)

    @property
    def looks(self) -> tuple[int, ...]:
        """Paths of a level at each look, doubling."""
        counts = [self.paths]
        while counts[-1] < self.most_paths:
            counts.append(min(2 * counts[-1], self.most_paths))
        return tuple(counts)
