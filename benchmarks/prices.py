"""How long price paths take: a week of minutes for three assets, drawn as a scenario draws them, checks of the path included.

`.venv/bin/python benchmarks/prices.py [PATHS]` prints CPU seconds per 1,000 paths of one core, for each process and way of drawing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import Loaded, load

GOALS = {"gbm": 3.0, "merton": 3.0}  # seconds
SCENARIO = """\
name: Benchmark
about: A week of minutes.
seed: 1
prices:
  model: simulated
  days: 7
  correlation: 0.5
  {terms}
  assets:
    A: {spec}
    B: {spec}
    C: {spec}
tassets: {{tA: {{tracks: A, pool: {{liquidity_usd: 1}}}}}}
shocks: {shocks}
"""
JUMPS = "jumps_per_year: 200"
HESTON = "mean_volatility_per_year: 0.6, reversion_per_year: 50, volatility_of_variance: 3, correlation: -0.5"
CALM, WILD = "{volatility_per_year: 0.4, mean_hours: 48, then: {wild: 1}}", "{volatility_per_year: 1, mean_hours: 6, then: {calm: 1}}"
PROCESSES = {
    "gbm": "volatility_per_year: 0.6",
    "merton": f"volatility_per_year: 0.6, {JUMPS}, jump_mean: -0.01, jump_deviation: 0.03",
    "kou": f"volatility_per_year: 0.6, {JUMPS}, up_probability: 0.4, mean_up: 0.02, mean_down: 0.03",
    "heston": f"start_volatility_per_year: 0.6, {HESTON}",
    "regimes": f"regimes: {{calm: {CALM}, wild: {WILD}}}",
    "garch": "omega: 0.0002, alpha: 0.05, beta: 0.9, bar_minutes: 1",
    "ou": "reversion_per_hour: 0.2, deviation: 0.001, depegs_per_year: 10, depeg_mean: -0.03, depeg_deviation: 0.01",
}
SETTINGS = {
    "gbm, t copula": "copula: t\n  copula_degrees: 4",
    "gbm, sobol": "sampling: sobol",
    "gbm, sessions of XNYS": "calendar: XNYS",
    "gbm, common jumps": "common_jumps: {jumps_per_year: 50, mean: -0.03}",
}


def scenario(folder: Path, process: str, terms: str = "copula: gaussian", shocks: str = "[]") -> Loaded:
    """A scenario of three assets that follow one process."""
    file = folder / "benchmark.yaml"
    spec = f"{{process: {process}, start_usd: 100, {PROCESSES[process]}}}"
    file.write_text(SCENARIO.format(spec=spec, terms=terms, shocks=shocks), encoding="utf-8")
    return load(file)


def seconds_per_thousand(loaded: Loaded, paths: int) -> float:
    """CPU seconds of this process, least of three repetitions."""
    price_paths(loaded, 1, 0)  # whatever is compiled or cached
    times = []
    for _ in range(3):
        before = time.process_time()
        for path in range(paths):
            price_paths(loaded, 1, path)
        times.append(time.process_time() - before)
    return 1_000 * min(times) / paths


def main(paths: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as name:
        folder = Path(name)
        jobs = {process: scenario(folder, process) for process in PROCESSES}
        jobs |= {text: scenario(folder, "gbm", terms) for text, terms in SETTINGS.items()}
        jobs["gbm, a shock"] = scenario(folder, "gbm", shocks="[{at_hours: 60, change: 0.35, ramp_hours: 2}]")
        print(f"| 1,000 paths of 10,080 steps and 3 assets | CPU seconds | goal |\n| {'-' * 40} | {'-' * 11} | ---- |")
        for text, loaded in jobs.items():
            goal = f"{GOALS[text]:g}" if text in GOALS else "-"
            print(f"| {text:40} | {seconds_per_thousand(loaded, paths):11.1f} | {goal:>4} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
