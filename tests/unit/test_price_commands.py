"""The commands that draw, fit and fetch prices."""

import re

import numpy as np
import pandas as pd
import pytest
from markets import SHIPPED, STORM, command_line
from typer.testing import CliRunner

from seawall.scenarios.load import load

STARTS = pd.date_range("2024-01-01", periods=400, freq="h", tz="UTC")


def call(*arguments):
    return CliRunner().invoke(command_line(), [str(argument) for argument in arguments])


@pytest.fixture
def history(tmp_path):
    logs = np.random.default_rng(1).standard_normal(400) * 0.01
    file = tmp_path / "h.csv"
    pd.DataFrame({"timestamp": STARTS.strftime("%Y-%m-%dT%H:%M:%SZ"), "close": 100 * np.exp(np.cumsum(logs))}).to_csv(file, index=False)
    return file


def test_prices_prints_the_check_and_writes_a_fan_chart(tmp_path):
    result = call("prices", STORM, "--paths", 3, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "as configured" in result.output
    assert (tmp_path / "storm-prices" / "prices.svg").read_text().startswith("<?xml")


def test_calibrate_prints_a_block_that_pastes_into_a_scenario(history, tmp_path):
    result = call("calibrate", history, "--column", "close", "--model", "gbm", "--bar-seconds", 3600, "--asset", "X", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    block = result.output.split("prices.assets:\n")[1].split("\nChart")[0]
    head = "name: T\nabout: T.\nseed: 1\nprices:\n  model: simulated\n  days: 1\n  assets:\n"
    scenario = tmp_path / "s.yaml"
    scenario.write_text(head + block + "\ntassets: {tX: {tracks: X, pool: {liquidity_usd: 1}}}\n")
    volatility = load(scenario).scenario.prices.assets["X"].volatility_per_year
    assert volatility == pytest.approx(0.01 * np.sqrt(365 * 24), rel=0.15)
    assert (tmp_path / "h-fit" / "fit_gbm.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--column", "open", "--model", "gbm"], "column 'open' is missing"),
        (["--column", "close", "--model", "gmb"], "model 'gmb' is not known; known: gbm, merton"),
    ],
)
def test_what_cannot_be_fitted_is_said_without_a_traceback(history, arguments, said):
    result = call("calibrate", history, "--bar-seconds", 3600, *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_fetched_prices_are_never_written_over_a_file(history):
    before = history.read_bytes()
    result = call("fetch-prices", "klines", "ETHUSDT", history, "--start", "2024-01-01", "--end", "2024-01-02")
    assert result.exit_code == 2
    assert "exists; it is not overwritten" in result.output
    assert history.read_bytes() == before


def test_an_unknown_source_is_refused(tmp_path):
    result = call("fetch-prices", "nowhere", "X", tmp_path / "x.csv", "--start", "2024-01-01", "--end", "2024-01-02")
    assert result.exit_code == 2
    assert "source(='nowhere') is unknown" in result.output


@pytest.mark.parametrize(("flags", "code"), [([], 2), (["--allow-outside"], 0)])
def test_a_file_outside_of_the_scenario_s_folder_needs_a_flag(tmp_path, history, flags, code):
    (tmp_path / "inner").mkdir()
    scenario = tmp_path / "inner" / "s.yaml"
    prices = "prices: {model: bootstrap, file: ../h.csv, assets: {A: close}, bar_seconds: 3600, max_gap_minutes: 60, days: 1}"
    scenario.write_text(f"name: T\nabout: T.\nseed: 1\n{prices}\ntassets: {{tA: {{tracks: A, pool: {{liquidity_usd: 1}}}}}}\n")
    for command in (["validate", scenario], ["prices", scenario, "--paths", 2, "--out", tmp_path]):
        result = call(*command, *flags)
        assert result.exit_code == code, result.output
        assert ("outside the scenario's folder" in re.sub(r"\s+", " ", result.output)) == (code == 2)


def test_every_shipped_scenario_makes_prices_as_configured():
    """One path each, at the scenario's own seed; a false alarm would come once in a hundred of them."""
    from seawall.scenarios.inputs import drawn_prices
    from seawall.studies.price_check import check_rows

    for file in ("short_squeeze.yaml", "weekend_gap.yaml", "fee_day.yaml"):
        loaded = load(SHIPPED / file)
        rows, _ = check_rows(loaded, [drawn_prices(loaded, loaded.scenario.seed, 0)])
        assert [row for row in rows if row.verdict == "differs"] == []
