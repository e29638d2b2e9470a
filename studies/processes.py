"""Players in processes of this machine. Each has a Python of its own, so they share no lock: for many cores, and for studies of minutes.

A process starts for a second or two, which threads do not; jobs and outcomes go through pipes that nobody else can open.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection
from multiprocessing.synchronize import Event
from threading import Thread

from seawall.protocols.errors import SeawallError
from seawall.studies.one_path import Outcome
from seawall.studies.players import Job, Played, Take, cores, in_order, play_job

PATHS_PER_JOB = 5
"""So that a job lasts much longer than its way there and back, and a chunk still has some for every process."""
JOBS_AHEAD = 4
"""Jobs per process that are begun and not yet taken."""


class ProcessDied(SeawallError):
    """A process ended in the middle of a path: the system may have had no memory left for it."""


class Processes:
    """Players in processes of this machine; made by `start`."""

    place = "processes"
    dashboard: str | None = None
    paths_per_job = PATHS_PER_JOB

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        """Play in the processes of a pool, which start now."""
        self.workers = workers
        self._pool = pool
        self._is_warm = False
        self._is_ready = threading.Event()
        Thread(target=self._begin).start()

    def _begin(self) -> None:
        try:
            self._pool.submit(_ready).result()
        except (BrokenProcessPool, CancelledError, RuntimeError):
            pass  # shows where outcomes are awaited; or the block is left already
        finally:
            self._is_ready.set()

    def play(self, jobs: Iterable[Job]) -> Played:
        """See `Players.play`. Here is where the very first job is played, which compiles what all need, and others while processes start.

        Of what is not taken, a process plays its present job to the end.

        Raises:
            ProcessDied: a process was killed.
        """
        left = iter(jobs)
        while not (self._is_warm and self._is_ready.is_set()):
            job = next(left, None)
            if job is None:
                return
            found = play_job(job, is_stopped=lambda: False)
            self._is_warm = True
            yield found
        begun: set[Future[list[Outcome]]] = set()
        try:
            yield from in_order(partial(self._submit, begun), left, ahead=lambda: JOBS_AHEAD * self.workers)
        finally:
            for future in tuple(begun):
                future.cancel()

    def _submit(self, begun: set[Future[list[Outcome]]], job: Job) -> Take:
        future = self._pool.submit(_play, job)
        begun.add(future)
        future.add_done_callback(begun.discard)
        return partial(_result, future)


@contextmanager
def start(count: int | None = None) -> Iterator[Processes]:
    """Start processes, one per core unless told otherwise; they end with the block, or with this process, however that ends.

    A script that calls this, as any that starts processes, does so under `if __name__ == "__main__":`.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, for all of them
    workers, stop = count or cores(), context.Event()
    pool = ProcessPoolExecutor(workers, context, initializer=_make_ready, initargs=(stop,))
    try:
        yield Processes(pool, workers)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


_stop: list[Event] = []
"""In a process of the pool: set once nobody wants its outcomes any more."""


def _make_ready(stop: Event) -> None:
    """Prepare a process of the pool. Ctrl-C reaches all processes of a terminal; the one that started them decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stop[:] = [stop]
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)  # nobody is left to clean up for


def _ready() -> None:
    """Nothing to do but be there."""


def _play(job: Job) -> list[Outcome]:
    return play_job(job, is_stopped=_stop[0].is_set)


def _result(future: Future[list[Outcome]]) -> list[Outcome]:
    try:
        return future.result()
    except BrokenProcessPool:
        text = "a process that played paths was killed, perhaps for want of memory. What is written is kept; --resume goes on"
        raise ProcessDied(f"{text}, best with fewer --processes.") from None
