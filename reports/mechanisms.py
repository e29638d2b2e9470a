"""The comparison of mechanisms: a table for the terminal, and a figure with every interval."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.reports.glossary import define
from seawall.reports.style import BLUE, INK, MUTED, Chart, house_style
from seawall.reports.svg import draw, file_svg
from seawall.reports.words import NOT_COMPUTED, number, percent, printable, quantity
from seawall.studies.mechanisms import FIGURES, MECHANISMS, Comparison
from seawall.studies.store import write

_ROW_INCHES = 0.62


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write the files of a comparison.

    `mechanisms.parquet` has means and intervals, `mechanism_paths.parquet` a row per path and mechanism, `mechanism_failures.parquet` a row
    per path that failed, `mechanisms.svg` the figure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "mechanisms.parquet", lambda file: comparison.table.to_parquet(file, index=False))
    write(folder / "mechanism_paths.parquet", lambda file: comparison.paths.to_parquet(file, index=False))
    write(folder / "mechanism_failures.parquet", lambda file: comparison.failed.to_parquet(file, index=False))
    picture = file_svg(draw(chart(comparison)))
    write(folder / "mechanisms.svg", lambda file: file.write_text(picture, encoding="utf-8"))


def print_comparison(comparison: Comparison, console: Console, folder: Path) -> None:
    """Print the means with their intervals, one line per figure and mechanism; a star where the difference from RFQ routing is clear."""
    failed = f", {number(len(comparison.failed))} left out that failed" if len(comparison.failed) else ""
    runs = f"  {number(comparison.paths['path'].nunique())} paths with each mechanism{failed}, seed {comparison.seed}"
    console.print(Text.assemble((printable(comparison.name), "bold"), runs))
    table = Table("", "Mean", "95 % interval", "Less RFQ routing", box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        column.no_wrap = True
    for name in FIGURES:
        table.add_row(Text(_heading(name), "bold"))
        for row in comparison.table[comparison.table["figure"] == name].to_dict("records"):
            table.add_row(f"  {MECHANISMS[row['mechanism']]}", *_cells(row))
    console.print(table)
    console.print(Text("* the 95 % interval of the paired difference leaves out 0", style="dim"))
    for line in _failures(comparison):
        console.print(Text(line), soft_wrap=True)
    console.print(Text(f"Files   {folder}"), soft_wrap=True)


def _failures(comparison: Comparison) -> Iterator[str]:
    """The first path that failed, with why and the command that plays it again."""
    for row in comparison.failed.head(1).to_dict("records"):
        more = f", and {number(len(comparison.failed) - 1)} more" if len(comparison.failed) > 1 else ""
        yield printable(f"Failed  path {row['path']} with {MECHANISMS[row['mechanism']]}: {row['type']}: {row['error']}{more}")
        yield printable(f"Replay  {row['command']}")


def _heading(name: str) -> str:
    return define(name).label + {"USD": ", USD", "per_year": ", per year"}.get(FIGURES[name], "")


def _cells(row: dict[Any, Any]) -> tuple[str, str, str]:
    """Mean, interval and difference, their unit left to the heading; what is not computed is said once."""
    mean, low, high, difference = (_bare(row[name], row["unit"]) for name in ("mean", "low", "high", "difference"))
    if math.isnan(row["mean"]):
        return mean, "", ""
    if row["mechanism"] == "rfq" or math.isnan(row["difference"]):
        return mean, f"{low} to {high}", ""
    clear = row["difference_low"] > 0.0 or row["difference_high"] < 0.0
    return mean, f"{low} to {high}", difference + (" *" if clear else "")


def _bare(value: float, unit: str) -> str:
    return quantity(value, "fraction" if unit == "per_year" else unit).removesuffix(" USD")


@house_style()
def chart(comparison: Comparison) -> Chart:
    """A panel per figure with the mean and its interval of every mechanism."""
    figure = Figure(figsize=(5.0, 0.5 + len(FIGURES) * (0.45 + _ROW_INCHES)), layout="constrained")
    panels = figure.subplots(len(FIGURES), 1, squeeze=False)[:, 0]
    for ax, name in zip(panels, FIGURES, strict=True):
        _draw(ax, comparison.table[comparison.table["figure"] == name], name)
    paths = comparison.paths["path"].nunique()
    cost = comparison.table[comparison.table["figure"] == "avmm_execution_cost"].set_index("mechanism")["mean"]
    title = f"A trader's cost: {', '.join(f'{MECHANISMS[key]} {percent(cost[key])}' for key in MECHANISMS if cost[key] == cost[key])}"
    failed = f" {number(len(comparison.failed))} paths that failed are left out." if len(comparison.failed) else ""
    note = f"Means of {number(paths)} paths with 95 % intervals (Student); the same LPs, orders and prices with every mechanism.{failed}"
    spoken = "; ".join(_words(comparison.table, name) for name in FIGURES)
    return Chart("mechanisms", title, f"Mean and interval of each figure by mechanism. {spoken}.", note, figure)


def _draw(ax: Axes, rows: pd.DataFrame, name: str) -> None:
    scale = 1.0 if FIGURES[name] == "USD" else 100.0
    for place, row in enumerate(rows.to_dict("records")):
        colour = BLUE if row["mechanism"] == "rfq" else INK
        if math.isnan(row["mean"]):
            ax.text(0.99, -place, NOT_COMPUTED, transform=ax.get_yaxis_transform(), color=MUTED, ha="right", va="center", fontsize="small")
            continue
        ax.plot([scale * row["low"], scale * row["high"]], [-place, -place], color=colour, linewidth=1.6)
        ax.plot(scale * row["mean"], -place, marker="o", markersize=4.5, color=colour)
    ax.axvline(0.0, color=MUTED, linewidth=0.6)
    ax.set_yticks([-place for place in range(len(rows))], [MECHANISMS[key] for key in rows["mechanism"]])
    ax.set_ylim(0.6 - len(rows), 0.6)
    ax.margins(x=0.06)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    ax.grid(axis="x")
    ax.grid(axis="y", visible=False)
    ax.set_title(f"{define(name).label} ({'USD' if scale == 1.0 else _percent_unit(name)})")


def _percent_unit(name: str) -> str:
    return "% per year" if FIGURES[name] == "per_year" else "%"


def _words(table: pd.DataFrame, name: str) -> str:
    rows = table[table["figure"] == name].to_dict("records")
    return f"{define(name).label}: " + ", ".join(f"{MECHANISMS[row['mechanism']]} {quantity(row['mean'], FIGURES[name])}" for row in rows)
