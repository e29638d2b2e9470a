"""Risk figures: reference cases, intervals by independent means, what is refused and what has no value."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from seawall.studies import risk
from seawall.studies.risk_table import risk_figures
from seawall.studies.skewness import interval

CASES = json.loads((Path(__file__).parent.parent / "reference" / "risk_cases.json").read_text(encoding="utf-8"))
MEASURES = {name for name in risk.__all__ if not isinstance(getattr(risk, name), type)}


def as_argument(given):
    if isinstance(given, dict):
        return {name: as_argument(values) for name, values in given.items()}
    return np.array(given, dtype=np.float64) if isinstance(given, list) else given


def computed(case):
    args = [as_argument(given) for given in case["args"]]
    if "curve" in case:
        args.insert(0, risk.kaplan_meier(*(as_argument(given) for given in case["curve"])))
    return getattr(risk, case["measure"])(*args)


def having(key):
    return pytest.mark.parametrize(
        "case", [case for case in CASES if key in case], ids=lambda case: f"{case['measure']}: {case['convention']}"
    )


@having("value")
def test_a_figure_is_what_was_found_by_hand(case):
    assert computed(case).value == pytest.approx(case["value"], rel=1e-8)


@having("low")
def test_an_interval_is_what_an_independent_formula_says(case):
    found = computed(case)
    high = case["high"] if case["high"] is None else pytest.approx(case["high"], rel=1e-6)
    assert (found.low, found.high) == (pytest.approx(case["low"], rel=1e-6), high)


@having("missing")
def test_paths_without_a_value_are_counted(case):
    assert computed(case).missing == case["missing"]


@having("values")
def test_a_curve_is_what_was_found_by_hand(case):
    found = computed(case)
    points = getattr(found, case["attribute"]) if "attribute" in case else [point.value for point in found]
    assert points == pytest.approx(case["values"], rel=1e-8)


@having("values_by")
def test_a_breakdown_is_what_was_found_by_hand(case):
    assert {name: part.value for name, part in computed(case).items()} == pytest.approx(case["values_by"])


def test_every_measure_has_a_case_that_says_how_it_was_made():
    assert {case["measure"] for case in CASES if case["convention"] and case["produced"]} == MEASURES


def test_the_interval_solves_halls_equation():
    pulls = np.random.default_rng(3).exponential(size=40) - 1.0
    pulls -= pulls.mean()
    skew = (pulls**3).sum() / (pulls**2).sum() ** 1.5
    error = math.sqrt((pulls**2).sum() * 40 / 39)

    def student(ratio):
        return optimize.brentq(lambda t: t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6 - ratio, -50, 50)

    t = stats.t.ppf(0.975, 39)
    assert interval(5.0, pulls, 0.95) == pytest.approx((5.0 - error * student(t), 5.0 - error * student(-t)))


@pytest.mark.parametrize("turned", [1.0, -1.0])
def test_caution_puts_back_only_the_end_that_is_drawn_in(turned):
    """Exponential losses: the low end of Hall's interval lies above Student's; of gains the high end below it."""
    pulls = turned * (np.random.default_rng(3).exponential(size=40) - 1.0)
    pulls -= pulls.mean()
    reach = stats.t.ppf(0.975, 39) * math.sqrt((pulls**2).sum() * 40 / 39)
    bold, half, whole = (np.array(interval(0.0, pulls, 0.95, caution=caution)) for caution in (0.0, 0.5, 1.0))
    near, far = (0, 1) if turned > 0.0 else (1, 0)
    assert abs(bold[near]) < reach < abs(bold[far])
    assert (abs(whole[near]), abs(half[near])) == pytest.approx((reach, (reach + abs(bold[near])) / 2.0))
    assert bold[far] == half[far] == whole[far]


def test_the_interval_of_a_mean_is_half_as_cautious_as_the_hull():
    values = np.random.default_rng(4).lognormal(size=200)
    pulls = (values - values.mean()) / 200
    assert risk.mean(values).low == pytest.approx(np.mean([interval(values.mean(), pulls, 0.95, caution=c)[0] for c in (0.0, 1.0)]))


def test_the_interval_of_a_sample_without_skew_is_students():
    values = np.concatenate([np.arange(-10.0, 0.0), np.arange(1.0, 11.0)])
    found = risk.mean(values)
    assert (found.low, found.high) == pytest.approx(stats.ttest_1samp(values, 0.0).confidence_interval(0.95))


def test_wilson_is_that_of_scipy():
    found, other = risk.probability(3, 50), stats.binomtest(3, 50).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((other.low, other.high))


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_the_interval_of_a_quantile_lies_between_the_order_statistics_around_its_ranks(level):
    values = np.sort(np.random.default_rng(1).exponential(size=200))
    found = risk.quantile(values, level)
    low, high = stats.binom.ppf([0.025, 0.975], 200, level).astype(int)
    assert values[low - 1] <= found.low <= values[low]
    assert values[high - 1] <= found.high <= values[high]


@pytest.mark.parametrize("figure", [risk.mean, lambda x, w: risk.cvar(x, 0.9, w), lambda x, w: risk.var(x, 0.9, w)])
def test_whole_weights_count_as_repeated_paths(figure):
    values, times = np.random.default_rng(5).exponential(size=60), np.arange(60) % 3 + 1
    assert figure(values, np.log(times)).value == pytest.approx(figure(np.repeat(values, times), None).value)


def test_nearly_equal_weights_change_no_interval():
    values = np.random.default_rng(5).exponential(size=500)
    weights = np.linspace(0.0, 1e-9, 500)
    plain, weighted = risk.cvar(values, 0.95), risk.cvar(values, 0.95, weights)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), rel=1e-6)


def test_only_differences_of_log_weights_matter():
    values, weights = np.arange(100.0), np.linspace(0.0, 2.0, 100)
    assert risk.mean(values, weights - 1_024.0).value == pytest.approx(risk.mean(values, weights).value)


def test_the_order_of_paths_changes_nothing():
    values, order = np.random.default_rng(2).exponential(size=300), np.random.default_rng(3).permutation(300)
    assert risk.cvar(values, 0.95) == risk.cvar(values[order], 0.95)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (risk.mean(np.full(9, np.nan)), "no path has a value"),
        (risk.mean(np.zeros(500)), "all paths have the same value"),
        (risk.cvar(np.r_[np.zeros(995), np.arange(1.0, 6.0)], 0.95), "fewer than 10 paths tell"),
        (risk.ratio_of_sums(np.zeros(5), np.zeros(5)), "the denominator is 0 on all paths"),
        (risk.var(np.arange(50.0), 0.99), "too few paths for an interval"),
        (risk.median_time(risk.kaplan_meier([5.0, 9.0, 9.0], [False, True, True])), "fewer than half of the paths"),
        (risk.median_time(risk.kaplan_meier([], [])), "no path has a value"),
        (risk.kaplan_meier([5.0, 9.0], [False, True]).at(1.0), "nothing had happened"),
        (risk.kaplan_meier([5.0, 6.0], [False, False]).at(7.0), "no path is left"),
    ],
)
def test_what_cannot_be_computed_says_why(found, why):
    assert why in found.why
    assert None in (found.low, found.high)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: risk.cvar([1.0], 1.0), r"level \(1.0\)"),
        (lambda: risk.mean([1.0], confidence=0.0), r"confidence \(0.0\)"),
        (lambda: risk.mean([math.inf]), "must be finite"),
        (lambda: risk.mean([[1.0]]), "2 dimensions"),
        (lambda: risk.mean([1.0], [0.0, 0.0]), "log_weights: 2 for 1 paths"),
        (lambda: risk.ratio_of_sums([1.0], [1.0, 2.0]), "unequal length"),
        (lambda: risk.probability(3, 2), r"successes \(3\)"),
        (lambda: risk.frequency([0.5]), "must be 0 or 1"),
        (lambda: risk.kaplan_meier([-1.0], [False]), "must be >= 0"),
        (lambda: risk.kaplan_meier([1.0, 2.0], [True, False], [0.0, 1.0]), "no path may end before"),
    ],
)
def test_what_is_no_sample_is_refused(call, text):
    with pytest.raises(risk.SampleError, match=text):
        call()


def test_weighted_survival_is_the_weighted_share_that_lasts():
    curve = risk.kaplan_meier([1.0, 2.0, 3.0, 3.0], [False, False, True, True], np.log([1.0, 1.0, 1.0, 2.0]))
    assert curve.survival == pytest.approx([0.8, 0.6])


def test_the_loss_waterfall_adds_up():
    losses = {"a": np.array([1.0, np.nan, 3.0]), "b": np.array([0.5, 7.0, 0.25])}
    total = risk.mean(losses["a"] + losses["b"]).value
    assert sum(part.value for part in risk.loss_waterfall(losses).values()) == pytest.approx(total)


def test_an_estimate_without_an_end_says_so_in_its_entry():
    entry = risk.var(np.arange(50.0), 0.99).as_entry("USD")
    assert entry["interval"][1] is None
    assert entry["why"]


def a_table(**columns):
    return pd.DataFrame({"time_to_insolvency_s": [60.0, None, None], "bad_debt_usd": [4.0, 0.0, 2.0], **columns})


def test_the_table_has_each_loss_with_its_tail():
    found = risk_figures(a_table(), 600.0)
    assert {kind for name, kind in found if name == "bad_debt_usd"} == {"mean", "var95", "var99", "cvar95", "cvar99"}
    assert found["bad_debt_usd", "mean"].value == pytest.approx(2.0)


def test_the_table_leaves_out_failed_paths():
    found = risk_figures(a_table(failed=[False, True, False]), 600.0)
    assert found["insolvency", "probability"].value == pytest.approx(0.5)


def test_the_table_takes_weights():
    found = risk_figures(a_table(log_weight=np.log([1.0, 1.0, 2.0])), 600.0)
    assert found["bad_debt_usd", "mean"].value == pytest.approx(2.0)
    assert found["insolvency", "probability"].value == pytest.approx(0.25)


def test_the_table_finds_the_parts_of_a_yield():
    found = risk_figures(a_table(**{"lp_return_per_year.main": [0.1, 0.2, 0.3], "lp_returns": [9.0, 9.0, 9.0]}), 600.0)
    assert found["lp_return_per_year.main", "mean"].value == pytest.approx(0.2)
    assert ("lp_returns", "mean") not in found


def test_the_table_divides_sums_of_the_same_path():
    sums = pd.DataFrame({"path": [2, 1, 0], "called_usd": [10.0, 20.0, 70.0], "instant_usd": [0.0, 20.0, 30.0]})
    found = risk_figures(a_table(path=[0, 1, 2], failed=[False, True, False]), 600.0, sums)
    assert found["liquidation_efficiency", "ratio"].value == pytest.approx(30.0 / 80.0)
