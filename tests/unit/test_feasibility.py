"""What ratios and discounts can do at all: lines that the contracts' own arithmetic must agree with."""

import math

import pytest
from made_up import small

from seawall.scenarios import feasibility


@pytest.fixture
def scenario(tmp_path):
    return small(tmp_path, "liquidators.cost_usd=0", "liquidators.min_profit=0").scenario


@pytest.mark.parametrize("ratio", [1.1, 1.5, 2.0, 3.0])
def test_on_the_restoring_line_a_purchase_leaves_the_ratio_as_it_is(ratio):
    discount = feasibility.restoring_line(ratio)
    for burned in (0.1, 0.5):
        assert (ratio - burned / (1.0 - discount)) / (1.0 - burned) == pytest.approx(ratio)
        assert (ratio - burned / (1.0 - discount + 0.01)) / (1.0 - burned) > ratio
        assert (ratio - burned / (1.0 - discount - 0.01)) / (1.0 - burned) < ratio


@pytest.mark.parametrize(("ratio", "gap"), [(1.5, 0.0), (1.5, 0.2), (1.3, 0.1)])
def test_the_toxic_line_is_the_restoring_line_of_the_ratio_after_the_gap(ratio, gap):
    assert feasibility.toxic_line(ratio, gap) == pytest.approx(feasibility.restoring_line(ratio / (1.0 + gap)))


def test_at_the_least_discount_a_liquidator_breaks_even(scenario):
    terms, usd = scenario.tassets["tA"], 100.0
    discount = feasibility.least_discount(terms, scenario, usd)
    side = terms.pool.liquidity_usd / 2.0
    tokens = usd / (1.0 - terms.pool.commission)
    paid = side * side / (side - tokens) - side
    received = usd * (1.0 - terms.auction_fee) / (1.0 - discount)
    assert 0.0 < discount < 1.0
    assert received == pytest.approx(paid)


@pytest.mark.parametrize("more", [{"usd": 300.0}, {"usd": 100.0, "gap": 0.1}])
def test_larger_purchases_and_gaps_need_more(scenario, more):
    terms = scenario.tassets["tA"]
    assert feasibility.least_discount(terms, scenario, **more) > feasibility.least_discount(terms, scenario, 100.0)


def test_cost_and_profit_need_more(tmp_path, scenario):
    dear = small(tmp_path, "liquidators.cost_usd=5", "liquidators.min_profit=0.02").scenario
    terms = scenario.tassets["tA"]
    assert feasibility.least_discount(terms, dear, 100.0) > feasibility.least_discount(terms, scenario, 100.0)


def test_a_pool_that_does_not_hold_so_much_pays_nobody(scenario):
    assert feasibility.least_discount(scenario.tassets["tA"], scenario, 1_000.0) == 1.0


def test_the_floor_is_the_least_discount_of_the_smallest_purchase(tmp_path):
    scenario = small(tmp_path, "liquidators.cost_usd=0", "liquidators.min_profit=0.01").scenario
    terms = scenario.tassets["tA"]
    assert feasibility.least_discount(terms, scenario, 1e-6) == pytest.approx(feasibility.floor_discount(terms, scenario), abs=1e-8)


@pytest.mark.parametrize(("setting", "only_pool"), [("liquidators.tokens_usd=0", True), ("liquidators.tokens_usd=5", False)])
def test_liquidators_with_tokens_need_no_pool(tmp_path, setting, only_pool):
    scenario = small(tmp_path, setting).scenario
    assert scenario.liquidators.venue == "pool"
    assert feasibility.buys_on_pool(scenario) is only_pool


def test_a_stale_price_falls_behind_by_what_volatility_does_in_its_validity(tmp_path):
    scenario = small(tmp_path, "oracle_feeders.deviation=0.5").scenario
    terms = scenario.tassets["tA"]
    sigma = 9.0 * math.sqrt(terms.price_valid_seconds / (365 * 86_400))
    assert feasibility.stale_gap(terms, scenario) == pytest.approx(math.exp(2.3263479 * sigma) - 1.0)


def test_feeders_bound_the_gap(tmp_path):
    scenario = small(tmp_path, "oracle_feeders.deviation=0.001").scenario
    assert feasibility.stale_gap(scenario.tassets["tA"], scenario) == 0.001


def test_of_replayed_prices_no_gap_is_told():
    from seawall.scenarios.load import load, shipped

    replay = load(next(file for file in shipped() if file.name == "replay.yaml")).scenario
    assert feasibility.stale_gap(next(iter(replay.tassets.values())), replay) is None
