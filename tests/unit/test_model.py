"""`StressModel` and the world under it, where no whole run is needed."""

import gc
import weakref

import numpy as np
import pytest
from markets import copy_of, same, storm_model
from worlds import a_cdp, a_market

from seawall.agents.minter import Minter
from seawall.models.stress import StressModel
from seawall.models.world import Sizes, empty_world
from seawall.protocols import audit
from seawall.protocols.errors import ConservationError
from seawall.protocols.tables import INT, UNITS, table_type


def test_every_agent_has_an_account_of_its_own():
    world = empty_world(
        Sizes(steps=1, tassets=2, assets=1, minters=3, liquidators=2, traders=4, arbitrageurs=1, lps=2, stakers=3, keepers=1)
    )
    kinds = (world.oracle_feeders, world.minters, world.liquidators, world.traders, world.arbitrageurs, world.lps, world.stakers,
             world.keepers, world.pools, world.stake_pools)  # fmt: skip
    accounts = np.concatenate([kind["account"] for kind in kinds])
    assert len(set(accounts)) == len(accounts) == len(world.wallets) - 3
    assert accounts.max() == len(world.wallets) - 1


def test_faces_are_numbered_by_account_and_do_not_keep_their_model_alive():
    model = storm_model()
    assert len({agent.unique_id for agent in model.agents}) == len(model.agents)
    assert model.face(Minter, 5).unique_id == model.world.minters[5].account
    watched = weakref.ref(model)
    del model
    gc.collect()
    assert watched() is None


def test_a_run_ends_with_its_last_round():
    model = storm_model()
    model.run_for(10_000)
    assert (model.steps, model.rounds_left, model.running) == (360, 0, False)
    after = copy_of(model.world)
    model.step()
    assert same(model.world, after)


def test_progress_is_told_as_rounds_are_played():
    told = []
    storm_model().run(progress=told.append, rounds_per_call=100)
    assert told == [100, 100, 100, 60]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda world: world.wallets.__setitem__((5, 0), world.wallets[5, 0] + 2.0**-20), "wallets and supply"),
        (lambda world: world.cdps.__setitem__("debt", world.cdps["debt"] + 1.0), "running sums of debt"),
        (lambda world: world.cdps.__setitem__("collateral", world.cdps["collateral"] * 2), "collateral of CDPs"),
        (lambda world: world.wallets.__setitem__((5, 0), np.nan), "wallets"),
        (lambda world: world.cdps.__setitem__("kind", world.cdps["kind"] - 1), "CDPs of another kind than their rows are: "),
        (lambda world: world.cdps.__setitem__("tasset", world.cdps["tasset"] - 1), "CDPs of another kind than their rows are: "),
    ],
)
def test_the_audit_sees_a_single_unit(spoil, said):
    world = a_market()
    a_cdp(world, 0, 150.0, 1.0)
    audit.check(world)
    spoil(world)
    with pytest.raises(ConservationError, match=said):
        audit.check(world)
    with pytest.raises(ConservationError):
        StressModel(world).run_for(1)


@pytest.mark.parametrize("account", [0, 63, 64, 130, -1])
def test_the_audit_sees_a_unit_in_whichever_account(account):
    world = a_market(minters=150)
    audit.check(world)
    world.wallets[account, 0] += 2.0**-20
    with pytest.raises(ConservationError, match="wallets and supply"):
        audit.check(world)


def test_a_column_may_not_hide_behind_an_attribute_of_records():
    with pytest.raises(ValueError, match=r"\['base'\] are attributes of every NumPy record"):
        table_type("bad", base=(INT, "row"))


def test_every_column_says_its_unit():
    assert set(UNITS) >= {"cdps", "feeds", "pools", "minters", "flows", "series"}
    assert all(meaning.strip() for columns in UNITS.values() for meaning in columns.values())
