"""The summary of a tuning study on the terminal: one screen, the answer first, then the recommended point beside the runner-up."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.reports.ensemble import REPORT
from seawall.reports.style import shortened
from seawall.reports.tune_check_words import checks
from seawall.reports.tune_result import Tuning, load
from seawall.reports.tune_tables import figures
from seawall.reports.tune_units import in_words
from seawall.reports.tune_words import briefly
from seawall.reports.words import number, plain, printable
from seawall.studies.tune_files import RECOMMENDATION

WIDTH, LINES = 80, 24
_ANSWER, _CHECKS = 6, 6  # lines at most
_LABEL, _CELL = 22, 28  # columns


def print_tuning(folder: Path, console: Console) -> None:
    """Print what a study found, at most `LINES` lines of `WIDTH` columns but for long file names.

    Raises:
        NoRunError: the folder holds no study, or one that is damaged.
    """
    found = load(folder)
    opening, checked = _wrapped(briefly(found), _ANSWER), _wrapped(checks(found), _CHECKS)
    closing = [*([f"Paste   {folder / RECOMMENDATION}"] if found.paste else []), f"Report  {folder / REPORT}"]
    counts = f"  {number(found.answer['points'])} points, {number(found.answer['paths_played'])} paths, seed {found.answer['seed']}"
    console.print(Text.assemble((shortened(printable(found.spec.name), WIDTH - len(counts)), "bold"), counts))
    console.print(Text("\n".join(opening)))
    _print_points(found, console, LINES - len((*opening, *checked, *closing)) - 2)  # the name and the heading of the table
    for text in (*checked, *closing):
        console.print(Text(printable(text)), soft_wrap=True)


def _wrapped(sentences: Sequence[str], most: int) -> list[str]:
    """Sentences as lines; cut where there is no room, the page has all of them."""
    return textwrap.wrap(printable(" ".join(sentences)), WIDTH, max_lines=most, placeholder=" ...")


def _print_points(found: Tuning, console: Console, room: int) -> None:
    """The table of the best two points, in as many lines as there are."""
    shown = (found.best or found.closest)[:2]
    if not shown:
        return
    names = ("Recommended", "Runner-up") if found.best else tuple(f"Point {entry['number']}" for entry in shown)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True, max_width=_LABEL)
    for name in names[: len(shown)]:
        table.add_column(name, no_wrap=True, max_width=_CELL)
    rows = [(_label(found, label), *cells) for label, _, cells in figures(found, shown)]
    kept = rows if len(rows) <= room else rows[: room - 1]
    for row in kept:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)
    if len(kept) < len(rows):
        console.print(Text(f"{len(rows) - len(kept)} more rows in the report", style="dim"))


def _label(found: Tuning, label: str) -> str:
    """A row's label; that of a constraint with its limit."""
    ends = {
        plain(name): f" {'<=' if limit.is_upper else '>='} {in_words(limit.limit, found.units[name])}"
        for name, limit in found.limits.items()
    }
    return shortened(label, _LABEL - len(ends.get(label, ""))) + ends.get(label, "")
