"""Arithmetic over measures, as studies and stopping rules write it: `bad_debt_usd / debt_start_usd`, read without ever running it as code.

Numbers, names of measures, `+ - * /`, parentheses, `min(a, b)`, `max(a, b)`, `abs(a)`; and where a condition is wanted one comparison,
`bad_debt_usd > 0.005 * debt_start_usd`. A name with a dot may hold hyphens (`lp_net_yield.ETH-PERP`); any other name may stand in quotes.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from seawall.protocols.errors import SeawallError
from seawall.protocols.tables import Floats

MAX_LENGTH = 500
"""Characters of an expression."""
SUFFIXES = ("_usd", "_s", "_per_year", "_texo", "_tokens", "_end", "_end_usd")
"""What may be left out at the end of a measure's name, where that leaves no doubt."""
MOST = 1e300
"""Largest number that may be written."""

UNTIL = "time_to_"
"""How measures begin that have no value where something never happens."""


def _divide(one: Floats, other: Floats) -> Floats:
    """A quotient, NaN where there is nothing to divide by."""
    return np.where(other == 0.0, math.nan, np.divide(one, other))


_OPERATORS: dict[type[ast.AST], Callable[..., Floats]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: _divide,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
}
_FUNCTIONS: dict[str, tuple[Callable[..., Floats], int]] = {"min": (np.minimum, 2), "max": (np.maximum, 2), "abs": (np.abs, 1)}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|(?P<dotted>[A-Za-z_]\w*\.[\w.-]*\w)")
_KNOWN = "known are numbers, names of measures, + - * /, parentheses, min, max and abs"


class ExpressionError(SeawallError, ValueError):
    """An expression that cannot be read, or that names a measure nobody takes; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Arithmetic over measures, checked.

    Attributes:
        text: as given.
        names: measures as written, in order of appearance.
        is_condition: whether it is a comparison, with the values 0, 1 and NaN.
    """

    text: str
    names: tuple[str, ...]
    is_condition: bool
    _tree: ast.expr

    def values(self, measures: Mapping[str, Floats]) -> Floats:
        """The expression on each path: `[paths]`, float64.

        NaN where a measure has no value or a denominator is 0; a condition is then unknown, NaN too. A time until something happens is
        infinite where it never does.

        Args:
            measures: `[paths]` by full name; a name may be written without its unit.

        Raises:
            ExpressionError: it names none of them.
        """
        full = {name: resolve(name, measures) for name in self.names}
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found = np.asarray(_evaluate(self._tree, {name: _known(known, measures) for name, known in full.items()}), np.float64)
        paths = len(next(iter(measures.values())))
        return np.broadcast_to(np.where(np.isfinite(found), found, math.nan), (paths,)).copy()


def parse(text: str, *, condition: bool = False) -> Expression:
    """Read an expression, or a condition.

    Raises:
        ExpressionError: it is none.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"{text[:40]!r}...: longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(_with_quotes(text.strip()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{text!r} is no expression; {_KNOWN}") from None
    if isinstance(tree, ast.Compare) != condition:
        wanted = "one comparison, as in bad_debt > 0" if condition else "no comparison"
        raise ExpressionError(f"{text!r}: {wanted} belongs here")
    names: list[str] = []
    _check(tree, text, names, may_compare=condition)
    if not names:
        raise ExpressionError(f"{text!r} names no measure")
    return Expression(text.strip(), tuple(dict.fromkeys(names)), condition, tree)


def resolve(name: str, known: Collection[str]) -> str:
    """The full name of a measure.

    Raises:
        ExpressionError: nothing, or more than one measure, is called so.
    """
    if name in known:
        return name
    meant = [full for full in known if full in {name + suffix for suffix in SUFFIXES}]
    if len(meant) == 1:
        return meant[0]
    close = meant or difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise ExpressionError(f"{name!r} is no measure of these paths; {hint}Known are {', '.join(sorted(known))}")


def _with_quotes(text: str) -> str:
    """The text with names that have a dot in quotes, so that a hyphen in them is no minus."""
    return _QUOTED.sub(lambda found: repr(found[0]) if found["dotted"] else found[0], text)


def _known(name: str, measures: Mapping[str, Floats]) -> Floats:
    values = measures[name]
    return np.where(np.isnan(values), math.inf, values) if name.startswith(UNTIL) else values


def _check(node: ast.AST, text: str, names: list[str], *, may_compare: bool) -> None:
    """Refuse every kind of node but the few that are arithmetic; collect names."""
    match node:
        case ast.Constant(value=value):
            _check_constant(value, text, names)
        case ast.Name(id=name):
            names.append(name)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            _check(left, text, names, may_compare=False)
            _check(right, text, names, may_compare=False)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            _check(inner, text, names, may_compare=False)
        case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE() | ast.Lt() | ast.LtE()], comparators=[right]) if may_compare:
            _check(left, text, names, may_compare=False)
            _check(right, text, names, may_compare=False)
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]) if function in _FUNCTIONS:
            if len(arguments) != _FUNCTIONS[function][1]:
                raise ExpressionError(f"{text!r}: {function} takes {_FUNCTIONS[function][1]} values, not {len(arguments)}")
            for argument in arguments:
                _check(argument, text, names, may_compare=False)
        case _:
            raise ExpressionError(f"{text!r}: {ast.unparse(node)!r} is not allowed; {_KNOWN}")


def _check_constant(value: object, text: str, names: list[str]) -> None:
    if isinstance(value, str):
        names.append(value)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST:
        raise ExpressionError(f"{text[:80]!r}: {str(value)[:20]} is no number that can be counted with")


def _evaluate(node: ast.AST, values: Mapping[str, Floats]) -> Floats:
    match node:
        case ast.Constant(value=str(name)) | ast.Name(id=name):
            return values[name]
        case ast.Constant(value=int() | float() as number):
            return np.asarray(float(number))
        case ast.BinOp(left=left, op=operator, right=right):
            return _OPERATORS[type(operator)](_evaluate(left, values), _evaluate(right, values))
        case ast.UnaryOp(op=operator, operand=inner):
            return _OPERATORS[type(operator)](_evaluate(inner, values))
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            one, other = _evaluate(left, values), _evaluate(right, values)
            return np.where(np.isnan(one) | np.isnan(other), math.nan, _OPERATORS[type(operator)](one, other))
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _FUNCTIONS[function][0](*(_evaluate(argument, values) for argument in arguments))
    raise AssertionError(f"{ast.dump(node)} was let through")  # _check lets nothing else pass
