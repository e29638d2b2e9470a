"""What a scenario file may say: every key, its unit and its interval. Unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.avmm_schema import AvmmSpec
from seawall.scenarios.community_schema import Delisting, Governance, Poll, Reactions, Texo
from seawall.scenarios.disturbance_schema import Disturbance, DisturbancePart
from seawall.scenarios.exchange_schema import ExchangeSpec, Incentive
from seawall.scenarios.fields import (
    Count,
    Discount,
    Name,
    NotNegative,
    Positive,
    PositiveUsd,
    Ratio,
    Share,
    Text,
    Usd,
    Within,
)
from seawall.scenarios.parts import LogNormal, Part
from seawall.scenarios.price_schema import Outage, Prices
from seawall.scenarios.shock_schema import PriceShock, ShockPart
from seawall.scenarios.snapshot import PositionsFile

# --- protocols ---


class AmmPool(Part):
    """The tASSET's constant-product pool against tDOLLAR, filled half and half at the first price."""

    liquidity_usd: PositiveUsd
    commission: Discount = 0.003


class Tasset(Part):
    """Terms of one tASSET."""

    tracks: Name
    listed: bool = Field(default=True, description="false: nobody can mint it before a poll has whitelisted it")
    min_collateral_ratio: Ratio = 1.5
    auction_discount: Discount = 0.2
    protocol_fee: Discount = 0.015
    auction_fee: Discount = 0.0
    price_valid_seconds: Positive = 60.0
    liquidate_whole: bool = False
    auction_needs_fresh_price: bool = Field(default=True, description="false: auctions go on at the last price while the feed is silent")
    pool: AmmPool


# --- agents ---


class OracleFeeders(Part):
    """One feeder per feed."""

    heartbeat_seconds: Positive = 60.0
    deviation: Positive = 0.005
    latency_seconds: Annotated[float, Within("[0, 86400]")] = 0.0
    noise: Annotated[float, Within("[0, 0.1]")] = 0.0


class Responses(Part):
    """How many owners, by weight, deposit, burn or close first when their ratio is low."""

    deposit: NotNegative = 1.0
    burn: NotNegative = 0.0
    close: NotNegative = 0.0

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.deposit + self.burn + self.close <= 0.0:
            raise ValueError("deposit, burn and close are all 0; at least one must be more")
        return self


class Strategies(Part):
    """How many owners, by weight, do what with the tokens that they mint (agents/strategies.py)."""

    hold: NotNegative = 1.0
    leverage: NotNegative = Field(default=0.0, description="of owners who lock tDOLLAR; others hold")
    short: NotNegative = 0.0
    provide: NotNegative = 0.0
    entry_hours: Positive = Field(default=6.0, description="mean of an exponential time until all but the holders open their CDPs")
    look_minutes: Positive = Field(default=30.0, description="time between two looks at whether to enter or leave")
    loops: Annotated[int, Within("[1, 20]")] = Field(default=3, description="times a leverage loop is gone round")
    entry_premium: Annotated[float, Within("[0, 10]")] = Field(default=0.05, description="premium of the pool at which short-sellers enter")
    exit_premium: Annotated[float, Within("[-1, 10]")] = Field(default=0.005, description="premium below which they buy back")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.hold + self.leverage + self.short + self.provide <= 0.0:
            raise ValueError("hold, leverage, short and provide are all 0; at least one must be more")
        if self.exit_premium >= self.entry_premium:
            raise ValueError(f"exit_premium ({self.exit_premium:g}) must be less than entry_premium ({self.entry_premium:g})")
        return self


class Minters(Part):
    """Owners of CDPs, spread evenly over the tASSETs unless `shares` says otherwise."""

    count: Count = Field(description="left out where there is a snapshot, which has as many owners as positions")
    snapshot: PositionsFile | None = Field(default=None, description="sizes and ratios of a real market, instead of drawn ones")
    shares: dict[Name, Positive] = Field(default_factory=dict, description="tASSET: weight")
    collateral: dict[Name, Positive] = Field(
        default_factory=dict, description="tDOLLAR or a tASSET: weight of the owners who lock it; tDOLLAR alone if left out"
    )
    strategies: Strategies = Strategies()
    collateral_usd: LogNormal = Field(default=LogNormal(median=20_000.0, sigma=1.0), description="at the reference ratio")
    reference_ratio: Ratio = Field(default=1.5, description="minimum ratio at which owners post collateral_usd")
    debt_elasticity: Annotated[float, Within("[0, 10]")] = Field(
        default=1.0,
        description="by how many percent debt falls when the minimum rises by one: 1, same collateral; 0, same debt, more collateral",
    )
    buffer: LogNormal = Field(default=LogNormal(median=0.35, sigma=0.5), description="target ratio = minimum x (1 + buffer)")
    alert_at: Share = Field(default=0.5, description="share of the buffer left when the owner wakes")
    excess: NotNegative = Field(default=0.5, description="ratio / target - 1 above which spare collateral is used")
    reaction_minutes: LogNormal = LogNormal(median=30.0, sigma=1.0)
    responses: Responses = Responses()
    reserve: NotNegative = Field(default=0.25, description="cash kept aside, as a share of the collateral")
    inattentive_share: Share = 0.2
    relever_share: Share = 0.3
    holding_days: Positive | None = Field(default=None, description="mean of an exponential holding time; for ever if left out")

    @model_validator(mode="before")
    @classmethod
    def _counted_later(cls, data: Any) -> Any:
        has_snapshot = isinstance(data, dict) and data.get("snapshot") is not None
        return {"count": 0, **data} if has_snapshot else data

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.snapshot is not None and self.count:
            raise ValueError(f"count ({self.count}) and snapshot are both given; the snapshot has as many owners as positions")
        return self


class Liquidators(Part):
    """Buyers of margin-called CDPs' collateral."""

    count: Count
    cash_usd: LogNormal = Field(default=LogNormal(median=200_000.0, sigma=1.0), description="at the reference discount")
    reference_discount: Annotated[float, Within("(0, 1)")] = Field(default=0.2, description="mean discount at which they bring cash_usd")
    capital_elasticity: Annotated[float, Within("[0, 10]")] = Field(
        default=0.0, description="by how many percent their cash rises when the mean discount of all tASSETs rises by one"
    )
    tokens_usd: Usd = Field(default=0.0, description="of each tASSET, held from the start")
    venue: Literal["pool", "inventory"] = Field(
        default="pool", description="where tokens are found beyond those held: the pool, or nowhere"
    )
    min_profit: NotNegative = 0.01
    cost_usd: NotNegative = 2.0


class Traders(Part):
    """Swap flow: each trader's orders arrive as a Poisson process."""

    count: Count
    orders_per_day: Annotated[float, Within("[0, 1440]")] = 10.0
    order_usd: LogNormal = LogNormal(median=200.0, sigma=1.0)
    buy_share: Share = 0.5
    max_spread: Share = 0.05
    cash_usd: Usd = 20_000.0
    tokens_usd: Usd = Field(default=5_000.0, description="of each tASSET")


class Arbitrageurs(Part):
    """Traders who pull each pool's price to the oracle's."""

    count: Count
    cash_usd: Usd = 500_000.0
    tokens_usd: Usd = Field(default=300_000.0, description="of each tASSET")
    min_edge: Annotated[float, Within("[0, 1)")] = 0.005


class Lps(Part):
    """Liquidity providers of each pool, with equal parts; the nervous ones leave and come back."""

    count: Annotated[int, Within("[1, 100000]")] = Field(default=20, description="per pool")
    nervous_share: Share = 0.3
    exit_premium: Positive = 0.1
    exit_stale_hours: Positive = 96.0
    return_after_hours: NotNegative = 12.0


class Scenario(Part):
    """One question to the simulator: prices, shocks, protocol terms and a population."""

    name: Text
    about: Text
    seed: Annotated[int, Within("[0, 9007199254740991]")]
    step_seconds: Annotated[int, Within("[1, 3600]")] = 60
    record_minutes: Annotated[float, Within("(0, 1e6]")] | None = Field(
        default=None, description="time between records; about 500 records if left out"
    )
    prices: Prices
    shocks: tuple[PriceShock, ...] = Field(default=(), strict=False)
    outages: tuple[Outage, ...] = Field(default=(), strict=False)
    disturbances: tuple[Disturbance, ...] = Field(default=(), strict=False, max_length=64)
    tassets: dict[Name, Tasset] = Field(
        default_factory=dict, max_length=64, description="may be left out where there is an exchange or an RFQ market"
    )
    oracle_feeders: OracleFeeders = OracleFeeders()
    minters: Minters = Minters(count=0)
    liquidators: Liquidators = Liquidators(count=0)
    traders: Traders = Traders(count=0)
    arbitrageurs: Arbitrageurs = Arbitrageurs(count=0)
    lps: Lps = Lps()
    texo: Texo | None = None
    governance: Governance = Governance()
    polls: tuple[Poll, ...] = Field(default=(), strict=False, max_length=64)
    delistings: tuple[Delisting, ...] = Field(default=(), strict=False, max_length=64)
    reactions: Reactions = Reactions()
    exchange: ExchangeSpec | None = None
    avmm: AvmmSpec | None = None

    @property
    def tasset_names(self) -> tuple[str, ...]:
        """All tASSETs by row: those of the scenario, then replacements."""
        return (*self.tassets, *(event.replacement for event in self.delistings))

    def order_rates(self) -> list[tuple[str, float]]:
        """Key, and orders per day of all traders together, of each market that has any."""
        rates = [("traders.orders_per_day", self.traders.count * self.traders.orders_per_day)]
        if self.exchange is not None:
            rates.append(("exchange.traders", self.exchange.orders_per_day))
        if self.avmm is not None:
            rates.append(("avmm.traders", self.avmm.orders_per_day))
        return rates

    def event_times(self) -> list[tuple[str, int, float]]:
        """Key, number and hour of every shock, outage, disturbance, poll, delisting and incentive that has one."""
        lists: dict[str, tuple[ShockPart | Outage | DisturbancePart | Poll | Delisting | Incentive, ...]] = {
            "shocks": self.shocks,
            "outages": self.outages,
            "disturbances": self.disturbances,
            "polls": self.polls,
            "delistings": self.delistings,
            "exchange.incentives": self.exchange.incentives if self.exchange else (),
        }
        return [(key, i, event.at_hours) for key, events in lists.items() for i, event in enumerate(events) if event.at_hours is not None]
