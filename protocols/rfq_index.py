"""Finding the best eligible LP without looking at all of them.

Open positions stand in one binary search tree in rank order, a treap: a heap by a hash of the row, so its expected depth is a small
multiple of log2(positions), and its shape depends on nothing but who is in it. Each node knows for every pair of assets the most that one
eligible position of its subtree can pay out. So the best-ranked position with enough is found on one way down, exactly, and a change of
one position's balance, range, discount or REP alters one way up: all in expected logarithmic time. Which ranges hold the present prices
is kept in `ranges.is_active` by `rfq_ranges`, as prices move.

Rank: 001_e37e2646f2495a8d.txt, "LP Prioritization". Treap: Aragon and Seidel (1989), Randomized search trees, FOCS.
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import NONE, Book, pair_line
from seawall.protocols.tables import Table

_BITS_32 = 0xFFFFFFFF


@rule
def ranks_before(lps: Table, one: int, other: int) -> bool:
    """Tell whether a position has priority: higher fee discount, then higher REP, then opened earlier.

    Source: 001_e37e2646f2495a8d.txt, "LP Prioritization".
    """
    if lps[one].fee_discount != lps[other].fee_discount:
        return bool(lps[one].fee_discount > lps[other].fee_discount)
    if lps[one].rep != lps[other].rep:
        return bool(lps[one].rep > lps[other].rep)
    return bool(lps[one].created < lps[other].created)


@rule
def is_active(book: Book, lp: int, outbound: int, inbound: int) -> bool:
    """Tell whether the prices that the index reckons with are in the ranges that this position sets for a trade of two assets."""
    if book.lps[lp].uses_pair_ranges:
        return bool(book.ranges[lp, pair_line(outbound, inbound, len(book.assets))].is_active)
    return bool(book.ranges[lp, outbound].is_active and book.ranges[lp, inbound].is_active)


@rule
def payable(book: Book, lp: int, outbound: int, inbound: int) -> float:
    """Tokens of the outbound asset that a position can pay for the inbound one; 0 if it is out of range or does not take it."""
    if (book.lps[lp].accepts >> inbound) & 1 and is_active(book, lp, outbound, inbound):
        return float(book.holdings[lp, outbound].balance)
    return 0.0


@rule
def priority(lp: int) -> int:
    """Place of a row in the heap: an invertible hash, so no two rows have the same."""
    number = lp + 1
    number = (((number >> 16) ^ number) * 0x45D9F3B) & _BITS_32
    number = (((number >> 16) ^ number) * 0x45D9F3B) & _BITS_32
    return (number >> 16) ^ number


@rule
def sum_up(book: Book, node: int) -> bool:
    """Set what a node knows of its subtree, and tell whether that is news."""
    left, right = book.lps[node].left, book.lps[node].right
    has_changed = False
    for outbound in range(len(book.assets)):
        has_balance = book.holdings[node, outbound].balance > 0.0
        for inbound in range(len(book.assets)):
            most = payable(book, node, outbound, inbound) if has_balance and inbound != outbound else 0.0
            if left != NONE:
                most = max(most, book.best[left, outbound, inbound])
            if right != NONE:
                most = max(most, book.best[right, outbound, inbound])
            if most != book.best[node, outbound, inbound]:
                book.best[node, outbound, inbound] = most
                has_changed = True
    return has_changed


@rule
def refresh(book: Book, lp: int) -> None:
    """Bring the tree up to date after a change of a position's balance, accepted assets or active ranges. A closed one is in no tree."""
    if not book.lps[lp].is_open:
        return
    node = lp
    while node != NONE and sum_up(book, node):
        node = book.lps[node].parent


@rule
def replace_child(book: Book, parent: int, old: int, new: int) -> None:
    """Hang `new` where `old` was: below `parent`, or at the root."""
    if parent == NONE:
        book.terms[0].root = new
    elif book.lps[parent].left == old:
        book.lps[parent].left = new
    else:
        book.lps[parent].right = new
    if new != NONE:
        book.lps[new].parent = parent


@rule
def rotate_up(book: Book, node: int) -> None:
    """Exchange a node with its parent; the order of rows from left to right stays."""
    lps = book.lps
    parent = lps[node].parent
    replace_child(book, lps[parent].parent, parent, node)
    if lps[parent].left == node:
        moved = lps[node].right
        lps[parent].left = moved
        lps[node].right = parent
    else:
        moved = lps[node].left
        lps[parent].right = moved
        lps[node].left = parent
    if moved != NONE:
        lps[moved].parent = parent
    lps[parent].parent = node
    sum_up(book, parent)
    sum_up(book, node)


@rule
def insert(book: Book, lp: int) -> None:
    """Put an open position, which is not in the tree, into its place in rank order."""
    lps = book.lps
    lps[lp].left = lps[lp].right = lps[lp].parent = NONE
    parent, node, is_left = NONE, book.terms[0].root, False
    while node != NONE:
        parent, is_left = node, ranks_before(lps, lp, node)
        node = lps[node].left if is_left else lps[node].right
    lps[lp].parent = parent
    if parent == NONE:
        book.terms[0].root = lp
    elif is_left:
        lps[parent].left = lp
    else:
        lps[parent].right = lp
    sum_up(book, lp)
    while lps[lp].parent != NONE and priority(lps[lp].parent) < priority(lp):
        rotate_up(book, lp)
    if lps[lp].parent != NONE:
        refresh(book, lps[lp].parent)


@rule
def remove(book: Book, lp: int) -> None:
    """Take a position out of the tree."""
    lps = book.lps
    while lps[lp].left != NONE or lps[lp].right != NONE:
        left, right = lps[lp].left, lps[lp].right
        rises = left if right == NONE or (left != NONE and priority(left) > priority(right)) else right
        rotate_up(book, rises)
    parent = lps[lp].parent
    replace_child(book, parent, lp, NONE)
    lps[lp].parent = NONE
    if parent != NONE:
        refresh(book, parent)


@rule
def rerank(book: Book, lp: int, fee_discount: float, rep: float) -> None:
    """Change what a position's rank depends on. Every rule that alters discount or REP ends here."""
    row = book.lps[lp]
    if row.fee_discount != fee_discount or row.rep != rep:
        remove(book, lp)
        row.fee_discount, row.rep = fee_discount, rep
        insert(book, lp)


@rule
def first_below(book: Book, node: int, outbound: int, inbound: int, need: float) -> int:
    """Best-ranked position of a subtree that can pay `need` (> 0); the subtree has one."""
    while True:
        left = book.lps[node].left
        if left != NONE and book.best[left, outbound, inbound] >= need:
            node = left
        elif payable(book, node, outbound, inbound) >= need:
            return node
        else:
            node = book.lps[node].right


@rule
def best_by_index(book: Book, after: int, outbound: int, inbound: int, need: float) -> int:
    """Row of the best-ranked eligible position, or of the next one after a given position; NONE when there is none.

    Args:
        book: its index must be current (`rfq_ranges.is_current`).
        after: open position, or NONE to begin with the best.
        outbound: asset that the position pays.
        inbound: asset that it receives.
        need: tokens of the outbound asset that it must hold, > 0.
    """
    if after == NONE:
        root = book.terms[0].root
        if root == NONE or book.best[root, outbound, inbound] < need:
            return NONE
        return first_below(book, root, outbound, inbound, need)
    node, came_from_left = after, True
    while node != NONE:
        if came_from_left:
            if node != after and payable(book, node, outbound, inbound) >= need:
                return node
            right = book.lps[node].right
            if right != NONE and book.best[right, outbound, inbound] >= need:
                return first_below(book, right, outbound, inbound, need)
        parent = book.lps[node].parent
        came_from_left = parent != NONE and book.lps[parent].left == node
        node = parent
    return NONE
