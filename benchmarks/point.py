"""One market in a process of its own: seconds to build and to play it, and memory, as JSON.

.venv/bin/python benchmarks/point.py 3 minters.count=4000
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from seawall.scenarios.build import build
from seawall.scenarios.load import load

JOB = Path(__file__).with_name("ground.yaml")


def measure(repetitions: int, settings: list[str]) -> dict[str, float]:
    """CPU seconds, the least of the repetitions, of the ground job with other settings; megabytes of all tables and of the process."""
    build(load(JOB)).run_for(1)  # reads the machine code
    loaded, building, playing, tables = load(JOB, settings), [], [], 0
    for _ in range(repetitions):
        start = time.process_time()
        model = build(loaded)
        built = time.process_time()
        model.run()
        building.append(built - start)
        playing.append(time.process_time() - built)
        tables = sum(table.nbytes for table in model.world)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"build": min(building), "simulate": min(playing), "tables_mb": tables / 1e6, "peak_mb": peak / 1e6}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2:])))
