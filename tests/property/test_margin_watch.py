"""Whom nobody looks at needs no look: neither may a keeper liquidate him, nor would he add margin, whatever price, time or terms."""

import numpy as np
import pytest
from exchanges import KEEPER, PRICE, an_exchange, next_round
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markets import SURGE

from seawall.agents import perps_trader
from seawall.agents.exchange import perps_in
from seawall.models import exchange_step
from seawall.protocols import perps_margin
from seawall.protocols.perps_tables import NO_MARKET
from seawall.scenarios.build import build
from seawall.scenarios.load import load

ROWS = np.zeros(32, np.int64)
MOVES = np.linspace(0.5, 2.5, 401)


def with_fixed_parts(traders):
    """An exchange whose margins and rewards have parts that do not depend on the price."""
    x = an_exchange(traders=traders)
    x.perps_markets["min_position_margin"], x.perps_markets["maintenance_scalar"] = 15.0, 0.28
    groups = x.groups
    groups["max_keeper_reward"], groups["max_keeper_share"], groups["min_keeper_profit"] = 30.0, 0.3, 0.3
    groups["flag_cost"] = groups["liquidation_cost"] = 0.5
    groups["interest_low"], groups["interest_high"], groups["interest_breakpoint"] = 0.005, 0.05, 0.5
    return x


def is_due(x, trader, now):
    """Tell whether somebody would act on the trader's margin at the prices of the feeds."""
    perps, member = perps_in(x, int(trader.market)), int(trader.member)
    if x.perps_positions[trader.market, member].quantity == 0.0:
        return False
    _, maintenance, reward = perps_margin.required_margins(perps, member, NO_MARKET, 0.0, 0.0)
    below_alert = perps_margin.available_margin(perps, member, now) < trader.alert * (maintenance + reward)
    return bool(below_alert or perps_margin.is_liquidatable(perps, member, now))


def play(x, price, orders=()):
    next_round(x, price)
    exchange_step.begin(x)
    for index, wanted in orders:
        trader = x.perps_traders[index]
        if perps_trader.is_present(x, trader, x.clock[0].now):
            perps_trader.trade(x, trader, wanted, KEEPER, x.clock[0].now)
    exchange_step.watch_margins(x, ROWS)
    exchange_step.finish(x)


@pytest.mark.parametrize("alert", [0.0, 4.0])
@pytest.mark.parametrize("funding_rate", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("usd", [-10_000.0, -1_000.0, -200.0, 200.0, 1_000.0, 10_000.0])
def test_at_any_price_within_ten_minutes(usd, funding_rate, alert):
    x = with_fixed_parts(traders=1)
    trader = x.perps_traders[0]
    trader.alert = alert
    x.perps_markets["funding_rate"] = funding_rate
    play(x, PRICE, [(0, usd / PRICE)])
    assert x.perps_positions[0, 0].quantity != 0.0
    found = 0
    for price in MOVES * PRICE:
        x.feeds["price"] = price
        for now in (60.0, 60.0 + perps_trader.LOOK_EVERY - 1.0):
            due = is_due(x, trader, now)
            assert not due or perps_trader.needs_look(x, trader, now), (price, now)
            found += due
    assert found > 0


moves = st.floats(-0.01, 0.01)  # a margin falls slowly, and may be missed in many rounds
sizes = st.sampled_from([-10_000.0, -1_000.0, -300.0, 200.0, 300.0, 1_000.0, 10_000.0])
trades = st.lists(st.tuples(st.integers(0, 5), sizes.map(lambda usd: usd / PRICE)), max_size=2)


@settings(max_examples=40, deadline=None)
@given(trend=st.floats(-0.02, 0.02), rounds=st.lists(st.tuples(moves, trades), min_size=15, max_size=30))
@example(trend=-0.0135, rounds=[(0.0, [(0, 200.0 / PRICE)])] + [(0.0, [])] * 12)  # a small long comes to its fixed parts unhurriedly
def test_in_every_round(trend, rounds):
    """The price moves, and before anybody acts, whoever needs it is looked at; orders of others book funding at all prices meanwhile."""
    x = with_fixed_parts(traders=6)
    x.perps_traders["alert"] = [0.0, 2.0] * 3
    for move, orders in rounds:
        price = float(x.feeds[0].price) * (1.0 + trend + move)
        x.feeds["price"] = price
        now = float(x.clock[0].now + x.clock[0].step_seconds)
        for trader in x.perps_traders:
            assert not is_due(x, trader, now) or perps_trader.needs_look(x, trader, now)
        play(x, price, orders)


@pytest.mark.parametrize("usd", [200.0, -200.0])
def test_a_small_position_is_liquidated_when_its_margin_falls_to_the_fixed_parts(usd):
    x = with_fixed_parts(traders=1)
    play(x, PRICE, [(0, usd / PRICE)])
    play(x, PRICE * (1.0 - np.sign(usd) * 0.115))
    assert x.perps_traders[0].liquidations == 1


def test_what_is_left_of_a_liquidated_position_is_closed_although_the_price_is_back():
    x = with_fixed_parts(traders=1)
    x.perps_markets["liquidation_window"], x.perps_markets["liquidation_multiplier"] = 60.0, 0.005
    play(x, PRICE, [(0, 10_000.0 / PRICE)])
    play(x, PRICE * 0.8)
    left = float(x.perps_positions[0, 0].quantity)
    assert 0.0 < left < 10_000.0 / PRICE
    for _ in range(2):
        play(x, PRICE)
    assert x.perps_positions[0, 0].quantity < left


def test_a_trader_whose_row_is_taken_is_looked_at_in_the_next_round():
    model = build(load(SURGE))
    model.run_for(2)
    agent = model.agents_by_type[perps_trader.PerpsTrader][0]
    trader = model.exchange.perps_traders[agent.index]
    trader.safe_until = 1e9  # its account was read when the agent was made; that is no look at its row
    assert agent.account == trader.account
    assert trader.safe_until == 1e9
    agent.row.alert = 5.0
    assert (trader.alert, trader.safe_until) == (5.0, -perps_trader.NEVER)
