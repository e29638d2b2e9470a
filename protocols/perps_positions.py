"""How a position changes, and what its market sums up.

Source: MECHANICS.md section 4, "PnL", "Market debt".
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.perps_interest import interest_index_now
from seawall.protocols.perps_tables import Perps, position_index
from seawall.protocols.tables import Row


@rule
def correction_of(position: Row) -> float:
    """A position's part of the market's correction: what its price and funding are compared with, in USD."""
    return float(position.quantity * (position.entry_price + position.entry_funding))


@rule
def change_position(perps: Perps, account: int, market: int, quantity: float, price: float, now: float) -> None:
    """Set a position, entered at a price, and carry the change into the market's sums. Every rule that alters a position ends here.

    Its profit so far must have been charged, or be given up, before; the market's funding must have been recomputed up to now. A market
    without positions corrects nothing, so errors of the running sum end there.

    Args:
        perps: the group; position, account and market changed.
        account: row of `Perps.accounts`.
        market: row of `Perps.markets`.
        quantity: base asset, signed, whole units.
        price: USD per unit at which the whole position counts as entered.
        now: seconds since the start.
    """
    position, row = perps.positions[position_index(perps, account, market)], perps.markets[market]
    before, corrected = position.quantity, correction_of(position)
    opened = int(quantity != 0.0) - int(before != 0.0)
    perps.accounts[account].open_positions += opened
    row.open_positions += opened
    row.skew += quantity - before
    row.open_interest += abs(quantity) - abs(before)
    position.quantity = quantity
    is_open = quantity != 0.0
    position.entry_price = price if is_open else 0.0
    position.entry_funding = row.funding_per_unit if is_open else 0.0
    position.entry_interest = interest_index_now(perps.group[0], now) if is_open else 0.0
    row.correction = row.correction + (correction_of(position) - corrected) if row.open_interest > 0.0 else 0.0
