"""CDPs in the order of their backing, and the counts that a record makes of it, against a look at every CDP."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import FLOOD, storm_model

from seawall.agents import sorted_rows
from seawall.agents.alarms import is_insolvent, market_ratio
from seawall.models import ranking, records
from seawall.protocols.cdp import last_price
from seawall.protocols.tables import CDP, CDP_KIND
from seawall.scenarios.build import build
from seawall.scenarios.load import load


@settings(deadline=None)
@given(
    st.integers(1, 40),
    st.lists(st.lists(st.tuples(st.integers(0, 39), st.sampled_from([0.0, 1.0, 1.5, 2.0, np.inf, None])), max_size=50), max_size=5),
)
def test_a_ranking_kept_up_to_date_is_the_sorted_one(count, rounds):
    """None closes a CDP."""
    kinds, cdps, backings = np.zeros(1, CDP_KIND), np.zeros(count, CDP), np.full((3, count), ranking.CLOSED)
    kinds["end"], cdps["ranked"] = count, ranking.CLOSED
    for changes in rounds:
        for row, backing in changes:
            position = cdps[row % count]
            position.is_open, position.backing = backing is not None, np.inf if backing is None else backing
            if not position.is_unranked:
                position.is_unranked, position.next_unranked, kinds[0].unranked = True, kinds[0].unranked, row % count + 1
        ranking.rank(kinds[0], cdps, backings)
        assert list(backings[0]) == sorted(np.where(cdps["is_open"], cdps["backing"], ranking.CLOSED))
        assert kinds[0].unranked == 0


@pytest.mark.parametrize(("backing", "place"), [(0.0, 2), (1.0, 2), (1.1, 4), (3.0, 5), (4.0, 6)])
def test_a_place_is_the_first_at_or_above(backing, place):
    backings = np.array([-1.0, -1.0, 1.0, 1.0, 2.0, 3.0])
    assert sorted_rows.place(backings, 0, 6, backing) == place
    assert ranking.place_of_ratio(backings, 0, 6, 2.0, backing / 2.0) == place


def plain_counts(world):
    """Open and margin-called CDPs of each tASSET, and its CDPs by bin of ratio, from a look at every CDP."""
    count, step = len(world.tassets), world.clock[0].step
    opened, called, bins = np.zeros(count, int), np.zeros(count, int), np.zeros((count, len(records.RATIO_EDGES) - 1), int)
    for cdp in world.cdps[world.cdps["is_open"]]:
        kind, tasset = world.cdp_kinds[cdp.kind], world.tassets[cdp.tasset]
        opened[cdp.tasset] += 1
        called[cdp.tasset] += not tasset.is_delisted and last_price(kind, world.feeds) * tasset.min_collateral_ratio > cdp.backing
        market = market_ratio(kind, world.tassets, world.market_price, step)
        ratio = cdp.backing / market if is_insolvent(cdp, market) else max(cdp.backing / market, 1.0)
        bins[cdp.tasset, records.ratio_bin(ratio)] += 1
    return opened, called, bins


@pytest.mark.parametrize(
    "model",
    [
        lambda: storm_model("record_minutes=3", "minters.collateral_usd.median=40000", "traders.tokens_usd=50"),
        lambda: build(load(FLOOD, ["record_minutes=30"])),
    ],
    ids=["storm", "flood"],
)
def test_a_record_counts_what_a_look_at_every_cdp_counts(model):
    model = model()
    world, insolvent = model.world, 0
    while model.running:
        model.step()
        at = world.clock[0].records - 1
        if world.series[at, 0].time == world.clock[0].now:
            opened, called, bins = plain_counts(world)
            assert list(world.series[at]["open_cdps"]) == list(opened)
            assert list(world.series[at]["called"]) == list(called)
            assert (world.ratio_counts[at] == bins).all()
            insolvent += bins[:, : records.PAR_BIN].sum()
    assert insolvent > 0
