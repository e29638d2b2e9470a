"""Swaps on the pools of the NumPy peers."""

from __future__ import annotations

from peers.tables import Market


def buy(m: Market, k: int, offered: float) -> float:
    """Tokens paid out for tDOLLAR; the commission stays in the pool."""
    pools = m.pools
    gross = pools.asset[k] * offered / (pools.base[k] + offered)
    kept = gross * m.commission[k]
    pools.base[k] += offered
    pools.asset[k] -= gross - kept
    pools.fees_asset[k] += kept
    pools.volume += offered
    return gross - kept


def sell(m: Market, k: int, offered: float) -> float:
    """TDOLLAR paid out for tokens; the commission stays in the pool."""
    pools = m.pools
    gross = pools.base[k] * offered / (pools.asset[k] + offered)
    kept = gross * m.commission[k]
    pools.asset[k] += offered
    pools.base[k] -= gross - kept
    pools.fees_base += kept
    pools.volume += gross - kept
    return gross - kept
