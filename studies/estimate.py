"""An estimate over paths: its value, its interval, and from how many paths; and the sample that it is made from.

Losses are positive. A value per path that could not be computed is NaN: it is left out, counted as missing, and said. Weights are
importance weights, given as logarithms; only their differences matter, and estimates divide by their sum (self-normalised).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seawall.protocols.errors import SeawallError
from seawall.protocols.tables import Bools, Floats

CONFIDENCE = 0.95
NO_PATHS = "no path has a value"
ONE_VALUE = "all paths have the same value: how far it may be off cannot be told from them"


class SampleError(SeawallError, ValueError):
    """Values over paths of which no figure can be made; the text names the argument and what is wrong."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over paths.

    Attributes:
        value: the figure, or None with `why`.
        low: lower end of the interval, or None with `why`.
        high: upper end of the interval, or None with `why`.
        paths: paths that it is made from.
        method: how the interval was made.
        why: why there is no value or no interval; else empty.
        missing: paths left out because they have no value.
        confidence: of the interval, two-sided.
    """

    value: float | None
    low: float | None
    high: float | None
    paths: int
    method: str
    why: str = ""
    missing: int = 0
    confidence: float = CONFIDENCE

    @property
    def half_width(self) -> float | None:
        """Half of high - low; None where an end is missing."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2.0

    def as_entry(self, unit: str) -> dict[str, Any]:
        """As an entry of `summary.json`: value, unit, paths, and `interval`, `why` and `missing` where there are any."""
        entry: dict[str, Any] = {"value": self.value, "unit": unit, "paths": self.paths, "method": self.method}
        if self.low is not None or self.high is not None:
            entry |= {"interval": [self.low, self.high], "confidence": self.confidence}
        return entry | ({"why": self.why} if self.why else {}) | ({"missing": self.missing} if self.missing else {})


@dataclass(frozen=True, slots=True)
class Sample:
    """Values over paths, in ascending order of the first column, and their weights.

    Attributes:
        columns: [columns, paths]; one column, or numerator and denominator.
        weights: [paths], > 0, the largest is 1; all 1 where none were given.
        missing: paths left out because a column was NaN.
    """

    columns: Floats
    weights: Floats
    missing: int

    @property
    def values(self) -> Floats:
        """The first column, ascending."""
        return self.columns[0]

    @property
    def paths(self) -> int:
        """How many paths are left."""
        return int(self.columns.shape[1])

    @property
    def is_weighted(self) -> bool:
        """Whether weights differ."""
        return bool(np.any(self.weights != 1.0))

    @property
    def shares(self) -> Floats:
        """Weights that add up to 1."""
        return self.weights / self.weights.sum()

    def none(self, method: str, why: str, confidence: float, value: float | None = None) -> Estimate:
        """An estimate without an interval."""
        return Estimate(value, None, None, self.paths, method, why, self.missing, confidence)

    def found(self, value: float, low: float | None, high: float | None, method: str, confidence: float, why: str = "") -> Estimate:
        """An estimate of this sample."""
        return Estimate(value, low, high, self.paths, method, why, self.missing, confidence)


def sample(*columns: ArrayLike, log_weights: ArrayLike | None = None) -> Sample:
    """Put values in order and leave out the paths without one.

    Args:
        columns: each [paths]; NaN where a path has none.
        log_weights: [paths], natural logarithms; equal weights if left out.

    Raises:
        SampleError: for columns of unequal length, infinite values, or weights that are not finite.
    """
    table = np.array([_column(column) for column in _same_length(columns)])
    logs = np.zeros(table.shape[1]) if log_weights is None else _column(log_weights)
    if logs.shape != table.shape[1:]:
        raise SampleError(f"log_weights: {logs.size} for {table.shape[1]} paths")
    kept: Bools = ~np.isnan(table).any(axis=0)
    table, logs = table[:, kept], logs[kept]
    if not (np.isfinite(table).all() and np.isfinite(logs).all()):
        raise SampleError("values: must be finite, or NaN where a path has none; log_weights: must be finite")
    order = np.argsort(table[0], kind="stable")
    weights = np.exp(logs - logs.max())[order] if logs.size else logs
    return Sample(table[:, order], weights, int(kept.size - kept.sum()))


def check_share(name: str, value: float) -> None:
    """Refuse what is not inside (0, 1).

    Raises:
        SampleError: with name and value.
    """
    if not 0.0 < value < 1.0:
        raise SampleError(f"{name} ({value!r}): must be inside (0, 1)")


def _column(values: ArrayLike) -> Floats:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise SampleError(f"values: one per path expected, not an array of {column.ndim} dimensions")
    return column


def _same_length(columns: Sequence[ArrayLike]) -> Sequence[ArrayLike]:
    lengths = {np.size(column) for column in columns}
    if len(lengths) != 1:
        raise SampleError(f"values: columns of unequal length {sorted(lengths)}")
    return columns
