"""Fits of the GARCH family by the `arch` package, on returns scaled to a deviation of 1, where its search is at home.

Gaps in the history are closed: the bar after one counts as the successor of the bar before it. Parameters are turned into those of returns
in percent: omega of GARCH grows with the square of the scale, that of EGARCH by its logarithm; the others know no scale.

Sources: `arch.univariate`, version 8; errors: Bollerslev and Wooldridge, Econometric Reviews 11 (1992), robust to the law of innovations.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from seawall.prices.fit import Fit, History, fitted, normal_residuals
from seawall.prices.fit_likelihood import with_errors
from seawall.prices.garch import Egarch, Garch, Gjr
from seawall.prices.moments import Estimate
from seawall.protocols.tables import Floats

_PERCENT = 100.0
_KINDS: dict[str, type[Any]] = {"garch": Garch, "gjr": Gjr, "egarch": Egarch}
_FAR = 1.5  # ratio of volatilities from which on they are called different
_HEAVY = "with t innovations the variance has no mean (Nelson, 1991): rare bars can be enormous; look at the fan of prices"


def fit_garch(past: History, model: str, innovations: Literal["normal", "t"] = "t") -> Fit:
    """GARCH(1,1) ("garch"), GJR ("gjr") or EGARCH ("egarch").

    Raises:
        ValueError: the search fails, or the variance that was found grows without end.
    """
    scale = float(past.log_returns.std())
    found, covariance, ahead = _search(past.log_returns / scale, model, innovations)
    names = [str(name).removesuffix("[1]") for name in found.params.index]
    parameters = with_errors(lambda at: _wanted(model, names, at, scale * _PERCENT), found.params.to_numpy(), covariance)
    minutes, start = past.bar_seconds / 60, math.sqrt(ahead / past.bar_years) * scale
    values = {name: one.value for name, one in parameters.items()}
    _check_lasting(model, values)
    process = _KINDS[model](start_usd=past.last_usd, bar_minutes=minutes, start_volatility_per_year=start, **values)
    given = {"bar_minutes": Estimate(minutes, math.nan), "start_volatility_per_year": Estimate(start, math.nan)}
    z = np.asarray(found.std_resid, dtype=np.float64)
    return fitted(
        model,
        past,
        process=process,
        parameters={**parameters, **given},
        log_likelihood=float(found.loglikelihood) - len(z) * math.log(scale),
        free=len(names),
        method=f"maximum likelihood by arch, {innovations} innovations, robust errors",
        notes=_notes(process, past, innovations),
        residuals=z if innovations == "normal" else normal_residuals(_student_below(z, values["nu"])),
    )


def _search(x: Floats, model: str, innovations: Literal["normal", "t"]) -> tuple[Any, Floats | None, float]:
    """Result of arch for scaled returns, the covariance of its parameters, and the variance it expects of the next bar."""
    from arch import arch_model

    shape: dict[str, Any] = {"vol": "EGARCH" if model == "egarch" else "GARCH", "o": 0 if model == "garch" else 1}
    specified = arch_model(x, mean="Constant", p=1, q=1, dist=innovations, rescale=False, **shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # arch warns where its search fails, which its flag says, too
        found: Any = specified.fit(disp="off", show_warning=False)
        covariance = np.asarray(found.param_cov, dtype=np.float64)
        ahead = float(found.forecast(horizon=1, reindex=False).variance.iloc[-1, 0])
    if found.convergence_flag != 0:
        raise ValueError(f"{model}: the search for the largest likelihood failed (flag {found.convergence_flag}); try another model")
    return found, covariance if np.isfinite(covariance).all() else None, ahead


def _check_lasting(model: str, values: Mapping[str, float]) -> None:
    """Refuse (ValueError) a variance that would grow without end, as long calm and long storms in one history make it."""
    kept = values["beta"] if model == "egarch" else values["alpha"] + values.get("gamma", 0.0) / 2 + values["beta"]
    if kept >= 1 - 1e-6:
        raise ValueError(f"{model}: the variance found never reverts (persistence {kept:.6f}); try normal innovations, egarch or regimes")


def _notes(process: Any, past: History, innovations: str) -> tuple[str, ...]:
    """What to know before use: a long run that is not that of the history."""
    if isinstance(process, Egarch) and innovations == "t":
        return (_HEAVY,)
    years, real = past.bar_years, float(past.log_returns.std()) / math.sqrt(past.bar_years)
    long_run = process.expected(years).volatility_per_year
    if 1 / _FAR < long_run / real < _FAR:
        return ()
    return (f"the model's long-run volatility is {long_run:.2g} a year, the history's {real:.2g}: the variance hardly reverts",)


def _wanted(model: str, names: Sequence[str], at: Floats, in_percent: float) -> Mapping[str, float]:
    """Parameters of returns in percent, from those of scaled returns."""
    values = dict(zip(names, at.tolist(), strict=True))
    values["mu"] *= in_percent
    if model == "egarch":
        values["omega"] += 2 * math.log(in_percent) * (1 - values["beta"])
    else:
        values["omega"] *= in_percent**2
    return values


def _student_below(z: Floats, nu: float) -> Floats:
    """Distribution function of a Student t of variance 1."""
    from scipy.special import stdtr

    return np.asarray(stdtr(nu, z * math.sqrt(nu / (nu - 2))), dtype=np.float64)
