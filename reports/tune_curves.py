"""Figures of a tuning study with one parameter, or with more than two: estimates along it; points as lines through all parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seawall.protocols.tables import Floats
from seawall.reports.style import (
    CLOSED,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    SKY,
    VERMILION,
    Chart,
    columns,
    house_style,
    say,
    shortened,
)
from seawall.reports.tune_grid import Scale
from seawall.reports.tune_maps import Panel, constraint_panels, objective_panels
from seawall.reports.tune_marks import HALO
from seawall.reports.tune_result import Entry, Tuning, called, level, levels_of, rows_of
from seawall.reports.tune_tables import status_counts
from seawall.reports.tune_units import in_words, scale_of, ticks
from seawall.reports.words import number, plain

MARKERS: dict[str, dict[str, Any]] = {
    "met": {"marker": "o", "color": GREEN, "label": "meets all"},
    "open": {"marker": "o", "color": SKY, "markerfacecolor": "none", "label": "open"},
    "broken": {"marker": "x", "color": ORANGE, "label": "breaks one"},
}
_SPOKEN = 8  # points that the alternative text tells, about
_LINES: dict[str, dict[str, Any]] = {
    "broken": {"color": MUTED, "linewidth": 0.5, "alpha": 0.35, "label": "breaks one"},
    "open": {"color": SKY, "linewidth": 0.7, "alpha": 0.7, "label": "open"},
    "met": {"color": GREEN, "linewidth": 1.0, "alpha": 0.8, "label": "meets all"},
}


@house_style()
def curves(found: Tuning) -> Chart:
    """A panel for each objective and constraint: its estimates with intervals along the one parameter, and the limit."""
    panels, one = [*objective_panels(found), *constraint_panels(found)], found.spec.parameters[0]
    figure = Figure(figsize=(5.0, 0.9 + 1.6 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, panel in zip(axes, panels, strict=True):
        _curve(ax, found, panel)
    Scale.of(one, found).dress(axes[-1], "x")
    _legend(figure, axes)
    title = f"{number(len(found.points))} points: {status_counts(found)}"
    told = [row for row in rows_of(found.points) if row["paths"]]
    some = told[:: max(len(told) // _SPOKEN, 1)]
    spoken = "; ".join(f"{panel.title}: {', '.join(_spoken(found, row, panel) for row in some)}" for panel in panels)
    note = "Objectives with two-sided 95% intervals, constraints with their one-sided bounds. Dashed: the limit. Dotted: recommended."
    grey = " Grey: not simulated." if found.answer["excused"] else ""
    return Chart("curves", title, f"Estimates along {plain(one.name)}. {spoken}.", note + grey, figure)


def _spoken(found: Tuning, row: Entry, panel: Panel) -> str:
    one = found.spec.parameters[0]
    return f"{in_words(row.get(panel.name), panel.unit)} at {level(one, row[one.name])}"


def _curve(ax: Axes, found: Tuning, panel: Panel) -> None:
    scale, factor = Scale.of(found.spec.parameters[0], found), scale_of(panel.unit)
    at = np.array([scale.at(value) for value in found.points[scale.parameter.name].tolist()])
    value, low, high = (factor * found.column(panel.name + end) for end in ("", "_low", "_high"))
    status = found.points["status"].to_numpy()
    ax.set_title(panel.title)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_formatter(ticks(panel.unit))
    order = np.argsort(at)
    ax.plot(at[order], value[order], color=MUTED, linewidth=0.8, zorder=1)
    for name, style in MARKERS.items():
        chosen = (status == name) & np.isfinite(value)
        ax.vlines(at[chosen], low[chosen], high[chosen], color=style["color"], linewidth=1.2)
        if chosen.any():
            ax.plot(at[chosen], value[chosen], linestyle="none", markersize=5.0, **style)
    _shade(ax, scale, at, status == "not simulated", is_grid=found.is_grid)
    if panel.limit is not None:
        ax.axhline(factor * panel.limit, color=INK, linewidth=0.9, linestyle="--")
    if found.best:
        ax.axvline(scale.at(found.best[0]["values"][scale.parameter.name]), color=VERMILION, linewidth=1.2, linestyle=":")
    if not np.isfinite(value).any():
        say(ax, "no point was simulated")
        ax.set_yticks([])


def _shade(ax: Axes, scale: Scale, at: Floats, excused: Any, *, is_grid: bool) -> None:
    """Cells of points that were not simulated; where points lie anywhere, ticks."""
    for place in at[excused]:
        if is_grid:
            cell = int(np.searchsorted(scale.levels, place))
            ax.axvspan(scale.edges[cell], scale.edges[cell + 1], color=CLOSED, linewidth=0, zorder=0)
        else:
            ax.axvline(place, color=GRID, linewidth=0.8, zorder=0)


@house_style()
def parallels(found: Tuning) -> Chart:
    """A row for each parameter, and one for the first objective: every point a line from the top to the bottom."""
    goal = objective_panels(found)[0]
    scales = [Scale.of(one, found) for one in found.spec.parameters]
    figure = Figure(figsize=(5.0, 1.0 + 0.62 * (len(scales) + 1)), layout="constrained")
    ax = figure.subplots()
    shares = np.array([[_share(scale, value) for value in found.points[scale.parameter.name].tolist()] for scale in scales])
    value = found.column(goal.name)
    low, high = (float(edge(value[np.isfinite(value)])) if np.isfinite(value).any() else math.nan for edge in (np.min, np.max))
    last = (value - low) / (high - low) if high > low else np.where(np.isfinite(value), 0.5, math.nan)
    lines, depth = np.vstack([shares, last]), -np.arange(len(scales) + 1.0)
    ax.hlines(depth, 0.0, 1.0, color=GRID, linewidth=0.8, zorder=0)
    _strands(ax, found, lines, depth)
    for place, scale in enumerate(scales):
        ends = [level(scale.parameter, levels_of(scale.parameter)[end]) for end in (0, -1)]
        _row(ax, -place, scale.label(), *ends)
    _row(ax, depth[-1], goal.title, in_words(low, goal.unit), in_words(high, goal.unit))
    ax.set(xlim=(-0.02, 1.02), ylim=(depth[-1] - 0.35, 0.45), yticks=[], xticks=[])
    ax.spines[:].set_visible(False)
    _legend(figure, [ax])
    title = f"{number(len(found.points))} points: {status_counts(found)}"
    spoken = "; ".join(called(found, entry["values"]) for entry in found.best) or "none is recommended"
    note = f"Every point that was simulated is a line from the top to the bottom; the last row is {plain(goal.name)}."
    return Chart("parallels", title, f"Points through all parameters. Recommended, then runner-up: {spoken}.", note, figure)


def _share(scale: Scale, value: Any) -> float:
    """How far along its range a value is, 0 to 1."""
    at, ends = scale.at(value), scale.levels[[0, -1]]
    if scale.parameter.spacing == "log":
        at, ends = math.log(at), np.log(ends)
    return float((at - ends[0]) / (ends[1] - ends[0])) if ends[1] > ends[0] else 0.5


def _strands(ax: Axes, found: Tuning, lines: Floats, depth: Floats) -> None:
    status, numbers = found.points["status"].to_numpy(), found.points["number"].to_numpy()
    for name, style in _LINES.items():
        label, plainly = style["label"], {key: value for key, value in style.items() if key != "label"}
        for place, row in enumerate(np.flatnonzero(status == name)):
            ax.plot(lines[:, row], depth, label=label if place == 0 else None, **plainly)
    for entry, dash, label in zip(found.best, ("-", "--"), ("recommended", "runner-up"), strict=False):
        strand = lines[:, np.flatnonzero(numbers == entry["number"])[0]]
        ax.plot(strand, depth, color=PAPER, linewidth=4.0, zorder=3)
        ax.plot(strand, depth, color=VERMILION, linestyle=dash, linewidth=2.0, zorder=4, label=label)


def _row(ax: Axes, depth: float, label: str, low: str, high: str) -> None:
    """A parameter's name above its row, its ends below."""
    seen: dict[str, Any] = {"path_effects": [HALO], "zorder": 5}
    ax.text(0.0, depth + 0.1, shortened(label, 40), fontsize=9.0, fontweight="bold", va="bottom", **seen)
    ax.text(0.0, depth - 0.06, shortened(low, 18), fontsize=8.5, va="top", color=MUTED, **seen)
    ax.text(1.0, depth - 0.06, shortened(high, 18), fontsize=8.5, va="top", ha="right", color=MUTED, **seen)


def _legend(figure: Figure, axes: Any) -> None:
    handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=columns(handles))
