"""The report as one HTML page that needs nothing else: no scripts, no links, figures inline.

Everything that comes from a scenario passes through Jinja's autoescape; the only markup trusted is that of our own figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from seawall.reports import avmm_tables, exchange_tables, price_check, shock_words, tables
from seawall.reports.definition import Definition
from seawall.reports.figures import all_charts
from seawall.reports.glossary import define
from seawall.reports.market_waterfall import waterfall_table
from seawall.reports.result import GROUPS, Entry, Result, answer, has_tassets
from seawall.reports.style import Chart
from seawall.reports.svg import draw, file_svg, inline_svg
from seawall.reports.words import NOT_COMPUTED, duration, label_of, number, on_page, quantity, usd
from seawall.studies.store import own_folder, write

_TEMPLATES = Path(__file__).with_name("templates")
_MOST_SHOCKS = 50  # that a list can hold and still be read


@dataclass(frozen=True, slots=True)
class Card:
    """A headline figure as shown: its name, what it is called, its value, its interval or why there is no value."""

    name: str
    label: str
    value: str
    detail: str


Drawing = tuple[Chart, str]
"""A chart and its `<svg>` element."""


def write_report(result: Result, folder: Path) -> None:
    """Write `report.html` and the figures of a run into its folder; each figure is drawn once."""
    drawings = draw_all(result)
    page = render(result, drawings)
    write(folder / "report.html", lambda file: file.write_text(page, encoding="utf-8"))
    write_figures(drawings, folder / "figures")


def draw_all(result: Result) -> list[Drawing]:
    """Every chart of the report, drawn; equal runs give equal bytes."""
    return [(chart, draw(chart)) for chart in all_charts(result)]


def render(result: Result, drawings: Sequence[Drawing]) -> str:
    """The whole page around the drawings of the same run.

    Raises:
        KeyError: a headline figure has no definition in the glossary.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=on_page,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        run=result.manifest,
        answer=answer(result),
        groups=_groups(result),
        charts=[(chart, Markup(inline_svg(chart, drawn))) for chart, drawn in drawings],
        has_tassets=has_tassets(result),
        liquidations=tables.liquidations(result),
        refusals=tables.refusals(result),
        polls=tables.polls(result),
        owners=tables.owners(result),
        exchange=exchange_tables.all_tables(result),
        avmm=avmm_tables.all_tables(result),
        waterfall=waterfall_table(result),
        moments=tables.moments(result.manifest["path_moments"]),
        path_verdict=price_check.verdict(**_path_check(result.manifest)),
        path_check=price_check.table(_path_check(result.manifest)["rows"]),
        events=_events(result.manifest),
        glossary=_glossary(result),
        paths=_paths(result),
        timings=[(label_of(name), f"{number(seconds)} s") for name, seconds in result.manifest["seconds"].items()],
    )


def write_figures(drawings: Sequence[Drawing], folder: Path) -> list[Path]:
    """Save every drawing as an SVG file of its own, and return their paths."""
    own_folder(folder)
    written = []
    for chart, drawn in drawings:
        path = folder / f"{chart.name}.svg"
        write(path, partial(_write_svg, drawn))
        written.append(path)
    return written


def _write_svg(drawn: str, file: Path) -> None:
    file.write_text(file_svg(drawn), encoding="utf-8", newline="\n")


def _path_check(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The check on the generator; runs of older versions have none."""
    return dict(manifest.get("path_check", {"rows": [], "why": ""}))


def _groups(result: Result) -> list[tuple[str, list[Card]]]:
    """The groups of headline figures in the order of every report, then any the run has beside. What has a dot stands in a table."""
    names = [*GROUPS, *(name for name in result.summary if name not in GROUPS)]
    return [
        (GROUPS.get(name, label_of(name).capitalize()), [_card(*item) for item in result.summary[name].items() if "." not in item[0]])
        for name in names
        if result.summary.get(name)
    ]


def _card(name: str, entry: Entry) -> Card:
    value = quantity(entry["value"], entry["unit"])
    detail = ""
    if value == NOT_COMPUTED:
        detail = entry.get("why", "")
    elif entry.get("interval") is not None:
        low, high = (quantity(end, entry["unit"]) for end in entry["interval"])
        detail = f"interval {low} to {high}"
    return Card(name, define(name).label, value, detail)


def _glossary(result: Result) -> list[tuple[str, Definition]]:
    """Every figure the page shows, by its label."""
    names = {name.partition(".")[0] for group in result.summary.values() for name in group}
    return sorted(((name, define(name)) for name in names), key=lambda item: item[1].label.lower())


def _paths(result: Result) -> str:
    """How many price paths the figures rest on."""
    most = max((entry.get("paths", 1) for group in result.summary.values() for entry in group.values()), default=1)
    return "One price path: figures are of this path only, without intervals." if most == 1 else f"{number(most)} price paths."


def _events(manifest: Mapping[str, Any]) -> list[str]:
    """Shocks, outages, disturbances and delistings of the scenario in sentences."""
    return [*_shocks(manifest), *_outages(manifest), *_disturbances(manifest), *_delistings(manifest)]


def _shocks(manifest: Mapping[str, Any]) -> Iterator[str]:
    shocks = manifest["shocks"]
    yield from map(shock_words.sentence, shocks[:_MOST_SHOCKS])
    if len(shocks) > _MOST_SHOCKS:
        yield f"{number(len(shocks) - _MOST_SHOCKS)} more shocks stand in the manifest."


def _disturbances(manifest: Mapping[str, Any]) -> Iterator[str]:
    for event in manifest.get("disturbances", ())[:_MOST_SHOCKS]:
        length = duration(event["over_s"] - event["from_s"])
        yield f"{event['what'][0].upper()}{event['what'][1:]}, {duration(event['from_s'])} after the start, for {length}."


def _outages(manifest: Mapping[str, Any]) -> Iterator[str]:
    for outage in manifest["outages"]:
        length = duration(outage["to_s"] - outage["from_s"])
        yield f"The oracle of {outage['tasset']} is silent for {length}, from {duration(outage['from_s'])} after the start."


def _delistings(manifest: Mapping[str, Any]) -> Iterator[str]:
    for event in manifest["delistings"]:
        gone = f"{event['tasset']} is delisted {duration(event['at_s'])} after the start, at an end price of {usd(event['end_price'])}"
        split = "" if event["split"] == 1 else f" and tracks a share after a split of {number(event['split'])} for 1"
        yield f"{gone}; {event['replacement']} replaces it{split}."
