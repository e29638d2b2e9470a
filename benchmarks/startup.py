"""How long the command line takes to a finished report: the first time, when all rules are compiled, and every time after.

Measured on a copy of the sources in a temporary folder, whose cache is empty: nothing in this clone is touched.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_SCENARIO = "scenarios/short_squeeze.yaml"


@dataclass(frozen=True, slots=True)
class Startup:
    """Seconds of `run.py run` on the default scenario, from the start of the process to its end.

    Attributes:
        first: by the clock, with an empty cache.
        later: by the clock, each time after.
        first_cpu: CPU time of the first.
        later_cpu: CPU time, each time after.
    """

    first: float
    later: list[float]
    first_cpu: float
    later_cpu: list[float]

    @property
    def compilation(self) -> float:
        """What the first run takes longer than a later one, by the clock."""
        return self.first - statistics.median(self.later)

    @property
    def compilation_cpu(self) -> float:
        """What the first run takes longer than a later one, CPU time."""
        return self.first_cpu - statistics.median(self.later_cpu)


def measure(repetitions: int) -> Startup:
    """Time the first run of a fresh copy and `repetitions` more."""
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as name:
        package = copy_sources(Path(name))
        first, first_cpu = time_run(package)
        if not (package / ".cache" / "numba").is_dir():
            raise RuntimeError(f"the copy in {package} was not what ran: it has no cache")
        later = [time_run(package) for _ in range(repetitions)]
    return Startup(first, [clock for clock, _ in later], first_cpu, [cpu for _, cpu in later])


def copy_sources(folder: Path) -> Path:
    """Copy the packages that pyproject.toml lists, without caches, to `folder/seawall`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    package = folder / "seawall"
    package.mkdir()
    for name in project["tool"]["setuptools"]["packages"]:
        inner = Path(*name.split(".")[1:])
        if inner != Path():
            shutil.copytree(ROOT / inner, package / inner, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.glob("*.py"):
        shutil.copy(file, package)
    return package


def time_run(package: Path) -> tuple[float, float]:
    """Seconds by the clock and of CPU for one run of the default scenario with report and figures."""
    command = [sys.executable, str(package / "run.py"), "run", str(package / DEFAULT_SCENARIO), "--out", str(package.parent / "out")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")} | {"PYTHONPATH": str(package.parent)}
    before, clock = os.times(), time.perf_counter()
    subprocess.run(command, cwd=package.parent, env=environment, check=True, capture_output=True)
    seconds, after = time.perf_counter() - clock, os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return seconds, cpu
