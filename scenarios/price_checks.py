"""What one key of simulated or resampled prices, or of shocks, must say about another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from seawall.scenarios.price_schema import BootstrapPrices, Prices
from seawall.scenarios.process_schema import build_process
from seawall.scenarios.shock_schema import SECONDS_PER_HOUR, ShockPart
from seawall.scenarios.simulated_schema import SimulatedPrices
from seawall.scenarios.yaml_lines import Key

HOURS_PER_DAY, DAYS_PER_YEAR = 24.0, 365.0
Found = list[tuple[Key, str]]
"""Key and message of each fault."""


def price_faults(prices: Prices, shocks: Iterable[ShockPart], step_seconds: int) -> Found:
    """Faults of the prices, each with the key to blame."""
    if isinstance(prices, SimulatedPrices):
        found = [
            *_correlation(prices),
            *_copula(prices),
            *_common_jumps(prices),
            *_importance(prices, step_seconds),
            *_bars(prices, step_seconds),
        ]
        if prices.opening_gap_deviation > 0.0 and prices.calendar is None:
            found.append((("opening_gap_deviation",), "needs a calendar: a market that never closes never opens"))
    elif isinstance(prices, BootstrapPrices):
        found = _bootstrap(prices, step_seconds)
    else:
        found = []
    days = getattr(prices, "days", None)
    return [(("prices", *key), message) for key, message in found] + (_shocks(shocks, days) if days is not None else [])


def _correlation(prices: SimulatedPrices) -> Found:
    return _refused(("correlation",), prices.matrix)


def _copula(prices: SimulatedPrices) -> Found:
    if (prices.copula == "t") == (prices.copula_degrees is not None):
        return []
    if prices.copula == "t":
        return [(("copula",), "copula_degrees is missing: a t copula needs them")]
    return [(("copula_degrees",), "is for copula: t only")]


def _common_jumps(prices: SimulatedPrices) -> Found:
    share = prices.common_jumps.share if prices.common_jumps is not None else {}
    return [(("common_jumps", "share", name), _no_asset(name, prices.assets)) for name in share if name not in prices.assets]


def _importance(prices: SimulatedPrices, step_seconds: int) -> Found:
    terms = prices.importance
    if (prices.sampling == "importance") != (terms is not None):
        if terms is None:
            return [(("sampling",), "importance is missing: its asset, change, at_hours, hours")]
        return [(("importance",), f"is for sampling: importance only, and sampling is {prices.sampling}")]
    if terms is None:
        return []
    if terms.asset not in prices.assets:
        return [(("importance", "asset"), _no_asset(terms.asset, prices.assets))]
    hours = prices.days * HOURS_PER_DAY
    end = terms.at_hours + terms.hours
    if end > hours:
        return [(("importance", "hours"), f"the window ends at {end:g} hours, after the end of the run ({hours:g} hours)")]
    if round(terms.hours * SECONDS_PER_HOUR / step_seconds) < 1:  # a longer one that ends in time keeps a step, however it is rounded
        return [(("importance", "hours"), f"{terms.hours:g} hours round to no step of {step_seconds} s")]
    return []


def _bars(prices: SimulatedPrices, step_seconds: int) -> Found:
    """Bars of the GARCH family that are no whole number of steps."""
    found: Found = []
    for name, spec in prices.assets.items():
        found += _refused(("assets", name), partial(build_process, spec, step_seconds))
    return found


def _bootstrap(prices: BootstrapPrices, step_seconds: int) -> Found:
    from seawall.scenarios.bootstrapped import lengths

    found: Found = [(("start_usd", name), _no_asset(name, prices.assets)) for name in prices.start_usd if name not in prices.assets]
    return found + _refused(("bar_seconds",), lambda: lengths(prices.bar_seconds, step_seconds))


def _shocks(shocks: Iterable[ShockPart], days: float) -> Found:
    from seawall.prices.shocks import MOST_EVENTS

    many = [(i, shock.per_year * days / DAYS_PER_YEAR) for i, shock in enumerate(shocks) if shock.per_year is not None]
    return [(("shocks", i, "per_year"), f"makes about {n:,.0f} shocks, more than {MOST_EVENTS:,}") for i, n in many if n > MOST_EVENTS]


def _no_asset(name: str, assets: Iterable[str]) -> str:
    return f"{name!r} is no asset of prices.assets; known: {', '.join(assets)}"


def _refused(key: Key, make: Callable[[], object]) -> Found:
    """What a maker says against its arguments, if it does."""
    try:
        make()
    except ValueError as error:
        return [(key, str(error))]
    return []
