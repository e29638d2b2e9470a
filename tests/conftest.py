"""How Hypothesis runs in all tests, and what a command leaves in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A first call compiles, and machines are shared: how long an example takes says nothing.
settings.register_profile("seawall", deadline=None)
settings.load_profile("seawall")


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """A command hides what it leaves from the search for garbage, as its process is about to end; that of the tests goes on."""
    yield
    gc.unfreeze()
