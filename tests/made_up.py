"""A small scenario, and players that make outcomes up: studies without a market."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from seawall.scenarios.load import Loaded, load
from seawall.studies import store
from seawall.studies.one_path import Outcome
from seawall.studies.players import Job
from seawall.studies.trials import Trials

SMALL = """
name: Small
about: A quarter of an hour of one tASSET.
seed: 3
prices: {model: simulated, start: 2024-03-04T14:30:00Z, days: 0.0125, assets: {A: {start_usd: 100, volatility_per_year: 9}}}
shocks:
  - {asset: A, at_hours: 0.1, change: 0.2}
outages:
  - {tasset: tA, at_hours: 0.1, hours: 0.1}
tassets: {tA: {tracks: A, min_collateral_ratio: 1.5, auction_discount: 0.2, pool: {liquidity_usd: 2000}}}
minters: {count: 4}
liquidators: {count: 1}
"""

Figures = Callable[[Loaded, int], dict[str, float]]
"""Figures of a path of a scenario, by its number."""


@dataclass
class MadeUp:
    """Players that make outcomes up.

    Attributes:
        figures: by scenario and number of the path.
        jobs: that were played.
        stop_after: jobs after which somebody presses Ctrl-C.
        fails: whether a path of this number fails.
        log_weight: of a path of this number.
    """

    figures: Figures
    place: str = "made up"
    dashboard: str | None = None
    paths_per_job: int = 1
    workers: int = 1
    jobs: list[Job] = field(default_factory=list)
    stop_after: int | None = None
    fails: Callable[[int], bool] = lambda path: False
    log_weight: Callable[[int], float] = lambda path: 0.0

    def play(self, jobs: Iterable[Job]) -> Generator[list[Outcome], None, None]:
        for job in jobs:
            if len(self.jobs) == self.stop_after:
                raise KeyboardInterrupt
            self.jobs.append(job)
            yield [self._outcome(job, path) for path in job.paths]

    def _outcome(self, job: Job, path: int) -> Outcome:
        if self.fails(path):
            return Outcome(path, error=("ConservationError", "money vanished"))
        return Outcome(path, self.log_weight(path), self.figures(job.loaded, path))


def small(folder: Path, *settings: str) -> Loaded:
    """The scenario, written into a folder."""
    file = folder / "small.yaml"
    if not file.exists():
        file.write_text(SMALL, encoding="utf-8")
    return load(file, settings)


def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no disk: a study writes hundreds of files, and whether they would outlive a crash is tested elsewhere."""
    monkeypatch.setattr(store, "_sync", lambda _path: None)


def trials(folder: Path, players: MadeUp, chunk_paths: int = 10) -> Trials:
    """Trials on the paths of seed 3."""
    return Trials(folder / "trials", 3, players, chunk_paths)
