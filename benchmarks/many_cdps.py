"""Many CDPs in one market: a million of which half act, and a hundred thousand that are quiet beside a thousand; as CPU seconds.

    .venv/bin/python benchmarks/many_cdps.py           # about two minutes
    .venv/bin/python benchmarks/many_cdps.py --write   # and put the tables into benchmarks/README.md

Every market is the ground job with other owners of CDPs, a process of its own. More CDPs share the same debt: sizes, and what a purchase
costs a liquidator, are divided by as much as their number is multiplied.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from pages import machine, rewrite, table

from seawall.scenarios.build import build_model
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import load

HERE = Path(__file__).resolve().parent
JOB, PAGE = HERE / "ground.yaml", HERE / "README.md"
MILLION, MANY, FEW = 1_000_000, 100_000, 1_000
REPETITIONS, QUIET_REPETITIONS = 3, 9
BUSY = {  # owners wake when that share of their buffer is left, so that half of all CDPs change: topped up, burned down or liquidated
    "every owner looks": ["minters.inattentive_share=0", "minters.alert_at=0.68"],
    "a fifth never look": ["minters.alert_at=0.75"],
}
QUIET = ["minters.inattentive_share=1", "minters.buffer.median=3", "minters.buffer.sigma=0.1"]  # far above what any price here calls
Figures = dict[str, float]


def settings(count: int, usd: float = 20_000.0) -> list[str]:
    """So many CDPs in the place of the ground job's thousand, which have collateral of that median."""
    share = FEW / count
    sizes = {"count": count, "collateral_usd.median": usd * share, "collateral_usd.sigma": 1.0}
    return [*(f"minters.{key}={value!r}" for key, value in sizes.items()), f"liquidators.cost_usd={2.0 * share!r}"]


def measure(repetitions: int, options: list[str]) -> Figures:
    """CPU seconds of the ground job with other settings, the least of the repetitions; CDPs that changed; megabytes of the process."""
    loaded, spent, acted = load(JOB, options), [], 0
    build_model(load(JOB), price_paths(load(JOB), 0, 0), 0, 0).run_for(1)  # reads the machine code
    for _ in range(repetitions):
        gc.collect()  # a model lies in a circle of references: that of the last repetition
        start = time.process_time()
        paths = price_paths(loaded, loaded.scenario.seed, 0)
        drawn = time.process_time()
        model = build_model(loaded, paths, loaded.scenario.seed, 0)
        built = time.process_time()
        cdps = model.world.cdps
        before = cdps["collateral"].copy(), cdps["debt"].copy()
        starts = time.process_time()
        model.run()
        spent.append((drawn - start, built - drawn, time.process_time() - starts))
        acted = int(((cdps["collateral"] != before[0]) | (cdps["debt"] != before[1])).sum())
        del model, cdps, before
    draw, build, play = (min(times) for times in zip(*spent, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"draw": draw, "build": build, "play": play, "path": min(map(sum, spent)), "acted": acted, "peak_mb": peak / 1e6}


def apart(repetitions: int, options: list[str]) -> Figures:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--point", str(repetitions), *options]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def million_table() -> str:
    """A week of minutes with a million CDPs."""
    rows = []
    for name, options in BUSY.items():
        found = apart(REPETITIONS, [*settings(MILLION), *options])
        seconds = [f"{found[part]:.2f}" for part in ("draw", "build", "play", "path")]
        rows.append([name, f"{found['acted'] / MILLION:.0%}", *seconds, f"{found['peak_mb']:,.0f}"])
    return table(["1,000,000 CDPs", "acted", "draw s", "build s", "play s", "path s", "process MB"], rows)


def quiet_table() -> str:
    """The same with CDPs that nothing happens to, few and many."""
    found = {count: apart(QUIET_REPETITIONS, [*settings(count, 60_000.0), *QUIET]) for count in (FEW, MANY)}
    rows = [
        [f"{count:,}", f"{1e3 * each['build']:.1f}", f"{1e3 * each['play']:.2f}", f"{each['acted']:,.0f}"] for count, each in found.items()
    ]
    ratios = [f"{found[MANY][part] / found[FEW][part]:.{digits}f}" for part, digits in (("build", 0), ("play", 2))]
    return table(["quiet CDPs", "build ms", "play and check ms", "acted"], [*rows, ["ratio", *ratios, "-"]])


def main() -> None:
    """Measure, print and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    parser.add_argument("--point", nargs="+", metavar="N", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.point:
        print(json.dumps(measure(int(options.point[0]), options.point[1:])))
        return
    text = "\n\n".join((machine(), million_table(), quiet_table()))
    print(text)
    if options.write:
        rewrite(PAGE, "many CDPs", text)


if __name__ == "__main__":
    main()
