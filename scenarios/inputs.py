"""What comes from outside the market: prices, sessions, outages, errors of observation, and the flow of orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from seawall.prices.events import PriceEvent
from seawall.protocols.errors import Fault, ScenarioError, SeawallError
from seawall.protocols.tables import Bools, Floats, World
from seawall.scenarios.checks import MAX_ORDERS, MAX_PRICES, whole_rounds
from seawall.scenarios.disturbance_inputs import struck_feeders
from seawall.scenarios.exchange_schema import ExchangeSpec, Flow
from seawall.scenarios.load import Loaded
from seawall.scenarios.named_files import Stamp, stamp
from seawall.scenarios.paths import Paths, constant
from seawall.scenarios.population import whole_steps
from seawall.scenarios.price_events import events_of, strike
from seawall.scenarios.price_schema import BootstrapPrices, ConstantPrices, DailyBarPrices, ReplayPrices
from seawall.scenarios.schema import Scenario
from seawall.scenarios.simulated import Simulated, simulate
from seawall.scenarios.simulated_schema import SimulatedPrices
from seawall.scenarios.streams import Purpose, stream

if TYPE_CHECKING:
    import pandas as pd

SECONDS_PER_HOUR = 3_600.0
MAX_HALF_LIVES = 900  # protocols/reputation.py


def price_paths(loaded: Loaded, seed: int, path: int) -> Paths:
    """Prices of all assets on one path, shocks included.

    Raises:
        ScenarioError: for prices that cannot be made as the scenario says.
        PriceFileError: for a price file that cannot be replayed.
    """
    return drawn_prices(loaded, seed, path).paths


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Prices of one path with what made them.

    Attributes:
        paths: prices, shocks included.
        events: shocks that strike them, random ones with the times drawn; in the order of the scenario.
        simulated: what they were made of; None where no process did.
    """

    paths: Paths
    events: list[PriceEvent]
    simulated: Simulated | None


def drawn_prices(loaded: Loaded, seed: int, path: int) -> Drawn:
    """The same as `price_paths`, with what made them."""
    try:
        simulated = _simulated(loaded, seed, path)
        quiet = _quiet_paths(loaded, seed, path) if simulated is None else simulated.paths
        check_history(loaded, quiet)
        events = events_of(loaded.scenario.shocks, quiet, seed=seed, path=path)
        return Drawn(strike(quiet, events), events, simulated)
    except SeawallError:
        raise
    except ValueError as error:  # arguments that only the price model can judge: a calendar's name, dates outside of a history
        raise ScenarioError([Fault(str(loaded.file), None, "prices", str(error))]) from None


def _simulated(loaded: Loaded, seed: int, path: int) -> Simulated | None:
    prices, step_seconds = loaded.scenario.prices, loaded.scenario.step_seconds
    if not isinstance(prices, SimulatedPrices):
        return None
    steps = whole_rounds(prices.days, step_seconds)
    return simulate(prices, steps=steps, step_seconds=step_seconds, seed=seed, path=path)


def _quiet_paths(loaded: Loaded, seed: int, path: int) -> Paths:
    """Prices that no process makes."""
    prices, step_seconds = loaded.scenario.prices, loaded.scenario.step_seconds
    rng = stream(seed, path, Purpose.PRICES)
    if isinstance(prices, ReplayPrices):
        return _replay(loaded, prices)
    if isinstance(prices, DailyBarPrices):
        return _daily_bars(prices, step_seconds, rng)
    if isinstance(prices, BootstrapPrices):
        return _bootstrap(loaded, prices, rng)
    assert isinstance(prices, ConstantPrices)  # simulated ones were made before
    start_usd = {name: asset.start_usd for name, asset in prices.assets.items()}
    steps = whole_rounds(prices.days, step_seconds)
    return constant(start_usd, start=prices.start.astimezone(UTC), steps=steps, step_seconds=step_seconds)


def recorded_flows(loaded: Loaded, spec: ExchangeSpec, paths: Paths) -> Floats:
    """Positions of recorded flow, base asset, [steps + 1, 2 * flows]: longs, then shorts (negative) of each.

    Raises:
        ScenarioError: for flow without a price file, or on another grid than the prices.
    """
    prices = loaded.scenario.prices
    if not spec.flows:
        return np.empty((paths.steps + 1, 0))
    if not isinstance(prices, ReplayPrices):
        message = "flow is read from the price file, so prices.model must be replay"
        raise ScenarioError([Fault(str(loaded.file), None, "exchange.flows", message)])
    columns = {f"{side} of flow {i}": column for i, flow in enumerate(spec.flows) for side, column in _sides(flow)}
    try:
        held = _replay(loaded, prices, recorded=columns)
    except ValueError as error:  # of a long file, which has no such columns
        if isinstance(error, SeawallError):
            raise
        raise ScenarioError([Fault(str(loaded.file), None, "exchange.flows", str(error))]) from None
    if held.start != paths.start or held.steps != paths.steps:
        message = f"is known from {held.start} for {held.steps} rounds, the prices from {paths.start} for {paths.steps}"
        raise ScenarioError([Fault(str(loaded.file), None, "exchange.flows", message)])
    signs = np.array([sign * flow.scale for flow in spec.flows for sign in (1.0, -1.0)])
    return held.market_price * signs


def _sides(flow: Flow) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("longs", flow.long_column), ("shorts", flow.short_column)


def _replay(loaded: Loaded, prices: ReplayPrices, recorded: dict[str, str] | None = None) -> Paths:
    """Replay a file as it is now; what it says is kept for the next path."""
    file = loaded.prices_file
    assert file is not None
    columns = None if recorded is None else tuple(recorded.items())
    return _read_replay(prices.model_dump_json(), file, stamp(file), columns, loaded.scenario.step_seconds)


@lru_cache(maxsize=4)
def _read_replay(spec: str, file: Path, _stamp: Stamp | None, columns: tuple[tuple[str, str], ...] | None, step_seconds: int) -> Paths:
    from seawall.scenarios.history import read_replay

    prices = ReplayPrices.model_validate_json(spec)
    paths = read_replay(prices.source(file, None if columns is None else dict(columns)), step_seconds=step_seconds)
    paths.market_price.flags.writeable = paths.market_open.flags.writeable = False
    return paths


def _bootstrap(loaded: Loaded, prices: BootstrapPrices, rng: np.random.Generator) -> Paths:
    from seawall.scenarios.bootstrapped import bootstrap

    file, step_seconds = loaded.prices_file, loaded.scenario.step_seconds
    assert file is not None
    return bootstrap(prices, file, steps=whole_rounds(prices.days, step_seconds), step_seconds=step_seconds, rng=rng)


def _daily_bars(prices: DailyBarPrices, step_seconds: int, rng: np.random.Generator) -> Paths:
    from seawall.scenarios.daily_bars import bridge

    bars = {asset: _bars(series, prices.first, prices.last) for asset, series in prices.assets.items()}
    return bridge(bars, calendar=prices.calendar, step_seconds=step_seconds, rng=rng)


@lru_cache(maxsize=8)
def _bars(series: Literal["sp500", "nasdaq"], first: date, last: date) -> pd.DataFrame:
    """Daily bars of an index; kept for the next path."""
    from seawall.scenarios.daily_bars import arch_bars

    return arch_bars(series, first, last)


def check_history(loaded: Loaded, paths: Paths) -> None:
    """Refuse what could not be checked before a history was read: its length, the orders that this makes, events after its end.

    Raises:
        ScenarioError: with all of them.
    """
    hours = paths.steps * paths.step_seconds / SECONDS_PER_HOUR
    faults = [
        Fault(str(loaded.file), None, f"{what}[{i}].at_hours", f"{at_hours:g} is after the end of the prices ({hours:g} hours)")
        for what, i, at_hours in loaded.scenario.event_times()
        if at_hours > hours
    ]
    if paths.market_price.size > MAX_PRICES:
        faults.append(Fault(str(loaded.file), None, "prices", f"{paths.market_price.size:,} prices are more than {MAX_PRICES:,}"))
    for key, per_day in loaded.scenario.order_rates():
        orders = per_day * hours / 24.0
        if orders > MAX_ORDERS:
            faults.append(Fault(str(loaded.file), None, key, f"{orders:,.0f} orders are more than {MAX_ORDERS:,}"))
    half_life = loaded.scenario.avmm.rep.half_life_days if loaded.scenario.avmm is not None else None
    if half_life is not None and hours / 24.0 > MAX_HALF_LIVES * half_life:
        message = f"{half_life:g}: the prices last longer than {MAX_HALF_LIVES} half-lives, past which REP could not be counted"
        faults.append(Fault(str(loaded.file), None, "avmm.rep.half_life_days", message))
    if faults:
        raise ScenarioError(faults)


def with_new_shares(scenario: Scenario, paths: Paths) -> tuple[Floats, Bools]:
    """Prices and sessions of all assets, and of a new share for each delisting: that of an old one over the split."""
    tracked = [paths.assets.index(scenario.tassets[event.tasset].tracks) for event in scenario.delistings]
    splits = np.array([event.split for event in scenario.delistings])
    prices = np.column_stack([paths.market_price, paths.market_price[:, tracked] / splits])
    return prices, np.column_stack([paths.market_open, paths.market_open[:, tracked]])


def feed_up(scenario: Scenario, steps: int, feeders: int) -> Bools:
    """Which feeders work, [steps + 1, feeders]. An outage is of a tASSET's own feeder, which feeds its replacement, too."""
    up = np.ones((steps + 1, feeders), np.bool_)
    for outage in scenario.outages:
        first = whole_steps(outage.at_hours * SECONDS_PER_HOUR, scenario.step_seconds)
        after = whole_steps((outage.at_hours + outage.hours) * SECONDS_PER_HOUR, scenario.step_seconds)
        up[first:after, struck_feeders(scenario, outage.tasset, outage.asset, feeders)] = False
    return up


def feed_noise(seed: int, path: int, shape: tuple[int, int]) -> Floats:
    """Standard normal errors of observation, [steps + 1, feeders]."""
    return stream(seed, path, Purpose.FEED_NOISE).standard_normal(shape)


def fill_orders(world: World, orders: tuple[np.ndarray, ...]) -> None:
    """Write the flow of orders into the world, with the index of each round's first order."""
    rounds, world.orders["trader"], world.orders["pool"], world.orders["sells"], world.orders["usd"] = orders
    world.order_start[1:] = np.cumsum(np.bincount(rounds, minlength=len(world.order_start) - 1))
