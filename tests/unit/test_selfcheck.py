"""Configured moments beside realised ones: the right generator passes, a wrong one is caught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seawall.prices.garch import Garch
from seawall.prices.gbm import Gbm
from seawall.prices.heston import Heston
from seawall.prices.jumps import Kou, Merton
from seawall.prices.known import exact_errors, memory_years, seen_jumps
from seawall.prices.process import YEAR_SECONDS, Process
from seawall.prices.regimes import Regime, RegimeSwitching
from seawall.prices.selfcheck import Check, check, check_correlations, judge, passes
from seawall.prices.stable import OrnsteinUhlenbeck

MINUTE, HOUR = 60 / YEAR_SECONDS, 3_600 / YEAR_SECONDS
GBM = Gbm(100.0, 0.2, 0.8)
MERTON = Merton(100.0, 0.2, 0.8, 5_000.0, -0.004, 0.03)
KOU = Kou(100.0, 0.2, 0.8, 5_000.0, 0.4, 0.01, 0.02)
HESTON = Heston(100.0, 0.0, 0.8, 0.8, 200.0, 10.0, -0.5)
REGIMES = RegimeSwitching(1.0, {"calm": Regime(0.0, 0.4, 24, {"wild": 1}), "wild": Regime(0.0, 1.2, 6, {"calm": 1})})
GARCH = Garch(start_usd=1.0, omega=0.02, alpha=0.05, beta=0.9, bar_minutes=60.0)
OU = OrnsteinUhlenbeck(1.0, 1.0, 0.5, 0.001)
MONTH = 44_640  # minutes
SHORT = [(GBM, 3_000, HOUR), (MERTON, MONTH, MINUTE), (KOU, MONTH, MINUTE)]
LONG = [(HESTON, 8_760, HOUR), (REGIMES, 8_760, HOUR), (GARCH, 8_760, HOUR), (OU, 8_760, HOUR)]


def checked(drawn: Process, configured: Process, steps: int, step_years: float, seed: int, paths: int = 1) -> list[Check]:
    rng, years = np.random.default_rng([seed, 17]), np.full(steps, step_years)
    returns = np.array([drawn.log_returns(years, rng.standard_normal(steps), rng) for _ in range(paths)])
    return judge(check("A", configured, returns, years))


def verdict(rows: list[Check], word: str) -> str:
    return next(row.verdict for row in rows if row.quantity.startswith(word))


@pytest.mark.parametrize(("process", "steps", "step_years"), SHORT + LONG)
def test_the_right_parameters_pass_in_95_of_100_seeds(process: Process, steps: int, step_years: float):
    assert sum(passes(checked(process, process, steps, step_years, seed)) for seed in range(100)) >= 95


WRONG = [
    (GBM, {"volatility_per_year": 0.96}, 3_000, HOUR),
    (GBM, {"drift_per_year": 60.0}, 3_000, HOUR),
    (MERTON, {"jumps_per_year": 7_000.0}, MONTH, MINUTE),
    (MERTON, {"jump_deviation": 0.04}, MONTH, MINUTE),
    (KOU, {"jumps_per_year": 7_000.0}, MONTH, MINUTE),
    (HESTON, {"mean_volatility_per_year": 1.1, "start_volatility_per_year": 1.1}, 8_760, HOUR),
    (GARCH, {"omega": 0.03}, 8_760, HOUR),
    (OU, {"deviation": 0.0012}, 8_760, HOUR),
]


@pytest.mark.parametrize(("process", "change", "steps", "step_years"), WRONG)
def test_a_wrong_parameter_is_caught_in_nine_of_ten_seeds(process: Process, change: dict[str, float], steps: int, step_years: float):
    wrong = replace(process, **change)
    assert sum(not passes(checked(wrong, process, steps, step_years, seed)) for seed in range(10)) >= 9


def test_jumps_where_none_are_configured_are_seen():
    assert verdict(checked(MERTON, GBM, 10_080, MINUTE, 1), "jumps") == "differs"


def test_a_correlation_that_is_off_is_caught():
    z = np.random.default_rng(1).standard_normal((5_000, 2)) @ np.linalg.cholesky([[1, 0.5], [0.5, 1]]).T
    right, wrong = (judge(check_correlations(("A", "B"), np.array([[1, rho], [rho, 1]]), z)) for rho in (0.5, 0.6))
    assert passes(right) and not passes(wrong)


def test_few_jumps_say_that_the_path_is_too_short():
    few = replace(MERTON, jumps_per_year=50.0)
    assert verdict(checked(few, few, 10_080, MINUTE, 1), "excess kurtosis") == "too short to tell"


def test_a_path_shorter_than_memory_says_so():
    slow = replace(HESTON, reversion_per_year=5.0)
    assert {row.verdict for row in checked(slow, slow, 10_080, MINUTE, 1)} == {"too short to tell"}


def test_jumps_of_changing_volatility_have_no_closed_form():
    assert verdict(checked(GARCH, GARCH, 8_760, HOUR, 1), "jumps") == "no closed form"


def test_steps_of_uneven_length_pass():
    years = MINUTE * (1 + 0.5 * np.sin(np.arange(10_080) / 1440 * 2 * np.pi))
    rng = np.random.default_rng(4)
    assert passes(judge(check("A", MERTON, MERTON.log_returns(years, rng.standard_normal(10_080), rng), years)))


def test_constant_prices_are_as_configured():
    still = Gbm(1.0, 0.0, 0.0)
    assert verdict(checked(still, still, 1_000, MINUTE, 0), "volatility") == "as configured"


def test_one_small_p_among_many_is_no_difference():
    rows = [Check(str(i), "mean", 0.0, 0.0, 1.0, 0.0, p, "as configured") for i, p in enumerate([0.004, *[0.5] * 9])]
    assert passes(judge(rows)) and not passes(judge(rows[:1]))


def test_exact_errors_of_a_normal_are_the_textbook_ones():
    errors = exact_errors(GBM, HOUR, 1_000)
    assert errors == pytest.approx({"volatility_per_year": 0.8 / 2000**0.5, "skewness": 0.006**0.5, "excess_kurtosis": 0.024**0.5})


def test_jumps_of_both_laws_are_seen_as_often_as_drawn():
    rng = np.random.default_rng(0)
    sizes = rng.standard_exponential(200_000) * np.where(rng.random(200_000) < 0.4, 0.01, -0.02) + 0.8 * MINUTE**0.5 * rng.standard_normal(
        200_000
    )
    assert seen_jumps(replace(KOU, jumps_per_year=1.0), MINUTE, 5.0) == pytest.approx(
        1.0 * (np.abs(sizes) > 5 * 0.8 * MINUTE**0.5).mean(), rel=0.01
    )


def test_memory_is_that_of_the_slowest_part():
    depegs = replace(OU, depegs_per_year=5.0, recovery_hours=24.0)
    assert memory_years(depegs) == pytest.approx(24 / np.log(2) / 8_760) and memory_years(GBM) == 0
