"""The stopping rule: what it understands, and when it is met."""

from types import SimpleNamespace

import numpy as np
import pytest

from seawall.studies.until import UntilError, estimate, parse, resolve


@pytest.mark.parametrize(
    ("text", "statistic", "level", "tolerance", "is_relative"),
    [
        ("cvar99(bad_debt) +- 5%", "cvar", 0.99, 0.05, True),
        (" var99.5( bad_debt_usd )±1e3 ", "var", 0.995, 1000.0, False),
        ("q5(fee_yield_per_year) +- 0.001", "q", 0.05, 0.001, False),
        ("median(bad_debt) +- 10_000", "median", 0.5, 10_000.0, False),
        ("mean(lp_net_yield.ETH-PERP) +- .5 %", "mean", np.nan, 0.005, True),
    ],
)
def test_rules_are_read(text, statistic, level, tolerance, is_relative):
    rule = parse(text)
    assert rule.statistic == statistic
    np.testing.assert_allclose([rule.level, rule.tolerance], [level, tolerance])
    assert rule.is_relative is is_relative


def test_a_probability_has_a_comparison():
    rule = parse("p(bad_debt >= -2.5e3) +- 0.01")
    assert (rule.statistic, rule.figure, rule.comparison, rule.bound, rule.tolerance) == ("p", "bad_debt", ">=", -2500.0, 0.01)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tight", "is no stopping rule"),
        ("cvar99 bad_debt +- 5%", "is no stopping rule"),
        ("cvar99(bad_debt) +- ", "is no stopping rule"),
        ("__import__('os') +- 1", "is no stopping rule"),
        ("cvar(bad_debt) +- 5%", "'cvar' is not known; known are mean"),
        ("mean95(bad_debt) +- 5%", "'mean95' is not known"),
        ("cvar100(bad_debt) +- 5%", "100 percent is not between 0 and 100"),
        ("q9.9.9(bad_debt) +- 5%", "is not known"),
        ("mean(bad_debt) +- 0", "the tolerance must be > 0"),
        ("mean(bad_debt) +- -3", "the tolerance must be > 0"),
        ("p(bad_debt) +- 0.01", "a comparison belongs to p"),
        ("mean(bad_debt > 0) +- 0.01", "a comparison belongs to p"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(text, said):
    with pytest.raises(UntilError) as refused:
        parse(text)
    assert said in str(refused.value)


def test_figures_may_go_without_their_unit():
    known = ["bad_debt_usd", "time_to_insolvency_s", "shortfall_peak_usd", "shortfall_end_usd"]
    assert resolve("bad_debt", known) == "bad_debt_usd"
    assert resolve("bad_debt_usd", known) == "bad_debt_usd"
    assert resolve("shortfall", known) == "shortfall_end_usd"
    with pytest.raises(UntilError, match="did you mean bad_debt_usd"):
        resolve("bad_dept_usd", known)


def test_a_name_that_could_be_two_figures_is_refused():
    with pytest.raises(UntilError, match="did you mean fees_usd or fees_texo"):
        resolve("fees", ["fees_usd", "fees_texo"])


@pytest.mark.parametrize(
    ("text", "value", "low", "high", "is_met"),
    [
        ("mean(x) +- 5%", 100.0, 95.0, 105.0, True),
        ("mean(x) +- 5%", 100.0, 99.0, 105.1, False),
        ("mean(x) +- 5%", -100.0, -105.0, -95.0, True),
        ("mean(x) +- 5%", 0.0, 0.0, 0.0, False),
        ("mean(x) +- 5", 0.0, -5.0, 4.0, True),
        ("mean(x) +- 5", None, None, None, False),
        ("mean(x) +- 5", 1.0, None, None, False),
        ("mean(x) +- 5", 1.0, float("nan"), float("nan"), False),
    ],
)
def test_met_when_neither_end_is_too_far(text, value, low, high, is_met):
    assert parse(text).is_met(SimpleNamespace(value=value, low=low, high=high)) is is_met


def test_a_tail_needs_paths_in_it_before_it_is_believed():
    asked = {text: parse(f"{text}(x) +- 1%").least_paths for text in ("mean", "median", "q95", "cvar99", "q1", "var99.9")}
    assert asked == {"mean": 100, "median": 100, "q95": 200, "cvar99": 1000, "q1": 1000, "var99.9": 10_000}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean(x) +- 1%", 200.5),
        ("median(x) +- 1%", 200.0),
        ("var95(x) +- 1%", 380.0),
        ("cvar95(x) +- 1%", 390.5),
        ("p(x > 360) +- 1%", 0.1),
    ],
)
def test_estimates_are_those_of_the_statistics(text, expected):
    found = estimate(parse(text), np.arange(1.0, 401.0), np.zeros(400))
    assert found.value == pytest.approx(expected, abs=1.0)
    assert found.low < expected < found.high


def test_a_path_without_the_figure_is_one_on_which_it_did_not_happen():
    found = estimate(parse("p(time_to_insolvency_s < 60) +- 1%"), np.array([10.0, np.nan, np.nan, 90.0]), np.zeros(4))
    assert found.value == 0.25


def test_weights_count():
    values, log_weights = np.array([0.0, 1.0] * 50), np.log(np.array([3.0, 1.0] * 50))
    assert estimate(parse("mean(x) +- 1%"), values, log_weights).value == pytest.approx(0.25)
    assert estimate(parse("p(x > 0) +- 1%"), values, log_weights).value == pytest.approx(0.25)
