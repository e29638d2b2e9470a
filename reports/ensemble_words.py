"""An ensemble in words: estimates with their intervals, the answer that every report opens with, and how the run went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seawall.reports.glossary import define
from seawall.reports.tune_units import in_words, quantity_unit
from seawall.reports.words import NOT_COMPUTED, duration, number, percent, quantity
from seawall.studies.ensemble_files import EnsembleFiles
from seawall.studies.ensemble_risk import EnsembleRisk
from seawall.studies.estimate import Estimate
from seawall.studies.until import parse

PERCENT = "95%"
_MARKET_LOSSES = (("lp_exchange_gain_usd", "The gain of exchange LPs"), ("avmm_lp_gain_usd", "The gain of RFQ LPs"))


def value(estimate: Estimate, unit: str) -> str:
    """The figure alone."""
    return quantity(estimate.value, unit)


def interval(estimate: Estimate, unit: str) -> str:
    """Its interval with the unit said once, such as "1,045 to 1,448 USD"; why there is none, in words, where there is none."""
    if estimate.low is None and estimate.high is None:
        return estimate.why if estimate.value is None else f"no interval: {estimate.why}"
    high = "unknown" if estimate.high is None else quantity(estimate.high, unit)
    why = f" ({estimate.why})" if None in (estimate.low, estimate.high) else ""
    return f"{bare(estimate.low, unit)} to {high}{why}"


def bare_interval(estimate: Estimate, unit: str) -> str:
    """The same in a few letters: without units that the figure beside it has, and "-" where there is none."""
    if estimate.low is None and estimate.high is None:
        return "-"
    low, high = (bare(end, unit) for end in (estimate.low, estimate.high))
    return f"{low} to {high}"


def bare(end: float | None, unit: str) -> str:
    """A number without its unit, for places where that has been said; percent signs stay."""
    return (
        "unknown" if end is None else quantity(end, "fraction" if unit == "per_year" else unit).removesuffix(" USD").removesuffix(" tokens")
    )


def said(estimate: Estimate | None, unit: str) -> str:
    """Figure and interval in a sentence: "1.2% (0.8% to 1.9%)"."""
    if estimate is None or estimate.value is None:
        return NOT_COMPUTED
    ends = "" if estimate.low is None or estimate.high is None else f" ({bare_interval(estimate, unit)})"
    return value(estimate, unit) + ends


def label_of_figure(name: str) -> str:
    """What a figure is called; what follows a dot says of which market or of whom it is."""
    base, _, part = name.partition(".")
    return define(base).label + (f", {part}" if part else "")


def answer(found: EnsembleFiles, risk: EnsembleRisk) -> list[str]:
    """What happens, in a few sentences: how likely insolvency is, what is lost, how liquidations go, what LPs earn, what failed."""
    return [*_insolvency(risk), *_losses(risk), *_liquidations(risk), *_liquidity(risk), *_others(risk), *failures(found)]


def _insolvency(risk: EnsembleRisk) -> Iterator[str]:
    chance = risk.figures.get(("insolvency", "probability"))
    if chance is None or chance.value is None:
        return
    median = risk.figures[("time_to_insolvency_s", "median")]
    when = "" if median.value is None else f", on half of all paths within {duration(median.value)}"
    yield f"Some CDP becomes insolvent on {said(chance, 'fraction')} of {number(chance.paths)} paths{when}."


def _losses(risk: EnsembleRisk) -> Iterator[str]:
    """Mean and tail of the bad debt, and of what an exchange cannot pay."""
    for name, words in (("bad_debt_usd", "Bad debt"), ("unpaid_peak_usd", "What the exchange cannot pay at its worst")):
        mean = risk.figures.get((name, "mean"))
        if mean is None or mean.value is None:
            continue
        if column_max(risk, name):
            yield f"{words} is {said(mean, 'USD')} on average, and {_tail(risk, name)}."
        else:
            yield f"{words} is 0 on all {number(mean.paths)} paths."


def _tail(risk: EnsembleRisk, name: str) -> str:
    """The mean of the worst hundredth of paths; of the worst twentieth where so few paths tell nothing of the former."""
    rarest = risk.figures[name, "cvar99"]
    if rarest.low is not None:
        return f"{said(rarest, 'USD')} on the worst 1% of paths (CVaR 99%)"
    return f"{said(risk.figures[name, 'cvar95'], 'USD')} on the worst 5% of paths (CVaR 95%)"


def column_max(risk: EnsembleRisk, name: str) -> float:
    """The largest value of a figure on any path; 0 where no path has it."""
    return float(risk.played[name].fillna(0.0).max())


def _liquidations(risk: EnsembleRisk) -> Iterator[str]:
    efficiency = risk.figures.get(("liquidation_efficiency", "ratio"))
    if efficiency is not None and efficiency.value is not None:
        yield f"Of the debt put up for sale {said(efficiency, 'fraction')} is liquidated in the round of its margin call."


def _liquidity(risk: EnsembleRisk) -> Iterator[str]:
    fees, net = (risk.figures.get((name, "mean")) for name in ("fee_yield_per_year", "lp_net_yield_per_year"))
    if fees is None or fees.value is None:
        return
    less = "" if net is None or net.value is None else f", {said(net, 'per_year')} net of impermanent loss"
    yield f"LPs earn {said(fees, 'per_year')} in fees{less}."


def _others(risk: EnsembleRisk) -> Iterator[str]:
    for name, who in _MARKET_LOSSES:
        gain = risk.means.get(name)
        if gain is not None and gain.value is not None:
            yield f"{who} is {said(gain, 'USD')} on average."


def failures(found: EnsembleFiles) -> Iterator[str]:
    """How many paths failed, where any did."""
    failed = len(found.failed)
    if failed:
        yield f"{number(failed)} of {number(found.paths)} paths failed and {'is' if failed == 1 else 'are'} in none of these figures."


def counted(found: EnsembleFiles) -> str:
    """Paths asked for, run and failed."""
    asked = int(found.manifest["paths_asked"])
    return f"{number(asked)} paths asked for, {number(found.paths)} run, {number(len(found.failed))} failed"


def stopping(found: EnsembleFiles) -> list[str]:
    """How the stopping rule stands, where there is one; and any warning it carries."""
    rule: dict[str, Any] | None = found.manifest["stopping"]
    if rule is None:
        return []
    verdict = "met" if rule["is_met"] else "not met"
    after = f"after {number(rule['paths'])} paths"
    if rule.get("value") is None:
        return [f"Stopping rule {rule['rule']}: {verdict} {after}; its figure could not be estimated yet."]
    unit = quantity_unit(parse(rule["rule"]).quantity)
    ends = " to ".join("unknown" if end is None else in_words(end, unit) for end in (rule["low"], rule["high"]))
    return [f"Stopping rule {rule['rule']}: {verdict} {after}, at {in_words(rule['value'], unit)} ({ends})."]


def unit_of(found: EnsembleFiles, name: str) -> str:
    """Unit of a headline figure; USD where nobody wrote one down."""
    return next((str(group[name]["unit"]) for group in found.summary.values() if name in group), "USD")


def _players(workers: int, place: str) -> str:
    """2 threads, 16 processes, 64 threads of tcp://host:8786."""
    one, many = ("process", "processes") if place == "processes" else ("thread", "threads")
    return f"{number(workers)} {one if workers == 1 else many}" + ("" if place in ("threads", "processes") else f" of {place}")


def effort(found: EnsembleFiles) -> str:
    """How long the ensemble took, who played it, and the most memory that the process had that wrote it down."""
    manifest = found.manifest
    spent = f"{duration(manifest['seconds'])} with {_players(manifest['workers'], manifest.get('players', 'threads'))}"
    before = int(manifest.get("paths_kept_from_before", 0))
    kept = f", {number(before)} paths kept from before" if before else ""
    asking = "" if manifest.get("players", "threads") == "threads" else " in the process that asked"
    return f"{spent}, {number(manifest['peak_memory_mb'])} MB at most{asking}{kept}"


def share(part: float, whole: float) -> str:
    """Part of a whole as a percentage; "-" of nothing."""
    return percent(part / whole) if whole else "-"
