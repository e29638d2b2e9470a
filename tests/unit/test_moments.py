"""Moments of log returns, their standard errors, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.prices.gbm import Gbm
from seawall.prices.jump_test import find_jumps, threshold
from seawall.prices.jumps import Merton
from seawall.prices.moments import Moments, correlations, moments
from seawall.prices.process import YEAR_SECONDS, Process

MINUTE, HOUR = 60 / YEAR_SECONDS, 3_600 / YEAR_SECONDS
QUANTITIES = ("mean_per_year", "volatility_per_year", "skewness", "excess_kurtosis")


def drawn(process: Process, steps: int, step_years: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng, years = np.random.default_rng(seed), np.full(steps, step_years)
    return process.log_returns(years, rng.standard_normal(steps), rng), years


def distances(found: Moments, truth: tuple[float, ...]) -> np.ndarray:
    figures = [getattr(found, name) for name in QUANTITIES]
    return np.array([(one.value - true) / one.error for one, true in zip(figures, truth, strict=True)])


def test_moments_of_a_brownian_motion_are_within_four_errors():
    found = moments(*drawn(Gbm(1.0, 0.5, 0.8), 20_000, HOUR), batch_steps=1)
    assert np.abs(distances(found, (0.5 - 0.32, 0.8, 0.0, 0.0))).max() < 4


def test_a_volatility_that_is_a_tenth_off_is_seen():
    found = moments(*drawn(Gbm(1.0, 0.5, 0.88), 20_000, HOUR), batch_steps=1)
    assert np.abs(distances(found, (0.5 - 0.32, 0.8, 0.0, 0.0))).max() > 4


def test_errors_are_the_spread_over_seeds():
    every = [
        distances(moments(*drawn(Gbm(1.0, 0.0, 0.8), 2_000, HOUR, seed), batch_steps=1), (-0.32, 0.8, 0.0, 0.0)) for seed in range(200)
    ]
    assert np.std(every, axis=0) == pytest.approx(np.ones(4), abs=0.2)


def test_batches_see_that_volatility_lasts():
    rng = np.random.default_rng(3)
    wild = np.repeat(np.where(rng.random(200) < 0.3, 3.0, 1.0), 100)
    returns, years = wild * rng.standard_normal(20_000), np.ones(20_000)
    naive, batched = (moments(returns, years, batch_steps=batch).volatility_per_year.error for batch in (1, 200))
    assert batched > 2 * naive


def test_squares_of_lasting_volatility_are_correlated():
    rng = np.random.default_rng(3)
    wild = np.repeat(np.where(rng.random(40) < 0.3, 3.0, 1.0), 100)
    assert moments(wild * rng.standard_normal(4_000), np.ones(4_000)).ljung_box_p[10] < 1e-6


def test_squares_of_independent_returns_are_not():
    found = moments(*drawn(Gbm(1.0, 0.0, 0.8), 5_000, HOUR), batch_steps=1)
    assert abs(found.square_autocorrelation[1].value) < 4 * found.square_autocorrelation[1].error and found.ljung_box_p[60] > 0.01


def test_uneven_steps_change_no_moment():
    years = np.tile([0.5 * HOUR, 1.5 * HOUR], 10_000)
    returns = Gbm(1.0, 0.5, 0.8).log_returns(years, np.random.default_rng(2).standard_normal(20_000), np.random.default_rng(0))
    assert np.abs(distances(moments(returns, years, batch_steps=2), (0.5 - 0.32, 0.8, 0.0, 0.0))).max() < 4


def test_steps_without_length_are_left_out():
    returns, years = drawn(Gbm(1.0, 0.0, 0.8), 1_000, HOUR)
    closed = np.insert(returns, [10, 500], 0.0), np.insert(years, [10, 500], 0.0)
    assert moments(*closed) == moments(returns, years)


def test_jumps_are_counted():
    found = moments(*drawn(Merton(1.0, 0.0, 0.5, 2_000, 0.0, 0.05), 20_000, MINUTE), batch_steps=1)
    assert found.jumps_per_year.value == pytest.approx(2_000, abs=4 * found.jumps_per_year.error)


def test_a_diffusion_hardly_ever_jumps():
    paths = np.array([drawn(Gbm(1.0, 0.0, 0.8), 5_000, HOUR, seed)[0] for seed in range(40)])
    found = [find_jumps(path[None] / np.sqrt(HOUR), HOUR)[0].any() for path in paths]
    assert sum(found) <= 4  # 0.4 expected


def test_more_tests_ask_for_larger_jumps():
    assert 4 < threshold(1_000) < threshold(100_000) < 7


def test_constant_prices_have_no_shape():
    found = moments(np.zeros(100), np.ones(100))
    assert found.volatility_per_year.value == 0 and np.isnan(found.skewness.value) and np.isnan(found.ljung_box_p[1])


@given(st.floats(0.1, 10), st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_shape_knows_no_scale(scale: float, seed: int):
    returns = np.random.default_rng(seed).standard_t(5, 300)
    one, other = (moments(x, np.full(300, HOUR)) for x in (returns, scale * returns))
    assert other.excess_kurtosis.value == pytest.approx(one.excess_kurtosis.value, rel=1e-9, abs=1e-9)


def test_correlation_is_within_four_errors():
    rng = np.random.default_rng(5)
    common = rng.standard_t(8, (5_000, 1))
    matrix, errors = correlations(common + rng.standard_t(8, (5_000, 2)))
    assert abs(matrix[0, 1] - 0.5) < 4 * errors[0, 1] < 0.1 and matrix[0, 0] == 1


@pytest.mark.parametrize(
    ("returns", "years", "match"),
    [
        (np.array([0.1, np.nan] * 10), np.ones(20), "finite"),
        (np.ones(20), np.ones(19), "steps"),
        (np.ones(7), np.ones(7), "at least 8"),
        (np.ones(20), -np.ones(20), ">= 0"),
    ],
)
def test_refusals(returns: np.ndarray, years: np.ndarray, match: str):
    with pytest.raises(ValueError, match=match):
        moments(returns, years)


def test_batches_must_fit_twice():
    with pytest.raises(ValueError, match=r"batch_steps\(=11\)"):
        moments(np.arange(20.0), np.ones(20), batch_steps=11)


def test_a_constant_column_has_no_correlation():
    with pytest.raises(ValueError, match="column 1 is constant"):
        correlations(np.column_stack([np.arange(20.0), np.ones(20)]))
