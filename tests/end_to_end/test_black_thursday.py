"""What docs/hindcast.md says of Black Thursday works: shown on made-up files of the form that it asks for."""

import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest
from markets import ROOT, SHIPPED, command_line
from typer.testing import CliRunner

from seawall.prices.fetch import COLUMNS, write_csv

SECTION = (ROOT / "docs" / "hindcast.md").read_text().partition("## Black Thursday")[2].partition("\n## ")[0]
MINUTES = 4 * 1440
FALL = slice(3 * 1440 + 600, 3 * 1440 + 1200)
FEW = ("noise.count=30", "noise.orders_per_day=24", "momentum.count=0", "reversion.count=0", "carry.count=0")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the two files: klines as `fetch-prices` writes them, and liquidations one by one."""
    rng, times = np.random.default_rng(12), pd.date_range("2020-03-09", periods=MINUTES, freq="min", tz="UTC", name="timestamp")
    moves = rng.standard_normal(MINUTES) * 1e-3
    moves[FALL] -= np.log(2.0) / 600
    close = 200.0 * np.exp(np.cumsum(moves))
    bars = {name: close if name != "volume" else np.ones(MINUTES) for name in COLUMNS}
    write_csv(pd.DataFrame(bars, index=times), tmp_path / "eth.csv")
    struck = np.flatnonzero(np.abs(moves) > 1.5e-3)
    pd.DataFrame(
        {
            "exchange": "binance-futures",
            "symbol": "ETHUSDT",
            "timestamp": times[struck].as_unit("us").astype("int64") + 1_500_000,
            "side": np.where(moves[struck] < 0.0, "sell", "buy"),
            "price": close[struck],
            "amount": moves[struck] ** 2 * 1e8,
        }
    ).to_csv(tmp_path / "liquidations.csv", index=False)
    (tmp_path / "scenarios").symlink_to(SHIPPED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert():
    (block,) = re.findall(r"```py\n(.*?)```", SECTION, re.DOTALL)
    exec(compile(block, "docs/hindcast.md", "exec"), {"__name__": "example"})


def test_liquidations_become_a_row_per_minute_with_longs_and_shorts_apart(folder):
    convert()
    found, events = pd.read_csv(folder / "realised.csv"), pd.read_csv(folder / "liquidations.csv")
    assert list(found.columns) == ["timestamp", "liq_long_eth", "liq_short_eth"]
    assert found["liq_long_eth"].sum() == pytest.approx(events["amount"][events["side"] == "sell"].sum())
    assert found["liq_short_eth"].sum() == pytest.approx(events["amount"][events["side"] == "buy"].sum())
    assert pd.to_datetime(found["timestamp"]).diff().dropna().unique().tolist() == [pd.Timedelta(minutes=1)]
    assert found["timestamp"].iloc[0] == "2020-03-09T00:00:00Z"


def test_the_command_of_the_page_scores_the_night(folder):
    convert()
    (command,) = (line for line in SECTION.replace("\\\n", " ").splitlines() if line.startswith("python run.py hindcast"))
    few = [part for setting in FEW for part in ("--set", f"exchange.traders.{setting}")]
    arguments = [*shlex.split(command)[2:], *few, "--set", "exchange.lps.count=4", "--runs", "1", "--out", "out"]
    done = CliRunner().invoke(command_line(), arguments)
    assert done.exit_code == 0, done.output
    (written,) = (folder / "out").iterdir()
    buckets = pd.read_parquet(written / "hindcast.parquet")
    is_night = buckets["start"].between("2020-03-12T10:00", "2020-03-12T19:00")
    for longs in (buckets["predicted_long_usd"], buckets["realised_long_usd"]):
        assert longs[is_night].mean() > 2.0 * longs[~is_night].mean()
    scores = json.loads((written / "scorecard.json").read_text())
    assert set(scores["sides"]) == {"long", "short"}
    assert scores["about"]["buckets_without_a_record"] == 0
