"""Events laid over paths: what each does, what closed markets show of it, and when random ones come."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.prices.events import Change, Depeg, Drift, Gap, VolatilityBurst
from seawall.prices.process import YEAR_SECONDS
from seawall.prices.shocks import apply, at_random

DAY = 86_400.0


def flat(steps=10, price=100.0):
    return np.full((steps + 1, 1), price)


def rough(steps=2_000, assets=1, seed=1, deviation=0.01):
    """Prices with log returns of the given deviation and no drift."""
    logs = np.random.default_rng(seed).standard_normal((steps, assets)) * deviation
    return 100 * np.exp(np.vstack([np.zeros(assets), np.cumsum(logs, axis=0)]))


def shocked(prices, *events, is_open=None, step_seconds=1.0, drift_per_step=None):
    names = "ABC"[: prices.shape[1]]
    always = np.ones(prices.shape, np.bool_)
    opened = always if is_open is None else np.repeat(np.array(is_open)[:, None], prices.shape[1], axis=1)
    return apply(prices, opened, events, assets=names, step_seconds=step_seconds, drift_per_step=drift_per_step)


def logs_of(prices):
    return np.diff(np.log(prices[:, 0]))


# --- changes ---


@given(change=st.floats(-0.99, 5), at_s=st.floats(0, 10), ramp_s=st.floats(0, 5), recovery_s=st.none() | st.floats(0.001, 5))
def test_a_change_never_exceeds_its_size_and_leaves_the_past_alone(change, at_s, ramp_s, recovery_s):
    prices = shocked(flat(10), Change("A", at_s, change, ramp_s=ramp_s, recovery_s=recovery_s))[:, 0]
    low, high = sorted([100.0, 100 * (1 + change)])
    assert (prices >= low * (1 - 1e-12)).all()
    assert (prices <= high * (1 + 1e-12)).all()
    assert (prices[np.arange(11) < at_s] == 100).all()


def test_a_lasting_ramp_is_linear_in_log_price():
    assert shocked(flat(5), Change("A", 1, 0.21, ramp_s=2))[:, 0] == pytest.approx([100, 100, 110, 121, 121, 121])


def test_a_change_rises_is_held_and_fades():
    prices = shocked(flat(8), Change("A", 1, -0.19, ramp_s=2, hold_s=2, recovery_s=2))[:, 0]
    assert prices == pytest.approx([100, 100, 90, 81, 81, 81, 90, 100, 100])


def test_changes_of_the_same_time_multiply():
    assert shocked(flat(), Change(None, 3, 0.1), Change("A", 3, -0.5))[-1, 0] == pytest.approx(55)


def test_an_event_of_one_asset_leaves_the_bytes_of_others():
    prices = rough(50, 3)
    moved = shocked(prices, Change("B", 3, 0.1), VolatilityBurst("B", 5, 2.0, 20), Depeg("B", 9, 50.0))
    assert moved[:, [0, 2]].tobytes() == prices[:, [0, 2]].tobytes()
    assert (moved[4:, 1] != prices[4:, 1]).all()


# --- gaps and drifts ---


def test_a_gap_waits_for_the_next_session():
    is_open = [True, True, True, False, False, True, True, False, True, True, True]
    assert np.flatnonzero(np.diff(shocked(flat(), Gap("A", 1, -0.3), is_open=is_open)[:, 0])).tolist() == [4]
    assert np.flatnonzero(np.diff(shocked(flat(), Gap("A", 5, -0.3), is_open=is_open)[:, 0])).tolist() == [4]
    assert np.flatnonzero(np.diff(shocked(flat(), Gap("A", 5.5, -0.3), is_open=is_open)[:, 0])).tolist() == [7]


def test_a_gap_has_its_size_and_stays():
    assert shocked(flat(), Gap("A", 4, -0.3))[:, 0] == pytest.approx([100] * 4 + [70] * 7)


def test_a_gap_that_no_session_shows_is_refused():
    with pytest.raises(ValueError, match=r"at_s\(=3\) waits for an open"):
        shocked(flat(4), Gap("A", 3, 0.1), is_open=[True, True, True, False, False])


def test_a_drift_compounds_by_the_day_and_what_it_moved_stays():
    prices = shocked(flat(5), Drift("A", DAY, -0.1, 2 * DAY), step_seconds=DAY)[:, 0]
    assert prices == pytest.approx([100, 100, 90, 81, 81, 81])


def test_what_happens_while_closed_shows_at_the_open():
    is_open = [True, True, False, False, True, True]
    prices = shocked(flat(5), Drift("A", DAY, -0.1, 3 * DAY), step_seconds=DAY, is_open=is_open)[:, 0]
    assert prices == pytest.approx([100, 100, 100, 100, 72.9, 72.9])


# --- bursts of volatility ---


def test_a_burst_multiplies_returns_in_its_window_alone():
    quiet = rough(20)
    loud = shocked(quiet, VolatilityBurst("A", 5, 3.0, 10))
    assert logs_of(loud) / logs_of(quiet) == pytest.approx([1.0] * 5 + [3.0] * 10 + [1.0] * 5)
    assert loud[:6].tobytes() == quiet[:6].tobytes()


def test_a_burst_fades_over_its_ramp():
    quiet = rough(10)
    ratio = logs_of(shocked(quiet, VolatilityBurst("A", 0, 3.0, 4, ramp_down_s=4))) / logs_of(quiet)
    assert ratio == pytest.approx([3, 3, 3, 3, 3, 2.5, 2, 1.5, 1, 1])


def test_a_burst_multiplies_deviations_from_the_drift():
    quiet = 100 * np.exp(0.02 * np.arange(6.0))[:, None]
    assert shocked(quiet, VolatilityBurst("A", 0, 5.0, 9), drift_per_step=np.array([0.02])) == pytest.approx(quiet)
    assert logs_of(shocked(quiet, VolatilityBurst("A", 0, 5.0, 9), drift_per_step=np.array([0.01]))) == pytest.approx(0.06)


@pytest.mark.parametrize("factor", [0.0, 0.5, 4.0])
def test_volatility_within_a_burst_is_the_multiple(factor):
    """2,000 returns of deviation 0.01, within 4 standard errors; a fifth more is caught."""
    within = logs_of(shocked(rough(), VolatilityBurst("A", 0, factor, 5_000))).std()
    assert within == pytest.approx(factor * 0.01, rel=4 / math.sqrt(4_000))
    assert factor == 0 or within != pytest.approx(1.2 * factor * 0.01, rel=4 / math.sqrt(4_000))


def test_a_burst_moves_no_price_while_closed_and_the_open_bears_its_share():
    """A burst over half of the closed time adds half of its variance to the return at the open: sqrt((1 + 9) / 2) times."""
    is_open = [True, True, False, False, False, True, True]
    quiet = 100 * np.exp(np.array([0, 0.01, 0.01, 0.01, 0.01, 0.05, 0.06]))[:, None]
    loud = shocked(quiet, VolatilityBurst("A", 1, 3.0, 2), is_open=is_open)
    assert logs_of(loud) == pytest.approx([0.01, 0, 0, 0, 0.04 * math.sqrt(5), 0.01])


# --- pegs ---


def test_a_peg_is_lost_held_and_found_again():
    prices = shocked(flat(8, price=1.0), Depeg("A", 2, 0.81, ramp_s=2, hold_s=1, recovery_s=2))[:, 0]
    assert prices == pytest.approx([1, 1, 1, 0.9, 0.81, 0.81, 0.9, 1, 1])


def test_the_level_is_in_dollars_whatever_the_price_before():
    prices = shocked(rough(20), Depeg("A", 7, 0.9))
    assert prices[7, 0] == pytest.approx(0.9)
    assert prices[8, 0] != pytest.approx(0.9, rel=1e-6)


def test_a_pinned_price_stays_at_its_level():
    assert shocked(rough(20), Depeg("A", 7, 0.9, own_moves=0.0))[7:, 0] == pytest.approx(0.9)


def test_own_moves_go_on_at_the_level_and_survive_it():
    quiet = rough(20)
    off = shocked(quiet, Depeg("A", 5, 0.9, hold_s=4, recovery_s=1))
    assert off[5:10, 0] == pytest.approx(0.9 * quiet[5:10, 0] / quiet[5, 0])
    assert off[10:] == pytest.approx(quiet[10:])


# --- refusals ---


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Change("A", -1, 0.1),
        lambda: Change("A", math.inf, 0.1),
        lambda: Change("A", 0, -1.0),
        lambda: Change("A", 0, math.nan),
        lambda: Change("A", 0, 0.1, ramp_s=-1),
        lambda: Change("A", 0, 0.1, hold_s=math.inf),
        lambda: Change("A", 0, 0.1, recovery_s=0.0),
        lambda: Gap("A", 0, -2.0),
        lambda: Drift("A", 0, -1.0, 5.0),
        lambda: Drift("A", 0, 0.1, 0.0),
        lambda: VolatilityBurst("A", 0, -0.1, 5.0),
        lambda: VolatilityBurst("A", 0, 2.0, 0.0),
        lambda: VolatilityBurst("A", 0, 2.0, 5.0, -1.0),
        lambda: Depeg("A", 0, 0.0),
        lambda: Depeg("A", 0, 0.9, own_moves=1.5),
        lambda: Depeg("A", 0, 0.9, recovery_s=-1.0),
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\(=.*must be"):
        wrong()


@pytest.mark.parametrize(
    ("event", "message"),
    [(Change("Z", 0, 0.1), "names 'Z'; the assets are A"), (Drift(None, 11, 0.1, 5.0), r"at_s\(=11\), after the end of the path at 10 s")],
)
def test_events_that_would_do_nothing_are_refused(event, message):
    with pytest.raises(ValueError, match=message):
        shocked(flat(), event)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="must be"):
        apply(flat(), np.ones((3, 1), np.bool_), [], assets="A", step_seconds=1)


# --- random times ---


def times(per_year, seconds, seed=1):
    return [event.at_s for event in at_random(Change("A", 0, -0.1), per_year, seconds, np.random.default_rng(seed))]


def test_random_events_come_as_often_as_configured():
    """300 years of 12, within 4 roots; a fifth more is caught."""
    count = len(times(12.0, 300 * YEAR_SECONDS))
    assert abs(count - 3_600) < 4 * math.sqrt(3_600)
    assert abs(count - 4_320) > 4 * math.sqrt(4_320)


def test_random_events_are_in_order_within_the_path_and_otherwise_alike():
    events = at_random(Change("A", 0, -0.1, 5.0), 1_000.0, YEAR_SECONDS, np.random.default_rng(1))
    at = [event.at_s for event in events]
    assert at == sorted(at)
    assert 0 < at[0] < at[-1] <= YEAR_SECONDS
    assert {replace(event, at_s=0) for event in events} == {Change("A", 0, -0.1, 5.0)}


def test_a_longer_path_begins_with_the_events_of_the_shorter_one():
    short, long = times(500.0, YEAR_SECONDS), times(500.0, 3 * YEAR_SECONDS)
    assert long[: len(short)] == short
    assert len(long) > 2 * len(short)


def test_no_rate_no_events():
    assert times(0.0, YEAR_SECONDS) == []


@pytest.mark.parametrize(("per_year", "seconds"), [(-1.0, 1.0), (math.nan, 1.0), (1.0, 0.0), (20_000.0, YEAR_SECONDS)])
def test_impossible_rates_are_refused(per_year, seconds):
    with pytest.raises(ValueError, match=r"\(="):
        times(per_year, seconds)
