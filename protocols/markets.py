"""Markets as the core sees them: how much debt they have, how much they may pay out, and how debt falls on the pools behind them.

A pool's part of a market's debt is shares * min(value per share, limit): it takes part below its limit only. So the debt handed out is a
rising curve of the value per share, and distributing means going along it, up or down, to where it meets the total debt. Where no pool
takes part the value per share jumps down to the next limit; beyond the last limit debt stays undistributed until a pool has room. The way
does not matter, only the end, so everything can be computed without touching a row.

Source: MECHANICS.md section 3, "Market"; 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?" (pools allocate dUSD to markets).
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import LIMIT, UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import Core
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table

INFINITE = float("inf")


@rule
def total_debt(market: Row) -> float:
    """USD that the pools behind a market owe: reported debt + net issuance - the market's own collateral."""
    return float(market.reported_debt + market.net_issuance - market.collateral_value)


@rule
def shares_above(backings: Table, m: int, value: float) -> tuple[float, float]:
    """Shares of the pools whose limit is above a value per share, and the lowest of these limits (infinite without any)."""
    shares, lowest = 0.0, INFINITE
    for p in range(len(backings)):
        if backings[p, m].shares > 0.0 and backings[p, m].limit > value:
            shares += backings[p, m].shares
            lowest = min(lowest, backings[p, m].limit)
    return shares, lowest


@rule
def shares_from(backings: Table, m: int, value: float) -> tuple[float, float]:
    """Shares of the pools whose limit is at or above a value per share, and the highest limit below it (minus infinite without any)."""
    shares, highest = 0.0, -INFINITE
    for p in range(len(backings)):
        if backings[p, m].shares > 0.0:
            if backings[p, m].limit >= value:
                shares += backings[p, m].shares
            else:
                highest = max(highest, backings[p, m].limit)
    return shares, highest


@rule
def stretch(backings: Table, m: int, value: float, handed_out: float, total: float) -> tuple[float, float, bool]:
    """Go along the curve as far as the next limit of a pool.

    Args:
        backings: `core.backings`.
        m: row of `core.markets`.
        value: value per share.
        handed_out: USD of debt with the pools at this value.
        total: USD of debt to hand out.

    Returns:
        (value per share, USD handed out, whether a limit was met before the total).
    """
    rest = total - handed_out
    if rest > 0.0:
        shares, edge = shares_above(backings, m, value)
        if shares <= 0.0:
            return value, handed_out, False
        if rest < shares * (edge - value):
            return min(value + rest / shares, edge), total, False
        return edge, handed_out + shares * (edge - value), True
    if rest < 0.0:
        shares, edge = shares_from(backings, m, value)
        if shares <= 0.0:
            return (edge, handed_out, True) if edge > -INFINITE else (value, handed_out, False)
        if rest > shares * (edge - value):
            return max(value + rest / shares, edge), total, False
        return edge, handed_out + shares * (edge - value), True
    return value, handed_out, False


@rule
def settled(market: Row, backings: Table, m: int) -> tuple[float, float]:
    """Value per share and debt handed out once all debt is distributed that can be; nothing is changed."""
    value, handed_out, total = market.value_per_share, market.distributed_debt, total_debt(market)
    goes_on = True
    while goes_on:
        value, handed_out, goes_on = stretch(backings, m, value, handed_out, total)
    return value, handed_out


@rule
def settle(market: Row, backings: Table, m: int) -> None:
    """Hand out the debt that the pools can take; each takes its part when it is touched."""
    value, handed_out = settled(market, backings, m)
    market.value_per_share = value
    market.distributed_debt = handed_out


@rule
def capacity(market: Row, backings: Table, m: int) -> float:
    """USD that the pools' limits leave beyond the debt: sum of shares * (limit - value per share) + debt handed out - net issuance.

    Distributing debt does not change it. Negative when more has been issued than the pools can take.
    """
    total = 0.0
    for p in range(len(backings)):
        if backings[p, m].limit > market.value_per_share:
            total += backings[p, m].shares * (backings[p, m].limit - market.value_per_share)
    return total + float(market.distributed_debt - market.net_issuance)


@rule
def withdrawable_usd(market: Row, backings: Table, m: int) -> float:
    """USD that a market may pay out: its capacity and its own collateral, at least 0."""
    return max(capacity(market, backings, m) + float(market.collateral_value), 0.0)


@rule
def delegated_value(market: Row, backings: Table, m: int) -> float:
    """USD: shares of the pools that take part at the present value per share."""
    shares, _ = shares_above(backings, m, market.value_per_share)
    return shares


@rule
def falls_short(market: Row, capacity_left: float) -> bool:
    """Tell whether a capacity, with the market's own collateral, is less than the market has locked."""
    return bool(capacity_left + market.collateral_value < market.minimum_credit)


@rule
def deposit_usd(core: Core, m: int, tokens: Table, wallets: Floats, payer: int, amount: float) -> Status:
    """Pay dUSD into a market; it is burned, and the market's debt falls by as much.

    The debt is float64 accounting: an amount that is no whole number of units lowers it exactly, and the payment is rounded up.

    Args:
        core: `core.markets` changed.
        m: row of `core.markets`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        payer: account.
        amount: USD, > 0.

    Returns:
        OK, or BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.

    Source: MECHANICS.md section 3, "Market".
    """
    if not 0.0 < amount <= LIMIT:
        return Status.BAD_AMOUNT
    status = ledger.burn(wallets, tokens, core.system[0].usd_token, payer, ceil_amount(amount))
    if status == Status.OK:
        core.markets[m].net_issuance -= amount
    return status


@rule
def withdraw_usd(core: Core, m: int, tokens: Table, wallets: Floats, payee: int, amount: float) -> Status:
    """Pay dUSD out of a market; it is minted, and the market's debt rises by as much.

    The debt is float64 accounting: an amount that is no whole number of units raises it exactly, and the payment is rounded down.

    Args:
        core: `core.markets` changed.
        m: row of `core.markets`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        payee: account.
        amount: USD, at least one unit.

    Returns:
        OK, or BAD_AMOUNT, NOT_ENOUGH_LIQUIDITY, SUPPLY_LIMIT with nothing changed.

    Source: MECHANICS.md section 3, "Market".
    """
    if not UNIT <= amount <= LIMIT:
        return Status.BAD_AMOUNT
    market = core.markets[m]
    if amount > withdrawable_usd(market, core.backings, m):
        return Status.NOT_ENOUGH_LIQUIDITY
    status = ledger.mint(wallets, tokens, core.system[0].usd_token, payee, floor_amount(amount))
    if status == Status.OK:
        market.net_issuance += amount
    return status
