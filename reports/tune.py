"""The page of a tuning study: one HTML file that needs nothing else, made from the files of its folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from seawall.reports import tune_tables as tables
from seawall.reports.ensemble import REPORT, environment
from seawall.reports.html import write_figures
from seawall.reports.svg import draw, inline_svg
from seawall.reports.tune_check_words import checks
from seawall.reports.tune_figures import tune_charts
from seawall.reports.tune_result import Tuning, called, load
from seawall.reports.tune_terms import TERMS, assumptions
from seawall.reports.tune_words import answer
from seawall.reports.words import duration, number, percent
from seawall.studies.store import write


def write_tuning_report(folder: Path) -> Path:
    """Write `report.html` and `figures/` into the folder of a study, and return the page's path; each figure is drawn once.

    Raises:
        NoRunError: the folder holds no study, or one that is damaged.
    """
    found = load(folder)
    drawings = [(chart, draw(chart)) for chart in tune_charts(found)]
    page = (
        environment()
        .get_template("tune.html.j2")
        .render(
            study=found.answer,
            run=found.manifest,
            answer=answer(found),
            checks=checks(found),
            chosen=tables.chosen(found),
            neighbours=tables.neighbours(found),
            paste=found.paste,
            commands=list(commands(found)),
            again=_command(found.answer),
            charts=[(chart, Markup(inline_svg(chart, drawn))) for chart, drawn in drawings],
            frontier=tables.frontier(found),
            check_table=tables.checks(found),
            effort=effort(found),
            more=[table for table in (tables.excused(found), tables.failed(found), tables.asked(found)) if table.rows],
            assumptions=list(assumptions(found)),
            terms=TERMS,
            took=duration(found.manifest["seconds"]),
        )
    )
    file = folder / REPORT
    write(file, lambda part: part.write_text(page, encoding="utf-8"))
    write_figures(drawings, folder / "figures")
    return file


def _command(answer: dict[str, Any]) -> str:
    outside = " --allow-outside" if answer["allow_outside"] else ""
    return f"python run.py tune {shlex.quote(answer['study_file'])} --seed {answer['seed']}{outside}"


def commands(found: Tuning) -> Iterator[tuple[str, str]]:
    """What each point is called, and the commands that play its paths again."""
    for entry in found.best or found.closest:
        yield called(found, entry["values"]), "\n".join(entry["commands"])


def effort(found: Tuning) -> str:
    """Paths played, and how many the search saved."""
    played, full = found.answer["paths_played"], found.answer["paths_without_halving"]
    said = f"The search played {number(played)} paths over {number(found.answer['points'])} points"
    if full > played:
        each = f"all points with {number(found.spec.search.paths)} paths each would have taken {number(full)}"
        said += f"; {each}, so {percent(1.0 - played / full)} were saved"
    return f"{said}. Points explained instead of simulated: {number(found.answer['excused'])}."
