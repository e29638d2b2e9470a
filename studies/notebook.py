"""The summary of a run or an ensemble as a table for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

_COLUMNS = {"value": "value", "q05": "5%", "q95": "95%", "unit": "unit", "paths": "paths", "why": ""}


def summary_table(title: str, summary: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """An HTML table of headline figures; everything in it is escaped.

    Args:
        title: what it is of, one line.
        summary: entries by group and name, as in `summary.json`; of an ensemble `value` is the mean over paths.
    """
    rows = {(group, name): entry for group, entries in summary.items() for name, entry in entries.items()}
    kept = [column for column in _COLUMNS if any(column in entry for entry in rows.values())]
    cells = {key: [_cell(entry.get(column)) for column in kept] for key, entry in rows.items()}
    names = pd.MultiIndex.from_tuples(list(cells), names=["group", "figure"]) if cells else None
    frame = pd.DataFrame(list(cells.values()), index=names, columns=[_COLUMNS[column] for column in kept])
    return f"<p>{escape(title)}</p>\n{frame.to_html(escape=True)}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, int | float) else str(value)
