"""Liquidation of accounts by keepers.

An account that has less than its positions need is flagged: all its margin is seized, its debt cancelled, and nothing is given back. Then
its positions are closed at the index price, without price impact or fee, as far as the window of each market allows; what is left keeps the
account flagged and counts as entered at the index price. What it gains or loses from then on is nobody's claim: it drops out when it is
closed.

Source: MECHANICS.md section 4, "Liquidation", "Margin-only liquidation", "Keeper reward". The document does not speak of liquidations of
traders.
"""

from __future__ import annotations

from seawall.protocols.amounts import UNIT, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.perps_account import can_pay, pay_usd
from seawall.protocols.perps_funding import recompute_funding
from seawall.protocols.perps_interest import update_interest
from seawall.protocols.perps_keeper import UNLIMITED, keeper_reward, max_in_window, possible_reward
from seawall.protocols.perps_margin import change_margin, has_fresh_prices, is_liquidatable
from seawall.protocols.perps_positions import change_position
from seawall.protocols.perps_tables import NO_MARKET, Perps, index_price, position_index
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Table


@rule
def liquidation_capacity(perps: Perps, market: int, now: float) -> float:
    """Base asset that may be liquidated in a market now.

    What was liquidated less than a window ago counts against the window's maximum. Once less than a unit of that is left, another whole
    window is allowed while the skew is small, if nothing has been liquidated at this very moment.
    """
    row, entries = perps.markets[market], perps.liquidated
    most = max_in_window(row)
    if most == UNLIMITED:
        return most
    used, latest = 0.0, -UNLIMITED
    for i in range(entries.shape[1]):
        entry = entries[market, i]
        if entry.quantity > 0.0:
            latest = max(latest, entry.at)
            if now - entry.at < row.liquidation_window:
                used += entry.quantity
    if most - used >= UNIT:
        return most - used
    is_calm = abs(row.skew) < row.max_liquidation_skew * row.skew_scale
    return most if is_calm and latest != now else 0.0


@rule
def remember(perps: Perps, market: int, quantity: float, now: float) -> None:
    """Count a liquidation against the window. It joins the entry of this moment, or takes the oldest: what counts there counts from now."""
    entries, oldest = perps.liquidated, 0
    for i in range(entries.shape[1]):
        if entries[market, i].quantity > 0.0 and entries[market, i].at == now:
            entries[market, i].quantity += quantity
            return
        if _age(perps, market, i, now) > _age(perps, market, oldest, now):
            oldest = i
    entry = entries[market, oldest]
    still_counts = _age(perps, market, oldest, now) < perps.markets[market].liquidation_window
    entry.quantity = quantity + (entry.quantity if still_counts else 0.0)
    entry.at = now


@rule
def _age(perps: Perps, market: int, i: int, now: float) -> float:
    entry = perps.liquidated[market, i]
    return float(now - entry.at) if entry.quantity > 0.0 else UNLIMITED


@rule
def _allowed(perps: Perps, account: int, market: int, keeper: int, now: float) -> float:
    """Base asset of the account's position that the keeper may liquidate now."""
    size = abs(perps.positions[position_index(perps, account, market)].quantity)
    if keeper == perps.markets[market].endorsed_liquidator or size == 0.0:
        return float(size)
    return floor_amount(min(size, liquidation_capacity(perps, market, now)))


@rule
def liquidation_reward(perps: Perps, account: int, keeper: int, is_first: bool) -> float:
    """USD that a keeper earns for liquidating an account now; it is paid floored to a unit.

    The first liquidation flags, so the flag's reward and cost come on top. Where there is neither reward nor cost nothing is paid.

    Args:
        perps: the group.
        account: row of `Perps.accounts`.
        keeper: account (row of `wallets`).
        is_first: whether the account is not flagged yet.
    """
    group, row = perps.group[0], perps.accounts[account]
    cost, reward, margin = group.liquidation_cost, 0.0, 0.0
    if is_first:
        margin = row.margin
        cost += group.flag_cost * row.open_positions
        for m in range(len(perps.markets)):
            market = perps.markets[m]
            if keeper != market.endorsed_liquidator:
                size = abs(perps.positions[position_index(perps, account, m)].quantity)
                reward += size * index_price(perps, m) * market.flag_reward_ratio
        reward = max(reward, margin * group.margin_reward_ratio)
    return keeper_reward(group, reward, cost, margin) if reward + cost > 0.0 else 0.0


@rule
def liquidate(
    perps: Perps, tokens: Table, wallets: Floats, account: int, keeper: int, credit: float, now: float
) -> tuple[Status, float, float]:
    """Flag an account, if it is not yet, and close of its positions what the windows allow.

    Args:
        perps: the group; account, positions, markets, sums, windows and interest changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        account: row of `Perps.accounts`.
        keeper: account (row of `wallets`) that is rewarded.
        credit: USD that the core vouches for, see `perps_debt`.
        now: seconds since the start.

    Returns:
        (OK, USD paid to the keeper, USD of margin seized), or (STALE_PRICE (of a market in which it has a position), NOT_LIQUIDATABLE,
        LIQUIDATION_WINDOW_USED (flagged before, and nothing can be closed now), INSUFFICIENT_CREDIT, SUPPLY_LIMIT (the keeper cannot be
        paid); 0, 0) with nothing changed.
    """
    row, group = perps.accounts[account], perps.group[0]
    if not has_fresh_prices(perps, account, NO_MARKET, now):
        return Status.STALE_PRICE, 0.0, 0.0
    is_first = not row.is_flagged
    if is_first and not is_liquidatable(perps, account, now):
        return Status.NOT_LIQUIDATABLE, 0.0, 0.0
    allowed = 0.0
    for m in range(len(perps.markets)):
        allowed += _allowed(perps, account, m, keeper, now)
    if allowed <= 0.0 and not is_first:
        return Status.LIQUIDATION_WINDOW_USED, 0.0, 0.0
    payment = floor_amount(liquidation_reward(perps, account, keeper, is_first))
    status = can_pay(group, tokens, payment, credit)
    if status != Status.OK:
        return status, 0.0, 0.0
    seized = float(row.margin)
    change_margin(perps, account, 0.0, 0.0)
    for m in range(len(perps.markets)):
        reduce_position(perps, account, m, _allowed(perps, account, m, keeper, now), keeper, now)
    row.is_flagged = row.open_positions > 0
    update_interest(perps, credit, now)
    pay_usd(group, tokens, wallets, keeper, payment, credit)
    return Status.OK, payment, seized


@rule
def reduce_position(perps: Perps, account: int, market: int, size: float, keeper: int, now: float) -> None:
    """Close a part of a flagged account's position at the index price; the rest counts as entered there. A size of 0 does nothing."""
    if size <= 0.0:
        return
    row, price = perps.markets[market], index_price(perps, market)
    held = perps.positions[position_index(perps, account, market)].quantity
    if keeper != row.endorsed_liquidator and max_in_window(row) != UNLIMITED:
        remember(perps, market, size, now)
    recompute_funding(row, price, now)
    change_position(perps, account, market, held - size if held > 0.0 else held + size, price, now)


@rule
def liquidate_margin(
    perps: Perps, tokens: Table, wallets: Floats, account: int, keeper: int, credit: float, now: float
) -> tuple[Status, float, float]:
    """End the debt of an account without positions that cannot pay it: its margin is seized, its debt cancelled.

    Returns:
        (OK, USD paid to the keeper, USD of debt cancelled), or (NOT_LIQUIDATABLE (it has positions, no debt, or margin enough for its debt
        and the keeper), INSUFFICIENT_CREDIT, SUPPLY_LIMIT; 0, 0) with nothing changed.
    """
    row, group = perps.accounts[account], perps.group[0]
    reward = possible_reward(group, 0.0, 0, 0.0, row.margin)
    if row.open_positions > 0 or not (row.debt > 0.0 and row.margin - row.debt - reward < 0.0):
        return Status.NOT_LIQUIDATABLE, 0.0, 0.0
    payment = floor_amount(liquidation_reward(perps, account, keeper, True))
    status = can_pay(group, tokens, payment, credit)
    if status != Status.OK:
        return status, 0.0, 0.0
    cancelled = float(row.debt)
    change_margin(perps, account, 0.0, 0.0)
    update_interest(perps, credit, now)
    pay_usd(group, tokens, wallets, keeper, payment, credit)
    return Status.OK, payment, cancelled
