"""Traders, LPs, keepers and owners at random on moving prices: books balance, and each dollar LPs gain has a source."""

import numpy as np
import pytest
from exchanges import KEEPER, PRICE, USD, an_exchange, next_round
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.agents import exchange_keeper, liquidity_lp, margin_watch, perps_trader, pool_owner
from seawall.agents.exchange import core_in, perps_in
from seawall.models import exchange_audit, exchange_step
from seawall.protocols import ledger, perps_debt, perps_margin, vaults

SOURCES = ("fees", "impact", "funding", "price_gain", "liquidation_gain")
ROWS = np.zeros(32, np.int64)

moves = st.floats(-0.06, 0.06)
trades = st.lists(st.tuples(st.integers(0, 5), st.floats(-300.0, 300.0)), max_size=3)


def play(x, move, orders):
    """One round: the price moves, some traders take positions, everybody else does what he does."""
    next_round(x, float(x.feeds[0].price) * (1 + move))
    now = x.clock[0].now
    exchange_step.begin(x)
    for index, wanted in orders:
        trader = x.perps_traders[index]
        if perps_trader.is_present(x, trader, now):
            perps_trader.trade(x, trader, wanted, KEEPER, now)
    exchange_step.watch_margins(x, ROWS)
    for k in range(liquidity_lp.order(x, ROWS)):
        liquidity_lp.act(x, ROWS[k])
    exchange_keeper.act(x, 0)
    for k in range(len(x.pool_owners)):
        pool_owner.act(x, k)
    exchange_step.finish(x)


def lps_gain(x, m):
    """USD that LPs gained through a market: minus what traders own and what was paid out more than in."""
    return -perps_debt.unclamped_debt(perps_in(x, m), x.clock[0].now) - x.groups[m].net_issuance


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(moves, trades), min_size=1, max_size=25), st.booleans())
def test_every_dollar_that_lps_gain_has_a_source(rounds, restless):
    x = an_exchange(traders=6)
    x.perps_traders["alert"] = [0.0, 2.0] * 3
    if restless:
        x.liquidity_lps["hurdle"], x.liquidity_lps["yield_weight"], x.liquidity_lps["fear"] = 0.01, 1.0, 0.2
        x.liquidity_lps["look_every"] = 120.0
        x.pool_owners["policy"], x.pool_owners["rebalance_every"], x.pool_owners["rebalance_at"] = [2, 3], 300.0, 300.0
    for move, orders in rounds:
        play(x, move, orders)
        exchange_audit.check(x)
        assert x.wallets.sum(axis=0).tolist() == x.tokens["supply"].tolist()
        for m in range(2):
            sources = sum(float(x.market_memory[m][name]) for name in SOURCES)
            assert sources == pytest.approx(lps_gain(x, m), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(moves, trades), min_size=3, max_size=20))
def test_what_markets_owe_is_what_lps_owe(rounds):
    x = an_exchange(traders=6)
    for move, orders in rounds:
        play(x, move, orders)
    core = core_in(x)
    owed = sum(vaults.position_debt(core, position) for position in x.positions)
    total = sum(float(market.reported_debt + market.net_issuance) for market in x.markets)
    outside = sum(float(trader.start_usd) for trader in x.perps_traders)
    taken = float(x.tokens[USD].supply) - outside - sum(float(group.net_issuance) for group in x.groups)  # LPs' credits, minted
    assert owed == pytest.approx(total + taken, abs=1e-5)  # LPs of these examples are deep enough to take all of it


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(moves, trades), min_size=3, max_size=30))
def test_nobody_who_could_be_liquidated_is_overlooked(rounds):
    x = an_exchange(traders=6)
    x.exchange_keepers["cost_usd"] = 0.0
    for move, orders in rounds:
        play(x, move, orders)
        for trader in x.perps_traders:
            account = x.perps_accounts[trader.market, trader.member]
            late = perps_margin.is_liquidatable(perps_in(x, int(trader.market)), int(trader.member), x.clock[0].now)
            assert not late or account.is_flagged


def test_a_crash_liquidates_a_long_and_its_lps_gain_the_margin():
    x = an_exchange(traders=1)
    next_round(x, PRICE)
    exchange_step.begin(x)
    assert perps_trader.trade(x, x.perps_traders[0], 100.0, KEEPER, 60.0) == 0
    before = lps_gain(x, 0)
    play(x, -0.19, [])
    assert x.perps_positions[0, 0].quantity == 0.0
    assert x.perps_traders[0].liquidations == 1
    assert x.perps_traders[0].away_until == 120.0 + 3600.0
    memory = x.market_memory[0]
    assert memory.liquidated_usd == pytest.approx(100 * PRICE * 0.81)
    assert memory.price_gain == pytest.approx(100 * PRICE * 0.19)
    assert memory.keepers_paid > 0.0
    assert lps_gain(x, 0) - before == pytest.approx(memory.price_gain + memory.liquidation_gain + memory.funding, abs=1e-6)
    assert x.wallets[KEEPER, USD] == memory.keepers_paid


def test_an_lp_who_fears_leaves_when_its_debt_passes_its_limit():
    x = an_exchange(traders=2, lp_usd=100_000.0)
    x.liquidity_lps["fear"], x.liquidity_lps["look_every"] = 0.01, 60.0
    x.perps_markets["locked_oi_ratio"] = 0.0
    next_round(x, PRICE)
    exchange_step.begin(x)
    perps_trader.trade(x, x.perps_traders[0], 40.0, KEEPER, 60.0)
    play(x, 0.15, [])  # a long of 40 gains 12,000, which LPs owe
    assert set(x.liquidity_lps["pool"]) == {0, 1}  # nobody has dUSD to repay with, so nobody may go
    for lp in x.liquidity_lps:
        ledger.mint(x.wallets, x.tokens, USD, lp.account, 50_000.0)
    play(x, 0.0, [])
    left = x.liquidity_lps["pool"] < 0
    assert left.any()
    for lp in x.liquidity_lps[left]:
        assert x.wallets[lp.account, x.collateral_types[lp.collateral_type].token] == lp.start_tokens


def test_a_margin_that_is_minded_is_added_to_before_it_is_liquidated():
    x = an_exchange(traders=1)
    x.perps_traders["alert"] = 4.0
    next_round(x, PRICE)
    exchange_step.begin(x)
    perps_trader.trade(x, x.perps_traders[0], 100.0, KEEPER, 60.0)
    held = float(x.perps_accounts[0, 0].margin)
    for _ in range(18):
        play(x, -0.01, [])
    assert x.perps_accounts[0, 0].margin > held
    assert x.perps_traders[0].liquidations == 0
    assert x.perps_positions[0, 0].quantity == 100.0


@pytest.mark.parametrize(
    ("table", "column", "said"), [("perps_markets", "open_positions", "open positions"), ("vaults", "members", "LPs in")]
)
def test_counts_that_run_along_are_compared_with_full_counts(table, column, said):
    x = an_exchange(traders=3)
    play(x, 0.0, [(0, 10.0), (1, -20.0), (2, 5.0)])
    play(x, 0.0, [(1, 0.0)])
    assert x.perps_markets["open_positions"].tolist() == [[2], [0]]
    assert x.vaults["members"].sum() == 4
    assert exchange_audit.faults(x) == []
    getattr(x, table)[column][1] += 1
    assert [fault[: len(said)] for fault in exchange_audit.faults(x)] == [said]


def test_nothing_keeps_a_quiet_trader_under_watch():
    x = an_exchange(traders=1)
    next_round(x, PRICE)
    exchange_step.begin(x)
    perps_trader.trade(x, x.perps_traders[0], 10.0, KEEPER, 60.0)
    play(x, 0.0, [])
    trader = x.perps_traders[0]
    assert 0.0 < trader.safe_low < PRICE
    assert trader.safe_high > PRICE
    assert not trader.is_watched
    next_round(x, PRICE)
    assert margin_watch.traders_to_watch(x, ROWS) == 0
