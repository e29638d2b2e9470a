"""One number over many paths, as text: `cvar99(bad_debt)`, `mean(lp_fees_usd / volume_usd)`, `p(bad_debt > 0.005 * debt_start)`.

    quantity  = statistic "(" expression ")"  |  "p(" expression comparison expression ")"
    statistic = "mean" | "median" | "q" percent | "var" percent | "cvar" percent          q95, var99, cvar99.5
    comparison = ">" | ">=" | "<" | "<="

`p` is the share of paths of which the comparison holds, among those of which it is known: a path without the measure is left out, but for a
time until something happens, which is infinite where it never does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from seawall.protocols.tables import Floats
from seawall.studies.estimate import CONFIDENCE, Estimate
from seawall.studies.expressions import Expression, ExpressionError, parse

STATISTICS = "mean, median, q95, var99, cvar99 (any percent) and p"
_QUANTITY = re.compile(r"\s*(?P<statistic>[a-z]+)(?P<percent>[\d.]+)?\s*\((?P<inside>.*)\)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A statistic of an expression.

    Attributes:
        text: as given.
        statistic: mean, median, q, var, cvar or p.
        level: in (0, 1) of a quantile; NaN for a mean or a p.
        expression: of each path.
    """

    text: str
    statistic: str
    level: float
    expression: Expression

    def values(self, measures: Mapping[str, Floats]) -> Floats:
        """The expression on each path, `[paths]`: 0 or 1 of a p, NaN where it has no value."""
        return self.expression.values(measures)

    def estimate(self, values: Floats, log_weights: Floats, *, confidence: float = CONFIDENCE) -> Estimate:
        """The statistic with its interval.

        Args:
            values: `[paths]`, as `values` gives them; paths that failed left out.
            log_weights: `[paths]`.
            confidence: of the interval, two-sided.
        """
        from seawall.studies import proportions, tails

        weights = log_weights if log_weights.any() else None
        match self.statistic:
            case "mean":
                return tails.mean(values, weights, confidence=confidence)
            case "median" | "q":
                return tails.quantile(values, self.level, weights, confidence=confidence)
            case "var":
                return tails.var(values, self.level, weights, confidence=confidence)
            case "cvar":
                return tails.cvar(values, self.level, weights, confidence=confidence)
        return proportions.frequency(values, weights, confidence=confidence)


def parse_quantity(text: str) -> Quantity:
    """Read a quantity.

    Raises:
        ExpressionError: it is none.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise ExpressionError(
            f'{text!r} is no statistic of a measure; one is "cvar99(bad_debt)" or "p(bad_debt > 0)"; known are {STATISTICS}'
        )
    statistic, percent, inside = found["statistic"], found["percent"], found["inside"]
    level = _level(text, statistic, percent)
    if (statistic == "p") != _compares(inside):
        raise ExpressionError(f'{text!r}: a comparison belongs to p, as in "p(bad_debt > 0)", and to nothing else')
    return Quantity(text.strip(), statistic, level, parse(inside, condition=statistic == "p"))


def _compares(inside: str) -> bool:
    return any(sign in inside for sign in "<>=")


def _level(text: str, statistic: str, percent: str | None) -> float:
    """Level of a quantile as a fraction; NaN where the statistic has none."""
    if statistic in ("mean", "median", "p") and percent is None:
        return 0.5 if statistic == "median" else math.nan
    if statistic in ("q", "var", "cvar") and percent is not None and re.fullmatch(r"\d+(\.\d+)?", percent):
        level = float(percent) / 100.0
        if 0.0 < level < 1.0:
            return level
        raise ExpressionError(f"{text!r}: {percent} percent is not between 0 and 100")
    raise ExpressionError(f"{text!r}: {statistic + (percent or '')!r} is not known; known are {STATISTICS}")
