"""What the markets owe, and the core's credit behind them.

Liquidity providers are the other side of every trader: what traders own of the markets is the liquidity providers' debt. For each market it
follows from running sums, so no position is visited: skew * (price + funding) - correction.

Losses and fees stay in the markets, that is, they lower the debt. It is clamped at 0 for the whole group, so traders who are under water
are netted against others' profits until they are liquidated, and liquidity providers never book a gain beyond what traders deposited.
Running sums are float64: each change of a position leaves an error of at most a few parts in 2**53 of the sums' largest values so far, and
a market without positions starts again from exactly 0.

`credit` is what the core's pools vouch for before any issuance: the USD that the markets may have issued, net of what they burned. When
liquidity providers lose their collateral, it shrinks, and traders can withdraw only what is left, first come, first served
(`withdrawable_usd`).

Source: 000_f10a0af1cff63fc7.txt, "LP's, Pools, Markets & Traders"; formulas from MECHANICS.md section 4, "Market debt", "Order checks".
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.perps_tables import Perps, index_price
from seawall.protocols.tables import Row


@rule
def open_profit(market: Row, price: float, now: float) -> float:
    """USD of profit of all positions of a market with funding, without interest; negative when together they lose."""
    _, per_unit = funding_now(market, price, now)
    return float(market.skew * (price + per_unit) - market.correction)


@rule
def unclamped_debt(perps: Perps, now: float) -> float:
    """USD that traders own of the group: margin + profit of open positions - account debt."""
    group = perps.group[0]
    total = group.margin - group.account_debt
    for m in range(len(perps.markets)):
        total += open_profit(perps.markets[m], index_price(perps, m), now)
    return float(total)


@rule
def reported_debt(perps: Perps, now: float) -> float:
    """USD that the group reports to the core, never negative. The core adds `net_issuance` to it."""
    return max(0.0, unclamped_debt(perps, now))


@rule
def locked_credit(perps: Perps) -> float:
    """USD of credit that open interest needs at index prices."""
    total = 0.0
    for m in range(len(perps.markets)):
        row = perps.markets[m]
        total += row.open_interest * index_price(perps, m) * row.locked_oi_ratio
    return total


@rule
def minimum_credit(perps: Perps) -> float:
    """USD of credit that liquidity providers must leave: what is locked, and all margin."""
    return float(locked_credit(perps) + perps.group[0].margin)


@rule
def withdrawable_usd(group: Row, credit: float) -> float:
    """USD that may be paid out of the markets now; 0 when the group is insolvent."""
    return float(max(0.0, credit - group.net_issuance))


@rule
def is_capacity_locked(perps: Perps, credit: float) -> bool:
    """Tell whether this credit is less than the markets need; liquidity providers may not lower it to that."""
    return withdrawable_usd(perps.group[0], credit) < minimum_credit(perps)


@rule
def delegated_collateral(group: Row, credit: float) -> float:
    """USD of credit beyond what traders have deposited; negative when the group is insolvent."""
    return float(withdrawable_usd(group, credit) - group.margin)


@rule
def utilization(perps: Perps, credit: float) -> float:
    """Locked credit / delegated collateral; 1 when the group is insolvent."""
    delegated = delegated_collateral(perps.group[0], credit)
    return locked_credit(perps) / delegated if delegated > 0.0 else 1.0
