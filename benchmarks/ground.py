"""The ground job, measured side by side: Seawall, a bare compiled loop, NumPy by hand, radCAD, cadCAD and Mesa on the same rules.

    make bench                                       # sets up the peers; under six minutes
    .venv/bin/python benchmarks/ground.py --laps 1 --no-startup
    .venv/bin/python benchmarks/ground.py --write    # and keep the tables in README.md, the ratios in recorded.json
    .venv/bin/python benchmarks/ground.py --check    # fail where a ratio is a third worse than recorded

Prints ratios with their spread, and the goals beside them. All worlds are built, and everything is compiled, before the clock starts. See
README.md for what is compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict

import startup
from contest import BARE, CALM_ROUNDS, COPYING, HERE, PEERS, SEAWALL, Lap, Laps, measure
from pages import machine, rewrite, table

README, RECORDED = HERE / "README.md", HERE / "recorded.json"
MOST_OF_BARE = 1.5
WORSE = 1.5  # a ratio by which Seawall has become slower, beside a peer, that fails the check


def ratios_of(laps: Laps) -> dict[str, list[float]]:
    """By row of the table, the ratio of each lap: of a peer to Seawall, and of Seawall to the bare loop."""
    found = {f"{name} / {SEAWALL}": [lap.ratio for lap in laps[name]] for name in (*PEERS, *COPYING) if name in laps}
    return found | {f"{SEAWALL} / {BARE}": [1.0 / lap.ratio for lap in laps[BARE]]}


def least_ratios(laps: Laps) -> dict[str, float]:
    """Of the least times of all laps: steadier than medians, for what else runs on a machine only ever adds to a time."""
    least = {name: min(value for lap in each for value in lap.seconds) for name, each in laps.items() if name not in COPYING}
    found = {f"{name} / {SEAWALL}": least[name] / least[SEAWALL] for name in least if name in PEERS}
    return found | {f"{SEAWALL} / {BARE}": least[SEAWALL] / least[BARE]}


def ratio_table(laps: Laps) -> str:
    """CPU time of one over that of another, lap by lap: median, lowest to highest, goal."""
    goals = {f"{name} / {SEAWALL}": f"at least {peer.goal:,.0f}" for name, peer in PEERS.items()}
    goals[f"{SEAWALL} / {BARE}"] = f"at most {MOST_OF_BARE:g}"
    rows = [[name, figure(statistics.median(each)), spread(each), goals.get(name, "-")] for name, each in ratios_of(laps).items()]
    return table(["CPU time of the ground job", "ratio", "spread", "goal"], rows)


def seconds_table(laps: Laps) -> str:
    """CPU milliseconds of all runs: median, lowest to highest, number."""
    rows = []
    for name, each in laps.items():
        seconds = [1000.0 * value for lap in each for value in lap.seconds]
        rounds = f" ({CALM_ROUNDS:,} rounds)" if name in COPYING else ""
        rows.append([name + rounds, figure(statistics.median(seconds)), spread(seconds), str(len(seconds)), versions(each[-1])])
    return table(["ground job", "CPU ms", "spread", "runs", "with"], rows)


def versions(lap: Lap) -> str:
    """What a peer ran on, in words."""
    return ", ".join(f"{name} {number}" for name, number in lap.versions.items()) or "this environment"


def figure(value: float) -> str:
    """A number with three digits or more."""
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """Lowest to highest."""
    return "one run" if len(values) == 1 else f"{figure(min(values))} to {figure(max(values))}"


def outcome_table(laps: Laps) -> str:
    """What the runs came to, side by side; those of fewer rounds left out."""
    each = {name: asdict(lap.outcome) for name, (*_, lap) in laps.items() if lap.outcome is not None and name not in COPYING}
    rows = [[name, *(figure(outcome[name]) for outcome in each.values())] for name in each[SEAWALL]]
    return table(["outcome", *each], rows)


def write(parts: Sequence[str], laps: Laps) -> None:
    """Keep the tables in the README, and the ratios that `--check` compares with."""
    rewrite(README, "ground job", "\n\n".join(parts))
    recorded = {name: round(ratio, 3) for name, ratio in least_ratios(laps).items()}
    RECORDED.write_text(json.dumps({"machine": machine(), "ratios": recorded}, indent=2) + "\n", encoding="utf-8")


def check(laps: Laps) -> bool:
    """Print each ratio of least times beside the recorded one; tell whether none is a third worse.

    Ratios of another kind of processor may differ by as much as a regression: they are shown, not judged.
    """
    kept, rows, fine = json.loads(RECORDED.read_text(encoding="utf-8")), [], True
    recorded = kept["ratios"]
    for name, now in least_ratios(laps).items():
        slower = now / recorded[name] if name.startswith(SEAWALL) else recorded[name] / now
        fine = fine and slower <= WORSE
        rows.append([name, figure(now), figure(recorded[name]), f"{slower:.2f}", "fine" if slower <= WORSE else "REGRESSION"])
    print(table(["least CPU times of the ground job", "ratio", "recorded", "slower by", f"at most {WORSE:g}"], rows))
    here, there = (text.partition(";")[0] for text in (machine(), kept["machine"]))
    if here != there:
        print(f"Not judged: recorded on {there}, measured on {here}. `.venv/bin/python benchmarks/ground.py --write` records this machine.")
    return fine or here != there


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--laps", type=int, default=3, help="times that everybody plays (default 3)")
    parser.add_argument("--no-startup", action="store_true", help="leave out compilation and start of the command line")
    parser.add_argument("--write", action="store_true", help="keep tables and ratios in the files of this folder")
    parser.add_argument("--check", action="store_true", help="only compare the ratios with those recorded")
    options = parser.parse_args()
    if options.laps < 1:
        parser.error(f"--laps {options.laps} is not at least 1")
    laps = measure(options.laps, with_copying=not options.check)
    if options.check:
        sys.exit(0 if check(laps) else 1)
    parts = [machine(), ratio_table(laps), seconds_table(laps), outcome_table(laps)]
    if not options.no_startup:
        print("first run of a copy with an empty cache ...", file=sys.stderr, flush=True)
        parts.append(startup.measure(options.laps).table())
    print("\n\n".join(parts))
    if options.write:
        write(parts, laps)


if __name__ == "__main__":
    main()
