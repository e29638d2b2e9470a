"""Whether what must hold holds, and how sure that is: `p(bad_debt > 0.005 * debt_start) <= 1%` at 95 %.

A limit is met once the one-sided bound of its quantity, with the confidence asked for, lies on the right side; broken once the bound of the
other side lies on the wrong one; open as long as neither does, which more paths will change.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from seawall.protocols.tables import Floats
from seawall.studies.expressions import MOST, ExpressionError
from seawall.studies.quantity import Quantity, parse_quantity

RARE = 0.01
"""Share of paths that may differ from all that were seen, and still nobody speaks of it (assumption)."""
_LIMIT = re.compile(
    r"(?P<quantity>.+\))\s*(?P<sign><=|>=)\s*(?P<limit>[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<percent>%?)\s*", re.DOTALL
)


class Verdict(StrEnum):
    """How a limit stands."""

    MET = "met"
    OPEN = "open"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Limit:
    """A quantity and what it must not pass.

    Attributes:
        text: as given.
        quantity: what is limited.
        is_upper: whether it must not be more; else it must not be less.
        limit: in the quantity's unit.
    """

    text: str
    quantity: Quantity
    is_upper: bool
    limit: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands after some paths.

    Attributes:
        value: the estimate; None where there is none.
        low: one-sided lower bound; None where there is none.
        high: one-sided upper bound; None where there is none.
        verdict: met, open or broken.
    """

    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict


def parse_limit(text: str) -> Limit:
    """Read a limit.

    Raises:
        ExpressionError: it is none.
    """
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ExpressionError(f'{text!r} is no limit; one is "p(bad_debt > 0.005 * debt_start) <= 1%" or "cvar95(bad_debt) <= 10_000"')
    number, quantity = float(found["limit"]) / (100.0 if found["percent"] else 1.0), parse_quantity(found["quantity"])
    if quantity.statistic == "p" and not 0.0 < number < 1.0:
        raise ExpressionError(f"{text!r}: the limit of a p is inside (0, 1), such as 5% or 0.05")
    if not abs(number) <= MOST:
        raise ExpressionError(f"{text!r}: the limit is no number that can be counted with")
    return Limit(text.strip(), quantity, found["sign"] == "<=", number)


def judge(limit: Limit, values: Floats, log_weights: Floats, confidence: float, *, failed: int = 0) -> Standing:
    """How a limit stands.

    Where every path has the same value nothing tells how far a mean may be off: its bounds are that value once so many paths agree that
    fewer than `RARE` of all others can differ, and none before.

    Args:
        limit: which.
        values: `[paths]`, as `limit.quantity.values` gives them; paths that failed left out.
        log_weights: `[paths]`.
        confidence: of each one-sided bound, in [0.5, 1).
        failed: paths that failed; of a p they count as what is worse.
    """
    if limit.quantity.statistic == "p":
        unknown = np.full(failed, math.nan)
        heaviest = log_weights.max() if len(log_weights) else 0.0
        value, low, high = share_bounds(np.append(values, unknown), np.append(log_weights, np.full(failed, heaviest)), confidence)
    else:
        found = limit.quantity.estimate(values, log_weights, confidence=max(2.0 * confidence - 1.0, 1e-9))
        value, low, high = found.value, found.low, found.high
        known = values[~np.isnan(values)]
        agree = len(known) >= math.log(1.0 - confidence) / math.log(1.0 - RARE) and bool(np.all(known == known[0]))
        if value is not None and low is None and agree:
            value = low = high = float(known[0])
    return Standing(value, low, high, verdict_of(limit, low, high))


def keeps(limit: Limit, value: float) -> bool:
    """Whether a number is on the right side of a limit."""
    return value <= limit.limit if limit.is_upper else value >= limit.limit


def excess(limit: Limit, standing: Standing) -> float:
    """By how much the estimate passes its limit, in the quantity's unit; not above 0 where it holds, infinite where there is none."""
    if standing.value is None:
        return math.inf
    return (standing.value - limit.limit) * (1.0 if limit.is_upper else -1.0)


def verdict_of(limit: Limit, low: float | None, high: float | None) -> Verdict:
    """What one-sided bounds of its quantity say of a limit."""
    sure, unsure = (high, low) if limit.is_upper else (low, high)
    sign = 1.0 if limit.is_upper else -1.0
    if sure is not None and sign * sure <= sign * limit.limit:
        return Verdict.MET
    if unsure is not None and sign * unsure > sign * limit.limit:
        return Verdict.BROKEN
    return Verdict.OPEN


def share_bounds(happened: Floats, log_weights: Floats, confidence: float) -> tuple[float | None, float | None, float | None]:
    """Share of paths on which it happened, with one-sided lower and upper bound of at least this confidence.

    Exact where all paths weigh the same; with weights by a gamma distribution, which keeps its confidence closely.

    Args:
        happened: `[paths]` 1 or 0; NaN, unknown, is 0 in the lower bound and 1 in the upper one, and not in the share.
        log_weights: `[paths]`.
        confidence: of either bound, in [0.5, 1).

    Source: Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial, Biometrika 26;
    with weights Fay and Feuer (1997), Confidence intervals for directly standardized rates, Statistics in Medicine 16.
    """
    known = ~np.isnan(happened)
    if not known.any():
        return None, None, None
    shares = np.exp(log_weights - log_weights.max())
    shares = shares / shares.sum()
    least, most = np.where(known, happened, 0.0), np.where(known, happened, 1.0)
    value = float(shares[known] @ happened[known] / shares[known].sum())
    if not log_weights.any():
        return float(happened[known].mean()), _exact_low(least, confidence), _exact_high(most, confidence)
    return value, _gamma_low(shares, least, confidence), _gamma_high(shares, most, confidence)


def _exact_low(happened: Floats, confidence: float) -> float:
    from scipy import special

    hits, paths = float(happened.sum()), len(happened)
    return float(special.betaincinv(hits, paths - hits + 1.0, 1.0 - confidence)) if hits else 0.0


def _exact_high(happened: Floats, confidence: float) -> float:
    from scipy import special

    hits, paths = float(happened.sum()), len(happened)
    return float(special.betaincinv(hits + 1.0, paths - hits, confidence)) if hits < paths else 1.0


def _gamma_low(shares: Floats, happened: Floats, confidence: float) -> float:
    from scipy import stats

    share, spread = float(shares @ happened), float(shares**2 @ happened)
    return min(spread / (2.0 * share) * float(stats.chi2.ppf(1.0 - confidence, 2.0 * share**2 / spread)), 1.0) if share else 0.0


def _gamma_high(shares: Floats, happened: Floats, confidence: float) -> float:
    """One hit more, of the heaviest path, is what nobody can exclude."""
    from scipy import stats

    heaviest = float(shares.max())
    share, spread = float(shares @ happened) + heaviest, float(shares**2 @ happened) + heaviest**2
    return min(spread / (2.0 * share) * float(stats.chi2.ppf(confidence, 2.0 * share**2 / spread)), 1.0)
