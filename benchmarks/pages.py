"""Tables in Markdown, and where a file keeps the last ones."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

_START, _END = "<!-- measured: {} -->", "<!-- end: {} -->"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with aligned columns."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (header, *rows)]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def rewrite(file: Path, name: str, text: str) -> None:
    """Put a text in place of what stands between a file's two marks of that name.

    Raises:
        ValueError: the marks are not there.
    """
    before, start, rest = file.read_text(encoding="utf-8").partition(_START.format(name))
    _, end, after = rest.partition(_END.format(name))
    if not (start and end):
        raise ValueError(f"{file} has no marks {_START.format(name)} and {_END.format(name)}")
    file.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def machine() -> str:
    """Cores, processor and versions, on one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("mesa", "numba", "numpy"))
    return f"{os.cpu_count()} cores, {processor()}, {platform.system()}; Python {platform.python_version()}, {versions}"


def processor() -> str:
    """Name of the processor, from /proc/cpuinfo where there is one."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
