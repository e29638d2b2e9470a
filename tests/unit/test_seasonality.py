"""Volatility by the clock on the wall, sessions on top of it, and gaps at the open."""

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.prices.dependence import correlation_matrix
from seawall.prices.seasonality import combine, opening_gaps, variance_weights

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)
NOON_ONLY = [1.0 if hour == 12 else 0.0 for hour in range(24)]
FLAT = [1.0] * 24


def weights(by_hour=NOON_ONLY, by_weekday=None, *, start=MONDAY, steps=24, step_seconds=3_600, time_zone="UTC"):
    return variance_weights(by_hour, by_weekday, start=start, steps=steps, step_seconds=step_seconds, time_zone=time_zone)


def test_all_variance_falls_on_the_only_hour_that_moves():
    assert weights().tolist() == [0.0] * 12 + [24.0] + [0.0] * 11


@pytest.mark.parametrize(
    ("start", "time_zone", "step"),
    [
        (MONDAY, "America/New_York", 17),
        (MONDAY + timedelta(days=7), "America/New_York", 16),  # summer time since 10 March
        (MONDAY, "Asia/Kolkata", 6),  # half past six
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(start, time_zone, step):
    assert np.flatnonzero(weights(start=start, time_zone=time_zone))[0] == step


def test_a_step_that_spans_two_hours_has_the_mean_of_both():
    assert weights(time_zone="Asia/Kolkata")[6:8].tolist() == [12.0, 12.0]


@pytest.mark.parametrize(("step_seconds", "steps"), [(60, 1_440), (900, 96), (7_200, 12), (14_400, 6), (86_400, 1)])
def test_the_mean_over_a_day_is_one_whatever_the_step(step_seconds, steps):
    assert weights(range(24), steps=steps, step_seconds=step_seconds).mean() == pytest.approx(1.0)


def test_weekdays_begin_with_monday():
    by_day = weights(FLAT, [1, 1, 1, 1, 1, 0, 0], steps=7, step_seconds=86_400)
    assert by_day == pytest.approx([1.4] * 5 + [0, 0])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.01, 100), min_size=24, max_size=24), st.floats(0.1, 10))
def test_only_the_shape_of_a_profile_matters(by_hour, scale):
    assert weights(by_hour) == pytest.approx(weights([scale * one for one in by_hour]))
    assert weights(by_hour).mean() == pytest.approx(1.0)


def test_weights_are_of_variance_and_profiles_of_volatility():
    day = weights([2.0] * 12 + [1.0] * 12)
    assert day[0] / day[23] == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by_hour": [1.0] * 23}, "by_hour.* must be 24"),
        ({"by_hour": [0.0] * 24}, "not all 0"),
        ({"by_hour": [-1.0] + [1.0] * 23}, ">= 0"),
        ({"by_hour": [math.nan] + [1.0] * 23}, "finite"),
        ({"by_weekday": [1.0] * 8}, "by_weekday.* must be 7"),
        ({"time_zone": "Mars/Base"}, r"time_zone\(='Mars/Base'\)"),
        ({"start": datetime(2024, 3, 4, tzinfo=timezone(timedelta(hours=1)))}, "UTC"),
        ({"steps": 0}, "steps"),
    ],
)
def test_impossible_profiles_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        weights(**options)


# --- together with sessions ---


def test_sessions_and_profile_multiply_and_keep_the_variance_of_the_run():
    assert combine(np.array([1.0, 3.0, 2.0]), np.array([1.0, 1.0, 0.0])).tolist() == [0.75, 2.25, 0.0]


@pytest.mark.parametrize("parts", [(), (np.ones(3), np.ones(2)), (np.array([0.0, 1.0]), np.array([1.0, 0.0]))])
def test_weights_that_do_not_fit_are_refused(parts):
    with pytest.raises(ValueError, match="weights"):
        combine(*parts)


# --- gaps ---


def gaps(is_open, deviation=(0.02, 0.01), correlation=0.5, seed=1):
    matrix = correlation_matrix([str(i) for i in range(len(deviation))], correlation)
    return opening_gaps(np.array(is_open), deviation, matrix, np.random.default_rng(seed))


def test_gaps_are_in_the_steps_into_a_session_alone():
    returns = gaps([True, True, False, False, True, True, False, True])
    assert np.flatnonzero(returns[:, 0]).tolist() == [3, 6]


def test_a_market_that_never_closes_has_no_gaps():
    assert not gaps([True] * 5).any()


def test_gaps_have_their_deviation_and_correlation_and_leave_expected_prices():
    """20,000 opens, within 4 standard errors; a deviation a fifth larger is caught."""
    returns = gaps([True] + [False, True] * 20_000)[1::2]
    assert returns.std(axis=0) == pytest.approx([0.02, 0.01], rel=4 / math.sqrt(40_000))
    assert returns.std(axis=0) != pytest.approx([0.024, 0.012], rel=4 / math.sqrt(40_000))
    assert np.corrcoef(returns, rowvar=False)[0, 1] == pytest.approx(0.5, abs=4 * 0.75 / math.sqrt(20_000))
    assert np.exp(returns).mean(axis=0) == pytest.approx(1.0, abs=4 * 0.02 / math.sqrt(20_000))


def test_a_longer_path_begins_with_the_gaps_of_the_shorter_one():
    times = [False, True, True] * 50
    assert gaps(times)[:60].tobytes() == gaps(times[:61]).tobytes()


@pytest.mark.parametrize("deviation", [(0.1,), (0.1, -0.1), (0.1, math.inf)])
def test_impossible_deviations_are_refused(deviation):
    with pytest.raises(ValueError, match="deviation"):
        opening_gaps(np.array([False, True]), deviation, np.eye(2), np.random.default_rng(1))
