"""The folder of a study while it grows: played paths under `trials/`, kept when it is interrupted; the manifest says that it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seawall.protocols.errors import SeawallError
from seawall.studies.folder_lock import locked
from seawall.studies.seal import MANIFEST
from seawall.studies.store import own_folder

TRIALS = "trials"
_FILES = "*/*/paths-*.parquet"


class UnfinishedStudy(SeawallError, ValueError):
    """A folder with paths of a study that was interrupted, and that nobody said to go on with; the text says how."""


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C: whole files of paths are kept; the text says how to go on."""


@contextmanager
def study_folder(folder: Path, *, resume: bool) -> Iterator[Path]:
    """The folder for trials inside of a study's, which nobody else writes to meanwhile.

    Args:
        folder: of the study.
        resume: whether paths that are there are kept; those that another scenario, seed or version has left are played again.

    Raises:
        UnfinishedStudy: paths are there, and neither `resume` nor a manifest.
        StudyInterrupted: after Ctrl-C.
        FolderInUse: another study is at work there.
    """
    with locked(folder):
        trials = _prepare(folder, resume=resume)
        try:
            yield trials
        except KeyboardInterrupt:
            kept = sum(map(_paths_in, trials.glob(_FILES)))
            raise StudyInterrupted(f"Interrupted; {kept:,} paths are kept. The same command with --resume goes on.") from None


def _prepare(folder: Path, *, resume: bool) -> Path:
    """Empty the folder of trials unless they are to be kept; a study that is at work has no manifest."""
    trials = own_folder(folder / TRIALS)
    there = [] if resume else list(trials.glob(_FILES))
    if there and not (folder / MANIFEST).exists():
        text = f"{folder}: holds {sum(map(_paths_in, there)):,} paths of a study that was not finished; go on with --resume, or remove it"
        raise UnfinishedStudy(text)
    for file in (*there, *trials.glob("*/*/.*.part"), *folder.glob(".*.part")):
        file.unlink()
    (folder / MANIFEST).unlink(missing_ok=True)
    return trials


def _paths_in(file: Path) -> int:
    """Paths in a file of trials, by its name."""
    _, first, last = file.stem.split("-")
    return int(last) - int(first) + 1
