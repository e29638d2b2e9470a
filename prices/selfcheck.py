"""Did the generator make what was configured? Closed-form moments beside those of the paths, judged.

Each row sets a configured figure beside the realised one; z is their distance in standard errors, p the chance of a larger one in either
direction. With many rows some p are small by chance: Holm's correction over all rows of a set of paths keeps the chance of any false
"differs" below `LEVEL`. A row that the paths are too short to judge says so and counts neither way.

Two things make naive errors far too small, and are met here. Volatility that lasts: errors come from batches of five times the memory of
the process, the first five memories of each path are left out (the start is not stationary), and ten batches is the least (assumptions).
Moments made by a few rare jumps: for jump diffusions the error is not taken below the exact one under the configured process, and skewness
and kurtosis are judged from `LEAST_JUMPS` expected jumps on. Jumps are counted by the test of Lee and Mykland, which sees large ones only,
so the count is set beside the number of configured jumps that it can see.

Sources: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979); batch means: Law and
Carson, Operations Research 27 (1979); cumulants of a compound Poisson process: Cont and Tankov (2004), proposition 3.13.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from seawall.prices.jump_test import LEVEL as JUMP_LEVEL
from seawall.prices.jump_test import find_jumps, threshold
from seawall.prices.known import exact_errors, fourth_moments_settle, memory_years, seen_jumps
from seawall.prices.moments import Estimate, Moments, correlations, moments
from seawall.prices.process import Process
from seawall.protocols.tables import Floats

Verdict = Literal["as configured", "differs", "no closed form", "too short to tell"]
LEVEL = 0.01
LEAST_JUMPS = 400
_MEMORIES = 5
_LEAST_BATCHES = 10
_LEAST_SHAPE_BATCHES = 200  # of fourth moments of lasting volatility (measured: with fewer, GARCH differed from itself)
_JUMP_TOLERANCE = 0.02  # of the number of jumps seen: bipower variation is moved by the jumps themselves, a little
_PROBES = 32


@dataclass(frozen=True, slots=True)
class Check:
    """One row.

    Attributes:
        asset: name; two names for a correlation.
        quantity: which moment, with its unit.
        configured: in closed form; None where none is known.
        realised: in the paths; None where they are too short.
        error: standard error of the difference; None where it is not judged.
        z: difference over its error; None likewise.
        p: two-sided, of this row alone; None likewise.
        verdict: over all rows of the set, once `judge` has seen them.
    """

    asset: str
    quantity: str
    configured: float | None
    realised: float | None
    error: float | None
    z: float | None
    p: float | None
    verdict: Verdict


def check(asset: str, process: Process, log_returns: Floats, years: Floats) -> list[Check]:
    """Rows of one asset, not yet judged: pass those of all assets to `judge`.

    Args:
        asset: its name.
        process: what was configured.
        log_returns: `[steps]` or `[paths, steps]` of the process alone, each path from its start, before shocks are laid over it.
        years: `[steps]` length of each step in years, >= 0; steps without length are left out.

    Raises:
        ValueError: as in `moments`.
    """
    x, used = np.atleast_2d(log_returns), years > 0
    x, y = x[:, used], years[used]
    even = float(y.mean()) if len(y) else math.nan
    memory = math.ceil(_MEMORIES * memory_years(process) / even) if len(y) else 0
    batch = max(memory, 1)
    if (x.shape[1] - memory) // batch * len(x) < _LEAST_BATCHES or (x.shape[1] - memory) < 2 * batch:
        return _too_short(asset, process, y)
    found = moments(x[:, memory:], y[memory:], batch_steps=batch)
    batches = x[:, memory:].shape[1] // batch * len(x)
    return [*_shape(asset, process, found, y, batches), _jumps(asset, process, x, y)]


def check_correlations(assets: Sequence[str], configured: Floats, normals: Floats) -> list[Check]:
    """Rows of the correlation of every pair of the normals that drive the diffusions, not yet judged.

    Args:
        assets: names.
        configured: `[assets, assets]` correlation matrix.
        normals: `[steps, assets]` what the processes were given; log returns for geometric Brownian motions.

    Raises:
        ValueError: as in `correlations`.
    """
    realised, errors = correlations(normals)
    return [
        _row(f"{assets[i]}, {assets[j]}", "correlation", configured[i, j], Estimate(realised[i, j], errors[i, j]), len(normals))
        for i in range(len(assets))
        for j in range(i + 1, len(assets))
    ]


def describe(asset: str, log_returns: Floats, years: Floats) -> list[Check]:
    """Rows of returns for which nothing is configured, such as recorded ones; none are judged.

    Args:
        asset: its name.
        log_returns: `[steps]` or `[paths, steps]`.
        years: `[steps]` length of each step in years, >= 0; steps without length are left out.

    Raises:
        ValueError: as in `moments`.
    """
    found = moments(log_returns, years)
    realised = {text: getattr(found, name) for name, text in _QUANTITIES.items() if name != "square_autocorrelation"}
    realised[_QUANTITIES["square_autocorrelation"]] = found.square_autocorrelation.get(1, Estimate(math.nan, math.nan))
    realised[_JUMPS] = found.jumps_per_year
    return [_row(asset, text, None, each, 1) for text, each in realised.items()]


def judge(rows: Iterable[Check], *, level: float = LEVEL) -> list[Check]:
    """The same rows with verdicts that hold together: the chance of any false "differs" is at most `level` (Holm)."""
    rows = list(rows)
    verdicts: dict[int, Verdict] = {}
    still = True
    order = sorted((row.p, i) for i, row in enumerate(rows) if row.p is not None)
    for rank, (p, i) in enumerate(order):
        still = still and p * (len(order) - rank) <= level
        verdicts[i] = "differs" if still else "as configured"
    return [replace(row, verdict=verdicts.get(i, row.verdict)) for i, row in enumerate(rows)]


def passes(rows: Iterable[Check]) -> bool:
    """Whether no judged row differs."""
    return all(row.verdict != "differs" for row in rows)


def configured_moments(process: Process, years: Floats) -> dict[str, float | None]:
    """Closed forms by quantity; those of the shape are means over the lengths of the steps, `[steps]`, where these differ."""
    low, high = float(years.min()), float(years.max())
    probes = [float(years.mean())] if high - low <= 1e-9 * high else np.quantile(years, (np.arange(_PROBES) + 0.5) / _PROBES).tolist()
    known = [process.expected(each) for each in probes]

    def over(name: str) -> float | None:
        values = [getattr(each, name) for each in known]
        return None if any(value is None for value in values) else math.fsum(values) / len(values)

    return {name: over(name) for name in _QUANTITIES}


_QUANTITIES = {
    "mean_per_year": "mean of log returns, per year",
    "volatility_per_year": "volatility, per year",
    "skewness": "skewness of a step",
    "excess_kurtosis": "excess kurtosis of a step",
    "square_autocorrelation": "autocorrelation of squares, lag 1",
}
_FOURTH = ("excess_kurtosis", "square_autocorrelation")
_JUMPS = "jumps large enough to be seen, per year"


def _shape(asset: str, process: Process, found: Moments, years: Floats, batches: int) -> list[Check]:
    """Rows of everything but jumps."""
    realised = {
        "mean_per_year": found.mean_per_year,
        "volatility_per_year": found.volatility_per_year,
        "skewness": found.skewness,
        "excess_kurtosis": found.excess_kurtosis,
        "square_autocorrelation": found.square_autocorrelation.get(1, Estimate(math.nan, math.nan)),
    }
    exact = exact_errors(process, float(years.mean()), found.steps)
    jumps = (process.expected(float(years.mean())).jumps_per_year or 0.0) * found.years
    rows = []
    for name, configured in configured_moments(process, years).items():
        error = max(realised[name].error, exact.get(name, 0.0))
        row = _row(asset, _QUANTITIES[name], configured, Estimate(realised[name].value, error), batches)
        few = name in _FOURTH and not exact and (batches < _LEAST_SHAPE_BATCHES or not fourth_moments_settle(process))
        rare = few or (name in ("skewness", "excess_kurtosis") and 0 < jumps < LEAST_JUMPS)
        rows.append(_unjudged(row, "too short to tell") if rare and row.p is not None else row)
    return rows


def _jumps(asset: str, process: Process, log_returns: Floats, years: Floats) -> Check:
    """Row of the jumps that were seen."""
    even = float(years.mean())
    mean = float(log_returns.sum() / (len(log_returns) * years.sum()))
    found, untested = find_jumps((log_returns - mean * years) / np.sqrt(years), even)
    tested = float(years[untested:].sum()) * len(log_returns)
    if tested == 0:
        return Check(asset, _JUMPS, None, None, None, None, None, "too short to tell")
    count, rate = int(found.sum()), seen_jumps(process, even, threshold(found.size - untested * len(found)))
    if rate is None:
        return Check(asset, _JUMPS, None, count / tested, None, None, None, "no closed form")
    chance = rate * tested + JUMP_LEVEL
    spread = math.sqrt(chance + (_JUMP_TOLERANCE * chance) ** 2)
    z = (count - chance) / spread
    # Poisson where jumps are few; where they are many its normal limit, with room for what the test misses.
    p = math.erfc(abs(z) / math.sqrt(2))
    if chance < LEAST_JUMPS:
        p = min(1.0, 2 * min(_as_few(count, chance), _as_many(count, chance)))
    return Check(asset, _JUMPS, rate, count / tested, spread / tested, z, p, "as configured")


def _as_few(count: int, mean: float) -> float:
    """Chance of at most that count under a Poisson distribution."""
    from scipy.special import pdtr

    return float(pdtr(count, mean))


def _as_many(count: int, mean: float) -> float:
    """Chance of at least that count under a Poisson distribution."""
    from scipy.special import pdtrc

    return float(pdtrc(count - 1, mean)) if count else 1.0


def _row(asset: str, quantity: str, configured: float | None, realised: Estimate, batches: int) -> Check:
    """A row with its p value, of Student's t with as many degrees of freedom as batches less one."""
    if configured is None:
        return Check(asset, quantity, None, _number(realised.value), None, None, None, "no closed form")
    difference = realised.value - configured
    if abs(difference) <= 1e-9 * abs(configured) or (difference == 0 and realised.error == 0):
        return Check(asset, quantity, configured, realised.value, realised.error, 0.0, 1.0, "as configured")
    if not math.isfinite(difference) or math.isnan(realised.error):
        return Check(asset, quantity, configured, _number(realised.value), None, None, None, "too short to tell")
    from scipy.special import stdtr

    z = difference / realised.error if realised.error > 0 else math.copysign(math.inf, difference)
    return Check(asset, quantity, configured, realised.value, realised.error, z, float(2 * stdtr(batches - 1, -abs(z))), "as configured")


def _unjudged(row: Check, verdict: Verdict) -> Check:
    return replace(row, error=None, z=None, p=None, verdict=verdict)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _too_short(asset: str, process: Process, years: Floats) -> list[Check]:
    """Rows of a path that is over before its process has forgotten its start."""
    known = configured_moments(process, years) if len(years) else dict.fromkeys(_QUANTITIES, None)
    rows = [Check(asset, _QUANTITIES[name], value, None, None, None, None, "too short to tell") for name, value in known.items()]
    return [*rows, Check(asset, _JUMPS, None, None, None, None, None, "too short to tell")]
