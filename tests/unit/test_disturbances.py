"""Shocks that are no prices: what each kind puts into a run, what agents do about it, and what a scenario must not say."""

import re

import exchanges
import numpy as np
import pytest
from avmm_markets import an_avmm
from avmm_markets import next_round as next_rfq_round
from exchanges import an_exchange
from hypothesis import given
from hypothesis import strategies as st
from worlds import a_cdp, a_market, a_pool

from seawall.agents import avmm_lp, exchange_keeper, liquidator, liquidity_lp, lp, oracle_feeder
from seawall.agents.avmm import Mechanism
from seawall.agents.tables import DEPARTURE, FEED_FAULT, GAS
from seawall.models import avmm_audit, exchange_step
from seawall.models.measures import liquidators_profit
from seawall.models.world import digest
from seawall.protocols import audit, oracle
from seawall.protocols.errors import ScenarioError
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR
from seawall.scenarios.build import build
from seawall.scenarios.disturbance_checks import check_sizes
from seawall.scenarios.disturbance_schema import GasSpike
from seawall.scenarios.disturbances import Event, listed, plan_of, strength
from seawall.scenarios.load import load

NEVER = float("inf")
STEP = 60.0
TEXT = """\
name: Test
about: One line.
seed: 1
step_seconds: 60
prices:
  model: constant
  days: 0.25
  assets:
    A: {start_usd: 100}
    B: {start_usd: 50}
tassets:
  tA: {tracks: A, pool: {liquidity_usd: 1e4}}
  tB: {tracks: B, pool: {liquidity_usd: 1e4}}
oracle_feeders: {latency_seconds: 120}
minters: {count: 20}
traders: {count: 10, orders_per_day: 200}
lps: {count: 10}
"""
AVMM = """\
avmm:
  assets: {tDOLLAR: {}, GEM: {tracks: A}, OTHER: {tracks: B}}
  lps: {static: {count: 9}}
  traders: {count: 5, orders_per_day: 200}
"""
EXCHANGE = """\
exchange:
  collaterals: {COIN: {}}
  markets: {A-PERP: {tracks: A, skew_scale: 20_000}}
  pools: {main: {}}
  lps: {count: 8}
  traders: {noise: {count: 5, orders_per_day: 100}, momentum: {count: 3, orders_per_day: 100}}
"""


@pytest.fixture
def loaded(tmp_path):
    """A scenario with these disturbances, one a line, and these parts besides."""

    def load_with(*disturbances, parts="", settings=()):
        file = tmp_path / "test.yaml"
        lines = "".join(f"  - {{{line}}}\n" for line in disturbances)
        file.write_text(TEXT + parts + (f"disturbances:\n{lines}" if lines else ""))
        return load(file, settings)

    return load_with


def in_hours(loaded, values, hours):
    """What stands in an input at these hours of the run."""
    rounds = np.array(hours) * 3600.0 / loaded.scenario.step_seconds
    return values[rounds.astype(int)].tolist()


# --- oracles ---


def a_fed_market(**fault):
    """A feeder with a usual lag of 2 rounds whose market price in round t is 100 + t; in round 10 it has a fault."""
    world = a_market(steps=20)
    world.oracle_feeders["heartbeat"], world.oracle_feeders["lag"] = STEP, 2
    world.market_price[:, 0] = 100.0 + np.arange(21)
    faults = np.zeros((21, 1), FEED_FAULT)
    faults["factor"] = 1.0
    for column, value in fault.items():
        faults[column][10] = value
    world = world._replace(feed_faults=faults)
    world.clock["step"], world.clock["now"] = 10, 600.0
    oracle_feeder.act(world, 0)
    return world.feeds[0]


@pytest.mark.parametrize(
    ("fault", "price"),
    [
        ({}, 108.0),
        ({"lag": 5}, 103.0),
        ({"factor": 0.5}, 54.0),
        ({"lag": 8, "factor": 2.0}, 200.0),
    ],
)
def test_a_feeder_publishes_what_its_fault_makes_of_the_price_with_a_fresh_timestamp(fault, price):
    feed = a_fed_market(**fault)
    assert (feed.price, feed.updated_at) == (price, 600.0)


def test_a_feeder_that_would_have_to_see_before_the_start_is_silent():
    assert a_fed_market(lag=9).updated_at == 0.0


def test_a_lag_is_felt_in_its_hours_by_the_feeds_it_names_and_cannot_reach_before_the_start(loaded):
    """2 rounds of usual lag: in round 6 (0.1 h) a feeder sees round 4, so 4 rounds more are all there can be of 10."""
    late = loaded("kind: oracle_lag, tasset: tB, at_hours: 0.1, hours: 1, extra_seconds: 600")
    lags = build(late).world.feed_faults["lag"]
    assert in_hours(late, lags[:, 1], [0.0, 0.1, 0.2, 1.0, 1.05, 1.1]) == [0, 4, 10, 10, 10, 0]
    assert not lags[:, 0].any()


def test_lags_of_the_same_time_add_up_and_an_asset_means_all_its_feeds(loaded):
    twice = loaded(
        "kind: oracle_lag, at_hours: 1, hours: 2, extra_seconds: 60",
        "kind: oracle_lag, asset: A, at_hours: 2, hours: 2, extra_seconds: 120",
        parts=AVMM,
    )
    lags = build(twice).world.feed_faults["lag"]  # feeders of tA, tB; GEM and OTHER are fed with them
    assert [in_hours(twice, lags[:, k], [1.5, 2.5, 3.5]) for k in range(lags.shape[1])] == [[1, 3, 2], [1, 1, 0]]


def test_a_wrong_oracle_grows_and_fades_in_the_logarithm(loaded):
    wrong = loaded("kind: oracle_wrong, tasset: tA, at_hours: 1, hours: 2, ramp_hours: 1, recovery_hours: 1, factor: 4")
    factors = build(wrong).world.feed_faults["factor"]
    assert in_hours(wrong, factors[:, 0], [0.5, 1.0, 1.5, 2.0, 2.5, 3.5, 4.0, 5.0]) == pytest.approx([1, 1, 2, 4, 4, 2, 1, 1], rel=1e-12)
    assert (factors[:, 1] == 1.0).all()


def test_a_stuck_oracle_goes_on_publishing_the_price_of_the_beginning(loaded):
    world = build(loaded("kind: oracle_stuck, asset: A, at_hours: 1, hours: 1")).world
    world.market_price[:, 0] = 100.0 + np.arange(len(world.market_price))
    seen = []
    for step in (59, 60, 61, 119, 120):
        world.clock["step"], world.clock["now"] = step, step * STEP
        oracle_feeder.act(world, 0)
        seen.append((world.feeds[0].price, world.feeds[0].updated_at / STEP))
    assert seen == [(157.0, 59.0), (158.0, 60.0), (158.0, 61.0), (158.0, 119.0), (218.0, 120.0)]


def test_a_stuck_oracle_in_closed_hours_keeps_the_last_price_of_the_session(loaded, monkeypatch):
    from seawall.scenarios import inputs

    plain = inputs.with_new_shares

    def closed_from_half_past_zero(scenario, paths):
        prices, is_open = plain(scenario, paths)
        is_open[30:90] = False
        return prices, is_open

    monkeypatch.setattr(inputs, "with_new_shares", closed_from_half_past_zero)
    lags = build(loaded("kind: oracle_stuck, at_hours: 1, hours: 1")).world.feed_faults["lag"][:, 0]
    assert [step - 2 - lags[step] for step in (60, 61, 119)] == [29, 29, 29]


# --- liquidity of the pools ---


def a_drained_pool(*, until=240.0, lps=2, **behaviour):
    """Two LPs with a half each of 1000 tDOLLAR and 10 tokens; the first is sent away in round 2."""
    world = a_market(lps=lps, commission=0.0)
    a_pool(world, base=1000.0, asset=10.0, shares=100.0)
    share = int(world.pools[0].share_token)
    world.wallets[world.lps[0].account, share] = world.wallets[world.lps[1].account, share] = 50.0
    for name, value in behaviour.items():
        world.lps[0][name] = value
    departures = np.zeros(1, DEPARTURE)
    departures["step"], departures["until"] = 2, until
    return world._replace(departures=departures)


def play_pool(world, rounds):
    """Tokens in the pool after each round, all tDOLLAR of the LPs having been taken from them before the first."""
    rows, tokens = np.zeros(8, np.int64), []
    for _ in range(rounds):
        world.clock[0].step += 1
        world.clock[0].now = world.clock[0].step * STEP
        oracle.publish(world.feeds[0], world.feeds[0].feeder, 100.0, world.clock[0].now)
        for k in range(lp.order(world, rows)):
            lp.act(world, rows[k])
        audit.check(world)
        tokens.append(float(world.wallets[world.pools[0].account, 1]))
    return tokens


@pytest.mark.parametrize(
    ("situation", "tokens"),
    [
        ({}, [10, 5, 5, 10, 10]),
        ({"until": NEVER}, [10, 5, 5, 5, 5]),
        ({"exit_premium": 0.5}, [10, 5, 5, 10, 10]),  # nervous, but nothing frightens it
    ],
)
def test_an_lp_sent_away_takes_its_part_and_brings_it_back(situation, tokens):
    assert play_pool(a_drained_pool(**situation), 5) == tokens


def test_an_lp_that_is_afraid_when_its_time_is_over_stays_outside():
    world = a_drained_pool(exit_premium=0.05, return_after=0.0)
    play_pool(world, 2)
    world.market_price[:] = 100.0
    pool = world.pools[0]
    tokens = world.wallets[world.lps[1].account, 1]  # nobody has any; the pool is moved by tDOLLAR
    assert tokens == 0.0
    world.wallets[pool.account, TDOLLAR] += 100.0
    world.tokens[TDOLLAR].supply += 100.0
    assert play_pool(world, 3) == [5, 5, 5]
    assert not world.lps[0].is_away


def test_who_is_sent_away_again_stays_for_the_longer_time():
    world = a_drained_pool(until=240.0)
    twice = np.concatenate([world.departures, world.departures])
    twice["step"], twice["until"] = [2, 3], [360.0, 240.0]
    assert play_pool(world._replace(departures=twice), 6) == [10, 5, 5, 5, 5, 10]


def test_a_pool_that_everybody_leaves_is_empty_until_they_come_back():
    world = a_drained_pool()
    both = np.zeros(2, DEPARTURE)
    both["step"], both["until"], both["lp"] = 2, 240.0, [0, 1]
    found = play_pool(world._replace(departures=both), 4)
    assert found[:3] == [10, 0, 0]
    assert found[3] == pytest.approx(10, rel=1e-3)


def test_a_share_of_the_lps_is_drawn_and_a_larger_one_strikes_the_same_and_more(loaded):
    few, many = (loaded(f"kind: liquidity_drain, at_hours: 1, hours: 2, share: {share}") for share in (0.3, 0.6))
    few, many = (build(found).world.departures for found in (few, many))
    assert (len(few), len(many)) == (6, 12)
    assert set(few["lp"]) < set(many["lp"])
    assert set(few["step"]) == {60}
    assert set(few["until"]) == {3 * 3600.0}


def test_a_drain_of_one_tasset_strikes_its_pool_alone(loaded):
    world = build(loaded("kind: liquidity_drain, tasset: tB, at_hours: 1, share: 1")).world
    assert sorted(world.departures["lp"]) == np.flatnonzero(world.lps["pool"] == 1).tolist()
    assert (world.departures["until"] == NEVER).all()


# --- liquidity of the RFQ market ---


def play_rfq(v, rounds):
    """The first LP's tokens at work and whether it accepts anything, after each round."""
    rows, found = np.zeros(8, np.int64), []
    for _ in range(rounds):
        next_rfq_round(v)
        for k in range(avmm_lp.order(v, rows)):
            avmm_lp.act(v, rows[k])
        avmm_audit.check(v)
        primary = int(v.book.lps[0].primary)
        if v.terms[0].mechanism == Mechanism.CONSTANT_PRODUCT:
            at_work = v.wallets[v.avmm_lps[0].account, v.pools[0].share_token] > 0.0
        else:
            at_work = v.book.holdings[0, primary].balance == v.avmm_lps[0].start_tokens
        found.append((bool(at_work), bool(v.book.lps[0].accepts)))
    return found


def a_drained_book(mechanism, *, until=240.0):
    """Three static LPs, the first of whom is sent away in round 2."""
    v = an_avmm(mechanism=mechanism)
    departures = np.zeros(1, DEPARTURE)
    departures["step"], departures["until"] = 2, until
    return v._replace(departures=departures)


@pytest.mark.parametrize(
    ("mechanism", "until", "found"),
    [
        (Mechanism.RFQ, 240.0, [(True, True), (False, False), (False, False), (True, True), (True, True)]),
        (Mechanism.RFQ, NEVER, [(True, True), (False, False), (False, False), (False, False), (False, False)]),
        (Mechanism.CONSTANT_PRODUCT, 240.0, [(True, True), (False, True), (False, True), (True, True), (True, True)]),
        (Mechanism.DUTCH_AUCTION, 240.0, [(False, True), (False, False), (False, False), (False, True), (False, True)]),
    ],
)
def test_an_rfq_lp_sent_away_takes_everything_out_and_comes_back(mechanism, until, found):
    assert play_rfq(a_drained_book(mechanism, until=until), 5) == found


def test_an_rfq_lp_that_is_away_neither_looks_nor_counts_as_in_the_market():
    v = a_drained_book(Mechanism.RFQ)
    play_rfq(v, 3)
    assert v.avmm_lps[0].is_out
    v.avmm_lps[0].look_at = 0.0
    before = v.tallies.copy()
    play_rfq(v, 0)
    assert (v.tallies == before).all()


def test_what_an_rfq_lp_takes_out_is_all_that_it_had(loaded):
    """Both balances of the position end in the wallet; only the primary one goes back."""
    v = a_drained_book(Mechanism.RFQ)
    v.book.holdings[0, 1].balance += 1.0
    token, book_account = int(v.book.assets[1].token), int(v.book.terms[0].account)
    v.wallets[book_account, token] += 1.0
    v.tokens[token].supply += 1.0
    play_rfq(v, 5)
    assert v.wallets[v.avmm_lps[0].account, token] == 1.0
    assert v.book.holdings[0, 1].balance == 0.0


def test_a_drain_of_the_rfq_market_strikes_who_pays_out_the_asset(loaded):
    model = build(loaded("kind: liquidity_drain, venue: rfq, asset: GEM, at_hours: 1, share: 1", parts=AVMM))
    assert set(model.avmm.book.lps["primary"][model.avmm.departures["lp"]]) == {1}
    assert len(model.avmm.departures) == 3
    assert len(model.world.departures) == 0


# --- liquidity of the exchange ---


def play_exchange(x, rounds):
    rows = np.zeros(8, np.int64)
    for _ in range(rounds):
        exchanges.next_round(x, exchanges.PRICE)
        exchange_step.begin(x)
        for k in range(liquidity_lp.order(x, rows)):
            liquidity_lp.act(x, rows[k])


@pytest.mark.parametrize(
    ("until", "look_at", "pool"),
    [
        (NEVER, 300.0, -1),
        (600.0, 300.0, -1),
        (200.0, 300.0, 0),  # the fright is over before it looks
    ],
)
def test_an_exchange_lp_frightened_by_a_drain_leaves_at_its_next_look(until, look_at, pool):
    x = an_exchange()
    departures = np.zeros(1, DEPARTURE)
    departures["step"], departures["until"] = 2, until
    x = x._replace(departures=departures)
    x.liquidity_lps[0].look_at = look_at
    play_exchange(x, 6)
    assert x.liquidity_lps[0].pool == pool
    held = x.wallets[x.liquidity_lps[0].account, exchanges.ETH]
    assert held == (x.liquidity_lps[0].start_tokens if pool < 0 else 0.0)


# --- gas ---


def a_margin_call(*, factor=1.0, delay=0.0, cost_usd=2.0):
    """CDP 0 owes 10 tokens at 110 USD and is found margin called in round 1; gas costs so much from then on."""
    world = a_market(minters=4, steps=20)
    a_cdp(world, 0, 1500.0, 10.0)
    a_pool(world, base=1_100_000.0, asset=10_000.0, shares=100.0)
    gas = np.zeros(21, GAS)
    gas["factor"], gas["delay"] = factor, delay
    world.liquidators[0].min_profit, world.liquidators[0].cost_usd = 0.01, cost_usd
    world.liquidators[0].start_usd = world.wallets[world.liquidators[0].account, TDOLLAR]
    return world._replace(gas=gas)


def play_auctions(world, rounds):
    """What liquidators answered in each round, after which nothing else happens."""
    rows, answers = np.zeros(8, np.int64), []
    for _ in range(rounds):
        world.clock[0].step += 1
        world.clock[0].now = world.clock[0].step * STEP
        oracle.publish(world.feeds[0], world.feeds[0].feeder, 110.0, world.clock[0].now)
        before = world.tallies[Action.PURCHASE].copy()
        for k in range(liquidator.order(world, rows)):
            liquidator.act(world, rows[k])
        liquidator.explain(world)
        audit.check(world)
        answers.append({Status(code).name for code in np.flatnonzero(world.tallies[Action.PURCHASE] - before)})
    return answers


@pytest.mark.parametrize(
    ("gas", "answers"),
    [
        ({}, [{"OK"}, set(), set(), set()]),
        ({"delay": 120.0}, [{"TOO_EARLY"}, {"TOO_EARLY"}, {"OK"}, set()]),
        ({"factor": 500.0}, [{"UNPROFITABLE"}] * 4),
        ({"factor": 10.0}, [{"OK"}, set(), set(), set()]),
    ],
)
def test_dear_gas_holds_liquidators_up_or_makes_a_purchase_not_worth_it(gas, answers):
    assert play_auctions(a_margin_call(**gas), 4) == answers


def test_what_gas_costs_beyond_the_usual_is_taken_off_the_liquidators_profit():
    cheap, dear = a_margin_call(), a_margin_call(factor=10.0)
    play_auctions(cheap, 1)
    play_auctions(dear, 1)
    assert dear.liquidators[0].extra_cost_usd == 18.0
    assert liquidators_profit(cheap) - liquidators_profit(dear) == pytest.approx(18.0, abs=1e-9)


def test_a_spike_is_felt_in_its_hours_and_the_longest_delay_counts(loaded):
    spikes = loaded(
        "kind: gas_spike, at_hours: 1, hours: 2, recovery_hours: 2, factor: 9, delay_minutes: 10",
        "kind: gas_spike, at_hours: 2, hours: 1, factor: 2, delay_minutes: 5",
    )
    gas = build(spikes).world.gas
    assert in_hours(spikes, gas["factor"], [0.5, 1.0, 2.5, 3.0, 4.0, 5.0]) == pytest.approx([1, 9, 18, 9, 3, 1], rel=1e-12)
    assert in_hours(spikes, gas["delay"], [0.5, 1.0, 2.5, 3.0]) == [0, 600, 600, 0]


@pytest.mark.parametrize(
    ("factor", "delay", "reward", "answer"),
    [
        (1.0, 0.0, 100.0, Status.OK),
        (1.0, 60.0, 100.0, Status.TOO_EARLY),
        (1_000.0, 0.0, 100.0, Status.UNPROFITABLE),
        (50.0, 0.0, 100.0, Status.OK),
    ],
)
def test_dear_gas_holds_keepers_of_the_exchange_up(factor, delay, reward, answer):
    x = an_exchange()
    gas = np.zeros(61, GAS)
    gas["factor"], gas["delay"] = factor, delay
    x = x._replace(gas=gas)
    x.exchange_keepers["cost_usd"], x.groups["min_keeper_reward"] = 1.0, reward
    trader = x.perps_traders[0]
    exchanges.next_round(x, exchanges.PRICE)
    a_hopeless_position(x, trader)
    assert exchange_keeper.liquidate_trader(x, x.exchange_keepers[0], trader, 60.0) == answer
    assert x.exchange_keepers[0].extra_cost_usd == (factor - 1.0 if answer == Status.OK else 0.0)


def a_hopeless_position(x, trader):
    """Buy 10 ETH at 2000 with a margin of 4000, and let the price fall to 1605."""
    from seawall.agents.perps_trader import trade

    exchange_step.begin(x)
    assert trade(x, trader, 10.0, int(x.exchange_keepers[0].account), 60.0) == Status.OK
    for feed in x.feeds:
        oracle.publish(feed, exchanges.CREATOR, 1605.0, 60.0)


def test_a_call_that_was_over_in_between_is_a_new_one():
    x = an_exchange()
    gas = np.zeros(61, GAS)
    gas["delay"] = 60.0
    x, trader, answers = x._replace(gas=gas), x.perps_traders[0], []
    for step in (1, 2, 5, 6):
        x.clock["step"] = step
        answers.append(exchange_keeper.is_held_up(x, trader, step * STEP))
    assert answers == [True, False, True, False]


# --- stampedes ---


def orders_of(world):
    """Round, trader, pool, side and USD of every order."""
    rounds = np.searchsorted(world.order_start, np.arange(len(world.orders)), side="right") - 1
    return list(zip(rounds.tolist(), *(world.orders[name].tolist() for name in ("trader", "pool", "sells", "usd")), strict=True))


def test_a_stampede_adds_orders_of_one_side_in_its_hours_and_moves_no_other(loaded):
    usual = orders_of(build(loaded()).world)
    found = orders_of(build(loaded("kind: stampede, tasset: tB, at_hours: 1, hours: 2, factor: 5, sell_share: 1")).world)
    extra = list(found)
    for order in usual:
        extra.remove(order)
    assert [order for order in found if order in set(usual)] == usual
    assert {order[2] for order in extra} == {1}
    assert all(order[3] for order in extra)
    assert min(order[0] for order in extra) > 60
    assert max(order[0] for order in extra) <= 180
    assert len(extra) == pytest.approx(4 * 1000 / 12, abs=4 * 333**0.5)  # 2000 a day, of which half are of tB, for 2 hours


def test_a_stampede_of_the_rfq_market_trades_the_named_asset(loaded):
    usual = build(loaded(parts=AVMM)).avmm.avmm_orders
    found = build(loaded("kind: stampede, venue: rfq, asset: OTHER, at_hours: 1, hours: 2, factor: 5, buy_share: 1", parts=AVMM)).avmm
    assert len(found.avmm_orders) - len(usual) == pytest.approx(4 * 500 / 12, abs=4 * 167**0.5)
    kept = {(order.trader, order.asset, order.usd) for order in usual}
    extra = [order for order in found.avmm_orders if (order.trader, order.asset, order.usd) not in kept]
    assert {int(order.asset) for order in extra} == {2}
    assert not any(order.sells for order in extra)


def test_a_stampede_of_the_exchange_is_of_noise_traders_and_of_one_side(loaded):
    usual = build(loaded(parts=EXCHANGE)).exchange.perps_orders
    found = build(loaded("kind: stampede, venue: exchange, at_hours: 1, hours: 2, factor: 5, sell_share: 1", parts=EXCHANGE)).exchange
    extra = found.perps_orders[found.perps_orders["side"] == 1.0]
    assert len(found.perps_orders) == len(usual) + len(extra)
    assert set(extra["trader"]) <= set(range(5))  # the momentum traders come after them


# --- times ---


def test_random_times_are_drawn_from_a_stream_of_their_own(loaded):
    scenario = loaded("kind: gas_spike, per_year: 3_000, hours: 0.1, factor: 3").scenario
    events = plan_of(scenario, 43_200, 1, 0).events
    assert len(events) == pytest.approx(3_000 * 30 / 365, abs=4 * 247**0.5)
    assert plan_of(scenario, 43_200, 1, 0) == plan_of(scenario, 43_200, 1, 0)
    assert plan_of(scenario, 43_200, 1, 1).events != events
    shorter = plan_of(scenario, 21_600, 1, 0).events
    assert events[: len(shorter)] == shorter


def test_another_disturbance_moves_the_draws_of_none(loaded):
    spike = "kind: gas_spike, per_year: 3_000, hours: 0.1, factor: 3"
    drain = "kind: liquidity_drain, at_hours: 1, hours: 2, share: 0.5"
    both, alone = loaded(drain, spike), loaded(spike)
    assert [event.from_s for event in plan_of(both.scenario, 360, 1, 0).of_kind("gas_spike")] == [
        event.from_s for event in plan_of(alone.scenario, 360, 1, 0).of_kind("gas_spike")
    ]
    assert (build(both).world.departures == build(loaded(drain)).world.departures).all()


def test_a_disturbance_moves_nobody_elses_draws(loaded):
    """Until it begins the market is the same, bit for bit, but for what announces it."""
    calm = build(loaded())
    wrong = "kind: oracle_wrong, at_hours: 3, hours: 1, factor: 2"
    warned = build(loaded("kind: liquidity_drain, at_hours: 3, hours: 1, share: 0.5", wrong))
    for model in (calm, warned):
        model.run_for(150)
    announced = {"departures": calm.world.departures, "feed_faults": calm.world.feed_faults}
    assert digest(warned.world._replace(**announced)) == digest(calm.world)


def test_strength_of_a_shape_by_hand(loaded):
    scenario = loaded("kind: gas_spike, at_hours: 1, hours: 2, ramp_hours: 0.5, recovery_hours: 1, factor: 3").scenario
    event = plan_of(scenario, 360, 1, 0).events[0]
    hours = np.array([0.9, 1.0, 1.25, 1.5, 3.0, 3.5, 4.0, 5.0])
    assert strength(event, hours * 3600.0) == pytest.approx([0, 0, 0.5, 1, 1, 0.5, 0, 0])


@given(
    hours=st.floats(0.1, 5.0),
    ramp=st.floats(0.0, 1.0),
    recovery=st.floats(0.0, 5.0),
    at=st.lists(st.floats(0.0, 20.0), min_size=2, max_size=20),
)
def test_any_shape_is_felt_between_nothing_and_all_and_only_while_it_lasts(hours, ramp, recovery, at):
    spec = GasSpike(kind="gas_spike", at_hours=1.0, hours=hours, ramp_hours=ramp * hours, recovery_hours=recovery, factor=3.0)
    end = (1.0 + hours) * 3600.0
    event = Event(0, spec, 3600.0, end, end + recovery * 3600.0, (4, 0, 0))
    times = np.array(at) * 3600.0
    felt = strength(event, times)
    assert ((felt >= 0.0) & (felt <= 1.0)).all()
    assert not felt[(times < 3600.0) | (times >= event.over_s)].any()


def test_what_a_report_marks_is_listed_by_time_and_ends_with_the_run(loaded):
    scenario = loaded(
        "kind: liquidity_drain, at_hours: 2, share: 0.5", "kind: gas_spike, at_hours: 1, hours: 1, recovery_hours: 9, factor: 3"
    ).scenario
    events = listed(scenario, 360, 1, 0)
    assert [(event["kind"], event["place"], event["from_s"], event["to_s"], event["over_s"]) for event in events] == [
        ("gas_spike", 1, 3600.0, 7200.0, 21600.0),
        ("liquidity_drain", 0, 7200.0, 21600.0, 21600.0),
    ]
    assert [event["what"] for event in events] == ["gas costs 3 times the usual", "50% of the LPs of the pools leave"]


# --- a scenario with all of them ---

EVERY_KIND = (
    "kind: liquidity_drain, at_hours: 0.2, hours: 1, share: 0.5",
    "kind: liquidity_drain, venue: rfq, at_hours: 0.3, hours: 1, share: 0.5",
    "kind: liquidity_drain, venue: exchange, at_hours: 0.3, hours: 1, share: 0.5",
    "kind: oracle_lag, at_hours: 0.5, hours: 0.2, extra_seconds: 180",
    "kind: oracle_wrong, tasset: tA, per_year: 5_000, hours: 0.2, factor: 1.5",
    "kind: oracle_stuck, asset: B, at_hours: 0.5, hours: 0.5",
    "kind: gas_spike, at_hours: 0.5, hours: 1, factor: 20, delay_minutes: 5",
    "kind: stampede, per_year: 5_000, hours: 0.2, factor: 4, sell_share: 0.9",
)


def test_all_kinds_together_keep_the_books_and_give_the_same_bytes_however_the_run_is_split(loaded):
    market = loaded(*EVERY_KIND, parts=AVMM + EXCHANGE)
    audited, split = build(market, with_audit=True), build(market)
    audited.run_for(120)
    for rounds in (1, 30, 89):
        split.run_for(rounds)
    assert audited.digest() == split.digest()


# --- faults ---


def faults_of(load_with, *disturbances, parts="", settings=()):
    with pytest.raises(ScenarioError) as caught:
        load_with(*disturbances, parts=parts, settings=settings)
    return [re.sub(r"^.*/", "", str(fault)) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("kind: oracle_lag, at_hours: 1, hours: 1, extra_seconds: -1", "extra_seconds: -1 is not in (0, 86400]"),
        ("kind: oracle_lag, hours: 1, extra_seconds: 60", "needs exactly one of at_hours (once, then) and per_year (so often, at random)"),
        ("kind: oracle_lag, at_hours: 1, per_year: 2, hours: 1, extra_seconds: 60", "needs exactly one of at_hours"),
        ("kind: oracle_lag, at_hours: 1, hours: 1, extra_seconds: 60, tasset: tC", "tasset: 'tC' is no tASSET; known: tA, tB"),
        ("kind: oracle_stuck, at_hours: 1, hours: 1, asset: C", "asset: 'C' is no asset that a feed follows; known: A, B"),
        ("kind: oracle_stuck, at_hours: 1, hours: 1, asset: A, tasset: tA", "names tasset (tA) and asset (A); one of them would do"),
        ("kind: oracle_wrong, at_hours: 1, hours: 1, ramp_hours: 2, factor: 2", "ramp_hours (2) must not be more than hours (1)"),
        ("kind: oracle_wrong, at_hours: 7, hours: 1, factor: 2", "at_hours: 7 is after the end of the run (6 hours)"),
        ("kind: gas_spike, at_hours: 1, factor: 2", "hours: is missing"),
        ("kind: liquidity_drain, at_hours: 1, share: 2", "share: 2 is not in (0, 1]"),
        ("kind: liquidity_drain, at_hours: 1, share: 1, venue: rfq", "venue: rfq: the scenario has none"),
        ("kind: liquidity_drain, at_hours: 1, share: 1, asset: A", "asset: means nothing where venue is pools; leave it out"),
        ("kind: liquidity_drain, at_hours: 1, share: 1, tasset: tC", "tasset: 'tC' is no tASSET; known: tA, tB"),
        ("kind: stampede, at_hours: 1, hours: 1, factor: 2", "needs exactly one of sell_share and buy_share"),
        ("kind: stampede, at_hours: 1, hours: 9, factor: 999, buy_share: 1, per_year: 1", "needs exactly one of at_hours"),
    ],
)
def test_a_fault_is_named_with_its_line_and_key(loaded, line, fault):
    found = faults_of(loaded, line)
    places = [re.fullmatch(r"test\.yaml:19: disturbances\[0\][.:] ?(.*)", text) for text in found]
    assert any(place is not None and place.group(1).startswith(fault) for place in places), found


@pytest.mark.parametrize(
    ("line", "settings", "fault"),
    [
        (
            "kind: stampede, per_year: 9_000, hours: 9, factor: 999, buy_share: 1",
            ["traders.count=1000"],
            "factor: 307,602,740 extra orders",
        ),
        (
            "kind: liquidity_drain, per_year: 9_000, share: 1",
            ["prices.days=3650", "lps.count=1000"],
            "per_year: 180,000,000 departures of LPs",
        ),
    ],
)
def test_more_than_there_is_room_for_is_refused(loaded, line, settings, fault):
    assert any(f"disturbances[0].{fault}" in found for found in faults_of(loaded, line, settings=settings))


def test_a_history_whose_length_is_known_late_is_held_to_the_same_limits(loaded):
    scenario = loaded("kind: liquidity_drain, per_year: 9_000, share: 1").scenario
    check_sizes(scenario, "test.yaml", 360)
    with pytest.raises(ScenarioError, match=r"disturbances\[0\].per_year: .* departures of LPs are more than"):
        check_sizes(scenario, "test.yaml", 360 * 4 * 365 * 1_000)


def test_an_unknown_kind_is_named_with_those_there_are(loaded):
    assert any("kind is missing or unknown; known: liquidity_drain, oracle_lag" in fault for fault in faults_of(loaded, "kind: flood"))


def test_an_asset_of_the_rfq_market_must_be_one_that_orders_are_for(loaded):
    line = "kind: stampede, venue: rfq, asset: tDOLLAR, at_hours: 1, hours: 1, factor: 2, buy_share: 1"
    fault = "'tDOLLAR' is no asset of avmm.assets that orders are for; known: GEM, OTHER"
    assert any(fault in found for found in faults_of(loaded, line, parts=AVMM))


def test_a_stampede_needs_traders_whose_orders_arrive_by_themselves(loaded):
    lonely = EXCHANGE.replace("noise: {count: 5, orders_per_day: 100}, ", "")
    line = "kind: stampede, venue: exchange, at_hours: 1, hours: 1, factor: 2, buy_share: 1"
    assert any("no trader's orders arrive there by themselves" in fault for fault in faults_of(loaded, line, parts=lonely))
