"""Named randomness: one seed, one child per path, one stream per purpose.

A purpose's stream depends on seed and path alone, so the same seed brings the same prices, arrivals and order sizes whatever the
parameters.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for. Numbers are never reused: they are part of what a seed means."""

    PRICES = 0
    FEED_NOISE = 1
    ARRIVALS = 2
    ORDER = 3
    MINTERS = 4
    LIQUIDATORS = 5
    LPS = 6
    REACTIONS = 7
    STAKERS = 8
    VOTES = 9
    STRATEGIES = 10
    ENTRIES = 11
    REWARDS = 12
    LP_STAKES = 13
    EXCHANGE_LPS = 14
    PERPS_TRADERS = 15
    PERPS_ORDERS = 16
    AVMM_LPS = 17
    AVMM_ORDERS = 18
    PROCESSES = 19
    COPULA = 20
    COMMON_JUMPS = 21
    OPENING_GAPS = 22
    SHOCK_TIMES = 23
    DISTURBANCE_TIMES = 30
    DRAINED_LPS = 31
    STAMPEDES = 32


def stream(seed: int, path: int, purpose: Purpose, *child: int) -> np.random.Generator:
    """The generator of one purpose on one path, or of one child of it. All numbers are >= 0."""
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=(path, int(purpose), *child))))


def number_of(name: str) -> int:
    """A number for the child of that name, so that another name beside it moves nobody: 64 bits of a hash."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def order_seed(seed: int, path: int) -> int:
    """31-bit seed of the draws of who goes first."""
    return int(stream(seed, path, Purpose.ORDER).integers(2**31))
