"""What pydantic refuses in a YAML file, as faults with file, line and key and in words of ours."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from seawall.protocols.errors import Fault, ScenarioError
from seawall.scenarios.disturbance_schema import KINDS as DISTURBANCES
from seawall.scenarios.price_schema import MODELS
from seawall.scenarios.process_schema import PROCESSES
from seawall.scenarios.shock_schema import KINDS
from seawall.scenarios.simulated_schema import FORMS
from seawall.scenarios.yaml_lines import Document, Key

MAX_FAULTS = 100  # told one by one
P = TypeVar("P", bound=BaseModel)
_TAGS: tuple[tuple[Key, tuple[str, ...]], ...] = (  # after these keys pydantic puts the kind of a part into the location of a fault
    (("prices",), MODELS),
    (("prices", "correlation"), FORMS),
    (("prices", "assets", "*"), PROCESSES),
    (("shocks", "*"), KINDS),
    (("disturbances", "*"), DISTURBANCES),
)


def validate(document: Document, model: type[P]) -> P:
    """A document as a model.

    Raises:
        ScenarioError: with all faults found.
    """
    if not isinstance(document.data, dict):
        raise ScenarioError([Fault(document.file, 1, "", "a list of `key: value` lines belongs here")])
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        details = _without_echoes([dict(detail) for detail in error.errors()])
        found = [_fault(document, detail, model) for detail in details[:MAX_FAULTS]]
        if len(details) > MAX_FAULTS:
            found.append(Fault(document.file, None, "", f"and {len(details) - MAX_FAULTS:,} more faults"))
        raise ScenarioError(found) from None


def _without_echoes(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong, without lists that are called too short only because their items are wrong."""
    with_items = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in with_items]


def _fault(document: Document, detail: dict[str, Any], model: type[BaseModel]) -> Fault:
    key = _without_tags(detail["loc"])
    if key and key[-1] == "[key]":
        key = key[:-1]
    return document.fault(key, _words(detail, key, model))


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


def _words(detail: dict[str, Any], key: Key, model: type[BaseModel]) -> str:
    kind, value = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        known = _known_keys(key, model)
        close = difflib.get_close_matches(str(key[-1]), known, n=1)
        return "is not a key here" + (f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}")
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


def _known_keys(key: Key, model: type[BaseModel]) -> list[str]:
    """Keys that the schema knows at the place of an unknown one; empty where the place is free (names of assets)."""
    models: list[type[BaseModel]] = [model]
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
