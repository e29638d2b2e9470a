"""Reading the reference cases, and comparing a result with what a case expects."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall import protocols
from seawall.protocols.amounts import UNIT
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import UNITS

FOLDER = Path(__file__).parent / "cases"

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A reference case: what to compute, from what, and the public implementation's result."""

    id: str
    op: str
    variant: str
    inputs: Figures
    expected: Figures
    tolerance: Mapping[str, Any]


Handler = Callable[[Case], Figures]


def read_cases(name: str) -> dict[str, Case]:
    """The cases of a file in `cases/`, by id."""
    rows = json.loads((FOLDER / f"{name}.json").read_text())["cases"]
    cases = [Case(row["id"], row["op"], row["variant"], row["inputs"], row["expected"], row.get("tolerance", {})) for row in rows]
    assert len({case.id for case in cases}) == len(cases)
    return {case.id: case for case in cases}


def units(amount: float) -> int:
    """An amount of tokens in whole units: a case's micro-unit is one `UNIT`."""
    count = amount / UNIT
    assert count == int(count), f"{amount!r} is not in whole units"
    return int(count)


def assert_matches(case: Case, result: Figures) -> None:
    """Every figure that the case expects is in the result, within the case's own tolerance."""
    missing = case.expected.keys() - result.keys()
    assert not missing, f"{case.id}: nothing computed for {sorted(missing)}"
    wrong = {key: (result[key], want) for key, want in case.expected.items() if not _is_close(result[key], want, case.tolerance)}
    assert not wrong, f"{case.id}: (got, expected) {wrong}"


def _is_close(got: Any, want: Any, tolerance: Mapping[str, Any]) -> bool:
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys() and all(_is_close(got[key], want[key], tolerance) for key in want)
    if isinstance(want, list):
        return len(got) == len(want) and all(_is_close(g, w, tolerance) for g, w in zip(got, want, strict=True))
    if want is None or isinstance(want, bool) or isinstance(got, str):
        return bool(got == want)
    allowed = tolerance.get("abs_micro", tolerance.get("abs", 0)) * (1.0 if isinstance(want, int) else UNIT)
    allowed += float(tolerance.get("rel", 0)) * abs(float(want))
    return bool(abs(got - float(want)) <= allowed)


def vocabulary() -> set[str]:
    """Every name that the contracts know: modules' names, columns, actions and answers."""
    modules = [importlib.import_module(found.name) for found in pkgutil.iter_modules(protocols.__path__, "seawall.protocols.")]
    rules = {name for module in modules for name in vars(module)}
    columns = {column for table in UNITS.values() for column in table}
    return {name.lower() for name in rules | columns | {item.name for item in (*Action, *Status)}}


def assert_each_has_one_place(cases: Mapping[str, Case], *places: Iterable[str]) -> None:
    """Every case stands in exactly one of the places."""
    assert sorted(case_id for place in places for case_id in place) == sorted(cases)


def assert_nothing_is_called(word: str, why: str) -> None:
    """No name that the contracts know contains the word that a case not applicable would need."""
    found = {name for name in vocabulary() if word in name}
    assert not found, f"may run now ({why}): {found}"
