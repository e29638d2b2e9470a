"""Sensitivity studies on made-up outcomes: what drives what is known."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from made_up import MadeUp, quick_disk, small
from markets import SHIPPED
from rich.console import Console

from seawall.protocols.errors import ScenarioError
from seawall.reports import sensitivity as report
from seawall.reports import sensitivity_words
from seawall.studies import sensitivity_files
from seawall.studies.expressions import ExpressionError
from seawall.studies.levels import Line, PathsFailed
from seawall.studies.seal import NoRunError, read_manifest
from seawall.studies.sensitivity import sensitivity
from seawall.studies.sensitivity_schema import SensitivitySpec
from seawall.studies.study_file import base_of, read_study

CHANGE = {"name": "shock", "key": "shocks[0].change", "low": 0.0, "high": 1.0}
HOURS = {"name": "outage_hours", "key": "outages[0].hours", "low": 0.01, "high": 0.11}
COUNT = {"name": "liquidators", "key": "liquidators.count", "low": 1, "high": 5}
OUTCOMES = [{"name": "bad_debt", "of": "mean(bad_debt)"}, {"name": "insolvency", "of": "p(bad_debt > 120)"}]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    quick_disk(monkeypatch)


def study(**more):
    asked = {"name": "Drivers", "about": "Of losses.", "scenario": "small.yaml", "method": "morris", "points": 12, "paths": 4}
    return SensitivitySpec.model_validate({**asked, "resamples": 100, "parameters": [CHANGE, HOURS, COUNT], "outcomes": OUTCOMES, **more})


def asked(folder, players, spec):
    file = small(folder).file
    return sensitivity(spec, base_of(spec, file), file, folder / "trials", players)


def loss(loaded, path):
    scenario = loaded.scenario
    return {"bad_debt_usd": 100.0 * scenario.shocks[0].change + 500.0 * scenario.outages[0].hours + 1_000.0 * path}


def test_slopes_over_the_whole_range_in_order(tmp_path):
    found = asked(tmp_path, MadeUp(loss), study())
    driven = found.driven[0]
    np.testing.assert_allclose(driven.indices["effect"].value, [100.0, 50.0, 0.0], rtol=1e-3)
    assert driven.order("morris") == [0, 1, 2]
    assert driven.noise == pytest.approx(0.0, abs=1e-9)
    first, *_, last = sensitivity_words.answer(found)
    driving = "shock (100.00 USD, 100.00 to 100.00), outage hours (50.00 USD, 50.00 to 50.00)"
    assert first == f"Bad debt is driven by {driving}; liquidators cannot be told from 0."
    assert last.startswith("In brackets how far the outcome moves over the parameter's whole range")


def test_every_point_has_the_levels_that_the_design_asks_for(tmp_path):
    players = MadeUp(loss)
    found = asked(tmp_path, players, study())
    played = {
        (job.loaded.scenario.shocks[0].change, job.loaded.scenario.outages[0].hours, job.loaded.scenario.liquidators.count)
        for job in players.jobs
    }
    assert played == set(map(tuple, found.levels.tolist()))
    assert {job.paths for job in players.jobs} == {(0, 1, 2, 3)}
    assert found.levels.shape == (12 * 4, 3)


@pytest.fixture(scope="module")
def by_method(tmp_path_factory):
    """An answer by each method; of two parameters, that few points may do."""
    with pytest.MonkeyPatch.context() as patch:
        quick_disk(patch)
        terms = {"name": "<i>Drivers</i>", "parameters": [CHANGE, HOURS]}
        specs = {"sobol": study(method="sobol", points=64, **terms), "morris": study(points=8, **terms)}
        return {method: asked(tmp_path_factory.mktemp(method), MadeUp(loss), spec) for method, spec in specs.items()}


def test_sobol_shares_of_a_sum(by_method):
    found = by_method["sobol"]
    np.testing.assert_allclose(found.driven[0].indices["total"].value, [0.8, 0.2], atol=0.03)
    np.testing.assert_allclose(found.driven[0].indices["first"].value, [0.8, 0.2], atol=0.15)


def test_factors_on_a_scale_of_ratios(tmp_path):
    depth = {"name": "depth", "key": "tassets.*.pool.liquidity_usd", "scales": True, "low": 0.1, "high": 10, "spacing": "log"}

    def shallow(loaded, path):
        return {"bad_debt_usd": float(np.log10(loaded.scenario.tassets["tA"].pool.liquidity_usd / 2_000.0))}

    found = asked(tmp_path, MadeUp(shallow), study(parameters=[depth, COUNT], outcomes=OUTCOMES[:1]))
    np.testing.assert_allclose(found.driven[0].indices["effect"].value, [2.0, 0.0], atol=1e-3)


def test_outcomes_that_cannot_be_told_say_why(tmp_path):
    found = asked(tmp_path, MadeUp(partly), study(outcomes=MORE))
    said = sensitivity_words.answer(found)
    assert said[0] == "What drives steady cannot be told: it is the same at all points."
    assert "some path has no value of it" in said[2]
    assert [one.noise is None for one in found.driven] == [True, False, True]
    assert "steady varies" not in " ".join(said)
    assert found.driven[1].indices


def test_too_few_paths_are_told(tmp_path):
    def noisy(loaded, path):
        change = loaded.scenario.shocks[0].change
        return {"bad_debt_usd": change + float(np.random.default_rng([round(1e6 * change), path]).normal())}

    assert "comes from having but 4 paths: take more." in " ".join(sensitivity_words.answer(asked(tmp_path, MadeUp(noisy), study())))


def test_the_same_question_has_the_same_answer_whatever_was_there(tmp_path):
    first = asked(tmp_path, MadeUp(loss), study())
    again = asked(tmp_path, players := MadeUp(loss), study())
    assert not players.jobs
    frames = [sensitivity_files.indices_frame(found) for found in (first, again)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_a_failed_path_is_refused(tmp_path):
    with pytest.raises(PathsFailed, match="point 0: 1 of 4 paths failed"):
        asked(tmp_path, MadeUp(loss, fails=lambda path: path == 2), study())


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"parameters": [CHANGE, {**HOURS, "key": "shocks[*].change"}]}, ScenarioError, r"two of them set shocks\[0\].change"),
        ({"parameters": [CHANGE, {**HOURS, "key": "disturbances[0].hours"}]}, ScenarioError, "there is nothing like this"),
        ({"outcomes": [{"name": "x", "of": "mean(bad_dept)"}]}, ExpressionError, "did you mean bad_debt_usd"),
    ],
)
def test_a_wrong_study_is_refused_in_words(tmp_path, more, error, said):
    with pytest.raises(error, match=said):
        asked(tmp_path, MadeUp(loss), study(**more))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"method": "sobol", "points": 32}, "power of two and at least 64"),
        ({"method": "sobol", "points": 100}, "power of two"),
        ({"parameters": [CHANGE, {"name": "y", "key": "k", "values": [1, 2]}]}, "y must have low and high"),
        ({"parameters": [CHANGE, CHANGE]}, "a name stands twice"),
        ({"parameters": [CHANGE]}, "at least 2"),
        ({"outcomes": [{"name": "x", "of": "cvar99(bad_debt)"}]}, "few paths per point tell nothing of a tail"),
        ({"points": 16_384, "parameters": [{**CHANGE, "name": f"p{i}"} for i in range(9)]}, "163,840 points are more than 100,000"),
    ],
)
def test_the_schema_says_what_would_be_right(more, said):
    with pytest.raises(ValueError, match=said):
        study(**more)


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_files_page_and_terminal_say_the_same(tmp_path, by_method, method):
    found = by_method[method]
    folder = tmp_path / "out"
    folder.mkdir()
    sensitivity_files.save(found, folder)
    page = report.write_sensitivity(found, folder).read_text()
    console = Console(width=100, file=io.StringIO(), record=True)
    report.print_sensitivity(found, console, folder / "report.html")
    said = console.export_text()
    assert read_manifest(folder)["study"] == "sensitivity"
    assert json.loads((folder / "sensitivity.json").read_text())["answers"][1]["name"] == "insolvency"
    rows = pd.read_parquet(folder / "indices.parquet")
    leading = rows[(rows["outcome"] == "bad_debt") & (rows["index"] == ("total" if method == "sobol" else "absolute"))]
    for row in leading.itertuples():
        shown = f"{row.value:.2f}" if method == "sobol" else f"{row.value:.4g}"
        assert shown in page
        assert shown in said
    assert ("In brackets the share of the outcome&#39;s variance" in page) == (method == "sobol")
    assert pd.read_parquet(folder / "points.parquet").shape == (found.spec.rows, 4)
    assert "<i>" not in page
    assert len(said.splitlines()) <= 24


def shown(found, folder):
    """The page, each figure, and what the terminal says."""
    console = Console(width=100, file=io.StringIO(), record=True)
    report.print_sensitivity(found, console, page := report.write_sensitivity(found, folder))
    return page.read_bytes(), [file.read_bytes() for file in sorted((folder / "figures").iterdir())], console.export_text()


def partly(loaded, path):
    """Figures of which one is the same at all points, and one is not on every path."""
    change = loaded.scenario.shocks[0].change
    return {"bad_debt_usd": change + path, "steady_usd": 0.1 * path + 0.1, "rare_s": 1.0 if change > 0.5 else np.nan}


MORE = [{"name": "steady", "of": "mean(steady)"}, {"name": "bad_debt", "of": "mean(bad_debt)"}, {"name": "rare", "of": "mean(rare)"}]


@pytest.mark.parametrize("kind", ["sobol", "morris", "of some outcomes", "of none"])
def test_the_same_page_is_made_of_the_files(tmp_path, by_method, kind):
    found = (
        by_method[kind] if kind in by_method else asked(tmp_path, MadeUp(partly), study(outcomes=MORE[:1] if kind == "of none" else MORE))
    )
    folder = saved(found, tmp_path)
    before = shown(found, folder)
    (folder / "report.html").unlink()
    again = sensitivity_files.load(folder)
    assert shown(again, folder) == before
    assert (again.spec, again.scenario, again.seed, again.about) == (found.spec, found.scenario, found.seed, found.about)
    np.testing.assert_array_equal(again.levels, found.levels)
    for one, other in zip(again.driven, found.driven, strict=True):
        np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("points", lambda rows: rows.iloc[1:], r"points\.parquet: has 23 rows; points, .* in sensitivity\.json ask for 24"),
        ("points", lambda rows: rows.drop(columns="shock"), r"points\.parquet: has no column 'shock'"),
        ("indices", lambda rows: rows.iloc[1:], r"indices\.parquet: columns 'outcome', 'parameter' and 'index' are not those"),
        ("indices", lambda rows: rows[::-1], r"indices\.parquet: columns 'outcome', 'parameter' and 'index' are not those"),
        ("indices", lambda rows: rows.assign(high=np.inf), r"indices\.parquet: columns 'value', 'low' and 'high' must have finite"),
        ("indices", lambda rows: rows.assign(low=9e9), r"indices\.parquet: columns .* value between low and high"),
        ("points", lambda rows: rows.assign(**{"outcome.bad_debt": 1e308}), r"points\.parquet: column 'outcome.bad_debt' must have finite"),
        ("indices", lambda rows: rows.assign(low="x"), r"indices\.parquet: column 'low' must have numbers"),
    ],
)
def test_tables_of_another_study_are_refused(tmp_path, by_method, file, change, said):
    folder = saved(by_method["morris"], tmp_path, is_sealed=False)
    table = folder / f"{file}.parquet"
    change(pd.read_parquet(table)).to_parquet(table, index=False)
    with pytest.raises(NoRunError, match=said):
        sensitivity_files.load(folder)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("manifest", {"players": 3}, r"manifest\.json: is not what this version writes: players: "),
        ("sensitivity", {"method": "sobol"}, r"sensitivity\.json: is not what this version writes: .*points \(8\) must be a power of two"),
        ("sensitivity", {"outcomes": OUTCOMES[::-1]}, r"sensitivity\.json: outcomes and answers do not name the same outcomes"),
        ("sensitivity", {"points": 4}, r"points\.parquet: has 24 rows; points, .* in sensitivity\.json ask for 12"),
    ],
)
def test_keys_that_are_wrong_are_named(tmp_path, by_method, file, change, said):
    folder = saved(by_method["morris"], tmp_path, is_sealed=False)
    told = json.loads((folder / f"{file}.json").read_text())
    (folder / f"{file}.json").write_text(json.dumps(told | change))
    with pytest.raises(NoRunError, match=said):
        sensitivity_files.load(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"noise": -0.5}, "noise: "),
        ({"noise": 0.5, "why": "x"}, "`noise` is null where `why`"),
        ({"noise": None, "why": "x" * 100_000}, "why of bad_debt is not ''"),
    ],
)
def test_an_answer_that_its_points_deny_is_refused(tmp_path, by_method, change, said):
    folder = saved(by_method["morris"], tmp_path, is_sealed=False)
    told = json.loads((folder / "sensitivity.json").read_text())
    told["answers"][0] |= change
    (folder / "sensitivity.json").write_text(json.dumps(told))
    if "why" in change:
        rows = pd.read_parquet(folder / "indices.parquet")
        rows[rows["outcome"] != "bad_debt"].to_parquet(folder / "indices.parquet", index=False)
    with pytest.raises(NoRunError, match=rf"sensitivity\.json: .*{said}"):
        sensitivity_files.load(folder)


def saved(found, tmp_path, *, is_sealed=True):
    """The folder of an answer; not sealed as a forger would leave it."""
    folder = tmp_path / "out"
    folder.mkdir()
    sensitivity_files.save(found, folder)
    if not is_sealed:
        told = json.loads((folder / "manifest.json").read_text())
        del told["sha256"]
        (folder / "manifest.json").write_text(json.dumps(told))
    return folder


def test_the_study_that_ships_asks_what_its_scenario_has():
    file = SHIPPED / "studies" / "drivers.yaml"
    spec, _ = read_study(file, SensitivitySpec)
    base = base_of(spec, file)
    lines = [Line.of(one, base, file, 0.01) for one in spec.parameters]
    for end in (0.0, 1.0):
        base.with_settings(text for line in lines for text in line.text(line.at(end), base, file))
