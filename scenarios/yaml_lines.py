"""YAML as plain data with the line of every key; everything that YAML could do beyond that is refused.

Numbers are read as YAML 1.2 does (`1e6` is a number, `1:30` and `yes` are text). No tags, anchors or aliases, no duplicate keys, bounded
size, depth and number of values: a scenario file never runs code, never grows in memory, and is read or refused within seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from seawall.protocols.errors import Fault, ScenarioError

MAX_BYTES = 1_048_576
MAX_DEPTH = 16
MAX_VALUES = 20_000  # keys and values together; a scenario that ships has some hundreds
MAX_DIGITS = 1_000
COMMAND_LINE = "--set"

Key = tuple[str | int, ...]

_NULL = re.compile(r"^(~|null|Null|NULL|)$")
_BOOL = re.compile(r"^(true|True|TRUE|false|False|FALSE)$")
_INT = re.compile(r"^[-+]?[0-9][0-9_]*$")
_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_NOT_FINITE = re.compile(r"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$")


@dataclass
class Document:
    """Plain data of a file, and where each key stands (keys as paths from the top).

    Attributes:
        file: as faults name it.
        data: plain dictionaries, lists, text and numbers.
        lines: line of each key.
        typed: keys whose values came from the command line instead.
    """

    file: str
    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    typed: set[Key] = field(default_factory=set)

    def line(self, key: Key) -> int | None:
        """Line of a key, or of the nearest key above it."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)

    def fault(self, key: Key, message: str) -> Fault:
        """A fault at a key: on its line, or on the command line."""
        if any(key[: len(typed)] == typed for typed in self.typed):
            return Fault(COMMAND_LINE, None, dotted(key), message)
        return Fault(self.file, self.line(key), dotted(key), message)


def text_of(file: Path, *, hint: str = "") -> str:
    """Text of a file that is one, and not too large.

    Args:
        file: where it should be.
        hint: what to say as well where it cannot be read.

    Raises:
        ScenarioError: it cannot be read.
    """
    try:
        if not (file.is_file() or file.is_dir()) and file.exists():  # a device or a pipe, which may never end
            raise ScenarioError([Fault(str(file), None, "", "is not a file")])
        if file.stat().st_size > MAX_BYTES:
            raise ScenarioError([Fault(str(file), None, "", f"larger than {MAX_BYTES:,} bytes")])
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError([Fault(str(file), None, "", f"cannot be read ({error.strerror}){hint}")]) from None
    except UnicodeDecodeError:
        raise ScenarioError([Fault(str(file), None, "", "is not UTF-8 text")]) from None


def scalar(text: str) -> Any:
    """A plain (unquoted) scalar as YAML 1.2 reads it. Raises ValueError for NaN, infinities and integers of too many digits."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"{text[:20]}... has more than {MAX_DIGITS:,} digits")
        return int(text.replace("_", ""))
    if _FLOAT.match(text):
        return float(text.replace("_", ""))
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a finite number")
    return text


def read(text: str, file: str) -> Document:
    """Parse a scenario's text. Raises `ScenarioError` naming file and line."""
    document = Document(file)
    if len(text.encode()) > MAX_BYTES:
        raise ScenarioError([Fault(file, None, "", f"larger than {MAX_BYTES:,} bytes")])
    try:
        _refuse_features(text, document)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ScenarioError([Fault(file, mark.line + 1 if mark else None, "", f"not YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        raise ScenarioError([Fault(file, None, "", f"not YAML: {error}")]) from None
    if node is None:
        raise ScenarioError([Fault(file, 1, "", "is empty; see the scenarios that ship for what belongs here")])
    faults: list[Fault] = []
    document.data = _plain(node, (), document, faults)
    if faults:
        raise ScenarioError(faults)
    return document


def _refuse_features(text: str, document: Document) -> None:
    """Walk the events without building anything: depth, anchors, aliases and tags are refused before they can cost."""
    depth = values = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.ScalarEvent)
        if values > MAX_VALUES:
            raise ScenarioError([Fault(document.file, line, "", f"more than {MAX_VALUES:,} keys and values")])
        if depth > MAX_DEPTH:
            raise ScenarioError([Fault(document.file, line, "", f"nested more than {MAX_DEPTH} deep")])
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ScenarioError([Fault(document.file, line, "", "anchors and aliases (& and *) are not allowed")])
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise ScenarioError([Fault(document.file, line, "", f"the tag {tag} is not allowed")])


def _plain(node: yaml.Node, key: Key, document: Document, faults: list[Fault]) -> Any:
    document.lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, document, faults)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*key, i), document, faults) for i, child in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)  # aliases were refused before
    if node.style is not None:
        return node.value
    try:
        return scalar(node.value)
    except ValueError as error:
        faults.append(Fault(document.file, node.start_mark.line + 1, dotted(key), str(error)))
        return None


def _mapping(node: yaml.MappingNode, key: Key, document: Document, faults: list[Fault]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name_node, value_node in node.value:
        line = name_node.start_mark.line + 1
        if not isinstance(name_node, yaml.ScalarNode):
            faults.append(Fault(document.file, line, dotted(key), "a key must be text"))
            continue
        name = name_node.value
        if name in found:
            faults.append(Fault(document.file, line, dotted((*key, name)), f"stands twice, first on line {document.lines[(*key, name)]}"))
        document.lines[(*key, name)] = line
        found[name] = _plain(value_node, (*key, name), document, faults)
    return found


def dotted(key: Key) -> str:
    """A key as people write it: tassets.tAAPL.auction_discount, shocks[0].change."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
