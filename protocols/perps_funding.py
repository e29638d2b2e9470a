"""Dynamic funding: the larger side pays the smaller, at a rate that grows for as long as the skew lasts.

Skew sets the velocity of the rate, not the rate itself, so a rate stays where it is when the skew returns to 0. What one side pays beyond
what the other receives is the pool's: skew * change of funding_per_unit.

Source: 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?" (dynamic funding rates); formulas from MECHANICS.md section 4, "Funding"
(SIP-279).
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.tables import Row

SECONDS_PER_DAY = 86400.0


@rule
def funding_velocity(skew: float, skew_scale: float, max_velocity: float) -> float:
    """Change of the funding rate per day, per day: clamp(skew/scale, -1, 1) * max_velocity; 0 without a scale."""
    if skew_scale <= 0.0:
        return 0.0
    return min(max(skew / skew_scale, -1.0), 1.0) * max_velocity


@rule
def funding_after(rate: float, per_unit: float, velocity: float, seconds: float, price: float) -> tuple[float, float]:
    """Funding rate and funding per unit after some time.

    The rate moves in a straight line, so its mean over the time is that of both ends.

    Args:
        rate: fraction per day at the start; longs pay when it is > 0.
        per_unit: USD per unit of base asset at the start.
        velocity: fraction per day, per day.
        seconds: time passed.
        price: index price, USD per unit, at the end.

    Returns:
        (rate, per_unit) at the end.
    """
    days = seconds / SECONDS_PER_DAY
    after = rate + velocity * days
    return after, per_unit - 0.5 * (rate + after) * days * price


@rule
def funding_now(market: Row, price: float, now: float) -> tuple[float, float]:
    """Funding rate and funding per unit of a market at this moment; nothing changes.

    Args:
        market: row of `Perps.markets`.
        price: index price, USD per unit.
        now: seconds since the start.
    """
    velocity = funding_velocity(market.skew, market.skew_scale, market.max_funding_velocity)
    return funding_after(market.funding_rate, market.funding_per_unit, velocity, now - market.funding_updated_at, price)


@rule
def recompute_funding(market: Row, price: float, now: float) -> None:
    """Book funding up to now; done before the skew changes, at the index or order price, never at a fill price."""
    rate, per_unit = funding_now(market, price, now)
    market.funding_rate = rate
    market.funding_per_unit = per_unit
    market.funding_updated_at = now
