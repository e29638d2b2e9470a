"""The public implementation's pool cases against our rules.

One unit of a case is one `UNIT`; the first side of a pair is tDOLLAR, the offered side of a swap too. Our rounding is that of version 2.9;
cases of the older versions stay within their own tolerance.
"""

from __future__ import annotations

import pytest
from reference.case_files import Case, Figures, assert_each_has_one_place, assert_matches, assert_nothing_is_called, read_cases, units
from worlds import a_market, a_pool, give_tassets

from seawall.protocols import amm, audit
from seawall.protocols.amounts import UNIT
from seawall.protocols.status import Status
from seawall.protocols.tables import TDOLLAR, World

CASES = read_cases("terraswap")

NO_DEADLINE = "an order carries no deadline: it is executed in the round in which it is made, or not at all"
NOT_APPLICABLE = {"ts_036": (NO_DEADLINE, "deadline"), "ts_038": (NO_DEADLINE, "deadline")}
"""Case: why our contracts have nothing to run, and a word that they would have to know if they had."""

ANY_PRICE = 1.0


# --- one handler per operation: inputs of a case to the figures that it may expect ---


def market_of(case: Case, *, filled: bool = True) -> World:
    """A market whose pool has the case's reserves, and an LP who holds all its LP tokens."""
    inputs = case.inputs
    world = a_market(price=1.0, commission=float(inputs.get("commission_rate", "0.003")))
    base, asset = inputs["pools"] if "pools" in inputs else (inputs["offer_pool"], inputs["ask_pool"])
    if filled:
        a_pool(world, base * UNIT, asset * UNIT, inputs.get("total_share", 1) * UNIT)
    return world


def reserves(world: World) -> list[int]:
    pool = world.pools[0]
    return [units(world.wallets[pool.account, token]) for token in (pool.base_token, pool.asset_token)]


def swap(case: Case) -> Figures:
    world, offer = market_of(case), case.inputs["offer_amount"] * UNIT
    pool = world.pools[0]
    before = reserves(world)
    _, kept, spread = amm.quote_swap(before[0] * UNIT, before[1] * UNIT, offer, pool.commission)
    status, received = amm.swap(pool, world.wallets, world.traders[0].account, TDOLLAR, offer, ANY_PRICE)
    audit.check(world)
    assert status == Status.OK
    assert pool.fees_asset == kept
    after = reserves(world)
    assert (after[0] - before[0], before[1] - after[1]) == (units(offer), units(received))
    return {
        "return_amount": units(received),
        "commission_amount": units(kept),
        "spread_amount": units(spread),
        "offer_pool_after": after[0],
        "ask_pool_after": after[1],
    }


def reverse_swap(case: Case) -> Figures:
    inputs = case.inputs
    offer_pool, ask_pool, rate = inputs["offer_pool"] * UNIT, inputs["ask_pool"] * UNIT, float(inputs["commission_rate"])
    offer = amm.quote_cost(offer_pool, ask_pool, inputs["ask_amount"] * UNIT, rate)
    payout, kept, spread = amm.quote_swap(offer_pool, ask_pool, offer, rate)
    assert units(payout) >= inputs["ask_amount"] - case.tolerance["abs"]
    return {"offer_amount": units(offer), "commission_amount": units(kept), "spread_amount": units(spread)}


def provide(case: Case) -> Figures:
    inputs = case.inputs
    first = inputs["total_share"] == 0
    world = market_of(case, filled=not first)
    pool, lp = world.pools[0], world.traders[0].account  # a trader, whose wallet holds no LP tokens yet
    base, asset = (deposit * UNIT for deposit in inputs["deposits"])
    give_tassets(world, lp, asset)
    before, tolerance = reserves(world), float(inputs.get("slippage_tolerance", "1"))
    status, shares = amm.provide(pool, world.tokens, world.wallets, lp, base, asset, tolerance)
    audit.check(world)
    if status != Status.OK:
        return {"error": {Status.EXCEEDS_MAX_SLIPPAGE: "MAX_SLIPPAGE"}[Status(status)]}
    assert world.wallets[lp, pool.share_token] == shares
    used = [after - earlier for after, earlier in zip(reserves(world), before, strict=True)]
    return {
        "share": units(shares),
        "locked_share": units(world.wallets[pool.account, pool.share_token]),
        "used": used,
        "refund": [deposit - taken for deposit, taken in zip(inputs["deposits"], used, strict=True)],
    }


def redeem(case: Case) -> Figures:
    world = market_of(case)
    pool, lp = world.pools[0], world.lps[0].account
    before = reserves(world)
    status, base, asset = amm.redeem(pool, world.tokens, world.wallets, lp, case.inputs["burn"] * UNIT)
    audit.check(world)
    assert status == Status.OK
    refund = [units(base), units(asset)]
    assert [earlier - after for earlier, after in zip(before, reserves(world), strict=True)] == refund
    return {"refund": refund, "total_share_after": units(world.tokens[pool.share_token].supply)}


def max_spread_check(case: Case) -> Figures:
    """Amounts of a token with other decimals than 6 are counted in millionths first."""
    inputs = case.inputs
    offer = inputs["offer_amount"] / 10 ** (inputs["offer_decimals"] - 6) * UNIT
    payout, spread = (inputs[key] / 10 ** (inputs["return_decimals"] - 6) * UNIT for key in ("return_amount", "spread_amount"))
    within = amm.is_spread_within(offer, payout, spread, float(inputs["max_spread"]), float(inputs["belief_price"] or 0.0))
    return {"result": "accepted" if within else "rejected"}


HANDLERS = {
    "swap": swap,
    "reverse_swap": reverse_swap,
    "provide_liquidity": provide,
    "withdraw_liquidity": redeem,
    "max_spread_check": max_spread_check,
}


# --- where our pool differs from the public implementation of that version ---


def the_surplus_of_a_deposit_stays_with_the_lp(case: Case) -> None:
    """Up to 2.4 the pool keeps it; here, as from 2.5 on, only what the LP tokens are worth is taken."""
    result = provide(case)
    assert result["share"] == case.expected["share"]
    assert (result["used"], result["refund"]) == ([100, 100], [100, 0])


DIFFERENT = {"ts_020": the_surplus_of_a_deposit_stays_with_the_lp}
"""Case: the test of what our contracts do instead."""

RUN = [case for case in CASES.values() if case.id not in NOT_APPLICABLE and case.id not in DIFFERENT]


# --- tests ---


def test_every_case_has_exactly_one_place() -> None:
    assert_each_has_one_place(CASES, [case.id for case in RUN], DIFFERENT, NOT_APPLICABLE)
    assert {case.op for case in RUN} == HANDLERS.keys()


@pytest.mark.parametrize("case", RUN, ids=lambda case: f"{case.id}-{case.op}")
def test_case(case: Case) -> None:
    assert_matches(case, HANDLERS[case.op](case))


@pytest.mark.parametrize("case_id", DIFFERENT)
def test_our_pool_does_this_instead(case_id: str) -> None:
    DIFFERENT[case_id](CASES[case_id])


@pytest.mark.parametrize("case_id", NOT_APPLICABLE)
def test_what_a_case_not_applicable_would_need_does_not_exist(case_id: str) -> None:
    why, word = NOT_APPLICABLE[case_id]
    assert_nothing_is_called(word, why)
