"""LPs of the RFQ market: at each look they set discount and ranges, step out of a storm, or trade back what they took in.

By kind: `STATIC` never looks. `UNDERCUTTING` outbids the best other discount among those who pay out the same primary asset.
`VOLATILITY_AWARE` is out while the worst of its assets is more volatile than it bears, and sets its width by volatility. `INVENTORY` takes
no more of an asset that has grown beyond its band, and trades the excess back at the other LPs. All but the first move their ranges to the
oracle's prices. Whom a drain sends away takes everything out and accepts nothing; when its time is over it deposits again what it has of
its primary asset, the only one that a position is funded in. Where the same LPs are solvers in auctions, only discounts, and what they
take, are left to them; in pools nothing.

Source: that LPs set ranges, discounts and accepted assets: 001_e37e2646f2495a8d.txt, "LP Eligibility", "LP Prioritization". Kinds and
thresholds are assumptions.
"""

from __future__ import annotations

import math

from seawall.agents.avmm import Avmm, LpKind
from seawall.agents.avmm_desk import ask_without_tokens, trade
from seawall.agents.avmm_presence import accept, come_back, has_pool, is_inside, is_rfq, leave
from seawall.agents.base import AvmmAgent, draw_order, tally, whole_units
from seawall.agents.departures import send_away
from seawall.protocols import rfq_positions, rfq_ranges
from seawall.protocols.amounts import UNIT, ceil_amount
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import NONE, pair_line
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Ints, Row

SECONDS_PER_DAY = 86_400.0
SECONDS_PER_YEAR = 365.0 * SECONDS_PER_DAY


@rule
def oracle_price(v: Avmm, asset: int) -> float:
    """USD per token of an asset, as last published; 0 before the first price."""
    return float(v.feeds[v.book.assets[asset].feed].price)


@rule
def held(v: Avmm, lp: Row, asset: int) -> float:
    """Tokens of an asset that an LP can pay out: of its position, or of its wallet where it is a solver."""
    if is_rfq(v):
        return float(v.book.holdings[lp.position, asset].balance)
    return float(v.wallets[lp.account, v.book.assets[asset].token])


@rule
def held_usd(v: Avmm, lp: Row) -> float:
    """USD value of all that an LP can pay out, at the last published prices."""
    total = 0.0
    for asset in range(len(v.book.assets)):
        total += held(v, lp, asset) * oracle_price(v, asset)
    return total


# --- ranges ---


@rule
def set_line(v: Avmm, position: int, line: int, price: float, width: float) -> None:
    """Set a range around a price, unless it stands there already; a price of 0 is none, and nothing is done."""
    low, high, bounds = price / (1.0 + width), price * (1.0 + width), v.book.ranges[position, line]
    if price > 0.0 and (bounds.low != low or bounds.high != high):
        tally(v.tallies, Action.RFQ_TERMS, rfq_ranges.set_line_range(v.book, position, line, low, high))


@rule
def set_ranges(v: Avmm, lp: int, width: float) -> None:
    """Set an LP's ranges around the oracle's prices: in USD on each asset, or on each pair.

    Args:
        v: the RFQ market; the book changed.
        lp: row of avmm_lps, and of its position, which says what ranges count (`uses_pair_ranges`).
        width: fraction > 0: ranges reach from price / (1 + width) to price * (1 + width). An asset without a price yet is left as it is.
    """
    assets, pairs = len(v.book.assets), v.book.lps[lp].uses_pair_ranges
    for asset in range(assets):
        price = oracle_price(v, asset)
        if not pairs:
            set_line(v, lp, asset, price, width)
            continue
        for lower in range(asset):
            quotient = rfq_ranges.pair_price(lower, asset, oracle_price(v, lower), price)
            set_line(v, lp, pair_line(lower, asset, assets), quotient, width)


@rule
def recentre(v: Avmm, lp: Row, width: float) -> None:
    """Move an LP's ranges to the oracle's prices, where ranges matter."""
    if is_rfq(v):
        set_ranges(v, lp.position, width)


# --- what it takes ---


@rule
def trades(v: Avmm, lp: Row, asset: int) -> bool:
    """Tell whether an LP takes an asset while it is in the market, or pays it out."""
    return bool((lp.accepts >> asset) & 1 or v.book.lps[lp.position].primary == asset)


@rule
def worst_variance(v: Avmm, lp: Row) -> float:
    """Highest variance per second of the oracle's prices of what an LP trades."""
    worst = 0.0
    for asset in range(len(v.book.assets)):
        if trades(v, lp, asset):
            worst = max(worst, v.avmm_assets[asset].variance)
    return worst


@rule
def mind_volatility(v: Avmm, lp: Row) -> None:
    """Step out above the volatility that the LP bears, back in below; set the ranges by the volatility of a day."""
    variance = worst_variance(v, lp)
    lp.is_out = math.sqrt(variance * SECONDS_PER_YEAR) > lp.exit_volatility
    accept(v, lp, 0 if lp.is_out else lp.accepts)
    if not lp.is_out:
        recentre(v, lp, max(lp.width, lp.width_per_volatility * math.sqrt(variance * SECONDS_PER_DAY)))


# --- discount ---


@rule
def best_other_discount(v: Avmm, lp: Row) -> float:
    """Highest discount of others who take part and have something to pay of the LP's primary asset; NONE without any."""
    best, primary = float(NONE), v.book.lps[lp.position].primary
    for i in range(len(v.avmm_lps)):
        other = v.avmm_lps[i]
        position = v.book.lps[other.position]
        if other.position != lp.position and position.is_open and position.accepts != 0 and held(v, other, primary) > 0.0:
            best = max(best, position.fee_discount)
    return best


@rule
def wanted_discount(lp: Row, own: float, best: float) -> float:
    """The discount that outbids the best other one by a step, as far as the LP goes; the lowest without another.

    Who is ahead by no more than a step stays.
    """
    if best < 0.0:
        return float(lp.min_discount)
    target = max(min(lp.max_discount, best + lp.discount_step), lp.min_discount)
    return float(target if best >= own or own > target else own)


@rule
def undercut(v: Avmm, lp: Row) -> None:
    """Set the discount by what others offer."""
    own = v.book.lps[lp.position].fee_discount
    discount = wanted_discount(lp, own, best_other_discount(v, lp))
    if discount != own:
        tally(v.tallies, Action.RFQ_TERMS, rfq_positions.set_discount(v.book, lp.position, discount))


# --- inventory ---


@rule
def excess(v: Avmm, lp: Row, asset: int) -> float:
    """Tokens to trade back so that an asset is within the LP's band of its value afterwards, the highest fee paid; at most all of them.

    With balance b, price p, value V, band k and fee f: (b - x) * p = k * (V - f * x * p), solved for x.
    """
    price, fee = oracle_price(v, asset), v.book.terms[0].max_fee
    balance, value = held(v, lp, asset), held_usd(v, lp)
    if not (price > 0.0 and balance * price > lp.band * value):
        return 0.0
    return min(balance, ceil_amount((balance * price - lp.band * value) / (price * (1.0 - lp.band * fee))))


@rule
def trade_back(v: Avmm, lp: Row, asset: int, amount: float) -> None:
    """Trade so much of an asset, which the LP takes no more of, for its primary one; what others do not take stays in the position."""
    primary = v.book.lps[lp.position].primary
    status, _, paid = ask_without_tokens(v, lp.account, asset, primary, amount)
    if status != Status.OK:
        return
    status = rfq_positions.withdraw(v.book, lp.position, asset, v.wallets, paid)
    tally(v.tallies, Action.RFQ_FUND, status)
    if status == Status.OK:
        status, received, _ = trade(v, lp.account, asset, primary, paid)
        if status == Status.OK:
            tally(v.tallies, Action.RFQ_FUND, rfq_positions.deposit(v.book, lp.position, v.wallets, received))


@rule
def mind_inventory(v: Avmm, lp: Row) -> None:
    """Take no more of what is beyond the band, and trade the excess back; take it again once it is not."""
    primary, mask = v.book.lps[lp.position].primary, lp.accepts
    for asset in range(len(v.book.assets)):
        if asset != primary and excess(v, lp, asset) > 0.0:
            mask &= ~(1 << asset)
    accept(v, lp, mask)
    if is_rfq(v):
        for asset in range(len(v.book.assets)):
            amount = excess(v, lp, asset)
            if asset != primary and amount >= UNIT and not (mask >> asset) & 1:
                trade_back(v, lp, asset, amount)
    recentre(v, lp, lp.width)


# --- a look ---


@rule
def is_due(v: Avmm, lp: Row, now: float) -> bool:
    """Tell whether an LP has to leave, may come back, or looks at its position."""
    if lp.is_away:
        return bool(now >= lp.away_until or is_inside(v, lp))
    return bool(now >= lp.look_at)


@rule
def order(v: Avmm, rows: Ints) -> int:
    """Fill `rows` with the LPs whose time to look, to leave or to come back has come, in the order drawn for it; return how many."""
    clock, count = v.clock[0], 0
    send_away(v.departures, v.avmm_lps, clock.step)
    for i in range(len(v.avmm_lps)):
        if is_due(v, v.avmm_lps[i], clock.now):
            rows[count] = i
            count += 1
    draw_order(rows, count, clock.order_seed, clock.step)
    return count


@rule
def act(v: Avmm, index: int) -> None:
    """Leave or come back, when a drain says so; look at the position, when it is time, and do what the LP's kind does."""
    lp, now = v.avmm_lps[index], v.clock[0].now
    if not is_due(v, lp, now):
        return
    if lp.is_away:
        if now < lp.away_until:
            leave(v, lp)
        else:
            come_back(v, lp)
        return
    lp.look_at = now + lp.look_every
    if has_pool(v) or not v.book.lps[lp.position].is_open:
        return
    if lp.kind == LpKind.UNDERCUTTING.value:
        undercut(v, lp)
        recentre(v, lp, lp.width)
    elif lp.kind == LpKind.VOLATILITY_AWARE.value:
        mind_volatility(v, lp)
    elif lp.kind == LpKind.INVENTORY.value:
        mind_inventory(v, lp)


class AvmmLp(AvmmAgent):
    """Owns one position in the book."""

    kind = "avmm_lps"
    act = staticmethod(act)

    @property
    def position(self) -> Row:
        """Row of the position in the book (`Book.lps`), a view."""
        return self.avmm.book.lps[self.row.position]

    def balance(self, asset: int) -> float:
        """Tokens of an asset (row of the book's assets) in the position."""
        return float(self.avmm.book.holdings[self.row.position, asset].balance)

    def set_discount(self, discount: float) -> None:
        """Change the fee discount, 0 to 1. Raises `Refused` by name."""
        self.ask(Action.RFQ_TERMS, rfq_positions.set_discount(self.avmm.book, int(self.row.position), float(discount)))

    def set_range(self, asset: int, low: float, high: float) -> None:
        """Change the range in USD in which it trades an asset. Raises `Refused` by name."""
        status = rfq_ranges.set_range(self.avmm.book, int(self.row.position), asset, float(low), float(high))
        self.ask(Action.RFQ_TERMS, status)

    def set_accepted(self, *assets: int) -> None:
        """Take these assets and no others. Raises `Refused` by name."""
        mask, pairs = sum({1 << asset for asset in assets}), bool(self.position.uses_pair_ranges)
        self.ask(Action.RFQ_TERMS, rfq_positions.set_accepted(self.avmm.book, int(self.row.position), mask, pairs))

    def deposit(self, amount: float) -> None:
        """Put tokens of the primary asset into the position. Raises `Refused` by name."""
        v = self.avmm
        self.ask(Action.RFQ_FUND, rfq_positions.deposit(v.book, int(self.row.position), v.wallets, whole_units(amount)))

    def withdraw(self, asset: int, amount: float) -> None:
        """Take tokens of an asset out of the position. Raises `Refused` by name."""
        v = self.avmm
        self.ask(Action.RFQ_FUND, rfq_positions.withdraw(v.book, int(self.row.position), asset, v.wallets, whole_units(amount)))
