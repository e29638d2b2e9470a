"""Do the books balance? Exact checks of a whole world, after a run or after every step."""

from __future__ import annotations

import numpy as np

from seawall.protocols.errors import ConservationError
from seawall.protocols.tables import MINT_ACCOUNT, TDOLLAR, World


def faults(world: World) -> list[str]:
    """Everything that does not add up, in words; empty when the books balance. All comparisons are exact."""
    found = [
        _unequal("wallets and supply of tokens", world.wallets.sum(axis=0), world.tokens["supply"]),
        _unequal("collateral of CDPs and the contract's tDOLLAR", world.cdps["collateral"].sum(), world.wallets[MINT_ACCOUNT, TDOLLAR]),
        _unequal("running sums of debt", _by_tasset(world, "debt"), world.tassets["debt"]),
        _unequal("running sums of collateral", _by_tasset(world, "collateral"), world.tassets["collateral"]),
        _unequal(
            "debt, bad debt and supply of tASSETs",
            world.tassets["debt"] + world.tassets["bad_debt"],
            world.tokens["supply"][world.tassets["token"]],
        ),
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


def _by_tasset(world: World, column: str) -> np.ndarray:
    return np.bincount(world.cdps["tasset"], weights=world.cdps[column], minlength=len(world.tassets))


def _unequal(what: str, left: np.ndarray | float, right: np.ndarray | float) -> str:
    return "" if np.array_equal(left, right) else f"{what} differ: {np.asarray(left)} and {np.asarray(right)}"


def _negative(what: str, values: np.ndarray) -> str:
    return "" if bool((values >= 0.0).all()) else f"{what}: {int((~(values >= 0.0)).sum())} negative or not a number"
