"""Amounts of tokens: whole multiples of one unit, so that money is conserved exactly.

A contract counts in integers; Seawall keeps float64 multiples of `UNIT` = 2**-20 (about a millionth of a token, the micro-unit of the
public implementation, MECHANICS.md section 1). Sums and differences of such numbers below `LIMIT` are exact in any order, so books
balance to the last unit, running totals equal full sums, and compiled and plain Python agree. Only products and quotients round, and they
floor to a unit as the contracts do.
"""

from __future__ import annotations

import math

from seawall.protocols.compiled import rule

UNIT = 2.0**-20
UNITS_PER_TOKEN = 2.0**20
PRODUCT_ERROR = 2.0**-51  # relative; two roundings of a decimal and one of a product are less
LIMIT = 2.0**33  # tokens; 2**53 units, the last integer that float64 counts without gaps
MOST_UNITS = 2.0**53
"""From here on every float64 is whole; what is more, infinite or NaN stays as it is: compiled code would floor it to a negative integer."""


@rule
def floor_amount(quantity: float) -> float:
    """Round down to whole units; what is short of a whole unit only by the error of a float product counts as whole.

    100 units at a ratio of 1.15 are 115 units, as in the contracts' decimals, although 100 * 1.15 is 114.99999999999999 in float64.
    """
    units = quantity * UNITS_PER_TOKEN
    if not abs(units) < MOST_UNITS:
        return quantity
    whole = float(math.floor(units))
    if whole < units and whole + 1.0 - units <= units * PRODUCT_ERROR:
        whole += 1.0
    return whole * UNIT


@rule
def ceil_amount(quantity: float) -> float:
    """Round up to whole units."""
    units = quantity * UNITS_PER_TOKEN
    if not abs(units) < MOST_UNITS:
        return quantity
    return float(math.ceil(units)) * UNIT


@rule
def is_amount(quantity: float) -> bool:
    """Tell whether a quantity may be paid: zero or more, finite, at most `LIMIT`, in whole units. NaN is none."""
    return 0.0 <= quantity <= LIMIT and floor_amount(quantity) == quantity


@rule
def is_positive_amount(quantity: float) -> bool:
    """Tell whether a quantity is an amount and more than zero."""
    return quantity > 0.0 and is_amount(quantity)
