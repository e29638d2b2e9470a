"""What a scenario may say of simulated prices: a process for each asset, how they move together, when, and how paths are drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from seawall.protocols.tables import Floats
from seawall.scenarios.fields import Days, Discount, Name, NotNegative, Positive, Text, Within
from seawall.scenarios.parts import Part
from seawall.scenarios.process_schema import JumpRate, LogJump, ProcessSpec

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1990, 2200


def _in_calendars(start: datetime) -> datetime:
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise ValueError(f"{start.isoformat()} is not in the years {FIRST_YEAR} to {LAST_YEAR}")
    return start


Start = Annotated[datetime, Field(strict=False), AfterValidator(_in_calendars)]
"""Time at which prices begin, so far from the ends of Python's calendar that no time zone and no length of a run leaves it."""
Deviation = Annotated[float, Within("[0, 2]")]
Relative = Annotated[float, Within("[0, 1000]")]
HOURS, WEEKDAYS = 24, 7


def _form_of(value: Any) -> str:
    return "pairs" if isinstance(value, Mapping) else "matrix" if isinstance(value, list | tuple) else "number"


FORMS = ("number", "pairs", "matrix")
Pair = Annotated[str, Field(pattern=r"^\S+ \S+$")]
Correlation = Annotated[
    Annotated[Annotated[float, Within("(-1, 1)")], Tag("number")]
    | Annotated[dict[Pair, Annotated[float, Within("[-1, 1]")]], Tag("pairs")]
    | Annotated[list[list[Annotated[float, Within("[-1, 1]")]]], Tag("matrix")],
    Discriminator(_form_of),
]


class Seasonality(Part):
    """How fast prices move by the clock on the wall; only ratios count, so that the volatility per year stays what it was."""

    by_hour: Annotated[list[Relative], Field(min_length=HOURS, max_length=HOURS)] = Field(description="volatility from midnight on")
    by_weekday: Annotated[list[Relative], Field(min_length=WEEKDAYS, max_length=WEEKDAYS)] | None = Field(
        default=None, description="volatility from Monday on; all alike if left out"
    )
    time_zone: Text = Field(default="UTC", description="IANA name, such as America/New_York")

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if not any(self.by_hour) or not any(self.by_weekday or [1.0]):
            raise ValueError("by_hour or by_weekday is 0 throughout; somewhere prices must move")
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"time_zone {self.time_zone!r} is not known; write an IANA name such as America/New_York") from None
        return self


class CommonJumpsPart(Part):
    """Jumps that strike all assets at once, each to its share, beside those of the processes."""

    jumps_per_year: JumpRate
    mean: LogJump = Field(description="of a log jump, of an asset whose share is 1; -0.1 takes the price to 90.5 %")
    deviation: Deviation = Field(default=0.0, description="standard deviation of a log jump")
    share: dict[Name, Annotated[float, Within("[-10, 10]")]] = Field(
        default_factory=dict, description="asset: how much of the jump it takes, 0 for those left out; 1 for all if left out"
    )

    def shares(self, assets: tuple[str, ...]) -> tuple[float, ...]:
        """How much of a jump each asset takes."""
        return tuple(self.share.get(asset, 0.0) if self.share else 1.0 for asset in assets)


class ImportancePart(Part):
    """Paths pushed towards a crash of one asset, and weighted to make up for it."""

    asset: Name
    change: Annotated[float, Within("(-1, 100]")] = Field(description="of its price over the window, in the median of the pushed paths")
    at_hours: NotNegative = Field(default=0.0, description="beginning of the window")
    hours: Positive = Field(description="length of the window")
    plain_share: Discount = Field(default=0.1, description="share of the paths that is not pushed; weights are at most 1 / this")


class SimulatedPrices(Part):
    """A process for each asset, in a market that never closes or in the sessions of an exchange."""

    model: Literal["simulated"]
    start: Start = MONDAY
    days: Days
    calendar: Name | None = Field(
        default=None, description="exchange whose sessions open the market, such as XNYS; always open if left out"
    )
    closed_volatility: Deviation = Field(
        default=0.3, description="volatility while closed / while open; what it adds up to is the gap at the next open"
    )
    opening_gap_deviation: Deviation = Field(
        default=0.0, description="standard deviation of one more log gap at each open; needs a calendar"
    )
    seasonality: Seasonality | None = None
    correlation: Correlation = Field(
        default=0.0, description="of the normals that drive the processes: of every pair, by pair as {A B: 0.5}, or a matrix by asset"
    )
    copula: Literal["gaussian", "t"] = Field(default="gaussian", description="t: large moves coincide")
    copula_degrees: Annotated[float, Within("(2, 1000]")] | None = Field(default=None, description="of freedom, of the t copula")
    common_jumps: CommonJumpsPart | None = None
    sampling: Literal["plain", "antithetic", "sobol", "importance"] = Field(default="plain", description="how the normals are drawn")
    importance: ImportancePart | None = Field(default=None, description="terms of sampling: importance")
    assets: dict[Name, ProcessSpec] = Field(min_length=1, max_length=64)

    def matrix(self) -> Floats:
        """Correlations of all assets, `[assets, assets]`, read-only.

        Raises:
            ValueError: no assets can have them; the text shows the nearest matrix that some can.
        """
        return _matrix(tuple(self.assets), json.dumps(self.correlation))


@lru_cache(maxsize=64)  # the same for all paths of a scenario
def _matrix(assets: tuple[str, ...], correlation: str) -> Floats:
    from seawall.prices.dependence import correlation_matrix

    said = json.loads(correlation)
    if isinstance(said, dict):
        said = {(pair.split()[0], pair.split()[1]): value for pair, value in said.items()}
    matrix = correlation_matrix(assets, said)
    matrix.setflags(write=False)
    return matrix
