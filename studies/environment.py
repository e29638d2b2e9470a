"""What the bytes of a path depend on besides its scenario and seed: versions, code and arithmetic of whoever plays it."""

from __future__ import annotations

import hashlib
import math
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("seawall", "numpy", "scipy", "numba", "pyarrow", "pandas", "arch", "statsmodels", "exchange-calendars", "tzdata")
"""Those whose version may change a byte of the results."""
_ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("protocols", "agents", "prices", "models", "scenarios", "studies")
_PROBES = 4_096
"""Numbers on which arithmetic is tried; where libraries of two processors differ, they do on one in some hundreds."""


@cache
def environment() -> dict[str, Any]:
    """Versions, digest of the code, kind of machine and digest of its arithmetic; whoever agrees in all of it gets the same bytes."""
    return {
        "versions": {name: version(name) for name in PACKAGES},
        "code": _code(),
        "machine": platform.machine(),
        "arithmetic": _arithmetic(),
    }


def differences(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """What differs, a line each: the key, what it is there and here."""
    return [f"{key} {there.get(key)} there, {value} here" for key, value in here.items() if there.get(key) != value]


def _code() -> str:
    """Twelve hex digits that stand for the source of everything a path goes through."""
    sha = hashlib.sha256()
    for source in sorted(source for folder in _FOLDERS for source in (_ROOT / folder).glob("*.py")):
        sha.update(source.read_bytes())
    return sha.hexdigest()[:12]


def _arithmetic() -> str:
    """Twelve hex digits that stand for the last bits of elementary functions and matrix products, which differ between kinds of processor.

    NumPy, its linear algebra and the C library choose their code by the processor that they find (docs/numerics.md).
    """
    x = (np.arange(_PROBES) + 0.5) * (8.0 / _PROBES)
    square = x[: 32 * 32].reshape(32, 32)
    arrays = (np.exp(x), np.exp(-x), np.log(x), np.sin(x), np.cos(x), np.tanh(x), x**1.7, square @ square)
    scalars = [(math.exp(-value), math.log(value), math.pow(value, 1.7)) for value in x.tolist()]
    return hashlib.sha256(b"".join(values.tobytes() for values in (*arrays, np.array(scalars)))).hexdigest()[:12]
