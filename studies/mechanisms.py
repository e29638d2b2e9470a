"""RFQ routing against the alternatives that its document names: the same LPs, the same orders, the same prices, another mechanism.

Each path is run once with every mechanism, so differences are paired. A path that fails with one mechanism is left out with all, counted
and listed. Intervals are Student's over paths, 95 %.

Source: 001_e37e2646f2495a8d.txt, "Conclusion" (Dutch auctions, Solver models); a constant-product pool is what most DEXs are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from seawall.protocols.errors import Fault, ScenarioError, SeawallError
from seawall.protocols.tables import Floats
from seawall.scenarios.build import build_model
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import Loaded, load
from seawall.studies.simulate import replay_command

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
MAX_FAILED_SHARE = 0.01
_FAILURE = ("path", "mechanism", "type", "error", "command")


class MechanismsFailed(SeawallError):
    """More paths failed than may; all files are written all the same."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out.

    Attributes:
        paths: one row per path and mechanism: `path`, `mechanism`, one column per figure (NaN where it could not be computed).
        table: one row per mechanism and figure: mean over paths, interval, and the paired difference from RFQ routing with its interval.
        name: of the scenario.
        seed: of the run.
        failed: one row per path that failed and is in none of it: `path`, `mechanism`, `type`, `error`, and the `command` to play it again.
    """

    paths: pd.DataFrame
    table: pd.DataFrame
    name: str
    seed: int
    failed: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*_FAILURE], dtype="str"))


def compare_mechanisms(
    scenario: str | Path,
    *,
    paths: int,
    seed: int | None = None,
    settings: Sequence[str] = (),
    allow_outside: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Run a scenario with every mechanism on the same paths. Ctrl-C keeps the paths that are whole.

    Args:
        scenario: file of a scenario with an RFQ market.
        paths: how many, >= 2.
        seed: replaces the scenario's own.
        settings: "KEY=VALUE" each.
        allow_outside: whether files that the scenario names may lie outside of its folder.
        progress: called with paths done and paths in all.

    Raises:
        ScenarioError: for a scenario without an RFQ market, or one that cannot be run with some mechanism.
        ValueError: for fewer than two paths.
    """
    if paths < 2:
        raise ValueError(f"an interval needs at least 2 paths, not {paths}")
    checked = _checked(load(scenario, settings, allow_outside=allow_outside))
    variants = {mechanism: load(scenario, [*settings, f"{KEY}={mechanism}"], allow_outside=allow_outside) for mechanism in MECHANISMS}
    seed = checked.scenario.seed if seed is None else seed
    rows: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    try:
        for path in range(paths):
            _play(variants, seed, path, rows, failed)
            if progress is not None:
                progress(path + 1, paths)
    except KeyboardInterrupt:
        if len(rows) < 2 * len(MECHANISMS):
            raise
    frame = pd.DataFrame(rows, columns=["path", "mechanism", *FIGURES])
    return Comparison(frame, summarise(frame), checked.scenario.name, seed, pd.DataFrame(failed, columns=[*_FAILURE]))


def judge(found: Comparison, max_failed_share: float = MAX_FAILED_SHARE) -> None:
    """Refuse (MechanismsFailed) a comparison of which more than a share of the paths failed."""
    failed, played = len(found.failed), found.paths["path"].nunique()
    if failed > max_failed_share * (failed + played):
        first = found.failed.iloc[0]
        raise MechanismsFailed(
            f"{failed:,} of {failed + played:,} paths failed, more than {max_failed_share:.1%}; the first is path {first['path']} with "
            f"{MECHANISMS[first['mechanism']]}: {first['type']}: {first['error']}\nPlay it again: {first['command']}"
        )


def _checked(loaded: Loaded) -> Loaded:
    """The scenario, if mechanisms can be compared on it."""
    if loaded.scenario.avmm is None:
        raise ScenarioError([Fault(str(loaded.file), None, "avmm", "is missing: without an RFQ market there is nothing to compare")])
    sampling = getattr(loaded.scenario.prices, "sampling", "plain")
    if sampling != "plain":
        text = f"{sampling!r}: paths must be independent and of equal weight here; plain would do"
        raise ScenarioError([Fault(str(loaded.file), None, "prices.sampling", text)])
    return loaded


def _play(variants: dict[str, Loaded], seed: int, path: int, rows: list[dict[str, Any]], failed: list[dict[str, Any]]) -> None:
    """Add the figures of one path with every mechanism; if one of them fails, none, but what failed. Prices are made once."""
    found, mechanism = [], "rfq"
    try:
        prices = price_paths(variants["rfq"], seed, path)
        for mechanism, loaded in variants.items():
            figures = build_model(loaded, prices, seed, path).run().summary()["avmm"]
            found.append({"path": path, "mechanism": mechanism, **{name: _number(figures[name].value) for name in FIGURES}})
    except Exception as error:
        command = f"{replay_command(variants[mechanism], seed)} --path {path}"
        failed.append(dict(zip(_FAILURE, (path, mechanism, type(error).__name__, str(error), command), strict=True)))
        return
    rows += found


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
        wide = paths.pivot(index="path", columns="mechanism", values=name).reindex(columns=list(MECHANISMS))
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
