"""The public relatives' cases on perpetual futures against our rules. All of them run.

A case counts in decimals of 18 digits, our rules in float64. So a figure may differ from the expected one by the case's own tolerance and
16 units in the last place, which is what some dozen operations lose at most: of the figure itself, and, where it is a sum of amounts that
nearly cancel (`SUMS`), of the largest amount in the case.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from reference.case_files import Case, Figures, assert_each_has_one_place, read_cases
from reference.perps_handlers import HANDLERS, lots_of, scenario_in

CASES = read_cases("synthetix_perps")

ULPS = 16.0 * 2.0**-52
SUMS = {
    "collateral",
    "debt",
    "pnl",
    "accrued_funding",
    "available_margin",
    "withdrawable_margin",
    "reported_debt",
    "market_total_debt",
    "lp_debt",
    "withdrawable",
    "minimum_credit",
    "delegated_collateral",
    "debt_change",
}


def figures_in(value: Any) -> list[float]:
    """Every number in a part of a case."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in figures_in(part)]
    if isinstance(value, list):
        return [number for part in value for number in figures_in(part)]
    return [float(value)] if isinstance(value, str) and re.fullmatch(r"-?[\d.]+", value) else []


def largest_amount(case: Case) -> float:
    """USD: the largest of what was deposited, of prices and of results; limits and scales, which are no amounts, left out."""
    steps = [step for step in case.inputs.get("steps", []) if step["do"] in ("modify_margin", "set_price")]
    return max(map(abs, figures_in(steps) + figures_in(case.expected)), default=0.0)


def differences(case: Case, got: Any, want: Any, key: str, largest: float) -> list[tuple[str, Any, Any]]:
    """Where a result is not what the case expects."""
    if isinstance(want, dict):
        return [found for name, part in want.items() for found in differences(case, got[name], part, name, largest)]
    if isinstance(want, list):
        assert len(got) == len(want)
        return [found for one, part in zip(got, want, strict=True) for found in differences(case, one, part, key, largest)]
    if isinstance(want, bool) or isinstance(got, str):
        return [] if got == want else [(key, got, want)]
    allowed = float(case.tolerance.get("abs", 0)) + ULPS * (largest if key in SUMS else abs(float(want)))
    return [] if abs(got - float(want)) <= allowed else [(key, got, want)]


def test_every_case_runs() -> None:
    assert_each_has_one_place(CASES, [case.id for case in CASES.values() if case.op in HANDLERS])
    assert {case.op for case in CASES.values()} == HANDLERS.keys()


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    assert_expected(case, HANDLERS[case.op](case))


@pytest.mark.parametrize("case", [case for case in CASES.values() if case.op == "scenario"], ids=lambda case: case.id)
def test_the_unit_of_the_base_asset_does_not_matter(case: Case) -> None:
    assert_expected(case, scenario_in(case, {market: 100 * lot for market, lot in lots_of(case.inputs).items()}))


def assert_expected(case: Case, result: Figures) -> None:
    missing = case.expected.keys() - result.keys()
    assert not missing, f"{case.id}: nothing computed for {sorted(missing)}"
    wrong = differences(case, result, case.expected, case.id, largest_amount(case))
    assert not wrong, f"{case.id}: (key, got, expected) {wrong}"
