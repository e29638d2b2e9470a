"""Orders: what is checked, in the public order, and what settlement does.

An order is committed first (`commit`: checked at the index price) and settled later at the price of that moment (`settle`: checked again).
Between them its trader may wait; nothing is stored for it here.

Source: 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?"; checks and their order from MECHANICS.md section 4, "Order checks".
"""

from __future__ import annotations

from seawall.protocols.amounts import LIMIT, floor_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.perps_account import can_pay, pay_usd
from seawall.protocols.perps_debt import delegated_collateral, locked_credit
from seawall.protocols.perps_funding import recompute_funding
from seawall.protocols.perps_interest import update_interest
from seawall.protocols.perps_margin import available_margin, charge, has_fresh_prices, is_liquidatable, position_profit, required_margins
from seawall.protocols.perps_positions import change_position
from seawall.protocols.perps_pricing import fill_price, order_fee
from seawall.protocols.perps_tables import Perps, index_price, position_index
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table

INFINITE = float("inf")


@rule
def quote(market: Row, size: float, price: float) -> tuple[float, float]:
    """What an order would be filled at, and its fee without the settlement reward: (USD per unit, USD). Nothing changes."""
    fill = fill_price(price, market.skew, size, market.skew_scale)
    return fill, order_fee(market.skew, size, fill, market.maker_fee, market.taker_fee)


@rule
def only_reduces(before: float, after: float) -> bool:
    """Tell whether a position is made smaller, or closed, without changing its side."""
    return abs(after) <= abs(before) and before * after >= 0.0


@rule
def check_limits(market: Row, before: float, after: float, price: float) -> Status:
    """Compare the open interest of the order's side with the market's limits, after the order.

    Args:
        market: row of `Perps.markets`.
        before: base asset, signed: the position.
        after: base asset, signed: the position after the order.
        price: order price, USD per unit.

    Returns:
        OK, or MAX_OPEN_INTEREST, MAX_OPEN_INTEREST_USD.
    """
    skew = market.skew + (after - before)
    both = market.open_interest + (abs(after) - abs(before))
    side = 0.5 * (both + skew if after > 0.0 else both - skew)
    if side > market.max_open_interest:
        return Status.MAX_OPEN_INTEREST
    if market.max_open_interest_usd > 0.0 and side * price > market.max_open_interest_usd:
        return Status.MAX_OPEN_INTEREST_USD
    return Status.OK


@rule
def required_margin(perps: Perps, account: int, market: int, size: float, price: float) -> float:
    """USD of margin that an order needs with its fee, without the settlement reward; 0 when it only reduces a position.

    Initial margins are at index prices, the keeper's reward for this market's position at the fill price.
    """
    before = perps.positions[position_index(perps, account, market)].quantity
    if only_reduces(before, before + size):
        return 0.0
    fill, fee = quote(perps.markets[market], size, price)
    initial, _, reward = required_margins(perps, account, market, before + size, fill)
    return initial + reward + fee


@rule
def exceeds_credit(perps: Perps, market: int, before: float, after: float, credit: float) -> bool:
    """Tell whether the core's credit is too small for what the order would lock beyond what is locked now."""
    change = (abs(after) - abs(before)) * index_price(perps, market) * perps.markets[market].locked_oi_ratio
    return delegated_collateral(perps.group[0], credit) < locked_credit(perps) + change


@rule
def is_order(market: Row, size: float, price: float) -> bool:
    """Tell whether this can be an order at all: a size that is not 0, in whole units that can be counted with all others, and a price."""
    return is_positive_amount(abs(size)) and market.open_interest + abs(size) <= LIMIT and 0.0 < price < INFINITE


@rule
def check_order(
    perps: Perps, account: int, market: int, size: float, price: float, credit: float, now: float
) -> tuple[Status, float, float]:
    """Check an order; nothing changes.

    Args:
        perps: the group.
        account: row of `Perps.accounts`.
        market: row of `Perps.markets`.
        size: base asset, signed change of the position, whole units.
        price: order price, USD per unit.
        credit: USD that the core vouches for, see `perps_debt`.
        now: seconds since the start.

    Returns:
        (OK, fill price in USD per unit, USD of all fees), or in this order (BAD_AMOUNT, STALE_PRICE (of this market, or one in which the
        account has a position), ACCOUNT_LIQUIDATABLE, NEGATIVE_FILL_PRICE, INSUFFICIENT_MARGIN (for the fees), MAX_OPEN_INTEREST,
        MAX_OPEN_INTEREST_USD, INSUFFICIENT_MARGIN (for the positions), EXCEEDS_CREDIT_CAPACITY; 0, 0). Limits, the positions' margin and
        credit are not asked of an order that only reduces a position.
    """
    row, group = perps.markets[market], perps.group[0]
    if not is_order(row, size, price):
        return Status.BAD_AMOUNT, 0.0, 0.0
    if not has_fresh_prices(perps, account, market, now):
        return Status.STALE_PRICE, 0.0, 0.0
    if perps.accounts[account].is_flagged or is_liquidatable(perps, account, now):
        return Status.ACCOUNT_LIQUIDATABLE, 0.0, 0.0
    fill, fee = quote(row, size, price)
    if not fill >= 0.0:
        return Status.NEGATIVE_FILL_PRICE, 0.0, 0.0
    for_keeper = group.settlement_reward + group.settlement_cost
    available = available_margin(perps, account, now) + min(0.0, size * (price - fill))
    if available < fee + for_keeper:
        return Status.INSUFFICIENT_MARGIN, 0.0, 0.0
    before = perps.positions[position_index(perps, account, market)].quantity
    if not only_reduces(before, before + size):
        status = check_limits(row, before, before + size, price)
        if status != Status.OK:
            return status, 0.0, 0.0
        if available < required_margin(perps, account, market, size, price) + for_keeper:
            return Status.INSUFFICIENT_MARGIN, 0.0, 0.0
        if exceeds_credit(perps, market, before, before + size, credit):
            return Status.EXCEEDS_CREDIT_CAPACITY, 0.0, 0.0
    return Status.OK, fill, fee + for_keeper


@rule
def commit(perps: Perps, account: int, market: int, size: float, credit: float, now: float) -> Status:
    """Announce an order: it is checked at the index price, and funding is recomputed at it.

    Returns:
        As `check_order`, with nothing changed but the funding of an order accepted.
    """
    price = index_price(perps, market)
    status, _, _ = check_order(perps, account, market, size, price, credit, now)
    if status == Status.OK:
        recompute_funding(perps.markets[market], price, now)
    return status


@rule
def settle(
    perps: Perps,
    tokens: Table,
    wallets: Floats,
    account: int,
    market: int,
    size: float,
    price: float,
    acceptable: float,
    keeper: int,
    credit: float,
    now: float,
) -> tuple[Status, float, float]:
    """Fill an order: the position's profit so far is realised at the fill price, less the fees, and all of it counts as entered there.

    The order fee stays in the market; the keeper is paid the settlement reward and its cost, floored to a unit.

    Args:
        perps: the group; account, position, market, sums and interest changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        account: row of `Perps.accounts`.
        market: row of `Perps.markets`.
        size: base asset, signed change of the position, whole units.
        price: order price, USD per unit.
        acceptable: USD per unit that a buyer pays at most, a seller receives at least.
        keeper: account (row of `wallets`) that settles.
        credit: USD that the core vouches for, see `perps_debt`.
        now: seconds since the start.

    Returns:
        (OK, fill price, USD of all fees), or as `check_order`, and then (EXCEEDS_ACCEPTABLE_PRICE, INSUFFICIENT_CREDIT, SUPPLY_LIMIT (the
        keeper cannot be paid); 0, 0) with nothing changed.
    """
    status, fill, fees = check_order(perps, account, market, size, price, credit, now)
    if status != Status.OK:
        return status, 0.0, 0.0
    if not (fill <= acceptable if size > 0.0 else fill >= acceptable):
        return Status.EXCEEDS_ACCEPTABLE_PRICE, 0.0, 0.0
    group = perps.group[0]
    payment = floor_amount(group.settlement_reward + group.settlement_cost)
    status = can_pay(group, tokens, payment, credit)
    if status != Status.OK:
        return status, 0.0, 0.0
    recompute_funding(perps.markets[market], price, now)
    profit, _, _ = position_profit(perps, account, market, fill, now)
    charge(perps, account, profit - fees)
    quantity = perps.positions[position_index(perps, account, market)].quantity + size
    change_position(perps, account, market, quantity, fill, now)
    update_interest(perps, credit, now)
    pay_usd(group, tokens, wallets, keeper, payment, credit)
    return Status.OK, fill, fees
