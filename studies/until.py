"""When an ensemble has enough paths: `cvar99(bad_debt) +- 5%` asks for that quantity's 95 % interval to be that tight.

    rule = quantity "+-" number ["%"]          a quantity as in `quantity.py`; "±" will do for "+-"

With "%" the tolerance is a fraction of the estimate, whatever that is; without, an amount in the measure's unit. Looking again and again
until it is tight makes intervals a little narrow; their coverage tends to the nominal one as the tolerance shrinks.

Source: Chow and Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals", Annals of Mathematical Statistics 36
(1965).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Protocol

from seawall.studies.expressions import ExpressionError
from seawall.studies.quantity import STATISTICS, Quantity, parse_quantity

LEAST_PATHS = 100
LEAST_IN_TAIL = 10
"""Paths beyond a quantile before its interval is believed (assumption): 1,000 paths for 99 %."""
_RULE = re.compile(r"(?P<quantity>.+)(?:\+-|±)\s*(?P<by>[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<relative>%?)\s*", re.DOTALL)


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
        quantity: what is to be tight.
        tolerance: half of the interval, >= 0: a fraction of the estimate, or an amount.
        is_relative: whether it is a fraction.
    """

    text: str
    quantity: Quantity
    tolerance: float
    is_relative: bool

    @property
    def least_paths(self) -> int:
        """Paths below which the rule is not asked."""
        level = self.quantity.level
        tail = min(level, 1.0 - level)
        return LEAST_PATHS if math.isnan(level) else max(LEAST_PATHS, math.ceil(round(LEAST_IN_TAIL / tail, 6)))

    def is_met(self, found: Estimated) -> bool:
        """Tell whether neither end of the interval is further from the estimate than the tolerance; never of an estimate of 0 by %."""
        if found.value is None or found.low is None or found.high is None or not math.isfinite(found.value):
            return False
        reach = self.tolerance * abs(found.value) if self.is_relative else self.tolerance
        return reach > 0.0 and max(found.high - found.value, found.value - found.low) <= reach


def parse(text: str) -> Until:
    """Read a stopping rule.

    Raises:
        ExpressionError: it is none.
    """
    rule = _RULE.fullmatch(text)
    if rule is None:
        raise ExpressionError(
            f'{text!r} is no stopping rule; one is "cvar99(bad_debt) +- 5%", with {STATISTICS}, or "p(bad_debt > 0) +- 0.01"'
        )
    tolerance = float(rule["by"]) / (100.0 if rule["relative"] else 1.0)
    if not tolerance > 0.0:
        raise ExpressionError(f"{text!r}: the tolerance must be > 0")
    return Until(text.strip(), parse_quantity(rule["quantity"]), tolerance, bool(rule["relative"]))
