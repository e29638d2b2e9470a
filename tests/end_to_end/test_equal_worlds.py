"""The same market, bit for bit, however it is played."""

import os
import subprocess
import sys

import pytest
from markets import FLOOD, GALE, ROOT, STORM, SURGE

from seawall.models.stress import StressModel
from seawall.protocols.status import Action, Status
from seawall.scenarios.build import build
from seawall.scenarios.load import load

SCENARIOS = {"storm": STORM, "flood": FLOOD, "surge": SURGE, "gale": GALE}


class Market:
    """One of the scenarios, and what a whole run of it gives."""

    def __init__(self, file, *settings):
        self.file, self.loaded = file, load(file, settings)
        self.played = self.model().run()
        self.digest = self.played.digest()

    def model(self, **options) -> StressModel:
        return build(self.loaded, **options)


@pytest.fixture(scope="module", params=SCENARIOS)
def market(request):
    return Market(SCENARIOS[request.param])


def test_together_the_scenarios_use_every_rule():
    auctions = Market(GALE, "avmm.mechanism=dutch_auction")
    worlds = [market.played.world for market in (*map(Market, SCENARIOS.values()), auctions)]
    done = sum(world.tallies[:, Status.OK] for world in worlds)
    assert [action.name for action in Action if done[action] == 0] == []
    for world in worlds:
        assert world.clock[0].events == world.tallies[Action.PURCHASE, Status.OK]


def test_steps_of_mesa_give_the_world_of_run(market):
    stepped = market.model()
    while stepped.running:
        stepped.step()
    assert stepped.steps == market.played.world.clock[0].steps
    assert stepped.digest() == market.digest


def test_any_splitting_of_a_run_gives_the_same_world(market):
    split = market.model()
    for rounds in (1, 7, 100, 3):
        split.run_for(rounds)
    assert split.run().digest() == market.digest


def test_looking_at_agents_changes_nothing(market):
    watched = market.model()
    watched.run_for(50)
    assert len(watched.agents) == sum(len(watched.rows_of(kind)) for kind in watched.kinds)
    assert watched.run().digest() == market.digest


def test_agents_stepped_one_by_one_in_python_give_the_world_of_the_compiled_loop(market):
    scripted = market.model()
    for kind in scripted.kinds:
        scripted.script(kind, range(len(scripted.rows_of(kind))))
    scripted.run()
    for kind in scripted.kinds:  # who is scripted is itself a column
        scripted.rows_of(kind)["scripted"] = False
    assert scripted.digest() == market.digest


def test_audit_after_every_round_changes_nothing(market):
    assert market.model(with_audit=True).run().digest() == market.digest


def test_plain_python_gives_the_world_of_compiled_code(market):
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "error", str(ROOT / "tests" / "print_digest.py"), str(market.file)]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == market.digest


def test_the_same_seed_gives_the_same_bytes_and_another_seed_or_path_others(market):
    assert market.model().run().digest() == market.digest
    assert market.model(seed=12).run().digest() != market.digest
    assert market.model(path=1).run().digest() != market.digest
