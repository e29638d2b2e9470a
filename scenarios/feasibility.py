"""What a minimum collateral ratio and an auction discount can do at all, whatever prices do: lines between the two, without simulation.

All gaps are fractions: a gap of 0.1 is a tASSET whose price is a tenth higher than the auction believes, or than it was at the last chance.
"""

from __future__ import annotations

import math

from seawall.scenarios.schema import Scenario, Tasset
from seawall.scenarios.simulated_schema import SimulatedPrices

SECONDS_PER_YEAR = 365.0 * 86_400.0
SURE = 2.326347874040841
"""Standard normal quantile at 99 %."""


def restoring_line(min_collateral_ratio: float) -> float:
    """Largest discount at which a purchase from a CDP at the minimum does not lower its ratio: 1 - 1/minimum.

    Source: shared mechanics of auctions, the amount that restores the ratio exists only for minimum > 1/(1 - discount).
    """
    return 1.0 - 1.0 / min_collateral_ratio


def toxic_line(min_collateral_ratio: float, gap: float) -> float:
    """The same for a CDP that was at the minimum before its debt rose by `gap`: beyond it every purchase leaves it worse off.

    Source: Warmuz, Chaudhary and Pinna (2022), Toxic liquidation spirals, arXiv:2212.07306: ratio below 1/(1 - discount).
    """
    return 1.0 - (1.0 + gap) / min_collateral_ratio


def least_discount(terms: Tasset, scenario: Scenario, usd: float, gap: float = 0.0) -> float:
    """Smallest discount at which buying `usd` of a CDP's debt pays a liquidator who finds the tokens on the tASSET's pool, at par.

    It covers the pool's commission and slippage (constant product, half of `liquidity_usd` on either side), a market price `gap` above the
    oracle's, the auction fee, the cost of a purchase and the least profit. 1 where the pool does not hold so much.

    Args:
        terms: of the tASSET.
        scenario: whose liquidators they are.
        usd: debt bought, at the oracle's price; > 0.
        gap: market price over oracle price, less 1.
    """
    side, liquidators = terms.pool.liquidity_usd / 2.0, scenario.liquidators
    gross = usd * (1.0 + gap) / (1.0 - terms.pool.commission)
    if gross >= side:
        return 1.0
    cost = side * gross / (side - gross)
    needed = cost * (1.0 + liquidators.min_profit) + liquidators.cost_usd
    return max(1.0 - usd * (1.0 - terms.auction_fee) / needed, 0.0)


def floor_discount(terms: Tasset, scenario: Scenario) -> float:
    """Discount below which no purchase pays, however small its slippage and cost: commission, auction fee and least profit alone."""
    kept = (1.0 - terms.auction_fee) * (1.0 - terms.pool.commission) / (1.0 + scenario.liquidators.min_profit)
    return max(1.0 - kept, 0.0)


def buys_on_pool(scenario: Scenario) -> bool:
    """Whether the pool is the only place where liquidators find tokens."""
    return scenario.liquidators.venue == "pool" and scenario.liquidators.tokens_usd == 0.0 and scenario.avmm is None


def stale_gap(terms: Tasset, scenario: Scenario) -> float | None:
    """By how much the price rises, in one case of a hundred, while the oracle's stays as it is: over a price's validity, without drift.

    The deviation at which feeders publish bounds it where that is less. None where no process with a volatility makes the prices.
    """
    volatility = _volatility(terms, scenario)
    if volatility is None:
        return None
    rise = math.expm1(SURE * volatility * math.sqrt(terms.price_valid_seconds / SECONDS_PER_YEAR))
    return min(rise, scenario.oracle_feeders.deviation)


def _volatility(terms: Tasset, scenario: Scenario) -> float | None:
    if not isinstance(scenario.prices, SimulatedPrices):
        return None
    return getattr(scenario.prices.assets[terms.tracks], "volatility_per_year", None)
