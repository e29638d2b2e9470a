"""How Hypothesis runs in all tests, what Ctrl-C does, and what a command leaves in memory."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A first call compiles, and machines are shared: how long an example takes says nothing.
settings.register_profile("seawall", deadline=None)
settings.load_profile("seawall")

# A shell lets what it starts in the background ignore Ctrl-C, and so would the commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """A command hides what it leaves from the search for garbage, as its process is about to end; that of the tests goes on."""
    yield
    gc.unfreeze()
