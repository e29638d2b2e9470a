"""What a scenario file may say: every key, its unit and its interval. Unknown keys are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.exchange_schema import ExchangeSpec, Incentive
from seawall.scenarios.fields import (
    Count,
    Days,
    Discount,
    Drift,
    Name,
    NotNegative,
    Positive,
    PositiveUsd,
    Ratio,
    Share,
    Text,
    Usd,
    Volatility,
    Within,
)
from seawall.scenarios.parts import LogNormal, Part

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)


# --- prices ---


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

    count: Count
    shares: dict[Name, Positive] = Field(default_factory=dict, description="tASSET: weight")
    collateral: dict[Name, Positive] = Field(
        default_factory=dict, description="tDOLLAR or a tASSET: weight of the owners who lock it; tDOLLAR alone if left out"
    )
    strategies: Strategies = Strategies()
    collateral_usd: LogNormal = LogNormal(median=20_000.0, sigma=1.0)
    buffer: LogNormal = Field(default=LogNormal(median=0.35, sigma=0.5), description="target ratio = minimum x (1 + buffer)")
    alert_at: Share = Field(default=0.5, description="share of the buffer left when the owner wakes")
    excess: NotNegative = Field(default=0.5, description="ratio / target - 1 above which spare collateral is used")
    reaction_minutes: LogNormal = LogNormal(median=30.0, sigma=1.0)
    responses: Responses = Responses()
    reserve: NotNegative = Field(default=0.25, description="cash kept aside, as a share of the collateral")
    inattentive_share: Share = 0.2
    relever_share: Share = 0.3
    holding_days: Positive | None = Field(default=None, description="mean of an exponential holding time; for ever if left out")


class Liquidators(Part):
    """Buyers of margin-called CDPs' collateral."""

    count: Count
    cash_usd: LogNormal = LogNormal(median=200_000.0, sigma=1.0)
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


# --- tEXO: fees, rewards, governance, delisting ---


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
    tassets: dict[Name, Tasset] = Field(default_factory=dict, max_length=64, description="may be left out where there is an exchange")
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

    @property
    def tasset_names(self) -> tuple[str, ...]:
        """All tASSETs by row: those of the scenario, then replacements."""
        return (*self.tassets, *(event.replacement for event in self.delistings))

    def order_rates(self) -> list[tuple[str, float]]:
        """Key, and orders per day of all traders together, of each market that has any."""
        rates = [("traders.orders_per_day", self.traders.count * self.traders.orders_per_day)]
        return rates if self.exchange is None else [*rates, ("exchange.traders", self.exchange.orders_per_day)]

    def event_times(self) -> list[tuple[str, int, float]]:
        """Key, number and hour of every shock, outage, poll, delisting and incentive."""
        lists: dict[str, tuple[PriceShock | Outage | Poll | Delisting | Incentive, ...]] = {
            "shocks": self.shocks,
            "outages": self.outages,
            "polls": self.polls,
            "delistings": self.delistings,
            "exchange.incentives": self.exchange.incentives if self.exchange else (),
        }
        return [(key, i, event.at_hours) for key, events in lists.items() for i, event in enumerate(events)]
