"""Simulated prices: from what a scenario says of processes and their dependence to one path, with all that it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from seawall.prices.dependence import CommonJumps, gaussian_copula, t_copula
from seawall.prices.noise import Antithetic, Draw, Importance, Plain, Sampling, Sobol, crash, draw
from seawall.prices.process import YEAR_SECONDS, Process
from seawall.prices.seasonality import combine, opening_gaps
from seawall.prices.seasonality import variance_weights as clock_weights
from seawall.protocols.tables import Bools, Floats
from seawall.scenarios.market_hours import open_rounds, rest_while_closed, variance_weights
from seawall.scenarios.paths import Paths
from seawall.scenarios.process_schema import build_process
from seawall.scenarios.simulated_schema import Seasonality, SimulatedPrices
from seawall.scenarios.streams import Purpose, number_of, stream

SECONDS_PER_HOUR = 3_600.0


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """One path and what it was made of.

    Attributes:
        paths: prices before shocks.
        processes: by asset.
        correlation: `[assets, assets]` of the normals.
        years: `[steps]` length of each step in years, stretched by sessions and seasonality.
        normals: `[steps, assets]` that drove the diffusions.
        own_returns: `[steps, assets]` log returns of the processes alone, before common jumps, gaps and rest.
    """

    paths: Paths
    processes: dict[str, Process]
    correlation: Floats
    years: Floats
    normals: Floats
    own_returns: Floats


def simulate(prices: SimulatedPrices, *, steps: int, step_seconds: int, seed: int, path: int) -> Simulated:
    """Draw one path.

    Args:
        prices: what the scenario says.
        steps: number of steps, >= 1.
        step_seconds: seconds per step, > 0.
        seed: of the run, >= 0.
        path: number of the path, >= 0; the same numbers give the same bytes.

    Raises:
        ValueError: prices cannot be made like that: an unknown calendar, an impossible correlation, bars that are no whole number of steps.
    """
    is_open, years = _clock(prices, steps, step_seconds)
    correlation = prices.matrix()
    processes = {name: build_process(spec, step_seconds) for name, spec in prices.assets.items()}
    normals = _normals(prices, processes, correlation, years, step_seconds=step_seconds, seed=seed, path=path)
    own = np.column_stack(
        [
            process.log_returns(years, np.ascontiguousarray(normals.z[:, k]), stream(seed, path, Purpose.PROCESSES, number_of(name)))
            for k, (name, process) in enumerate(processes.items())
        ]
    )
    log_steps = own + _together(prices, is_open, correlation, years, seed=seed, path=path)
    start_usd = np.array([process.start_usd for process in processes.values()])
    with np.errstate(over="ignore"):  # Paths refuses what is infinite, naming asset and step
        market_price = start_usd * np.exp(np.vstack([np.zeros(len(processes)), np.cumsum(log_steps, axis=0)]))
    always = np.ones(market_price.shape, dtype=np.bool_)
    paths = Paths(prices.start.astimezone(UTC), step_seconds, tuple(processes), market_price, always, normals.log_weight)
    rested = paths if is_open is None else rest_while_closed(paths, is_open)
    return Simulated(rested, processes, correlation, years, normals.z, own)


def _clock(prices: SimulatedPrices, steps: int, step_seconds: int) -> tuple[Bools | None, Floats]:
    """When the market is open (None: always), and the length of each step in years."""
    profile = prices.seasonality
    key = None if profile is None else profile.model_dump_json()
    start = prices.start.astimezone(UTC)
    return _cached_clock(prices.calendar, prices.closed_volatility, key, start=start, steps=steps, step_seconds=step_seconds)


@lru_cache(maxsize=8)  # the same for all paths of a scenario, and calendars are slow
def _cached_clock(
    calendar: str | None, closed_volatility: float, seasonality: str | None, *, start: datetime, steps: int, step_seconds: int
) -> tuple[Bools | None, Floats]:
    even = step_seconds / YEAR_SECONDS
    is_open, weights = None, []
    if calendar is not None:
        is_open = open_rounds(calendar, start=start, steps=steps, step_seconds=step_seconds)
        is_open.setflags(write=False)
        weights.append(variance_weights(is_open, closed_volatility))
    if seasonality is not None:
        profile = Seasonality.model_validate_json(seasonality)
        by_clock = clock_weights(
            profile.by_hour, profile.by_weekday, start=start, steps=steps, step_seconds=step_seconds, time_zone=profile.time_zone
        )
        weights.append(by_clock)
    years = np.full(steps, even) if not weights else even * (weights[0] if len(weights) == 1 else combine(*weights))
    years.setflags(write=False)
    return is_open, years


def _normals(
    prices: SimulatedPrices, processes: dict[str, Process], correlation: Floats, years: Floats, *, step_seconds: int, seed: int, path: int
) -> Draw:
    """Dependent standard normals `[steps, assets]`, and the log weight of the path."""
    # A mirrored pair shares what both are made of, the chi-squares of the copula, too.
    first = path - path % 2 if prices.sampling == "antithetic" else path
    sampling = _sampling(prices, processes, correlation, years, step_seconds=step_seconds, seed=seed)
    drawn = draw(stream(seed, first, Purpose.PRICES), len(years), len(processes), sampling, path)
    if prices.copula == "gaussian" or prices.copula_degrees is None:
        return Draw(gaussian_copula(drawn.z, correlation), drawn.log_weight)
    chi_squares = stream(seed, first, Purpose.COPULA)
    return Draw(t_copula(drawn.z, correlation, prices.copula_degrees, chi_squares), drawn.log_weight)


def _sampling(
    prices: SimulatedPrices, processes: dict[str, Process], correlation: Floats, years: Floats, *, step_seconds: int, seed: int
) -> Sampling:
    if prices.sampling == "importance":
        return _push(prices, processes, correlation, years, step_seconds=step_seconds)
    if prices.sampling == "sobol":
        return Sobol(seed)
    return Antithetic() if prices.sampling == "antithetic" else Plain()


def _push(prices: SimulatedPrices, processes: dict[str, Process], correlation: Floats, years: Floats, *, step_seconds: int) -> Importance:
    """The push towards the crash, sized as if the asset were a geometric Brownian motion of the same mean and volatility."""
    terms = prices.importance
    if terms is None:
        raise ValueError("importance is missing: sampling: importance needs its terms")
    first = round(terms.at_hours * SECONDS_PER_HOUR / step_seconds)
    window = years[first : first + round(terms.hours * SECONDS_PER_HOUR / step_seconds)]
    expected = processes[terms.asset].expected(float(years.mean()))
    mean, volatility = expected.mean_per_year, expected.volatility_per_year
    if mean is None or not volatility:
        raise ValueError(f"importance.asset {terms.asset} has no volatility in closed form, so nothing says how far to push it")
    loadings = np.linalg.cholesky(correlation)[list(processes).index(terms.asset)]
    return crash(
        terms.change,
        window,
        loadings,
        drift_per_year=mean + volatility**2 / 2,
        volatility_per_year=volatility,
        first_step=first,
        plain_share=terms.plain_share,
    )


def _together(prices: SimulatedPrices, is_open: Bools | None, correlation: Floats, years: Floats, *, seed: int, path: int) -> Floats:
    """Log returns that strike assets together, `[steps, assets]`: common jumps, and gaps at the open."""
    added = np.zeros((len(years), len(prices.assets)))
    spec = prices.common_jumps
    if spec is not None:
        jumps = CommonJumps(spec.jumps_per_year, spec.mean, spec.deviation, spec.shares(tuple(prices.assets)))
        added += jumps.log_returns(years, stream(seed, path, Purpose.COMMON_JUMPS))
    if is_open is not None and prices.opening_gap_deviation > 0.0:
        deviations = [prices.opening_gap_deviation] * len(prices.assets)
        added += opening_gaps(is_open, deviations, correlation, stream(seed, path, Purpose.OPENING_GAPS))
    return added
