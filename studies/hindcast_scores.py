"""How well predicted liquidations fit those that happened, bucket by bucket (an hour, say): scores, each with its meaning.

No score asks for the right size but those that say so: who held what is not known, so levels are fitted, and judged where they were not
fitted. Beside the model stands what needs no model, the range of the price inside the bucket. Intervals are percentiles of a circular
block bootstrap with blocks of a day: neighbouring hours are alike, and an interval that forgot it would be too narrow.

Sources: Spearman (1904); Politis and Romano, A circular block-resampling procedure (1992); hit rate and false alarm ratio as in the
verification of forecasts (Wilks, Statistical Methods in the Atmospheric Sciences, chapter 8). Cuts (a tenth, 95%) are assumption.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from seawall.protocols.tables import Floats

TOP_SHARE, EVENT_LEVEL, CONFIDENCE = 0.1, 0.95, 0.95
FEWEST = 8  # buckets below which nothing is scored
_REPETITIONS, _SEED = 1_000, 0

DEFINITIONS: dict[str, tuple[str, str, str]] = {
    "rank_correlation": ("rank correlation", "", "Spearman's, predicted with realised: 1 the same order, 0 none."),
    "range_rank_correlation": (
        "the same of the price range alone",
        "",
        "Spearman's of log(highest / lowest price), of one side the largest fall or rise, with realised: what can be said without a model.",
    ),
    "rank_correlation_gain": ("what the model adds to it", "", "Difference of the two rank correlations, on the same resampled buckets."),
    "log_correlation": ("correlation of logarithms", "", "Pearson's, of the buckets in which both are above 0."),
    "top_tenth_share": (
        "realised in the model's top tenth",
        "fraction",
        "Share of the realised volume in the tenth of the buckets where the model has most; a pick at random would have a tenth.",
    ),
    "best_top_tenth_share": ("most it could have been", "fraction", "The same share in the tenth of the buckets that were the worst."),
    "hit_rate": (
        "hit rate",
        "fraction",
        "Of the buckets in which realised volume was above its own 95th percentile, the share in which predicted volume was above its own.",
    ),
    "false_alarm_ratio": (
        "false alarms",
        "fraction",
        "Of the buckets in which predicted volume was above its own 95th percentile, the share in which realised volume was not.",
    ),
    "lag_hours": ("model behind by", "hours", "Lag of the highest rank correlation, within a day; negative where the model is early."),
    "total_ratio": ("predicted / realised, in all", "", "Unscaled: tells of the size of the simulated market, not of its quality."),
    "scale": ("scale, fitted on the first half", "", "Realised / predicted volume of the first half of the buckets."),
    "out_of_sample_total_ratio": (
        "scaled / realised, second half",
        "",
        "Predicted volume times the scale, over realised volume, in the second half of the buckets; 1 is right.",
    ),
    "skill_over_constant": (
        "skill over a constant, second half",
        "",
        "1 - mean absolute error of scaled predictions / that of the first half's median; 1 is perfect, 0 no better, below 0 worse.",
    ),
    "skill_over_range": (
        "skill over the price range, second half",
        "",
        "The same against the price range of each bucket (for one side its fall or rise), scaled by the first half in the same way.",
    ),
}
"""Label, unit (none: a plain number) and meaning, by name of the score."""


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the scorecard.

    Attributes:
        name: of the score, a key of `DEFINITIONS`.
        value: None with `why`.
        low: lower end of the 95% interval; None where none is made.
        high: upper end.
        buckets: from how many it is made.
        why: why there is no value; else empty.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    buckets: int
    why: str = ""

    def as_entry(self) -> dict[str, Any]:
        """As plain data, with its meaning."""
        label, unit, meaning = DEFINITIONS[self.name]
        entry: dict[str, Any] = {"label": label, "value": self.value, "unit": unit, "meaning": meaning, "buckets": self.buckets}
        if self.low is not None:
            entry |= {"interval": [self.low, self.high], "confidence": CONFIDENCE}
        return entry | ({"why": self.why} if self.why else {})


def score(predicted: Floats, realised: Floats, price_range: Floats, *, bucket_hours: float) -> tuple[Score, ...]:
    """All scores, in the order of `DEFINITIONS`.

    Args:
        predicted: [buckets] in order of time, >= 0, USD; NaN where not known.
        realised: [buckets] likewise.
        price_range: [buckets] log(highest / lowest price), >= 0.
        bucket_hours: length of a bucket, > 0.

    Raises:
        ValueError: for columns of unequal length or a bucket_hours that is not > 0.
    """
    if not (predicted.shape == realised.shape == price_range.shape and predicted.ndim == 1) or not bucket_hours > 0.0:
        shapes = (predicted.shape, realised.shape, price_range.shape)
        raise ValueError(f"predicted, realised, price_range {shapes} must be [buckets], bucket_hours(={bucket_hours}) > 0")
    table = np.stack([predicted, realised, price_range])
    known = table[:, np.isfinite(table).all(axis=0)]
    if known.shape[1] < FEWEST:
        why = f"only {known.shape[1]} buckets are known on both sides; {FEWEST} are needed"
        return tuple(Score(name, None, None, None, known.shape[1], why) for name in DEFINITIONS)
    block = max(1, min(round(24.0 / bucket_hours), known.shape[1] // 3))
    found = {name: _with_interval(name, of, known, block) for name, of in _RESAMPLED.items()}
    found |= {name: _plain(name, of(known), known.shape[1]) for name, of in _PLAIN.items()}
    found["lag_hours"] = _plain("lag_hours", _lag(table, max(1, round(24.0 / bucket_hours)), bucket_hours), known.shape[1])
    return tuple(found[name] for name in DEFINITIONS)


def _rank_correlation(x: Floats, y: Floats) -> float:
    if np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return math.nan
    return float(np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1])  # what scipy.stats.spearmanr does, a thousand times, sooner


def _gain(t: Floats) -> float:
    return _rank_correlation(t[0], t[1]) - _rank_correlation(t[2], t[1])


def _log_correlation(t: Floats) -> float:
    both = (t[0] > 0.0) & (t[1] > 0.0)
    x, y = np.log(t[0, both]), np.log(t[1, both])
    return math.nan if len(x) < FEWEST or np.ptp(x) == 0.0 or np.ptp(y) == 0.0 else float(np.corrcoef(x, y)[0, 1])


def top_share(chooser: Floats, volume: Floats, share: float = TOP_SHARE) -> float:
    """Part of a volume in the buckets where `chooser` is largest. Fraction.

    Args:
        chooser: [buckets].
        volume: [buckets], >= 0.
        share: of the buckets, (0, 1]; where equal values stand at the cut, they count evenly. NaN without volume.
    """
    count, total = max(1, round(share * len(chooser))), volume.sum()
    cut = np.sort(chooser)[-count]
    above, at = chooser > cut, chooser == cut
    chosen = volume[above].sum() + volume[at].sum() * (count - above.sum()) / at.sum()
    return float(chosen / total) if total > 0.0 else math.nan


def _events(values: Floats) -> np.ndarray:
    return values > np.quantile(values, EVENT_LEVEL)


def _share_of(part: np.ndarray, whole: np.ndarray) -> float:
    return float((part & whole).sum() / whole.sum()) if whole.any() else math.nan


def _ratio(over: float, under: float) -> float:
    return float(over / under) if under > 0.0 else math.nan


def _halves(t: Floats) -> tuple[Floats, Floats]:
    middle = t.shape[1] // 2
    return t[:, :middle], t[:, middle:]


def _scale(t: Floats, row: int = 0) -> float:
    first, _ = _halves(t)
    return _ratio(first[1].sum(), first[row].sum())


def _error(t: Floats, row: int) -> float:
    """Mean absolute error in the second half of a row scaled by the first; USD."""
    _, second = _halves(t)
    return float(np.abs(_scale(t, row) * second[row] - second[1]).mean())


def _skill_over_constant(t: Floats) -> float:
    first, second = _halves(t)
    return 1.0 - _ratio(_error(t, 0), float(np.abs(np.median(first[1]) - second[1]).mean()))


def _lag(table: Floats, most: int, bucket_hours: float) -> float:
    """Lag with the highest rank correlation, of those with enough buckets; NaN where none is defined."""
    found: dict[int, float] = {}
    for lag in sorted(range(-most, most + 1), key=abs):
        pairs = _shifted(table, lag)
        if pairs.shape[1] >= FEWEST and not math.isnan(value := _rank_correlation(*pairs)):
            found[lag] = value
    return max(found, key=lambda lag: found[lag]) * bucket_hours if found else math.nan


def _shifted(table: Floats, lag: int) -> Floats:
    """Predictions of `lag` buckets later beside what was realised, where both are known."""
    size = table.shape[1] - abs(lag)
    pairs = np.stack([table[0, max(lag, 0) :][: max(size, 0)], table[1, max(-lag, 0) :][: max(size, 0)]])
    return pairs[:, np.isfinite(pairs).all(axis=0)]


_RESAMPLED: dict[str, Callable[[Floats], float]] = {
    "rank_correlation": lambda t: _rank_correlation(t[0], t[1]),
    "range_rank_correlation": lambda t: _rank_correlation(t[2], t[1]),
    "rank_correlation_gain": _gain,
    "log_correlation": _log_correlation,
    "top_tenth_share": lambda t: top_share(t[0], t[1]),
    "hit_rate": lambda t: _share_of(_events(t[0]), _events(t[1])),
    "false_alarm_ratio": lambda t: _share_of(~_events(t[1]), _events(t[0])),
    "total_ratio": lambda t: _ratio(t[0].sum(), t[1].sum()),
}
_PLAIN: dict[str, Callable[[Floats], float]] = {
    "best_top_tenth_share": lambda t: top_share(t[1], t[1]),
    "scale": _scale,
    "out_of_sample_total_ratio": lambda t: _ratio(_scale(t) * _halves(t)[1][0].sum(), _halves(t)[1][1].sum()),
    "skill_over_constant": _skill_over_constant,
    "skill_over_range": lambda t: 1.0 - _ratio(_error(t, 0), _error(t, 2)),
}
_WHY = {
    "log_correlation": f"fewer than {FEWEST} buckets have liquidations on both sides, or all have the same",
    "hit_rate": "no bucket stands out in what was realised",
    "false_alarm_ratio": "no bucket stands out in what was predicted",
    "top_tenth_share": "nothing was realised",
    "best_top_tenth_share": "nothing was realised",
    "total_ratio": "nothing was realised",
    "scale": "nothing was predicted in the first half",
    "out_of_sample_total_ratio": "nothing was predicted in the first half, or nothing realised in the second",
    "skill_over_constant": "nothing was predicted in the first half, or a constant has no error",
    "skill_over_range": "nothing was predicted in the first half, or the price stood still",
}


def _plain(name: str, value: float, buckets: int) -> Score:
    why = _WHY.get(name, "all buckets have the same value on one side")
    return Score(name, None, None, None, buckets, why) if not math.isfinite(value) else Score(name, value, None, None, buckets)


def _with_interval(name: str, of: Callable[[Floats], float], table: Floats, block: int) -> Score:
    """The score and its interval; none where resampled buckets do not have it."""
    from arch.bootstrap import CircularBlockBootstrap

    found = _plain(name, of(table), table.shape[1])
    if found.value is None:
        return found
    resampled = CircularBlockBootstrap(block, table.T, seed=_SEED)
    drawn = np.array([of(np.asarray(data[0]).T) for data, _ in resampled.bootstrap(_REPETITIONS)])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < CONFIDENCE * _REPETITIONS:
        return found
    low, high = np.quantile(drawn, [(1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0])
    return Score(name, found.value, float(low), float(high), found.buckets)
