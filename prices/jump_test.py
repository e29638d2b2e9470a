"""Which returns are too large to be diffusion: the test of Lee and Mykland.

Each return is set against the volatility of the steps before it, measured by products of neighbouring absolute returns, which single jumps
hardly move. Volatility must change slowly against that window: a burst of it (regimes, GARCH, unmodelled hours of the day) counts as jumps.

Source: Lee and Mykland, "Jumps in financial markets: a new nonparametric test and jump dynamics", Review of Financial Studies 21 (2008),
definition 1 and lemma 1.
"""

from __future__ import annotations

import math

import numpy as np

from seawall.protocols.tables import Bools, Floats

LEVEL = 0.01  # chance that a path without jumps shows one
_LEAST_WINDOW = 100  # shorter ones measure volatility so poorly that calm stretches look like jumps (measured)
_MEAN_ABSOLUTE_NORMAL = math.sqrt(2 / math.pi)


def window_steps(years_per_step: float) -> int:
    """Steps that volatility is measured over: the root of the steps in a year, as Lee and Mykland advise, at least 100."""
    return max(_LEAST_WINDOW, math.ceil(math.sqrt(1 / years_per_step)))


def threshold(tests: int, *, level: float = LEVEL) -> float:
    """How many standard deviations a step must move to count as a jump.

    Args:
        tests: number of returns tested, >= 2; the more there are, the larger the largest without any jump.
        level: chance in (0, 1) of at least one false jump among them.
    """
    if tests < 2 or not 0 < level < 1:
        raise ValueError(f"tests(={tests}) must be >= 2, level(={level}) in (0, 1)")
    c, log_n = _MEAN_ABSOLUTE_NORMAL, math.log(tests)
    root = math.sqrt(2 * log_n)
    centre = root / c - (math.log(math.pi) + math.log(log_n)) / (2 * c * root)
    return c * (centre - math.log(-math.log1p(-level)) / (c * root))


def find_jumps(scaled: Floats, years_per_step: float) -> tuple[Bools, int]:
    """Which steps are jumps.

    Args:
        scaled: `[paths, steps]` log returns over the root of the length of their steps, less their mean.
        years_per_step: mean length of a step, > 0.

    Returns:
        `[paths, steps]` bools; and the number of steps at the start of each path that have no window before them and are not tested.
    """
    steps = scaled.shape[1]
    window = min(window_steps(years_per_step), steps // 2)
    found = np.zeros(scaled.shape, dtype=np.bool_)
    if window < _LEAST_WINDOW:
        return found, steps
    size = np.abs(scaled)
    sums = np.cumsum(np.pad(size[:, 1:] * size[:, :-1], ((0, 0), (1, 0))), axis=1)
    # The window of step i holds the products that end at steps i - window + 2 to i - 1.
    squares = (sums[:, window - 2 : -1] - sums[:, : steps - window + 1]) / ((window - 2) * _MEAN_ABSOLUTE_NORMAL**2)
    limit = threshold(squares.size) * np.sqrt(np.maximum(squares, 0.0))
    found[:, window - 1 :] = (size[:, window - 1 :] > limit) & (squares > 0.0)
    return found, window - 1
