"""Pools: baskets of vaults that back markets by weight, and pass the markets' debt on to the vaults.

Touching a pool settles each of its markets and takes the pool's part of the debt (`settle`); after a change of its value, its debt or its
weights the pool's shares of the markets, and the limits up to which it takes part, are set anew (`rebalance`). Both loop over markets and
pools, never over LPs.

Source: MECHANICS.md section 3, "Pool"; 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?" (owners decide how liquidity is allocated).
"""

from __future__ import annotations

from seawall.protocols import markets
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import Core
from seawall.protocols.shares import accrued_up_to
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats

INFINITE = float("inf")
HEAVIEST = 2.0**128  # so that products of two weights can be compared (assumption; integers of 128 bits in contracts)


@rule
def max_value_per_share(min_liquidity_ratio: float, debt_per_share: float, value_per_share: float) -> float:
    """Value per share of a market up to which the minimum liquidity ratio lets a pool take its debt.

    Args:
        min_liquidity_ratio: fraction; 0 counts as 1.
        debt_per_share: USD of debt that the pool has already, per USD of its value.
        value_per_share: of the market, at present.
    """
    room = 1.0 / min_liquidity_ratio if min_liquidity_ratio > 0.0 else 1.0
    return value_per_share + room - debt_per_share


@rule
def shares_and_limit(
    core: Core, m: int, weight: float, total_weight: float, max_debt_per_share: float, value: float, debt: float
) -> tuple[float, float]:
    """Shares of a market, and the limit, that a pool of this value and debt has by its terms; the market's debt counts as settled."""
    if not (weight > 0.0 and value > 0.0):
        return 0.0, 0.0
    market = core.markets[m]
    at, _ = markets.settled(market, core.backings, m)
    ratio = market.min_liquidity_ratio if market.min_liquidity_ratio > 0.0 else core.system[0].min_liquidity_ratio
    return value * weight / total_weight, min(max_debt_per_share, max_value_per_share(ratio, debt / value, at))


@rule
def incoming_debt(core: Core, p: int) -> float:
    """USD of its markets' debt that a pool has not taken yet; nothing is changed."""
    total = 0.0
    for m in range(len(core.markets)):
        backing = core.backings[p, m]
        if backing.shares > 0.0:
            at, _ = markets.settled(core.markets[m], core.backings, m)
            total += accrued_up_to(backing.limit, backing.shares, at, backing.last_value)
    return total


@rule
def value_per_share(core: Core, p: int) -> float:
    """USD of debt per USD of the pool's value, were it touched now."""
    pool = core.pools[p]
    if not pool.value > 0.0:
        return float(pool.value_per_share)
    return float(pool.value_per_share + incoming_debt(core, p) / pool.value)


@rule
def settle(core: Core, p: int) -> None:
    """Settle the pool's markets and take its part of their debt."""
    change, pool = 0.0, core.pools[p]
    for m in range(len(core.markets)):
        backing = core.backings[p, m]
        markets.settle(core.markets[m], core.backings, m)
        if backing.shares > 0.0:
            change += accrued_up_to(backing.limit, backing.shares, core.markets[m].value_per_share, backing.last_value)
        backing.last_value = core.markets[m].value_per_share
    if pool.value > 0.0:
        pool.value_per_share += change / pool.value
        pool.debt += change


@rule
def rebalance(core: Core, p: int) -> None:
    """Set the pool's shares of its markets, and its limits, by its value, debt and weights. The pool must be settled."""
    pool = core.pools[p]
    for m in range(len(core.markets)):
        backing = core.backings[p, m]
        shares, limit = shares_and_limit(core, m, backing.weight, pool.total_weight, backing.max_debt_per_share, pool.value, pool.debt)
        backing.shares = shares
        backing.limit = limit


@rule
def leaves_short(core: Core, p: int, m: int, shares: float, limit: float) -> bool:
    """Tell whether a market would lack locked capacity if this pool had these shares and this limit; its debt counts as settled."""
    market, backing = core.markets[m], core.backings[p, m]
    at, _ = markets.settled(market, core.backings, m)
    of_others = markets.capacity(market, core.backings, m) - backing.shares * max(backing.limit - at, 0.0)
    return markets.falls_short(market, of_others + shares * max(limit - at, 0.0))


@rule
def locks(core: Core, p: int, value: float, debt: float) -> bool:
    """Tell whether a market of the pool would lack locked capacity at this value and debt of the pool."""
    for m in range(len(core.markets)):
        backing = core.backings[p, m]
        if backing.weight > 0.0:
            shares, limit = shares_and_limit(core, m, backing.weight, core.pools[p].total_weight, backing.max_debt_per_share, value, debt)
            if leaves_short(core, p, m, shares, limit):
                return True
    return False


@rule
def min_delegation_seconds(core: Core, p: int) -> float:
    """Seconds for which collateral stays in a pool at least: the longest of its markets."""
    longest = 0.0
    for m in range(len(core.markets)):
        if core.backings[p, m].weight > 0.0:
            longest = max(longest, core.markets[m].min_delegation_seconds)
    return longest


@rule
def is_reduced(core: Core, p: int, m: int, weight: float, total_weight: float, max_debt_per_share: float) -> bool:
    """Tell whether new terms give a market less than it has: a smaller part of the pool, or a lower maximum."""
    pool, backing = core.pools[p], core.backings[p, m]
    if not backing.weight > 0.0:
        return False
    return bool(weight * pool.total_weight < backing.weight * total_weight or max_debt_per_share < backing.max_debt_per_share)


@rule
def configure(core: Core, p: int, caller: int, weights: Floats, max_debts_per_share: Floats) -> Status:
    """Choose the markets that a pool backs. A market that leaves hands its debt so far to the pool.

    Args:
        core: pools, markets and backings changed.
        p: row of `core.pools`.
        caller: account.
        weights: [markets] parts of the pool's value, 0 to `HEAVIEST`; all 0 to back none.
        max_debts_per_share: [markets] USD per share beyond which the pool takes no debt; read where the weight is above 0.

    Returns:
        OK, or UNAUTHORIZED, BAD_TERMS, CAPACITY_LOCKED (a market would have less than it has locked, and gets less than before) with
        nothing changed.

    Source: MECHANICS.md section 3, "Pool".
    """
    if caller != core.pools[p].owner:
        return Status.UNAUTHORIZED
    total_weight = 0.0
    for m in range(len(core.markets)):
        if not (0.0 <= weights[m] <= HEAVIEST and -INFINITE < max_debts_per_share[m] <= INFINITE):
            return Status.BAD_TERMS
        total_weight += weights[m]
    value, debt = core.pools[p].value, core.pools[p].debt + incoming_debt(core, p)
    for m in range(len(core.markets)):
        if is_reduced(core, p, m, weights[m], total_weight, max_debts_per_share[m]):
            shares, limit = shares_and_limit(core, m, weights[m], total_weight, max_debts_per_share[m], value, debt)
            if leaves_short(core, p, m, shares, limit):
                return Status.CAPACITY_LOCKED
    settle(core, p)
    for m in range(len(core.markets)):
        core.backings[p, m].weight = weights[m]
        core.backings[p, m].max_debt_per_share = max_debts_per_share[m]
    core.pools[p].total_weight = total_weight
    rebalance(core, p)
    return Status.OK
