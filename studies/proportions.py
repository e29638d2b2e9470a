"""Probabilities over paths with Wilson's interval: shares of paths on which something happened, and exceedance curves.

Source: Wilson (1927), Probable inference, JASA 22(158); with weights the effective number of paths takes the place of their number (Korn
and Graubard 1998, Confidence intervals for proportions with small expected number of positive counts, Survey Methodology 24(2)).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from seawall.protocols.tables import Bools, Floats
from seawall.studies.estimate import CONFIDENCE, NO_PATHS, Estimate, Sample, SampleError, check_share, sample

METHOD = "Wilson"
WEIGHTED_METHOD = "Wilson, effective number of paths"


def probability(successes: float, n: float, *, confidence: float = CONFIDENCE) -> Estimate:
    """Share of paths on which something happened. Fraction, 0 to 1.

    Args:
        successes: paths on which it did, 0 to n.
        n: paths; need not be whole, so that an effective number may stand here.
        confidence: of the interval.

    Raises:
        SampleError: for successes outside of [0, n].
    """
    check_share("confidence", confidence)
    if not 0.0 <= successes <= n:
        raise SampleError(f"successes ({successes!r}): must be in [0, {n!r}], the paths")
    if n <= 0.0:
        return Estimate(None, None, None, 0, METHOD, NO_PATHS, 0, confidence)
    share = successes / n
    low, high = (float(end) for end in wilson(np.array(share), np.array(float(n)), confidence))
    return Estimate(share, low, high, int(n), METHOD, "", 0, confidence)


def frequency(happened: ArrayLike, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE) -> Estimate:
    """The same from one value per path: 1 where it happened, 0 where not, NaN where that is not known; with weights a weighted share.

    Raises:
        SampleError: for values other than 0, 1 and NaN.
    """
    data = sample(happened, log_weights=log_weights)
    if not np.isin(data.values, (0.0, 1.0)).all():
        raise SampleError("happened: must be 0 or 1 on each path, or NaN")
    if not data.paths:
        return data.none(METHOD, NO_PATHS, confidence)
    if not data.is_weighted:
        return replace(probability(float(data.values.sum()), data.paths, confidence=confidence), missing=data.missing)
    return _weighted(data, data.values == 1.0, confidence)


def exceedance(
    values: ArrayLike, thresholds: ArrayLike, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE
) -> list[Estimate]:
    """Probability that a path's value is larger than each threshold: the exceedance curve. Fractions.

    Intervals are pointwise: each holds with the confidence stated, not all of them at once.

    Args:
        values: [paths], losses.
        thresholds: [points], in the unit of the values.
        log_weights: [paths].
        confidence: of each interval.

    Returns:
        One estimate per threshold.
    """
    marks = np.asarray(values, dtype=np.float64)
    return [
        frequency(np.where(np.isnan(marks), np.nan, marks > threshold), log_weights, confidence=confidence)
        for threshold in np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    ]


def wilson(share: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Both ends of Wilson's interval for a share of n; arrays, n need not be whole."""
    z = float(stats.norm.ppf((1.0 + confidence) / 2.0))
    centre = (share + z**2 / (2.0 * n)) / (1.0 + z**2 / n)
    reach = z / (1.0 + z**2 / n) * np.sqrt(share * (1.0 - share) / n + z**2 / (4.0 * n**2))
    low: Floats = np.where(share <= 0.0, 0.0, np.maximum(centre - reach, 0.0))
    high: Floats = np.where(share >= 1.0, 1.0, np.minimum(centre + reach, 1.0))
    return low, high


def effective_paths(shares: Floats, happened: Bools) -> float:
    """Number of equally weighted paths that would tell a weighted share as well.

    Where it happened on all paths or on none, Kish's 1 / sum of squared shares.
    """
    share = float(shares @ happened)
    variance = float(((shares * (happened - share)) ** 2).sum())
    return share * (1.0 - share) / variance if happened.any() and not happened.all() else 1.0 / float((shares**2).sum())


def _weighted(data: Sample, happened: Bools, confidence: float) -> Estimate:
    shares = data.shares
    share, n = float(shares @ happened), effective_paths(shares, happened)
    low, high = (float(end) for end in wilson(np.array(share), np.array(n), confidence))
    return data.found(share, low, high, WEIGHTED_METHOD, confidence)
