"""Liquidity providers of the pools: patient ones stay; nervous ones leave when the peg breaks or the oracle is silent, and come back later.

Those who stake their LP tokens claim the rewards now and then and sell or keep them. When the tASSET is delisted an LP sits still, leaves
and burns its tokens for collateral, or goes on to move to the replacement's pool once there is one. Whom a drain sends away leaves, and
does nothing else until its time is over; then it provides what it holds, unless it is afraid. Behaviour and thresholds are assumptions.
Source of pool, LP token and rewards: 004_7b43fd311786c790.txt, "Whitelisting", "Delisting & Migration".
"""

from __future__ import annotations

from seawall.agents.base import MarketAgent, draw_order, tally, whole_units
from seawall.agents.departures import send_away
from seawall.agents.strategies import Reaction, sell_rewards
from seawall.agents.swaps import recover_all
from seawall.protocols import amm, staking
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Ints, Row, World

NEVER = float("inf")
ANY_SLIPPAGE = 1.0
LOOK_EVERY = 3_600.0  # seconds between two looks at a pool that is still empty or too thin (assumption)
RETRY_RECOVERY = 86_400.0  # seconds until tokens that nobody took are offered again (assumption)
MAX_SPREAD = 0.05  # fraction: slippage at which an LP does not buy its way into a pool (assumption)


@rule
def is_afraid(lp: Row, feed: Row, pool_price: float, now: float) -> bool:
    """Tell whether the pool's price is too far from the oracle's (an empty pool has none), or the oracle silent for too long."""
    return bool(abs(pool_price / feed.price - 1.0) > lp.exit_premium or now - feed.updated_at > lp.exit_stale)


@rule
def is_inside(world: World, lp: Row) -> bool:
    """Tell whether the LP has liquidity in its pool, its LP tokens staked or not."""
    if world.wallets[lp.account, world.pools[lp.pool].share_token] > 0.0:
        return True
    return bool(lp.stake >= 0 and world.stakes[lp.stake].bond > 0.0)


@rule
def is_nervous(lp: Row) -> bool:
    """Tell whether anything could drive the LP out. Who provides tEXO, which no oracle prices, stays."""
    return bool(lp.exit_premium < NEVER or lp.exit_stale < NEVER)


@rule
def is_awake(world: World, lp: Row, now: float) -> bool:
    """Tell whether the LP is afraid, waits outside for the calm, has rewards to claim, has a delisted tASSET to leave, or is drained."""
    if lp.is_away:
        return bool(now >= lp.away_until or is_inside(world, lp))
    if now >= lp.harvest_at or now >= lp.moves_at:
        return True
    if not is_nervous(lp) or lp.moves_at < NEVER:
        return False
    feed = world.feeds[world.tassets[lp.pool].feed]
    return not is_inside(world, lp) or is_afraid(lp, feed, amm.price(world.pools[lp.pool], world.wallets), now)


@rule
def is_calm(world: World, which: int, now: float) -> bool:
    """Tell whether no LP of a pool has anything to do, as the last look at all of them left it."""
    calm = world.calms[which]
    if now >= calm.until:
        return False
    if which == len(world.tassets):  # tEXO, which no oracle prices
        return True
    feed = world.feeds[world.tassets[which].feed]
    premium = abs(amm.price(world.pools[which], world.wallets) / feed.price - 1.0)
    return not (premium > calm.premium or now - feed.updated_at > calm.stale)


@rule
def rest(calm: Row, lp: Row) -> None:
    """Let the calm of a pool last until an LP that has nothing to do now will have."""
    if lp.is_away:
        calm.until = min(calm.until, lp.away_until)
        return
    calm.until = min(calm.until, lp.harvest_at, lp.moves_at)
    if lp.moves_at == NEVER:
        calm.premium, calm.stale = min(calm.premium, lp.exit_premium), min(calm.stale, lp.exit_stale)


@rule
def end_calms(world: World, everywhere: bool) -> int:
    """Say of which pools the calm is over; return of how many."""
    over = 0
    for k in range(len(world.pools)):
        calm = world.calms[k]
        calm.is_over = everywhere or not is_calm(world, k, world.clock[0].now)
        if calm.is_over:
            calm.until, calm.premium, calm.stale = NEVER, NEVER, NEVER
            over += 1
    return over


@rule
def order(world: World, rows: Ints) -> int:
    """Fill `rows` with those who have something to do this round, in the order drawn for it; return how many."""
    clock, count = world.clock[0], 0
    if end_calms(world, send_away(world.departures, world.lps, clock.step) > 0) == 0:
        return 0
    for i in range(len(world.lps)):
        lp, calm = world.lps[i], world.calms[world.lps[i].pool]
        if not calm.is_over:
            continue
        if is_awake(world, lp, clock.now):
            rows[count] = i
            count += 1
            calm.until = 0.0  # what it is about to do may end the calm
        else:
            rest(calm, lp)
    draw_order(rows, count, clock.order_seed, clock.step)
    return count


@rule
def harvest(world: World, lp: Row) -> None:
    """Claim what the staked LP tokens have earned; sell it or keep it."""
    stake = world.stakes[lp.stake]
    status, paid = staking.claim(stake, world.stake_pools[stake.pool], world.wallets)
    tally(world.tallies, Action.CLAIM, status)
    if lp.sells_rewards:
        sell_rewards(world, lp.account, paid)


@rule
def leave(world: World, lp: Row, now: float) -> None:
    """Unstake and redeem all LP tokens."""
    pool = world.pools[lp.pool]
    if lp.stake >= 0 and world.stakes[lp.stake].bond > 0.0:
        stake = world.stakes[lp.stake]
        tally(world.tallies, Action.UNBOND, staking.unbond(stake, world.stake_pools[stake.pool], world.wallets, stake.bond, now))
        harvest(world, lp)
    shares = world.wallets[lp.account, pool.share_token]
    tally(world.tallies, Action.REDEEM, amm.redeem(pool, world.tokens, world.wallets, lp.account, shares)[0])
    lp.calm_since = NEVER


@rule
def provide_all(world: World, lp: Row) -> Status:
    """Provide everything held of the pair; stake the LP tokens where they earn."""
    pool = world.pools[lp.pool]
    base, asset = world.wallets[lp.account, pool.base_token], world.wallets[lp.account, pool.asset_token]
    status, shares = amm.provide(pool, world.tokens, world.wallets, lp.account, base, asset, ANY_SLIPPAGE)
    tally(world.tallies, Action.PROVIDE, status)
    lp.calm_since = NEVER
    if status == Status.OK and lp.stake >= 0:
        stake = world.stakes[lp.stake]
        stake_pool = world.stake_pools[stake.pool]
        if stake_pool.is_rewarded:
            tally(world.tallies, Action.BOND, staking.bond(stake, stake_pool, world.wallets, shares))
    return status


@rule
def arrive(world: World, lp: Row, which: int, now: float) -> None:
    """Buy tokens for part of the cash and provide to a pool; while it is empty or too thin, look again later."""
    pool = world.pools[which]
    base, cash = world.wallets[pool.account, pool.base_token], world.wallets[lp.account, TDOLLAR]
    offer = amm.zap_amount(base, cash)
    if base <= 0.0 or offer <= 0.0:
        lp.moves_at = now + max(LOOK_EVERY, world.clock[0].step_seconds)
        return
    status = amm.swap(pool, world.wallets, lp.account, TDOLLAR, offer, MAX_SPREAD)[0]
    tally(world.tallies, Action.SWAP, status)
    if status != Status.OK:
        lp.moves_at = now + max(LOOK_EVERY, world.clock[0].step_seconds)
        return
    lp.moves_at = NEVER
    lp.pool = which
    world.calms[which].until = 0.0
    if lp.stake >= 0:
        world.stakes[lp.stake].pool = which
    provide_all(world, lp)


@rule
def move(world: World, lp: Row, now: float) -> None:
    """Come to a pool that was listed during the run, or leave a delisted tASSET: redeem, burn the tokens, go to the replacement's pool."""
    old = world.tassets[lp.pool]
    if not old.is_delisted:
        arrive(world, lp, lp.pool, now)
        return
    if is_inside(world, lp):
        leave(world, lp, now)
    recover_all(world, lp.account, lp.pool, now)
    if lp.delisting == Reaction.MOVE.value and old.replacement >= 0:
        arrive(world, lp, old.replacement, now)
        return
    left = world.wallets[lp.account, old.token]
    lp.moves_at = now + RETRY_RECOVERY if left > 0.0 else NEVER
    lp.exit_premium = lp.exit_stale = NEVER


@rule
def stay_away(world: World, lp: Row, now: float) -> None:
    """Leave the pool; when the time is over, come back with everything held, but not to a pool that frightens it or is not its own yet."""
    if now < lp.away_until:
        leave(world, lp, now)
        return
    lp.is_away = False
    if is_inside(world, lp) or lp.moves_at < NEVER:
        return
    if not is_afraid(lp, world.feeds[world.tassets[lp.pool].feed], amm.price(world.pools[lp.pool], world.wallets), now):
        provide_all(world, lp)


@rule
def act(world: World, index: int) -> None:
    """Claim and move when it is time; leave when afraid; come back after `return_after` seconds without fear."""
    lp, now = world.lps[index], world.clock[0].now
    if not is_awake(world, lp, now):
        return
    if lp.is_away:
        stay_away(world, lp, now)
        return
    if now >= lp.harvest_at:
        lp.harvest_at = now + lp.harvest_every
        harvest(world, lp)
    if now >= lp.moves_at:
        move(world, lp, now)
        return
    if not is_nervous(lp) or lp.moves_at < NEVER:
        return
    feed = world.feeds[world.tassets[lp.pool].feed]
    afraid = is_afraid(lp, feed, amm.price(world.pools[lp.pool], world.wallets), now)
    inside = is_inside(world, lp)
    if inside and afraid:
        leave(world, lp, now)
    elif not inside and afraid:
        lp.calm_since = NEVER
    elif not inside and lp.calm_since == NEVER:
        lp.calm_since = now
    elif not inside and now - lp.calm_since >= lp.return_after:
        provide_all(world, lp)


class LiquidityProvider(MarketAgent):
    """Provides both tokens of one pool."""

    kind = "lps"
    act = staticmethod(act)

    @property
    def row(self) -> Row:
        """Row of behaviour, a view; since it may be written, all LPs are looked at in the next round."""
        self.world.calms["until"] = 0.0
        return super().row

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
