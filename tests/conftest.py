"""How Hypothesis runs in all tests."""

from __future__ import annotations

from hypothesis import settings

# A first call compiles, and machines are shared: how long an example takes says nothing.
settings.register_profile("seawall", deadline=None)
settings.load_profile("seawall")
