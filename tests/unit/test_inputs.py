"""A price file is read once for all paths, again when it has changed, and not at all where it has too many rows."""

import os

import numpy as np
import pandas as pd
import pytest

from seawall.protocols.errors import PriceFileError
from seawall.scenarios import history, inputs, text_table
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


@pytest.fixture
def resampled(replayed):
    settings = ("prices.model=bootstrap", "prices.days=0.0625", "prices.block_bars=1")
    return load(replayed.file, settings)


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


@pytest.mark.parametrize("kind", ["replayed", "resampled"])
def test_a_file_that_was_replaced_by_one_of_the_same_time_and_size_is_read_again(kind, request, tmp_path):
    loaded = request.getfixturevalue(kind)
    file, (before, *_) = loaded.prices_file, inputs.price_paths(loaded, 1, 0).market_price[:, 0]
    found = file.stat()
    (tmp_path / "other").mkdir()
    write(tmp_path / "other", 900.0)
    other = tmp_path / "other" / file.name
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(file)
    assert (file.stat().st_mtime_ns, file.stat().st_size) == (found.st_mtime_ns, found.st_size)
    assert inputs.price_paths(loaded, 1, 0).market_price[0, 0] == before + 800.0


def test_what_is_kept_cannot_be_written(replayed):
    with pytest.raises(ValueError, match="read-only"):
        inputs.price_paths(replayed, 1, 0).market_price[0, 0] = 1.0


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_of_too_many_rows_is_refused(tmp_path, monkeypatch, kind):
    frame, file = pd.DataFrame({"a": ["1", "2", "3", "4"]}), tmp_path / f"prices.{kind}"
    (frame.to_csv if kind == "csv" else frame.to_parquet)(file, index=False)
    monkeypatch.setattr(text_table, "MAX_ROWS", 4)
    assert text_table.read_cells(file, ["a"])[0].cells["a"].tolist() == ["1", "2", "3", "4"]
    monkeypatch.setattr(text_table, "MAX_ROWS", 3)
    with pytest.raises(PriceFileError, match=rf"prices\.{kind}: has 4 rows; at most 3 can be replayed"):
        text_table.read_cells(file, ["a"])
