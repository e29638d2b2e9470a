"""RFQ routing against the alternatives that its document names: the same LPs, the same orders, the same prices, another mechanism.

Each path is run once with every mechanism, so differences are paired. Intervals are Student's over paths, 95 %.

Source: 001_e37e2646f2495a8d.txt, "Conclusion" (Dutch auctions, Solver models); a constant-product pool is what most DEXs are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.tables import Floats
from seawall.scenarios.build import build_model
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import Loaded, load

MECHANISMS = {
    "rfq": "RFQ routing",
    "constant_product": "constant-product pools",
    "dutch_auction": "Dutch auctions",
    "sealed_bid": "sealed-bid auctions",
}
"""Values of `avmm.mechanism`, and what they are called; the first is what the others are compared with."""

FIGURES = {
    "avmm_execution_cost": "fraction",
    "avmm_fill_rate": "fraction",
    "avmm_lp_net_yield_per_year": "per_year",
    "avmm_stale_loss_usd": "USD",
    "avmm_herfindahl": "fraction",
}
"""Figures compared, with their units."""

LEVEL = 0.95
KEY = "avmm.mechanism"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out.

    Attributes:
        paths: one row per path and mechanism: `path`, `mechanism`, one column per figure (NaN where it could not be computed).
        table: one row per mechanism and figure: mean over paths, interval, and the paired difference from RFQ routing with its interval.
        name: of the scenario.
        seed: of the run.
    """

    paths: pd.DataFrame
    table: pd.DataFrame
    name: str
    seed: int


def compare_mechanisms(
    scenario: str | Path,
    *,
    paths: int,
    seed: int | None = None,
    settings: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Run a scenario with every mechanism on the same paths. Ctrl-C keeps the paths that are whole.

    Args:
        scenario: file of a scenario with an RFQ market.
        paths: how many, >= 2.
        seed: replaces the scenario's own.
        settings: "KEY=VALUE" each.
        progress: called with paths done and paths in all.

    Raises:
        ScenarioError: for a scenario without an RFQ market, or one that cannot be run with some mechanism.
        ValueError: for fewer than two paths.
    """
    if paths < 2:
        raise ValueError(f"an interval needs at least 2 paths, not {paths}")
    variants = {mechanism: load(scenario, [*settings, f"{KEY}={mechanism}"]) for mechanism in _checked(scenario, settings)}
    first = variants["rfq"]
    seed = first.scenario.seed if seed is None else seed
    rows: list[dict[str, Any]] = []
    try:
        for path in range(paths):
            rows += _run_path(variants, seed, path)
            if progress is not None:
                progress(path + 1, paths)
    except KeyboardInterrupt:
        if len(rows) < 2 * len(MECHANISMS):
            raise
    frame = pd.DataFrame(rows)
    return Comparison(frame, summarise(frame), first.scenario.name, seed)


def _checked(scenario: str | Path, settings: Sequence[str]) -> Sequence[str]:
    loaded = load(scenario, settings)
    if loaded.scenario.avmm is None:
        raise ScenarioError([Fault(str(loaded.file), None, "avmm", "is missing: without an RFQ market there is nothing to compare")])
    sampling = getattr(loaded.scenario.prices, "sampling", "plain")
    if sampling != "plain":
        text = f"{sampling!r}: paths must be independent and of equal weight here; plain would do"
        raise ScenarioError([Fault(str(loaded.file), None, "prices.sampling", text)])
    return tuple(MECHANISMS)


def _run_path(variants: dict[str, Loaded], seed: int, path: int) -> list[dict[str, Any]]:
    """The figures of one path with every mechanism; prices are made once."""
    prices = price_paths(variants["rfq"], seed, path)
    rows = []
    for mechanism, loaded in variants.items():
        found = build_model(loaded, prices, seed, path).run().summary()["avmm"]
        rows.append({"path": path, "mechanism": mechanism, **{name: _number(found[name].value) for name in FIGURES}})
    return rows


def _number(value: float | int | None) -> float:
    return float("nan") if value is None else float(value)


def summarise(paths: pd.DataFrame) -> pd.DataFrame:
    """Means and paired differences from RFQ routing with their intervals; NaN where fewer than two paths have the figure.

    Args:
        paths: as in `Comparison.paths`.

    Returns:
        Columns: mechanism, figure, unit, paths (that have the figure), mean, low, high, difference, difference_low, difference_high.
    """
    rows = []
    for name, unit in FIGURES.items():
        wide = paths.pivot(index="path", columns="mechanism", values=name)
        for mechanism in MECHANISMS:
            values = wide[mechanism].to_numpy(float)
            mean, low, high, count = interval(values)
            difference, difference_low, difference_high, _ = interval(values - wide["rfq"].to_numpy(float))
            rows.append((mechanism, name, unit, count, mean, low, high, difference, difference_low, difference_high))
    columns = ["mechanism", "figure", "unit", "paths", "mean", "low", "high", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=columns)


def interval(values: Floats) -> tuple[float, float, float, int]:
    """Mean of what is finite, Student's 95 % interval of it, and how many values there are; NaN for fewer than two."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return float("nan"), float("nan"), float("nan"), len(known)
    mean, error = float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known)))
    reach = error * float(stats.t.ppf(0.5 + LEVEL / 2.0, len(known) - 1))
    return mean, mean - reach, mean + reach, len(known)
