"""Small RFQ markets for tests: three assets, LPs with a position each, traders with tokens of all three."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seawall.agents.avmm import (
    AVMM_ASSET,
    AVMM_FLOW,
    AVMM_LP,
    AVMM_ORDER,
    AVMM_QUOTE,
    AVMM_SERIES,
    AVMM_TERMS,
    AVMM_TRADER,
    CONSTANT,
    NUMERAIRE,
    Avmm,
    LpKind,
    Mechanism,
    RfqTraderKind,
)
from seawall.agents.tables import DEPARTURE
from seawall.protocols import amm, ledger, oracle, rfq_positions, rfq_ranges
from seawall.protocols.amounts import floor_amount
from seawall.protocols.rfq_tables import RFQ_FILL, RFQ_ORDER, empty_book
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import CLOCK, FEED, POOL, TOKEN

USD, ETH, TAAPL = 0, 1, 2  # assets; the same rows of tokens and feeds
BOOK, FEEDER, FIRST_POOL = 0, 1, 2  # accounts; two pools, then LPs, then traders
FIRST_LP = FIRST_POOL + 2
PRICES = (1.0, 2000.0, 250.0)
NEVER = float("inf")
CASH_USD, TOKENS_USD = 1_000_000.0, 1_000_000.0  # a trader's numeraire, and each of its other assets

Order = tuple[int, int, int, bool, float]
"""An order: round, row of avmm_traders, asset, whether it is sold, USD."""


def an_avmm(
    *,
    mechanism: Mechanism = Mechanism.RFQ,
    lps: Sequence[LpKind] = (LpKind.STATIC,) * 3,
    primaries: Sequence[int] | None = None,
    lp_usd: float = 100_000.0,
    discount: float = 0.5,
    width: float = 0.1,
    derived: bool = False,
    noise: int = 1,
    informed: int = 1,
    orders: Sequence[Order] = (),
    latency: int = 0,
    steps: int = 60,
    step_seconds: float = 60.0,
    valid_for: float = 60.0,
) -> Avmm:
    """An RFQ market at time 0, funded for its mechanism, prices published; nobody has traded yet.

    LP i's primary asset is `primaries[i]`; if left out, all assets in turn, and the others than the numeraire where the LPs hold both sides
    of pools. In RFQ all its tokens are in its position, in auctions in its wallet, in pools half its value is in the numeraire.
    """
    first_trader, traders = FIRST_LP + len(lps), noise + informed
    book = empty_book(max(len(lps), 1), 3, credits=64, buckets=512)
    v = Avmm(
        clock=np.zeros(1, CLOCK),
        tokens=np.zeros(5, TOKEN),
        wallets=np.zeros((first_trader + traders, 5)),
        feeds=np.zeros(3, FEED),
        market_price=np.tile(np.array(PRICES[1:]), (steps + 1, 1)),
        tallies=np.zeros((len(Action), len(Status)), np.int64),
        book=book,
        order=np.zeros(1, RFQ_ORDER),
        fills=np.zeros(10, RFQ_FILL),
        terms=np.zeros(1, AVMM_TERMS),
        avmm_assets=np.zeros(3, AVMM_ASSET),
        avmm_lps=np.zeros(len(lps), AVMM_LP),
        avmm_traders=np.zeros(traders, AVMM_TRADER),
        avmm_orders=np.zeros(len(orders), AVMM_ORDER),
        order_start=np.zeros(steps + 2, np.int64),
        quotes=np.zeros(len(orders) + traders, AVMM_QUOTE),
        pools=np.zeros(2, POOL),
        flows=np.zeros(len(RfqTraderKind), AVMM_FLOW),
        series=np.zeros((steps + 2, 3), AVMM_SERIES),
        limits=np.zeros(len(lps)),
        departures=np.zeros(0, DEPARTURE),
    )
    v.clock["steps"], v.clock["step_seconds"], v.clock["record_every"], v.clock["order_seed"] = steps, step_seconds, 1, 7
    v.feeds["feeder"], v.feeds["valid_for"] = FEEDER, valid_for
    for feed, price in zip(v.feeds, PRICES, strict=True):
        _ok(oracle.publish(feed, FEEDER, price, 0.0))
    oracle.freeze(v.feeds[USD])
    _set_terms(v, mechanism, latency)
    if primaries is None:
        primaries = [1 + i % 2 if mechanism == Mechanism.CONSTANT_PRODUCT else i % 3 for i in range(len(lps))]
    rfq_ranges.follow_prices(book, v.feeds)
    for i, (kind, primary) in enumerate(zip(lps, primaries, strict=True)):
        _place_lp(v, i, kind, primary, lp_usd, width)
        _ok(rfq_positions.open_position(book, i, int(v.avmm_lps[i].account), primary, 0b111, discount))
        _ok(rfq_positions.set_accepted(book, i, 0b111, derived))
        _fund_lp(v, i, primary)
        _set_ranges(v, i, width)
    for i in range(traders):
        _place_trader(v, i, first_trader + i, RfqTraderKind.NOISE if i < noise else RfqTraderKind.INFORMED)
    _place_orders(v, orders)
    return v


def _set_terms(v: Avmm, mechanism: Mechanism, latency: int) -> None:
    terms, assets = v.terms[0], v.book.assets
    v.book.terms["account"] = BOOK
    assets["token"] = assets["feed"] = np.arange(3)
    assets["taker_multiplier"], assets["maker_multiplier"] = [1.0, 3.0, 2.0], [1.0, 4.0, 3.0]
    terms.mechanism, terms.latency = mechanism, latency
    terms.review_every = terms.review_at = NEVER
    terms.volatility_seconds = 4.0 * 3600.0
    terms.dutch_start, terms.dutch_floor, terms.dutch_seconds, terms.dutch_tick, terms.shade = 0.005, -0.02, 60.0, 2.0, 0.0005
    v.avmm_assets["market"], v.avmm_assets["last_price"], v.avmm_assets["pool"] = [CONSTANT, 0, 1], PRICES, [-1, 0, 1]
    v.pools["account"], v.pools["base_token"], v.pools["asset_token"] = FIRST_POOL + np.arange(2), USD, [ETH, TAAPL]
    v.pools["share_token"], v.pools["commission"] = [3, 4], 0.003


def _place_lp(v: Avmm, i: int, kind: LpKind, primary: int, lp_usd: float, width: float) -> None:
    lp, halves = v.avmm_lps[i], v.terms[0].mechanism == Mechanism.CONSTANT_PRODUCT
    lp.account, lp.position, lp.kind, lp.accepts, lp.width = FIRST_LP + i, i, kind, 0b111, width
    lp.max_discount, lp.discount_step = 0.95, 0.0625
    lp.exit_volatility = lp.band = lp.look_every = NEVER
    if kind != LpKind.STATIC:
        lp.look_every = 600.0
    if kind == LpKind.VOLATILITY_AWARE:
        lp.exit_volatility, lp.width_per_volatility = 1.5, 3.0
    if kind == LpKind.INVENTORY:
        lp.band = 0.5
    lp.look_at = lp.look_every
    lp.start_tokens = floor_amount(lp_usd / PRICES[primary] / (2.0 if halves else 1.0))
    lp.start_numeraire = floor_amount(lp_usd / 2.0) if halves else 0.0
    _ok(ledger.mint(v.wallets, v.tokens, primary, lp.account, lp.start_tokens))
    _ok(ledger.mint(v.wallets, v.tokens, NUMERAIRE, lp.account, lp.start_numeraire))


def _fund_lp(v: Avmm, i: int, primary: int) -> None:
    lp, mechanism = v.avmm_lps[i], v.terms[0].mechanism
    lp.min_discount = v.book.lps[i].fee_discount
    if mechanism == Mechanism.RFQ:
        _ok(rfq_positions.deposit(v.book, i, v.wallets, lp.start_tokens))
    elif mechanism == Mechanism.CONSTANT_PRODUCT:
        pool = v.pools[v.avmm_assets[primary].pool]
        _ok(amm.provide(pool, v.tokens, v.wallets, lp.account, lp.start_numeraire, lp.start_tokens, 1.0)[0])


def _set_ranges(v: Avmm, i: int, width: float) -> None:
    for asset, price in enumerate(PRICES):
        _ok(rfq_ranges.set_range(v.book, i, asset, price / (1.0 + width), price * (1.0 + width)))
        if asset > NUMERAIRE:
            low, high = price / (1.0 + width), price * (1.0 + width)
            _ok(rfq_ranges.set_pair_range(v.book, i, NUMERAIRE, asset, 1.0 / high, 1.0 / low))


def _place_trader(v: Avmm, i: int, account: int, kind: RfqTraderKind) -> None:
    trader = v.avmm_traders[i]
    trader.account, trader.kind, trader.max_cost, trader.min_edge, trader.order_usd = account, kind, 0.05, 0.0005, 20_000.0
    for token, price in enumerate(PRICES):
        usd = CASH_USD if token == NUMERAIRE else TOKENS_USD
        _ok(ledger.mint(v.wallets, v.tokens, token, account, floor_amount(usd / price)))


def _place_orders(v: Avmm, orders: Sequence[Order]) -> None:
    in_order = sorted(orders, key=lambda order: order[0])
    for row, (_, trader, asset, sells, usd) in zip(v.avmm_orders, in_order, strict=True):
        row.trader, row.asset, row.sells, row.usd = trader, asset, sells, usd
    rounds = [order[0] for order in in_order]
    v.order_start[:] = np.searchsorted(rounds, np.arange(len(v.order_start)))


def next_round(
    v: Avmm, market: Sequence[float] | None = None, *, oracle_prices: Sequence[float] | None = None, publishes: bool = True
) -> None:
    """Move the clock on by a round.

    Args:
        v: the market; changed.
        market: USD, market prices of ETH and TAAPL from this round on; unchanged if left out.
        oracle_prices: USD, prices published for both; the market's if left out.
        publishes: whether anything is published.
    """
    clock = v.clock[0]
    clock.step += 1
    clock.now = clock.step * clock.step_seconds
    if market is not None:
        v.market_price[clock.step :] = market
    if publishes:
        published = v.market_price[clock.step] if oracle_prices is None else oracle_prices
        for feed, price in zip(v.feeds[1:], published, strict=True):
            _ok(oracle.publish(feed, FEEDER, float(price), clock.now))
        rfq_ranges.follow_prices(v.book, v.feeds)


def _ok(status: int) -> None:
    if status != Status.OK:
        raise AssertionError(f"a test's RFQ market cannot be built: {Status(status).name}")
