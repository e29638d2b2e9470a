"""A market goes to compiled rules as one pointer, and is the same tuple of tables in Python."""

from typing import NamedTuple

import numpy as np
import pytest

from seawall.protocols.by_reference import Reference, by_reference
from seawall.protocols.compiled import config, rule
from seawall.protocols.tables import FLOAT, Floats, Table, table_type

THING = table_type("things", length=(FLOAT, "metres"))


@by_reference
class Shelf(NamedTuple):
    """Two tables."""

    things: Table
    prices: Floats


@rule
def double(shelf: Shelf, row: int) -> float:
    shelf.things[row].length *= 2.0
    return float(shelf.things[row].length)


@rule
def worth(shelf: Shelf) -> float:
    total = 0.0
    for row in range(len(shelf.things)):
        total += double(shelf, row) * shelf.prices[row]
    return total


def a_shelf(count):
    shelf = Shelf(np.zeros(count, THING), np.full(count, 3.0))
    shelf.things["length"] = np.arange(count)
    return shelf


def test_a_rule_reads_and_writes_the_tables_that_python_sees():
    shelf = a_shelf(4)
    assert worth(shelf) == 2.0 * 3.0 * (0 + 1 + 2 + 3)
    assert list(shelf.things["length"]) == [0.0, 2.0, 4.0, 6.0]
    assert worth(a_shelf(100)) == 6.0 * 4950.0


@pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
def test_a_market_is_one_argument_with_a_short_name():
    worth(a_shelf(2))
    (kind,) = worth.for_python.nopython_signatures[0].args
    assert isinstance(kind, Reference)
    assert kind.name.startswith("Shelf_")
    assert len(kind.name) < 30


@pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
def test_what_is_no_field_is_refused_by_name():
    @rule
    def wrong(shelf: Shelf) -> float:
        return float(shelf.thing[0].length)

    with pytest.raises(Exception, match="thing"):
        wrong(a_shelf(1))
