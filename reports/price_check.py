"""The check on the path generator in words and as a table: configured beside realised, and who differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seawall.reports.tables import Table
from seawall.reports.words import number

Row = Mapping[str, Any]
"""One check: `asset`, `quantity`, `configured`, `realised`, `p`, `verdict` (see `prices.selfcheck.Check`)."""

_MISSING = "-"
_CORRELATION = "correlation"
_MOST_PAIRS = 6
_UNJUDGED = {"too short to tell": "of what the path is too short to tell", "no closed form": "without a closed form"}


def verdict(rows: Sequence[Row], why: str) -> list[str]:
    """Sentences that say whether the generator made what was configured, and what nobody could judge."""
    differs = [row for row in rows if row["verdict"] == "differs"]
    judged = sum(row["p"] is not None for row in rows)
    said = [why] if why else []
    if differs:
        said += [_difference(row) for row in differs]
        said.append(
            "The generator differs from its configuration: do not trust this run before you know why. By chance alone one in 100 says so."
        )
    elif judged:
        many = f"All {number(judged)} moments that could be judged are" if judged > 1 else "The one moment that could be judged is"
        said.append(f"{many} as configured (1% level over all of them together, Holm).")
    return said + list(_unjudged(rows)) * (not why) + list(_pairs(rows))


def _difference(row: Row) -> str:
    figures = f"{number(row['realised'])} where {number(row['configured'])} is configured (p {row['p']:.1g})"
    return f"{row['asset']} differs: {row['quantity']}: {figures}."


def _unjudged(rows: Sequence[Row]) -> Iterator[str]:
    """How many rows were not judged, by reason, with what they are of."""
    for reason, words in _UNJUDGED.items():
        those = [row for row in rows if row["verdict"] == reason]
        if those:
            what = "; ".join(dict.fromkeys(str(row["quantity"]) for row in those))
            yield f"Not judged: {number(len(those))} {words} ({what})."


def _pairs(rows: Sequence[Row]) -> Iterator[str]:
    """Correlations, a few of them."""
    pairs = [row for row in rows if row["quantity"] == _CORRELATION]
    if pairs:
        more = f"; and {number(len(pairs) - _MOST_PAIRS)} more" if len(pairs) > _MOST_PAIRS else ""
        said = "; ".join(f"{row['asset']} {number(row['realised'])} ({_configured(row)})" for row in pairs[:_MOST_PAIRS])
        yield f"Correlations of the normals that drive the assets: {said}{more}."


def _configured(row: Row) -> str:
    return "not configured" if row["configured"] is None else f"configured {number(row['configured'])}"


def table(rows: Sequence[Row]) -> Table:
    """Two lines an asset, configured above realised (one where nothing is configured), a column a moment."""
    single = [row for row in rows if row["quantity"] != _CORRELATION]
    quantities = list(dict.fromkeys(str(row["quantity"]) for row in single))
    lines: list[tuple[str, ...]] = []
    for asset in dict.fromkeys(str(row["asset"]) for row in single):
        own = {row["quantity"]: row for row in single if row["asset"] == asset}
        for which in ("configured", "realised"):
            cells = [_cell(own.get(quantity), which) for quantity in quantities]
            if which == "realised" or any(cell != _MISSING for cell in cells):
                lines.append((asset, which, *cells))
    caption = "Moments of each asset's own process, before shocks, common jumps and closed hours"
    return Table(("Asset", "", *(_heading(quantity) for quantity in quantities)), lines, 2, caption)


def long_table(rows: Sequence[Row]) -> Table:
    """A line a moment, with its verdict."""
    lines = []
    for row, before in zip(rows, [None, *rows], strict=False):
        asset = "" if before is not None and before["asset"] == row["asset"] else str(row["asset"])
        said = "" if row["verdict"] == "no closed form" else str(row["verdict"])
        lines.append((asset, str(row["quantity"]), _value(row["configured"]), _value(row["realised"]), said))
    return Table(("Asset", "Moment", "Configured", "Realised", "Verdict"), lines, 2, "Configured and realised moments")


def _value(value: float | None) -> str:
    return _MISSING if value is None else number(value)


def _heading(quantity: str) -> str:
    return quantity[:1].upper() + quantity[1:]


def _cell(row: Row | None, which: str) -> str:
    if row is None or row[which] is None:
        return _MISSING
    return _value(row[which]) + (" differs" if which == "realised" and row["verdict"] == "differs" else "")
