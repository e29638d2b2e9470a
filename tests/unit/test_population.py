"""Populations and streams: what a seed fixes, whatever the parameters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import storm, storm_model

from seawall.protocols.amounts import LIMIT
from seawall.protocols.errors import ScenarioError
from seawall.scenarios.layout import lognormal, spread
from seawall.scenarios.parts import LogNormal
from seawall.scenarios.population import draw_orders
from seawall.scenarios.streams import Purpose, order_seed, stream


def test_streams_differ_by_seed_path_and_purpose_and_nothing_else():
    draws = {(seed, path, purpose): stream(seed, path, purpose).random() for seed in (0, 1) for path in (0, 1) for purpose in Purpose}
    assert len(set(draws.values())) == len(draws)
    assert stream(1, 1, Purpose.PRICES).random() == draws[1, 1, Purpose.PRICES]
    assert order_seed(5, 0) == order_seed(5, 0) != order_seed(5, 1)
    assert 0 <= order_seed(5, 0) < 2**31


@pytest.mark.parametrize(
    "setting",
    ["tassets.tA.min_collateral_ratio=1.6", "tassets.tA.auction_discount=0.05", "minters.reserve=0.9", "liquidators.min_profit=0.1",
     "lps.exit_premium=0.5", "tassets.tB.price_valid_seconds=300", "minters.inattentive_share=0.9", "liquidators.count=3"],
)  # fmt: skip
def test_parameters_change_neither_prices_nor_orders_nor_who_is_who(setting):
    plain, changed = storm_model().world, storm_model(setting).world
    assert (plain.market_price == changed.market_price).all()
    assert (plain.orders == changed.orders).all()
    assert plain.clock[0].order_seed == changed.clock[0].order_seed
    assert (plain.minters["reaction"] == changed.minters["reaction"]).all()
    assert (plain.minters["relevers"] == changed.minters["relevers"]).all()


@given(st.integers(0, 500), st.lists(st.floats(0.01, 100.0), min_size=1, max_size=8))
def test_rows_are_spread_by_weight_to_the_last_one(count, weights):
    weights = np.array(weights)
    sizes = np.bincount(spread(count, weights), minlength=len(weights))
    assert sizes.sum() == count
    assert (abs(sizes - count * weights / weights.sum()) < 1).all()


def test_lognormal_quantities_have_their_median_and_sigma():
    draws = np.log(lognormal(LogNormal(median=20_000, sigma=0.7), np.random.default_rng(3), 20_000))
    assert np.median(draws) == pytest.approx(np.log(20_000), abs=0.7 * 1.2533 * 4 / np.sqrt(20_000))
    assert draws.std() == pytest.approx(0.7, rel=4 / np.sqrt(2 * 20_000))


def test_orders_arrive_as_a_poisson_process_within_the_run():
    scenario = storm("traders.orders_per_day=1000").scenario
    rounds, traders, pools, sells, usd = draw_orders(scenario, 14_400, np.random.default_rng(4))
    expected = 20 * 1000 * 10
    assert abs(len(rounds) - expected) < 4 * np.sqrt(expected)
    assert (rounds[0] >= 1, rounds[-1] <= 14_400, (np.diff(rounds) >= 0).all()) == (True, True, True)
    per_round = np.bincount(rounds, minlength=14_401)[1:]
    assert per_round.var() / per_round.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / 14_400))
    assert set(traders) == set(range(20))
    assert set(pools) == {0, 1}
    assert sells.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(sells)))
    assert (usd > 0).all()


def test_shares_say_which_tasset_is_minted():
    world = storm_model("minters.shares.tA=3", "minters.shares.tB=1", "minters.count=80").world
    assert list(np.bincount(world.cdps["tasset"])) == [60, 20]


def test_responses_are_spread_by_weight():
    world = storm_model("minters.count=600", "minters.responses.deposit=2", "minters.responses.burn=1", "minters.responses.close=1").world
    counts = np.bincount(world.minters["response"], minlength=3)
    assert counts / 600 == pytest.approx([0.5, 0.25, 0.25], abs=4 * np.sqrt(0.25 / 600))


def test_the_market_starts_as_the_scenario_says():
    world = storm_model().world
    prices = world.market_price[0]
    reserves = world.wallets[world.pools["account"][:2]]
    assert reserves[:, 0] == pytest.approx([50_000, 30_000], abs=1e-3)
    assert reserves[[0, 1], [1, 2]] * prices == pytest.approx([50_000, 30_000], rel=1e-6)
    assert (world.feeds["price"][:-1] == prices).all()
    ratios = world.cdps["collateral"] / (world.cdps["debt"] * prices[world.cdps["tasset"]])
    assert ratios == pytest.approx(world.minters["target_ratio"], rel=1e-5)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("minters.count=2", "its pool and agents are to hold"),
        ("minters.collateral_usd.median=1e9", f"more than {LIMIT:,.0f} tDOLLAR"),
        ("minters.collateral_usd.median=1e-9", "cannot be opened: BAD_AMOUNT"),
        ("tassets.tA.pool.liquidity_usd=0.001", "cannot provide its part: BAD_AMOUNT"),
    ],
)
def test_a_market_that_cannot_be_set_up_is_refused_in_words(setting, said):
    with pytest.raises(ScenarioError, match=r"storm\.yaml: ") as caught:
        storm_model(setting)
    assert said in str(caught.value)
