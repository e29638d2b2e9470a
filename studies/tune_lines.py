"""Lines that divide a map of minimum ratio and discount before anything is simulated, for the report of a study."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from seawall.protocols.errors import SeawallError
from seawall.scenarios import feasibility
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import Loaded
from seawall.scenarios.schema import Scenario
from seawall.studies.proposals import Base
from seawall.studies.tune_schema import Parameter, TuneSpec

RATIO, DISCOUNT = "min_collateral_ratio", "auction_discount"
_PRICE_PATHS = 20
_POINTS = 61
_SURE = 0.99


def lines_of(spec: TuneSpec, bases: Sequence[Base]) -> dict[str, Any] | None:
    """Lines over the range of the minimum ratio; None for a study that does not tune ratio and discount of tASSETs.

    `restoring` and `toxic` are upper bounds of the discount, `least` and `floor` lower ones; each a list of discounts at `ratios`. `gap` is
    the rise that one CDP in a hundred suffers while a feed is silent as long as the longest outage, over all tASSETs, measured on the first
    paths; `purchase_usd` the debt of the median CDP.
    """
    ratio, discount = (next((one for one in spec.parameters if _tunes(one, key)), None) for key in (RATIO, DISCOUNT))
    if ratio is None or discount is None or not ratio.is_range or not bases[0].loaded.scenario.tassets:
        return None
    levels = [float(level) for level in ratio.levels()]
    ratios = np.linspace(min(levels), max(levels), _POINTS)
    scenario, gap = bases[0].loaded.scenario, silent_gap(bases[0].loaded)
    floor = partial(feasibility.floor_discount, scenario=scenario)
    least = [[_least(scenario, name, float(level)) for name in scenario.tassets] for level in ratios]
    return {
        "x": ratio.name,
        "y": discount.name,
        "ratios": [float(level) for level in ratios],
        "restoring": [feasibility.restoring_line(float(level)) for level in ratios],
        "toxic": None if gap is None else [feasibility.toxic_line(float(level), gap) for level in ratios],
        "gap": gap,
        "least": [max(row) for row in least] if feasibility.buys_on_pool(scenario) else None,
        "floor": max(map(floor, scenario.tassets.values())) if feasibility.buys_on_pool(scenario) else None,
        "purchase_usd": {"lowest_ratio": _debt(scenario, min(levels)), "highest_ratio": _debt(scenario, max(levels))},
    }


def _tunes(one: Parameter, key: str) -> bool:
    return one.key.startswith("tassets.") and one.key.endswith(f".{key}") and not one.scales


def _debt(scenario: Scenario, ratio: float) -> float:
    """Debt of the median CDP when it is at the minimum, USD."""
    minters = scenario.minters
    collateral = minters.collateral_usd.median * (ratio / minters.reference_ratio) ** (1.0 - minters.debt_elasticity)
    return collateral / ratio


def _least(scenario: Scenario, name: str, ratio: float) -> float:
    terms = scenario.tassets[name]
    gap = feasibility.stale_gap(terms, scenario) or 0.0
    return feasibility.least_discount(terms, scenario, _debt(scenario, ratio), gap)


def silent_gap(loaded: Loaded) -> float | None:
    """99 % quantile of the rise of a tASSET's price over the longest outage, or over its price's validity where there is none.

    Over all tASSETs and times of the first paths, shocks included. None where prices cannot be drawn.
    """
    scenario = loaded.scenario
    hours = max((outage.hours for outage in scenario.outages), default=0.0)
    valid = max(terms.price_valid_seconds for terms in scenario.tassets.values())
    rounds = max(round(max(hours * 3_600.0, valid) / scenario.step_seconds), 1)
    try:
        paths = [price_paths(loaded, scenario.seed, path) for path in range(_PRICE_PATHS)]
    except SeawallError:
        return None
    tracked = [paths[0].assets.index(terms.tracks) for terms in scenario.tassets.values()]
    rises = [one.market_price[rounds:, tracked] / one.market_price[:-rounds, tracked] - 1.0 for one in paths if one.steps > rounds]
    return float(np.quantile(np.concatenate(rises), _SURE)) if rises else None
