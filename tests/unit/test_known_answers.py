"""A lone CDP in the model beside what is known of it in closed form; and the closed forms beside simulated prices."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import pytest

from seawall.scenarios.build import build_model
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import load
from seawall.studies import risk
from seawall.studies.closed_forms import SHIFT, ClosedFormError, LoneCdp, call_probability, mean_shortfall

SCENARIO = Path(__file__).parent.parent / "scenarios" / "lone_cdp.yaml"
PATHS = 1_000
SEED = 5
YEAR = 365 * 86_400.0
HOUR, MINUTE = 3_600.0 / YEAR, 60.0 / YEAR


@functools.cache
def ensemble():
    """Whether the CDP was margin called, its shortfall at the end, on each path; and the CDP as it stood."""
    loaded = load(SCENARIO)
    called, shortfall = [], []
    for path in range(PATHS):
        model = build_model(loaded, price_paths(loaded, SEED, path), SEED, path)
        model.run()
        called.append(bool(model.world.series["called"].max()))
        shortfall.append(float(model.world.peaks[-1].shortfall))
    row, terms = model.world.cdps[0], model.world.tassets[0]
    return called, shortfall, (float(row.collateral), float(row.debt), float(terms.min_collateral_ratio))


def the_cdp(volatility=10.0):
    return LoneCdp(*ensemble()[2], price=100.0, drift_per_year=10.0, volatility_per_year=volatility)


def holds(estimate, value):
    return estimate.low <= value <= estimate.high


def test_margin_calls_are_as_frequent_as_first_passages_seen_each_minute():
    assert holds(risk.frequency(ensemble()[0]), call_probability(the_cdp(), HOUR, look_years=MINUTE))


def test_a_price_watched_all_the_time_would_be_caught():
    assert not holds(risk.frequency(ensemble()[0]), call_probability(the_cdp(), HOUR))


def test_the_mean_shortfall_is_that_of_a_call_on_the_debt():
    assert holds(risk.mean(ensemble()[1]), mean_shortfall(the_cdp(), HOUR))


@pytest.mark.parametrize("volatility", [8.0, 12.5])
def test_a_wrong_volatility_would_be_caught(volatility):
    called, shortfall, _ = ensemble()
    assert not holds(risk.frequency(called), call_probability(the_cdp(volatility), HOUR, look_years=MINUTE))
    assert not holds(risk.mean(shortfall), mean_shortfall(the_cdp(volatility), HOUR))


def simulated(cdp, years, looks, paths):
    steps = np.random.default_rng(8).standard_normal((paths, looks)) * cdp.volatility_per_year * math.sqrt(years / looks)
    drift = (cdp.drift_per_year - cdp.volatility_per_year**2 / 2) * years / looks
    return cdp.price * np.exp(np.cumsum(steps + drift, axis=1))


def test_the_closed_forms_hold_with_a_strong_drift():
    cdp = LoneCdp(150.0, 1.0, 1.2, 100.0, drift_per_year=0.4, volatility_per_year=0.5)
    prices = simulated(cdp, 1.0, 250, 20_000)
    assert holds(risk.frequency(prices.max(axis=1) >= cdp.call_price), call_probability(cdp, 1.0, look_years=1 / 250))
    assert holds(risk.mean(np.maximum(prices[:, -1] - 150.0, 0.0)), mean_shortfall(cdp, 1.0))


def test_the_shift_is_that_of_the_paper():
    assert pytest.approx(0.5826, abs=5e-5) == SHIFT


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: LoneCdp(0.0, 1.0, 1.5, 1.0, 0.0, 1.0), "collateral_usd"),
        (lambda: call_probability(LoneCdp(100.0, 1.0, 1.5, 90.0, 0.0, 1.0), 1.0), "called already at 66.6667"),
        (lambda: mean_shortfall(LoneCdp(100.0, 1.0, 1.5, 50.0, 0.0, 1.0), 0.0), "years"),
        (lambda: call_probability(LoneCdp(100.0, 1.0, 1.5, 50.0, 0.0, 1.0), 1.0, look_years=-1.0), "look_years"),
    ],
)
def test_what_no_formula_answers_is_refused(call, text):
    with pytest.raises(ClosedFormError, match=text):
        call()
