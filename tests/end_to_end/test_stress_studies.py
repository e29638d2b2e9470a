"""Reverse stress and sensitivity from the command line to their files, on markets that are played."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from made_up import quick_disk
from markets import STORM, command_line
from typer.testing import CliRunner

from seawall.scenarios.load import load
from seawall.studies.reverse_options import ReverseOptions
from seawall.studies.seal import read_manifest

LONE = STORM.with_name("lone_cdp.yaml")
YEARS = 1.0 / (365.0 * 24.0)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    quick_disk(monkeypatch)


def run(*arguments):
    found = CliRunner().invoke(command_line(), list(map(str, arguments)))
    return found.exit_code, " ".join(found.output.split())


def result(folder):
    return next(folder.glob("*/*/manifest.json")).parent


@pytest.fixture(scope="module")
def shocked(tmp_path_factory):
    """The lone CDP, whose debt jumps in the middle of the hour."""
    folder = tmp_path_factory.mktemp("lone")
    text = LONE.read_text(encoding="utf-8") + "\nshocks: [{asset: A, at_hours: 0.5, change: 0.1}]\n"
    (folder / "lone_cdp.yaml").write_text(text, encoding="utf-8")
    return folder


def closed_form(share):
    """The shock after which the debt exceeds the collateral on this share of all paths: a lognormal price against 1.05 times 1.1."""
    terms = load(LONE).scenario
    price = terms.prices.assets["A"]
    median = math.exp((price.drift_per_year - price.volatility_per_year**2 / 2.0) * YEARS)
    quantile = {0.25: 0.6744897501960817}[share]
    ratio = terms.tassets["tA"].min_collateral_ratio * (1.0 + terms.minters.buffer.median)
    return ratio / (median * math.exp(price.volatility_per_year * math.sqrt(YEARS) * quantile)) - 1.0


def test_the_smallest_shock_is_that_of_the_closed_form(shocked, tmp_path):
    asked = ("--breach", "p(shortfall_end > 0) <= 25%", "--along", "shocks[0].change", "--low", -0.2, "--high", 0.4)
    code, said = run(
        "reverse", shocked / "lone_cdp.yaml", *asked, "--paths", 100, "--most-paths", 100, "--precision", 0.03, "--out", tmp_path
    )
    answer = json.loads((result(tmp_path) / "reverse.json").read_text())["answers"][0]
    assert code == 0
    assert answer["outcome"] == "found"
    assert answer["surely_holds"] < closed_form(0.25) < answer["surely_breaks"]
    assert answer["surely_breaks"] - answer["surely_holds"] < 0.15
    assert f"holds up to {answer['holds']:g} (change)" in said
    is_rendered_again(result(tmp_path), said)


def is_rendered_again(folder, said):
    """Whether `report` makes the page and the figures of a study again from its files, to the byte, and says the same."""
    (figure,) = (folder / "figures").iterdir()
    before = [(folder / "report.html").read_bytes(), figure.read_bytes()]
    (folder / "report.html").unlink()
    figure.write_text("another")
    assert run("report", folder) == (0, said)
    assert [(folder / "report.html").read_bytes(), figure.read_bytes()] == before


def test_a_folder_that_cannot_be_shown_again_is_refused_in_words(shocked, tmp_path):
    asked = ("--breach", "mean(shortfall_end) <= 100", "--along", "shocks[0].change", "--low", 0.0, "--high", 0.1, "--paths", 10)
    run("reverse", shocked / "lone_cdp.yaml", *asked, "--most-paths", 10, "--precision", 0.25, "--out", tmp_path)
    folder = result(tmp_path)
    (tmp_path / "link").symlink_to(folder)
    code, said = run("report", tmp_path / "link")
    assert (code, "is a link, which could lead anywhere" in said) == (2, True)
    (folder / "levels.parquet").write_bytes(b"")
    code, said = run("report", folder)
    assert (code, "levels.parquet: is not as the run wrote it" in said) == (2, True)
    (folder / "manifest.json").unlink()
    code, said = run("report", folder)
    assert (code, "manifest.json: is missing" in said) == (2, True)


def test_what_one_study_has_played_any_level_can_play_again(shocked, tmp_path):
    terms = {"breach": "mean(shortfall_end) <= 100", "along": "shocks[0].change", "low": 0.0, "high": 0.4}
    spec = ReverseOptions(**terms, paths=20, most_paths=20, precision=0.1).spec(shocked / "lone_cdp.yaml")
    study = shocked / "study.yaml"
    study.write_text(json.dumps(spec.model_dump(mode="json", exclude_defaults=True)))
    assert run("reverse", study, "--out", tmp_path / "study")[0] == 0
    level = pd.read_parquet(result(tmp_path / "study") / "levels.parquet").iloc[-1]
    assert run("run", shocked / "lone_cdp.yaml", "--set", "shocks[0].change=0.4", "--paths", 20, "--out", tmp_path / "run")[0] == 0
    played = pd.read_parquet(result(tmp_path / "run") / "measures.parquet")
    assert played["shortfall_end_usd"].mean() == pytest.approx(level["value"], rel=1e-12)


def test_a_limit_that_holds_everywhere_ends_well_and_a_wrong_one_with_2(shocked, tmp_path):
    file, ends = shocked / "lone_cdp.yaml", ("--along", "shocks[0].change", "--low", -0.5, "--high", -0.4)
    code, said = run("reverse", file, "--breach", "mean(shortfall_end) <= 1", *ends, "--paths", 10, "--out", tmp_path)
    assert (code, "nothing tried breaks it" in said) == (0, True)
    code, said = run("reverse", file, "--breach", "mean(shortfal_end) <= 1", *ends, "--paths", 10, "--out", tmp_path / "wrong")
    assert (code, "did you mean shortfall_end_usd" in said) == (2, True)
    assert run("reverse", file, "--along", "shocks[0].change", "--out", tmp_path)[0] == 2


STUDY = """
name: Drivers of the storm
about: Which terms drive the losses of the storm.
scenario: storm.yaml
settings: {prices.days: 0.1, "shocks[1].at_hours": 2, "shocks[0].at_hours": 1, "outages[0].at_hours": 1}
method: morris
points: 4
paths: 2
resamples: 100
parameters:
  - {name: shock, key: "shocks[0].change", low: 0.0, high: 1.0}
  - {name: minimum, key: tassets.*.min_collateral_ratio, low: 1.2, high: 1.8}
outcomes:
  - {name: shortfall, of: mean(shortfall_peak)}
"""


def test_a_shock_drives_the_shortfall(tmp_path):
    (tmp_path / "storm.yaml").write_text(STORM.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    code, said = run("sensitivity", tmp_path / "study.yaml", "--out", tmp_path / "out")
    assert (code, "Drivers of the storm" in said) == (0, True)
    is_rendered_again(result(tmp_path / "out"), said)
    rows = pd.read_parquet(result(tmp_path / "out") / "indices.parquet").set_index(["parameter", "index"])["value"]
    assert rows["shock", "effect"] > 0.0 > rows["minimum", "effect"]
    before, played = pd.read_parquet(result(tmp_path / "out") / "points.parquet"), read_manifest(result(tmp_path / "out"))["paths"]
    code, _ = run("sensitivity", tmp_path / "study.yaml", "--out", tmp_path / "out", "--resume")
    assert (code, read_manifest(result(tmp_path / "out"))["paths_kept_from_before"]) == (0, played)
    np.testing.assert_array_equal(before, pd.read_parquet(result(tmp_path / "out") / "points.parquet"))
