"""The public implementation's cases on LPs, pools and markets against our rules.

Its decimals have 18 places and truncate; ours are float64, and tokens come in units of 2**-20. So a result may differ by the case's own
tolerance and, of its size, by `ROUNDING`: it is the outcome of some dozens of operations, each of which rounds by at most 2**-53.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from liquidity import Lent, a_core
from reference.case_files import Case, Figures, Handler, assert_each_has_one_place, assert_matches, read_cases
from reference.core_handlers import Scenario

from seawall.protocols import liquidity_pools, markets, shares, vaults
from seawall.protocols.amounts import UNIT, floor_amount
from seawall.protocols.status import Status

CASES = read_cases("synthetix_core")

ROUNDING = 2.0**-47


def with_rounding(case: Case) -> Case:
    """The case with its tolerance in the units of its figures."""
    allowed = {"abs": float(case.tolerance["abs"]) / UNIT, "rel": ROUNDING}
    return Case(case.id, case.op, case.variant, case.inputs, case.expected, allowed)


# --- one handler per operation: inputs of a case to the figures that it may expect ---


def scenario(case: Case) -> Figures:
    steps = case.inputs["steps"]
    return Scenario(case.inputs["config"], steps).run(steps)


def distribution(case: Case) -> Figures:
    """Holders of shares, each with the value per share when it was last settled."""
    held: dict[str, tuple[float, float]] = {}
    value_per_share, results = 0.0, Figures()
    for step in case.inputs["steps"]:
        mine, last = held.get(step.get("actor", ""), (0.0, 0.0))
        change = shares.accrued(mine, value_per_share, last)
        if step["do"] == "set_shares":
            held[step["actor"]] = (float(step["shares"]), value_per_share)
        elif step["do"] == "distribute":
            total = sum(holder[0] for holder in held.values())
            status, value_per_share = shares.distribute(value_per_share, total, float(step["value"]))
            if status == Status.EMPTY_DISTRIBUTION:
                return {"error": "EmptyDistribution"}
        if "label" in step:
            results[step["label"]] = value_per_share if step["do"] == "value_per_share" else change
    return results


def scalable_mapping(case: Case) -> Figures:
    """The collateral of a vault's positions: one for each actor."""
    actors = list(dict.fromkeys(step["actor"] for step in case.inputs["steps"] if "actor" in step))
    lent = a_core(range(10, 10 + max(len(actors), 1)))
    vault, results = lent.core.vaults[0, 0], Figures()
    rows = {actor: lent.core.positions[i] for i, actor in enumerate(actors)}
    for step in case.inputs["steps"]:
        if step["do"] == "set":
            vaults.set_collateral(rows[step["actor"]], vault, float(step["amount"]))
        elif step["do"] == "scale" and vaults.share_collateral(vault, float(step["value"])) == Status.EMPTY_DISTRIBUTION:
            return {"error": "CannotScaleEmptyMapping"}
        if step["do"] == "get":
            results[step["label"]] = vaults.collateral(rows[step["actor"]], vault)
        elif "label" in step:
            results[step["label"]] = vault.collateral
    return results


def set_pool(lent: Lent, step: Figures) -> float:
    """Give a pool shares of the market, up to a limit; returns the debt that it had taken so far."""
    market, backing = lent.core.markets[0], lent.core.backings[step["pool"] - 1, 0]
    taken = debt_of(lent, step["pool"])
    backing.shares, backing.limit = float(step["shares"]), float(step["max_value_per_share"])
    backing.last_value = market.value_per_share
    return taken


def debt_of(lent: Lent, pool: int) -> float:
    backing = lent.core.backings[pool - 1, 0]
    return shares.accrued_up_to(backing.limit, backing.shares, lent.core.markets[0].value_per_share, backing.last_value)


def distribute_to_pools(lent: Lent, step: Figures) -> None:
    """As far as the limits of so many pools, or all the way."""
    market, backings = lent.core.markets[0], lent.core.backings
    if "max_pools_moved" not in step:
        markets.settle(market, backings, 0)
    for _ in range(step.get("max_pools_moved", 0)):
        market.value_per_share, market.distributed_debt, _ = markets.stretch(
            backings, 0, market.value_per_share, market.distributed_debt, markets.total_debt(market)
        )


def market_pools(case: Case) -> Figures:
    lent, results = a_core([10], pools=3), Figures()
    market = lent.core.markets[0]
    ask: dict[str, Any] = {
        "set_pool": lambda step: set_pool(lent, step),
        "set_debt": lambda step: setattr(market, "reported_debt", float(step["debt"])),
        "distribute": lambda step: distribute_to_pools(lent, step),
        "capacity": lambda _: markets.capacity(market, lent.core.backings, 0),
        "value_per_share": lambda _: market.value_per_share,
        "debts": lambda step: {str(pool): debt_of(lent, pool) for pool in step["pools"]},
    }
    for step in case.inputs["steps"]:
        result = ask[step["do"]](step)
        if "label" in step:
            results[step["label"]] = result
    return results


def system_max_value_per_share(case: Case) -> Figures:
    inputs = [float(case.inputs[key]) for key in ("min_liquidity_ratio", "pool_debt_per_share", "market_value_per_share")]
    return {"max_value_per_share": liquidity_pools.max_value_per_share(*inputs)}


def issuance_check(case: Case) -> Figures:
    value, debt, ratio = (float(case.inputs[key]) for key in ("collateral_value", "debt_after", "issuance_ratio"))
    return {"allowed": bool(vaults.meets_ratio(value, debt, ratio))}


def liquidation_check(case: Case) -> Figures:
    value, debt, ratio = (float(case.inputs[key]) for key in ("collateral_value", "debt", "liquidation_ratio"))
    return {"liquidatable": not vaults.meets_ratio(value, debt, ratio)}


HANDLERS: dict[str, Handler] = {
    "scenario": scenario,
    "distribution": distribution,
    "scalable_mapping": scalable_mapping,
    "market_pools": market_pools,
    "system_max_value_per_share": system_max_value_per_share,
    "issuance_check": issuance_check,
    "liquidation_check": liquidation_check,
}


# --- where our units are coarser than the public implementation's ---


def the_bound_lies_between_two_units(case: Case) -> None:
    """There two amounts one 10**-18 apart are told apart, here two units of dUSD: the last one below the bound, and the next one."""
    steps = json.loads(json.dumps(case.inputs["steps"]))
    tried = {step["label"]: step["action"] for step in steps if step["do"] == "expect_error" and step["action"]["do"] == "mint"}
    below, above = Decimal(tried["ok"]["amount"]), Decimal(tried["bad"]["amount"])
    assert 0 < above - below <= Decimal("1e-18")
    assert float(below) == float(above)
    tried["ok"]["amount"] = floor_amount(float(below))
    tried["bad"]["amount"] = floor_amount(float(below)) + UNIT
    assert_matches(with_rounding(case), Scenario(case.inputs["config"], steps).run(steps))


DIFFERENT: dict[str, Any] = {
    "core_issue_400_150": the_bound_lies_between_two_units,
    "core_issue_pool_ratio": the_bound_lies_between_two_units,
}
"""Case: the test of what our contracts do instead."""

RUN = [case for case in CASES.values() if case.id not in DIFFERENT]


# --- tests ---


def test_every_case_has_exactly_one_place() -> None:
    assert_each_has_one_place(CASES, [case.id for case in RUN], DIFFERENT)
    assert {case.op for case in RUN} == HANDLERS.keys()


@pytest.mark.parametrize("case", RUN, ids=lambda case: f"{case.id}-{case.op}")
def test_case(case: Case) -> None:
    assert_matches(with_rounding(case), HANDLERS[case.op](case))


@pytest.mark.parametrize("case_id", DIFFERENT)
def test_our_units_are_coarser(case_id: str) -> None:
    DIFFERENT[case_id](CASES[case_id])
