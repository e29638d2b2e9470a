"""dUSD minted and burned against positions, and debt that a market assigns to one LP.

Debt is float64 accounting: an amount that is no whole number of units changes it exactly, while the payment is rounded against the payer or
payee by less than a unit. So more dUSD is owed than exists, never less.

Source: MECHANICS.md section 3, "LP"; 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?" (collateral in, dUSD out).
"""

from __future__ import annotations

from seawall.protocols import delegation, ledger, vaults
from seawall.protocols.amounts import LIMIT, UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import Core
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table


@rule
def change_debt(core: Core, position: Row, amount: float, now: float) -> None:
    """Settle a position, book a change of its debt, and pass it on to the pool and its markets."""
    vaults.settle_position(core, position)
    vaults.assign_debt(core, position, amount)
    vaults.refresh(core, position.pool, position.collateral_type, now)


@rule
def mint_usd(core: Core, position: Row, tokens: Table, wallets: Floats, amount: float, now: float) -> Status:
    """Mint dUSD to the LP against its position. Credit may be minted without collateral.

    Args:
        core: changed.
        position: row of `core.positions`; changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: USD, at least one unit.
        now: seconds since the start.

    Returns:
        OK, or BAD_AMOUNT, BELOW_MIN_RATIO (below the issuance ratio), VAULT_BELOW_RATIO, SUPPLY_LIMIT with nothing changed.

    Source: MECHANICS.md section 3, "LP".
    """
    p, c = position.pool, position.collateral_type
    if not UNIT <= amount <= LIMIT:
        return Status.BAD_AMOUNT
    debt = vaults.position_debt(core, position) + amount
    if not vaults.meets_ratio(vaults.position_value(core, position), debt, vaults.issuance_ratio(core, p, c)):
        return Status.BELOW_MIN_RATIO
    if not delegation.keeps_vault_ratio(core, p, c, 0.0, amount):
        return Status.VAULT_BELOW_RATIO
    status = ledger.mint(wallets, tokens, core.system[0].usd_token, position.account, floor_amount(amount))
    if status == Status.OK:
        change_debt(core, position, amount, now)
    return status


@rule
def burn_usd(core: Core, position: Row, tokens: Table, wallets: Floats, amount: float, now: float) -> tuple[Status, float]:
    """Repay debt of a position with dUSD of the LP; never more than it owes.

    Args:
        core: changed.
        position: row of `core.positions`; changed.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        amount: USD, > 0.
        now: seconds since the start.

    Returns:
        (OK, USD of debt repaid), or (BAD_AMOUNT, INSUFFICIENT_DEBT, INSUFFICIENT_BALANCE; 0) with nothing changed.

    Source: MECHANICS.md section 3, "LP"; that more than the debt repays the debt follows the public implementation.
    """
    if not 0.0 < amount <= LIMIT:
        return Status.BAD_AMOUNT, 0.0
    debt = vaults.position_debt(core, position)
    if debt <= 0.0:
        return Status.INSUFFICIENT_DEBT, 0.0
    repaid = min(amount, debt)
    status = ledger.burn(wallets, tokens, core.system[0].usd_token, position.account, ceil_amount(repaid))
    if status != Status.OK:
        return status, 0.0
    change_debt(core, position, -repaid, now)
    return Status.OK, repaid


@rule
def associate_debt(core: Core, m: int, position: Row, amount: float) -> Status:
    """Move debt from all positions of a vault, by their shares, to one of them. Only the market itself may ask for it.

    Args:
        core: changed; the debt of the vault as a whole is not.
        m: row of `core.markets`: which asks.
        position: row of `core.positions`; changed.
        amount: USD, > 0.

    Returns:
        OK, or BAD_AMOUNT, NOT_BACKED (the position's pool does not back the market), EMPTY_DISTRIBUTION (nobody has shares),
        BELOW_MIN_RATIO (the position would be below the liquidation ratio) with nothing changed.

    Source: 000_f10a0af1cff63fc7.txt has no word of it; the public implementation's rule, as in the reference case `core_associate_debt`.
    """
    p, c = position.pool, position.collateral_type
    vault = core.vaults[p, c]
    if not 0.0 < amount <= LIMIT:
        return Status.BAD_AMOUNT
    if not core.backings[p, m].weight > 0.0:
        return Status.NOT_BACKED
    if not vault.shares > 0.0:
        return Status.EMPTY_DISTRIBUTION
    shares = position.shares if vaults.is_current(position, vault) else 0.0
    debt = vaults.position_debt(core, position) + amount - shares * (amount / vault.shares)
    if not vaults.meets_ratio(vaults.position_value(core, position), debt, core.collateral_types[c].liquidation_ratio):
        return Status.BELOW_MIN_RATIO
    vaults.settle_position(core, position)
    vaults.share_debt(vault, -amount)
    vaults.settle_position(core, position)
    position.debt += amount
    return Status.OK
