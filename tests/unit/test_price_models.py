"""Simulated and resampled prices in a scenario: what is refused, with line and key; what is drawn, and from which stream."""

import math

import numpy as np
import pytest

from seawall.prices.jumps import Merton
from seawall.prices.noise import effective_sample_size
from seawall.protocols.errors import ScenarioError
from seawall.scenarios.inputs import drawn_prices, price_paths
from seawall.scenarios.load import load

HEAD = "name: T\nabout: T.\nseed: 3\n"
TAIL = "tassets: {tA: {tracks: A, pool: {liquidity_usd: 1e4}}}\nminters: {count: 1}\n"
SIMULATED = """\
prices:
  model: simulated
  days: 2
  correlation: 0.5
  assets:
    A: {start_usd: 100, volatility_per_year: 0.5}
    B: {process: merton, start_usd: 20, volatility_per_year: 0.4, jumps_per_year: 500, jump_mean: -0.01, jump_deviation: 0.02}
"""


@pytest.fixture
def write(tmp_path):
    def to_file(prices, after=""):
        path = tmp_path / "t.yaml"
        path.write_text(HEAD + prices + TAIL + after)
        return path

    return to_file


def faults_of(path):
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return [str(fault).removeprefix(str(path.parent) + "/") for fault in caught.value.faults]


def drawn(path, *settings, number=0, seed=3):
    return drawn_prices(load(path, settings), seed, number)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("jump_mean: -0.01", "jump_mean: -4", "t.yaml:10: prices.assets.B.jump_mean: -4 is not in [-3, 3]"),
        ("jump_mean: -0.01", "jump_men: -0.01", "t.yaml:10: prices.assets.B.jump_men: is not a key here; did you mean jump_mean?"),
        ("jump_mean: -0.01, ", "", "t.yaml:10: prices.assets.B.jump_mean: is missing"),
        ("process: merton", "process: mertn", "t.yaml:10: prices.assets.B: process is unknown; known: gbm, merton, kou"),
        ("correlation: 0.5", "correlation: 1.5", "t.yaml:7: prices.correlation: 1.5 is not in (-1, 1)"),
        ("correlation: 0.5", "correlation: {A B: 2}", "t.yaml:7: prices.correlation.A B: 2 is not in [-1, 1]"),
        ("correlation: 0.5", "correlation: {A C: 0.2}", "t.yaml:7: prices.correlation: correlation names the pair ('A', 'C')"),
        ("correlation: 0.5", "correlation: {AB: 0.2}", "t.yaml:7: prices.correlation.AB: 'AB' String should match"),
        ("correlation: 0.5", "correlation: [[1, 0.2], [0.2, 2]]", "t.yaml:7: prices.correlation[1][1]: 2 is not in [-1, 1]"),
        ("correlation: 0.5", "correlation: [[1, 0.2]]", "t.yaml:7: prices.correlation: correlation has the shape (1, 2); 2 assets need"),
        ("correlation: 0.5", "copula: t", "t.yaml:7: prices.copula: copula_degrees is missing"),
        ("correlation: 0.5", "copula_degrees: 4", "t.yaml:7: prices.copula_degrees: is for copula: t only"),
        ("correlation: 0.5", "opening_gap_deviation: 0.1", "t.yaml:7: prices.opening_gap_deviation: needs a calendar"),
        ("correlation: 0.5", "sampling: importance", "t.yaml:7: prices.sampling: importance is missing"),
        (
            "correlation: 0.5",
            "importance: {asset: A, change: -0.3, hours: 1}",
            "t.yaml:7: prices.importance: is for sampling: importance only",
        ),
        (
            "correlation: 0.5",
            "common_jumps: {jumps_per_year: 1, mean: 0, share: {C: 1}}",
            "t.yaml:7: prices.common_jumps.share.C: 'C' is no",
        ),
        ("correlation: 0.5", "seasonality: {by_hour: [1, 2]}", "t.yaml:7: prices.seasonality.by_hour: [1, 2] List should have at least 24"),
    ],
)
def test_a_fault_of_simulated_prices_is_named_with_line_key_and_value(write, old, new, fault):
    assert SIMULATED.count(old) == 1
    found = faults_of(write(SIMULATED.replace(old, new)))
    assert any(each.startswith(fault) for each in found), found


def test_a_correlation_that_no_assets_can_have_is_refused_with_the_nearest_one(write):
    three = SIMULATED.replace("correlation: 0.5", "correlation: {A B: 0.9, A C: 0.9, B C: -0.9}")
    [fault] = faults_of(write(three.replace("    B:", "    C: {start_usd: 1, volatility_per_year: 0.1}\n    B:")))
    assert fault.startswith("t.yaml:7: prices.correlation: correlation is not positive definite")
    assert "The nearest matrix" in fault


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ("window", "t.yaml:8: prices.importance.hours: the window ends at 49 hours, after the end of the run (48 hours)"),
        ("asset", "t.yaml:8: prices.importance.asset: 'X' is no asset of prices.assets; known: A, B"),
    ],
)
def test_a_push_outside_of_the_run_or_of_nobody_is_refused(write, terms, fault):
    push = "{asset: A, change: -0.3, at_hours: 40, hours: 9}" if terms == "window" else "{asset: X, change: -0.3, hours: 9}"
    text = SIMULATED.replace("correlation: 0.5", f"sampling: importance\n  importance: {push}")
    assert faults_of(write(text)) == [fault]


@pytest.mark.parametrize("window", ["hours: 0.005", "at_hours: 47.995, hours: 0.005"])
def test_a_push_of_no_step_is_refused(write, window):
    push = f"sampling: importance\n  importance: {{asset: A, change: -0.3, {window}}}"
    fault = "t.yaml:8: prices.importance.hours: 0.005 hours round to no step of 60 s"
    assert faults_of(write(SIMULATED.replace("correlation: 0.5", push))) == [fault]


@pytest.mark.parametrize("start", ["9999-12-30T00:00:00Z", "0001-01-01T00:00:00+01:00", "1989-12-31T00:00:00Z", "2201-01-01T00:00:00Z"])
@pytest.mark.parametrize(
    "prices",
    [
        SIMULATED,
        "prices:\n  model: constant\n  days: 2\n  assets: {A: {start_usd: 100}}\n",
        "prices:\n  model: replay\n  file: a.csv\n  assets: {A: close}\n",
        "prices:\n  model: bootstrap\n  days: 2\n  file: a.csv\n  assets: {A: close}\n",
    ],
    ids=["simulated", "constant", "replay", "bootstrap"],
)
def test_a_start_at_the_ends_of_the_calendar_is_refused(write, prices, start):
    found = faults_of(write(prices + f"  start: {start}\n"))
    assert any("prices.start: " in fault and fault.endswith("is not in the years 1990 to 2200") for fault in found), found


def test_bars_that_are_no_whole_number_of_steps_are_refused(write):
    garch = "B: {process: garch, start_usd: 20, omega: 0.01, alpha: 0.1, beta: 0.8, bar_minutes: 2.5}"
    text = SIMULATED[: SIMULATED.index("B: {")] + garch + "\n"
    assert faults_of(write(text)) == ["t.yaml:10: prices.assets.B: bar_minutes(=2.5) must be a whole number of steps of 60 s"]


def test_the_same_numbers_give_the_same_bytes(write):
    path = write(SIMULATED)
    assert drawn(path).paths.market_price.tobytes() == drawn(path).paths.market_price.tobytes()
    assert drawn(path).paths.market_price.tobytes() != drawn(path, number=1).paths.market_price.tobytes()


def test_what_a_process_draws_for_itself_does_not_depend_on_its_neighbours(write):
    """The normals are shared, but B's jumps are its own: with another asset before it, they stay where they are."""
    path = write(SIMULATED)
    changes = ["prices.correlation=0", "prices.assets.B.volatility_per_year=0"]
    alone = drawn(path, *changes).simulated.own_returns[:, 1]
    text = SIMULATED.replace("    B:", "    AA: {start_usd: 1, volatility_per_year: 0.1}\n    B:")
    beside = drawn(write(text), *changes).simulated.own_returns[:, 2]
    assert np.abs(alone).max() > 0.005
    assert alone.tobytes() == beside.tobytes()


def test_correlation_by_pair_is_that_of_the_matrix_and_of_one_number(write):
    path = write(SIMULATED)
    texts = [path.read_text().replace("correlation: 0.5", f"correlation: {form}") for form in ("0.5", "{B A: 0.5}", "[[1, 0.5], [0.5, 1]]")]
    prices = []
    for text in texts:
        path.write_text(text)
        prices.append(drawn(path).paths.market_price.tobytes())
    assert len(set(prices)) == 1


def test_mirrored_paths_come_in_pairs_even_under_a_t_copula(write):
    path = write(SIMULATED.replace("correlation: 0.5", "sampling: antithetic\n  copula: t\n  copula_degrees: 4"))
    first, second, third = (drawn(path, number=number).simulated.normals for number in range(3))
    assert (second == -first).all()
    assert (third != first).all()


def test_sobol_paths_of_one_seed_spread_evenly(write):
    path = write(SIMULATED.replace("correlation: 0.5", "sampling: sobol\n  correlation: 0"))
    ends = [drawn(path, number=number).simulated.normals[:, 0].sum() / math.sqrt(2 * 1440) for number in range(64)]
    below = np.sort(ends)[31:33]
    assert below[0] <= 0 <= below[1]  # half of a balanced set of 64 lies on each side of the median, to a hair


PUSHED = SIMULATED.replace("correlation: 0.5", "sampling: importance\n  importance: {asset: A, change: -0.1, at_hours: 2, hours: 40}")


def test_weights_of_pushed_paths_give_back_what_was_configured(write):
    path = write(PUSHED)
    found = [price_paths(load(path), 3, number) for number in range(300)]
    logs = np.array([one.log_weight for one in found])
    fell = np.array([one.market_price[-1, 0] < 95.0 for one in found])
    # Of a log return with volatility 0.5 over two days: normal, mean -0.5^2 / 2 years.
    years = 2 / 365
    sigma = 0.5 * math.sqrt(years)
    chance = 0.5 * math.erfc(-(math.log(0.95) + sigma**2 / 2) / sigma / math.sqrt(2))
    weighted = float((np.exp(logs) * fell).mean())
    error = float((np.exp(logs) * fell).std()) / math.sqrt(len(fell))
    assert abs(weighted - chance) < 4 * error
    assert fell.mean() > 1.5 * chance  # the push does push
    assert 30 < effective_sample_size(logs) < 300
    assert np.exp(logs).max() <= 10 + 1e-9  # 1 / plain_share


def test_paths_that_nobody_pushed_weigh_the_same(write):
    assert price_paths(load(write(SIMULATED)), 3, 0).log_weight == 0.0


def test_seasonality_and_sessions_move_when_they_should(write):
    profile = "[" + ", ".join(["0"] * 12 + ["1"] * 12) + "]"
    path = write(SIMULATED.replace("correlation: 0.5", f"seasonality: {{by_hour: {profile}}}"))
    steps = np.diff(np.log(drawn(path, "prices.assets.B.jumps_per_year=0").paths.market_price), axis=0).reshape(2, 24, 60, 2)
    assert (steps[:, :12] == 0).all()
    assert (steps[:, 12:] != 0).all()


def test_common_jumps_strike_everybody_at_once_and_opening_gaps_at_the_open(write):
    quiet = ["prices.assets.B.jumps_per_year=0", "prices.assets.A.volatility_per_year=0", "prices.assets.B.volatility_per_year=0"]
    jumps = "common_jumps: {jumps_per_year: 2000, mean: -0.05, share: {A: 1, B: 0.5}}"
    paths = drawn(write(SIMULATED.replace("correlation: 0.5", jumps)), *quiet).paths
    steps = np.diff(np.log(paths.market_price), axis=0)
    large = np.abs(steps) > 0.01
    assert large[:, 0].sum() > 2
    assert (large[:, 0] == large[:, 1]).all()
    gaps = "calendar: XNYS\n  opening_gap_deviation: 0.02"
    paths = drawn(write(SIMULATED.replace("correlation: 0.5", gaps)), *quiet).paths
    moved = np.flatnonzero(np.diff(paths.market_price[:, 0])) + 1
    opens = np.flatnonzero(paths.market_open[1:, 0] & ~paths.market_open[:-1, 0]) + 1
    assert moved.tolist() == opens.tolist() == [14 * 60 + 30, 38 * 60 + 30]


def test_a_process_is_built_with_the_steps_of_the_run(write):
    [merton] = [each for each in drawn(write(SIMULATED)).simulated.processes.values() if isinstance(each, Merton)]
    assert merton == Merton(20.0, 0.0, 0.4, 500.0, -0.01, 0.02)


# --- resampled ---

HISTORY = "timestamp,A\n" + "".join(f"2024-01-01T{i // 60:02}:{i % 60:02}:00Z,{100 + i % 7}\n" for i in range(600))
BOOTSTRAP = """\
prices:
  model: bootstrap
  file: h.csv
  assets: {A: A}
  days: 0.5
"""


@pytest.fixture
def resampled(write, tmp_path):
    (tmp_path / "h.csv").write_text(HISTORY)
    return write(BOOTSTRAP)


def test_resampled_prices_go_on_from_the_end_of_the_history_with_its_returns(resampled):
    paths = drawn(resampled).paths
    assert paths.steps == 720
    assert paths.market_price[0, 0] == 100 + 599 % 7
    assert paths.start.isoformat() == "2024-01-01T10:00:00+00:00"
    of_history = np.diff(np.log(100 + np.arange(600) % 7))
    found = np.diff(np.log(paths.market_price[:, 0]))
    assert np.abs(found[:, None] - of_history[None, :7]).min(axis=1).max() < 1e-12


def test_resampled_prices_may_start_elsewhere_and_differ_by_path(resampled):
    assert drawn(resampled, "prices.start_usd.A=7").paths.market_price[0, 0] == 7
    assert (drawn(resampled).paths.market_price != drawn(resampled, number=1).paths.market_price).any()


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        (
            "  bar_seconds: 90\n  max_gap_minutes: 5\n",
            "t.yaml:9: prices.bar_seconds: bar_seconds(=90) and step_seconds(=60) must be multiples",
        ),
        ("  start_usd: {B: 1}\n", "t.yaml:9: prices.start_usd.B: 'B' is no asset of prices.assets; known: A"),
        ("  block_bars: 0\n", "t.yaml:9: prices.block_bars: 0 is not in [1, 1000000]"),
        ("  kind: cirular\n", "t.yaml:9: prices.kind: 'cirular' must be 'stationary', 'circular' or 'moving'"),
    ],
)
def test_a_fault_of_resampled_prices_is_named(write, after, fault):
    found = faults_of(write(BOOTSTRAP + after))
    assert any(each.startswith(fault) for each in found), found


def test_a_block_longer_than_the_history_is_refused(resampled):
    with pytest.raises(ScenarioError, match=r"block_bars\(=1000\) must be in \[1, 599\]"):
        drawn(resampled, "prices.block_bars=1000")


def test_a_changed_history_is_read_again(resampled, tmp_path):
    before = drawn(resampled).paths.market_price[0, 0]
    (tmp_path / "h.csv").write_text(HISTORY + "2024-01-01T10:00:00Z,250\n")
    assert (before, drawn(resampled).paths.market_price[0, 0]) == (104.0, 250.0)


def test_scenarios_can_be_compared_and_changed_after_their_correlations_were_asked_for(write):
    one, other = (load(write(SIMULATED)).scenario for _ in range(2))
    matrix = one.prices.matrix()
    assert one == other
    assert not matrix.flags.writeable
    changed = one.prices.model_copy(update={"correlation": 0.1})
    assert changed.matrix()[0, 1] == 0.1 != matrix[0, 1]
