"""The stopping rule: what it understands, and when it is met."""

from types import SimpleNamespace

import numpy as np
import pytest

from seawall.studies.expressions import ExpressionError
from seawall.studies.until import parse


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
    assert rule.quantity.statistic == statistic
    np.testing.assert_allclose([rule.quantity.level, rule.tolerance], [level, tolerance])
    assert rule.is_relative is is_relative


def test_a_probability_has_a_comparison():
    rule = parse("p(bad_debt >= -2.5e3) +- 0.01")
    assert (rule.quantity.text, rule.quantity.statistic, rule.tolerance) == ("p(bad_debt >= -2.5e3)", "p", 0.01)
    np.testing.assert_array_equal(rule.quantity.values({"bad_debt_usd": np.array([-2500.0, -2501.0])}), [1.0, 0.0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tight", "is no stopping rule"),
        ("cvar99 bad_debt +- 5%", "is no statistic of a measure"),
        ("cvar99(bad_debt) +- ", "is no stopping rule"),
        ("__import__('os') +- 1", "is no statistic of a measure"),
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
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert said in str(refused.value)


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
