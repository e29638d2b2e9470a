"""Fits of regimes, by statsmodels, and of the Ornstein-Uhlenbeck process, by regression.

Gaps in the history are closed: the bar after one counts as the successor of the bar before it.

Sources: Hamilton, Econometrica 57 (1989), as in the `statsmodels` package; Ornstein-Uhlenbeck: Phillips and Yu, "Maximum likelihood and
Gaussian estimation of continuous time models in finance" (2009).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from seawall.prices.fit import Fit, History, fitted, normal_residuals
from seawall.prices.fit_likelihood import with_errors
from seawall.prices.moments import Estimate
from seawall.prices.process import YEAR_HOURS
from seawall.prices.regimes import Regime, RegimeSwitching
from seawall.prices.stable import OrnsteinUhlenbeck
from seawall.protocols.tables import Floats

REGIMES = ("calm", "wild")


def fit_regimes(past: History) -> Fit:
    """Two regimes with drift and volatility of their own, by the filter of Hamilton.

    Raises:
        ValueError: the search fails, or regimes do not last from bar to bar, so that no chain in continuous time has them.
    """
    x, dt = past.log_returns, past.bar_years
    scale = float(x.std())
    found, covariance = _search(x / scale)
    at = np.asarray(found.params, dtype=np.float64)
    lasting = float(at[0] - at[1])
    if not (np.isfinite(at).all() and 0 < lasting < 1):
        raise ValueError(f"regimes: none that last were found (share kept from bar to bar {lasting:.3g}); try another model")
    order = (0, 1) if at[4] <= at[5] else (1, 0)
    parameters = with_errors(lambda free: _wanted(free, order, scale, dt), at, covariance)
    return fitted(
        "regimes",
        past,
        process=RegimeSwitching(past.last_usd, {name: _regime(parameters, name) for name in REGIMES}),
        parameters=parameters,
        log_likelihood=float(found.llf) - len(x) * math.log(scale),
        free=6,
        method="maximum likelihood, statsmodels MarkovRegression with switching mean and variance",
        notes=("the likelihood is flat in some direction: no standard errors",) if covariance is None else (),
        residuals=_regime_residuals(found, x / scale, at),
    )


def _search(x: Floats) -> tuple[Any, Floats | None]:
    """Result of statsmodels for scaled returns; its parameters are p[0->0], p[1->0], two means, two variances. And their covariance."""
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures show in the result
        found = MarkovRegression(x, k_regimes=2, trend="c", switching_variance=True).fit()
        covariance = np.asarray(found.cov_params(), dtype=np.float64)
    usable = np.isfinite(covariance).all() and (np.diag(covariance) > 0).all()
    return found, covariance if usable else None


def _wanted(at: Floats, order: tuple[int, int], scale: float, dt: float) -> Mapping[str, float]:
    """Parameters of the regimes, calm first, from those of statsmodels."""
    leaves, lasting = (1 - float(at[0]), float(at[1])), float(at[0] - at[1])
    values = {}
    for name, i in zip(REGIMES, order, strict=True):
        variance = float(at[4 + i]) * scale**2 / dt
        per_year = -math.log(lasting) / dt * leaves[i] / (1 - lasting)  # the generator of a chain of two states
        values[f"{name}.drift_per_year"] = float(at[2 + i]) * scale / dt + variance / 2
        values[f"{name}.volatility_per_year"] = math.sqrt(variance)
        values[f"{name}.mean_hours"] = YEAR_HOURS / per_year
    return values


def _regime(parameters: Mapping[str, Estimate], name: str) -> Regime:
    drift, volatility, hours = (parameters[f"{name}.{key}"].value for key in ("drift_per_year", "volatility_per_year", "mean_hours"))
    return Regime(drift, volatility, hours, {each: 1.0 for each in REGIMES if each != name})


def _regime_residuals(found: Any, x: Floats, at: Floats) -> Floats:
    """From the probabilities of the regimes that the bars before leave."""
    from scipy.special import ndtr

    chances = np.asarray(found.predicted_marginal_probabilities)
    chances = chances if chances.shape[0] == len(x) else chances.T
    return normal_residuals((chances * ndtr((x[:, None] - at[None, 2:4]) / np.sqrt(at[None, 4:6]))).sum(axis=1))


def fit_ou(past: History) -> Fit:
    """Regression of the log price on that of the bar before, and the exact map to continuous time; no depegs are fitted.

    Raises:
        ValueError: the price does not return to a level in this history.
    """
    before, x = past.log_before, past.log_returns
    centre = float(before.mean())
    design = np.column_stack([np.ones(len(x)), before - centre])
    (a, phi), *_ = np.linalg.lstsq(design, before + x - centre)
    if not 0 < phi < 1:
        raise ValueError(f"prices: do not return to a level (autoregression {phi:.6g}, must be in (0, 1)); ou does not fit them")
    errors = before + x - centre - design @ np.array([a, phi])
    variance = float((errors**2).mean())
    hours = past.bar_seconds / 3_600

    def wanted(at: Floats) -> Mapping[str, float]:
        intercept, kept, spread = at.tolist()
        level = math.exp(centre + intercept / (1 - kept))
        return {"level_usd": level, "reversion_per_hour": -math.log(kept) / hours, "deviation": math.sqrt(spread / (1 - kept**2))}

    covariance = np.zeros((3, 3))
    covariance[:2, :2] = variance * np.linalg.inv(design.T @ design)
    covariance[2, 2] = 2 * variance**2 / len(x)
    parameters = with_errors(wanted, np.array([a, phi, variance]), covariance)
    slow = (1 - phi) * len(x) < 20
    return fitted(
        "ou",
        past,
        process=OrnsteinUhlenbeck(past.last_usd, **{name: one.value for name, one in parameters.items()}),
        parameters=parameters,
        log_likelihood=-len(x) / 2 * (math.log(2 * math.pi * variance) + 1),
        free=3,
        method="regression of each log price on the one before, exact map; no depegs",
        notes=("few returns to the level: reversion is overstated, and its error too small (Phillips and Yu, 2009)",) if slow else (),
        residuals=errors / math.sqrt(variance),
    )
