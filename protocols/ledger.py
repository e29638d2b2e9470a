"""Double entry: the only three ways in which `wallets` changes.

Conservation is therefore one line, `wallets.sum(0) == tokens.supply`, and exact (see `amounts`).
"""

from __future__ import annotations

from seawall.protocols.amounts import LIMIT, is_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Table


@rule
def transfer(wallets: Floats, token: int, payer: int, payee: int, amount: float) -> Status:
    """Move tokens from one account to another.

    Args:
        wallets: `[accounts, tokens]` balances; changed.
        token: row of `World.tokens`.
        payer: account that pays.
        payee: account that receives.
        amount: tokens, >= 0, whole units.

    Returns:
        OK, or BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    if not is_amount(amount):
        return Status.BAD_AMOUNT
    if wallets[payer, token] < amount:
        return Status.INSUFFICIENT_BALANCE
    wallets[payer, token] -= amount
    wallets[payee, token] += amount
    return Status.OK


@rule
def mint(wallets: Floats, tokens: Table, token: int, payee: int, amount: float) -> Status:
    """Create tokens in an account.

    Returns:
        OK, or BAD_AMOUNT, SUPPLY_LIMIT (more than `amounts.LIMIT` tokens could not be counted exactly) with nothing changed.
    """
    if not is_amount(amount):
        return Status.BAD_AMOUNT
    if tokens[token].supply + amount > LIMIT:
        return Status.SUPPLY_LIMIT
    tokens[token].supply += amount
    wallets[payee, token] += amount
    return Status.OK


@rule
def burn(wallets: Floats, tokens: Table, token: int, payer: int, amount: float) -> Status:
    """Destroy tokens of an account.

    Returns:
        OK, or BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    if not is_amount(amount):
        return Status.BAD_AMOUNT
    if wallets[payer, token] < amount:
        return Status.INSUFFICIENT_BALANCE
    wallets[payer, token] -= amount
    tokens[token].supply -= amount
    return Status.OK
