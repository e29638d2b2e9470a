"""Ensembles: the same bytes whoever played them and however often they were interrupted; nothing dropped in silence."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from markets import storm

from seawall.protocols.errors import ConservationError
from seawall.studies import players
from seawall.studies.bands import spread
from seawall.studies.ensemble import EnsembleFailed, EnsembleInterrupted, run_paths
from seawall.studies.ensemble_files import load_ensemble
from seawall.studies.ensemble_folder import OtherEnsemble
from seawall.studies.expressions import ExpressionError
from seawall.studies.folder_lock import LOCK, FolderInUse, locked
from seawall.studies.one_path import MOST_RECORDS, Interrupted, Outcome, play
from seawall.studies.players import Threads, in_order, jobs_of
from seawall.studies.seal import NoRunError
from seawall.studies.simulate import run

LOADED = storm()
FAILING = 7


def made_up(_loaded, seed, path, *, keeps_series, is_stopped):
    """An outcome without a market: drawn by seed and path, late by chance, failing on one path; one figure is not on every path."""
    if is_stopped():
        raise Interrupted
    time.sleep(float(np.random.default_rng().uniform(0.0, 0.003)))
    if path == FAILING:
        return Outcome(path, error=("ConservationError", "money vanished"))
    rng = np.random.default_rng([seed, path])
    figures = {"bad_debt_usd": float(rng.exponential(1000.0)), "time_to_insolvency_s": np.nan if path % 2 else float(path)}
    units = {"bad_debt_usd": ("solvency", "USD"), "time_to_insolvency_s": ("solvency", "seconds")}
    if path % 3 == 0:
        figures["rare"], units["rare"] = 1.0, ("other", "count")
    times, names = np.repeat([0.0, 60.0], 2), np.array(["tA", "tB"] * 2, dtype=object)
    prices = path + np.arange(4.0)
    series = {"series.time_s": times, "series.tasset": names} | {f"series.{column}": prices for column in ensemble_columns()}
    return Outcome(
        path,
        figures=figures,
        units=units,
        missing={"time_to_insolvency_s": "no CDP became insolvent"} if path % 2 else {},
        series=series if keeps_series else {},
        refused={("purchase", "STALE_PRICE"): path} if path else {},
        moments={"A.last_price": float(path)},
    )


def ensemble_columns():
    from seawall.studies.one_path import COLUMNS

    return COLUMNS["series"]


@pytest.fixture(autouse=True)
def no_market(monkeypatch, request):
    if not request.node.name.startswith("test_a_path"):
        monkeypatch.setattr(players, "play", made_up)


def ran(folder, workers=2, **changes):
    asked = {"paths": 53, "chunk_paths": 10, "max_failed_share": 0.05, "kept_series": 30} | changes
    return run_paths(LOADED, folder=folder, players=Threads(workers), **asked)


def bytes_in(folder):
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name not in ("manifest.json", LOCK))
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_workers_do_not_show(tmp_path):
    ran(tmp_path / "one", workers=1)
    ran(tmp_path / "many", workers=5)
    assert bytes_in(tmp_path / "one") == bytes_in(tmp_path / "many")


def test_missing_and_spoilt_chunks_are_made_again_and_named(tmp_path):
    ran(tmp_path)
    whole, chunks = bytes_in(tmp_path), sorted((tmp_path / "chunks").iterdir())
    chunks[0].unlink()
    chunks[1].write_bytes(chunks[1].read_bytes()[:-100])
    flipped = bytearray(chunks[2].read_bytes())
    column = pq.ParquetFile(chunks[2]).metadata.row_group(0).column(0)
    flipped[column.data_page_offset + column.total_compressed_size - 1] ^= 1  # the last byte of its values
    chunks[2].write_bytes(flipped)
    chunks[3].write_bytes(chunks[4].read_bytes())
    (tmp_path / "chunks" / ".paths.123.part").write_bytes(b"half")
    again = ran(tmp_path, resume=True)
    assert bytes_in(tmp_path) == whole
    named = [text.partition(" ")[0] for text in again.manifest["chunks_computed_again"]]
    assert named == [chunk.name for chunk in chunks[1:4]]
    assert again.manifest["paths_kept_from_before"] == 13


@pytest.mark.parametrize("at", [1, 12, 31, 52])
def test_ctrl_c_keeps_whole_chunks_and_says_how_to_go_on(tmp_path, at):
    def stop(done, _of):
        if done == at:
            raise KeyboardInterrupt

    with pytest.raises(EnsembleInterrupted, match=rf"{at // 10 * 10} of 53 paths are kept. The same command with --resume goes on"):
        ran(tmp_path / "a", progress=stop)
    with pytest.raises(NoRunError):
        load_ensemble(tmp_path / "a")
    ran(tmp_path / "a", resume=True)
    ran(tmp_path / "b")
    assert bytes_in(tmp_path / "a") == bytes_in(tmp_path / "b")


def test_a_longer_ensemble_goes_on_where_a_shorter_one_ended(tmp_path):
    ran(tmp_path / "a", paths=20)
    longer = ran(tmp_path / "a", resume=True)
    ran(tmp_path / "b")
    assert longer.manifest["paths_kept_from_before"] == 20
    assert bytes_in(tmp_path / "a") == bytes_in(tmp_path / "b")


def test_another_ensemble_is_not_gone_on_with(tmp_path):
    ran(tmp_path)
    with pytest.raises(OtherEnsemble, match="seed 11 there, 12 here"):
        ran(tmp_path, resume=True, seed=12)


def test_an_unfinished_ensemble_is_not_written_over(tmp_path):
    ran(tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(OtherEnsemble, match="holds 6 chunks of an ensemble that was not finished; go on with --resume"):
        ran(tmp_path)


def test_a_finished_one_is_begun_anew_without_resume(tmp_path):
    ran(tmp_path)
    assert ran(tmp_path, seed=12, paths=21).manifest["paths_kept_from_before"] == 0
    assert len(list((tmp_path / "chunks").iterdir())) == 3


def test_one_run_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(FolderInUse, match=r"process \d+ is writing there"):
        ran(tmp_path)


def test_a_lock_left_by_a_dead_process_holds_nobody_up(tmp_path):
    (tmp_path / LOCK).write_text("999999\n")
    assert ran(tmp_path).paths == 53


def test_a_failed_path_is_counted_named_and_can_be_played_again(tmp_path):
    found = ran(tmp_path)
    assert [(one["path"], one["type"], one["error"]) for one in found.failed] == [(FAILING, "ConservationError", "money vanished")]
    assert found.failed[0]["command"].endswith(f"storm.yaml --seed 11 --path {FAILING}")
    measures = found.measures()
    assert measures.index[measures["failed"]].tolist() == [FAILING]
    assert found.summary["solvency"]["bad_debt_usd"]["paths"] == 52


def test_too_many_failed_paths_fail_the_command_after_writing_everything(tmp_path):
    with pytest.raises(EnsembleFailed, match=r"1 of 53 paths failed, more than 1\.0%; the first is path 7: ConservationError"):
        ran(tmp_path, max_failed_share=0.01)
    assert load_ensemble(tmp_path).paths == 53


def test_figures_over_all_paths(tmp_path):
    found = ran(tmp_path)
    measures = found.measures()
    assert measures["path"].tolist() == list(range(53))
    insolvency = found.summary["solvency"]["time_to_insolvency_s"]
    even = measures.loc[measures["path"] % 2 == 0, "path"]
    assert (insolvency["paths"], insolvency["missing"]) == (27, {"no CDP became insolvent": 25})
    assert (insolvency["value"], insolvency["least"], insolvency["most"]) == (even.mean(), 0.0, 52.0)
    assert found.summary["other"]["rare"]["paths"] == 18
    assert measures["rare"].notna().sum() == 18
    assert found.moments()["A.last_price"].drop(FAILING).tolist() == [path for path in range(53) if path != FAILING]


def test_a_figure_that_no_path_has_says_why(tmp_path):
    entry = ran(tmp_path, first_path=9, paths=1, max_failed_share=0.0).summary["solvency"]["time_to_insolvency_s"]
    assert (entry["value"], entry["why"]) == (None, "no CDP became insolvent")


def test_bands_are_of_the_paths_whose_series_are_kept(tmp_path):
    bands = ran(tmp_path).bands()
    one = bands[(bands["column"] == "market_price") & (bands["name"] == "tB") & (bands["time_s"] == 60.0)].iloc[0]
    kept = np.array([path + 3.0 for path in range(30) if path != FAILING])
    assert (one["table"], one["paths"]) == ("series", 29)
    assert one[["mean", "q05", "q95"]].tolist() == [kept.mean(), *np.quantile(kept, [0.05, 0.95])]


def test_refusals_are_added_up(tmp_path):
    expected = pd.DataFrame({"action": ["purchase"], "status": ["STALE_PRICE"], "count": [sum(range(53)) - FAILING], "paths": [51]})
    pd.testing.assert_frame_equal(ran(tmp_path).refusals(), expected)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_rule_stops_at_the_same_path_whoever_plays(tmp_path, workers):
    found = ran(tmp_path, paths=2000, workers=workers, chunk_paths=20, until="mean(bad_debt) +- 18%")
    assert found.paths == 140
    stopping = found.manifest["stopping"]
    assert stopping["is_met"]
    assert max(stopping["high"] - stopping["value"], stopping["value"] - stopping["low"]) <= 0.18 * stopping["value"]
    assert len(list((tmp_path / "chunks").iterdir())) == 7


def test_the_cap_holds_when_the_rule_is_never_met(tmp_path):
    found = ran(tmp_path, paths=110, until="mean(bad_debt) +- 0.1%")
    assert (found.paths, found.manifest["stopping"]["is_met"]) == (110, False)


def test_a_rule_on_nothing_that_is_measured_is_refused(tmp_path):
    with pytest.raises(ExpressionError, match="did you mean bad_debt_usd"):
        ran(tmp_path, until="mean(bad_dept) +- 5%")


def test_few_jobs_are_in_flight():
    begun, lock = [], threading.Lock()

    def work(job):
        with lock:
            begun.append(job.paths[0])
        return job.paths[0]

    with ThreadPoolExecutor(2) as pool:
        jobs = jobs_of(LOADED, 1, range(50), each=1)
        for number in in_order(lambda job: pool.submit(work, job).result, jobs, ahead=lambda: 4):
            time.sleep(0.001)
            assert len(begun) <= number + 1 + 4
    assert sorted(begun) == list(range(50))


def test_weights_move_means_and_quantiles():
    values, log_weights = np.array([[1.0, 1.0], [2.0, np.nan], [4.0, 4.0]]), np.log([8.0, 1.0, 1.0])
    mean, _, _, median, *_, highest = spread(values, log_weights)
    np.testing.assert_allclose(mean, [1.4, 12.0 / 9.0])
    assert median.tolist() == [1.0, 1.0]
    assert highest.tolist() == [4.0, 4.0]


def test_a_path_is_reduced_to_what_a_single_run_finds():
    outcome = play(LOADED, 11, 3, keeps_series=True, is_stopped=lambda: False)
    whole = run(LOADED, seed=11, path=3)
    for name, value in outcome.figures.items():
        assert whole[name] == (pytest.approx(value) if np.isfinite(value) else None)
    assert sum(outcome.refused.values()) == whole.refusals["count"].sum()
    kept = outcome.series["series.time_s"]
    assert len(kept) <= MOST_RECORDS * len(LOADED.scenario.tassets)
    last = whole.series["time_s"] == whole.series["time_s"].max()
    assert outcome.series["series.debt_usd"][kept == kept.max()].tolist() == whole.series.loc[last, "debt_usd"].tolist()


def test_a_path_that_raises_is_an_outcome(monkeypatch):
    def fail(*_, **__):
        raise ConservationError("money vanished")

    monkeypatch.setattr("seawall.studies.one_path.build_model", fail)
    outcome = play(LOADED, 11, 0, keeps_series=True, is_stopped=lambda: False)
    assert outcome.error == ("ConservationError", "money vanished")


def test_a_path_stops_when_asked():
    with pytest.raises(Interrupted):
        play(LOADED, 11, 0, keeps_series=False, is_stopped=lambda: True)
