"""The public implementation's CDP cases against our rules (see `cdp_handlers` for how a case is translated).

The fees of `mirror_v2` (on burn; in an auction a part of the burned tokens' value) are not the ExoniumDEX document's: such cases run
without a fee and are compared after the expected fee is added back. A purchase is run twice: as there, where it may take any part of the
debt, and under the document's limit.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from reference.case_files import Case, assert_each_has_one_place, assert_matches, assert_nothing_is_called, read_cases, units
from reference.cdp_handlers import HANDLERS as CDP_HANDLERS
from reference.cdp_handlers import OUR_ANSWER, cdp_of, discounted_price, kind_of, market_of, position_of, price_of
from reference.listing_handlers import HANDLERS as LISTING_HANDLERS
from reference.listing_handlers import answers_after_delisting, answers_of_others_who_lock_it, burn_delisted
from worlds import a_cdp, a_market, a_pool, give_tassets

from seawall.protocols import amm, auction, audit, cdp, ledger
from seawall.protocols.amounts import UNIT
from seawall.protocols.status import Status
from seawall.protocols.tables import TDOLLAR

CASES = read_cases("mirror_mint")
HANDLERS = CDP_HANDLERS | LISTING_HANDLERS

NOT_APPLICABLE = {
    "mm_101": ("collateral is priced by its own feed, never by a pool and an intermediate asset", "intermediate"),
}
"""Case: why our contracts have nothing to run, and a word that they would have to know if they had."""


# --- where the document, hence our contracts, differ from the public implementation ---


def burning_takes_from_the_owner_and_knows_no_other_caller(case: Case) -> None:
    """There `UNAUTHORIZED`; here the tokens come out of the owner's wallet, so nobody else's are ever burned."""
    world = market_of(case)
    row, tasset, other = cdp_of(case, world), world.tassets[0], world.traders[0].account
    ledger.transfer(world.wallets, tasset.token, row.owner, other, row.debt)
    amount = case.inputs["burn_amount"] * UNIT
    assert cdp.burn(row, tasset, kind_of(world), world.feeds, world.tokens, world.wallets, amount, 0.0) == Status.INSUFFICIENT_BALANCE
    assert position_of(row) == case.inputs["position"]
    assert world.wallets[other, tasset.token] == row.debt


def nothing_is_sold_exactly_at_the_minimum(case: Case) -> None:
    """There for sale; here not, "when it falls below the min. collateral ratio". A sale's arithmetic is the same."""
    world = market_of(case)
    row, tasset, buyer = cdp_of(case, world), world.tassets[0], world.liquidators[0].account
    offer = case.inputs["offer_amount"] * UNIT
    give_tassets(world, buyer, offer)
    status, *_ = auction.purchase(row, tasset, kind_of(world), world.feeds, world.tokens, world.wallets, buyer, offer, 0.0)
    assert status == Status.NOT_MARGIN_CALLED
    assert position_of(row) == case.inputs["position"]
    burned, sold = auction.quote(row, tasset, price_of(world), offer)
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
    tasset, kind, feeds, tokens, wallets = world.tassets[0], kind_of(world), world.feeds, world.tokens, world.wallets
    good, bad, buyer = a_cdp(world, 0, 1000.0, 1.0), a_cdp(world, 1, 140.0, 1.0), world.liquidators[0].account
    give_tassets(world, buyer, 1.0)
    pool = a_pool(world, 1000.0, 10.0, 100.0)
    return {
        "open_position": cdp.open_position(world.cdps[2], tasset, kind, feeds, tokens, wallets, 300.0, 2.0, now)[0],
        "deposit": cdp.deposit(good, tasset, kind, feeds, wallets, 1.0, now),
        "withdraw": cdp.withdraw(good, tasset, kind, feeds, wallets, 1.0, now),
        "mint": cdp.mint(good, tasset, kind, feeds, tokens, wallets, 1.0, now),
        "burn_live_asset": cdp.burn(good, tasset, kind, feeds, tokens, wallets, 1.0, now),
        "auction": auction.purchase(bad, tasset, kind, feeds, tokens, wallets, buyer, 0.5, now)[0],
        "amm_swap": amm.swap(pool, wallets, world.traders[0].account, TDOLLAR, 1.0, 1.0)[0],
    }


def after_delisting_owners_withdraw_and_burn_and_anybody_recovers(case: Case) -> None:
    """As there, but for a withdrawal by anybody but the owner, which ours do not know."""
    answers = answers_after_delisting() | answers_of_others_who_lock_it()
    ours = {name: status == Status.OK for name, status in answers.items()}
    theirs = case.expected["allowed"]
    assert {name: theirs[name] for name in ours} == ours
    assert theirs.keys() - ours.keys() == {"withdraw_by_other"}


def recovering_carries_no_fee(case: Case) -> None:
    """There the last version charges the protocol fee; here a recovery is no withdrawal, as in the first version."""
    result = burn_delisted(case)
    assert result["protocol_fee"] == 0
    assert result["collateral_to_burner"] == case.expected["collateral_refunded_gross"] == result["collateral_refunded_gross"]
    assert result["position_after"] == case.expected["position_after"]


DIFFERENT = {
    "mm_037": burning_takes_from_the_owner_and_knows_no_other_caller,
    "mm_061": nothing_is_sold_exactly_at_the_minimum,
    "mm_062": nothing_is_sold_exactly_at_the_minimum,
    "mm_097": all_operations_on_a_cdp_need_a_fresh_price,
    "mm_098": all_operations_on_a_cdp_need_a_fresh_price,
    "mm_079": after_delisting_owners_withdraw_and_burn_and_anybody_recovers,
    "mm_085": recovering_carries_no_fee,
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
    assert_each_has_one_place(CASES, [case.id for case in RUN], DIFFERENT, NOT_APPLICABLE)
    assert {case.op for case in RUN} == HANDLERS.keys()


@pytest.mark.parametrize("case", RUN, ids=lambda case: f"{case.id}-{case.op}")
def test_case(case: Case) -> None:
    assert_matches(in_our_terms(case), HANDLERS[case.op](case))


@pytest.mark.parametrize("case_id", DIFFERENT)
def test_our_contracts_do_what_the_document_says_instead(case_id: str) -> None:
    DIFFERENT[case_id](CASES[case_id])


@pytest.mark.parametrize("case_id", NOT_APPLICABLE)
def test_what_a_case_not_applicable_would_need_does_not_exist(case_id: str) -> None:
    why, word = NOT_APPLICABLE[case_id]
    assert_nothing_is_called(word, why)


@pytest.mark.parametrize("case", PURCHASES, ids=lambda case: case.id)
def test_under_the_documents_limit_a_purchase_stops_where_the_ratio_is_restored(case: Case) -> None:
    world = market_of(case)
    world.tassets[0].liquidate_whole = False
    row, tasset, price, buyer = cdp_of(case, world), world.tassets[0], price_of(world), world.liquidators[0].account
    offer = case.inputs["offer_amount"] * UNIT
    give_tassets(world, buyer, offer)
    limit = auction.restoring_amount(row.collateral, row.debt, price, tasset.min_collateral_ratio, tasset.auction_discount)
    status, burned, _ = auction.purchase(row, tasset, kind_of(world), world.feeds, world.tokens, world.wallets, buyer, offer, 0.0)
    assert status == Status.OK
    assert burned == min(case.expected["asset_burned"] * UNIT, limit)
    assert world.wallets[buyer, tasset.token] == offer - burned
    assert not (limit <= offer and auction.is_margin_called(row, tasset, price))
    audit.check(world)
