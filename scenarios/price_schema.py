"""What a scenario may say of prices: models, silent feeds. Shocks are in `shock_schema`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.fields import (
    Days,
    FileName,
    Name,
    NotNegative,
    Positive,
    Text,
    Within,
)
from seawall.scenarios.parts import Part
from seawall.scenarios.price_source import Ohlc, ReplaySource
from seawall.scenarios.simulated_schema import MONDAY, SimulatedPrices, Start


class ConstantAsset(Part):
    """An asset whose price stands still."""

    start_usd: Positive


class ConstantPrices(Part):
    """Prices that stand still."""

    model: Literal["constant"]
    start: Start = MONDAY
    days: Days
    assets: dict[Name, ConstantAsset] = Field(min_length=1, max_length=64)


class OhlcColumns(Part):
    """Columns of opens, highs, lows and closes to check against each other; `{}` stands for the asset's name in the file."""

    open: Text | None = None
    high: Text | None = None
    low: Text | None = None
    close: Text | None = Field(default=None, description="that of the replayed closes if left out")


class HistoryFile(Part):
    """Closes, or means of bid and ask, of a CSV or Parquet file, one column an asset or one row an asset."""

    file: FileName
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
    start: Start | None = None
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


class ReplayPrices(HistoryFile):
    """The prices of a file as they were."""

    model: Literal["replay"]


class BootstrapPrices(HistoryFile):
    """Blocks of the log returns of a file, drawn at random and put end to end, in a market that never closes.

    `start` and `end` choose the part of the file to draw from. The path begins where that part ends.
    """

    model: Literal["bootstrap"]
    days: Days
    block_bars: Annotated[int, Within("[1, 1000000]")] | None = Field(
        default=None, description="bars in a block, the mean where its length is random; estimated from the file if left out"
    )
    kind: Literal["stationary", "circular", "moving"] = Field(default="stationary", description="of blocks: random length, or fixed")
    start_usd: dict[Name, Positive] = Field(default_factory=dict, description="price at the beginning; the last close for those left out")


class DailyBarPrices(Part):
    """Daily open, high, low and close from the history that the `arch` package carries, bridged to rounds inside market hours."""

    model: Literal["daily_bars"]
    assets: dict[Name, Literal["sp500", "nasdaq"]] = Field(min_length=1, max_length=2, description="asset: series of the arch package")
    first: date = Field(strict=False)
    last: date = Field(strict=False)
    calendar: Name = "XNYS"


Prices = Annotated[
    ConstantPrices | SimulatedPrices | ReplayPrices | BootstrapPrices | DailyBarPrices,
    Field(discriminator="model"),
]
MODELS = ("constant", "simulated", "replay", "bootstrap", "daily_bars")


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
