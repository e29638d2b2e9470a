"""What our CDP rules make of a case: one handler per operation, from its inputs to the figures that it may expect.

One micro-unit of a case is one `UNIT`, so floors coincide. Where the collateral has a price of its own, CDPs lock a second tASSET of that
price; a collateral multiplier multiplies the minimum ratio. An auction runs with `liquidate_whole`, because the public contract lets one
purchase take any part of the debt.
"""

from __future__ import annotations

from dataclasses import replace

import pydantic
from reference.case_files import Case, Figures, Handler, units
from worlds import a_cdp, a_market, a_pool, give_collateral, give_tassets

from seawall.protocols import amm, auction, audit, cdp, oracle
from seawall.protocols.amounts import UNIT
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, Row, World
from seawall.scenarios.schema import Tasset

OUR_ANSWER = {
    "BELOW_MIN_CRATIO": Status.BELOW_MIN_RATIO,
    "ZERO_OR_WRONG_COLLATERAL": Status.BAD_AMOUNT,
    "ZERO_OR_WRONG_ASSET": Status.BAD_AMOUNT,
    "BURN_MORE_THAN_DEBT": Status.INSUFFICIENT_DEBT,
    "WITHDRAW_MORE_THAN_COLLATERAL": Status.INSUFFICIENT_COLLATERAL,
    "NOT_LIQUIDATABLE": Status.NOT_MARGIN_CALLED,
    "STALE_PRICE": Status.STALE_PRICE,
    "UNAUTHORIZED": Status.UNAUTHORIZED,
    "BAD_PARAM": "refused by the scenario's schema",
}


def market_of(case: Case) -> World:
    """A market with the terms of a case; without a price in the case, 1."""
    inputs = case.inputs
    minimum = float(inputs.get("min_c_ratio", "1.5"))
    fee = 0.0 if case.variant == "mirror_v2" else float(inputs.get("protocol_fee_rate") or 0.0)
    discount = float(inputs.get("auction_discount", "0.2"))
    return a_market(
        price=float(inputs.get("asset_price", "1")),
        collateral_price=None if inputs.get("collateral_price", "1") == "1" else float(inputs["collateral_price"]),
        minters=4,
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


def kind_of(world: World) -> Row:
    """What the CDPs of the cases mint against what."""
    return world.cdp_kinds[world.cdps[0].kind]


def price_of(world: World) -> float:
    """Collateral per token owed, as the oracle has it."""
    return float(cdp.last_price(kind_of(world), world.feeds))


def cash_of(world: World, account: int) -> int:
    """Units of the collateral's token in a wallet."""
    return units(world.wallets[account, kind_of(world).token])


def open_position(case: Case) -> Figures:
    world = market_of(case)
    row, inputs = world.cdps[0], case.inputs
    locked = inputs["collateral_amount"] * UNIT
    ratio = float(inputs["requested_c_ratio"])
    if kind_of(world).token != TDOLLAR:
        give_collateral(world, row.owner, locked)
    status, minted = cdp.open_position(row, world.tassets[0], kind_of(world), world.feeds, world.tokens, world.wallets, locked, ratio, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    assert position_of(row) == {"collateral": inputs["collateral_amount"], "asset": units(minted)}
    return {"mint_amount": units(world.wallets[row.owner, world.tassets[0].token])}


def deposit(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    status = cdp.deposit(row, world.tassets[0], kind_of(world), world.feeds, world.wallets, case.inputs["deposit_amount"] * UNIT, 0.0)
    audit.check(world)
    return {"position": position_of(row)} if status == Status.OK else {"error": status}


def mint(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    token, amount = world.tassets[0].token, case.inputs["mint_amount"] * UNIT
    before = world.wallets[row.owner, token]
    status = cdp.mint(row, world.tassets[0], kind_of(world), world.feeds, world.tokens, world.wallets, amount, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    return {"position": position_of(row), "minted": units(world.wallets[row.owner, token] - before)}


def burn(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    give_tassets(world, row.owner, UNIT)  # so that debt, not the wallet, is the limit
    status = cdp.burn(
        row, world.tassets[0], kind_of(world), world.feeds, world.tokens, world.wallets, case.inputs["burn_amount"] * UNIT, 0.0
    )
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    return {"position": position_of(row), "protocol_fee": cash_of(world, COLLECTOR_ACCOUNT)}


def withdraw(case: Case) -> Figures:
    world = market_of(case)
    row = cdp_of(case, world)
    before = cash_of(world, row.owner)
    status = cdp.withdraw(row, world.tassets[0], kind_of(world), world.feeds, world.wallets, case.inputs["withdraw_amount"] * UNIT, 0.0)
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
    status, burned, sold = auction.purchase(row, tasset, kind_of(world), world.feeds, world.tokens, world.wallets, buyer, offer, 0.0)
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
    return float(auction.quote(row, world.tassets[0], price_of(world), 1.0)[1])


def restore(case: Case) -> Figures:
    """Offer the whole debt under the document's limit; the collateral follows from the ratio."""
    world = market_of(case)
    world.tassets[0].liquidate_whole = False
    debt = case.inputs["asset_amount"] * UNIT
    collateral = round(float(case.inputs["current_c_ratio"]) * case.inputs["asset_amount"] * price_of(world)) * UNIT
    row, buyer = a_cdp(world, 0, collateral, debt), world.liquidators[0].account
    give_tassets(world, buyer, debt)
    _, burned, _ = auction.purchase(row, world.tassets[0], kind_of(world), world.feeds, world.tokens, world.wallets, buyer, debt, 0.0)
    audit.check(world)
    return {"asset_to_buy": units(burned), "c_ratio_after": cdp.collateral_ratio(row.collateral, row.debt, price_of(world))}


def revoked(case: Case) -> Figures:
    """Collateral that is taken no more: a delisted tASSET's kinds are revoked so."""
    world = a_market(price=1.0, collateral_price=1.0, minters=4)
    kind, feeds, tasset = kind_of(world), world.feeds, world.tassets[0]
    row, fresh = a_cdp(world, 0, 300.0, 100.0), world.cdps[1]
    give_collateral(world, fresh.owner, 300.0)
    kind.is_revoked = True
    answers = {
        "open_position": lambda: cdp.open_position(fresh, tasset, kind, feeds, world.tokens, world.wallets, 300.0, 2.0, 0.0)[0],
        "deposit": lambda: cdp.deposit(row, tasset, kind, feeds, world.wallets, 1.0, 0.0),
        "mint": lambda: cdp.mint(row, tasset, kind, feeds, world.tokens, world.wallets, 1.0, 0.0),
        "burn_by_owner": lambda: cdp.burn(row, tasset, kind, feeds, world.tokens, world.wallets, 1.0, 0.0),
        "withdraw_by_owner": lambda: cdp.withdraw(row, tasset, kind, feeds, world.wallets, 1.0, 0.0),
    }
    status = answers[case.inputs["operation"]]()
    audit.check(world)
    assert status in (Status.OK, Status.TASSET_DELISTED)
    return {"allowed": status == Status.OK}


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
    "operation_with_revoked_collateral": revoked,
    "price_validity": price_validity,
    "oracle_price": oracle_price,
    "collateral_price_amm": price_of_pool,
    "whitelist_params": whitelist,
}
