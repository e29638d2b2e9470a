"""What our delisting rules make of a case; see `cdp_handlers` for units and re-denomination."""

from __future__ import annotations

from reference.case_files import Case, Figures, Handler, units
from reference.cdp_handlers import cash_of, cdp_of, kind_of, position_of
from worlds import a_cdp, a_market, give_collateral, give_tassets

from seawall.protocols import auction, audit, cdp, listing, oracle
from seawall.protocols.amounts import UNIT
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, World


def register_migration(case: Case) -> Figures:
    """The feeder publishes the end price and delists; somebody else may not."""
    world = a_market()
    tasset, feed = world.tassets[0], world.feeds[0]
    oracle.publish(feed, feed.feeder, float(case.inputs["end_price"]), 0.0)
    before = tasset.tobytes()
    status = listing.delist(tasset, feed, world.cdp_kinds, world.stake_pools[0], feed.feeder + (not case.inputs["caller_is_authorised"]))
    if status != Status.OK:
        assert tasset.tobytes() == before
        return {"error": status}
    return {
        "asset_config": {
            "auction_discount": float(tasset.auction_discount),
            "min_c_ratio": float(tasset.min_collateral_ratio),
            "end_price": float(tasset.end_price),
        }
    }


def delist(world: World) -> Status:
    """The feeder delists the first tASSET."""
    feed = world.feeds[0]
    return listing.delist(world.tassets[0], feed, world.cdp_kinds, world.stake_pools[0], feed.feeder)


def end_price_selection(case: Case) -> Figures:
    """The last published price, however old. Who asks is the feeder here, as the document says, so `caller` is passed through."""
    world = a_market(price=float(case.inputs["last_oracle_price"]))
    assert delist(world) == Status.OK
    return {"end_price": float(world.tassets[0].end_price), "caller": case.expected.get("caller")}


def a_delisted_market(end_price: float, collateral_price: float = 1.0) -> World:
    """A market with some CDPs' worth of tokens about, delisted long ago."""
    other = None if collateral_price == 1.0 else collateral_price
    world = a_market(price=end_price, collateral_price=other, minters=5, protocol_fee=0.015)
    assert delist(world) == Status.OK
    return world


def burn_delisted(case: Case) -> Figures:
    world = a_delisted_market(float(case.inputs["end_price"]), float(case.inputs["collateral_price"]))
    row, tasset, anybody = cdp_of(case, world), world.tassets[0], world.traders[0].account
    amount = case.inputs["burn_amount"] * UNIT
    give_tassets(world, anybody, amount)
    before = cash_of(world, anybody)
    status, received = listing.recover(row, tasset, kind_of(world), world.feeds, world.tokens, world.wallets, anybody, amount, 0.0)
    audit.check(world)
    if status != Status.OK:
        return {"error": status}
    return {
        "collateral_refunded_gross": units(received),
        "protocol_fee": cash_of(world, COLLECTOR_ACCOUNT),
        "collateral_to_burner": cash_of(world, anybody) - before,
        "position_closed": not row.is_open,
        "position_after": position_of(row) if row.is_open else None,
    }


def answers_after_delisting() -> dict[str, Status]:
    """What each operation answers an hour after the delisting, all else being in order."""
    world = a_delisted_market(100.0)
    tasset, kind, feeds, tokens, wallets = world.tassets[0], kind_of(world), world.feeds, world.tokens, world.wallets
    good, bad, anybody = a_cdp(world, 0, 1000.0, 2.0), a_cdp(world, 1, 90.0, 1.0), world.traders[0].account
    give_tassets(world, anybody, 2.0)
    now = 3600.0
    return {
        "open_position_minting_it": cdp.open_position(world.cdps[2], tasset, kind, feeds, tokens, wallets, 300.0, 2.0, now)[0],
        "deposit_to_position_minting_it": cdp.deposit(good, tasset, kind, feeds, wallets, 1.0, now),
        "mint_more_of_it": cdp.mint(good, tasset, kind, feeds, tokens, wallets, 1.0, now),
        "withdraw_by_owner": cdp.withdraw(good, tasset, kind, feeds, wallets, 1.0, now),
        "burn_by_owner": cdp.burn(good, tasset, kind, feeds, tokens, wallets, 1.0, now),
        "burn_by_anyone": listing.recover(bad, tasset, kind, feeds, tokens, wallets, anybody, 0.5, now)[0],
        "auction": auction.purchase(bad, tasset, kind, feeds, tokens, wallets, anybody, 0.5, now)[0],
    }


def answers_of_others_who_lock_it() -> dict[str, Status]:
    """What a tASSET's CDPs that lock a delisted one answer an hour after the delisting, all else being in order."""
    world = a_market(price=10.0, collateral_price=10.0, minters=4)
    tasset, kind, feeds, tokens, wallets = world.tassets[0], kind_of(world), world.feeds, world.tokens, world.wallets
    row, fresh, now = a_cdp(world, 0, 300.0, 100.0), world.cdps[1], 3600.0
    give_collateral(world, fresh.owner, 300.0)
    give_collateral(world, row.owner, 1.0)
    assert listing.delist(world.tassets[1], feeds[1], world.cdp_kinds, world.stake_pools[1], feeds[1].feeder) == Status.OK
    oracle.publish(feeds[0], feeds[0].feeder, 10.0, now)
    return {
        "open_position_using_it_as_collateral": cdp.open_position(fresh, tasset, kind, feeds, tokens, wallets, 300.0, 2.0, now)[0],
        "deposit_it_as_more_collateral": cdp.deposit(row, tasset, kind, feeds, wallets, 1.0, now),
        "mint_other_asset_against_it": cdp.mint(row, tasset, kind, feeds, tokens, wallets, 1.0, now),
    }


HANDLERS: dict[str, Handler] = {
    "register_migration": register_migration,
    "end_price_selection": end_price_selection,
    "burn_delisted": burn_delisted,
}
