"""Players in processes of this machine. Each has a Python of its own, so they share no lock: for many cores, and for studies of minutes.

A process starts for a second or two, which threads do not; jobs and outcomes go through pipes that nobody else can open.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, islice
from multiprocessing import connection
from threading import Thread
from typing import Any

from seawall.protocols.compiled import is_compiled_before
from seawall.protocols.errors import SeawallError
from seawall.studies.fork_server import begin
from seawall.studies.one_path import Interrupted, Outcome
from seawall.studies.players import Job, Played, Take, cores, in_order, play_job

PATHS_PER_JOB = 5
"""So that a job lasts much longer than its way there and back, and a chunk still has some for every process."""
JOBS_AHEAD = 4
"""Jobs per process that are begun and not yet taken."""
PATIENCE_S = 0.3
"""How long nobody plays here, because processes of a fork server that has begun early are ready so soon."""
CALLS = 65_536  # of `play` that can be told apart at a time
ALL = 0  # place of what is said to all of them
DIED = "A process that played paths was killed, perhaps for want of memory. What is written is kept; --resume goes on, maybe with fewer."


class ProcessDied(SeawallError):
    """A process ended in the middle of a path: the system may have had no memory left for it."""


class Processes:
    """Players in processes of this machine; made by `start`."""

    place = "processes"
    dashboard: str | None = None
    paths_per_job = PATHS_PER_JOB

    def __init__(self, pool: ProcessPoolExecutor, workers: int, closed: Any) -> None:
        """Play in the processes of a pool, which start now.

        Args:
            pool: of processes that were made ready with `closed`.
            workers: how many it may have.
            closed: `[CALLS]` whether nobody takes outcomes of a call of `play` any more, in memory that all processes see.
        """
        self.workers = workers
        self._pool, self._closed = pool, closed
        self._calls = 0
        self._is_warm = False
        self._is_ready = threading.Event()
        Thread(target=self._begin).start()

    def _begin(self) -> None:
        # Blocked for all that is started from here. Ctrl-C reaches every process of a terminal; this one decides what it means.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with suppress(BrokenProcessPool, CancelledError, RuntimeError, EOFError, OSError):  # shows where jobs are handed over
            next(as_completed([self._pool.submit(_ready) for _ in range(self.workers)])).result()
        self._is_ready.set()

    def play(self, jobs: Iterable[Job]) -> Played:
        """See `Players.play`. Jobs are played here while something is to be compiled, which all need, and while processes start.

        Raises:
            ProcessDied: a process was killed.
        """
        left = self._looked_at(iter(jobs))
        while not (self._is_warm and self._is_ready.is_set()):
            job = next(left, None)
            if job is None:
                return
            found = play_job(job, is_stopped=lambda: False)
            self._is_warm = True
            yield found
        call, begun = self._calls % (CALLS - 1) + 1, set[Future[list[Outcome]]]()
        self._calls += 1
        self._closed[call] = 0
        try:
            yield from in_order(partial(self._submit, call, begun), left, ahead=lambda: JOBS_AHEAD * self.workers)
        finally:
            self._closed[call] = 1
            for future in tuple(begun):
                future.cancel()

    def _looked_at(self, jobs: Iterator[Job]) -> Iterator[Job]:
        """The same jobs. Nothing needs to be compiled here where that was done before; then processes may be ready at once."""
        first = list(islice(jobs, 1))
        self._is_warm = self._is_warm or all(_is_compiled(job) for job in first)
        if self._is_warm:
            self._is_ready.wait(PATIENCE_S)
        return chain(first, jobs)

    def _submit(self, call: int, begun: set[Future[list[Outcome]]], job: Job) -> Take:
        try:
            future = self._pool.submit(_play, call, job)
        except BrokenProcessPool:
            raise ProcessDied(DIED) from None
        begun.add(future)
        future.add_done_callback(begun.discard)
        return partial(_result, future)


@contextmanager
def start(count: int | None = None) -> Iterator[Processes]:
    """Start so many processes, one per core unless told otherwise; they end with the block, or with this process, however that ends.

    A script that calls this, as any that starts processes, does so under `if __name__ == "__main__":`.
    """
    context = begin()
    workers = count or cores()
    closed = context.RawArray("b", CALLS)  # without a lock, which a process that is killed might hold for ever
    pool = ProcessPoolExecutor(workers, context, initializer=_make_ready, initargs=(closed,))
    try:
        yield Processes(pool, workers, closed)
    finally:
        closed[ALL] = 1
        pool.shutdown(wait=True, cancel_futures=True)


def _is_compiled(job: Job) -> bool:
    scenario = job.loaded.scenario
    return is_compiled_before(has_exchange=scenario.exchange is not None, has_avmm=scenario.avmm is not None)


_seen: list[Any] = []
"""In a process of the pool: the calls that are closed."""


def _make_ready(closed: Any) -> None:
    """Prepare a process of the pool."""
    _seen[:] = [closed]
    gc.freeze()  # a search for garbage would touch, and so copy, all that this process shares with the others
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)  # nobody is left to clean up for


def _ready() -> None:
    """Nothing to do but be there."""


def _play(call: int, job: Job) -> list[Outcome]:
    """Play a job of a call; nothing of it once that is closed."""
    try:
        return play_job(job, is_stopped=lambda: bool(_seen[0][ALL] or _seen[0][call]))
    except Interrupted:
        return []


def _result(future: Future[list[Outcome]]) -> list[Outcome]:
    try:
        return future.result()
    except BrokenProcessPool:
        raise ProcessDied(DIED) from None
