"""Trees of alarms find exactly the leaves that ring."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seawall.agents.alarm_tree import (
    ALARM,
    FAN,
    NEVER,
    NONE,
    first_ringing,
    gather,
    look_next_time,
    most_nodes,
    next_ringing,
    plant,
    rings,
    set_alarm,
    set_leaf,
)
from seawall.protocols.tables import CDP_KIND

SIZES = st.lists(st.integers(0, 3 * FAN * FAN), min_size=1, max_size=4)
PRICES = st.floats(0.5, 2.0)
BOUNDS = st.tuples(st.sampled_from([0.7, 1.0, 1.5, NEVER]), st.sampled_from([0.0, 0.6, 0.9]), st.sampled_from([0.0, 50.0, NEVER]))


def a_forest(sizes):
    """Kinds of so many rows each, and a tree of silent alarms for them."""
    kinds, ends = np.zeros(len(sizes), CDP_KIND), np.cumsum(sizes)
    kinds["first"], kinds["end"] = ends - sizes, ends
    tree = np.zeros(most_nodes(int(ends[-1]), len(sizes)), ALARM)
    tree["above"] = tree["due"] = NEVER
    plant(tree, kinds)
    return kinds, tree


def found(tree, kind, price, now):
    """Leaves of a kind that ring, as the tree tells."""
    leaf, rows = first_ringing(tree, kind.root, price, now), []
    while leaf != NONE:
        rows.append(int(leaf))
        leaf = next_ringing(tree, leaf, price, now)
    return rows


def all_that_ring(tree, kind, price, now):
    return [row for row in range(kind.first, kind.end) if rings(tree[row], price, now)]


@given(SIZES, st.data())
def test_a_tree_finds_in_order_the_leaves_that_a_look_at_all_finds(sizes, data):
    kinds, tree = a_forest(sizes)
    for row in range(sum(sizes)):
        set_leaf(tree[row], *data.draw(BOUNDS))
    gather(tree, sum(sizes))
    for _ in range(5):
        price, now = data.draw(PRICES), data.draw(st.sampled_from([10.0, 60.0]))
        for kind in kinds:
            assert found(tree, kind, price, now) == all_that_ring(tree, kind, price, now)
        if sum(sizes):
            set_alarm(tree, data.draw(st.integers(0, sum(sizes) - 1)), *data.draw(BOUNDS))
            look_next_time(tree, data.draw(st.integers(0, sum(sizes) - 1)))


@given(SIZES, st.data())
def test_alarms_set_one_by_one_and_all_at_once_make_the_same_tree(sizes, data):
    (_, one), (_, other) = a_forest(sizes), a_forest(sizes)
    for row in range(sum(sizes)):
        bounds = data.draw(BOUNDS)
        set_alarm(one, row, *bounds)
        set_leaf(other[row], *bounds)
    gather(other, sum(sizes))
    assert (one == other).all()


def test_a_kind_without_rows_has_no_root_and_rings_never():
    kinds, tree = a_forest([0, 1, 0])
    assert list(kinds["root"]) == [NONE, 0, NONE]
    look_next_time(tree, 0)
    assert [found(tree, kind, 1.0, 10.0) for kind in kinds] == [[], [0], []]


def test_a_leaf_looked_at_rings_at_any_price_until_it_is_set_again():
    kinds, tree = a_forest([100])
    look_next_time(tree, 77)
    assert found(tree, kinds[0], 1.0, 0.0) == [77]
    set_alarm(tree, 77, 1.2, 0.0, NEVER)
    assert found(tree, kinds[0], 1.2, 1e9) == []
    assert found(tree, kinds[0], 1.21, 0.0) == [77]


def test_a_quiet_tree_is_known_to_be_so_at_its_root():
    kinds, tree = a_forest([1000])
    for row in range(1000):
        set_alarm(tree, row, 2.0 + row, 0.5, 60.0 * row + 60.0)
    root = tree[kinds[0].root]
    assert (root.above, root.below, root.due) == (2.0, 0.5, 60.0)
