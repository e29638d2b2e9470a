"""When an ensemble has enough paths: `cvar99(bad_debt) +- 5%` asks for that figure's 95 % interval to be that tight.

    rule      = estimate "+-" number ["%"]          "±" will do for "+-"
    estimate  = statistic "(" figure ")"  |  "p(" figure comparison number ")"
    statistic = "mean" | "median" | "q" percent | "var" percent | "cvar" percent          q95, var99, cvar99.5
    comparison = ">" | ">=" | "<" | "<="

With "%" the tolerance is a fraction of the estimate, whatever that is; without, an amount in the figure's unit. `p` is the share of paths
of which the comparison holds; a path without the figure is one of which it does not. Looking again and again until it is tight makes
intervals a little narrow; their coverage tends to the nominal one as the tolerance shrinks.

Source: Chow and Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals", Annals of Mathematical Statistics 36
(1965).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seawall.protocols.errors import SeawallError
from seawall.protocols.tables import Floats

LEAST_PATHS = 100
LEAST_IN_TAIL = 10
"""Paths beyond a quantile before its interval is believed (assumption): 1,000 paths for 99 %."""
SUFFIXES = ("_usd", "_s", "_per_year", "_texo", "_tokens", "_end", "_end_usd")
"""What may be left out at the end of a figure's name, where that leaves no doubt."""
STATISTICS = "mean, median, q95, var99, cvar99 (any percent) and p"
_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RULE = re.compile(
    rf"\s*(?P<statistic>[a-z]+)(?P<percent>[\d.]+)?\s*\((?P<inside>[^()]*)\)\s*(?:\+-|±)\s*(?P<by>{_NUMBER})\s*(?P<relative>%?)\s*"
)
_INSIDE = re.compile(rf"\s*(?P<figure>[A-Za-z_][\w.-]*)\s*(?:(?P<comparison>>=|<=|>|<)\s*(?P<bound>{_NUMBER}))?\s*")
_HOLDS: dict[str, Callable[[Floats, float], np.ndarray]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


class UntilError(SeawallError, ValueError):
    """A stopping rule that cannot be read, or that names a figure nobody measures; the text says what would be right."""


class Estimated(Protocol):
    """What a statistic over paths returns."""

    @property
    def value(self) -> float | None:
        """The estimate; None or NaN where there is none."""

    @property
    def low(self) -> float | None:
        """Lower end of its interval."""

    @property
    def high(self) -> float | None:
        """Upper end of its interval."""


@dataclass(frozen=True, slots=True)
class Until:
    """A stopping rule.

    Attributes:
        text: as given.
        statistic: mean, median, q, var, cvar or p.
        level: in (0, 1) of a quantile; NaN for a mean or a p.
        figure: name of a headline figure, perhaps without its unit.
        comparison: of a p; empty otherwise.
        bound: of a p, in the figure's unit.
        tolerance: half of the interval, >= 0: a fraction of the estimate, or an amount.
        is_relative: whether it is a fraction.
    """

    text: str
    statistic: str
    level: float
    figure: str
    comparison: str
    bound: float
    tolerance: float
    is_relative: bool

    @property
    def least_paths(self) -> int:
        """Paths below which the rule is not asked."""
        tail = min(self.level, 1.0 - self.level)
        return LEAST_PATHS if math.isnan(self.level) else max(LEAST_PATHS, math.ceil(round(LEAST_IN_TAIL / tail, 6)))

    def is_met(self, found: Estimated) -> bool:
        """Tell whether neither end of the interval is further from the estimate than the tolerance; never of an estimate of 0 by %."""
        if found.value is None or found.low is None or found.high is None or not math.isfinite(found.value):
            return False
        reach = self.tolerance * abs(found.value) if self.is_relative else self.tolerance
        return reach > 0.0 and max(found.high - found.value, found.value - found.low) <= reach


def parse(text: str) -> Until:
    """Read a stopping rule.

    Raises:
        UntilError: it is none.
    """
    rule = _RULE.fullmatch(text)
    inside = _INSIDE.fullmatch(rule["inside"]) if rule else None
    if rule is None or inside is None:
        raise UntilError(f'{text!r} is no stopping rule; one is "cvar99(bad_debt) +- 5%", with {STATISTICS}, or "p(bad_debt > 0) +- 0.01"')
    tolerance = float(rule["by"]) / (100.0 if rule["relative"] else 1.0)
    if not tolerance > 0.0:
        raise UntilError(f"{text!r}: the tolerance must be > 0")
    is_compared = inside["comparison"] is not None
    if is_compared != (rule["statistic"] == "p"):
        raise UntilError(f'{text!r}: a comparison belongs to p, as in "p({inside["figure"]} > 0) +- 0.01", and to nothing else')
    return Until(
        text.strip(),
        rule["statistic"],
        _level(text, rule["statistic"], rule["percent"]),
        inside["figure"],
        inside["comparison"] or "",
        float(inside["bound"]) if is_compared else math.nan,
        tolerance,
        bool(rule["relative"]),
    )


def _level(text: str, statistic: str, percent: str | None) -> float:
    """Level of a quantile as a fraction; NaN where the statistic has none."""
    if statistic in ("mean", "median", "p") and percent is None:
        return 0.5 if statistic == "median" else math.nan
    if statistic in ("q", "var", "cvar") and percent is not None and re.fullmatch(r"\d+(\.\d+)?", percent):
        level = float(percent) / 100.0
        if 0.0 < level < 1.0:
            return level
        raise UntilError(f"{text!r}: {percent} percent is not between 0 and 100")
    raise UntilError(f"{text!r}: {statistic + (percent or '')!r} is not known; known are {STATISTICS}")


def resolve(figure: str, known: Collection[str]) -> str:
    """The full name of a figure.

    Raises:
        UntilError: nothing, or more than one figure, is called so.
    """
    if figure in known:
        return figure
    meant = [name for name in known if name in {figure + suffix for suffix in SUFFIXES}]
    if len(meant) == 1:
        return meant[0]
    close = meant or difflib.get_close_matches(figure, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise UntilError(f"{figure!r} is no figure of this ensemble; {hint}Known are {', '.join(sorted(known))}")


def estimate(rule: Until, values: Floats, log_weights: Floats) -> Estimated:
    """The rule's estimate with its interval.

    Args:
        rule: which.
        values: `[paths]` of the figure, NaN where there is none; paths that failed left out.
        log_weights: `[paths]`.
    """
    from seawall.studies import proportions, tails

    weights = log_weights if log_weights.any() else None
    match rule.statistic:
        case "mean":
            return tails.mean(values, weights)
        case "median" | "q":
            return tails.quantile(values, rule.level, weights)
        case "var":
            return tails.var(values, rule.level, weights)
        case "cvar":
            return tails.cvar(values, rule.level, weights)
    holds = _HOLDS[rule.comparison](values, rule.bound)  # NaN compares false
    return proportions.frequency(holds.astype(np.float64), weights)
