"""Liquidation: a position below the liquidation ratio is shared out among the other LPs, a vault below it is sold for dUSD.

Source: MECHANICS.md section 3, "Liquidation of a position", "Vault liquidation".
"""

from __future__ import annotations

from seawall.protocols import ledger, rewards, vaults
from seawall.protocols.amounts import LIMIT, UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import Core
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table


@rule
def is_liquidatable_at(core: Core, position: Row, per_share: float) -> bool:
    """Tell whether `is_liquidatable`, for who looks at many positions and has asked for the vault's `debt_per_share` once."""
    ratio = core.collateral_types[position.collateral_type].liquidation_ratio
    return not vaults.meets_ratio(vaults.position_value(core, position), vaults.position_debt_at(core, position, per_share), ratio)


@rule
def is_liquidatable(core: Core, position: Row) -> bool:
    """Tell whether a position owes, and its collateral value / debt is below the liquidation ratio; at the ratio it is safe."""
    return is_liquidatable_at(core, position, vaults.debt_per_share(core, position.pool, position.collateral_type))


@rule
def is_vault_liquidatable(core: Core, p: int, c: int) -> bool:
    """Tell the same of a vault as a whole."""
    ratio = core.collateral_types[c].liquidation_ratio
    return not vaults.meets_ratio(vaults.vault_value(core, p, c), vaults.vault_debt(core, p, c), ratio)


@rule
def liquidate(core: Core, position: Row, liquidator: int, now: float) -> tuple[Status, float, float, float]:
    """Take a position's collateral and debt from it: a fixed reward for the liquidator, all else to the other positions of the vault.

    The other positions receive collateral and debt by their shares. The dUSD that was minted stays with its owner. The reward is added to
    the liquidator's deposits. A position smaller than the reward pays what it has.

    Args:
        core: changed.
        position: row of `core.positions`; changed.
        liquidator: account.
        now: seconds since the start.

    Returns:
        (OK, USD of debt taken over, tokens of collateral taken, tokens of these that are the reward), or (NOT_LIQUIDATABLE,
        MUST_LIQUIDATE_VAULT; 0, 0, 0) with nothing changed. MUST_LIQUIDATE_VAULT when it is the only position, or the vault has no more
        than the reward.

    Source: MECHANICS.md section 3, "Liquidation of a position"; the last sentence above is an assumption.
    """
    c = position.collateral_type
    if not is_liquidatable(core, position):
        return Status.NOT_LIQUIDATABLE, 0.0, 0.0, 0.0
    vault, most = core.vaults[position.pool, c], core.collateral_types[c].liquidation_reward
    others = vault.members - int(position.shares > 0.0)
    if others == 0 or most >= vault.collateral:
        return Status.MUST_LIQUIDATE_VAULT, 0.0, 0.0, 0.0
    seized = vaults.collateral(position, vault)
    reward = min(most, seized)
    vaults.change_collateral(core, position, 0.0, now)
    debt = float(position.debt)
    vaults.share_collateral(vault, seized - reward)
    position.debt = 0.0
    vaults.share_debt(vault, debt)
    core.deposits[liquidator, c] += reward
    vaults.set_weight(core, position.pool, c)
    return Status.OK, debt, seized, reward


@rule
def reset(core: Core, p: int, c: int) -> None:
    """Begin a new epoch of a settled vault: nobody has or owes anything in it."""
    vault = core.vaults[p, c]
    core.pools[p].debt -= vault.debt
    vault.collateral = vault.shares = vault.debt = vault.value_per_share = 0.0
    vault.members = 0
    vault.epoch += 1


@rule
def liquidate_vault(
    core: Core, p: int, c: int, tokens: Table, wallets: Floats, liquidator: int, max_usd: float, now: float
) -> tuple[Status, float, float]:
    """Pay debt of a vault below the liquidation ratio with dUSD, and receive the same fraction of its collateral.

    The vault's ratio stays as it is; paying all debt ends the vault's epoch and takes all collateral. The collateral is added to the
    liquidator's deposits. Debt is paid as in `issuance`: rounded up to a unit of dUSD.

    Args:
        core: changed.
        p: row of `core.pools`.
        c: row of `core.collateral_types`.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        liquidator: account.
        max_usd: USD of debt to pay at most, > 0.
        now: seconds since the start.

    Returns:
        (OK, USD of debt paid, tokens of collateral received), or (BAD_AMOUNT, NOT_LIQUIDATABLE, INSUFFICIENT_BALANCE; 0, 0) with nothing
        changed.

    Source: MECHANICS.md section 3, "Vault liquidation".
    """
    if not 0.0 < max_usd <= LIMIT:
        return Status.BAD_AMOUNT, 0.0, 0.0
    if not is_vault_liquidatable(core, p, c):
        return Status.NOT_LIQUIDATABLE, 0.0, 0.0
    vault, debt = core.vaults[p, c], vaults.vault_debt(core, p, c)
    is_whole, paid, received = max_usd >= debt, min(max_usd, debt), float(vault.collateral)
    if not is_whole:
        received = max(min(floor_amount(received * (paid / debt)), received - UNIT), 0.0)
    status = ledger.burn(wallets, tokens, core.system[0].usd_token, liquidator, ceil_amount(paid))
    if status != Status.OK:
        return status, 0.0, 0.0
    vaults.settle_vault(core, p, c)
    rewards.accrue_vault(core, p, c, now)
    if is_whole:
        reset(core, p, c)
    else:
        vaults.share_collateral(vault, -received)
        vaults.share_debt(vault, -paid)
        vault.debt -= paid
        core.pools[p].debt -= paid
    core.deposits[liquidator, c] += received
    vaults.set_weight(core, p, c)
    return Status.OK, paid, received
