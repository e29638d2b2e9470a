"""The folder of an ensemble while it grows: what it is bound to, and how it is made ready."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from seawall.protocols.errors import SeawallError
from seawall.scenarios.load import Loaded
from seawall.scenarios.named_files import changed_since
from seawall.studies.environment import differences, environment
from seawall.studies.seal import MANIFEST
from seawall.studies.store import own_folder, write

BOUND = "ensemble.json"
CHUNKS = "chunks"


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
        **environment(),
    }


def fingerprint(bound: dict[str, Any]) -> str:
    """Sixteen hex digits of it, which every chunk carries."""
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]


def refuse_changed(loaded: Loaded, bound: dict[str, Any]) -> None:
    """Refuse (OtherEnsemble) to go on with files that are not those that an ensemble is bound to."""
    if said := changed_since(loaded, bound["digest"]):
        raise OtherEnsemble(f"{said} since this ensemble began; with the old file back, the same command with --resume goes on")


def prepare(folder: Path, bound: dict[str, Any], *, resume: bool) -> None:
    """Make a folder ready for paths: emptied of an old ensemble, or found to be this one's.

    Raises:
        OtherEnsemble: to be resumed, but of other paths; or begun and not finished, and not to be resumed.
    """
    chunks = own_folder(folder / CHUNKS)
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
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _refuse_other(folder: Path, begun: dict[str, Any] | None, bound: dict[str, Any]) -> None:
    if begun is None or begun == bound:
        return
    raise OtherEnsemble(f"{folder}: belongs to another ensemble and cannot be resumed: {'; '.join(differences(begun, bound))}")


def _refuse_unfinished(folder: Path) -> None:
    whole = len(list((folder / CHUNKS).glob("paths-*.parquet")))
    if whole and not (folder / MANIFEST).exists():
        text = f"{folder}: holds {whole} chunks of an ensemble that was not finished; go on with --resume, or remove the folder"
        raise OtherEnsemble(text)
