"""The market machines for as long as one likes: SEAWALL_SOAK_SECONDS each, 60 if not said.

Compiled as users run them; NUMBA_DISABLE_JIT=1 checks the same rules in plain Python, which raises where compiled code goes on.
What was asked is printed as a row of the table of soaks in docs/reliability.md, then rule by rule; pytest-xdist would swallow it.
"""

import os
import time

import pytest
from driven import play
from exchange_machine import ExchangeMarket
from numba import config
from rfq_machine import RfqMarket
from tasset_machine import TassetMarket

pytestmark = pytest.mark.skipif("SEAWALL_SOAK" not in os.environ, reason="long: make soak")

SECONDS = float(os.environ.get("SEAWALL_SOAK_SECONDS", "60"))
EXAMPLES, MOST = 100, 5_000
"""Examples at a time, and at most where the time is over and a rule that is rarely granted was not yet."""


@pytest.mark.parametrize("machine", [TassetMarket, ExchangeMarket, RfqMarket], ids=lambda machine: machine.__name__)
def test_a_market_under_anything_for_a_long_time(machine, capsys):
    end, examples = time.monotonic() + SECONDS, 0
    while time.monotonic() < end or (machine.granted() != machine.driven() and examples < MOST):
        play(machine, examples=EXAMPLES, seed=int.from_bytes(os.urandom(4)))
        examples += EXAMPLES
    assert machine.granted() == machine.driven()
    with capsys.disabled():
        print(f"\n{summary(machine, examples)}")
        for (module, name), granted, refused in sorted(told(machine)):
            print(f"  {module}.{name}: {granted:,} granted, {refused:,} refused")


def summary(machine, examples):
    """A row: the market, how its rules ran, examples, requests, rules that were granted of all that there are."""
    mode = "plain Python" if config.DISABLE_JIT else "compiled"
    rules = f"{len(machine.granted())} of {len(machine.driven())}"
    return f"| {machine.__name__} | {mode} | {examples:,} | {sum(machine.answers.values()):,} | {rules} |"


def told(machine):
    for name in machine.driven():
        counts = {status: count for (asked, status), count in machine.answers.items() if asked == name}
        yield name, counts.get(0, 0), sum(count for status, count in counts.items() if status)
