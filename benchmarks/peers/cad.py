"""What radCAD and cadCAD have in common: one state update block per phase, a policy that plays it and an update for each table it changes.

A policy returns new tables and leaves those that it was given as they are, as both ask for, so that the engines' copies of the whole
state can be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from peers.rules import PHASES
from peers.tables import TABLES, Market, Table

Phase = Callable[[Market], None]


def blocks(terms: Mapping[str, Any]) -> list[dict[str, dict[str, Callable[..., Any]]]]:
    """The phases in order, as state update blocks."""
    return [
        {"policies": {phase.__name__: policy_of(phase, changed, terms)}, "variables": {name: update_of(name) for name in changed}}
        for phase, changed in PHASES
    ]


def policy_of(phase: Phase, changed: tuple[str, ...], terms: Mapping[str, Any]) -> Callable[..., dict[str, Table]]:
    """A policy whose signals are the tables that a phase changes."""

    def policy(_params: Any, _substep: int, _history: Any, state: Mapping[str, Any]) -> dict[str, Table]:
        tables = {name: state[name].copy() if name in changed else state[name] for name in TABLES}
        phase(Market(**terms, **tables))
        return {name: tables[name] for name in changed}

    return policy


def update_of(name: str) -> Callable[..., tuple[str, Table]]:
    """The update of a state variable by its signal."""
    return lambda _params, _substep, _history, _state, signals: (name, signals[name])
