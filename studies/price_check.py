"""The check on the path generator: what was configured beside what paths turned out to be, and how far they spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from seawall.prices.events import PriceEvent
from seawall.prices.process import YEAR_SECONDS
from seawall.prices.selfcheck import Check, check, check_correlations, describe, judge
from seawall.protocols.tables import Bools, Floats, Ints
from seawall.scenarios.inputs import Drawn, drawn_prices
from seawall.scenarios.load import Loaded
from seawall.scenarios.simulated import Simulated
from seawall.scenarios.simulated_schema import SimulatedPrices

MOST_STEPS = 2_000_000  # of all paths together whose moments are taken: as many as 200 weeks of minutes
MOST_TIMES = 300  # at which quantiles are kept
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_LEAST_RETURNS = 8  # `prices.moments`
RECORDED = "Prices come from a history, or stand still: nothing is configured that could be set beside them."
_ALL_ALIKE = ("constant", "replay")
PUSHED = "Paths are pushed by importance sampling, so their own moments are not those configured: they are not judged."


@dataclass(frozen=True, eq=False)
class PriceCheck:
    """What a set of price paths turned out to be.

    Attributes:
        name: of the scenario.
        assets: names of the columns.
        paths: how many were drawn.
        checked: how many of them, the first ones, were judged; moments of more would take too long.
        rows: configured beside realised moments, judged together.
        why: why nothing is judged; empty where something is.
        at_s: `[times]` seconds since the start.
        quantiles: `[levels, times, assets]` of the price, USD, shocks included, at `LEVELS`; weighted where paths are.
        first_path: `[times, assets]` USD.
        is_open: `[times, assets]` on the first path.
        events: shocks of the first path.
        effective_paths: how many equally weighted paths they are worth.
    """

    name: str
    assets: tuple[str, ...]
    paths: int
    checked: int
    rows: list[Check]
    why: str
    at_s: Floats
    quantiles: Floats
    first_path: Floats
    is_open: Bools
    events: Sequence[PriceEvent]
    effective_paths: float


def check_prices(loaded: Loaded, *, paths: int, seed: int | None = None, progress: Callable[[int, int], None] | None = None) -> PriceCheck:
    """Draw paths of a scenario's prices, and judge their moments.

    Args:
        loaded: a checked scenario.
        paths: how many, >= 1.
        seed: replaces the scenario's own, >= 0.
        progress: called with paths drawn and paths in all.

    Raises:
        ScenarioError, PriceFileError: prices cannot be made as the scenario says.
        ValueError: paths is < 1.
    """
    if paths < 1:
        raise ValueError(f"paths(={paths}) must be >= 1")
    seed = loaded.scenario.seed if seed is None else seed
    first = drawn_prices(loaded, seed, 0)
    rows = _times(first.paths.steps)
    most = min(paths, max(MOST_STEPS // first.paths.steps, 1))
    kept, prices, weights = [first], [first.paths.market_price[rows]], [first.paths.log_weight]
    for path in range(1, paths):
        drawn = drawn_prices(loaded, seed, path)
        prices.append(drawn.paths.market_price[rows])
        weights.append(drawn.paths.log_weight)
        if path < most:
            kept.append(drawn)
        if progress is not None:
            progress(path + 1, paths)
    checked, why = check_rows(loaded, kept)
    return PriceCheck(
        loaded.scenario.name,
        first.paths.assets,
        paths,
        len(kept),
        checked,
        why,
        np.asarray(rows * float(first.paths.step_seconds), dtype=np.float64),
        _quantiles(np.array(prices), np.array(weights)),
        prices[0],
        first.paths.market_open[rows],
        first.events,
        _effective(np.array(weights)),
    )


def check_rows(loaded: Loaded, drawn: Sequence[Drawn]) -> tuple[list[Check], str]:
    """Judged rows of paths of one scenario, and why there are none or none is judged; empty where there is no reason to ask.

    Args:
        loaded: the scenario.
        drawn: its paths, from number 0 on or a single one.
    """
    prices = loaded.scenario.prices
    simulated = [each.simulated for each in drawn if each.simulated is not None]
    if not isinstance(prices, SimulatedPrices) or not simulated:
        every = drawn[:1] if prices.model in _ALL_ALIKE else drawn
        return _described(every), RECORDED
    if prices.sampling == "importance":
        return [], PUSHED
    # A mirrored path has the squares of the one before: it would count twice.
    simulated = simulated[::2] if prices.sampling == "antithetic" else simulated
    first = simulated[0]
    rows = [row for k, asset in enumerate(first.processes) for row in _of_asset(asset, k, simulated)]
    return judge([*rows, *_correlations(prices, simulated)]), ""


def _of_asset(asset: str, column: int, simulated: Sequence[Simulated]) -> list[Check]:
    first, steps = simulated[0], slice(MOST_STEPS)
    if np.count_nonzero(first.years[steps]) < _LEAST_RETURNS:
        return []
    return check(asset, first.processes[asset], np.array([each.own_returns[steps, column] for each in simulated]), first.years[steps])


def _correlations(prices: SimulatedPrices, simulated: Sequence[Simulated]) -> list[Check]:
    first = simulated[0]
    if len(first.processes) < 2 or len(first.years) < _LEAST_RETURNS:
        return []
    normals = np.concatenate([each.normals[:MOST_STEPS] for each in simulated])
    rows = check_correlations(tuple(first.processes), first.correlation, normals)
    if prices.copula == "gaussian":
        return rows
    # That of the normals is nearer to 0 than the one configured, of the t variates, and has no closed form.
    return [replace(row, configured=None, error=None, z=None, p=None, verdict="no closed form") for row in rows]


def _described(drawn: Sequence[Drawn]) -> list[Check]:
    """Moments of paths that no process made, over steps that begin and end with an open market."""
    rows = []
    first = drawn[0].paths
    for k, asset in enumerate(first.assets):
        returns = [_open_returns(each, k) for each in drawn]
        together = np.concatenate(returns)[:MOST_STEPS]
        if len(together) >= _LEAST_RETURNS:
            rows += describe(asset, together, np.full(len(together), first.step_seconds / YEAR_SECONDS))
    return rows


def _open_returns(drawn: Drawn, column: int) -> Floats:
    is_open = drawn.paths.market_open[:, column]
    returns: Floats = np.diff(np.log(drawn.paths.market_price[:, column]))[is_open[1:] & is_open[:-1]]
    return returns


def as_entry(rows: Sequence[Check], why: str) -> dict[str, Any]:
    """Rows as plain data for a manifest; figures that are not finite become None."""
    plain = [{name: _plain(value) for name, value in asdict(row).items()} for row in rows]
    return {"rows": plain, "why": why}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _times(steps: int) -> Ints:
    """Rows at which quantiles are kept, the first and the last among them."""
    return np.unique(np.linspace(0, steps, min(MOST_TIMES, steps + 1)).astype(np.int64))


def _quantiles(prices: Floats, log_weights: Floats) -> Floats:
    """`[levels, times, assets]` of `[paths, times, assets]`."""
    if not log_weights.any():
        return np.asarray(np.quantile(prices, LEVELS, axis=0), dtype=np.float64)
    weights = np.exp(log_weights - log_weights.max())
    shaped = np.broadcast_to(weights[:, None, None], prices.shape)
    return np.asarray(np.quantile(prices, LEVELS, axis=0, weights=shaped, method="inverted_cdf"), dtype=np.float64)


def _effective(log_weights: Floats) -> float:
    from seawall.prices.noise import effective_sample_size

    return effective_sample_size(log_weights)
