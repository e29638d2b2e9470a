"""Keys of a scenario as studies name them: `tassets.*.auction_discount` is that key of every tASSET, `shocks[*].change` of every shock.

A pattern becomes `KEY=VALUE` settings, which `run --set` takes too: so each trial of a study can be played alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seawall.protocols.errors import SeawallError
from seawall.scenarios.schema import Scenario

Value = float | int | bool | str
_PART = re.compile(r"[A-Za-z_][\w-]*|\*|\[(?:\d+|\*)\]")


class KeyPatternError(SeawallError, ValueError):
    """A key that stands for nothing in a scenario, or for something that cannot be set so; the text says where it ends."""


def expand(pattern: str, scenario: Scenario) -> list[tuple[str, Any]]:
    """Keys that a pattern stands for, with the values that they have, in the order of the scenario.

    Raises:
        KeyPatternError: it stands for none.
    """
    found = list(_walk(_parts(pattern), "", scenario.model_dump(), pattern))
    if not found:
        raise KeyPatternError(f"{pattern}: there is nothing like this in {scenario.name!r}")
    return found


def settings(pattern: str, value: Value, scenario: Scenario, *, scales: bool = False) -> tuple[str, ...]:
    """`KEY=VALUE` for every key that a pattern stands for.

    Args:
        pattern: a key, `*` for every name, `[*]` for every number of a list.
        value: of all of them; with `scales` a factor of the value that each has.
        scenario: whose keys they are.
        scales: whether values are multiplied; counts stay whole.

    Raises:
        KeyPatternError: it stands for none, or for something that is no number and is to be multiplied.
    """
    return tuple(f"{key}={as_text(_scaled(key, now, value) if scales else value)}" for key, now in expand(pattern, scenario))


def as_text(value: Value) -> str:
    """A value as a scenario file has it; reading it gives the same number again."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(float(value)) if isinstance(value, float) else str(value)


def _scaled(key: str, now: Any, factor: Value) -> Value:
    if isinstance(now, bool) or not isinstance(now, int | float) or isinstance(factor, bool | str):
        raise KeyPatternError(f"{key}: {now!r} cannot be multiplied by {factor!r}")
    return round(now * factor) if isinstance(now, int) else float(f"{now * factor:.12g}")


def _parts(pattern: str) -> list[str]:
    text = pattern.replace("[", ".[")
    parts = text.split(".")
    if not pattern or not all(_PART.fullmatch(part) for part in parts):
        raise KeyPatternError(f"{pattern!r} is no key; one is tassets.*.auction_discount or shocks[0].change")
    return parts


def _walk(parts: list[str], key: str, place: Any, pattern: str) -> Iterator[tuple[str, Any]]:
    if not parts:
        yield key, place
        return
    part, rest = parts[0], parts[1:]
    if part.startswith("["):
        items = place if isinstance(place, list | tuple) else ()
        rows = range(len(items)) if part == "[*]" else [int(part[1:-1])]
        for row in rows:
            if row < len(items):
                yield from _walk(rest, f"{key}[{row}]", items[row], pattern)
    elif isinstance(place, dict):
        for name in place if part == "*" else [part] * (part in place):
            yield from _walk(rest, f"{key}.{name}" if key else str(name), place[name], pattern)
