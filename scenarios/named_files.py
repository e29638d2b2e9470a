"""The price file that a scenario names may change while it is played: how that is noticed. Positions are read once, and cannot."""

from __future__ import annotations

import hashlib
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
    """Say which file differs from when the scenario had a digest; None where it is as it was.

    Raises:
        PriceFileError: it is gone, or can no longer be read.
    """
    return None if loaded.digest == digest else f"{loaded.prices_file}: has changed"


def contents(loaded: Loaded) -> dict[Path, str]:
    """SHA-256 digests, in hex, of a scenario's file and those it names: its price file as it is now, the others as they were read.

    Raises:
        PriceFileError: the price file is gone, or can no longer be read.
    """
    found = {loaded.file: hashlib.sha256(loaded.text.encode()).hexdigest()}
    if loaded.prices_file is not None:
        from seawall.scenarios.text_table import read_content

        found[loaded.prices_file] = hashlib.sha256(read_content(loaded.prices_file)).hexdigest()
    if loaded.positions_file is not None and loaded.positions is not None:
        found[loaded.positions_file] = loaded.positions.digest
    return found


def refuse_changed(loaded: Loaded, digest: str) -> None:
    """Refuse (PriceFileError) what was read of a scenario's price file since it had a digest, if it is another now."""
    if said := changed_since(loaded, digest):
        raise PriceFileError(f"{said} while it was read; run it again")
