"""Liquidity providers of the pools: patient ones stay; nervous ones leave when the peg breaks or the oracle is silent, and come back later.

Behaviour and thresholds are assumptions. Source of pool and LP token: 004_7b43fd311786c790.txt, "Whitelisting".
"""

from __future__ import annotations

from seawall.agents.base import MarketAgent, draw_order, tally, whole_units
from seawall.protocols import amm
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action
from seawall.protocols.tables import Floats, Ints, Row, Table, World

NEVER = float("inf")
ANY_SLIPPAGE = 1.0


@rule
def is_afraid(lp: Row, feed: Row, pool_price: float, now: float) -> bool:
    """Tell whether the pool's price is too far from the oracle's (an empty pool has none), or the oracle silent for too long."""
    return bool(abs(pool_price / feed.price - 1.0) > lp.exit_premium or now - feed.updated_at > lp.exit_stale)


@rule
def is_awake(lp: Row, feed: Row, pool: Row, wallets: Floats, now: float) -> bool:
    """Tell whether the LP is afraid, or waits outside for the calm."""
    if lp.exit_premium == NEVER and lp.exit_stale == NEVER:
        return False
    return wallets[lp.account, pool.share_token] <= 0.0 or is_afraid(lp, feed, amm.price(pool, wallets), now)


@rule
def order(world: World, rows: Ints) -> int:
    """Fill `rows` with those who have something to do this round, in the order drawn for it; return how many."""
    clock = world.clock[0]
    count = 0
    for i in range(len(world.lps)):
        lp = world.lps[i]
        if is_awake(lp, world.feeds[world.tassets[lp.pool].feed], world.pools[lp.pool], world.wallets, clock.now):
            rows[count] = i
            count += 1
    draw_order(rows, count, clock.order_seed, clock.step)
    return count


@rule
def leave(lp: Row, pool: Row, tokens: Table, wallets: Floats, tallies: Ints) -> None:
    """Redeem all LP tokens."""
    tally(tallies, Action.REDEEM, amm.redeem(pool, tokens, wallets, lp.account, wallets[lp.account, pool.share_token])[0])
    lp.calm_since = NEVER


@rule
def come_back(lp: Row, pool: Row, tokens: Table, wallets: Floats, tallies: Ints) -> None:
    """Provide everything held."""
    base, asset = wallets[lp.account, pool.base_token], wallets[lp.account, pool.asset_token]
    tally(tallies, Action.PROVIDE, amm.provide(pool, tokens, wallets, lp.account, base, asset, ANY_SLIPPAGE)[0])
    lp.calm_since = NEVER


@rule
def act(world: World, index: int) -> None:
    """Leave when afraid; come back after `return_after` seconds without fear."""
    lp = world.lps[index]
    pool, now = world.pools[lp.pool], world.clock[0].now
    feed = world.feeds[world.tassets[lp.pool].feed]
    if not is_awake(lp, feed, pool, world.wallets, now):
        return
    afraid = is_afraid(lp, feed, amm.price(pool, world.wallets), now)
    inside = world.wallets[lp.account, pool.share_token] > 0.0
    if inside and afraid:
        leave(lp, pool, world.tokens, world.wallets, world.tallies)
    elif not inside and afraid:
        lp.calm_since = NEVER
    elif not inside and lp.calm_since == NEVER:
        lp.calm_since = now
    elif not inside and now - lp.calm_since >= lp.return_after:
        come_back(lp, pool, world.tokens, world.wallets, world.tallies)


class LiquidityProvider(MarketAgent):
    """Provides both tokens of one pool."""

    kind = "lps"
    act = staticmethod(act)

    @property
    def pool(self) -> Row:
        """Row of `World.pools`, a view."""
        return self.world.pools[self.row.pool]

    def provide(self, base: float, asset: float, *, max_slippage: float = ANY_SLIPPAGE) -> float:
        """Add tDOLLAR and tASSET tokens; return the LP tokens received. Raises `Refused` by name."""
        world = self.world
        status, shares = amm.provide(
            self.pool, world.tokens, world.wallets, self.account, whole_units(base), whole_units(asset), max_slippage
        )
        self.ask(Action.PROVIDE, status)
        return shares

    def redeem(self, shares: float) -> tuple[float, float]:
        """Burn LP tokens; return tDOLLAR and tASSET tokens received. Raises `Refused` by name."""
        world = self.world
        status, base, asset = amm.redeem(self.pool, world.tokens, world.wallets, self.account, whole_units(shares))
        self.ask(Action.REDEEM, status)
        return base, asset
