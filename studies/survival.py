"""Time to an event, insolvency above all, when many paths end before it: Kaplan-Meier's curve and the median.

A path on which nothing happened is censored: all that is known is that it lasted at least so long. Leaving such paths out, or counting
their end as an event, would make every market look worse or better than it is.

Source: Kaplan and Meier (1958), JASA 53(282); interval on log(-log S) with Greenwood's variance (Kalbfleisch and Prentice 2002, The
Statistical Analysis of Failure Time Data, section 1.4), by scipy.stats.ecdf; median: Brookmeyer and Crowley (1982), Biometrics 38(1). Time
to insolvency as a figure: Gudgeon et al., arXiv 2002.08099.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from seawall.protocols.tables import Bools, Floats
from seawall.studies.estimate import CONFIDENCE, NO_PATHS, Estimate, Sample, SampleError, check_share, sample
from seawall.studies.proportions import effective_paths, wilson

KAPLAN_MEIER = "Kaplan-Meier, log-log"
WEIGHTED = "weighted share of paths, Wilson"


@dataclass(frozen=True, slots=True)
class Survival:
    """A survival curve: a step function, 1 before the first time.

    Attributes:
        times: [events], seconds, ascending: the times at which something happened.
        survival: [events], share of paths that last longer than each time; fractions.
        low: [events], lower end of the pointwise interval; NaN where there is none (nothing is left).
        high: [events], upper end; NaN where there is none.
        paths: how many.
        events: paths on which it happened.
        method: how it was made.
        missing: paths of which no time is known.
        confidence: of each interval.
    """

    times: Floats
    survival: Floats
    low: Floats
    high: Floats
    paths: int
    events: int
    method: str
    missing: int = 0
    confidence: float = CONFIDENCE

    def at(self, time: float) -> Estimate:
        """Share of paths that last longer than `time`, seconds. It has no interval before the first event, nor where no path is left."""
        row = int(np.searchsorted(self.times, time, side="right")) - 1
        if not self.paths:
            return self._estimate(None, None, None, NO_PATHS)
        if row < 0:
            return self._estimate(1.0, None, None, "nothing had happened on any path")
        if np.isnan(self.low[row]):
            return self._estimate(float(self.survival[row]), None, None, "no path is left")
        return self._estimate(float(self.survival[row]), float(self.low[row]), float(self.high[row]))

    def _estimate(self, value: float | None, low: float | None, high: float | None, why: str = "") -> Estimate:
        return Estimate(value, low, high, self.paths, self.method, why, self.missing, self.confidence)


def kaplan_meier(
    times: ArrayLike, censored: ArrayLike, log_weights: ArrayLike | None = None, *, confidence: float = CONFIDENCE
) -> Survival:
    """Share of paths on which nothing has happened yet, over time.

    Args:
        times: [paths], seconds >= 0: when it happened, or until when the path was watched; NaN where neither is known.
        censored: [paths], whether it had not happened by then.
        log_weights: [paths]; with them, nobody may be censored before the last event.
        confidence: of the pointwise intervals.

    Raises:
        SampleError: for negative times, and for weights together with paths that end before others' events.
    """
    check_share("confidence", confidence)
    data = sample(times, np.asarray(censored, dtype=np.float64), log_weights=log_weights)
    until, is_censored = data.values, data.columns[1] > 0.0
    if data.paths and until[0] < 0.0:
        raise SampleError(f"times: must be >= 0, got {until[0]:g}")
    if not data.paths or is_censored.all():
        nothing = np.empty(0)
        return Survival(nothing, nothing, nothing, nothing, data.paths, 0, KAPLAN_MEIER, data.missing, confidence)
    happened = np.unique(until[~is_censored])
    curve = _weighted(data, is_censored, happened, confidence) if data.is_weighted else _by_scipy(until, is_censored, happened, confidence)
    method = WEIGHTED if data.is_weighted else KAPLAN_MEIER
    return Survival(happened, *curve, data.paths, int((~is_censored).sum()), method, data.missing, confidence)


def median_time(curve: Survival) -> Estimate:
    """Time by which it has happened on half of the paths, seconds.

    Its interval holds the times at which the curve's own interval holds one half.
    No value where it happened on fewer than half within the time watched; an end that lies beyond that time is None.
    """
    reached = curve.survival <= 0.5
    if not reached.any():
        few = NO_PATHS if not curve.paths else "it happened on fewer than half of the paths in the time watched"
        return Estimate(None, None, None, curve.paths, curve.method, few, curve.missing, curve.confidence)
    value = float(curve.times[reached.argmax()])
    low, high = _first(curve, curve.low), _first(curve, curve.high)
    why = "" if high is not None else "the upper end lies beyond the time watched"
    return Estimate(value, low, high, curve.paths, curve.method, why, curve.missing, curve.confidence)


def _first(curve: Survival, bound: Floats) -> float | None:
    """First time at which a bound of the curve is at most one half; a bound that is not known where no path is left counts as 0."""
    under = np.where(np.isnan(bound), curve.survival, bound) <= 0.5
    return float(curve.times[under.argmax()]) if under.any() else None


def _by_scipy(until: Floats, is_censored: Bools, happened: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    found = stats.ecdf(stats.CensoredData.right_censored(until, is_censored)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no interval where nothing has happened or nothing is left: NaN says so
        ends = found.confidence_interval(confidence, method="log-log")
    rows = np.searchsorted(found.quantiles, happened)
    return found.probabilities[rows], ends.low.probabilities[rows], ends.high.probabilities[rows]


def _weighted(data: Sample, is_censored: Bools, happened: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    if is_censored.any() and data.values[is_censored].min() < happened[-1]:
        raise SampleError("log_weights: with them, no path may end before an event of another one; give no weights, or the same horizon")
    shares = data.shares
    lasts = [is_censored | (data.values > time) for time in happened]
    survival = np.array([shares @ still for still in lasts])
    effective = np.array([effective_paths(shares, still) for still in lasts])
    low, high = wilson(survival, effective, confidence)
    return survival, low, high
