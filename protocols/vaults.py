"""Vaults and positions: what the LPs of one collateral type in one pool hold and owe.

A vault's shares of its pool are the value of its collateral when somebody last changed it (its weight): a price move alone does not change
how debt splits between vaults. Positions share the vault's collateral and debt by their shares.

A debt of less than one unit of dUSD counts as none: it is the rounding of float64 accounting and could not be paid.

Source: MECHANICS.md section 3, "Vault" and "LP"; 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?".
"""

from __future__ import annotations

from seawall.protocols import liquidity_pools, rewards
from seawall.protocols.amounts import UNIT
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import Core
from seawall.protocols.shares import accrued, amount_of, distribute, shares_of
from seawall.protocols.status import Status
from seawall.protocols.tables import Row

INFINITE = float("inf")


@rule
def collateral_ratio(value: float, debt: float) -> float:
    """Collateral value / debt; infinite without debt."""
    return value / debt if debt >= UNIT else INFINITE


@rule
def meets_ratio(value: float, debt: float, ratio: float) -> bool:
    """Tell whether collateral of this value is enough for a debt; exactly the ratio is."""
    return debt < UNIT or value >= debt * ratio


@rule
def is_current(position: Row, vault: Row) -> bool:
    """Tell whether a position exists in the vault's epoch; one of an earlier epoch has nothing."""
    return bool(position.epoch == vault.epoch)


@rule
def collateral(position: Row, vault: Row) -> float:
    """Tokens that belong to a position, in whole units."""
    if not is_current(position, vault):
        return 0.0
    return amount_of(position.shares, vault.shares, vault.collateral, vault.members)


@rule
def vault_value(core: Core, p: int, c: int) -> float:
    """USD: collateral of a vault at the present price."""
    return float(core.vaults[p, c].collateral * core.collateral_types[c].price)


@rule
def vault_debt(core: Core, p: int, c: int) -> float:
    """USD that the positions of a vault owe together, were it touched now."""
    vault = core.vaults[p, c]
    if not vault.weight > 0.0:
        return float(vault.debt)
    return float(vault.debt + accrued(vault.weight, liquidity_pools.value_per_share(core, p), vault.last_value))


@rule
def position_value(core: Core, position: Row) -> float:
    """USD: collateral of a position at the present price."""
    p, c = position.pool, position.collateral_type
    return float(collateral(position, core.vaults[p, c]) * core.collateral_types[c].price)


@rule
def debt_per_share(core: Core, p: int, c: int) -> float:
    """USD of debt per share of a vault's positions, in its epoch, were it touched now."""
    vault = core.vaults[p, c]
    if not vault.shares > 0.0:
        return float(vault.value_per_share)
    return float(vault.value_per_share + (vault_debt(core, p, c) - vault.debt) / vault.shares)


@rule
def position_debt_at(core: Core, position: Row, per_share: float) -> float:
    """USD that a position owes at its vault's `debt_per_share`, which who looks at many positions asks for once; negative is credit."""
    if not is_current(position, core.vaults[position.pool, position.collateral_type]):
        return 0.0
    if not position.shares > 0.0:
        return float(position.debt)
    return float(position.debt + accrued(position.shares, per_share, position.last_value))


@rule
def position_debt(core: Core, position: Row) -> float:
    """USD that a position owes, were it touched now; negative is credit."""
    return position_debt_at(core, position, debt_per_share(core, position.pool, position.collateral_type))


@rule
def issuance_ratio(core: Core, p: int, c: int) -> float:
    """Collateral value / debt that minting and undelegating need: the higher of the collateral type's and the pool's."""
    return float(max(core.collateral_types[c].issuance_ratio, core.vaults[p, c].issuance_ratio))


@rule
def settle_vault(core: Core, p: int, c: int) -> None:
    """Take the vault's part of the pool's debt, after the pool has taken the markets'."""
    liquidity_pools.settle(core, p)
    vault = core.vaults[p, c]
    if vault.weight > 0.0:
        change = accrued(vault.weight, core.pools[p].value_per_share, vault.last_value)
        vault.debt += change
        vault.value_per_share += change / vault.shares
    vault.last_value = core.pools[p].value_per_share


@rule
def settle_position(core: Core, position: Row) -> None:
    """Take the position's part of the vault's debt, after the vault has taken the pool's."""
    settle_vault(core, position.pool, position.collateral_type)
    vault = core.vaults[position.pool, position.collateral_type]
    if not is_current(position, vault):
        position.epoch = vault.epoch
        position.shares = position.debt = 0.0
    position.debt += accrued(position.shares, vault.value_per_share, position.last_value)
    position.last_value = vault.value_per_share


@rule
def touch_vault(core: Core, p: int, c: int) -> None:
    """Distribute debt down to a vault and set the capacities of its pool's markets anew. The vault's weight stays as it is.

    Source: MECHANICS.md section 3, "Vault".
    """
    settle_vault(core, p, c)
    liquidity_pools.rebalance(core, p)


@rule
def value_with(core: Core, p: int, c: int, weight: float) -> float:
    """USD: value of a pool if one of its vaults had this weight."""
    total = 0.0
    for i in range(len(core.collateral_types)):
        total += weight if i == c else core.vaults[p, i].weight
    return total


@rule
def set_weight(core: Core, p: int, c: int) -> None:
    """Set a vault's weight by the present price, and the pool's shares and limits in its markets. Its debt and rewards are settled."""
    core.vaults[p, c].weight = vault_value(core, p, c)
    core.pools[p].value = value_with(core, p, c, core.vaults[p, c].weight)
    rewards.close_empty(core, p, c)
    liquidity_pools.rebalance(core, p)


@rule
def refresh(core: Core, p: int, c: int, now: float) -> None:
    """Bring a vault's rewards up to now, and its weight to the present price. Its debt is settled."""
    rewards.accrue_vault(core, p, c, now)
    set_weight(core, p, c)


@rule
def set_collateral(position: Row, vault: Row, amount: float) -> None:
    """Book a new amount of collateral on a settled position; its shares change with it.

    Args:
        position: row of `core.positions`; changed.
        vault: row of `core.vaults` of the position; changed.
        amount: tokens, >= 0, whole units.
    """
    before = collateral(position, vault)
    shares = shares_of(amount, vault.shares, vault.collateral)
    vault.members += int(amount > 0.0) - int(position.shares > 0.0)
    vault.collateral += amount - before
    vault.shares = vault.shares - position.shares + shares if vault.members > 0 else 0.0
    position.shares = shares


@rule
def change_collateral(core: Core, position: Row, amount: float, now: float) -> None:
    """Settle a position and its rewards, set its collateral, and pass the change on to the pool and its markets."""
    p, c = position.pool, position.collateral_type
    rewards.accrue_position(core, position, now)
    settle_position(core, position)
    set_collateral(position, core.vaults[p, c], amount)
    set_weight(core, p, c)


@rule
def assign_debt(core: Core, position: Row, amount: float) -> None:
    """Book a change of debt on one settled position, its vault and its pool."""
    position.debt += amount
    core.vaults[position.pool, position.collateral_type].debt += amount
    core.pools[position.pool].debt += amount


@rule
def share_collateral(vault: Row, amount: float) -> Status:
    """Give tokens to (or, negative, take them from) the positions of a vault, by their collateral.

    Returns:
        OK, or EMPTY_DISTRIBUTION when nobody has any, with nothing changed.
    """
    if not vault.shares > 0.0:
        return Status.EMPTY_DISTRIBUTION
    vault.collateral += amount
    return Status.OK


@rule
def share_debt(vault: Row, amount: float) -> Status:
    """Spread debt over the positions of a vault, by their shares; the sum of the vault is not changed.

    Returns:
        OK, or EMPTY_DISTRIBUTION when nobody has shares, with nothing changed.
    """
    status, value_per_share = distribute(vault.value_per_share, vault.shares, amount)
    vault.value_per_share = value_per_share
    return status
