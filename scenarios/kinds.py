"""Whether a file is a scenario or a study, and of which kind, by keys that only one of them has: so that a wrong command can say so."""

from __future__ import annotations

from typing import Any

from seawall.protocols.errors import Fault, ScenarioError
from seawall.scenarios.yaml_lines import Document

_KEYS = {"objectives": "tune", "require": "reverse", "outcomes": "sensitivity", "prices": "run"}
NAMES = {"run": "scenario", "tune": "tuning study", "reverse": "reverse stress test", "sensitivity": "sensitivity study"}
"""What the file of each command is called."""


def command_for(data: Any) -> str | None:
    """The command that plays such data; None where no key tells."""
    return next((command for key, command in _KEYS.items() if key in data), None) if isinstance(data, dict) else None


def refuse_other(document: Document, command: str) -> None:
    """Refuse (ScenarioError) a file that another command plays, and name that command."""
    other = command_for(document.data)
    if other in (None, command):
        return
    hint = "; to search along one of its keys: --breach, --along, --low and --high" if (command, other) == ("reverse", "run") else ""
    message = f"is a {NAMES[other]}, not a {NAMES[command]}: python run.py {other} {document.file}{hint}"
    raise ScenarioError([Fault(document.file, None, "", message)])
