"""Trials of a study: each with its own settings, all on the same paths, kept in files."""

import numpy as np
import pytest
from made_up import MadeUp, quick_disk, small, trials

from seawall.studies.trials import Trial


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
