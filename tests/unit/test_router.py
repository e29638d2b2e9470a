"""How swaps are shared between pool and RFQ book, and what arbitrageurs, liquidators and owners of CDPs do where both are."""

import numpy as np
import pytest
from avmm_markets import an_avmm
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markets import copy_of, same
from worlds import a_cdp, a_market, a_pool, give_tassets

from seawall.agents import liquidator, minter, router, trader
from seawall.agents.avmm import AVMM_ASSET, AVMM_LP, CONSTANT
from seawall.protocols import amm, audit, oracle, rfq_positions, rfq_ranges
from seawall.protocols.amounts import UNIT, floor_amount
from seawall.protocols.rfq_tables import RFQ_FILL, empty_book
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import FEED, TDOLLAR

TA = 1  # row of tokens and of the book's assets; its oracle price is 100
ANY = 1.0
FEE = 0.01  # of an LP without a discount


def a_book(world, *lps, tokens=(TDOLLAR, TA), max_fee=FEE, valid_for=60.0):
    """An RFQ market of tDOLLAR and the tASSET beside a world, and the world again, with a feed for tDOLLAR.

    An LP is (discount, asset, tokens); the contract's account is the last trader's, the LPs' accounts those of the world's LPs.
    """
    world = world._replace(feeds=np.append(world.feeds, np.zeros(1, FEED)))
    dollar = len(world.feeds) - 1
    world.feeds[dollar].feeder = world.feeds[0].feeder
    world.feeds["valid_for"] = valid_for
    ok(oracle.publish(world.feeds[dollar], world.feeds[dollar].feeder, 1.0, 0.0))
    oracle.freeze(world.feeds[dollar])
    shared = {name: getattr(world, name) for name in ("clock", "tokens", "wallets", "feeds", "market_price", "tallies")}
    rows = {"avmm_assets": np.zeros(2, AVMM_ASSET), "avmm_lps": np.zeros(len(lps), AVMM_LP), "fills": np.zeros(10, RFQ_FILL)}
    v = an_avmm(lps=())._replace(**shared, **rows, book=empty_book(max(len(lps), 1), 2, credits=64, buckets=64))
    v.avmm_assets["market"] = CONSTANT, 0
    v.book.terms[0].account, v.book.terms[0].max_fee = world.traders[-1].account, max_fee
    v.book.assets["token"], v.book.assets["feed"] = tokens, (dollar, 0)
    rfq_ranges.follow_prices(v.book, v.feeds)
    for i, (discount, asset, amount) in enumerate(lps):
        owner = world.lps[i].account
        ok(rfq_positions.open_position(v.book, i, owner, asset, 0b11, discount))
        if asset == TA:
            give_tassets(world, owner, amount)
        if tokens == (TDOLLAR, TA):
            ok(rfq_positions.deposit(v.book, i, v.wallets, amount))
    return world, v


def ok(status):
    assert Status(status) == Status.OK


def with_book(*lps, base=0.0, asset=0.0, commission=0.003, **terms):
    """A world with a pool of these reserves, and a book beside it."""
    world = a_market(traders=2, lps=4, liquidators=1, arbitrageurs=1, commission=commission)
    if base > 0.0:
        a_pool(world, base, asset, 100.0)
    return a_book(world, *lps, **terms)


def swap(world, v, offer, token=TDOLLAR, max_spread=ANY):
    """A trader's swap; the answer, what it paid and what it received."""
    who, asked = world.traders[0].account, TA if token == TDOLLAR else TDOLLAR
    before = world.wallets[who].copy()
    status = router.swap_best(v, world.pools[0], world.wallets, world.tallies, who, token, offer, max_spread)
    change = world.wallets[who] - before
    return Status(status), -change[token], change[asked]


def counts(world):
    """Answers to (swaps, RFQ orders) that were OK."""
    return world.tallies[Action.SWAP, Status.OK], world.tallies[Action.RFQ_ORDER, Status.OK]


# --- swaps ---


def test_a_cheaper_pool_takes_all():
    world, v = with_book((0.5, TA, 100), base=90_000, asset=1_000)
    assert swap(world, v, 1_000.0) == (Status.OK, 1_000, amm.quote_swap(90_000, 1_000, 1_000, 0.003)[0])
    assert counts(world) == (1, 0)


def test_a_cheaper_book_takes_all():
    world, v = with_book((0.5, TA, 100), base=120_000, asset=1_000)
    assert swap(world, v, 1_000.0) == (Status.OK, 1_000, pytest.approx(9.95, abs=2 * UNIT))
    assert counts(world) == (0, 1)


def test_tokens_are_sold_to_the_book_as_well():
    world, v = with_book((0.5, TDOLLAR, 5_000), base=80_000, asset=1_000)
    give_tassets(world, world.traders[0].account, 10.0)
    assert swap(world, v, 10.0, token=TA) == (Status.OK, 10, pytest.approx(995, abs=2 * UNIT))


def test_the_pool_takes_an_order_until_its_next_token_costs_what_the_book_asks():
    """x with (100_000 + x)**2 / (100_000 * 1_000 * 0.997) = 100 / 0.995; the other 899.5... buy 0.995 tokens for each 100 tDOLLAR."""
    world, v = with_book((0.5, TA, 100), base=100_000, asset=1_000)
    x = (1e8 * 0.997 * 100 / 0.995) ** 0.5 - 100_000
    assert x == pytest.approx(100.4521, abs=1e-4)
    _, paid, received = swap(world, v, 1_000.0)
    assert (paid, world.pools[0].volume_base) == (1_000, pytest.approx(x, abs=2 * UNIT))
    assert received == pytest.approx(amm.quote_swap(100_000, 1_000, x, 0.003)[0] + (1_000 - x) / 100 * 0.995, abs=6 * UNIT)


def best_split(base, asset, offer, lps):
    """Most tokens that any split brings: brute force over what the pool gets, the rest to (discount, tokens) from the cheapest on."""
    best = 0.0
    for to_pool in np.linspace(0.0, offer, 20_001):
        left, received = offer - to_pool, amm.quote_swap(base, asset, to_pool, 0.003)[0] if to_pool > 0.0 else 0.0
        for discount, tokens in sorted(lps, reverse=True):
            settled = min(left / 100.0, tokens)
            left, received = left - settled * 100.0, received + settled * (1.0 - FEE * (1.0 - discount))
        best = max(best, received if left <= 1e-9 else 0.0)
    return best


@pytest.mark.parametrize(
    ("base", "lps"),
    [
        (100_000, [(0.5, 100)]),
        (99_800, [(0.2, 100)]),
        (100_000, [(0.9, 10), (0.2, 100)]),  # the second LP is cheaper than the pool's last tokens
        (99_500, [(0.9, 30), (0.5, 30), (0.1, 100)]),
        (100_300, [(1.0, 20), (0.0, 100)]),  # the pool takes what the first LP leaves
        (99_900, [(0.9, 30), (0.0, 100)]),
    ],
)
def test_no_other_split_brings_more(base, lps):
    world, v = with_book(*((discount, TA, tokens) for discount, tokens in lps), base=base, asset=1_000)
    best = best_split(base, 1_000.0, 5_000.0, lps)
    assert swap(world, v, 5_000.0) == (Status.OK, pytest.approx(5_000, abs=200 * UNIT), pytest.approx(best, rel=1e-6))


def test_what_the_book_cannot_fill_goes_back_to_the_pool():
    world, v = with_book((0.5, TA, 2), base=100_000, asset=1_000)
    status, paid, received = swap(world, v, 1_000.0)
    pooled = amm.quote_swap(100_000, 1_000, 800, 0.003)[0]  # two tokens of the book cost 200
    assert (status, paid, received) == (Status.OK, 1_000, pytest.approx(pooled + 2 * 0.995, abs=1e-4))
    assert counts(world) == (2, 1)


def test_what_the_book_cannot_fill_is_called_off_at_too_much_slippage():
    world, v = with_book((0.5, TA, 20), base=100_000, asset=1_000)
    status, paid, _ = swap(world, v, 10_000.0, max_spread=0.001)
    assert (status, paid) == (Status.OK, pytest.approx(2_100.45, abs=0.01))
    assert counts(world) == (1, 1)
    assert world.tallies[Action.SWAP, Status.EXCEEDS_MAX_SPREAD] == 1


def test_an_order_for_the_pool_alone_keeps_its_limit():
    world, v = with_book((0.5, TA, 100), base=80_000, asset=1_000)
    assert swap(world, v, 5_000.0, max_spread=0.01) == (Status.EXCEEDS_MAX_SPREAD, 0, 0)


def test_a_small_dear_lp_is_left_alone_though_a_smaller_order_reaches_it():
    """The pool takes half of the order until it is as dear as the first LP; of the other half the second LP holds a tenth, but at 1 %."""
    world, v = with_book((1.0, TA, 12), (0.0, TA, 5.5), base=3_990_000, asset=40_000, commission=0.0)
    alone = copy_of(world)
    assert swap(world, v, 10_000.0)[2] > swap(alone, None, 10_000.0)[2]
    assert v.book.lps["fills"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("lps", "terms", "now"),
    [
        (((0.5, TA, 100),), {"valid_for": 60.0}, 61.0),  # the tASSET's price is stale
        (((0.5, TA, 100),), {"tokens": (TDOLLAR, 2)}, 0.0),  # the tASSET is no asset of the book
        (((0.5, TDOLLAR, 100),), {}, 0.0),  # nobody pays it out
        ((), {}, 0.0),
    ],
)
def test_without_anybody_who_pays_the_pool_is_alone(lps, terms, now):
    world, v = with_book(*lps, base=120_000, asset=1_000, **terms)
    world.clock[0].now = now
    alone = copy_of(world)
    assert swap(world, v, 1_000.0) == swap(alone, None, 1_000.0) == (Status.OK, 1_000, pytest.approx(8.24, abs=0.01))
    assert same(world, alone)


@pytest.mark.parametrize(
    ("token", "offer", "status"),
    [
        (TDOLLAR, 2_000_000.0, Status.INSUFFICIENT_BALANCE),
        (TA, 1.0, Status.INSUFFICIENT_BALANCE),
        (TDOLLAR, 0.0, Status.BAD_AMOUNT),
        (TDOLLAR, UNIT / 2, Status.BAD_AMOUNT),
    ],
)
def test_a_refusal_is_counted_once_and_changes_nothing(token, offer, status):
    world, v = with_book((0.5, TA, 100), base=100_000, asset=1_000)
    before = world.wallets.copy()
    assert swap(world, v, offer, token=token) == (status, 0, 0)
    assert (world.tallies.sum(), world.tallies[Action.SWAP, status]) == (1, 1)
    assert (world.wallets == before).all()


def test_where_there_is_nothing_at_all_the_pool_is_empty():
    world, v = with_book()
    assert swap(world, v, 100.0)[0] == Status.EMPTY_POOL


def test_an_empty_pool_leaves_all_to_the_book():
    world, v = with_book((1.0, TA, 100))
    assert swap(world, v, 100.0) == (Status.OK, 100, 1)
    assert counts(world) == (0, 1)


amounts = st.integers(1, 2**34).map(lambda units: units * UNIT)  # up to 16_384 tokens
positions = st.lists(
    st.tuples(st.sampled_from([0.0, 0.3, 0.5, 0.95, 1.0]), st.sampled_from([TDOLLAR, TA]), st.floats(0.01, 3_000).map(floor_amount)),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    lps=positions,
    offer=amounts,
    sells=st.booleans(),
    pool_price=st.floats(80, 120),
    depth=st.floats(1, 1e5),
    commission=st.sampled_from([0.0, 0.003, 0.05]),
)
@example(lps=[(1.0, TA, 12.0), (0.0, TA, 5.5)], offer=10_000.0, sells=False, pool_price=99.75, depth=40_000.0, commission=0.0)
def test_book_and_pool_together_never_pay_less_than_the_pool_alone(lps, offer, sells, pool_price, depth, commission):
    asset = floor_amount(depth)
    world, v = with_book(*lps, base=floor_amount(asset * pool_price), asset=asset, commission=commission)
    token, who = (TA, world.traders[0].account) if sells else (TDOLLAR, world.traders[0].account)
    if sells:
        give_tassets(world, who, offer)
    supply, alone = world.wallets.sum(axis=0), copy_of(world)
    _, paid, received = swap(world, v, offer, token=token)
    in_pool_alone = swap(alone, None, offer, token=token)[2]
    assert received >= in_pool_alone - 16 * UNIT
    assert 0.0 <= paid <= offer
    assert (world.wallets.sum(axis=0) == supply).all()
    assert (world.wallets >= 0.0).all()
    assert all(v.book.holdings["balance"][:, k].sum() == world.wallets[world.traders[-1].account, k] - free(world, k) for k in (0, 1))


def free(world, token):
    """What the contract's account held before it was one: a trader's tDOLLAR."""
    return 1_000_000.0 if token == TDOLLAR else 0.0


# --- refills ---


def test_a_refill_buys_what_is_wanted():
    world, v = with_book((0.5, TA, 100))
    who = world.traders[0].account
    assert router.refill(v, who, TDOLLAR, TA, 3.0, 1_000.0, 100.6) == pytest.approx(3, abs=2 * UNIT)
    assert world.wallets[who, TDOLLAR] == pytest.approx(1_000_000 - 300 / 0.995, abs=1e-4)


@pytest.mark.parametrize(("limit", "bought"), [(99.9, 0), (100.4, 12), (101.1, 17)])
def test_a_refill_stops_at_the_lp_who_asks_too_much(limit, bought):
    """A tenth of what may be paid is more than the second LP holds, of what is wanted it is not."""
    world, v = with_book((1.0, TA, 12), (0.0, TA, 5))
    received = router.refill(v, world.traders[0].account, TDOLLAR, TA, 40.0, 4_000.0, limit)
    assert received == pytest.approx(bought, abs=0.06)


@pytest.mark.parametrize(("wanted", "most"), [(0.0, 100.0), (1.0, 0.0), (-1.0, 100.0)])
def test_nothing_wanted_is_nothing_bought(wanted, most):
    world, v = with_book((0.5, TA, 100))
    assert router.refill(v, world.traders[0].account, TDOLLAR, TA, wanted, most, 200.0) == 0.0
    assert not world.tallies.any()


# --- arbitrageurs ---


def arbitrage(world, v, *, tokens=0.0, cash=1_000_000.0, min_edge=0.006):
    """Let an arbitrageur act; return the pool's price afterwards, and its tDOLLAR and tokens."""
    row = world.arbitrageurs[0]
    row.min_edge = min_edge
    world.wallets[row.account, TDOLLAR] = cash
    if tokens > 0.0:
        give_tassets(world, row.account, tokens)
    trader.act_arbitrageur(world, 0, v)
    return amm.price(world.pools[0], world.wallets), *world.wallets[row.account, [TDOLLAR, TA]]


def test_an_arbitrageur_without_tokens_gets_them_from_the_book():
    """Neither fee nor commission: the pool is pressed from 110 down to its edge, the tokens cost 100 each."""
    world, v = with_book((1.0, TA, 100), base=110_000, asset=1_000, commission=0.0)
    price, cash, tokens = arbitrage(world, v)
    sold = (110_000 * 1_000 / 100.6) ** 0.5 - 1_000
    assert (price, tokens) == (pytest.approx(100.6, abs=1e-6), pytest.approx(0, abs=2 * UNIT))
    assert cash == pytest.approx(1_000_000 + 110_000 * sold / (1_000 + sold) - 100 * sold, abs=1e-3)


def test_it_presses_the_pool_no_further_than_the_book_and_the_commission_allow():
    """The last token costs 100 / 0.99 and brings the pool's price less 0.3 %."""
    world, v = with_book((0.0, TA, 100), base=110_000, asset=1_000)
    price, cash, tokens = arbitrage(world, v)
    assert price == pytest.approx(100 / 0.99 / 0.997, rel=2e-4)  # commission stays in the pool
    assert (cash > 1_000_000, tokens) == (True, pytest.approx(0, abs=2 * UNIT))


def test_nothing_is_bought_where_fee_and_commission_are_more_than_the_gap():
    world, v = with_book((0.0, TA, 100), base=101_200, asset=1_000)
    assert arbitrage(world, v) == (101.2, 1_000_000, 0)
    assert not world.tallies.any()


def test_tokens_held_are_sold_first():
    world, v = with_book((1.0, TA, 100), base=110_000, asset=1_000)
    arbitrage(world, v, tokens=60.0)
    assert counts(world) == (1, 0)


def test_an_arbitrageur_without_cash_sells_tokens_to_the_book():
    world, v = with_book((1.0, TDOLLAR, 50_000), base=90_000, asset=1_000, commission=0.0)
    price, cash, tokens = arbitrage(world, v, cash=0.0, tokens=200.0)
    assert (price, cash) == (pytest.approx(99.4, abs=1e-6), pytest.approx(0, abs=300 * UNIT))
    assert tokens > 200


def test_a_stale_price_keeps_an_arbitrageur_away_from_the_book():
    world, v = with_book((1.0, TA, 100), base=110_000, asset=1_000)
    world.clock[0].now = 61.0
    assert arbitrage(world, v) == (110, 1_000_000, 0)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(lps=positions, price=st.floats(80, 125), cash=st.floats(0, 50_000), tokens=st.floats(0, 100), edge=st.floats(0.003, 0.05))
def test_an_arbitrageur_never_loses_on_what_it_buys_on_the_book(lps, price, cash, tokens, edge):
    """At the oracle's price it never has less afterwards: its edge covers the commission, and the pool's proceeds the book's fee."""
    world, v = with_book(*lps, base=floor_amount(1_000 * price), asset=1_000)
    cash, tokens = floor_amount(cash), floor_amount(tokens)
    _, cash_after, tokens_after = arbitrage(world, v, cash=cash, tokens=tokens, min_edge=edge)
    assert cash_after + 100 * tokens_after >= cash + 100 * tokens - 0.01


# --- liquidators ---


def liquidate(world, v, *, debt=10.0, collateral=1_200.0, min_profit=0.02, cost_usd=0.0, cash=1_000_000.0):
    """Let a liquidator meet one margin-called CDP; return the CDP, and the liquidator's tDOLLAR and tokens."""
    position, row = a_cdp(world, 0, collateral, debt), world.liquidators[0]
    row.min_profit, row.cost_usd = min_profit, cost_usd
    world.wallets[row.account, TDOLLAR] = cash
    rows = np.zeros(10, np.int64)
    assert liquidator.order(world, rows) == 1
    liquidator.act(world, 0, v)
    return position, *world.wallets[row.account, [TDOLLAR, TA]]


def for_sale(debt=10.0, collateral=1_200.0):
    """Tokens that a purchase burns: what brings the ratio back to 1.5 at a price of 100 and a discount of 0.2, 125 a token."""
    return (1.5 * debt * 100 - collateral) / (1.5 * 100 - 125)


@pytest.mark.parametrize(("base", "asset"), [(0, 0), (1_200_000, 10_000)])  # an empty pool, and a dearer one
def test_a_liquidator_buys_on_the_book_what_a_cdp_wants(base, asset):
    world, v = with_book((0.5, TA, 100), base=base, asset=asset)
    position, cash, tokens = liquidate(world, v, collateral=1_300.0)
    burned = for_sale(collateral=1_300.0)  # 8
    assert position.debt == pytest.approx(10 - burned, abs=4 * UNIT)
    assert cash == pytest.approx(1_000_000 + burned * (125 - 100 / 0.995), abs=0.01)
    assert (tokens, counts(world)) == (pytest.approx(0, abs=4 * UNIT), (0, 1))


def test_a_cheaper_pool_is_used_instead():
    world, v = with_book((0.5, TA, 100), base=900_000, asset=10_000)
    position, _, _ = liquidate(world, v, collateral=1_300.0)
    assert position.debt == pytest.approx(2, abs=1e-4)
    assert counts(world) == (1, 0)


@pytest.mark.parametrize(("max_fee", "min_profit", "buys"), [(0.1, 0.1, True), (0.1, 0.15, False), (0.25, 0.0, False), (0.19, 0.0, True)])
def test_a_liquidator_keeps_its_profit(max_fee, min_profit, buys):
    """A token brings 125 and costs 100 / (1 - fee): 111.1 with a fee of 0.1, 12.5 % less than it brings."""
    world, v = with_book((0.0, TA, 100), max_fee=max_fee)
    position, cash, tokens = liquidate(world, v, min_profit=min_profit)
    assert (position.debt < 10, cash > 1_000_000) == (buys, buys)
    assert tokens == pytest.approx(0, abs=4 * UNIT)


def test_a_book_without_a_fresh_price_offers_nothing():
    world, v = with_book((0.5, TA, 100))
    world.clock[0].now = 61.0
    assert liquidate(world, v)[1:] == (1_000_000, 0)
    assert counts(world) == (0, 0)


def test_no_tokens_are_left_over_where_the_book_has_too_few_to_pay_for_the_purchase():
    """One token earns 24.5 tDOLLAR, less than the purchase costs; all that are wanted would earn enough."""
    world, v = with_book((0.5, TA, 1))
    _, cash, tokens = liquidate(world, v, cost_usd=50.0)
    assert (cash, tokens) == (1_000_000, 0)


def test_a_liquidator_spends_no_more_than_it_has():
    world, v = with_book((0.5, TA, 100))
    position, cash, tokens = liquidate(world, v, collateral=1_300.0, cash=300.0)
    assert position.debt == pytest.approx(10 - 3 * 0.995, abs=1e-4)
    assert (cash, tokens) == (pytest.approx(3 * 0.995 * 125, abs=0.01), pytest.approx(0, abs=4 * UNIT))


def test_who_uses_no_pool_uses_no_book():
    world, v = with_book((0.5, TA, 100))
    world.liquidators[0].uses_pool = False
    assert liquidate(world, v)[1:] == (1_000_000, 0)


def test_books_balance_after_all_of_them():
    world, v = with_book((0.5, TA, 100), (0.9, TDOLLAR, 5_000), base=110_000, asset=1_000)
    before = world.wallets.sum(axis=0)
    trader.act_arbitrageur(world, 0, v)
    swap(world, v, 500.0)
    assert (world.wallets.sum(axis=0) == before).all()
    liquidate(world, v, cash=float(world.wallets[world.liquidators[0].account, TDOLLAR]))
    assert audit.faults(world) == []


# --- owners ---


@pytest.mark.parametrize(
    ("base", "sellable"),
    [
        (95_000, 0.0),  # the pool is at the limit already: 5 % below the oracle's price
        (90_000, 0.0),
        (100_000, (100_000 * 1_000 / 95) ** 0.5 - 1_000),
        (0, 0.0),
    ],
)
def test_owners_sell_down_to_a_twentieth_below_the_oracle(base, sellable):
    world, _ = with_book(base=base, asset=1_000 if base else 0)
    assert minter.amount_sellable(world.pools[0], world.wallets, 100.0) == pytest.approx(sellable, abs=2 * UNIT)
