"""What a worker of a cluster is asked to do: to say what it is, and to play a job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import get_worker

from seawall.scenarios.load import Loaded
from seawall.studies.environment import differences, environment
from seawall.studies.luggage import Luggage, unpack
from seawall.studies.one_path import Outcome
from seawall.studies.players import Job, play_job


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a worker did not play. A value, as an exception whose traceback cannot be sent would never reach whoever waits for it."""

    text: str


def introduce() -> dict[str, Any]:
    """What the bytes of this worker's paths depend on."""
    return environment()


def keep(luggage: Luggage) -> Luggage:
    """Hold luggage for the jobs that need it; the scheduler brings it to whichever worker plays one, and has it kept anew if that dies."""
    return luggage


def play_there(job: Job, luggage: Luggage | None, expected: dict[str, Any]) -> list[Outcome] | Trouble:
    """Play a job on this worker.

    Args:
        job: what to play, its scenario packed.
        luggage: what was taken out of it.
        expected: environment of whoever asks; looked at for each job, as workers join at any time.
    """
    worker = get_worker()
    name = f"{worker.address} ({worker.name})"
    if unlike := unlikeness(name, environment(), expected):
        return Trouble(unlike)
    try:
        return _played(job, luggage, Path(worker.local_directory))
    except Exception as error:  # of this machine: what goes wrong on a path is an outcome
        return Trouble(f"Worker {name} could not play: {type(error).__name__}: {error}")


def unlikeness(worker: str, there: dict[str, Any], here: dict[str, Any]) -> str | None:
    """What is wrong with a worker whose paths might differ in a byte: other versions, code or arithmetic; None if nothing is."""
    differ = differences(there, here)
    return f"Worker {worker} would play other paths than this machine: {'; '.join(differ)}. See docs/cluster.md." if differ else None


def _played(job: Job, luggage: Luggage | None, folder: Path) -> list[Outcome]:
    if luggage is None:
        return play_job(job, lambda: False)
    loaded = unpack(job.loaded, luggage, folder)
    return [_as_named_at_home(outcome, loaded, job.loaded) for outcome in play_job(replace(job, loaded=loaded), lambda: False)]


def _as_named_at_home(outcome: Outcome, there: Loaded, here: Loaded) -> Outcome:
    """An outcome whose error, if any, names the price file as it is named where the study runs."""
    if outcome.error is None or there.prices_file is None:
        return outcome
    kind, text = outcome.error
    return replace(outcome, error=(kind, text.replace(str(there.prices_file), str(here.prices_file))))
