"""Whether the answer of a reverse stress test is what its own levels say: read from files that somebody may have changed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from seawall.studies.expressions import MOST
from seawall.studies.levels import FIRST_LEVELS, Level
from seawall.studies.reverse import Answer, Outcome, crossings_of, outcome_of
from seawall.studies.reverse_schema import ReverseSpec
from seawall.studies.verdicts import Verdict, keeps, verdict_of


def most_levels(spec: ReverseSpec) -> int:
    """More levels than any search makes: those of the grid, and at each look three bisections down to the precision."""
    halvings = math.ceil(-math.log2(spec.precision)) + 2  # levels are rounded
    return max(spec.along.points or 0, FIRST_LEVELS) + 3 * halvings * len(spec.looks)


def faults_of_levels(spec: ReverseSpec, one: Answer) -> Iterator[str]:
    """What is wrong with the levels of an answer, each in words that name the columns."""
    for level in one.levels:
        standing, where = level.standing, f"at level {level.value:g}"
        figures = {"value": standing.value, "lower_bound": standing.low, "upper_bound": standing.high, "value_on_first_paths": level.early}
        for name, figure in figures.items():
            if figure is not None and not math.isnan(figure) and not _is_possible(spec, figure):
                yield f"column {name!r} {where} has {figure:g}, which {spec.limit.quantity.text} cannot be"
        said = verdict_of(spec.limit, standing.low, standing.high)
        if standing.verdict is not said:
            bounds = "columns 'lower_bound' and 'upper_bound'"
            yield f"column 'verdict' {where} has '{standing.verdict}', {bounds} with the limit of require say '{said}'"


def _is_possible(spec: ReverseSpec, figure: float) -> bool:
    return 0.0 <= figure <= 1.0 if spec.limit.quantity.statistic == "p" else abs(figure) <= MOST


def faults_of_answer(spec: ReverseSpec, one: Answer) -> Iterator[str]:
    """What an answer says and its levels do not, each in words that name the key and the column."""
    outcome, is_rising = outcome_of([_keeps(spec, level) for level in one.levels])
    crossings = crossings_of(spec.limit, one.levels)
    told = (
        ("outcome", one.outcome, outcome, "value"),
        ("is_rising", one.is_rising, is_rising, "value"),
        ("crossings", one.crossings, crossings, "value_on_first_paths"),
    )
    for key, has, said, column in told:
        if has != said:
            yield f"answers: {key} is {str(has).lower()!r}, column {column!r} with the limit of require says {str(said).lower()!r}"
    if outcome is one.outcome is Outcome.FOUND:
        yield from _faults_of_edges(spec, one)


def _faults_of_edges(spec: ReverseSpec, one: Answer) -> Iterator[str]:
    """Edges must stand in order from harmless to harmful, those by the estimate side by side, each on a level that is as it says."""
    in_order = one.levels if one.is_rising else one.levels[::-1]
    place = {level.value: number for number, level in enumerate(in_order)}
    assert one.holds is not None and one.breaks is not None
    edges = {"surely_holds": one.surely_holds, "holds": one.holds, "breaks": one.breaks, "surely_breaks": one.surely_breaks}
    places = [place[value] for value in edges.values() if value is not None]
    if places != sorted(places) or place[one.breaks] != place[one.holds] + 1:
        yield f"answers: {', '.join(edges)} are not in the order of column 'level'"
    for key, column, is_so in (
        ("holds", "value", _keeps(spec, in_order[place[one.holds]]) or _has(in_order[place[one.holds]], Verdict.MET)),
        ("breaks", "value", not _keeps(spec, in_order[place[one.breaks]]) or _has(in_order[place[one.breaks]], Verdict.BROKEN)),
        ("surely_holds", "verdict", one.surely_holds is None or _has(in_order[place[one.surely_holds]], Verdict.MET)),
        ("surely_breaks", "verdict", one.surely_breaks is None or _has(in_order[place[one.surely_breaks]], Verdict.BROKEN)),
    ):
        if not is_so:
            yield f"answers: {key} is {edges[key]:g}, where column {column!r} with the limit of require says otherwise"


def _keeps(spec: ReverseSpec, level: Level) -> bool:
    assert level.standing.value is not None
    return keeps(spec.limit, level.standing.value)


def _has(level: Level, verdict: Verdict) -> bool:
    return level.standing.verdict is verdict
