"""Runs and ensembles beside each other: every figure of each, and how far each is from the first, with intervals where paths allow them.

Two ensembles that share a seed share their price paths: path 17 of one is path 17 of the other. Differences are then taken path by path,
which takes out what both have in common. Ensembles without paths in common are compared all the same, with wider intervals. A single run
has one path: its differences have no interval; nor have those of antithetic or Sobol paths, which are not independent. How intervals are
made: differences.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seawall.protocols.errors import SeawallError
from seawall.protocols.tables import Floats
from seawall.studies.differences import of_sample, paired, unpaired
from seawall.studies.ensemble_files import load_ensemble
from seawall.studies.ensemble_risk import NOT_INDEPENDENT, as_sampled
from seawall.studies.estimate import Estimate
from seawall.studies.file_columns import Kind
from seawall.studies.risk_table import LOSSES, STATISTICS
from seawall.studies.seal import MANIFEST, NoRunError, read_json
from seawall.studies.stopping import DEPENDENT
from seawall.studies.store import MEASURES, load_run, read_frame

TIMES = ("time_to_insolvency_s", "time_to_market_insolvency_s")
"""Figures that a path has only where it came to that: compared by how many have them, too."""
SINGLE = "a single run has no interval"


class NothingToCompare(SeawallError, ValueError):
    """Fewer than two folders, or folders without a figure in common; the text says which."""


@dataclass(frozen=True)
class Compared:
    """One of the runs or ensembles compared.

    Attributes:
        folder: where it is.
        manifest: scenario, seed, settings, versions.
        paths: one row per path that did not fail: `path`, `log_weight`, and a column per figure, NaN where there is none.
        units: (group, unit) by figure.
        is_ensemble: whether it is one.
        failed: paths that failed.
    """

    folder: Path
    manifest: dict[str, Any] = field(repr=False)
    paths: pd.DataFrame = field(repr=False)
    units: dict[str, tuple[str, str]] = field(repr=False)
    is_ensemble: bool
    failed: int

    @property
    def name(self) -> str:
        """Of the scenario."""
        return str(self.manifest["name"])

    def values(self, figure: str, statistic: str = "mean") -> Floats:
        """A figure on each path; for "probability" whether the path has it, 1 or 0."""
        found: Floats = self.paths[figure].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(found), 0.0, 1.0) if statistic == "probability" else found

    @property
    def weights(self) -> Floats:
        """Log weights, `[paths]`."""
        return self.values("log_weight")

    @property
    def sampling(self) -> str:
        """How its paths were drawn."""
        return str(self.manifest.get("sampling", "plain"))


@dataclass(frozen=True, slots=True)
class Row:
    """A statistic of a figure.

    Attributes:
        figure: its name.
        statistic: mean, var95, cvar95, var99, cvar99; probability that a path has it; value where only single runs are compared.
        group: of the figure.
        unit: of the figure.
        values: of each run; None where a run has no such figure.
        differences: of each run but the first, less the first; None where either has no such figure.
    """

    figure: str
    statistic: str
    group: str
    unit: str
    values: tuple[Estimate | None, ...]
    differences: tuple[Estimate | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other.

    Attributes:
        runs: the first is what the others are compared with.
        rows: in the order of the first run's figures.
        pairing: per run but the first, in words: how its differences were made.
    """

    runs: tuple[Compared, ...]
    rows: tuple[Row, ...] = field(repr=False)
    pairing: tuple[str, ...]


def is_clear(difference: Estimate | None) -> bool:
    """Whether the interval of a difference leaves out 0."""
    if difference is None or difference.low is None or difference.high is None:
        return False
    return not difference.low <= 0.0 <= difference.high


def compare(folders: Sequence[Path]) -> Comparison:
    """Compare runs or ensembles with the first of them.

    Args:
        folders: of two or more, each as `run` left it.

    Raises:
        NothingToCompare: fewer than two, or no figure in common.
        NoRunError: a folder holds neither a run nor an ensemble.
    """
    if len(folders) < 2:
        raise NothingToCompare(f"{len(folders)} folder given; two or more can be compared")
    runs = tuple(open_folder(folder) for folder in folders)
    first, others = runs[0], runs[1:]
    joined = [_joined(first, other) for other in others]
    rows = tuple(_rows(runs, joined))
    if not rows:
        raise NothingToCompare(f"{folders[0]} has no figure in common with {', '.join(map(str, folders[1:]))}")
    return Comparison(runs, rows, tuple(_pairing(first, other, pairs) for other, pairs in zip(others, joined, strict=True)))


def open_folder(folder: Path) -> Compared:
    """A run or an ensemble, whichever a folder holds.

    Raises:
        NoRunError: neither, or a file of it is damaged.
    """
    try:
        is_ensemble = "paths_asked" in read_json(folder / MANIFEST)
    except NoRunError:
        raise NoRunError(f"{folder}: holds neither a run nor an ensemble: {MANIFEST} is missing or cannot be read") from None
    found = load_ensemble(folder) if is_ensemble else load_run(folder)
    columns: dict[str, Kind] = {name: "figure" for group in found.summary.values() for name in group}
    columns["path"] = columns["log_weight"] = "number"
    if is_ensemble:
        columns["failed"] = "flag"
    frame = read_frame(folder / MEASURES, columns)
    failed = frame["failed"].astype(bool) if "failed" in frame else pd.Series(False, index=frame.index)
    units = {name: (group, str(entry["unit"])) for group, figures in found.summary.items() for name, entry in figures.items()}
    return Compared(folder, found.manifest, frame[~failed].reset_index(drop=True), units, is_ensemble, int(failed.sum()))


Pairs = tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]
"""Rows of the first run and of another that are the same path, in the same order."""


def _joined(first: Compared, other: Compared) -> Pairs | None:
    """Paths that both have; None where their seeds differ or fewer than two are the same."""
    if not (first.is_ensemble and other.is_ensemble) or first.manifest["seed"] != other.manifest["seed"]:
        return None
    _, left, right = np.intersect1d(first.paths["path"], other.paths["path"], return_indices=True)
    return (left, right) if len(left) > 1 else None


def _pairing(first: Compared, other: Compared, pairs: Pairs | None) -> str:
    dependent = list(dict.fromkeys(run.sampling for run in (first, other) if run.sampling in DEPENDENT))
    if first.is_ensemble and other.is_ensemble and dependent:
        return f"differences have no interval: paths drawn as {' and '.join(dependent)} are {NOT_INDEPENDENT}"
    if pairs is not None:
        return f"paired: {len(pairs[0]):,} paths of seed {first.manifest['seed']} in both"
    if not (first.is_ensemble and other.is_ensemble):
        return "a single run is one path: differences have no interval"
    return f"not paired: seeds {first.manifest['seed']} and {other.manifest['seed']}, or no paths in common; intervals are wider"


def _rows(runs: Sequence[Compared], joined: Sequence[Pairs | None]) -> Iterator[Row]:
    first, any_ensemble = runs[0], any(run.is_ensemble for run in runs)
    for figure, (group, unit) in first.units.items():
        if not any(figure in run.paths and figure in run.units for run in runs[1:]) or figure not in first.paths:
            continue
        for statistic in _statistics(figure) if first.is_ensemble else ("mean",):
            values = tuple(_value(run, figure, statistic) for run in runs)
            others = zip(runs[1:], values[1:], joined, strict=True)
            differences = tuple(_difference(first, other, values[0], value, pairs, figure, statistic) for other, value, pairs in others)
            in_unit = "fraction" if statistic == "probability" else unit
            yield Row(figure, statistic if any_ensemble else "value", group, in_unit, values, differences)


def _statistics(figure: str) -> tuple[str, ...]:
    if figure in TIMES:
        return ("probability", "mean")
    return tuple(STATISTICS) if figure in LOSSES else ("mean",)


def _value(run: Compared, figure: str, statistic: str) -> Estimate | None:
    if figure not in run.paths or (not run.is_ensemble and statistic != "mean"):
        return None
    if run.is_ensemble:
        return as_sampled(of_sample(statistic, run.values(figure, statistic), run.weights), run.sampling)
    value = run.values(figure)[0]
    return Estimate(None if np.isnan(value) else float(value), None, None, int(not np.isnan(value)), "", SINGLE)


def _difference(
    first: Compared, other: Compared, base: Estimate | None, value: Estimate | None, pairs: Pairs | None, figure: str, statistic: str
) -> Estimate | None:
    if base is None or value is None or base.value is None or value.value is None:
        return None
    if not (first.is_ensemble and other.is_ensemble):
        return Estimate(value.value - base.value, None, None, min(base.paths, value.paths), "", SINGLE)
    if pairs is None:
        return unpaired(base, value)
    left, right = first.values(figure, statistic)[pairs[0]], other.values(figure, statistic)[pairs[1]]
    difference = paired(left, right, first.weights[pairs[0]], other.weights[pairs[1]], statistic)
    return as_sampled(as_sampled(difference, first.sampling), other.sampling)
