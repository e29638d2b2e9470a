"""What all parts of a scenario have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from seawall.scenarios.fields import Positive, Within


class Part(BaseModel):
    """A part of a scenario: strict types, no unknown keys, no NaN or infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class LogNormal(Part):
    """A log-normal quantity: its median, and the standard deviation of its logarithm."""

    median: Positive
    sigma: Annotated[float, Within("[0, 5]")] = 0.0
