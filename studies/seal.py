"""SHA-256 digests, so that damage is found when files are read again: a manifest's of itself and the files beside it, a file's in it.

This finds accidents. Whoever changes a file on purpose can change its digest, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any

from seawall.protocols.errors import SeawallError

MANIFEST = "manifest.json"
_ROOT = Path(__file__).parent.parent
_DIGESTS = "sha256"
_MARK = b"sha256:"
ROOM = _MARK + b"0" * 64
"""What a file has in the place of its own digest before it is stamped."""


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


def stamped(content: bytes) -> bytes:
    """A file with its digest in the last `ROOM` of it, which must be there: of all its bytes, the room as it was."""
    before, room, after = content.rpartition(ROOM)
    if not room:
        raise ValueError("there is no room for a digest")
    return b"".join((before, _MARK, hashlib.sha256(content).hexdigest().encode(), after))


def is_stamped(content: bytes) -> bool:
    """Tell whether a file has the digest of what it holds."""
    before, mark, rest = content.rpartition(_MARK)
    found, after = rest[:64], rest[64:]
    return bool(mark) and found == hashlib.sha256(b"".join((before, ROOM, after))).hexdigest().encode()


def read_json(file: Path) -> dict[str, Any]:
    """Keys and values of a JSON file.

    Raises:
        NoRunError: it is missing or damaged.
    """
    if not file.is_file():
        raise NoRunError(f"{file}: is missing")
    try:
        found = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise NoRunError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise NoRunError(f"{file}: is not the JSON that a run writes ({error})") from None
    if not isinstance(found, dict):
        raise NoRunError(f"{file}: is not the JSON that a run writes (no keys and values)")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


@contextmanager
def understood(*folders: Path) -> Iterator[None]:
    """Name folders whose files have all that they must, and yet cannot be made sense of: somebody has changed them, or Seawall is wrong.

    Raises:
        NoRunError: instead of whatever the files led to, with the place in the source.
    """
    try:
        yield
    except (SeawallError, OSError, MemoryError):
        raise
    except Exception as error:
        places = extract_tb(error.__traceback__)[1:]  # after the `yield` above
        last = next((place for place in reversed(places) if Path(place.filename).parent.parent == _ROOT), places[-1])
        said = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
        names = ", ".join(map(str, folders))
        raise NoRunError(f"{names}: the files do not fit together; {said}. If nobody changed them, this is a defect of Seawall") from error


def _damaged(file: Path) -> NoRunError:
    return NoRunError(f"{file}: is not as the run wrote it: its SHA-256 digest is another than the manifest's")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _digest_of(manifest: dict[str, Any]) -> str:
    """The same before a manifest is written and after it is read."""
    return hashlib.sha256(json.dumps(json.loads(json.dumps(manifest)), sort_keys=True).encode()).hexdigest()
