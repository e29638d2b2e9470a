"""A cluster inside this process: what is sent, what comes back, and what is said when something is amiss."""

import pickle
import socket
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from distributed import Client, LocalCluster
from ensembles import outcome
from markets import SHIPPED, command_line, storm
from typer.testing import CliRunner

from seawall.protocols.errors import OptionError
from seawall.scenarios.load import load
from seawall.scenarios.snapshot import Positions
from seawall.studies import cluster, players
from seawall.studies.cluster import JOBS_AHEAD, ClusterError, connect
from seawall.studies.ensemble import EnsembleInterrupted, run_paths
from seawall.studies.environment import differences, environment
from seawall.studies.folder_lock import LOCK
from seawall.studies.luggage import pack, unpack
from seawall.studies.one_path import Outcome
from seawall.studies.players import Job, Threads, jobs_of

LOADED = storm()
REPLAY = SHIPPED / "replay.yaml"


def made_up(loaded, seed, path, *, keeps_series, is_stopped):
    """An outcome without a market, late by chance; of a price file it tells the size, but on path 1, where it finds a fault."""
    assert not is_stopped()
    time.sleep(float(np.random.default_rng().uniform(0.0, 0.003)))
    if loaded.prices_file is None:
        whole = outcome(seed + loaded.scenario.minters.count, path)
        return whole if keeps_series else replace(whole, series={})
    if path == 1:
        return Outcome(path, error=("PriceFileError", f"{loaded.prices_file}:2: is empty"))
    return Outcome(path, figures={"bytes": float(len(loaded.prices_file.read_bytes()))})


@pytest.fixture(autouse=True)
def no_market(monkeypatch):
    monkeypatch.setattr(players, "play", made_up)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """Address of a scheduler with two workers of two threads each."""
    asked = {
        "n_workers": 2,
        "threads_per_worker": 2,
        "dashboard_address": "127.0.0.1:0",
        "local_directory": tmp_path_factory.mktemp("dask"),
    }
    with LocalCluster(processes=False, protocol="tcp", host="127.0.0.1", **asked) as local:
        yield local.scheduler_address


@pytest.fixture(scope="module")
def crew(scheduler):
    with connect(scheduler) as found:
        yield found


def bytes_in(folder):
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name not in ("manifest.json", LOCK))
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_a_cluster_does_not_show_in_the_files(tmp_path, crew):
    found = run_paths(LOADED, paths=53, max_failed_share=0.1, folder=tmp_path / "cluster", players=crew, chunk_paths=12, kept_series=30)
    run_paths(LOADED, paths=53, max_failed_share=0.1, folder=tmp_path / "threads", players=Threads(2), chunk_paths=12, kept_series=30)
    assert bytes_in(tmp_path / "cluster") == bytes_in(tmp_path / "threads")
    assert (found.manifest["players"], found.manifest["workers"]) == (crew.place, 4)


def test_jobs_of_other_settings_come_back_in_order(crew):
    scenarios = [storm(f"minters.count={count}") for count in (5, 6, 7)]
    jobs = [job for loaded in scenarios for job in jobs_of(loaded, 1, range(25), each=10)]
    with closing(crew.play(jobs)) as played, closing(Threads(1).play(jobs)) as here:
        found = list(played)
        assert [[outcome.path for outcome in outcomes] for outcomes in found] == [list(job.paths) for job in jobs]
        assert [[repr(one) for one in outcomes] for outcomes in found] == [[repr(one) for one in outcomes] for outcomes in here]


def test_jobs_are_begun_a_few_ahead_and_forgotten_when_nobody_takes_them(scheduler, crew):
    asked = []
    jobs = (asked.append(job) or job for job in jobs_of(LOADED, 1, range(10_000), each=1))
    with closing(crew.play(jobs)) as played:
        for number, outcomes in enumerate(played):
            assert outcomes[0].path == number
            if number == 20:
                break
    assert 21 <= len(asked) <= 21 + JOBS_AHEAD * crew.workers
    with Client(scheduler, set_as_default=False) as client:
        end = time.monotonic() + 30.0
        while (left := paths_known(client)) and time.monotonic() < end:
            time.sleep(0.01)
    assert left == []


def paths_known(client):
    def keys(dask_scheduler):
        return [key for key in dask_scheduler.tasks if key.startswith("paths-")]

    return client.run_on_scheduler(keys)


def test_ctrl_c_keeps_whole_chunks(tmp_path, crew):
    def stop(done, _of):
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(EnsembleInterrupted, match="24 of 53 paths are kept"):
        run_paths(LOADED, paths=53, max_failed_share=0.1, folder=tmp_path / "a", players=crew, chunk_paths=12, progress=stop)
    run_paths(LOADED, paths=53, max_failed_share=0.1, folder=tmp_path / "a", players=crew, chunk_paths=12, resume=True)
    run_paths(LOADED, paths=53, max_failed_share=0.1, folder=tmp_path / "b", chunk_paths=12)
    assert bytes_in(tmp_path / "a") == bytes_in(tmp_path / "b")


def test_the_price_file_travels_and_errors_name_it_as_it_is_named_here(crew, monkeypatch):
    monkeypatch.chdir(REPLAY.parent)
    loaded = load(REPLAY.name)
    with closing(crew.play([Job(loaded, 1, (0, 1))])) as played:
        well, failed = next(played)
    assert well.figures["bytes"] == (SHIPPED / "prices" / "two_stocks_1m.csv").stat().st_size
    assert failed.error == ("PriceFileError", "prices/two_stocks_1m.csv:2: is empty")


def test_a_missing_price_file_is_named_before_anything_is_sent(crew, tmp_path):
    loaded = replace(load(REPLAY), file=tmp_path / "replay.yaml")
    with pytest.raises(FileNotFoundError, match=r"two_stocks_1m\.csv"), closing(crew.play([Job(loaded, 1, (0,))])) as played:
        next(played)


def test_what_is_unpacked_is_what_was_packed_but_for_the_place_of_its_prices(tmp_path):
    rows = np.arange(1.0, 100_001.0)
    loaded = replace(load(REPLAY), positions=Positions(rows, rows, rows.astype(np.int64), 0, 0, 0, ""))
    light, luggage = pack(loaded)
    assert len(pickle.dumps(Job(light, 1, (0, 1)))) < 20_000
    whole = unpack(light, luggage, tmp_path)
    assert whole.prices_file.parent == tmp_path
    assert whole.prices_file.read_bytes() == loaded.prices_file.read_bytes()
    assert whole.positions is loaded.positions
    assert replace(whole, scenario=loaded.scenario) == loaded
    typed = load(REPLAY, [f"prices.file={loaded.prices_file}"])
    assert unpack(*pack(typed), tmp_path).prices_file.parent == tmp_path
    assert pack(LOADED) == (LOADED, None)


def test_other_code_is_refused_by_name_before_any_path(scheduler, monkeypatch):
    monkeypatch.setattr(cluster, "environment", lambda: environment() | {"code": "0123456789ab"})
    said = r"Worker tcp://127\.0\.0\.1:\d+ would play .*: code \w{12} there, 0123456789ab here"
    with pytest.raises(ClusterError, match=said), connect(scheduler):
        pytest.fail("was let in")


def test_a_worker_without_seawall_is_named():
    client = SimpleNamespace(
        run=lambda *_, **__: {"tcp://w:1": environment(), "tcp://w:2": ModuleNotFoundError("No module named 'seawall'")}
    )
    with pytest.raises(ClusterError, match=r"Worker tcp://w:2 cannot run Seawall: ModuleNotFoundError: No module named 'seawall'"):
        cluster._refuse_others(client)


def test_other_code_of_a_worker_that_joined_later_is_refused_by_name(crew, monkeypatch):
    monkeypatch.setattr(cluster, "environment", lambda: environment() | {"code": "0123456789ab"})
    said = r"Worker tcp://\S+ \(\S+\) would play .*: code \w{12} there, 0123456789ab here"
    with pytest.raises(ClusterError, match=said), closing(crew.play(jobs_of(LOADED, 1, range(5), each=1))) as played:
        next(played)


def test_an_environment_differs_in_what_it_says():
    here = environment()
    assert differences(here, here) == []
    assert differences(here | {"machine": "vax"}, here) == [f"machine vax there, {here['machine']} here"]


def test_a_worker_that_cannot_keep_a_price_file_ends_the_study_in_words(crew, monkeypatch):
    monkeypatch.setattr("seawall.studies.luggage.write", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    loaded = load(REPLAY, ["minters.count=5"])
    loaded = replace(loaded, positions=Positions(np.ones(1), np.ones(1), np.ones(1, np.int64), 0, 0, 0, ""))
    said = r"Worker tcp://\S+ \(\S+\) could not play: OSError: no space left"
    with pytest.raises(ClusterError, match=said), closing(crew.play([Job(loaded, 1, (0,))])) as played:
        next(played)


@pytest.mark.parametrize("address", ["localhost:8786", "tcp://localhost", "http://localhost:8786", "tcp://a b:1"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(OptionError, match=r"is not tcp://HOST:PORT or tls://HOST:PORT"), connect(address):
        pytest.fail("was let in")


def test_no_scheduler_is_said_in_words():
    with socket.socket() as held:  # bound and not listening: nobody else answers there
        held.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(ClusterError, match=rf"{address}: no scheduler can be reached there: "), connect(address, connect_seconds=0.5):
            pytest.fail("was let in")


def test_tls_without_certificates_is_said_in_words():
    with pytest.raises(ClusterError, match=r"no scheduler can be reached there: .*TLS"), connect("tls://127.0.0.1:1", connect_seconds=0.5):
        pytest.fail("was let in")


def test_no_worker_is_said_in_words():
    with LocalCluster(n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address="127.0.0.1:0") as empty:
        said = r"no worker has joined in 0.2 s; start some: dask worker tcp://"
        with pytest.raises(ClusterError, match=said), connect(empty.scheduler_address, workers_seconds=0.2):
            pytest.fail("was let in")


def test_options_that_do_not_go_together_are_refused():
    scenario = str(Path(__file__).parent.parent / "scenarios" / "storm.yaml")
    for options, said in (
        (["--cluster", "tcp://h:1"], "--cluster are for many paths"),
        (["--cluster", "tcp://h:1", "--paths", "2", "--workers", "2"], "give one of the three"),
        (["--cluster", "here", "--paths", "2"], "--cluster here: is not tcp://HOST:PORT"),
    ):
        found = CliRunner().invoke(command_line(), ["run", scenario, *options])
        assert (found.exit_code, said in found.output) == (2, True), found.output


def test_threads_play_the_first_job_alone_and_only_once(monkeypatch):
    alone = []

    def seen(loaded, seed, path, **_):
        alone.append(threading.current_thread() is threading.main_thread())
        return Outcome(path)

    monkeypatch.setattr(players, "play", seen)
    crew = Threads(2)
    for _ in range(2):
        with closing(crew.play(jobs_of(LOADED, 1, range(4), each=2))) as played:
            assert [[one.path for one in outcomes] for outcomes in played] == [[0, 1], [2, 3]]
    assert sum(alone) == 2
    assert alone[:2] == [True, True]
