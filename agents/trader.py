"""Swap traders, whose orders arrive by themselves, and arbitrageurs, who pull each pool's price to the oracle's.

Orders arrive as a Poisson process with log-normal sizes (assumption), drawn before the run, so that the same seed brings the same orders
whatever the parameters. Arbitrageurs trade only on a fresh price: while the market is closed they cannot hedge, and the pool drifts
(assumption).
"""

from __future__ import annotations

import math

from seawall.agents.avmm import Avmm
from seawall.agents.base import RoutedAgent, everybody, tally, whole_units
from seawall.agents.router import quote_refill, refill, swap_best
from seawall.agents.strategies import Reaction
from seawall.agents.swaps import ANY_SPREAD, amount_to_buy, amount_to_sell, recover_all
from seawall.protocols import amm
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Floats, Ints, Row, World

NEVER = float("inf")
RETRY_RECOVERY = 86_400.0  # seconds (assumption)


@rule
def place(world: World, trader: Row, order: Row, v: Avmm | None) -> Status:
    """Swap one order on its pool or on the RFQ book: `usd` of tDOLLAR, or tASSET worth that much at the pool's price.

    Those who react to a delisting trade the replacement as soon as its pool holds something; the others stay with the old pool.
    """
    pool, replacement = world.pools[order.pool], world.tassets[order.pool].replacement
    if replacement >= 0 and trader.delisting != Reaction.SIT.value:
        new_pool = world.pools[replacement]
        if world.wallets[new_pool.account, new_pool.asset_token] > 0.0:
            pool = new_pool
    if order.sells:
        price = amm.price(pool, world.wallets)
        offer = 0.0 if math.isnan(price) else floor_amount(order.usd / price)
        return swap_best(v, pool, world.wallets, world.tallies, trader.account, pool.asset_token, offer, trader.max_spread)
    offer = floor_amount(order.usd)
    return swap_best(v, pool, world.wallets, world.tallies, trader.account, pool.base_token, offer, trader.max_spread)


@rule
def recover(world: World, trader: Row) -> None:
    """Burn all tokens of delisted tASSETs against CDPs; what nobody takes now is tried again later."""
    left = 0.0
    for k in range(len(world.tassets)):
        if world.tassets[k].is_delisted:
            recover_all(world, trader.account, k, world.clock[0].now)
            left += world.wallets[trader.account, world.tassets[k].token]
    trader.recovers_at = world.clock[0].now + RETRY_RECOVERY if left > 0.0 else NEVER


@rule
def act(world: World, index: int, v: Avmm | None = None) -> None:
    """Burn tokens of delisted tASSETs when it is time; place the orders of this round, but none for a tASSET not listed yet."""
    step = world.clock[0].step
    if world.clock[0].now >= world.traders[index].recovers_at:
        recover(world, world.traders[index])
    for i in range(world.order_start[step], world.order_start[step + 1]):
        order = world.orders[i]
        if order.trader == index and world.feeds[world.tassets[order.pool].feed].feeder >= 0:
            place(world, world.traders[index], order, v)


@rule
def arbitrage(pool: Row, wallets: Floats, account: int, price: float, min_edge: float) -> Status:
    """Swap until the pool's price is within `min_edge` of `price`, or the arbitrageur's cash or tokens run out."""
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    if asset <= 0.0:
        return Status.EMPTY_POOL
    if base < price * (1.0 - min_edge) * asset:
        offer = min(floor_amount(amount_to_buy(base, asset, price * (1.0 - min_edge))), wallets[account, TDOLLAR])
        token = pool.base_token
    elif base > price * (1.0 + min_edge) * asset:
        offer = min(floor_amount(amount_to_sell(base, asset, price * (1.0 + min_edge))), wallets[account, pool.asset_token])
        token = pool.asset_token
    else:
        return Status.UNPROFITABLE
    if offer < UNIT:
        return Status.NO_CAPITAL
    return amm.swap(pool, wallets, account, token, offer, ANY_SPREAD)[0]


@rule
def refill_offer(v: Avmm, pool: Row, wallets: Floats, account: int, offer_token: int, level: float) -> None:
    """Buy on the book what is missing to lift the pool to `level`, or to where the last token bought still pays if that is less.

    Args:
        v: the RFQ market; changed.
        pool: row of `World.pools`, not empty.
        wallets: `[accounts, tokens]`.
        account: who buys, for the pool's other token.
        offer_token: what the pool is to be offered.
        level: offered tokens per other one in the pool's reserves.
    """
    other = pool.asset_token if offer_token == pool.base_token else pool.base_token
    reserve, other_reserve = wallets[pool.account, offer_token], wallets[pool.account, other]
    held, cash, net = wallets[account, offer_token], wallets[account, other], 1.0 - pool.commission
    missing, limit = floor_amount(amount_to_buy(reserve, other_reserve, level)) - held, net * other_reserve / reserve
    cost = quote_refill(v, account, other, offer_token, missing, min(ceil_amount(missing * limit), cash), limit)[2]
    if cost > 0.0:
        missing = floor_amount(amount_to_buy(reserve, other_reserve, min(level, net / cost))) - held
        limit = max(net / level, cost)
        refill(v, account, other, offer_token, missing, min(ceil_amount(missing * limit), cash), limit)


@rule
def refill_on_book(v: Avmm, pool: Row, wallets: Floats, account: int, price: float, min_edge: float) -> None:
    """Get from the book what the arbitrage between pool and oracle needs and the wallet lacks: tokens to sell, or tDOLLAR to spend."""
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    if asset > 0.0 and base > price * (1.0 + min_edge) * asset:
        refill_offer(v, pool, wallets, account, pool.asset_token, 1.0 / (price * (1.0 + min_edge)))
    elif base > 0.0 and base < price * (1.0 - min_edge) * asset:
        refill_offer(v, pool, wallets, account, pool.base_token, price * (1.0 - min_edge))


@rule
def calls_for_arbitrage(world: World, tasset: Row, min_edge: float) -> bool:
    """Tell whether an arbitrageur has something to do or to be refused for a tASSET: the same conditions as `act_arbitrageur`'s."""
    feed, pool = world.feeds[tasset.feed], world.pools[tasset.pool]
    if not is_fresh(feed, world.clock[0].now):
        return False
    base, asset = world.wallets[pool.account, pool.base_token], world.wallets[pool.account, pool.asset_token]
    is_outside = base < feed.price * (1.0 - min_edge) * asset or base > feed.price * (1.0 + min_edge) * asset
    return bool(is_outside or asset <= 0.0 or tasset.is_delisted)


@rule
def arbitrageur_order(world: World, rows: Ints) -> int:
    """Fill `rows` with all arbitrageurs in this round's order; nobody while no tASSET calls for any of them. Return how many."""
    if len(world.arbitrageurs) == 0:
        return 0
    min_edge = NEVER
    for i in range(len(world.arbitrageurs)):
        min_edge = min(min_edge, world.arbitrageurs[i].min_edge)
    for k in range(len(world.tassets)):
        if calls_for_arbitrage(world, world.tassets[k], min_edge):
            return everybody(rows, len(world.arbitrageurs), world.clock[0].order_seed, world.clock[0].step)
    return 0


@rule
def act_arbitrageur(world: World, index: int, v: Avmm | None = None) -> None:
    """Visit every pool whose oracle price is fresh; burn at once what is held of a delisted tASSET, which pays the end price."""
    arbitrageur = world.arbitrageurs[index]
    for i in range(len(world.tassets)):
        tasset = world.tassets[i]
        feed = world.feeds[tasset.feed]
        if not is_fresh(feed, world.clock[0].now):
            continue
        if v is not None:
            refill_on_book(v, world.pools[tasset.pool], world.wallets, arbitrageur.account, feed.price, arbitrageur.min_edge)
        status = arbitrage(world.pools[tasset.pool], world.wallets, arbitrageur.account, feed.price, arbitrageur.min_edge)
        if status != Status.UNPROFITABLE and status != Status.NO_CAPITAL:
            tally(world.tallies, Action.SWAP, status)
        if tasset.is_delisted:
            recover_all(world, arbitrageur.account, i, world.clock[0].now)


class _Swapper(RoutedAgent):
    """An agent that swaps on pools."""

    def swap(self, pool: int, offer_token: int, offer: float, *, max_spread: float = ANY_SPREAD) -> float:
        """Pay `offer` of one token of the pair and return what comes out. Raises `Refused` by name."""
        status, received = amm.swap(self.world.pools[pool], self.world.wallets, self.account, offer_token, whole_units(offer), max_spread)
        self.ask(Action.SWAP, status)
        return received

    def pool_price(self, pool: int) -> float:
        """tDOLLAR per tASSET at the margin; NaN for an empty pool."""
        return amm.price(self.world.pools[pool], self.world.wallets)


class Trader(_Swapper):
    """Places swap orders as they arrive."""

    kind = "traders"
    act = staticmethod(act)


class Arbitrageur(_Swapper):
    """Buys below and sells above the oracle price."""

    kind = "arbitrageurs"
    act = staticmethod(act_arbitrageur)
