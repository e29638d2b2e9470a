"""What owners do with CDPs opened during the run, how they get out, and what tASSET collateral asks of owners and liquidators."""

import math

import numpy as np
import pytest
from markets import copy_of, same
from worlds import (
    LOCKING_KIND,
    NEW,
    NEW_KIND,
    OLD,
    OLD_KIND,
    OTHER,
    OTHER_KIND,
    TEXO,
    TEXO_POOL,
    a_wide_market,
    fill_cdp,
    fill_pool,
    give,
    move_clock,
    publish,
)

from seawall.agents import liquidator, minter, strategies, swaps
from seawall.agents.alarms import is_insolvent
from seawall.agents.strategies import Strategy
from seawall.models import measures
from seawall.protocols import amm, audit, cdp, collector, ledger, listing, staking
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR

NEVER = math.inf
OLD_TOKEN, OTHER_TOKEN = 1, 2
OWNER, BANK, LOCKER = 0, 1, 2  # rows of minters in the wide market; the bank mints what tests hand out
DEEP = 1_000_000.0  # tokens in a pool that hardly moves


def an_owner(world, strategy=Strategy.HOLD, *, row=OWNER, cash=0.0, **behaviour):
    """An owner with a target of 2, who would lock 1,000 tDOLLAR, looks every 600 s, and has nothing to do before it is told to."""
    owner = world.minters[row]
    defaults = {"target_ratio": 2.0, "alert_ratio": 1.8, "budget": 1000.0, "look_every": 600.0, "loops": 3, "strategy": strategy}
    defaults |= {"entry_premium": 0.05, "exit_premium": 0.005}
    for name, value in (defaults | behaviour).items():
        setattr(owner, name, value)
    if cash:
        give(world, owner.account, TDOLLAR, cash)
    return owner, world.cdps[owner.cdp]


def held(world, row, token=TDOLLAR):
    return world.wallets[row.account, token]


def enter(world, owner, now=60.0):
    move_clock(world, now)
    owner.opens_at = now
    minter.act(world, owner.cdp)
    audit.check(world)


def asked(world, action):
    """Answers to an action so far, by how often each came."""
    return {Status(code): int(world.tallies[action, code]) for code in np.flatnonzero(world.tallies[action])}


def delist(world, tasset=OLD):
    feed = world.feeds[tasset]
    status = listing.delist(world.tassets[tasset], feed, world.cdp_kinds, world.stake_pools[tasset], feed.feeder)
    assert status == Status.OK


# --- entries ---


def test_a_holder_opens_at_its_target_and_keeps_the_tokens():
    world = a_wide_market()
    owner, position = an_owner(world, cash=1200.0)
    enter(world, owner)
    assert (position.collateral, position.debt) == (1000.0, 5.0)
    assert (held(world, owner), held(world, owner, OLD_TOKEN)) == (200.0, 5.0)
    assert owner.opens_at == NEVER


def test_who_has_less_than_planned_locks_what_there_is():
    world = a_wide_market()
    owner, position = an_owner(world, cash=300.0)
    enter(world, owner)
    assert (position.collateral, position.debt, held(world, owner)) == (300.0, 1.5, 0.0)


def test_who_has_tokens_of_a_delisted_tasset_but_no_cdp_recovers_once_and_looks_no_more():
    world = a_wide_market()
    owner, position = an_owner(world)
    other = fill_cdp(world, 1, 2000.0, 10.0)
    ledger.transfer(world.wallets, OLD_TOKEN, other.owner, owner.account, 4.0)
    delist(world, OLD)
    owner.opens_at = 600.0
    move_clock(world, 600.0)
    cash = held(world, owner)
    minter.act(world, owner.cdp)
    assert (held(world, owner) - cash, held(world, owner, OLD_TOKEN)) == (400.0, 0.0)
    assert (position.is_open, owner.opens_at) == (False, NEVER)


@pytest.mark.parametrize("obstacle", ["stale", "revoked", "collateral stale", "penniless", "never published"])
def test_who_cannot_open_looks_again_later_and_has_done_nothing(obstacle):
    world = a_wide_market()
    row = LOCKER if obstacle in ("revoked", "collateral stale") else 4 if obstacle == "never published" else OWNER
    owner, position = an_owner(world, row=row, cash=0.0 if obstacle == "penniless" else 5000.0, budget=20.0)
    fill_pool(world, OTHER, 50.0 * DEEP, DEEP)
    move_clock(world, 600.0, publishes=obstacle != "stale")
    if obstacle == "collateral stale":
        world.feeds[OTHER].updated_at = 0.0
    if obstacle == "revoked":
        delist(world, OTHER)
    owner.opens_at = 600.0
    before = copy_of(world)
    minter.act(world, owner.cdp)
    assert owner.opens_at == 1200.0
    owner.opens_at = 600.0
    assert same(world, before)
    assert not position.is_open


def test_looks_are_at_least_a_round_apart():
    world = a_wide_market()
    owner, _ = an_owner(world, look_every=1.0)
    enter(world, owner)
    assert owner.opens_at == 120.0


def test_a_target_below_the_minimum_is_refused_and_looked_at_again():
    world = a_wide_market()
    owner, position = an_owner(world, cash=1000.0, target_ratio=1.4)
    enter(world, owner)
    assert asked(world, Action.OPEN) == {Status.BELOW_MIN_RATIO: 1}
    assert (position.is_open, owner.opens_at, held(world, owner)) == (False, 660.0, 1000.0)


def test_an_owner_against_another_tasset_buys_its_collateral_first():
    world = a_wide_market()
    fill_pool(world, OTHER, 50.0 * DEEP, DEEP)
    owner, position = an_owner(world, row=LOCKER, cash=1500.0, budget=20.0)
    give(world, owner.account, OTHER_TOKEN, 5.0)
    enter(world, owner)
    assert (position.collateral, position.debt) == (20.0, 5.0)  # 20 at 50 USD, twice 5 at 100 USD
    assert held(world, owner) == pytest.approx(1500 - 15 * 50, abs=0.02)


def test_a_leverage_loop_sells_deposits_and_mints_again():
    world = a_wide_market()
    fill_pool(world, OLD, 100.0 * DEEP, DEEP)
    owner, position = an_owner(world, Strategy.LEVERAGE, cash=1000.0)
    enter(world, owner)
    assert position.collateral == pytest.approx(1000 + 500 + 250 + 125, rel=1e-4)
    assert position.debt == pytest.approx(5 + 2.5 + 1.25 + 0.625, rel=1e-4)
    assert held(world, owner, OLD_TOKEN) == pytest.approx(0.625, rel=1e-4)
    assert cdp.collateral_ratio(position.collateral, position.debt, 100.0) == pytest.approx(2.0, rel=1e-6)
    assert held(world, owner) == 0.0


@pytest.mark.parametrize("reserves", [(0.0, 0.0), (1000.0, 10.0)])
def test_a_leverage_loop_stops_where_selling_costs_too_much(reserves):
    world = a_wide_market()
    if reserves[0]:
        fill_pool(world, OLD, *reserves)  # 5 tokens into 10 would fetch a third less
    owner, position = an_owner(world, Strategy.LEVERAGE, cash=1000.0)
    enter(world, owner)
    assert (position.collateral, position.debt, held(world, owner, OLD_TOKEN)) == (1000.0, 5.0, 5.0)
    assert asked(world, Action.SWAP) == {Status.EXCEEDS_MAX_SPREAD if reserves[0] else Status.EMPTY_POOL: 1}


def test_a_leverage_loop_does_not_deposit_the_reserve():
    world = a_wide_market()
    fill_pool(world, OLD, 100.0 * DEEP, DEEP)
    owner, position = an_owner(world, Strategy.LEVERAGE, cash=1250.0, loops=1)
    enter(world, owner)
    assert position.collateral == pytest.approx(1500.0, rel=1e-4)
    assert held(world, owner) == 250.0


@pytest.mark.parametrize(("pool_price", "enters"), [(100.0, False), (104.0, False), (106.0, True), (90.0, False), (0.0, False)])
def test_a_short_seller_waits_for_the_premium(pool_price, enters):
    world = a_wide_market()
    if pool_price:
        fill_pool(world, OLD, pool_price * DEEP, DEEP)
    owner, position = an_owner(world, Strategy.SHORT, cash=1000.0)
    enter(world, owner)
    assert position.is_open == enters
    assert held(world, owner, OLD_TOKEN) == 0.0
    assert held(world, owner) == pytest.approx(5 * pool_price if enters else 1000.0, rel=1e-4)
    assert (owner.opens_at, owner.exit_at) == ((NEVER, 660.0) if enters else (660.0, NEVER))


@pytest.mark.parametrize(
    ("strategy", "pool_price", "keeps"),
    [
        (Strategy.SHORT, 101.0, True),
        (Strategy.SHORT, 100.6, True),
        (Strategy.SHORT, 100.4, False),
        (Strategy.SHORT, 95.0, False),
        (Strategy.SHORT, 0.0, False),  # an empty pool has no premium to wait for
        (Strategy.HOLD, 101.0, False),
    ],
)
def test_a_short_is_kept_while_the_premium_lasts(strategy, pool_price, keeps):
    world = a_wide_market()
    if pool_price:
        fill_pool(world, OLD, pool_price * DEEP, DEEP)
    owner, position = an_owner(world, strategy)
    assert strategies.is_short_worth_keeping(world, owner, position) == keeps


def test_a_short_seller_buys_back_when_the_premium_has_gone_and_waits_for_the_next():
    world = a_wide_market()
    pool = fill_pool(world, OLD, 110.0 * DEEP, DEEP)
    owner, position = an_owner(world, Strategy.SHORT, cash=1000.0)
    enter(world, owner)
    move_clock(world, 660.0)
    minter.act(world, OWNER)
    assert (position.is_open, owner.exit_at) == (True, 1260.0)
    give(world, pool.account, OLD_TOKEN, 0.1 * DEEP)  # the pool's price falls to 100
    move_clock(world, 1260.0)
    minter.act(world, OWNER)
    assert (position.is_open, owner.exit_at, owner.opens_at) == (False, NEVER, 1860.0)
    assert held(world, owner) == pytest.approx(1000 + 5 * (110 - 100), rel=1e-4)
    audit.check(world)


def a_provider(*, pool_price=100.0, cash=1500.0, stakes=True, **behaviour):
    world = a_wide_market()
    if pool_price:
        fill_pool(world, OLD, pool_price * 10.0, 10.0)
    owner, position = an_owner(world, Strategy.PROVIDE, cash=cash, stake=len(world.stakers) + 1 if stakes else -1, **behaviour)
    return world, owner, position, world.stakes[len(world.stakers) + 1]


@pytest.mark.parametrize("pool_price", [100.0, 0.0])
def test_a_provider_splits_its_cash_between_collateral_and_pool(pool_price):
    world, owner, position, stake = a_provider(pool_price=pool_price)
    enter(world, owner)
    assert (position.collateral, position.debt) == (1000.0, 5.0)
    assert amm.price(world.pools[OLD], world.wallets) == pytest.approx(100.0)  # the oracle's where the pool was empty
    assert stake.bond == pytest.approx(math.sqrt(500 * 5), rel=1e-3)
    assert held(world, owner) == pytest.approx(0.0, abs=1e-3)
    assert held(world, owner, world.pools[OLD].share_token) == 0.0


@pytest.mark.parametrize("strategy", list(Strategy))
def test_an_entry_makes_nobody_richer_or_poorer(strategy):
    """What is locked, owed, provided, staked and kept is worth the cash that was there (deep pool at the oracle's price, no fees)."""
    world = a_wide_market()
    fill_pool(world, OLD, 100.0 * DEEP, DEEP)
    owner, position = an_owner(world, strategy, cash=1500.0, stake=len(world.stakers) + 1, entry_premium=-1.0, exit_premium=-1.0)
    assert measures.owners_wealth(world)[OWNER] == 1500.0
    enter(world, owner)
    assert position.is_open
    assert measures.owners_wealth(world)[OWNER] == pytest.approx(1500.0, abs=0.05)


def test_a_provider_short_of_cash_for_a_dear_pool_keeps_the_rest_of_its_tokens():
    world, owner, position, stake = a_provider(pool_price=125.0)
    enter(world, owner)
    assert position.debt == 5.0
    assert held(world, owner, OLD_TOKEN) == pytest.approx(5 - 500 / 125, rel=1e-4)
    assert stake.bond == pytest.approx(500 / 1250 * math.sqrt(1250 * 10), rel=1e-3)


@pytest.mark.parametrize(("stakes", "is_rewarded"), [(False, True), (True, False)])
def test_lp_tokens_that_earn_nothing_stay_in_the_wallet(stakes, is_rewarded):
    world, owner, _, stake = a_provider(stakes=stakes)
    world.stake_pools[OLD].is_rewarded = is_rewarded
    enter(world, owner)
    assert stake.bond == 0.0
    assert held(world, owner, world.pools[OLD].share_token) == pytest.approx(50.0, rel=1e-3)


def test_a_provider_leaves_with_what_it_brought_and_sells_its_rewards():
    world, owner, position, stake = a_provider()
    fill_pool(world, TEXO_POOL, 2.0 * DEEP, DEEP)
    enter(world, owner)
    give(world, world.keepers[0].account, TEXO, 10.0)
    assert staking.deposit_reward(world.stake_pools[OLD], world.wallets, world.keepers[0].account, 10.0) == Status.OK
    owner.exit_at = 120.0
    move_clock(world, 120.0)
    minter.act(world, OWNER)
    assert (position.is_open, stake.bond, owner.exit_at) == (False, 0.0, NEVER)
    assert held(world, owner, TEXO) == 0.0
    assert held(world, owner) == pytest.approx(1500 + 10 * 2, abs=0.01)
    audit.check(world)


def test_a_provider_in_danger_takes_its_liquidity_out_first():
    world, owner, position, stake = a_provider(response=minter.Response.BURN)
    enter(world, owner)
    publish(world, OLD, 125.0)  # ratio 1.6: one of the five tokens is too many
    minter.act(world, OWNER)
    assert stake.bond == 0.0
    assert position.debt == pytest.approx(4.0)
    assert held(world, owner, OLD_TOKEN) == pytest.approx(4.0, abs=0.01)
    assert held(world, owner) == pytest.approx(500.0, abs=0.1)
    audit.check(world)


# --- out of a leveraged CDP ---


def a_leveraged_cdp(*, cash=0.0, tokens=0.0, pool=(100.0 * DEEP, DEEP), debt=10.0, collateral=1600.0, **behaviour):
    """Ratio 1.6 at 100 USD, target 2; what was minted is sold but for `tokens`."""
    world = a_wide_market()
    if pool:
        fill_pool(world, OLD, *pool)
    owner, position = an_owner(world, Strategy.LEVERAGE, cash=cash, **behaviour)
    fill_cdp(world, OWNER, collateral, debt)
    world.wallets[owner.account, OLD_TOKEN] -= debt - tokens
    world.wallets[world.traders[0].account, OLD_TOKEN] += debt - tokens
    move_clock(world, 60.0)
    return world, owner, position


def deleverage(world, owner, position, ratio=2.0):
    status = strategies.deleverage(world, owner, position, ratio, world.clock[0].now)
    audit.check(world)
    return status


def test_tokens_kept_are_burned_before_anything_is_sold():
    world, owner, position = a_leveraged_cdp(tokens=2.0)
    assert deleverage(world, owner, position) == Status.OK
    assert (position.collateral, position.debt) == (1600.0, 8.0)
    assert asked(world, Action.WITHDRAW) == asked(world, Action.SWAP) == {}


def test_an_owner_without_means_repays_out_of_its_collateral_until_the_target_is_reached():
    world, owner, position = a_leveraged_cdp()
    assert deleverage(world, owner, position) == Status.OK
    assert cdp.collateral_ratio(position.collateral, position.debt, 100.0) == pytest.approx(2.0, rel=1e-3)
    assert position.debt == pytest.approx(6.0, rel=1e-3)  # 600 USD of its own are half of what is locked


def test_an_owner_with_cash_repays_no_more_than_the_target_asks_for():
    world, owner, position = a_leveraged_cdp(cash=10_000.0)
    assert deleverage(world, owner, position) == Status.OK
    ratio = cdp.collateral_ratio(position.collateral, position.debt, 100.0)
    assert 2.0 * (1 - 1e-6) <= ratio < 2.02
    assert position.debt >= 6.0 * (1 - 1e-3)


def test_an_owner_in_danger_is_safe_after_its_answer():
    world, _, _ = a_leveraged_cdp(alert_ratio=1.8)
    minter.act(world, OWNER)
    assert cdp.collateral_ratio(world.cdps[OWNER].collateral, world.cdps[OWNER].debt, 100.0) >= 1.8
    assert world.minters[OWNER].due_at == NEVER


def test_nothing_is_done_at_the_target_or_above():
    world, owner, position = a_leveraged_cdp(collateral=2000.0)
    before = copy_of(world)
    assert deleverage(world, owner, position) == Status.OK
    assert same(world, before)


@pytest.mark.parametrize(("stale", "pool", "status"), [(True, (100.0 * DEEP, DEEP), Status.STALE_PRICE), (False, None, Status.NO_CAPITAL)])
def test_what_stops_a_way_back_is_named(stale, pool, status):
    world, owner, position = a_leveraged_cdp(pool=pool)
    move_clock(world, 180.0, publishes=not stale)
    assert deleverage(world, owner, position) == status
    assert position.debt == 10.0
    assert position.collateral >= 1500.0


def test_a_leveraged_owner_leaves_with_what_is_its_own():
    world, owner, position = a_leveraged_cdp(exit_at=60.0)
    minter.act(world, OWNER)
    assert (position.is_open, owner.exit_at) == (False, NEVER)
    assert held(world, owner) == pytest.approx(600.0, abs=0.1)
    audit.check(world)


def test_a_leveraged_owner_who_cannot_find_tokens_tries_again_a_day_later():
    world, owner, position = a_leveraged_cdp(exit_at=60.0, pool=None)
    minter.act(world, OWNER)
    assert (position.is_open, owner.exit_at) == (True, 60.0 + minter.RETRY_EXIT)


# --- holding times ---


def test_a_holding_time_begins_when_the_cdp_is_opened():
    """Drawn as an hour of the run before the owner enters, it must not end the CDP in the round after it was opened."""
    world = a_wide_market()
    owner, position = an_owner(world, Strategy.PROVIDE, cash=1500.0, exit_at=600.0, look_every=60.0)
    fill_pool(world, OLD, 1000.0, 10.0)
    enter(world, owner, now=1200.0)
    assert position.is_open
    move_clock(world, 1260.0)
    minter.act(world, OWNER)
    assert position.is_open


# --- delisted ---


def a_delisted_cdp(*, collateral=1600.0, debt=10.0, tokens=0.0, row=OWNER, **behaviour):
    """An owner of a CDP of a delisted tASSET (end price 100) whose time to leave has come; it holds `tokens`."""
    world = a_wide_market()
    owner, position = an_owner(world, row=row, exit_at=60.0, **behaviour)
    fill_cdp(world, row, collateral, debt)
    if tokens < debt:
        world.wallets[owner.account, OLD_TOKEN] = tokens
        world.wallets[world.traders[0].account, OLD_TOKEN] += debt - tokens
    elif tokens > debt:
        give(world, owner.account, OLD_TOKEN, tokens - debt)
    delist(world)
    move_clock(world, 60.0)
    return world, owner, position


@pytest.mark.parametrize(
    ("tokens", "collateral", "debt_left", "collateral_left", "cash"),
    [
        (4.0, 1600.0, 6.0, 600.0, 1000.0),  # burns four, takes out all above 100%
        (0.0, 1600.0, 10.0, 1000.0, 600.0),
        (10.0, 1600.0, 0.0, 0.0, 1600.0),
        (12.0, 1600.0, 0.0, 0.0, 1600.0 + 200.0),  # the two too many are burned against somebody else's CDP
        (0.0, 800.0, 10.0, 800.0, 0.0),  # worth less than it owes: nothing to take out
        (5.0, 800.0, 5.0, 500.0, 300.0),
    ],
)
def test_an_owner_winds_up_down_to_the_whole_value_of_its_debt(tokens, collateral, debt_left, collateral_left, cash):
    world, owner, position = a_delisted_cdp(collateral=collateral, tokens=tokens)
    minter.act(world, OWNER)
    assert (position.debt, position.collateral, held(world, owner)) == (debt_left, collateral_left, cash)
    assert is_insolvent(position, 100.0) == (collateral_left < 100 * debt_left)
    assert owner.exit_at == NEVER
    refused = world.tallies[:, 1:].sum()
    assert refused == 0
    audit.check(world)


def test_withdrawals_from_a_delisted_cdp_pay_the_fee_and_recoveries_do_not():
    world, owner, _ = a_delisted_cdp(tokens=12.0)
    world.tassets[OLD].protocol_fee = 0.125
    minter.act(world, OWNER)
    assert held(world, owner) == 1600 * 0.875 + 200
    assert world.wallets[COLLECTOR_ACCOUNT, TDOLLAR] == 200.0


def test_a_provider_takes_its_liquidity_out_of_a_delisted_pool_and_burns_what_comes():
    world, owner, position, stake = a_provider()
    fill_pool(world, TEXO_POOL, 2.0 * DEEP, DEEP)
    enter(world, owner)
    delist(world)
    owner.exit_at = 120.0
    move_clock(world, 120.0)
    minter.act(world, OWNER)
    assert stake.bond == 0.0
    assert position.debt == pytest.approx(0.0, abs=0.01)
    assert held(world, owner) == pytest.approx(1500.0, abs=0.1)
    audit.check(world)


def test_a_delisted_tasset_locked_elsewhere_is_wound_up_from_a_stale_price_later():
    """The price of what is locked is stale at the hour of leaving: the owner comes back for its collateral."""
    world, owner, position = a_delisted_cdp(row=LOCKER, collateral=40.0)
    move_clock(world, 300.0, publishes=False)
    world.feeds[OTHER].updated_at = 0.0
    minter.act(world, LOCKER)
    assert (position.collateral, position.debt) == (40.0, 10.0)
    assert owner.exit_at < NEVER
    move_clock(world, owner.exit_at)
    minter.act(world, LOCKER)
    assert (position.collateral, position.debt) == (20.0, 10.0)


# --- buying what is missing, burning what was delisted ---


@pytest.mark.parametrize(
    ("missing", "cash", "received", "left"),
    [
        (5.0, 1000.0, 5.0, 1000 - 1000 * 5 / 5),  # half of the reserve costs the other side once more
        (2.0, 1000.0, 2.0, 1000 - 1000 * 2 / 8),
        (5.0, 250.0, 2.0, 0.0),  # as many as the cash pays for
        (20.0, 1000.0, 5.0, 0.0),  # more than the pool has
        (0.0, 1000.0, 0.0, 1000.0),
        (-1.0, 1000.0, 0.0, 1000.0),
        (5.0, 0.0, 0.0, 0.0),
    ],
)
def test_what_is_missing_is_bought_as_far_as_the_cash_goes(missing, cash, received, left):
    world = a_wide_market()
    pool, account = fill_pool(world, OLD, 1000.0, 10.0), world.traders[0].account
    give(world, account, TDOLLAR, cash)
    swaps.buy_missing(pool, world.wallets, world.tallies, account, missing)
    assert world.wallets[account, OLD_TOKEN] == pytest.approx(received, abs=1e-4)
    assert world.wallets[account, OLD_TOKEN] >= min(missing, received) - 1e-12
    assert world.wallets[account, TDOLLAR] == pytest.approx(left, abs=1e-2)
    assert asked(world, Action.SWAP) == ({Status.OK: 1} if received else {})
    audit.check(world)


def test_nothing_is_bought_on_an_empty_pool():
    world = a_wide_market()
    give(world, world.traders[0].account, TDOLLAR, 100.0)
    before = copy_of(world)
    swaps.buy_missing(world.pools[OLD], world.wallets, world.tallies, world.traders[0].account, 5.0)
    assert same(world, before)


def test_the_best_backed_cdp_is_the_one_whose_collateral_is_worth_most_per_token():
    world = a_wide_market()
    assert swaps.best_backed(world, OLD) == -1
    fill_cdp(world, 0, 1000.0, 10.0)  # 100 USD per token
    assert swaps.best_backed(world, OLD) == 0
    fill_cdp(world, 1, 1200.0, 10.0)  # 120
    assert swaps.best_backed(world, OLD) == 1
    fill_cdp(world, 2, 26.0, 10.0)  # 2.6 of 50 USD: 130, although it is the least in tokens
    assert swaps.best_backed(world, OLD) == 2
    assert swaps.best_backed(world, OTHER) == 3  # the bank that minted those 26
    publish(world, OTHER, 40.0)  # 104
    assert swaps.best_backed(world, OLD) == 1


def test_a_cdp_without_debt_backs_nobody():
    world = a_wide_market()
    fill_cdp(world, 0, 5000.0, 0.0)
    fill_cdp(world, 1, 100.0, 10.0)
    assert swaps.best_backed(world, OLD) == 1


def test_all_tokens_are_burned_against_the_best_cdps_in_turn():
    world = a_wide_market()
    holder = world.traders[0].account
    for row, collateral in ((0, 2000.0), (1, 800.0)):
        fill_cdp(world, row, collateral, 10.0)
        world.wallets[world.minters[row].account, OLD_TOKEN] -= 10.0
        world.wallets[holder, OLD_TOKEN] += 10.0
    delist(world)
    swaps.recover_all(world, holder, OLD, 0.0)
    assert world.wallets[holder, OLD_TOKEN] == 0.0
    assert world.wallets[holder, TDOLLAR] == 10 * 100 + 800  # the end price from the first, its own share from the second
    assert (world.cdps[0].collateral, world.cdps[0].debt) == (1000.0, 0.0)
    assert not world.cdps[1].is_open
    assert asked(world, Action.RECOVER) == {Status.OK: 2}
    audit.check(world)


def test_tokens_that_nobody_owes_are_kept():
    world = a_wide_market()
    holder = world.traders[0].account
    give(world, holder, OLD_TOKEN, 10.0)
    position = world.cdps[BANK]
    world.tassets[OLD].bad_debt = 4.0  # as after an auction that ran out of collateral
    cdp.change(position, world.tassets[OLD], world.cdp_kinds[OLD_KIND], 0.0, -4.0)
    delist(world)
    swaps.recover_all(world, holder, OLD, 0.0)
    assert world.wallets[holder, OLD_TOKEN] == 4.0
    audit.check(world)


def test_nothing_is_recovered_from_a_listed_tasset():
    world = a_wide_market()
    give(world, world.traders[0].account, OLD_TOKEN, 10.0)
    swaps.recover_all(world, world.traders[0].account, OLD, 0.0)
    assert world.wallets[world.traders[0].account, OLD_TOKEN] == 10.0
    assert asked(world, Action.RECOVER) == {Status.TASSET_LISTED: 1}


def test_a_recovery_from_a_cdp_with_tasset_collateral_pays_in_that():
    world = a_wide_market()
    holder = world.traders[0].account
    fill_cdp(world, LOCKER, 40.0, 10.0)
    world.wallets[world.minters[LOCKER].account, OLD_TOKEN] -= 5.0
    world.wallets[holder, OLD_TOKEN] += 5.0
    delist(world)
    swaps.recover_all(world, holder, OLD, 0.0)
    assert world.wallets[holder, OTHER_TOKEN] == 5 * 100 / 50
    audit.check(world)


# --- a tASSET as collateral ---


def a_locker(*, cash, tokens=0.0, collateral=60.0, debt=20.0, kept=0.0, **behaviour):
    """An owner of a CDP with 60 tokens at 50 USD behind 20 at 100 USD: ratio 1.5, target 2."""
    world = a_wide_market()
    fill_pool(world, OTHER, 50.0 * DEEP, DEEP)
    fill_pool(world, OLD, 100.0 * DEEP, DEEP)
    owner, position = an_owner(world, row=LOCKER, cash=cash, **behaviour)
    fill_cdp(world, LOCKER, collateral, debt)
    world.wallets[owner.account, OLD_TOKEN] -= debt - kept
    world.wallets[world.traders[0].account, OLD_TOKEN] += debt - kept
    if tokens:
        give(world, owner.account, OTHER_TOKEN, tokens)
    move_clock(world, 60.0)
    return world, owner, position


@pytest.mark.parametrize(
    ("cash", "tokens", "kept", "collateral_after", "debt_after", "cash_after"),
    [
        (2000.0, 0.0, 0.0, 80.0, 20.0, 1000.0),  # buys the twenty that are missing
        (2000.0, 15.0, 0.0, 80.0, 20.0, 1750.0),  # the five that it does not have
        (2000.0, 30.0, 0.0, 80.0, 20.0, 2000.0),
        (500.0, 0.0, 0.0, 70.0, 20.0, 0.0),  # as many as it can pay
        (500.0, 0.0, 20.0, 70.0, 17.5, 0.0),  # then burns tokens kept
        (0.0, 0.0, 20.0, 60.0, 15.0, 0.0),
    ],
)
def test_an_owner_tops_up_with_collateral_that_it_buys(cash, tokens, kept, collateral_after, debt_after, cash_after):
    world, owner, position = a_locker(cash=cash, tokens=tokens, kept=kept)
    minter.act(world, LOCKER)
    assert position.collateral == pytest.approx(collateral_after, rel=1e-4)
    assert position.debt == pytest.approx(debt_after, rel=1e-4)
    assert held(world, owner) == pytest.approx(cash_after, abs=0.1)
    audit.check(world)


def test_no_collateral_is_bought_while_it_could_not_be_deposited():
    world, owner, position = a_locker(cash=2000.0)
    move_clock(world, 180.0)
    world.feeds[OTHER].updated_at = 60.0
    minter.act(world, LOCKER)
    assert (position.collateral, held(world, owner), held(world, owner, OTHER_TOKEN)) == (60.0, 2000.0, 0.0)


def a_call_on_a_locker(*, pool_tokens, tokens=20.0, cash=0.0, min_profit=0.01, cost_usd=0.0):
    """A margin-called CDP: 55 tokens at 50 USD behind 20 at 100 USD; the liquidator brings tokens, and sells on a pool of so many."""
    world = a_wide_market()
    row = world.liquidators[0]
    row.min_profit, row.cost_usd = min_profit, cost_usd
    fill_cdp(world, LOCKER, 55.0, 20.0)
    if pool_tokens:
        fill_pool(world, OTHER, 50.0 * pool_tokens, pool_tokens)
    for token, amount in ((OLD_TOKEN, tokens), (TDOLLAR, cash)):
        if amount:
            give(world, row.account, token, amount)
    move_clock(world, 60.0)
    assert liquidator.find_margin_called(world) == 1
    return world, row, world.cdps[LOCKER]


def liquidate(world):
    liquidator.act(world, 0)
    liquidator.explain(world)
    audit.check(world)


def test_a_liquidator_sells_the_tasset_that_it_receives():
    world, row, position = a_call_on_a_locker(pool_tokens=DEEP)
    liquidate(world)
    burned = 20 - held(world, row, OLD_TOKEN)
    # (1.5 * 20 * 2 - 55) / (2 * (1.5 - 1.25)) tokens restore the minimum
    assert burned == pytest.approx(10.0, rel=1e-5)
    assert held(world, row, OTHER_TOKEN) == 0.0
    assert held(world, row) == pytest.approx(10 * 100 / 0.8, rel=1e-4)
    assert position.collateral == pytest.approx(55 - 25, rel=1e-5)
    assert cdp.collateral_ratio(position.collateral, position.debt, 2.0) == pytest.approx(1.5, rel=1e-5)


@pytest.mark.parametrize("pool_tokens", [0.0, 1 / 64])
def test_a_liquidator_leaves_collateral_alone_that_no_pool_takes(pool_tokens):
    """A pool of a 64th of a token pays too little for even a 128th of the purchase."""
    world, row, position = a_call_on_a_locker(pool_tokens=pool_tokens, tokens=20.0)
    liquidate(world)
    assert (position.collateral, position.debt) == (55.0, 20.0)
    assert (held(world, row, OLD_TOKEN), held(world, row)) == (20.0, 0.0)
    assert asked(world, Action.PURCHASE) == {Status.UNPROFITABLE: 1}


@pytest.mark.parametrize("pool_tokens", [200.0, 50.0, 5.0])
def test_a_thin_pool_makes_purchases_smaller_never_a_loss(pool_tokens):
    world, row, _ = a_call_on_a_locker(pool_tokens=pool_tokens)
    liquidate(world)
    burned = 20 - held(world, row, OLD_TOKEN)
    assert 0.0 < burned <= 10.0 + 1e-5
    assert held(world, row) >= burned * 100 * 1.01  # what was sold against what the tokens are worth
    assert (burned < 9.9) == (pool_tokens < 100.0)


def test_a_liquidator_who_buys_its_tokens_does_not_lose_by_selling_collateral():
    world, row, _ = a_call_on_a_locker(pool_tokens=20.0, tokens=0.0, cash=10_000.0, cost_usd=1.0)
    fill_pool(world, OLD, 100.0 * 1000, 1000.0)
    move_clock(world, 60.0)
    liquidate(world)
    assert asked(world, Action.PURCHASE)[Status.OK] >= 1
    assert held(world, row) - 1.0 * row.purchases + 100.0 * held(world, row, OLD_TOKEN) > 10_000.0


def test_a_stale_price_of_the_collateral_stops_liquidators():
    world, _, position = a_call_on_a_locker(pool_tokens=DEEP)
    move_clock(world, 180.0)
    world.feeds[OTHER].updated_at = 60.0
    liquidator.find_margin_called(world)
    liquidate(world)
    assert position.debt == 20.0
    assert asked(world, Action.PURCHASE) == {Status.STALE_PRICE: 1}


def test_nobody_buys_at_auction_collateral_that_was_delisted():
    """From a delisting on nobody buys in auctions, of the tASSET or against it (`protocols/listing.py`)."""
    world, _, position = a_call_on_a_locker(pool_tokens=DEEP)
    delist(world, OTHER)
    move_clock(world, 120.0)
    liquidator.find_margin_called(world)
    liquidate(world)
    assert position.debt == 20.0


def test_kinds_stand_where_these_tests_expect_them():
    world = a_wide_market()
    assert list(world.cdp_kinds["tasset"]) == [OLD, OLD, OTHER, NEW]
    assert list(world.cdps["kind"][[0, 2, 3, 4]]) == [OLD_KIND, LOCKING_KIND, OTHER_KIND, NEW_KIND]
    assert world.pools[TEXO_POOL].asset_token == TEXO
    assert collector.MAX_SPREAD == 0.5
