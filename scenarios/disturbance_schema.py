"""What a scenario may say of shocks that are no prices: drained liquidity, late, wrong or stuck oracles, dear gas, stampedes.

Each happens once, at a stated time, or at random ones. All of it is an assumption: documents name such events and give no rules.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from seawall.scenarios.fields import Name, NotNegative, Positive, Share, Within
from seawall.scenarios.parts import Part


class DisturbancePart(Part):
    """What every disturbance has: when it begins."""

    at_hours: NotNegative | None = Field(default=None, description="when it begins; exactly one of at_hours and per_year")
    per_year: Annotated[float, Within("(0, 10000]")] | None = Field(
        default=None, description="mean number of times that it happens, at random (a Poisson process), instead of at_hours"
    )

    @model_validator(mode="after")
    def _happens(self) -> Self:
        if (self.at_hours is None) == (self.per_year is None):
            raise ValueError("needs exactly one of at_hours (once, then) and per_year (so often, at random)")
        return self

    def what(self) -> str:
        """It in words, without its time."""
        raise NotImplementedError


class Shaped(DisturbancePart):
    """A disturbance that comes and goes: it grows over the ramp, which is part of its hours, and fades over the recovery after them."""

    hours: Positive = Field(description="from its beginning until it ends or begins to fade")
    ramp_hours: NotNegative = Field(default=0.0, description="until it is felt in full")
    recovery_hours: NotNegative = Field(default=0.0, description="after its hours, until nothing is left of it")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.ramp_hours > self.hours:
            raise ValueError(f"ramp_hours ({self.ramp_hours:g}) must not be more than hours ({self.hours:g})")
        return self


class LiquidityDrain(DisturbancePart):
    """A share of the LPs leaves with all that the contracts pay out, and comes back after the hours."""

    kind: Literal["liquidity_drain"]
    venue: Literal["pools", "rfq", "exchange"] = Field(
        default="pools", description="on the exchange LPs try to leave for so many hours, and do not come back"
    )
    tasset: Name | None = Field(default=None, description="pools: LPs of this tASSET's pool; of every pool if left out")
    asset: Name | None = Field(default=None, description="rfq: LPs with this primary asset; all if left out")
    share: Annotated[float, Within("(0, 1]")] = Field(description="of the LPs, drawn")
    hours: Positive | None = Field(default=None, description="for ever if left out")

    def what(self) -> str:
        """It in words."""
        place = {"pools": f"pool of {self.tasset}" if self.tasset else "pools", "rfq": "RFQ market", "exchange": "exchange"}[self.venue]
        paying = f" who pay out {self.asset}" if self.asset else ""
        return f"{self.share:.0%} of the LPs of the {place}{paying} {'want to leave' if self.venue == 'exchange' else 'leave'}"


class _OfFeeds(Part):
    """Which feeds it strikes, as an outage does."""

    tasset: Name | None = Field(default=None, description="every feed if both tasset and asset are left out")
    asset: Name | None = Field(default=None, description="instead of a tASSET: every feed of this asset, the other protocols', too")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.tasset is not None and self.asset is not None:
            raise ValueError(f"names tasset ({self.tasset}) and asset ({self.asset}); one of them would do")
        return self

    def feeds(self) -> str:
        """Whose feeds, in words."""
        return f"the oracle of {self.tasset or self.asset}" if self.tasset or self.asset else "every oracle"


class OracleLag(_OfFeeds, DisturbancePart):
    """Feeders publish what they saw longer ago than usual, with fresh timestamps. Several lags at once add up."""

    kind: Literal["oracle_lag"]
    hours: Positive
    extra_seconds: Annotated[float, Within("(0, 86400]")] = Field(description="beyond oracle_feeders.latency_seconds; whole rounds")

    def what(self) -> str:
        """It in words."""
        return f"{self.feeds()} is {self.extra_seconds:g} s late"


class OracleWrong(_OfFeeds, Shaped):
    """Feeders publish a multiple of the price. Grows and fades linearly in the logarithm; several at once multiply."""

    kind: Literal["oracle_wrong"]
    factor: Annotated[float, Within("[0.001, 1000]")] = Field(description="published / seen price")

    def what(self) -> str:
        """It in words."""
        return f"{self.feeds()} publishes {self.factor:g} times the price"


class OracleStuck(_OfFeeds, DisturbancePart):
    """Feeders go on publishing the price of the beginning, with fresh timestamps, whether the market is open or closed meanwhile."""

    kind: Literal["oracle_stuck"]
    hours: Positive

    def what(self) -> str:
        """It in words."""
        return f"{self.feeds()} is stuck"


class GasSpike(Shaped):
    """Liquidators' and keepers' costs are a multiple of the usual, and they can act on a margin call only after a delay."""

    kind: Literal["gas_spike"]
    factor: Annotated[float, Within("[1, 10000]")] = Field(
        default=1.0, description="price of gas / usual price; linear in the logarithm over ramp and recovery"
    )
    delay_minutes: Annotated[float, Within("[0, 1440]")] = Field(default=0.0, description="during its hours, in full from the beginning")

    def what(self) -> str:
        """It in words."""
        held_up = f", and holds up liquidations by {self.delay_minutes:g} min" if self.delay_minutes > 0.0 else ""
        return f"gas costs {self.factor:g} times the usual{held_up}"


class Stampede(DisturbancePart):
    """Traders' orders are `factor` times as many; those beyond the usual ones are of the given side."""

    kind: Literal["stampede"]
    venue: Literal["pools", "rfq", "exchange"] = "pools"
    tasset: Name | None = Field(default=None, description="pools: of this tASSET; of each if left out")
    asset: Name | None = Field(default=None, description="rfq: of this asset; of each but the numeraire if left out")
    hours: Positive
    factor: Annotated[float, Within("(1, 1000]")]
    sell_share: Share | None = Field(default=None, description="of the extra orders; exactly one of sell_share and buy_share")
    buy_share: Share | None = Field(
        default=None, description="of the extra orders; on the exchange, of those by traders without a position"
    )

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.sell_share is None) == (self.buy_share is None):
            raise ValueError("needs exactly one of sell_share and buy_share")
        return self

    @property
    def selling(self) -> float:
        """Share of the extra orders that sell."""
        return 1.0 - self.buy_share if self.buy_share is not None else float(self.sell_share or 0.0)

    def what(self) -> str:
        """It in words."""
        place = {"pools": "swaps", "rfq": "orders on the RFQ market", "exchange": "orders on the exchange"}[self.venue]
        of = f" of {self.tasset or self.asset}" if self.tasset or self.asset else ""
        return f"{self.factor:g} times as many {place}{of}, {self.selling:.0%} of the extra ones sell"


def _kind_of(value: Any) -> str:
    return str(value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None))


KINDS = ("liquidity_drain", "oracle_lag", "oracle_wrong", "oracle_stuck", "gas_spike", "stampede")

Disturbance = Annotated[
    Annotated[LiquidityDrain, Tag("liquidity_drain")]
    | Annotated[OracleLag, Tag("oracle_lag")]
    | Annotated[OracleWrong, Tag("oracle_wrong")]
    | Annotated[OracleStuck, Tag("oracle_stuck")]
    | Annotated[GasSpike, Tag("gas_spike")]
    | Annotated[Stampede, Tag("stampede")],
    Discriminator(
        _kind_of, custom_error_type="kind_unknown", custom_error_message=f"kind is missing or unknown; known: {', '.join(KINDS)}"
    ),
]
