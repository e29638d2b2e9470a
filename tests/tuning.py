"""Tuning studies for tests: a small study file, and players who make outcomes up instead of playing a market."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from markets import STORM

from seawall.scenarios.schema import Scenario
from seawall.studies.one_path import Outcome
from seawall.studies.players import Job
from seawall.studies.tune import Study, Tuned, load_study, tune

Response = Callable[[Scenario, np.random.Generator], dict[str, float]]
"""Measures of a path under a scenario's terms; the generator is the same for a path whatever the terms."""
STUDY: dict[str, Any] = {
    "name": "Made up",
    "about": "A study for tests.",
    "seed": 3,
    "scenarios": [{"file": "storm.yaml"}],
    "parameters": [
        {"name": "ratio", "key": "tassets.*.min_collateral_ratio", "low": 1.2, "high": 2.0, "points": 9},
        {"name": "discount", "key": "tassets.*.auction_discount", "values": [0.05, 0.1]},
    ],
    "objectives": [
        {"name": "efficiency", "maximise": "mean(efficiency)", "within": 0.001},
        {"name": "loss", "minimise": "mean(bad_debt_usd)"},
    ],
    "constraints": [{"name": "insolvency", "require": "p(bad_debt > 0) <= 5%"}],
    "search": {"first_paths": 20, "paths": 320, "finalists": 3},
    "checks": {"paths": 100},
}


def terms_of(scenario: Scenario) -> tuple[float, float]:
    """Minimum ratio and discount of a scenario's first tASSET."""
    terms = next(iter(scenario.tassets.values()))
    return terms.min_collateral_ratio, terms.auction_discount


def losses(scenario: Scenario, rng: np.random.Generator) -> dict[str, float]:
    """Lower minima are more efficient; below 1.6 bad debt happens, the more often the lower; a larger discount makes it larger."""
    ratio, discount = terms_of(scenario)
    draw = rng.random()
    return {"efficiency": 1.0 / ratio + 0.001 * draw, "bad_debt_usd": (1.0 + discount) * float(draw < 1.6 - ratio)}


class MadeUp:
    """Players who ask a response instead of playing; they may be interrupted after some jobs."""

    place, dashboard, paths_per_job, workers = "made up", None, 1, 1

    def __init__(self, response: Response = losses, *, interrupt_after: int | None = None) -> None:
        """Answer with `response`; raise KeyboardInterrupt in job number `interrupt_after`."""
        self.response, self.interrupt_after = response, interrupt_after
        self.paths = 0

    def play(self, jobs: Iterable[Job]) -> Iterator[list[Outcome]]:
        """Outcomes of each job."""
        for number, job in enumerate(jobs):
            if number == self.interrupt_after:
                raise KeyboardInterrupt
            self.paths += len(job.paths)
            yield [self._outcome(job, path) for path in job.paths]

    def _outcome(self, job: Job, path: int) -> Outcome:
        try:
            figures = self.response(job.loaded.scenario, np.random.default_rng([job.seed, path]))
        except ValueError as error:
            return Outcome(path, error=("ValueError", str(error)))
        return Outcome(path, figures=figures, units={name: ("made_up", "USD") for name in figures})


def study(folder: Path, **changes: Any) -> Study:
    """A study in a folder, with some keys changed."""
    shutil.copy(STORM, folder / "storm.yaml")
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(STUDY | changes, sort_keys=False), encoding="utf-8")
    return load_study(file)


def answer(asked: Study, folder: Path, players: MadeUp | None = None, **options: Any) -> Tuned:
    """The answer of a study."""
    return tune(asked, folder / "trials", players or MadeUp(), progress=lambda _done, _of: None, **options)
