"""Records and headline figures, by hand on small markets."""

import math

import numpy as np
import pytest
from markets import storm_model
from worlds import a_cdp, a_market, a_pool, give_tassets

from seawall.agents import liquidator
from seawall.models import frames, measures
from seawall.models.records import RATIO_EDGES, observe, ratio_bin
from seawall.models.stress import StressModel
from seawall.protocols import amm, cdp, oracle
from seawall.protocols.amounts import floor_amount
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR

DAY = 86_400


def observed(world):
    observe(world)
    return {name: figure for group in measures.measure(world).values() for name, figure in group.items()}


def test_shortfall_is_marked_at_the_market_price_and_never_netted():
    world = a_market(price=100.0, minters=3)
    a_cdp(world, 0, 900.0, 10.0)  # worth 90% of its debt at 100, 75% at 120
    a_cdp(world, 1, 1100.0, 10.0)  # insolvent only at 120
    a_cdp(world, 2, 5000.0, 10.0)  # solvent by 3,800 at 120
    world.market_price[:] = 120.0
    figures = observed(world)
    assert figures["shortfall_end_usd"].value == pytest.approx(300 + 100)
    assert figures["insolvent_cdps_end"].value == 2
    assert figures["under_collateralised_debt_share_end"].value == pytest.approx(2 / 3)
    assert figures["min_system_collateral_ratio"].value == pytest.approx(7000 / 3600)
    assert figures["debt_end_usd"].value == pytest.approx(3600)


def test_peaks_keep_the_worst_moment():
    world = a_market(price=100.0, minters=1)
    a_cdp(world, 0, 1000.0, 10.0)
    for step, price in enumerate([100, 110, 105, 100]):
        world.clock[0].step, world.clock[0].now = step, 60.0 * step
        world.market_price[step] = price
        figures = observed(world)
    assert figures["shortfall_peak_usd"].value == pytest.approx(100)
    assert figures["shortfall_end_usd"].value == 0
    assert figures["time_to_insolvency_s"].value == 60
    assert world.peaks[0].shortfall_peak_at == 60


def test_what_cannot_be_computed_says_why():
    figures = observed(a_market())
    assert figures["time_to_insolvency_s"] == measures.Figure(None, "seconds", "no CDP became insolvent")
    assert figures["min_system_collateral_ratio"].value is None
    assert figures["liquidation_efficiency"].why == "no CDP was margin called"
    assert figures["fee_yield_per_year"].value is None


@pytest.mark.parametrize(
    ("ratio", "low", "high"),
    [
        (0.0, 0.0, 0.5),
        (0.49, 0.0, 0.5),
        (0.5, 0.5, 0.6),
        (1.0, 1.0, 1.1),
        (1.0999, 1.0, 1.1),
        (9.99, 7.0, 10.0),
        (10.0, 10.0, math.inf),
        (math.inf, 10.0, math.inf),
    ],
)
def test_a_ratio_falls_into_its_bin(ratio, low, high):
    found = ratio_bin(ratio)
    assert (RATIO_EDGES[found], RATIO_EDGES[found + 1]) == (low, high)


def test_lp_yield_is_fees_over_mean_pool_value_and_years():
    world = a_market(price=100.0, minters=4)
    pool = a_pool(world, base=100_000.0, asset=1_000.0, shares=1_000.0)
    pool.fees_base, pool.fees_asset = 50.0, 0.5
    world.clock[0].step, world.clock[0].now = 1, 60.0
    figures = observed(world)
    assert figures["lp_fees_usd"].value == pytest.approx(100)
    assert figures["fee_yield_per_year"].value == pytest.approx(100 / 200_000 / (60 / (365 * DAY)))


def test_wallets_are_worth_the_same_in_blocks_and_all_at_once():
    rng = np.random.default_rng(3)
    wallets, prices = rng.random((5_000, 7)), rng.random(7)
    accounts = rng.permutation(5_000)[:4_001]
    assert len(accounts) > 3 * measures.SMALL_PRODUCT // len(prices)
    np.testing.assert_allclose(measures.worth(wallets, accounts, prices), wallets[accounts] @ prices, rtol=1e-15)
    assert len(measures.worth(wallets, accounts[:0], prices)) == 0


def test_lp_gain_is_measured_against_holding():
    """After a doubling of the price, arbitraged, a constant-product LP holds 2*sqrt(2)/3 of what holding gives."""
    world = a_market(price=200.0, minters=4)
    a_pool(world, base=floor_amount(100_000.0 * math.sqrt(2)), asset=floor_amount(1_000.0 / math.sqrt(2)), shares=1_000.0)
    world.wallets[world.lps[0].account, 0] = 0.0
    lp = world.lps[0]
    lp.start_base, lp.start_asset = 100_000.0, 1_000.0
    gain, held = measures.lp_gain(world)
    assert held == pytest.approx(300_000)
    assert gain / held == pytest.approx(2 * math.sqrt(2) / 3 - 1)


def test_a_liquidation_is_measured_by_hand():
    """Called at 60 s, bought from whole at 120 s: 10 tokens at 110 USD for 1,375 tDOLLAR of the 1,500, with 2 USD of gas."""
    world = a_market(minters=4, liquidate_whole=True)
    a_cdp(world, 0, 1500.0, 10.0)
    buyer = world.liquidators[0]
    buyer.start_usd, buyer.cost_usd = 1_000_000.0 + 10 * 110.0, 2.0
    world.market_price[:] = 110.0
    for step in (1, 2):
        world.clock[0].step, world.clock[0].now = step, 60.0 * step
        oracle.publish(world.feeds[0], world.feeds[0].feeder, 110.0, 60.0 * step)
        liquidator.find_margin_called(world)
        if step == 2:
            give_tassets(world, buyer.account, 10.0)
            liquidator.act(world, 0)
        observe(world)
    found = {name: figure.value for group in measures.measure(world).values() for name, figure in group.items()}
    expected = {
        "liquidations": 1,
        "liquidated_debt_usd": 1100.0,
        "collateral_sold_usd": 1375.0,
        "discount_paid_usd": 275.0,
        "owners_loss_usd": 275.0,
        "collateral_returned_usd": 125.0,
        "liquidation_efficiency": 0.0,
        "mean_time_to_liquidation_s": 60.0,
        "bad_debt_usd": 0.0,
        "holders_loss_usd": 0.0,
        "liquidators_profit_usd": 1375.0 - 1100.0 - 2.0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-5)


def test_debt_without_collateral_is_the_holders_loss_at_todays_price():
    world = a_market()
    world.tassets[0].bad_debt, world.tassets[0].bad_debt_usd = 3.0, 300.0
    world.market_price[:] = 120.0
    figures = observed(world)
    assert (figures["bad_debt_usd"].value, figures["holders_loss_usd"].value) == (300.0, 360.0)


def test_fees_and_volume_come_from_the_contracts_books():
    world = a_market(minters=4)
    pool = a_pool(world, base=100_000.0, asset=1_000.0, shares=1_000.0)
    amm.swap(pool, world.wallets, world.traders[0].account, TDOLLAR, 1000.0, 1.0)
    position = a_cdp(world, 0, 1000.0, 1.0)
    cdp.withdraw(position, world.tassets[0], world.cdp_kinds[0], world.feeds, world.wallets, 200.0, 0.0)
    figures = observed(world)
    assert figures["volume_usd"].value == 1000.0
    assert figures["protocol_fees_usd"].value == pytest.approx(200 * 0.015, abs=1e-5)
    assert figures["lp_fees_usd"].value == pytest.approx(1000 * 1000 / 101_000 * 0.003 * 100, abs=1e-3)


@pytest.fixture(scope="module")
def stormy():
    return storm_model().run()


def test_series_agree_with_the_world_at_the_end(stormy):
    last = stormy.series().groupby("tasset").last()
    world = stormy.world
    assert last.loc["tA", "debt_tokens"] == world.tassets[0].debt
    assert last.loc["tB", "collateral_usd"] == world.cdp_kinds[1].collateral
    assert last["open_cdps"].sum() == world.cdps["is_open"].sum()
    assert (last["market_price"].to_numpy() == world.market_price[-1]).all()


def test_every_open_cdp_is_in_one_bin(stormy):
    ratios = frames.ratios(stormy.world, stormy.tasset_names)
    counted = ratios.groupby(["time_s", "tasset"])["cdps"].sum()
    open_cdps = stormy.series().set_index(["time_s", "tasset"])["open_cdps"]
    assert (counted == open_cdps).all()


def test_refusals_add_up_to_the_tallies(stormy):
    refusals = frames.refusals(stormy.world)
    assert (refusals["status"] != "OK").all()
    for action in Action:
        refused = refusals[refusals["action"] == action.name.lower()]["count"].sum()
        assert refused == stormy.world.tallies[action].sum() - stormy.world.tallies[action, Status.OK]


def test_records_are_at_the_start_at_intervals_and_at_the_end():
    model = storm_model("record_minutes=50")
    assert list(model.run().series()["time_s"].unique() / 60) == [0, 50, 100, 150, 200, 250, 300, 350, 360]


def test_the_waterfall_mirrors_the_discount(stormy):
    figures = {name: figure.value for group in stormy.summary().values() for name, figure in group.items()}
    assert figures["owners_loss_usd"] == figures["discount_paid_usd"]
    sold = stormy.liquidations()["sold_usd"].sum()
    assert figures["collateral_sold_usd"] == pytest.approx(sold, rel=1e-12)


def test_a_fresh_model_measures_without_a_round():
    model = StressModel(a_market())
    assert model.summary()["liquidations"]["liquidations"].value == 0
    assert np.isnan(model.series()["amm_price"]).all()
