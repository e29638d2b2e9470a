"""Paths in processes of this machine: the same bytes as by threads, whatever happens to the processes, and none is left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest
from markets import ROOT, SMALL, command_line
from typer.testing import CliRunner

from seawall.scenarios.load import load
from seawall.studies import processes
from seawall.studies.ensemble import run_paths
from seawall.studies.folder_lock import LOCK
from seawall.studies.players import Threads, jobs_of
from seawall.studies.processes import ALL, PATHS_PER_JOB, ProcessDied, start

PATHS = 90
PATIENCE = 60.0  # seconds


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    (folder / "small.yaml").write_text(SMALL.read_text())
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


@contextmanager
def ready(count, monkeypatch):
    """Processes that are there, so that no path is played here."""
    with start(count) as players:
        assert players._is_ready.wait(PATIENCE)
        players._is_warm = True
        monkeypatch.delattr(processes, "play_job")
        yield players


def test_processes_give_the_bytes_of_threads(place, expected, tmp_path, monkeypatch):
    with ready(2, monkeypatch) as players:
        run_paths(load(place / "small.yaml"), paths=PATHS, folder=tmp_path, players=players)
    assert files_of(tmp_path) == expected


def test_ctrl_c_ends_all_processes_and_resuming_gives_the_same_bytes(place, expected, tmp_path):
    with begin(place, tmp_path) as process:
        wait_for(lambda: list(tmp_path.glob("small/*-paths/chunks/*.parquet")))
        assert "--resume goes on" in interrupt(process)
    (folder,) = tmp_path.glob("small/*-paths")
    run_paths(load(place / "small.yaml"), paths=PATHS, folder=folder, players=Threads(2), resume=True)
    assert {name: content for name, content in files_of(folder).items() if name in expected} == expected


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.0, 1.5])
def test_ctrl_c_while_processes_start_ends_without_a_traceback(place, tmp_path, seconds):
    with begin(place, tmp_path) as process:
        wait_for(lambda: len(members(process.pid)) >= 3)  # the command, its resource tracker, its fork server
        time.sleep(seconds)
        said = interrupt(process)
    assert "--resume goes on" in said or said in ("Interrupted; nothing was written.\n", "")


def interrupt(process):
    """As a terminal does; what is said of it."""
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    said = process.stderr.read()
    assert "Traceback" not in said
    wait_for(lambda: not members(process.pid))
    return said


def test_processes_end_with_the_one_that_started_them(place, tmp_path):
    with begin(place, tmp_path) as process:
        wait_for(lambda: len(members(process.pid)) >= 5)  # those three, and two that play
        process.kill()
        wait_for(lambda: not members(process.pid))


def test_a_process_that_is_killed_is_named_and_what_is_written_is_kept(place, expected, tmp_path, monkeypatch):
    loaded, killed = load(place / "small.yaml"), []

    def kill(done, _):
        if done > 2 * PATHS // 3 and not killed:
            killed.extend(players._pool._processes)
            os.kill(killed[0], signal.SIGKILL)

    with (
        ready(2, monkeypatch) as players,
        pytest.raises(ProcessDied, match=r"^A process .* was killed, .* --resume goes on"),
    ):
        run_paths(loaded, paths=PATHS, folder=tmp_path, players=players, progress=kill)
    assert list((tmp_path / "chunks").glob("*.parquet"))
    run_paths(loaded, paths=PATHS, folder=tmp_path, players=Threads(1), resume=True)
    assert files_of(tmp_path) == expected


def test_a_process_that_is_killed_while_nobody_waits_for_it_is_named_too(place, monkeypatch):
    jobs = jobs_of(load(place / "small.yaml"), 3, range(10_000), each=PATHS_PER_JOB)
    with ready(1, monkeypatch) as players, closing(players.play(jobs)) as played:
        next(played)
        os.kill(next(iter(players._pool._processes)), signal.SIGKILL)
        wait_for(lambda: players._pool._broken)
        with pytest.raises(ProcessDied):
            list(played)


def test_what_nobody_takes_is_given_up(place, monkeypatch):
    loaded = load(place / "small.yaml")
    with ready(1, monkeypatch) as players:
        with closing(players.play(jobs_of(loaded, 3, range(10_000), each=PATHS_PER_JOB))) as played:
            first = next(played)
        after = next(iter(players.play(jobs_of(loaded, 3, range(PATHS_PER_JOB), each=PATHS_PER_JOB))))
        assert (players._closed[ALL], players._closed[1]) == (0, 1)
    assert repr(after) == repr(first)
    assert players._closed[ALL] == 1


@pytest.mark.parametrize("said", [ALL, 7])
def test_a_process_plays_no_path_of_a_call_that_is_closed(place, monkeypatch, said):
    closed = [0] * 10
    monkeypatch.setattr(processes, "_seen", [closed])
    (job,) = jobs_of(load(place / "small.yaml"), 3, range(2), each=2)
    assert [outcome.path for outcome in processes._play(7, job)] == [0, 1]
    closed[said] = 1
    assert processes._play(7, job) == []


def test_options_of_who_plays_are_refused_together(place):
    words = ["run", str(place / "small.yaml"), "--paths", "5", "--processes", "2"]
    for more in (["--workers", "2"], ["--cluster", "tcp://127.0.0.1:1"]):
        result = CliRunner().invoke(command_line(), [*words, *more])
        assert result.exit_code == 2
        assert "give one of the three" in result.output
    assert CliRunner().invoke(command_line(), words[:2] + words[4:]).exit_code == 2


def test_a_fork_server_that_cannot_start_is_told_without_a_traceback(place, tmp_path):
    deep = tmp_path / ("x" * 120)  # sockets have short names
    deep.mkdir()
    command = [sys.executable, "run.py", "run", str(place / "small.yaml"), "--paths", "2", "--processes", "2", "--out", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | {"TMPDIR": str(deep)}, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "AF_UNIX path too long" in ran.stderr
    assert "Traceback" not in ran.stderr
