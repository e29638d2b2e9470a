"""From a YAML file to a checked scenario. Every fault is reported at once, with file, line and key."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from seawall.protocols.errors import Fault, ScenarioError
from seawall.scenarios.checks import cross_faults, warnings
from seawall.scenarios.disturbance_schema import KINDS as DISTURBANCES
from seawall.scenarios.price_schema import MODELS
from seawall.scenarios.process_schema import PROCESSES
from seawall.scenarios.schema import Scenario
from seawall.scenarios.shock_schema import KINDS
from seawall.scenarios.simulated_schema import FORMS
from seawall.scenarios.snapshot import Positions
from seawall.scenarios.starting import starting_positions
from seawall.scenarios.yaml_lines import COMMAND_LINE, MAX_BYTES, Document, Key, read, scalar

SHIPPED = Path(__file__).parent
_TAGS: tuple[tuple[Key, tuple[str, ...]], ...] = (  # after these keys pydantic puts the kind of a part into the location of a fault
    (("prices",), MODELS),
    (("prices", "correlation"), FORMS),
    (("prices", "assets", "*"), PROCESSES),
    (("shocks", "*"), KINDS),
    (("disturbances", "*"), DISTURBANCES),
)


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
        """Twelve hex digits that stand for the scenario's text, the settings made on the command line and the files it names."""
        sha = hashlib.sha256("\n".join((self.text, *self.settings)).encode())
        for file in (self.prices_file, self.positions_file):
            if file is not None:
                sha.update(file.read_bytes())
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
    text = _text(path)
    document = read(text, str(file))
    faults = [fault for setting in settings if (fault := _apply(document, setting))]
    if faults:
        raise ScenarioError(faults)
    scenario = _validate(document)
    found = Loaded(scenario, text, path, tuple(settings), tuple(warnings(scenario, document)), allow_outside)
    faults = cross_faults(scenario, document) + _outside(found, document)
    if faults:
        raise ScenarioError(faults)
    return _with_positions(found)


def _with_positions(found: Loaded) -> Loaded:
    """Read the starting positions, if the scenario names a file of them: there are as many owners as positions."""
    spec, file = found.scenario.minters.snapshot, found.positions_file
    if spec is None or file is None:
        return found
    positions, said = starting_positions(found.scenario, spec, file)
    minters = found.scenario.minters.model_copy(update={"count": len(positions.lines)})
    scenario = found.scenario.model_copy(update={"minters": minters})
    return replace(found, scenario=scenario, positions=positions, warnings=(*found.warnings, *said))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError([Fault(str(path), None, "", f"larger than {MAX_BYTES:,} bytes")])
        return path.read_text(encoding="utf-8")
    except OSError as error:
        names = ", ".join(shipped_file.name for shipped_file in shipped())
        raise ScenarioError([Fault(str(path), None, "", f"cannot be read ({error.strerror}); shipped scenarios: {names}")]) from None
    except UnicodeDecodeError:
        raise ScenarioError([Fault(str(path), None, "", "is not UTF-8 text")]) from None


def _apply(document: Document, setting: str) -> Fault | None:
    name, equals, value = setting.partition("=")
    if not equals or not name:
        return Fault(COMMAND_LINE, None, setting, "is not KEY=VALUE")
    key = tuple(_parts(name))
    place = document.data
    for part, inner in pairwise(key):
        if isinstance(place, dict) and (part in place or isinstance(inner, str)):
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


def _validate(document: Document) -> Scenario:
    if not isinstance(document.data, dict):
        raise ScenarioError([Fault(document.file, 1, "", "a scenario is a list of `key: value` lines")])
    try:
        return Scenario.model_validate(document.data)
    except ValidationError as error:
        raise ScenarioError([_fault(document, dict(detail)) for detail in error.errors()]) from None


def _fault(document: Document, detail: dict[str, Any]) -> Fault:
    key = _without_tags(detail["loc"])
    if key and key[-1] == "[key]":
        key = key[:-1]
    return document.fault(key, _words(detail, key))


def _without_tags(location: Key) -> Key:
    """A location without the kinds of parts, which no file writes as keys; each stands once at most, right after the key of its part."""
    key: Key = ()
    dropped = -1
    for part in location:
        if dropped < len(key) and any(part in tags and _matches(key, pattern) for pattern, tags in _TAGS):
            dropped = len(key)
        else:
            key = (*key, part)
    return key


def _matches(key: Key, pattern: Key) -> bool:
    return len(key) == len(pattern) and all(wanted in ("*", part) for part, wanted in zip(key, pattern, strict=True))


def _words(detail: dict[str, Any], key: Key) -> str:
    kind, value = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(key[-1]), _known_keys(key), n=1)
        return "is not a key here" + (f"; did you mean {close[0]}?" if close else f"; known: {', '.join(_known_keys(key))}")
    if kind == "missing":
        return "is missing"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return f"model is missing or unknown; known: {', '.join(MODELS)}"
    if kind in ("process_unknown", "kind_unknown"):
        return str(detail["msg"])
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    expected = str(detail["msg"]).removeprefix("Input ").replace("should be", "must be")
    shown = repr(value)
    return f"{shown[:60]} {expected}"


def _known_keys(key: Key) -> list[str]:
    """Keys that the schema knows at the place of an unknown one; empty where the place is free (names of assets)."""
    models: list[type[BaseModel]] = [Scenario]
    for part in key[:-1]:
        models = [inner for model in models for inner in _inner_models(model, part)]
    return sorted({name for model in models for name in model.model_fields})


def _inner_models(model: type[BaseModel], part: str | int) -> list[type[BaseModel]]:
    """Models found under a key; the names inside dictionaries and list numbers are passed through."""
    if isinstance(part, int) or part not in model.model_fields:
        return [model]
    return list(_models_in(model.model_fields[part].annotation))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _outside(found: Loaded, document: Document) -> list[Fault]:
    """Files named inside a scenario must lie in the scenario's folder; those typed on the command line may be anywhere."""
    named = {"prices.file": found.prices_file, "minters.snapshot.file": found.positions_file}
    return [
        document.fault(tuple(key.split(".")), f"{_shown(document, key)!r} is outside the scenario's folder; {_advice(key)}")
        for key, file in named.items()
        if file is not None
        and not (found.allow_outside or found.is_typed(key) or file.resolve().is_relative_to(found.file.parent.resolve()))
    ]


def _shown(document: Document, key: str) -> Any:
    place = document.data
    for part in key.split("."):
        place = place[part]
    return place


def _advice(key: str) -> str:
    return f"give it on the command line: --set {key}=PATH, or allow such files: --allow-outside"
