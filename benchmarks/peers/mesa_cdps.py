"""Owners of CDPs and liquidators as Mesa's examples write agents: attributes, properties, `step`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mesa
from peers.mesa_pools import NEVER, SLACK, UNIT, Tasset

if TYPE_CHECKING:
    from peers.mesa_idiomatic import GroundMarket


class Liquidator(mesa.Agent):
    """Buys the collateral of margin-called CDPs with tokens from the pool."""

    def __init__(self, model: GroundMarket, cash: float, tokens: list[float], min_profit: float, cost_usd: float) -> None:
        """Own cash and tokens."""
        super().__init__(model)
        self.cash, self.tokens, self.min_profit, self.cost_usd = cash, tokens, min_profit, cost_usd

    def step(self) -> None:
        """Go through the margin-called CDPs and buy from each what pays."""
        for minter in self.model.margin_called:
            if minter.is_margin_called and minter.tasset.is_fresh(self.model.now):
                self.buy_from(minter)

    def purchasable(self, tasset: Tasset) -> float:
        """Tokens that the pool sells at a profit, as far as the cash goes."""
        pool = tasset.pool
        limit = tasset.discounted / (1.0 + self.min_profit)
        gross = pool.asset - math.sqrt(pool.base * pool.asset / ((1.0 - pool.commission) * limit))
        affordable = pool.asset * self.cash / (pool.base + self.cash)
        return min(gross, affordable) * (1.0 - pool.commission)

    def buy_from(self, minter: Minter) -> None:
        """Buy from one CDP if that pays."""
        tasset = minter.tasset
        wanted = min(minter.for_sale, minter.collateral / tasset.discounted)
        held = min(self.tokens[tasset.row], wanted)
        bought = min(wanted - held, self.purchasable(tasset))
        if held + bought < UNIT:
            return
        cost = min(tasset.pool.cost(bought + SLACK), self.cash) if bought > 0.0 else 0.0
        outlay = cost + held * tasset.price
        received = min((held + bought) * tasset.discounted, minter.collateral)
        if received - outlay - self.cost_usd < self.min_profit * outlay:
            return
        if cost > 0.0:
            self.cash -= cost
            self.tokens[tasset.row] += tasset.pool.buy(cost)
        burned, sold = minter.sell_collateral(self.tokens[tasset.row])
        self.tokens[tasset.row] -= burned
        self.cash += sold


class Minter(mesa.Agent):
    """Owns one CDP and watches its collateral ratio, or does not."""

    def __init__(self, model: GroundMarket, tasset: Tasset, collateral: float, debt: float, cash: float, tokens: float) -> None:
        """Own the CDP, cash, and tokens of its tASSET."""
        super().__init__(model)
        self.tasset, self.collateral, self.debt, self.cash, self.tokens = tasset, collateral, debt, cash, tokens
        self.target_ratio = self.alert_ratio = self.excess_ratio = self.reaction = 0.0
        self.due_at, self.relevers = NEVER, False

    @property
    def collateral_ratio(self) -> float:
        """At the oracle's price; infinite without debt."""
        return self.collateral / (self.debt * self.tasset.price) if self.debt > 0.0 else NEVER

    @property
    def is_margin_called(self) -> bool:
        """Whether it is below the minimum ratio."""
        return self.collateral_ratio < self.tasset.min_ratio

    @property
    def market_debt(self) -> float:
        """USD of debt at the market's price."""
        return self.debt * self.tasset.market_price[self.model.steps]

    @property
    def shortfall(self) -> float:
        """USD that the collateral is short of the debt, at the market's price."""
        return max(self.market_debt - self.collateral, 0.0)

    @property
    def for_sale(self) -> float:
        """Tokens whose purchase restores the minimum ratio; the whole debt where no purchase can."""
        tasset = self.tasset
        value, sold_per_usd = self.debt * tasset.price, 1.0 / (1.0 - tasset.discount)
        if tasset.min_ratio <= sold_per_usd or self.collateral <= value * sold_per_usd:
            return self.debt
        amount = (tasset.min_ratio * value - self.collateral) / (tasset.price * (tasset.min_ratio - sold_per_usd))
        return min(amount + UNIT, self.debt)

    def step(self) -> None:
        """Look at the ratio and do what it calls for; after a refusal come back a reaction time later."""
        if self.debt <= 0.0:
            return
        now, ratio = self.model.now, self.collateral_ratio
        is_low, is_high = ratio < self.alert_ratio, ratio > self.excess_ratio
        if self.due_at < NEVER:
            if now < self.due_at:
                return
        elif not (is_low or is_high):
            return
        elif is_low and self.reaction > 0.0:
            self.due_at = now + self.reaction
            return
        if self.tasset.is_fresh(now):
            if is_low:
                self.top_up()
            elif is_high:
                self.use_excess()
        is_settled = self.alert_ratio <= self.collateral_ratio <= self.excess_ratio
        self.due_at = NEVER if is_settled else now + max(self.reaction, self.model.step_seconds)

    def top_up(self) -> None:
        """Add cash, then burn tokens kept."""
        tasset = self.tasset
        needed = self.target_ratio * self.debt * tasset.price - self.collateral
        cash = min(needed, self.cash)
        self.cash -= cash
        self.collateral += cash
        if cash < needed:
            kept = min(self.debt - self.collateral / (self.target_ratio * tasset.price), self.tokens)
            self.tokens -= kept
            self.debt -= kept

    def use_excess(self) -> None:
        """Mint and sell more, or withdraw collateral."""
        tasset = self.tasset
        if self.relevers:
            more = self.collateral / (self.target_ratio * tasset.price) - self.debt
            self.debt += more
            self.cash += tasset.pool.sell(more)
        else:
            spare = self.collateral - self.target_ratio * self.debt * tasset.price
            self.collateral -= spare
            self.cash += spare * (1.0 - tasset.protocol_fee)

    def sell_collateral(self, offered: float) -> tuple[float, float]:
        """Take a liquidator's tokens, as many as are for sale; tokens burned and collateral sold."""
        burned = min(offered, self.for_sale)
        sold = burned * self.tasset.discounted
        if sold > self.collateral:
            burned, sold = self.collateral / self.tasset.discounted, self.collateral
        self.collateral -= sold
        self.debt -= burned
        self.model.note_purchase(burned * self.tasset.price)
        if self.debt <= 0.0 or self.collateral <= 0.0:
            self.cash += self.collateral
            self.collateral = self.debt = 0.0
        return burned, sold
