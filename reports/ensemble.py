"""The page of an ensemble: one HTML file that needs nothing else, made from the files of its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from seawall.reports import ensemble_tables as tables
from seawall.reports import price_check
from seawall.reports.definition import Definition
from seawall.reports.ensemble_figures import ensemble_charts
from seawall.reports.ensemble_terms import LEVELS, STATISTIC_TERMS
from seawall.reports.ensemble_words import answer, column_max, counted, effort, interval, label_of_figure, stopping, value
from seawall.reports.glossary import define
from seawall.reports.html import Card, Drawing, write_figures
from seawall.reports.svg import draw, inline_svg
from seawall.reports.tables import Table
from seawall.reports.words import NOT_COMPUTED, on_page
from seawall.studies.ensemble_files import EnsembleFiles
from seawall.studies.ensemble_risk import EnsembleRisk, ensemble_risk
from seawall.studies.estimate import Estimate
from seawall.studies.store import write

_TEMPLATES = Path(__file__).with_name("templates")
REPORT = "report.html"
_TAILS = ("bad_debt_usd", "shortfall_peak_usd", "unpaid_peak_usd")
_SINGLES = {
    ("insolvency", "probability"): ("insolvency", "probability of insolvency", "fraction"),
    ("time_to_insolvency_s", "median"): ("survival", "median time to insolvency", "seconds"),
    ("under_collateralised_run", "probability"): ("under_collateralised_run", "under-collateralised run", "fraction"),
    ("liquidation_efficiency", "ratio"): ("liquidation_efficiency_ratio", "liquidation efficiency", "fraction"),
    ("liquidated_debt_usd", "at_risk"): ("liquidation_at_risk", "liquidation at risk", "USD"),
    ("borrower_loss", "at_risk"): ("borrower_loss", "borrower loss at risk", "fraction"),
    ("capital_efficiency", "ratio"): ("capital_efficiency", "capital efficiency", "fraction"),
}
"""Cards of figures that no single path has: anchor in the glossary, label, unit."""
_MEANS = (
    "fee_yield_per_year",
    "lp_net_yield_per_year",
    "lp_return_per_year",
    "lp_beta_to_traders",
    "avmm_fee_yield_per_year",
    "avmm_lp_net_yield_per_year",
)


def write_ensemble_report(found: EnsembleFiles, risk: EnsembleRisk | None = None) -> Path:
    """Write `report.html` and `figures/` into the folder of an ensemble, and return the page's path; each figure is drawn once."""
    risk = risk or ensemble_risk(found)
    drawings = [(chart, draw(chart)) for chart in ensemble_charts(found, risk)]
    page, file = render(found, risk, drawings), found.folder / REPORT
    write(file, lambda part: part.write_text(page, encoding="utf-8"))
    write_figures(drawings, found.folder / "figures")
    return file


def render(found: EnsembleFiles, risk: EnsembleRisk, drawings: Sequence[Drawing]) -> str:
    """The whole page around the drawings of the same ensemble.

    Raises:
        KeyError: a headline figure has no definition in the glossary.
    """
    manifest = found.manifest
    return (
        environment()
        .get_template("ensemble.html.j2")
        .render(
            run=manifest,
            answer=answer(found, risk),
            counted=counted(found),
            rule=stopping(found),
            effort=effort(found),
            groups=cards(risk),
            charts=[(chart, Markup(inline_svg(chart, drawn))) for chart, drawn in drawings],
            tables=[(anchor, table) for anchor, table in _tables(found, risk).items() if table.rows],
            worst=tables.worst(found, risk),
            failed=tables.failed(found),
            moments=tables.moments(found),
            path_verdict=price_check.verdict(**_path_check(manifest)),
            path_check=price_check.table(_path_check(manifest)["rows"]),
            events=list(tables.of_manifest(manifest)),
            glossary=_glossary(found),
        )
    )


def environment() -> Environment:
    """Jinja with autoescape: whatever comes from a scenario is text."""
    loader = FileSystemLoader(_TEMPLATES)
    return Environment(loader=loader, autoescape=True, finalize=on_page, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def cards(risk: EnsembleRisk) -> list[tuple[str, list[Card]]]:
    """Headline figures with their intervals, by group; a loss that no path has is one card."""
    singles = [_card(*_SINGLES[key], risk.figures[key]) for key in _SINGLES if key in risk.figures]
    yields = [_card(name, label_of_figure(name), unit, risk.means[name]) for name, unit in _units(risk)]
    groups = [*((label_of_figure(name).capitalize(), _tail(risk, name)) for name in _TAILS if (name, "mean") in risk.figures)]
    return [(heading, found) for heading, found in (*groups, ("Insolvency and liquidations", singles), ("LPs", yields)) if found]


def _units(risk: EnsembleRisk) -> list[tuple[str, str]]:
    """Means over paths that get a card, with their unit."""
    return [(name, "per_year" if name.endswith("_per_year") else "fraction") for name in _MEANS if name in risk.means]


def _tail(risk: EnsembleRisk, name: str) -> list[Card]:
    mean = risk.figures[name, "mean"]
    if mean.value is not None and not column_max(risk, name):
        return [Card(name, "on every path", value(mean, "USD"), f"{mean.paths:,} paths")]
    statistics = {"mean": "mean", **LEVELS}
    return [_card(name if key == "mean" else key, words, "USD", risk.figures[name, key]) for key, words in statistics.items()]


def _card(name: str, label: str, unit: str, found: Estimate) -> Card:
    said = value(found, unit)
    return Card(name, label, said, found.why if said == NOT_COMPUTED else interval(found, unit))


def _tables(found: EnsembleFiles, risk: EnsembleRisk) -> dict[str, Table]:
    return {
        "losses": tables.losses(risk),
        "risks": tables.risks(found, risk),
        "yields": tables.yields(found, risk),
        "bearers": tables.waterfall(risk),
        "reasons": tables.failures(risk),
        "refusals": tables.refusals(found),
        "every": tables.headline(found, risk),
    }


def _path_check(manifest: dict[str, Any]) -> dict[str, Any]:
    """The check on the generator, where the manifest has one."""
    return dict(manifest.get("path_check", {"rows": [], "why": ""}))


def _glossary(found: EnsembleFiles) -> list[tuple[str, Definition]]:
    """Statistics first, in their own order, then every figure by its label."""
    names = {name.partition(".")[0] for group in found.summary.values() for name in group}
    figures = sorted(((name, define(name)) for name in names), key=lambda item: item[1].label.lower())
    return [*STATISTIC_TERMS.items(), *figures]
