"""Feeders, traders, arbitrageurs and LPs as Mesa's examples write agents: a class per kind, attributes, properties, `step`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mesa
from peers.mesa_pools import NEVER, UNIT, Tasset

if TYPE_CHECKING:
    from peers.mesa_idiomatic import GroundMarket


class Feeder(mesa.Agent):
    """Publishes a price on a heartbeat or after a move, unless its feed or the market is out."""

    def __init__(self, model: GroundMarket, tasset: Tasset, is_up: list[bool], heartbeat: float, deviation: float) -> None:
        """Know the tASSET, and by round whether its feed is up."""
        super().__init__(model)
        self.tasset, self.is_up, self.heartbeat, self.deviation = tasset, is_up, heartbeat, deviation

    def step(self) -> None:
        """Publish if it is time."""
        if not self.is_up[self.model.steps]:
            return
        tasset, now = self.tasset, self.model.now
        seen = tasset.market_price[self.model.steps]
        if now - tasset.updated_at >= self.heartbeat or abs(seen / tasset.price - 1.0) >= self.deviation:
            tasset.price, tasset.updated_at = seen, now


class Trader(mesa.Agent):
    """Places its orders as they arrive."""

    def __init__(self, model: GroundMarket, cash: float, tokens: list[float], max_spread: float) -> None:
        """Own cash and tokens; `orders` has (tASSET, whether it sells, USD) by round."""
        super().__init__(model)
        self.cash, self.tokens, self.max_spread = cash, tokens, max_spread
        self.orders: dict[int, list[tuple[Tasset, bool, float]]] = {}

    def step(self) -> None:
        """Swap the orders of this round."""
        for tasset, sells, usd in self.orders.get(self.model.steps, ()):
            if sells:
                self.sell(tasset, usd / tasset.pool.price)
            elif usd <= self.cash:
                self.buy(tasset, usd)

    def sell(self, tasset: Tasset, offer: float) -> None:
        """Sell tokens, if they are there and the spread is accepted."""
        if offer <= self.tokens[tasset.row]:
            received = tasset.pool.sell(offer, self.max_spread)
            if received > 0.0:
                self.tokens[tasset.row] -= offer
                self.cash += received

    def buy(self, tasset: Tasset, offer: float) -> None:
        """Buy tokens, if the spread is accepted."""
        received = tasset.pool.buy(offer, self.max_spread)
        if received > 0.0:
            self.cash -= offer
            self.tokens[tasset.row] += received


class Arbitrageur(mesa.Agent):
    """Pulls each pool's price to the oracle's, as long as that is fresh."""

    def __init__(self, model: GroundMarket, cash: float, tokens: list[float], min_edge: float) -> None:
        """Own cash and tokens."""
        super().__init__(model)
        self.cash, self.tokens, self.min_edge = cash, tokens, min_edge

    def step(self) -> None:
        """Visit every pool and swap until the edge or the means are gone."""
        for tasset in self.model.tassets:
            if tasset.is_fresh(self.model.now):
                self.trade(tasset)

    def trade(self, tasset: Tasset) -> None:
        """Buy what is cheap, sell what is dear."""
        pool = tasset.pool
        low, high = tasset.price * (1.0 - self.min_edge), tasset.price * (1.0 + self.min_edge)
        if pool.price < low:
            offer = min(math.sqrt(pool.base * pool.asset * low) - pool.base, self.cash)
            if offer >= UNIT:
                self.cash -= offer
                self.tokens[tasset.row] += pool.buy(offer)
        elif pool.price > high:
            offer = min(math.sqrt(pool.base * pool.asset / high) - pool.asset, self.tokens[tasset.row])
            if offer >= UNIT:
                self.tokens[tasset.row] -= offer
                self.cash += pool.sell(offer)


class LiquidityProvider(mesa.Agent):
    """Provides both tokens of one pool; a nervous one leaves when the peg breaks or the oracle is silent, and comes back later."""

    def __init__(self, model: GroundMarket, tasset: Tasset, cash: float, tokens: float, shares: float, fears: list[float]) -> None:
        """Own cash, tokens, and LP tokens of the pool; `fears` are premium and staleness to leave at, and seconds of calm to return."""
        super().__init__(model)
        self.tasset, self.cash, self.tokens, self.shares = tasset, cash, tokens, shares
        self.exit_premium, self.exit_stale, self.return_after = fears
        self.calm_since = NEVER

    @property
    def is_afraid(self) -> bool:
        """Whether the peg is broken or the oracle silent."""
        premium = self.tasset.pool.price / self.tasset.price - 1.0
        return abs(premium) > self.exit_premium or self.model.now - self.tasset.updated_at > self.exit_stale

    def step(self) -> None:
        """Leave when afraid; come back after a calm."""
        if self.is_afraid:
            self.calm_since = NEVER
            if self.shares > 0.0:
                self.redeem()
        elif self.shares <= 0.0:
            self.calm_since = min(self.calm_since, self.model.now)
            if self.model.now - self.calm_since >= self.return_after:
                self.provide()

    def redeem(self) -> None:
        """Take the part of both reserves."""
        pool = self.tasset.pool
        part = self.shares / pool.shares
        self.cash += pool.base * part
        self.tokens += pool.asset * part
        self.grow(-part)
        self.shares = 0.0

    def provide(self) -> None:
        """Provide everything held, the surplus of the larger side apart."""
        pool = self.tasset.pool
        part = min(self.cash / pool.base, self.tokens / pool.asset)
        self.cash -= part * pool.base
        self.tokens -= part * pool.asset
        self.shares += part * pool.shares
        self.grow(part)
        self.calm_since = NEVER

    def grow(self, part: float) -> None:
        """Change reserves and LP tokens of the pool in proportion."""
        pool = self.tasset.pool
        pool.base *= 1.0 + part
        pool.asset *= 1.0 + part
        pool.shares *= 1.0 + part
