"""Types of scenario values: numbers with their intervals, so that a refusal says what would be right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class Within:
    """An interval such as "[0, 1)", checked after the type and shown in the JSON Schema."""

    interval: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the interval after the type."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Show the interval's bounds to editors."""
        low, high = self._bounds()
        shown = dict(handler(schema))
        if math.isfinite(low):
            shown["exclusiveMinimum" if self.interval[0] == "(" else "minimum"] = low
        if math.isfinite(high):
            shown["exclusiveMaximum" if self.interval[-1] == ")" else "maximum"] = high
        return shown

    def check(self, value: float) -> float:
        """Return the value, or raise ValueError naming it and the interval. NaN and infinities are in none."""
        low, high = self._bounds()
        above = value > low if self.interval[0] == "(" else value >= low
        below = value < high if self.interval[-1] == ")" else value <= high
        if not (above and below and math.isfinite(value)):
            shown = int(value) if isinstance(value, float) and value.is_integer() else value
            raise ValueError(f"{shown!r} is not in {self.interval}")
        return value

    def _bounds(self) -> tuple[float, float]:
        low, high = self.interval[1:-1].split(",")
        return float(low), float(high)


def printable(text: str) -> str:
    """Return the text, or raise ValueError if a terminal or a page would not show all of it as it stands."""
    if not text.isprintable():
        raise ValueError(f"{text[:60]!r} holds a character that cannot be printed")
    return text


Share = Annotated[float, Within("[0, 1]")]
Discount = Annotated[float, Within("[0, 1)")]
Positive = Annotated[float, Within("[1e-12, 1e12]")]  # so that products of several, in units of 2**-20, stay far within float64
NotNegative = Annotated[float, Within("[0, 1e12]")]
Usd = Annotated[float, Within("[0, 1e9]")]
PositiveUsd = Annotated[float, Within("(0, 1e9]")]
Ratio = Annotated[float, Within("[1, 100]")]
Volatility = Annotated[float, Within("[0, 10]")]
Drift = Annotated[float, Within("[-10, 10]")]
Count = Annotated[int, Within("[0, 1000000]")]
Days = Annotated[float, Within("(0, 3660]")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=32)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(printable)]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]+$")]
