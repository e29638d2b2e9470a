"""A price file is read once for all paths, and again when it has changed."""

import os

import numpy as np
import pytest

from seawall.scenarios import history, inputs
from seawall.scenarios.load import load

MARKET = """
name: Five closes
about: A file that is replayed.
seed: 1
prices: {model: replay, file: prices.csv, assets: {A: a}, time_column: time, bar_seconds: 60}
tassets:
  tA: {tracks: A, min_collateral_ratio: 1.5, auction_discount: 0.1, pool: {liquidity_usd: 1000}}
minters: {count: 2}
"""


@pytest.fixture
def replayed(tmp_path):
    (tmp_path / "replay.yaml").write_text(MARKET)
    write(tmp_path, 100.0)
    return load(tmp_path / "replay.yaml")


def write(folder, price):
    rows = [f"2024-03-04T10:0{minute}:00Z,{price + minute}" for minute in range(5)]
    (folder / "prices.csv").write_text("\n".join(["time,a", *rows]) + "\n")


def test_the_next_path_reads_no_file(replayed, monkeypatch):
    first = inputs.price_paths(replayed, 1, 0)
    monkeypatch.setattr(history, "read_replay", None)
    assert np.array_equal(inputs.price_paths(replayed, 1, 1).market_price, first.market_price)


def test_a_file_that_has_changed_is_read_again(replayed):
    before = inputs.price_paths(replayed, 1, 0).market_price[0, 0]
    write(replayed.prices_file.parent, 200.0)
    os.utime(replayed.prices_file, ns=(1, 1))
    assert inputs.price_paths(replayed, 1, 0).market_price[0, 0] == before + 100.0


def test_what_is_kept_cannot_be_written(replayed):
    with pytest.raises(ValueError, match="read-only"):
        inputs.price_paths(replayed, 1, 0).market_price[0, 0] = 1.0
