"""What keepers earn for liquidations, and the size that they may liquidate per window.

Source: MECHANICS.md section 4, "Keeper reward", "Liquidation", "Parameters". The document does not speak of keepers.
"""

from __future__ import annotations

import math

from seawall.protocols.compiled import rule
from seawall.protocols.tables import Row

UNLIMITED = float("inf")
WINDOW_ERROR = 2.0**-49  # relative; the roundings of a window's five factors are less


@rule
def keeper_reward(group: Row, reward: float, cost: float, margin: float) -> float:
    """USD for a keeper, its cost included.

    At least cost + min_keeper_reward and cost * (1 + min_keeper_profit); at most max_keeper_reward and, where there is a margin,
    max_keeper_share of it. The upper limit wins.

    Args:
        group: row of `Perps.group`: terms.
        reward: USD beyond the cost that its work is worth.
        cost: USD.
        margin: USD of the account's margin; 0 when there is none left.
    """
    least = max(cost + group.min_keeper_reward, cost * (1.0 + group.min_keeper_profit))
    most = group.max_keeper_reward if margin <= 0.0 else min(margin * group.max_keeper_share, group.max_keeper_reward)
    return float(min(max(least, reward + cost), most))


@rule
def max_in_window(market: Row) -> float:
    """Base asset that may be liquidated in one window: (maker + taker) * skew_scale * multiplier * seconds; infinite when that is 0."""
    per_second = (market.maker_fee + market.taker_fee) * market.skew_scale * market.liquidation_multiplier
    most = per_second * market.liquidation_window
    return float(most) if most > 0.0 else UNLIMITED


@rule
def windows_needed(market: Row, quantity: float) -> float:
    """Windows that the liquidation of a position takes; 0 without a limit. What fills windows but for the error of a product fills them."""
    most = max_in_window(market)
    return 0.0 if most == UNLIMITED else float(math.ceil(abs(quantity) / most * (1.0 - WINDOW_ERROR)))


@rule
def possible_reward(group: Row, flag_rewards: float, positions: int, windows: float, margin: float) -> float:
    """USD that liquidating an account may cost: flagging with the first liquidation, and one more liquidation for each further window.

    Args:
        group: row of `Perps.group`: terms.
        flag_rewards: USD: sum of notional * flag_reward_ratio.
        positions: open positions, each of which has a price to be updated.
        windows: of the position that needs most.
        margin: USD of the account's margin.
    """
    reward = max(flag_rewards, margin * group.margin_reward_ratio)
    first = keeper_reward(group, reward, group.flag_cost * positions + group.liquidation_cost, margin)
    further = keeper_reward(group, 0.0, group.liquidation_cost, 0.0) * (windows - 1.0) if windows > 1.0 else 0.0
    return first + further
