"""A tuning study in words: what is recommended and why, how its constraints stand, what the next choice would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from seawall.reports.tune_result import Entry, Tuning, bounded, called, demanded, level, objective, rows_of, standing_in
from seawall.reports.tune_units import in_words
from seawall.reports.words import capital, confidence, number, percent, plain
from seawall.studies.tune_schema import Objective

_TOLD_PARAMETERS = 2
"""With more of them their neighbours are told by the table alone."""
_BY_STATUS = {"met": "meet them all", "open": "are open", "broken": "break one", "failed": "failed"}


def answer(found: Tuning) -> list[str]:
    """What is recommended and by what, how its constraints stand, its neighbours, the runner-up; or that nothing is."""
    if not found.best:
        return list(_nothing(found))
    best = found.best[0]
    return [
        _recommended(found),
        *_constraints(found, best),
        *(_neighbours(found, best) if len(found.spec.parameters) <= _TOLD_PARAMETERS else ()),
        _second(found),
        *_doubts(found),
    ]


def briefly(found: Tuning) -> list[str]:
    """The answer without what a table beside it says: no constraints, no neighbours."""
    return [_recommended(found), _second(found), *_doubts(found)] if found.best else list(_nothing(found))


def _recommended(found: Tuning) -> str:
    best, rivals, enough = found.best[0], len(found.rivals()), f"{number(_paths(found))} paths or more"
    if not found.spec.constraints:
        of = f"of {number(rivals)} points with {enough}, the one with {_reason(found)}"
    elif rivals == 1:
        of = f"the one point, of {number(found.answer['points'])} simulated, that meets all constraints on {enough}"
    else:
        of = f"of {number(rivals)} points that meet all constraints on {enough}, the one with {_reason(found)}"
    return f"Recommended is {called(found, best['values'])}: {of}."


def _paths(found: Tuning) -> int:
    return found.spec.search.paths


def _reason(found: Tuning) -> str:
    """The objectives that decided, in order of importance, with the figures of the point."""
    best, rivals, reasons = found.best[0], found.rivals(), []
    for one in found.spec.objectives:
        scores = rivals[one.name].astype(float) * one.sign
        slack = one.within * abs(scores.min())
        way = _how_good(one, float(scores[rivals["number"] == best["number"]].iloc[0]) - float(scores.min()), slack)
        reasons.append(f"{way}, {objective(found, one, best)}")
        rivals = rivals[scores <= scores.min() + slack]
        if len(rivals) < 2 or best["number"] not in set(rivals["number"]):
            break
    return " and, among equals in that, ".join(reasons)


def _how_good(one: Objective, behind: float, slack: float) -> str:
    """An objective of a point that is so far behind the best, in words."""
    superlative = "highest" if one.sign < 0 else "lowest"
    if behind <= 0.0:
        return f"the {superlative} {plain(one.name)}"
    return f"{plain(one.name)} within {percent(one.within)} of the {superlative}" if behind <= slack else plain(one.name)


def _constraints(found: Tuning, entry: Entry) -> Iterator[str]:
    """Each constraint's figure at a point, its bound with the confidence, and the limit."""
    for one in found.spec.constraints:
        known = entry["constraints"].get(one.name)
        if known is not None:
            sure, verdict = f"with {confidence(one.confidence)} confidence", f"{demanded(found, one)} demanded: {known['verdict']}"
            yield f"{capital(plain(one.name))} is {bounded(found, one, known)} {sure} ({verdict})."


def _neighbours(found: Tuning, best: Entry) -> Iterator[str]:
    said = [f"with {plain(one.name)} {level(one, value)} {stands(found, row)}" for one, value, row in found.neighbours(best)]
    if said:
        yield f"One step away: {'; '.join(said)}."


def stands(found: Tuning, row: Entry) -> str:
    """How a point of the table stands, in a clause."""
    if row["status"] in ("not simulated", "failed"):
        return f"it {'was not simulated' if row['status'] == 'not simulated' else 'failed'} ({row['why']})"
    if row["status"] == "met":
        first = found.spec.objectives[0]
        holds = "all constraints hold and " if found.spec.constraints else ""
        return f"{holds}{plain(first.name)} is {in_words(row[first.name], found.units[first.name])}"
    after = f" after {number(row['paths'])} paths" if row["paths"] < _paths(found) else ""
    return f"{unmet(found, {one.name: standing_in(row, one) for one in found.spec.constraints})}{after}"


def unmet(found: Tuning, constraints: dict[str, Any]) -> str:
    """Constraints that are broken or open, the broken ones first."""
    known = [(one, constraints[one.name]) for one in found.spec.constraints if one.name in constraints]
    faults = sorted((pair for pair in known if pair[1]["verdict"] != "met"), key=lambda pair: pair[1]["verdict"])
    return " and ".join(f"{plain(one.name)} is {standing['verdict']} ({bounded(found, one, standing)})" for one, standing in faults)


def _second(found: Tuning) -> str:
    if len(found.best) < 2:
        return "There is no runner-up." if not found.spec.constraints else "There is no runner-up: no other point meets all constraints."
    return f"Runner-up is {called(found, found.best[1]['values'])}: {_why_second(found)}."


def _why_second(found: Tuning) -> str:
    """The first objective in which the runner-up is worse by more than counts as equal."""
    equal: list[str] = []
    for one in found.spec.objectives:
        first, second = (_value(entry, one) for entry in found.best)
        if first is None or second is None:
            return f"its {plain(one.name)} is {objective(found, one, found.best[1])}"
        behind, slack = (second - first) * one.sign, one.within * abs(first)
        alike = f"equal in {listed(equal)}, but " if equal else ""
        if behind > slack:
            return f"{alike}its {plain(one.name)} is {objective(found, one, found.best[1])}, {_gap(first, second)}"
        if behind < -slack:
            return f"it comes next in the order of {listed([plain(one.name) for one in found.spec.objectives])}"
        equal.append(plain(one.name))
    return f"equal in {listed(equal)}"


def _gap(first: float, second: float) -> str:
    way = "more" if second > first else "less"
    return f"{percent(abs(second / first - 1.0))} {way}" if first else f"{way} than 0"


def _value(entry: Entry, one: Objective) -> float | None:
    value: float | None = entry["objectives"].get(one.name, {}).get("value")
    return value


def _doubts(found: Tuning) -> Iterator[str]:
    """What could still turn the order, and what is missing."""
    ahead = found.open_ahead()
    if len(ahead):
        first = next(rows_of(ahead))
        many = f"{number(len(ahead))} points come" if len(ahead) > 1 else "One point comes"
        where = f"{'the best of them, ' if len(ahead) > 1 else 'at '}{called(found, first)}, {stands(found, first)}"
        yield f"{many} before it in the order but cannot be told to meet all constraints: {where}."
    yield from _failed(found)


def _failed(found: Tuning) -> Iterator[str]:
    failed = found.counts()["failed"]
    if failed:
        yield f"Of {number(failed)} {'points' if failed > 1 else 'point'} too many paths failed to say anything."


def _nothing(found: Tuning) -> Iterator[str]:
    counts, played = found.counts(), found.answer["points"]
    if not played:
        yield f"No point was simulated: for all {number(found.answer['excused'])} it is plain beforehand that they cannot work."
        return
    parts = ", ".join(f"{number(counts[status])} {words}" for status, words in _BY_STATUS.items() if counts[status])
    yield f"No point meets all constraints on {number(_paths(found))} paths: of {number(played)} simulated, {parts}."
    if found.closest:
        entry = found.closest[0]
        yield f"Closest comes {called(found, entry['values'])}, on {number(entry['paths'])} paths."
        yield from _constraints(found, entry)
    yield from _failed(found)


def listed(parts: Sequence[str]) -> str:
    """One, two and three."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
