"""The figures of an ensemble beside its fan charts: exceedance, survival, the distribution of losses, the waterfall."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from seawall.reports.ensemble_cascades import cascade_charts
from seawall.reports.ensemble_fans import fan_charts
from seawall.reports.ensemble_ratios import ratio_charts
from seawall.reports.ensemble_terms import LEVELS
from seawall.reports.ensemble_words import interval, said
from seawall.reports.glossary import define
from seawall.reports.market_terms import GAINERS
from seawall.reports.style import BLUE, INK, ORANGE, VERMILION, Chart, TimeAxis, finish, house_style, line, panels
from seawall.reports.words import DAY, HOUR, amount, duration, number, percent, usd
from seawall.studies.ensemble_files import EnsembleFiles
from seawall.studies.ensemble_risk import Curve, EnsembleRisk, column
from seawall.studies.estimate import Estimate

_LOG_FROM = 50.0  # ratio of the largest loss to the median one from which both axes are logarithmic
_DAYS_FROM = 4 * DAY
_BINS = 40
_ROUNDING = 1e-9
_MARKS = {"var95": (BLUE, ":"), "cvar95": (BLUE, "--"), "var99": (VERMILION, ":"), "cvar99": (VERMILION, "--")}
_BEARERS = {
    "owners_loss_usd": "CDP owners (auctions)",
    "holders_loss_usd": "holders of tASSETs",
    "lp_impermanent_loss_usd": "pool LPs (less fees)",
    "liquidators_profit_usd": "liquidators",
    "perps_traders_gain_usd": "perps traders",
    "exchange_lps_gain_usd": "exchange LPs",
    "exchange_keepers_gain_usd": "exchange keepers",
    "siphon_receivers_gain_usd": "siphon receivers",
}


def ensemble_charts(found: EnsembleFiles, risk: EnsembleRisk) -> list[Chart]:
    """Every figure that the ensemble has something for, in the order of the report."""
    tails = [chart for name, curve in risk.curves.items() for chart in (exceedance(risk, name, curve), distribution(risk, name))]
    survival = [survival_chart(risk)] if risk.survival is not None and risk.survival.events else []
    borne = [waterfall(risk)] if risk.waterfall else []
    return [*tails, *survival, *cascade_charts(risk), *borne, *ratio_charts(found), *fan_charts(found)]


@house_style()
def exceedance(risk: EnsembleRisk, name: str, curve: Curve) -> Chart:
    """Share of paths that lose more than each amount, with pointwise intervals, VaR and CVaR."""
    figure, (ax,) = panels(1, height=2.6)
    known = [(at, chance) for at, chance in zip(curve.thresholds, curve.chances, strict=True) if chance.value]
    at, values, low, high = (np.array(row, dtype=float) for row in zip(*(_point(*point) for point in known), strict=True))
    is_log = at.size > 2 and at[-1] > _LOG_FROM * np.median(at[at > 0.0])
    if is_log:
        ax.set_xscale("log")
        at = np.where(at > 0.0, at, at[at > 0.0].min() / 2.0)
    ax.set_yscale("log")
    ax.fill_between(at, low, high, step="post", color=BLUE, alpha=0.18, linewidth=0, label=f"{percent(0.95)} interval")
    ax.step(at, values, where="post", color=BLUE, label="share of paths")
    _mark_levels(ax, risk, name)
    ax.yaxis.set_major_formatter(lambda share, _: percent(share))
    ax.yaxis.set_minor_locator(NullLocator())
    _usd_axis(ax, f"{define(name).label} (USD)", is_log=is_log)
    _legend(figure, ax)
    more = curve.chances[0]
    title = f"{_label(name)} above 0 on {said(more, 'fraction')} of {number(more.paths)} paths"
    spoken = ". ".join(f"More than {usd(t)} on {said(c, 'fraction')} of paths" for t, c in known[:: max(len(known) // 6, 1)])
    left_out = f" On {number(more.missing)} paths it is not known." if more.missing else ""
    note = f"Intervals are pointwise. {_levels_said(risk, name)}{left_out}"
    return Chart(f"exceedance-{_anchor(name)}", title, f"{spoken}. {_levels_said(risk, name)}", note, figure)


def _point(threshold: float, chance: Estimate) -> tuple[float, float | None, float | None, float | None]:
    return threshold, chance.value, chance.low, chance.high


def _mark_levels(ax: Axes, risk: EnsembleRisk, name: str) -> None:
    for statistic, (colour, dash) in _MARKS.items():
        found = risk.figures.get((name, statistic))
        if found is not None and found.value:
            ax.axvline(found.value, color=colour, linestyle=dash, linewidth=1.2, label=LEVELS[statistic])


def _levels_said(risk: EnsembleRisk, name: str) -> str:
    known = ((label, risk.figures.get((name, statistic))) for statistic, label in LEVELS.items())
    return "; ".join(f"{label} {said(found, 'USD')}" for label, found in known if found is not None) + "."


@house_style()
def distribution(risk: EnsembleRisk, name: str) -> Chart:
    """How losses are spread over the paths that have one; the others are named."""
    values, weights = column(risk.played, name), np.exp(risk.weights - risk.weights.max(initial=-np.inf))
    is_known, is_lost = np.isfinite(values), values > 0.0
    figure, (ax,) = panels(1, height=1.9)
    lost, shares = values[is_lost], weights[is_lost] / weights[is_known].sum()
    is_log = lost.max() > _LOG_FROM * float(np.median(lost))
    edges = np.geomspace(lost.min(), lost.max(), _BINS + 1) if is_log else np.linspace(0.0, float(lost.max()), _BINS + 1)
    ax.hist(lost, bins=edges.tolist(), weights=shares, color=BLUE, alpha=0.75)
    if is_log:
        ax.set_xscale("log")
    ax.yaxis.set_major_formatter(lambda share, _: percent(share))
    ax.set_ylabel("share of paths")
    _usd_axis(ax, f"{define(name).label} (USD)", is_log=is_log)
    mean, nothing = risk.figures.get((name, "mean"), risk.means[name]), 1.0 - float(shares.sum())
    without = f"; none on {percent(nothing)} of paths" if nothing > _ROUNDING else ""
    title = f"{_label(name)}: {said(mean, 'USD')} on average{without}"
    quartiles = ", ".join(usd(float(value)) for value in np.quantile(lost, (0.25, 0.5, 0.75)))
    alt = f"Histogram of paths with a loss. Quarters of them lie below, between and above {quartiles}; the most is {usd(lost.max())}."
    return Chart(f"losses-{_anchor(name)}", title, alt, "Paths without a loss are not drawn." if without else "", figure)


@house_style()
def survival_chart(risk: EnsembleRisk) -> Chart:
    """Kaplan and Meier's curve of the time to the first insolvent CDP."""
    curve, horizon = risk.survival, risk.horizon_s
    assert curve is not None and horizon is not None
    unit_s, label = (DAY, "days since start") if horizon > _DAYS_FROM else (HOUR, "hours since start")
    axis = TimeAxis(unit_s, label, 0.0, horizon / unit_s)
    figure, (ax,) = panels(1, height=2.2)
    times, last = np.r_[0.0, curve.times, horizon], np.array([curve.survival[-1], curve.low[-1], curve.high[-1]])
    still, low, high = (np.r_[1.0, each, end] for each, end in zip((curve.survival, curve.low, curve.high), last, strict=True))
    ax.fill_between(axis.units(times), low, high, step="post", color=BLUE, alpha=0.18, linewidth=0, label=f"{percent(0.95)} interval")
    line(ax, axis, times, still, color=BLUE, drawstyle="steps-post", label="no CDP insolvent yet")
    ax.set_ylim(min(0.0, float(np.nanmin(low))) if np.nanmin(low) < 0.5 else 0.98 * float(np.nanmin(low)), 1.0)
    ax.yaxis.set_major_formatter(lambda share, _: percent(share))
    ax.set_ylabel("share of paths")
    finish(figure, [ax], axis)
    chance = risk.figures[("insolvency", "probability")]
    title = f"Some CDP is insolvent at some time on {said(chance, 'fraction')} of paths"
    median = risk.figures[("time_to_insolvency_s", "median")]
    half = f"Median {duration(median.value)} ({interval(median, 'seconds')})" if median.value is not None else f"No median: {median.why}"
    at = (0.25 * horizon, 0.5 * horizon, horizon)
    spoken = "; ".join(f"after {duration(t)} no CDP is insolvent yet on {said(curve.at(t), 'fraction')}" for t in at)
    return Chart("survival", title, f"Share of paths over time. {spoken}.", f"{half}. Interval pointwise.", figure)


@house_style()
def waterfall(risk: EnsembleRisk) -> Chart:
    """A bar per group: mean loss to the right, mean gain to the left, each with its interval."""
    ordered = sorted(risk.waterfall.items(), key=lambda item: -(item[1].value or 0.0))
    figure, (ax,) = panels(1, height=0.36 * len(ordered) + 0.3)
    for place, (_, found) in enumerate(ordered):
        mean = found.value or 0.0
        ax.barh(-place, mean, height=0.6, color=ORANGE if mean > 0.0 else BLUE)
        if found.low is not None and found.high is not None:
            ax.plot([found.low, found.high], [-place, -place], color=INK, linewidth=1.3, marker="|", markersize=6)
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks([-place for place in range(len(ordered))], [bearer(name) for name, _ in ordered])
    ax.set_ylim(0.6 - len(ordered), 0.6)
    ax.margins(x=0.06)
    ax.grid(axis="x")
    ax.grid(axis="y", visible=False)
    _usd_axis(ax, "mean loss (USD), gains to the left", is_log=False)
    (worst, most), spoken = ordered[0], "; ".join(f"{bearer(name)} {said(found, 'USD')}" for name, found in ordered)
    lost = (most.value or 0.0) > 0.0
    title = f"{bearer(worst)} bear most, {said(most, 'USD')} on average" if lost else "No group loses on average"
    note = "Means over paths; thin lines are 95% intervals. Losses are positive, gains negative."
    return Chart("waterfall", title[0].upper() + title[1:], f"Mean loss of each group, gains negative. {spoken}.", note, figure)


def bearer(name: str) -> str:
    """Whose loss a figure of the waterfall is."""
    return GAINERS.get(name) or _BEARERS.get(name) or define(name).label


def _usd_axis(ax: Axes, label: str, *, is_log: bool) -> None:
    if not is_log:
        ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(lambda value, _: amount(value))
    ax.set_xlabel(label)


def _legend(figure: Figure, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3)


def _label(name: str) -> str:
    label = define(name).label
    return label[0].upper() + label[1:]


def _anchor(name: str) -> str:
    return name.replace("_", "-").replace(".", "-")
