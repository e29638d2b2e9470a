"""A peer's command line: play the rounds of a job once and print CPU seconds, outcome and versions as JSON.

python -m peers.numpy_vectorised job.npz --rounds 10080
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
from peers.job import Job, load
from peers.outcome import Outcome

Prepare = Callable[[Job, int, str], Callable[[], Outcome]]
"""From a job, the number of rounds and the variant to what is to be timed."""


def main(prepare: Prepare, *, packages: Sequence[str], variants: Sequence[str] = ("",)) -> None:
    """Build everything, then time the rounds; garbage is collected as Python does by default."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=Path)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--variant", choices=variants, default=variants[0])
    options = parser.parse_args()
    with np.errstate(divide="ignore"):  # an owner who never tops up has an alert ratio of 0
        run = prepare(load(options.job), options.rounds, options.variant)
        gc.collect()
        start = time.process_time()
        outcome = run()
        seconds = time.process_time() - start
    versions = {"Python": platform.python_version(), **{name: version(name) for name in packages}}
    print(json.dumps({"seconds": seconds, "outcome": asdict(outcome), "versions": versions}))
