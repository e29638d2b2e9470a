"""What LPs and traders of the RFQ market do, case by case, and what the desk books for them."""

import math

import numpy as np
import pytest
from avmm_markets import BOOK, CASH_USD, ETH, FIRST_LP, NEVER, PRICES, TAAPL, USD, an_avmm, next_round
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.agents import avmm_desk, avmm_lp
from seawall.agents.avmm import LpKind, Mechanism, RfqTraderKind
from seawall.agents.avmm_lp import AvmmLp
from seawall.agents.avmm_trader import AvmmTrader
from seawall.models import avmm_step
from seawall.protocols import reputation, rfq, rfq_positions, rfq_ranges
from seawall.protocols.amounts import UNIT, floor_amount
from seawall.protocols.errors import InsufficientBalance, Refused
from seawall.protocols.rfq_tables import NONE
from seawall.protocols.status import Action, Status

NOISE, INFORMED = RfqTraderKind.NOISE.value, RfqTraderKind.INFORMED.value
RFQ, POOLS, DUTCH, SEALED = Mechanism
STATIC, UNDERCUTTING, VOLATILITY_AWARE, INVENTORY = LpKind
TRADER = -2  # account of the noise trader; the informed one is the last


def tables(v):
    """Bytes of everything but the desk's form."""
    state = [part for name, part in v._asdict().items() if name not in ("book", "order", "fills", "limits")]
    return [part.tobytes() for part in (*state, *v.book)]


def money(v):
    """Tokens by asset: in all wallets, and in the book's positions less what its contract holds."""
    return v.wallets.sum(axis=0).tolist(), (v.book.holdings["balance"].sum(axis=0) - v.wallets[BOOK, :3]).tolist()


def room(v):
    return np.zeros(max(len(v.avmm_lps), len(v.avmm_traders)), np.int64)


def play(v):
    """A round, from its beginning to its end, without records."""
    avmm_step.begin(v)
    avmm_step.play(v, room(v))


def counted(v, action):
    """Answers to an action, by name."""
    return {Status(i).name: int(n) for i, n in enumerate(v.tallies[action]) if n}


def account(v, row):
    return int(v.avmm_traders[row].account)


def discounts(v):
    return v.book.lps["fee_discount"].tolist()


# --- the desk ---


def test_the_desk_knows_the_books_assets_by_token():
    v = an_avmm()
    assert [avmm_desk.asset_of(v, token) for token in (USD, ETH, TAAPL, 3)] == [0, 1, 2, NONE]


def test_a_trade_moves_tokens_and_books_settlement_and_fee_of_the_lp():
    v = an_avmm()
    next_round(v)
    status, received, paid = avmm_desk.trade(v, account(v, 0), USD, ETH, 2000.0)
    fee = floor_amount(0.005)
    assert (status, received, paid) == (Status.OK, 1.0 - fee, 2000.0)
    lp = v.avmm_lps[1]  # the only one with ETH
    assert (lp.settled_usd, lp.fees_usd, lp.stale_loss_usd, lp.fills) == (2000.0, fee * 2000.0, 0.0, 1)
    assert v.avmm_lps["fills"].sum() == 1
    assert counted(v, Action.RFQ_ORDER) == {"OK": 1}


def test_stale_loss_is_what_the_market_says_was_given_away():
    v = an_avmm()
    next_round(v, (2100.0, 250.0), oracle_prices=(2000.0, 250.0))
    avmm_desk.trade(v, account(v, 0), USD, ETH, 2000.0)
    assert v.avmm_lps[1].stale_loss_usd == 100.0
    assert v.avmm_lps[1].settled_usd == 2100.0


def test_asking_changes_nothing_and_tells_what_the_trade_answers():
    v = an_avmm()
    next_round(v)
    before = tables(v)
    answer = avmm_desk.ask(v, account(v, 0), USD, ETH, 3000.0)
    assert tables(v) == before
    assert answer == avmm_desk.trade(v, account(v, 0), USD, ETH, 3000.0)


def test_a_refused_trade_changes_nothing_but_its_tally():
    v = an_avmm()
    for _ in range(2):
        next_round(v, publishes=False)
    before = tables(v)
    assert avmm_desk.trade(v, account(v, 0), USD, ETH, 2000.0) == (Status.STALE_PRICE, 0.0, 0.0)
    assert counted(v, Action.RFQ_ORDER) == {"STALE_PRICE": 1}
    v.tallies[:] = 0
    assert tables(v) == before


def test_several_lps_share_an_order_and_each_is_booked():
    v = an_avmm(lps=(STATIC, STATIC), primaries=(ETH, ETH), lp_usd=10_000.0)  # five ETH each
    next_round(v)
    status, _, paid = avmm_desk.trade(v, account(v, 0), USD, ETH, 16_000.0)
    assert (status, paid) == (Status.OK, 16_000.0)
    assert v.avmm_lps["settled_usd"].tolist() == [10_000.0, 6_000.0]


# --- noise traders ---


def test_an_order_is_sized_at_market_prices_and_booked():
    v = an_avmm(orders=[(1, 0, ETH, True, 4200.0)])
    next_round(v, (2100.0, 250.0), oracle_prices=(2000.0, 250.0))
    play(v)
    flow = v.flows[NOISE]
    received = floor_amount(2.0 * 2000.0) - floor_amount(4000.0 * 0.005)
    assert (flow.orders, flow.filled, flow.ordered_usd, flow.filled_usd) == (1, 1, 4200.0, 4200.0)
    assert flow.cost_usd == 4200.0 - received
    assert v.wallets[TRADER, [USD, ETH]].tolist() == [CASH_USD + received, 498.0]


@pytest.mark.parametrize(
    ("mechanism", "action"), [(RFQ, Action.RFQ_ORDER), (POOLS, Action.SWAP), (DUTCH, Action.AUCTION), (SEALED, Action.AUCTION)]
)
def test_an_order_that_the_wallet_does_not_cover_is_refused_and_counted(mechanism, action):
    v = an_avmm(mechanism=mechanism, orders=[(1, 0, ETH, True, 2000.0)], informed=0)
    v.wallets[FIRST_LP, ETH] += v.wallets[-1, ETH]
    v.wallets[-1, ETH] = 0.0
    next_round(v)
    before = v.wallets.copy()
    play(v)
    assert counted(v, action) == {"INSUFFICIENT_BALANCE": 1}
    assert (v.flows[NOISE].orders, v.flows[NOISE].filled) == (1, 0)
    assert np.array_equal(v.wallets, before)


def test_an_order_is_filled_as_far_as_positions_reach():
    v = an_avmm(orders=[(1, 0, ETH, False, 400_000.0)])  # the LP with ETH has 50
    next_round(v)
    play(v)
    assert v.flows[NOISE].filled_usd == 100_000.0
    assert v.flows[NOISE].ordered_usd == 400_000.0


@pytest.mark.parametrize("mechanism", Mechanism)
def test_each_mechanism_keeps_all_tokens(mechanism):
    v = an_avmm(mechanism=mechanism, lps=LpKind, orders=[(t, 0, 1 + t % 2, t % 3 == 0, 100.0 * t) for t in range(1, 25)])
    v.avmm_lps["look_at"], v.avmm_lps["look_every"] = 0.0, 60.0
    before = money(v)
    random = np.random.default_rng(1)
    for _ in range(30):
        next_round(v, v.market_price[v.clock[0].step] * random.lognormal(0.0, 0.01, 2), publishes=bool(random.integers(2)))
        play(v)
    assert v.flows[NOISE].filled > 12
    assert money(v) == before


# --- quotes that settle later ---


def test_a_quote_settles_at_its_own_prices_rounds_later():
    v = an_avmm(orders=[(1, 0, ETH, False, 2000.0)], informed=0, latency=2)
    next_round(v)
    play(v)
    assert v.flows[NOISE].filled == 0
    next_round(v, (2100.0, 250.0))
    play(v)
    assert v.flows[NOISE].filled == 0
    next_round(v)
    play(v)
    flow, fee = v.flows[NOISE], floor_amount(0.005)
    assert (flow.orders, flow.filled, flow.filled_usd, flow.waited_usd_seconds) == (1, 1, 2000.0, 240_000.0)
    assert flow.cost_usd == fee * 2000.0  # at the market's prices when it was placed
    assert v.avmm_lps[1].stale_loss_usd == 100.0
    assert v.wallets[-1, ETH] == 501.0 - fee
    assert counted(v, Action.RFQ_ORDER) == {"OK": 1}


def test_a_quote_is_refused_when_no_position_holds_its_prices_any_more():
    v = an_avmm(orders=[(1, 0, ETH, False, 2000.0)], informed=0, latency=1)
    next_round(v)
    play(v)
    rfq_ranges.set_range(v.book, 1, ETH, 2050.0, 2200.0)
    next_round(v, (2100.0, 250.0))
    play(v)
    assert counted(v, Action.RFQ_ORDER) == {"NO_ELIGIBLE_LP": 1}
    assert not v.quotes["is_waiting"].any()


def test_a_quote_needs_fresh_prices_when_it_is_given_and_not_when_it_settles():
    v = an_avmm(orders=[(1, 0, ETH, False, 2000.0), (4, 0, ETH, False, 2000.0)], informed=0, latency=3)
    next_round(v)
    play(v)
    for _ in range(3):  # fresh for one more round only
        next_round(v, publishes=False)
        play(v)
    assert counted(v, Action.RFQ_ORDER) == {"OK": 1, "STALE_PRICE": 1}


def test_an_informed_traders_orders_wait_one_at_a_time():
    v = an_avmm(noise=0, latency=2)
    for _ in range(2):
        next_round(v, (2100.0, 260.0), oracle_prices=(2000.0, 250.0))
        play(v)
    assert (v.flows[INFORMED].orders, v.flows[INFORMED].filled) == (1, 0)
    next_round(v, oracle_prices=(2100.0, 260.0))
    play(v)
    assert (v.flows[INFORMED].orders, v.flows[INFORMED].filled) == (1, 1)


# --- informed traders ---


@pytest.mark.parametrize(
    ("market", "min_edge", "bought"),  # the oracle says 2000, the fee is half a percent
    [(2000.0, 0.0, 0), (2009.0, 0.0, 0), (2011.0, 0.0, 1), (2011.0, 0.01, 0), (2100.0, 0.01, 1), (1991.0, 0.0, 0), (1989.0, 0.0, -1)],
)
def test_informed_traders_pick_off_a_price_that_is_off_by_more_than_fee_and_edge(market, min_edge, bought):
    v = an_avmm(noise=0, lps=(STATIC,) * 2, primaries=(USD, ETH), valid_for=NEVER)
    v.avmm_traders["min_edge"] = min_edge
    next_round(v, (market, 250.0), oracle_prices=(2000.0, 250.0))
    before = v.wallets[-1].copy()
    play(v)
    assert np.sign(v.wallets[-1, ETH] - before[ETH]) == bought
    assert np.sign(before[USD] - v.wallets[-1, USD]) == bought
    assert v.flows[INFORMED].orders == abs(bought)


def test_informed_orders_end_at_size_and_wallet():
    v = an_avmm(noise=0)
    next_round(v, (2100.0, 250.0), oracle_prices=(2000.0, 250.0))
    v.avmm_traders["order_usd"] = 3000.0
    play(v)
    assert v.flows[INFORMED].ordered_usd == 3000.0
    v.wallets[-1, USD] = 1000.0
    play(v)
    assert v.flows[INFORMED].ordered_usd == 4000.0


def test_informed_gains_are_the_lps_stale_loss_less_its_fees():
    v = an_avmm(noise=0)
    next_round(v, (2100.0, 250.0), oracle_prices=(2000.0, 250.0))
    play(v)
    lp = v.avmm_lps[1]
    assert -v.flows[INFORMED].cost_usd == pytest.approx(lp.stale_loss_usd - lp.fees_usd, abs=1e-9)
    assert lp.stale_loss_usd == pytest.approx(1000.0)


@pytest.mark.parametrize("market", [1500.0, 1990.0, 2010.0, 2600.0])
def test_informed_traders_pull_pools_into_the_band_around_the_markets_price(market):
    v = an_avmm(mechanism=POOLS, noise=0)
    v.avmm_traders["order_usd"] = 1e6
    next_round(v, (market, 250.0))
    play(v)
    pool, band = v.pools[0], 0.003 + 0.0005
    price = v.wallets[pool.account, USD] / v.wallets[pool.account, ETH]
    nearest = min(max(2000.0, market * (1 - band)), market * (1 + band))
    assert price == pytest.approx(nearest, rel=0.0015)  # what the commission leaves in the pool


@pytest.mark.parametrize("mechanism", [DUTCH, SEALED])
def test_informed_traders_leave_auctions_alone(mechanism):
    v = an_avmm(mechanism=mechanism, noise=0)
    next_round(v, (2500.0, 250.0), oracle_prices=(2000.0, 250.0))
    play(v)
    assert v.flows[INFORMED].orders == 0


# --- the other mechanisms ---


def test_a_swap_is_called_off_beyond_the_limit_of_slippage():
    v = an_avmm(
        mechanism=POOLS, lps=(STATIC,), primaries=(ETH,), informed=0, orders=[(1, 0, ETH, False, 2_000.0), (2, 0, ETH, False, 9_000.0)]
    )
    for _ in range(2):
        next_round(v)
        play(v)
    assert counted(v, Action.SWAP) == {"OK": 1, "EXCEEDS_MAX_SPREAD": 1}


def test_a_swap_costs_commission_and_slippage():
    v = an_avmm(mechanism=POOLS, lps=(STATIC,), primaries=(ETH,), informed=0, orders=[(1, 0, ETH, False, 2_000.0)])  # 50,000 USD, 25 ETH
    next_round(v)
    play(v)
    received = 25.0 * 2000.0 / 52_000.0 * 0.997
    assert v.flows[NOISE].cost_usd == pytest.approx(2000.0 * (1.0 - received), abs=0.01)


def test_a_dutch_auction_goes_to_the_highest_limit_at_the_first_ask_within_it():
    v = an_avmm(mechanism=DUTCH, lps=(STATIC,) * 2, primaries=(ETH, ETH), informed=0, orders=[(1, 0, ETH, False, 2_000.0)])
    rfq_positions.set_discount(v.book, 1, 0.9)  # delivers 0.999; the other one 0.995
    next_round(v)
    play(v)
    # Asks fall from 1.005 to 0.98 in 60 s, looked at every 2 s: the first at or below 0.999 comes after 16 s.
    delivered = floor_amount(1.005 - 0.025 * 16 / 60)
    assert v.wallets[-1, ETH] == 500.0 + delivered
    assert v.avmm_lps["fills"].tolist() == [0, 1]
    assert v.avmm_lps[1].stale_loss_usd == pytest.approx(0.0)  # a solver sees the market's price: what it keeps is its fee
    assert v.avmm_lps[1].fees_usd == pytest.approx(2000.0 - delivered * 2000.0)
    assert v.flows[NOISE].waited_usd_seconds == 2000.0 * 16.0


def test_a_sealed_bid_is_the_limit_less_the_shade():
    v = an_avmm(mechanism=SEALED, lps=(STATIC,) * 2, primaries=(ETH, USD), informed=0, orders=[(1, 0, ETH, False, 2_000.0)])
    next_round(v)
    play(v)
    assert v.wallets[-1, ETH] == 500.0 + floor_amount(floor_amount(0.995) * (1.0 - 0.0005))
    assert v.avmm_lps["settled_usd"].tolist() == [pytest.approx(2000.0, abs=0.01), 0.0]
    assert v.avmm_lps["fees_usd"].tolist() == [pytest.approx((1.0 - 0.995 * 0.9995) * 2000.0, abs=0.01), 0.0]


@pytest.mark.parametrize("mechanism", [DUTCH, SEALED])
def test_no_auction_delivers_less_than_the_trader_accepts(mechanism):
    v = an_avmm(mechanism=mechanism, informed=0, orders=[(1, 0, ETH, False, 2_000.0)])
    v.avmm_traders["max_cost"] = 0.004  # the LPs keep 0.005
    next_round(v)
    play(v)
    assert counted(v, Action.AUCTION) == {"NO_BID": 1}


def test_an_lp_that_is_out_bids_nothing():
    v = an_avmm(mechanism=SEALED, informed=0, orders=[(1, 0, ETH, False, 2_000.0)])
    v.avmm_lps["is_out"] = True
    next_round(v)
    play(v)
    assert counted(v, Action.AUCTION) == {"NO_BID": 1}


# --- LPs: discounts ---


@pytest.mark.parametrize(
    ("own", "best", "expected"),  # from 0.5 to 0.95 in steps of 0.0625
    [
        (0.5, 0.25, 0.5),  # far below: not less than the lowest
        (0.5, 0.5, 0.5625),
        (0.5, 0.75, 0.8125),
        (0.8125, 0.75, 0.8125),  # ahead by a step: stays
        (0.78125, 0.75, 0.78125),  # ahead by less: stays
        (0.9375, 0.75, 0.8125),  # ahead by more: comes down
        (0.5, 0.9375, 0.95),  # not more than the highest
        (0.95, 1.0, 0.95),
        (0.875, NONE, 0.5),  # alone
    ],
)
def test_undercutters_outbid_the_best_other_discount_by_a_step(own, best, expected):
    v = an_avmm(lps=(UNDERCUTTING,))
    assert avmm_lp.wanted_discount(v.avmm_lps[0], own, best) == expected


def test_only_who_can_pay_the_same_asset_is_a_rival():
    v = an_avmm(lps=(UNDERCUTTING,) * 4, primaries=(ETH, ETH, TAAPL, ETH))
    for lp, discount in ((1, 0.625), (2, 0.75), (3, 0.875)):
        rfq_positions.set_discount(v.book, lp, discount)
    assert avmm_lp.best_other_discount(v, v.avmm_lps[0]) == 0.875
    rfq_positions.set_accepted(v.book, 3, 0, False)
    assert avmm_lp.best_other_discount(v, v.avmm_lps[0]) == 0.625
    assert avmm_lp.best_other_discount(v, v.avmm_lps[2]) == NONE


@pytest.mark.parametrize("mechanism", [RFQ, DUTCH])
def test_two_undercutters_bid_each_other_up_to_the_highest(mechanism):
    v = an_avmm(mechanism=mechanism, lps=(UNDERCUTTING,) * 2, primaries=(ETH, ETH))
    for _ in range(11):
        next_round(v)
        play(v)
    assert sorted(discounts(v)) == [0.5625, 0.625]  # at its first look, the second one outbids what the first has just bid
    v.clock["step_seconds"] = 600.0
    for _ in range(20):
        next_round(v)
        play(v)
    assert discounts(v) == [0.95, 0.95]


@pytest.mark.parametrize("kind", [STATIC, UNDERCUTTING, INVENTORY])
def test_nobody_looks_before_its_time(kind):
    v = an_avmm(lps=(kind,) * 2, primaries=(ETH, ETH))
    for _ in range(9):
        next_round(v, v.market_price[0] * 1.05)
        play(v)
    assert avmm_lp.order(v, room(v)) == 0
    assert counted(v, Action.RFQ_TERMS) == {}


def test_in_pools_lps_do_nothing():
    v = an_avmm(mechanism=POOLS, lps=LpKind, noise=0, informed=0)
    v.avmm_lps["look_at"] = 0.0
    before = tables(v)
    for i in range(4):
        avmm_lp.act(v, i)
    v.avmm_lps["look_at"] = 0.0
    assert tables(v) == before


# --- LPs: ranges ---


def look(v, lp):
    """Have an LP look now."""
    v.avmm_lps[lp].look_at = v.clock[0].now
    avmm_lp.act(v, lp)


@pytest.mark.parametrize("kind", [UNDERCUTTING, VOLATILITY_AWARE, INVENTORY])
def test_a_look_moves_ranges_to_the_oracles_prices(kind):
    v = an_avmm(lps=(kind,), primaries=(ETH,))
    next_round(v, (2200.0, 300.0), oracle_prices=(2100.0, 300.0))
    look(v, 0)
    bounds = v.book.ranges[0]
    assert (bounds[ETH].low, bounds[ETH].high) == (2100.0 / 1.1, 2100.0 * 1.1)
    assert (bounds[TAAPL].low, bounds[TAAPL].high) == (300.0 / 1.1, 300.0 * 1.1)
    assert counted(v, Action.RFQ_TERMS) == {"OK": 2}  # the dollar's stands already


def test_ranges_on_pairs_are_prices_in_the_numeraire():
    v = an_avmm(lps=(UNDERCUTTING,), primaries=(ETH,), derived=True)
    next_round(v, (2500.0, 260.0))
    look(v, 0)
    assert counted(v, Action.RFQ_TERMS) == {"OK": 3}
    in_usd = v.book.ranges[0, ETH]
    assert (in_usd.low, in_usd.high) == (2000.0 / 1.1, 2000.0 * 1.1)
    assert rfq_ranges.is_in_range(v.book, 0, ETH, USD, 2500.0 * 1.0999, 1.0)
    assert not rfq_ranges.is_in_range(v.book, 0, ETH, USD, 2500.0 * 1.1001, 1.0)
    assert not rfq_ranges.is_in_range(v.book, 0, USD, ETH, 1.0, 2500.0 / 1.1001)
    assert not rfq_ranges.is_in_range(v.book, 0, ETH, TAAPL, 2500.0 * 1.1001, 260.0)  # a pair without the numeraire has a range, too


# --- LPs: volatility ---


def test_variance_of_a_price_that_moves_alike_every_round_is_its_squared_return_per_second():
    v = an_avmm(noise=0, informed=0, steps=1500)
    for i in range(1500):
        next_round(v, (2000.0 if i % 2 else 2002.0, 250.0))
        avmm_step.begin(v)
    expected = math.log(2002.0 / 2000.0) ** 2 / 60.0
    assert v.avmm_assets[ETH].variance == pytest.approx(expected * (1.0 - math.exp(-90_000.0 / 14_400.0)))
    assert v.avmm_assets[TAAPL].variance == 0.0


def test_who_minds_volatility_is_out_in_a_storm_and_back_in_a_calm():
    v = an_avmm(lps=(VOLATILITY_AWARE,), primaries=(ETH,))
    year = 365.0 * 86_400.0
    next_round(v)
    v.avmm_assets[TAAPL].variance = 1.6**2 / year  # it bears 1.5
    look(v, 0)
    assert (v.avmm_lps[0].is_out, v.book.lps[0].accepts) == (True, 0)
    v.avmm_assets[TAAPL].variance = 1.4**2 / year
    look(v, 0)
    assert (v.avmm_lps[0].is_out, v.book.lps[0].accepts) == (False, 0b111)


def test_what_an_lp_does_not_trade_does_not_scare_it():
    v = an_avmm(lps=(VOLATILITY_AWARE,), primaries=(ETH,))
    next_round(v)
    v.avmm_assets[TAAPL].variance = 1.0
    v.avmm_lps["accepts"] = 0b001
    look(v, 0)
    assert not v.avmm_lps[0].is_out


@pytest.mark.parametrize(("daily", "width"), [(0.01, 0.1), (0.05, 0.15000000000000002)])
def test_width_follows_the_volatility_of_a_day_and_is_never_less_than_its_own(daily, width):
    v = an_avmm(lps=(VOLATILITY_AWARE,), primaries=(ETH,))
    next_round(v)
    v.avmm_assets[ETH].variance = daily**2 / 86_400.0
    look(v, 0)
    assert v.book.ranges[0, ETH].high == pytest.approx(2000.0 * (1.0 + width), rel=1e-12)


# --- LPs: inventory ---


def sold_to(v, usd):
    """Somebody sells TAAPL to the first LP, whose primary is USD."""
    assert avmm_desk.trade(v, account(v, 0), TAAPL, USD, usd / 250.0)[0] == Status.OK


def test_who_minds_inventory_trades_the_excess_back_and_strands_nothing():
    v = an_avmm(lps=(INVENTORY, STATIC), primaries=(USD, USD), informed=0)
    rfq_positions.set_discount(v.book, 0, 1.0)
    next_round(v)
    sold_to(v, 80_000.0)
    look(v, 0)
    lp, holdings = v.avmm_lps[0], v.book.holdings[0]["balance"]
    share = holdings[TAAPL] * 250.0 / (holdings[USD] + holdings[TAAPL] * 250.0)
    assert 0.495 < share <= 0.5
    assert v.wallets[lp.account, :3].tolist() == [0.0, 0.0, 0.0]
    assert v.avmm_lps[1].settled_usd == pytest.approx(30_000.0, rel=0.01)
    assert counted(v, Action.RFQ_FUND) == {"OK": 2}
    assert money(v)[1] == [0.0, 0.0, 0.0]


def test_what_has_grown_beyond_the_band_is_not_taken_until_the_next_look():
    v = an_avmm(lps=(INVENTORY, STATIC), primaries=(USD, USD), informed=0)
    rfq_positions.set_discount(v.book, 0, 1.0)
    next_round(v)
    sold_to(v, 80_000.0)
    look(v, 0)
    assert v.book.lps[0].accepts == 0b011
    look(v, 0)
    assert v.book.lps[0].accepts == 0b111


def test_what_nobody_takes_stays_in_the_position():
    v = an_avmm(lps=(INVENTORY,), primaries=(USD,), informed=0)
    next_round(v)
    sold_to(v, 80_000.0)
    before = v.book.holdings.tobytes()
    for _ in range(2):
        look(v, 0)
        assert v.book.lps[0].accepts == 0b011
    assert v.book.holdings.tobytes() == before
    assert v.avmm_lps[0].settled_usd == 80_000.0  # it does not trade with itself


def test_what_only_the_fee_of_trading_back_lifts_beyond_the_band_is_not_traded_with_itself():
    v = an_avmm(lps=(INVENTORY, STATIC), primaries=(USD, USD), informed=0)
    v.avmm_lps["band"] = 0.3
    rfq_positions.set_discount(v.book, 0, 1.0)
    next_round(v)
    for asset, amount in ((ETH, 17.5), (TAAPL, 120.0)):  # 0.35 and 0.3 of its 100,000 USD
        avmm_desk.trade(v, account(v, 0), asset, USD, amount)
    look(v, 0)
    assert avmm_lp.excess(v, v.avmm_lps[0], TAAPL) > 0.0
    assert v.avmm_lps["fills"].tolist() == [2, 1]


def test_a_share_within_the_band_is_left_alone():
    v = an_avmm(lps=(INVENTORY, STATIC), primaries=(USD, USD), informed=0)
    rfq_positions.set_discount(v.book, 0, 1.0)
    next_round(v)
    sold_to(v, 49_000.0)
    look(v, 0)
    assert v.book.lps[0].accepts == 0b111
    assert v.book.holdings[0, TAAPL].balance == 196.0


def test_a_solver_with_too_much_of_an_asset_stops_taking_it():
    v = an_avmm(
        mechanism=SEALED, lps=(INVENTORY,), primaries=(USD,), informed=0, orders=[(1, 0, TAAPL, True, 80_000.0), (2, 0, TAAPL, True, 100.0)]
    )
    next_round(v)
    play(v)
    look(v, 0)
    next_round(v)
    play(v)
    assert counted(v, Action.AUCTION) == {"OK": 1, "NO_BID": 1}


# --- the round ---


def test_traders_go_by_arrival_and_then_the_informed_in_drawn_order():
    v = an_avmm(
        noise=3, informed=4, orders=[(1, 2, ETH, True, 1.0), (1, 0, ETH, True, 1.0), (1, 2, ETH, True, 1.0), (2, 1, ETH, True, 1.0)]
    )
    next_round(v)
    rows = np.zeros(7, np.int64)
    assert avmm_step.trader_order(v, rows) == 6
    assert rows[:2].tolist() == [2, 0]
    assert sorted(rows[2:6]) == [3, 4, 5, 6]
    drawn = []
    for _ in range(8):
        next_round(v)
        count = avmm_step.trader_order(v, rows)
        drawn.append(tuple(rows[count - 4 : count]))
    assert len(set(drawn)) > 1


def test_a_round_begins_with_the_index_at_the_new_prices_and_rep_that_is_due():
    v = an_avmm(noise=0, informed=0)
    v.feeds[ETH].price = 2100.0
    reputation.earn(v.book, 1, ETH, USD, 100.0, -48.0 * 3600.0)
    avmm_step.begin(v)
    assert rfq_ranges.is_current(v.book, ETH, USD, 2100.0, 1.0)
    assert v.book.lps[1].rep == 400.0


def test_reviews_come_when_they_are_due():
    v = an_avmm(noise=0, informed=0)
    v.book.terms["out_of_range_loss"] = 0.5
    v.book.lps["rep"] = 8.0
    v.terms["review_at"], v.terms["review_every"] = 120.0, 180.0
    reps = []
    for _ in range(5):
        next_round(v, (4000.0, 500.0))
        avmm_step.begin(v)
        reps.append(float(v.book.lps[1].rep))
    assert reps == [8.0, 4.0, 4.0, 4.0, 2.0]


# --- quote and settle of the contract ---

usd_amounts = st.one_of(st.floats(0.01, 300_000.0), st.sampled_from([100_000.0, 1_000_000.0, 1_000_001.0, 0.0, -1.0, math.nan]))
pairs = st.permutations(range(3)).map(lambda assets: tuple(assets[:2]))
PROPERTY = settings(max_examples=60, deadline=None)


def in_use(v):
    """LPs of all assets, some of which have been paid in another one, at different discounts."""
    for lp, discount in enumerate((0.0, 0.25, 0.25, 0.5, 0.75, 1.0)):
        rfq_positions.set_discount(v.book, lp, discount)
    next_round(v)
    for inbound, outbound in ((USD, ETH), (ETH, TAAPL), (TAAPL, USD)):
        avmm_desk.trade(v, account(v, 0), inbound, outbound, floor_amount(30_000.0 / PRICES[inbound]))
    return v


@PROPERTY
@given(pairs, usd_amounts, st.booleans(), st.integers(0, 10), st.sampled_from([0.0, 60.0, 120.0]), st.booleans())
def test_a_quote_is_what_settling_answers_and_changes_nothing(pair, usd, all_or_none, most, later, by_scan):
    v = in_use(an_avmm(lps=(STATIC,) * 6))
    avmm_desk.set_order(v, account(v, 0), *pair, usd if math.isnan(usd) else floor_amount(usd / PRICES[pair[0]]))
    order, now = v.order[0], float(v.clock[0].now) + later
    order.all_or_none, order.most_lps = all_or_none, most
    before = tables(v)
    quoted = rfq.quote(v.book, order, v.feeds, v.wallets, v.fills, now, by_scan)
    fills = v.fills.tobytes()
    assert tables(v) == before
    assert rfq.settle(v.book, order, v.feeds, v.wallets, v.fills, now, by_scan) == quoted
    assert v.fills.tobytes() == fills
    assert quoted[0] == Status.OK or tables(v) == before


@PROPERTY
@given(pairs, st.floats(1.0, 50_000.0), st.floats(0.95, 1.05))
def test_settling_at_old_prices_pays_what_was_quoted_then(pair, usd, move):
    v = in_use(an_avmm(lps=(STATIC,) * 6))
    quoted = avmm_desk.ask(v, account(v, 0), *pair, floor_amount(usd / PRICES[pair[0]]))
    next_round(v, (2000.0 * move, 250.0 / move))
    price_in, price_out = PRICES[pair[0]], PRICES[pair[1]]
    assert rfq.settle_at(v.book, v.order[0], price_out, price_in, v.wallets, v.fills, float(v.clock[0].now), False)[:3] == quoted
    assert quoted[0] == Status.OK


orders = st.lists(
    st.tuples(st.integers(1, 8), st.integers(0, 1), st.integers(1, 2), st.booleans(), st.floats(0.5, 90_000.0)), min_size=1, max_size=12
)


@PROPERTY
@given(orders, st.sampled_from([RFQ, DUTCH, SEALED]), st.lists(st.floats(0.97, 1.03), min_size=8, max_size=8))
def test_what_an_order_costs_is_what_the_lps_gain(orders, mechanism, moves):
    v = an_avmm(mechanism=mechanism, noise=2, orders=orders, lps=(STATIC,) * 4)
    before = money(v)
    for move in moves:
        next_round(v, v.market_price[v.clock[0].step] * move, oracle_prices=v.market_price[v.clock[0].step])
        play(v)
    gained = (v.avmm_lps["fees_usd"] - v.avmm_lps["stale_loss_usd"]).sum()
    assert v.flows["cost_usd"].sum() == pytest.approx(gained, abs=1e-6)
    assert (v.flows["filled_usd"] <= v.flows["ordered_usd"]).all()
    assert money(v) == before


@PROPERTY
@given(st.lists(st.floats(100.0, 60_000.0), min_size=1, max_size=6), st.floats(0.3, 0.7), st.floats(0.96, 1.04))
def test_trading_back_takes_out_what_others_take_of_the_excess_and_strands_nothing(sales, band, move):
    v = an_avmm(lps=(INVENTORY, STATIC, STATIC), primaries=(USD, USD, ETH), informed=0)
    rfq_positions.set_discount(v.book, 0, 1.0)
    v.avmm_lps["band"][0] = band
    next_round(v)
    for usd in sales:
        avmm_desk.trade(v, account(v, 0), TAAPL, USD, floor_amount(usd / 250.0))
    next_round(v, (2000.0, 250.0 * move))
    lp, own = v.avmm_lps[0], v.book.holdings[0, TAAPL]
    avmm_lp.accept(v, lp, 0b011)
    taken = avmm_desk.ask_without_tokens(v, lp.account, TAAPL, USD, avmm_lp.excess(v, lp, TAAPL))[2]
    before = float(own.balance)
    look(v, 0)
    assert own.balance == before - taken
    assert v.wallets[lp.account, USD] == v.wallets[lp.account, ETH] == 0.0
    assert v.wallets[lp.account, TAAPL] <= 2 * UNIT
    assert money(v)[1] == [0.0, 0.0, 0.0]


def test_settling_at_given_prices_pays_at_these_prices_fresh_or_not():
    v = an_avmm()
    for _ in range(5):
        next_round(v, publishes=False)
    avmm_desk.set_order(v, account(v, 0), USD, ETH, 1900.0)
    status, received, paid, count = rfq.settle_at(v.book, v.order[0], 1900.0, 1.0, v.wallets, v.fills, 300.0, False)
    assert (status, received, paid, count) == (Status.OK, 1.0 - floor_amount(0.005), 1900.0, 1)


@pytest.mark.parametrize(("price_out", "price_in"), [(0.0, 1.0), (1900.0, 0.0), (-1.0, 1.0), (math.nan, 1.0)])
def test_nothing_settles_at_a_price_that_is_none(price_out, price_in):
    v = an_avmm()
    avmm_desk.set_order(v, account(v, 0), USD, ETH, 1900.0)
    assert rfq.settle_at(v.book, v.order[0], price_out, price_in, v.wallets, v.fills, 0.0, False)[0] == Status.STALE_PRICE


# --- faces ---


class _Model:
    """As much of a model as a face needs."""

    def __init__(self, v):
        self.avmm = self.world = v
        self.exchange = None
        self.agent_id_counter = 1

    def register_agent(self, agent):
        agent.unique_id = 0

    def deregister_agent(self, agent):
        pass


def test_an_lps_face_changes_its_terms_and_funds():
    v = an_avmm()
    lp = AvmmLp(_Model(v), 1)
    lp.set_discount(0.75)
    lp.set_range(ETH, 1500.0, 2500.0)
    lp.set_accepted(USD)
    lp.withdraw(ETH, 5.0)
    lp.deposit(2.0)
    assert (lp.position.fee_discount, lp.position.accepts, lp.balance(ETH), lp.holds(ETH)) == (0.75, 0b001, 47.0, 3.0)
    assert (v.book.ranges[1, ETH].low, v.book.ranges[1, ETH].high) == (1500.0, 2500.0)
    assert (counted(v, Action.RFQ_TERMS), counted(v, Action.RFQ_FUND)) == ({"OK": 3}, {"OK": 2})


@pytest.mark.parametrize("ask", [lambda lp: lp.set_discount(1.5), lambda lp: lp.set_range(ETH, 2.0, 1.0), lambda lp: lp.deposit(1.0)])
def test_a_refusal_is_raised_to_an_lps_face(ask):
    v = an_avmm()
    before = [table.tobytes() for table in (*v.book, v.wallets)]
    with pytest.raises(Refused):
        ask(AvmmLp(_Model(v), 1))
    assert [table.tobytes() for table in (*v.book, v.wallets)] == before


@pytest.mark.parametrize("mechanism", Mechanism)
def test_a_traders_face_trades_by_the_markets_mechanism(mechanism):
    v = an_avmm(mechanism=mechanism)
    trader = AvmmTrader(_Model(v), 0)
    received, paid = trader.trade(USD, ETH, 2000.0)
    assert paid == 2000.0
    assert trader.holds(ETH) == 500.0 + received
    assert (v.flows[NOISE].orders, v.flows[NOISE].filled, v.flows[NOISE].filled_usd) == (1, 1, 2000.0)
    v.wallets[trader.account, TAAPL] = 4.0
    with pytest.raises(InsufficientBalance):
        trader.trade(TAAPL, USD, 4.0 + UNIT)
