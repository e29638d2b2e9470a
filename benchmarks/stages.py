"""Where the time of `run.py run` goes, stage by stage, once all machine code is cached.

.venv/bin/python benchmarks/stages.py            # a table, of five processes
.venv/bin/python benchmarks/stages.py once       # JSON, of this process
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pages import table

SCENARIO = Path(__file__).resolve().parent.parent / "scenarios" / "short_squeeze.yaml"
PROCESSES = 5


def once(folder: Path) -> dict[str, float]:
    """CPU seconds of each stage, in order, done as the command does it."""
    gc.disable()
    found: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        found[name] = time.process_time() - start

    with stage("import the command line (Typer, Rich)"):
        import seawall.run  # noqa: F401
    with stage("import Mesa (with NumPy, pandas, scipy.spatial, networkx)"):
        import mesa  # noqa: F401
    with stage("import Numba"):
        import numba  # noqa: F401
    with stage("import the market, read the scenario"):
        from seawall.scenarios.load import load
        from seawall.studies.simulate import run
        from seawall.studies.store import save

        loaded = load(SCENARIO)
    with stage("read the machine code, build, simulate, check the path"):
        result = run(loaded)
    simulated = result.manifest["seconds"]["simulate"]
    with stage("write the files (Parquet, JSON)"):
        save(result, folder)
    with stage("import Matplotlib and Jinja"):
        from rich.console import Console

        from seawall.reports.html import draw_all, render, write_figures
        from seawall.reports.terminal import print_summary
    with stage("draw six figures"):
        drawings = draw_all(result)
    with stage("write the page, print the summary"):
        render(result, drawings)
        write_figures(drawings, folder / "figures")
        with (folder / "summary.txt").open("w", encoding="utf-8") as file:
            print_summary(result, Console(file=file), folder)
    return found | {"of all that, the rounds of the market": simulated}


def profile(processes: int = PROCESSES) -> str:
    """A table of medians over processes, and each stage's share."""
    each = [_whole() for _ in range(processes)]
    medians = {name: statistics.median(one[name] for one in each) for name in each[0]}
    *stages, rounds = medians.items()
    total = sum(seconds for _, seconds in stages)
    rows = [[name, f"{seconds:.2f}", f"{seconds / total:.0%}"] for name, seconds in (*stages, ("all", total), rounds)]
    return table(["stage of `run.py run`, default scenario", "CPU s", "share"], rows)


def _whole() -> dict[str, float]:
    """The stages of a process, and what its start and its end cost beside them; Python keeps its bytecode, as it does for users."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    told = subprocess.run([sys.executable, __file__, "once"], capture_output=True, check=True, env=environment).stdout
    after = os.times()
    found: dict[str, float] = json.loads(told)
    *stages, rounds = found
    total = after.children_user - before.children_user + after.children_system - before.children_system
    beside = total - sum(found[name] for name in stages)
    return {name: found[name] for name in stages} | {"start Python, and end it": beside, rounds: found[rounds]}


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        with tempfile.TemporaryDirectory(prefix="seawall-bench-") as name:
            print(json.dumps(once(Path(name))))
        gc.freeze()  # as the command does: nothing is searched for garbage at the end
    else:
        print(profile())
