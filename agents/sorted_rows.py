"""Sorted lists of rows, or of numbers, kept sorted while some leave and others come: one pass for all of them, however many there are."""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.tables import Floats, Ints


@rule
def place(listed: Ints | Floats, first: int, end: int, one: float) -> int:
    """The first place from `first` to `end` that holds at least `one`; `end` if none does."""
    while first < end:
        middle = (first + end) // 2
        if listed[middle] < one:
            first = middle + 1
        else:
            end = middle
    return first


@rule
def take_out(listed: Ints | Floats, first: int, end: int, leaving: Ints | Floats, count: int) -> None:
    """Take `count` out of those from `first` to `end`; the rest close up. Those leaving stand from `first` on, ascending."""
    out, to = first, place(listed, first, end, leaving[first])
    for at in range(to, end):
        if out < first + count and listed[at] == leaving[out]:
            out += 1
        else:
            listed[to] = listed[at]
            to += 1


@rule
def put_in(listed: Ints | Floats, first: int, end: int, coming: Ints | Floats, count: int) -> None:
    """Put `count` among those from `first` on, which then reach to `end`. Those coming stand from `first` on, ascending."""
    at, into = end - count - 1, first + count - 1
    for to in range(end - 1, first - 1, -1):
        if into < first:
            return
        if at >= first and listed[at] > coming[into]:
            listed[to] = listed[at]
            at -= 1
        else:
            listed[to] = coming[into]
            into -= 1
