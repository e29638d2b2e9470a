"""What a scenario may say of tEXO and of listing: fees, rewards, governance, delistings and what people do about them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.fields import (
    Discount,
    Name,
    NotNegative,
    Positive,
    PositiveUsd,
    Share,
    Within,
)
from seawall.scenarios.parts import LogNormal, Part


class Uses(Part):
    """What stakers, by weight, do with their rewards."""

    keep: NotNegative = 1.0
    compound: NotNegative = 1.0
    sell: NotNegative = 1.0

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.keep + self.compound + self.sell <= 0.0:
            raise ValueError("keep, compound and sell are all 0; at least one must be more")
        return self


class Texo(Part):
    """The governance token: its pool against tDOLLAR, its stakers, its inflation. Without this part protocol fees stay in the collector."""

    start_usd: Positive = 1.0
    liquidity_usd: PositiveUsd = 2_000_000.0
    commission: Discount = 0.003
    stakers: Annotated[int, Within("[1, 100000]")] = 50
    stake_usd: LogNormal = LogNormal(median=20_000.0, sigma=1.0)
    rewards: Uses = Uses()
    harvest_days: Positive = 1.0
    fees_every_hours: Positive = Field(default=24.0, description="time between two sales of the protocol fees for tEXO")
    inflation_per_day: Annotated[float, Within("[0, 1e9]")] = Field(default=0.0, description="tEXO minted per day for stakers")
    emission_every_hours: Annotated[float, Within("[0.02, 8760]")] = 1.0
    lp_weight: NotNegative = Field(default=100.0, description="part of the inflation of each LP token, relative to tEXO's")
    texo_weight: NotNegative = 300.0
    lp_staked_share: Share = Field(default=0.5, description="of LPs who stake their LP tokens")
    lp_sells_share: Share = Field(default=0.5, description="of those, who sell what they earn")


class Governance(Part):
    """How polls are decided."""

    deposit_texo: NotNegative = 1_000.0
    quorum: Share = 0.18
    threshold: Share = 0.5
    voting_days: Positive = 7.0
    delay_days: NotNegative = 1.0


class Poll(Part):
    """A proposal, and how the stakers will take it."""

    at_hours: NotNegative
    tasset: Name
    change: Literal["whitelist", "feeder", "min_collateral_ratio", "auction_discount"]
    value: float | None = Field(default=None, description="the new ratio or discount")
    turnout: Share = Field(default=0.6, description="of the stakers, who vote at all")
    support: Share = Field(default=0.7, description="of those, who vote yes")
    abstain: Share = Field(default=0.0, description="of those, who abstain")

    @model_validator(mode="after")
    def _has_its_value(self) -> Self:
        interval = {"min_collateral_ratio": "[1, 100]", "auction_discount": "[0, 1)"}.get(self.change)
        if interval is None and self.value is not None:
            raise ValueError(f"{self.change} takes no value")
        if interval is not None and self.value is None:
            raise ValueError(f"{self.change} needs a value in {interval}")
        if interval is not None and self.value is not None:
            Within(interval).check(self.value)
        if self.support + self.abstain > 1.0:
            raise ValueError("support and abstain are together more than 1")
        return self


class Delisting(Part):
    """A corporate event: the feeder fixes a tASSET at its last price, and a replacement takes over its terms."""

    tasset: Name
    at_hours: NotNegative
    replacement: Name
    split: Positive = Field(default=1.0, description="new shares for an old one; the replacement tracks the price of a new share")


class Reactions(Part):
    """What owners, traders and LPs, by weight, do about a delisting, and how soon (log-normal)."""

    sit: NotNegative = 1.0
    recover: NotNegative = 2.0
    move: NotNegative = 1.0
    hours: LogNormal = LogNormal(median=6.0, sigma=1.0)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.sit + self.recover + self.move <= 0.0:
            raise ValueError("sit, recover and move are all 0; at least one must be more")
        return self
