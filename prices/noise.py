"""Where the normals come from: plain, in mirrored pairs, in Sobol points along Brownian bridges, or pushed towards a crash and weighted.

All give independent standard normals for one path, `[steps, assets]`, in law (the pushed ones once weighted); `dependence` makes assets
move together. What else is random in a process comes from its own stream, and is neither mirrored nor pushed.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from seawall.protocols.tables import Floats, Ints

SOBOL_BITS = 30
SOBOL_DIMENSIONS = 21_201  # as many as scipy has direction numbers for
COARSE_POINTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """The normals of one path.

    Attributes:
        z: `[steps, assets]` standard normals.
        log_weight: log of the likelihood ratio, wanted law over drawn law; 0 unless the draw was pushed.
    """

    z: Floats
    log_weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Plain:
    """Independent paths; a longer path begins with the shorter one."""


@dataclass(frozen=True, slots=True)
class Antithetic:
    """Path 2k + 1 is the mirror of path 2k, from which the caller takes the generator; a longer path begins with the shorter one.

    The two paths of a pair are not independent: intervals are over the means of pairs.

    Source: Glasserman (2003), section 4.2.
    """


@dataclass(frozen=True, slots=True)
class Sobol:
    """Path k is point k of a scrambled Sobol sequence, which fixes where the path passes on a coarse grid, the end first.

    Between coarse points the path is a Brownian bridge of plain normals. Best with a power of 2 of paths, from 0 on. Paths of one seed are
    not independent: an error is estimated over several seeds. A longer path does not begin with the shorter one.

    Attributes:
        seed: of the scrambling, the same on all paths, >= 0.
        coarse_points: per asset, in [1, 64]; fewer where the path has fewer steps.

    Source: Owen, Scrambling Sobol and Niederreiter-Xing points (1998); Glasserman (2003), sections 5.2, 5.4 and 5.5.2.
    """

    seed: int
    coarse_points: int = COARSE_POINTS

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        if self.seed < 0 or not 1 <= self.coarse_points <= COARSE_POINTS:
            raise ValueError(f"seed(={self.seed}) must be >= 0, coarse_points(={self.coarse_points}) in [1, {COARSE_POINTS}]")


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """Normals whose mean is pushed in a window of steps, and the weight that makes up for it; `crash` says how far to push.

    Attributes:
        first_step: where the window begins, >= 0.
        push: `[window, assets]` what is added to the normals.
        plain_share: share of the paths, drawn by lot, that are not pushed, in [0, 1). Weights are then at most 1 / plain_share, so that
            what the push does not aim at is measured well, too.

    Source: Glasserman (2003), section 4.6; Hesterberg, Weighted average importance sampling and defensive mixture distributions (1995).
    """

    first_step: int
    push: Floats
    plain_share: float = 0.1

    def __post_init__(self) -> None:
        """Refuse (ValueError) values out of range."""
        if self.push.ndim != 2 or not self.push.size or not np.isfinite(self.push).all():
            raise ValueError(f"push {self.push.shape} must be [window, assets], finite and not empty")
        if self.first_step < 0 or not 0 <= self.plain_share < 1:
            raise ValueError(f"first_step(={self.first_step}) must be >= 0, plain_share(={self.plain_share}) in [0, 1)")


Sampling = Plain | Antithetic | Sobol | Importance


def draw(rng: np.random.Generator, steps: int, assets: int, sampling: Sampling, path: int) -> Draw:
    """The normals of one path.

    Args:
        rng: source of all randomness but the scrambling; for `Antithetic` that of path - path % 2.
        steps: >= 1.
        assets: >= 1.
        sampling: how to draw.
        path: its number, >= 0.

    Raises:
        ValueError: an argument is out of range; a push outside of the steps or for other assets; more dimensions, or more paths, than the
            Sobol sequence has.
    """
    if steps < 1 or assets < 1 or path < 0:
        raise ValueError(f"steps(={steps}) and assets(={assets}) must be >= 1, path(={path}) >= 0")
    match sampling:
        case Plain():
            return Draw(rng.standard_normal((steps, assets)))
        case Antithetic():
            z = rng.standard_normal((steps, assets))
            return Draw(-z if path % 2 else z)
        case Sobol():
            return Draw(_bridged(rng, steps, assets, sampling, path))
        case Importance():
            return _pushed(rng, steps, assets, sampling)


def _bridged(rng: np.random.Generator, steps: int, assets: int, sampling: Sobol, path: int) -> Floats:
    """Plain normals, but for their sums between coarse points, which a point of the Sobol sequence gives."""
    coarse = min(sampling.coarse_points, steps)
    knots = np.arange(coarse + 1) * steps // coarse
    sums = np.diff(_at_knots(_sobol_normals(sampling.seed, coarse, assets, path), knots), axis=0)
    z = rng.standard_normal((steps, assets))
    lengths = np.diff(knots)[:, None]
    # Given their sum, independent normals are spread about its even share as they are about their own mean.
    surplus = (sums - np.add.reduceat(z, knots[:-1], axis=0)) / lengths
    return z + np.repeat(surplus, lengths[:, 0], axis=0)


def _sobol_normals(seed: int, coarse: int, assets: int, path: int) -> Floats:
    """Normals `[coarse, assets]` of one point, the dimensions of least discrepancy first."""
    from scipy.special import ndtri

    if coarse * assets > SOBOL_DIMENSIONS or path >= 2**SOBOL_BITS:
        raise ValueError(
            f"{coarse} coarse points of {assets} assets are {coarse * assets:,} dimensions, path(={path}): "
            f"the Sobol sequence has {SOBOL_DIMENSIONS:,} dimensions and {2**SOBOL_BITS:,} points"
        )
    points = deepcopy(_scrambled(seed, coarse * assets))  # which remembers how far it has come
    if path > 0:
        points.fast_forward(path)
    # The middle of the cell, so that 0 does not become minus infinity.
    uniforms = points.random(1)[0] + 0.5**SOBOL_BITS / 2
    normals: Floats = ndtri(uniforms).reshape(coarse, assets)
    return normals


@lru_cache(maxsize=4)
def _scrambled(seed: int, dimensions: int) -> Any:
    """The sequence at its first point; scrambling it takes longer than drawing from it."""
    from scipy.stats import qmc

    # PCG64DXSM by name, because the default generator of NumPy may change.
    scrambling = np.random.Generator(np.random.PCG64DXSM(seed))
    return qmc.Sobol(dimensions, scramble=True, bits=SOBOL_BITS, rng=scrambling)


def _at_knots(normals: Floats, knots: Ints) -> Floats:
    """Brownian motion `[coarse + 1, assets]` at the knots: first the end, then the middle of each half, and so on."""
    walk = np.zeros((len(knots), normals.shape[1]))
    coarse = len(knots) - 1
    walk[coarse] = math.sqrt(knots[coarse]) * normals[0]
    spans = [(0, coarse)]
    used = 1
    for left, right in spans:  # grows while it is walked, so that long spans come before short ones
        if right - left < 2:
            continue
        middle = (left + right) // 2
        before, after = knots[middle] - knots[left], knots[right] - knots[middle]
        mean = (after * walk[left] + before * walk[right]) / (before + after)
        walk[middle] = mean + math.sqrt(before * after / (before + after)) * normals[used]
        used += 1
        spans += [(left, middle), (middle, right)]
    return walk


def _pushed(rng: np.random.Generator, steps: int, assets: int, sampling: Importance) -> Draw:
    push, first, share = sampling.push, sampling.first_step, sampling.plain_share
    if push.shape[1] != assets or first + len(push) > steps:
        raise ValueError(f"push {push.shape} from first_step(={first}) does not fit into {steps} steps of {assets} assets")
    is_plain = rng.random() < share
    z = rng.standard_normal((steps, assets))
    window = z[first : first + len(push)]
    if not is_plain:
        window += push
    log_ratio = float((push * window).sum() - (push**2).sum() / 2)  # pushed density over plain density
    plain = math.log(share) if share > 0 else -math.inf
    return Draw(z, -float(np.logaddexp(plain, math.log1p(-share) + log_ratio)))


def crash(
    change: float,
    years: Floats,
    loadings: Floats,
    *,
    drift_per_year: float,
    volatility_per_year: float,
    first_step: int = 0,
    plain_share: float = 0.1,
) -> Importance:
    """The push under which an asset of geometric Brownian motion changes by `change` over a window, in the median.

    It is the shortest such push, along the direction in which a crash is likeliest; for other processes a fair start (assumption). The
    weights are exact for all of them.

    Args:
        change: of the price over the window, a fraction > -1; -0.4 is a fall by 40%.
        years: `[window]` length of each step.
        loadings: `[assets]` the asset's row of the Cholesky factor of the correlations; for a single asset 1.
        drift_per_year: of dS/S.
        volatility_per_year: > 0.
        first_step: where the window begins.
        plain_share: see `Importance`.

    Raises:
        ValueError: an argument is out of range.

    Source: Glasserman (2003), section 4.6.1.
    """
    total = float(years.sum())
    if not (math.isfinite(change) and change > -1 and volatility_per_year > 0 and total > 0):
        raise ValueError(f"change(={change}) must be > -1, volatility_per_year(={volatility_per_year}) and years(={total}) > 0")
    missing = math.log1p(change) - (drift_per_year - volatility_per_year**2 / 2) * total
    per_step = missing * np.sqrt(years) / (volatility_per_year * total)
    return Importance(first_step, per_step[:, None] * loadings / (loadings**2).sum(), plain_share)


def effective_sample_size(log_weights: Floats) -> float:
    """How many equally weighted paths the weighted ones `[paths]` are worth: (sum w)^2 / sum w^2, in [1, paths].

    Source: Kish, Survey Sampling (1965), section 11.7.
    """
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum())
