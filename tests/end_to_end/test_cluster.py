"""A real scheduler with real workers on this machine, which die and join as they like: the bytes are those of one machine."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
from distributed import Client
from markets import command_line
from typer.testing import CliRunner

from seawall.scenarios.load import load
from seawall.studies.cluster import ClusterError, connect
from seawall.studies.ensemble import run_paths
from seawall.studies.folder_lock import LOCK
from seawall.studies.players import Threads

PATHS, DEADLY = 60, 37
PATIENCE = 90.0  # seconds for which a process may start: machines of a test are shared
SCENARIO = """
name: Small
about: A quarter of an hour of one tASSET, its prices from a file.
seed: 3
prices: {model: bootstrap, file: past.csv, days: 0.0125, bar_seconds: 60, assets: {A: A}}
tassets: {tA: {tracks: A, min_collateral_ratio: 1.5, auction_discount: 0.2, pool: {liquidity_usd: 2000}}}
minters: {count: 4}
liquidators: {count: 1}
traders: {count: 0}
arbitrageurs: {count: 0}
"""
DEADLY_PATH = f"""
import os
from seawall.studies import players
def deadly(loaded, seed, path, play=players.play, **asked):
    if path == {DEADLY}:
        os._exit(1)
    return play(loaded, seed, path, **asked)
players.play = deadly
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the scenario, and one beside it in which workers are at home: they do not see its price file."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "small.yaml").write_text(SCENARIO)
    rows = [f"2024-01-02T{14 + i // 60:02}:{i % 60:02}:00Z,{100.0 + (i * 7919 % 31) / 10}" for i in range(200)]
    (folder / "past.csv").write_text("\n".join(["timestamp,A", *rows]) + "\n")
    (folder / "workers").mkdir()
    (folder / "deadly.py").write_text(DEADLY_PATH)
    return folder


@contextmanager
def process(kind, *arguments, folder, **settings):
    """A scheduler or worker of its own, uncompiled: nothing has to be compiled first, and a path takes long enough to be hit."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"} | settings
    command = [sys.executable, "-m", "dask", kind, *arguments, "--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as begun:
        try:
            yield begun
        finally:
            begun.kill()


@contextmanager
def scheduler(folder, name, **settings):
    """A scheduler, with its address."""
    file = folder / f"{name}.json"
    with process("scheduler", "--port", "0", "--scheduler-file", str(file), folder=folder, **settings) as begun:
        address = wait_for(lambda: file.exists() and address_in(file))
        yield begun, address


def address_in(file):
    try:
        return json.loads(file.read_text())["address"]
    except ValueError:  # half written
        return None


def worker(address, name, folder, *arguments):
    home = folder / "workers"
    asked = ("--nthreads", "1", "--no-nanny", "--name", name, "--local-directory", str(home), *arguments)
    return process("worker", address, *asked, folder=home)


def wait_for(found):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.02)
    raise TimeoutError("nothing came of it")


def names(client):
    return {one["name"] for one in client.scheduler_info()["workers"].values()}


def ran(place, name, players, **asked):
    terms = {"paths": PATHS, "folder": place / name, "chunk_paths": 10, "max_failed_share": 0.0} | asked
    return run_paths(load(place / "small.yaml"), players=players, **terms)


def bytes_in(folder):
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name not in ("manifest.json", LOCK))
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def undisturbed(place):
    ran(place, "undisturbed", Threads(2))
    return bytes_in(place / "undisturbed")


def test_workers_die_and_join_and_nothing_is_lost_or_counted_twice(place, undisturbed):
    with scheduler(place, "first") as (_, address), worker(address, "a", place) as a, worker(address, "b", place) as b, ExitStack() as late:
        client = late.enter_context(Client(address, set_as_default=False, timeout=PATIENCE))
        client.wait_for_workers(2, timeout=PATIENCE)

        def disturb(done, _of):
            if done == 20:
                a.kill()
                late.enter_context(worker(address, "c", place))
            if done == 40:
                wait_for(lambda: "c" in names(client))
                b.kill()

        with connect(address) as crew:
            ran(place, "disturbed", crew, progress=disturb)
            assert names(client) == {"c"}
    assert bytes_in(place / "disturbed") == undisturbed


def test_a_path_that_kills_its_workers_fails_alone_and_by_name(place, undisturbed):
    with scheduler(place, "second", DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as (_, address), ExitStack() as workers:
        for name in ("first", "second", "third"):
            workers.enter_context(worker(address, name, place, "--preload", str(place / "deadly.py")))
        with Client(address, set_as_default=False, timeout=PATIENCE) as client, connect(address) as crew:
            client.wait_for_workers(3, timeout=PATIENCE)
            found = ran(place, "deadly", crew, max_failed_share=0.05)
            assert len(names(client)) == 1
    assert [(one["path"], one["type"]) for one in found.failed] == [(DEADLY, "KilledWorker")]
    assert "1 workers died" in found.failed[0]["error"]
    there, here = bytes_in(place / "deadly"), undisturbed
    struck = f"chunks/paths-{DEADLY // 10 * 10:07}-{DEADLY // 10 * 10 + 9:07}.parquet"
    assert struck in here
    assert {name for name in here if name.startswith("chunks/") and there[name] != here[name]} == {struck}


def test_the_command_line_tells_where_it_plays_and_a_lost_scheduler_costs_only_what_is_not_written(place, undisturbed):
    with scheduler(place, "third") as (begun, address), worker(address, "only", place):
        asked = ["run", str(place / "small.yaml"), "--paths", "4", "--cluster", address, "--out", str(place / "out")]
        found = CliRunner().invoke(command_line(), asked)
        assert found.exit_code == 0, found.output
        assert f"Playing on 1 threads of {address}; dashboard: http://127.0.0.1:" in found.stderr.replace("\n", " ")

        def disturb(done, _of):
            if done == 30:
                begun.kill()

        said = rf"{address}: the scheduler was lost\. What is written is kept; --resume goes on\."
        with pytest.raises(ClusterError, match=said), connect(address, connect_seconds=5.0) as crew:
            ran(place, "lost", crew, progress=disturb)
    kept = ran(place, "lost", Threads(1), resume=True).manifest["paths_kept_from_before"]
    assert 30 <= kept < PATHS
    assert bytes_in(place / "lost") == undisturbed
