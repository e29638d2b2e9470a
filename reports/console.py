"""The terminal: a console that passes on letters, never what would steer it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from seawall.reports.words import printable


class SafeConsole(Console):
    """A console of Rich whose own colours and cursor work, while control characters in what is printed become spaces.

    Names and error texts come from files, and escape sequences in them could retitle, recolour or wipe a terminal.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of what is printed, as in Rich."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_lines(segment.text), segment.style)


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))
