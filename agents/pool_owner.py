"""Pool owners: set the weights of the markets that their pool backs, and with them who earns and who bears what.

FIXED leaves them; EQUAL spreads evenly over the markets it backs; YIELD gives each market its part of the recent yields; RISK_PARITY
weighs by the inverse of their recent volatility. Policies and trust are assumptions; that owners decide: 000_f10a0af1cff63fc7.txt, "What
is DexToro Liquidity?".
"""

from __future__ import annotations

import math
from enum import IntEnum

from seawall.agents.base import ExchangeAgent, tally
from seawall.agents.exchange import Exchange, core_of
from seawall.protocols import liquidity_pools
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action

LEAST_YIELD = 1e-3  # per year: what a market without gains counts for, so that it is not left altogether
LEAST_RISK = 1e-3  # per square root of a year


class Policy(IntEnum):
    """How an owner sets the weights."""

    FIXED = 0
    EQUAL = 1
    YIELD = 2
    RISK_PARITY = 3


@rule
def weight_of(x: Exchange, policy: int, m: int) -> float:
    """Weight of a market that the pool backs, before they are compared."""
    memory = x.market_memory[m]
    if policy == Policy.YIELD.value:
        return max(memory.yield_mean, LEAST_YIELD)
    if policy == Policy.RISK_PARITY.value:
        return 1.0 / max(math.sqrt(memory.yield_square), LEAST_RISK)
    return 1.0


@rule
def act(x: Exchange, index: int) -> None:
    """Set the weights when it is time; a refusal (a market would be short of credit) leaves them as they are until the next time."""
    owner, now = x.pool_owners[index], x.clock[0].now
    if now < owner.rebalance_at:
        return
    owner.rebalance_at = now + owner.rebalance_every
    if owner.policy == Policy.FIXED.value:
        return
    for m in range(len(x.markets)):
        backing = x.backings[owner.pool, m]
        x.new_weights[m] = weight_of(x, owner.policy, m) if backing.weight > 0.0 else 0.0
        x.new_limits[m] = backing.max_debt_per_share
    status = liquidity_pools.configure(core_of(x), owner.pool, owner.account, x.new_weights, x.new_limits)
    tally(x.tallies, Action.CONFIGURE, status)


class PoolOwner(ExchangeAgent):
    """Owns one liquidity pool."""

    kind = "pool_owners"
    act = staticmethod(act)
