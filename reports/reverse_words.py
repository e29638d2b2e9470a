"""A reverse stress test in words: how far the limit holds, how sure that is, and what to be careful about."""

from __future__ import annotations

from collections.abc import Iterator

from seawall.reports.tune_units import in_words, limit_unit
from seawall.reports.words import confidence, number, plain
from seawall.studies.reverse import Answer, Outcome, Reversed
from seawall.studies.verdicts import Verdict


def question(found: Reversed) -> str:
    """What was asked."""
    return f"How far {found.spec.require} holds, along {name(found)}"


def answer(found: Reversed) -> list[str]:
    """The answer in sentences; of several cases only the edges, the rest is in the table."""
    if len(found.answers) == 1:
        return list(sentences(found, found.answers[0]))
    edges = "; ".join(_edge(found, one) for one in found.answers)
    said = [f"{found.spec.require}, along {name(found)}: {edges}."]
    if any(one.outcome is Outcome.FOUND for one in found.answers):
        said.append(f"In parentheses where the edge surely lies ({_confidence(found)}).")
    return said + [f"With {one.name}: {words[0].lower()}{words[1:]}" for one in found.answers for words in cautions(found, one)]


def _edge(found: Reversed, one: Answer) -> str:
    if one.outcome is not Outcome.FOUND:
        return f"with {one.name} it {_everywhere(found, one)}"
    until, _ = ways(one)
    ends = [one.surely_holds, one.surely_breaks][:: 1 if one.is_rising else -1]
    between = " to ".join("unknown" if end is None else level(found, end) for end in ends)
    return f"with {one.name} it holds {until} {level(found, one.holds)} ({between})"


def sentences(found: Reversed, one: Answer) -> Iterator[str]:
    """The answer of a case that is the only one."""
    if one.outcome is not Outcome.FOUND:
        yield f"{found.spec.require} {_everywhere(found, one, f' ({name(found)})')}."
    else:
        until, onwards = ways(one)
        yield (
            f"{found.spec.require} holds {until} {level(found, one.holds)} ({name(found)}) "
            f"and is broken from {level(found, one.breaks)} {onwards}, by the estimate."
        )
        yield f"{_sure(found, one, until, onwards)}."
    yield from cautions(found, one)


def cautions(found: Reversed, one: Answer) -> Iterator[str]:
    """What makes the answer doubtful, or partial."""
    if one.is_disordered and one.outcome is Outcome.FOUND:
        yield "Harm does not grow all the way: a level further on holds for sure again. The interval is that of the first edge."
    elif one.crossings > 1 and one.outcome is not Outcome.NO_ORDER:
        yield (
            f"On the {number(found.spec.paths)} paths that all levels share the estimate passes the limit {one.crossings} times: "
            "harm may not grow all the way, or the edge is blurred by chance."
        )
    failed = sum(tried.failed for tried in one.levels)
    if failed:
        of_all = f"{number(failed)} of {number(failed + sum(tried.paths for tried in one.levels))} paths failed and are in no"
        is_share = found.spec.limit.quantity.statistic == "p"
        yield f"{of_all} estimate; the bounds allow for either outcome of each." if is_share else f"{of_all} figure."


def _everywhere(found: Reversed, one: Answer, key: str = "") -> str:
    """The limit at all levels, where it holds at both ends or at neither; `key` is said after the ends."""
    span = f"from {level(found, one.levels[0].value)} to {level(found, one.levels[-1].value)}{key}"
    wanted = Verdict.MET if one.outcome is Outcome.HOLDS else Verdict.BROKEN
    sure = sum(tried.standing.verdict is wanted for tried in one.levels)
    shown = {0: "none", len(one.levels): "all"}.get(sure, number(sure))
    levels = f"{len(one.levels)} levels {span}, for sure at {shown} of them"
    if one.outcome is Outcome.HOLDS:
        return f"holds at each of {levels}: nothing tried breaks it"
    if one.outcome is Outcome.BREAKS:
        return f"is broken at each of {levels}: nothing tried keeps it"
    return f"has no single edge {span}: it stands at both ends in one way and between them in the other, so the levels have no order"


def _sure(found: Reversed, one: Answer, until: str, onwards: str) -> str:
    """The interval, with what it lacks."""
    holds = f"surely holds {until} {level(found, one.surely_holds)}" if one.surely_holds is not None else "surely holds at no level tried"
    breaks = (
        f"is surely broken from {level(found, one.surely_breaks)} {onwards}"
        if one.surely_breaks is not None
        else "is surely broken at none"
    )
    return f"It {holds} and {breaks} ({_confidence(found)})"


def _confidence(found: Reversed) -> str:
    """How sure either end of an interval is, and from how many paths."""
    counts = [tried.paths for one in found.answers for tried in one.levels]
    few, many = number(min(counts)), number(max(counts))
    return f"{confidence(found.spec.confidence)} each, {few if few == many else f'{few} to {many}'} paths a level"


def ways(one: Answer) -> tuple[str, str]:
    """What stands before the last level that holds, and after the first that breaks."""
    return ("up to", "on") if one.is_rising else ("down to", "down")


def level(found: Reversed, value: float | None) -> str:
    """A level of the key."""
    if value is None:
        return "-"
    shown = f"{value:,.0f}" if value.is_integer() else f"{value:,.10g}"
    return f"{shown} times" if found.spec.along.scales else shown


def name(found: Reversed) -> str:
    """What varies, in words."""
    return plain(found.spec.along.name)


def value(found: Reversed, amount: float | None) -> str:
    """The limited quantity in its unit."""
    return in_words(amount, unit(found))


def unit(found: Reversed) -> str:
    """Unit of the limited quantity: `fraction` of a share of paths; empty where nobody can tell."""
    return limit_unit(found.spec.limit)
