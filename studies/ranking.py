"""Which points of a study are better: by objectives in order of importance, and which of them nothing else beats in every objective."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seawall.protocols.tables import Bools, Floats, Ints


def in_order(scores: Floats, within: Sequence[float]) -> list[int]:
    """Rows from the best to the worst.

    The best row is found objective by objective: those as good as the best of the first, or within a share of it, are compared by the
    second, and so on; then the same among the rows that are left.

    Args:
        scores: `[rows, objectives]`, less is better; NaN is worse than any number.
        within: for each objective, the share of the best score by which another may be worse and still count as equal.
    """
    scores = np.where(np.isnan(scores), np.inf, scores)
    left = np.arange(len(scores))
    found: list[int] = []
    while len(left):
        found.append(_best(scores, left, within))
        left = left[left != found[-1]]
    return found


def _best(scores: Floats, rows: Ints, within: Sequence[float]) -> int:
    for column, share in enumerate(within):
        values = scores[rows, column]
        best = values.min()
        rows = rows[values <= best + share * abs(best)] if np.isfinite(best) else rows
    return int(rows[np.argmin(scores[rows, 0])])


def frontier(scores: Floats) -> Bools:
    """Which rows no other row beats: better in one objective and no worse in any (Pareto).

    Args:
        scores: `[rows, objectives]`, less is better; NaN is worse than any number.
    """
    scores = np.where(np.isnan(scores), np.inf, scores)
    beaten = np.zeros(len(scores), np.bool_)
    for i, row in enumerate(scores):
        beaten[i] = bool(((scores <= row).all(axis=1) & (scores < row).any(axis=1)).any())
    return ~beaten


def layers(scores: Floats) -> Ints:
    """Number of the frontier that each row is on: 0 the first, 1 what it is without those, and so on.

    Source: non-dominated sorting, Deb et al. (2002), A fast and elitist multiobjective genetic algorithm, IEEE Transactions on Evolutionary
    Computation 6(2).
    """
    found = np.full(len(scores), -1, np.int64)
    level = 0
    while (found < 0).any():
        left = np.flatnonzero(found < 0)
        found[left[frontier(scores[left])]] = level
        level += 1
    return found
