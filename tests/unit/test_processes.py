"""Price processes: moments against closed forms within four standard errors, and outside of them with a parameter off by a fifth."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from seawall.prices import garch, heston, stable
from seawall.prices.bars import student
from seawall.prices.garch import Egarch, Garch, Gjr
from seawall.prices.gbm import Gbm
from seawall.prices.heston import Heston
from seawall.prices.jumps import Kou, Merton, arrivals, jumps_by_step
from seawall.prices.process import YEAR_HOURS, YEAR_SECONDS
from seawall.prices.regimes import Regime, RegimeSwitching
from seawall.prices.stable import OrnsteinUhlenbeck
from seawall.scenarios.process_schema import PROCESSES, ProcessSpec, build_process

MINUTE, HOUR, DAY, WEEK = (seconds / YEAR_SECONDS for seconds in (60, 3_600, 86_400, 604_800))
LIMIT = 4.0  # standard errors

GBM = Gbm(100.0, 0.5, 0.6)
MERTON = Merton(100.0, 0.5, 0.4, 20.0, -0.05, 0.1)
KOU = Kou(100.0, 0.5, 0.4, 20.0, 0.4, 0.08, 0.12)
HESTON = Heston(100.0, 0.1, 0.6, 0.6, 50.0, 4.0, -0.7)
REGIMES = RegimeSwitching(
    100.0,
    {
        "calm": Regime(0.2, 0.4, 48.0, {"wild": 3.0, "crash": 1.0}),
        "wild": Regime(0.0, 1.0, 12.0, {"calm": 1.0}),
        "crash": Regime(-5.0, 2.0, 6.0, {"wild": 1.0}),
    },
    "calm",
)
GARCH = Garch(start_usd=100.0, mu=0.05, omega=0.002, alpha=0.1, beta=0.7, bar_minutes=60)
GJR = Gjr(start_usd=100.0, omega=0.002, alpha=0.05, gamma=0.1, beta=0.7, nu=20.0, bar_minutes=60)
EGARCH = Egarch(start_usd=100.0, omega=-0.2, alpha=0.2, gamma=-0.1, beta=0.9, bar_minutes=60)
OU = OrnsteinUhlenbeck(1.0, 1.0, 0.2, 0.002)
DEPEGS = OrnsteinUhlenbeck(1.0, 1.0, 0.2, 0.002, 400.0, -0.02, 0.01, 12.0)
ALL = {
    "gbm": GBM,
    "merton": MERTON,
    "kou": KOU,
    "heston": HESTON,
    "regimes": REGIMES,
    "garch": GARCH,
    "gjr": GJR,
    "egarch": EGARCH,
    "ou": DEPEGS,
}
PARTS = TypeAdapter(ProcessSpec)


def walk(process, years, seed=1):
    """Log returns along steps of given lengths."""
    return process.log_returns(years, np.random.default_rng(seed).standard_normal(len(years)), np.random.default_rng((seed, 2)))


def even(steps, years):
    return np.full(steps, years)


@lru_cache(maxsize=8)
def sample(process, years, steps=400_000):
    """A long path without its first steps, in which the start is forgotten."""
    return walk(process, even(steps, years), seed=11)[steps // 100 :]


def errors_from(values, blocks=200):
    """How many standard errors, taken from blocks of the path, the mean lies from 0."""
    means = values[: len(values) // blocks * blocks].reshape(blocks, -1).mean(axis=1)
    return abs(means.mean()) / (means.std(ddof=1) / math.sqrt(blocks))


def disagreement(returns, process, years):
    """Most standard errors between what a path shows and what a process promises."""
    says = process.expected(years)
    scaled = (returns - says.mean_per_year * years) / (says.volatility_per_year * math.sqrt(years))
    found = [errors_from(scaled), errors_from(scaled**2 - 1)]
    if says.skewness is not None:
        found.append(errors_from(scaled**3 - says.skewness))
    if says.excess_kurtosis is not None:
        found.append(errors_from(scaled**4 - 3 - says.excess_kurtosis))
    if says.square_autocorrelation is not None:
        together = (scaled[1:] ** 2 - 1) * (scaled[:-1] ** 2 - 1)
        found.append(errors_from(together - says.square_autocorrelation * (2 + says.excess_kurtosis)))
    return max(found)


# What is simulated, and at which steps. Heston's steps are short against its reversion; a bar is one step, or four.
SAMPLED = {
    "gbm": (GBM, WEEK),
    "merton": (MERTON, WEEK),
    "kou": (KOU, WEEK),
    "heston": (Heston(100.0, 0.1, 0.6, 0.6, 1_000.0, 20.0, -0.7), HOUR / 6),
    "garch": (GARCH, HOUR),
    "garch, four steps a bar": (GARCH, HOUR / 4),
    "gjr": (GJR, HOUR),
    "gjr, four steps a bar": (GJR, HOUR / 4),
    "egarch": (EGARCH, HOUR),
    "ou": (OU, HOUR),
    "depegs": (DEPEGS, HOUR),
}
CONTROLS = [
    *(("gbm", name) for name in ("drift_per_year", "volatility_per_year")),
    *(("merton", name) for name in ("drift_per_year", "volatility_per_year", "jumps_per_year", "jump_mean", "jump_deviation")),
    *(("kou", name) for name in ("drift_per_year", "volatility_per_year", "jumps_per_year", "up_probability", "mean_up", "mean_down")),
    *(("heston", name) for name in ("mean_volatility_per_year", "reversion_per_year", "volatility_of_variance")),
    *(("garch", name) for name in ("mu", "omega", "alpha", "beta")),
    *(("garch, four steps a bar", name) for name in ("omega", "alpha", "beta")),
    *(("gjr", name) for name in ("omega", "alpha", "gamma", "beta")),
    *(("gjr, four steps a bar", name) for name in ("omega", "alpha", "beta")),
    *(("egarch", name) for name in ("omega", "alpha", "gamma", "beta")),
    *(("ou", name) for name in ("reversion_per_hour", "deviation")),
    *(("depegs", name) for name in ("depegs_per_year", "depeg_mean", "depeg_deviation")),
]


@pytest.mark.parametrize("name", SAMPLED)
def test_moments_are_those_expected(name):
    process, years = SAMPLED[name]
    assert disagreement(sample(process, years), process, years) < LIMIT


@pytest.mark.parametrize(("name", "parameter"), CONTROLS)
def test_a_parameter_off_by_a_fifth_is_noticed(name, parameter):
    process, years = SAMPLED[name]
    factor = 0.8 if (name, parameter) == ("egarch", "beta") else 1.2  # 1.08 is refused
    wrong = replace(process, **{parameter: factor * getattr(process, parameter)})
    assert disagreement(sample(process, years), wrong, years) > LIMIT


@pytest.mark.parametrize("process", [GBM, MERTON, KOU, HESTON, replace(HESTON, correlation=0.9)])
@pytest.mark.parametrize("years", [DAY, 20 * DAY])
def test_the_expected_price_grows_with_the_drift(process, years):
    growth = np.array([math.exp(walk(process, even(5, years), seed).sum()) for seed in range(4_000)])
    fair = math.exp(process.drift_per_year * 5 * years)
    assert abs(growth.mean() - fair) < LIMIT * growth.std() / math.sqrt(len(growth))


@pytest.mark.parametrize("volatility", [0.0, 0.35, 1.3])
def test_gbm_is_its_formula(volatility):
    years, z = np.random.default_rng(3).uniform(0.1, 1.9, 500) * MINUTE, np.random.default_rng(5).standard_normal(500)
    by_hand = [(0.3 - volatility**2 / 2) * t + volatility * math.sqrt(t) * n for t, n in zip(years.tolist(), z.tolist(), strict=True)]
    np.testing.assert_allclose(Gbm(123.4, 0.3, volatility).log_returns(years, z, np.random.default_rng()), by_hand, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("process", ALL.values(), ids=ALL)
def test_the_same_state_gives_the_same_bytes(process):
    years = even(300, 15 * MINUTE)
    assert walk(process, years).tobytes() == walk(process, years).tobytes()


@pytest.mark.parametrize("process", [*ALL.values(), replace(REGIMES, start_regime=None), replace(MERTON, jumps_per_year=1e5)])
def test_a_longer_path_begins_with_the_shorter_one(process):
    long, short = walk(process, even(2_000, 15 * MINUTE)), walk(process, even(1_200, 15 * MINUTE))
    assert long[:1_200].tobytes() == short.tobytes()


@pytest.mark.parametrize("process", [*ALL.values(), replace(GARCH, nu=4.0, mu=0.0)])
def test_a_step_without_length_moves_nothing(process):
    years = np.where(np.arange(400) % 40 < 20, 30 * MINUTE, 0.0)
    returns = walk(process, years)
    assert (returns[years == 0] == 0).all()
    assert (returns[years > 0] != 0).all()


@pytest.mark.parametrize("process", ALL.values(), ids=ALL)
@pytest.mark.parametrize(
    ("years", "z"),
    [(np.zeros(0), np.zeros(0)), (even(3, HOUR), np.zeros(2)), (-even(3, HOUR), np.zeros(3)), (even(3, HOUR), np.full(3, math.nan))],
)
def test_steps_that_cannot_be_walked_are_refused(process, years, z):
    with pytest.raises(ValueError, match="must be"):
        process.log_returns(years, z, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("process", "changes", "message"),
    [
        (GBM, {"start_usd": 0.0}, r"start_usd\(=0.0\)"),
        (GBM, {"volatility_per_year": -0.1}, r"volatility_per_year\(=-0.1\)"),
        (MERTON, {"jumps_per_year": math.inf}, r"jumps_per_year\(=inf\)"),
        (KOU, {"mean_up": 1.0}, r"mean_up\(=1.0\).*infinite"),
        (KOU, {"up_probability": 1.1}, r"up_probability\(=1.1\)"),
        (HESTON, {"correlation": -1.1}, r"correlation\(=-1.1\)"),
        (HESTON, {"reversion_per_year": 0.0}, r"reversion_per_year\(=0.0\)"),
        (REGIMES, {"start_regime": "boom"}, r"start_regime\(='boom'\)"),
        (REGIMES, {"regimes": {"a": Regime(0, 1, 1, {"b": 1.0}), "b": Regime(0, 1, 1, {"c": 1.0})}, "start_regime": "a"}, "names 'c'"),
        (GARCH, {"beta": 0.9}, r"alpha\(=0.1\).*beta\(=0.9\) is 1.*no mean"),
        (GARCH, {"gamma": 0.1}, r"gamma\(=0.1\)"),
        (GJR, {"gamma": 0.6}, r"gamma\(=0.6\).*no mean"),
        (GJR, {"nu": 2.0}, r"nu\(=2.0\)"),
        (EGARCH, {"beta": 1.0}, r"beta\(=1.0\)"),
        (EGARCH, {"omega": 50.0}, r"omega\(=50.0\)"),
        (OU, {"level_usd": -1.0}, r"level_usd\(=-1.0\)"),
        (OU, {"recovery_hours": 0.0}, r"recovery_hours\(=0.0\)"),
    ],
)
def test_parameters_out_of_range_are_refused(process, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(process, **changes)


def test_a_regime_out_of_reach_is_refused():
    with pytest.raises(ValueError, match="'a' can never follow from 'b'"):
        RegimeSwitching(1.0, {"a": Regime(0, 1, 1, {"b": 1.0}), "b": Regime(0, 1, 1, {"c": 1.0}), "c": Regime(0, 1, 1, {"b": 1.0})})


def test_a_bar_of_no_whole_number_of_steps_is_refused():
    with pytest.raises(ValueError, match=r"bar_minutes\(=60\)"):
        walk(GARCH, even(100, 7 * MINUTE))


# Jumps.


@given(st.floats(0, 1e4), st.integers(1, 200), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_no_jump_is_lost_between_steps(per_year, steps, seed):
    years = np.random.default_rng(seed).choice([0.0, MINUTE, HOUR], steps)
    at, size = arrivals(per_year, float(np.cumsum(years)[-1]), ones, np.random.default_rng(seed))
    by_step = jumps_by_step(per_year, years, ones, np.random.default_rng(seed))
    assert by_step.sum() == size.sum() == len(at)
    assert (by_step[years == 0] == 0).all()


def ones(rng, n):
    return np.ones(n)


def test_the_number_of_jumps_in_a_step_is_poisson():
    counts = jumps_by_step(8_760.0, even(100_000, 2 * HOUR), ones, np.random.default_rng(4))
    shares = [np.mean(counts == k) for k in range(5)]
    poisson = [math.exp(-2) * 2**k / math.factorial(k) for k in range(5)]
    assert shares == pytest.approx(poisson, abs=LIMIT * 0.5 / math.sqrt(len(counts)))


# Heston: the variance integrated over a week of minutes, Feller's condition broken.

BURSTS = Heston(100.0, 0.0, 0.8, 0.6, 50.0, 8.0, -0.7)


@lru_cache(maxsize=1)
def week_of_variance():
    years = even(10_080, MINUTE)
    draws = (np.random.default_rng(seed) for seed in range(500))
    return np.array([BURSTS.variance(years, rng.standard_normal(len(years)), rng).sum() * MINUTE for rng in draws])


def integrated(process, years):
    """Mean and variance of the integral of v from its start, from the stochastic integral that it is."""
    k, theta = process.reversion_per_year, process.mean_volatility_per_year**2
    extra, once, twice = process.start_volatility_per_year**2 - theta, -math.expm1(-k * years) / k, -math.expm1(-2 * k * years) / k
    shape = theta * (years - 2 * once + twice / 2) + extra * (twice - 2 * years * math.exp(-k * years))
    return theta * years + extra * once, process.volatility_of_variance**2 / k**2 * shape


def variance_disagreement(process):
    mean, variance = integrated(process, WEEK)
    off = week_of_variance() - mean
    return max(errors_from(off, len(off)), errors_from(off**2 / variance - 1, len(off)))


def test_integrated_variance_has_its_mean_and_variance():
    assert not BURSTS.feller
    assert variance_disagreement(BURSTS) < LIMIT


@pytest.mark.parametrize("name", ["start_volatility_per_year", "mean_volatility_per_year", "volatility_of_variance"])
def test_a_wrong_variance_is_noticed(name):
    assert variance_disagreement(replace(BURSTS, **{name: 1.2 * getattr(BURSTS, name)})) > LIMIT


@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.5])
def test_price_and_variance_move_together(rho):
    process, years = replace(HESTON, correlation=rho), even(20_000, MINUTE)
    z = np.random.default_rng(7).standard_normal(len(years))
    v = process.variance(years, z, np.random.default_rng(8))
    assert np.corrcoef(np.diff(v) / np.sqrt(v[:-1]), z[:-1])[0, 1] == pytest.approx(rho, abs=LIMIT / math.sqrt(len(v)))


@pytest.mark.parametrize("start", [1e-4, 0.01, 0.09, 0.5])
def test_a_long_step_of_variance_keeps_its_moments(start):
    kappa, theta, xi, dt = 2.0, 0.09, 0.8, 0.25
    drawn = np.array([heston.next_variance(start, math.exp(-kappa * dt), theta, xi**2 / kappa, z) for z in even_normals(20_000)])
    decay = math.exp(-kappa * dt)
    spread = xi**2 / kappa * (start * (decay - decay**2) + theta / 2 * (1 - decay) ** 2)
    assert (drawn.mean(), drawn.var()) == pytest.approx((theta + (start - theta) * decay, spread), rel=0.01)


def even_normals(n):
    """Quantiles of the normal, evenly spread: a sample without noise."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


# Regimes.


def test_regimes_last_as_long_as_they_should():
    chain = REGIMES.path(even(1_000_000, HOUR), np.random.default_rng(9))
    shares = np.bincount(chain) / len(chain)
    visits = np.diff(chain, prepend=-1) != 0
    assert shares == pytest.approx(REGIMES.stationary_shares(), abs=0.01)
    # Looked at once an hour, a regime that was just left is seen a little longer on average, never shorter by more than the hour.
    assert np.sum(chain == 0) / np.sum(visits & (chain == 0)) == pytest.approx(48.0, rel=0.04)


def test_regimes_lead_to_each_other_by_their_weights():
    chain = REGIMES.path(even(1_000_000, HOUR / 2), np.random.default_rng(9))
    left = chain[1:][(chain[:-1] == 0) & (chain[1:] != 0)]
    assert np.mean(left == 1) == pytest.approx(0.75, abs=0.02)


def test_stationary_shares_of_two_regimes_are_their_durations():
    two = RegimeSwitching(1.0, {"a": Regime(0, 1, 30.0, {"b": 1.0}), "b": Regime(0, 1, 10.0, {"a": 1.0})})
    assert two.stationary_shares() == pytest.approx([0.75, 0.25])


def switching(volatility=1.0, hours=12.0):
    return RegimeSwitching(1.0, {"a": Regime(0, 0.4, 48.0, {"b": 1.0}), "b": Regime(0, volatility, hours, {"a": 1.0})})


def test_moments_of_regimes_are_those_of_the_mixture():
    assert disagreement(walk(switching(), even(800_000, HOUR), 3), switching(), HOUR) < LIMIT


@pytest.mark.parametrize("wrong", [switching(1.2), switching(1.0, 14.4)])
def test_wrong_regimes_are_noticed(wrong):
    assert disagreement(walk(switching(), even(800_000, HOUR), 3), wrong, HOUR) > LIMIT


# GARCH against the package whose parameters it takes.


@pytest.fixture(scope="module")
def univariate():
    """The package's models; it takes seconds to import."""
    from arch import univariate

    return univariate


def arch_simulation(volatility, parameters, innovations):
    return volatility.simulate(parameters, len(innovations), lambda n: innovations, burn=0)[0]


@pytest.mark.parametrize("nu", [None, 5.0])
@pytest.mark.parametrize("kind", ["garch", "gjr"])
def test_garch_is_that_of_arch(univariate, kind, nu):
    process = replace({"garch": GARCH, "gjr": GJR}[kind], nu=nu, mu=0.0)
    z = np.random.default_rng(12).standard_normal(5_000)
    weights = [process.alpha, process.gamma] if kind == "gjr" else [process.alpha]
    theirs = arch_simulation(
        univariate.GARCH(1, len(weights) - 1, 1), [process.omega, *weights, process.beta], z if nu is None else student(z, nu)
    )
    assert process.log_returns(even(5_000, HOUR), z, np.random.default_rng()) * 100 == pytest.approx(theirs, rel=1e-9)


def test_egarch_is_that_of_arch(univariate):
    z = np.random.default_rng(12).standard_normal(5_000)
    theirs = arch_simulation(univariate.EGARCH(1, 1, 1), [EGARCH.omega, EGARCH.alpha, EGARCH.gamma, EGARCH.beta], z)
    assert EGARCH.log_returns(even(5_000, HOUR), z, np.random.default_rng()) * 100 == pytest.approx(theirs, rel=1e-9)


@given(st.floats(2.1, 50), st.floats(-8, 8))
def test_student_keeps_the_quantile_and_the_sign(nu, x):
    from scipy.stats import norm, t

    mapped = float(student(np.array([x]), nu)[0])
    assert t.sf(abs(mapped) * math.sqrt(nu / (nu - 2)), nu) == pytest.approx(norm.sf(abs(x)), rel=1e-6)
    assert mapped * x >= 0


def test_the_steps_of_a_bar_add_up_to_its_innovation():
    process = replace(GARCH, nu=4.0, mu=0.0)
    z = np.random.default_rng(2).standard_normal(12)
    returns = process.log_returns(even(12, 5 * MINUTE), z, np.random.default_rng())
    assert returns.sum() * 100 == pytest.approx(math.sqrt(process.mean_variance) * student(np.array([z.sum() / math.sqrt(12)]), 4.0)[0])


def test_falls_raise_the_variance_of_gjr_more_than_rises():
    after = [GJR.variances(np.array([innovation, 0.0]))[1] for innovation in (-2.0, 2.0)]
    assert after[0] - after[1] == pytest.approx(GJR.gamma * 4 * GJR.mean_variance)


# The stablecoin.


def test_log_prices_of_ou_have_their_deviation_and_memory():
    away = np.cumsum(walk(OU, even(200_000, HOUR), 6)) / OU.deviation
    kept = math.exp(-OU.reversion_per_hour)
    assert errors_from(away**2 - 1) < LIMIT
    assert errors_from(away[1:] * away[:-1] - kept) < LIMIT
    assert errors_from(away**2 - 1.2**2) > LIMIT
    assert errors_from(away[1:] * away[:-1] - math.exp(-1.2 * OU.reversion_per_hour)) > LIMIT


def test_a_coin_returns_to_its_level():
    still = OrnsteinUhlenbeck(0.9, 1.0, 0.2, 0.0)
    assert 0.9 * math.exp(walk(still, even(60, MINUTE)).sum()) == pytest.approx(math.exp(math.log(0.9) * math.exp(-0.2)))


def test_half_of_a_depeg_is_left_after_its_recovery():
    process = OrnsteinUhlenbeck(1.0, 1.0, 0.2, 0.0, 5.0, -0.1, 0.0, 24.0)
    away = np.cumsum(walk(process, even(5_000, HOUR), 3))
    first = int(np.argmax(away < 0))
    assert away[first + 24] == pytest.approx(away[first] / 2)
    assert -0.1 <= away[first] <= -0.1 * 2 ** (-1 / 24)


# Compiled and plain.


@pytest.mark.parametrize(
    ("kernel", "arguments"),
    [
        (heston.variance_path, (0.3, np.full(3_000, 0.99), 0.36, 5.0)),
        (garch.garch_variance, (0.01, 0.002, 0.1, 0.05, 0.7)),
        (garch.egarch_log_variance, (-2.0, -0.2, 0.2, -0.1, 0.9)),
        (stable.fading_sum, (0.1, np.full(3_000, 0.99))),
    ],
)
def test_compiled_and_plain_give_the_same_bytes(kernel, arguments):
    normals = np.random.default_rng(1).standard_normal(3_000)
    assert kernel(*arguments, normals).tobytes() == kernel.py_func(*arguments, normals).tobytes()


# What a scenario may say.

SPECS = {
    "gbm": {"start_usd": 100.0, "drift_per_year": 0.5, "volatility_per_year": 0.6},
    "regimes": {
        "start_usd": 100.0,
        "start_regime": "calm",
        "regimes": {
            "calm": {"drift_per_year": 0.2, "volatility_per_year": 0.4, "mean_hours": 48.0, "then": {"wild": 3.0, "crash": 1.0}},
            "wild": {"drift_per_year": 0.0, "volatility_per_year": 1.0, "mean_hours": 12.0, "then": {"calm": 1.0}},
            "crash": {"drift_per_year": -5.0, "volatility_per_year": 2.0, "mean_hours": 6.0, "then": {"wild": 1.0}},
        },
    },
}


def spec(name):
    """The scenario's words for one of ALL."""
    if name in SPECS:
        return {"process": name, **SPECS[name]}
    left_out = {"steps_per_bar", *({"gamma"} if name == "garch" else ())}
    process = ALL[name]
    return {"process": name, **{field: getattr(process, field) for field in process.__dataclass_fields__ if field not in left_out}}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_scenario_can_describe_every_process(name):
    assert build_process(PARTS.validate_python(spec(name))) == ALL[name]


def test_a_process_left_out_is_gbm():
    assert build_process(PARTS.validate_python(SPECS["gbm"])) == GBM


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({**SPECS["gbm"], "process": "brown"}, "process is unknown; known: gbm"),
        ({**spec("garch"), "beta": 0.95}, "no mean to return to"),
        ({**spec("merton"), "jump_size": 1.0}, "Extra inputs"),
        ({**spec("kou"), "mean_up": 1.0}, r"1 is not in \(0, 1\)"),
        ({**spec("regimes"), "start_regime": "boom"}, "start_regime"),
    ],
)
def test_a_wrong_description_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        PARTS.validate_python(values)


def test_a_bar_is_so_many_steps_of_the_scenario():
    assert build_process(PARTS.validate_python(spec("garch")), step_seconds=300).steps_per_bar == 12


def test_a_bar_that_steps_do_not_divide_is_refused():
    with pytest.raises(ValueError, match=r"bar_minutes\(=60\) must be a whole number of steps of 420 s"):
        build_process(PARTS.validate_python(spec("garch")), step_seconds=420)


def test_hours_and_years_agree():
    assert pytest.approx(1.0) == YEAR_HOURS * HOUR
