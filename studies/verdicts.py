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
from seawall.studies.expressions import ExpressionError
from seawall.studies.proportions import effective_paths
from seawall.studies.quantity import Quantity, parse_quantity

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
    number = float(found["limit"]) / (100.0 if found["percent"] else 1.0)
    return Limit(text.strip(), parse_quantity(found["quantity"]), found["sign"] == "<=", number)


def judge(limit: Limit, values: Floats, log_weights: Floats, confidence: float) -> Standing:
    """How a limit stands.

    Args:
        limit: which.
        values: `[paths]`, as `limit.quantity.values` gives them; paths that failed left out.
        log_weights: `[paths]`.
        confidence: of each one-sided bound, in [0.5, 1).
    """
    if limit.quantity.statistic == "p":
        value, low, high = exact_bounds(values, log_weights, confidence)
    else:
        found = limit.quantity.estimate(values, log_weights, confidence=max(2.0 * confidence - 1.0, 1e-9))
        value, low, high = found.value, found.low, found.high
        if value is not None and low is None and len(values) and bool(np.all(values == values[0])):
            low = high = value  # the same on every path: nothing varies that more paths could tell
    return Standing(value, low, high, _verdict(limit, low, high))


def excess(limit: Limit, standing: Standing) -> float:
    """By how much the estimate passes its limit, in the quantity's unit; not above 0 where it holds, infinite where there is none."""
    if standing.value is None:
        return math.inf
    return (standing.value - limit.limit) * (1.0 if limit.is_upper else -1.0)


def _verdict(limit: Limit, low: float | None, high: float | None) -> Verdict:
    sure, unsure = (high, low) if limit.is_upper else (low, high)
    sign = 1.0 if limit.is_upper else -1.0
    if sure is not None and sign * sure <= sign * limit.limit:
        return Verdict.MET
    if unsure is not None and sign * unsure > sign * limit.limit:
        return Verdict.BROKEN
    return Verdict.OPEN


def exact_bounds(happened: Floats, log_weights: Floats, confidence: float) -> tuple[float | None, float | None, float | None]:
    """Share of paths on which it happened, with one-sided lower and upper bound of at least this confidence.

    With weights the effective number of paths takes the place of their number.

    Source: Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial, Biometrika 26;
    Korn and Graubard (1998) for weights.
    """
    from scipy import stats

    if not len(happened):
        return None, None, None
    if log_weights.any():
        weights = np.exp(log_weights - log_weights.max())
        shares = weights / weights.sum()
        share, paths = float(shares @ happened), effective_paths(shares, happened == 1.0)
    else:
        share, paths = float(happened.mean()), float(len(happened))
    hits = share * paths
    low = float(stats.beta.ppf(1.0 - confidence, hits, paths - hits + 1.0)) if share > 0.0 else 0.0
    high = float(stats.beta.ppf(confidence, hits + 1.0, paths - hits)) if share < 1.0 else 1.0
    return share, low, high
