"""Trials of a study: each with its own settings, all on the same paths, kept in files."""

import numpy as np
import pytest
from made_up import MadeUp, quick_disk, small, trials

from seawall.protocols.errors import PriceFileError
from seawall.scenarios.load import load
from seawall.studies.ensemble_folder import OtherEnsemble
from seawall.studies.trials import Trial, Trials

REPLAY = """
name: Five closes
about: A file that is replayed.
seed: 1
prices: {model: replay, file: prices.csv, assets: {A: a}, time_column: time, bar_seconds: 60}
tassets: {tA: {tracks: A, min_collateral_ratio: 1.5, auction_discount: 0.1, pool: {liquidity_usd: 1000}}}
minters: {count: 2}
"""


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    quick_disk(monkeypatch)


def change(loaded, path):
    return {"bad_debt_usd": 100.0 * loaded.scenario.shocks[0].change + path}


def trial(folder, *changes, weights=None):
    members = tuple(small(folder, f"shocks[0].change={one}") for one in changes)
    return Trial(members, weights or (1.0,) * len(members))


def test_each_trial_plays_its_own_scenario_on_the_same_paths(tmp_path):
    found, one, other = trials(tmp_path, MadeUp(change)), trial(tmp_path, 0.1), trial(tmp_path, 0.2)
    found.bring({one: 10, other: 20})
    np.testing.assert_allclose(found.sample(one).measures["bad_debt_usd"], 10.0 + np.arange(10))
    np.testing.assert_allclose(found.sample(other).measures["bad_debt_usd"], 20.0 + np.arange(20))
    assert (found.paths(one), found.paths(other), found.played) == (10, 20, 30)


def test_only_what_is_missing_is_played_in_whole_files(tmp_path):
    players = MadeUp(change)
    found, one = trials(tmp_path, players), trial(tmp_path, 0.1)
    for wanted, jobs in ((5, 1), (10, 1), (11, 2), (3, 2), (40, 4)):
        found.bring({one: wanted})
        assert len(players.jobs) == jobs
    assert sorted(found.sample(one).measures["bad_debt_usd"] - 10.0) == pytest.approx(range(40))


def test_the_same_choice_twice_is_played_once(tmp_path):
    players = MadeUp(change)
    found, one, same = trials(tmp_path, players), trial(tmp_path, 0.1), trial(tmp_path, 0.1)
    found.bring({one: 10, same: 20})
    assert len(players.jobs) == 2
    assert found.sample(one).paths == found.sample(same).paths == 20


def test_files_of_an_earlier_run_are_taken_and_say_the_same(tmp_path):
    one = trial(tmp_path, 0.1)
    first = trials(tmp_path, MadeUp(change))
    first.bring({one: 20})
    again = trials(tmp_path, MadeUp(change, stop_after=0))
    again.bring({one: 20})
    assert (again.found, again.played) == (20, 20)
    np.testing.assert_array_equal(again.sample(one).measures["bad_debt_usd"], first.sample(one).measures["bad_debt_usd"])


def test_a_spoilt_file_is_played_again(tmp_path):
    one = trial(tmp_path, 0.1)
    trials(tmp_path, MadeUp(change)).bring({one: 20})
    files = sorted((tmp_path / "trials").rglob("*.parquet"))
    files[0].write_bytes(files[1].read_bytes())
    players = MadeUp(change)
    again = trials(tmp_path, players)
    again.bring({one: 20})
    assert [job.paths[0] for job in players.jobs] == [0]
    np.testing.assert_allclose(again.sample(one).measures["bad_debt_usd"], 10.0 + np.arange(20))


def test_files_of_another_seed_are_not_taken(tmp_path):
    one = trial(tmp_path, 0.1)
    trials(tmp_path, MadeUp(change)).bring({one: 10})
    other = trials(tmp_path, players := MadeUp(change))
    other.seed = 4
    other.bring({one: 10})
    assert len(players.jobs) == 1


def test_what_was_played_before_an_interruption_is_kept(tmp_path):
    one = trial(tmp_path, 0.1)
    with pytest.raises(KeyboardInterrupt):
        trials(tmp_path, MadeUp(change, stop_after=3)).bring({one: 50})
    again = trials(tmp_path, players := MadeUp(change))
    again.bring({one: 50})
    assert (again.found, len(players.jobs)) == (30, 2)


def replayed(folder, discount):
    (folder / "replay.yaml").write_text(REPLAY)
    return Trial((load(folder / "replay.yaml", [f"tassets.tA.auction_discount={discount}"]),), (1.0,))


def write_prices(folder, price):
    rows = [f"2024-03-04T10:0{minute}:00Z,{price + minute}" for minute in range(5)]
    (folder / "prices.csv").write_text("\n".join(["time,a", *rows]) + "\n")


def files_of(folder):
    return {file: file.read_bytes() for file in (folder / "trials").rglob("*.parquet")}


def test_a_price_file_that_changes_between_two_trials_is_named_and_not_mixed_in(tmp_path):
    write_prices(tmp_path, 100.0)
    one, other = replayed(tmp_path, 0.1), replayed(tmp_path, 0.2)
    found = trials(tmp_path, MadeUp(lambda _loaded, path: {"x": float(path)}))
    found.bring({one: 10, other: 10})
    kept = files_of(tmp_path)
    write_prices(tmp_path, 900.0)
    with pytest.raises(OtherEnsemble, match=r"prices\.csv: has changed since this ensemble began"):
        found.bring({one: 20})
    assert found.paths(one) == 10
    (tmp_path / "prices.csv").unlink()
    with pytest.raises(PriceFileError, match=r"prices\.csv: no such file"):
        found.bring({other: 20})
    assert files_of(tmp_path) == kept
    write_prices(tmp_path, 100.0)
    found.bring({one: 20, other: 20})
    assert (found.paths(one), found.paths(other)) == (20, 20)


def test_a_price_file_that_changes_while_trials_are_played_is_named_and_not_mixed_in(tmp_path):
    def changes(_loaded, path):
        if path == 10:
            write_prices(tmp_path, 900.0)
        return {"x": float(path)}

    write_prices(tmp_path, 100.0)
    one = replayed(tmp_path, 0.1)
    with pytest.raises(OtherEnsemble, match=r"prices\.csv: has changed"):
        trials(tmp_path, MadeUp(changes)).bring({one: 30})
    assert [file.name for file in files_of(tmp_path)] == ["paths-0000000-0000009.parquet"]
    again = trials(tmp_path, players := MadeUp(lambda _loaded, path: {"x": float(path)}))
    again.bring({replayed(tmp_path, 0.1): 10})
    assert (again.found, len(players.jobs)) == (0, 1)  # those of the old file are kept, and not taken for those of the new one


@pytest.mark.parametrize("name", ["prices.csv", "replay.yaml"])
def test_trials_of_a_file_that_changed_are_not_compared_with_those_of_the_old_one(tmp_path, name):
    write_prices(tmp_path, 100.0)
    found = trials(tmp_path, players := MadeUp(lambda _loaded, path: {"x": float(path)}))
    found.bring({replayed(tmp_path, 0.1): 10, replayed(tmp_path, 0.2): 10})
    if name == "prices.csv":
        write_prices(tmp_path, 900.0)
        new = replayed(tmp_path, 0.3)
    else:
        (tmp_path / name).write_text(REPLAY.replace("count: 2", "count: 3"))
        new = Trial((load(tmp_path / name),), (1.0,))
    with pytest.raises(OtherEnsemble, match=f"{name}: has changed since this study began"):
        found.bring({new: 10})
    assert len(players.jobs) == 2


def test_checks_are_played_on_the_files_of_the_search(tmp_path):
    write_prices(tmp_path, 100.0)
    search = trials(tmp_path, MadeUp(lambda _loaded, path: {"x": float(path)}))
    search.bring({replayed(tmp_path, 0.1): 10})
    checks = Trials(search.folder, 4, search.players, 10, files=search.files)
    write_prices(tmp_path, 900.0)
    with pytest.raises(OtherEnsemble, match="has changed since this study began"):
        checks.bring({replayed(tmp_path, 0.1): 10})


def test_scenarios_count_by_their_weights(tmp_path):
    one = trial(tmp_path, 0.0, 0.5, weights=(3.0, 1.0))
    found = trials(tmp_path, MadeUp(lambda loaded, _: {"x": loaded.scenario.shocks[0].change}))
    found.bring({one: 20})
    sample = found.sample(one)
    weights = np.exp(sample.log_weights)
    assert sample.paths == 40
    assert float((weights * sample.measures["x"]).sum() / weights.sum()) == pytest.approx(0.125)


def test_equal_weights_are_exactly_equal(tmp_path):
    one = trial(tmp_path, 0.0, 0.5, weights=(0.1, 0.1))
    found = trials(tmp_path, MadeUp(change))
    found.bring({one: 20})
    assert not found.sample(one).log_weights.any()


def test_weights_of_paths_count_within_their_scenario(tmp_path):
    one = trial(tmp_path, 0.0, 0.5)
    found = trials(tmp_path, MadeUp(lambda loaded, path: {"x": float(path)}, log_weight=lambda path: 5.0 * (path == 3)))
    found.bring({one: 10})
    weights = np.exp(found.sample(one).log_weights)
    np.testing.assert_allclose(weights[:10], weights[10:])
    assert weights[3] / weights[0] == pytest.approx(np.exp(5.0))


def test_failed_paths_are_left_out_and_told_with_the_command_that_plays_them(tmp_path):
    one = trial(tmp_path, 0.1)
    found = trials(tmp_path, MadeUp(change, fails=lambda path: path == 4))
    found.bring({one: 10})
    sample = found.sample(one)
    assert sample.paths == 9
    assert len(sample.failures) == 1
    assert sample.failures[0].startswith("ConservationError: money vanished (python run.py run ")
    assert "--set 'shocks[0].change=0.1' --path 4" in sample.failures[0]


def test_all_paths_failed_is_a_sample_of_none(tmp_path):
    one = trial(tmp_path, 0.1)
    found = trials(tmp_path, MadeUp(change, fails=lambda path: True))
    found.bring({one: 10})
    sample = found.sample(one)
    assert (sample.paths, len(sample.failures), found.paths(one)) == (0, 10, 10)


def test_a_measure_that_only_some_paths_have_is_nan_elsewhere(tmp_path):
    one = trial(tmp_path, 0.1)
    found = trials(tmp_path, MadeUp(lambda _, path: {"a": 1.0} | ({"b": 2.0} if path >= 10 else {})))
    found.bring({one: 20})
    np.testing.assert_array_equal(found.sample(one).measures["b"], [np.nan] * 10 + [2.0] * 10)


def test_progress_tells_played_and_wanted(tmp_path):
    told = []
    found, one = trials(tmp_path, MadeUp(change)), trial(tmp_path, 0.1)
    found.progress = lambda done, of: told.append((done, of))
    found.bring({one: 20})
    found.bring({one: 30})
    assert told == [(0, 20), (10, 20), (20, 20), (20, 30), (30, 30)]
