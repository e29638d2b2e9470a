"""The command line as a user meets it, in a process of its own."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from markets import ROOT, STORM


def seawall(*arguments, cwd=ROOT):
    command = [sys.executable, "-W", "error", str(ROOT / "run.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def stormy(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    ran = seawall("run", STORM, "--out", out)
    assert ran.returncode == 0, ran.stderr
    return ran, next((out / "storm").iterdir())


def test_a_run_prints_one_screen_and_writes_its_files(stormy):
    ran, folder = stormy
    assert len(ran.stdout.splitlines()) <= 24
    assert str(folder / "report.html") in ran.stdout
    written = {path.name for path in folder.iterdir()}
    assert {"summary.json", "measures.parquet", "series.parquet", "events.parquet", "manifest.json", "report.html", "figures"} <= written
    assert not [name for name in written if name.endswith(".part")]
    assert len(list((folder / "figures").glob("*.svg"))) == 6


def test_the_files_tell_one_story(stormy):
    _, folder = stormy
    summary = json.loads((folder / "summary.json").read_text())
    measures = pd.read_parquet(folder / "measures.parquet")
    events, series = pd.read_parquet(folder / "events.parquet"), pd.read_parquet(folder / "series.parquet")
    last = series[series["time_s"] == series["time_s"].max()]
    liquidations = summary["liquidations"]["liquidations"]
    assert liquidations == {"value": len(events), "unit": "count", "paths": 1}
    assert measures.loc[0, "liquidations"] == len(events)
    assert last["liquidations"].sum() == len(events)
    assert events["burned_usd"].sum() == pytest.approx(summary["liquidations"]["liquidated_debt_usd"]["value"], rel=1e-12)
    assert last["shortfall_usd"].sum() == pytest.approx(summary["solvency"]["shortfall_end_usd"]["value"], rel=1e-12)
    assert last["debt_usd"].sum() == pytest.approx(summary["solvency"]["debt_end_usd"]["value"], rel=1e-12)
    assert last["lp_fees_usd"].sum() == pytest.approx(summary["fee_yield"]["lp_fees_usd"]["value"], rel=1e-12)


def test_the_manifest_says_how_to_get_the_same_again(stormy, tmp_path):
    _, folder = stormy
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["seed"] == 11
    assert manifest["scenario_text"] == STORM.read_text()
    again = seawall(*manifest["command"].split()[2:], "--out", tmp_path)
    assert again.returncode == 0, again.stderr
    copy = next((tmp_path / "storm").iterdir())
    assert copy.name == folder.name
    assert (copy / "summary.json").read_bytes() == (folder / "summary.json").read_bytes()
    assert (copy / "series.parquet").read_bytes() == (folder / "series.parquet").read_bytes()
    assert json.loads((copy / "manifest.json").read_text())["world_digest"] == manifest["world_digest"]


def test_a_report_is_rendered_again_from_the_files(stormy):
    _, folder = stormy
    page = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    assert seawall("report", folder).returncode == 0
    assert (folder / "report.html").read_bytes() == page


def test_mistakes_end_with_code_2_and_no_traceback(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "sensitivity.json").write_text("{}")
    for arguments, said in [
        (("run", "no.yaml"), "no.yaml: cannot be read (No such file or directory); shipped scenarios: "),
        (("run", STORM, "--set", "minters.count=x"), "--set: minters.count: 'x' must be a valid integer"),
        (("run", STORM, "--set", "minters.count=1"), "of tA, but CDPs mint "),
        (("run", STORM, "--seed", "-1"), "greater than or equal to 0"),
        (("report", tmp_path), f"{tmp_path}: holds no complete run: manifest.json"),
        (("report", study), f"{study / 'manifest.json'}: is missing"),
        (("run", "scenarios/replay.yaml", "--set", "prices.file=no.csv"), "no.csv"),
        (("run", "scenarios/replay.yaml", "--set", "prices.assets.TSLA=TLSA"), "TLSA"),
        (("run", "scenarios/replay.yaml", "--set", "prices.max_gap_minutes=0"), "prices: columns(="),
        (("run", "scenarios/autumn_2008.yaml", "--set", "prices.calendar=XNYC"), "XNYC"),
        (("run", "scenarios/autumn_2008.yaml", "--set", "prices.last=2030-01-01"), "autumn_2008.yaml: prices: first(=2008-09-02) to last"),
        (("run", "scenarios/short_squeeze.yaml", "--set", "prices.correlation=-0.9"), "correlation is not positive definite"),
    ]:
        ran = seawall(*arguments)
        assert ran.returncode == 2, (arguments, ran.stderr)
        assert said in ran.stderr + ran.stdout
        assert "Traceback" not in ran.stderr


def test_results_that_cannot_be_written_are_said_so(tmp_path):
    (tmp_path / "out").write_text("a file, not a folder")
    ran = seawall("run", STORM, "--out", tmp_path / "out")
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_validate_reports_every_file(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(STORM.read_text().replace("seed: 11", "seed: eleven").replace("sigma: 1.2", "sigma: 12"))
    ran = seawall("validate", STORM, bad)
    assert ran.returncode == 2
    assert f"{STORM}: fine" in ran.stdout
    assert ran.stderr.splitlines() == [
        f"{bad}:3: seed: 'eleven' must be a valid integer",
        f"{bad}:39: traders.order_usd.sigma: 12 is not in [0, 5]",
    ]


def test_list_names_every_shipped_scenario_with_its_line():
    ran = seawall("list")
    assert ran.returncode == 0
    for name in ("autumn_2008.yaml", "replay.yaml", "short_squeeze.yaml"):
        assert name in ran.stdout


def test_schema_is_json():
    ran = seawall("schema")
    assert json.loads(ran.stdout)["title"] == "Scenario"


def test_help_shows_the_commands():
    ran = seawall("--help")
    assert ran.returncode == 0
    for command in ("run", "validate", "list", "schema", "report"):
        assert command in ran.stdout
