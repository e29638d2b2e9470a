"""What is known in closed form of one CDP under geometric Brownian motion: chance of a margin call, and mean shortfall.

The CDP locks dollars and owes a tASSET, so it is short: it is margin called when the price first reaches collateral / (minimum ratio *
debt). Nobody acts on it and nobody liquidates it. `drift_per_year` is that of the price, E[price at t] = price * exp(drift * t), as in a
scenario.

Sources: first passage of Brownian motion with drift, Harrison (1985), Brownian Motion and Stochastic Flow Systems, section 1.8;
Broadie, Glasserman and Kou (1997), A continuity correction for discrete barrier options, Mathematical Finance 7(4), for prices looked at
only now and then; Black and Scholes (1973) for the mean of what a price exceeds a bound by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from seawall.protocols.errors import SeawallError

SHIFT = 0.5825971579390107
"""-zeta(1/2) / sqrt(2 pi): by how many standard deviations of one interval a barrier seems farther away when prices are seen in between
only."""


class ClosedFormError(SeawallError, ValueError):
    """A CDP or a price process for which the formula says nothing; the text names the argument."""


@dataclass(frozen=True, slots=True)
class LoneCdp:
    """A CDP with dollars locked, and the price of what it owes.

    Attributes:
        collateral_usd: dollars locked, > 0.
        debt: tokens owed, > 0.
        min_ratio: minimum collateral ratio, >= 1.
        price: of the token owed now, USD, > 0.
        drift_per_year: of the price.
        volatility_per_year: of the log price, > 0.
    """

    collateral_usd: float
    debt: float
    min_ratio: float
    price: float
    drift_per_year: float
    volatility_per_year: float

    def __post_init__(self) -> None:
        """Refuse what is not positive."""
        for name in ("collateral_usd", "debt", "min_ratio", "price", "volatility_per_year"):
            if not getattr(self, name) > 0.0:
                raise ClosedFormError(f"{name} ({getattr(self, name)!r}): must be > 0")

    @property
    def call_price(self) -> float:
        """Price at which it is margin called, USD."""
        return self.collateral_usd / (self.min_ratio * self.debt)


def call_probability(cdp: LoneCdp, years: float, *, look_years: float = 0.0) -> float:
    """Probability that the price reaches the call price within `years`.

    With m = drift - volatility**2 / 2, s = volatility * sqrt(years) and b = log(call price / price) > 0:
    Phi((m years - b) / s) + exp(2 m b / volatility**2) Phi((-m years - b) / s). If the price is looked at once per `look_years`, the
    barrier moves up by exp(0.5826 * volatility * sqrt(look_years)); the error left is of smaller order than sqrt(look_years).

    Args:
        cdp: not yet margin called.
        years: horizon, > 0.
        look_years: time between two looks; 0 for a price watched all the time.

    Raises:
        ClosedFormError: for a horizon that is not positive or a CDP that is called already.
    """
    if not (years > 0.0 and look_years >= 0.0):
        raise ClosedFormError(f"years ({years!r}) must be > 0 and look_years ({look_years!r}) at least 0")
    volatility = cdp.volatility_per_year
    distance = math.log(cdp.call_price / cdp.price)
    if distance <= 0.0:
        raise ClosedFormError(f"price ({cdp.price!r}): the CDP is margin called already at {cdp.call_price:g}")
    distance += SHIFT * volatility * math.sqrt(look_years)
    speed, spread = cdp.drift_per_year - volatility**2 / 2.0, volatility * math.sqrt(years)
    there = special.ndtr((speed * years - distance) / spread)
    reflected = special.log_ndtr((-speed * years - distance) / spread) + 2.0 * speed * distance / volatility**2
    return float(there + math.exp(reflected))


def mean_shortfall(cdp: LoneCdp, years: float) -> float:
    """Mean of max(debt value - collateral, 0) after `years`, USD, not discounted: Black and Scholes' call on the debt. Positive is a loss.

    Raises:
        ClosedFormError: for a horizon that is not positive.
    """
    if not years > 0.0:
        raise ClosedFormError(f"years ({years!r}): must be > 0")
    spread = cdp.volatility_per_year * math.sqrt(years)
    forward = cdp.debt * cdp.price * math.exp(cdp.drift_per_year * years)
    upper = math.log(forward / cdp.collateral_usd) / spread + spread / 2.0
    return float(forward * special.ndtr(upper) - cdp.collateral_usd * special.ndtr(upper - spread))
