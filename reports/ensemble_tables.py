"""The tables of an ensemble's page, each cell already in words; every figure with its interval, or why it has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seawall.reports.ensemble_figures import bearer
from seawall.reports.ensemble_terms import LEVELS
from seawall.reports.ensemble_words import interval, label_of_figure, share, unit_of, value
from seawall.reports.tables import Table
from seawall.reports.words import NOT_COMPUTED, label_of, number, quantity
from seawall.studies import risk as measures_of
from seawall.studies.bands import spread
from seawall.studies.ensemble_files import EnsembleFiles
from seawall.studies.ensemble_risk import EnsembleRisk, column
from seawall.studies.estimate import Estimate
from seawall.studies.risk_table import LOSSES, REFUSALS, SLOPES, YIELDS

WORST = 10
_MOST_FAILED = 50
_NAMED = {
    "insolvency": ("Some CDP insolvent", "fraction"),
    "under_collateralised_run": ("Run under-collateralised", "fraction"),
    "borrower_loss": ("Borrower loss at risk (95%)", "fraction"),
    "capital_efficiency": ("Capital efficiency", "fraction"),
}
"""Figures over paths that no single path has: what they are called, and their unit."""
_OF_STATISTIC = {"at_risk": " at risk (95%)", "ratio": ", all paths", "median": ", median"}
_CASH = ("probability", "median", "at_risk", "ratio")


def losses(risk: EnsembleRisk) -> Table:
    """Mean, VaR and CVaR of every loss, a line each with its interval; losses that are 0 on every path are in the caption."""
    rows, nothing = [], []
    for name in (name for name in LOSSES if (name, "mean") in risk.figures):
        if not column(risk.played, name).any():
            nothing.append(label_of_figure(name))
            continue
        for place, (statistic, words) in enumerate({"mean": "mean", **LEVELS}.items()):
            found = risk.figures[name, statistic]
            rows.append((label_of_figure(name) if place == 0 else "", words, value(found, "USD"), interval(found, "USD"), _paths(found)))
    caption = "Losses over paths" + (f"; 0 on every path: {', '.join(nothing)}" if nothing else "")
    return Table(("Loss", "Statistic", "Value", "95% interval", "Paths"), rows, 2, caption)


def risks(found: EnsembleFiles, risk: EnsembleRisk) -> Table:
    """Probabilities, times, liquidations and efficiency, each over all paths."""
    rows = [
        (_name(name, statistic), value(one, _unit(found, name, statistic)), interval(one, _unit(found, name, statistic)), _paths(one))
        for (name, statistic), one in risk.figures.items()
        if statistic in _CASH
    ]
    return Table(("Figure", "Value", "95% interval", "Paths"), rows, 1, "Insolvency, liquidations and efficiency over paths")


def _name(name: str, statistic: str) -> str:
    named = _NAMED[name][0] if name in _NAMED else label_of_figure(name) + _OF_STATISTIC[statistic]
    return named[0].upper() + named[1:]


def _unit(found: EnsembleFiles, name: str, statistic: str) -> str:
    return _NAMED[name][1] if name in _NAMED else "fraction" if statistic == "ratio" else unit_of(found, name)


def yields(found: EnsembleFiles, risk: EnsembleRisk) -> Table:
    """Fee yield and net yield by venue and kind of LP, and how neutral LPs stand."""
    shown = [(name, one) for (name, statistic), one in risk.figures.items() if statistic == "mean" and _base(name) in (*YIELDS, *SLOPES)]
    rows = [(label_of_figure(n), value(e, unit_of(found, n)), interval(e, unit_of(found, n)), _paths(e)) for n, e in shown]
    return Table(("Figure", "Mean", "95% interval", "Paths"), rows, 1, "What LPs earn, and how it moves with the market and with traders")


def waterfall(risk: EnsembleRisk) -> Table:
    """Who bears the loss, mean over paths."""
    rows = [(bearer(name), value(one, "USD"), interval(one, "USD"), _paths(one)) for name, one in risk.waterfall.items()]
    return Table(("Who", "Mean loss", "95% interval", "Paths"), rows, 1, "Who bore the loss; losses are positive, gains negative")


def failures(risk: EnsembleRisk) -> Table:
    """Why margin-called CDPs were left alone."""
    shown = [(name, risk.figures[name, "share"]) for name in REFUSALS if (name, "share") in risk.figures]
    rows = [(label_of_figure(name), value(one, "fraction"), interval(one, "fraction"), _paths(one)) for name, one in shown]
    known = rows if any(one.value is not None for _, one in shown) else []
    return Table(("Reason", "Share", "95% interval", "Paths"), known, 1, "Why liquidators left margin-called CDPs alone")


def headline(found: EnsembleFiles, risk: EnsembleRisk) -> Table:
    """Every headline figure of a run over all paths: mean with interval, quantiles, extremes, and how many paths have none."""
    rows: list[tuple[str, ...]] = []
    for group in found.summary.values():
        for name, entry in group.items():
            unit, mean = str(entry["unit"]), risk.means.get(name)
            if mean is None or entry["value"] is None:
                rows.append((label_of_figure(name), NOT_COMPUTED, entry.get("why", ""), *("-",) * 5, number(entry["paths"])))
                continue
            spread = (quantity(entry[level], unit) for level in ("least", "q05", "q50", "q95", "most"))
            rows.append((label_of_figure(name), value(mean, unit), interval(mean, unit), *spread, _paths(mean)))
    headings = ("Figure", "Mean", "95% interval", "Least", "5%", "Median", "95%", "Most", "Paths")
    return Table(headings, rows, 1, "Every figure of a run, over all paths")


def refusals(found: EnsembleFiles) -> Table:
    """Refused actions over all paths."""
    counts = found.refusals().sort_values("count", ascending=False, kind="stable")
    total, played = int(counts["count"].sum()), found.paths - len(found.failed)
    rows = [
        (label_of(str(action)), label_of(str(status)), number(int(count)), share(int(count), total), share(int(paths), played))
        for action, status, count, paths in counts[["action", "status", "count", "paths"]].itertuples(index=False)
    ]
    return Table(("Action", "Reason", "Times, all paths", "Share", "Paths that had it"), rows, 2, "Refused actions over all paths")


def worst(found: EnsembleFiles, risk: EnsembleRisk) -> Table:
    """The worst paths, each with the command that plays it again."""
    frame = risk.worst(WORST)
    names = [name for name in frame.columns if name != "path"]
    rows = [
        (str(int(row["path"])), found.replay(int(row["path"])), *(quantity(float(row[name]), unit_of(found, name)) for name in names))
        for row in frame.to_dict("records")
    ]
    headings = ("Path", "Play it again", *(label_of_figure(name) for name in names))
    return Table(headings, rows, 2, f"The {len(rows)} worst paths, by {', then '.join(map(label_of_figure, names)) or 'their number'}")


def failed(found: EnsembleFiles) -> Table:
    """Paths that failed, with why and the command that plays them again."""
    every = found.failed
    rows = [(str(one["path"]), str(one["type"]), str(one["error"]), str(one["command"])) for one in every[:_MOST_FAILED]]
    shown = f"The first {_MOST_FAILED} of {number(len(every))} failed paths" if len(every) > _MOST_FAILED else "Failed paths"
    return Table(("Path", "Error", "What it says", "Play it again"), rows, 4, shown)


def moments(found: EnsembleFiles) -> Table:
    """What prices turned out to be over all paths: mean with interval, and nine in ten of them."""
    frame = found.moments()
    played = frame[~frame["failed"].astype(bool)]
    weights = column(played, "log_weight")
    rows = []
    for name in (name for name in played.columns if name not in ("path", "log_weight", "failed")):
        values = column(played, name)
        mean = measures_of.mean(values, weights)
        if mean.value is not None:
            ends = " to ".join(number(float(end)) for end in spread(values, weights)[1::4])
            rows.append((*_asset_and_moment(name), number(mean.value), _plain(mean), ends, _paths(mean)))
    headings = ("Asset", "Moment", "Mean", "95% interval", "9 in 10 paths", "Paths")
    return Table(headings, rows, 2, "Prices over paths, shocks and closed hours included")


def _asset_and_moment(name: str) -> tuple[str, str]:
    asset, _, moment = name.rpartition(".")
    return asset, label_of(moment)


def _plain(mean: Estimate) -> str:
    if mean.low is None or mean.high is None:
        return "the same on every path" if "same value" in mean.why else mean.why
    return f"{number(mean.low)} to {number(mean.high)}"


def _paths(found: Estimate) -> str:
    """Paths that have the figure, and how many do not."""
    return number(found.paths) + (f" ({number(found.missing)} without)" if found.missing else "")


def _base(name: str) -> str:
    return name.partition(".")[0]


def of_manifest(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Shocks, outages, disturbances and delistings that were planned, in sentences."""
    from seawall.reports.shock_words import sentence
    from seawall.reports.words import duration

    for shock in manifest["shocks"]:
        if "at_s" in shock:
            yield sentence(shock)
        else:
            yield f"{sentence(shock | {'at_s': 0.0}).rpartition(',')[0]}, {number(shock['per_year'])} times a year at random."
    for outage in manifest["outages"]:
        length, start = duration(outage["to_s"] - outage["from_s"]), duration(outage["from_s"])
        yield f"The oracle of {outage['tasset']} is silent for {length}, from {start} after the start."
    for event in manifest.get("disturbances", ()):
        when = f"{duration(event['at_s'])} after the start" if "at_s" in event else f"{number(event['per_year'])} times a year at random"
        yield f"{event['what'][0].upper()}{event['what'][1:]}, {when}."
    for event in manifest["delistings"]:
        yield f"{event['tasset']} is delisted {duration(event['at_s'])} after the start; {event['replacement']} replaces it."
