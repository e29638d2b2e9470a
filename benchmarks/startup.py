"""How long the command line takes to a finished report: the first time, when all rules are compiled, and every time after; and to its help.

Measured on a copy of the sources in a temporary folder, whose cache is empty: nothing in this clone is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from pages import table

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_SCENARIO = "scenarios/short_squeeze.yaml"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one process, from its start to its end.

    Attributes:
        clock: by the clock.
        cpu: CPU time.
        simulation: what of it by the clock were rounds of the market; 0 where there were none.
    """

    clock: float
    cpu: float
    simulation: float = 0.0


@dataclass(frozen=True, slots=True)
class Startup:
    """`run.py run` on the default scenario, with an empty cache and each time after, and `run.py --help`."""

    first: Timing
    later: list[Timing]
    helps: list[Timing]

    def table(self) -> str:
        """All of it in Markdown, goals beside it."""
        beyond = [timing.clock - timing.simulation for timing in self.later]
        after, after_cpu = (statistics.median(getattr(timing, name) for timing in self.later) for name in ("clock", "cpu"))
        rows = [
            _row("run, empty cache", [self.first.clock], [self.first.cpu], "-"),
            _row("run, each time after", [timing.clock for timing in self.later], [timing.cpu for timing in self.later], "-"),
            _row("of that beyond its simulation", beyond, [], "less than 2"),
            _row("compilation: the difference", [self.first.clock - after], [self.first.cpu - after_cpu], "less than 30"),
            _row("--help", [timing.clock for timing in self.helps], [timing.cpu for timing in self.helps], "less than 0.5"),
        ]
        return table(["run.py, default scenario", "seconds", "spread", "CPU seconds", "goal"], rows)


def _row(what: str, clock: list[float], cpu: list[float], goal: str) -> list[str]:
    spread = f"{min(clock):.2f} to {max(clock):.2f}" if len(clock) > 1 else "one run"
    return [what, f"{statistics.median(clock):.2f}", spread, f"{statistics.median(cpu):.2f}" if cpu else "-", goal]


def measure(repetitions: int) -> Startup:
    """Time the first run of a fresh copy, `repetitions` more, and as many of `--help`."""
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as name:
        package = copy_sources(Path(name))
        first = time_run(package)
        if not (package / ".cache" / "numba").is_dir():
            raise RuntimeError(f"the copy in {package} was not what ran: it has no cache")
        later = [time_run(package) for _ in range(repetitions)]
        return Startup(first, later, [time_command(package, "--help") for _ in range(repetitions)])


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


def time_run(package: Path) -> Timing:
    """One run of the default scenario with report and figures."""
    out = package.parent / "out"
    timing = time_command(package, "run", str(package / DEFAULT_SCENARIO), "--out", str(out))
    (manifest,) = out.glob("*/*/manifest.json")
    return replace(timing, simulation=json.loads(manifest.read_text(encoding="utf-8"))["seconds"]["simulate"])


def time_command(package: Path, *words: str) -> Timing:
    """One command of the copy, in a process of its own."""
    command = [sys.executable, str(package / "run.py"), *words]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_") and key != "PYTHONDONTWRITEBYTECODE"}
    environment = kept | {"PYTHONPATH": str(package.parent)}
    before, clock = os.times(), time.perf_counter()
    subprocess.run(command, cwd=package.parent, env=environment, check=True, capture_output=True)
    seconds, after = time.perf_counter() - clock, os.times()
    return Timing(seconds, after.children_user - before.children_user + after.children_system - before.children_system)


if __name__ == "__main__":
    print(measure(5).table())
