"""What is drawn upon a map of a tuning study: the ground, cells, contours, lines known beforehand, the recommended point."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import Formatter

from seawall.protocols.tables import Floats
from seawall.reports.style import CLOSED, INK, MUTED, PAPER, VERMILION, columns
from seawall.reports.tune_grid import Plane
from seawall.reports.tune_result import Tuning
from seawall.reports.words import percent

Handle = Line2D | Patch
HALO = withStroke(linewidth=2.8, foreground=PAPER)
"""Around lines and marks, so that they are seen on every colour."""
_STYLES: dict[str, Any] = {"restoring": "--", "toxic": ":", "least": "-.", "floor": (0, (7, 2, 1, 2, 1, 2))}
_CROSSES: dict[str, dict[str, Any]] = {
    "not simulated": {"marker": "x", "color": MUTED, "markersize": 4.0, "markeredgewidth": 0.9},
    "failed": {"marker": "x", "color": VERMILION, "markersize": 6.0, "markeredgewidth": 1.8},
}
_MARKS = {"recommended": ("*", 13.0), "runner_up": ("D", 6.0)}


def ground(ax: Axes, plane: Plane) -> list[Handle]:
    """Axes of the two parameters, and crosses where there is nothing to colour: those of the legend if there are any."""
    plane.x.dress(ax, "x")
    plane.y.dress(ax, "y")
    ax.grid(visible=False)
    if plane.found.is_grid:
        ax.set_facecolor(CLOSED)
    handles: list[Handle] = []
    for status, style in _CROSSES.items():
        at = plane.places[np.array(plane.found.points["status"] == status)]
        if len(at):
            ax.plot(*at.T, zorder=2, linestyle="none", **style)
            handles.append(Line2D([], [], linestyle="none", label=status, **style))
    return handles


def colour(ax: Axes, plane: Plane, values: Floats, cmap: Colormap, norm: Normalize) -> ScalarMappable:
    """Values of the points as colours: cells of a grid, or dots where points lie anywhere; those without a value are left out."""
    if plane.found.is_grid:
        cells = np.ma.masked_invalid(plane.cells(values))
        return ax.pcolormesh(plane.x.edges, plane.y.edges, cells, cmap=cmap, norm=norm, rasterized=True, zorder=1)
    known = np.isfinite(values)
    x, y = plane.places[known].T
    return ax.scatter(x, y, c=values[known], cmap=cmap, norm=norm, s=26.0, edgecolors=INK, linewidths=0.4, zorder=2)


def contours(ax: Axes, plane: Plane, values: Floats, levels: list[float], limit: float | None) -> list[Handle]:
    """Lines of equal estimates on a grid, and that of the limit thicker; none where too few levels were tried."""
    cells = np.ma.masked_invalid(plane.cells(values))
    if min(cells.shape) < 2 or cells.count() < 4 or cells.min() == cells.max():
        return []
    if crossed := [one for one in levels if cells.min() < one < cells.max()]:
        ax.contour(plane.x.levels, plane.y.levels, cells, levels=crossed, colors=PAPER, linewidths=0.7, zorder=2)
    if limit is None or not cells.min() < limit < cells.max():
        return []
    ax.contour(plane.x.levels, plane.y.levels, cells, levels=[limit], colors=VERMILION, linewidths=1.8, zorder=3)
    return [Line2D([], [], color=VERMILION, linewidth=1.8, label="estimate at the limit")]


def feasible(ax: Axes, plane: Plane) -> list[Handle]:
    """The outline of the cells that meet every constraint."""
    if not plane.found.is_grid or not plane.found.spec.constraints:
        return []
    is_met = np.array(plane.found.points["status"] == "met", np.float64)
    segments = list(plane.outline(plane.cells(is_met) == 1.0))
    if not segments:
        return []
    ax.add_collection(LineCollection(segments, colors=INK, linewidths=1.6, path_effects=[HALO], zorder=4))
    return [Line2D([], [], color=INK, linewidth=1.6, label="meets all constraints")]


def known_lines(ax: Axes, plane: Plane) -> list[Handle]:
    """The lines that divide the plane before anything is simulated, as far as they cross it; upon the axes that they were made for."""
    lines = plane.found.answer["lines"]
    if lines is None:
        return []
    is_upright = lines["x"] == plane.x.parameter.name
    low, high = (plane.y if is_upright else plane.x).edges[[0, -1]]
    handles: list[Handle] = []
    for name, heights in line_heights(plane.found):
        if ((heights >= low) & (heights <= high)).any():
            across = (np.array(lines["ratios"]), heights)
            style: dict[str, Any] = {"color": INK, "linestyle": _STYLES[name], "linewidth": 1.3}
            ax.plot(*(across if is_upright else across[::-1]), path_effects=[HALO], zorder=5, scalex=False, scaley=False, **style)
            handles.append(Line2D([], [], label=line_label(plane.found, name), **style))
    return handles


def line_heights(found: Tuning) -> Iterable[tuple[str, Floats]]:
    """Each line of the answer with its discounts, one for each ratio."""
    lines = found.answer["lines"] or {}
    for name in _STYLES:
        if lines.get(name) is not None:
            yield name, np.broadcast_to(np.array(lines[name], np.float64), len(lines["ratios"]))


def line_label(found: Tuning, name: str) -> str:
    """What a line is called in a legend."""
    if name == "toxic":
        return f"toxic (gap {percent(found.answer['lines']['gap'])})"
    return {"restoring": "restoring", "least": "least discount", "floor": "floor"}[name]


def marks(ax: Axes, plane: Plane) -> list[Handle]:
    """A star on the recommended point, a diamond on the runner-up."""
    handles: list[Handle] = []
    for name, (marker, size) in _MARKS.items():
        entry = plane.found.answer[name]
        if entry is not None:
            style: dict[str, Any] = {
                "marker": marker,
                "markersize": size,
                "color": VERMILION,
                "markeredgecolor": PAPER,
                "linestyle": "none",
            }
            ax.plot(*plane.place(entry["values"]), zorder=6, **style)
            handles.append(Line2D([], [], label=name.replace("_", "-"), **style))
    return handles


def bar(figure: Figure, ax: Axes, mesh: ScalarMappable, words: Formatter | Callable[[Any, Any], str], ticks: list[float] | None) -> None:
    """The colours' meaning beside a panel; ticks where they are, or where matplotlib puts them."""
    drawn = figure.colorbar(mesh, ax=ax, fraction=0.09, pad=0.02, aspect=16, ticks=ticks)
    drawn.ax.minorticks_off()
    drawn.ax.yaxis.set_major_formatter(words)
    drawn.ax.grid(visible=False)
    drawn.ax.spines[:].set_visible(False)


def legend(figure: Figure, handles: Iterable[Handle]) -> None:
    """One legend for all panels, above them; equal labels once."""
    by_label = {str(one.get_label()): one for one in handles}
    if by_label:
        figure.legend(by_label.values(), by_label.keys(), loc="outside upper left", ncols=columns(by_label), handlelength=2.6)
