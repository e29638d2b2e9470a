"""What a scenario may say of prices: models, shocks on top of a path, silent feeds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
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
from seawall.scenarios.price_source import Ohlc, ReplaySource

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


class OhlcColumns(Part):
    """Columns of opens, highs, lows and closes to check against each other; `{}` stands for the asset's name in the file."""

    open: Text | None = None
    high: Text | None = None
    low: Text | None = None
    close: Text | None = Field(default=None, description="that of the replayed closes if left out")


class ReplayPrices(Part):
    """Closes, or means of bid and ask, of a CSV or Parquet file, one column an asset or one row an asset."""

    model: Literal["replay"]
    file: Annotated[str, Field(min_length=1, max_length=1000)]
    assets: dict[Name, Text] = Field(min_length=1, max_length=64, description="asset: column of the file, or its name in asset_column")
    layout: Literal["wide", "long"] = Field(default="wide", description="one column an asset, or one row an asset and time")
    asset_column: Text | None = Field(default=None, description="of a long file: the column that names the asset")
    price: Literal["close", "mid"] = Field(default="close", description="mid is (bid + ask) / 2")
    price_column: Text | None = Field(default=None, description="column of closes; {} stands for the asset's name in the file")
    bid_column: Text | None = None
    ask_column: Text | None = None
    ohlc: OhlcColumns | None = Field(default=None, description="columns checked against each other; no check if left out")
    time_column: Text = "timestamp"
    time_unit: Literal["iso", "seconds", "milliseconds"] = Field(default="iso", description="ISO-8601 text, or a number since 1970")
    time_zone: Text | None = Field(default=None, description="IANA name, for times without an offset; these are refused if left out")
    duplicates: Literal["refuse", "first", "last"] = Field(default="refuse", description="which of the rows of one time counts")
    bar_stamp: Literal["start", "end"] = "start"
    bar_seconds: Annotated[int, Within("[1, 86400]")] = 60
    session_column: Text | None = None
    sessions: tuple[Text, ...] = Field(default=(), strict=False)
    max_gap_minutes: Annotated[float, Within("[0, 1440]")] = 5.0
    longer_gaps: Literal["closed", "refuse", "hold", "interpolate"] = Field(
        default="closed", description="beyond max_gap_minutes; interpolate knows the next price ahead of time"
    )
    start: datetime | None = Field(default=None, strict=False)
    end: datetime | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.source(Path(self.file))
        return self

    def source(self, file: Path, recorded: dict[str, str] | None = None) -> ReplaySource:
        """What to read, from a file where it was found.

        Args:
            file: the price file.
            recorded: columns to read instead of prices, by name: flow that was recorded beside the prices of a wide file.

        Raises:
            ValueError: keys contradict each other, or recorded columns are asked of a long file.
        """
        if recorded is not None and self.layout == "long":
            raise ValueError("flow is read from columns of its own, so prices.layout must be wide")
        same = {name: getattr(self, name) for name in _SAME}
        of_prices = {name: getattr(self, name) for name in _OF_PRICES} if recorded is None else {}
        ohlc = None if recorded is not None or self.ohlc is None else Ohlc(**self.ohlc.model_dump())
        columns = self.assets if recorded is None else recorded
        gap_seconds = int(self.max_gap_minutes * _SECONDS_PER_MINUTE)
        return ReplaySource(file=file, columns=columns, max_gap_seconds=gap_seconds, ohlc=ohlc, **same, **of_prices)


_SECONDS_PER_MINUTE = 60.0
_SAME = (
    *("time_column", "time_unit", "time_zone", "duplicates", "bar_stamp", "bar_seconds"),
    *("session_column", "sessions", "longer_gaps", "start", "end"),
)
_OF_PRICES = ("layout", "asset_column", "price", "price_column", "bid_column", "ask_column")


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
