"""Behaviour as tables of situations and expected actions; each agent meets the contracts only through their rules."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import a_cdp, a_market, a_pool, give_tassets

from seawall.agents import liquidator, lp, minter, oracle_feeder, purchase_bounds, trader
from seawall.agents.base import draw_order, mix, sort_rows
from seawall.protocols import amm, auction, audit, cdp, oracle
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR

NEVER = math.inf


def at(world, now, price=None):
    """Move the clock, and publish a price if one is given."""
    world.clock[0].now = now
    world.clock[0].step = int(now // world.clock[0].step_seconds)
    if price is not None:
        feed = world.feeds[0]
        assert oracle.publish(feed, feed.feeder, price, now) == Status.OK


def ordered(kind, world):
    """Rows of a kind with something to do, in the order drawn."""
    rows = np.zeros(100, np.int64)
    return list(rows[: kind.order(world, rows)])


def drawn(rows, seed, step):
    rows = np.array(rows, dtype=np.int64)
    draw_order(rows, len(rows), seed, step)
    return [int(row) for row in rows]


def wallet(world, agents, token=TDOLLAR):
    return world.wallets[agents[0].account, token]


# --- oracle feeders ---


@pytest.mark.parametrize(
    ("heartbeat", "deviation", "age", "move", "publishes"),
    [
        (60, 0.005, 60, 0.0, True),  # the heartbeat has run out
        (600, 0.005, 60, 0.004, False),  # neither old nor moved
        (600, 0.005, 60, 0.0051, True),  # moved by the threshold
        (600, 0.005, 60, -0.006, True),
        (600, 0.005, 540, 0.0, False),
        (600, 0.005, 600, 0.0, True),
    ],
)
def test_a_feeder_publishes_on_its_heartbeat_or_after_a_move(heartbeat, deviation, age, move, publishes):
    world = a_market(price=100, steps=20)
    world.oracle_feeders["heartbeat"], world.oracle_feeders["deviation"] = heartbeat, deviation
    world.market_price[:] = 100 * (1 + move)
    at(world, float(age))
    oracle_feeder.act(world, 0)
    assert (world.feeds[0].updated_at == age) == publishes
    assert world.feeds[0].price == (100 * (1 + move) if publishes else 100)


def test_a_feeder_is_silent_while_the_market_is_closed_or_its_feed_is_down():
    world = a_market(steps=20)
    world.oracle_feeders["heartbeat"] = 60
    world.market_open[5:8], world.feed_up[12:14] = False, False
    published = []
    for step in range(1, 20):
        at(world, step * 60.0)
        oracle_feeder.act(world, 0)
        published.append(world.feeds[0].updated_at == step * 60.0)
    assert [step for step, did in enumerate(published, 1) if not did] == [5, 6, 7, 12, 13]


def test_a_late_feeder_publishes_what_it_saw_before():
    world = a_market(steps=20)
    world.oracle_feeders["heartbeat"], world.oracle_feeders["lag"] = 60, 3
    world.market_price[:, 0] = 100 + np.arange(21)
    at(world, 120.0)
    oracle_feeder.act(world, 0)
    assert world.feeds[0].updated_at == 0  # nothing had been seen three rounds before
    at(world, 600.0)
    oracle_feeder.act(world, 0)
    assert (world.feeds[0].price, world.feeds[0].updated_at) == (107.0, 600.0)


# --- minters ---


def an_owner(world, *, collateral, debt, cash=0.0, tokens=None, **behaviour):
    """Owner of CDP 0 with a target of 2, an alert at 1.8, no reaction time; keeps its minted tokens unless told otherwise."""
    position = a_cdp(world, 0, collateral, debt)
    row = world.minters[0]
    defaults = {"target_ratio": 2.0, "alert_ratio": 1.8, "excess_ratio": NEVER, "reaction": 0.0}
    for name, value in (defaults | behaviour).items():
        setattr(row, name, value)
    world.wallets[row.account, TDOLLAR] = cash
    world.tokens[TDOLLAR].supply = world.wallets[:, TDOLLAR].sum()
    if tokens is not None:
        give_away = debt - tokens
        world.wallets[row.account, 1] -= give_away
        world.wallets[world.traders[0].account, 1] += give_away
    audit.check(world)
    return row, position


@pytest.mark.parametrize(
    ("price", "cash", "tokens", "collateral_after", "debt_after"),
    [
        (100.0, 500.0, 10.0, 2000.0, 10.0),  # ratio 2: nothing to do
        (111.0, 500.0, 10.0, 2000.0, 10.0),  # 1.802: above the alert
        (125.0, 600.0, 10.0, 2500.0, 10.0),  # 1.6: cash restores the target
        (125.0, 100.0, 10.0, 2100.0, 8.4),  # 1.6: cash, then tokens kept
        (125.0, 0.0, 1.0, 2000.0, 9.0),  # 1.6: the one token kept is burned
        (125.0, 0.0, 0.0, 2000.0, 10.0),  # 1.6: nothing to act with
    ],
)
def test_an_owner_below_its_alert_adds_cash_then_burns_tokens(price, cash, tokens, collateral_after, debt_after):
    world = a_market()
    _, position = an_owner(world, collateral=2000.0, debt=10.0, cash=cash, tokens=tokens)
    at(world, 60.0, price)
    minter.act(world, 0)
    assert position.collateral == pytest.approx(collateral_after, abs=1e-5)
    assert position.debt == pytest.approx(debt_after, abs=1e-5)
    audit.check(world)


@pytest.mark.parametrize(
    ("response", "cash", "tokens", "is_open", "debt_after"),
    [
        (minter.Response.BURN, 0.0, 10.0, True, 8.0),  # burns what it kept
        (minter.Response.BURN, 1000.0, 0.0, True, 8.0),  # buys two tokens on the pool
        (minter.Response.BURN, 1000.0, 1.5, True, 8.0),  # both
        (minter.Response.BURN, 125.0, 0.0, True, 10.0 - 0.99),  # as far as the cash goes
        (minter.Response.BURN, 0.0, 0.0, True, 10.0),  # nothing to act with
        (minter.Response.CLOSE, 2000.0, 0.0, False, 0.0),  # buys all ten
        (minter.Response.CLOSE, 0.0, 10.0, False, 0.0),
        (minter.Response.CLOSE, 400.0, 0.0, True, 8.0),  # cannot afford to close: burns down to the target
    ],
)
def test_an_owner_may_burn_or_close_instead(response, cash, tokens, is_open, debt_after):
    world = a_market(minters=4)
    a_pool(world, base=125_000.0, asset=1_000.0, shares=1_000.0)
    _, position = an_owner(world, collateral=2000.0, debt=10.0, cash=cash, tokens=tokens, response=response)
    at(world, 60.0, 125.0)
    minter.act(world, 0)
    assert position.is_open == is_open
    assert position.debt == pytest.approx(debt_after, abs=0.01)
    audit.check(world)


def test_an_owner_who_burns_buys_nothing_at_a_stale_price():
    world = a_market(minters=4, steps=20)
    a_pool(world, base=125_000.0, asset=1_000.0, shares=1_000.0)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, cash=1000.0, tokens=0.0, response=minter.Response.BURN)
    at(world, 60.0, 125.0)
    at(world, 180.0)
    minter.act(world, 0)
    assert (position.debt, world.wallets[row.account, TDOLLAR]) == (10.0, 1000.0)


def test_an_owner_comes_back_after_its_reaction_time():
    world = a_market(steps=20)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, cash=600.0, reaction=300.0)
    at(world, 60.0, 125.0)
    minter.act(world, 0)
    assert (position.collateral, row.due_at) == (2000.0, 360.0)
    at(world, 300.0, 125.0)
    minter.act(world, 0)
    assert position.collateral == 2000.0
    at(world, 360.0, 125.0)
    minter.act(world, 0)
    assert (position.collateral, row.due_at) == (2500.0, NEVER)


def test_an_owner_stands_down_if_the_price_came_back():
    world = a_market(steps=20)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, cash=600.0, reaction=300.0)
    at(world, 60.0, 125.0)
    minter.act(world, 0)
    at(world, 360.0, 100.0)
    minter.act(world, 0)
    assert (position.collateral, row.due_at) == (2000.0, NEVER)


def test_an_owner_refused_for_a_stale_price_tries_again_later():
    world = a_market(steps=20)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, cash=600.0)
    at(world, 60.0, 125.0)
    at(world, 180.0)
    minter.act(world, 0)
    assert world.tallies[Action.DEPOSIT, Status.STALE_PRICE] == 1
    assert (position.collateral, row.due_at) == (2000.0, 240.0)
    at(world, 240.0, 125.0)
    minter.act(world, 0)
    assert position.collateral == 2500.0


def test_an_inattentive_owner_does_nothing():
    world = a_market()
    _, position = an_owner(world, collateral=2000.0, debt=10.0, cash=600.0, alert_ratio=0.0)
    at(world, 60.0, 190.0)
    minter.act(world, 0)
    assert position.collateral == 2000.0
    assert ordered(minter, world) == []


def test_spare_collateral_is_withdrawn_less_the_fee():
    world = a_market()
    row, position = an_owner(world, collateral=2000.0, debt=10.0, excess_ratio=2.4)
    at(world, 60.0, 80.0)  # ratio 2.5
    minter.act(world, 0)
    assert position.collateral == 1600.0
    assert world.wallets[row.account, TDOLLAR] == pytest.approx(400 * 0.985, abs=1e-5)


def test_spare_collateral_is_minted_against_and_the_tokens_sold():
    world = a_market(minters=4)
    a_pool(world, base=80_000.0, asset=1_000.0, shares=1_000.0)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, excess_ratio=2.4, relevers=True)
    at(world, 60.0, 80.0)
    minter.act(world, 0)
    assert position.debt == 12.5
    assert world.wallets[row.account, 1] == 10.0
    assert world.wallets[row.account, TDOLLAR] == pytest.approx(2.5 * 80, rel=0.01)


def test_an_owner_leaves_when_its_time_has_come_buying_what_is_missing():
    world = a_market(minters=4)
    a_pool(world, base=100_000.0, asset=1_000.0, shares=1_000.0)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, cash=500.0, tokens=6.0, exit_at=60.0)
    at(world, 60.0, 100.0)
    minter.act(world, 0)
    assert (position.is_open, row.exit_at) == (False, NEVER)
    assert world.wallets[row.account, TDOLLAR] == pytest.approx(500 + 2000 * 0.985 - 4 * 100, rel=0.002)
    audit.check(world)


def test_an_owner_who_cannot_close_for_a_stale_price_buys_nothing():
    world = a_market(minters=4)
    a_pool(world, base=100_000.0, asset=1_000.0, shares=1_000.0)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, cash=500.0, tokens=6.0, exit_at=60.0)
    at(world, 61.0)
    minter.act(world, 0)
    assert (position.is_open, row.exit_at) == (True, 121.0)
    assert (world.wallets[row.account, TDOLLAR], world.wallets[row.account, 1]) == (500.0, 6.0)
    assert world.tallies[Action.CLOSE, Status.STALE_PRICE] == 1


def test_an_owner_too_poor_to_leave_tries_again_a_day_later():
    world = a_market(minters=4)
    a_pool(world, base=100_000.0, asset=1_000.0, shares=1_000.0)
    row, position = an_owner(world, collateral=2000.0, debt=10.0, cash=100.0, tokens=6.0, exit_at=60.0)
    at(world, 60.0, 100.0)
    minter.act(world, 0)
    assert (position.is_open, row.exit_at) == (True, 60.0 + 86_400)


# --- liquidators ---


def a_margin_call(*, pool_price=110.0, depth=10_000.0, cash=1e6, collateral=1500.0, min_profit=0.01, cost_usd=0.0, uses_pool=True, **terms):
    """CDP 0 owes 10 tokens at 110 USD; the pool holds `depth` tokens at `pool_price`."""
    world = a_market(minters=4, **terms)
    a_cdp(world, 0, collateral, 10.0)
    if depth:
        a_pool(world, base=pool_price * depth, asset=depth, shares=100.0)
    row = world.liquidators[0]
    row.min_profit, row.cost_usd, row.uses_pool = min_profit, cost_usd, uses_pool
    world.tokens[TDOLLAR].supply -= wallet(world, world.liquidators) - cash
    world.wallets[row.account, TDOLLAR] = cash
    at(world, 60.0, 110.0)
    assert liquidator.find_margin_called(world) == 1
    return world


def answer(world):
    """How the purchase phase ended for the margin-called CDP."""
    liquidator.act(world, 0)
    liquidator.explain(world)
    audit.check(world)
    return {Status(code) for code in np.flatnonzero(world.tallies[Action.PURCHASE])}


def test_a_liquidator_restores_the_ratio_and_earns_the_discount():
    world = a_margin_call()
    assert answer(world) == {Status.OK}
    position = world.cdps[0]
    assert cdp.collateral_ratio(position.collateral, position.debt, 110.0) == pytest.approx(1.5, rel=1e-6)
    burned = 10 - position.debt
    expected = burned * 110 / 0.8 - burned * 110 / 0.997
    assert wallet(world, world.liquidators) - 1e6 == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        ({"pool_price": 140.0}, {Status.UNPROFITABLE}),  # the pool asks more than 110 / 0.8
        ({"cost_usd": 500.0}, {Status.UNPROFITABLE}),  # gas eats the discount
        ({"min_profit": 0.5}, {Status.UNPROFITABLE}),
        ({"cash": 0.0}, {Status.NO_CAPITAL}),
        ({"cash": 1.5, "cost_usd": 2.0}, {Status.NO_CAPITAL}),  # what it could buy would not pay for its gas
        ({"depth": 0.0}, {Status.NO_LIQUIDITY}),
        ({"uses_pool": False}, {Status.NO_LIQUIDITY}),  # and holds no tokens of its own
        ({"cash": 50.0}, {Status.OK, Status.NO_CAPITAL}),  # a purchase, but not enough to restore the ratio
        ({"depth": 10.0}, {Status.OK, Status.NO_CAPITAL}),  # the pool becomes too dear half way
    ],
)
def test_what_stands_in_a_liquidators_way_is_named(situation, reason):
    assert answer(a_margin_call(**situation)) == reason


def test_a_stale_price_stops_liquidators():
    world = a_margin_call()
    at(world, 121.0)
    assert answer(world) == {Status.STALE_PRICE}


def test_a_reason_of_an_earlier_round_is_forgotten():
    """Nobody looked in this round, so a verdict on the whole tASSET from the round before does not count."""
    world = a_margin_call(pool_price=140.0)
    assert answer(world) == {Status.UNPROFITABLE}
    at(world, 120.0, 110.0)
    world.tallies[:] = 0
    liquidator.find_margin_called(world)
    liquidator.explain(world)
    assert world.tallies[Action.PURCHASE, Status.NO_CAPITAL] == 1
    assert world.tallies[Action.PURCHASE].sum() == 1


def test_tokens_in_the_wallet_are_used_first():
    world = a_margin_call(uses_pool=False)
    give_tassets(world, world.liquidators[0].account, 10.0)
    assert answer(world) == {Status.OK}
    assert wallet(world, world.liquidators, 1) == pytest.approx(world.cdps[0].debt, rel=1e-6)


def test_a_whole_liquidation_returns_what_is_left_to_the_owner():
    world = a_margin_call(liquidate_whole=True)
    owner = world.wallets[world.cdps[0].owner, TDOLLAR]
    assert answer(world) == {Status.OK}
    assert not world.cdps[0].is_open
    assert world.wallets[world.cdps[0].owner, TDOLLAR] - owner == pytest.approx(1500 - 10 * 110 / 0.8, abs=1e-5)
    assert world.flows[0].returned_usd == pytest.approx(1500 - 10 * 110 / 0.8, abs=1e-5)


def test_collateral_exhausted_before_debt_leaves_bad_debt():
    world = a_margin_call(collateral=1100.0)
    assert answer(world) == {Status.OK}
    assert not world.cdps[0].is_open
    assert world.tassets[0].bad_debt == pytest.approx(10 - 1100 * 0.8 / 110, abs=1e-5)
    assert world.events[0].bad_debt == world.tassets[0].bad_debt


def test_the_event_list_counts_what_it_cannot_hold():
    world = a_margin_call()
    world.clock[0].events = len(world.events)
    answer(world)
    assert world.clock[0].events_lost == 1
    assert world.flows[0].liquidations == 1


def test_the_time_of_a_margin_call_is_kept_until_the_cdp_is_restored():
    world = a_margin_call(cash=0.0)
    at(world, 120.0, 110.0)
    liquidator.find_margin_called(world)
    assert world.marks[0].called_at == 60.0
    at(world, 180.0, 90.0)
    assert liquidator.find_margin_called(world) == 0
    at(world, 240.0, 110.0)
    liquidator.find_margin_called(world)
    assert world.marks[0].called_at == 240.0


@given(base=st.floats(100.0, 1e7), asset=st.floats(10.0, 1e6), commission=st.floats(0.0, 0.05), premium=st.floats(0.5, 2.0))
def test_profitable_tokens_stop_where_the_next_costs_the_limit(base, asset, commission, premium):
    limit = base / asset * premium
    tokens = purchase_bounds.profitable_tokens(base, asset, commission, limit)
    if premium * (1 - commission) <= 1:
        assert tokens <= 1e-6 * asset
    else:
        more = tokens * 1.001 + 1e-3
        cost_now, cost_more = (amm.quote_cost(base, asset, t, commission) for t in (tokens, more))
        assert cost_now <= limit * tokens * (1 + 1e-6) + 1e-5
        assert cost_more == math.inf or cost_more - cost_now >= (more - tokens) * limit * (1 - 1e-3) - 1e-4


# --- traders, arbitrageurs, LPs ---


def with_orders(world, *orders):
    orders = np.array([tuple(order) for order in orders], dtype=world.orders.dtype)
    return world._replace(orders=orders, order_start=np.array([0, 0] + [len(orders)] * (len(world.order_start) - 2)))


@pytest.mark.parametrize(
    ("sells", "usd", "max_spread", "status"),
    [
        (False, 1000.0, 0.05, Status.OK),
        (True, 1000.0, 0.05, Status.OK),
        (False, 20_000.0, 0.05, Status.EXCEEDS_MAX_SPREAD),
        (False, 2e6, 1.0, Status.INSUFFICIENT_BALANCE),
        (True, 6000.0, 1.0, Status.INSUFFICIENT_BALANCE),
    ],
)
def test_an_order_is_placed_or_refused(sells, usd, max_spread, status):
    world = a_market(minters=4)
    a_pool(world, base=100_000.0, asset=1_000.0, shares=1_000.0)
    give_tassets(world, world.traders[0].account, 50.0)
    world.traders["max_spread"] = max_spread
    world = with_orders(world, (0, 0, sells, usd))
    at(world, 60.0)
    trader.act(world, 0)
    assert world.tallies[Action.SWAP, status] == 1
    audit.check(world)


@pytest.mark.parametrize(("pool_price", "after"), [(90.0, 99.0), (99.5, 99.5), (110.0, 101.0), (100.0, 100.0)])
def test_an_arbitrageur_pulls_the_pool_to_the_edge_of_its_band(pool_price, after):
    world = a_market(minters=4)
    pool = a_pool(world, base=1_000 * pool_price, asset=1_000.0, shares=1_000.0)
    give_tassets(world, world.arbitrageurs[0].account, 200.0)
    world.arbitrageurs["min_edge"] = 0.01
    trader.act_arbitrageur(world, 0)
    assert amm.price(pool, world.wallets) == pytest.approx(after, rel=3e-4)  # the commission stays in the pool


def test_an_arbitrageur_leaves_a_pool_alone_while_the_price_is_stale():
    world = a_market(minters=4)
    pool = a_pool(world, base=90_000.0, asset=1_000.0, shares=1_000.0)
    at(world, 61.0)
    trader.act_arbitrageur(world, 0)
    assert amm.price(pool, world.wallets) == 90.0


def a_nervous_lp(world):
    row = world.lps[0]
    row.exit_premium, row.exit_stale, row.return_after = 0.1, 600.0, 120.0
    return row


@pytest.mark.parametrize(
    ("pool_price", "age", "leaves"),
    [(100.0, 0.0, False), (109.9, 0.0, False), (110.5, 0.0, True), (89.0, 0.0, True), (100.0, 600.0, False), (100.0, 601.0, True)],
)
def test_a_nervous_lp_leaves_a_broken_peg_or_a_silent_oracle(pool_price, age, leaves):
    world = a_market(minters=4)
    a_pool(world, base=1_000 * pool_price, asset=1_000.0, shares=1_000.0)
    row = a_nervous_lp(world)
    at(world, age)
    assert ordered(lp, world) == ([0] if leaves else [])
    lp.act(world, 0)
    assert (world.wallets[row.account, world.pools[0].share_token] == 0.0) == leaves
    audit.check(world)


def test_an_lp_comes_back_after_a_calm():
    world = a_market(minters=4, lps=2)
    pool = a_pool(world, base=120_000.0, asset=1_000.0, shares=1_000.0)
    amm.provide(pool, world.tokens, world.wallets, world.lps[1].account, 120.0, 1.0, 1.0)
    give_tassets(world, world.lps[1].account, 10.0)
    amm.provide(pool, world.tokens, world.wallets, world.lps[1].account, 1200.0, 10.0, 1.0)
    row = a_nervous_lp(world)
    at(world, 60.0, 100.0)
    lp.act(world, 0)
    assert world.wallets[row.account, pool.share_token] == 0.0
    for now, price, inside in [(120, 120, False), (180, 140, False), (240, 120, False), (300, 120, False), (360, 120, True)]:
        at(world, float(now), float(price))
        lp.act(world, 0)
        assert (world.wallets[row.account, pool.share_token] > 0.0) == inside, now
    audit.check(world)


# --- who goes first ---


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=30), st.integers(0, 2**31 - 1), st.integers(0, 10**6))
def test_an_order_is_a_permutation_that_newcomers_do_not_upset(rows, seed, step):
    order = drawn(rows, seed, step)
    assert sorted(order) == sorted(rows)
    assert drawn(rows[1:], seed, step) == [row for row in order if row not in rows[:1]]
    assert drawn(rows[::-1], seed, step) == order


@given(st.lists(st.integers(-(2**62), 2**62), max_size=200), st.data())
def test_rows_are_sorted_between_two_places(rows, data):
    first, end = sorted((data.draw(st.integers(0, len(rows))), data.draw(st.integers(0, len(rows)))))
    rows = np.array(rows, dtype=np.int64)
    expected = [*rows[:first], *sorted(rows[first:end]), *rows[end:]]
    sort_rows(rows, first, end)
    assert list(rows) == expected


def test_everybody_goes_first_equally_often():
    first = np.bincount([drawn(range(8), 77, step)[0] for step in range(8000)], minlength=8)
    chi_squared = ((first - 1000) ** 2 / 1000).sum()
    assert chi_squared < 24.3  # 99.9% quantile with 7 degrees of freedom


def test_mixing_keeps_to_32_bits_and_tells_neighbours_apart():
    mixed = {mix(number) for number in range(10_000)}
    assert len(mixed) == 10_000
    assert all(0 <= number < 2**32 for number in mixed)


def test_margin_calls_start_below_the_minimum_not_at_it():
    world = a_market()
    position = a_cdp(world, 0, 1500.0, 10.0)
    assert not auction.is_margin_called(position, world.tassets[0], 100.0)
    assert auction.is_margin_called(position, world.tassets[0], 100.0 + 1e-4)
