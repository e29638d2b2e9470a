"""Words of a tuning study and what they mean; what its answer rests on."""

from __future__ import annotations

from collections.abc import Iterator

from seawall.reports.tune_result import Tuning
from seawall.reports.words import number, percent
from seawall.studies.candidates import MAX_FAILED_SHARE
from seawall.studies.keys import as_text

TERMS = {
    "point": "One choice of values for all parameters.",
    "met": "The constraint holds as surely as asked: the one-sided bound of its quantity lies on the right side of the limit.",
    "broken": "The constraint does not hold, as surely as asked: the bound of the other side lies on the wrong side of the limit.",
    "open": "Neither bound tells: more paths would. A point may be open because it was dropped after few paths.",
    "failed": f"More than {percent(MAX_FAILED_SHARE)} of a point's paths ended in an error, so nothing is said of it.",
    "not simulated": "Auctions cannot do their work there whatever prices do, which the terms alone tell; the reason is given.",
    "frontier": "Points that meet all constraints and that no other such point beats: better in one objective, no worse in any (Pareto).",
    "within": "Points so close to the best one in an objective count as equal in it, and the next objective decides between them.",
    "fresh seed": "Paths that the search has not seen: prices, orders and populations of another seed.",
    "held back": "A scenario that the search has not seen, on the fresh seed.",
    "variation": "The search's own paths in a world that differs in what is named.",
    "restoring": "Discount 1 - 1/ratio, above which a purchase from a CDP at the minimum lowers the ratio that it should restore.",
    "toxic": (
        "Discount 1 - (1 + gap)/ratio: the same for a CDP whose debt has risen by the gap while its feed was silent. The gap is the 99% "
        "quantile of rises over the longest outage of the scenario, or over a price's validity. Source: Warmuz, Chaudhary and Pinna "
        "(2022), Toxic liquidation spirals, arXiv:2212.07306."
    ),
    "least discount": (
        "Discount from which buying the whole debt of the median CDP on the tASSET's pool, at par, pays: commission, slippage, fee, cost "
        "and least profit. Smaller purchases pay from a smaller one."
    ),
    "floor": "Discount below which no purchase pays while the pool is at par: commission, auction fee and least profit alone.",
}


def assumptions(found: Tuning) -> Iterator[str]:
    """What the answer rests on, in sentences."""
    elastic = [f"{key} {as_text(value)}" for key, value in found.spec.settings.items() if key.endswith("_elasticity")]
    if elastic:
        yield f"How people answer to other terms is assumed, not measured: {', '.join(elastic)}. Others may bring another answer."
    else:
        yield "How people answer to other terms is what the scenarios say of it; the study sets no elasticity (assumption)."
    yield (
        "Verdicts are by one-sided bounds: exact ones of shares of paths (Clopper and Pearson 1934; "
        "with weights Fay and Feuer 1997), approximate ones of others. "
        "A point is judged after every round, and looking repeatedly makes the confidence a little less than stated."
    )
    yield (
        "The best of many points is flattered: among estimates that are all a little off, the one that is off in its own favour wins. "
        "That is why the best are played again on a fresh seed; those figures are the ones to believe."
    )
    yield (
        "All points share their paths (common random numbers) and differ by their settings alone; each interval is of its point by itself."
    )
    if len(found.answer["scenarios"]) > 1:
        weights = ", ".join(f"{one['name']} {number(one['weight'])}" for one in found.answer["scenarios"])
        yield f"Figures are over the paths of all scenarios together, weighted: {weights}."
    if not found.is_grid:
        yield "Optuna proposed points from what it had seen; where it proposed none, better ones may lie."
