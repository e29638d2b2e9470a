"""The market machines and the fuzzing of scenario files for as long as one likes: SEAWALL_SOAK_SECONDS each, 60 if not said."""

import os
import time

import pytest
from driven import play
from exchange_machine import ExchangeMarket
from rfq_machine import RfqMarket
from tasset_machine import TassetMarket

pytestmark = pytest.mark.skipif("SEAWALL_SOAK" not in os.environ, reason="long: make soak")

SECONDS = float(os.environ.get("SEAWALL_SOAK_SECONDS", "60"))
EXAMPLES = 100


@pytest.mark.parametrize("machine", [TassetMarket, ExchangeMarket, RfqMarket], ids=lambda machine: machine.__name__)
def test_a_market_under_anything_for_a_long_time(machine, capsys):
    end, examples = time.monotonic() + SECONDS, 0
    while examples == 0 or time.monotonic() < end:
        play(machine, examples=EXAMPLES, seed=int.from_bytes(os.urandom(4)))
        examples += EXAMPLES
    assert machine.granted() == machine.driven()
    with capsys.disabled():
        print(f"\n{machine.__name__}: {examples:,} examples, {sum(machine.answers.values()):,} requests")
        for (module, name), granted, refused in sorted(told(machine)):
            print(f"  {module}.{name}: {granted:,} granted, {refused:,} refused")


def told(machine):
    for name in machine.driven():
        counts = {status: count for (asked, status), count in machine.answers.items() if asked == name}
        yield name, counts.get(0, 0), sum(count for status, count in counts.items() if status)
