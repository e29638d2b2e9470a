"""Runs and ensembles beside each other: a page of their own, a figure of the differences, and a table for the terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import ascii_uppercase

from markupsafe import Markup
from matplotlib.axes import Axes
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from seawall.reports.definition import Definition
from seawall.reports.ensemble import environment
from seawall.reports.ensemble_terms import LEVELS, STATISTIC_TERMS
from seawall.reports.ensemble_words import bare, bare_interval, label_of_figure, value
from seawall.reports.glossary import define
from seawall.reports.style import BLUE, INK, MUTED, Chart, house_style, panels, say
from seawall.reports.svg import draw, file_svg, inline_svg
from seawall.reports.tables import Table
from seawall.reports.words import NOT_COMPUTED, number, printable
from seawall.studies.compare import Compared, Comparison, Row, is_clear
from seawall.studies.estimate import Estimate
from seawall.studies.store import write

PAGE = "compare.html"
STAR = " *"
STARRED = "* the 95% interval of the difference leaves out 0; differences of percentages in points"
_FEATURED = (
    "bad_debt_usd",
    "shortfall_peak_usd",
    "liquidated_debt_usd",
    "liquidation_efficiency",
    "insolvent_cdps_peak",
    "fee_yield_per_year",
    "lp_net_yield_per_year",
    "owners_loss_usd",
    "unpaid_peak_usd",
    "lp_return_per_year",
    "avmm_lp_net_yield_per_year",
)
"""Figures of which the terminal shows the mean, and of losses CVaR 95%."""
_MOST_BARS = 24
_WIDTH, _LABEL = 80, 32


def write_comparison(found: Comparison, folder: Path) -> Path:
    """Write `compare.html` and `differences.svg` into a folder, and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    chart = differences(found)
    drawn = draw(chart)
    page, file = render(found, chart, drawn), folder / PAGE
    write(file, lambda part: part.write_text(page, encoding="utf-8"))
    write(folder / "differences.svg", lambda part: part.write_text(file_svg(drawn), encoding="utf-8"))
    return file


def render(found: Comparison, chart: Chart, drawn: str) -> str:
    """The page around its figure."""
    template = environment().get_template("compare.html.j2")
    return template.render(
        answer=answer(found),
        runs=runs_table(found),
        chart=chart,
        svg=Markup(inline_svg(chart, drawn)),
        table=table(found),
        starred=STARRED,
        glossary=_glossary(found),
    )


def answer(found: Comparison) -> list[str]:
    """What differs clearly, in a few sentences, run by run."""
    sentences = []
    for k, (letter, pairing) in enumerate(zip(ascii_uppercase[1:], found.pairing, strict=False)):
        clear = [row for row in found.rows if is_clear(row.differences[k])]
        by_figure = {row.figure: row for row in sorted(reversed(clear), key=lambda row: -_rank(row.figure))}
        told = [_change(row, k) for row in sorted(by_figure.values(), key=lambda row: _rank(row.figure))[:3]]
        if told:
            sentences.append(f"{letter} against A: {'; '.join(told)}.")
            sentences.append(f"{number(len(clear))} of {number(len(found.rows))} figures differ clearly ({pairing}).")
        elif any(one is not None and one.low is not None for one in (row.differences[k] for row in found.rows)):
            sentences.append(f"{letter} against A: no figure differs clearly ({pairing}).")
        else:
            sentences.append(f"{letter} against A: {pairing}.")
    return sentences


def _rank(figure: str) -> int:
    return _FEATURED.index(figure) if figure in _FEATURED else len(_FEATURED)


def _change(row: Row, k: int) -> str:
    difference = row.differences[k]
    assert difference is not None and difference.value is not None
    way = "higher" if difference.value > 0.0 else "lower"
    size = Estimate(abs(difference.value), None, None, difference.paths, difference.method)
    return f"{_label(row)} is {value(size, row.unit)} {way} ({bare_interval(difference, row.unit)})"


def _label(row: Row) -> str:
    words = {"value": "", "mean": "mean", "probability": "share of paths that have one", **LEVELS}[row.statistic]
    return label_of_figure(row.figure) + (f" ({words})" if words else "")


def runs_table(found: Comparison) -> Table:
    """What each letter stands for."""
    pairing = ("the others are compared with it", *found.pairing)
    rows = [(letter, *_described(run), words) for letter, run, words in zip(ascii_uppercase, found.runs, pairing, strict=False)]
    headings = ("", "Scenario", "Seed", "Paths", "Settings", "Digest", "Folder", "Compared")
    return Table(headings, rows, len(headings), "What is compared")


def _described(run: Compared) -> tuple[str, ...]:
    manifest = run.manifest
    paths = f"{number(len(run.paths))}" + (f", {number(run.failed)} failed" if run.failed else "")
    kept = paths if run.is_ensemble else f"single run, path {manifest['path']}"
    return run.name, str(manifest["seed"]), kept, ", ".join(manifest["settings"]) or "-", str(manifest["digest"]), str(run.folder)


def table(found: Comparison) -> Table:
    """Every figure of each run, and each difference with its interval."""
    letters = ascii_uppercase[: len(found.runs)]
    headings = ("Figure", *letters, *(part for letter in letters[1:] for part in (f"{letter} - A", "95% interval")))
    rows = [(_label(row), *(_value(one, row) for one in row.values), *_differences(row)) for row in found.rows]
    return Table(headings, rows, 1, "Figures of each, and differences")


def _value(one: Estimate | None, row: Row) -> str:
    return "-" if one is None else value(one, row.unit)


def _differences(row: Row) -> Iterator[str]:
    for one in row.differences:
        yield "-" if one is None or one.value is None else value(one, row.unit) + STAR * is_clear(one)
        yield "-" if one is None else one.why if one.low is None or one.high is None else bare_interval(one, row.unit)


def _glossary(found: Comparison) -> list[tuple[str, Definition]]:
    used = {row.statistic for row in found.rows}
    statistics = [(name, term) for name, term in STATISTIC_TERMS.items() if name in used]
    names = {row.figure.partition(".")[0] for row in found.rows}
    return [*statistics, *sorted(((name, define(name)) for name in names), key=lambda item: item[1].label.lower())]


@house_style()
def differences(found: Comparison) -> Chart:
    """Differences of means from the first run, each in units of its own size in A, with intervals."""
    shown = [row for row in found.rows if row.statistic in ("mean", "value") and _scale(row)]
    shown = sorted(shown, key=lambda row: _rank(row.figure))[:_MOST_BARS]
    figure, axes = panels(len(found.runs) - 1, height=0.24 * max(len(shown), 2) + 0.5)
    for k, ax in enumerate(axes):
        _draw(ax, shown, k)
        ax.set_title(f"{ascii_uppercase[k + 1]} less A")
    axes[-1].set_xlabel("difference, percent of the value in A")
    left_out = len({row.figure for row in found.rows}) - len(shown)
    note = "Points with 95% intervals where there are any; filled where the interval leaves out 0."
    why = f" Not drawn: {number(left_out)} that are 0 or not computed in A, or for which there is no room." if left_out else ""
    alt = "; ".join(f"{label_of_figure(row.figure)}: {_relative(row, k)}" for k in range(len(axes)) for row in shown[:8])
    title = answer(found)[0].removesuffix(".")
    return Chart("differences", title, f"Differences of means. {alt}.", note + why, figure)


def _scale(row: Row) -> float:
    """Size of the figure in A; 0 where nothing can be drawn relative to it."""
    first = row.values[0]
    known = first is not None and first.value is not None and any(one is not None and one.value is not None for one in row.differences)
    return abs(first.value) if known and first is not None and first.value is not None and math.isfinite(first.value) else 0.0


def _relative(row: Row, k: int) -> str:
    one = row.differences[k]
    return NOT_COMPUTED if one is None or one.value is None else f"{100.0 * one.value / _scale(row):.3g}%{STAR * is_clear(one)}"


def _draw(ax: Axes, shown: Sequence[Row], k: int) -> None:
    if not shown:
        say(ax, "no figure to draw")
    for place, row in enumerate(shown):
        one, size = row.differences[k], _scale(row) / 100.0
        if one is None or one.value is None:
            continue
        colour = BLUE if is_clear(one) else INK
        if one.low is not None and one.high is not None:
            ax.plot([one.low / size, one.high / size], [-place, -place], color=colour, linewidth=1.5)
        ax.plot(one.value / size, -place, marker="o", markersize=4.5, color=colour, markerfacecolor=colour if is_clear(one) else "none")
    ax.axvline(0.0, color=MUTED, linewidth=0.8)
    ax.set_yticks([-place for place in range(len(shown))], [label_of_figure(row.figure) for row in shown])
    ax.set_ylim(0.6 - max(len(shown), 1), 0.6)
    ax.margins(x=0.08)
    ax.grid(axis="x")
    ax.grid(axis="y", visible=False)


def print_comparison(found: Comparison, console: Console, file: Path | None = None) -> None:
    """Print what is compared and the featured figures, a table per run but the first; the page has all of them."""
    for letter, run, pairing in zip(ascii_uppercase, found.runs, ("", *found.pairing), strict=False):
        name, seed, paths, settings, *_ = _described(run)
        parts = (name, f"seed {seed}", f"paths {paths}" if run.is_ensemble else paths, *([] if settings == "-" else [settings]))
        words = f"{letter}  {', '.join(parts)}{f'; {pairing}' if pairing else ''}"
        console.print(Text(textwrap.fill(printable(words), _WIDTH, subsequent_indent="   ")))
    for k in range(len(found.pairing)):
        console.print(_grid(found, k))
    if any(run.is_ensemble for run in found.runs):
        console.print(Text(STARRED, style="dim"))
    if file is not None:
        console.print(Text(f"Page    {file}"), soft_wrap=True)


def _grid(found: Comparison, k: int) -> Grid:
    """Featured figures of the first run and of another, without units that the label has."""
    grid, letter = Grid(box=None, pad_edge=False, header_style="bold"), ascii_uppercase[k + 1]
    grid.add_column("", no_wrap=True, max_width=_LABEL)
    for heading in ("A", letter, f"{letter} - A", "95% interval"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for row in found.rows:
        if row.figure in _FEATURED and row.statistic in ("mean", "cvar95", "value"):
            one = row.differences[k]
            ends = "" if one is None or one.low is None else bare_interval(one, row.unit)
            cells = (_bare(row.values[0], row), _bare(row.values[k + 1], row), _bare(one, row) + STAR * is_clear(one), ends)
            grid.add_row(Text(_short(row)), *map(Text, cells))
    return grid


def _short(row: Row) -> str:
    """A label with the unit, the statistic left out where it is the mean."""
    unit = {"USD": " (USD)", "per_year": " (a year)"}.get(row.unit, "")
    return label_of_figure(row.figure) + (f", {LEVELS[row.statistic]}" if row.statistic in LEVELS else "") + unit


def _bare(one: Estimate | None, row: Row) -> str:
    return "-" if one is None or one.value is None else bare(one.value, row.unit)
