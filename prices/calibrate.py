"""Fit a model to a history of prices, and print it as part of a scenario.

A fit says how it was made, how sure it is, and what it leaves unexplained. Nothing is fitted silently: prices that are no numbers,
too few, or that stand still are refused, and returns over gaps are left out and counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

from seawall.prices.bootstrap import optimal_block_bars
from seawall.prices.fit import Fit, History, fitted, history
from seawall.prices.fit_garch import fit_garch
from seawall.prices.fit_heston import fit_heston
from seawall.prices.fit_jumps import fit_gbm, fit_kou, fit_merton
from seawall.prices.fit_memory import REGIMES, fit_ou, fit_regimes
from seawall.prices.moments import Estimate
from seawall.protocols.tables import Floats

MODELS = ("gbm", "merton", "kou", "heston", "regimes", "garch", "gjr", "egarch", "ou", "bootstrap")
_SINGLE: dict[str, Callable[[History], Fit]] = {
    "gbm": fit_gbm,
    "merton": fit_merton,
    "kou": fit_kou,
    "heston": fit_heston,
    "regimes": fit_regimes,
    "ou": fit_ou,
}


def fit(model: str, prices: Floats, times_seconds: Floats, *, innovations: Literal["normal", "t"] = "t") -> Fit:
    """Fit a model to prices.

    Args:
        model: one of `MODELS`.
        prices: `[rows]` USD, finite, > 0, at least 101.
        times_seconds: `[rows]` rising; steps of other than the usual length are left out.
        innovations: law of the innovations of the GARCH family.

    Raises:
        ValueError: an argument is out of its range, or the model does not fit these prices.
    """
    if model not in MODELS or innovations not in ("normal", "t"):
        raise ValueError(f"model(={model!r}) must be one of {', '.join(MODELS)}, innovations(={innovations!r}) normal or t")
    past = history(prices, times_seconds)
    if model == "bootstrap":
        return _fit_blocks(past)
    return _SINGLE[model](past) if model in _SINGLE else fit_garch(past, model, innovations)


def _fit_blocks(past: History) -> Fit:
    """Length of blocks that keep what returns and their squares remember; see `bootstrap.optimal_block_bars`."""
    x = past.log_returns
    bars = optimal_block_bars(x[:, None], "stationary")
    parameters = {"block_bars": Estimate(float(bars), math.nan), "block_hours": Estimate(bars * past.bar_seconds / 3_600, math.nan)}
    method = "mean block length of the stationary bootstrap: the longer of what returns and their squares ask for"
    residuals = (x - x.mean()) / x.std()
    others = {
        "log_likelihood": None,
        "free": 1,
        "method": method,
        "notes": ("residuals are the returns themselves",),
        "residuals": residuals,
    }
    return fitted("bootstrap", past, process=None, parameters=parameters, **others)


def to_yaml(found: Fit, asset_name: str, start_usd: float) -> str:
    """A block for `prices.assets` of a scenario with the model `simulated`, standard errors as comments.

    Args:
        found: the fit.
        asset_name: name of the asset in the scenario.
        start_usd: price at the beginning, USD, > 0.

    Raises:
        ValueError: start_usd is out of range; or the fit is one of the bootstrap, which replays a file and has no parameters of a process.
    """
    if not (math.isfinite(start_usd) and start_usd > 0):
        raise ValueError(f"start_usd(={start_usd}) must be finite and > 0")
    if found.process is None:
        raise ValueError(
            f"{found.model}: no process, so no block for prices.assets; block_bars is {found.parameters['block_bars'].value:g}"
        )
    lines = [f"    {asset_name}:", f"      # fitted to {found.bars:,} bars of {found.bar_seconds:g} s: {found.method}"]
    lines += [f"      # note: {note}" for note in found.notes]
    lines += [f"      process: {found.model}", f"      start_usd: {_number(start_usd)}"]
    body = _regime_lines(found.parameters) if found.model == "regimes" else _lines(found.parameters, 6)
    return "\n".join([*lines, *body]) + "\n"


def _lines(parameters: Mapping[str, Estimate], indent: int) -> list[str]:
    return [f"{' ' * indent}{name}: {_number(one.value)}{_comment(one)}" for name, one in parameters.items()]


def _regime_lines(parameters: Mapping[str, Estimate]) -> list[str]:
    lines = ["      regimes:"]
    for name in REGIMES:
        other = next(each for each in REGIMES if each != name)
        own = {key.removeprefix(f"{name}."): one for key, one in parameters.items() if key.startswith(f"{name}.")}
        lines += [f"        {name}:", *_lines(own, 10), f"          then: {{{other}: 1}}"]
    return lines


def _comment(one: Estimate) -> str:
    return "" if math.isnan(one.error) else f"    # standard error {one.error:.2g}"


def _number(value: float) -> str:
    """Six significant digits, with a point before any exponent: YAML 1.1 reads 1e-05 as text."""
    text = f"{value:.6g}"
    return text.replace("e", ".0e") if "e" in text and "." not in text else text
