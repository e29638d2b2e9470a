"""From the parameters of a study to points: settings for every scenario, and what is impossible explained instead of simulated."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from seawall.protocols.errors import Fault, ScenarioError
from seawall.scenarios import feasibility
from seawall.scenarios.load import Loaded, load
from seawall.scenarios.schema import Scenario
from seawall.studies.candidates import Point
from seawall.studies.expressions import ExpressionError
from seawall.studies.keys import KeyPatternError, Value, as_text, expand, settings
from seawall.studies.stopping import DEPENDENT
from seawall.studies.trials import Trial
from seawall.studies.tune_schema import Member, Parameter, Settings, Variation


@dataclass(frozen=True)
class Base:
    """A scenario of a study before any parameter is set.

    Attributes:
        file: of the scenario.
        weight: among the scenarios.
        loaded: with the study's own settings made.
        allow_outside: as of `load`.
    """

    file: Path
    weight: float
    loaded: Loaded
    allow_outside: bool = False

    def with_settings(self, more: Iterable[str]) -> Loaded:
        """The scenario with further settings, checked."""
        return load(self.file, (*self.loaded.settings, *more), allow_outside=self.allow_outside)


def bases(study: Path, members: Sequence[Member], common: Settings, *, allow_outside: bool) -> list[Base]:
    """The scenarios of a study, each with the settings that all have in common.

    Raises:
        ScenarioError: one of them is wrong, lies outside of the study's folder and the one above, or lacks a key.
        ExpressionError: the paths of one are not independent of each other.
    """
    return [_base(study, member, common, allow_outside) for member in members]


def _base(study: Path, member: Member, common: Settings, allow_outside: bool) -> Base:
    file = Path(os.path.normpath(study.parent / member.file))
    home = study.parent.resolve().parent
    if not allow_outside and not file.resolve().is_relative_to(home):
        message = f"{member.file!r} is neither in the study's folder nor in the one above; allow such files: --allow-outside"
        raise ScenarioError([Fault(str(study), None, "file", message)])
    plain = load(file, allow_outside=allow_outside)
    loaded = load(file, written(common, plain.scenario, study), allow_outside=allow_outside)
    refuse_dependent(loaded)
    return Base(file, member.weight, loaded, allow_outside)


def refuse_dependent(loaded: Loaded) -> None:
    """Refuse a scenario whose paths are not drawn independently of each other. Raises ExpressionError."""
    sampling = getattr(loaded.scenario.prices, "sampling", "plain")
    if sampling in DEPENDENT:
        raise ExpressionError(f"prices.sampling {sampling}: its paths are not independent, so that no interval says how sure an answer is")


def written(common: Settings, scenario: Scenario, study: Path, *, scales: bool = False) -> tuple[str, ...]:
    """Settings of a study as `KEY=VALUE`. Raises ScenarioError for a key that a scenario lacks."""
    return tuple(text for key, value in common.items() for text in _settings(key, value, scenario, study, scales=scales))


def _settings(key: str, value: Value, scenario: Scenario, study: Path, *, scales: bool) -> tuple[str, ...]:
    try:
        return settings(key, value, scenario, scales=scales)
    except KeyPatternError as error:
        raise ScenarioError([Fault(str(study), None, key, str(error))]) from None


def varied(bases: Sequence[Base], variation: Variation, study: Path, chosen: Sequence[Parameter] = ()) -> list[Base]:
    """The scenarios in another world.

    Raises:
        ScenarioError: a key is not there, or is set by a parameter `chosen` as well, so that the world would be the same.
    """
    found = []
    for base in bases:
        scenario = base.loaded.scenario
        more = (*written(variation.set, scenario, study), *written(dict(variation.scale), scenario, study, scales=True))
        overwritten = {key for one in chosen if not one.scales for key, _ in expand(one.key, scenario)}
        twice = next((text for text in more if text.partition("=")[0] in overwritten), None)
        if twice is not None:
            message = f"{variation.name!r} sets it, and a parameter sets it again: give the parameter scales: true, or another variation"
            raise ScenarioError([Fault(str(study), None, twice.partition("=")[0], message)])
        found.append(Base(base.file, base.weight, base.with_settings(more), base.allow_outside))
    return found


def point_of(number: int, values: tuple[Value, ...], parameters: Sequence[Parameter], bases: Sequence[Base], study: Path) -> Point:
    """One choice of the parameters, with its trial or with the reasons why it is not played.

    Raises:
        ScenarioError: a scenario cannot have such a value, or lacks the key.
    """
    members = []
    for base in bases:
        texts = [
            text
            for one, value in zip(parameters, values, strict=True)
            for text in _settings(one.key, value, base.loaded.scenario, study, scales=one.scales)
        ]
        members.append(base.with_settings(texts))
    excuses = tuple(dict.fromkeys(reason for loaded in members for reason in why_not(loaded.scenario)))
    trial = Trial(tuple(members), tuple(base.weight for base in bases))
    return Point(number, values, excuses, None if excuses else trial)


def grid(parameters: Sequence[Parameter], points: int | None = None) -> list[tuple[Value, ...]]:
    """Every combination of the values tried; of ranges `points` values each, or as many as they say."""
    return list(product(*(one.levels(points) for one in parameters)))


def why_not(scenario: Scenario) -> list[str]:
    """Why auctions cannot do their work under these terms, whatever prices do; empty where they can."""
    found = []
    for terms in scenario.tassets.values():
        discount, most = terms.auction_discount, feasibility.restoring_line(terms.min_collateral_ratio)
        if discount > most:
            reason = "purchases lower the ratio that they should restore"
            found.append(f"discount {discount:g} above 1 - 1/{terms.min_collateral_ratio:g} = {most:.4g}: {reason}")
        least = feasibility.floor_discount(terms, scenario)
        if feasibility.buys_on_pool(scenario) and scenario.liquidators.count and discount < least:
            reason = "no purchase covers commission, fee and least profit while the pool is at par"
            found.append(f"discount {discount:g} below {least:.4g}: {reason}")
    return found


def label(parameters: Sequence[Parameter], values: Sequence[Value]) -> str:
    """A point in words: min_collateral_ratio 1.5, auction_discount 0.2."""
    return ", ".join(f"{one.name} {as_text(value)}" for one, value in zip(parameters, values, strict=True))
