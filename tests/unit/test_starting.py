"""Owners who start with the positions of a real market."""

import numpy as np
import pytest

from seawall.protocols.errors import ScenarioError
from seawall.scenarios import text_table
from seawall.scenarios.build import build
from seawall.scenarios.load import load
from seawall.studies.ensemble import run_paths
from seawall.studies.ensemble_folder import OtherEnsemble
from seawall.studies.players import Threads

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


@pytest.mark.parametrize("other", [POSITIONS.replace("3000", "3100"), "no table", None])
def test_a_file_that_changes_after_it_was_read_cannot_matter(scenario, tmp_path, other):
    loaded, file = load(scenario), tmp_path / "positions.csv"
    before, world = loaded.digest, build(loaded).run().digest()
    file.unlink()
    if other is not None:
        file.write_text(other)
    assert loaded.digest == before
    assert build(loaded).run().digest() == world
    assert load_again_with(scenario, POSITIONS).digest == before


def load_again_with(scenario, positions):
    (scenario.parent / "positions.csv").write_text(positions)
    return load(scenario)


def test_a_digest_is_of_the_bytes_that_were_read(scenario, monkeypatch):
    """The file is another as soon as it has been read, before its digest is asked for."""
    expected, read = load(scenario).digest, text_table.read_content

    def replaced(file, **use):
        content = read(file, **use)
        file.write_text(POSITIONS.replace("3000", "3100"))
        return content

    monkeypatch.setattr(text_table, "read_content", replaced)
    loaded = load(scenario)
    assert loaded.digest == expected
    assert sorted(loaded.positions.collateral_usd) == [3000.0, 5000.0, 12000.0]
    monkeypatch.undo()
    assert load(scenario).digest != expected


def test_an_ensemble_of_other_positions_is_not_gone_on_with(scenario, tmp_path):
    asked = {"paths": 2, "folder": tmp_path / "out", "players": Threads(1), "chunk_paths": 1}
    loaded = load(scenario)
    (tmp_path / "positions.csv").write_text(POSITIONS.replace("3000", "3100"))
    run_paths(loaded, **asked)
    with pytest.raises(OtherEnsemble, match=f"digest {loaded.digest} there, "):
        run_paths(load(scenario), resume=True, **asked)
    assert run_paths(load_again_with(scenario, POSITIONS), resume=True, **asked).manifest["paths_kept_from_before"] == 2
