"""Where panels, labels, titles and legends of a figure stand: none on another, none outside."""

from __future__ import annotations

import gc
import io
import re

import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from seawall.reports.style import Chart, TimeAxis, finish, house_style, line, logarithmic, panels
from seawall.reports.svg import draw
from tests.markets import run_module

AXIS = TimeAxis(3600.0, "hours since start", 0.0, 200.0)


@house_style()
def a_figure(count: int, *, unit: str, most: float, title: str, curves: int, own: int) -> Figure:
    """Panels with so many curves in the legend on top, and a legend of `own` entries above each panel but the first."""
    figure, axes = panels(count, height=1.7)
    for place, ax in enumerate(axes):
        for curve in range(curves):
            line(ax, AXIS, [0.0, 720_000.0], [0.0, most], label=f"curve {curve} of some")
        ax.set_title(title)
        ax.set_ylabel(unit)
        if own and place:
            ax.legend(ax.lines[:own], [f"its own {k}" for k in range(own)], loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3)
    finish(figure, axes, AXIS, legend=not own)
    return figure


def drawn_ticks(axis: Axis) -> list[Bbox]:
    """Of the labels of ticks within the limits: others are not drawn."""
    low, high = axis.get_view_interval()
    return [
        label.get_window_extent() for at, label in zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True) if low <= at <= high
    ]


def over(ax: Axes, title: str) -> Bbox | None:
    """What stands above a panel: its title, or its own legend, or nothing."""
    titles = [child for child in ax.get_children() if isinstance(child, Text) and title and child.get_text() == title]
    found = [*titles, *filter(None, [ax.get_legend()])]
    return Bbox.union([each.get_window_extent() for each in found]) if found else None


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize(("unit", "most"), [("fraction", 1.0), ("USD per\ntASSET", 123_456.0), ("lowest\nratio\nof an LP", 0.00123)])
@pytest.mark.parametrize(("title", "curves", "own"), [("tAAPL", 1, 0), ("", 4, 0), ("tAAPL", 6, 0), ("", 3, 3)])
def test_nothing_stands_on_another_or_outside(count: int, unit: str, most: float, title: str, curves: int, own: int) -> None:
    figure = a_figure(count, unit=unit, most=most, title=title, curves=curves, own=own)
    draw(Chart("some", "a title", "words", "", figure))
    axes, legends = figure.axes, [legend.get_window_extent() for legend in figure.legends]
    labels = [ax.yaxis.label.get_window_extent() for ax in axes]
    ticks = [box for ax in axes for box in drawn_ticks(ax.yaxis)]
    above = [over(ax, title) for ax in axes]
    below = [*drawn_ticks(axes[-1].xaxis), axes[-1].xaxis.label.get_window_extent()]
    for box in (*labels, *ticks, *legends, *filter(None, above), *below):
        assert min(box.x0, box.y0) >= 0.0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height
    assert max(box.x1 for box in labels) < min(box.x0 for box in ticks)
    assert len({round(box.x1, 3) for box in labels}) == 1
    for legend in legends:
        assert legend.y0 >= (above[0] or axes[0].get_window_extent()).y1
    for upper, box in zip(axes, above[1:], strict=False):
        assert box is None or box.y1 < upper.get_window_extent().y0
    assert min(ax.get_window_extent().height for ax in axes) > 40.0


def test_a_figure_is_drawn_as_matplotlib_saves_it() -> None:
    """Once instead of twice: also where a layout engine places panels."""

    @house_style()
    def figure() -> Figure:
        made, axes = panels(2)
        for ax in axes:
            ax.plot([0.0, 1.0], [0.0, 12_345.0])
            ax.set_title("a title")
            ax.set_ylabel("USD")
        return made

    saved, once = io.StringIO(), draw(Chart("some", "", "", "", figure()))
    with house_style():
        figure().savefig(saved, format="svg", metadata={"Date": None})
    paths = re.compile(r'(?:d|transform|x|y)="([^"]*)"')
    assert paths.findall(once) == paths.findall(saved.getvalue())


@house_style()
def test_a_logarithmic_axis_has_plain_numbers() -> None:
    figure, axes = panels(1)
    line(axes[0], AXIS, [0.0, 720_000.0], [90.0, 2_100.0])
    logarithmic(axes[0])
    finish(figure, axes, AXIS)
    drawn = draw(Chart("some", "", "", "", figure))
    assert "mathdefault" not in drawn
    assert {"100", "200", "500", "1,000", "2,000"} <= set(re.findall(r">([\d,]+)</text>", drawn))


def test_a_single_run_leaves_nothing_to_search() -> None:
    """All that it imported and made is out of the collector's sight before that begins again."""
    gc.unfreeze()
    with run_module().uncollected():
        assert not gc.isenabled()
        left = [[] for _ in range(5_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(left)
    assert gc.get_count()[0] < len(left)
