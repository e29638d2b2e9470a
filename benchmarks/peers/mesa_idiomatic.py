"""The ground job as a plain Mesa model, written as Mesa's tutorials do: a class for each kind of agent, attributes, `shuffle_do("step")`.

The rules are Seawall's: the same feeders, orders, arbitrage, owners, liquidators and LPs, with the same populations, prices and orders,
taken from a world that has been built. It is fair: plain Python floats, early exits, one list of margin-called CDPs per round, no
`DataCollector`, no needless lookups.

What remains different from Seawall:
- Mesa draws the order of the agents of a kind, everybody in each round, from its own generator; Seawall orders those who act by a hash.
- Amounts are not rounded to units (a millionth of a token), so a restored CDP is restored a unit past the minimum.
- A trader's turn comes in Mesa's order, not by the arrival of the order.
- Nothing is written down but the shortfall and insolvent CDPs of each round and a few totals: no time series, distribution of ratios,
  list of liquidations, reasons of refusals or check of the books.
- Feeders neither lag nor err, as in the ground job.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from typing import Any

import mesa
from peers.outcome import Outcome

from seawall.protocols.tables import World

NEVER = math.inf
UNIT = 2.0**-20
LOCKED_SHARES = 1000.0 * UNIT
RETRY_EXIT = 86_400.0
SLACK = 4.0 * UNIT  # bought beside what is needed, so that a purchase of all collateral leaves no crumb


class Pool:
    """A constant-product pool; the commission on what it pays out stays in it."""

    def __init__(self, base: float, asset: float, shares: float, commission: float) -> None:
        """Take the reserves: tDOLLAR, tASSET tokens; and the LP tokens out."""
        self.base, self.asset, self.shares, self.commission = base, asset, shares, commission
        self.fees_base = self.fees_asset = self.volume = 0.0

    @property
    def price(self) -> float:
        """TDOLLAR per token."""
        return self.base / self.asset

    def quote(self, offer_reserve: float, ask_reserve: float, offer: float, max_spread: float) -> tuple[float, float]:
        """Payout and commission; (0, 0) beyond the spread accepted."""
        gross = ask_reserve * offer / (offer_reserve + offer)
        spread = offer * ask_reserve / offer_reserve - gross
        if spread > (gross + spread) * max_spread:
            return 0.0, 0.0
        kept = gross * self.commission
        return gross - kept, kept

    def buy(self, offer: float, max_spread: float = 1.0) -> float:
        """Tokens for tDOLLAR."""
        payout, kept = self.quote(self.base, self.asset, offer, max_spread)
        if payout > 0.0:
            self.base += offer
            self.asset -= payout
            self.fees_asset += kept
            self.volume += offer
        return payout

    def sell(self, offer: float, max_spread: float = 1.0) -> float:
        """TDOLLAR for tokens."""
        payout, kept = self.quote(self.asset, self.base, offer, max_spread)
        if payout > 0.0:
            self.asset += offer
            self.base -= payout
            self.fees_base += kept
            self.volume += payout
        return payout

    def cost(self, wanted: float) -> float:
        """TDOLLAR to offer for a payout of `wanted` tokens."""
        gross = wanted / (1.0 - self.commission)
        if gross >= self.asset:
            return NEVER
        return self.base * gross / (self.asset - gross)


class Tasset:
    """Terms, oracle price and totals of one tASSET."""

    def __init__(self, world: World, row: int, pool: Pool) -> None:
        """Copy the terms and the first price."""
        terms = world.tassets[row]
        feed = world.feeds[terms.feed]
        self.row, self.pool = row, pool
        self.min_ratio, self.discount = float(terms.min_collateral_ratio), float(terms.auction_discount)
        self.protocol_fee, self.auction_fee = float(terms.protocol_fee), float(terms.auction_fee)
        self.price, self.updated_at, self.valid_for = float(feed.price), float(feed.updated_at), float(feed.valid_for)
        self.market_price: list[float] = world.market_price[:, terms.asset].tolist()
        self.collateral, self.debt = float(world.cdp_kinds[row].collateral), float(terms.debt)  # each tASSET has one kind
        self.minters: list[Minter] = []


class Feeder(mesa.Agent):
    """Publishes a price on a heartbeat or after a move, unless its feed or the market is out."""

    def __init__(self, model: GroundMarket, tasset: Tasset, row: Any, is_up: list[bool]) -> None:
        """Know the feed and when it is out."""
        super().__init__(model)
        self.tasset, self.is_up = tasset, is_up
        self.heartbeat, self.deviation = float(row.heartbeat), float(row.deviation)

    def step(self) -> None:
        """Publish if it is time."""
        model, tasset = self.model, self.tasset
        if not self.is_up[model.steps]:
            return
        seen = tasset.market_price[model.steps]
        if model.now - tasset.updated_at >= self.heartbeat or abs(seen / tasset.price - 1.0) >= self.deviation:
            tasset.price, tasset.updated_at = seen, model.now


class Trader(mesa.Agent):
    """Places its orders as they arrive."""

    def __init__(self, model: GroundMarket, cash: float, tokens: list[float], max_spread: float) -> None:
        """Own cash and tokens."""
        super().__init__(model)
        self.cash, self.tokens, self.max_spread = cash, tokens, max_spread
        self.orders: dict[int, list[tuple[Tasset, bool, float]]] = defaultdict(list)

    def step(self) -> None:
        """Swap the orders of this round."""
        if self.model.steps in self.orders:
            for tasset, sells, usd in self.orders[self.model.steps]:
                self.place(tasset, sells, usd)

    def place(self, tasset: Tasset, sells: bool, usd: float) -> None:
        """Swap one order, if the means suffice and the spread is accepted."""
        if sells:
            offer = usd / tasset.pool.price
            if offer <= self.tokens[tasset.row]:
                received = tasset.pool.sell(offer, self.max_spread)
                if received > 0.0:
                    self.tokens[tasset.row] -= offer
                    self.cash += received
        elif usd <= self.cash:
            received = tasset.pool.buy(usd, self.max_spread)
            if received > 0.0:
                self.cash -= usd
                self.tokens[tasset.row] += received


class Arbitrageur(mesa.Agent):
    """Pulls each pool's price to the oracle's, as long as that is fresh."""

    def __init__(self, model: GroundMarket, cash: float, tokens: list[float], min_edge: float) -> None:
        """Own cash and tokens."""
        super().__init__(model)
        self.cash, self.tokens, self.min_edge = cash, tokens, min_edge

    def step(self) -> None:
        """Visit every pool."""
        for tasset in self.model.tassets:
            if self.model.now - tasset.updated_at <= tasset.valid_for:
                self.trade(tasset, tasset.pool)

    def trade(self, tasset: Tasset, pool: Pool) -> None:
        """Swap until the edge or the means are gone."""
        low, high = tasset.price * (1.0 - self.min_edge), tasset.price * (1.0 + self.min_edge)
        if pool.base < low * pool.asset:
            offer = min(math.sqrt(pool.base * pool.asset * low) - pool.base, self.cash)
            if offer >= UNIT:
                self.cash -= offer
                self.tokens[tasset.row] += pool.buy(offer)
        elif pool.base > high * pool.asset:
            offer = min(math.sqrt(pool.base * pool.asset / high) - pool.asset, self.tokens[tasset.row])
            if offer >= UNIT:
                self.tokens[tasset.row] -= offer
                self.cash += pool.sell(offer)


class Minter(mesa.Agent):
    """Owns one CDP and watches its collateral ratio, or does not."""

    def __init__(self, model: GroundMarket, tasset: Tasset, row: Any, cdp: Any, cash: float, tokens: float) -> None:
        """Own the CDP, cash, and tokens of its tASSET."""
        super().__init__(model)
        self.tasset, self.cash, self.tokens = tasset, cash, tokens
        self.collateral, self.debt, self.is_open = float(cdp.collateral), float(cdp.debt), bool(cdp.is_open)
        self.target_ratio, self.alert_ratio, self.excess_ratio = float(row.target_ratio), float(row.alert_ratio), float(row.excess_ratio)
        self.reaction, self.relevers = float(row.reaction), bool(row.relevers)
        self.due_at, self.exit_at = float(row.due_at), float(row.exit_at)
        tasset.minters.append(self)

    @property
    def is_settled(self) -> bool:
        """Whether the ratio is between alert and excess."""
        value = self.debt * self.tasset.price
        return not self.is_open or self.alert_ratio * value <= self.collateral <= self.excess_ratio * value

    def step(self) -> None:
        """Look at the ratio and do what it calls for; after a refusal come back a reaction time later."""
        now = self.model.now
        if not self.is_open:
            return
        if now >= self.exit_at:
            self.leave(now)
            return
        value = self.debt * self.tasset.price
        is_low, is_high = self.collateral < self.alert_ratio * value, self.collateral > self.excess_ratio * value
        if self.due_at < NEVER:
            if now < self.due_at:
                return
        elif not (is_low or is_high):
            return
        elif is_low and self.reaction > 0.0:
            self.due_at = now + self.reaction
            return
        if now - self.tasset.updated_at <= self.tasset.valid_for:
            if is_low:
                self.top_up()
            elif is_high:
                self.use_excess()
        self.due_at = NEVER if self.is_settled else now + max(self.reaction, self.model.step_seconds)

    def change(self, collateral: float, debt: float) -> None:
        """Book a change of the CDP."""
        self.collateral += collateral
        self.debt += debt
        self.tasset.collateral += collateral
        self.tasset.debt += debt

    def top_up(self) -> None:
        """Add cash, then burn tokens kept."""
        tasset = self.tasset
        needed = self.target_ratio * self.debt * tasset.price - self.collateral
        cash = min(needed, self.cash)
        self.cash -= cash
        self.change(cash, 0.0)
        if cash < needed:
            kept = min(self.debt - self.collateral / (self.target_ratio * tasset.price), self.tokens)
            self.tokens -= kept
            self.change(0.0, -kept)

    def use_excess(self) -> None:
        """Mint and sell more, or withdraw collateral."""
        tasset = self.tasset
        if self.relevers:
            more = self.collateral / (self.target_ratio * tasset.price) - self.debt
            self.change(0.0, more)
            self.cash += tasset.pool.sell(more)
            return
        spare = self.collateral - self.target_ratio * self.debt * tasset.price
        self.change(-spare, 0.0)
        self.cash += spare * (1.0 - tasset.protocol_fee)

    def leave(self, now: float) -> None:
        """Close the CDP, buying the tokens that are missing."""
        tasset = self.tasset
        missing = max(self.debt - self.tokens, 0.0)
        cost = tasset.pool.cost(missing + SLACK) if missing > 0.0 else 0.0
        if cost > self.cash:
            self.exit_at = now + RETRY_EXIT
            return
        if missing > 0.0:
            self.cash -= cost
            self.tokens += tasset.pool.buy(cost)
        if now - tasset.updated_at > tasset.valid_for:
            self.exit_at = now + max(self.reaction, self.model.step_seconds)
            return
        self.tokens = max(self.tokens - self.debt, 0.0)
        self.cash += self.collateral * (1.0 - tasset.protocol_fee)
        self.change(-self.collateral, -self.debt)
        self.is_open = False


class Liquidator(mesa.Agent):
    """Buys the collateral of margin-called CDPs with tokens from the pool."""

    def __init__(self, model: GroundMarket, row: Any, cash: float, tokens: list[float]) -> None:
        """Own cash and tokens."""
        super().__init__(model)
        self.cash, self.tokens = cash, tokens
        self.min_profit, self.cost_usd = float(row.min_profit), float(row.cost_usd)

    def step(self) -> None:
        """Go through the margin-called CDPs of each tASSET and buy from each what pays."""
        for tasset, called in self.model.margin_called:
            if self.model.now - tasset.updated_at > tasset.valid_for:
                continue
            purchasable = self.purchasable_tokens(tasset)
            for minter in called:
                if purchasable <= 0.0 and self.tokens[tasset.row] <= 0.0:
                    break
                if minter.collateral < minter.debt * tasset.price * tasset.min_ratio and self.buy(minter, tasset, purchasable):
                    purchasable = self.purchasable_tokens(tasset)

    def purchasable_tokens(self, tasset: Tasset) -> float:
        """Tokens that the pool sells at a profit, as far as the cash goes."""
        pool = tasset.pool
        limit = tasset.price / (1.0 - tasset.discount) * (1.0 - tasset.auction_fee) / (1.0 + self.min_profit)
        gross = pool.asset - math.sqrt(pool.base * pool.asset / ((1.0 - pool.commission) * limit))
        affordable = pool.asset * self.cash / (pool.base + self.cash)
        return min(gross, affordable) * (1.0 - pool.commission)

    def buy(self, minter: Minter, tasset: Tasset, purchasable: float) -> bool:
        """Buy from one CDP if that pays."""
        price, discounted = tasset.price, tasset.price / (1.0 - tasset.discount)
        wanted = min(amount_for_sale(minter, tasset), minter.collateral / discounted)
        held = min(self.tokens[tasset.row], wanted)
        bought = min(wanted - held, purchasable)
        cost = min(tasset.pool.cost(bought + SLACK), self.cash) if bought > 0.0 else 0.0
        outlay = cost + held * price
        received = min((held + bought) * discounted, minter.collateral) * (1.0 - tasset.auction_fee)
        if held + bought < UNIT or received - outlay - self.cost_usd < self.min_profit * outlay:
            return False
        if cost > 0.0:
            self.cash -= cost
            self.tokens[tasset.row] += tasset.pool.buy(cost)
        self.purchase(minter, tasset)
        return True

    def purchase(self, minter: Minter, tasset: Tasset) -> None:
        """Bring all tokens to the CDP; only what is for sale is taken."""
        discounted = tasset.price / (1.0 - tasset.discount)
        burned = min(self.tokens[tasset.row], amount_for_sale(minter, tasset))
        sold = burned * discounted
        if sold > minter.collateral:
            burned, sold = minter.collateral / discounted, minter.collateral
        self.tokens[tasset.row] -= burned
        self.cash += sold * (1.0 - tasset.auction_fee)
        minter.change(-sold, -burned)
        self.model.note_purchase(burned * tasset.price)
        settle(minter)


def amount_for_sale(minter: Minter, tasset: Tasset) -> float:
    """Tokens whose purchase restores the minimum ratio; the whole debt where no purchase can."""
    value, sold_per_usd = minter.debt * tasset.price, 1.0 / (1.0 - tasset.discount)
    if tasset.min_ratio <= sold_per_usd or minter.collateral <= value * sold_per_usd:
        return minter.debt
    amount = (tasset.min_ratio * value - minter.collateral) / (tasset.price * (tasset.min_ratio - sold_per_usd))
    return min(max(amount, 0.0) + UNIT, minter.debt)


def settle(minter: Minter) -> None:
    """End a CDP whose debt or collateral is gone."""
    if minter.debt <= 0.0 or minter.collateral <= 0.0:
        minter.cash += minter.collateral
        minter.change(-minter.collateral, -minter.debt)
        minter.is_open = False


class LiquidityProvider(mesa.Agent):
    """Provides both tokens of one pool; a nervous one leaves when the peg breaks or the oracle is silent, and comes back later."""

    def __init__(self, model: GroundMarket, tasset: Tasset, row: Any, cash: float, tokens: float, shares: float) -> None:
        """Own cash, tokens, and LP tokens of the pool."""
        super().__init__(model)
        self.tasset, self.cash, self.tokens, self.shares = tasset, cash, tokens, shares
        self.exit_premium, self.exit_stale = float(row.exit_premium), float(row.exit_stale)
        self.return_after, self.calm_since = float(row.return_after), NEVER
        self.is_nervous = self.exit_premium < NEVER or self.exit_stale < NEVER

    def step(self) -> None:
        """Leave when afraid; come back after a calm."""
        if not self.is_nervous:
            return
        tasset, now = self.tasset, self.model.now
        pool = tasset.pool
        if abs(pool.price / tasset.price - 1.0) > self.exit_premium or now - tasset.updated_at > self.exit_stale:
            self.calm_since = NEVER
            if self.shares > 0.0:
                self.redeem(pool)
        elif self.shares <= 0.0:
            if self.calm_since == NEVER:
                self.calm_since = now
            elif now - self.calm_since >= self.return_after:
                self.provide(pool)

    def redeem(self, pool: Pool) -> None:
        """Take the part of both reserves."""
        part = self.shares / pool.shares
        base, asset = pool.base * part, pool.asset * part
        pool.base -= base
        pool.asset -= asset
        pool.shares -= self.shares
        self.cash += base
        self.tokens += asset
        self.shares = 0.0

    def provide(self, pool: Pool) -> None:
        """Provide everything held, the surplus of the larger side apart."""
        part = min(self.cash / pool.base, self.tokens / pool.asset)
        base, asset, shares = part * pool.base, part * pool.asset, part * pool.shares
        self.cash -= base
        self.tokens -= asset
        self.shares += shares
        pool.base += base
        pool.asset += asset
        pool.shares += shares
        self.calm_since = NEVER


class GroundMarket(mesa.Model):
    """The market of a built world, agent by agent.

    Attributes:
        activation: "shuffle_do" as Mesa's tutorials, or "do", which leaves the order of agents as it is.
        now: seconds since the start.
        tassets: all tASSETs with their pools.
        margin_called: the CDPs below the minimum ratio in this round, by tASSET.
    """

    def __init__(self, world: World, *, activation: str = "shuffle_do") -> None:
        """Copy prices, orders, terms and populations."""
        super().__init__(rng=int(world.clock[0].order_seed))
        self.activation, self.step_seconds, self.now = activation, float(world.clock[0].step_seconds), 0.0
        self.tassets = [Tasset(world, row, _pool(world, row)) for row in range(len(world.tassets))]
        self.margin_called: list[tuple[Tasset, list[Minter]]] = []
        self.liquidations, self.liquidated_debt_usd = 0, 0.0
        self.shortfall_peak, self.insolvent_peak, self.min_system_ratio = 0.0, 0, NEVER
        _populate(self, world)

    def step(self) -> None:
        """Play one round."""
        self.now = self.steps * self.step_seconds
        self.activate(Feeder)
        self.activate(Trader)
        self.activate(Arbitrageur)
        self.activate(Minter)
        self.find_margin_called()
        if self.margin_called:
            self.activate(Liquidator)
        self.activate(LiquidityProvider)
        self.observe()

    def run(self, rounds: int) -> Outcome:
        """Play rounds."""
        for _ in range(rounds):
            self.step()
        return self.outcome()

    def activate(self, kind: type[mesa.Agent]) -> None:
        """Step all agents of a kind."""
        if kind in self.agents_by_type:
            getattr(self.agents_by_type[kind], self.activation)("step")

    def find_margin_called(self) -> None:
        """List the CDPs below the minimum ratio at the oracle's price."""
        self.margin_called = []
        for tasset in self.tassets:
            required = tasset.price * tasset.min_ratio
            called = [minter for minter in tasset.minters if minter.collateral < minter.debt * required]
            if called:
                self.margin_called.append((tasset, called))

    def note_purchase(self, burned_usd: float) -> None:
        """Count a purchase."""
        self.liquidations += 1
        self.liquidated_debt_usd += burned_usd

    def observe(self) -> None:
        """Mark the shortfall at the market's price and keep the worst."""
        shortfall, insolvent, collateral, debt_usd = 0.0, 0, 0.0, 0.0
        for tasset in self.tassets:
            price = tasset.market_price[self.steps]
            losses = [minter.debt * price - minter.collateral for minter in tasset.minters if minter.collateral < minter.debt * price]
            shortfall += sum(losses)
            insolvent += len(losses)
            collateral += tasset.collateral
            debt_usd += tasset.debt * price
        self.shortfall_peak = max(self.shortfall_peak, shortfall)
        self.insolvent_peak = max(self.insolvent_peak, insolvent)
        self.min_system_ratio = min(self.min_system_ratio, collateral / debt_usd)

    def outcome(self) -> Outcome:
        """The figures so far."""
        now = [tasset.market_price[self.steps] for tasset in self.tassets]
        pools = [tasset.pool for tasset in self.tassets]
        return Outcome(
            liquidations=self.liquidations,
            liquidated_debt_usd=self.liquidated_debt_usd,
            debt_end_usd=sum(tasset.debt * price for tasset, price in zip(self.tassets, now, strict=True)),
            shortfall_peak_usd=self.shortfall_peak,
            insolvent_cdps_peak=self.insolvent_peak,
            volume_usd=sum(pool.volume for pool in pools),
            lp_fees_usd=sum(pool.fees_base + pool.fees_asset * price for pool, price in zip(pools, now, strict=True)),
        )


def _pool(world: World, row: int) -> Pool:
    pool = world.pools[world.tassets[row].pool]
    base, asset = world.wallets[pool.account, pool.base_token], world.wallets[pool.account, pool.asset_token]
    return Pool(float(base), float(asset), float(world.tokens[pool.share_token].supply), float(pool.commission))


def _populate(model: GroundMarket, world: World) -> None:
    """Make everybody, with the means they have in the world."""
    tassets, wallets = model.tassets, world.wallets.tolist()
    tokens = slice(1, 1 + len(tassets))
    for row in world.oracle_feeders:
        is_up = world.feed_up[:, row.feed] & world.market_open[:, row.asset]
        Feeder(model, tassets[row.feed], row, is_up.tolist())
    traders = [Trader(model, wallets[row.account][0], wallets[row.account][tokens], float(row.max_spread)) for row in world.traders]
    for step, (first, last) in enumerate(pairwise(world.order_start.tolist())):
        for order in world.orders[first:last]:
            traders[order.trader].orders[step].append((tassets[order.pool], bool(order.sells), float(order.usd)))
    for row in world.arbitrageurs:
        Arbitrageur(model, wallets[row.account][0], wallets[row.account][tokens], float(row.min_edge))
    for row in world.minters:
        cdp = world.cdps[row.cdp]
        wallet = wallets[row.account]
        Minter(model, tassets[cdp.tasset], row, cdp, wallet[0], wallet[1 + cdp.tasset])
    for row in world.liquidators:
        Liquidator(model, row, wallets[row.account][0], wallets[row.account][tokens])
    for row in world.lps:
        wallet, pool = wallets[row.account], world.pools[row.pool]
        LiquidityProvider(model, tassets[row.pool], row, wallet[0], wallet[pool.asset_token], wallet[pool.share_token])
