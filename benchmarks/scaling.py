"""How time and memory grow with CDPs, traders, rounds, paths and cores, and where the time goes: the tables of docs/performance.md.

    .venv/bin/python benchmarks/scaling.py           # about four minutes
    .venv/bin/python benchmarks/scaling.py --write   # and put tables and figure into docs/performance.md

Each point is a process of its own, which plays the ground job with other settings. More CDPs or traders share the same market: sizes are
divided by as much as numbers are multiplied, so that volume, debt and pools stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from many_cdps import settings as cdps
from pages import machine, rewrite, table
from scaling_figure import draw_curves
from stages import profile

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
FIGURE = PAGE.with_suffix("") / "scaling.svg"
REPETITIONS, LONG_REPETITIONS = 7, 3
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """What is varied.

    Attributes:
        name: of the variable, plural.
        sizes: its values.
        settings: those of the ground job for a value; None for ensembles, of which the value is the number of paths.
    """

    name: str
    sizes: tuple[int, ...]
    settings: Callable[[int], list[str]] | None = None


def _traders(count: int) -> list[str]:
    share = 200 / count
    each = {"cash_usd": 20_000.0 * share, "tokens_usd": 5_000.0 * share, "order_usd.median": 200.0 * share, "order_usd.sigma": 1.0}
    return [f"traders.count={count}", *(f"traders.{key}={value!r}" for key, value in each.items())]


CORES = os.cpu_count() or 1
ENSEMBLE = 1_000  # paths, where players vary
CURVES = (
    Curve("CDPs", (250, 1_000, 4_000, 16_000, 64_000), cdps),
    Curve("traders", (50, 200, 800, 3_200, 12_800), _traders),
    Curve("rounds", (5_760, 11_520, 23_040, 46_080, 92_160), lambda rounds: [f"prices.days={rounds // 1_440}"]),
    Curve("paths", (125, 250, 500, 1_000)),
)
PLAYERS = {
    "one core, one thread": ["--workers", "1"],
    f"{CORES} cores, {CORES} threads": ["--workers", str(CORES)],
    f"{CORES} cores, {CORES} processes": ["--processes", str(CORES)],
}
WITHOUT = {
    "the ground job": [],
    "without traders": ["traders.count=0"],
    "without arbitrageurs": ["arbitrageurs.count=0"],
    "without liquidators": ["liquidators.count=0"],
    "with owners who never look": ["minters.inattentive_share=1"],
    "with LPs who never leave": ["lps.nervous_share=0"],
    "with two records instead of 481": ["record_minutes=10080"],
}


def point(settings: Sequence[str], repetitions: int) -> Figures:
    """Seconds and megabytes of one market."""
    command = [sys.executable, str(HERE / "point.py"), str(repetitions), *settings]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def ensemble(paths: int, players: Sequence[str]) -> Figures:
    """`run.py run --paths`: seconds by the clock and megabytes, from its manifest, and CPU seconds of the whole command."""
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as name:
        options = ["--paths", str(paths), *players, "--out", name]
        before = os.times()
        subprocess.run(
            [sys.executable, str(HERE.parent / "run.py"), "run", str(HERE / "ground.yaml"), *options], check=True, capture_output=True
        )
        after = os.times()
        (manifest,) = Path(name).glob("*/*/manifest.json")
        found = json.loads(manifest.read_text(encoding="utf-8"))
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return {"simulate": found["seconds"], "command": cpu, "peak_mb": found["peak_memory_mb"]}


def figures_of(curve: Curve, size: int) -> Figures:
    """What one point of a curve costs."""
    return ensemble(size, ["--workers", "1"]) if curve.settings is None else point(curve.settings(size), LONG_REPETITIONS)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process, and those that it starts, on one core."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def players_table() -> str:
    """The same paths played by one core and by all."""
    found: dict[str, Figures] = {}
    for name, options in PLAYERS.items():
        with on_one_core() if not found else nullcontext():
            found[name] = ensemble(ENSEMBLE, options)
    first = next(iter(found.values()))["simulate"]
    rows = [
        [name, f"{each['simulate']:.1f}", f"{first / each['simulate']:.2f}", f"{each['command']:.1f}", f"{each['peak_mb']:,.0f}"]
        for name, each in found.items()
    ]
    return table([f"{ENSEMBLE:,} paths", "s", "times as fast", "CPU s of the command", "first process MB"], rows)


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Slope of the logarithm of cost over that of size, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def curve_table(curve: Curve, found: Sequence[Figures]) -> str:
    """Costs by size, and the exponents of each cost over all sizes and over the last two."""
    columns = {
        "simulate": ("s", 3),
        "build": ("build s", 3),
        "command": ("CPU s of the command", 1),
        "tables_mb": ("tables MB", 1),
        "peak_mb": ("process MB", 0),
    }
    shown = {name: columns[name] for name in columns if name in found[0]}
    rows = [
        [f"{size:,}", *(f"{each[name]:,.{digits}f}" for name, (_, digits) in shown.items())]
        for size, each in zip(curve.sizes, found, strict=True)
    ]
    for text, part in (("exponent, all", slice(None)), ("exponent, last two", slice(-2, None))):
        rows.append([text, *(f"{exponent(curve.sizes[part], [each[name] for each in found[part]]):.2f}" for name in shown)])
    return table([curve.name, *(title for title, _ in shown.values())], rows)


def without_table() -> str:
    """What the rounds of the ground job cost with a part of it left out."""
    found = {name: 1000.0 * point(settings, REPETITIONS)["simulate"] for name, settings in WITHOUT.items()}
    whole = next(iter(found.values()))
    rows = [
        [name, f"{milliseconds:.1f}", f"{milliseconds / whole - 1:+.0%}" if name != next(iter(found)) else "-"]
        for name, milliseconds in found.items()
    ]
    return table(["10,080 rounds", "CPU ms", "change"], rows)


def main() -> None:
    """Measure, print and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put tables and figure into docs/performance.md")
    options = parser.parse_args()
    measured: dict[str, list[Figures]] = {}
    for curve in CURVES:
        print(f"{curve.name} ...", file=sys.stderr, flush=True)
        measured[curve.name] = [figures_of(curve, size) for size in curve.sizes]
    parts = {
        "machine": machine(),
        "scaling": "\n\n".join([*(curve_table(curve, measured[curve.name]) for curve in CURVES), players_table()]),
        "without": without_table(),
        "stages": profile(),
    }
    print("\n\n".join(parts.values()))
    if options.write:
        for name, text in parts.items():
            rewrite(PAGE, name, text)
        draw_curves(FIGURE, {curve.name: (curve.sizes, [each["simulate"] for each in measured[curve.name]]) for curve in CURVES})


if __name__ == "__main__":
    main()
