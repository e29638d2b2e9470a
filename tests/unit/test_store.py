"""The folder of a run: whole or not there."""

import errno
import json
import os
from dataclasses import replace

import pandas as pd
import pytest
import typer
from markets import run_module, storm

from seawall.studies import store
from seawall.studies.seal import NoRunError
from seawall.studies.simulate import run
from seawall.studies.store import WriteError, load_run, save, write


@pytest.fixture(scope="module")
def result():
    return run(storm())


def test_a_run_is_read_as_it_was_written(result, tmp_path):
    save(result, tmp_path / "a" / "b")
    again = load_run(tmp_path / "a" / "b")
    assert again.summary == result.summary
    assert again.manifest == json.loads(json.dumps(result.manifest))
    pd.testing.assert_frame_equal(again.series, result.series)
    pd.testing.assert_frame_equal(again.liquidations, result.liquidations)


def test_a_figure_is_found_by_name_in_any_group(result):
    assert result["liquidations"] == len(result.liquidations)
    with pytest.raises(KeyError):
        result["no such figure"]


def test_a_folder_without_a_manifest_is_no_run(result, tmp_path):
    save(result, tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(NoRunError, match=r"holds no complete run: manifest\.json missing"):
        load_run(tmp_path)


def unseal(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "\xff"])
def test_spoilt_json_is_named(result, tmp_path, text):
    save(result, tmp_path)
    unseal(tmp_path)
    (tmp_path / "summary.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(NoRunError, match=r"summary\.json: is not the JSON"):
        load_run(tmp_path)


def test_a_spoilt_frame_is_named(result, tmp_path):
    save(result, tmp_path)
    unseal(tmp_path)
    whole = (tmp_path / "series.parquet").read_bytes()
    (tmp_path / "series.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NoRunError, match=r"series\.parquet: cannot be read: "):
        load_run(tmp_path)


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_run_that_is_saved_over_while_it_is_read_is_not_mixed(result, tmp_path, monkeypatch, is_whole):
    save(result, tmp_path)
    other = replace(result, series=result.series.iloc[:1], manifest=result.manifest | {"seed": 99})

    read = store.read_frame

    def saved_over(file, columns):
        if file.name == store.FRAMES["series"]:  # the first
            save(other, tmp_path)
            if not is_whole:
                (tmp_path / "manifest.json").unlink()
        return read(file, columns)

    monkeypatch.setattr(store, "read_frame", saved_over)
    with pytest.raises(NoRunError, match="was written anew while it was read"):
        load_run(tmp_path)


def test_an_error_without_a_reason_is_shown_by_its_text(capsys):
    with pytest.raises(typer.Exit), run_module().plain_errors():
        raise OSError("Corrupt snappy compressed data.")
    assert capsys.readouterr().err == "Corrupt snappy compressed data.\n"


def test_a_write_that_fails_leaves_the_old_file_and_no_part(tmp_path):
    target = tmp_path / "x.json"
    target.write_text("old")

    def fail(path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(WriteError, match=r"x\.json: cannot be written: No space left on device"):
        write(target, fail)
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert target.read_text() == "old"


def test_path_moments_stand_beside_what_was_configured(result):
    moments = {row["asset"]: row for row in result.manifest["path_moments"]}
    assert moments["A"]["configured"]["volatility_per_year"] == 9.0
    assert moments["A"]["realised"]["volatility_per_year"] == pytest.approx(9.0, rel=0.25)
