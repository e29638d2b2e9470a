"""Trees of alarms: which of many rows ring at a price and a time, found without a look at the others.

A leaf is the alarm of one row: it rings above a price, below another, and from a time on. A node above it rings when any of its up to
`FAN` children does, since it keeps the tightest of their bounds. So a quiet tree costs a look at its root, and a row that rings a few steps
down; setting an alarm costs as many steps up, fewer where the bounds above stay what they are.

`World.alarms` is [uses, nodes]. The first nodes of a tree are the leaves, one for each CDP in its row; then come the nodes above them, kind
by kind: each kind of CDP has a root of its own, because it has a price of its own.
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.tables import FLOAT, INT, Row, Table, table_type

FAN = 8  # children of a node
LEVELS = 21  # above the leaves: enough for 8**21 rows
NONE = -1
NEVER = float("inf")

ALARM = table_type(
    "alarms",
    above=(FLOAT, "rings while the price is above; infinite for never"),
    below=(FLOAT, "rings while the price is below; 0 for never"),
    due=(FLOAT, "seconds: rings from then on; 0 for one who is to be looked at next time, infinite for never"),
    first=(INT, "row of alarms: first child"),
    end=(INT, "row of alarms after the last child; that of the first for a leaf"),
    parent=(INT, "row of alarms; -1 for a root"),
)


def most_nodes(leaves: int, roots: int) -> int:
    """Nodes of a tree with so many leaves under so many roots, at most."""
    return leaves + leaves // (FAN - 1) + LEVELS * roots


@rule
def plant(tree: Table, kinds: Table) -> None:
    """Link the leaves of each kind, rows `first` to `end`, up to a root, which the kind keeps; -1 for a kind without rows."""
    free = 0
    for k in range(len(kinds)):
        free = max(free, kinds[k].end)
    for k in range(len(kinds)):
        first, end = kinds[k].first, kinds[k].end
        while end - first > 1:
            parents = free
            for child in range(first, end):
                if (child - first) % FAN == 0:
                    tree[free].first = child
                    free += 1
                tree[child].parent, tree[free - 1].end = free - 1, child + 1
            first, end = parents, free
        kinds[k].root = first if end > first else NONE
        if end > first:
            tree[first].parent = NONE


@rule
def rings(alarm: Row, price: float, now: float) -> bool:
    """Tell whether an alarm, or one of those below it, rings."""
    return bool(price > alarm.above or price < alarm.below or now >= alarm.due)


@rule
def after(tree: Table, node: int) -> int:
    """The node that follows when a node and all below it are done with; -1 behind the last."""
    parent = tree[node].parent
    while parent != NONE and node + 1 == tree[parent].end:
        node, parent = parent, tree[parent].parent
    return node + 1 if parent != NONE else NONE


@rule
def first_ringing(tree: Table, node: int, price: float, now: float) -> int:
    """Row of the first leaf that rings, at a node, below it or after it; -1 for none."""
    while node != NONE:
        if not rings(tree[node], price, now):
            node = after(tree, node)
        elif tree[node].first < tree[node].end:
            node = tree[node].first
        else:
            return node
    return NONE


@rule
def next_ringing(tree: Table, leaf: int, price: float, now: float) -> int:
    """Row of the next leaf that rings; -1 for none."""
    return first_ringing(tree, after(tree, leaf), price, now)


@rule
def set_leaf(alarm: Row, above: float, below: float, due: float) -> None:
    """Set a leaf alone; the nodes above it are to be gathered afterwards."""
    alarm.above, alarm.below, alarm.due = above, below, due


@rule
def gather(tree: Table, leaves: int) -> None:
    """Set all nodes above the leaves to the tightest of their children's bounds; children stand before their parents."""
    for node in range(leaves, len(tree)):
        alarm = tree[node]
        above, below, due = NEVER, 0.0, NEVER
        for child in range(alarm.first, alarm.end):
            row = tree[child]
            above, below, due = min(above, row.above), max(below, row.below), min(due, row.due)
        set_leaf(alarm, above, below, due)


@rule
def set_alarm(tree: Table, leaf: int, above: float, below: float, due: float) -> None:
    """Set a leaf, and the nodes above it as far as their bounds change."""
    node = leaf
    while node != NONE:
        alarm = tree[node]
        for child in range(alarm.first, alarm.end):
            row = tree[child]
            above, below, due = min(above, row.above), max(below, row.below), min(due, row.due)
        if alarm.above == above and alarm.below == below and alarm.due == due:
            return
        alarm.above, alarm.below, alarm.due = above, below, due
        node = alarm.parent


@rule
def look_next_time(tree: Table, leaf: int) -> None:
    """Let a leaf ring at the next look, whatever price and time."""
    node = leaf
    while node != NONE and tree[node].due > 0.0:
        tree[node].due = 0.0
        node = tree[node].parent
