"""A reverse stress test: its page, its chart and its table for the terminal."""

from __future__ import annotations

import textwrap
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from seawall.reports.reverse_words import answer, level, name, question, unit, value, ways
from seawall.reports.study_page import Page, write_page
from seawall.reports.style import BLUE, CLOSED, INK, MOST_PANELS, MUTED, VERMILION, Chart, house_style, shortened
from seawall.reports.tables import Table
from seawall.reports.tune_units import column, on_axis, scale_of, ticks
from seawall.reports.words import capital, confidence, duration, number, percent, printable
from seawall.studies.reverse import Answer, Outcome, Reversed
from seawall.studies.verdicts import Verdict

_WIDTH = 80
_BOUNDS = "Bounds of probabilities are exact (Clopper and Pearson 1934) where paths have no weights, others approximate."
_MOST_ROWS = 12
_COLOURS = {Verdict.MET: BLUE, Verdict.OPEN: MUTED, Verdict.BROKEN: VERMILION}
_MARKERS = {Verdict.MET: "o", Verdict.OPEN: "d", Verdict.BROKEN: "X"}


def write_reverse(found: Reversed, folder: Path) -> Path:
    """Write `report.html` and `figures/` into a folder, and return the page's path."""
    tables = [*([cases_table(found)] if len(found.answers) > 1 else []), *(levels_table(found, one) for one in found.answers)]
    commands = [tried.command for one in found.answers for tried in one.levels if tried.value in (one.holds, one.breaks)]
    page = Page(found.spec.name, found.spec.about, answer(found), [chart(found)], tables, notes(found), commands)
    return write_page(page, folder)


def notes(found: Reversed) -> list[str]:
    """How it was done, in sentences."""
    spec, about = found.spec, found.about
    settings = ", ".join(found.scenario.settings) or "none"
    span = f"from {level(found, spec.along.low)} to {level(found, spec.along.high)}"
    asked = f"Scenario {found.scenario.file}, settings {settings}, seed {found.seed}. Along {spec.along.key}, {span}"
    before = f"{number(about['paths'])} paths in all, {number(about['paths_kept_from_before'])} of them from before"
    more = f"{number(spec.paths)} at first, up to {number(spec.most_paths)} where they narrow the interval"
    one_sided = f"the one-sided {confidence(spec.bound_confidence)} bound of the quantity"
    bound = f"A level is met or broken where {one_sided} is on that side of the limit"
    errs = f"so that over {len(spec.looks)} looks either end of the interval errs at most {percent(1 - spec.confidence)} of the time"
    return [
        f"{asked}, to {percent(spec.precision)} of the way between them.",
        f"Every level has the same paths (common random numbers): {more}. {before}.",
        f"{bound}; {errs}, provided that harm grows along the key. {_BOUNDS}",
        f"Played by {about['workers']} at once ({about['players']}) in {duration(about['seconds'])}, begun {about['started']}.",
    ]


def cases_table(found: Reversed) -> Table:
    """The edge in each case."""
    headings = ("Case", "By the estimate", "Surely holds", "Surely broken", "Paths")
    return Table(headings, [_case(found, one) for one in found.answers], 1, f"How far it holds: {name(found)}")


def _case(found: Reversed, one: Answer) -> tuple[str, ...]:
    paths = number(sum(tried.paths for tried in one.levels))
    if one.outcome is not Outcome.FOUND:
        return one.name, str(one.outcome), "-", "-", paths
    until, onwards = ways(one)
    sure = "-" if one.surely_holds is None else f"{until} {level(found, one.surely_holds)}"
    broken = "-" if one.surely_breaks is None else f"{level(found, one.surely_breaks)} {onwards}"
    return one.name, f"{until} {level(found, one.holds)}", sure, broken, paths


def levels_table(found: Reversed, one: Answer) -> Table:
    """Every level that was tried."""
    standings = [tried.standing for tried in one.levels]
    figures = [column([getattr(standing, end) for standing in standings], unit(found)) for end in ("value", "low", "high")]
    rows = [
        (level(found, tried.value), str(tried.standing.verdict), *shown, number(tried.paths))
        for tried, *shown in zip(one.levels, *figures, strict=True)
    ]
    headings = (capital(name(found)), "Limit", "Estimate", "Lower bound", "Upper bound", "Paths")
    return Table(headings, rows, 2, f"Levels tried{f': {one.name}' if one.name else ''}")


@house_style()
def chart(found: Reversed) -> Chart:
    """The quantity along the key, with its bounds and the limit: a panel per case."""
    shown = found.answers[:MOST_PANELS]
    figure = Figure(figsize=(5.0, 0.75 + 1.75 * len(shown)), layout="constrained")
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for ax, one in zip(axes, shown, strict=True):
        _draw(ax, found, one)
    axes[-1].set_xlabel(name(found) + (" (times what the scenario says)" if found.spec.along.scales else ""))
    is_share = found.spec.limit.quantity.statistic == "p"
    figure.supylabel("share of paths" if is_share else on_axis(unit(found)).strip(" ()"), fontsize="medium")
    spoken = "; ".join(f"{level(found, tried.value)}: {value(found, tried.standing.value)}" for one in shown for tried in one.levels)
    note = (
        "Estimates with one-sided bounds: circles meet the limit for sure, crosses break it for sure, diamonds are open. Dashed: the limit."
    )
    note += " Shaded: where the edge lies." if any(one.outcome is Outcome.FOUND for one in shown) else ""
    left_out = f" Shown are {len(shown)} of {len(found.answers)} cases." if len(shown) < len(found.answers) else ""
    title = answer(found)[0].removesuffix(".") if len(found.answers) == 1 else question(found)
    return Chart("reverse", title, f"{found.spec.limit.quantity.text} along {name(found)}. {spoken}.", note + left_out, figure)


def _draw(ax: Axes, found: Reversed, one: Answer) -> None:
    scale = scale_of(unit(found))
    if one.outcome is Outcome.FOUND:
        ax.axvspan(*_between(one), color=CLOSED, linewidth=0)
    for tried in one.levels:
        standing, colour = tried.standing, _COLOURS[tried.standing.verdict]
        assert standing.value is not None
        if standing.low is not None and standing.high is not None:
            ax.plot([tried.value] * 2, [scale * standing.low, scale * standing.high], color=colour, linewidth=1.2)
        ax.plot(tried.value, scale * standing.value, _MARKERS[standing.verdict], color=colour, markersize=4.5)
    ax.axhline(scale * found.spec.limit.limit, color=INK, linewidth=0.9, linestyle="--")
    if found.spec.along.spacing == "log":
        ax.set_xscale("log")
    ax.margins(x=0.04)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(ticks(unit(found)))
    ax.set_title(shortened(one.name or found.spec.limit.quantity.text, 60))


def _between(one: Answer) -> tuple[float, float]:
    """Where the edge lies: from level to level, or to the end where none is sure."""
    harmless, harmful = [one.levels[0].value, one.levels[-1].value][:: 1 if one.is_rising else -1]
    return (
        harmless if one.surely_holds is None else one.surely_holds,
        harmful if one.surely_breaks is None else one.surely_breaks,
    )


def print_reverse(found: Reversed, console: Console, page: Path) -> None:
    """Print the answer, and the levels around the edge, or the cases where there are several."""
    console.print(Text.assemble((printable(found.spec.name), "bold"), f"  {printable(found.scenario.name)}, seed {found.seed}"))
    if len(found.answers) == 1:
        for sentence in answer(found):
            console.print(Text(textwrap.fill(printable(sentence), _WIDTH)))
        table = levels_table(found, found.answers[0])
        console.print(_grid(table, _around(found.answers[0])))
    else:
        words = f"{question(found)}; either sure end at {confidence(found.spec.confidence)}"
        console.print(Text(textwrap.fill(printable(words), _WIDTH)))
        console.print(_grid(cases_table(found), range(len(found.answers))))
    console.print(Text(f"Page    {page}"), soft_wrap=True)


def _around(one: Answer) -> list[int]:
    """Rows of the levels nearest to the edge, ends included, so that all fit on a screen."""
    rows = range(len(one.levels))
    if one.holds is None:
        return list(rows[:_MOST_ROWS])
    edge = [tried.value for tried in one.levels].index(one.holds)
    ends = {0, len(one.levels) - 1}
    return sorted(ends | set(sorted(rows, key=lambda row: abs(row - edge))[: _MOST_ROWS - len(ends)]))


def _grid(table: Table, rows: list[int] | range) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for place, heading in enumerate(table.headings):
        grid.add_column(heading, justify="left" if place < table.texts else "right")
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in table.rows[row]))
    return grid
