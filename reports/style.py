"""The house style of the figures: palette, time axis, stacked panels, curves.

Colours of curves are those of Okabe and Ito (2008), told apart with every common colour blindness and readable on white and on near-black.
Neutral colours and the blue are written into the page as CSS custom properties: inline figures follow the reader's light or dark mode.
Matplotlib is used without pyplot: no global figures, no display.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from seawall.reports.margins import TEXT, lay_out
from seawall.reports.result import Result
from seawall.reports.words import DAY, HOUR

Floats = NDArray[np.float64]

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#999999"
HEAT = "#2b83c6"  # a blue for pictures of pixels, which cannot change with the mode of the page
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY)
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)), (0, (8, 3)), (0, (3, 1, 1, 1, 1, 1)))
INK, MUTED, GRID, CLOSED, PAPER = "#24292f", "#57606b", "#d8dee5", "#eaeef3", "#fefefe"
THEMED = {BLUE: "--blue", INK: "--ink", MUTED: "--muted", GRID: "--grid", CLOSED: "--closed", PAPER: "--paper"}  # CSS property of each

MOST_PANELS = 6
NEVER_LISTED = "never listed"
_WIDTH = 5.0  # inches: 360 SVG units, so that 10-unit text is 10 px on a phone
_LETTER, _HANDLE = 6.0, 42.0  # SVG units a legend needs per letter and per sample
_DAYS_FROM = 4 * DAY
_NO_SPAN = 1800.0  # seconds shown on each side of a single record

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same layout on every machine
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # nothing stands between a panel and its title: no need to measure what does
    "axes.labelsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "legend.borderaxespad": 0.2,
    "legend.columnspacing": 1.4,
    "text.color": INK,
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.xmargin": 0.0,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "figure.facecolor": PAPER,
    "hatch.linewidth": 0.8,
    "lines.linewidth": 1.4,
    "text.parse_math": False,  # a name with dollar signs is a name
    "svg.fonttype": "none",  # text stays text: searchable, and in the reader's own font
    "svg.hashsalt": "seawall",  # equal figures, equal bytes
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with the words that belong to it.

    Attributes:
        name: file name without ending, and anchor in the page.
        title: the finding in words, with its numbers.
        alt: alternative text made from the data, for readers who do not see the picture.
        note: how to read it, or what is left out.
        figure: the picture.
    """

    name: str
    title: str
    alt: str
    note: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The time axis shared by all figures of a run: hours, or days where the run is longer than four.

    Attributes:
        unit_s: seconds per unit.
        label: axis label with the unit.
        low: left end, units.
        high: right end, units.
    """

    unit_s: float
    label: str
    low: float
    high: float

    @classmethod
    def of(cls, result: Result) -> TimeAxis:
        """The axis that spans all records of the run."""
        times = next(frame for frame in (result.series, result.markets, result.book) if not frame.empty)["time_s"]
        first, last = float(times.min()), float(times.max())
        if first == last:
            first, last = first - _NO_SPAN, last + _NO_SPAN
        unit_s, label = (DAY, "days since start") if last - first > _DAYS_FROM else (HOUR, "hours since start")
        return cls(unit_s, label, first / unit_s, last / unit_s)

    def units(self, seconds: Any) -> Floats:
        """Seconds since the start in units of this axis."""
        return np.asarray(seconds, dtype=np.float64) / self.unit_s

    def share(self, at: float) -> float:
        """How far along the axis a point is, 0 to 1."""
        return (at - self.low) / (self.high - self.low)


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's defaults plus our style; a user's own matplotlibrc changes nothing. Also a decorator."""
    with matplotlib.style.context(_STYLE, after_reset=True):
        yield


def panels(count: int, *, height: float = 1.35) -> tuple[Figure, list[Axes]]:
    """A figure of panels on top of each other that share the time axis; `height` in inches per panel."""
    figure = Figure(figsize=(_WIDTH, 0.95 + height * count), layout="constrained")
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)
    for ax in axes[:, 0]:
        ax.yaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_formatter(_tick_labels(ax))
    return figure, list(axes[:, 0])


def finish(figure: Figure, axes: Sequence[Axes], axis: TimeAxis, *, legend: bool = True) -> None:
    """Set the time axis, put one legend for all panels on top, and place the panels: the last thing done to a figure."""
    axes[-1].set_xlim(axis.low, axis.high)
    axes[-1].set_xlabel(axis.label)
    handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)} if legend else {}
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="upper left", ncols=columns(handles))
    lay_out(figure, axes, rows=_rows(figure.legends), own_rows=[_rows(filter(None, [ax.get_legend()])) for ax in axes])


def _rows(legends: Iterable[Legend]) -> int:
    """How many rows the labels of at most one legend take."""
    labels = [text.get_text() for legend in legends for text in legend.get_texts()]
    return math.ceil(len(labels) / columns(labels)) if labels else 0


def columns(labels: Sequence[str] | Mapping[str, Any]) -> int:
    """How many columns of these labels fit beside each other in a legend."""
    longest = max(map(len, labels))
    return max(1, min(len(labels), int(_WIDTH * 72 / (_HANDLE + _LETTER * longest))))


def shortened(name: str, most: int = 30) -> str:
    """A name that fits on a line of a figure."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _tick_labels(ax: Axes) -> FuncFormatter:
    """Labels like 0.25, 1,500, 125k, 2.5M; one suffix for the whole axis."""

    def label(value: float, _: int | None) -> str:
        largest = max(map(abs, ax.get_ylim()))
        for size, suffix, limit in ((1e9, "B", 1e9), (1e6, "M", 1e6), (1e3, "k", 2e4)):
            if largest >= limit and value:
                return f"{value / size:.4g}{suffix}"
        return f"{value:,.6g}"

    return FuncFormatter(label)


def logarithmic(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers at 1, 2 and 5 of each power of ten."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")


def say(ax: Axes, words: str) -> None:
    """Write in the middle of a panel why it is empty."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center")


def line(ax: Axes, axis: TimeAxis, seconds: Any, values: Any, **style: Any) -> None:
    """Draw a curve over time; a single record becomes a dot, or it would not be seen."""
    at, heights = thinned(axis.units(seconds), np.asarray(values, dtype=np.float64))
    ax.plot(at, heights, marker="o" if at.size == 1 else None, **style)


def thinned(at: Floats, values: Floats, *, most: int = 800) -> tuple[Floats, Floats]:
    """At most about `most` points of a curve, with the least and greatest of every stretch kept: no peak is lost."""
    if at.size <= most:
        return at, values
    kept = {0, at.size - 1}
    for stretch in np.array_split(np.arange(at.size), most // 2):
        part = values[stretch]
        kept.add(int(stretch[np.argmin(np.where(np.isnan(part), np.inf, part))]))
        kept.add(int(stretch[np.argmax(np.where(np.isnan(part), -np.inf, part))]))
    chosen = np.array(sorted(kept))
    return at[chosen], values[chosen]


def shown_tassets(result: Result) -> list[str]:
    """The tASSETs that get a panel: at most six, those with the largest debt at any time, in the order of the run."""
    debts = result.series.groupby("tasset", sort=False)["debt_usd"].max()
    largest = set(debts.fillna(0.0).nlargest(MOST_PANELS).index)
    return [tasset for tasset in debts.index if tasset in largest]


def left_out(result: Result) -> str:
    """A sentence that says which tASSETs have no panel; empty where all are shown."""
    every = result.series["tasset"].nunique()
    return f"Shown are the {MOST_PANELS} of {every} tASSETs with the largest debt. " if every > MOST_PANELS else ""


def of_tasset(frame: pd.DataFrame, tasset: str) -> pd.DataFrame:
    """The rows of one tASSET in order of time."""
    return frame[frame["tasset"] == tasset].sort_values("time_s", kind="stable")
