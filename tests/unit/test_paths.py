"""Paths: what they refuse, and the moments of simulated ones beside the configured ones."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from seawall.prices.process import YEAR_SECONDS
from seawall.scenarios.paths import Paths, constant, realised_moments
from seawall.scenarios.simulated import simulate
from seawall.scenarios.simulated_schema import SimulatedPrices

START = datetime(2022, 3, 14, tzinfo=UTC)


def a_path(prices: list[list[float]]) -> Paths:
    table = np.array(prices, dtype=np.float64)
    names = ("A", "B", "C")[: table.shape[1]]
    return Paths(START, 60, names, table, np.ones(table.shape, dtype=np.bool_))


def a_spec(**changes: object) -> SimulatedPrices:
    assets = {
        "A": {"start_usd": 100.0, "drift_per_year": 0.3, "volatility_per_year": 0.8},
        "B": {"start_usd": 20.0, "volatility_per_year": 0.2},
    }
    return SimulatedPrices(**{"model": "simulated", "days": 1, "start": START, "correlation": 0.6, "assets": assets} | changes)  # type: ignore[arg-type]


def a_gbm(*, seed: int = 1, steps: int = 100_000, path: int = 0, **changes: object) -> Paths:
    return simulate(a_spec(**changes), steps=steps, step_seconds=3600, seed=seed, path=path).paths


def test_a_constant_path_stays_where_it_started() -> None:
    paths = constant({"A": 3.0, "B": 5.0}, start=START, steps=4, step_seconds=60)
    assert paths.steps == 4
    assert paths.assets == ("A", "B")
    assert (paths.market_price == [3.0, 5.0]).all()
    assert paths.market_open.all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"start": datetime(2022, 3, 14)}, "start.* must be a time in UTC"),
        ({"start": datetime(2022, 3, 14, tzinfo=timezone(timedelta(hours=1)))}, "start.* must be a time in UTC"),
        ({"step_seconds": 0}, r"step_seconds\(=0\) must be > 0"),
        ({"log_weight": math.inf}, r"log_weight\(=inf\) must be finite"),
        ({"assets": ("A", "A")}, "assets.* each once"),
        ({"assets": ("A",)}, r"must be \[steps \+ 1, 1 assets\]"),
        ({"market_open": np.ones((3, 1), dtype=np.bool_)}, r"must be \[steps \+ 1, 2 assets\]"),
        ({"market_open": np.ones((3, 2))}, r"market_open \(float64\) bool"),
        ({"market_price": np.array([[1.0, 1.0], [1.0, np.nan], [1.0, 1.0]])}, r"market_price of B at step 1 \(=nan\) must be finite"),
        ({"market_price": np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])}, r"market_price of A at step 2 \(=0.0\) must be finite and > 0"),
    ],
)
def test_a_path_no_market_could_follow_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        replace(a_path([[1.0, 1.0]] * 3), **change)  # type: ignore[arg-type]


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match=r"steps\(=0\) must be >= 1"):
        constant({"A": 1.0}, start=START, steps=0, step_seconds=60)


def is_configured(paths: Paths, sigma_a: float) -> bool:
    """Whether realised volatilities are the configured ones within 1%; their standard error over 100,000 steps is 0.2%."""
    a, b = realised_moments(paths)
    return math.isclose(a.volatility_per_year, sigma_a, rel_tol=0.01) and math.isclose(b.volatility_per_year, 0.2, rel_tol=0.01)


def test_realised_volatility_and_correlation_are_the_configured_ones() -> None:
    paths = a_gbm()
    assert is_configured(paths, 0.8)
    log_steps = np.diff(np.log(paths.market_price), axis=0)
    assert np.corrcoef(log_steps.T)[0, 1] == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("wrong", [0.4, 0.64, 0.82])
def test_the_check_of_volatility_catches_a_wrong_one(wrong: float) -> None:
    assert not is_configured(a_gbm(), wrong)


def test_equal_numbers_give_equal_bytes_and_others_others() -> None:
    assert a_gbm(steps=50).market_price.tobytes() == a_gbm(steps=50).market_price.tobytes()
    assert a_gbm(steps=50).market_price.tobytes() != a_gbm(steps=50, seed=2).market_price.tobytes()
    assert a_gbm(steps=50).market_price.tobytes() != a_gbm(steps=50, path=1).market_price.tobytes()


def test_a_longer_path_begins_with_the_shorter_one() -> None:
    assert (a_gbm(steps=80).market_price[:51] == a_gbm(steps=50).market_price).all()


def test_without_volatility_the_price_is_the_exponential_of_the_drift() -> None:
    still = {"A": {"start_usd": 2.0, "drift_per_year": 0.1, "volatility_per_year": 0.0}}
    paths = simulate(a_spec(assets=still), steps=365, step_seconds=86_400, seed=1, path=0).paths
    assert paths.market_price[-1, 0] == pytest.approx(2 * math.exp(0.1))


def test_moments_of_a_path_worked_by_hand() -> None:
    paths = replace(a_path([[100.0], [200.0], [100.0]]), market_open=np.array([[True], [False], [True]]))
    [moments] = realised_moments(paths)
    assert moments.asset == "A"
    assert moments.mean_per_year == pytest.approx(0)
    assert moments.volatility_per_year == pytest.approx(math.log(2) * math.sqrt(YEAR_SECONDS / 60))
    assert (moments.largest_up, moments.largest_down) == pytest.approx((1.0, -0.5))
    assert (moments.first_price, moments.last_price, moments.open_share) == (100, 100, 0.5)
