"""Arithmetic over measures: what is read, what is refused, and that nothing is run."""

import math

import numpy as np
import pytest

from seawall.studies.expressions import MAX_LENGTH, ExpressionError, parse, resolve

MEASURES = {
    "bad_debt_usd": np.array([0.0, 10.0, 40.0]),
    "debt_start_usd": np.array([100.0, 0.0, 200.0]),
    "lp_net_yield.ETH-PERP": np.ones(3),
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("bad_debt", [0.0, 10.0, 40.0]),
        ("bad_debt_usd / debt_start_usd", [0.0, math.nan, 0.2]),
        ("-(bad_debt + 2) * 1e1", [-20.0, -120.0, -420.0]),
        ("max(bad_debt, 12) - min(bad_debt, 12)", [12.0, 2.0, 28.0]),
        ("abs(bad_debt - 10)", [10.0, 0.0, 30.0]),
        ("lp_net_yield.ETH-PERP - 1", [0.0, 0.0, 0.0]),
        ("'bad_debt_usd' + 1", [1.0, 11.0, 41.0]),
        ("2 - bad_debt - 1", [1.0, -9.0, -39.0]),
        ("bad_debt * 0 + 3", [3.0, 3.0, 3.0]),
    ],
)
def test_values_path_by_path(text, values):
    np.testing.assert_array_equal(parse(text).values(MEASURES), values)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("bad_debt > 10", [0, 0, 1]),
        ("bad_debt >= 10", [0, 1, 1]),
        ("bad_debt < debt_start", [1, 0, 1]),
        ("bad_debt / debt_start <= 0.2", [1, math.nan, 1]),
    ],
)
def test_conditions_are_0_or_1(text, holds):
    condition = parse(text, condition=True)
    assert condition.is_condition
    np.testing.assert_array_equal(condition.values(MEASURES), holds)


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_of_a_missing_value_no_condition_is_known(sign):
    measures = {"x": np.array([math.nan, 1.0])}
    for text in (f"x {sign} 5", f"5 {sign} x", f"x / 0 {sign} 1"):
        assert math.isnan(parse(text, condition=True).values(measures)[0])


def test_what_never_happens_takes_for_ever():
    measures = {"time_to_insolvency_s": np.array([math.nan, 60.0])}
    np.testing.assert_array_equal(parse("time_to_insolvency < 3600", condition=True).values(measures), [0.0, 1.0])
    np.testing.assert_array_equal(parse("time_to_insolvency > 3600", condition=True).values(measures), [1.0, 0.0])
    np.testing.assert_array_equal(parse("time_to_insolvency / 60").values(measures), [math.nan, 1.0])


def test_names_in_order_each_once():
    assert parse("b / a + b").names == ("b", "a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no expression"),
        ("bad_debt +", "is no expression"),
        ("1 + 2", "names no measure"),
        ("bad_debt > 1", "no comparison belongs here"),
        ("bad_debt ** 2", "is not allowed"),
        ("bad_debt % 2", "is not allowed"),
        ("__import__('os')", "is not allowed"),
        ("x.real", "no measure of these"),
        ("[x for x in y]", "is not allowed"),
        ("lambda: x", "is not allowed"),
        ("f(x)", "is not allowed"),
        ("max(x)", "max takes 2 values, not 1"),
        ("max(x, y, default=1)", "is not allowed"),
        ("x + True", "True is no number that can be counted with"),
        ("x + 1e999", "inf is no number that can be counted with"),
        ("x + 1j", "1j is no number that can be counted with"),
        ("x if y else z", "is not allowed"),
        ("not x", "is not allowed"),
        ("~x", "is not allowed"),
        ("x" * (MAX_LENGTH + 1), f"longer than {MAX_LENGTH}"),
        ("(" * 240 + "x" + ")" * 240, "is no expression"),
        ("x\0", "is no expression"),
    ],
)
def test_what_is_no_arithmetic_is_refused_in_words(text, said):
    with pytest.raises(ExpressionError) as refused:
        parse(text).values(MEASURES)
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["bad_debt", "bad_debt > 1 > 0", "(bad_debt > 1) + 1", "bad_debt == 1", "x > 1 and y > 1"])
def test_a_condition_is_one_comparison(text):
    with pytest.raises(ExpressionError):
        parse(text, condition=True)


def test_many_signs_cost_nothing():
    with pytest.raises(ExpressionError):
        parse("-" * 490 + "1").values(MEASURES)


def test_figures_may_go_without_their_unit():
    known = ["bad_debt_usd", "time_to_insolvency_s", "shortfall_peak_usd", "shortfall_end_usd"]
    assert resolve("bad_debt", known) == "bad_debt_usd"
    assert resolve("bad_debt_usd", known) == "bad_debt_usd"
    assert resolve("shortfall", known) == "shortfall_end_usd"
    with pytest.raises(ExpressionError, match="did you mean bad_debt_usd"):
        resolve("bad_dept_usd", known)


def test_a_name_that_could_be_two_figures_is_refused():
    with pytest.raises(ExpressionError, match="did you mean fees_usd or fees_texo"):
        resolve("fees", ["fees_usd", "fees_texo"])
