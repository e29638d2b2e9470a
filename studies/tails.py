"""Mean, quantile, VaR and CVaR over paths, and ratios of sums, each with its interval.

Losses are positive, so the bad tail is the right one: CVaR is the mean of the largest values. Every function takes one value per path (NaN
where it could not be computed) and optional log weights, and refuses with SampleError what is no sample.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from seawall.protocols.tables import Bools, Floats
from seawall.studies.estimate import CONFIDENCE, NO_PATHS, ONE_VALUE, Estimate, Sample, check_share, sample
from seawall.studies.skewness import METHOD, interval

LEAST_TAIL = 10
"""Paths that must lie beyond the VaR, differ from the commonest value or have a denominator, before an interval is stated."""

CAUTION = 0.5
"""See `skewness.interval`; of means, measured in docs/statistics.md."""
ROUNDING = 1e-9  # 0.95 * 1000 paths is the 950th, whatever the last bit says
ORDER_STATISTICS = "interpolated order statistics"
WEIGHTED_QUANTILE = "weighted quantile, effective number of paths"
FEW = f"fewer than {LEAST_TAIL} paths tell how far it may be off"


def mean(values: ArrayLike, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE) -> Estimate:
    """Mean over paths: sum of weight * value / sum of weights. Unit and sign of the values.

    Source: definition; interval: skewness.py, the end that the transformation draws in put half way back to Student's (assumption, measured
    in docs/statistics.md), since values may have two heavy tails.
    """
    check_share("confidence", confidence)
    data = sample(values, log_weights=log_weights)
    if not data.paths:
        return data.none(METHOD, NO_PATHS, confidence)
    value, telling = float(data.shares @ data.values), data.values != _commonest(data.values)
    return _with_interval(data, value, data.shares * (data.values - value), confidence, telling=telling, caution=CAUTION)


def cvar(values: ArrayLike, level: float, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE) -> Estimate:
    """Conditional value at risk (expected shortfall): mean of the worst 1 - level of all paths. Positive is a loss.

    Where (1 - level) * paths is not whole, the path at the edge counts with the part of it that belongs to the tail; ties and an atom at
    the VaR are no special case then. With 100 paths at 0.95: the mean of the five largest losses.

    Args:
        values: [paths], losses.
        level: inside (0, 1), 0.95 or 0.99 mostly.
        log_weights: [paths].
        confidence: of the interval.

    Source: Acerbi and Tasche (2002), On the coherence of expected shortfall, Journal of Banking & Finance 26(7), definition 2.6; standard
    error by the influence function (Trindade et al. 2007, Financial prediction with constrained tail risk, same journal 31(11)); interval:
    skewness.py.
    """
    check_share("level", level)
    check_share("confidence", confidence)
    data = sample(values, log_weights=log_weights)
    if not data.paths:
        return data.none(METHOD, NO_PATHS, confidence)
    edge = float(data.values[_row_of(data, level)])
    beyond = np.maximum(data.values - edge, 0.0) / (1.0 - level)
    value = edge + float(data.shares @ beyond)
    return _with_interval(data, value, data.shares * (edge + beyond - value), confidence, telling=data.values > edge)


def quantile(values: ArrayLike, level: float, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE) -> Estimate:
    """Smallest value that at least a share `level` of all paths does not exceed. Unit and sign of the values.

    The interval needs no assumption about the distribution. Where a share of paths have the very same value it holds more often than
    stated.

    Args:
        values: [paths].
        level: inside (0, 1).
        log_weights: [paths].
        confidence: of the interval.

    Source: inverse of the empirical distribution (Hyndman and Fan 1996, type 1); interval: Nyblom (1992), Note on interpolated order
    statistics, Statistics & Probability Letters 14(2), after Hettmansperger and Sheather (1986); with weights Woodruff (1952), JASA
    47(260).
    """
    check_share("level", level)
    check_share("confidence", confidence)
    data = sample(values, log_weights=log_weights)
    method = WEIGHTED_QUANTILE if data.is_weighted else ORDER_STATISTICS
    if not data.paths:
        return data.none(method, NO_PATHS, confidence)
    value = float(data.values[_row_of(data, level)])
    ends = ((1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0)
    bound = _weighted_bound if data.is_weighted else _bound
    low, high = (bound(data, level, chance) for chance in ends)
    why = "" if low is not None and high is not None else f"too few paths for an interval of the quantile {level:g}"
    return data.found(value, low, high, method, confidence, why)


def var(values: ArrayLike, level: float, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE) -> Estimate:
    """Value at risk: the quantile `level` of the loss. Positive is a loss. With 100 paths at 0.95: the sixth largest loss.

    Args, refusals and interval: those of `quantile`. Source: definition; Gauntlet's risk reports use the 95th percentile of insolvent
    value.
    """
    return quantile(values, level, log_weights, confidence=confidence)


def ratio_of_sums(above: ArrayLike, below: ArrayLike, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE) -> Estimate:
    """Sum over all paths of one thing over the sum of another: so a path counts by how much of the latter it has.

    Args:
        above: [paths], numerator.
        below: [paths], denominator, >= 0; a path without any counts with 0.
        log_weights: [paths].
        confidence: of the interval.

    Source: Cochran (1977), Sampling Techniques, chapter 6; standard error by linearisation (delta method); interval: skewness.py.
    """
    check_share("confidence", confidence)
    data = sample(above, below, log_weights=log_weights)
    if not data.paths:
        return data.none(METHOD, NO_PATHS, confidence)
    if not data.columns[1].sum() > 0.0:
        return data.none(METHOD, "the denominator is 0 on all paths", confidence)
    above_shares, below_shares = data.shares * data.columns
    total = float(below_shares.sum())
    value = float(above_shares.sum()) / total
    pulls = (above_shares - value * below_shares) / total
    return _with_interval(data, value, pulls, confidence, telling=below_shares != 0.0)


def _commonest(values: Floats) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


def _with_interval(data: Sample, value: float, pulls: Floats, confidence: float, *, telling: Bools, caution: float = 0.0) -> Estimate:
    """The estimate with its interval where enough paths tell how far it may be off."""
    if np.count_nonzero(telling) < LEAST_TAIL:
        return data.none(METHOD, ONE_VALUE if np.ptp(data.values) == 0.0 else FEW, confidence, value)
    ends = interval(value, pulls, confidence, caution=caution)
    return data.none(METHOD, ONE_VALUE, confidence, value) if ends is None else data.found(value, *ends, METHOD, confidence)


def _row_of(data: Sample, level: float) -> int:
    """Row of the first value up to which a share `level` of the weights lies."""
    if not data.is_weighted:
        return max(int(np.ceil(level * data.paths - ROUNDING)) - 1, 0)
    return min(int(np.searchsorted(np.cumsum(data.shares), level - ROUNDING)), data.paths - 1)


def _bound(data: Sample, level: float, chance: float) -> float | None:
    """The value that exceeds the true quantile with probability `chance`; None where no path lies that far out.

    The r-th smallest of n values exceeds it with probability P(Binomial(n, level) < r); between two of them Nyblom's interpolation.
    """
    n = data.paths
    r = int(stats.binom.ppf(chance, n, level))  # smallest r with P(B <= r) >= chance, so P(B < r) < chance <= P(B < r + 1)
    if not 1 <= r < n:
        return None
    under, over = stats.binom.cdf([r - 1, r], n, level)
    odds = r * (1.0 - level) * (over - chance) / ((n - r) * level * (chance - under)) if chance > under else np.inf
    part = 1.0 / (1.0 + odds)
    return float((1.0 - part) * data.values[r - 1] + part * data.values[r])


def _weighted_bound(data: Sample, level: float, chance: float) -> float | None:
    """The same with weights: the effective number of paths is what gives the weighted share below the quantile its variance."""
    shares = data.shares
    below = np.arange(data.paths) <= _row_of(data, level)
    variance = float(((shares * (below - level)) ** 2).sum())
    effective = level * (1.0 - level) / variance
    place = float(special.bdtrik(chance, effective, level)) + 1.0
    reached = np.cumsum(shares) * effective
    if not reached[0] <= place <= reached[-1]:
        return None
    return float(np.interp(place, reached, data.values))
