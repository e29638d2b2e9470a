"""Owners who start with the positions of a real market instead of drawn ones: sizes and ratios from a file, behaviour drawn as ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.tables import Bools
from seawall.scenarios.schema import Scenario
from seawall.scenarios.snapshot import Positions, PositionsFile, read_positions

MOST_NAMED = 10


def starting_positions(scenario: Scenario, spec: PositionsFile, file: Path) -> tuple[Positions, list[Fault]]:
    """Positions of a file that owners can open, and what is to be said of those left out.

    Args:
        scenario: with tASSETs, whose minimum ratios the positions must keep.
        spec: how to read the file.
        file: where it was found.

    Raises:
        ScenarioError: the file cannot be read, or a position lies below the minimum and nothing says to leave it out.
    """
    found = read_positions(spec, file)
    minimum = max(terms.min_collateral_ratio for terms in scenario.tassets.values())
    low = found.ratio < (minimum if spec.least_ratio is None else max(minimum, spec.least_ratio))
    if not low.any():
        return found, []
    if spec.least_ratio is None:
        raise ScenarioError(_too_low(file, found, low, minimum))
    if low.all():
        raise ScenarioError([Fault(str(file), None, "", f"none of its {len(low)} positions has a ratio of {spec.least_ratio:g} or more")])
    kept = replace(found, collateral_usd=found.collateral_usd[~low], debt_usd=found.debt_usd[~low], lines=found.lines[~low])
    said = f"{int(low.sum())} of {len(low)} positions are below the least ratio and left out: the market starts healthier than it was"
    return kept, [Fault(str(file), None, "minters.snapshot.least_ratio", said)]


def _too_low(file: Path, found: Positions, low: Bools, minimum: float) -> list[Fault]:
    rows = np.flatnonzero(low)
    told = [
        Fault(str(file), int(found.lines[row]), "", f"a ratio of {found.ratio[row]:.4g} is below the minimum {minimum:g}")
        for row in rows[:MOST_NAMED]
    ]
    advice = f"{len(rows)} positions are below it; a lower minimum would do, or `least_ratio: {minimum:g}`, which leaves them out"
    return [*told, Fault(str(file), None, "minters.snapshot", advice)]
