"""Drawn paths: their moments beside the configured ones, their refusals, and the shocks laid over them."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.scenarios.paths import YEAR_SECONDS, Paths, Shock, apply_shocks, constant, gbm, realised_moments

START = datetime(2022, 3, 14, tzinfo=UTC)


def a_path(prices: list[list[float]]) -> Paths:
    table = np.array(prices, dtype=np.float64)
    names = ("A", "B", "C")[: table.shape[1]]
    return Paths(START, 60, names, table, np.ones(table.shape, dtype=np.bool_))


def a_gbm(*, seed: int = 1, steps: int = 100_000, correlation: float = 0.6, sigma_a: float = 0.8) -> Paths:
    return gbm(
        {"A": 100.0, "B": 20.0},
        {"A": 0.3, "B": 0.0},
        {"A": sigma_a, "B": 0.2},
        correlation=correlation,
        start=START,
        steps=steps,
        step_seconds=3600,
        rng=np.random.default_rng(seed),
    )


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
    assert not is_configured(a_gbm(sigma_a=wrong), 0.8)


def test_the_mean_price_grows_with_the_drift_even_over_one_long_step() -> None:
    names = [f"A{k}" for k in range(2000)]
    mu, sigma = 0.25, 0.5
    paths = gbm(
        dict.fromkeys(names, 10.0),
        dict.fromkeys(names, mu),
        dict.fromkeys(names, sigma),
        correlation=0.0,
        start=START,
        steps=1,
        step_seconds=YEAR_SECONDS,
        rng=np.random.default_rng(2),
    )
    error = math.exp(mu) * math.sqrt(math.exp(sigma**2) - 1) / math.sqrt(len(names))
    assert paths.market_price[1].mean() / 10 == pytest.approx(math.exp(mu), abs=4 * error)


def test_equal_seeds_give_equal_bytes_and_others_others() -> None:
    assert a_gbm(steps=50).market_price.tobytes() == a_gbm(steps=50).market_price.tobytes()
    assert a_gbm(steps=50).market_price.tobytes() != a_gbm(steps=50, seed=2).market_price.tobytes()


def test_a_longer_path_begins_with_the_shorter_one() -> None:
    assert (a_gbm(steps=80).market_price[:51] == a_gbm(steps=50).market_price).all()


def test_without_volatility_the_price_is_the_exponential_of_the_drift() -> None:
    paths = gbm(
        {"A": 2.0}, {"A": 0.1}, {"A": 0.0}, correlation=0.0, start=START, steps=365, step_seconds=86_400, rng=np.random.default_rng(1)
    )
    assert paths.market_price[-1, 0] == pytest.approx(2 * math.exp(0.1))


@pytest.mark.parametrize("correlation", [-1.0, 1.0, 1.5, math.nan])
def test_an_impossible_correlation_is_refused(correlation: float) -> None:
    with pytest.raises(ValueError, match=r"correlation\(=.*\) must be in \(-1, 1\) for 2 assets"):
        a_gbm(steps=2, correlation=correlation)


def test_mappings_that_disagree_or_are_out_of_range_are_refused() -> None:
    def draw(drift: dict[str, float], volatility: dict[str, float]) -> Paths:
        rng = np.random.default_rng(1)
        return gbm({"A": 1.0}, drift, volatility, correlation=0.0, start=START, steps=1, step_seconds=60, rng=rng)

    with pytest.raises(ValueError, match=r"volatility_per_year names \['B'\], start_usd names \['A'\]"):
        draw({"A": 0.0}, {"B": 0.1})
    with pytest.raises(ValueError, match=r"volatility_per_year.* finite and >= 0"):
        draw({"A": 0.0}, {"A": -0.1})


def test_a_lasting_ramp_is_linear_in_log_price() -> None:
    shocked = apply_shocks(a_path([[100.0]] * 6), [Shock("A", at_s=60, change=0.21, ramp_s=120)])
    assert shocked.market_price[:, 0] == pytest.approx([100, 100, 110, 121, 121, 121])


def test_a_shock_recovers_to_nothing() -> None:
    shocked = apply_shocks(a_path([[100.0]] * 6), [Shock("A", at_s=60, change=-0.19, ramp_s=0, recovery_s=120)])
    assert shocked.market_price[:, 0] == pytest.approx([100, 81, 90, 100, 100, 100])


def test_shocks_multiply_and_hit_whom_they_name() -> None:
    shocked = apply_shocks(a_path([[100.0, 50.0]] * 2), [Shock("B", at_s=60, change=1.0), Shock(None, at_s=60, change=-0.5)])
    assert shocked.market_price == pytest.approx(np.array([[100.0, 50.0], [50.0, 50.0]]))


@given(
    change=st.floats(-0.99, 5),
    at_s=st.floats(0, 600),
    ramp_s=st.floats(0, 300),
    recovery_s=st.none() | st.floats(0.001, 300),
)
def test_a_shock_never_exceeds_its_size_and_leaves_the_past_alone(
    change: float, at_s: float, ramp_s: float, recovery_s: float | None
) -> None:
    shocked = apply_shocks(a_path([[100.0]] * 11), [Shock("A", at_s, change, ramp_s, recovery_s)]).market_price[:, 0]
    low, high = sorted([100.0, 100 * (1 + change)])
    assert (shocked >= low * (1 - 1e-12)).all()
    assert (shocked <= high * (1 + 1e-12)).all()
    assert (shocked[np.arange(11) * 60 < at_s] == 100).all()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"change": -1.0}, r"change\(=-1.0\) must be finite and > -1"),
        ({"at_s": -1.0}, r"at_s\(=-1.0\)"),
        ({"ramp_s": math.inf}, r"ramp_s\(=inf\)"),
        ({"recovery_s": 0.0}, r"recovery_s\(=0.0\) must be finite and > 0, or None"),
    ],
)
def test_a_shock_out_of_range_is_refused(values: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Shock(**{"asset": None, "at_s": 0.0, "change": 0.1} | values)  # type: ignore[arg-type]


def test_a_shock_that_would_do_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a shock names 'X'; the assets are A"):
        apply_shocks(a_path([[1.0]] * 2), [Shock("X", at_s=0, change=0.1)])
    with pytest.raises(ValueError, match=r"at_s\(=61\), after the end of the path at 60 s"):
        apply_shocks(a_path([[1.0]] * 2), [Shock("A", at_s=61, change=0.1)])


def test_moments_of_a_path_worked_by_hand() -> None:
    paths = replace(a_path([[100.0], [200.0], [100.0]]), market_open=np.array([[True], [False], [True]]))
    [moments] = realised_moments(paths)
    assert moments.asset == "A"
    assert moments.mean_per_year == pytest.approx(0)
    assert moments.volatility_per_year == pytest.approx(math.log(2) * math.sqrt(YEAR_SECONDS / 60))
    assert (moments.largest_up, moments.largest_down) == pytest.approx((1.0, -0.5))
    assert (moments.first_price, moments.last_price, moments.open_share) == (100, 100, 0.5)
