"""Do the books balance? Exact checks of a whole world, after a run or after every step.

Sums of whole units have no rounding (`amounts`), so they are taken in whatever order is quickest: the check ends every run, and would
cost more than the rounds where there are many CDPs that nothing happens to.
"""

from __future__ import annotations

import numpy as np

from seawall.protocols.errors import ConservationError
from seawall.protocols.tables import GOVERNANCE_ACCOUNT, MINT_ACCOUNT, Floats, World

AT_ONCE = 64  # rows of wallets added up side by side: longer rows are added faster


def faults(world: World) -> list[str]:
    """Everything that does not add up, in words; empty when the books balance. All comparisons are exact."""
    kinds, debt, collateral = world.cdp_kinds, _by_kind(world, "debt"), _by_kind(world, "collateral")
    locked, owed = np.zeros(len(world.tokens)), np.zeros(len(world.tassets))
    np.add.at(locked, kinds["token"], collateral)
    np.add.at(owed, kinds["tasset"], debt)
    found = [
        _strayed(world),
        _unequal("wallets and supply of tokens", _held(world.wallets), world.tokens["supply"]),
        _unequal("collateral of CDPs and what the contract holds", locked, world.wallets[MINT_ACCOUNT]),
        _unequal("running sums of debt by kind", debt, kinds["debt"]),
        _unequal("running sums of collateral", collateral, kinds["collateral"]),
        _unequal("running sums of debt", owed, world.tassets["debt"]),
        _unequal(
            "debt, bad debt and supply of tASSETs",
            world.tassets["debt"] + world.tassets["bad_debt"],
            world.tokens["supply"][world.tassets["token"]],
        ),
        _unequal("deposits of polls and what governance holds", world.polls["deposit"].sum(), world.wallets[GOVERNANCE_ACCOUNT].sum()),
        _unequal("staked tokens and running sums of bonds", _by_stake_pool(world, "bond"), world.stake_pools["total_bond"]),
        _unequal("bonds and rewards and what staking pools hold", _owed_by_stake_pools(world), _held_by_stake_pools(world)),
        _negative("wallets", world.wallets),
        _negative("debt of CDPs", world.cdps["debt"]),
        _negative("collateral of CDPs", world.cdps["collateral"]),
    ]
    return [fault for fault in found if fault]


def check(world: World) -> None:
    """Raise `ConservationError` unless the books balance exactly."""
    found = faults(world)
    if found:
        raise ConservationError(f"at step {world.clock[0].step}: " + "; ".join(found))


def _held(wallets: Floats) -> Floats:
    """Sum of all accounts, [tokens]."""
    blocks = len(wallets) // AT_ONCE
    whole, rest = wallets[: blocks * AT_ONCE], wallets[blocks * AT_ONCE :]
    side_by_side = whole.reshape(blocks, AT_ONCE * wallets.shape[1]).sum(axis=0).reshape(AT_ONCE, wallets.shape[1])
    held: Floats = side_by_side.sum(axis=0) + rest.sum(axis=0)
    return held


def _by_kind(world: World, column: str) -> Floats:
    """Sum of a column of the CDPs of each kind, whose rows stand together."""
    values = world.cdps[column]
    return np.array([values[kind["first"] : kind["end"]].sum() for kind in world.cdp_kinds])


def _strayed(world: World) -> str:
    """What rules read of a CDP's kind, beside the rows that it was given."""
    kinds, cdps = world.cdp_kinds, world.cdps
    expected = np.repeat(np.arange(len(kinds)), kinds["end"] - kinds["first"])
    strayed = int(((cdps["kind"] != expected) | (cdps["tasset"] != kinds["tasset"][expected])).sum())
    return f"CDPs of another kind than their rows are: {strayed}" if strayed else ""


def _by_stake_pool(world: World, column: str) -> np.ndarray:
    return np.bincount(world.stakes["pool"], weights=world.stakes[column], minlength=len(world.stake_pools))


def _owed_by_stake_pools(world: World) -> np.ndarray:
    """[staking pools, tokens]: what is bonded, and rewards that wait, are shared out, or are booked."""
    pools, rows = world.stake_pools, np.arange(len(world.stake_pools))
    owed = np.zeros((len(pools), len(world.tokens)))
    owed[rows, pools["staked_token"]] += pools["total_bond"]
    owed[rows, pools["reward_token"]] += pools["pending_reward"] + pools["unsettled"] + _by_stake_pool(world, "pending")
    return owed


def _held_by_stake_pools(world: World) -> np.ndarray:
    held: np.ndarray = world.wallets[world.stake_pools["account"]]
    return held


def _unequal(what: str, left: np.ndarray | float, right: np.ndarray | float) -> str:
    return "" if np.array_equal(left, right) else f"{what} differ: {np.asarray(left)} and {np.asarray(right)}"


def _negative(what: str, values: np.ndarray) -> str:
    return "" if bool(values.min(initial=0.0) >= 0.0) else f"{what}: {int((~(values >= 0.0)).sum())} negative or not a number"
