"""The public implementation's CDP cases against our rules.

One micro-unit of a case is one `UNIT`, so floors coincide. A case whose collateral is itself a tASSET is re-denominated: collateral is
counted in its own tokens and the price becomes asset_price / collateral_price, which is all that the contract's arithmetic uses; a
collateral multiplier multiplies the minimum ratio. The fees of `mirror_v2` (on burn; in an auction a part of the burned tokens' value)
are not the ExoniumDEX document's: such cases run without a fee and are compared after the expected fee is added back. An auction runs with
`liquidate_whole`, because the public contract lets one purchase take any part of the debt; the document's limit is tested on the same
inputs.
"""

from __future__ import annotations

from dataclasses import replace

import pydantic
import pytest
from reference.case_files import Case, Figures, Handler, assert_matches, read_cases, units, vocabulary
from worlds import a_cdp, a_market, a_pool, give_tassets

from seawall.protocols import amm, auction, audit, cdp, ledger, oracle
from seawall.protocols.amounts import UNIT
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, Row, World
from seawall.scenarios.schema import Tasset

CASES = read_cases("mirror_mint")

OUR_ANSWER = {
    "BELOW_MIN_CRATIO": Status.BELOW_MIN_RATIO,
    "ZERO_OR_WRONG_COLLATERAL": Status.BAD_AMOUNT,
    "ZERO_OR_WRONG_ASSET": Status.BAD_AMOUNT,
    "BURN_MORE_THAN_DEBT": Status.INSUFFICIENT_DEBT,
    "WITHDRAW_MORE_THAN_COLLATERAL": Status.INSUFFICIENT_COLLATERAL,
    "NOT_LIQUIDATABLE": Status.NOT_MARGIN_CALLED,
    "STALE_PRICE": Status.STALE_PRICE,
    "BAD_PARAM": "refused by the scenario's schema",
}

NOT_LISTING = "delisting is not part of the market yet"
NO_ORACLE_OF_COLLATERAL = "CDPs hold tDOLLAR only, so no collateral can be revoked or needs a price"

NOT_APPLICABLE = {
    "mm_074": (f"{NOT_LISTING}: no end price, minimum ratio fixed for a run", "end_price"),
    "mm_075": (f"{NOT_LISTING}: nobody may ask for it", "delist"),
    "mm_076": (f"{NOT_LISTING}: no end price to choose", "end_price"),
    "mm_077": (f"{NOT_LISTING}: no end price after a revocation either", "end_price"),
    "mm_079": (f"{NOT_LISTING}: every operation is open to every tASSET", "delist"),
    "mm_080": (f"{NOT_LISTING}: nobody burns against another's CDP except in an auction", "delist"),
    "mm_083": (f"{NOT_LISTING}: no pro-rata payment out of an under-collateralised CDP", "delist"),
    "mm_084": (f"{NOT_LISTING}: no payment at an end price", "end_price"),
    "mm_085": (f"{NOT_LISTING}: no fee on burning a delisted tASSET", "delist"),
    "mm_086": (f"{NO_ORACLE_OF_COLLATERAL} (open)", "revoke"),
    "mm_087": (f"{NO_ORACLE_OF_COLLATERAL} (mint)", "revoke"),
    "mm_089": (f"{NO_ORACLE_OF_COLLATERAL} (burn)", "revoke"),
    "mm_091": (f"{NO_ORACLE_OF_COLLATERAL} (withdraw)", "revoke"),
    "mm_101": (f"{NO_ORACLE_OF_COLLATERAL} (through an intermediate asset)", "collateral_price"),
}
"""Case: why our contracts have nothing to run, and a word that they would have to know if they had."""


# --- one handler per operation: inputs of a case to the figures that it may expect ---


def market_of(case: Case) -> World:
    """A market with the terms of a case; without a price in the case, 1."""
    inputs = case.inputs
    minimum = float(inputs.get("min_c_ratio", "1.5"))
    fee = 0.0 if case.variant == "mirror_v2" else float(inputs.get("protocol_fee_rate") or 0.0)
    discount = float(inputs.get("auction_discount", "0.2"))
    return a_market(
        price=float(inputs.get("asset_price", "1")) / float(inputs.get("collateral_price", "1")),
        min_collateral_ratio=minimum * float(inputs.get("collateral_multiplier", "1")),
        auction_discount=min(discount, minimum - 1.0) if case.variant == "mirror_v2" else discount,
        protocol_fee=fee,
        auction_fee=fee,
        liquidate_whole=True,
    )


def cdp_of(case: Case, world: World) -> Row:
    """CDP 0 as the case describes it."""
    position = case.inputs["position"]
    return a_cdp(world, 0, position["collateral"] * UNIT, position["asset"] * UNIT)


def position_of(row: Row) -> Figures:
    return {"collateral": units(row.collateral), "asset": units(row.debt)}


def cash_of(world: World, account: int) -> int:
    return units(world.wallets[account, TDOLLAR])


def open_position(case: Case) -> Figures:
    world = market_of(case)
    row, inputs = world.cdps[0], case.inputs
    locked = inputs["collateral_amount"] * UNIT
    ratio = float(inputs["requested_c_ratio"])
    status, minted = cdp.open_position(row, world.tassets[0], world.feeds[0], world.tokens, world.wallets, locked, ratio, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    assert position_of(row) == {"collateral": inputs["collateral_amount"], "asset": units(minted)}
    return {"mint_amount": units(world.wallets[row.owner, world.tassets[0].token])}


def deposit(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    status = cdp.deposit(row, world.tassets[0], world.feeds[0], world.wallets, case.inputs["deposit_amount"] * UNIT, 0.0)
    audit.check(world)
    return {"position": position_of(row)} if status == Status.OK else {"error": status}


def mint(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    token, amount = world.tassets[0].token, case.inputs["mint_amount"] * UNIT
    before = world.wallets[row.owner, token]
    status = cdp.mint(row, world.tassets[0], world.feeds[0], world.tokens, world.wallets, amount, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    return {"position": position_of(row), "minted": units(world.wallets[row.owner, token] - before)}


def burn(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    give_tassets(world, row.owner, UNIT)  # so that debt, not the wallet, is the limit
    status = cdp.burn(row, world.tassets[0], world.feeds[0], world.tokens, world.wallets, case.inputs["burn_amount"] * UNIT, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    return {"position": position_of(row), "protocol_fee": cash_of(world, COLLECTOR_ACCOUNT)}


def withdraw(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    before = cash_of(world, row.owner)
    status = cdp.withdraw(row, world.tassets[0], world.feeds[0], world.wallets, case.inputs["withdraw_amount"] * UNIT, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    assert row.is_open == any(position_of(row).values())
    return {
        "position": position_of(row),
        "protocol_fee": cash_of(world, COLLECTOR_ACCOUNT),
        "to_owner": cash_of(world, row.owner) - before,
    }


def purchase(case: Case) -> Figures:
    world = market_of(case)
    row, tasset, buyer = cdp_of(case, world), world.tassets[0], world.liquidators[0].account
    price = discounted_price(case)
    offer = case.inputs["offer_amount"] * UNIT
    give_tassets(world, buyer, offer)
    owner_before, buyer_before = cash_of(world, row.owner), cash_of(world, buyer)
    status, burned, sold = auction.purchase(row, tasset, world.feeds[0], world.tokens, world.wallets, buyer, offer, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    return {
        "collateral_sold": units(sold),
        "asset_burned": units(burned),
        "asset_refunded_to_liquidator": units(world.wallets[buyer, tasset.token]),
        "protocol_fee": cash_of(world, COLLECTOR_ACCOUNT),
        "collateral_to_liquidator": cash_of(world, buyer) - buyer_before,
        "collateral_to_owner": cash_of(world, row.owner) - owner_before,
        "position_closed": not row.is_open,
        "position_after": position_of(row) if row.is_open else None,
        "unbacked_asset_left": units(tasset.bad_debt),
        "effective_discount": tasset.auction_discount,
        "discounted_price": price,
    }


def discounted_price(case: Case) -> float:
    """TDOLLAR for one token out of a CDP that has plenty."""
    world = market_of(case)
    row = a_cdp(world, 0, 1e6, 1.0)
    return float(auction.quote(row, world.tassets[0], world.feeds[0].price, 1.0)[1])


def restore(case: Case) -> Figures:
    """Offer the whole debt under the document's limit; the collateral follows from the ratio."""
    world = market_of(case)
    world.tassets[0].liquidate_whole = False
    debt = case.inputs["asset_amount"] * UNIT
    collateral = round(float(case.inputs["current_c_ratio"]) * case.inputs["asset_amount"] * world.feeds[0].price) * UNIT
    row, buyer = a_cdp(world, 0, collateral, debt), world.liquidators[0].account
    give_tassets(world, buyer, debt)
    _, burned, _ = auction.purchase(row, world.tassets[0], world.feeds[0], world.tokens, world.wallets, buyer, debt, 0.0)
    audit.check(world)
    return {"asset_to_buy": units(burned), "c_ratio_after": cdp.collateral_ratio(row.collateral, row.debt, world.feeds[0].price)}


def price_validity(case: Case) -> Figures:
    inputs = case.inputs
    world = a_market(price_valid_seconds=float(inputs["validity_seconds"]))
    feed, now = world.feeds[0], float(inputs["now"])
    oracle.publish(feed, feed.feeder, 100.0, float(inputs["last_updated"]))
    return {"valid": True} if oracle.is_fresh(feed, now) else {"error": Status.STALE_PRICE}


def oracle_price(case: Case) -> Figures:
    """A feed quotes in tDOLLAR, the contract's base denomination, whose own price is 1."""
    assert case.inputs["quote_price"] == "1"
    return {"rate": market_of(replace(case, inputs={"asset_price": case.inputs["base_price"]})).feeds[0].price}


def price_of_pool(case: Case) -> Figures:
    """The arithmetic is the pool's own price; no CDP reads it here."""
    world = a_market(price=1.0)
    pool = a_pool(world, case.inputs["pool_base"] * UNIT, case.inputs["pool_collateral"] * UNIT, UNIT)
    return {"price": amm.price(pool, world.wallets)}


def whitelist(case: Case) -> Figures:
    """A tASSET is listed by a scenario; the schema checks its terms."""
    terms = {"auction_discount": float(case.inputs["auction_discount"]), "min_collateral_ratio": float(case.inputs["min_c_ratio"])}
    try:
        Tasset.model_validate({"tracks": "AAPL", "pool": {"liquidity_usd": 1.0}, **terms})
    except pydantic.ValidationError:
        return {"error": OUR_ANSWER["BAD_PARAM"]}
    return {"accepted": True}


HANDLERS: dict[str, Handler] = {
    "open_position": open_position,
    "deposit": deposit,
    "mint": mint,
    "burn": burn,
    "withdraw": withdraw,
    "auction": purchase,
    "auction_restore_amount": restore,
    "price_validity": price_validity,
    "oracle_price": oracle_price,
    "collateral_price_amm": price_of_pool,
    "whitelist_params": whitelist,
}


# --- where the document, hence our contracts, differ from the public implementation ---


def burning_takes_from_the_owner_and_knows_no_other_caller(case: Case) -> None:
    """There `UNAUTHORIZED`; here the tokens come out of the owner's wallet, so nobody else's are ever burned."""
    world = market_of(case)
    row, tasset, other = cdp_of(case, world), world.tassets[0], world.traders[0].account
    ledger.transfer(world.wallets, tasset.token, row.owner, other, row.debt)
    amount = case.inputs["burn_amount"] * UNIT
    assert cdp.burn(row, tasset, world.feeds[0], world.tokens, world.wallets, amount, 0.0) == Status.INSUFFICIENT_BALANCE
    assert position_of(row) == case.inputs["position"]
    assert world.wallets[other, tasset.token] == row.debt


def nothing_is_sold_exactly_at_the_minimum(case: Case) -> None:
    """There for sale; here not, "when it falls below the min. collateral ratio". A sale's arithmetic is the same."""
    world = market_of(case)
    row, tasset, buyer = cdp_of(case, world), world.tassets[0], world.liquidators[0].account
    offer = case.inputs["offer_amount"] * UNIT
    give_tassets(world, buyer, offer)
    status, *_ = auction.purchase(row, tasset, world.feeds[0], world.tokens, world.wallets, buyer, offer, 0.0)
    assert status == Status.NOT_MARGIN_CALLED
    assert position_of(row) == case.inputs["position"]
    burned, sold = auction.quote(row, tasset, world.feeds[0].price, offer)
    assert (units(burned), units(sold)) == (case.expected["asset_burned"], case.expected["collateral_sold"])
    assert discounted_price(case) == float(case.expected["discounted_price"])


def all_operations_on_a_cdp_need_a_fresh_price(case: Case) -> None:
    """There deposit (in v1 also burn) reads none; here both do, "ExoniumDEX will disable CDP operations"."""
    ours = {
        "open_position": True,
        "deposit": True,
        "withdraw": True,
        "mint": True,
        "burn_live_asset": True,
        "auction": True,
        "amm_swap": False,
    }
    assert {name: status == Status.STALE_PRICE for name, status in answers_after(61.0).items()} == ours
    assert set(answers_after(60.0).values()) == {Status.OK}
    theirs = {name: reads for name, reads in case.expected["reads"].items() if name != "burn_delisted_asset"}
    different = {name for name, reads in theirs.items() if reads != ours[name]}
    assert different == ({"deposit", "burn_live_asset"} if case.variant == "mirror_v1" else {"deposit"})


def answers_after(now: float) -> dict[str, int]:
    """What each operation answers `now` seconds after the price was published, all else being in order."""
    world = a_market(price_valid_seconds=60.0, minters=4)
    tasset, feed, tokens, wallets = world.tassets[0], world.feeds[0], world.tokens, world.wallets
    good, bad, buyer = a_cdp(world, 0, 1000.0, 1.0), a_cdp(world, 1, 140.0, 1.0), world.liquidators[0].account
    give_tassets(world, buyer, 1.0)
    pool = a_pool(world, 1000.0, 10.0, 100.0)
    return {
        "open_position": cdp.open_position(world.cdps[2], tasset, feed, tokens, wallets, 300.0, 2.0, now)[0],
        "deposit": cdp.deposit(good, tasset, feed, wallets, 1.0, now),
        "withdraw": cdp.withdraw(good, tasset, feed, wallets, 1.0, now),
        "mint": cdp.mint(good, tasset, feed, tokens, wallets, 1.0, now),
        "burn_live_asset": cdp.burn(good, tasset, feed, tokens, wallets, 1.0, now),
        "auction": auction.purchase(bad, tasset, feed, tokens, wallets, buyer, 0.5, now)[0],
        "amm_swap": amm.swap(pool, wallets, world.traders[0].account, TDOLLAR, 1.0, 1.0)[0],
    }


DIFFERENT = {
    "mm_037": burning_takes_from_the_owner_and_knows_no_other_caller,
    "mm_061": nothing_is_sold_exactly_at_the_minimum,
    "mm_062": nothing_is_sold_exactly_at_the_minimum,
    "mm_097": all_operations_on_a_cdp_need_a_fresh_price,
    "mm_098": all_operations_on_a_cdp_need_a_fresh_price,
}
"""Case: the test of what our contracts do instead."""

RUN = [case for case in CASES.values() if case.id not in NOT_APPLICABLE and case.id not in DIFFERENT]
PURCHASES = [case for case in RUN if case.op == "auction" and "error" not in case.expected]


# --- tests ---


def in_our_terms(case: Case) -> Case:
    """The case with our name for a refusal, and without the fee of v2 on burn or on the value burned in an auction."""
    expected = dict(case.expected)
    if "error" in expected:
        expected["error"] = OUR_ANSWER[expected["error"]]
    elif case.variant == "mirror_v2" and case.op in ("burn", "auction"):
        fee, expected["protocol_fee"] = expected["protocol_fee"], 0
        if case.op == "burn":
            expected["position"] = {**expected["position"], "collateral": expected["position"]["collateral"] + fee}
        else:
            expected["collateral_to_liquidator"] += fee
    return replace(case, expected=expected)


def test_every_case_has_exactly_one_place() -> None:
    places = [case.id for case in RUN] + list(DIFFERENT) + list(NOT_APPLICABLE)
    assert sorted(places) == sorted(CASES)
    assert {case.op for case in RUN} == HANDLERS.keys()


@pytest.mark.parametrize("case", RUN, ids=lambda case: f"{case.id}-{case.op}")
def test_case(case: Case) -> None:
    assert_matches(in_our_terms(case), HANDLERS[case.op](case))


@pytest.mark.parametrize("case_id", DIFFERENT)
def test_our_contracts_do_what_the_document_says_instead(case_id: str) -> None:
    DIFFERENT[case_id](CASES[case_id])


@pytest.mark.parametrize("case_id", NOT_APPLICABLE)
def test_what_a_case_not_applicable_would_need_does_not_exist(case_id: str) -> None:
    reason, word = NOT_APPLICABLE[case_id]
    found = {name for name in vocabulary() if word in name}
    assert not found, f"{case_id} may run now ({reason}): {found}"


@pytest.mark.parametrize("case", PURCHASES, ids=lambda case: case.id)
def test_under_the_documents_limit_a_purchase_stops_where_the_ratio_is_restored(case: Case) -> None:
    world = market_of(case)
    world.tassets[0].liquidate_whole = False
    row, tasset, price, buyer = cdp_of(case, world), world.tassets[0], world.feeds[0].price, world.liquidators[0].account
    offer = case.inputs["offer_amount"] * UNIT
    give_tassets(world, buyer, offer)
    limit = auction.restoring_amount(row.collateral, row.debt, price, tasset.min_collateral_ratio, tasset.auction_discount)
    status, burned, _ = auction.purchase(row, tasset, world.feeds[0], world.tokens, world.wallets, buyer, offer, 0.0)
    assert status == Status.OK
    assert burned == min(case.expected["asset_burned"] * UNIT, limit)
    assert world.wallets[buyer, tasset.token] == offer - burned
    assert not (limit <= offer and auction.is_margin_called(row, tasset, price))
    audit.check(world)
