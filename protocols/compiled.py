"""`rule`: how a function on rows is compiled, and where the machine code is kept.

Numba's own cache looks only at the file of the function itself, so an edited callee would leave stale code in its callers. The cache folder
is therefore named after a digest of every source file that holds compiled code: another version of Seawall compiles anew. It lies where
nobody else can write.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property, update_wrapper
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core import config as _config
from numba.extending import typeof_impl

config: Any = _config
F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
_COMPILED_FOLDERS = ("protocols", "agents", "models")
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
_FOR_RULES: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_CACHES_KEPT = 3
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OPTIMISATION = 1  # a fifth less to compile than with 3, and no slower: rules are short and branch much


def _source_digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for folder in _COMPILED_FOLDERS:
        for source in sorted((_ROOT / folder).glob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _is_own(folder: Path) -> bool:
    """Make a folder, if need be, and tell whether it can be written to by this user and by no other.

    Numba's cache files are pickles: whoever can put one there runs code here.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            found = folder.stat()
            return found.st_uid == folder.lstat().st_uid == os.getuid() and not found.st_mode & _OTHERS_WRITE
    except OSError:
        return False


def _cache_parents() -> Iterator[Path]:
    yield _ROOT / ".cache" / "numba"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seawall"
    yield Path(tempfile.gettempdir()) / f"seawall-{os.getuid()}"
    passing = tempfile.mkdtemp(prefix="seawall-")  # somebody else has taken that name
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    yield Path(passing)


def _drop_old_caches(current: Path) -> None:
    others = sorted((p for p in current.parent.iterdir() if p != current), key=lambda p: p.stat().st_mtime, reverse=True)
    for folder in others[_CACHES_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _cache_folder() -> Path:
    digest = _source_digest()
    for parent in filter(_is_own, _cache_parents()):
        folder = parent / digest
        is_new = not folder.exists()
        if _is_own(folder):
            if is_new:
                _drop_old_caches(folder)
            return folder
    raise OSError(f"no folder for machine code: not even {tempfile.gettempdir()} can be written to")


def _use_cache() -> Path:
    folder = _cache_folder()
    config.CACHE_DIR = str(folder)
    config.OPT = type(config.OPT)(_OPTIMISATION)
    return folder


CACHE = _use_cache()


def is_compiled_before(*, has_exchange: bool = False, has_avmm: bool = False) -> bool:
    """Tell whether an earlier run, of a market with the same protocols, has filled the cache, so that no compilation is ahead."""
    return bool(config.DISABLE_JIT) or _marker(has_exchange, has_avmm).exists()


def mark_compiled(*, has_exchange: bool = False, has_avmm: bool = False) -> None:
    """Remember that the cache is filled; called after a first run."""
    if not config.DISABLE_JIT:
        _marker(has_exchange, has_avmm).touch()


def _marker(has_exchange: bool, has_avmm: bool) -> Path:
    return CACHE / ("ready" + "-exchange" * has_exchange + "-avmm" * has_avmm)


class Rule:
    """A compiled function. Two are made of it: for rules that call it, and for Python.

    Only the second has the code that unpacks Python's objects. For the `World` with its tables that takes longer to compile than most
    rules do, and it would be compiled again with every rule that calls this one. Each is made when it is first needed, which for most is
    never: the machine code of a round, once it is cached, has all that it calls in it.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Make nothing yet."""
        update_wrapper(self, function)
        self._function = function

    @cached_property
    def for_rules(self) -> Any:
        """What rules call."""
        return numba.njit(**_OPTIONS, **_FOR_RULES)(self._function)

    @cached_property
    def for_python(self) -> Any:
        """What Python calls."""
        return numba.njit(**_OPTIONS)(_twin(self._function))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Called from Python."""
        return self.for_python(*args, **kwargs)

    def __reduce__(self) -> str:
        """Sent to another process by its name, as functions are."""
        return str(self._function.__qualname__)


def _twin(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function under another name, so that the cache keeps the two apart."""
    twin = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    twin.__qualname__ = f"{function.__qualname__}_for_python"
    return twin


@typeof_impl.register(Rule)
def _type_of_rule(value: Rule, _context: Any) -> types.Dispatcher:
    """What rules see of a rule that they call."""
    return types.Dispatcher(value.for_rules)


def rule(function: F) -> F:
    """Compile a function on rows: cached on disk, without the GIL, IEEE division, no fast-math (so both modes agree to the bit).

    Tables are not counted as references (`_nrt`): each call of a function on the `World` would touch thirty counters, which costs more than
    the work of the call. So a rule makes no arrays: who needs room passes it in, and Numba refuses what would allocate.
    """
    return function if config.DISABLE_JIT else cast(F, Rule(function))
