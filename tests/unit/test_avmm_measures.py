"""Figures, records, frames and audit of the RFQ market, by hand on small ones: ETH at 2,000 USD, tAAPL at 250, fees of half a percent."""

import numpy as np
import pytest
from avmm_markets import ETH, PRICES, TAAPL, USD, an_avmm, next_round
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.agents.avmm import Avmm, LpKind, Mechanism, RfqTraderKind
from seawall.models import avmm_audit, avmm_frames, avmm_measures, avmm_step
from seawall.models.avmm_measures import AvmmNames
from seawall.models.avmm_records import observe
from seawall.protocols.errors import ConservationError
from seawall.protocols.status import Action, Status

YEAR = 365 * 86_400.0
CENT = 0.01  # USD: more than all floors to a unit cost
NAMES = AvmmNames(("USD", "ETH", "tAAPL"))
BUY_ETH, SELL_ETH = (1, 0, ETH, False, 2_000.0), (1, 0, ETH, True, 2_000.0)
TWO_KINDS = (LpKind.STATIC, LpKind.INVENTORY, LpKind.INVENTORY)


def figures(v: Avmm):
    return avmm_measures.measure(v, NAMES)["avmm"]


def values(v: Avmm):
    return {name: figure.value for name, figure in figures(v).items()}


def play(v: Avmm, market=None, **published) -> Avmm:
    """Play the next round, at these market prices, and record it."""
    next_round(v, market, **published)
    avmm_step.begin(v)
    avmm_step.play(v, np.zeros(len(v.avmm_traders) + len(v.avmm_lps), np.int64))
    observe(v)
    return v


def test_nothing_has_happened():
    found = figures(an_avmm(informed=0))
    assert {name: figure.value for name, figure in found.items() if figure.value is not None} == {
        "avmm_volume_usd": 0.0,
        "avmm_orders": 0,
        "avmm_fees_usd": 0.0,
        "avmm_stale_loss_usd": 0.0,
        "avmm_lp_gain_usd": 0.0,
        "avmm_lps_out_end": 0,
        "avmm_refused_no_lp": 0,
        "avmm_refused_stale_price": 0,
    }
    assert {name: figure.why for name, figure in found.items() if figure.value is None} == {
        "avmm_fill_rate": "nothing was ordered",
        "avmm_execution_cost": "no order was filled",
        "avmm_informed_gain_usd": "there are no informed traders",
        "avmm_fee_yield_per_year": "LPs started with nothing, or no time passed",
        "avmm_lp_net_yield_per_year": "LPs started with nothing, or no time passed",
        "avmm_lp_net_yield_per_year.static": "LPs started with nothing, or no time passed",
        "avmm_herfindahl": "nothing was settled",
        "avmm_settled_share.static": "nothing was settled",
        "avmm_payable_min_usd": "nothing was recorded",
    }


def test_an_order_costs_its_fee():
    """2,000 USD buy 0.995 ETH of the one LP that has ETH; 300,000 USD were provided, a minute passed."""
    found = values(play(an_avmm(orders=[BUY_ETH], informed=0)))
    years = 60.0 / YEAR
    expected = {
        "avmm_volume_usd": 2_000.0,
        "avmm_orders": 1,
        "avmm_fill_rate": 1.0,
        "avmm_execution_cost": 0.005,
        "avmm_fees_usd": 10.0,
        "avmm_fee_yield_per_year": 10.0 / 300_000.0 / years,
        "avmm_stale_loss_usd": 0.0,
        "avmm_lp_gain_usd": 10.0,
        "avmm_lp_net_yield_per_year": 10.0 / 300_000.0 / years,
        "avmm_herfindahl": 1.0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=CENT, rel=1e-3)


def test_a_stale_price_costs_lps_what_the_trader_saves():
    """The oracle has ETH at 2,000, the market at 2,010: an ETH settled, fee included, is worth 10 USD more than what is paid for it."""
    v = play(an_avmm(orders=[BUY_ETH], informed=0), (2_010.0, 250.0), oracle_prices=PRICES[1:])
    found = values(v)
    assert found["avmm_stale_loss_usd"] == pytest.approx(10.0, abs=CENT)
    assert found["avmm_fees_usd"] == pytest.approx(10.05, abs=CENT)
    assert found["avmm_lp_gain_usd"] == pytest.approx(0.05, abs=CENT)
    assert found["avmm_execution_cost"] == pytest.approx(0.05 / 2_000.0, abs=1e-5)


def test_informed_traders_gain_is_apart_from_what_orders_cost():
    """20,000 USD buy 9.95 ETH at 2,000, which are worth 2,100 each."""
    v = play(an_avmm(noise=0), (2_100.0, 250.0), oracle_prices=PRICES[1:])
    found = values(v)
    assert found["avmm_informed_gain_usd"] == pytest.approx(9.95 * 2_100.0 - 20_000.0, abs=CENT)
    assert found["avmm_orders"] == 0
    assert found["avmm_lp_gain_usd"] == pytest.approx(-found["avmm_informed_gain_usd"], abs=CENT)


def test_gain_of_an_lp_whose_asset_only_moves_is_nothing():
    assert values(play(an_avmm(informed=0), (3_000.0, 100.0)))["avmm_lp_gain_usd"] == pytest.approx(0.0)


def test_shares_by_kind():
    """3 to 1 among the two of the second kind, nothing by the first: 9/16 + 1/16."""
    v = an_avmm(lps=TWO_KINDS)
    v.avmm_lps["settled_usd"] = 0.0, 300.0, 100.0
    found = values(v)
    assert found["avmm_herfindahl"] == pytest.approx(0.625)
    assert (found["avmm_settled_share.static"], found["avmm_settled_share.inventory"]) == (0.0, 1.0)
    assert "avmm_settled_share.undercutting" not in found


def test_yield_by_kind_is_on_what_that_kind_started_with():
    """LPs of 100,000 USD each; the first finds 365 USD in its wallet after a day."""
    v = an_avmm(lps=TWO_KINDS)
    v.clock["now"] = 86_400.0
    v.wallets[v.avmm_lps["account"][0], USD] += 365.0
    found = values(v)
    assert found["avmm_lp_net_yield_per_year.static"] == pytest.approx(365.0**2 / 100_000.0)
    assert found["avmm_lp_net_yield_per_year.inventory"] == pytest.approx(0.0)
    assert found["avmm_lp_net_yield_per_year"] == pytest.approx(365.0**2 / 300_000.0, rel=1e-4)


def test_refusals_are_counted_by_reason():
    v = an_avmm()
    v.tallies[Action.RFQ_ORDER, Status.NO_ELIGIBLE_LP], v.tallies[Action.RFQ_ORDER, Status.STALE_PRICE] = 3, 2
    found = values(v)
    assert (found["avmm_refused_no_lp"], found["avmm_refused_stale_price"]) == (3, 2)


def test_lps_are_out_who_cannot_pay_or_have_stepped_out():
    """ETH doubles: who has ETH alone is out of range, who has USD still buys tAAPL; another one has stepped out."""
    v = play(an_avmm(informed=0), (4_000.0, 250.0))
    v.avmm_lps[2].is_out = True
    assert values(v)["avmm_lps_out_end"] == 2


def test_solvers_are_out_only_if_they_stepped_out():
    v = an_avmm(mechanism=Mechanism.SEALED_BID)
    v.avmm_lps[2].is_out = True
    assert values(v)["avmm_lps_out_end"] == 1


# --- records ---


def last(v: Avmm, column: str) -> list[float]:
    return list(v.series[int(v.terms[0].records) - 1][column])


def test_a_record_holds_what_the_book_would_pay():
    """100,000 USD in each asset; the best discount is that of the second LP, which pays ETH."""
    v = an_avmm(informed=0)
    v.book.lps["fee_discount"] = 0.5, 0.75, 0.25
    observe(v)
    assert last(v, "payable") == last(v, "balance") == [100_000.0, 50.0, 400.0]
    assert last(v, "lps") == [1, 1, 1]
    assert last(v, "best_discount") == [0.5, 0.75, 0.25]


@pytest.mark.parametrize(
    ("change", "payable"),
    [
        (lambda v: next_round(v, (4_000.0, 250.0)), [100_000.0, 0.0, 400.0]),  # ETH out of range
        (lambda v: next_round(v, (4_000.0, 500.0)), [0.0, 0.0, 0.0]),  # nobody buys anything any more
        (lambda v: v.book.lps["accepts"].__setitem__(0, 0b001), [0.0, 50.0, 400.0]),  # who has USD takes nothing else
        (lambda v: v.book.lps["accepts"].__setitem__(1, 0b110), [100_000.0, 0.0, 400.0]),  # who has ETH takes no USD
        (lambda v: v.book.lps["is_open"].__setitem__(2, False), [100_000.0, 50.0, 0.0]),
        (lambda v: v.feeds["updated_at"].__setitem__(ETH, -61.0), [100_000.0, 0.0, 400.0]),  # stale
    ],
)
def test_what_is_out_of_range_not_accepted_closed_or_stale_is_not_payable(change, payable):
    v = an_avmm(informed=0)
    change(v)
    observe(v)
    assert last(v, "payable") == payable


def test_the_least_payable_is_of_all_assets_at_one_record():
    """300,000 USD; then, ETH out of range, 200,000; then tAAPL is back where ETH was, ETH in range again."""
    v = an_avmm(informed=0)
    observe(v)
    play(v, (4_000.0, 250.0))
    play(v, (2_000.0, 500.0))
    play(v, (2_000.0, 250.0))
    found = values(v)
    assert found["avmm_payable_min_usd"] == pytest.approx(200_000.0)
    assert [found[f"avmm_payable_min_usd.{name}"] for name in NAMES.assets] == pytest.approx([100_000.0, 0.0, 0.0])


def test_records_are_written_at_intervals_and_at_the_end():
    v = an_avmm(steps=5)
    v.clock["record_every"] = 3
    observe(v)
    for _ in range(5):
        play(v)
    assert [v.series[i][0].time for i in range(v.terms[0].records)] == [0.0, 180.0, 300.0]


def test_totals_are_the_same_in_each_asset_s_row():
    v = play(an_avmm(orders=[BUY_ETH], informed=0))
    assert last(v, "settled_usd") == pytest.approx([2_000.0] * 3)
    assert last(v, "ordered_usd") == last(v, "filled_usd") == pytest.approx([2_000.0] * 3)


def test_a_frozen_price_has_no_age():
    v = an_avmm(informed=0)
    play(v, publishes=False)
    assert last(v, "oracle_age") == [0.0, 60.0, 60.0]


# --- the mechanisms that RFQ is compared with ---


def test_pools_have_volume_fees_and_gain_but_nobody_s_own():
    """2,000 USD into a pool of 100,000 USD and 50 ETH: 0.98039 ETH come out, 0.3 % of it kept; traders lose what LPs gain."""
    v = play(an_avmm(mechanism=Mechanism.CONSTANT_PRODUCT, lps=TWO_KINDS, primaries=(ETH, ETH, TAAPL), orders=[BUY_ETH], informed=0))
    found, out = figures(v), 50.0 * 2_000.0 / 102_000.0
    assert found["avmm_volume_usd"].value == pytest.approx(2_000.0)
    assert found["avmm_fees_usd"].value == pytest.approx(0.003 * out * 2_000.0, abs=CENT)
    assert found["avmm_lp_gain_usd"].value == pytest.approx(2_000.0 - 0.997 * out * 2_000.0, abs=0.2)  # a part is locked
    assert found["avmm_execution_cost"].value == pytest.approx(1.0 - 0.997 * out, abs=1e-5)
    assert (found["avmm_stale_loss_usd"].value, found["avmm_stale_loss_usd"].why) == (None, "not followed in pools")
    assert (found["avmm_payable_min_usd"].value, found["avmm_payable_min_usd"].why) == (None, "orders do not go to the book")


def test_frames_of_pools_leave_open_what_nobody_follows():
    v = play(an_avmm(mechanism=Mechanism.CONSTANT_PRODUCT, orders=[BUY_ETH], informed=0))
    assert avmm_frames.lps(v)[["settled_usd", "fees_usd", "stale_loss_usd"]].isna().all(axis=None)
    assert avmm_frames.book(v, NAMES)["stale_loss_usd"].isna().all()


def test_in_pools_orders_are_shared_by_what_lps_started_with():
    found = values(an_avmm(mechanism=Mechanism.CONSTANT_PRODUCT, lps=TWO_KINDS))
    assert found["avmm_herfindahl"] == pytest.approx(1.0 / 3.0, rel=1e-6)
    assert found["avmm_settled_share.static"] == pytest.approx(1.0 / 3.0, rel=1e-6)


def test_what_a_solver_keeps_is_its_fee():
    """A solver delivers 0.5 % less than an ETH is worth and its shade of 0.05 % less again."""
    found = values(play(an_avmm(mechanism=Mechanism.SEALED_BID, orders=[BUY_ETH], informed=0)))
    kept = 2_000.0 * (1.0 - 0.995 * 0.9995)
    assert found["avmm_fees_usd"] == pytest.approx(kept, abs=CENT)
    assert found["avmm_stale_loss_usd"] == pytest.approx(0.0, abs=CENT)
    assert found["avmm_lp_gain_usd"] == pytest.approx(kept, abs=CENT)


@settings(deadline=None)
@given(
    mechanism=st.sampled_from(Mechanism),
    orders=st.lists(st.tuples(st.integers(1, 3), st.just(0), st.sampled_from((ETH, TAAPL)), st.booleans(), st.floats(10.0, 90_000.0))),
    move=st.floats(-0.05, 0.05),
    lag=st.booleans(),
)
def test_what_lps_gain_is_what_traders_lose(mechanism, orders, move, lag):
    """Whatever the mechanism; and the books balance. Traders started with a million of each."""
    v = an_avmm(mechanism=mechanism, orders=orders)
    traded = v.wallets[v.avmm_traders["account"]].sum(axis=0)
    for _ in range(3):
        play(v, (2_000.0 * (1.0 + move), 250.0 * (1.0 - move)), oracle_prices=PRICES[1:] if lag else None)
    avmm_audit.check(v)
    prices = np.r_[avmm_measures.market_prices(v), 0.0, 0.0]
    traders_gain = (v.wallets[v.avmm_traders["account"]].sum(axis=0) - traded) @ prices
    assert values(v)["avmm_lp_gain_usd"] == pytest.approx(-traders_gain, abs=1.0)  # a locked part of pools is nobody's


@settings(deadline=None)
@given(sells=st.booleans(), usd=st.floats(10.0, 90_000.0), move=st.floats(-0.05, 0.05))
def test_an_lp_gains_its_fees_less_its_stale_loss(sells, usd, move):
    v = an_avmm(orders=[(1, 0, ETH, sells, usd)], informed=0)
    play(v, (2_000.0 * (1.0 + move), 250.0), oracle_prices=PRICES[1:])
    found = values(v)
    assert found["avmm_lp_gain_usd"] == pytest.approx(found["avmm_fees_usd"] - found["avmm_stale_loss_usd"], abs=1e-6)


# --- audit ---


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda v: v.book.holdings["balance"].__setitem__((0, USD), 1.0), "balances of positions and what the contract holds differ"),
        (lambda v: v.book.lps["owner"].__setitem__(1, 0), "positions of LPs and their owners differ"),
        (lambda v: v.book.lps["is_open"].__setitem__(1, False), "closed positions still hold tokens"),
        (lambda v: v.book.holdings["balance"].__setitem__((0, ETH), -1.0), "balances of positions: 1 negative"),
        (lambda v: v.book.lps["rep"].__setitem__(1, np.nan), "REP: 1 negative or not a number"),
    ],
)
def test_the_audit_finds(spoil, fault):
    v = play(an_avmm(orders=[BUY_ETH, SELL_ETH]))
    avmm_audit.check(v)
    spoil(v)
    with pytest.raises(ConservationError, match=fault):
        avmm_audit.check(v)


# --- frames ---


@pytest.mark.parametrize("frame", [lambda v: avmm_frames.book(v, NAMES), avmm_frames.lps, avmm_frames.flows])
def test_frames_without_a_market_are_empty_and_alike(frame):
    made, empty = frame(play(an_avmm(orders=[BUY_ETH]))), frame(None)
    assert len(empty) == 0
    assert dict(empty.dtypes) == dict(made.dtypes)


def test_the_book_s_frame_has_a_row_for_each_record_and_asset():
    v = an_avmm(informed=0)
    observe(v)
    frame = avmm_frames.book(play(v, (4_000.0, 250.0)), NAMES)
    assert list(frame["asset"]) == [*NAMES.assets, *NAMES.assets]
    assert list(frame["payable_usd"]) == [100_000.0, 100_000.0, 100_000.0, 100_000.0, 0.0, 100_000.0]
    assert np.isnan(frame["best_discount"][4])


def test_lps_by_kind():
    frame = avmm_frames.lps(play(an_avmm(lps=TWO_KINDS, orders=[BUY_ETH], informed=0))).set_index("kind")
    expected = {"lps": 2, "start_usd": 200_000.0, "settled_usd": 2_000.0, "fees_usd": 10.0, "stale_loss_usd": 0.0, "gain_usd": 10.0}
    assert frame.loc["inventory", list(expected)].to_dict() == pytest.approx(expected, abs=CENT)
    assert list(frame["fills"]) == [0, 1]


def test_rep_by_kind_is_the_mean_of_what_is_left_of_it():
    v = an_avmm(lps=TWO_KINDS)
    v.book.terms["rep_half_life"], v.clock["now"] = 60.0, 60.0
    v.book.lps["rep"] = 10.0, 8.0, 4.0
    assert list(avmm_frames.lps(v)["rep"]) == [5.0, 3.0]


def test_flows_by_kind():
    v = an_avmm()
    flow = v.flows[RfqTraderKind.NOISE]
    flow.orders, flow.filled, flow.ordered_usd, flow.filled_usd, flow.cost_usd, flow.waited_usd_seconds = 4, 3, 900.0, 600.0, 6.0, 3_000.0
    frame = avmm_frames.flows(v).set_index("kind")
    assert frame.loc["noise"].to_dict() == {
        "orders": 4.0,
        "filled": 3.0,
        "ordered_usd": 900.0,
        "filled_usd": 600.0,
        "cost_usd": 6.0,
        "mean_wait_s": 5.0,
    }
    assert np.isnan(frame.loc["informed", "mean_wait_s"])
