"""Files that a scenario names may change while it is played: how that is noticed."""

from __future__ import annotations

from pathlib import Path

from seawall.protocols.errors import PriceFileError
from seawall.scenarios.load import Loaded

Stamp = tuple[int, int, int, int]
"""Of a file: times of its last change, by content and by anything, nanoseconds; bytes; number in the file system."""


def stamp(file: Path) -> Stamp | None:
    """What is another after every change, even by a tool that keeps a file's time; None where there is no file."""
    try:
        found = file.stat()
    except OSError:  # whoever reads the file says why
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def changed_since(loaded: Loaded, digest: str) -> str | None:
    """Say which files differ from when the scenario had a digest; None where all are as they were.

    Raises:
        PriceFileError: a file is gone, or can no longer be read.
    """
    if loaded.digest == digest:
        return None
    files = " or ".join(str(file) for file in (loaded.prices_file, loaded.positions_file) if file is not None)
    return f"{files}: has changed"


def refuse_changed(loaded: Loaded, digest: str) -> None:
    """Refuse (PriceFileError) what was read of a scenario's files since it had a digest, if they are others now."""
    if said := changed_since(loaded, digest):
        raise PriceFileError(f"{said} while it was read; run it again")
