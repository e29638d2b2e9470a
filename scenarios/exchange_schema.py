"""What a scenario may say about the perps exchange: collateral, markets, pools, LPs, traders, keepers, incentives.

Terms of contracts default to those of the public implementation in production (Base's ETH market; MECHANICS.md sections 3 and 4,
"Parameters"). What these do not name (keepers' costs, the smallest position), and how agents behave, is assumption.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seawall.scenarios.fields import Days, Discount, Name, NotNegative, Positive, PositiveUsd, Ratio, Share, Text, Usd, Within
from seawall.scenarios.parts import LogNormal, Part

ALL = "all"
DUSD_NAME = "dUSD"

Leverage = Annotated[float, Within("(0, 100]")]
Rate = Annotated[float, Within("[0, 1440]")]
Some = Annotated[int, Within("[0, 10000]")]
Minutes = Annotated[float, Within("[0.02, 1e6]")]
Hours = Annotated[float, Within("[0.02, 87600]")]


# --- terms of the contracts ---


class Collateral(Part):
    """What LPs may delegate: an asset of the prices, or a dollar stablecoin."""

    tracks: Name | None = Field(default=None, description="asset of prices.assets; a stablecoin, always a dollar, if left out")
    issuance_ratio: Ratio = Field(default=3.0, description="collateral value / debt that minting and undelegating need")
    liquidation_ratio: Ratio = Field(default=1.5, description="collateral value / debt below which a position, or a vault, is liquidated")
    liquidation_reward_usd: Usd = Field(default=20.0, description="for liquidating a position; paid in the collateral, at its first price")
    min_delegation_usd: PositiveUsd = Field(default=100.0, description="smallest position; in tokens, at the first price")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.issuance_ratio < self.liquidation_ratio:
            raise ValueError(
                f"issuance_ratio ({self.issuance_ratio:g}) must not be less than liquidation_ratio ({self.liquidation_ratio:g})"
            )
        if self.min_delegation_usd <= self.liquidation_reward_usd:
            reward = self.liquidation_reward_usd
            raise ValueError(f"min_delegation_usd ({self.min_delegation_usd:g}) must be more than liquidation_reward_usd ({reward:g})")
        return self


class PerpsMarket(Part):
    """Terms of one perps market, which is one market of the core."""

    tracks: Name
    skew_scale: Positive = Field(default=300_000.0, description="base asset: skew at which the price impact is 100 %")
    max_funding_velocity: NotNegative = Field(
        default=9.0, description="funding rate gained per day at that skew: fraction per day, per day"
    )
    maker_fee: Discount = 0.000001
    taker_fee: Discount = 0.0005
    max_open_interest: Positive | None = Field(default=None, description="base asset, limit of each side")
    max_open_interest_usd: Positive | None = Field(default=None, description="limit of each side")
    margin_slope: NotNegative = Field(default=1.16, description="initial margin ratio gained per skew_scale of size")
    min_margin_ratio: Annotated[float, Within("(0, 1]")] = Field(default=0.02, description="initial margin / notional, however small")
    maintenance_scalar: Annotated[float, Within("(0, 1]")] = Field(
        default=0.28, description="maintenance margin ratio / initial margin ratio"
    )
    min_position_margin_usd: Usd = 15.0
    flag_reward_ratio: Discount = Field(default=0.0003, description="of the notional, for whoever flags an account")
    liquidation_multiplier: NotNegative = Field(default=1.5, description="0: as much as there is may be liquidated at once")
    liquidation_window_seconds: Annotated[float, Within("[0, 86400]")] = 30.0
    max_liquidation_skew: Share = Field(default=0.0005, description="skew / skew_scale below which one more window is allowed")
    locked_oi_ratio: NotNegative = Field(default=0.1, description="of the open interest, for which the pools' credit is locked")
    min_liquidity_ratio: Positive | None = Field(
        default=None, description="a pool's value / most debt it takes here; the exchange's if left out"
    )
    min_delegation_hours: NotNegative = Field(default=24.0, description="for which collateral in a pool of this market stays at least")
    fast_minutes: Minutes = Field(default=60.0, description="time constant of the fast moving average of the index price")
    slow_minutes: Minutes = Field(default=480.0, description="the same of the slow one; traders by momentum compare the two")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fast_minutes >= self.slow_minutes:
            raise ValueError(f"fast_minutes ({self.fast_minutes:g}) must be less than slow_minutes ({self.slow_minutes:g})")
        return self


class KeeperPay(Part):
    """What keepers are paid, by every market."""

    settlement_reward_usd: Usd = 0.4
    settlement_cost_usd: Usd = 0.0
    flag_cost_usd: Usd = Field(default=0.5, description="for each open position of an account that is flagged")
    liquidation_cost_usd: Usd = 0.5
    min_reward_usd: Usd = Field(default=1.0, description="beyond the cost")
    min_profit: NotNegative = Field(default=0.3, description="of the cost, beyond it")
    max_reward_usd: Usd = 30.0
    max_margin_share: NotNegative = Field(default=0.3, description="of the margin, paid at most")
    margin_reward_ratio: Discount = Field(default=0.0, description="of the margin, for flagging at least")


class Interest(Part):
    """Interest on locked notional; none with slopes of 0."""

    low: NotNegative = Field(default=0.0, description="per year, for each percent of utilization below the breakpoint")
    high: NotNegative = Field(default=0.0, description="the same above it")
    breakpoint: Share = 0.75


class PoolOwner(Part):
    """Who sets the weights of a pool, and how."""

    policy: Literal["fixed", "equal", "yield", "risk_parity"] = "fixed"
    trust: Share = Field(default=0.5, description="how far LPs trust the owner")
    rebalance_hours: Hours = 24.0


class Siphon(Part):
    """A part of the pool's fees that its distributor pays to somebody before LPs."""

    to: Text
    share: Annotated[float, Within("(0, 1]")]
    market: Name | None = Field(default=None, description="every market of the pool if left out")


class LiquidityPool(Part):
    """A pool of vaults that backs markets."""

    owner: PoolOwner = PoolOwner()
    weights: dict[Name, Positive] = Field(default_factory=dict, description="market: weight; every market alike if left out")
    max_debt_per_share: Positive = Field(default=1.0, description="USD per USD of value, beyond which it takes no debt of a market")
    collateral_limits: dict[Name, NotNegative] = Field(default_factory=dict, description="collateral: tokens that the pool takes at most")
    siphons: tuple[Siphon, ...] = Field(default=(), strict=False, max_length=64)


# --- agents ---


class LpKinds(Part):
    """How many LPs, by weight, stay whatever happens; go where the yield is; mind risk and trust, and leave when they fear."""

    loyal: NotNegative = 1.0
    yield_seeking: NotNegative = 1.0
    cautious: NotNegative = 1.0

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.loyal + self.yield_seeking + self.cautious <= 0.0:
            raise ValueError("loyal, yield_seeking and cautious are all 0; at least one must be more")
        return self


class LiquidityLps(Part):
    """LPs, each with collateral of one type in one pool, spread by weight over both."""

    count: Some = 100
    value_usd: LogNormal = LogNormal(median=50_000.0, sigma=1.0)
    collateral: dict[Name, Positive] = Field(default_factory=dict, description="collateral: weight; all alike if left out")
    pools: dict[Name, Positive] = Field(default_factory=dict, description="pool where they start: weight; all alike if left out")
    kinds: LpKinds = LpKinds()
    hurdle: NotNegative = Field(default=0.25, description="per year: by how much another pool must be better for a move")
    fear: Positive = Field(default=0.05, description="debt from the markets / collateral at which the cautious leave")
    risk_weight: NotNegative = Field(default=0.5, description="of the cautious: yield per year given up for a unit less of its deviation")
    trust_weight: NotNegative = Field(default=0.3, description="of the cautious: yield per year given up for an owner trusted wholly")
    look_hours: Hours = 6.0
    reserve: NotNegative = Field(default=0.05, description="dUSD kept aside, as a share of the collateral")
    borrow_share: Share = Field(default=0.0, description="of the LPs, who mint dUSD against their collateral")
    borrow_ratio: Ratio = Field(default=5.0, description="collateral value / debt that they mint down to")


class PerpsTraders(Part):
    """Traders of one kind, spread evenly over the markets; each one's orders arrive as a Poisson process."""

    count: Some = 0
    orders_per_day: Rate = Field(default=4.0, description="per trader: times at which it thinks of trading")
    order_usd: LogNormal = Field(default=LogNormal(median=5_000.0, sigma=1.0), description="notional")
    leverage: Leverage = Field(default=5.0, description="notional / margin")
    leverage_sigma: Annotated[float, Within("[0, 5]")] = Field(
        default=0.0, description="standard deviation of the log of leverages, which lie from 1 to the most that margins allow; 0: all alike"
    )
    capital_usd: LogNormal = LogNormal(median=10_000.0, sigma=1.0)
    long_share: Share = Field(default=0.5, description="of the positions that are taken without a signal")
    threshold: NotNegative = Field(default=0.0, description="signal at which a side is taken")
    exit_threshold: NotNegative = Field(default=0.0, description="signal below which it is given up")
    alert: Annotated[float, Within("[0, 1000]")] = Field(
        default=1.5, description="margin / maintenance margin below which it adds margin; 0 for one who lets it go"
    )
    cooldown_hours: NotNegative | None = Field(default=24.0, description="away after a liquidation; for ever if null")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.exit_threshold > self.threshold:
            raise ValueError(f"exit_threshold ({self.exit_threshold:g}) must not be more than threshold ({self.threshold:g})")
        return self


class NoiseTraders(PerpsTraders):
    """Take a side at random, and give it up again."""

    alert: Annotated[float, Within("[0, 1000]")] = 0.0


class TrendTraders(PerpsTraders):
    """Follow the moving averages, or bet against them: signal is fast / slow - 1."""

    threshold: NotNegative = 0.01
    exit_threshold: NotNegative = 0.002


class CarryTraders(PerpsTraders):
    """Take the side that receives funding: signal is the funding rate per day."""

    orders_per_day: Rate = 24.0
    leverage: Leverage = 2.0
    capital_usd: LogNormal = LogNormal(median=200_000.0, sigma=1.0)
    threshold: NotNegative = 0.001
    exit_threshold: NotNegative = 0.0002


class Whales(PerpsTraders):
    """Few and large, with a side that they prefer."""

    orders_per_day: Rate = 1.0
    order_usd: LogNormal = LogNormal(median=2_000_000.0, sigma=0.5)
    leverage: Leverage = 10.0
    capital_usd: LogNormal = LogNormal(median=1_000_000.0, sigma=0.5)
    long_share: Share = 1.0


def most_leverage(markets: Iterable[PerpsMarket]) -> float:
    """Notional / margin that the initial margin of every one of these markets allows."""
    return 1.0 / max(market.min_margin_ratio for market in markets)


class PerpsTraderKinds(Part):
    """Traders by kind."""

    noise: NoiseTraders = NoiseTraders()
    momentum: TrendTraders = TrendTraders()
    reversion: TrendTraders = TrendTraders()
    carry: CarryTraders = CarryTraders()
    whale: Whales = Whales()

    def by_kind(self) -> tuple[PerpsTraders, ...]:
        """All kinds that are drawn, in the order of TraderKind."""
        return self.noise, self.momentum, self.reversion, self.carry, self.whale


class Flow(Part):
    """Recorded open interest of a market, from the price file: all longs trade as one trader, all shorts as another."""

    market: Name
    long_column: Name = Field(description="column of the price file: base asset held long")
    short_column: Name = Field(description="column of the price file: base asset held short")
    scale: Positive = Field(default=1.0, description="times what was recorded")
    leverage: Leverage = 5.0


class ExchangeKeepers(Part):
    """Who settles orders, liquidates, and calls the distributors."""

    count: Annotated[int, Within("[1, 1000]")] = 1
    cost_usd: NotNegative = Field(default=0.5, description="of a liquidation, which is not done for less")
    look_minutes: Minutes = Field(
        default=60.0, description="between two looks at LPs, vaults and distributors; traders are watched all the time"
    )
    cash_usd: Usd = Field(default=100_000.0, description="dUSD with which vaults are liquidated")


class Incentive(Part):
    """Tokens from outside that a pool's distributor pays to LPs over a time."""

    pool: Name
    collateral: Name = Field(default=ALL, description="whose LPs are paid; all of them, by value, if left out")
    token: Name
    amount: Annotated[float, Within("(0, 1e9]")] = Field(description="tokens")
    at_hours: NotNegative = 0.0
    days: Annotated[float, Within("[0, 3660]")] = Field(default=0.0, description="over which it is paid, evenly; 0: at once")


class ExchangeSpec(Part):
    """The perps exchange: LPs delegate collateral to pools, pools back markets, traders trade with these."""

    collaterals: dict[Name, Collateral] = Field(min_length=1, max_length=16)
    markets: dict[Name, PerpsMarket] = Field(min_length=1, max_length=32)
    pools: dict[Name, LiquidityPool] = Field(min_length=1, max_length=32)
    min_liquidity_ratio: Positive = Field(default=1.25, description="a pool's value in a market / most debt it may take there")
    price_valid_seconds: Positive = Field(
        default=60.0, description="of a feed of the exchange's own; one shared with a tASSET has its terms"
    )
    keeper_pay: KeeperPay = KeeperPay()
    interest: Interest = Interest()
    lps: LiquidityLps = LiquidityLps()
    traders: PerpsTraderKinds = PerpsTraderKinds()
    flows: tuple[Flow, ...] = Field(default=(), strict=False, max_length=16)
    keepers: ExchangeKeepers = ExchangeKeepers()
    incentives: tuple[Incentive, ...] = Field(default=(), strict=False, max_length=64)
    yield_look_hours: Hours = Field(default=1.0, description="between two looks at what pools and markets have earned")
    yield_memory_days: Days = Field(default=7.0, description="time constant of the average yields by which LPs and owners choose")

    @property
    def trader_count(self) -> int:
        """Traders of all kinds, recorded flow included."""
        return sum(spec.count for spec in self.traders.by_kind()) + 2 * len(self.flows)

    @property
    def orders_per_day(self) -> float:
        """Orders of all traders, on average."""
        return sum(spec.count * spec.orders_per_day for spec in self.traders.by_kind())

    def tracked(self) -> tuple[str, ...]:
        """Assets that its collateral and its markets follow."""
        tracks = [*(terms.tracks for terms in self.collaterals.values()), *(terms.tracks for terms in self.markets.values())]
        return tuple(dict.fromkeys(asset for asset in tracks if asset is not None))

    def weights(self, pool: str) -> dict[str, float]:
        """Weight of each market that a pool backs."""
        return dict(self.pools[pool].weights) or dict.fromkeys(self.markets, 1.0)
