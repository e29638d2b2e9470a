"""Who gets more paths: the promising half again and again, until the best point that meets every constraint stands alone.

A point that looks good on few paths often has only not met its rare loss yet, so only what certainly breaks a constraint is dropped for
good: when a leader turns out to, the next one is brought forward. The search ends when the best point that meets every constraint has all
its paths, and so have all points that would be better if their constraints held.

Source: successive halving, Karnin, Koren and Somekh (2013), Almost optimal exploration in multi-armed bandits, ICML; bringing points back
is ours (assumption).
"""

from __future__ import annotations

import math
from itertools import chain, zip_longest

from seawall.studies import ranking
from seawall.studies.candidates import Candidates, Point
from seawall.studies.tune_schema import Search
from seawall.studies.until import parse


def race(candidates: Candidates, search: Search) -> list[str]:
    """Spend paths on candidates until the best that meets every constraint is known; says what was done, round by round."""
    said = [_first(candidates, search)]
    slots, paths = float(len(candidates.points)), search.first_paths
    while paths < search.paths:
        slots, paths = max(slots * search.keep, float(search.finalists)), min(2 * paths, search.paths)
        chosen = promising(candidates, math.ceil(slots))
        candidates.bring(dict.fromkeys(chosen, paths))
        said.append(f"{len(chosen):,} points with {paths:,} paths each")
    said += _finish(candidates, search)
    return said + _sharpen(candidates, search)


def promising(candidates: Candidates, slots: int) -> list[Point]:
    """The points most worth more paths, from those of which no constraint is certainly broken.

    Half of them lead by the objectives in order of importance, half stand on the outermost frontiers.
    """
    ranked = candidates.standing()
    if not ranked:
        return []
    layers = ranking.layers(candidates.scores(ranked))
    outer = [ranked[i] for i in sorted(range(len(ranked)), key=lambda i: (layers[i], i))]
    turns = chain.from_iterable(zip_longest(ranked, outer))
    return list(dict.fromkeys(point for point in turns if point is not None))[:slots]


def _first(candidates: Candidates, search: Search) -> str:
    """Give every point its first paths; the first point before the others, so that a misspelt measure is found out soon."""
    first = candidates.points[0]
    candidates.bring({first: search.first_paths})
    if search.until is not None and first.trial is not None and not candidates[first].failure:
        parse(search.until).quantity.values(candidates.trials.sample(first.trial).measures)
    candidates.bring(dict.fromkeys(candidates.points, search.first_paths))
    return f"{len(candidates.points):,} points with {search.first_paths:,} paths each"


def _finish(candidates: Candidates, search: Search) -> list[str]:
    """Bring the leaders to all their paths, and those whose constraints are open then to more, until two meet every constraint."""
    said = []
    while lacking := _leaders_lacking(candidates, search):
        had = [candidates.paths(point) for point in lacking]
        goals = [search.paths if paths < search.paths else search.limit for paths in had]
        candidates.bring({point: min(2 * paths, goal) for point, paths, goal in zip(lacking, had, goals, strict=True)})
        said.append(f"{len(lacking):,} leaders more paths")
    return said


def _leaders_lacking(candidates: Candidates, search: Search) -> list[Point]:
    """The first few leaders that are not settled: without all their paths, or with a constraint that is open.

    Leaders stand before the second contender that is settled (the runner-up to be), or are better than the first in the most important
    objective: as long as they may meet every constraint, they decide what counts as equal to the best.
    """
    contenders = candidates.contenders(search.limit)
    is_settled = [candidates.is_settled(point, search.paths) for point in contenders]
    settled = [row for row, is_one in enumerate(is_settled) if is_one]
    if len(settled) < 2:
        return [point for point, is_one in zip(contenders, is_settled, strict=True) if not is_one][: search.finalists]
    first = candidates.scores(contenders)[:, 0]
    lacking = [row for row, is_one in enumerate(is_settled) if not is_one and (row < settled[1] or first[row] < first[settled[0]])]
    return [contenders[row] for row in lacking[: search.finalists]]


def _sharpen(candidates: Candidates, search: Search) -> list[str]:
    """Give the recommended point more paths until its rule is met; with them it may turn out not to meet a constraint."""
    if search.until is None:
        return []
    rule, said = parse(search.until), []
    while found := candidates.settled(search.paths, search.limit):
        point = found[0]
        paths, sample = candidates.paths(point), candidates.trials.sample(point.trial)  # type: ignore[arg-type]
        estimate = rule.quantity.estimate(rule.quantity.values(sample.measures), sample.log_weights)
        if rule.is_met(estimate) or paths >= search.limit:
            break
        candidates.bring({point: min(2 * paths, search.limit)})
        said.append(f"the leader with {candidates.paths(point):,} paths")
        said += _finish(candidates, search)
    return said
