"""The folder of an ensemble while it grows: what it is bound to, and that one run at a time writes to it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seawall.protocols.errors import SeawallError
from seawall.scenarios.load import Loaded
from seawall.studies.store import MANIFEST, write

BOUND = "ensemble.json"
CHUNKS = "chunks"
LOCK = ".lock"
PACKAGES = ("seawall", "numpy", "scipy", "numba", "pyarrow")
"""Those whose version may change a byte of the results."""
_ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("protocols", "agents", "prices", "models", "scenarios", "studies")


class FolderInUse(SeawallError, BlockingIOError):
    """Another run writes to this folder; the text names its process."""


class OtherEnsemble(SeawallError, ValueError):
    """A folder that belongs to another ensemble, or that is not to be written over; the text says what differs."""


def bind(loaded: Loaded, *, seed: int, first_path: int, chunk_paths: int, kept_series: int) -> dict[str, Any]:
    """What the bytes of an ensemble depend on. The number of paths is not among it: a longer one goes on where a shorter one ended."""
    return {
        "scenario": loaded.scenario.name,
        "digest": loaded.digest,
        "settings": list(loaded.settings),
        "seed": seed,
        "first_path": first_path,
        "chunk_paths": chunk_paths,
        "kept_series": kept_series,
        "versions": {name: version(name) for name in PACKAGES},
        "code": _code(),
        "machine": platform.machine(),
    }


@cache
def _code() -> str:
    """Twelve hex digits that stand for the source of everything a path goes through."""
    sha = hashlib.sha256()
    for source in sorted(source for folder in _FOLDERS for source in (_ROOT / folder).glob("*.py")):
        sha.update(source.read_bytes())
    return sha.hexdigest()[:12]


def fingerprint(bound: dict[str, Any]) -> str:
    """Sixteen hex digits of it, which every chunk carries."""
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, which is made if need be.

    The lock is the system's (`flock`), so it ends with its process, however that dies: one left behind by a crash holds nobody up.

    Raises:
        FolderInUse: another process, or another thread of this one, is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise FolderInUse(f"{folder}: process {holder} is running an ensemble there; wait for it, or give another --out") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def prepare(folder: Path, bound: dict[str, Any], *, resume: bool) -> None:
    """Make a folder ready for paths: emptied of an old ensemble, or found to be this one's.

    Raises:
        OtherEnsemble: to be resumed, but of other paths; or begun and not finished, and not to be resumed.
    """
    chunks = folder / CHUNKS
    chunks.mkdir(exist_ok=True)
    begun = _read(folder / BOUND)
    if resume:
        _refuse_other(folder, begun, bound)
    elif begun is not None:
        _refuse_unfinished(folder)
        for file in chunks.glob("paths-*.parquet"):
            file.unlink()
    for part in (*folder.glob(".*.part"), *chunks.glob(".*.part")):  # left by a run that was killed while writing
        part.unlink()
    (folder / MANIFEST).unlink(missing_ok=True)
    write(folder / BOUND, lambda file: file.write_text(json.dumps(bound, indent=2) + "\n", encoding="utf-8"))


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _refuse_other(folder: Path, begun: dict[str, Any] | None, bound: dict[str, Any]) -> None:
    if begun is None or begun == bound:
        return
    differ = [f"{key} {begun.get(key)} there, {value} here" for key, value in bound.items() if begun.get(key) != value]
    raise OtherEnsemble(f"{folder}: belongs to another ensemble and cannot be resumed: {'; '.join(differ)}")


def _refuse_unfinished(folder: Path) -> None:
    whole = len(list((folder / CHUNKS).glob("paths-*.parquet")))
    if whole and not (folder / MANIFEST).exists():
        text = f"{folder}: holds {whole} chunks of an ensemble that was not finished; go on with --resume, or remove the folder"
        raise OtherEnsemble(text)
