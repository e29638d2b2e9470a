"""Distribution by shares: a value is spread over any number of holders by one addition.

Whoever holds shares is due shares * (value per share now - value per share when last settled), so nobody owes for the time before, and the
cost does not grow with the number of holders. A market hands debt to pools this way, a pool to vaults, a vault to positions. Values and
shares are float64 accounting, no tokens: what the parts of the holders miss of the value is rounding, at most a few units in the last
place of the sums involved.

Collateral is spread by shares, too, but a vault keeps its exact amount: a holder has the part of it that its shares are of all shares,
floored to a unit, and the last holder has all that is left.

Source: MECHANICS.md section 3, "Shares"; 000_f10a0af1cff63fc7.txt, "LP's, Pools, Markets & Traders" (pro rata).
"""

from __future__ import annotations

from seawall.protocols.amounts import floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status


@rule
def distribute(value_per_share: float, shares: float, value: float) -> tuple[Status, float]:
    """Spread a value, of either sign.

    Args:
        value_per_share: before.
        shares: of all holders.
        value: USD.

    Returns:
        (OK, value per share after), or (EMPTY_DISTRIBUTION, value per share as it was) when nobody holds shares.
    """
    if not shares > 0.0:
        return Status.EMPTY_DISTRIBUTION, value_per_share
    return Status.OK, value_per_share + value / shares


@rule
def accrued(shares: float, value_per_share: float, last_value: float) -> float:
    """What a holder is due since it was last settled."""
    return shares * (value_per_share - last_value)


@rule
def accrued_up_to(limit: float, shares: float, value_per_share: float, last_value: float) -> float:
    """The same for a holder that takes part only while the value per share is below its limit."""
    return shares * (min(value_per_share, limit) - min(last_value, limit))


@rule
def amount_of(shares: float, total_shares: float, total: float, members: int) -> float:
    """Tokens that belong to a holder, in whole units.

    Args:
        shares: of the holder.
        total_shares: of all holders.
        total: tokens of all holders.
        members: holders; the only one has everything.
    """
    if not shares > 0.0:
        return 0.0
    if members == 1:
        return total
    return min(floor_amount(shares * (total / total_shares)), total)


@rule
def shares_of(amount: float, total_shares: float, total: float) -> float:
    """Shares that an amount of tokens is worth; one a token where nobody holds any."""
    if total_shares > 0.0 and total > 0.0:
        return amount / (total / total_shares)
    return amount
