"""The ground job, measured side by side: Seawall, a plain Mesa model of the same rules, and a bare compiled loop.

    .venv/bin/python benchmarks/ground.py            # about two minutes
    .venv/bin/python benchmarks/ground.py --rounds 1 --no-startup

Prints ratios with their spread, and the goals beside them. Nothing passes or fails here: the figures depend on the machine, ratios much
less than seconds. All worlds are built, and everything is compiled, before the clock starts. See README.md for what is compared.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import startup
from peers import bare_loop
from peers.mesa_idiomatic import GroundMarket
from peers.outcome import Outcome

from seawall.models.stress import StressModel
from seawall.scenarios.build import build
from seawall.scenarios.load import Loaded, load

JOB = Path(__file__).with_name("ground.yaml")
FAST_REPETITIONS = 3  # of the compiled ones, in each round
SEAWALL, BARE, SHUFFLED, ORDERED = "Seawall", "bare compiled loop", "Mesa, shuffle_do", "Mesa, do"

Run = Callable[[], Outcome]


@dataclass(slots=True)
class Contestant:
    """One way to play the ground job.

    Attributes:
        prepare: builds everything and returns what is to be timed.
        seconds: CPU seconds of each run, a list per round.
        outcome: what the last run came to.
    """

    prepare: Callable[[], Run]
    seconds: list[list[float]] = field(default_factory=list)
    outcome: Outcome | None = None

    def play(self) -> None:
        """Play the whole job once and keep the CPU time, in the last round's list."""
        run = self.prepare()
        start = time.process_time()
        self.outcome = run()
        self.seconds[-1].append(time.process_time() - start)

    @property
    def medians(self) -> list[float]:
        """Median of each round, CPU seconds."""
        return [statistics.median(seconds) for seconds in self.seconds]


def contestants(job: Loaded) -> dict[str, Contestant]:
    """Everybody who plays, the fast ones first."""
    return {
        SEAWALL: Contestant(lambda: _seawall(build(job))),
        BARE: Contestant(lambda: _bare(build(job))),
        SHUFFLED: Contestant(lambda: _mesa(build(job), "shuffle_do")),
        ORDERED: Contestant(lambda: _mesa(build(job), "do")),
    }


def _seawall(model: StressModel) -> Run:
    def run() -> Outcome:
        model.run()
        return outcome_of(model)

    return run


def _bare(model: StressModel) -> Run:
    market = bare_loop.copy_of(model.world)
    return lambda: bare_loop.run(market)


def _mesa(model: StressModel, activation: str) -> Run:
    market = GroundMarket(model.world, activation=activation)
    return lambda: market.run(model.rounds_left)


def outcome_of(model: StressModel) -> Outcome:
    """Seawall's figures under the names that all share."""
    figures = {name: figure.value for group in model.summary().values() for name, figure in group.items()}
    return Outcome(**{name: figures[name] for name in Outcome.__dataclass_fields__})


def measure(rounds: int) -> dict[str, Contestant]:
    """Let all play in turn, `rounds` times: the compiled ones A B A B A B, then the Mesa models."""
    everybody = contestants(load(JOB))
    for name in (SEAWALL, BARE):
        everybody[name].prepare()()  # compiles
    for number in range(rounds):
        print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
        for contestant in everybody.values():
            contestant.seconds.append([])
        for _ in range(FAST_REPETITIONS):
            everybody[SEAWALL].play()
            everybody[BARE].play()
        everybody[SHUFFLED].play()
        everybody[ORDERED].play()
    return everybody


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (header, *rows)]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def ratios(everybody: dict[str, Contestant]) -> str:
    """CPU time of one over that of another, round by round: median, lowest to highest, goal."""
    rows = []
    for upper, lower, goal in ((SHUFFLED, SEAWALL, "at least 100"), (ORDERED, SEAWALL, "-"), (SEAWALL, BARE, "at most 3")):
        values = [a / b for a, b in zip(everybody[upper].medians, everybody[lower].medians, strict=True)]
        rows.append([f"{upper} / {lower}", f"{statistics.median(values):.1f}", f"{min(values):.1f} to {max(values):.1f}", goal])
    return table(["CPU time of the ground job", "ratio", "spread", "goal"], rows)


def seconds(everybody: dict[str, Contestant]) -> str:
    """CPU milliseconds of all runs: median, lowest to highest, number."""
    rows = []
    for name, contestant in everybody.items():
        each = [1000.0 * value for values in contestant.seconds for value in values]
        rows.append([name, f"{statistics.median(each):,.1f}", f"{min(each):,.1f} to {max(each):,.1f}", str(len(each))])
    return table(["ground job", "CPU ms", "spread", "runs"], rows)


def outcomes(everybody: dict[str, Contestant]) -> str:
    """What the runs came to, side by side."""
    each = [asdict(contestant.outcome) for contestant in everybody.values() if contestant.outcome is not None]
    rows = [[name, *(f"{outcome[name]:,.0f}" for outcome in each)] for name in each[0]]
    return table(["outcome", *everybody], rows)


def startup_table(found: startup.Startup) -> str:
    """Seconds of the command line, first and later."""

    def row(what: str, clock: list[float], cpu: list[float], goal: str) -> list[str]:
        spread = f"{min(clock):.1f} to {max(clock):.1f}" if len(clock) > 1 else "one run"
        return [what, f"{statistics.median(clock):.1f}", spread, f"{statistics.median(cpu):.1f}", goal]

    rows = [
        row("first run, empty cache", [found.first], [found.first_cpu], "-"),
        row("later runs", found.later, found.later_cpu, "-"),
        row("compilation: the difference", [found.compilation], [found.compilation_cpu], "less than 30"),
    ]
    return table(["run.py run of the default scenario", "seconds", "spread", "CPU seconds", "goal"], rows)


def machine() -> str:
    """Cores, processor and versions, on one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("mesa", "numba", "numpy"))
    return f"{os.cpu_count()} cores, {processor()}, {platform.system()}; Python {platform.python_version()}, {versions}"


def processor() -> str:
    """Name of the processor, from /proc/cpuinfo where there is one."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="times that everybody plays (default 5)")
    parser.add_argument("--no-startup", action="store_true", help="leave out compilation and start of the command line")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds} is not at least 1")
    everybody = measure(options.rounds)
    parts = [machine(), ratios(everybody), seconds(everybody), outcomes(everybody)]
    if not options.no_startup:
        print("first run of a copy with an empty cache ...", file=sys.stderr, flush=True)
        parts.append(startup_table(startup.measure(options.rounds)))
    print("\n\n".join(parts))


if __name__ == "__main__":
    main()
