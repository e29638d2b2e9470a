"""Sensitivity indices by SALib, with intervals that know both how few points and how few paths they rest on.

SALib's own bootstrap takes outcomes as exact; here they are means over paths. So base points (or trajectories) and paths are resampled
together, paths the same for all points as they were played, and SALib is asked again each time.

Source: Saltelli et al. (2010), Variance based sensitivity analysis of model output, Computer Physics Communications 181(2); Morris (1991),
Factorial sampling plans for preliminary computational experiments, Technometrics 33(2), with the absolute effects of Campolongo et al.
(2007), Environmental Modelling & Software 22(10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from seawall.protocols.tables import Floats, Ints

Method = Literal["sobol", "morris"]
LEVELS = 4
"""Levels of each parameter on Morris's grid."""
SALIB_NAMES: dict[Method, dict[str, str]] = {
    "sobol": {"first": "S1", "total": "ST"},
    "morris": {"effect": "mu", "absolute": "mu_star", "spread": "sigma"},
}
"""The indices of each method, and what SALib calls them."""
LEADING: dict[Method, str] = {"sobol": "total", "morris": "absolute"}
"""The index that ranks parameters."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index of each parameter, `[parameters]`, with its interval."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Design:
    """Where a model is asked.

    Attributes:
        method: sobol or morris.
        unit: `[rows, parameters]`, each between 0 and 1.
        block: rows that belong together.
    """

    method: Method
    unit: Floats
    block: int

    @property
    def blocks(self) -> int:
        """How many there are."""
        return len(self.unit) // self.block

    def rows(self, blocks: Ints) -> Ints:
        """Rows of blocks, in their order."""
        return (blocks[:, None] * self.block + np.arange(self.block)).ravel()


def design(method: Method, parameters: int, points: int, seed: int) -> Design:
    """Saltelli's points without second order, or Morris's trajectories."""
    rng = np.random.default_rng([seed, 1])
    if method == "sobol":
        from SALib.sample import sobol

        return Design(method, sobol.sample(_problem(parameters), points, calc_second_order=False, seed=rng), parameters + 2)
    from SALib.sample import morris

    return Design(method, morris.sample(_problem(parameters), points, num_levels=LEVELS, seed=rng), parameters + 1)


def indices(asked: Design, values: Floats, log_weights: Floats, *, resamples: int, confidence: float, seed: int) -> dict[str, Index] | None:
    """Indices of each parameter, by name; None where the outcome varies too little to have any.

    Args:
        asked: where.
        values: `[rows, paths]`, what came out of each path.
        log_weights: `[rows, paths]`.
        resamples: of base points and paths, >= 2.
        confidence: of the intervals: estimate and standard deviation of the resamples, as SALib has them.
        seed: of the resampling.
    """
    from scipy import stats

    found = _of(asked.method, asked.unit, means(values, log_weights))
    if found is None:
        return None
    rng = np.random.default_rng([seed, 2])
    again = [_resampled(asked, values, log_weights, rng) for _ in range(resamples)]
    z = float(stats.norm.ppf((1.0 + confidence) / 2.0))
    none = np.zeros(asked.unit.shape[1])  # of resamples in which the outcome does not vary
    reach = {name: z * np.std([one[name] if one else none for one in again], axis=0, ddof=1) for name in found}
    return {name: Index(value, value - reach[name], value + reach[name]) for name, value in found.items()}


def path_noise(values: Floats, log_weights: Floats) -> float | None:
    """Share of the outcome's variance over points that another choice of paths would have made; None where that cannot be told.

    It cannot with one path, with weights, or where the outcome is the same at all points.
    What all points have in common does not count: it moves them together. The error variance of a two-way layout without replication.
    """
    rows, paths = values.shape
    outcome = means(values, log_weights)
    if paths < 2 or log_weights.any() or not varies(outcome):
        return None
    residual = values - outcome[:, None] - values.mean(axis=0) + values.mean()
    return float((residual**2).sum() / ((rows - 1) * (paths - 1)) / paths / outcome.var(ddof=1))


def varies(outcome: Floats) -> bool:
    """Whether an outcome, `[points]`, differs from point to point by more than it is rounded."""
    return bool(np.ptp(outcome) > np.finfo(np.float64).eps * np.abs(outcome).max())


def means(values: Floats, log_weights: Floats) -> Floats:
    """Mean over paths at each point: of `[points, paths]` `[points]`, NaN where a path has no value."""
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return (values * weights).sum(axis=1) / weights.sum(axis=1)


def _resampled(asked: Design, values: Floats, log_weights: Floats, rng: np.random.Generator) -> dict[str, Floats] | None:
    rows = asked.rows(rng.integers(asked.blocks, size=asked.blocks))
    paths = rng.integers(values.shape[1], size=values.shape[1])
    chosen = np.ix_(rows, paths)
    return _of(asked.method, asked.unit[rows], means(values[chosen], log_weights[chosen]))


def _of(method: Method, unit: Floats, outcome: Floats) -> dict[str, Floats] | None:
    """SALib's indices; None of an outcome that does not vary, of Sobol's also where it does not at the base points: shares of nothing."""
    if not varies(outcome):
        return None
    problem, least = _problem(unit.shape[1]), {"num_resamples": 2, "seed": 1}  # its own intervals are not used
    if method == "sobol":
        from SALib.analyze import sobol

        with np.errstate(divide="ignore", invalid="ignore"):
            found: Any = sobol.analyze(problem, outcome, calc_second_order=False, **least)
    else:
        from SALib.analyze import morris

        found = morris.analyze(problem, unit, outcome, num_levels=LEVELS, **least)
    told = {name: np.asarray(found[key], np.float64) for name, key in SALIB_NAMES[method].items()}
    return told if all(np.isfinite(one).all() for one in told.values()) else None


def _problem(parameters: int) -> dict[str, Any]:
    return {"num_vars": parameters, "names": [f"x{i}" for i in range(parameters)], "bounds": [[0.0, 1.0]] * parameters}
