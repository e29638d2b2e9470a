"""Small markets for tests: one tASSET, a fed price, everybody with cash, books that balance."""

from __future__ import annotations

import numpy as np

from seawall.agents.alarms import lay_out
from seawall.models.world import Sizes, empty_world
from seawall.protocols import cdp, ledger, oracle, staking
from seawall.protocols.amounts import ceil_amount, floor_amount
from seawall.protocols.status import Status
from seawall.protocols.tables import MINT_ACCOUNT, TDOLLAR, Row, World

AMPLE_RATIO = 3.0  # of the CDP behind tokens that a test needs in somebody's wallet


def a_market(
    *,
    price: float = 100.0,
    collateral_price: float | None = None,
    min_collateral_ratio: float = 1.5,
    auction_discount: float = 0.2,
    protocol_fee: float = 0.015,
    auction_fee: float = 0.0,
    liquidate_whole: bool = False,
    price_valid_seconds: float = 60.0,
    commission: float = 0.003,
    cash: float = 1_000_000.0,
    minters: int = 3,
    liquidators: int = 1,
    traders: int = 1,
    arbitrageurs: int = 1,
    lps: int = 1,
    steps: int = 10,
    step_seconds: float = 60.0,
) -> World:
    """A market at time 0: its price (USD) just published, no CDP open, an empty pool, `cash` tDOLLAR in each agent's wallet.

    With a collateral price there is a second tASSET of that price, which all CDPs but the last lock; the last mints it.
    """
    sizes = Sizes(
        steps=steps,
        tassets=1 if collateral_price is None else 2,
        assets=1,
        collaterals=() if collateral_price is None else ((0, 1),),
        minters=minters,
        liquidators=liquidators,
        traders=traders,
        arbitrageurs=arbitrageurs,
        lps=lps,
        record_every=1,
        events=1000,
    )
    world = empty_world(sizes)
    world.clock["step_seconds"] = step_seconds
    world.market_price[:] = price
    world.feeds["valid_for"] = price_valid_seconds
    world.pools["commission"] = commission
    terms = world.tassets[0]
    terms.min_collateral_ratio, terms.auction_discount = min_collateral_ratio, auction_discount
    terms.protocol_fee, terms.auction_fee, terms.liquidate_whole = protocol_fee, auction_fee, liquidate_whole
    _expect_ok(oracle.publish(world.feeds[0], world.feeds[0].feeder, price, 0.0))
    if collateral_price is not None:
        world.tassets[1] = world.tassets[0]
        world.tassets[1].token, world.tassets[1].feed, world.tassets[1].pool = 2, 1, 1
        _expect_ok(oracle.publish(world.feeds[1], world.feeds[1].feeder, collateral_price, 0.0))
        world.cdps["kind"], world.cdps["kind"][-1], world.cdps["tasset"][-1] = 1, 2, 1
        lay_out(world)
    for agents in (world.minters, world.liquidators, world.traders, world.arbitrageurs, world.lps):
        for account in agents["account"]:
            _expect_ok(ledger.mint(world.wallets, world.tokens, TDOLLAR, account, floor_amount(cash)))
    return world


def a_cdp(world: World, index: int, collateral: float, debt: float) -> Row:
    """Put exactly this much more collateral (tDOLLAR) and debt (tokens, into the owner's wallet) into a CDP, whatever its ratio."""
    row = world.cdps[index]
    tasset, kind = world.tassets[row.tasset], world.cdp_kinds[row.kind]
    if kind.token == TDOLLAR:
        _expect_ok(ledger.mint(world.wallets, world.tokens, TDOLLAR, MINT_ACCOUNT, collateral))
    elif collateral > 0.0:
        give_collateral(world, MINT_ACCOUNT, collateral)
    _expect_ok(ledger.mint(world.wallets, world.tokens, tasset.token, row.owner, debt))
    cdp.change(row, tasset, kind, collateral, debt)
    return row


def give_collateral(world: World, account: int, amount: float) -> None:
    """Put tokens of the tASSET that CDPs lock into a wallet; the last CDP mints them against ample tDOLLAR."""
    row = a_cdp(world, -1, ceil_amount(AMPLE_RATIO * amount * world.feeds[1].price), amount)
    _expect_ok(ledger.transfer(world.wallets, world.tassets[1].token, row.owner, account, amount))


def give_tassets(world: World, account: int, amount: float) -> None:
    """Put tokens of the first tASSET into a wallet; the last CDP that mints it does so against ample collateral."""
    last = int(np.flatnonzero(world.cdps["tasset"] == 0)[-1])
    price = cdp.last_price(world.cdp_kinds[world.cdps[last].kind], world.feeds)
    row = a_cdp(world, last, ceil_amount(AMPLE_RATIO * amount * price), amount)
    _expect_ok(ledger.transfer(world.wallets, world.tassets[0].token, row.owner, account, amount))


def a_pool(world: World, base: float, asset: float, shares: float) -> Row:
    """Fill the pool with exactly these reserves (tDOLLAR, tokens); the first LP holds all LP tokens."""
    pool = world.pools[0]
    _expect_ok(ledger.mint(world.wallets, world.tokens, TDOLLAR, pool.account, base))
    give_tassets(world, pool.account, asset)
    _expect_ok(ledger.mint(world.wallets, world.tokens, pool.share_token, world.lps[0].account, shares))
    return pool


def _expect_ok(status: int) -> None:
    if status != Status.OK:
        raise AssertionError(f"a test's world cannot be built: {Status(status).name}")


# A wider market: tASSET 0 and its replacement (2, not listed), tASSET 1 which CDPs may lock, tEXO with stakers and a keeper.
OLD, OTHER, NEW = 0, 1, 2
OLD_KIND, LOCKING_KIND, OTHER_KIND, NEW_KIND = 0, 1, 2, 3  # OLD, OLD against OTHER, OTHER, NEW
TEXO, TEXO_POOL = 7, 3


def a_wide_market(
    *,
    price: float = 100.0,
    other_price: float = 50.0,
    kinds: tuple[int, ...] = (OLD_KIND, OLD_KIND, LOCKING_KIND, OTHER_KIND, NEW_KIND),
    liquidators: int = 1,
    traders: int = 1,
    arbitrageurs: int = 1,
    lps: int = 2,
    stakers: int = 2,
    proposals: int = 1,
    staked: float = 1_000.0,
    steps: int = 100,
) -> World:
    """Both listed tASSETs just published at time 0, no commission, no fee, nobody owns anything but stakers, who have staked tEXO.

    One CDP of each of `kinds` (ascending), minimum ratio 1.5, discount 0.2. The stakes after the stakers' are of OLD's LP tokens: the
    first LP's and the first minter's, once a test says so. Polls take votes for 600 s and wait for 120 s.
    """
    sizes = Sizes(
        steps=steps,
        tassets=3,
        assets=3,
        collaterals=((OLD, OTHER),),
        minters=len(kinds),
        liquidators=liquidators,
        traders=traders,
        arbitrageurs=arbitrageurs,
        lps=lps,
        stakers=stakers,
        lp_stakes=2,
        keepers=1,
        emissions=1,
        proposals=proposals,
        migrations=1,
        record_every=1,
        events=1000,
    )
    world = empty_world(sizes)
    world.clock["step_seconds"] = 60.0
    world.market_price[:] = price, other_price, price
    world.oracle_feeders["asset"] = OLD, OTHER, NEW
    world.oracle_feeders["heartbeat"], world.oracle_feeders["deviation"] = 60.0, 0.005
    world.oracle_feeders["account"][NEW] = world.oracle_feeders["account"][OLD]
    world.feeds["valid_for"][:2], world.feeds["feeder"][NEW] = 60.0, -1
    world.tassets["min_collateral_ratio"], world.tassets["auction_discount"] = (1.5, 1.5, 1.0), (0.2, 0.2, 0.0)
    world.tassets["asset"] = OLD, OTHER, NEW
    for row, usd in ((OLD, price), (OTHER, other_price)):
        _expect_ok(oracle.publish(world.feeds[row], world.feeds[row].feeder, usd, 0.0))
    world.cdps["kind"], world.cdps["tasset"] = kinds, world.cdp_kinds["tasset"][list(kinds)]
    lay_out(world)
    world.stakes["owner"][stakers:] = world.lps["account"][0], world.minters["account"][0]
    world.stakes["pool"][stakers:] = OLD
    world.stake_pools["is_rewarded"], world.stake_pools["emission_weight"] = (True, True, False, True), (1.0, 1.0, 0.0, 2.0)
    world.emissions["end"] = np.inf
    terms = world.governance[0]
    terms.deposit, terms.quorum, terms.threshold, terms.voting_seconds, terms.delay_seconds = 100.0, 0.18, 0.5, 600.0, 120.0
    world.migrations["at"], world.migrations["tasset"], world.migrations["replacement"] = np.inf, OLD, NEW
    for row in world.stakers if staked > 0.0 else ():
        give(world, row.account, TEXO, staked)
        _expect_ok(staking.bond(world.stakes[row.stake], world.stake_pools[TEXO_POOL], world.wallets, staked))
    return world


def give(world: World, account: int, token: int, amount: float) -> None:
    """Put tokens into a wallet: tDOLLAR and tEXO from outside, a tASSET from its last CDP with tDOLLAR, against ample collateral."""
    if token in (TDOLLAR, TEXO):
        _expect_ok(ledger.mint(world.wallets, world.tokens, token, account, amount))
        return
    kind = {OLD: OLD_KIND, OTHER: OTHER_KIND, NEW: NEW_KIND}[token - 1]
    last = int(np.flatnonzero(world.cdps["kind"] == kind)[-1])
    row = fill_cdp(world, last, ceil_amount(AMPLE_RATIO * amount * max(world.feeds[token - 1].price, 1.0)), amount)
    _expect_ok(ledger.transfer(world.wallets, token, row.owner, account, amount))


def fill_cdp(world: World, index: int, collateral: float, debt: float) -> Row:
    """Put this much more collateral (in its own token) and debt (tokens, into the owner's wallet) into a CDP, whatever its ratio."""
    row = world.cdps[index]
    tasset, kind = world.tassets[row.tasset], world.cdp_kinds[row.kind]
    give(world, MINT_ACCOUNT, int(kind.token), collateral)
    _expect_ok(ledger.mint(world.wallets, world.tokens, tasset.token, row.owner, debt))
    cdp.change(row, tasset, kind, collateral, debt)
    return row


def fill_pool(world: World, index: int, base: float, asset: float) -> Row:
    """Fill a pool with these reserves more (tDOLLAR, tokens); the last LP gets sqrt(base * asset) LP tokens."""
    pool = world.pools[index]
    give(world, pool.account, TDOLLAR, base)
    give(world, pool.account, int(pool.asset_token), asset)
    _expect_ok(ledger.mint(world.wallets, world.tokens, pool.share_token, world.lps[-1].account, floor_amount((base * asset) ** 0.5)))
    return pool


def move_clock(world: World, now: float, *, publishes: bool = True) -> None:
    """Move the clock; the listed tASSETs' last prices are published again unless told otherwise."""
    world.clock[0].now = now
    world.clock[0].step = int(now // world.clock[0].step_seconds)
    for feed in world.feeds[:3] if publishes else ():
        if feed.feeder >= 0 and not feed.is_frozen and feed.price > 0.0:
            _expect_ok(oracle.publish(feed, feed.feeder, feed.price, now))


def publish(world: World, tasset: int, usd: float) -> None:
    """Publish a tASSET's price now."""
    feed = world.feeds[tasset]
    _expect_ok(oracle.publish(feed, feed.feeder, usd, world.clock[0].now))
