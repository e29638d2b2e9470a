"""State machines of Hypothesis that ask contracts for things, and the list of what there is to ask for, read from the source."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, ClassVar

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test
from markets import ROOT

from seawall.protocols.amounts import LIMIT, UNIT, floor_amount
from seawall.protocols.status import Status

PROTOCOLS, CALLERS = "protocols", ("agents", "models", "scenarios")
UNBOUND = settings(
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

Name = tuple[str, str]
"""Module of `protocols/` and function."""

sensible = st.floats(0.0, 30_000.0).map(floor_amount)
dust = st.integers(1, 5).map(lambda units: units * UNIT)
huge = st.sampled_from([2.0**27, 2.0**32, LIMIT - UNIT, LIMIT])
no_amounts = st.sampled_from([0.0, -0.0, -UNIT, -1.0, UNIT / 3, 0.1, 1e-300, LIMIT + 1, 1e300, np.inf, -np.inf, np.nan])
amounts = st.one_of(sensible, sensible, sensible, sensible, dust, huge, no_amounts)
shares = st.one_of(st.floats(0.0, 1.1), st.sampled_from([0.0, 0.5, 1.0]))


class Driven(RuleBasedStateMachine):
    """A machine that counts what contracts answer, and sees to it that a refusal changes no byte of the market.

    Attributes:
        drives: the rules that it asks.
        answers: how often which of them answered what, over all examples so far.
    """

    drives: ClassVar[tuple[Callable[..., Any], ...]] = ()
    answers: ClassVar[Counter[tuple[Name, Status]]]

    def __init_subclass__(cls) -> None:
        """Count for each machine apart."""
        super().__init_subclass__()
        cls.answers = Counter()

    def tables(self) -> Iterable[np.ndarray]:
        """All state of the market."""
        raise NotImplementedError

    def state(self) -> bytes:
        return b"".join(table.tobytes() for table in self.tables())

    def ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call a rule that answers with a status, alone or first of several values."""
        before = self.state()
        answer = call(*arguments)
        status = Status(answer[0] if isinstance(answer, tuple) else answer)
        assert status == Status.OK or self.state() == before, f"{call.__name__} answered {status.name} and changed something"
        self._count(call, status)
        return answer

    def do(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call a rule that cannot refuse."""
        self._count(call, Status.OK)
        return call(*arguments)

    def _count(self, call: Callable[..., Any], status: Status) -> None:
        assert call in self.drives, f"{call.__name__} is not in the machine's list"
        self.answers[name_of(call), status] += 1

    @classmethod
    def granted(cls) -> set[Name]:
        """Rules that were granted at least once."""
        return {name for name, status in cls.answers if status == Status.OK}

    @classmethod
    def driven(cls) -> set[Name]:
        """Rules that it asks."""
        return {name_of(call) for call in cls.drives}


def play(machine: type[Driven], *, examples: int, seed: int) -> None:
    """Run so many examples of a machine, the same ones for the same seed."""
    test = get_state_machine_test(machine, settings=settings(UNBOUND, max_examples=examples))
    hypothesis_seed(seed)(test)()


def name_of(call: Callable[..., Any]) -> Name:
    """Module and name of a rule."""
    return call.__module__.rsplit(".", 1)[-1], call.__name__


# --- what there is to drive ---


@cache
def state_changing() -> dict[Name, set[Name]]:
    """Rules of the contracts that write a table, themselves or through another rule, with the rules each of them calls."""
    bodies, calls = {}, {}
    for name, function, scope in _functions():
        bodies[name] = function
        calls[name] = {target for node in ast.walk(function) if (target := _target(node, scope, name[0]))}
    changing = {name for name, function in bodies.items() if _writes(function)}
    while more := {name for name in bodies if name not in changing and calls[name] & changing}:
        changing |= more
    return {name: calls[name] & changing for name in changing}


@cache
def interface() -> set[Name]:
    """Of these, the ones that somebody outside of the contracts calls, and those that no other rule calls."""
    graph = state_changing()
    inner = set().union(*graph.values())
    return {name for name in graph if name not in inner} | (_called_outside() & set(graph))


def reached_from(names: Iterable[Name]) -> set[Name]:
    """State-changing rules that calls of these can come to."""
    graph, found, waiting = state_changing(), set(), list(names)
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += graph.get(name, ())
    return found


def _functions() -> Iterator[tuple[Name, ast.FunctionDef, dict[str, Name]]]:
    for file in sorted((ROOT / PROTOCOLS).glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_rule(node)]
        scope = _imported(tree) | {function.name: (file.stem, function.name) for function in functions}
        for function in functions:
            yield (file.stem, function.name), function, scope


def _is_rule(function: ast.FunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "rule" for mark in function.decorator_list)


def _imported(tree: ast.AST) -> dict[str, Name]:
    """Names that a module took from the contracts; a whole module stands as (module, "")."""
    found: dict[str, Name] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"seawall.{PROTOCOLS}"):
            inside = node.module.removeprefix(f"seawall.{PROTOCOLS}").lstrip(".")
            for alias in node.names:
                found[alias.asname or alias.name] = (inside, alias.name) if inside else (alias.name, "")
    return found


def _target(node: ast.AST, scope: dict[str, Name], module: str) -> Name | None:
    """The contract's function that an expression names, if it names one."""
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        inside, whole = scope.get(node.value.id, (module, "no module"))
        return (inside, node.attr) if whole == "" else None
    return None


def _writes(function: ast.FunctionDef) -> bool:
    stored = (node for node in ast.walk(function) if isinstance(node, ast.Attribute | ast.Subscript))
    return any(isinstance(node.ctx, ast.Store) for node in stored)


def _called_outside() -> set[Name]:
    files = (file for folder in CALLERS for file in sorted((ROOT / folder).glob("*.py")))
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    scopes = [(tree, _imported(tree)) for tree in trees]
    return {found for tree, scope in scopes for node in ast.walk(tree) if (found := _target(node, scope, ""))}
