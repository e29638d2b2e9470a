"""What a path costs on a cluster: one worker with one thread on this machine, beside a thread of this process.

    .venv/bin/python benchmarks/cluster.py            # about a minute, once everything is compiled
    .venv/bin/python benchmarks/cluster.py --write    # and keep the tables in docs/cluster.md

All times are CPU time, so that others on the machine show little; everything is compiled before the clock starts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from distributed import Client, LocalCluster
from pages import machine, rewrite, table

from seawall.scenarios.load import Loaded, load
from seawall.studies.cluster import PATHS_PER_JOB, connect
from seawall.studies.ensemble import run_paths
from seawall.studies.players import Job, Players, Threads, jobs_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "cluster.md"
SCENARIOS = ("short_squeeze", "weekend_gap", "perps_squeeze")
PATHS, EMPTY_JOBS = 60, 300
Clock = Callable[[], float]


def spent(players: Players, jobs: Iterable[Job], clock: Clock) -> float:
    """CPU milliseconds that somebody spends on jobs."""
    started = clock()
    with closing(players.play(jobs)) as played:
        for _ in played:
            pass
    return 1000.0 * (clock() - started)


def paths_table(crew: Players, worker: Clock) -> str:
    """CPU of a path in a thread here and on the worker, by scenario, and what that makes of a core-hour."""
    rows = []
    for name in SCENARIOS:
        loaded = load(ROOT / "scenarios" / f"{name}.yaml")
        here, there = (of_a_path(players, loaded, clock) for players, clock in ((Threads(1), time.process_time), (crew, worker)))
        rows.append([name, f"{here:.1f}", f"{there:.1f}", f"{3.6e6 / there:,.0f}", f"{1e6 * there / 3.6e6:,.1f}"])
    return table(["scenario", "CPU ms a path, thread", "on a worker", "paths per core-hour", "core-hours a million paths"], rows)


def of_a_path(players: Players, loaded: Loaded, clock: Clock) -> float:
    """CPU milliseconds of a path, in jobs as an ensemble makes them, once all is compiled."""
    spent(players, [Job(loaded, 1, (0,))], clock)
    return spent(players, jobs_of(loaded, 1, range(1, PATHS + 1), each=PATHS_PER_JOB), clock) / PATHS


def overhead_table(crew: Players, client: Client, worker: Clock) -> str:
    """CPU of an empty job, wherever it is spent, and of a path's outcome at the client, chunks written."""
    loaded = load(ROOT / "scenarios" / f"{SCENARIOS[0]}.yaml")
    clocks = {"client": time.process_time, "scheduler": lambda: client.run_on_scheduler(time.process_time), "worker": worker}
    rows = [[f"a job, {who}", f"{empty(crew, loaded, clock):.2f}"] for who, clock in clocks.items()]
    _, few, many = (of_an_ensemble(crew, loaded, paths) for paths in (PATHS, PATHS, 4 * PATHS))  # the first imports what writes files
    rows.append(["a path, client: sent, taken, written and assembled", f"{(many - few) / (3 * PATHS):.2f}"])
    rows.append(["an ensemble, client: what does not grow with it", f"{max(few - (many - few) / 3, 0.0):,.0f}"])
    return table(["overhead of", "CPU ms"], rows)


def of_an_ensemble(crew: Players, loaded: Loaded, paths: int) -> float:
    """CPU milliseconds that an ensemble costs this process."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        run_paths(loaded, paths=paths, folder=Path(folder), players=crew)
        return 1000.0 * (time.process_time() - started)


def empty(crew: Players, loaded: Loaded, clock: Clock) -> float:
    """CPU milliseconds of a job without paths."""
    return spent(crew, (Job(loaded, 1, ()) for _ in range(EMPTY_JOBS)), clock) / EMPTY_JOBS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/cluster.md")
    options = parser.parse_args()
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as local:
        address = local.scheduler_address
        with Client(address, set_as_default=False) as client, connect(address) as crew:

            def worker() -> float:
                return float(sum(client.run(time.process_time).values()))

            text = "\n\n".join([machine() + ".", paths_table(crew, worker), overhead_table(crew, client, worker)])
    print(text)
    if options.write:
        rewrite(PAGE, "cluster", text)


if __name__ == "__main__":
    main()
