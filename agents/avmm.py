"""The RFQ market (Dextr AVMM) beside the tASSET market: its liquidity book, its LPs and traders, and what was measured.

`Avmm` shares clock, tokens, wallets and feeds with `World`. One of its assets, the first, is the numeraire: orders buy or sell another
asset against it. The same LPs and the same orders can be sent through another mechanism instead, to compare (`Mechanism`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from seawall.protocols.by_reference import by_reference
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import Book
from seawall.protocols.tables import BOOL, FLOAT, INT, Floats, Ints, Table, table_type

NUMERAIRE = 0  # row of rfq_assets
CONSTANT = -1  # instead of a column of market_price: always a dollar

_SCRIPTED = (BOOL, "stepped by a user's Python class instead of the built-in behaviour")


class Mechanism(IntEnum):
    """How an order finds its counterparty."""

    RFQ = 0
    CONSTANT_PRODUCT = 1
    DUTCH_AUCTION = 2
    SEALED_BID = 3


class LpKind(IntEnum):
    """What an RFQ LP does when it looks at its position."""

    STATIC = 0
    UNDERCUTTING = 1
    VOLATILITY_AWARE = 2
    INVENTORY = 3


class RfqTraderKind(IntEnum):
    """Why somebody trades on the RFQ market."""

    NOISE = 0
    INFORMED = 1


AVMM_TERMS = table_type(
    "avmm_terms",
    mechanism=(INT, "Mechanism"),
    latency=(INT, "rounds between quote and settlement"),
    review_every=(FLOAT, "seconds between two reviews of REP; infinite for never"),
    review_at=(FLOAT, "seconds: time of the next; infinite for never"),
    volatility_seconds=(FLOAT, "seconds: time constant of the moving average of squared returns"),
    dutch_start=(FLOAT, "fraction above an order's worth that a Dutch auction asks first"),
    dutch_floor=(FLOAT, "fraction that it asks last; negative is a discount"),
    dutch_seconds=(FLOAT, "seconds from the first ask to the last"),
    dutch_tick=(FLOAT, "seconds between two asks"),
    shade=(FLOAT, "fraction by which solvers bid less than they would deliver, where bids are sealed"),
    records=(INT, "records written so far"),
)

AVMM_ASSET = table_type(
    "avmm_assets",
    market=(INT, "column of market_price; -1: always a dollar"),
    last_price=(FLOAT, "USD: oracle price when it last changed"),
    variance=(FLOAT, "per second: moving average of squared log returns of the oracle price"),
    pool=(INT, "row of avmm_pools: the constant-product pool of this asset against the numeraire; -1 for the numeraire"),
)

AVMM_LP = table_type(
    "avmm_lps",
    account=(INT, "account"),
    position=(INT, "row of rfq_lps"),
    kind=(INT, "LpKind"),
    accepts=(INT, "bit mask of inbound assets that it takes while it is in the market"),
    width=(FLOAT, "fraction: its ranges reach from price / (1 + width) to price * (1 + width)"),
    min_discount=(FLOAT, "fraction off the maximum fee that it offers when nobody presses it"),
    max_discount=(FLOAT, "fraction off the maximum fee that it offers at most"),
    discount_step=(FLOAT, "fraction by which it outbids the best other discount"),
    exit_volatility=(FLOAT, "per square root of a year: it steps out above, and back in below; infinite for never"),
    width_per_volatility=(FLOAT, "its width is this times the volatility of a day, if that is more than `width`"),
    band=(FLOAT, "fraction of its value that an asset other than the primary may have before it is traded back; infinite for never"),
    look_every=(FLOAT, "seconds between two looks; infinite for never"),
    look_at=(FLOAT, "seconds: time of the next; infinite for never"),
    is_out=(BOOL, "has stepped out of the market"),
    is_away=(BOOL, "a drain has sent it away, and it has not come back"),
    away_until=(FLOAT, "seconds: time at which it comes back; infinite for never"),
    start_tokens=(FLOAT, "tokens of its primary asset at the start"),
    start_numeraire=(FLOAT, "tokens of the numeraire at the start, beside those"),
    settled_usd=(FLOAT, "USD settled at market prices: cumulative"),
    fees_usd=(FLOAT, "USD of fees at market prices: cumulative"),
    stale_loss_usd=(FLOAT, "USD by which what it settled was worth more than what it received, fees apart, at market prices: cumulative"),
    fills=(INT, "orders settled, wholly or in part"),
    scripted=_SCRIPTED,
)

AVMM_TRADER = table_type(
    "avmm_traders",
    account=(INT, "account"),
    kind=(INT, "RfqTraderKind"),
    max_cost=(FLOAT, "fraction of an order's worth that it pays at most, in fees and slippage, where a limit can be set"),
    min_edge=(FLOAT, "fraction beyond the fee by which the market's price must differ from the quoted one (informed); infinite for noise"),
    order_usd=(FLOAT, "USD: its largest order (informed)"),
    scripted=_SCRIPTED,
)

AVMM_ORDER = table_type(
    "avmm_orders",
    trader=(INT, "row of avmm_traders"),
    asset=(INT, "row of rfq_assets, not the numeraire"),
    sells=(BOOL, "whether the asset is sold; else it is bought for the numeraire"),
    usd=(FLOAT, "USD"),
)

AVMM_QUOTE = table_type(
    "avmm_quotes",
    is_waiting=(BOOL, "whether an order waits for its settlement"),
    due_step=(INT, "round of the settlement"),
    inbound=(INT, "row of rfq_assets"),
    outbound=(INT, "row of rfq_assets"),
    amount=(FLOAT, "inbound tokens"),
    price_in=(FLOAT, "USD: oracle price quoted"),
    price_out=(FLOAT, "USD: oracle price quoted"),
    market_in=(FLOAT, "USD: market price when the order was placed"),
    market_out=(FLOAT, "USD: market price when the order was placed"),
)

AVMM_FLOW = table_type(
    "avmm_flows",
    orders=(INT, "orders placed"),
    filled=(INT, "orders settled, wholly or in part"),
    ordered_usd=(FLOAT, "USD at market prices when placed"),
    filled_usd=(FLOAT, "USD at market prices when placed, of what was settled"),
    cost_usd=(FLOAT, "USD by which what was paid was worth more than what was received, both at market prices when placed"),
    waited_usd_seconds=(FLOAT, "USD filled x seconds from order to settlement"),
)

AVMM_SERIES = table_type(
    "avmm_series",
    time=(FLOAT, "seconds"),
    oracle_price=(FLOAT, "USD"),
    oracle_age=(FLOAT, "seconds since it was published; infinite before the first"),
    market_price=(FLOAT, "USD"),
    balance=(FLOAT, "tokens of the asset in the book, in range or not"),
    payable=(FLOAT, "tokens of the asset that positions in range of both prices would pay for the numeraire (for it: for any asset)"),
    lps=(INT, "positions that would pay the asset"),
    best_discount=(FLOAT, "fraction: highest discount among them; 0 without any"),
    settled_usd=(FLOAT, "USD settled in all assets, at market prices: cumulative; as the next four, the same in each asset's row"),
    fees_usd=(FLOAT, "USD"),
    stale_loss_usd=(FLOAT, "USD"),
    ordered_usd=(FLOAT, "USD of traders' orders"),
    filled_usd=(FLOAT, "USD of these settled"),
)


@by_reference
class Avmm(NamedTuple):
    """All state of the RFQ market.

    The first six are the world's own tables; `tallies` is [actions, statuses]; `departures` are of its own LPs (`agents/tables.py`). Then
    the contract's book, and room for one order at work: `order` (1 row) and `fills` (as many as positions that may settle one order).
    `avmm_orders` come by round: those of round t are rows `order_start[t]` to `order_start[t + 1]`; `quotes` has one row for each order,
    then one for each trader. `pools` are constant-product pools of each asset but the numeraire. `flows` has a row for each
    `RfqTraderKind`, `series` is [records, assets], `limits` [LPs] room for solvers' bids.
    """

    clock: Table
    tokens: Table
    wallets: Floats
    feeds: Table
    market_price: Floats
    tallies: Ints
    book: Book
    order: Table
    fills: Table
    terms: Table
    avmm_assets: Table
    avmm_lps: Table
    avmm_traders: Table
    avmm_orders: Table
    order_start: Ints
    quotes: Table
    pools: Table
    flows: Table
    series: Table
    limits: Floats
    departures: Table


@rule
def market_price(v: Avmm, asset: int) -> float:
    """USD per token of an asset of the book on the market, now."""
    column = v.avmm_assets[asset].market
    return 1.0 if column == CONSTANT else float(v.market_price[v.clock[0].step, column])
