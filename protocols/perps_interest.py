"""Interest on locked notional, at a rate that follows the use of the core's credit.

The rate is set anew whenever a position changes; until then it stays. Interest is charged to the trader when the position changes, and is
no part of the reported debt before.

Source: MECHANICS.md section 4, "Interest". The document does not speak of interest; with slopes of 0 there is none.
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.perps_debt import utilization
from seawall.protocols.perps_tables import Perps
from seawall.protocols.tables import Row

SECONDS_PER_YEAR = 31557600.0
PERCENT = 100.0  # slopes are for each percent of utilization


@rule
def interest_rate(used: float, low: float, breakpoint: float, high: float) -> float:
    """Fraction of locked notional per year at a utilization: one slope below the breakpoint, a second one above."""
    if used < breakpoint:
        return PERCENT * low * used
    return PERCENT * (low * breakpoint + high * (used - breakpoint))


@rule
def interest_index_now(group: Row, now: float) -> float:
    """USD of interest per USD of locked notional from the start to now; nothing changes."""
    return float(group.interest_index + group.interest_rate * (now - group.interest_updated_at) / SECONDS_PER_YEAR)


@rule
def update_interest(perps: Perps, credit: float, now: float) -> None:
    """Book interest up to now, and set the rate by the present utilization."""
    group = perps.group[0]
    group.interest_index = interest_index_now(group, now)
    group.interest_updated_at = now
    group.interest_rate = interest_rate(utilization(perps, credit), group.interest_low, group.interest_breakpoint, group.interest_high)
