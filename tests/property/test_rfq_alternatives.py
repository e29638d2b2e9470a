"""The Dutch and the sealed-bid auction: the best solver wins, on the terms of the auction."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.protocols import alternatives
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount, is_amount, is_positive_amount
from seawall.protocols.rfq_tables import NONE
from seawall.protocols.status import Status

odd = st.sampled_from([0.0, -1.0, UNIT, UNIT / 3, LIMIT, math.inf, -math.inf, math.nan])
bids = st.lists(st.one_of(st.floats(90.0, 120.0).map(floor_amount), odd), max_size=6).map(lambda values: np.array(values, dtype=float))
TERMS = (0.1, -0.05, 60.0, 2.0)  # from 10 % above the worth to 5 % below in a minute, an ask every two seconds


def valid(values):
    return [float(value) for value in values if is_positive_amount(value)]


@settings(deadline=None)  # the first call compiles
@given(limits=bids, worth=st.sampled_from([100.0, 100.0 + UNIT, 3 * UNIT]))
def test_the_solver_with_the_highest_limit_delivers_the_first_ask_within_it(limits, worth):
    status, winner, ask, elapsed = alternatives.dutch_auction(worth, *TERMS, limits)
    last = floor_amount(worth * 0.95)
    if not valid(limits) or max(valid(limits)) < last:
        assert (status, winner, ask, elapsed) == (Status.NO_BID, NONE, 0.0, 0.0)
        return
    assert status == Status.OK
    assert limits[winner] == max(valid(limits))
    assert winner == list(limits).index(limits[winner])
    assert is_amount(ask) and last <= ask <= min(limits[winner], floor_amount(worth * 1.1))
    assert ask == alternatives.dutch_ask(worth, *TERMS[:3], elapsed)
    assert elapsed == 0.0 or alternatives.dutch_ask(worth, *TERMS[:3], elapsed - 2.0) > limits[winner]


def test_the_ask_falls_in_a_straight_line():
    asks = [alternatives.dutch_ask(128.0, 0.25, -0.125, 8.0, elapsed) for elapsed in (0.0, 4.0, 8.0, 9.0)]
    assert asks == [160.0, 136.0, 112.0, 112.0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0.0, *TERMS), Status.BAD_AMOUNT),
        ((math.nan, *TERMS), Status.BAD_AMOUNT),
        ((100.0, -0.1, 0.1, 60.0, 2.0), Status.BAD_TERMS),  # would rise
        ((100.0, 0.1, -1.0, 60.0, 2.0), Status.BAD_TERMS),
        ((100.0, math.inf, 0.0, 60.0, 2.0), Status.BAD_TERMS),
        ((100.0, 0.1, 0.0, 0.0, 2.0), Status.BAD_TERMS),
        ((100.0, 0.1, 0.0, 60.0, 0.0), Status.BAD_TERMS),
        ((100.0, 0.1, 0.0, 60.0, math.nan), Status.BAD_TERMS),
        ((100.0, *TERMS), Status.NO_BID),
    ],
)
def test_refusals_of_a_dutch_auction(arguments, expected):
    assert alternatives.dutch_auction(*arguments, np.array([90.0])) == (expected, NONE, 0.0, 0.0)


@settings(deadline=None)  # the first call compiles
@given(values=bids, reserve=st.sampled_from([0.0, 95.0, 119.0]))
def test_the_best_sealed_bid_wins_and_pays_itself(values, reserve):
    status, winner, paid = alternatives.sealed_bid_auction(values, reserve)
    if not valid(values) or max(valid(values)) < reserve:
        assert (status, winner, paid) == (Status.NO_BID, NONE, 0.0)
        return
    assert (status, paid) == (Status.OK, max(valid(values)))
    assert winner == list(values).index(paid)


def test_a_reserve_that_is_no_amount_is_refused():
    assert alternatives.sealed_bid_auction(np.array([1.0]), math.nan) == (Status.BAD_AMOUNT, NONE, 0.0)


@pytest.mark.parametrize(
    ("inbound", "paid", "delivered", "expected"),
    [
        (0, 10.0, 5.0, Status.OK),
        (1, 10.0, 5.0, Status.WRONG_ASSET),
        (0, 0.0, 5.0, Status.BAD_AMOUNT),
        (0, 10.0, UNIT / 2, Status.BAD_AMOUNT),
        (0, 10.0 + UNIT, 5.0, Status.INSUFFICIENT_BALANCE),
        (0, 10.0, 5.0 + UNIT, Status.INSUFFICIENT_BALANCE),
    ],
)
def test_both_sides_are_exchanged_or_neither(inbound, paid, delivered, expected):
    wallets = np.array([[10.0, 0.0], [0.0, 5.0]])
    before = wallets.copy()
    assert alternatives.deliver(wallets, 0, 1, inbound, paid, 1, delivered) == expected
    assert wallets.tolist() == ([[0.0, 5.0], [10.0, 0.0]] if expected == Status.OK else before.tolist())
