"""Price checks and calibrations on the terminal, and the files that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.reports import price_check
from seawall.reports.fan import fan_chart
from seawall.reports.fit_figures import fit_chart
from seawall.reports.style import Chart
from seawall.reports.svg import draw, file_svg
from seawall.reports.words import number, printable
from seawall.studies.calibration import Calibration, compare
from seawall.studies.price_check import PriceCheck, as_entry
from seawall.studies.store import write


def write_prices(found: PriceCheck, folder: Path) -> Path:
    """Write the fan chart as `prices.svg` into a folder, and return its path."""
    return _write_chart(fan_chart(found), folder)


def write_fit(found: Calibration, folder: Path) -> Path:
    """Write the figure of a calibration into a folder, and return its path."""
    return _write_chart(fit_chart(found), folder)


def _write_chart(chart: Chart, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chart.name}.svg"
    text = file_svg(draw(chart))
    write(path, lambda file: file.write_text(text, encoding="utf-8", newline="\n"))
    return path


def print_prices(found: PriceCheck, console: Console, file: Path) -> None:
    """Print configured beside realised moments, the verdict, and where the chart is."""
    entry = as_entry(found.rows, found.why)
    console.print(Text(printable(found.name), style="bold"))
    console.print(Text(_drawn(found)))
    if entry["rows"]:
        console.print(_table(entry["rows"]))
    for sentence in price_check.verdict(entry["rows"], entry["why"]):
        console.print(Text(printable(sentence)))
    console.print(Text(f"Chart   {file}"), soft_wrap=True)


def _table(rows: Sequence[price_check.Row]) -> Table:
    """A line a moment, so that it fits on 80 columns however many moments there are."""
    shown = price_check.long_table(rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, heading in enumerate(shown.headings):
        is_number = shown.texts <= i < len(shown.headings) - 1
        table.add_column(Text(heading), justify="right" if is_number else "left")
    for row in shown.rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _drawn(found: PriceCheck) -> str:
    many = f"{number(found.paths)} path{'s' * (found.paths != 1)}"
    worth = f", worth {number(found.effective_paths)} of equal weight" if found.effective_paths < found.paths - 0.5 else ""
    checked = f"; moments of the first {number(found.checked)}" if found.checked < found.paths else ""
    return f"{many} of {number(len(found.assets))} assets{worth}{checked}."


def print_calibrations(found: Sequence[Calibration], console: Console, files: Sequence[Path], *, asset: str) -> None:
    """Print every fit with its part of a scenario, and which has the lowest BIC."""
    for each, file in zip(found, files, strict=True):
        for text in each.summary_lines():
            console.print(Text(printable(text)), soft_wrap=True)
        if each.fit.process is not None:
            console.print(Text("\nprices.assets:"))
            console.print(Text(each.yaml(asset)), soft_wrap=True)
        console.print(Text(f"Chart   {file}\n"), soft_wrap=True)
    ranked = compare(found)
    if len(ranked) > 1:
        console.print(Text(f"Lowest BIC: {', '.join(f'{each.fit.model} {number(each.fit.bic or 0.0)}' for each in ranked)}."))
