"""One number over many paths: how it is written, and that it is the statistic of that name."""

import numpy as np
import pytest

from seawall.studies.expressions import ExpressionError
from seawall.studies.quantity import parse_quantity


def estimate(text, values, log_weights=None):
    quantity = parse_quantity(text)
    measures = {"x": np.asarray(values, np.float64)}
    return quantity.estimate(quantity.values(measures), np.zeros(len(values)) if log_weights is None else log_weights)


@pytest.mark.parametrize(
    ("text", "statistic", "level"),
    [
        ("mean(bad_debt)", "mean", np.nan),
        (" var99.5( bad_debt_usd / debt_start )", "var", 0.995),
        ("q5(fee_yield_per_year)", "q", 0.05),
        ("median(x)", "median", 0.5),
        ("cvar99((a + b) * 2)", "cvar", 0.99),
        ("p(bad_debt >= -2.5e3)", "p", np.nan),
    ],
)
def test_quantities_are_read(text, statistic, level):
    found = parse_quantity(text)
    assert (found.statistic, found.text) == (statistic, text.strip())
    np.testing.assert_equal(found.level, level)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bad_debt", "is no statistic of a measure"),
        ("cvar99 bad_debt", "is no statistic"),
        ("cvar(bad_debt)", "'cvar' is not known; known are mean"),
        ("mean95(bad_debt)", "'mean95' is not known"),
        ("cvar100(bad_debt)", "100 percent is not between 0 and 100"),
        ("q0(bad_debt)", "0 percent is not between 0 and 100"),
        ("q9.9.9(bad_debt)", "is not known"),
        ("p(bad_debt)", "a comparison belongs to p"),
        ("mean(bad_debt > 0)", "a comparison belongs to p"),
        ("p(x == 1)", "is not allowed"),
        ("mean()", "is no expression"),
        ("mean(1)", "names no measure"),
    ],
)
def test_what_is_no_quantity_is_refused_in_words(text, said):
    with pytest.raises(ExpressionError) as refused:
        parse_quantity(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("mean(x)", 200.5), ("median(x)", 200.0), ("var95(x)", 380.0), ("cvar95(x)", 390.5), ("p(x > 360)", 0.1), ("mean(2 * x - x)", 200.5)],
)
def test_estimates_are_those_of_the_statistics(text, expected):
    found = estimate(text, np.arange(1.0, 401.0))
    assert found.value == pytest.approx(expected, abs=1.0)
    assert found.low < expected < found.high


def test_more_confidence_is_a_wider_interval():
    quantity, values = parse_quantity("mean(x)"), np.arange(100.0)
    narrow, wide = (quantity.estimate(values, np.zeros(100), confidence=one) for one in (0.9, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_a_path_of_which_it_is_not_known_is_left_out():
    assert estimate("p(x < 60)", [10.0, np.nan, np.nan, 90.0]).value == 0.5


def test_weights_count():
    values, log_weights = np.array([0.0, 1.0] * 50), np.log(np.array([3.0, 1.0] * 50))
    assert estimate("mean(x)", values, log_weights).value == pytest.approx(0.25)
    assert estimate("p(x > 0)", values, log_weights).value == pytest.approx(0.25)
