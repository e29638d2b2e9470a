"""From a YAML file to a checked study of a single scenario, of whatever kind. Every fault is reported at once, with file, line and key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from pydantic import BaseModel

from seawall.scenarios.faults import validate
from seawall.scenarios.kinds import refuse_other
from seawall.scenarios.yaml_lines import read, text_of
from seawall.studies.proposals import Base, bases, refuse_dependent
from seawall.studies.tune_schema import Member, Settings

S = TypeVar("S", bound=BaseModel)
ABOUT = ("started", "seconds", "players", "workers", "paths", "paths_kept_from_before")
"""What an answer tells of how it was played: when, how long, by whom, how many paths, how many of them from before."""


@dataclass(frozen=True, slots=True)
class Studied:
    """The scenario of a study, as its answer names it.

    Attributes:
        file: of the scenario.
        name: its own.
        digest: of its text and settings.
        settings: "KEY=VALUE" each, made before any of the study's levels.
    """

    file: str
    name: str
    digest: str
    settings: tuple[str, ...]

    @classmethod
    def of(cls, base: Base) -> Self:
        """The scenario that is studied."""
        loaded = base.loaded
        return cls(str(base.file), loaded.scenario.name, loaded.digest, loaded.settings)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Self:
        """The same from a manifest with the keys of `as_manifest`."""
        return cls(manifest["scenario_file"], manifest["scenario_name"], manifest["digest"], tuple(manifest["settings"]))

    def as_manifest(self) -> dict[str, Any]:
        """What a study's manifest says of it."""
        return {"scenario_file": self.file, "scenario_name": self.name, "digest": self.digest, "settings": list(self.settings)}


class OfOneScenario(Protocol):
    """A study that names one scenario, as a file beside it or in the folder above, and settings."""

    @property
    def scenario(self) -> str:
        """The file, as seen from the study's folder."""

    @property
    def settings(self) -> Settings:
        """Made before anything else."""

    @property
    def seed(self) -> int | None:
        """None for the scenario's own."""

    def model_dump_json(self) -> str:
        """The whole study as text."""


def read_study(file: Path, kind: type[S]) -> tuple[S, str]:
    """A study and its text.

    Args:
        file: YAML.
        kind: what it must be.

    Raises:
        ScenarioError: with all faults found.
    """
    text = text_of(file)
    document = read(text, str(file))
    refuse_other(document, command_of(kind))
    return validate(document, kind), text


def command_of(kind: type[object]) -> str:
    """The command that plays a kind of study, which is named after it."""
    return kind.__name__.removesuffix("Spec").lower()


def base_of(spec: OfOneScenario, study: Path, settings: Sequence[str] = (), *, allow_outside: bool = False) -> Base:
    """The scenario of a study with the study's own settings, then those of the command line.

    Raises:
        ScenarioError: it is wrong, lies outside of the study's folder and the one above, or lacks a key.
        ExpressionError: its paths are not independent of each other.
    """
    base = bases(study, [Member(file=spec.scenario)], spec.settings, allow_outside=allow_outside)[0]
    found = Base(base.file, base.weight, base.with_settings(settings), allow_outside)
    refuse_dependent(found.loaded)
    return found


def folder_name(spec: OfOneScenario, base: Base, study: Path, seed: int | None) -> str:
    """Study, digest of what is asked and of the scenario, and seed: where the answer belongs under an output folder."""
    digest = hashlib.sha256(f"{spec.model_dump_json()}\n{base.loaded.digest}".encode()).hexdigest()[:12]
    return f"{study.stem}-{command_of(type(spec))}/{digest}-{seed_of(spec, base, seed)}"


def seed_of(spec: OfOneScenario, base: Base, seed: int | None) -> int:
    """The seed asked for, or the study's own, or the scenario's."""
    return next(one for one in (seed, spec.seed, base.loaded.scenario.seed) if one is not None)
