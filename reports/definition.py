"""What a definition of a headline figure consists of."""

from __future__ import annotations

from dataclasses import dataclass

DEFINITION = "definition"

LOSS = "positive is a loss"
GAIN = "positive is a gain"
SIZE = "never negative"
CASCADES = "assumption, after the deleveraging spirals of Klages-Mundt and Minca, arXiv 1906.02152"


@dataclass(frozen=True, slots=True)
class Definition:
    """A headline figure explained.

    Attributes:
        label: a few words, for tables and cards.
        meaning: the definition in a sentence or two.
        unit: as people read it.
        sign: which direction is good or bad.
        source: "definition" for the project's own, else the paper.
    """

    label: str
    meaning: str
    unit: str
    sign: str
    source: str = DEFINITION
