"""A sensitivity study in words: what drives each outcome, what cannot be told, and how it was done."""

from __future__ import annotations

from seawall.reports.tune_units import bare, in_words, unit_of_text
from seawall.reports.words import capital, confidence, duration, number, percent, plain
from seawall.studies.indices import LEADING
from seawall.studies.sensitivity import Driven, Sensitivity
from seawall.studies.sensitivity_schema import Measured

_MOST_NAMED = 4
_NOISY = 0.1
_DECIMALS = 2  # of shares
_SOBOL = (
    "By itself: the share of the outcome's variance over the ranges that goes when the parameter is fixed (first-order index); with all "
    "others: the share that it has a part in (total index). Totals that add up to more than 1 tell of parameters that act together; which "
    "ones was not asked."
)
_MORRIS = (
    "Effects: how far the outcome moves over the parameter's whole range, in the outcome's unit, as seen from steps across it: the mean of "
    "the steps' sizes, the mean of the steps, and how much they differ from place to place, which tells of curves or of parameters that "
    "act together."
)
_BRACKETS = {
    "sobol": "the share of the outcome's variance that the parameter has a part in (total index)",
    "morris": "how far the outcome moves over the parameter's whole range (mean absolute effect)",
}
_INTERVALS = (
    "Intervals: estimate and standard deviation over resamples of points and paths together. The index that ranks is a size, so that an "
    "interval whose lower end is above 0 is a hint, not a test. What is not listed stays as the scenario has it."
)


def answer(found: Sensitivity) -> list[str]:
    """What drives each outcome, in a sentence each, and what stands in the brackets."""
    said = [sentence for one in found.driven for sentence in (_driven(found, one), *_doubts(found, one))]
    if any(split(found, one)[0] for one in found.driven if not one.why):
        said.append(f"In brackets {_BRACKETS[found.spec.method]}, with its {confidence(found.spec.confidence)} interval.")
    return said


def _driven(found: Sensitivity, one: Driven) -> str:
    outcome = label(one.outcome.name)
    if one.why:
        return f"What drives {outcome} cannot be told: {one.why}."
    clear, unclear = split(found, one)
    if not clear:
        return f"No parameter can be told to drive {outcome}."
    named = ", ".join(f"{label(found.spec.parameters[row].name)} ({leading_words(found, one, row)})" for row in clear[:_MOST_NAMED])
    more = f" and {len(clear) - _MOST_NAMED} more" if len(clear) > _MOST_NAMED else ""
    rest = ", ".join(label(found.spec.parameters[row].name) for row in unclear)
    return f"{capital(outcome)} is driven by {named}{more}" + (f"; {rest} cannot be told from 0." if rest else ".")


def split(found: Sensitivity, one: Driven) -> tuple[list[int], list[int]]:
    """Parameters whose interval, as it is shown, leaves out 0, and the others, from the strongest to the weakest."""
    low = one.indices[LEADING[found.spec.method]].low
    low = low.round(_DECIMALS) if found.spec.method == "sobol" else low
    order = one.order(found.spec.method)
    return [row for row in order if low[row] > 0.0], [row for row in order if not low[row] > 0.0]


def leading_words(found: Sensitivity, one: Driven, row: int) -> str:
    """The index that ranks, of one parameter, with its interval."""
    index = one.indices[LEADING[found.spec.method]]
    return f"{shown(found, one, index.value[row])}, {between(found, one, index.low[row], index.high[row])}"


def between(found: Sensitivity, one: Driven, low: float, high: float) -> str:
    """An interval; its unit has been said."""
    return f"{shown(found, one, low, says_unit=False)} to {shown(found, one, high, says_unit=False)}"


def shown(found: Sensitivity, one: Driven, value: float, *, says_unit: bool = True) -> str:
    """A share of variance in two decimals; an effect in the outcome's unit."""
    if found.spec.method == "sobol":
        return f"{round(value, _DECIMALS) + 0.0:.{_DECIMALS}f}"
    return (in_words if says_unit else bare)(float(value), unit(found, one.outcome))


def unit(found: Sensitivity, outcome: Measured) -> str:
    """Unit of an outcome's indices: its own of effects, none of shares of its variance; empty where nobody can tell."""
    return "" if found.spec.method == "sobol" else unit_of_text(outcome.of)


def _doubts(found: Sensitivity, one: Driven) -> list[str]:
    if one.noise is None or one.noise < _NOISY:
        return []
    varies = f"Of what {label(one.outcome.name)} varies from point to point {percent(one.noise)}"
    return [f"{varies} comes from having but {number(found.spec.paths)} paths: take more."]


def label(name: str) -> str:
    """A name of the study in words."""
    return plain(name)


def notes(found: Sensitivity) -> list[str]:
    """How it was done, in sentences."""
    spec, about = found.spec, found.about
    what = "base points of Saltelli's scheme" if spec.method == "sobol" else "trajectories of Morris's design"
    settings = ", ".join(found.scenario.settings) or "none"
    played = f"{number(about['paths'])} paths in all, {number(about['paths_kept_from_before'])} of them from before"
    noise = "; ".join(f"{label(one.outcome.name)} {percent(round(one.noise, 6))}" for one in found.driven if one.noise is not None)
    return [
        f"Scenario {found.scenario.file}, settings {settings}, seed {found.seed}.",
        f"{number(spec.points)} {what}, {number(spec.rows)} points, {number(spec.paths)} paths each, the same at all. {played}.",
        _SOBOL if spec.method == "sobol" else _MORRIS,
        f"{_INTERVALS} {number(spec.resamples)} resamples, {confidence(spec.confidence)}.",
        *([f"Share of the variance over points that another choice of paths would have made: {noise}."] if noise else []),
        f"Played by {about['workers']} at once ({about['players']}) in {duration(about['seconds'])}, begun {about['started']}.",
    ]
