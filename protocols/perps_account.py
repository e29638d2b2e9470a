"""USD into a trader's account and out of it.

Here alone dUSD moves, in the public implementation's way: what traders deposit is burned against the core and becomes a claim (their
margin); what they withdraw, and what keepers earn, is minted against the core's credit. So the markets hold no tokens: a profit is
withdrawn from the core when its owner takes it, losses and fees are deposits that nobody withdraws. `net_issuance` says how much was minted
beyond what was burned, exactly. A keeper's pay is floored to a unit; what that leaves of the figure charged stays in the markets.

Source: MECHANICS.md sections 3 ("Market") and 4 ("Account", "Market debt").
"""

from __future__ import annotations

from seawall.protocols import ledger
from seawall.protocols.amounts import LIMIT, ceil_amount, floor_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.perps_debt import withdrawable_usd
from seawall.protocols.perps_margin import change_margin, charge, has_fresh_prices, is_liquidatable, withdrawable_margin
from seawall.protocols.perps_tables import NO_MARKET, Perps
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table


@rule
def take_usd(group: Row, tokens: Table, wallets: Floats, payer: int, amount: float) -> Status:
    """Burn dUSD of an account and lower what the markets have issued: the core's deposit of market USD.

    Returns:
        OK, or BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    status = ledger.burn(wallets, tokens, group.token, payer, amount)
    if status == Status.OK:
        group.net_issuance -= amount
    return status


@rule
def can_pay(group: Row, tokens: Table, amount: float, credit: float) -> Status:
    """Tell whether `pay_usd` would pay an amount: OK, or INSUFFICIENT_CREDIT (more than the core withdraws), SUPPLY_LIMIT."""
    if amount > withdrawable_usd(group, credit):
        return Status.INSUFFICIENT_CREDIT
    return Status.SUPPLY_LIMIT if tokens[group.token].supply + amount > LIMIT else Status.OK


@rule
def pay_usd(group: Row, tokens: Table, wallets: Floats, payee: int, amount: float, credit: float) -> Status:
    """Mint dUSD to an account and raise what the markets have issued: the core's withdrawal of market USD.

    Args:
        group: row of `Perps.group`; net_issuance changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        payee: account.
        amount: USD, whole units.
        credit: USD that the core vouches for, see `perps_debt`.

    Returns:
        OK, or INSUFFICIENT_CREDIT, SUPPLY_LIMIT, BAD_AMOUNT with nothing changed.
    """
    status = can_pay(group, tokens, amount, credit)
    if status == Status.OK:
        status = ledger.mint(wallets, tokens, group.token, payee, amount)
    if status == Status.OK:
        group.net_issuance += amount
    return status


@rule
def deposit_margin(perps: Perps, tokens: Table, wallets: Floats, account: int, amount: float) -> Status:
    """Add USD to an account's margin. Account debt is not repaid by it (see `pay_debt`).

    Args:
        perps: the group; account and sums changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        account: row of `Perps.accounts`.
        amount: dUSD, > 0.

    Returns:
        OK, or BAD_AMOUNT, ACCOUNT_LIQUIDATABLE (flagged), INSUFFICIENT_BALANCE with nothing changed.
    """
    row = perps.accounts[account]
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    if row.is_flagged:
        return Status.ACCOUNT_LIQUIDATABLE
    status = take_usd(perps.group[0], tokens, wallets, row.owner, amount)
    if status == Status.OK:
        change_margin(perps, account, row.margin + amount, row.debt)
    return status


@rule
def withdraw_margin(perps: Perps, tokens: Table, wallets: Floats, account: int, amount: float, credit: float, now: float) -> Status:
    """Take USD out of an account's margin, as far as its positions and the core's credit allow.

    Args:
        perps: the group; account and sums changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        account: row of `Perps.accounts`.
        amount: dUSD, > 0.
        credit: USD that the core vouches for, see `perps_debt`.
        now: seconds since the start.

    Returns:
        OK, or BAD_AMOUNT, ACCOUNT_LIQUIDATABLE (flagged, or could be), INSUFFICIENT_COLLATERAL (more than its margin), STALE_PRICE (of a
        market in which it has a position), INSUFFICIENT_MARGIN (its positions need it, or it has account debt), INSUFFICIENT_CREDIT (the
        core does not have it), SUPPLY_LIMIT with nothing changed.
    """
    row = perps.accounts[account]
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    if row.is_flagged:
        return Status.ACCOUNT_LIQUIDATABLE
    if amount > row.margin:
        return Status.INSUFFICIENT_COLLATERAL
    if not has_fresh_prices(perps, account, NO_MARKET, now):
        return Status.STALE_PRICE
    if is_liquidatable(perps, account, now):
        return Status.ACCOUNT_LIQUIDATABLE
    if amount > withdrawable_margin(perps, account, now):
        return Status.INSUFFICIENT_MARGIN
    status = pay_usd(perps.group[0], tokens, wallets, row.owner, amount, credit)
    if status == Status.OK:
        change_margin(perps, account, row.margin - amount, row.debt)
    return status


@rule
def most_withdrawable(perps: Perps, account: int, credit: float, now: float) -> float:
    """USD, in whole units, that the account could withdraw now, by its margin and by the core's credit, were all prices fresh."""
    row = perps.accounts[account]
    if row.is_flagged or is_liquidatable(perps, account, now):
        return 0.0
    own = min(row.margin, withdrawable_margin(perps, account, now))
    return floor_amount(max(0.0, min(own, withdrawable_usd(perps.group[0], credit))))


@rule
def pay_debt(perps: Perps, tokens: Table, wallets: Floats, account: int, amount: float) -> tuple[Status, float]:
    """Repay account debt with dUSD. At most the debt, rounded up to a unit, is taken; what that is above the debt becomes margin.

    Args:
        perps: the group; account and sums changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        account: row of `Perps.accounts`.
        amount: dUSD, > 0.

    Returns:
        (OK, USD paid), or (BAD_AMOUNT, INSUFFICIENT_DEBT (none), INSUFFICIENT_BALANCE; 0) with nothing changed.
    """
    row = perps.accounts[account]
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT, 0.0
    if row.debt <= 0.0:
        return Status.INSUFFICIENT_DEBT, 0.0
    paid = min(amount, ceil_amount(row.debt))
    status = take_usd(perps.group[0], tokens, wallets, row.owner, paid)
    if status != Status.OK:
        return status, 0.0
    charge(perps, account, paid)
    return Status.OK, paid
