"""A sensitivity study: bars with intervals, tables, its page, and a table for the terminal."""

from __future__ import annotations

import textwrap
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from seawall.reports.sensitivity_words import answer, between, label, leading_words, notes, shown, split, unit
from seawall.reports.study_page import Page, write_page
from seawall.reports.style import BLUE, INK, MUTED, ORANGE, Chart, house_style, say, shortened
from seawall.reports.tables import Table
from seawall.reports.tune_units import on_axis, scale_of, ticks
from seawall.reports.words import confidence, number, printable
from seawall.studies.indices import LEADING
from seawall.studies.sensitivity import Driven, Sensitivity

_WIDTH = 80
_WORDS = {
    "first": "by itself",
    "total": "with all others",
    "absolute": "absolute effect",
    "effect": "effect",
    "spread": "spread of effects",
}


def write_sensitivity(found: Sensitivity, folder: Path) -> Path:
    """Write `report.html` and `figures/` into a folder, and return the page's path."""
    tables = [*(indices_table(found, one) for one in found.driven if not one.why), ranges_table(found)]
    page = Page(found.spec.name, found.spec.about, answer(found), [chart(found)], tables, notes(found), ())
    return write_page(page, folder)


def indices_table(found: Sensitivity, one: Driven) -> Table:
    """Every index of an outcome, parameters from the strongest to the weakest."""
    headings = ["Parameter"]
    for name in one.indices:
        headings += [_WORDS[name].capitalize(), f"{confidence(found.spec.confidence)} interval"]
    rows = []
    for row in one.order(found.spec.method):
        cells = [label(found.spec.parameters[row].name)]
        for index in one.indices.values():
            cells += [shown(found, one, index.value[row]), between(found, one, index.low[row], index.high[row])]
        rows.append(tuple(cells))
    return Table(tuple(headings), rows, 1, f"What drives {label(one.outcome.name)}: {one.outcome.of}")


def ranges_table(found: Sensitivity) -> Table:
    """What was varied, and how far."""
    rows = [
        (label(one.name), one.key, f"{number(one.low or 0.0)} to {number(one.high or 0.0)}{' times' if one.scales else ''}", one.spacing)
        for one in found.spec.parameters
    ]
    return Table(("Parameter", "Key", "Range", "Spacing"), rows, 4, "What was varied")


@house_style()
def chart(found: Sensitivity) -> Chart:
    """The leading index of each parameter with its interval, a panel per outcome; Sobol's first-order index beside it."""
    rows = len(found.spec.parameters)
    figure = Figure(figsize=(5.0, 0.6 + len(found.driven) * (0.45 + 0.3 * rows)), layout="constrained")
    axes = figure.subplots(len(found.driven), 1, squeeze=False)[:, 0]
    for ax, one in zip(axes, found.driven, strict=True):
        _draw(ax, found, one)
    is_sobol = found.spec.method == "sobol"
    axes[-1].set_xlabel("share of the variance" if is_sobol else "absolute effect over the whole range")
    note = f"Bars: {'total index' if is_sobol else 'mean absolute effect'}, with {confidence(found.spec.confidence)} intervals."
    dots = " Diamonds: by itself (first-order index)." if is_sobol else ""
    spoken = "; ".join(_spoken(found, one) for one in found.driven)
    *names, last = (label(one.outcome.name) for one in found.driven)
    title = f"What drives {', '.join(names)}{' and ' if names else ''}{last}"
    return Chart("sensitivity", title, f"Sensitivity indices. {spoken}.", note + dots, figure)


def _spoken(found: Sensitivity, one: Driven) -> str:
    if one.why:
        return f"{label(one.outcome.name)}: {one.why}"
    named = (f"{label(found.spec.parameters[row].name)} {leading_words(found, one, row)}" for row in one.order(found.spec.method))
    return f"{label(one.outcome.name)}: {', '.join(named)}"


def _draw(ax: Axes, found: Sensitivity, one: Driven) -> None:
    shown_in = unit(found, one.outcome)
    scale = scale_of(shown_in)
    ax.set_title(f"{label(one.outcome.name)}{on_axis(shown_in)}")
    if one.why:
        say(ax, one.why)
        ax.set_xticks([])
        ax.set_yticks([])
        return
    leading, clear = one.indices[LEADING[found.spec.method]], split(found, one)[0]
    order = one.order(found.spec.method)
    for place, row in enumerate(order):
        ax.barh(-place, scale * leading.value[row], height=0.55, color=BLUE if row in clear else MUTED, alpha=0.75, linewidth=0)
        ax.plot([scale * leading.low[row], scale * leading.high[row]], [-place, -place], color=INK, linewidth=1.3)
        if found.spec.method == "sobol":
            ax.plot(one.indices["first"].value[row], -place, "D", color=ORANGE, markeredgecolor=INK, markeredgewidth=0.6, markersize=4.5)
    ax.axvline(0.0, color=MUTED, linewidth=0.8)
    ax.set_yticks([-place for place in range(len(order))], [shortened(label(found.spec.parameters[row].name)) for row in order])
    ax.set_ylim(0.6 - len(order), 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(ticks(shown_in))
    ax.margins(x=0.04)
    ax.grid(axis="x")
    ax.grid(axis="y", visible=False)


def print_sensitivity(found: Sensitivity, console: Console, page: Path) -> None:
    """Print the answer, and the leading index of each parameter for each outcome."""
    size = f"{number(found.spec.rows)} points, {number(found.spec.paths)} paths each, seed {found.seed}"
    console.print(Text.assemble((printable(found.spec.name), "bold"), f"  {printable(found.scenario.name)}, {size}"))
    for sentence in answer(found):
        console.print(Text(textwrap.fill(printable(sentence), _WIDTH)))
    told = [one for one in found.driven if not one.why]
    if told:
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        grid.add_column(_WORDS[LEADING[found.spec.method]].capitalize())
        for one in told:
            grid.add_column(label(one.outcome.name), justify="right")
        for row in told[0].order(found.spec.method):
            cells = (label(found.spec.parameters[row].name), *(leading_words(found, one, row) for one in told))
            grid.add_row(*(Text(printable(cell)) for cell in cells))
        console.print(grid)
    console.print(Text(f"Page    {page}"), soft_wrap=True)
