"""Where paths are played: on threads of this machine (here), in processes (`processes.py`), on the workers of a cluster (`cluster.py`).

A study makes jobs and takes their outcomes in the order of the jobs, whoever finishes first: who played never shows in its results.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import Event
from typing import Protocol

from seawall.scenarios.load import Loaded
from seawall.studies.one_path import Outcome, play

Played = Generator[list[Outcome], None, None]
"""Outcomes of job after job; to be closed by whoever does not take them all."""
Take = Callable[[], list[Outcome]]
"""Waits for a job that was begun."""


@dataclass(frozen=True, slots=True)
class Job:
    """Paths of one scenario, played in one place one after another. Plain data, so that it can go to another machine.

    Attributes:
        loaded: a checked scenario; each job may bring another.
        seed: of the study, >= 0.
        paths: numbers of the paths, >= 0 each.
        series_before: paths of a lower number keep their thinned time series.
    """

    loaded: Loaded
    seed: int
    paths: tuple[int, ...]
    series_before: int = 0


class Players(Protocol):
    """Whoever plays paths.

    Attributes:
        place: what a manifest says of it: `threads`, `processes`, or the address of a cluster.
        dashboard: address of a page that shows what they do; None where there is none.
        paths_per_job: how many paths a job had best hold.
    """

    place: str
    dashboard: str | None
    paths_per_job: int

    @property
    def workers(self) -> int:
        """Paths that are played at once, at this moment; >= 0."""

    def play(self, jobs: Iterable[Job]) -> Played:
        """Play jobs; yield the outcomes of each in order of its paths, job after job in the order given.

        Jobs are asked for a few ahead of what is taken. Whoever stops early closes the iterator (`contextlib.closing`): what it
        began is given up, or played to the end of its job and dropped.
        """


def play_job(job: Job, is_stopped: Callable[[], bool]) -> list[Outcome]:
    """Play the paths of a job here and now.

    Raises:
        Interrupted: `is_stopped` said so.
    """
    return [play(job.loaded, job.seed, path, keeps_series=path < job.series_before, is_stopped=is_stopped) for path in job.paths]


class Threads:
    """Players on this machine: compiled rounds run without Python's lock, so threads do."""

    place = "threads"
    dashboard: str | None = None
    paths_per_job = 1

    def __init__(self, workers: int | None = None) -> None:
        """Take so many threads, >= 1; one per core unless told otherwise."""
        self.workers = max(workers or cores(), 1)
        self._is_warm = False

    def play(self, jobs: Iterable[Job]) -> Played:
        """See `Players.play`. The very first job is played by itself: what it compiles, others would wait for."""
        stop, left = Event(), iter(jobs)
        work = partial(play_job, is_stopped=stop.is_set)
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="path")
        try:
            for job in islice(left, 0 if self._is_warm else 1):
                found = work(job)
                self._is_warm = True
                yield found
            yield from in_order(lambda job: pool.submit(work, job).result, left, ahead=lambda: 2 * self.workers)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def jobs_of(loaded: Loaded, seed: int, paths: Iterable[int], *, each: int, series_before: int = 0) -> Iterator[Job]:
    """Jobs of `each` paths, the last one perhaps of fewer."""
    left = iter(paths)
    while some := tuple(islice(left, each)):
        yield Job(loaded, seed, some, series_before)


def in_order(begin: Callable[[Job], Take], jobs: Iterator[Job], *, ahead: Callable[[], int]) -> Played:
    """Outcomes in the order of jobs, of which at most `ahead()` are begun and not yet taken; asked anew each time, 1 at least."""
    waiting: deque[Take] = deque()
    while True:
        waiting.extend(begin(job) for job in islice(jobs, max(max(ahead(), 1) - len(waiting), 0)))
        if not waiting:
            return
        yield waiting.popleft()()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
