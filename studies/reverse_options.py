"""A reverse stress test from the options of a command instead of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.protocols.errors import OptionError
from seawall.scenarios.faults import validate
from seawall.scenarios.yaml_lines import Document, scalar
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.study_file import read_study


@dataclass(frozen=True, slots=True)
class ReverseOptions:
    """Options as typed; None and empty where they were left out.

    Attributes:
        breach: the limit that must hold.
        along: key whose level is looked for.
        low: lower end.
        high: upper end.
        scale: whether levels multiply what the scenario says.
        log: whether levels are spaced by ratios.
        paths: of each level.
        most_paths: where more narrow the interval.
        confidence: of either end.
        precision: share of the way between the ends.
        cases: "KEY=VALUE,VALUE,..." each; every value is a case.
    """

    breach: str | None = None
    along: str | None = None
    low: float | None = None
    high: float | None = None
    scale: bool = False
    log: bool = False
    paths: int | None = None
    most_paths: int | None = None
    confidence: float | None = None
    precision: float | None = None
    cases: Sequence[str] = ()

    def spec(self, file: Path) -> ReverseSpec:
        """What is asked: by a study file, or by these options of a scenario.

        Raises:
            OptionError: one is missing, or stands beside a study file.
            ScenarioError: a value is wrong.
        """
        if self.breach is None:
            if self != ReverseOptions():
                raise OptionError("--breach missing: options like --along and --paths are for a scenario, a study file says them itself")
            return read_study(file, ReverseSpec)[0]
        needed = {"--along": self.along, "--low": self.low, "--high": self.high}
        missing = [name for name, given in needed.items() if given is None]
        if missing or self.along is None:
            raise OptionError(f"{', '.join(missing)} missing: --breach needs them, too")
        return validate(Document("command line", self._data(file, self.along)), ReverseSpec)

    def _data(self, scenario: Path, along: str) -> dict[str, Any]:
        name = along.replace("]", "").replace("[", ".").split(".")[-1]
        ends = {"low": self.low, "high": self.high, "spacing": "log" if self.log else "even"}
        line = {"name": name, "key": along, "scales": self.scale, **ends}
        chosen = {name: getattr(self, name) for name in ("paths", "most_paths", "confidence", "precision")}
        if self.paths is not None and self.most_paths is None:
            chosen["most_paths"] = 4 * self.paths
        told = {key: value for key, value in chosen.items() if value is not None}
        about = f"How far along {along} a limit holds."
        words = {"name": f"Reverse stress of {scenario.stem}", "about": about, "scenario": scenario.name, "require": self.breach}
        return {**words, **told, "along": line, "cases": [case for text in self.cases for case in _cases(text)]}


def _cases(text: str) -> Iterator[dict[str, Any]]:
    """A case for each value of "KEY=VALUE,VALUE,..."."""
    key, equals, values = text.partition("=")
    if not equals or not key or not all(values.split(",")):
        raise OptionError(f"--for {text!r} is not KEY=VALUE,VALUE,...")
    for value in values.split(","):
        yield {"name": f"{key.split('.')[-1].replace('_', ' ')} {value}", "set": {key: _read(text, value)}}


def _read(text: str, value: str) -> Any:
    try:
        return scalar(value)
    except ValueError as error:
        raise OptionError(f"--for {text!r}: {error}") from None
