"""Cascades over paths: how much is liquidated in the worst hour of each, and for how many rounds in a row."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seawall.protocols.tables import Floats
from seawall.reports.ensemble_words import said
from seawall.reports.glossary import define
from seawall.reports.style import BLUE, INK, VERMILION, Chart, house_style
from seawall.reports.words import number, percent, quantity
from seawall.studies import risk as measures_of
from seawall.studies.ensemble_risk import EnsembleRisk, as_sampled, column
from seawall.studies.estimate import Estimate

CASCADES = {"cascade_debt_share": "fraction", "cascade_rounds": "count", "perps_cascade_share": "fraction"}
"""Measures of a path's largest cascade that get a panel, with their units."""
_BINS = 40
_LEVEL = 0.95
_OF_WHAT = {"cascade_debt_share": "all debt", "perps_cascade_share": "the open interest"}
_AXES = {"fraction": "liquidated in the worst hour, share of {}", "count": "rounds in a row with a liquidation"}


def cascade_charts(risk: EnsembleRisk) -> list[Chart]:
    """The figure of cascades; none where nothing is liquidated on any path."""
    shown = [name for name in CASCADES if name in risk.played and column(risk.played, name)[_known(risk, name)].any()]
    return [cascades(risk, shown)] if shown else []


def _known(risk: EnsembleRisk, name: str) -> np.ndarray:
    return np.isfinite(column(risk.played, name))


@house_style()
def cascades(risk: EnsembleRisk, names: list[str]) -> Chart:
    """A histogram over paths for each measure, with its mean and the mean of the worst twentieth of paths.

    Args:
        risk: of the ensemble.
        names: of `CASCADES`, each above 0 on some path.
    """
    figure = Figure(figsize=(5.0, 0.6 + 1.75 * len(names)), layout="constrained")
    axes = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for ax, name in zip(axes, names, strict=True):
        _draw(ax, risk, name)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    spoken = " ".join(_spoken(risk, name) for name in names)
    return Chart("cascades", _title(risk, names[0]), f"Histograms over paths. {spoken}", _note(risk, names), figure)


def _note(risk: EnsembleRisk, names: list[str]) -> str:
    hours = "Each path counts with the worst of all its hours"
    records = "; of the exchange hours begin and end at records" if "perps_cascade_share" in names else ""
    quiet = any((column(risk.played, name) == 0.0).any() for name in names)
    return f"{hours}{records}.{' Paths on which nothing is liquidated are not drawn.' if quiet else ''}"


def _draw(ax: Axes, risk: EnsembleRisk, name: str) -> None:
    values, weights = column(risk.played, name), np.exp(risk.weights - risk.weights.max())
    known, some = _known(risk, name), values > 0.0
    unit = CASCADES[name]
    ax.hist(values[some], bins=_edges(values[some], unit), weights=weights[some] / weights[known].sum(), color=BLUE, alpha=0.75)
    for found, colour, dash, label in ((_mean(risk, name), INK, "--", "mean"), (_worst(risk, name), VERMILION, "-", "CVaR 95%")):
        if found.value is not None:
            ax.axvline(found.value, color=colour, linestyle=dash, linewidth=1.2, label=label)
    ax.margins(x=0.02)
    ax.set_ylabel("share of paths")
    ax.set_xlabel(_AXES[unit].format(_OF_WHAT.get(name, "")))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_formatter(lambda share, _: percent(share))
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=unit == "count"))
    ax.xaxis.set_major_formatter(lambda value, _: quantity(value, unit))


def _edges(values: Floats, unit: str) -> list[float]:
    """Edges of the bars; of counts between whole numbers, so that each number lies in the middle of a bar."""
    most = float(values.max())
    if unit == "count":
        width = max(int(np.ceil(most / _BINS)), 1)
        return [float(edge) for edge in np.arange(0.5, most + 0.5 + width, width)]
    return [float(edge) for edge in np.linspace(0.0, most, _BINS + 1)]


def _mean(risk: EnsembleRisk, name: str) -> Estimate:
    return risk.means[name]


def _worst(risk: EnsembleRisk, name: str) -> Estimate:
    """Mean of the worst twentieth of paths."""
    return as_sampled(measures_of.cvar(column(risk.played, name), _LEVEL, risk.weights), risk.sampling)


def _title(risk: EnsembleRisk, name: str) -> str:
    mean, worst = said(_mean(risk, name), CASCADES[name]), said(_worst(risk, name), CASCADES[name])
    if name == "cascade_rounds":
        return f"Liquidations go on for {mean} rounds in a row on average, {worst} on the worst 5% of paths"
    return f"In the worst hour {mean} of {_OF_WHAT[name]} is liquidated on average, {worst} on the worst 5% of paths"


def _spoken(risk: EnsembleRisk, name: str) -> str:
    values, unit = column(risk.played, name), CASCADES[name]
    known = values[np.isfinite(values)]
    *quarters, most = (quantity(float(value), unit) for value in np.quantile(known, (0.25, 0.5, 0.75, 1.0)))
    return (
        f"{define(name).label}: quarters of the paths lie below, between and above {', '.join(quarters)}; the most is {most}, "
        f"none on {number(int((known == 0.0).sum()))} of {number(known.size)} paths."
    )
