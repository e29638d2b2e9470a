"""What an account is worth, what its positions require, and how it is charged.

All of it is float64 accounting: margin is a claim, no token. Sums over an account's positions visit one row for each market.

Source: MECHANICS.md section 4, "PnL", "Account", "Margins". The document gives no numbers.
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.perps_interest import interest_index_now
from seawall.protocols.perps_keeper import possible_reward, windows_needed
from seawall.protocols.perps_tables import NO_MARKET, Perps, index_price, position_index
from seawall.protocols.tables import Row


@rule
def has_fresh_prices(perps: Perps, account: int, market: int, now: float) -> bool:
    """Tell whether the prices of all the account's positions, and of one market besides (NO_MARKET for none), may be used."""
    for m in range(len(perps.markets)):
        is_read = m == market or perps.positions[position_index(perps, account, m)].quantity != 0.0
        if is_read and not is_fresh(perps.feeds[perps.markets[m].feed], now):
            return False
    return True


@rule
def position_profit(perps: Perps, account: int, market: int, price: float, now: float) -> tuple[float, float, float]:
    """Profit of a position since its last change.

    Args:
        perps: the group.
        account: row of `Perps.accounts`.
        market: row of `Perps.markets`.
        price: USD per unit at which to mark it.
        now: seconds since the start.

    Returns:
        USD: (profit with funding and interest, funding received, interest owed).
    """
    position, row = perps.positions[position_index(perps, account, market)], perps.markets[market]
    if position.quantity == 0.0:
        return 0.0, 0.0, 0.0
    _, per_unit = funding_now(row, price, now)
    funding = position.quantity * (per_unit - position.entry_funding)
    locked = abs(position.quantity) * price * row.locked_oi_ratio
    interest = locked * (interest_index_now(perps.group[0], now) - position.entry_interest)
    return position.quantity * (price - position.entry_price) + funding - interest, funding, interest


@rule
def available_margin(perps: Perps, account: int, now: float) -> float:
    """USD: margin + profit of all positions at index prices - account debt; negative when an account is under water."""
    row = perps.accounts[account]
    total = row.margin - row.debt
    for m in range(len(perps.markets)):
        total += position_profit(perps, account, m, index_price(perps, m), now)[0]
    return float(total)


@rule
def position_margins(market: Row, quantity: float, price: float) -> tuple[float, float, float, float]:
    """What a position requires: it grows with its size, as closing it moves the price.

    Args:
        market: row of `Perps.markets`: terms.
        quantity: base asset, signed.
        price: index price, USD per unit.

    Returns:
        (initial margin ratio, maintenance margin ratio, USD of initial margin, USD of maintenance margin); zeros without a position.
    """
    if quantity == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    impact = abs(quantity) / market.skew_scale * market.margin_slope if market.skew_scale > 0.0 else 0.0
    initial = impact + market.min_margin_ratio
    maintenance = initial * market.maintenance_scalar
    notional = abs(quantity) * price
    return initial, maintenance, notional * initial + market.min_position_margin, notional * maintenance + market.min_position_margin


@rule
def required_margins(perps: Perps, account: int, market: int, quantity: float, fill: float) -> tuple[float, float, float]:
    """What an account's positions require, one of them changed as by an order.

    Args:
        perps: the group.
        account: row of `Perps.accounts`.
        market: where the account is taken to have another position than it has; NO_MARKET for none.
        quantity: base asset: that position.
        fill: USD per unit at which its flagging is rewarded; margins are at the index price.

    Returns:
        USD: (initial margin, maintenance margin, possible keeper reward), the reward not included in the margins.
    """
    initial = maintenance = rewards = windows = 0.0
    count = 0
    for m in range(len(perps.markets)):
        row, price = perps.markets[m], index_price(perps, m)
        held = quantity if m == market else perps.positions[position_index(perps, account, m)].quantity
        if held == 0.0:
            continue
        _, _, position_initial, position_maintenance = position_margins(row, held, price)
        initial += position_initial
        maintenance += position_maintenance
        rewards += abs(held) * (fill if m == market else price) * row.flag_reward_ratio
        windows = max(windows, windows_needed(row, held))
        count += 1
    if count == 0:
        return 0.0, 0.0, 0.0
    return initial, maintenance, possible_reward(perps.group[0], rewards, count, windows, perps.accounts[account].margin)


@rule
def is_liquidatable(perps: Perps, account: int, now: float) -> bool:
    """Tell whether an account's positions need more than it has: maintenance margin + possible keeper reward > available margin."""
    if perps.accounts[account].open_positions == 0:
        return False
    _, maintenance, reward = required_margins(perps, account, NO_MARKET, 0.0, 0.0)
    return bool(maintenance + reward > available_margin(perps, account, now))


@rule
def withdrawable_margin(perps: Perps, account: int, now: float) -> float:
    """USD above what the account must keep: all margin without positions, nothing with account debt; negative when it lacks some."""
    row = perps.accounts[account]
    if row.debt > 0.0:
        return 0.0
    if row.open_positions == 0:
        return float(row.margin)
    initial, _, reward = required_margins(perps, account, NO_MARKET, 0.0, 0.0)
    return available_margin(perps, account, now) - initial - reward


@rule
def change_margin(perps: Perps, account: int, margin: float, debt: float) -> None:
    """Set an account's margin and debt, and carry the changes into the running sums. Every rule that alters either ends here."""
    row, group = perps.accounts[account], perps.group[0]
    group.margin += margin - row.margin
    group.account_debt += debt - row.debt
    row.margin = margin
    row.debt = debt


@rule
def charge(perps: Perps, account: int, amount: float) -> None:
    """Book a gain or loss: a gain repays account debt before it adds to the margin, a loss takes margin before it becomes account debt."""
    row = perps.accounts[account]
    if amount >= 0.0:
        repaid = min(row.debt, amount)
        change_margin(perps, account, row.margin + (amount - repaid), row.debt - repaid)
    else:
        taken = min(row.margin, -amount)
        change_margin(perps, account, row.margin - taken, row.debt + (-amount - taken))
