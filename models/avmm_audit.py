"""Do the books of the RFQ market balance? What positions hold and what the contract holds, exactly."""

from __future__ import annotations

import numpy as np

from seawall.agents.avmm import Avmm
from seawall.protocols.errors import ConservationError


def faults(v: Avmm) -> list[str]:
    """Everything that does not add up, in words; empty when the books balance."""
    balances = v.book.holdings["balance"]
    found = [
        _unequal("balances of positions and what the contract holds", _owed(v), v.wallets[int(v.book.terms[0].account)]),
        _unequal("positions of LPs and their owners", v.book.lps["owner"][v.avmm_lps["position"]], v.avmm_lps["account"]),
        "closed positions still hold tokens" if balances[~v.book.lps["is_open"]].any() else "",
        _negative("balances of positions", balances),
        _negative("fees of positions", v.book.holdings["fees"]),
        _negative("REP", v.book.lps["rep"]),
        _negative("fees of LPs", v.avmm_lps["fees_usd"]),
    ]
    return [fault for fault in found if fault]


def check(v: Avmm) -> None:
    """Raise `ConservationError` unless the books balance."""
    found = faults(v)
    if found:
        raise ConservationError(f"at step {v.clock[0].step}: " + "; ".join(found))


def _owed(v: Avmm) -> np.ndarray:
    """Tokens of all positions together, [tokens]."""
    owed: np.ndarray = np.bincount(v.book.assets["token"], weights=v.book.holdings["balance"].sum(axis=0), minlength=len(v.tokens))
    return owed


def _unequal(what: str, left: np.ndarray, right: np.ndarray) -> str:
    return "" if np.array_equal(left, right) else f"{what} differ: {left} and {right}"


def _negative(what: str, values: np.ndarray) -> str:
    return "" if bool((values >= 0.0).all()) else f"{what}: {int((~(values >= 0.0)).sum())} negative or not a number"
