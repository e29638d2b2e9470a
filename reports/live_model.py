"""The model behind the live page: a scenario with a few sliders on its terms. Knows no browser."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from seawall.models.stress import StressModel
from seawall.protocols.errors import PriceFileError, ScenarioError
from seawall.scenarios.build import DEFAULT_SCENARIO, build
from seawall.scenarios.load import Loaded, load
from seawall.scenarios.schema import Scenario

_VOLATILITY = "volatility_per_year"
_LEAST_MOVE = 0.5  # of a slider's step: a browser rounds a value to the nearest step without anybody touching it


@dataclass(frozen=True, slots=True)
class Knob:
    """A slider on a scenario.

    Attributes:
        label: what it says.
        low: left end.
        high: right end.
        step: between two positions.
        own: position at which the scenario stands as it is written.
        keys: keys of the scenario that it sets, each with what the position is multiplied by to give the value.
    """

    label: str
    low: float
    high: float
    step: float
    own: float
    keys: tuple[tuple[str, float], ...]

    def settings(self, position: float | None) -> list[str]:
        """Settings "KEY=VALUE" of a position; none for None and for the scenario's own."""
        if position is None or abs(position - self.own) < _LEAST_MOVE * self.step:
            return []
        return [f"{key}={position * factor:.6g}" for key, factor in self.keys]


def knobs(scenario: Scenario) -> dict[str, Knob]:
    """Sliders by name of the argument of `WatchedModel`; only those that the scenario has something to set for."""
    found: dict[str, Knob] = {}
    terms = scenario.tassets
    if terms:
        first = next(iter(terms.values()))
        ratio, discount = first.min_collateral_ratio, first.auction_discount
        found["minimum_ratio"] = _knob("Minimum ratio", 1.0, 3.0, 0.01, ratio, _each(terms, "min_collateral_ratio"))
        found["discount"] = _knob("Auction discount", 0.0, 0.9, 0.01, discount, _each(terms, "auction_discount"))
    volatilities = tuple(volatility_keys(scenario))
    if volatilities:
        found["volatility"] = _knob("Volatility, times", 0.0, 3.0, 0.05, 1.0, volatilities)
    if scenario.outages:
        keys = tuple((f"outages[{i}].hours", 1.0) for i in range(len(scenario.outages)))
        found["outage_hours"] = _knob("Outage, hours", 0.25, 24.0, 0.25, scenario.outages[0].hours, keys)
    return found


def missing_knobs(scenario: Scenario) -> list[str]:
    """Sentences on the sliders that the scenario has nothing for."""
    present = knobs(scenario)
    reasons = {
        "volatility": "no asset's prices are drawn with a volatility of their own",
        "outage_hours": "the scenario has no oracle outage to lengthen",
    }
    return [f"No slider for {name.replace('_', ' ')}: {reason}." for name, reason in reasons.items() if name not in present]


def volatility_keys(scenario: Scenario) -> Iterator[tuple[str, float]]:
    """Key and value of each volatility per year of the assets' price processes.

    An asset whose lasting volatility is not a number of its own (it follows from the weights of a GARCH process, say) has none.
    """
    for name, asset in scenario.prices.assets.items():
        if isinstance(asset, BaseModel):
            found = list(_volatilities(asset, f"prices.assets.{name}"))
            if any(not key.endswith(f".start_{_VOLATILITY}") for key, _ in found):
                yield from found


def _volatilities(part: BaseModel, key: str) -> Iterator[tuple[str, float]]:
    for name, value in part:
        if name.endswith(_VOLATILITY) and value is not None:
            yield f"{key}.{name}", float(value)
        elif isinstance(value, dict):
            for inner_name, inner in value.items():
                if isinstance(inner, BaseModel):
                    yield from _volatilities(inner, f"{key}.{name}.{inner_name}")


def _each(terms: Mapping[str, Any], name: str) -> tuple[tuple[str, float], ...]:
    return tuple((f"tassets.{tasset}.{name}", 1.0) for tasset in terms)


def _knob(label: str, low: float, high: float, step: float, own: float, keys: tuple[tuple[str, float], ...]) -> Knob:
    """A slider whose ends leave room for the scenario's own value."""
    return Knob(label, min(low, own), max(high, own), step, own, keys)


class WatchedModel(StressModel):
    """A scenario under sliders, stepped from record to record; Mesa's page makes a new one at each reset.

    Attributes:
        base: the scenario as it is written.
        loaded: the scenario with the sliders' settings; `base` if these cannot be run.
        problem: why these settings cannot be run, one fault a line; empty if they can. Such a model plays no round.
    """

    def __init__(
        self,
        scenario: Loaded | None = None,
        minimum_ratio: float | None = None,
        discount: float | None = None,
        volatility: float | None = None,
        outage_hours: float | None = None,
    ) -> None:
        """Build the market of path 0.

        Args:
            scenario: a checked scenario; None for the default one.
            minimum_ratio: minimum collateral ratio of every tASSET, a fraction >= 1; None, here and below, for the scenario's own.
            discount: auction discount of every tASSET, a fraction in [0, 1).
            volatility: factor on the volatility of each asset, >= 0.
            outage_hours: length of every oracle outage, hours, > 0.
        """
        base = load(DEFAULT_SCENARIO) if scenario is None else scenario
        positions = {"minimum_ratio": minimum_ratio, "discount": discount, "volatility": volatility, "outage_hours": outage_hours}
        loaded, made, problem = _built(base, positions)
        super().__init__(
            made.world,
            exchange=made.exchange,
            exchange_names=made.exchange_names,
            avmm=made.avmm,
            avmm_names=made.avmm_names,
            tasset_names=made.tasset_names,
            seed=loaded.scenario.seed,
        )
        self.base, self.loaded, self.problem = base, loaded, problem
        self.running = self.running and not problem

    def step(self) -> None:
        """Play the rounds up to the next record: the page draws nothing in between."""
        if not self.problem:
            self.run_for(int(self.world.clock[0].record_every))

    @property
    def command(self) -> str:
        """The command that runs this very market to a full report."""
        settings = (part for setting in self.loaded.settings for part in ("--set", setting))
        return shlex.join(["python", "run.py", "run", str(self.loaded.file), *settings])


def _built(base: Loaded, positions: Mapping[str, float | None]) -> tuple[Loaded, StressModel, str]:
    """The scenario under the sliders and its market; where it cannot be run, the scenario without them and the reason."""
    settings = [setting for name, knob in knobs(base.scenario).items() for setting in knob.settings(positions[name])]
    if settings:
        try:
            loaded = load(base.file, (*base.settings, *settings), allow_outside=base.allow_outside)
            return loaded, build(loaded), ""
        except (ScenarioError, PriceFileError) as error:
            return base, build(base), str(error)
    return base, build(base), ""
