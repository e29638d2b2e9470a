"""A hindcast: liquidations that the model makes of a real episode's prices, beside those that happened.

The prices are replayed, so nothing of them is predicted; what is predicted is when positions break, on which side, and how much of them.
Liquidations are USD of notional, counted positive; losses are margin that the liquidated had put up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.tables import Floats
from seawall.scenarios.inputs import price_paths
from seawall.scenarios.load import Loaded
from seawall.scenarios.named_files import refuse_changed
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_schema import ReplayPrices
from seawall.studies.hindcast_run import Liquidated, watch
from seawall.studies.hindcast_scores import Score, score
from seawall.studies.realised import RealisedColumns, realised_usd

_HOUR = 3_600
RANGES = {"total": "price_range", "long": "price_fall", "short": "price_rise", "loss": "price_range"}
"""What is scored, and what of the price alone stands beside it."""


@dataclass(frozen=True)
class Scorecard:
    """Predicted beside realised liquidations.

    Attributes:
        scores: of longs and shorts together, see `hindcast_scores.DEFINITIONS`.
        sides: the same of `long`, `short` and `loss`, as far as the file of what happened has them apart.
        buckets: start (UTC); predicted_usd (mean over runs) and realised_usd (NaN without a row in the file), and the same with `_long`,
            `_short` and `_loss` before `_usd` where recorded; price_range, price_fall and price_rise (logarithms: highest / lowest price;
            largest fall and rise inside the bucket); scaled_usd (predicted, times the scale fitted on the first half); is_scored (False
            while the model warms up).
        about: scenario, digest, seed, runs, market, length of a bucket, warm-up, files, and what the model says without being judged.
    """

    scores: tuple[Score, ...]
    sides: dict[str, tuple[Score, ...]] = field(repr=False)
    buckets: pd.DataFrame = field(repr=False)
    about: dict[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> float | None:
        """Value of a score by name, of both sides together. Raises KeyError for an unknown one."""
        return value_of(self.scores, name)


def value_of(scores: tuple[Score, ...], name: str) -> float | None:
    """Value of a score by name. Raises KeyError for an unknown one."""
    return {found.name: found.value for found in scores}[name]


def hindcast(
    loaded: Loaded,
    realised: RealisedColumns,
    *,
    market: str | None = None,
    bucket_hours: int = 1,
    warmup_hours: int = 24,
    runs: int = 10,
    seed: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scorecard:
    """Run a scenario along recorded prices and score its liquidations against recorded ones.

    Args:
        loaded: a scenario that replays prices and has a perps exchange.
        realised: where what happened is recorded.
        market: of the exchange; its only one if None.
        bucket_hours: length of a bucket, > 0.
        warmup_hours: from the start, not scored: the model's traders begin without positions. >= 0.
        runs: along the same prices with other orders and traders, >= 1; predictions are their means.
        seed: replaces the scenario's own.
        progress: called with runs done and runs in all.

    Raises:
        ScenarioError: for a scenario that is not of this kind.
        PriceFileError: for a file that cannot be read, or that changes meanwhile.
        ValueError: for numbers out of their range.
    """
    if bucket_hours < 1 or warmup_hours < 0 or runs < 1:
        raise ValueError(f"bucket_hours(={bucket_hours}) must be >= 1, warmup_hours(={warmup_hours}) >= 0, runs(={runs}) >= 1")
    name, asset = _market(loaded, market)
    seed = loaded.scenario.seed if seed is None else seed
    digest = loaded.digest
    paths = price_paths(loaded, seed, 0)
    bucket_s = bucket_hours * _HOUR
    if bucket_s % paths.step_seconds:
        raise _refused(loaded, "step_seconds", f"is {paths.step_seconds}, which does not divide {bucket_s}, the seconds of a bucket")
    count = (len(paths.market_price) - 1) * paths.step_seconds // bucket_s
    prices = paths.market_price[:, paths.assets.index(asset)]
    happened = realised_usd(realised, paths, prices, bucket_s=bucket_s, count=count)  # before the runs: a bad file is told at once
    played = _runs(loaded, paths, name, seed, runs, progress)
    refuse_changed(loaded, digest)  # recorded flow is read for each run
    predicted = _predicted(played, bucket_s // paths.step_seconds, count)
    buckets = pd.DataFrame(
        {
            "start": pd.Timestamp(paths.start) + pd.to_timedelta(np.arange(count) * bucket_s, unit="s"),
            **{_column("predicted", side): predicted[side] for side in happened},
            **{_column("realised", side): usd for side, usd in happened.items()},
            **moves(prices, bucket_s // paths.step_seconds, count),
            "is_scored": np.arange(count) * bucket_hours >= warmup_hours,
        }
    )
    asked = {"seed": seed, "runs": runs, "bucket_hours": bucket_hours, "warmup_hours": warmup_hours}
    about = _about(loaded, digest, name, realised) | asked | _unjudged(played, predicted)
    return _scored(buckets, list(happened), bucket_hours, about)


def _column(of: str, side: str) -> str:
    return f"{of}_usd" if side == "total" else f"{of}_{side}_usd"


def _scored(buckets: pd.DataFrame, sides: list[str], bucket_hours: int, about: dict[str, Any]) -> Scorecard:
    used = buckets[buckets["is_scored"]]
    scores = {}
    for side in sides:
        names = (_column("predicted", side), _column("realised", side), RANGES[side])
        scores[side] = score(*(used[name].to_numpy(dtype=np.float64) for name in names), bucket_hours=bucket_hours)
    total = scores.pop("total")
    scale = value_of(total, "scale")
    buckets["scaled_usd"] = buckets["predicted_usd"] * (np.nan if scale is None else scale)
    missing = int((used["realised_usd"].isna()).sum())
    return Scorecard(total, scores, buckets, about | {"buckets_scored": len(used) - missing, "buckets_without_a_record": missing})


def _unjudged(played: list[Liquidated], predicted: dict[str, Floats]) -> dict[str, Any]:
    """What the model says of sides and losses over the whole episode, USD, means over runs."""
    return {
        "predicted_long_usd": float(predicted["long"].sum()),
        "predicted_short_usd": float(predicted["short"].sum()),
        "predicted_loss_usd": float(predicted["loss"].sum()),
        "predicted_lp_liquidation_loss_usd": float(np.mean([one.lp_loss_usd for one in played])),
        "predicted_shortfall_usd": float(np.mean([one.shortfall_usd for one in played])),
    }


def _about(loaded: Loaded, digest: str, market: str, realised: RealisedColumns) -> dict[str, Any]:
    return {
        "name": loaded.scenario.name,
        "scenario_file": str(loaded.file),
        "settings": list(loaded.settings),
        "digest": digest,
        "market": market,
        "realised_file": str(realised.file),
        "realised_columns": list(realised.volumes),
        "realised_losses": "not scored: the file records volumes, not what was lost" if realised.loss is None else f"from {realised.loss}",
    }


def _market(loaded: Loaded, market: str | None) -> tuple[str, str]:
    """Name of the market to score, and its asset."""
    scenario = loaded.scenario
    if not isinstance(scenario.prices, ReplayPrices):
        raise _refused(loaded, "prices.model", f"{scenario.prices.model!r}: a hindcast needs the prices of the episode, model: replay")
    if scenario.exchange is None:
        raise _refused(loaded, "exchange", "is missing: without perps markets there are no liquidations to set beside real ones")
    markets = scenario.exchange.markets
    if market is None and len(markets) > 1:
        raise _refused(loaded, "exchange.markets", f"are {', '.join(markets)}: name the one to score")
    name = next(iter(markets)) if market is None else market
    if name not in markets:
        raise _refused(loaded, "exchange.markets", f"have no {name!r}; there are {', '.join(markets)}")
    return name, markets[name].tracks


def _refused(loaded: Loaded, key: str, said: str) -> ScenarioError:
    return ScenarioError([Fault(str(loaded.file), None, key, said)])


def _runs(loaded: Loaded, paths: Paths, market: str, seed: int, runs: int, progress: Callable[[int, int], None] | None) -> list[Liquidated]:
    """What was liquidated on the market in each run."""
    assert loaded.scenario.exchange is not None
    row, found = list(loaded.scenario.exchange.markets).index(market), []
    for path in range(runs):
        found.append(watch(loaded, paths, row, seed, path))
        if progress is not None:
            progress(path + 1, runs)
    return found


def _predicted(played: list[Liquidated], steps: int, count: int) -> dict[str, Floats]:
    """USD per bucket of so many steps, `[count]`: the mean over runs of each side, of both, and of what was lost."""

    def mean(rounds: list[Floats]) -> Floats:
        per_bucket: Floats = np.mean(rounds, axis=0)[: count * steps].reshape(count, steps).sum(axis=1)
        return per_bucket

    longs, shorts = mean([one.long_usd for one in played]), mean([one.short_usd for one in played])
    return {"total": longs + shorts, "long": longs, "short": shorts, "loss": mean([one.loss_usd for one in played])}


def moves(prices: Floats, steps: int, count: int) -> dict[str, Floats]:
    """How the price moved inside each bucket of so many steps, its both edges included, `[count]` logarithms each, >= 0.

    `price_range` is highest over lowest price, `price_fall` the largest fall from any price to a later one, `price_rise` the largest rise.
    """
    parts = [np.log(prices[first : last + 1]) for first, last in pairwise(np.arange(count + 1) * steps)]
    return {
        "price_range": np.array([np.ptp(part) for part in parts]),
        "price_fall": np.array([(np.maximum.accumulate(part) - part).max() for part in parts]),
        "price_rise": np.array([(part - np.minimum.accumulate(part)).max() for part in parts]),
    }
