"""Histories shuffled in blocks: what stays of them, and steps that are longer or shorter than bars."""

import math

import numpy as np
import pytest

from seawall.prices.bootstrap import optimal_block_bars, resample

KINDS = ["stationary", "circular", "moving"]


def numbered(bars=50, assets=2):
    """A history whose returns say which bar and which asset they are of: 3.001 is bar 3, asset 1."""
    return np.arange(bars)[:, None] + np.arange(assets) / 1_000


def a_history(bars=400, seed=1):
    return np.random.default_rng(seed).standard_normal((bars, 2)) @ np.array([[0.01, 0.006], [0.0, 0.008]])


def clustered(bars=2_000):
    """Returns without memory whose volatility changes every 100 bars."""
    rng = np.random.default_rng(1)
    return rng.standard_normal((bars, 1)) * np.repeat(rng.choice([0.01, 0.05], bars // 100), 100)[:, None]


def path_of(history, steps=1_000, *, seed=3, **options):
    return resample(history, steps, rng=np.random.default_rng(seed), **{"block_bars": 10, **options})


def autocovariance_of_squares(returns):
    squares = returns[:, 0] ** 2 - (returns[:, 0] ** 2).mean()
    return (squares[1:] * squares[:-1]).mean()


@pytest.mark.parametrize("kind", KINDS)
def test_assets_stay_together(kind):
    path = path_of(numbered(), kind=kind)
    assert path[:, 1] - path[:, 0] == pytest.approx(np.full(1_000, 0.001))


@pytest.mark.parametrize(("kind", "expected"), [("circular", 10), ("moving", 10), ("stationary", 10)])
def test_blocks_have_the_length_asked_for(kind, expected):
    """Mean length of stretches that follow the history round; 4 standard errors of the geometric one are 4 x 10 / sqrt(1,000)."""
    history = numbered(500)
    bars = path_of(history, 10_000, kind=kind)[:, 0]
    breaks = (np.diff(bars) % 500 != 1).sum()
    assert len(bars) / (breaks + 1) == pytest.approx(expected, abs=1.3)


def test_only_moving_blocks_never_wrap_round():
    bars = {kind: path_of(numbered(), 2_000, kind=kind)[:, 0] for kind in KINDS}
    wraps = {kind: int((np.diff(path) == -49).sum()) for kind, path in bars.items()}
    assert wraps["circular"] > 0
    assert wraps["stationary"] > 0
    # Blocks next to each other may look like a wrap: 1 of 41 starts at 0, after 1 of 41 that end at 49, 200 times.
    assert wraps["moving"] <= 2


@pytest.mark.parametrize("kind", KINDS)
def test_mean_and_variance_are_those_of_the_history(kind):
    """Blocks of 1 of 40,000 bars: within 4 standard errors; a fifth more is caught."""
    history = a_history()
    path = path_of(history, 40_000, kind=kind, block_bars=1)
    assert path.mean(axis=0) == pytest.approx(history.mean(axis=0), abs=4 * 0.01 / math.sqrt(40_000))
    assert path.std(axis=0) == pytest.approx(history.std(axis=0), rel=4 / math.sqrt(80_000))
    assert path.std(axis=0) != pytest.approx(1.2 * history.std(axis=0), rel=4 / math.sqrt(80_000))


def test_long_blocks_keep_the_clustering_of_volatility_and_single_bars_lose_it():
    history = clustered()
    expected = autocovariance_of_squares(history)
    assert autocovariance_of_squares(path_of(history, 20_000, block_bars=50)) > 0.8 * expected
    assert autocovariance_of_squares(path_of(history, 20_000, block_bars=1)) < 0.2 * expected


def test_the_block_of_choice_sees_the_clustering_that_returns_alone_hide():
    assert optimal_block_bars(clustered(), "stationary") > 30
    assert optimal_block_bars(a_history(2_000), "stationary") < 10


def test_left_out_the_block_is_the_one_of_choice():
    history = clustered()
    default = path_of(history, 100, block_bars=None)
    assert default.tobytes() == path_of(history, 100, block_bars=optimal_block_bars(history, "stationary")).tobytes()


def test_an_asset_that_stands_still_has_no_say_in_the_block():
    history = np.column_stack([clustered()[:, 0], np.zeros(2_000)])
    assert optimal_block_bars(history, "circular") == optimal_block_bars(clustered(), "circular")


# --- steps and bars ---


def test_a_longer_step_adds_bars_up():
    bars, steps = path_of(numbered(), 60), path_of(numbered(), 20, bars_per_step=3)
    assert steps == pytest.approx(bars.reshape(20, 3, 2).sum(axis=1))


def test_shorter_steps_add_up_to_bars():
    bars, steps = path_of(a_history(), 100), path_of(a_history(), 1_500, steps_per_bar=15)
    assert steps.reshape(100, 15, 2).sum(axis=1) == pytest.approx(bars)


def test_shorter_steps_have_the_covariance_of_the_history_and_no_memory():
    """40,000 steps, four to a bar of single-bar blocks: covariance over four, and none from step to step, within 4 standard errors."""
    history = a_history()
    steps = path_of(history, 40_000, steps_per_bar=4, block_bars=1)
    expected = np.cov(history, rowvar=False) / 4
    assert np.cov(steps, rowvar=False) == pytest.approx(expected, abs=4 * math.sqrt(2 / 40_000) * expected.max())
    assert (steps[1:, 0] * steps[:-1, 0]).mean() == pytest.approx(0.0, abs=4 * expected[0, 0] / math.sqrt(40_000))


def test_bars_spread_evenly_would_be_caught():
    """Negative control: equal steps within a bar have three quarters of their variance in common with the next step."""
    steps = np.repeat(path_of(a_history(), 10_000, block_bars=1) / 4, 4, axis=0)
    assert (steps[1:, 0] * steps[:-1, 0]).mean() > 4 * steps[:, 0].var() / math.sqrt(40_000)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"bars_per_step": 4}, {"steps_per_bar": 7}])
def test_a_longer_path_begins_with_the_shorter_one(kind, options):
    """Longer than the history, too."""
    short, long = (path_of(a_history(60), steps, kind=kind, **options) for steps in (50, 900))
    assert short.tobytes() == long[:50].tobytes()
    assert short.shape == (50, 2)


@pytest.mark.parametrize(
    ("history", "options", "message"),
    [
        (np.ones((1, 2)), {}, r"\(1, 2\)"),
        (np.ones(9), {}, r"\(9,\)"),
        (np.array([[0.1], [math.nan], [0.2]]), {}, r"bar 1, column 0 \(=nan\)"),
        (np.ones((9, 1)), {"block_bars": 10}, r"block_bars\(=10\) must be in \[1, 9\]"),
        (np.ones((9, 1)), {"block_bars": 0}, "block_bars"),
        (np.ones((9, 1)), {"block_bars": 2, "bars_per_step": 2, "steps_per_bar": 2}, "one of the last two 1"),
        (np.ones((9, 1)), {"block_bars": 2, "steps_per_bar": 0}, "steps_per_bar"),
    ],
)
def test_impossible_arguments_are_refused(history, options, message):
    with pytest.raises(ValueError, match=message):
        path_of(history, 5, **options)
