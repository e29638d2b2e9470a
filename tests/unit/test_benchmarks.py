"""The peers of the benchmarks play Seawall's rules, the check tells a regression, and tables are put between their marks."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seawall.scenarios.build import build
from seawall.scenarios.load import Loaded, load

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ROUNDS = 4_320  # three days: the shock, and what it sets off
FEW = ["prices.days=3", "minters.count=120", "minters.collateral_usd.median=160000", "traders.count=40", "lps.count=4"]


@pytest.fixture(scope="module", autouse=True)
def _on_the_path() -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load(BENCHMARKS / "ground.yaml", FEW)


@pytest.fixture(scope="module")
def job(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from inputs import job_of
    from peers import job as jobs

    file = tmp_path_factory.mktemp("job") / "job.npz"
    jobs.save(job_of(build(loaded).world), file)
    return jobs.load(file)


@pytest.fixture(scope="module")
def seawall(loaded: Loaded) -> dict[str, float]:
    from contest import play_seawall

    outcome = asdict(play_seawall(loaded, ROUNDS)[1])
    assert outcome["liquidations"] > 10
    return outcome


def test_numpy_comes_to_the_same(job: Any, seawall: dict[str, float]) -> None:
    from peers.numpy_vectorised import prepare

    with np.errstate(divide="ignore"):
        outcome = asdict(prepare(job, ROUNDS, "")())
    assert outcome == pytest.approx(seawall, rel=1e-4)
    assert outcome["liquidations"] == seawall["liquidations"]


@pytest.mark.parametrize("activation", ["do", "shuffle_do"])
def test_mesa_comes_to_about_the_same(job: Any, seawall: dict[str, float], activation: str) -> None:
    from peers.mesa_idiomatic import prepare

    outcome = asdict(prepare(job, ROUNDS, activation)())
    for name in ("liquidated_debt_usd", "debt_end_usd", "volume_usd", "lp_fees_usd", "min_system_collateral_ratio"):
        assert outcome[name] == pytest.approx(seawall[name], rel=0.01), name


def test_policies_leave_the_state_as_it_was(job: Any) -> None:
    from peers.cad import blocks
    from peers.tables import tables_of, terms_of

    with np.errstate(divide="ignore"):
        state, before = tables_of(job), tables_of(job)
        for block in blocks(terms_of(job)):
            (policy,) = block["policies"].values()
            signals = policy({}, 0, [], state)
            assert set(signals) == set(block["variables"])
            assert repr(state) == repr(before)
            state = state | signals
            before = {name: table.copy() for name, table in state.items()}


def test_a_ratio_a_third_worse_fails_the_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import ground

    def laps(mesa: float, bare: float) -> Any:
        least = {ground.SEAWALL: 1.0, ground.BARE: bare, "Mesa, do": mesa}
        return {name: [SimpleNamespace(seconds=[2.0 * each, each])] for name, each in least.items()}

    recorded = tmp_path / "recorded.json"
    kept = {"machine": ground.machine(), "ratios": {"Mesa, do / Seawall": 300.0, "Seawall / bare compiled loop": 1.2}}
    recorded.write_text(json.dumps(kept))
    monkeypatch.setattr(ground, "RECORDED", recorded)
    assert ground.check(laps(mesa=210.0, bare=1 / 1.7))
    assert not ground.check(laps(mesa=190.0, bare=1 / 1.2))
    assert not ground.check(laps(mesa=300.0, bare=1 / 1.9))
    recorded.write_text(json.dumps(kept | {"machine": f"9{ground.machine()}"}))  # a regression, or only another processor
    assert ground.check(laps(mesa=190.0, bare=1 / 1.2))
    assert "Not judged: recorded on 9" in capsys.readouterr().out


def test_tables_go_between_their_marks(tmp_path: Path) -> None:
    from pages import rewrite

    page = tmp_path / "page.md"
    page.write_text("above\n<!-- measured: x -->\nold\n<!-- end: x -->\nbelow\n")
    rewrite(page, "x", "new")
    assert page.read_text() == "above\n<!-- measured: x -->\n\nnew\n\n<!-- end: x -->\nbelow\n"
    with pytest.raises(ValueError, match="has no marks"):
        rewrite(page, "y", "new")


def test_a_cost_that_grows_as_the_square_has_exponent_2() -> None:
    from scaling import exponent

    assert exponent([1, 10, 100], [3.0, 300.0, 30_000.0]) == pytest.approx(2.0)


@pytest.mark.parametrize("count", [500, 1_000, 100_000])
def test_more_cdps_share_the_same_collateral(count: int) -> None:
    from many_cdps import JOB, settings

    scenario, ground = load(JOB, settings(count)).scenario, load(JOB).scenario
    assert (scenario.minters.count, scenario.minters.collateral_usd.sigma) == (count, ground.minters.collateral_usd.sigma)
    assert count * scenario.minters.collateral_usd.median == pytest.approx(ground.minters.count * ground.minters.collateral_usd.median)
    assert count * scenario.liquidators.cost_usd == pytest.approx(ground.minters.count * ground.liquidators.cost_usd)


def test_of_many_cdps_those_that_change_are_counted() -> None:
    from many_cdps import QUIET, measure, settings

    usual, quiet = settings(60), settings(60, 60_000.0) + QUIET
    assert 0 < measure(1, ["prices.days=3", *usual])["acted"] < 60
    assert measure(1, ["prices.days=3", *quiet])["acted"] == 0
