"""What a scenario may say about the RFQ market (Dextr AVMM): its assets, terms, LPs, traders, and the mechanisms to compare it with.

Terms default to the document's (001_e37e2646f2495a8d.txt: 1 % maximum fee, a tenth of the order's size); REP's delay and multipliers to
MECHANICS.md section 5. All else, and how agents behave, is assumption.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.fields import Discount, Name, NotNegative, Positive, Share, Usd, Within
from seawall.scenarios.parts import LogNormal, Part

Some = Annotated[int, Within("[0, 100000]")]
Rate = Annotated[float, Within("[0, 14400]")]
Minutes = Annotated[float, Within("[0.02, 1e6]")]
Hours = Annotated[float, Within("[0.02, 87600]")]
Width = Annotated[float, Within("(0, 100]")]


class AvmmAsset(Part):
    """What positions hold: tDOLLAR, a tASSET or collateral of the exchange by its name, else a token of its own."""

    tracks: Name | None = Field(
        default=None, description="asset of prices.assets, for a token of its own; a stablecoin, always a dollar, if left out"
    )
    rep: Literal["stablecoin", "altcoin", "eth", "btc", "dxtr"] | None = Field(
        default=None, description="class by which REP is earned; stablecoin without a price of its own, else altcoin"
    )


class RepTerms(Part):
    """How REP is earned and lost."""

    delay_hours: NotNegative = 48.0
    half_life_days: Positive | None = Field(default=None, description="no decay if left out")
    per_fill: NotNegative = Field(default=0.0, description="points for each order settled, beside those for its value")
    review_hours: Hours = Field(default=24.0, description="between two looks at who cannot serve traders")
    out_of_range_loss: Share = Field(default=0.0, description="share lost at a review by who is out of range")
    short_loss: Share = Field(default=0.0, description="share lost at a review by who is short of funds")
    min_value_usd: Usd = Field(default=0.0, description="below which a position is short of funds")


class RfqLps(Part):
    """RFQ LPs of one kind, each with one position, spread over the assets by `primaries`."""

    count: Some = 0
    value_usd: LogNormal = LogNormal(median=50_000.0, sigma=0.5)
    primaries: dict[Name, Positive] = Field(default_factory=dict, description="asset: weight; all alike if left out")
    width: Width = Field(default=0.1, description="ranges reach from price / (1 + width) to price x (1 + width)")
    derived: bool = Field(default=False, description="ranges on pairs of assets instead of those in USD")
    discount: Share = Field(default=0.5, description="fraction off the maximum fee")
    look_minutes: Minutes = Field(default=60.0, description="between two looks at the position")


class StaticLps(RfqLps):
    """Set their ranges and their discount once."""

    width: Width = 0.3


class UndercuttingLps(RfqLps):
    """Outbid the best other discount by a step, up to their highest."""

    max_discount: Share = 0.95
    discount_step: Annotated[float, Within("(0, 1]")] = 0.01

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max_discount < self.discount:
            raise ValueError(f"max_discount ({self.max_discount:g}) must not be less than discount ({self.discount:g})")
        return self


class VolatilityAwareLps(RfqLps):
    """Set their ranges by the volatility of a day, and step out of the market in a storm."""

    look_minutes: Minutes = 15.0
    exit_volatility_per_year: Positive = Field(default=1.5, description="of an asset that they trade: out above, in again below")
    width_per_volatility: Positive = Field(default=3.0, description="width / volatility of a day")


class InventoryLps(RfqLps):
    """Trade back into their primary asset what they took in, and accept no more of it, once it is more than `band` of their value."""

    band: Annotated[float, Within("(0, 1)")] = 0.5


class RfqLpKinds(Part):
    """RFQ LPs by kind."""

    static: StaticLps = StaticLps()
    undercutting: UndercuttingLps = UndercuttingLps()
    volatility_aware: VolatilityAwareLps = VolatilityAwareLps()
    inventory: InventoryLps = InventoryLps()

    def by_kind(self) -> tuple[RfqLps, ...]:
        """All kinds, in the order of LpKind."""
        return self.static, self.undercutting, self.volatility_aware, self.inventory


class RfqTraders(Part):
    """Whose orders arrive as a Poisson process, for any asset against the numeraire."""

    count: Some = 0
    orders_per_day: Rate = 10.0
    order_usd: LogNormal = LogNormal(median=2_000.0, sigma=1.0)
    buy_share: Share = 0.5
    max_cost: Share = Field(default=0.05, description="slippage (pools) or discount (auctions) at which an order is called off")
    cash_usd: Usd = Field(default=50_000.0, description="of the numeraire")
    tokens_usd: Usd = Field(default=20_000.0, description="of each other asset")


class InformedTraders(Part):
    """Who see the market's price before the oracle does, and trade on the difference."""

    count: Annotated[int, Within("[0, 1000]")] = 0
    order_usd: Annotated[float, Within("(0, 1e9]")] = Field(default=20_000.0, description="largest order")
    min_edge: NotNegative = Field(default=0.0005, description="gain after fees, as a share of the order, for which they trade")
    cash_usd: Usd = Field(default=500_000.0, description="of the numeraire")
    tokens_usd: Usd = Field(default=200_000.0, description="of each other asset")


class Auctions(Part):
    """Terms of the two auctions that RFQ routing is compared with."""

    start_premium: Annotated[float, Within("[0, 1]")] = Field(default=0.005, description="above an order's worth, asked first")
    floor_premium: Annotated[float, Within("(-1, 1]")] = Field(default=-0.02, description="asked last")
    duration_seconds: Positive = 60.0
    tick_seconds: Positive = 2.0
    shade: Discount = Field(default=0.0005, description="by which solvers bid less than they would deliver, where bids are sealed")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.floor_premium > self.start_premium:
            raise ValueError(f"floor_premium ({self.floor_premium:g}) must not be more than start_premium ({self.start_premium:g})")
        return self


class AvmmSpec(Part):
    """The RFQ market: LPs post positions, orders are routed to the best of them at oracle prices."""

    assets: dict[Name, AvmmAsset] = Field(min_length=2, max_length=16, description="the first is the numeraire of all orders")
    mechanism: Literal["rfq", "constant_product", "dutch_auction", "sealed_bid"] = Field(
        default="rfq", description="how orders find their counterparty; all but rfq are there to compare, with the same LPs and orders"
    )
    max_fee: Discount = Field(default=0.01, description="LP fee at a discount of 0")
    min_fraction: Annotated[float, Within("[0.01, 1]")] = Field(default=0.1, description="of an order's size, that an LP must hold")
    latency_seconds: Annotated[float, Within("[0, 86400]")] = Field(default=0.0, description="between quote and settlement")
    price_valid_seconds: Positive = Field(default=60.0, description="of a feed of its own; one shared has the other protocol's terms")
    volatility_hours: Hours = Field(default=4.0, description="time constant of the average by which LPs judge volatility")
    rep: RepTerms = RepTerms()
    lps: RfqLpKinds = RfqLpKinds()
    traders: RfqTraders = RfqTraders()
    informed: InformedTraders = InformedTraders()
    auctions: Auctions = Auctions()
    pool_commission: Discount = Field(default=0.003, description="of the constant-product pools")

    @property
    def names(self) -> tuple[str, ...]:
        """Assets by row of rfq_assets."""
        return tuple(self.assets)

    @property
    def lp_count(self) -> int:
        """LPs of all kinds."""
        return sum(spec.count for spec in self.lps.by_kind())

    @property
    def orders_per_day(self) -> float:
        """Orders of all traders, on average."""
        return self.traders.count * self.traders.orders_per_day

    def tracked(self) -> tuple[str, ...]:
        """Assets of prices.assets that its own tokens follow."""
        return tuple(dict.fromkeys(terms.tracks for terms in self.assets.values() if terms.tracks is not None))
