"""The same market, bit for bit, however it is played."""

import os
import subprocess
import sys

import pytest
from markets import ROOT, STORM, same, storm_model

from seawall.models.stress import BUILT_IN
from seawall.models.world import digest
from seawall.protocols.status import Action, Status


@pytest.fixture(scope="module")
def played():
    return storm_model().run()


def test_the_storm_uses_every_rule(played):
    done = played.world.tallies[:, Status.OK]
    idle = [action.name for action in Action if done[action] == 0 and action != Action.OPEN]  # CDPs are opened before the first round
    assert idle == []
    assert played.world.clock[0].events == done[Action.PURCHASE]


def test_steps_of_mesa_give_the_world_of_run(played):
    stepped = storm_model()
    while stepped.running:
        stepped.step()
    assert stepped.steps == 360
    assert same(stepped.world, played.world)


def test_any_splitting_of_a_run_gives_the_same_world(played):
    split = storm_model()
    for rounds in (1, 7, 100, 3):
        split.run_for(rounds)
    assert same(split.run().world, played.world)


def test_looking_at_agents_changes_nothing(played):
    watched = storm_model()
    watched.run_for(50)
    assert len(watched.agents) == 2 + 60 + 5 + 20 + 2 + 12
    assert same(watched.run().world, played.world)


def test_agents_stepped_one_by_one_in_python_give_the_world_of_the_compiled_loop(played):
    scripted = storm_model()
    for kind in BUILT_IN:
        table = getattr(scripted.world, kind.kind)
        scripted.script(kind, range(len(table)))
    scripted.run()
    for kind in BUILT_IN:  # who is scripted is itself a column
        getattr(scripted.world, kind.kind)["scripted"] = False
    assert same(scripted.world, played.world)


def test_audit_after_every_round_changes_nothing(played):
    assert same(storm_model(with_audit=True).run().world, played.world)


def test_plain_python_gives_the_world_of_compiled_code(played):
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "error", str(ROOT / "tests" / "print_digest.py"), str(STORM)]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == digest(played.world)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_or_path_others(played):
    assert same(storm_model().run().world, played.world)
    assert not same(storm_model(seed=12).run().world, played.world)
    assert not same(storm_model(path=1).run().world, played.world)
