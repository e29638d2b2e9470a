"""CDPs of each kind in the order of their backing, so that those on one side of a price, and between two, are counted by bisection.

`World.backings` is [3, CDPs]: the backings of each kind's open CDPs, ascending, after `CLOSED` for each closed one; the other two rows are
room. CDPs that have changed since (`alarms.take_in_touched` lists them) are moved to their new place before somebody counts.
"""

from __future__ import annotations

import numpy as np

from seawall.agents.base import sort_rows
from seawall.agents.sorted_rows import put_in, take_out
from seawall.protocols.compiled import rule
from seawall.protocols.tables import Floats, Row, Table, World

CLOSED = -1.0


def rank_all(world: World) -> None:
    """Rank all CDPs at once, when a market has come to be."""
    backings = np.where(world.cdps["is_open"], world.cdps["backing"], CLOSED)
    world.cdps["ranked"] = backings
    for kind in world.cdp_kinds:
        world.backings[0, kind.first : kind.end] = np.sort(backings[kind.first : kind.end])


@rule
def place_of_ratio(backings: Floats, first: int, end: int, price: float, ratio: float) -> int:
    """The same for the collateral ratio that backing / price makes."""
    while first < end:
        middle = (first + end) // 2
        if backings[middle] / price < ratio:
            first = middle + 1
        else:
            end = middle
    return first


@rule
def list_changes(kind: Row, cdps: Table, leaving: Floats, coming: Floats) -> int:
    """List the backings under which CDPs of a kind were ranked and those under which they will be, each ascending; return how many."""
    end = kind.first
    while kind.unranked > 0:
        position = cdps[kind.unranked - 1]
        backing = position.backing if position.is_open else CLOSED
        if backing != position.ranked:
            leaving[end], coming[end] = position.ranked, backing
            position.ranked = backing
            end += 1
        kind.unranked = position.next_unranked
        position.is_unranked = False
    sort_rows(leaving, kind.first, end)
    sort_rows(coming, kind.first, end)
    return int(end - kind.first)


@rule
def rank(kind: Row, cdps: Table, backings: Floats) -> None:
    """Bring the ranking of a kind up to date. `backings` is `World.backings`."""
    count = list_changes(kind, cdps, backings[1], backings[2])
    if count > 0:
        take_out(backings[0], kind.first, kind.end, backings[1], count)
        put_in(backings[0], kind.first, kind.end, backings[2], count)
