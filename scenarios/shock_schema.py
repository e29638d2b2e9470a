"""What a scenario may say of shocks on top of a price path, at a stated time or at random ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from seawall.prices.events import Change, Depeg, Drift, Gap, PriceEvent, VolatilityBurst
from seawall.scenarios.fields import Name, NotNegative, Positive, Share, Within
from seawall.scenarios.parts import Part

SECONDS_PER_HOUR = 3_600.0
Size = Annotated[float, Within("(-1, 100]")]


class ShockPart(Part):
    """What every shock has: whom it hits, and when."""

    asset: Name | None = Field(default=None, description="every asset if left out")
    at_hours: NotNegative | None = Field(default=None, description="when it begins; exactly one of at_hours and per_year")
    per_year: Annotated[float, Within("(0, 100000]")] | None = Field(
        default=None, description="mean number of times that it happens, at random (a Poisson process), instead of at_hours"
    )

    @model_validator(mode="after")
    def _happens(self) -> Self:
        if (self.at_hours is None) == (self.per_year is None):
            raise ValueError("needs exactly one of at_hours (once, then) and per_year (so often, at random)")
        return self

    def event(self, at_s: float) -> PriceEvent:
        """The event that begins so many seconds after the start."""
        raise NotImplementedError


class ChangeShock(ShockPart):
    """A drop or a spike: reached over the ramp, kept, or given back over the recovery."""

    kind: Literal["change"] = "change"
    change: Size = Field(description="of the price, a fraction; 0.35 is +35%")
    ramp_hours: NotNegative = 0.0
    hold_hours: NotNegative = Field(default=0.0, description="at its peak, before any recovery")
    recovery_hours: Positive | None = Field(default=None, description="until nothing is left of it; it lasts if left out")

    def event(self, at_s: float) -> Change:
        """The event that begins so many seconds after the start."""
        return Change(self.asset, at_s, self.change, *_shape(self))


class GapShock(ShockPart):
    """A lasting jump at the next open; at once where the market never closes."""

    kind: Literal["gap"]
    change: Size

    def event(self, at_s: float) -> Gap:
        """The event that begins so many seconds after the start."""
        return Gap(self.asset, at_s, self.change)


class DriftShock(ShockPart):
    """A steady drift for a while; what it has moved stays."""

    kind: Literal["drift"]
    per_day: Annotated[float, Within("(-1, 10]")] = Field(description="change of the price in a day, compounded; -0.1: by 10% a day")
    hours: Positive

    def event(self, at_s: float) -> Drift:
        """The event that begins so many seconds after the start."""
        return Drift(self.asset, at_s, self.per_day, self.hours * SECONDS_PER_HOUR)


class VolatilityBurstShock(ShockPart):
    """Log returns move further from their mean for a while; what they have moved stays."""

    kind: Literal["volatility_burst"]
    factor: Annotated[float, Within("[0, 100]")] = Field(description="of the volatility; 3 triples it")
    hours: Positive = Field(description="at full strength")
    ramp_down_hours: NotNegative = Field(default=0.0, description="from then until the factor is 1 again")

    def event(self, at_s: float) -> VolatilityBurst:
        """The event that begins so many seconds after the start."""
        return VolatilityBurst(self.asset, at_s, self.factor, self.hours * SECONDS_PER_HOUR, self.ramp_down_hours * SECONDS_PER_HOUR)


class DepegShock(ShockPart):
    """A price goes to a level, stays and recovers, whatever it was at the beginning."""

    kind: Literal["depeg"]
    level_usd: Positive
    ramp_hours: NotNegative = 0.0
    hold_hours: NotNegative = 0.0
    recovery_hours: Positive | None = Field(default=None, description="until nothing is left of it; it lasts if left out")
    own_moves: Share = Field(default=1.0, description="share of the own moves that is kept at the level; 0 pins the price to it")

    def event(self, at_s: float) -> Depeg:
        """The event that begins so many seconds after the start."""
        return Depeg(self.asset, at_s, self.level_usd, *_shape(self), self.own_moves)


def _shape(shock: ChangeShock | DepegShock) -> tuple[float, float, float | None]:
    """Ramp, hold and recovery in seconds."""
    recovery_s = None if shock.recovery_hours is None else shock.recovery_hours * SECONDS_PER_HOUR
    return shock.ramp_hours * SECONDS_PER_HOUR, shock.hold_hours * SECONDS_PER_HOUR, recovery_s


def _kind_of(value: Any) -> str:
    """Kind of a shock; a change where it says none."""
    return str(value.get("kind", "change") if isinstance(value, dict) else getattr(value, "kind", None))


KINDS = ("change", "gap", "drift", "volatility_burst", "depeg")

PriceShock = Annotated[
    Annotated[ChangeShock, Tag("change")]
    | Annotated[GapShock, Tag("gap")]
    | Annotated[DriftShock, Tag("drift")]
    | Annotated[VolatilityBurstShock, Tag("volatility_burst")]
    | Annotated[DepegShock, Tag("depeg")],
    Discriminator(_kind_of, custom_error_type="kind_unknown", custom_error_message=f"kind is unknown; known: {', '.join(KINDS)}"),
]
