"""Comparisons: paired where paths are shared, unpaired where not, plain where there is one path."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from ensembles import ensemble
from markets import ROOT, storm
from rich.console import Console
from scipy import stats

from seawall.reports.compare import answer, print_comparison, table, write_comparison
from seawall.studies.compare import NothingToCompare, compare, is_clear
from seawall.studies.differences import LEAST_VAR99_PATHS, RESAMPLES, SAME, Ordered, paired, pulls, unpaired
from seawall.studies.ensemble_files import load_ensemble
from seawall.studies.estimate import Estimate
from seawall.studies.file_columns import of_run
from seawall.studies.risk_table import STATISTICS
from seawall.studies.seal import MANIFEST, NoRunError
from seawall.studies.store import FRAMES, MEASURES, SUMMARY
from seawall.studies.tails import FEW, var

NO_WEIGHTS = np.zeros(300)


def dearer(figures, _path):
    figures["bad_debt_usd"] *= 1.2
    figures["liquidations"] += 5.0


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("compare")
    ensemble(base / "plain")
    ensemble(base / "dearer", change=dearer)
    ensemble(base / "other_seed", seed=12)
    return base


@pytest.fixture(scope="module")
def three(folders):
    return compare([folders / "plain", folders / "dearer", folders / "other_seed"])


def single_run(folder, **figures):
    """The files of a run of one path in which nothing was recorded."""
    folder.mkdir()
    for name, file in FRAMES.items():
        pd.DataFrame(columns=list(of_run(name))).to_parquet(folder / file)
    pd.DataFrame([{"path": 3, "log_weight": 0.0, **figures}]).to_parquet(folder / MEASURES)
    entries = {name: {"value": value, "unit": "USD", "paths": 1} for name, value in figures.items()}
    (folder / SUMMARY).write_text(json.dumps({"solvency": entries}))
    manifest = {"name": "One", "seed": 1, "path": 3, "settings": ["a=<b>"], "digest": "0" * 12, "log_weight": 0.0}
    manifest |= dict.fromkeys(("about", "scenario_file", "scenario_text", "machine", "started", "command", "start"), "")
    manifest |= {key: [] for key in ("notes", "outages", "shocks", "delistings", "path_moments")} | {"versions": {}, "seconds": {}}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def row(found, figure, statistic="mean"):
    return next(row for row in found.rows if (row.figure, row.statistic) == (figure, statistic))


def lognormal(seed, *, sigma=1.0):
    return np.random.default_rng(seed).lognormal(0.0, sigma, 300)


def test_a_shared_seed_pairs_paths(three):
    assert three.pairing[0] == "paired: 199 paths of seed 11 in both"


def test_another_seed_does_not(three):
    assert three.pairing[1].startswith("not paired: seeds 11 and 12")


def test_a_paired_mean_is_the_mean_of_differences(three):
    first, other = (run.values("bad_debt_usd") for run in three.runs[:2])
    assert row(three, "bad_debt_usd").differences[0].value == pytest.approx(np.mean(other - first))


def test_pairing_takes_out_what_both_share(three):
    alike, apart = row(three, "liquidations").differences
    assert alike.value == pytest.approx(5.0)
    assert apart.half_width > 0.5


def test_a_clear_difference_has_a_star_and_an_unclear_one_none(three):
    cells = {cells[0]: cells for cells in table(three).rows}
    assert cells["bad debt (mean)"][4].endswith(" *")
    assert not cells["LP net yield (mean)"][4].endswith("*")


def test_equal_paths_are_called_so(three):
    found = row(three, "shortfall_peak_usd", "cvar95").differences[0]
    assert (found.value, found.low, found.why) == (0.0, None, SAME)


def test_how_many_paths_become_insolvent_is_compared(three):
    found = row(three, "time_to_insolvency_s", "probability")
    assert found.unit == "fraction"
    assert found.values[0].value == pytest.approx(three.runs[0].paths["time_to_insolvency_s"].notna().mean())


@pytest.mark.parametrize("statistic", ["mean", "var95", "cvar95"])
def test_swapping_both_turns_the_sign(statistic):
    left, right = lognormal(1), lognormal(2)
    there, back = (paired(*pair, NO_WEIGHTS, NO_WEIGHTS, statistic) for pair in ((left, right), (right, left)))
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))


def test_a_shift_is_found_by_every_statistic():
    left = lognormal(3)
    found = [paired(left, left + 2.0, NO_WEIGHTS, NO_WEIGHTS, statistic).value for statistic in STATISTICS]
    assert found == pytest.approx([2.0] * len(found))


def test_a_tail_too_thin_for_an_interval_has_none():
    found = paired(lognormal(4), lognormal(5), NO_WEIGHTS, NO_WEIGHTS, "cvar99")
    assert (found.low, found.why) == (None, FEW)


def test_a_difference_of_var_has_no_interval_where_one_var_has_none():
    left, right = lognormal(4), lognormal(5)
    found = paired(left, right, NO_WEIGHTS, NO_WEIGHTS, "var99")
    assert found.value is not None
    assert (found.low, found.high, found.why) == (None, None, STATISTICS["var99"](left, NO_WEIGHTS).why)


@pytest.mark.parametrize(("paths", "has_interval"), [(1_999, False), (2_000, True)])
def test_a_difference_of_var_99_needs_2000_paths(paths, has_interval):
    left, right = np.random.default_rng(14).lognormal(size=(2, paths))
    found = paired(left, right, np.zeros(paths), np.zeros(paths), "var99")
    assert (found.low is not None, found.high is not None) == (has_interval, has_interval)
    assert ("fewer than 2,000 paths" in found.why) is not has_interval


def test_the_page_on_statistics_says_what_is_resampled():
    page = " ".join((ROOT / "docs" / "statistics.md").read_text().split())
    assert f"percentiles of {RESAMPLES:,} seeded draws" in page
    assert f"VaR 99% below {LEAST_VAR99_PATHS:,} paths" in page


def test_paths_without_a_value_are_left_out_in_pairs():
    left, right = lognormal(6), lognormal(7)
    left[:10], right[5:20] = np.nan, np.nan
    assert paired(left, right, NO_WEIGHTS, NO_WEIGHTS, "mean").paths == 280


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_quantile_of_a_draw_is_that_of_its_paths(level):
    """Of paths that a draw has twice, once or never, with weights or without."""
    values, logs = lognormal(8), np.random.default_rng(9).normal(0.0, 0.5, 300)
    times = np.arange(300) % 3
    for log_weights in (logs, NO_WEIGHTS):
        found = Ordered.of(values, np.exp(log_weights)).quantile(times, level)
        assert found == var(np.repeat(values, times), level, np.repeat(log_weights, times)).value


def test_a_difference_of_var_of_independent_halves_is_as_wide_as_both_tell():
    """Where the two have nothing in common, resampled pairs say what the intervals of both say, but for chance."""
    left, right = np.random.default_rng(15).normal(size=(2, 4_000))
    found = paired(left, right, np.zeros(4_000), np.zeros(4_000), "var95")
    apart = unpaired(var(left, 0.95), var(right, 0.95))
    assert found.half_width == pytest.approx(apart.half_width, rel=0.15)


def test_the_interval_of_a_mean_difference_holds_that_of_student():
    values = -lognormal(10, sigma=1.5)
    found = paired(np.zeros(300), values, NO_WEIGHTS, NO_WEIGHTS, "mean")
    ends = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert found.low <= ends.low * (1.0 - 1e-12)
    assert found.high >= ends.high * (1.0 + 1e-12)


@pytest.mark.parametrize("statistic", ["mean", "cvar95"])
def test_pulls_add_up_to_nothing(statistic):
    assert pulls(lognormal(11), np.random.default_rng(12).normal(0.0, 0.5, 300), statistic).sum() == pytest.approx(0.0, abs=1e-12)


def test_a_mean_of_which_few_paths_tell_has_no_interval():
    right = lognormal(13)
    left = right.copy()
    left[:3] += 1.0
    assert paired(left, right, NO_WEIGHTS, NO_WEIGHTS, "mean").why == FEW


def test_unpaired_differences_put_both_intervals_together():
    found = unpaired(Estimate(10.0, 7.0, 14.0, 50, ""), Estimate(20.0, 17.0, 25.0, 40, ""))
    assert (found.value, found.low, found.high) == (10.0, 10.0 - 5.0, 10.0 + np.hypot(5.0, 3.0))


def test_an_end_that_is_not_known_leaves_no_interval():
    found = unpaired(Estimate(10.0, 7.0, None, 50, "", "too few"), Estimate(20.0, 17.0, 25.0, 40, ""))
    assert (found.value, found.low, found.why) == (10.0, None, "too few")


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("sampling", ["antithetic", "sobol"])
def test_paths_that_are_not_independent_have_no_intervals(tmp_path, sampling, seed):
    ensemble(tmp_path / "plain")
    ensemble(tmp_path / "drawn", seed=seed, change=dearer, loaded=storm(f"prices.sampling={sampling}"))
    found = compare([tmp_path / "plain", tmp_path / "drawn"])
    bad_debt = row(found, "bad_debt_usd")
    assert bad_debt.values[0].low is not None
    assert [one.low for row in found.rows for one in (row.values[1], *row.differences)] == [None] * 2 * len(found.rows)
    assert bad_debt.differences[0].value > 0.0
    assert f"paths drawn as {sampling} are not independent" in bad_debt.differences[0].why
    assert f"paths drawn as {sampling} are not independent" in " ".join(answer(found))


@pytest.mark.parametrize(
    ("low", "high", "clear"), [(1.0, 2.0, True), (-2.0, -1.0, True), (-1.0, 1.0, False), (0.0, 1.0, False), (None, 1.0, False)]
)
def test_clear_is_what_leaves_out_nothing(low, high, clear):
    assert is_clear(Estimate(0.5, low, high, 9, "")) is clear


def test_single_runs_have_plain_differences(tmp_path):
    found = compare([single_run(tmp_path / name, bad_debt_usd=debt) for name, debt in (("a", 1.0), ("b", 4.0))])
    difference = row(found, "bad_debt_usd", "value").differences[0]
    assert (difference.value, difference.low) == (3.0, None)
    assert "no interval" in found.pairing[0]


def test_a_run_may_stand_beside_an_ensemble(folders, tmp_path):
    found = compare([folders / "plain", single_run(tmp_path / "one", bad_debt_usd=5.0)])
    assert row(found, "bad_debt_usd").values[1].value == 5.0
    assert row(found, "bad_debt_usd", "cvar95").values[1] is None


def test_figures_that_only_one_has_are_left_out(folders, tmp_path):
    found = compare([folders / "plain", single_run(tmp_path / "one", bad_debt_usd=5.0)])
    assert {row.figure for row in found.rows} == {"bad_debt_usd"}


def test_nothing_in_common_is_refused(tmp_path):
    one, other = (single_run(tmp_path / name, **{name: 1.0}) for name in ("bad_debt_usd", "shortfall_end_usd"))
    with pytest.raises(NothingToCompare, match="no figure in common"):
        compare([one, other])


def test_one_folder_is_refused(folders):
    with pytest.raises(NothingToCompare, match="two or more"):
        compare([folders / "plain"])


def test_a_folder_with_nothing_in_it_is_named(folders, tmp_path):
    with pytest.raises(NoRunError, match="holds neither a run nor an ensemble"):
        compare([folders / "plain", tmp_path])


@pytest.mark.parametrize("damage", [b"", b"no parquet", None])
def test_a_spoilt_file_of_measures_is_named(folders, tmp_path, damage):
    one = single_run(tmp_path / "one", bad_debt_usd=1.0)
    (one / MEASURES).unlink() if damage is None else (one / MEASURES).write_bytes(damage)
    with pytest.raises(NoRunError, match=r"measures\.parquet: (cannot be read: |is missing)"):
        compare([folders / "plain", one])


@pytest.mark.parametrize("name", ["measures", "moments", "sums", "bands", "refusals"])
def test_a_spoilt_file_of_an_ensemble_is_named(tmp_path, name):
    ensemble(tmp_path / "e")
    (tmp_path / "e" / f"{name}.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(NoRunError, match=rf"{name}\.parquet: is not as the run wrote it: "):
        getattr(load_ensemble(tmp_path / "e"), name)()


def test_the_answer_names_the_clearest_change(three):
    assert answer(three)[0].startswith("B against A: bad debt (mean) is ")


def test_the_page_needs_nothing_else_and_escapes(tmp_path):
    folders = [single_run(tmp_path / name, bad_debt_usd=1.0) for name in "ab"]
    page = write_comparison(compare(folders), tmp_path / "out").read_text(encoding="utf-8")
    assert re.findall(r"<script|<link|https?://|a=<b>", page) == []


def test_the_screen_is_80_columns_wide(folders):
    console = Console(width=80, file=io.StringIO())
    print_comparison(compare([folders / "plain", folders / "dearer"]), console)
    shown = console.file.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
