"""How prices were made, in sentences for the manifest, and events of a path as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from seawall.prices.events import Change, Depeg, Drift, Gap, PriceEvent, VolatilityBurst
from seawall.scenarios.price_schema import Prices
from seawall.scenarios.simulated_schema import SimulatedPrices

METHODS = {
    "constant": "Prices stand still.",
    "simulated": "Prices are simulated; docs/prices.md has each process with its formula, source and limits.",
    "replay": "Prices are recorded closes, each known when its bar ends and held until the next; the market is open in the sessions named.",
    "bootstrap": "Prices are blocks of recorded log returns, drawn at random and put end to end, all assets together; the market never "
    "closes, and what moved over nights and gaps of the history is left out. Within a bar prices move by a bridge (assumption).",
    "daily_bars": "Inside market hours prices are a Brownian bridge of the log price through each day's open, high, low and close, with "
    "the volatility that the day's range implies (Parkinson 1980), reflected at high and low; when in the day these two fall is drawn "
    "(assumption). Nights, weekends and holidays rest at the last close.",
}
"""How prices were made, by model."""

PROCESSES = {
    "gbm": "geometric Brownian motion",
    "merton": "a jump diffusion with normal log jumps (Merton 1976)",
    "kou": "a jump diffusion with double exponential log jumps (Kou 2002)",
    "heston": "stochastic volatility (Heston 1993)",
    "regimes": "geometric Brownian motion whose drift and volatility switch between regimes (Hamilton 1989)",
    "garch": "GARCH(1,1) (Bollerslev 1986)",
    "gjr": "asymmetric GARCH (Glosten, Jagannathan and Runkle 1993)",
    "egarch": "exponential GARCH (Nelson 1991)",
    "ou": "an Ornstein-Uhlenbeck process around a level, with depegs that fade",
}
"""What a process is called."""

_DRAWN = {
    "antithetic": "Paths come in pairs whose normals mirror each other; the two of a pair are not independent.",
    "sobol": "Paths pass through points of a scrambled Sobol sequence; those of one seed are not independent.",
    "importance": "Paths are pushed towards a crash; each carries a log weight, which statistics over paths must take.",
}
_KINDS: dict[type, str] = {Change: "change", Gap: "gap", Drift: "drift", VolatilityBurst: "volatility_burst", Depeg: "depeg"}


def methods(prices: Prices) -> list[str]:
    """How prices were made, a sentence or two for each choice that the scenario makes."""
    said = [METHODS[prices.model]]
    if not isinstance(prices, SimulatedPrices):
        return said
    by_process: dict[str, list[str]] = {}
    for name, spec in prices.assets.items():
        by_process.setdefault(PROCESSES[spec.process], []).append(name)
    said += [f"{', '.join(names)}: {process}." for process, names in by_process.items()]
    if prices.copula == "t":
        said.append(f"Large moves coincide: a t copula with {prices.copula_degrees:g} degrees of freedom.")
    if prices.common_jumps is not None:
        said.append("Some jumps strike several assets at once, each to its share (assumption).")
    if prices.calendar is not None:
        said.append(
            "Prices rest while the exchange is closed and open with a gap; closed hours move by closed_volatility times what open ones do "
            "(assumption); the volatility given is that of the whole calendar."
        )
    return [*said, _DRAWN[prices.sampling]] if prices.sampling in _DRAWN else said


def described(event: PriceEvent) -> dict[str, Any]:
    """An event as plain data: its kind and what it does, without whom and when."""
    return {"kind": _KINDS[type(event)]} | {name: value for name, value in asdict(event).items() if name not in ("asset", "at_s")}
