"""From a chart to SVG: inline for a page, or a file of its own; equal bytes for equal figures."""

from __future__ import annotations

import html
import io
import re
import warnings
from typing import Any

from matplotlib.backends.backend_svg import FigureCanvasSVG

from seawall.reports.style import THEMED, Chart, house_style
from seawall.reports.words import on_page

_PIXELS_PER_INCH = 200  # of what is drawn as pixels


def inline_svg(chart: Chart, drawn: str) -> str:
    """A drawn chart as an `<svg>` element for a page: themed by the page, its ids its own, described for screen readers."""
    svg = re.sub(r'(?<=: )#[0-9a-f]{6}(?=[;"])', _themed, drawn)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{chart.name}-", svg)
    return re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg, count=2)  # those of the root: further on it would be somebody's text


def file_svg(drawn: str) -> str:
    """A drawn chart as an SVG file of its own, on white."""
    return '<?xml version="1.0" encoding="utf-8"?>\n' + drawn + "\n"


def _themed(colour: re.Match[str]) -> str:
    name = THEMED.get(colour[0])
    return f"var({name}, {colour[0]})" if name else colour[0]


def draw(chart: Chart) -> str:
    """The `<svg>` element, equal bytes for equal figures, with title and description; no date, no metadata."""
    buffer = io.StringIO()
    with house_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # text stays text: the reader's font has the letter
        chart.figure.set_dpi(_PIXELS_PER_INCH)
        canvas: Any = FigureCanvasSVG(chart.figure)
        canvas.print_svg(buffer, metadata={"Date": None})  # `savefig` would draw twice: the first time for the layout
    svg = buffer.getvalue()
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL).rstrip()
    spoken = f'<svg role="img" aria-label="{html.escape(chart.alt)}"'
    return str(on_page(svg.replace("<svg", spoken, 1).replace(">", f">\n <title>{html.escape(chart.title)}</title>", 1)))
