"""Do the books of the exchange balance? Token balances exactly, accounting in float64 within a stated bound."""

from __future__ import annotations

import numpy as np

from seawall.agents.exchange import Exchange
from seawall.protocols.errors import ConservationError

RELATIVE = 2.0**-36  # of the largest figure summed: float64 sums of up to some thousand parts, touched some thousand times


def faults(x: Exchange) -> list[str]:
    """Everything that does not add up, in words; empty when the books balance."""
    quantities = x.perps_positions["quantity"]
    accounts = x.perps_accounts
    found = [
        _unequal("collateral of LPs and what the core holds", _collateral(x), _held(x)),
        _unequal("skew and sum of positions", quantities.sum(axis=1), x.perps_markets["skew"][:, 0]),
        _unequal("open interest and sum of positions", np.abs(quantities).sum(axis=1), x.perps_markets["open_interest"][:, 0]),
        _unequal("LPs in vaults and their running count", _members(x), x.vaults["members"]),
        _unequal("open positions and their running count", (quantities != 0.0).sum(axis=1), x.perps_markets["open_positions"][:, 0]),
        _far("margin of traders and its running sum", accounts["margin"].sum(axis=1), x.groups["margin"]),
        _far("debt of traders and its running sum", accounts["debt"].sum(axis=1), x.groups["account_debt"]),
        _negative("margin of traders", accounts["margin"]),
        _negative("collateral of vaults", x.vaults["collateral"]),
        _negative("shares of LPs", x.positions["shares"]),
    ]
    return [fault for fault in found if fault]


def check(x: Exchange) -> None:
    """Raise `ConservationError` unless the books balance."""
    found = faults(x)
    if found:
        raise ConservationError(f"at step {x.clock[0].step}: " + "; ".join(found))


def _collateral(x: Exchange) -> np.ndarray:
    """Tokens of each collateral type, free and delegated."""
    total: np.ndarray = x.deposits.sum(axis=0) + x.vaults["collateral"].sum(axis=0)
    return total


def _members(x: Exchange) -> np.ndarray:
    """Positions with shares in each vault's epoch, [pools, collateral types]."""
    where = x.positions["pool"], x.positions["collateral_type"]
    counts = np.zeros(x.vaults.shape, np.int64)
    np.add.at(counts, where, (x.positions["shares"] > 0.0) & (x.positions["epoch"] == x.vaults["epoch"][where]))
    return counts


def _held(x: Exchange) -> np.ndarray:
    held: np.ndarray = x.wallets[x.system[0].account, x.collateral_types["token"]]
    return held


def _unequal(what: str, left: np.ndarray, right: np.ndarray) -> str:
    return "" if np.array_equal(left, right) else f"{what} differ: {left} and {right}"


def _far(what: str, left: np.ndarray, right: np.ndarray) -> str:
    allowed = RELATIVE * (1.0 + np.abs(left).max(initial=0.0) + np.abs(right).max(initial=0.0))
    return "" if bool((np.abs(left - right) <= allowed).all()) else f"{what} differ: {left} and {right}"


def _negative(what: str, values: np.ndarray) -> str:
    return "" if bool((values >= 0.0).all()) else f"{what}: {int((~(values >= 0.0)).sum())} negative or not a number"
