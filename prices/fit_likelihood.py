"""Maximum likelihood by scipy.optimize, with standard errors of whatever parameters a reader wants.

The search is over free numbers (logs, logits) in which the likelihood is smooth; errors follow from the second derivatives there and the
derivatives of the wanted parameters (the delta method).

Sources: Greene, Econometric Analysis (2012), sections 4.4.4 and 14.4; errors that hold if only the first two moments of the model are true
("robust"): White, "Maximum likelihood estimation of misspecified models", Econometrica 50 (1982).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seawall.prices.moments import Estimate
from seawall.protocols.tables import Floats

Terms = Callable[[Floats], Floats]
"""Log likelihood of each observation, `[observations]`, at free numbers."""
Wanted = Callable[[Floats], Mapping[str, float]]
"""Parameters for a reader, at free numbers."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the likelihood is largest.

    Attributes:
        at: free numbers.
        log_likelihood: there.
        parameters: by name, with errors; NaN where the likelihood is flat.
        notes: what went wrong on the way; empty if nothing.
    """

    at: Floats
    log_likelihood: float
    parameters: Mapping[str, Estimate]
    notes: tuple[str, ...]


def maximise(
    terms: Terms, starts: Sequence[Floats], bounds: Sequence[tuple[float, float]], wanted: Wanted, *, robust: bool = False
) -> Maximum:
    """Search from every start, keep the best.

    Args:
        terms: log likelihood by observation.
        starts: free numbers to start from, at least one.
        bounds: lowest and highest value of each free number.
        wanted: parameters to report.
        robust: errors after White instead of those of a true model.
    """
    from scipy.optimize import minimize

    def cost(at: Floats) -> float:
        return -float(terms(at).mean())

    found = [minimize(cost, start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-8}) for start in starts]
    best = min(found, key=lambda one: float(one.fun))
    at = np.asarray(best.x, dtype=np.float64)
    low, high = np.array(bounds).T
    edge = (at <= low + 1e-6) | (at >= high - 1e-6)
    notes = ["the search ended at the edge of the range of a parameter, which has no error"] if edge.any() else []
    covariance = _covariance(terms, at, free=~edge, robust=robust)
    if covariance is None:
        notes.append("the likelihood is flat in some direction: no standard errors")
    return Maximum(at, float(terms(at).sum()), with_errors(wanted, at, covariance), tuple(notes))


def with_errors(wanted: Wanted, at: Floats, covariance: Floats | None) -> dict[str, Estimate]:
    """Parameters with errors by the delta method, from the covariance matrix of the free numbers; None for no errors."""
    from statsmodels.tools.numdiff import approx_fprime

    values = wanted(at)
    if covariance is None:
        return {name: Estimate(value, float("nan")) for name, value in values.items()}
    slopes = np.atleast_2d(approx_fprime(at, lambda free: np.array(list(wanted(free).values())), centered=True))
    errors = np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes).clip(min=0.0))
    return {name: Estimate(value, float(error) or float("nan")) for (name, value), error in zip(values.items(), errors, strict=True)}


def _covariance(terms: Terms, at: Floats, *, free: np.ndarray, robust: bool) -> Floats | None:
    """Covariance matrix of the free numbers; zero for those at an edge; None if it is not positive definite."""
    from statsmodels.tools.numdiff import approx_fprime, approx_hess

    def moved(part: Floats) -> Floats:
        whole = at.copy()
        whole[free] = part
        return whole

    curvature = -np.asarray(approx_hess(at[free], lambda part: float(terms(moved(part)).sum())))
    if not np.isfinite(curvature).all() or (np.linalg.eigvalsh(curvature) <= 0).any():
        return None
    covariance = np.linalg.inv(curvature)
    if robust:
        scores = np.asarray(approx_fprime(at[free], lambda part: terms(moved(part)), centered=True))
        covariance = covariance @ (scores.T @ scores) @ covariance
    whole = np.zeros((len(at), len(at)))
    whole[np.ix_(free, free)] = covariance
    return whole
