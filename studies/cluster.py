"""Players on a cluster: dask.distributed's scheduler at an address, and however many workers have joined it (docs/cluster.md).

A job is pure and has a key, so the scheduler may give it to another worker when one dies or is slow; its outcomes are taken once, here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker

from seawall.protocols.errors import OptionError, SeawallError
from seawall.scenarios.load import Loaded
from seawall.studies.cluster_worker import Trouble, introduce, keep, play_there, unlikeness
from seawall.studies.environment import environment
from seawall.studies.luggage import Luggage, pack
from seawall.studies.one_path import Outcome
from seawall.studies.players import Job, Played, Take, in_order

PATHS_PER_JOB = 10
"""So that a job lasts some tenths of a second: a hundred times what the scheduler spends on it (docs/cluster.md)."""
JOBS_AHEAD = 4
"""Jobs per thread of the cluster that are begun and not yet taken: a slow one holds nobody up until the others have played so many."""
COUNTED_FOR = 1.0  # seconds for which a count of the cluster's threads is believed
LARGEST = "1GB"  # of what is sent at once; price files have at most a quarter of it


class ClusterError(SeawallError):
    """The cluster cannot be reached, has no worker or one that would play other paths, or was lost; the text says which, and what to do."""


@contextmanager
def connect(address: str, *, connect_seconds: float = 15.0, workers_seconds: float = 120.0) -> Iterator[Cluster]:
    """Connect to a scheduler and see that its workers play the same paths as this machine would.

    Args:
        address: tcp://HOST:PORT, or tls://HOST:PORT.
        connect_seconds: how long the scheduler may take to answer.
        workers_seconds: how long to wait for a first worker.

    Raises:
        OptionError: not an address.
        ClusterError: no scheduler there, no worker, or one with other versions, code or arithmetic.
    """
    if re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+", address) is None:
        raise OptionError(f"--cluster {address}: is not tcp://HOST:PORT or tls://HOST:PORT")
    with _client(address, connect_seconds) as client:
        try:
            client.wait_for_workers(1, timeout=workers_seconds)
        except TimeoutError:
            text = f"{address}: no worker has joined in {workers_seconds:g} s; start some: dask worker {address}"
            raise ClusterError(text) from None
        _refuse_others(client)
        yield Cluster(client, address)


@contextmanager
def _client(address: str, seconds: float) -> Iterator[Client]:
    try:
        client = Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ImportError, ValueError, TypeError) as error:  # refused or silent; other protocol; no such port; no certificates
        raise ClusterError(f"{address}: no scheduler can be reached there: {error}") from None
    try:
        yield client
    finally:
        client.close()


def _refuse_others(client: Client) -> None:
    """Ask all workers what they are."""
    for worker, found in sorted(client.run(introduce, on_error="return").items()):
        if isinstance(found, Exception):
            raise ClusterError(f"Worker {worker} cannot run Seawall: {type(found).__name__}: {found}. See docs/cluster.md.")
        if unlike := unlikeness(worker, found, environment()):
            raise ClusterError(unlike)


def _dashboard(client: Client) -> str | None:
    try:
        return str(client.dashboard_link)
    except KeyError:  # a scheduler started without one
        return None


class Cluster:
    """Players on the workers of a cluster; made by `connect`.

    The scheduler forgets a job as soon as nobody here holds its future: what is not taken is not played either.
    """

    paths_per_job = PATHS_PER_JOB

    def __init__(self, client: Client, address: str) -> None:
        """Play through a client of the scheduler at an address."""
        self.place = address
        self.dashboard = _dashboard(client)
        self._client = client
        self._name = uuid4().hex
        self._jobs = 0
        self._luggage: dict[str, Future[Luggage]] = {}
        self._packed: tuple[Loaded, Loaded, Future[Luggage] | None] | None = None
        self._threads, self._counted = 0, -COUNTED_FOR

    @property
    def workers(self) -> int:
        """Threads of all workers that have joined, counted anew every second."""
        if time.monotonic() - self._counted >= COUNTED_FOR:
            with suppress(OSError):  # a scheduler that is gone shows where outcomes are awaited
                self._threads = sum(self._client.nthreads().values())
            self._counted = time.monotonic()
        return self._threads

    def play(self, jobs: Iterable[Job]) -> Played:
        """See `Players.play`.

        A worker's death costs what it was playing, which others play again. Where several die over a job, each of its paths is played
        alone once more, and one that kills again is a failed path.

        Raises:
            ClusterError: the scheduler was lost, or a worker cannot play, or one has joined that would play other paths.
        """
        return in_order(self._begin, iter(jobs), ahead=lambda: JOBS_AHEAD * self.workers)

    def _begin(self, job: Job) -> Take:
        return partial(self._take, job, self._submit(job))

    def _submit(self, job: Job) -> Future[list[Outcome] | Trouble]:
        light, luggage = self._parts_of(job.loaded)
        self._jobs += 1
        key = f"paths-{self._name}-{self._jobs}"
        return self._client.submit(play_there, replace(job, loaded=light), luggage, environment(), key=key, pure=False)

    def _take(self, job: Job, future: Future[list[Outcome] | Trouble]) -> list[Outcome]:
        try:
            return self._result(future)
        except KilledWorker:
            return [self._alone(replace(job, paths=(path,))) for path in job.paths]

    def _alone(self, job: Job) -> Outcome:
        """The outcome of a single path: of a job over which several workers died, perhaps because of another path or job."""
        try:
            return self._result(self._submit(job))[0]
        except KilledWorker as killed:
            deaths, last = killed.allowed_failures + 1, killed.last_worker
            text = f"{deaths} workers died one after another while they played it, the last {last.address} ({last.name})"
            return Outcome(job.paths[0], error=("KilledWorker", text))

    def _result(self, future: Future[list[Outcome] | Trouble]) -> list[Outcome]:
        try:
            found = future.result()
        except KilledWorker:
            raise
        except (CancelledError, OSError):
            raise ClusterError(f"{self.place}: the scheduler was lost. What is written is kept; --resume goes on.") from None
        except Exception as error:  # of the machinery: a job that cannot be sent or read
            raise ClusterError(f"{self.place}: a job could not be played: {type(error).__name__}: {error}") from error
        if isinstance(found, Trouble):
            raise ClusterError(found.text)
        return found

    def _parts_of(self, loaded: Loaded) -> tuple[Loaded, Future[Luggage] | None]:
        """A scenario that is light to send, and what is heavy of it where it is kept; remembered for the next job of the same one."""
        if self._packed is None or self._packed[0] is not loaded:
            light, luggage = pack(loaded)
            self._packed = loaded, light, None if luggage is None else self._kept(luggage)
        return self._packed[1:]

    def _kept(self, luggage: Luggage) -> Future[Luggage]:
        """Luggage as a task, not as scattered data: the scheduler has it anew when the worker that holds it dies."""
        if luggage.digest not in self._luggage:
            key = f"luggage-{self._name}-{luggage.digest}"
            with dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGEST}):
                self._luggage[luggage.digest] = self._client.submit(keep, luggage, key=key, pure=False)
        return self._luggage[luggage.digest]
