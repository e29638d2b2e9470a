"""Drains of liquidity: LPs whom something outside the market sends away in a round, for a time or for good.

Who leaves, and when, is drawn before the run. A departure only says so in the LP's row; what leaving and coming back are is each market's
own (`lp`, `avmm_lp`, `liquidity_lp`). An assumption throughout.
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.tables import Table


@rule
def first_due(departures: Table, step: int) -> int:
    """Row of the first departure in this round or later, by bisection; departures stand by round."""
    first, end = 0, len(departures)
    while first < end:
        middle = (first + end) // 2
        if departures[middle].step < step:
            first = middle + 1
        else:
            end = middle
    return first


@rule
def send_away(departures: Table, lps: Table, step: int) -> int:
    """Mark the LPs whose departure falls in this round; one who is away already stays until the later of both times. Return how many."""
    first = first_due(departures, step)
    for k in range(first, len(departures)):
        departure = departures[k]
        if departure.step != step:
            return k - first
        lp = lps[departure.lp]
        lp.away_until = max(lp.away_until, departure.until) if lp.is_away else departure.until
        lp.is_away = True
    return len(departures) - first
