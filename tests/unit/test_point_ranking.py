"""Which points are better: by objectives in order, and by none beating them in all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seawall.studies.ranking import frontier, in_order, layers

NAN = np.nan
scores = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(0, 4).map(float) | st.just(NAN))


@pytest.mark.parametrize(
    ("rows", "within", "order"),
    [
        ([[2.0], [1.0], [3.0]], [0.0], [1, 0, 2]),
        ([[1.0, 9.0], [1.04, 2.0], [1.2, 1.0]], [0.05, 0.0], [1, 0, 2]),  # 1.04 is as good as 1, and better second
        ([[1.0, 9.0], [1.04, 2.0], [1.2, 1.0]], [0.0, 0.0], [0, 1, 2]),
        ([[-10.0, 5.0], [-9.6, 1.0], [-9.0, 0.0]], [0.05, 0.0], [1, 0, 2]),  # a share of the size where less is negative
        ([[NAN, 0.0], [5.0, 1.0]], [0.1, 0.0], [1, 0]),
        ([[1.0, NAN], [1.0, 2.0]], [0.0, 0.0], [1, 0]),
        ([[NAN], [NAN]], [0.0], [0, 1]),
    ],
)
def test_in_order(rows, within, order):
    assert in_order(np.array(rows), within) == order


def test_none_of_nothing():
    assert in_order(np.empty((0, 2)), [0.0, 0.0]) == []
    assert frontier(np.empty((0, 2))).tolist() == []
    assert layers(np.empty((0, 2))).tolist() == []


def test_the_frontier_is_what_nothing_beats():
    rows = np.array([[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [2.0, 3.0], [4.0, 4.0], [2.0, 2.0]])
    assert frontier(rows).tolist() == [True, True, True, False, False, True]
    assert layers(rows).tolist() == [0, 0, 0, 1, 2, 0]


@given(scores)
def test_whoever_is_not_on_the_frontier_is_beaten_by_somebody_on_it(rows):
    on, numbers = frontier(rows), np.where(np.isnan(rows), np.inf, rows)
    beats = (numbers[:, None] <= numbers[None]).all(2) & (numbers[:, None] < numbers[None]).any(2)
    assert on.any()
    for row in range(len(rows)):
        assert beats[on, row].any() != on[row]


@given(scores)
def test_every_row_stands_once_and_layers_are_whole(rows):
    assert sorted(in_order(rows, [0.0] * rows.shape[1])) == list(range(len(rows)))
    found = layers(rows)
    assert set(found) == set(range(found.max() + 1))


@given(scores)
def test_without_slack_the_first_is_the_least_in_order(rows):
    numbers = np.where(np.isnan(rows), np.inf, rows)
    first = in_order(rows, [0.0] * rows.shape[1])[0]
    assert tuple(numbers[first]) == min(map(tuple, numbers))
