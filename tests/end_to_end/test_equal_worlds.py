"""The same market, bit for bit, however it is played."""

import os
import subprocess
import sys

import pytest
from markets import FLOOD, ROOT, STORM, same

from seawall.models.stress import BUILT_IN
from seawall.models.world import digest
from seawall.protocols.status import Action, Status
from seawall.scenarios.build import build
from seawall.scenarios.load import load

SCENARIOS = {"storm": STORM, "flood": FLOOD}


class Market:
    """One of the two scenarios, and the world that a whole run of it gives."""

    def __init__(self, file):
        self.file, self.loaded = file, load(file)
        self.world = self.model().run().world

    def model(self, **options):
        return build(self.loaded, **options)


@pytest.fixture(scope="module", params=SCENARIOS)
def market(request):
    return Market(SCENARIOS[request.param])


def test_together_the_scenarios_use_every_rule():
    worlds = [Market(file).world for file in SCENARIOS.values()]
    done = sum(world.tallies[:, Status.OK] for world in worlds)
    assert [action.name for action in Action if done[action] == 0] == []
    for world in worlds:
        assert world.clock[0].events == world.tallies[Action.PURCHASE, Status.OK]


def test_steps_of_mesa_give_the_world_of_run(market):
    stepped = market.model()
    while stepped.running:
        stepped.step()
    assert stepped.steps == market.world.clock[0].steps
    assert same(stepped.world, market.world)


def test_any_splitting_of_a_run_gives_the_same_world(market):
    split = market.model()
    for rounds in (1, 7, 100, 3):
        split.run_for(rounds)
    assert same(split.run().world, market.world)


def test_looking_at_agents_changes_nothing(market):
    watched = market.model()
    watched.run_for(50)
    assert len(watched.agents) == sum(len(getattr(watched.world, kind.kind)) for kind in BUILT_IN)
    assert same(watched.run().world, market.world)


def test_agents_stepped_one_by_one_in_python_give_the_world_of_the_compiled_loop(market):
    scripted = market.model()
    for kind in BUILT_IN:
        table = getattr(scripted.world, kind.kind)
        scripted.script(kind, range(len(table)))
    scripted.run()
    for kind in BUILT_IN:  # who is scripted is itself a column
        getattr(scripted.world, kind.kind)["scripted"] = False
    assert same(scripted.world, market.world)


def test_audit_after_every_round_changes_nothing(market):
    assert same(market.model(with_audit=True).run().world, market.world)


def test_plain_python_gives_the_world_of_compiled_code(market):
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "error", str(ROOT / "tests" / "print_digest.py"), str(market.file)]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == digest(market.world)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_or_path_others(market):
    assert same(market.model().run().world, market.world)
    assert not same(market.model(seed=12).run().world, market.world)
    assert not same(market.model(path=1).run().world, market.world)
