"""Maps of a tuning study over its two parameters: verdicts and paths, and each objective and constraint with its contours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from seawall.reports.style import GREEN, ORANGE, SKY, Chart, house_style
from seawall.reports.tune_grid import Plane
from seawall.reports.tune_marks import Handle, bar, colour, contours, feasible, ground, known_lines, legend, marks
from seawall.reports.tune_result import Tuning, called, demanded
from seawall.reports.tune_tables import status_counts
from seawall.reports.tune_units import in_words, on_axis, scale_of, ticks
from seawall.reports.words import capital, number, percent, plain

_STATUS = {"met": (GREEN, "meets all"), "open": (SKY, "open"), "broken": (ORANGE, "breaks one")}
_OUTERMOST = 0.02  # share of the values at either end that the last colour stands for, so that one extreme does not take them all
_BESIDE = 2  # panels


@dataclass(frozen=True, slots=True)
class Panel:
    """What a map shows.

    Attributes:
        name: of the column of points.
        title: above the panel.
        unit: of the values.
        is_better_high: whether more is better.
        limit: of a constraint, in the unit.
    """

    name: str
    title: str
    unit: str
    is_better_high: bool
    limit: float | None = None


def map_charts(found: Tuning) -> list[Chart]:
    """Every map of a study with two parameters: verdicts and paths, objectives, constraints."""
    plane, charts = Plane.of(found), []
    if found.answer["points"]:
        groups = {"objectives": objective_panels(found), "constraints": constraint_panels(found)}
        charts = [estimates(plane, panels, name) for name, panels in groups.items() if panels]
    return [verdicts(plane), *charts]


def objective_panels(found: Tuning) -> list[Panel]:
    """A panel for each objective."""
    return [
        Panel(one.name, plain(one.name) + on_axis(found.units[one.name]), found.units[one.name], one.sign < 0)
        for one in found.spec.objectives
    ]


def constraint_panels(found: Tuning) -> list[Panel]:
    """A panel for each constraint."""
    return [
        Panel(one.name, f"{plain(one.name)}, {demanded(found, one)}", found.units[one.name], not limit.is_upper, limit.limit)
        for one, limit in zip(found.spec.constraints, found.limits.values(), strict=True)
    ]


@house_style()
def verdicts(plane: Plane) -> Chart:
    """Which points meet all constraints, with the lines that are known beforehand; and how many paths each point got."""
    found = plane.found
    figure = Figure(figsize=(5.0, 6.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, sharey=True)
    crosses = [*ground(upper, plane), *ground(lower, plane)]
    status = found.points["status"].tolist()
    codes = np.array([list(_STATUS).index(one) if one in _STATUS else math.nan for one in status])
    colour(upper, plane, codes, ListedColormap([tone for tone, _ in _STATUS.values()]), Normalize(-0.5, len(_STATUS) - 0.5))
    upper.set(title="how constraints stand", xlabel="")
    lower.set(title="paths of each point")
    _paths(figure, lower, plane)
    patches = [Patch(facecolor=tone, label=words) for name, (tone, words) in _STATUS.items() if name in status]
    legend(figure, [*patches, *crosses, *known_lines(upper, plane), *marks(upper, plane), *marks(lower, plane)])
    title = f"{number(len(found.points))} points: {status_counts(found)}"
    recommended = f" Recommended: {called(found, found.best[0]['values'])}." if found.best else " None is recommended."
    return Chart("map-verdicts", title, f"Map of verdicts. {title}.{recommended}", _line_note(found), figure)


def _paths(figure: Figure, ax: Axes, plane: Plane) -> None:
    paths = plane.found.column("paths")
    paths = np.where(paths > 0.0, paths, math.nan)
    used = sorted(set(paths[np.isfinite(paths)].tolist()))
    if used:
        mesh = colour(ax, plane, paths, colormaps["cividis"], LogNorm(used[0], max(used[-1], 2.0 * used[0])))
        bar(figure, ax, mesh, lambda count, _: number(count), used if len(used) < 8 else None)


def _line_note(found: Tuning) -> str:
    """What the lines mean, of those that the study has."""
    lines = found.answer["lines"]
    said = list(_few_paths(found))
    if lines is None:
        return " ".join(said)
    said.append("Discounts above the restoring line, 1 - 1/ratio, lower the ratio of a CDP at the minimum.")
    if lines["gap"] is not None:
        rise = f"after a rise of {percent(lines['gap'])}, which one silence of the feed in a hundred brings"
        said.append(f"Above the toxic line they do so {rise} (1 - (1 + gap)/ratio).")
    if lines["least"] is not None:
        sizes = (in_words(lines["purchase_usd"][end], "USD") for end in ("lowest_ratio", "highest_ratio"))
        median = f"of the median CDP ({' to '.join(sizes)}, from the lowest ratio to the highest)"
        said.append(f"Below the least discount nobody gains by buying at once the whole debt {median} on the pool.")
    if lines["floor"] is not None:
        said.append("Below the floor no purchase pays, however small, while the pool is at par.")
    said.append("Lines that do not cross the map are not drawn.")
    return " ".join(said)


def _few_paths(found: Tuning) -> Iterator[str]:
    """Why so many points are open."""
    paths = found.with_status("open")["paths"]
    few = int((paths < found.spec.search.paths).sum())
    if few:
        yield f"Of {number(len(paths))} open points {number(few)} have less than all paths: the search dropped them for better ones."


@house_style()
def estimates(plane: Plane, panels: Sequence[Panel], name: str) -> Chart:
    """A panel each: estimates as colours with contours, the limit, and the outline of the points that meet all constraints."""
    beside = min(len(panels), _BESIDE)
    rows = -(-len(panels) // beside)
    figure = Figure(figsize=(5.0, 1.2 + 2.4 * rows), layout="constrained")
    axes = figure.subplots(rows, beside, sharex=True, sharey=True, squeeze=False)
    handles: list[Handle] = []
    for place, (ax, panel) in enumerate(zip(axes.flat, panels, strict=False)):
        handles += [*ground(ax, plane), *_panel(figure, ax, plane, panel), *feasible(ax, plane), *known_lines(ax, plane), *marks(ax, plane)]
        is_lowest = place + beside >= len(panels)
        ax.tick_params(labelbottom=is_lowest)
        ax.set(xlabel=ax.get_xlabel() * is_lowest, ylabel=ax.get_ylabel() * (place % beside == 0))
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    legend(figure, handles)
    title = f"{capital(name)} over {plain(plane.x.parameter.name)} and {plain(plane.y.parameter.name)}"
    thin = " Thin lines join equal estimates, at the values beside the colours." if plane.found.is_grid else ""
    note = f"Brighter is better.{thin} The last colours stand for the outermost {percent(_OUTERMOST)} of points at either end."
    spoken = "; ".join(_spoken(plane.found, panel) for panel in panels)
    return Chart(f"map-{name}", title, f"Maps of estimates. {spoken}.", note, figure)


def _panel(figure: Figure, ax: Axes, plane: Plane, panel: Panel) -> list[Handle]:
    scale = scale_of(panel.unit)
    values = plane.found.column(panel.name) * scale
    ax.set_title(panel.title, fontsize=8.5)
    known = values[np.isfinite(values)]
    if not known.size:
        return []
    low, high = np.quantile(known, (_OUTERMOST, 1.0 - _OUTERMOST))
    levels = [float(one) for one in MaxNLocator(5).tick_values(low, high) if low <= one <= high]
    cmap = colormaps["cividis" if panel.is_better_high else "cividis_r"]
    mesh = colour(ax, plane, values, cmap, Normalize(low, high if high > low else low + 1.0))
    bar(figure, ax, mesh, ticks(panel.unit), levels)
    limit = None if panel.limit is None else panel.limit * scale
    return contours(ax, plane, values, levels, limit) if plane.found.is_grid else []


def _spoken(found: Tuning, panel: Panel) -> str:
    values = found.column(panel.name)
    known = values[np.isfinite(values)]
    if not known.size:
        return f"{panel.title}: unknown everywhere"
    return f"{panel.title}: from {in_words(float(known.min()), panel.unit)} to {in_words(float(known.max()), panel.unit)}"
