"""Units of what a study asks for, and its numbers as people read them.

An objective is arithmetic over measures, so its unit is found as in dimensional analysis: with every measure of a unit twice as large, an
amount in that unit doubles, and a ratio stays.

Source: Bridgman (1922), Dimensional Analysis: laws between quantities do not depend on the size of units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from seawall.reports.glossary import GLOSSARY
from seawall.reports.words import apart, number, quantity
from seawall.studies.expressions import SUFFIXES, Expression
from seawall.studies.quantity import Quantity, parse_quantity
from seawall.studies.units import unit_of
from seawall.studies.verdicts import Limit

if TYPE_CHECKING:
    from matplotlib.ticker import Formatter

FRACTION, UNKNOWN = "fraction", ""
_IN_WORDS = ("USD", FRACTION, "seconds", "per_year", "tokens")
_PROBES = 16
_MILLIONS = 1e7  # from here on `number` says so
_FACTOR = re.compile(r"(?<![\w.])(?!(?:0|1)(?![\w.]))[\d.][\w.]*")
"""A number other than 0 and 1, which may turn a unit into another: of seconds / 3600 nobody can say that they are seconds."""


def quantity_unit(asked: Quantity) -> str:
    """Unit of a statistic: `fraction` of a share of paths and of a ratio; empty where nobody can tell."""
    return FRACTION if asked.statistic == "p" else expression_unit(asked.expression)


@lru_cache
def unit_of_text(text: str) -> str:
    """The same of a statistic as a study writes it: mean(bad_debt)."""
    return quantity_unit(parse_quantity(text))


def limit_unit(limit: Limit) -> str:
    """Unit of what is limited; a limit in percent is of a fraction."""
    return FRACTION if "%" in limit.text else unit_of_text(limit.quantity.text)


def expression_unit(expression: Expression) -> str:
    """Unit of an expression: that of its measures, `fraction` of a ratio; empty where it is none of these, or a plain count."""
    if _FACTOR.search(expression.text):
        return UNKNOWN
    units = {name: _unit_of_measure(name) for name in expression.names}
    degrees = {unit: _degree(expression, units, unit) for unit in set(units.values()) - {FRACTION}}
    left = {unit: degree for unit, degree in degrees.items() if degree}
    if not left:
        return FRACTION
    unit, degree = left.popitem()
    return unit if not left and degree == 1.0 and unit in _IN_WORDS else UNKNOWN


def _unit_of_measure(name: str) -> str:
    """Unit of a measure, which may be written without its ending; its own name where none is known."""
    if unit := unit_of(name):
        return unit
    known = next((full for full in (name, *(name + ending for ending in SUFFIXES)) if full in GLOSSARY), None)
    if known is not None and GLOSSARY[known].unit == "percent":
        return FRACTION
    return (unit_of(known) if known is not None else "") or name


def _degree(expression: Expression, units: dict[str, str], unit: str) -> float:
    """Power to which the unit stands in the expression; NaN where it is no power, as of a sum of unlike terms."""
    draws = np.random.default_rng(0).lognormal(size=(len(units), _PROBES))
    once = dict(zip(units, draws, strict=True))
    twice = {name: values * (2.0 if units[name] == unit else 1.0) for name, values in once.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = np.log2(np.abs(expression.values(twice) / expression.values(once)))
    return float(np.round(degrees[0], 6)) + 0.0 if np.allclose(degrees, degrees[0], atol=1e-6) else math.nan


def in_words(value: float | None, unit: str) -> str:
    """A number in its unit: 12,345 USD; 48.7%; plain where the unit is not known."""
    if value is None or math.isnan(value):
        return "unknown"
    return quantity(value, unit) if unit in _IN_WORDS else number(value)


def with_interval(found: dict[str, Any], unit: str) -> str:
    """An estimate with its interval: 48.7% (48.6% to 48.9%)."""
    low, high = found["low"], found["high"]
    if found["value"] is None or low is None or high is None:
        return in_words(found["value"], unit)
    return f"{in_words(found['value'], unit)} ({bare(low, unit)} to {bare(high, unit)})"


def bare(value: float, unit: str) -> str:
    """A number whose unit has been said; percent signs stay."""
    return in_words(value, unit).removesuffix(" per year").removesuffix(" USD").removesuffix(" tokens")


def on_axis(unit: str) -> str:
    """What is said of a unit beside the name on an axis; empty where there is nothing to say, or numbers carry a percent sign."""
    return {"USD": " (USD)", "per_year": " (per year)", "seconds": " (s)", "tokens": " (tokens)"}.get(unit, "")


def scale_of(unit: str) -> float:
    """What a value is multiplied by for an axis: percents are drawn as such."""
    return 100.0 if unit in (FRACTION, "per_year") else 1.0


def ticks(unit: str) -> Formatter:
    """Labels of an axis on which values are drawn as `scale_of` has them, neighbours told apart."""
    from seawall.reports.axis_labels import AxisLabels

    return AxisLabels("%" if scale_of(unit) != 1.0 else "")


def column(values: Sequence[float | None], unit: str) -> list[str]:
    """Numbers of a column of a table in their unit; amounts of millions with as many digits as tell unequal ones apart."""
    known = sorted({value for value in values if value is not None and not math.isnan(value)})
    texts = [in_words(value, unit) for value in values]
    if unit not in ("USD", "tokens", UNKNOWN) or not known or max(map(abs, known)) < _MILLIONS:
        return texts
    words = dict(zip(known, apart([float(f"{value:.7g}") for value in known]), strict=True))
    ending = f" {unit}" if unit else ""
    return [f"{words[value]}{ending}" if value in words else text for value, text in zip(values, texts, strict=True)]
