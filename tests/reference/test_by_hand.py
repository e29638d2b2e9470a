"""Cases worked out by hand from MECHANICS.md, sections 1 (CDP, auction, oracle) and 2 (pool)."""

from __future__ import annotations

import pytest
from worlds import a_cdp, a_market, a_pool, give_tassets

from seawall.protocols import amm, auction, audit, cdp, oracle
from seawall.protocols.amounts import UNIT
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, World


def buy(world: World, index: int, offer: float, now: float = 0.0) -> tuple[int, float, float]:
    """The first liquidator offers tokens to a CDP; the books balance afterwards."""
    buyer = world.liquidators[0].account
    give_tassets(world, buyer, offer)
    answer = auction.purchase(
        world.cdps[index], world.tassets[0], world.cdp_kinds[0], world.feeds, world.tokens, world.wallets, buyer, offer, now
    )
    audit.check(world)
    return answer


# --- section 1: CDP ---


def test_closing_takes_the_fee_on_all_collateral() -> None:
    world = a_market(protocol_fee=0.015, cash=1000.0)
    row = a_cdp(world, 0, 300.0, 1.0)
    assert cdp.close(row, world.tassets[0], world.cdp_kinds[0], world.feeds, world.tokens, world.wallets, 0.0) == Status.OK
    assert not row.is_open
    assert world.wallets[COLLECTOR_ACCOUNT, TDOLLAR] == 4.5
    assert world.wallets[row.owner, TDOLLAR] == 1295.5
    audit.check(world)


def test_a_cdp_may_be_opened_and_left_exactly_at_the_minimum() -> None:
    world = a_market(price=100.0, min_collateral_ratio=1.5)
    row, terms, kind, feeds = world.cdps[0], world.tassets[0], world.cdp_kinds[0], world.feeds
    status, minted = cdp.open_position(row, terms, kind, feeds, world.tokens, world.wallets, 150.0, 1.5, 0.0)
    assert (status, minted) == (Status.OK, 1.0)
    assert not auction.is_margin_called(row, terms, feeds[0].price)
    assert cdp.mint(row, terms, kind, feeds, world.tokens, world.wallets, UNIT, 0.0) == Status.BELOW_MIN_RATIO
    assert cdp.withdraw(row, terms, kind, feeds, world.wallets, UNIT, 0.0) == Status.BELOW_MIN_RATIO


def test_minting_and_withdrawing_may_go_exactly_to_the_minimum() -> None:
    world = a_market(price=100.0, min_collateral_ratio=1.5)
    minting, withdrawing = a_cdp(world, 0, 300.0, 1.0), a_cdp(world, 1, 300.0, 1.0)
    terms, kind, feeds = world.tassets[0], world.cdp_kinds[0], world.feeds
    assert cdp.mint(minting, terms, kind, feeds, world.tokens, world.wallets, 1.0, 0.0) == Status.OK
    assert cdp.withdraw(withdrawing, terms, kind, feeds, world.wallets, 150.0, 0.0) == Status.OK
    audit.check(world)


def test_required_collateral_floors_the_value_and_then_the_requirement() -> None:
    assert cdp.required_collateral(3 * UNIT, 0.5, 1.5) == UNIT  # floor(1.5 units) = 1, floor(1 x 1.5) = 1; unrounded it would be 2.25
    assert cdp.required_collateral(7 * UNIT, 0.5, 1.5) == 4 * UNIT  # floor(3.5) = 3, floor(4.5) = 4


def test_the_ratio_of_a_cdp_without_debt_is_infinite() -> None:
    assert cdp.collateral_ratio(150.0, 1.0, 100.0) == 1.5
    assert cdp.collateral_ratio(150.0, 0.0, 100.0) == float("inf")


# --- section 1: auction ---


@pytest.mark.parametrize(
    ("ratio", "restoring"),
    [(1.4, 400_000), (1.45, 200_000), (1.49, 40_000), (1.3, 800_000), (1.25, 1_000_000), (1.24, 1_000_000)],
)
def test_the_restoring_amount_of_a_million_tokens(ratio: float, restoring: int) -> None:
    """At minimum 1.5 and discount 0.2; from 1/(1 - 0.2) = 1.25 down, all of the debt."""
    assert auction.restoring_amount(ratio * 1e8, 1e6, 100.0, 1.5, 0.2) == restoring


def test_a_discount_that_no_purchase_can_make_good_puts_the_whole_debt_up_for_sale() -> None:
    assert auction.restoring_amount(110.0, 1.0, 100.0, 1.2, 0.2) == 1.0  # 1/(1 - 0.2) is above the minimum of 1.2


def test_a_purchase_restores_the_minimum_and_goes_no_further() -> None:
    world = a_market(min_collateral_ratio=1.5, auction_discount=0.2)
    row = a_cdp(world, 0, 140.0, 1.0)
    status, burned, sold = buy(world, 0, 1.0)
    assert (status, burned) == (Status.OK, pytest.approx(0.4, abs=UNIT))  # 0.4 is not in whole units: the next one is sold
    assert sold == pytest.approx(50.0, abs=125 * UNIT)
    assert cdp.collateral_ratio(row.collateral, row.debt, 100.0) == pytest.approx(1.5, abs=1e-6)
    assert not auction.is_margin_called(row, world.tassets[0], 100.0)


def test_below_the_inverse_of_one_less_the_discount_a_partial_purchase_lowers_the_ratio() -> None:
    world = a_market(min_collateral_ratio=1.5, auction_discount=0.2)
    row = a_cdp(world, 0, 124.0, 1.0)
    assert buy(world, 0, 0.5) == (Status.OK, 0.5, 62.5)
    assert cdp.collateral_ratio(row.collateral, row.debt, 100.0) == 1.23


def test_the_owner_gets_what_is_left_when_all_debt_is_burned() -> None:
    world = a_market(liquidate_whole=True, cash=1000.0)
    row = a_cdp(world, 0, 140.0, 1.0)
    assert buy(world, 0, 1.0) == (Status.OK, 1.0, 125.0)
    assert not row.is_open
    assert world.wallets[row.owner, TDOLLAR] == 1015.0


def test_debt_left_without_collateral_is_bad_debt() -> None:
    world = a_market()
    row = a_cdp(world, 0, 100.0, 1.0)
    status, burned, sold = buy(world, 0, 1.0)
    assert (status, burned, sold) == (Status.OK, pytest.approx(0.8, abs=UNIT), 100.0)
    assert not row.is_open
    assert world.tassets[0].bad_debt == 1.0 - burned
    assert world.tassets[0].bad_debt_usd == 100.0 * (1.0 - burned)


@pytest.mark.parametrize(("fee", "profit"), [(0.015, 0.23125), (0.0, 0.25)])
def test_the_buyers_profit_per_dollar_of_debt(fee: float, profit: float) -> None:
    """(1 - fee)/(1 - discount) - 1: 23.1% with the public implementation's fee on the buyer, 25% with the document's none."""
    world = a_market(auction_fee=fee, auction_discount=0.2, liquidate_whole=True, cash=0.0)
    a_cdp(world, 0, 140.0, 1.0)
    assert buy(world, 0, 1.0)[0] == Status.OK
    assert world.wallets[world.liquidators[0].account, TDOLLAR] == pytest.approx(100.0 * (1.0 + profit), abs=UNIT)


def test_collateral_is_for_sale_one_unit_below_the_minimum() -> None:
    world = a_market(price=1.0, min_collateral_ratio=1.5)
    at, below = a_cdp(world, 0, 1.5, 1.0), a_cdp(world, 1, 1.5 - UNIT, 1.0)
    assert not auction.is_margin_called(at, world.tassets[0], 1.0)
    assert auction.is_margin_called(below, world.tassets[0], 1.0)


# --- section 1: oracle ---


@pytest.mark.parametrize(("age", "fresh"), [(0.0, True), (60.0, True), (61.0, False), (3600.0, False)])
def test_a_price_is_valid_for_sixty_seconds_the_sixtieth_included(age: float, fresh: bool) -> None:
    world = a_market(price_valid_seconds=60.0)
    a_cdp(world, 0, 140.0, 1.0)
    assert oracle.is_fresh(world.feeds[0], age) == fresh
    assert buy(world, 0, 0.25, now=age)[0] == (Status.OK if fresh else Status.STALE_PRICE)


def test_nobody_but_the_feeder_publishes() -> None:
    world = a_market(price=100.0)
    feed = world.feeds[0]
    assert oracle.publish(feed, feed.feeder + 1, 50.0, 10.0) == Status.UNAUTHORIZED
    assert (feed.price, feed.updated_at) == (100.0, 0.0)


# --- section 2: pool ---


def test_a_swap_pays_the_constant_product_less_the_commission_which_stays() -> None:
    world = a_market(price=1.0, commission=0.003)
    pool = a_pool(world, 1000.0, 1000.0, 1000.0)
    status, received = amm.swap(pool, world.wallets, world.traders[0].account, TDOLLAR, 1000.0, 1.0)
    assert (status, received) == (Status.OK, pytest.approx(498.5, abs=2 * UNIT))
    assert pool.fees_asset == pytest.approx(1.5, abs=2 * UNIT)
    assert world.wallets[pool.account, pool.asset_token] == 1000.0 - received
    assert amm.quote_swap(1000.0, 1000.0, 1000.0, 0.003)[2] == 500.0  # spread, commission apart


def test_a_pool_never_reads_the_oracle() -> None:
    quiet, moved = a_market(price=1.0), a_market(price=1.0)
    for world in (quiet, moved):
        a_pool(world, 1000.0, 1000.0, 1000.0)
    oracle.publish(moved.feeds[0], moved.feeds[0].feeder, 50.0, 0.0)
    received = [amm.swap(world.pools[0], world.wallets, world.traders[0].account, TDOLLAR, 10.0, 1.0)[1] for world in (quiet, moved)]
    assert received[0] == received[1] > 0.0


@pytest.mark.parametrize(("spread", "within"), [(10_000, True), (10_001, False)])
def test_the_spread_may_be_exactly_the_maximum(spread: int, within: bool) -> None:
    payout = (1_000_000 - spread) * UNIT
    assert amm.is_spread_within(1.0, payout, spread * UNIT, 0.01, 0.0) == within
    assert amm.is_spread_within(1200e6 * UNIT, payout, 0.0, 0.01, 1200.0) == within


def test_the_spread_may_be_exactly_29_percent() -> None:
    assert amm.is_spread_within(1.0, 71 * UNIT, 29 * UNIT, 0.29, 0.0)


def test_the_payout_may_be_exactly_29_percent_below_the_belief() -> None:
    assert amm.is_spread_within(100 * UNIT, 71 * UNIT, 0.0, 0.29, 1.0)


@pytest.mark.parametrize(
    ("percent", "units"),
    [(1, 99), (5, 95), (41, 59)],
)
def test_a_deposit_may_slip_by_exactly_the_maximum(percent: int, units: int) -> None:
    world = a_market(price=1.0)
    pool = a_pool(world, 100 * UNIT, 100 * UNIT, 100 * UNIT)
    assert amm.is_slippage_within(pool, world.wallets, 100 * UNIT, units * UNIT, percent / 100)
    assert not amm.is_slippage_within(pool, world.wallets, 100 * UNIT, (units - 1) * UNIT, percent / 100)


@pytest.mark.parametrize(
    ("base", "asset", "root"),
    [
        (1100, 1100, 1100),
        (2000, 8000, 4000),
        (2000, 3000, 2449),
        (1002, 1002, 1002),
    ],
)
def test_the_first_lp_tokens_are_the_root_of_the_product_and_a_thousand_units_stay_locked(base: int, asset: int, root: int) -> None:
    world = a_market(price=1.0)
    pool, lp = world.pools[0], world.lps[0].account
    give_tassets(world, lp, asset * UNIT)
    status, shares = amm.provide(pool, world.tokens, world.wallets, lp, base * UNIT, asset * UNIT, 0.0)
    assert (status, shares) == (Status.OK, (root - 1000) * UNIT)
    assert world.wallets[pool.account, pool.share_token] == amm.LOCKED_SHARES
    assert world.tokens[pool.share_token].supply == root * UNIT


def test_a_first_deposit_worth_only_the_locked_units_is_refused() -> None:
    world = a_market(price=1.0)
    lp = world.lps[0].account
    give_tassets(world, lp, 1000 * UNIT)
    status, _ = amm.provide(world.pools[0], world.tokens, world.wallets, lp, 1000 * UNIT, 1000 * UNIT, 1.0)
    assert status == Status.BAD_AMOUNT
    assert world.tokens[world.pools[0].share_token].supply == 0.0


def test_a_later_deposit_is_worth_its_smaller_side() -> None:
    world = a_market(price=1.0)
    pool, lp = a_pool(world, 200.0, 200.0, 100.0), world.traders[0].account
    give_tassets(world, lp, 50.0)
    assert amm.provide(pool, world.tokens, world.wallets, lp, 100.0, 50.0, 1.0) == (Status.OK, 25.0)
    assert world.wallets[pool.account, pool.base_token] == 250.0  # the surplus of 50 stays with the LP


@pytest.mark.parametrize("shares", [1, 28, 100, 29])
def test_a_part_of_the_liquidity_that_is_whole_units_is_paid_out_whole(shares: int) -> None:
    world = a_market(price=1.0)
    pool = a_pool(world, 100 * UNIT, 100 * UNIT, 100 * UNIT)
    answer = amm.redeem(pool, world.tokens, world.wallets, world.lps[0].account, shares * UNIT)
    assert answer == (Status.OK, shares * UNIT, shares * UNIT)


def test_liquidity_is_paid_out_in_proportion() -> None:
    world = a_market(price=1.0)
    pool = a_pool(world, 300.0, 200.0, 100.0)
    assert amm.redeem(pool, world.tokens, world.wallets, world.lps[0].account, 25.0) == (Status.OK, 75.0, 50.0)
    audit.check(world)
