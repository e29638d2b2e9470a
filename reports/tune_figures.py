"""The figures of a tuning study: maps, curves or lines through its parameters, and the frontier."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seawall.protocols.tables import Bools, Floats
from seawall.reports.style import GREEN, INK, PAPER, VERMILION, Chart, columns, house_style, shortened
from seawall.reports.tune_curves import MARKERS, curves, parallels
from seawall.reports.tune_maps import Panel, map_charts, objective_panels
from seawall.reports.tune_result import Tuning, called, objective
from seawall.reports.tune_units import scale_of, ticks
from seawall.reports.words import number, plain
from seawall.studies import ranking

_MARKS = (("recommended", "*", 13.0, 5), ("runner-up", "D", 6.0, 4))  # label, marker, size, layer


def tune_charts(found: Tuning) -> list[Chart]:
    """Every figure of a study, in the order of its page."""
    match len(found.spec.parameters):
        case 1:
            charts = [curves(found)]
        case 2:
            charts = map_charts(found)
        case _:
            charts = [parallels(found)]
    return charts + ([frontier(found)] if len(found.spec.objectives) > 1 and found.answer["points"] else [])


@house_style()
def frontier(found: Tuning) -> Chart:
    """The first objective against each other one, with intervals; the points that no other beats in the two are joined."""
    across, *others = objective_panels(found)
    figure = Figure(figsize=(5.0, 0.8 + 2.5 * len(others)), layout="constrained")
    axes = figure.subplots(len(others), 1, sharex=True, squeeze=False)[:, 0]
    for ax, panel in zip(axes, others, strict=True):
        _pair(ax, found, across, panel)
    axes[-1].set_xlabel(across.title)
    axes[-1].xaxis.set_major_formatter(ticks(across.unit))
    handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=columns(handles))
    count = len(found.answer["frontier"])
    are = "points are" if count != 1 else "point is"
    title = f"{number(count)} {are} on the frontier" if count else "No point is on the frontier: none meets all constraints"
    spoken = "; ".join(f"{called(found, one['values'])}: {_told(found, one)}" for one in found.best)
    note = (
        "Filled points meet all constraints, hollow ones are open, crosses break one. Bars are 95% intervals, each by itself; those of "
        "points with few paths are wide. The line joins what is on the frontier and is beaten by no other point in these two objectives."
    )
    return Chart("frontier", title, f"Objectives against each other. {spoken or title}.", note, figure)


def _told(found: Tuning, entry: dict[str, Any]) -> str:
    return ", ".join(f"{plain(one.name)} {objective(found, one, entry)}" for one in found.spec.objectives)


def _pair(ax: Axes, found: Tuning, across: Panel, up: Panel) -> None:
    x, y = (_with_ends(found, panel) for panel in (across, up))
    status = found.points["status"].to_numpy()
    for name in ("broken", "open", "met"):
        chosen, style = status == name, MARKERS[name]
        faint = {"color": style["color"], "linewidth": 0.9, "alpha": 0.45, "zorder": 1}
        ax.vlines(x[0, chosen], y[1, chosen], y[2, chosen], **faint)
        ax.hlines(y[0, chosen], x[1, chosen], x[2, chosen], **faint)
        if chosen.any():
            ax.plot(x[0, chosen], y[0, chosen], linestyle="none", markersize=4.5, zorder=2, **style)
    joined = _unbeaten(found, x[0], y[0], across, up)
    if joined.size > 1:
        ax.plot(x[0, joined], y[0, joined], color=GREEN, linewidth=1.4, zorder=3, label="frontier")
    for entry, (label, marker, size, layer) in zip(found.best, _MARKS, strict=False):
        row = int(np.flatnonzero(found.points["number"] == entry["number"])[0])
        style = {"color": VERMILION, "markeredgecolor": PAPER, "linestyle": "none", "label": label}
        ax.plot(x[0, row], y[0, row], marker=marker, markersize=size, zorder=layer, **style)
    ax.set_ylabel(shortened(up.title), color=INK)
    ax.margins(x=0.05, y=0.07)
    ax.grid(visible=True, axis="both")
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(ticks(up.unit))


def _with_ends(found: Tuning, panel: Panel) -> Floats:
    """Value, low and high of each point as drawn, `[3, points]`."""
    found_columns: Floats = np.array([found.column(panel.name + end) * scale_of(panel.unit) for end in ("", "_low", "_high")])
    return found_columns


def _unbeaten(found: Tuning, x: Floats, y: Floats, across: Panel, up: Panel) -> Any:
    """Rows of the frontier that none of it beats in two objectives, from left to right."""
    on_frontier: Bools = found.points["on_frontier"].to_numpy(np.bool_)
    rows = np.flatnonzero(on_frontier & np.isfinite(x) & np.isfinite(y))
    signs = [-1.0 if panel.is_better_high else 1.0 for panel in (across, up)]
    kept = rows[ranking.frontier(np.column_stack([signs[0] * x[rows], signs[1] * y[rows]]))] if rows.size else rows
    return kept[np.argsort(x[kept], kind="stable")]
