"""The reference cases of Dextr's order routing against our rules; the document's own example stands by name.

One asset unit of a case is 10,000,000 of our units: the cases count to the seventh decimal. Each order is routed by the index, by a
scan of all positions, and settled.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from reference.case_files import Case, Figures, assert_each_has_one_place, assert_matches, read_cases, units

from seawall.protocols import ledger, oracle, reputation, rfq, rfq_index, rfq_positions, rfq_ranges, tables
from seawall.protocols.amounts import LIMIT, UNIT, ceil_amount
from seawall.protocols.rfq import Exclusion
from seawall.protocols.rfq_tables import CREDIT_DELAY, MAX_LP_FEE, MIN_FRACTION, NONE, RFQ_FILL, RFQ_ORDER, Book, empty_book
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table

CASES = read_cases("dextr_routing")
SCALE = 10_000_000  # units
CONTRACT, TRADER, FIRST_OWNER = 0, 1, 2  # accounts
NOW = 0.0


# --- a book as a case describes it ---


def tokens_of(amount: str) -> float:
    count = Decimal(amount) * SCALE
    assert count == int(count)
    return int(count) * UNIT


def figure(tokens: float) -> float:
    return units(tokens) / SCALE


@dataclass(frozen=True, slots=True)
class Market:
    """A book with the positions of a case, and the wallets behind it."""

    assets: list[str]
    ids: list[int]
    book: Book
    feeds: Table
    wallets: Floats
    tokens: Table

    def order(self, outbound: str, inbound: str, out_amount: str, *, all_or_none: bool = False) -> Row:
        """An order that is worth so much of the outbound asset."""
        order = np.zeros(1, RFQ_ORDER)[0]
        order.trader, order.outbound, order.inbound = TRADER, self.assets.index(outbound), self.assets.index(inbound)
        prices = self.feeds["price"]
        order.amount = ceil_amount(tokens_of(out_amount) * prices[order.outbound] / prices[order.inbound])
        order.most_lps, order.all_or_none = len(self.ids), all_or_none
        return order

    def question(self, order: Row) -> tuple[int, int, float, float, float]:
        """What both ways to search are asked: assets, prices, and what a position must hold."""
        prices = self.feeds["price"]
        price_out, price_in = prices[order.outbound], prices[order.inbound]
        need = rfq.least_balance(rfq.worth(order.amount, price_in, price_out), self.book.terms[0].min_fraction)
        return order.outbound, order.inbound, price_out, price_in, need

    def ranking(self, order: Row) -> list[int]:
        """Ids of all eligible positions, best first; by the index and by a scan, which agree."""
        outbound, inbound, price_out, price_in, need = self.question(order)
        assert rfq_ranges.is_current(self.book, outbound, inbound, price_out, price_in)
        ranking: list[int] = []
        lp = NONE
        while True:
            by_scan = rfq.best_by_scan(self.book, lp, outbound, inbound, price_out, price_in, need)
            lp = rfq_index.best_by_index(self.book, lp, outbound, inbound, need)
            assert lp == by_scan
            if lp == NONE:
                return ranking
            ranking.append(self.ids[lp])

    def settle(self, order: Row) -> tuple[Status, dict[int, float], float]:
        """The answer, what each position settles by id, and all fees together, in the outbound asset."""
        fills = np.zeros(len(self.ids), RFQ_FILL)
        before = self.wallets.sum(axis=0)
        status, received, paid, count = rfq.settle(self.book, order, self.feeds, self.wallets, fills, NOW, False)
        assert np.array_equal(self.wallets.sum(axis=0), before)
        assert np.array_equal(self.book.holdings["balance"].sum(axis=0), self.wallets[CONTRACT])
        settled, fees = fills["settled"][:count], fills["fee"][:count]
        assert received == settled.sum() - fees.sum()
        assert paid == fills["paid"][:count].sum()
        return Status(status), {self.ids[fill["lp"]]: float(fill["settled"]) for fill in fills[:count]}, float(fees.sum())


def market_of(prices: dict[str, str], lps: list[dict[str, Any]], threshold: str = "0.1", max_lp_fee: str = "0.01") -> Market:
    assets = sorted({*prices, *(name for lp in lps for key in ("balances", "accepts", "ranges") for name in lp[key])})
    book, feeds, tokens = empty_book(len(lps), len(assets)), np.zeros(len(assets), tables.FEED), np.zeros(len(assets), tables.TOKEN)
    book.assets["token"] = book.assets["feed"] = np.arange(len(assets))
    book.terms["account"], book.terms["min_fraction"], book.terms["max_fee"] = CONTRACT, float(threshold), float(max_lp_fee)
    feeds["valid_for"] = 60.0
    wallets = np.zeros((FIRST_OWNER + len(lps), len(assets)))
    market = Market(assets, [lp["id"] for lp in lps], book, feeds, wallets, tokens)
    for asset, price in prices.items():
        assert oracle.publish(feeds[assets.index(asset)], 0, float(price), NOW) == Status.OK
        ledger.mint(wallets, tokens, assets.index(asset), TRADER, LIMIT / 8)
    for row in sorted(range(len(lps)), key=lambda row: lps[row]["created"]):
        enter(market, row, lps[row])
    rfq_ranges.follow_prices(book, feeds)
    return market


def enter(market: Market, row: int, lp: dict[str, Any]) -> None:
    """Open a position: its first balance is the primary one, others are as if they had come from orders."""
    book, accepts = market.book, sum(1 << market.assets.index(name) for name in lp["accepts"])
    (primary, funds), *secondary = lp["balances"].items()
    asset, owner = market.assets.index(primary), FIRST_OWNER + row
    assert rfq_positions.open_position(book, row, owner, asset, accepts, float(lp["fee_discount"])) == Status.OK
    ledger.mint(market.wallets, market.tokens, asset, owner, tokens_of(funds))
    assert rfq_positions.deposit(book, row, market.wallets, tokens_of(funds)) == Status.OK
    for name, amount in secondary:
        ledger.mint(market.wallets, market.tokens, market.assets.index(name), CONTRACT, tokens_of(amount))
        book.holdings[row, market.assets.index(name)].balance += tokens_of(amount)
        rfq_index.refresh(book, row)
    for name, (low, high) in lp["ranges"].items():
        assert rfq_ranges.set_range(book, row, market.assets.index(name), float(low), float(high)) == Status.OK
    rfq_index.rerank(book, row, float(lp["fee_discount"]), float(lp["rep"]))


# --- one handler per operation: inputs of a case to the figures that it may expect ---


def route(case: Case) -> Figures:
    inputs, terms = case.inputs, case.inputs["settings"]
    assert terms["threshold_inclusive"]
    market = market_of(inputs["prices"], inputs["lps"], terms["threshold"], terms["max_lp_fee"])
    order = market.order(inputs["order"]["out_asset"], inputs["order"]["in_asset"], inputs["order"]["out_amount"])
    question = market.question(order)
    reasons = {market.ids[row]: Exclusion(rfq.exclusion(market.book, row, *question)) for row in range(len(market.ids))}
    ranking = market.ranking(order)
    eligible = sorted(lp for lp, reason in reasons.items() if reason == Exclusion.ELIGIBLE)
    assert sorted(ranking) == eligible
    status, fills, _ = market.settle(order)
    assert (status == Status.OK) == bool(ranking)
    assert status in (Status.OK, Status.NO_ELIGIBLE_LP)
    assert list(fills) == ranking[: len(fills)]
    excluded = {str(lp): reason.name.lower() for lp, reason in reasons.items() if reason != Exclusion.ELIGIBLE}
    return {"excluded": excluded, "eligible": eligible, "ranking": ranking, "selected": next(iter(fills), None)}


def of_eth(lp: dict[str, Any]) -> dict[str, Any]:
    return {**lp, "balances": {"ETH": lp["balance"]}, "accepts": ["USDC"], "ranges": {}}


def route_fill(case: Case) -> Figures:
    inputs = case.inputs
    market = market_of({"ETH": "3000", "USDC": "1"}, [of_eth(lp) for lp in inputs["lps"]], inputs["threshold"])
    order = market.order("ETH", "USDC", inputs["out_amount"], all_or_none=True)
    before = market.wallets.tobytes(), *(table.tobytes() for table in market.book)
    if float(case.expected["unfilled"]):  # all or none: refused, and nothing has changed
        assert market.settle(order)[0] == Status.NOT_WHOLLY_FILLED
        assert (market.wallets.tobytes(), *(table.tobytes() for table in market.book)) == before
        order.all_or_none = False
    status, fills, _ = market.settle(order)
    assert status == Status.OK
    unfilled = tokens_of(inputs["out_amount"]) - sum(fills.values())
    return {"fills": {str(lp): figure(settled) for lp, settled in fills.items()}, "unfilled": figure(unfilled)}


def lp_fee(case: Case) -> Figures:
    value, discount = tokens_of(case.inputs["value"]), float(case.inputs["fee_discount"])
    assert float(case.inputs["max_lp_fee"]) == MAX_LP_FEE
    fee = rfq.lp_fee(value, MAX_LP_FEE, discount)
    return {"lp_fee": figure(fee), "fee_rate": fee / value}


def fee_split(case: Case) -> Figures:
    """Positions of exactly the settled values share one order; fees are measured in USD, at 3,000 for an ETH."""
    inputs = case.inputs
    discount = 1.0 - float(inputs["fee_rate"]) / MAX_LP_FEE
    lps = [
        of_eth({"id": int(name), "created": int(name), "balance": str(Decimal(value) / 3000), "fee_discount": discount, "rep": "0"})
        for name, value in inputs["settled_value"].items()
    ]
    market = market_of({"ETH": "3000", "USDC": "1"}, lps)
    status, fills, fees = market.settle(market.order("ETH", "USDC", str(sum(Decimal(lp["balance"]) for lp in lps)), all_or_none=True))
    assert status == Status.OK
    assert {str(lp): figure(settled) * 3000 for lp, settled in fills.items()} == {k: float(v) for k, v in inputs["settled_value"].items()}
    kept = market.book.holdings["fees"][:, market.assets.index("ETH")]
    assert kept.tobytes() == market.book.holdings["balance"][:, market.assets.index("ETH")].tobytes()
    return {"fees": {str(market.ids[row]): figure(kept[row]) * 3000 for row in range(len(lps))}, "total": figure(fees) * 3000}


MULTIPLIERS = {
    "stablecoin": reputation.STABLECOIN,
    "altcoin": reputation.ALTCOIN,
    "ETH": reputation.ETH,
    "BTC": reputation.BTC,
    "DXTR": reputation.DXTR,
}


def rep_accrual(case: Case) -> Figures:
    inputs, names = case.inputs, (case.inputs["asset_bought_by_taker"], case.inputs["other_asset"])
    lp = {"id": 1, "created": 1, "balances": {names[0]: "1"}, "accepts": [names[1]], "ranges": {}, "fee_discount": "0", "rep": "0"}
    market = market_of(dict.fromkeys(names, "1"), [lp])
    book, value = market.book, float(inputs["value_usd"])
    for asset in book.assets:
        asset.taker_multiplier, asset.maker_multiplier = MULTIPLIERS[market.assets[asset.token]]
    bought, other = (market.assets.index(name) for name in names)
    if inputs["role"] == "taker":
        return {"rep": reputation.taker_points(book.assets[bought], value), "delay_hours": CREDIT_DELAY / 3600}
    reputation.earn(book, 0, bought, other, value, NOW)
    reputation.grant_due(book, NOW + CREDIT_DELAY - 1.0)
    assert book.lps[0].rep == 0.0
    reputation.grant_due(book, NOW + CREDIT_DELAY)
    return {"rep": book.lps[0].rep, "delay_hours": CREDIT_DELAY / 3600}


HANDLERS = {"route": route, "route_fill": route_fill, "lp_fee": lp_fee, "fee_split": fee_split, "rep_accrual": rep_accrual}


# --- tests ---


def test_every_case_runs() -> None:
    assert_each_has_one_place(CASES, [case.id for case in CASES.values() if case.op in HANDLERS])
    assert {case.op for case in CASES.values()} == HANDLERS.keys()
    assert len(CASES) == 21


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: f"{case.id}-{case.op}")
def test_case(case: Case) -> None:
    assert_matches(case, HANDLERS[case.op](case))


def test_the_documents_example_of_lps_1_3_5_9_and_10_is_won_by_lp_10() -> None:
    """1 ETH for 3,000 USDC: 1 is out of range, 5 takes no USDC, 9 holds too little; 3 and 10 offer the same discount, 10 has more REP."""
    case = CASES["dextr_seed_example"]
    assert route(case) == {
        "excluded": {"1": "inactive_range", "5": "inbound_not_accepted", "9": "below_threshold"},
        "eligible": [3, 10],
        "ranking": [10, 3],
        "selected": 10,
    }
    market = market_of(case.inputs["prices"], case.inputs["lps"])
    order = market.order("ETH", "USDC", "1", all_or_none=True)
    assert figure(order.amount) == 3000.0
    status, fills, fee = market.settle(order)
    assert (status, {lp: figure(settled) for lp, settled in fills.items()}) == (Status.OK, {10: 1.0})
    assert figure(fee) == 0.005  # 1 % less a discount of a half
    eth, usdc = market.assets.index("ETH"), market.assets.index("USDC")
    winner = market.book.holdings[market.ids.index(10)]
    assert (figure(winner[usdc].balance), figure(winner[eth].balance)) == (3000.0, 1.005)
    assert figure(market.wallets[TRADER, eth] - LIMIT / 8) == 0.995


def test_the_defaults_are_the_documents() -> None:
    terms = empty_book(1, 2).terms[0]
    assert (terms.max_fee, terms.min_fraction) == (MAX_LP_FEE, MIN_FRACTION) == (0.01, 0.1)
