"""Routing 100,000 orders to 100, 1,000 and 10,000 LPs: by the index, and by a plain scan of all positions, side by side in one run.

    .venv/bin/python benchmarks/rfq.py               # under a minute
    .venv/bin/python benchmarks/rfq.py --orders 10000

Prints the cost of an order, the ratio of the two, and how the cost grows with the number of LPs. Both ways settle the same orders and
must end in the same books, or the run fails. In a round 100 orders meet one price of each asset; the second table moves all prices before
every order, the worst case for an index of ranges: the ranges that a price leaves or enters are a share of all, so that part of the cost
grows with the number of LPs, though it falls on each price move and not on each order. The time includes everything that an order causes:
routing, settlement, credits of REP, and the index's upkeep; the scan is spared that of price moves, not that of balances and ranks.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from pages import table

from seawall.protocols import ledger, oracle, reputation, rfq, rfq_index, rfq_positions, rfq_ranges, rfq_tables, tables
from seawall.protocols.amounts import floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import NONE, Book
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Table

PRICES = np.array([3000.0, 60000.0, 1.0, 1.0])
VOLATILITY = np.array([0.001, 0.001, 0.00005, 0.00005])  # of a price move
MULTIPLIERS = (reputation.ETH, reputation.BTC, reputation.STABLECOIN, reputation.STABLECOIN)
ASSETS = len(PRICES)
CONTRACT, LP, TRADER, FEEDER = range(4)  # accounts: one owns all positions, one sends all orders
ROUND_SECONDS = 60.0
POPULATIONS = (100, 1_000, 10_000)
SEED = 20


@dataclass(frozen=True, slots=True)
class Market:
    """A funded book and what will happen to it."""

    book: Book
    feeds: Table
    wallets: Floats
    orders: Table
    paths: Floats


def a_market(positions: int, orders: int, per_round: int) -> Market:
    """Positions with random funds, ranges, discounts and REP; orders between all pairs of assets."""
    random = np.random.default_rng(SEED)
    book, feeds = rfq_tables.empty_book(positions, ASSETS, credits=1 << 16), np.zeros(ASSETS, tables.FEED)
    book.terms["account"], book.terms["rep_delay"], book.terms["rep_half_life"] = CONTRACT, 3600.0, 30 * 86400.0
    book.assets["token"] = book.assets["feed"] = np.arange(ASSETS)
    book.assets["taker_multiplier"], book.assets["maker_multiplier"] = np.array(MULTIPLIERS).T
    feeds["feeder"], feeds["valid_for"] = FEEDER, ROUND_SECONDS
    wallets, tokens = np.zeros((4, ASSETS)), np.zeros(ASSETS, tables.TOKEN)
    for account in (LP, TRADER):
        for asset in range(ASSETS):
            ledger.mint(wallets, tokens, asset, account, floor_amount(4e9 / PRICES[asset]))
    for lp in range(positions):
        enter(book, lp, wallets, random)
    rounds = -(-orders // per_round)
    paths = PRICES * np.exp(np.cumsum(random.normal(0.0, VOLATILITY, (rounds, ASSETS)), axis=0))
    return Market(book, feeds, wallets, orders_of(orders, random), paths)


def enter(book: Book, lp: int, wallets: Floats, random: np.random.Generator) -> None:
    """Open, fund and set up one position around today's prices."""
    primary, discount = int(random.integers(ASSETS)), float(random.integers(0, 21)) / 20.0
    rfq_positions.open_position(book, lp, LP, primary, (1 << ASSETS) - 1, discount)
    rfq_positions.deposit(book, lp, wallets, floor_amount(random.lognormal(10.0, 1.0) / PRICES[primary]))
    for asset, price in enumerate(PRICES):
        width = random.uniform(0.02, 0.3) if VOLATILITY[asset] > 0.0005 else 0.02
        centre = price * np.exp(random.normal(0.0, width / 2))
        rfq_ranges.set_range(book, lp, asset, centre * (1.0 - width), centre * (1.0 + width))
    rfq_index.rerank(book, lp, discount, float(random.integers(0, 100)) * 1000.0)


def orders_of(count: int, random: np.random.Generator) -> Table:
    """Orders of about 3,000 USD, from any asset to any other."""
    orders = np.zeros(count, rfq_tables.RFQ_ORDER)
    orders["trader"], orders["most_lps"] = TRADER, 10
    orders["inbound"] = random.integers(0, ASSETS, count)
    orders["outbound"] = (orders["inbound"] + random.integers(1, ASSETS, count)) % ASSETS
    usd = random.lognormal(8.0, 1.0, count)
    orders["amount"] = [floor_amount(worth / PRICES[asset]) for worth, asset in zip(usd, orders["inbound"], strict=True)]
    return orders


@rule
def play(
    book: Book, feeds: Table, wallets: Floats, orders: Table, paths: Floats, fills: Table, per_round: int, by_scan: bool
) -> tuple[int, int]:
    """Send all orders; return how many were filled, and by how many positions together."""
    filled = parts = 0
    for k in range(len(orders)):
        now = (k // per_round) * ROUND_SECONDS
        if k % per_round == 0:
            for asset in range(len(feeds)):
                oracle.publish(feeds[asset], FEEDER, paths[k // per_round, asset], now)
            if not by_scan:
                rfq_ranges.follow_prices(book, feeds)
            reputation.grant_due(book, now)
        status, _, _, count = rfq.settle(book, orders[k], feeds, wallets, fills, now, by_scan)
        if status == Status.OK:
            filled += 1
            parts += count
    return filled, parts


@rule
def search(book: Book, feeds: Table, orders: Table, by_scan: bool) -> int:
    """Find the best position for each order and settle none; return a digest of the answers."""
    digest = 0
    for k in range(len(orders)):
        outbound, inbound = orders[k].outbound, orders[k].inbound
        price_out, price_in = feeds[outbound].price, feeds[inbound].price
        need = rfq.least_balance(rfq.worth(orders[k].amount, price_in, price_out), book.terms[0].min_fraction)
        if by_scan:
            lp = rfq.best_by_scan(book, NONE, outbound, inbound, price_out, price_in, need)
        else:
            lp = rfq_index.best_by_index(book, NONE, outbound, inbound, need)
        digest = (digest * 31 + lp + 1) & 0xFFFFFFFF
    return digest


@dataclass(frozen=True, slots=True)
class Cost:
    """Nanoseconds of CPU time for one order."""

    settle: float
    search: float
    filled: int
    parts: int


def measure(positions: int, orders: int, per_round: int, by_scan: bool) -> tuple[Cost, tuple[object, ...]]:
    """Play a market anew, then search its last state; return the costs and what the two ways must agree on."""
    market = a_market(positions, orders, per_round)
    fills = np.zeros(10, rfq_tables.RFQ_FILL)
    start = time.process_time()
    filled, parts = play(market.book, market.feeds, market.wallets, market.orders, market.paths, fills, per_round, by_scan)
    settled = time.process_time() - start
    rfq_ranges.follow_prices(market.book, market.feeds)
    start = time.process_time()
    digest = search(market.book, market.feeds, market.orders, by_scan)
    searched = time.process_time() - start
    agreed = (market.wallets.tobytes(), market.book.holdings.tobytes(), market.book.lps.tobytes(), digest)
    return Cost(settled / orders * 1e9, searched / orders * 1e9, filled, parts), agreed


def compare(orders: int, per_round: int) -> str:
    """Costs for each number of LPs, and how they grow from the fewest to the most."""
    rows: list[list[str]] = []
    costs: list[tuple[float, ...]] = []
    for positions in POPULATIONS:
        (index, one), (scan, other) = (measure(positions, orders, per_round, by_scan) for by_scan in (False, True))
        if one != other:
            raise RuntimeError(f"index and scan disagree with {positions} LPs")
        costs.append((index.settle, scan.settle, index.search, scan.search))
        shares = [f"{index.filled / orders:.1%}", f"{index.parts / max(index.filled, 1):.2f}"]
        settle = [f"{index.settle:,.0f}", f"{scan.settle:,.0f}", f"{scan.settle / index.settle:.1f}"]
        search = [f"{index.search:,.0f}", f"{scan.search:,.0f}", f"{scan.search / index.search:.1f}"]
        rows.append([f"{positions:,}", *shares, *settle, *search])
    grown = [last / first for first, last in zip(costs[0], costs[-1], strict=True)]
    growth = [f"x {factor:.1f}" for factor in grown]
    rows.append([f"{POPULATIONS[-1] // POPULATIONS[0]} times", "", "", *growth[:2], "", *growth[2:], ""])
    header = ["LPs", "filled", "LPs per fill", "index ns/order", "scan ns/order", "scan / index"]
    return table([*header, "index ns/search", "scan ns/search", "scan / index"], rows)


def main() -> None:
    """Compile, then print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=100_000)
    orders = parser.parse_args().orders
    for by_scan in (False, True):
        measure(POPULATIONS[0], 100, 10, by_scan)  # compiles, or reads the machine code
    print(f"{orders:,} orders, CPU time\n\n100 orders to a price\n")
    print(compare(orders, 100))
    print("\nall prices move before every order\n")
    print(compare(orders, 1))


if __name__ == "__main__":
    main()
