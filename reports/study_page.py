"""The page of a study: one HTML file around its answer, charts and tables, and its figures as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from seawall.reports.ensemble import REPORT, environment
from seawall.reports.html import write_figures
from seawall.reports.style import Chart
from seawall.reports.svg import draw, inline_svg
from seawall.reports.tables import Table
from seawall.studies.store import write


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on it, in this order.

    Attributes:
        title: the study's name.
        about: its own words.
        answer: the finding, in sentences.
        charts: with titles and notes.
        tables: in words.
        notes: how it was done and how to read it.
        commands: that play parts of it again.
    """

    title: str
    about: str
    answer: Sequence[str]
    charts: Sequence[Chart]
    tables: Sequence[Table]
    notes: Sequence[str]
    commands: Sequence[str]


def write_page(page: Page, folder: Path) -> Path:
    """Write `report.html` and `figures/`, and return the page's path; each figure is drawn once."""
    drawings = [(chart, draw(chart)) for chart in page.charts]
    template = environment().get_template("study.html.j2")
    text = template.render(page=page, charts=[(chart, Markup(inline_svg(chart, drawn))) for chart, drawn in drawings])
    file = folder / REPORT
    write(file, lambda part: part.write_text(text, encoding="utf-8"))
    write_figures(drawings, folder / "figures")
    return file
