"""What a scenario may say of prices: models, shocks on top of a path, silent feeds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.fields import (
    Days,
    Drift,
    Name,
    NotNegative,
    Positive,
    Text,
    Volatility,
    Within,
)
from seawall.scenarios.parts import Part

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)


class ConstantAsset(Part):
    """An asset whose price stands still."""

    start_usd: Positive


class GbmAsset(ConstantAsset):
    """An asset that follows geometric Brownian motion: dS/S = drift dt + volatility dW."""

    drift_per_year: Drift = 0.0
    volatility_per_year: Volatility


class ConstantPrices(Part):
    """Prices that stand still."""

    model: Literal["constant"]
    start: datetime = Field(default=MONDAY, strict=False)
    days: Days
    assets: dict[Name, ConstantAsset] = Field(min_length=1, max_length=64)


class GbmPrices(Part):
    """Correlated geometric Brownian motions, in a market that never closes or in the sessions of an exchange."""

    model: Literal["gbm"]
    start: datetime = Field(default=MONDAY, strict=False)
    days: Days
    calendar: Name | None = Field(
        default=None, description="exchange whose sessions open the market, such as XNYS; always open if left out"
    )
    closed_volatility: Annotated[float, Within("[0, 2]")] = Field(
        default=0.3, description="volatility while closed / while open; what it adds up to is the gap at the next open"
    )
    correlation: Annotated[float, Within("(-1, 1)")] = 0.0
    assets: dict[Name, GbmAsset] = Field(min_length=1, max_length=64)


class ReplayPrices(Part):
    """Closes of a CSV or Parquet file, one column an asset."""

    model: Literal["replay"]
    file: Annotated[str, Field(min_length=1, max_length=1000)]
    assets: dict[Name, Name] = Field(min_length=1, max_length=64, description="asset: column of the file")
    time_column: Text = "timestamp"
    bar_stamp: Literal["start", "end"] = "start"
    bar_seconds: Annotated[int, Within("[1, 86400]")] = 60
    session_column: Text | None = None
    sessions: tuple[Text, ...] = Field(default=(), strict=False)
    max_gap_minutes: Annotated[float, Within("[0, 1440]")] = 5.0
    longer_gaps: Literal["closed", "refuse"] = "closed"
    start: datetime | None = Field(default=None, strict=False)
    end: datetime | None = Field(default=None, strict=False)


class DailyBarPrices(Part):
    """Daily open, high, low and close from the history that the `arch` package carries, bridged to rounds inside market hours."""

    model: Literal["daily_bars"]
    assets: dict[Name, Literal["sp500", "nasdaq"]] = Field(min_length=1, max_length=2, description="asset: series of the arch package")
    first: date = Field(strict=False)
    last: date = Field(strict=False)
    calendar: Name = "XNYS"


Prices = Annotated[ConstantPrices | GbmPrices | ReplayPrices | DailyBarPrices, Field(discriminator="model")]


class PriceShock(Part):
    """A change on top of the path: reached over the ramp, kept, or given back over the recovery."""

    asset: Name | None = Field(default=None, description="every asset if left out")
    at_hours: NotNegative
    change: Annotated[float, Within("(-1, 100]")]
    ramp_hours: NotNegative = 0.0
    recovery_hours: Positive | None = None


class Outage(Part):
    """A feed's own feeder falls silent; one that a poll put in its place does not."""

    tasset: Name | None = Field(default=None, description="every feed if both tasset and asset are left out")
    asset: Name | None = Field(default=None, description="instead of a tASSET: every feed of this asset, the exchange's, too")
    at_hours: NotNegative
    hours: Positive

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.tasset is not None and self.asset is not None:
            raise ValueError(f"names tasset ({self.tasset}) and asset ({self.asset}); one of them would do")
        return self
