"""What a manifest says of the files beside it: their SHA-256 digests and its own, so that damage is found when they are read again.

This finds accidents. Whoever changes a file on purpose can change the manifest, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seawall.protocols.errors import SeawallError

MANIFEST = "manifest.json"
_DIGESTS = "sha256"


class NoRunError(SeawallError, FileNotFoundError):
    """A folder that holds no complete run; the text names it and what is missing or damaged."""


def sealed(manifest: dict[str, Any], folder: Path, files: Iterable[str]) -> dict[str, Any]:
    """A manifest with the digests of files that are written already, and of itself. Raises OSError where one cannot be read."""
    return manifest | {_DIGESTS: {MANIFEST: _digest_of(manifest)} | {name: _digest(folder / name) for name in files}}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder, without its digests; it and every file it names must be as they were written.

    One without digests, which was not written by a run, is taken as it is.

    Raises:
        NoRunError: the manifest is missing or damaged, or another file is; the text names the file.
    """
    manifest = read_json(folder / MANIFEST)
    digests = manifest.pop(_DIGESTS, None)
    if digests is None:
        return manifest
    if not isinstance(digests, dict) or digests.pop(MANIFEST, None) != _digest_of(manifest):
        raise _damaged(folder / MANIFEST)
    for name, digest in digests.items():
        file = folder / Path(name).name
        if not file.is_file():
            raise NoRunError(f"{file}: is missing")
        if _digest(file) != digest:
            raise _damaged(file)
    return manifest


def read_json(file: Path) -> dict[str, Any]:
    """Keys and values of a JSON file.

    Raises:
        NoRunError: it is missing or damaged.
    """
    if not file.is_file():
        raise NoRunError(f"{file}: is missing")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoRunError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise NoRunError(f"{file}: is not the JSON that a run writes ({error})") from None
    if not isinstance(found, dict):
        raise NoRunError(f"{file}: is not the JSON that a run writes (no keys and values)")
    return found


def _damaged(file: Path) -> NoRunError:
    return NoRunError(f"{file}: is not as the run wrote it: its SHA-256 digest is another than the manifest's")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _digest_of(manifest: dict[str, Any]) -> str:
    """The same before a manifest is written and after it is read."""
    return hashlib.sha256(json.dumps(json.loads(json.dumps(manifest)), sort_keys=True).encode()).hexdigest()
