"""The tables of a tuning study, each cell already in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from seawall.reports.tables import Table
from seawall.reports.tune_result import Entry, Tuning, bounded, called, demanded, estimate_in, level, objective, rows_of
from seawall.reports.tune_units import with_interval
from seawall.reports.tune_words import stands
from seawall.reports.words import capital, confidence, number, percent, plain

_DASH = "-"


def chosen(found: Tuning) -> Table:
    """The recommended point beside the runner-up; or those that come closest where nothing is recommended."""
    shown = found.best or found.closest
    names = ("Recommended", "Runner-up") if found.best else [f"Point {entry['number']}" for entry in shown]
    rows = [(label, asked, *cells) for label, asked, cells in figures(found, shown)]
    caption = "The recommended point and the runner-up" if found.best else "The points that come closest"
    return Table(("", "Asked for", *names[: len(shown)]), rows, 2, caption)


def figures(found: Tuning, shown: Sequence[Entry]) -> Iterator[tuple[str, str, list[str]]]:
    """Parameters, objectives, constraints and paths: what it is, what was asked, and a cell for each point."""
    for choice in found.spec.parameters:
        yield plain(choice.name), "chosen", [level(choice, entry["values"][choice.name]) for entry in shown]
    for goal in found.spec.objectives:
        yield plain(goal.name), "high" if goal.sign < 0 else "low", [objective(found, goal, entry) for entry in shown]
    for one in found.spec.constraints:
        cells = [_standing(found, entry, one.name) for entry in shown]
        yield plain(one.name), f"{demanded(found, one)} ({confidence(one.confidence)})", cells
    yield f"paths{' of each scenario' * (len(found.answer['scenarios']) > 1)}", "", [number(entry["paths"]) for entry in shown]


def _standing(found: Tuning, entry: Entry, name: str) -> str:
    """A constrained quantity with both its one-sided bounds, and the verdict."""
    known = entry["constraints"].get(name)
    return _DASH if known is None else f"{with_interval(known, found.units[name])}, {known['verdict']}"


def neighbours(found: Tuning) -> Table:
    """What one step more or less in each parameter would do; no rows where points are not on a grid, or nothing is recommended."""
    entries = found.neighbours(found.best[0]) if found.best else ()
    rows = [(plain(one.name), level(one, value), stands(found, row), number(row["paths"])) for one, value, row in entries]
    return Table(("Parameter", "Instead", "Then", "Paths"), rows, 3, "One step from the recommended point")


def frontier(found: Tuning) -> Table:
    """Points that meet all constraints and that no other such point beats in every objective, the best one first."""
    by_number = {row["number"]: row for row in rows_of(found.points)}
    rows = [_frontier_row(found, by_number[one]) for one in found.answer["frontier"]]
    headings = (*(plain(one.name) for one in found.spec.parameters), *(plain(one.name) for one in found.spec.objectives), "paths")
    caption = "The frontier: points that meet all constraints and that none of the others beats in every objective, best first"
    return Table(tuple(map(str.capitalize, headings)), rows, len(found.spec.parameters), caption)


def _frontier_row(found: Tuning, row: Entry) -> tuple[str, ...]:
    values = (level(one, row[one.name]) for one in found.spec.parameters)
    goals = (with_interval(estimate_in(row, one.name), found.units[one.name]) for one in found.spec.objectives)
    return (*values, *goals, number(row["paths"]))


def checks(found: Tuning) -> Table:
    """The best points in each check: verdicts, figures, and which of them would be recommended there."""
    rows = [
        (_described(check), _values(found, entry), _place(check, entry), *_check_cells(found, entry))
        for check in found.answer["checks"]
        for entry in check["points"]
    ]
    limits = (f"{capital(plain(one.name))}, {demanded(found, one)}" for one in found.spec.constraints)
    goals = (capital(plain(one.name)) for one in found.spec.objectives)
    point = ", ".join(plain(one.name) for one in found.spec.parameters)
    return Table(("Check", f"Point ({point})", "There", *limits, *goals, "Paths"), rows, 3, "The best points looked at again")


def _values(found: Tuning, entry: Entry) -> str:
    return ", ".join(level(one, entry["values"][one.name]) for one in found.spec.parameters)


def _described(check: Entry) -> str:
    return check["name"] if check["kind"] == "variation" else f"{check['kind']}: {check['name']}"


def _place(check: Entry, entry: Entry) -> str:
    if entry["failure"]:
        return "failed"
    if entry["number"] == check["best"]:
        return "recommended"
    verdicts = {one["verdict"] for one in entry["constraints"].values()}
    return "broken" if "broken" in verdicts else "open" if "open" in verdicts else "met"


def _check_cells(found: Tuning, entry: Entry) -> Iterator[str]:
    for one in found.spec.constraints:
        known = entry["constraints"].get(one.name)
        yield _DASH if known is None else f"{bounded(found, one, known)}: {known['verdict']}"
    for goal in found.spec.objectives:
        yield _DASH if entry["failure"] else objective(found, goal, entry)
    yield number(entry["paths"])


def excused(found: Tuning) -> Table:
    """Points that were explained instead of simulated, by reason; a point may have several."""
    reasons = Counter(reason for why in found.with_status("not simulated")["why"] for reason in _reasons(why))
    rows = [(reason, number(count)) for reason, count in reasons.most_common()]
    return Table(("Why they cannot work, whatever prices do", "Points"), rows, 1, "Points explained instead of simulated")


def _reasons(why: str) -> set[str]:
    """Reasons without the point's own numbers, which stand before a colon."""
    return {reason.partition(": ")[2] or reason for reason in why.split("; ")}


def failed(found: Tuning) -> Table:
    """Points of which too many paths failed, with what the first path says."""
    rows = [(called(found, row), number(row["paths"]), row["why"]) for row in rows_of(found.with_status("failed"))]
    return Table(("Point", "Paths", "What failed"), rows, 3, "Points that failed")


def asked(found: Tuning) -> Table:
    """Parameters, objectives and constraints as the study writes them."""
    rows = [(plain(one.name), "parameter", one.key, _tried(found, one.name)) for one in found.spec.parameters]
    rows += [
        (plain(goal.name), "objective", f"{'minimise' if goal.sign > 0 else 'maximise'} {goal.text}", _equal(goal.within))
        for goal in found.spec.objectives
    ]
    rows += [(plain(one.name), "constraint", one.require, f"{confidence(one.confidence)} confidence") for one in found.spec.constraints]
    return Table(("", "What", "Key or quantity", "How"), rows, 4, "What was asked")


def _tried(found: Tuning, name: str) -> str:
    one = next(one for one in found.spec.parameters if one.name == name)
    values = one.levels()
    if one.is_range and not found.is_grid:
        return f"from {level(one, one.low)} to {level(one, one.high)}"
    if len(values) > 4:
        return f"{number(len(values))} values from {level(one, values[0])} to {level(one, values[-1])}"
    return ", ".join(level(one, value) for value in values)


def _equal(within: float) -> str:
    return f"within {percent(within)} of the best counts as equal" if within else "the better estimate wins"


def status_counts(found: Tuning) -> str:
    """How many points stand how: 9 met, 27 open."""
    counts = found.counts()
    return ", ".join(
        f"{number(counts[status])} {status}" for status in ("met", "open", "broken", "failed", "not simulated") if counts[status]
    )
