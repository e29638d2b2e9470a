"""One writer at a time in a folder of results."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seawall.protocols.errors import SeawallError

LOCK = ".lock"
_LOOK_EVERY_S = 0.05


class FolderInUse(SeawallError, BlockingIOError):
    """Another run writes to this folder; the text names its process."""


class LinkedFolder(SeawallError, OSError):
    """A link in the place of a folder of results; the text names it."""


def refuse_link(folder: Path) -> None:
    """Refuse (LinkedFolder) a link in the place of a folder of results."""
    if folder.is_symlink():
        raise LinkedFolder(f"{folder}: is a link, which could lead anywhere; nothing is written through it")


@contextmanager
def locked(folder: Path, *, patience_s: float = 0.0) -> Iterator[None]:
    """Keep other runs out of a folder, which is made if need be.

    The lock is the system's (`flock`), so it ends with its process, however that dies: one left behind by a crash holds nobody up.

    Args:
        folder: of results.
        patience_s: seconds to wait for whoever is at work there, >= 0.

    Raises:
        FolderInUse: another process, or another thread of this one, is at work there.
        LinkedFolder: it is a link.
        OSError: the folder cannot be made or written to, or its file system knows no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refuse_link(folder)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)  # a link under this name could lead anywhere
    try:
        _take(lock, folder, patience_s)
        _say_who(lock, f"{os.getpid()}\n")
        yield
        _say_who(lock, "")
    finally:
        os.close(lock)


def _take(lock: int, folder: Path, patience_s: float) -> None:
    end = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
                raise FolderInUse(f"{folder}: process {holder} is writing there; wait for it, or give another --out") from None
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(folder / LOCK)) from None
        time.sleep(_LOOK_EVERY_S)


def _say_who(lock: int, text: str) -> None:
    with suppress(OSError):  # on a full disk nobody learns who is at work; the lock holds all the same
        os.ftruncate(lock, 0)
        os.pwrite(lock, text.encode(), 0)
