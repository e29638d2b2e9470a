"""Tuning from the command line: the market is played, the answer stands in files, and each of its points can be played alone."""

import json
import shutil

import pandas as pd
import pytest
import yaml
from markets import STORM, command_line
from tuning import STUDY
from typer.testing import CliRunner

from seawall.scenarios.load import load
from seawall.studies.ensemble import run_paths

ASKED = STUDY | {
    "parameters": [
        {"name": "ratio", "key": "tassets.*.min_collateral_ratio", "values": [1.3, 1.6]},
        {"name": "discount", "key": "tassets.*.auction_discount", "values": [0.05, 0.25]},
    ],
    "objectives": [{"name": "efficiency", "maximise": "mean(debt_start_usd / collateral_start_usd)"}],
    "constraints": [{"name": "loss", "require": "p(bad_debt + shortfall_end > 0.5 * debt_start_usd) <= 60%"}],
    "search": {"first_paths": 10, "paths": 20},
    "checks": {"paths": 10, "variations": [{"name": "calm", "scale": {"prices.assets.*.volatility_per_year": 0.5}}]},
}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The folder of a study and that of its answer."""
    home = tmp_path_factory.mktemp("tune")
    shutil.copy(STORM, home / "storm.yaml")
    (home / "study.yaml").write_text(yaml.safe_dump(ASKED), encoding="utf-8")
    done = CliRunner().invoke(command_line(), ["tune", str(home / "study.yaml"), "--out", str(home / "out")])
    assert done.exit_code == 0, done.output
    (folder,) = (home / "out" / "study-tune").iterdir()
    return home, folder, done.output


def test_everything_is_where_a_person_looks(tuned):
    _, folder, shown = tuned
    assert {file.name for file in folder.iterdir()} >= {
        "tuning.json",
        "points.parquet",
        "recommendation.yaml",
        "report.html",
        "manifest.json",
    }
    assert "ratio 1.3" in shown
    assert len(shown.splitlines()) <= 24
    points = pd.read_parquet(folder / "points.parquet").set_index(["ratio", "discount"])
    assert points.loc[(1.3, 0.25), "status"] == "not simulated"


def test_the_recommended_point_played_alone_gives_its_figures(tuned, tmp_path):
    home, folder, _ = tuned
    best = json.loads((folder / "tuning.json").read_text())["recommended"]
    settings = [f"tassets.{name}.{key}={value}" for name in ("tA", "tB") for key, value in zip(
        ("min_collateral_ratio", "auction_discount"), best["values"].values(), strict=True
    )]  # fmt: skip
    alone = run_paths(load(home / "storm.yaml", settings), paths=best["paths"], folder=tmp_path, seed=3)
    sums = pd.read_parquet(alone.folder / "sums.parquet")
    assert (sums.debt_start_usd / sums.collateral_start_usd).mean() == pytest.approx(best["objectives"]["efficiency"]["value"], rel=1e-12)


def test_gone_on_with_it_is_the_same_to_the_byte(tuned):
    home, folder, _ = tuned
    before = {name: (folder / name).read_bytes() for name in ("tuning.json", "points.parquet", "recommendation.yaml")}
    for file in sorted((folder / "trials").glob("*/*/*.parquet"))[::3]:
        file.unlink()
    done = CliRunner().invoke(command_line(), ["tune", str(home / "study.yaml"), "--out", str(home / "out"), "--resume", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert before == {name: (folder / name).read_bytes() for name in before}


def test_a_wrong_study_ends_with_words(tuned):
    home, _, _ = tuned
    (home / "wrong.yaml").write_text(yaml.safe_dump(ASKED | {"objectives": []}), encoding="utf-8")
    done = CliRunner().invoke(command_line(), ["tune", str(home / "wrong.yaml"), "--out", str(home / "out")])
    assert done.exit_code == 2
    assert "objectives" in done.output
