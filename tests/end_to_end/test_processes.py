"""Paths in processes of this machine: the same bytes as by threads, whatever happens to the processes, and none is left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest
from markets import ROOT, command_line
from typer.testing import CliRunner

from seawall.scenarios.load import load
from seawall.studies.ensemble import run_paths
from seawall.studies.folder_lock import LOCK
from seawall.studies.players import Threads, jobs_of
from seawall.studies.processes import JOBS_AHEAD, PATHS_PER_JOB, ProcessDied, start

PATHS = 90
PATIENCE = 60.0  # seconds
SCENARIO = """
name: Small
about: A quarter of an hour of one tASSET.
seed: 3
prices: {model: simulated, start: 2024-03-04T14:30:00Z, days: 0.0125, assets: {A: {start_usd: 100, volatility_per_year: 9}}}
tassets: {tA: {tracks: A, min_collateral_ratio: 1.5, auction_discount: 0.2, pool: {liquidity_usd: 2000}}}
minters: {count: 4}
liquidators: {count: 1}
traders: {count: 0}
arbitrageurs: {count: 0}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    (folder / "small.yaml").write_text(SCENARIO)
    return folder


@pytest.fixture(scope="module")
def expected(place):
    """Bytes of all files but those that say who played and for how long."""
    run_paths(load(place / "small.yaml"), paths=PATHS, folder=place / "threads", players=Threads(2))
    return files_of(place / "threads")


def files_of(folder):
    told = {"manifest.json", LOCK}
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name not in told}


def begin(place, out):
    """The command in a session of its own, uncompiled: nothing has to be compiled first."""
    command = [sys.executable, "run.py", "run", str(place / "small.yaml"), "--paths", str(PATHS), "--processes", "2", "--out", str(out)]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def members(session):
    """Processes of a session that live, the resource tracker, which outlives the others by a moment, among them."""
    told = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True, check=False).stdout
    return [int(line.split()[0]) for line in told.splitlines() if not line.split()[1].startswith("Z")]


def test_processes_give_the_bytes_of_threads(place, expected, tmp_path):
    with begin(place, tmp_path) as process:
        assert process.wait(PATIENCE) == 0, process.stderr.read()
    (folder,) = tmp_path.glob("small/*-paths")
    assert {name: content for name, content in files_of(folder).items() if name in expected} == expected


def test_ctrl_c_ends_all_processes_and_resuming_gives_the_same_bytes(place, expected, tmp_path):
    with begin(place, tmp_path) as process:
        wait_for(lambda: list(tmp_path.glob("small/*-paths/chunks/*.parquet")))
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(PATIENCE) == 130
        assert "--resume goes on" in process.stderr.read()
        wait_for(lambda: not members(process.pid))
    (folder,) = tmp_path.glob("small/*-paths")
    run_paths(load(place / "small.yaml"), paths=PATHS, folder=folder, players=Threads(2), resume=True)
    assert {name: content for name, content in files_of(folder).items() if name in expected} == expected


def test_processes_end_with_the_one_that_started_them(place, tmp_path):
    with begin(place, tmp_path) as process:
        wait_for(lambda: len(members(process.pid)) >= 4)  # the command, the server that processes are forked from, and two of them
        process.kill()
        wait_for(lambda: not members(process.pid))


def test_a_process_that_is_killed_is_named_and_what_is_written_is_kept(place, expected, tmp_path):
    loaded = load(place / "small.yaml")

    def kill(done, _):
        if done > 2 * PATHS // 3 and players.workers == 2:
            players.workers = 1  # so that it happens once
            os.kill(next(iter(players._pool._processes)), signal.SIGKILL)

    with pytest.raises(ProcessDied, match=r"--resume goes on, best with fewer --processes\.$"), start(2) as players:
        players._is_ready.wait(PATIENCE)
        run_paths(loaded, paths=PATHS, folder=tmp_path, players=players, chunk_paths=25, progress=kill)
    assert list((tmp_path / "chunks").glob("*.parquet"))
    with start(1) as players:
        run_paths(loaded, paths=PATHS, folder=tmp_path, players=players, resume=True)
    assert files_of(tmp_path) == expected


def test_what_nobody_takes_is_not_played_and_holds_nobody_up(place):
    loaded = load(place / "small.yaml")
    asked = []
    jobs = (asked.append(job) or job for job in jobs_of(loaded, 3, range(100_000), each=PATHS_PER_JOB))
    with start(1) as players:
        players._is_ready.wait(PATIENCE)
        with closing(players.play(jobs)) as played:
            first = [next(played), next(played)]
        after = next(iter(players.play(jobs_of(loaded, 3, range(PATHS_PER_JOB), each=PATHS_PER_JOB))))
    assert [outcome.path for outcome in first[1]] == list(range(PATHS_PER_JOB, 2 * PATHS_PER_JOB))
    assert repr(after) == repr(first[0])
    assert len(asked) <= 2 + JOBS_AHEAD


def test_options_of_who_plays_are_refused_together(place):
    words = ["run", str(place / "small.yaml"), "--paths", "5", "--processes", "2"]
    for more in (["--workers", "2"], ["--cluster", "tcp://127.0.0.1:1"]):
        result = CliRunner().invoke(command_line(), [*words, *more])
        assert result.exit_code == 2
        assert "give one of the three" in result.output
    assert CliRunner().invoke(command_line(), words[:2] + words[4:]).exit_code == 2
