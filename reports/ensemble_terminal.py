"""The summary of an ensemble on the terminal: one screen, the answer first, every figure with its interval."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.reports.ensemble import REPORT
from seawall.reports.ensemble_terms import LEVELS
from seawall.reports.ensemble_words import answer, bare_interval, column_max, counted, effort, label_of_figure, stopping, unit_of, value
from seawall.reports.words import number, printable, quantity
from seawall.studies.ensemble_files import EnsembleFiles
from seawall.studies.ensemble_risk import EnsembleRisk, ensemble_risk
from seawall.studies.estimate import Estimate

WORST = 3
WIDTH, LINES = 80, 24
_OPENING = 4  # lines of the answer
_TAILS = ("bad_debt_usd", "shortfall_peak_usd", "unpaid_peak_usd")
_SINGLES = {
    ("insolvency", "probability"): ("P(some CDP insolvent)", "fraction"),
    ("liquidation_efficiency", "ratio"): ("liquidation efficiency", "fraction"),
}
_MEANS = ("lp_net_yield_per_year", "lp_return_per_year", "lp_exchange_gain_usd", "avmm_lp_net_yield_per_year", "avmm_lp_gain_usd")

Row = tuple[str, Estimate, str]
"""Label, estimate and unit."""


def print_ensemble(found: EnsembleFiles, console: Console, risk: EnsembleRisk | None = None) -> None:
    """Print what came out of an ensemble, at most `LINES` lines of `WIDTH` columns but for long file names."""
    risk = risk or ensemble_risk(found)
    counts = f"  {counted(found)}, seed {found.manifest['seed']}"
    opening, shown = _opening(answer(found, risk)), rows(risk, found)
    rule = [line for sentence in stopping(found) for line in textwrap.wrap(printable(sentence), WIDTH)]
    closing = [*_worst(found, risk), *_failed(found), f"Took    {effort(found)}", f"Report  {found.folder / REPORT}"]
    shown = shown[: LINES - len((*opening, *_missing(shown), *rule, *closing)) - 2]  # the name and the heading of the table
    console.print(Text.assemble((printable(found.manifest["name"]), "bold"), counts), soft_wrap=True)
    console.print(Text("\n".join(opening)))
    console.print(_table(shown))
    for why in _missing(shown):
        console.print(Text(why, style="dim"))
    for text in (*rule, *closing):
        console.print(Text(printable(text)), soft_wrap=True)


def _opening(sentences: Sequence[str]) -> list[str]:
    """As many whole sentences as a few lines hold; the page has all of them."""
    lines: list[str] = []
    for count in range(1, len(sentences) + 1):
        longer = textwrap.wrap(printable(" ".join(sentences[:count])), WIDTH)
        if len(longer) > _OPENING and lines:
            break
        lines = longer
    return lines


def _table(shown: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, side in (("", "left"), ("Value", "right"), ("95% interval", "left")):
        table.add_column(heading, justify="right" if side == "right" else "left", no_wrap=True)
    for label, estimate, unit in shown:
        table.add_row(Text(label), Text(value(estimate, unit)), Text(bare_interval(estimate, unit)))
    return table


def _missing(shown: Sequence[Row]) -> Iterator[str]:
    """Why some figures have no interval."""
    whys = list(dict.fromkeys(one.why for _, one, _ in shown if one.low is None and one.high is None and one.why))
    if whys:
        yield from textwrap.wrap(f"- {'; '.join(whys)}", WIDTH, max_lines=1, placeholder=" ...")


def rows(risk: EnsembleRisk, found: EnsembleFiles) -> list[Row]:
    """The figures on the screen: tails of the first loss that any path has, then probabilities and yields."""
    return [*_tail_rows(risk), *_other_rows(risk, found)]


def _tail_rows(risk: EnsembleRisk) -> Iterator[Row]:
    present = [name for name in _TAILS if (name, "mean") in risk.figures]
    lost = [name for name in present if column_max(risk, name)]
    for name in lost[:1]:
        for statistic, words in {"mean": "mean", **LEVELS}.items():
            yield f"{label_of_figure(name)}, {words}", risk.figures[name, statistic], "USD"
    for name in present:
        if name not in lost[:1]:
            yield f"{label_of_figure(name)}, mean", risk.figures[name, "mean"], "USD"


def _other_rows(risk: EnsembleRisk, found: EnsembleFiles) -> Iterator[Row]:
    for key, (words, unit) in _SINGLES.items():
        if key in risk.figures:
            yield words, risk.figures[key], unit
    for name in _MEANS:
        if name in risk.means:
            yield f"{label_of_figure(name)}, mean", risk.means[name], unit_of(found, name)


def _worst(found: EnsembleFiles, risk: EnsembleRisk) -> Iterator[str]:
    """The worst paths with what makes them bad, and how to play them again."""
    frame = risk.worst(WORST)
    names = [name for name in frame.columns if name != "path"]
    told = next((name for name in names if frame[name].any()), None)
    if frame.empty:
        return
    numbers = [str(int(path)) for path in frame["path"]]
    if told is None:
        yield f"Paths {', '.join(numbers)} are as bad as any other"
    else:
        amounts = (quantity(float(value), unit_of(found, told)) for value in frame[told])
        listed = "; ".join(f"path {path} {amount}" for path, amount in zip(numbers, amounts, strict=True))
        yield f"Worst   {label_of_figure(told)}: {listed}"
    others = f"   (or {', '.join(numbers[1:])})" if len(numbers) > 1 else ""
    yield f"Replay  {found.replay(int(numbers[0]))}{others}"


def _failed(found: EnsembleFiles) -> Iterator[str]:
    if found.failed:
        more = f", and {number(len(found.failed) - 1)} more" if len(found.failed) > 1 else ""
        yield f"Failed  path {found.failed[0]['path']}: {found.failed[0]['type']}{more}"
