"""What an LP does with collateral: deposit it, delegate it to a pool, take it back, move it to another pool, withdraw it.

Source: MECHANICS.md section 3, "LP"; 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?" (delegate the position to a pool).
"""

from __future__ import annotations

from seawall.protocols import ledger, liquidity_pools, vaults
from seawall.protocols.amounts import is_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import Core
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row


@rule
def deposit(core: Core, wallets: Floats, account: int, c: int, amount: float) -> Status:
    """Put collateral into the core, not delegated yet.

    Args:
        core: `core.deposits` changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        account: of the LP.
        c: row of `core.collateral_types`.
        amount: tokens, > 0.

    Returns:
        OK, or BAD_AMOUNT, INSUFFICIENT_BALANCE with nothing changed.
    """
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    status = ledger.transfer(wallets, core.collateral_types[c].token, account, core.system[0].account, amount)
    if status == Status.OK:
        core.deposits[account, c] += amount
    return status


@rule
def withdraw(core: Core, wallets: Floats, account: int, c: int, amount: float) -> Status:
    """Take collateral that is not delegated out of the core.

    Args:
        core: `core.deposits` changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        account: of the LP.
        c: row of `core.collateral_types`.
        amount: tokens, > 0.

    Returns:
        OK, or BAD_AMOUNT, INSUFFICIENT_COLLATERAL with nothing changed.
    """
    if not is_positive_amount(amount):
        return Status.BAD_AMOUNT
    if core.deposits[account, c] < amount:
        return Status.INSUFFICIENT_COLLATERAL
    core.deposits[account, c] -= amount
    return ledger.transfer(wallets, core.collateral_types[c].token, core.system[0].account, account, amount)


@rule
def keeps_vault_ratio(core: Core, p: int, c: int, collateral_change: float, debt_change: float) -> bool:
    """Tell whether a vault so changed is not below the liquidation ratio."""
    value = (core.vaults[p, c].collateral + collateral_change) * core.collateral_types[c].price
    return vaults.meets_ratio(value, vaults.vault_debt(core, p, c) + debt_change, core.collateral_types[c].liquidation_ratio)


@rule
def locks(core: Core, p: int, c: int, collateral_change: float, debt_change: float) -> bool:
    """Tell whether a vault so changed would leave a market of its pool with less capacity than it has locked."""
    weight = (core.vaults[p, c].collateral + collateral_change) * core.collateral_types[c].price
    value = vaults.value_with(core, p, c, weight)
    return liquidity_pools.locks(core, p, value, core.pools[p].debt + liquidity_pools.incoming_debt(core, p) + debt_change)


@rule
def check_increase(core: Core, position: Row, change: float) -> Status:
    """What stands against delegating more."""
    p, c = position.pool, position.collateral_type
    if core.deposits[position.account, c] < change:
        return Status.INSUFFICIENT_COLLATERAL
    if core.vaults[p, c].collateral + change > core.vaults[p, c].max_collateral:
        return Status.POOL_COLLATERAL_LIMIT
    return Status.OK if keeps_vault_ratio(core, p, c, change, 0.0) else Status.VAULT_BELOW_RATIO


@rule
def check_decrease(core: Core, position: Row, amount: float, change: float, now: float) -> Status:
    """What stands against delegating less."""
    p, c = position.pool, position.collateral_type
    if now - position.delegated_at < liquidity_pools.min_delegation_seconds(core, p):
        return Status.TOO_EARLY
    if not keeps_vault_ratio(core, p, c, change, 0.0):
        return Status.VAULT_BELOW_RATIO
    value = amount * core.collateral_types[c].price
    if not vaults.meets_ratio(value, vaults.position_debt(core, position), vaults.issuance_ratio(core, p, c)):
        return Status.BELOW_MIN_RATIO
    return Status.CAPACITY_LOCKED if locks(core, p, c, change, 0.0) else Status.OK


@rule
def delegate(core: Core, position: Row, amount: float, now: float) -> Status:
    """Set the collateral delegated to a pool: more, less, or none.

    What is delegated comes from the LP's deposits, what is not any more returns there. More needs no ratio of the position itself.

    Args:
        core: changed.
        position: row of `core.positions` with account, pool and collateral type set; changed.
        amount: tokens to be delegated in all, >= 0.
        now: seconds since the start.

    Returns:
        OK, or with nothing changed: BAD_AMOUNT; BELOW_MIN_DELEGATION; DELEGATION_UNCHANGED; INSUFFICIENT_COLLATERAL (deposits);
        POOL_COLLATERAL_LIMIT; TOO_EARLY (less, before the minimum delegation time); VAULT_BELOW_RATIO (the whole vault would be below the
        liquidation ratio); BELOW_MIN_RATIO (less, below the issuance ratio); CAPACITY_LOCKED (less, while a market needs it).

    Source: MECHANICS.md section 3, "LP".
    """
    p, c = position.pool, position.collateral_type
    if not is_amount(amount):
        return Status.BAD_AMOUNT
    if 0.0 < amount < core.collateral_types[c].min_delegation:
        return Status.BELOW_MIN_DELEGATION
    change = amount - vaults.collateral(position, core.vaults[p, c])
    if change == 0.0:
        return Status.DELEGATION_UNCHANGED
    status = check_increase(core, position, change) if change > 0.0 else check_decrease(core, position, amount, change, now)
    if status == Status.OK:
        vaults.change_collateral(core, position, amount, now)
        core.deposits[position.account, c] -= change
        position.delegated_at = now
    return status


@rule
def check_move(core: Core, source: Row, target: Row, amount: float, debt: float, now: float) -> Status:
    """What stands against moving a position with its debt to another pool."""
    c, new = source.collateral_type, core.vaults[target.pool, target.collateral_type]
    if source.account != target.account or c != target.collateral_type or source.pool == target.pool:
        return Status.BAD_TERMS
    if amount <= 0.0 or vaults.collateral(target, new) > 0.0:
        return Status.BAD_AMOUNT
    if now - source.delegated_at < liquidity_pools.min_delegation_seconds(core, source.pool):
        return Status.TOO_EARLY
    if new.collateral + amount > new.max_collateral:
        return Status.POOL_COLLATERAL_LIMIT
    kept = keeps_vault_ratio(core, source.pool, c, -amount, -debt) and keeps_vault_ratio(core, target.pool, c, amount, debt)
    if not kept:
        return Status.VAULT_BELOW_RATIO
    if not vaults.meets_ratio(vaults.position_value(core, source), debt, core.collateral_types[c].liquidation_ratio):
        return Status.BELOW_MIN_RATIO
    return Status.CAPACITY_LOCKED if locks(core, source.pool, c, -amount, -debt) else Status.OK


@rule
def migrate(core: Core, source: Row, target: Row, now: float) -> Status:
    """Move a position, collateral and debt, to another pool.

    Args:
        core: changed.
        source: row of `core.positions`; changed.
        target: row of `core.positions` of the same account and collateral type in another pool, without collateral; changed.
        now: seconds since the start.

    Returns:
        OK, or with nothing changed: BAD_TERMS (not a pair of positions as above); BAD_AMOUNT (nothing to move, or the target is not empty);
        TOO_EARLY; POOL_COLLATERAL_LIMIT; VAULT_BELOW_RATIO (either vault, below the liquidation ratio); BELOW_MIN_RATIO (the position is);
        CAPACITY_LOCKED (a market of the pool that is left).

    Source: MECHANICS.md section 3, "LP", for a change of the amount; that moving it meets the conditions of undelegating, with the
    liquidation ratio in place of the issuance ratio, follows the public implementation.
    """
    c = source.collateral_type
    amount, debt = vaults.collateral(source, core.vaults[source.pool, c]), vaults.position_debt(core, source)
    status = check_move(core, source, target, amount, debt, now)
    if status == Status.OK:
        vaults.settle_position(core, source)
        vaults.settle_position(core, target)
        debt = source.debt
        vaults.assign_debt(core, source, -debt)
        vaults.change_collateral(core, source, 0.0, now)
        vaults.assign_debt(core, target, debt)
        vaults.change_collateral(core, target, amount, now)
        source.delegated_at = target.delegated_at = now
    return status
