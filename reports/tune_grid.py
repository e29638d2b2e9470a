"""Points of a tuning study on the plane of two parameters: where they lie, what is not simulated, where all constraints hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from seawall.protocols.tables import Bools, Floats
from seawall.reports.style import shortened
from seawall.reports.tune_result import Tuning, is_numeric, level, levels_of
from seawall.reports.words import plain
from seawall.studies.tune_schema import Parameter

Segment = tuple[tuple[float, float], tuple[float, float]]
_MOST_TICKS = 7


@dataclass(frozen=True)
class Scale:
    """Where the values of a parameter lie on an axis: numbers at themselves, names and switches in their order.

    Attributes:
        parameter: whose values they are.
        levels: values tried on a grid, ascending, `[levels]`.
        is_grid: whether no others are tried.
    """

    parameter: Parameter
    levels: Floats
    is_grid: bool

    @classmethod
    def of(cls, one: Parameter, found: Tuning) -> Scale:
        """The scale of a parameter of a study."""
        values = levels_of(one)
        levels = np.array(values if is_numeric(one) else range(len(values)), np.float64)
        return cls(one, levels, found.is_grid or not one.is_range)

    def at(self, value: Any) -> float:
        """Place of a value."""
        return float(value) if is_numeric(self.parameter) else float(levels_of(self.parameter).index(value))

    @property
    def edges(self) -> Floats:
        """Borders of the cells around the levels, `[levels + 1]`: midway between neighbours, in logarithms where the range is."""
        is_log = self.parameter.spacing == "log"
        at = np.log(self.levels) if is_log else self.levels
        middle = (at[1:] + at[:-1]) / 2.0
        ends = (1.5 * at[0] - 0.5 * at[1], 1.5 * at[-1] - 0.5 * at[-2]) if len(at) > 1 else (at[0] - 0.5, at[0] + 0.5)
        edges: Floats = np.r_[ends[0], middle, ends[1]]
        return np.exp(edges) if is_log else edges

    def label(self) -> str:
        """What stands beside the axis."""
        return shortened(plain(self.parameter.name)) + (" (times the scenario's)" if self.parameter.scales else "")

    def dress(self, ax: Axes, way: str) -> None:
        """Ticks, limits and label of the x or y axis."""
        axis, edges = getattr(ax, f"{way}axis"), self.edges
        ax.set(**{f"{way}label": self.label()})
        if self.parameter.spacing == "log":
            ax.set(**{f"{way}scale": "log"})
        if not is_numeric(self.parameter):
            axis.set_ticks(self.levels, [shortened(level(self.parameter, value), 12) for value in levels_of(self.parameter)])
        elif self.parameter.spacing == "log" or (self.is_grid and len(self.levels) <= _MOST_TICKS):
            shown = self.levels[:: -(-len(self.levels) // _MOST_TICKS)]
            axis.set_ticks(shown, [f"{value:.4g}" for value in shown])
            axis.set_ticks([], minor=True)
        else:
            axis.set_major_formatter(lambda value, _: f"{value:,.6g}")
        ax.set(**{f"{way}lim": (edges[0], edges[-1])})


@dataclass(frozen=True)
class Plane:
    """The plane of a study's two parameters.

    Attributes:
        found: the study.
        x: scale of the first parameter.
        y: scale of the second.
        places: of the points, `[points, 2]`.
    """

    found: Tuning
    x: Scale
    y: Scale
    places: Floats

    @classmethod
    def of(cls, found: Tuning) -> Plane:
        """The plane of a study with two parameters."""
        x, y = (Scale.of(one, found) for one in found.spec.parameters)
        columns = [[scale.at(value) for value in found.points[scale.parameter.name].tolist()] for scale in (x, y)]
        return cls(found, x, y, np.array(columns, dtype=np.float64).T)

    def cells(self, values: Floats) -> Floats:
        """A column of the points as a grid, `[y, x]`; NaN where there is no point."""
        grid = np.full((len(self.y.levels), len(self.x.levels)), np.nan)
        columns, rows = (np.searchsorted(scale.levels, self.places[:, way]) for way, scale in enumerate((self.x, self.y)))
        grid[rows, columns] = values
        return grid

    def place(self, values: dict[str, Any]) -> tuple[float, float]:
        """Where a point lies."""
        return self.x.at(values[self.x.parameter.name]), self.y.at(values[self.y.parameter.name])

    def outline(self, inside: Bools) -> Iterator[Segment]:
        """Edges between cells that are inside and those that are not, `inside` being `[y, x]`."""
        padded, x, y = np.pad(inside, 1), self.x.edges, self.y.edges
        for row, column in np.argwhere(padded[:, 1:] != padded[:, :-1]):
            yield (x[column], y[row - 1]), (x[column], y[row])
        for row, column in np.argwhere(padded[1:] != padded[:-1]):
            yield (x[column - 1], y[row]), (x[column], y[row])
