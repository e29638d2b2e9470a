"""Files that go wrong, and what the command line makes of them. A kind of file is told apart by the command that checks it."""

from __future__ import annotations

import copy
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st
from markets import command_line
from typer.testing import CliRunner

MOST_SECONDS, MOST_MEGABYTES = 20.0, 400.0  # for one refusal; a slow and busy machine has room

Key = tuple[str | int, ...]
Data = dict[str, Any]

_APP = command_line()


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: of the file, with its ending.
        check: arguments of the command that checks one, before its path.
        right: files that are right, to begin from.
    """

    name: str
    check: tuple[str, ...]
    right: tuple[Path, ...]


@dataclass(frozen=True)
class Answer:
    """What a command answered: exit code and all that it printed."""

    code: int
    text: str


def ask(*arguments: str | Path) -> Answer:
    """Run a command, here and now. Whatever it raises but an exit is raised; so is taking too long, or too much memory."""
    before, began = _peak(), time.monotonic()
    result = CliRunner().invoke(_APP, [str(argument) for argument in arguments], catch_exceptions=False)
    assert time.monotonic() - began < MOST_SECONDS, f"took {time.monotonic() - began:.0f} s"
    assert _peak() - before < MOST_MEGABYTES, f"took {_peak() - before:.0f} MB more"
    assert "Traceback" not in result.output
    return Answer(result.exit_code, result.output)


def _peak() -> float:
    """Most memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


# --- wrong in one place ---

numbers = st.one_of(
    st.sampled_from([0, -1, 1, 2, 7, 100, 10**6, 10**9, 10**12, 2**53, 2**63, 2**64, 10**400, -(10**400)]),
    st.sampled_from([0.5, 1e-300, 1e-12, 2.0**-20, 1e6, 1e9, 1e12, 1e15, 1e300, 1.7e308, -0.0, float("inf"), float("-inf"), float("nan")]),
    st.floats(),
    st.integers(),
)
texts = st.one_of(
    st.sampled_from(
        ["", " ", "0", "1e6", "20%", ".nan", "<b>", "{{ 7*7 }}", "../x", "/etc/passwd", "tA", "A", "tDOLLAR", "2024-01-01", "yes"]
    ),
    st.sampled_from(["\x1b[31m", "\u202e", "\u0000", "\ud7ff", "a" * 33, "x" * 5_000, "é", "=1+1", "2024-01-01T00:00:00Z", "simulated"]),
    st.text(max_size=40),
)
plain = st.one_of(numbers, numbers, texts, st.none(), st.booleans())
anything = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)), max_leaves=6
)


def places(data: Any, key: Key = ()) -> Iterator[Key]:
    """Every place in plain data."""
    for name, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*key, name)
        if isinstance(value, dict | list):
            yield from places(value, (*key, name))


def holder_of(data: Any, key: Key) -> Any:
    """The dictionary or list in which a place is."""
    for part in key[:-1]:
        data = data[part]
    return data


@st.composite
def mutated(draw: Callable[..., Any], data: Data, most: int = 3) -> Data:
    """The same data with up to `most` places changed, left out, doubled or filled with what stands at another."""
    found = copy.deepcopy(data)
    for _ in range(draw(st.integers(1, most))):
        known = list(places(found))
        key = draw(st.sampled_from(known))
        holder, how = holder_of(found, key), draw(st.sampled_from(["change", "change", "change", "number", "leave out", "copy", "rename"]))
        if how == "leave out":
            del holder[key[-1]]
        elif how == "copy":
            other = draw(st.sampled_from(known))
            holder[key[-1]] = copy.deepcopy(holder_of(found, other)[other[-1]])
        elif how == "rename" and isinstance(holder, dict):
            holder[draw(texts)] = holder.pop(key[-1])
        else:
            holder[key[-1]] = draw(numbers if how == "number" else anything)
        if not found:
            break
    return found


@st.composite
def damaged(draw: Callable[..., Any], text: bytes) -> bytes:
    """The same bytes with a few cut out, doubled or replaced."""
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 40))
        kept, piece = text[:at], text[at : at + length]
        new = draw(st.one_of(st.just(b""), st.just(piece * 2), st.binary(max_size=8), st.sampled_from(_MARKS)))
        text = kept + new + text[at + length :]
    return text


_MARKS = [
    b"\t",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"&a ",
    b"*a",
    b"!!python/name:os ",
    b"- ",
    b"? ",
    b": ",
    b"{",
    b"]",
    b"|",
    b">",
    b"%YAML 9.9\n",
]
_MARKS += [
    b"---\n",
    b"...\n",
    b"'",
    b'"',
    b"#",
    b"\r",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"<<: ",
    b"1e999",
    b"0x1p3",
    b"\\x00",
    b"@",
    b"`",
    b"0o7",
]


def as_yaml(data: Data) -> bytes:
    """Data as a file, in any of YAML's styles that say the same."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode()
