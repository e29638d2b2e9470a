"""Alarms find in every round exactly those whom a look at every row would find."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import FLOOD, storm_model

from seawall.agents import alarms, lp, staker, trader
from seawall.agents.minter import Minter
from seawall.models.measures import token_prices
from seawall.protocols.amounts import floor_amount
from seawall.protocols.auction import is_margin_called
from seawall.protocols.cdp import last_price
from seawall.scenarios.build import build
from seawall.scenarios.load import load


def price_of(world, position):
    return last_price(world.cdp_kinds[position.kind], world.feeds)


def everybody_awake(world):
    now = world.clock[0].now
    return [i for i, row in enumerate(world.cdps) if alarms.is_awake(world.minters[i], row, price_of(world, row), now)]


def everybody_called(world):
    return [
        i
        for i, position in enumerate(world.cdps)
        if position.is_open and is_margin_called(position, world.tassets[position.tasset], price_of(world, position))
    ]


def everybody_insolvent(world):
    worth = token_prices(world)
    kinds = world.cdp_kinds[world.cdps["kind"]]
    ratios = worth[world.tassets["token"][kinds["tasset"]]] / worth[kinds["token"]]
    return [i for i, row in enumerate(world.cdps) if row.collateral < floor_amount(row.debt * ratios[i])]


def listed(rows):
    return [int(row) for row in rows[1 : rows[0] + 1]]


def lps_awake(world):
    return [i for i, row in enumerate(world.lps) if lp.is_awake(world, row, world.clock[0].now)]


def check_quiet_agents(world):
    """LPs and stakers at rest have nothing to do; arbitrageurs who are not called would change nothing."""
    rows = np.zeros(len(world.minters) + len(world.lps) + len(world.stakers) + len(world.arbitrageurs), np.int64)
    assert sorted(rows[: lp.order(world, rows)]) == lps_awake(world)
    assert sorted(rows[: staker.order(world, rows)]) == [i for i in range(len(world.stakers)) if staker.is_awake(world, i)]
    if trader.arbitrageur_order(world, rows) == 0:
        before, tallies = world.wallets.copy(), world.tallies.copy()
        for i in range(len(world.arbitrageurs)):
            trader.act_arbitrageur(world, i)
        assert (world.wallets == before).all()
        assert (world.tallies == tallies).all()


def check(world):
    check_quiet_agents(world)
    rows = np.zeros(len(world.minters), np.int64)
    assert list(rows[: alarms.wake_owners(world, rows)]) == everybody_awake(world)
    alarms.update_called(world)
    assert listed(world.called) == everybody_called(world)
    alarms.update_insolvent(world)
    assert listed(world.insolvent) == everybody_insolvent(world)


@pytest.mark.parametrize("minters", [3, 60, 200])
def test_a_whole_run_wakes_whom_a_full_look_would_wake(minters):
    model = storm_model(
        f"minters.count={minters}", "minters.collateral_usd.median=40000", "tassets.tA.pool.liquidity_usd=1000",
        "tassets.tB.pool.liquidity_usd=1000", "arbitrageurs.count=0", "traders.tokens_usd=50",
    )  # fmt: skip
    while model.running:
        model.step()
        check(model.world)


def test_lists_votes_and_delistings_wake_whom_a_full_look_would_wake():
    model = build(load(FLOOD))
    while model.running:
        model.step()
        check(model.world)
    assert model.world.tassets[0].is_delisted


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.08, 0.08), st.floats(-0.08, 0.08)), min_size=1, max_size=40), st.integers(0, 50))
def test_any_path_of_prices_wakes_whom_a_full_look_would_wake(moves, seed):
    world = storm_model(seed=seed).world
    for move in moves:
        clock = world.clock[0]
        clock.step += 1
        clock.now += 60
        for feed, change in zip(world.feeds[:-1], move, strict=True):
            feed.price *= 1 + change
        world.market_price[clock.step] = world.feeds["price"][:-1]
        check(world)


def test_behaviour_changed_by_hand_is_minded_in_the_next_round():
    model = storm_model("minters.inattentive_share=1", "minters.reserve=1", "minters.responses.burn=0", "minters.responses.close=0")
    model.run_for(5)
    owner = model.face(Minter, 7)
    owner.row.alert_ratio, owner.row.target_ratio = 50.0, 60.0
    collateral = float(owner.cdp.collateral)
    model.run_for(30)
    assert owner.cdp.collateral > collateral


def test_rows_of_a_kind_must_stand_together():
    world = storm_model().world
    world.cdps["kind"] = np.arange(60) % 2
    with pytest.raises(ValueError, match="rows of a kind must stand together"):
        alarms.lay_out(world)
