"""From a YAML file to a checked scenario. Every fault is reported at once, with file, line and key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from seawall.protocols.errors import Fault, ScenarioError
from seawall.scenarios.checks import cross_faults, warnings
from seawall.scenarios.faults import validate
from seawall.scenarios.kinds import refuse_other
from seawall.scenarios.schema import Scenario
from seawall.scenarios.snapshot import Positions
from seawall.scenarios.starting import starting_positions
from seawall.scenarios.yaml_lines import COMMAND_LINE, Document, read, scalar, text_of

SHIPPED = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked scenario with where it came from."""

    scenario: Scenario
    text: str
    file: Path
    settings: tuple[str, ...]
    warnings: tuple[Fault, ...]
    allow_outside: bool = False
    positions: Positions | None = None

    @property
    def digest(self) -> str:
        """Twelve hex digits that stand for the scenario's text, the settings made on the command line and the files it names.

        A price file counts as it is now, positions as they were when they were read. Raises PriceFileError for a price file that is not
        there, or could not be read as a table.
        """
        sha = hashlib.sha256("\n".join((self.text, *self.settings)).encode())
        if self.prices_file is not None:
            from seawall.scenarios.text_table import read_content

            sha.update(read_content(self.prices_file))
        if self.positions is not None:
            sha.update(self.positions.digest.encode())
        return sha.hexdigest()[:12]

    @property
    def prices_file(self) -> Path | None:
        """The price file, if the scenario replays one: beside the scenario, or where the command line says."""
        name = getattr(self.scenario.prices, "file", None)
        if name is None:
            return None
        return self._place("prices.file", name)

    @property
    def positions_file(self) -> Path | None:
        """The file of starting positions, if there is one; found as a price file is."""
        spec = self.scenario.minters.snapshot
        return None if spec is None else self._place("minters.snapshot.file", spec.file)

    def is_typed(self, key: str) -> bool:
        """Tell whether a key was set on the command line."""
        return any(setting.startswith(f"{key}=") for setting in self.settings)

    def _place(self, key: str, name: str) -> Path:
        return Path(name) if self.is_typed(key) else self.file.parent / name


def shipped() -> list[Path]:
    """Scenario files that come with Seawall."""
    return sorted(SHIPPED.glob("*.yaml"))


def load(file: str | Path, settings: Sequence[str] = (), *, allow_outside: bool = False) -> Loaded:
    """Read and check a scenario.

    Args:
        file: path of a YAML file.
        settings: "KEY=VALUE" each, replacing or adding a value: `minters.count=100`, `shocks[0].change=0.5`.
        allow_outside: whether files that the scenario names may lie outside of its folder.

    Raises:
        ScenarioError: with all faults found.
    """
    path = Path(file)
    if path.stem == "..":  # which would stand for a folder among the results
        raise ScenarioError([Fault(str(path), None, "", "its name without the ending is '..': rename it")])
    text = text_of(path, hint=f"; shipped scenarios: {', '.join(one.name for one in shipped())}")
    document = deepcopy(_parsed(text, str(file)))
    refuse_other(document, "run")
    faults = [fault for setting in settings if (fault := _apply(document, setting))]
    if faults:
        raise ScenarioError(faults)
    scenario = validate(document, Scenario)
    found = Loaded(scenario, text, path, tuple(settings), tuple(warnings(scenario, document)), allow_outside)
    faults = cross_faults(scenario, document) + _outside(found, document)
    if faults:
        raise ScenarioError(faults)
    return _with_positions(found)


@lru_cache(maxsize=16)
def _parsed(text: str, file: str) -> Document:
    """A document read before: a study asks for the same file with hundreds of settings, and reading it takes longer than all the rest."""
    return read(text, file)


def _with_positions(found: Loaded) -> Loaded:
    """Read the starting positions, if the scenario names a file of them: there are as many owners as positions."""
    spec, file = found.scenario.minters.snapshot, found.positions_file
    if spec is None or file is None:
        return found
    positions, said = starting_positions(found.scenario, spec, file)
    minters = found.scenario.minters.model_copy(update={"count": len(positions.lines)})
    scenario = found.scenario.model_copy(update={"minters": minters})
    return replace(found, scenario=scenario, positions=positions, warnings=(*found.warnings, *said))


def _apply(document: Document, setting: str) -> Fault | None:
    name, equals, value = setting.partition("=")
    if not equals or not name:
        return Fault(COMMAND_LINE, None, setting, "is not KEY=VALUE")
    key = tuple(_parts(name))
    place = document.data
    for depth, (part, inner) in enumerate(pairwise(key), start=1):
        if isinstance(place, dict) and (part in place or isinstance(inner, str)):
            if part not in place:
                document.typed.add(key[:depth])
            place = place.setdefault(part, {})
        elif isinstance(place, list) and isinstance(part, int) and part < len(place):
            place = place[part]
        else:
            return Fault(COMMAND_LINE, None, name, f"there is no {part!r} to set a value in")
    try:
        if isinstance(place, dict) or (isinstance(place, list) and isinstance(key[-1], int) and key[-1] < len(place)):
            place[key[-1]] = scalar(value)  # type: ignore[index]
        else:
            return Fault(COMMAND_LINE, None, name, f"there is no {key[-1]!r} to set")
    except ValueError as error:
        return Fault(COMMAND_LINE, None, name, str(error))
    document.typed.add(key)
    return None


def _parts(name: str) -> Iterator[str | int]:
    for part in name.replace("[", ".[").split("."):
        yield int(part[1:-1]) if part.startswith("[") and part.endswith("]") and part[1:-1].isdigit() else part


def _outside(found: Loaded, document: Document) -> list[Fault]:
    """Files named inside a scenario must lie in the scenario's folder; those typed on the command line may be anywhere."""
    named = {"prices.file": found.prices_file, "minters.snapshot.file": found.positions_file}
    return [
        document.fault(tuple(key.split(".")), f"{_shown(document, key)!r} is outside the scenario's folder; {_advice(key)}")
        for key, file in named.items()
        if file is not None and not (found.allow_outside or found.is_typed(key) or _is_inside(file, found.file.parent))
    ]


def _is_inside(file: Path, folder: Path) -> bool:
    """Tell whether a file lies in a folder or below, all links followed; one whose links go round in circles lies nowhere."""
    try:
        return file.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False


def _shown(document: Document, key: str) -> Any:
    place = document.data
    for part in key.split("."):
        place = place[part]
    return place


def _advice(key: str) -> str:
    return f"give it on the command line: --set {key}=PATH, or allow such files: --allow-outside"
