"""Whom nobody looks at needs no look: neither may a keeper liquidate him, nor would he add margin, whatever price, time or terms.

A market whose rows rest is, bit for bit, the market in which everybody is looked at in every round.
"""

import numpy as np
import pytest
from exchanges import KEEPER, NEVER, PRICE, an_exchange, next_round
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markets import GALE, SURGE

from seawall.agents import liquidity_lp, margin_watch, perps_trader
from seawall.agents.exchange import SIZE, Exchange, perps_in
from seawall.models import exchange_step
from seawall.models.world import digest
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


def looked_at(x, now):
    """Rows of the traders whose margins would be looked at now; nothing changes."""
    names = "clock", "margin_blocks", "watched", "perps_traders"
    copy = x._replace(**{name: getattr(x, name).copy() for name in names})
    copy.clock["now"] = now
    return set(ROWS[: margin_watch.traders_to_watch(copy, ROWS)].tolist())


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
def test_at_any_price_soon_and_late(usd, funding_rate, alert):
    x = with_fixed_parts(traders=1)
    trader = x.perps_traders[0]
    trader.alert = alert
    x.perps_markets["funding_rate"] = funding_rate
    play(x, PRICE, [(0, usd / PRICE)])
    assert x.perps_positions[0, 0].quantity != 0.0
    is_at_ease = not is_due(x, trader, 60.0)  # a small margin never comes to four times its fixed parts
    found, quiet = 0, 0
    for price in MOVES * PRICE:
        x.feeds["price"] = price
        for now in (60.0, 3_600.0, 40_000.0):
            due, seen = is_due(x, trader, now), looked_at(x, now) == {0}
            assert seen or not due, (price, now)
            found, quiet = found + due, quiet + (not seen)
    assert found > 0
    assert (quiet > 0) == is_at_ease


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
        assert {i for i, trader in enumerate(x.perps_traders) if is_due(x, trader, now)} <= looked_at(x, now)
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
    x = model.exchange
    trader, watched = x.perps_traders[agent.index], list(watched_in(x))
    assert not trader.is_watched  # its account was read when the agent was made; that is no look at its row
    assert agent.account == trader.account
    assert watched_in(x) == watched
    agent.row.alert = 5.0
    agent.row.alert = 6.0
    assert trader.alert == 6.0
    assert watched_in(x) == [*watched, agent.index]


def watched_in(x):
    return x.watched[1 : x.watched[0] + 1].tolist()


# --- rows at rest ---

RESTING = {
    "perps_traders": ["safe_low", "safe_high", "least_funding", "most_funding", "most_interest", "is_watched"],
    "margin_blocks": None,
    "watched": None,
    "lp_blocks": None,
}
"""Columns that say who rests, all of them where there is no list."""

FIXED_PARTS = (
    "exchange.markets.ETH-PERP.min_position_margin_usd=50", "exchange.keeper_pay.min_reward_usd=5", "exchange.traders.noise.alert=3",
    "exchange.keeper_pay.max_reward_usd=30",
)  # fmt: skip
DEAR_HOLDING = (
    "exchange.markets.BTC-PERP.max_funding_velocity=200", "exchange.markets.ETH-PERP.locked_oi_ratio=1", "exchange.interest.low=0.2",
    "exchange.interest.high=2",
)  # fmt: skip
FLAGS = (
    "exchange.markets.ETH-PERP.liquidation_window_seconds=600", "exchange.markets.ETH-PERP.liquidation_multiplier=0.0001",
    "exchange.markets.BTC-PERP.liquidation_window_seconds=300", "exchange.markets.BTC-PERP.liquidation_multiplier=0.0001",
)  # fmt: skip
LEFT_ALONE = (
    "outages[0].asset=ETH", "outages[0].at_hours=4.005", "outages[0].hours=0.5", "exchange.price_valid_seconds=120",
    "exchange.keepers.cost_usd=6", "exchange.traders.noise.count=60",
)  # fmt: skip
GUSTS = ("exchange.traders.noise.count=60", "exchange.lps.look_hours=0.2", "exchange.traders.noise.alert=1.5")
CROWD = ("exchange.traders.noise.count=150", "exchange.traders.noise.capital_usd.median=600", "exchange.lps.count=80")


def without_rests(x):
    """The exchange with nothing said of who rests."""
    changed = {name: getattr(x, name).copy() for name in RESTING}
    for name, columns in RESTING.items():
        for column in columns or [...]:
            changed[name][column] = np.zeros_like(changed[name][column])
    return x._replace(**changed)


def played(file, settings, seed, is_plain):
    """A whole run, in which nobody rests if it is plain: margins that wait for a look between rounds, digest of all else, and the end."""
    model = build(load(file, settings), seed=seed)
    looks, rows = 0, np.zeros(500, np.int64)
    while model.running:
        if is_plain:
            margin_watch.look_at_all(model.exchange)
        looks += margin_watch.traders_to_watch(Exchange(*(table.copy() for table in model.exchange)), rows)
        model.step()
    return looks, digest(model.world, without_rests(model.exchange)), model.exchange


@pytest.mark.parametrize("seed", [17, 18])
@pytest.mark.parametrize(
    ("file", "settings"),
    [
        (SURGE, ()), (SURGE, FIXED_PARTS), (SURGE, DEAR_HOLDING), (SURGE, FLAGS), (SURGE, LEFT_ALONE), (SURGE, (*CROWD, *FIXED_PARTS)),
        (SURGE, (*CROWD, *DEAR_HOLDING, *FLAGS)), (GALE, ()), (GALE, GUSTS),
    ],
)  # fmt: skip
def test_a_whole_run_is_that_in_which_everybody_is_looked_at(file, settings, seed):
    looks, found, x = played(file, settings, seed, is_plain=False)
    plain_looks, plain, _ = played(file, settings, seed, is_plain=True)
    assert found == plain
    assert looks < 0.5 * plain_looks
    assert x.market_memory["liquidations"].sum() > 0


def test_a_block_at_rest_is_not_looked_into():
    """Rows of which nothing is known to be due are not read: what is changed in them unannounced is not found."""
    x = an_exchange(traders=2 * SIZE, lps=2 * SIZE)
    rows = np.zeros(2 * SIZE, np.int64)
    next_round(x, PRICE)
    exchange_step.begin(x)
    for trader in x.perps_traders:
        perps_trader.trade(x, trader, 1.0, KEEPER, x.clock[0].now)
    exchange_step.watch_margins(x, rows)
    for k in range(liquidity_lp.order(x, rows)):
        liquidity_lp.act(x, rows[k])
    next_round(x, PRICE)
    assert liquidity_lp.order(x, rows) == 0
    x.perps_traders["safe_high"], x.liquidity_lps["look_at"] = 0.0, 0.0
    assert margin_watch.traders_to_watch(x, rows) == 0
    assert liquidity_lp.order(x, rows) == 0
    x.margin_blocks["safe_high"][0, 1], x.lp_blocks["next_look"][0] = 0.0, 0.0
    first = range(SIZE, 2 * SIZE, 2)  # those of the second block who trade in the first market
    assert sorted(rows[: margin_watch.traders_to_watch(x, rows)]) == list(first)
    assert sorted(rows[: liquidity_lp.order(x, rows)]) == list(range(SIZE))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2 * SIZE + 4), st.floats(0.0, 500.0)), max_size=40))
def test_blocks_find_the_lps_whose_time_has_come(looks):
    x = an_exchange(lps=2 * SIZE + 5)
    rows = np.zeros(2 * SIZE + 5, np.int64)
    x.liquidity_lps["look_at"] = NEVER
    for index, look_at in looks:
        x.liquidity_lps[index].look_at = look_at
    while x.clock[0].step < 9:
        next_round(x, PRICE)
        now = float(x.clock[0].now)
        due = np.flatnonzero(x.liquidity_lps["look_at"] <= now)
        assert sorted(rows[: liquidity_lp.order(x, rows)]) == due.tolist()
        for k in due[::2]:  # the others have not looked yet
            liquidity_lp.act(x, k)


def test_an_lp_whose_row_is_taken_is_read_again_in_the_next_round():
    model = build(load(SURGE))
    model.run_for(20)
    x, agent = model.exchange, model.agents_by_type[liquidity_lp.LiquidityLp][3]
    agent.row.look_at = 0.0
    assert 3 in looking(x)


def looking(x):
    rows = np.zeros(len(x.liquidity_lps), np.int64)
    return rows[: liquidity_lp.order(x, rows)].tolist()
