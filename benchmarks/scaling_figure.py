"""The figure of docs/performance.md: time against size, a panel per variable, beside a line of exponent 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from seawall.reports.style import BLUE, MUTED, Chart, house_style
from seawall.reports.svg import draw, file_svg

Points = tuple[Sequence[int], Sequence[float]]


@house_style()
def draw_curves(file: Path, curves: Mapping[str, Points]) -> None:
    """Write one SVG with a panel per curve: sizes and seconds, both on logarithmic axes."""
    figure = Figure(figsize=(5.0, 2.1 * ((len(curves) + 1) // 2)), layout="constrained")
    axes = figure.subplots((len(curves) + 1) // 2, 2, squeeze=False).ravel()
    for ax, (name, (sizes, seconds)) in zip(axes, curves.items(), strict=False):
        _draw(ax, name, sizes, seconds)
    for ax in axes[len(curves) :]:
        ax.set_axis_off()
    title = "Seconds against size, beside growth in proportion to it"
    file.parent.mkdir(exist_ok=True)
    file.write_text(file_svg(draw(Chart("scaling", title, _spoken(curves), "", figure))), encoding="utf-8", newline="\n")


def _draw(ax: Axes, name: str, sizes: Sequence[int], seconds: Sequence[float]) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.plot(sizes, [seconds[-1] * size / sizes[-1] for size in sizes], color=MUTED, linestyle="--", linewidth=0.9)
    ax.plot(sizes, seconds, color=BLUE, marker="o", markersize=4)
    ax.set_title(name)
    ax.set_ylabel("seconds")
    for axis, values, digits in ((ax.xaxis, sizes, ",.0f"), (ax.yaxis, sorted(seconds), ".2g")):
        low, high = values[0], values[-1]
        axis.set_minor_locator(NullLocator())
        axis.set_ticks([low, high], [f"{low:{digits}}", f"{high:{digits}}"])
        margin = (high / low) ** 0.1
        (ax.set_xlim if axis is ax.xaxis else ax.set_ylim)(low / margin, high * margin)


def _spoken(curves: Mapping[str, Points]) -> str:
    parts = [
        f"{name}: {seconds[0]:.3g} s with {sizes[0]:,}, {seconds[-1]:.3g} s with {sizes[-1]:,}" for name, (sizes, seconds) in curves.items()
    ]
    return f"Seconds against size. {'. '.join(parts)}."
