"""Whose margin needs a look: traders within their bounds are not visited.

While the index price, the market's funding per unit and its interest index lie within a trader's bounds, its margin stays above what it
and keepers act on: no time limits that, since the three are all that moves it from outside. Blocks of `SIZE` traders keep, for each market,
the tightest bounds of those who hold a position there, so a quiet block costs one comparison, and rows are looked at where it is left.

Rules of contracts leave no word of what they change here: an agent's methods do, and `look_at_all` is for terms and rows changed by hand.

Whose own bounds are left is under watch: listed in `Exchange.watched`, and looked at in every round until it has new bounds. Who trades or
may be liquidated comes under watch at once. Bounds err on the side of looking once too often: the exact conditions decide.
"""

from __future__ import annotations

from seawall.agents.base import draw_order
from seawall.agents.exchange import SIZE, Exchange, perps_of
from seawall.protocols import perps_margin
from seawall.protocols.compiled import rule
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.perps_interest import interest_index_now
from seawall.protocols.perps_tables import NO_MARKET, index_price
from seawall.protocols.tables import Ints, Row

INFINITE = float("inf")
FUNDING_PART, INTEREST_PART = 0.125, 0.0625  # of what the margin may lose: by funding, by interest; the price may take `PRICE_PART`
PRICE_PART = 0.75  # the rest is far more than the roundings of all that is compared
LEAST_PART = 1e-6  # of the margin and what is required: with less to lose, bounds would be as fine as roundings


@rule
def position_of(x: Exchange, trader: Row) -> Row:
    """The trader's position in its market."""
    return x.perps_positions[trader.market, trader.member]


@rule
def watch(x: Exchange, trader: Row) -> None:
    """Let a trader's margin be looked at in the next round, or in this one if margins have not been looked at yet."""
    if not trader.is_watched:
        trader.is_watched = True
        x.watched[0] += 1
        x.watched[x.watched[0]] = trader.member


@rule
def has_position(x: Exchange, trader: Row) -> bool:
    """Tell whether there is a position that somebody could act on."""
    return bool(position_of(x, trader).quantity != 0.0 or x.perps_accounts[trader.market, trader.member].is_flagged)


@rule
def is_within(bounds: Row, price: float, funding: float, interest: float) -> bool:
    """Tell whether a market's index price, funding per unit and interest index are within bounds: a trader's, or a block's."""
    return bool(
        bounds.safe_low <= price <= bounds.safe_high
        and bounds.least_funding <= funding <= bounds.most_funding
        and interest <= bounds.most_interest
    )


@rule
def loosen(bounds: Row) -> None:
    """Set bounds that nothing leaves."""
    bounds.safe_low, bounds.safe_high = 0.0, INFINITE
    bounds.least_funding, bounds.most_funding, bounds.most_interest = -INFINITE, INFINITE, INFINITE


@rule
def tighten(bounds: Row, trader: Row) -> None:
    """Bring a block's bounds within a trader's."""
    bounds.safe_low, bounds.safe_high = max(bounds.safe_low, trader.safe_low), min(bounds.safe_high, trader.safe_high)
    bounds.least_funding = max(bounds.least_funding, trader.least_funding)
    bounds.most_funding = min(bounds.most_funding, trader.most_funding)
    bounds.most_interest = min(bounds.most_interest, trader.most_interest)


@rule
def set_bounds(x: Exchange, trader: Row, level: float, now: float) -> None:
    """Say within which bounds the margin surely stays above `level` times maintenance and reward; with too little to lose, keep watch.

    Some of what is required does not depend on the price p (the least margin, the least reward), so it is bounded: as p falls it rises
    never, as p rises it grows no faster than p. The margin is at least a straight line in p, which interest on the notional makes flatter.
    """
    m, perps, position = trader.market, perps_of(x, trader.market), position_of(x, trader)
    price, market, group = index_price(perps, 0), x.perps_markets[trader.market, 0], x.groups[trader.market]
    _, maintenance, reward = perps_margin.required_margins(perps, trader.member, NO_MARKET, 0.0, 0.0)
    required, available = level * (maintenance + reward), perps_margin.available_margin(perps, trader.member, now)
    spare = available - required
    if not (spare > LEAST_PART * (abs(available) + required) and price > 0.0):
        watch(x, trader)
        return
    loosen(trader)
    quantity, interest = position.quantity, interest_index_now(group, now)
    _, funding = funding_now(market, price, now)
    if quantity > 0.0:
        trader.least_funding = funding - FUNDING_PART * spare / quantity
    else:
        trader.most_funding = funding - FUNDING_PART * spare / quantity
    locked = abs(quantity) * market.locked_oi_ratio
    if locked > 0.0:
        trader.most_interest = interest + INTEREST_PART * spare / (locked * price)
    slope = quantity - locked * (interest - position.entry_interest) - INTEREST_PART * spare / price
    if slope > 0.0:
        trader.safe_low = price - PRICE_PART * spare / slope
    if required > slope * price:  # as p rises, what is required may overtake the margin
        trader.safe_high = price + PRICE_PART * spare * price / (required - slope * price)
    tighten(x.margin_blocks[m, trader.member // SIZE], trader)


def look_at_all(x: Exchange) -> None:
    """Let every margin be looked at in the next round, and every LP's next look be read: after terms or rows were changed by hand."""
    x.margin_blocks["safe_high"] = x.perps_traders["safe_high"] = 0.0
    x.lp_blocks["next_look"] = 0.0


@rule
def look_through(x: Exchange, m: int, block: int, price: float, funding: float, interest: float) -> None:
    """Put those of a block under watch whose bounds in a market are left; set the block's bounds by the others."""
    bounds = x.margin_blocks[m, block]
    loosen(bounds)
    for i in range(block * SIZE, min((block + 1) * SIZE, len(x.perps_traders))):
        trader = x.perps_traders[i]
        if trader.market != m or trader.is_watched or not has_position(x, trader):
            continue
        if is_within(trader, price, funding, interest):
            tighten(bounds, trader)
        else:
            watch(x, trader)


@rule
def watch_who_left(x: Exchange, now: float) -> None:
    """Put all traders under watch whose bounds are left now."""
    for m in range(len(x.markets)):
        price = index_price(perps_of(x, m), 0)
        _, funding = funding_now(x.perps_markets[m, 0], price, now)
        interest = interest_index_now(x.groups[m], now)
        for block in range(x.margin_blocks.shape[1]):
            if not is_within(x.margin_blocks[m, block], price, funding, interest):
                look_through(x, m, block, price, funding, interest)


@rule
def traders_to_watch(x: Exchange, rows: Ints) -> int:
    """Fill `rows` with the traders whose margin may have come to where somebody would act, in the order drawn; return how many.

    They are no longer under watch: whoever looks at them sets new bounds, or puts them under watch again.
    """
    clock, count = x.clock[0], 0
    watch_who_left(x, clock.now)
    for k in range(1, x.watched[0] + 1):
        trader = x.perps_traders[x.watched[k]]
        trader.is_watched = False
        if has_position(x, trader):
            rows[count] = x.watched[k]
            count += 1
    x.watched[0] = 0
    draw_order(rows, count, clock.order_seed, clock.step)
    return count
