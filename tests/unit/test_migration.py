"""A delisting: what the contracts carry over, who makes an appointment, and what everybody concerned then does."""

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

from seawall.agents import keeper, lp, migration, minter, oracle_feeder, trader
from seawall.agents.alarms import update_called, update_insolvent, wake_owners
from seawall.agents.strategies import Reaction
from seawall.models import measures
from seawall.models.step import trader_order
from seawall.protocols import amm, audit, cdp, listing, oracle, staking
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR

NEVER = math.inf
HOUR = 3600.0
OLD_TOKEN, OTHER_TOKEN, NEW_TOKEN = 1, 2, 3


def migrate(world, *, feeder=None, which=OLD, replacement=NEW):
    account = world.feeds[which].feeder if feeder is None else feeder
    return listing.migrate(world.tassets, which, replacement, world.feeds, world.cdp_kinds, world.stake_pools, account)


def delist_at(world, now):
    """Let the feeder delist in its hour; the clock stands there afterwards."""
    world.migrations[0].at = now
    move_clock(world, now)
    migration.act(world)
    assert world.migrations[0].done_at == now


def list_new(world, price=50.0):
    """The replacement's first price."""
    publish(world, NEW, price)


def is_delisted(world):
    return bool(world.tassets[OLD].is_delisted)


# --- the contracts' three steps ---


def test_terms_end_price_and_ratio_in_three_steps():
    world = a_wide_market()
    old, new = world.tassets[OLD], world.tassets[NEW]
    old.min_collateral_ratio, old.auction_discount, old.protocol_fee, old.auction_fee = 1.75, 0.25, 0.0625, 0.125
    old.liquidate_whole, old.auction_needs_fresh_price = True, False
    world.feeds[OLD].valid_for, world.stake_pools[OLD].emission_weight = 90.0, 7.0
    move_clock(world, 60.0)
    publish(world, OLD, 104.0)
    feeder = world.feeds[OLD].feeder
    assert migrate(world) == Status.OK
    assert (new.min_collateral_ratio, new.auction_discount, new.protocol_fee, new.auction_fee) == (1.75, 0.25, 0.0625, 0.125)
    assert (new.liquidate_whole, new.auction_needs_fresh_price) == (True, False)
    assert (world.feeds[NEW].feeder, world.feeds[NEW].valid_for) == (feeder, 90.0)
    assert (old.end_price, old.min_collateral_ratio, old.is_delisted, old.replacement) == (104.0, 1.0, True, NEW)
    assert (new.is_delisted, new.replacement) == (False, -1)
    rewarded = [(bool(pool.is_rewarded), pool.emission_weight) for pool in world.stake_pools]
    assert rewarded == [(False, 7.0), (True, 1.0), (True, 7.0), (True, 2.0)]


def test_an_end_price_stands_for_ever_and_a_replacement_has_none_yet():
    world = a_wide_market()
    migrate(world)
    feed = world.feeds[OLD]
    assert oracle.publish(feed, feed.feeder, 200.0, 60.0) == Status.TASSET_DELISTED
    assert oracle.is_fresh(feed, 1e9)
    assert not oracle.is_fresh(world.feeds[NEW], 0.0)
    assert cdp.fresh_price(world.cdp_kinds[OLD_KIND], world.feeds, 1e9) == 100.0
    assert cdp.fresh_price(world.cdp_kinds[NEW_KIND], world.feeds, 0.0) == 0.0


def test_a_pool_that_earns_nothing_hands_that_on():
    world = a_wide_market()
    world.stake_pools[OLD].is_rewarded = False
    migrate(world)
    assert not world.stake_pools[NEW].is_rewarded


def test_only_what_is_locked_in_the_delisted_tasset_is_revoked():
    world = a_wide_market()
    migrate(world)
    assert list(world.cdp_kinds["is_revoked"]) == [False] * 4
    world = a_wide_market()
    migrate(world, which=OTHER)
    assert [bool(revoked) for revoked in world.cdp_kinds["is_revoked"]] == [kind == LOCKING_KIND for kind in range(4)]


@pytest.mark.parametrize(
    ("obstacle", "status"),
    [
        ("a stranger", Status.UNAUTHORIZED),
        ("nobody's feed", Status.UNAUTHORIZED),
        ("delisted before", Status.TASSET_DELISTED),
        ("never published", Status.STALE_PRICE),
        ("replacement listed", Status.TASSET_LISTED),
        ("replacement delisted", Status.TASSET_LISTED),
        ("its own replacement", Status.TASSET_LISTED),
    ],
)
def test_a_refused_migration_leaves_nothing_behind(obstacle, status):
    world = a_wide_market()
    feeder, replacement = world.feeds[OLD].feeder, NEW
    if obstacle == "a stranger":
        feeder = world.traders[0].account
    elif obstacle == "nobody's feed":
        world.feeds[OLD].feeder = feeder = -1
    elif obstacle == "delisted before":
        assert migrate(world) == Status.OK
        world.feeds[NEW].feeder = -1
    elif obstacle == "never published":
        world.feeds[OLD].price = 0.0
    elif obstacle == "replacement listed":
        replacement = OTHER
    elif obstacle == "replacement delisted":
        world.tassets[NEW].is_delisted = True
    else:
        replacement = OLD
    before = copy_of(world)
    assert migrate(world, feeder=feeder, replacement=replacement) == status
    assert same(world, before)


# --- in its hour, once ---


def test_the_feeder_delists_in_its_hour_once():
    world = a_wide_market()
    world.migrations[0].at = HOUR
    move_clock(world, HOUR - 60.0)
    migration.act(world)
    assert not is_delisted(world)
    move_clock(world, HOUR)
    migration.act(world)
    assert (is_delisted(world), world.migrations[0].done_at) == (True, HOUR)
    world.minters[0].exit_at = 7.0
    move_clock(world, HOUR + 60.0)
    migration.act(world)
    assert (world.migrations[0].done_at, world.minters[0].exit_at) == (HOUR, 7.0)
    assert world.tallies[Action.MIGRATE].sum() == 1


def test_a_refused_delisting_makes_no_appointments_and_is_tried_again():
    world = a_wide_market()
    world.minters["delisting"], world.traders["delisting"], world.lps["delisting"] = (Reaction.MOVE,) * 3
    world.lps["pool"] = OLD
    feeder, world.feeds[OLD].feeder = int(world.feeds[OLD].feeder), -1
    world.migrations[0].at = 60.0
    move_clock(world, 60.0)
    before = copy_of(world)
    migration.act(world)
    assert world.tallies[Action.MIGRATE, Status.UNAUTHORIZED] == 1
    world.tallies[:] = 0
    assert same(world, before)
    world.feeds[OLD].feeder = feeder
    move_clock(world, 120.0)
    migration.act(world)
    assert world.migrations[0].done_at == 120.0


def test_who_feeds_in_its_hour_delists_even_if_a_poll_put_it_there():
    world = a_wide_market()
    world.feeds[OLD].feeder = world.traders[0].account
    world.migrations[0].at = 0.0
    migration.act(world)
    assert is_delisted(world)
    assert world.feeds[NEW].feeder == world.traders[0].account


def test_what_is_left_of_a_delisted_tasset_is_measured_at_its_end_price():
    world = a_wide_market()
    world.market_price[:, NEW] = 25.0
    fill_cdp(world, 0, 1600.0, 10.0)
    fill_cdp(world, 2, 40.0, 10.0)  # 2,000 USD of the other tASSET, which its bank minted against 6,000
    fill_pool(world, OLD, 900.0, 10.0)  # its bank locks 3,000
    delist_at(world, 60.0)
    world.market_price[1:, OLD] = 500.0
    fill_cdp(world, 4, 700.0, 8.0)
    give(world, world.pools[NEW].account, TDOLLAR, 80.0)
    figures = {name: figure.value for name, figure in measures.delisting(world).items()}
    assert figures == {
        "delisted_tassets": 1,
        "delisted_debt_end_usd": 3_000.0,
        "delisted_collateral_end_usd": 1600 + 2000 + 3000,
        "delisted_pools_end_usd": 1800.0,
        "replacement_debt_end_usd": 200.0,
        "replacement_pools_end_usd": 160.0,
    }


# --- appointments ---


@pytest.mark.parametrize(
    ("kind", "reaction", "exit_at", "opens_at"),
    [
        (OLD_KIND, Reaction.SIT, 9000.0, NEVER),
        (OLD_KIND, Reaction.RECOVER, HOUR + 500.0, HOUR + 500.0),
        (OLD_KIND, Reaction.MOVE, HOUR + 500.0, HOUR + 500.0),
        (LOCKING_KIND, Reaction.RECOVER, HOUR + 500.0, HOUR + 500.0),
        (OTHER_KIND, Reaction.MOVE, 9000.0, 8000.0),  # none of its business
    ],
)
def test_owners_make_their_appointments(kind, reaction, exit_at, opens_at):
    world = a_wide_market()
    row = list(world.cdps["kind"]).index(kind)
    owner = world.minters[row]
    owner.delisting, owner.reaction_to_delisting, owner.exit_at, owner.opens_at = reaction, 500.0, 9000.0, 8000.0
    owner.alert_ratio, owner.excess_ratio, owner.due_at = 1.8, 2.5, 4000.0
    delist_at(world, HOUR)
    assert (owner.exit_at, owner.opens_at) == (exit_at, opens_at)
    minds = kind == OTHER_KIND
    assert (owner.alert_ratio, owner.excess_ratio, owner.due_at) == ((1.8, 2.5, 4000.0) if minds else (0.0, NEVER, NEVER))


def test_a_successor_opens_after_its_predecessor_has_left():
    world = a_wide_market()
    successor = world.minters[4]
    successor.delisting, successor.reaction_to_delisting, successor.predecessor = Reaction.MOVE, 500.0, 0
    fill_cdp(world, 0, 2000.0, 10.0)
    delist_at(world, HOUR)
    assert successor.opens_at == HOUR + 500.0 + 60.0
    assert successor.exit_at == NEVER


def test_owners_who_lock_what_was_delisted_can_only_burn_and_withdraw():
    world = a_wide_market()
    world.migrations[0].tasset = OTHER
    for row in (0, 2):
        world.minters[row].relevers, world.minters[row].response = True, minter.Response.DEPOSIT
    delist_at(world, HOUR)
    locker, other = world.minters[2], world.minters[0]
    assert (bool(locker.relevers), locker.response) == (False, minter.Response.BURN)
    assert (bool(other.relevers), other.response) == (True, minter.Response.DEPOSIT)


def test_a_locker_of_a_delisted_tasset_still_answers_a_low_ratio():
    world = a_wide_market()
    world.migrations[0].tasset = OTHER
    fill_cdp(world, 2, 60.0, 20.0)
    locker = world.minters[2]
    locker.target_ratio, locker.alert_ratio, locker.response = 2.0, 1.8, minter.Response.DEPOSIT
    delist_at(world, HOUR)
    minter.act(world, 2)
    assert (world.cdps[2].collateral, world.cdps[2].debt) == (60.0, 15.0)
    audit.check(world)


def test_lps_of_its_pool_and_all_traders_make_theirs():
    world = a_wide_market(lps=4, traders=2)
    world.lps["pool"] = OLD, OLD, OTHER, TEXO_POOL
    world.lps["delisting"], world.lps["reaction"] = (Reaction.SIT, Reaction.MOVE, Reaction.MOVE, Reaction.SIT), 600.0
    world.traders["delisting"], world.traders["reaction"] = (Reaction.SIT, Reaction.RECOVER), 900.0
    delist_at(world, HOUR)
    assert list(world.lps["moves_at"]) == [NEVER, HOUR + 600.0, NEVER, NEVER]
    assert list(world.traders["recovers_at"]) == [NEVER, HOUR + 900.0]


def test_alarms_ring_no_more_for_a_delisted_cdp():
    """Called and insolvent at 130, it is neither at the end price of 100, at which all above 100% is its owner's."""
    world = a_wide_market()
    position = fill_cdp(world, 0, 1100.0, 10.0)
    world.minters[0].alert_ratio, world.minters[0].target_ratio = 1.8, 2.0
    rows = np.zeros(10, np.int64)
    assert (update_called(world), wake_owners(world, rows)) == (1, 1)
    world.market_price[1:, OLD] = 130.0
    delist_at(world, 60.0)
    assert (update_called(world), wake_owners(world, rows), update_insolvent(world)) == (0, 0, 0)
    assert not position.is_called


def test_a_cdp_that_changes_in_the_round_of_its_delisting_is_called_no_more():
    """Called, and below 100% at the end price, too: whatever is burned of it then, it stays below."""
    world = a_wide_market()
    position = fill_cdp(world, 0, 900.0, 10.0)
    rows = np.zeros(10, np.int64)
    assert update_called(world) == 1
    delist_at(world, 60.0)
    cdp.change(position, world.tassets[OLD], world.cdp_kinds[position.kind], -90.0, -1.0)
    wake_owners(world, rows)
    assert (update_called(world), position.is_called) == (0, False)


# --- feeders ---


def test_the_feeder_goes_on_with_the_replacement_and_leaves_the_old_feed():
    world = a_wide_market()
    world.market_price[:, NEW] = 25.0
    for row in range(3):
        oracle_feeder.act(world, row)
    assert world.feeds[NEW].price == 0.0
    delist_at(world, HOUR)
    world.market_price[:, OLD] = 150.0
    move_clock(world, HOUR + 60.0, publishes=False)
    for row in range(3):
        oracle_feeder.act(world, row)
    assert (world.feeds[NEW].price, world.feeds[NEW].updated_at) == (25.0, HOUR + 60.0)
    assert world.feeds[OLD].price == 100.0
    assert world.feeds[OTHER].updated_at == HOUR + 60.0
    assert world.tallies[Action.PUBLISH, 1:].sum() == 0


# --- traders and arbitrageurs ---


def a_holder(world, agents, tokens=4.0):
    """Somebody with tokens of the old tASSET, minted by a bank."""
    give(world, agents[0].account, OLD_TOKEN, tokens)
    return agents[0]


def test_a_trader_burns_when_its_time_has_come():
    world = a_wide_market()
    row = a_holder(world, world.traders)
    row.delisting, row.reaction = Reaction.RECOVER, 600.0
    delist_at(world, HOUR)
    rows = np.zeros(10, np.int64)
    for now, tokens in ((HOUR + 540.0, 4.0), (HOUR + 600.0, 0.0)):
        move_clock(world, now)
        assert trader_order(world, rows) == (tokens == 0.0)
        trader.act(world, 0)
        assert world.wallets[row.account, OLD_TOKEN] == tokens
    assert (world.wallets[row.account, TDOLLAR], row.recovers_at) == (400.0, NEVER)
    audit.check(world)


def test_a_trader_who_sits_keeps_its_tokens():
    world = a_wide_market(steps=1800)
    row = a_holder(world, world.traders)
    delist_at(world, HOUR)
    move_clock(world, 30 * HOUR)
    trader.act(world, 0)
    assert world.wallets[row.account, OLD_TOKEN] == 4.0


def test_what_nobody_owes_is_offered_again_a_day_later():
    world = a_wide_market(steps=1500)
    row = world.traders[0]
    row.delisting = Reaction.RECOVER
    fill_cdp(world, 2, 20.0, 4.0)
    world.wallets[world.minters[2].account, OLD_TOKEN] -= 4.0
    world.wallets[row.account, OLD_TOKEN] += 4.0
    delist_at(world, HOUR)
    world.feeds[OTHER].updated_at = 0.0  # the collateral's price is stale
    trader.act(world, 0)
    assert (world.wallets[row.account, OLD_TOKEN], row.recovers_at) == (4.0, 25 * HOUR)
    move_clock(world, 25 * HOUR)
    trader.act(world, 0)
    assert (world.wallets[row.account, OLD_TOKEN], row.recovers_at) == (0.0, NEVER)
    assert world.wallets[row.account, OTHER_TOKEN] == 8.0


def with_order(world, pool, *, sells=False, usd=10.0):
    orders = np.array([(0, pool, sells, usd)], dtype=world.orders.dtype)
    start = np.array([0, 0] + [1] * (len(world.order_start) - 2))
    return world._replace(orders=orders, order_start=start)


@pytest.mark.parametrize(
    ("reaction", "new_pool", "delisted", "bought"),
    [
        (Reaction.RECOVER, True, True, NEW_TOKEN),
        (Reaction.MOVE, True, True, NEW_TOKEN),
        (Reaction.SIT, True, True, OLD_TOKEN),
        (Reaction.MOVE, False, True, OLD_TOKEN),  # its pool holds nothing yet
        (Reaction.MOVE, False, False, OLD_TOKEN),
    ],
)
def test_an_order_follows_to_the_replacement(reaction, new_pool, delisted, bought):
    world = with_order(a_wide_market(), OLD)
    give(world, world.traders[0].account, TDOLLAR, 10.0)
    world.traders["max_spread"], world.traders["delisting"], world.traders["reaction"] = 1.0, reaction, HOUR
    fill_pool(world, OLD, 10_000.0, 100.0)
    if delisted:
        delist_at(world, 60.0)
    if new_pool:
        list_new(world)
        fill_pool(world, NEW, 10_000.0, 200.0)
    move_clock(world, 60.0)
    trader.act(world, 0)
    held = [token for token in (OLD_TOKEN, OTHER_TOKEN, NEW_TOKEN) if world.wallets[world.traders[0].account, token] > 0.0]
    assert held == [bought]
    audit.check(world)


def test_an_order_to_sell_is_sized_at_the_replacements_price():
    world = with_order(a_wide_market(), OLD, sells=True, usd=100.0)
    world.traders["max_spread"], world.traders["delisting"], world.traders["reaction"] = 1.0, Reaction.MOVE, HOUR
    delist_at(world, 60.0)
    list_new(world)
    fill_pool(world, NEW, 50.0 * 2.0**20, 2.0**20)
    give(world, world.traders[0].account, NEW_TOKEN, 5.0)
    trader.act(world, 0)
    assert world.wallets[world.traders[0].account, NEW_TOKEN] == 3.0  # two of 50 USD
    assert world.wallets[world.traders[0].account, TDOLLAR] == pytest.approx(100.0, rel=1e-5)


def test_no_order_is_placed_for_what_is_not_listed_yet():
    world = with_order(a_wide_market(), NEW)
    give(world, world.traders[0].account, TDOLLAR, 10.0)
    move_clock(world, 60.0)
    trader.act(world, 0)
    assert world.tallies[Action.SWAP].sum() == 0


def test_an_arbitrageur_burns_at_once_and_buys_below_the_end_price_for_that():
    world = a_wide_market()
    row = a_holder(world, world.arbitrageurs, 1.0)
    row.min_edge = 0.01
    give(world, row.account, TDOLLAR, 10_000.0)
    fill_pool(world, OLD, 900.0, 10.0)
    trader.act_arbitrageur(world, 0)  # listed: it lifts the pool to 99 and keeps what it bought
    bought = 10 - world.wallets[world.pools[OLD].account, OLD_TOKEN]
    assert world.wallets[row.account, OLD_TOKEN] == pytest.approx(1 + bought)
    assert amm.price(world.pools[OLD], world.wallets) == pytest.approx(99.0, rel=1e-4)
    cash = world.wallets[row.account, TDOLLAR]
    delist_at(world, HOUR)
    trader.act_arbitrageur(world, 0)
    assert world.wallets[row.account, OLD_TOKEN] == 0.0
    assert world.wallets[row.account, TDOLLAR] == pytest.approx(cash + 100 * (1 + bought))
    audit.check(world)


# --- liquidity providers ---


def an_lp(world, reaction, *, base=1000.0, asset=10.0, stakes=False):
    """The first LP owns all of the old pool but for what the last one, who sits, holds of it."""
    row, pool = world.lps[0], world.pools[OLD]
    world.lps["pool"], world.lps["reaction"] = OLD, 600.0
    row.delisting = reaction
    fill_pool(world, OLD, 100.0, 1.0)
    give(world, row.account, TDOLLAR, base)
    give(world, row.account, OLD_TOKEN, asset)
    if stakes:
        row.stake = len(world.stakers)
    status, shares = amm.provide(pool, world.tokens, world.wallets, row.account, base, asset, 1.0)
    assert status == Status.OK
    if stakes:
        assert staking.bond(world.stakes[row.stake], world.stake_pools[OLD], world.wallets, shares) == Status.OK
    return row


def turn(world, now):
    move_clock(world, now)
    lp.act(world, 0)
    audit.check(world)


def test_an_lp_that_sits_stays_in_the_old_pool():
    world = a_wide_market()
    row = an_lp(world, Reaction.SIT)
    delist_at(world, HOUR)
    turn(world, 100 * HOUR)
    assert lp.is_inside(world, row)


def test_an_lp_that_recovers_leaves_burns_and_is_done():
    world = a_wide_market()
    row = an_lp(world, Reaction.RECOVER)
    row.exit_premium, row.exit_stale = 0.1, HOUR
    delist_at(world, HOUR)
    turn(world, HOUR + 540.0)
    assert lp.is_inside(world, row)
    turn(world, HOUR + 600.0)
    assert not lp.is_inside(world, row)
    assert world.wallets[row.account, OLD_TOKEN] == 0.0
    assert world.wallets[row.account, TDOLLAR] == pytest.approx(1000 + 10 * 100, abs=1e-3)
    before = copy_of(world)
    lp.act(world, 0)
    assert same(world, before)
    assert not lp.is_awake(world, row, 1e9)


def test_an_lp_that_recovers_comes_back_for_what_a_stale_price_held_up():
    world = a_wide_market()
    row = an_lp(world, Reaction.RECOVER)
    bank = world.cdps[1]
    fill_cdp(world, 2, 1000.0, 10.0)  # locks the other tASSET: best backed, and what is asked first
    world.wallets[world.minters[2].account, OLD_TOKEN] -= 10.0
    world.wallets[world.traders[0].account, OLD_TOKEN] += 10.0
    assert bank.backing < 1000.0 / 10.0 * 50.0
    delist_at(world, HOUR)
    move_clock(world, HOUR + 600.0)
    world.feeds[OTHER].updated_at = 0.0
    lp.act(world, 0)
    assert world.wallets[row.account, OLD_TOKEN] == pytest.approx(10.0, abs=1e-4)
    for hours in range(2, 50):
        turn(world, hours * HOUR)
    assert world.wallets[row.account, OLD_TOKEN] == 0.0


def test_an_lp_moves_to_the_replacements_pool_with_all_it_has():
    world = a_wide_market()
    row = an_lp(world, Reaction.MOVE, stakes=True)
    delist_at(world, HOUR)
    list_new(world)
    fill_pool(world, NEW, 50_000.0, 1000.0)
    turn(world, HOUR + 600.0)
    stake = world.stakes[row.stake]
    assert (row.pool, stake.pool, row.moves_at) == (NEW, NEW, NEVER)
    assert world.stake_pools[OLD].total_bond == 0.0
    assert stake.bond == world.stake_pools[NEW].total_bond > 0.0
    pool = world.pools[NEW]
    part = stake.bond / world.tokens[pool.share_token].supply
    assert 2 * part * world.wallets[pool.account, TDOLLAR] == pytest.approx(2000.0, rel=0.01)
    assert world.wallets[row.account, TDOLLAR] < 1.0
    assert world.wallets[row.account, NEW_TOKEN] < 0.1


def test_a_stake_takes_its_rewards_along_and_earns_nothing_of_the_new_pools_past():
    world = a_wide_market()
    row = an_lp(world, Reaction.MOVE, stakes=True)
    account = world.keepers[0].account
    give(world, account, TEXO, 30.0)
    assert staking.deposit_reward(world.stake_pools[OLD], world.wallets, account, 10.0) == Status.OK
    delist_at(world, HOUR)
    list_new(world)
    pool = fill_pool(world, NEW, 50_000.0, 1000.0)
    stake = world.stakes[len(world.stakers) + 1]
    stake.owner, stake.pool = world.lps[-1].account, NEW
    assert staking.bond(stake, world.stake_pools[NEW], world.wallets, 1000.0) == Status.OK
    assert staking.deposit_reward(world.stake_pools[NEW], world.wallets, account, 20.0) == Status.OK
    turn(world, HOUR + 600.0)
    assert world.wallets[row.account, TEXO] == pytest.approx(10.0, abs=1e-5)
    lp.harvest(world, row)
    assert world.wallets[row.account, TEXO] == pytest.approx(10.0, abs=1e-5)
    assert world.wallets[row.account, pool.share_token] == 0.0
    audit.check(world)


@pytest.mark.parametrize("reserves", [None, (100.0, 2.0)])
def test_an_lp_waits_for_a_pool_that_is_empty_or_too_thin(reserves):
    world = a_wide_market()
    row = an_lp(world, Reaction.MOVE)
    delist_at(world, HOUR)
    list_new(world)
    if reserves:
        fill_pool(world, NEW, *reserves)
    turn(world, HOUR + 600.0)
    assert (row.pool, row.moves_at) == (OLD, 2 * HOUR + 600.0)
    assert world.wallets[row.account, TDOLLAR] == pytest.approx(2000.0, abs=1e-3)
    turn(world, 2 * HOUR)
    assert row.moves_at == 2 * HOUR + 600.0
    fill_pool(world, NEW, 50_000.0, 1000.0)
    turn(world, 2 * HOUR + 600.0)
    assert (row.pool, row.moves_at) == (NEW, NEVER)
    assert lp.is_inside(world, row)


def test_an_lp_that_stood_outside_moves_with_its_cash():
    world = a_wide_market()
    row = an_lp(world, Reaction.MOVE)
    lp.leave(world, row, 0.0)
    delist_at(world, HOUR)
    list_new(world)
    fill_pool(world, NEW, 50_000.0, 1000.0)
    turn(world, HOUR + 600.0)
    assert row.pool == NEW
    assert lp.is_inside(world, row)
    assert world.tallies[Action.REDEEM, 1:].sum() == 0


def test_an_lp_of_a_tasset_listed_later_comes_when_its_pool_has_liquidity():
    world = a_wide_market()
    row = world.lps[0]
    row.pool, row.moves_at, row.delisting = OTHER, 0.0, Reaction.SIT
    give(world, row.account, TDOLLAR, 1000.0)
    turn(world, 60.0)
    assert row.moves_at == 60.0 + HOUR
    fill_pool(world, OTHER, 50_000.0, 1000.0)
    turn(world, 60.0 + HOUR)
    assert (row.pool, row.moves_at) == (OTHER, NEVER)
    part = world.wallets[row.account, world.pools[OTHER].share_token] / world.tokens[world.pools[OTHER].share_token].supply
    assert 2 * part * world.wallets[world.pools[OTHER].account, TDOLLAR] == pytest.approx(1000.0, rel=0.01)


# --- owners who move ---


def a_mover(world):
    """An owner of the old tASSET and its successor, the same account; both react after 500 s."""
    old, new = world.minters[0], world.minters[4]
    new.account = world.cdps[4].owner = old.account
    new.predecessor = 0
    for row in (old, new):
        row.delisting, row.reaction_to_delisting, row.target_ratio, row.alert_ratio = Reaction.MOVE, 500.0, 2.0, 1.8
        row.look_every = 600.0
    new.budget = 2.0**33
    return old, new


def owners_turn(world, now):
    move_clock(world, now)
    for row in range(len(world.minters)):
        minter.act(world, row)
    audit.check(world)


def test_an_owner_moves_into_a_cdp_of_the_replacement():
    world = a_wide_market()
    a_mover(world)
    fill_cdp(world, 0, 2000.0, 10.0)
    delist_at(world, HOUR)
    list_new(world)
    owners_turn(world, HOUR + 480.0)
    assert not world.cdps[4].is_open
    owners_turn(world, HOUR + 540.0)
    assert not world.cdps[0].is_open
    owners_turn(world, HOUR + 600.0)
    assert (world.cdps[4].collateral, world.cdps[4].debt) == (2000.0, 20.0)  # all it got out, at 50 USD and a target of 2


def test_a_successor_waits_for_the_replacements_first_price():
    world = a_wide_market()
    _, new = a_mover(world)
    fill_cdp(world, 0, 2000.0, 10.0)
    delist_at(world, HOUR)
    for now in (HOUR + 540.0, HOUR + 600.0):
        owners_turn(world, now)
    assert (world.cdps[4].is_open, new.opens_at) == (False, HOUR + 1200.0)
    list_new(world)
    owners_turn(world, HOUR + 1200.0)
    assert world.cdps[4].is_open


def test_a_successors_aims_follow_a_minimum_raised_before_the_delisting():
    """The replacement takes over the raised minimum; who moves must be able to open at its target, its buffer what it was."""
    world = a_wide_market()
    _, new = a_mover(world)
    fill_cdp(world, 0, 4000.0, 10.0)
    world.tassets[OLD].min_collateral_ratio = 2.25
    keeper.adjust_owners(world, OLD, 2.25 / 1.5)
    delist_at(world, HOUR)
    list_new(world)
    assert world.tassets[NEW].min_collateral_ratio == 2.25
    for now in (HOUR + 540.0, HOUR + 600.0):
        owners_turn(world, now)
    assert (new.target_ratio, new.alert_ratio) == (pytest.approx(3.0), pytest.approx(2.7))
    assert world.cdps[4].is_open
    assert world.tallies[Action.OPEN, Status.BELOW_MIN_RATIO] == 0


def test_an_owner_who_left_before_the_delisting_does_not_come_back_to_move():
    world = a_wide_market()
    old, _ = a_mover(world)
    give(world, old.account, TDOLLAR, 1000.0)  # its CDP is closed for good
    delist_at(world, HOUR)
    list_new(world)
    for now in (HOUR + 540.0, HOUR + 600.0, HOUR + 660.0):
        owners_turn(world, now)
    assert not world.cdps[4].is_open
    assert world.tallies[Action.OPEN].sum() == 0


def test_a_successor_is_not_closed_by_its_predecessors_holding_time():
    """Both were drawn the same hour of leaving; the delisting came first, and the move is not undone a round later."""
    world = a_wide_market()
    old, new = a_mover(world)
    old.exit_at = new.exit_at = HOUR + 560.0
    fill_cdp(world, 0, 2000.0, 10.0)
    delist_at(world, HOUR)
    list_new(world)
    for now in (HOUR + 540.0, HOUR + 600.0, HOUR + 660.0):
        owners_turn(world, now)
    assert world.cdps[4].is_open
