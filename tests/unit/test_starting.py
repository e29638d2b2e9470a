"""Owners who start with the positions of a real market."""

import numpy as np
import pytest

from seawall.protocols.errors import ScenarioError
from seawall.scenarios.build import build
from seawall.scenarios.load import load

SCENARIO = """
name: Snapshot
about: Three positions of a market.
seed: 3
prices: {model: constant, days: 0.125, assets: {A: {start_usd: 50}}}
tassets:
  tA: {tracks: A, min_collateral_ratio: 1.2, auction_discount: 0.1, pool: {liquidity_usd: 100}}
minters:
  snapshot: {file: positions.csv, columns: {collateral: locked, debt: owed}}
lps: {count: 1}
"""
POSITIONS = "locked,owed\n3000,2000\n12000,6000\n5000,4000\n"


@pytest.fixture
def scenario(tmp_path):
    (tmp_path / "positions.csv").write_text(POSITIONS)
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO)
    return file


def faults(file, *settings):
    with pytest.raises(ScenarioError) as refusal:
        load(file, settings)
    return str(refusal.value)


def test_cdps_have_the_sizes_and_the_ratios_of_the_file(scenario):
    world = build(load(scenario)).world
    assert sorted(world.cdps["collateral"]) == [3000.0, 5000.0, 12000.0]
    ratios = dict(zip(world.cdps["collateral"], world.cdps["collateral"] / (world.cdps["debt"] * 50.0), strict=True))
    assert ratios == pytest.approx({3000.0: 1.5, 12000.0: 2.0, 5000.0: 1.25}, rel=1e-6)


def test_owners_aim_at_the_ratio_that_they_have(scenario):
    world = build(load(scenario)).world
    np.testing.assert_allclose(np.sort(world.minters["target_ratio"]), [1.25, 1.5, 2.0], rtol=1e-12)


def test_positions_below_the_minimum_are_named_by_line_and_refused(scenario):
    told = faults(scenario, "tassets.tA.min_collateral_ratio=1.4")
    assert "positions.csv:4: a ratio of 1.25 is below the minimum 1.4" in told
    assert "`least_ratio: 1.4`" in told


def test_they_are_left_out_and_counted_where_the_scenario_says_so(scenario):
    loaded = load(scenario, ["tassets.tA.min_collateral_ratio=1.4", "minters.snapshot.least_ratio=1.4"])
    assert loaded.scenario.minters.count == 2
    assert "1 of 3 positions are below the least ratio" in str(loaded.warnings[-1])


def test_a_count_beside_a_snapshot_is_refused_and_so_is_neither(scenario):
    assert "count (5) and snapshot are both given" in faults(scenario, "minters.count=5")
    scenario.write_text(SCENARIO.replace("  snapshot: {file: positions.csv, columns: {collateral: locked, debt: owed}}", "  reserve: 0.1"))
    assert "minters.count: is missing" in faults(scenario)


def test_a_file_outside_of_the_folder_is_refused_unless_allowed(scenario, tmp_path):
    (tmp_path / "inner").mkdir()
    inner = tmp_path / "inner" / "scenario.yaml"
    inner.write_text(SCENARIO.replace("positions.csv", "../positions.csv"))
    assert "'../positions.csv' is outside the scenario's folder" in faults(inner)
    assert load(inner, allow_outside=True).scenario.minters.count == 3


def test_another_file_gives_another_digest(scenario, tmp_path):
    before = load(scenario).digest
    (tmp_path / "positions.csv").write_text(POSITIONS.replace("3000", "3100"))
    assert load(scenario).digest != before
