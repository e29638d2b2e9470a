"""Many paths of a scenario over all cores or a cluster, chunk by chunk; gone on with after any interruption, the same bytes in the end.

Outcomes are taken in order of path numbers, whoever finishes first, and a stopping rule is asked between chunks only: neither who played
(`studies/players.py`) nor any interruption shows in the results.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from seawall.protocols.errors import SeawallError
from seawall.scenarios.load import Loaded
from seawall.studies.assemble import assemble
from seawall.studies.chunks import Chunk, SpoiltChunkError, divide, read_chunk, write_chunk
from seawall.studies.ensemble_files import EnsembleFiles, checked_prices, load_ensemble, write_manifest
from seawall.studies.ensemble_folder import CHUNKS, bind, fingerprint, prepare, refuse_changed
from seawall.studies.folder_lock import locked
from seawall.studies.one_path import Outcome
from seawall.studies.players import Played, Players, Threads, jobs_of
from seawall.studies.stopping import Watch

CHUNK_PATHS = 25
MOST_PATHS = 1_000_000  # of which every table can be read again
KEPT_SERIES = 2_000
"""Paths of which time series are kept, for the bands of charts."""


class EnsembleFailed(SeawallError):
    """More paths failed than may; all files are written all the same."""


class EnsembleInterrupted(KeyboardInterrupt):
    """Ctrl-C: whole chunks are kept; the text says how to go on."""


@dataclass
class _Plan:
    """What is asked, and what was found on the way."""

    loaded: Loaded
    bound: dict[str, Any]
    chunks: list[Chunk]
    players: Players
    first_path: int
    kept_series: int
    watch: Watch | None
    progress: Callable[[int, int], None]
    recomputed: list[str] = field(default_factory=list)
    kept: int = 0

    @property
    def cap(self) -> int:
        """Paths asked for."""
        return sum(len(chunk.numbers) for chunk in self.chunks)

    def play(self, paths: Iterator[int]) -> Played:
        """Outcomes of paths, in their order, some at a time."""
        series_before = self.first_path + self.kept_series
        each, seed = self.players.paths_per_job, self.bound["seed"]
        return self.players.play(jobs_of(self.loaded, seed, paths, each=each, series_before=series_before))


def run_paths(
    loaded: Loaded,
    *,
    paths: int,
    folder: Path,
    seed: int | None = None,
    players: Players | None = None,
    resume: bool = False,
    until: str | None = None,
    max_failed_share: float = 0.01,
    progress: Callable[[int, int], None] | None = None,
    first_path: int = 0,
    chunk_paths: int = CHUNK_PATHS,
    kept_series: int = KEPT_SERIES,
) -> EnsembleFiles:
    """Run many paths and write their files.

    Args:
        loaded: a checked scenario.
        paths: how many, 1 to `MOST_PATHS`; with `until` at most so many.
        folder: where the files go; one ensemble, one folder.
        seed: replaces the scenario's own, >= 0.
        players: who plays them, threads on all cores unless told otherwise. Never shows in the results.
        resume: whether paths that are there already are kept.
        until: a stopping rule, see `studies/until.py`.
        max_failed_share: of the paths, in [0, 1].
        progress: called with paths done and paths in all.
        first_path: number of the first path, >= 0.
        chunk_paths: paths per file, >= 1.
        kept_series: of how many paths the time series are kept, >= 0.

    Raises:
        ExpressionError: the stopping rule cannot be read, or names no measure.
        FolderInUse, OtherEnsemble: the folder belongs to somebody else.
        OtherEnsemble: a file that the scenario names has changed meanwhile; paths of the old one are kept.
        EnsembleFailed: too many paths failed; everything is written.
        EnsembleInterrupted: after Ctrl-C.
    """
    if not 1 <= paths <= MOST_PATHS:
        raise ValueError(f"paths(={paths}) must be from 1 to {MOST_PATHS:,}")
    if chunk_paths < 1 or first_path < 0 or not 0.0 <= max_failed_share <= 1.0:
        raise ValueError(f"chunk_paths(={chunk_paths}) >= 1, first_path(={first_path}) >= 0, share(={max_failed_share}) in [0, 1]")
    watch = None if until is None else Watch(until, loaded.scenario)
    seed = loaded.scenario.seed if seed is None else seed
    bound = bind(loaded, seed=seed, first_path=first_path, chunk_paths=chunk_paths, kept_series=kept_series)
    chunks = divide(folder / CHUNKS, range(first_path, first_path + paths), chunk_paths, fingerprint(bound))
    players = players or Threads()
    plan = _Plan(loaded, bound, chunks, players, first_path, kept_series, watch, progress or (lambda _done, _of: None))
    started, clock = datetime.now(UTC), time.perf_counter()
    with locked(folder), _interruptible(plan):
        prepare(folder, bound, resume=resume)
        done, stopping = _fill(plan)
        with _beside() as beside:
            checked = beside.submit(checked_prices, loaded, seed, range(first_path, done[-1].last + 1))
            survey = assemble(done, folder, beside)
            prices = checked.result()
        timing = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - clock, 3),
            "players": players.place,
            "workers": players.workers,
            "peak_memory_mb": peak_memory_mb(),
            "paths_kept_from_before": plan.kept,
            "chunks_computed_again": plan.recomputed,
        }
        write_manifest(folder, loaded, bound, asked=paths, stopping=stopping, found=survey, prices=prices, timing=timing)
    found = load_ensemble(folder)
    judge(found, max_failed_share)
    return found


def peak_memory_mb() -> float:
    """Most memory that this process ever held, megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1e6 if sys.platform == "darwin" else 1e3), 1)  # bytes there, kilobytes elsewhere


@contextmanager
def _interruptible(plan: _Plan) -> Iterator[None]:
    """Turn Ctrl-C into words."""
    try:
        yield
    except KeyboardInterrupt:
        there = sum(len(chunk.numbers) for chunk in plan.chunks if chunk.file.exists())
        text = f"Interrupted; {there:,} of {plan.cap:,} paths are kept. The same command with --resume goes on."
        raise EnsembleInterrupted(text) from None


@contextmanager
def _beside() -> Iterator[Executor]:
    """A thread for what can be done at the same time; not waited for after an error or Ctrl-C."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="beside")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _fill(plan: _Plan) -> tuple[list[Chunk], dict[str, Any] | None]:
    """Compute what is missing, chunk by chunk, until the last one or until the rule is met; what is done, and how the rule stands."""
    whole = {chunk.first for chunk in plan.chunks if _is_whole(plan, chunk)}
    plan.kept = sum(len(chunk.numbers) for chunk in plan.chunks if chunk.first in whole)
    missing = (path for chunk in plan.chunks if chunk.first not in whole for path in chunk.numbers)
    done = 0
    with closing(plan.play(missing)) as played:
        outcomes = chain.from_iterable(played)
        for number, chunk in enumerate(plan.chunks, 1):
            if chunk.first not in whole:
                found = _outcomes_of(plan, chunk, outcomes, done)
                refuse_changed(plan.loaded, plan.bound)
                write_chunk(chunk, found)
            done += len(chunk.numbers)
            plan.progress(done, plan.cap)
            if plan.watch is not None and plan.watch.is_over(read_chunk(chunk)):
                return plan.chunks[:number], plan.watch.found
    return plan.chunks, None if plan.watch is None else plan.watch.found


def _outcomes_of(plan: _Plan, chunk: Chunk, outcomes: Iterator[Outcome], done: int) -> list[Outcome]:
    found: list[Outcome] = []
    for outcome in islice(outcomes, len(chunk.numbers)):
        found.append(outcome)
        plan.progress(done + len(found), plan.cap)
    return found


def _is_whole(plan: _Plan, chunk: Chunk) -> bool:
    try:
        read_chunk(chunk)
    except FileNotFoundError:
        return False
    except SpoiltChunkError as error:
        plan.recomputed.append(str(error))
        return False
    return True


def judge(found: EnsembleFiles, max_failed_share: float = 0.01) -> None:
    """Refuse (EnsembleFailed) an ensemble of which more than a share of the paths failed."""
    failed = found.failed
    if len(failed) > max_failed_share * found.paths:
        first = failed[0]
        raise EnsembleFailed(
            f"{len(failed):,} of {found.paths:,} paths failed, more than {max_failed_share:.1%}; the first is path {first['path']}: "
            f"{first['type']}: {first['error']}\nPlay it again: {first['command']}"
        )
