"""A hindcast: liquidations that the model makes of a real episode's prices, beside those that happened.

The prices are replayed, so nothing of them is predicted; what is predicted is when positions break, and how much of them. Liquidations
are USD of notional, counted positive.
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
from seawall.scenarios.price_schema import ReplayPrices
from seawall.studies.hindcast_scores import Score, score
from seawall.studies.realised import RealisedColumns, realised_usd
from seawall.studies.simulate import run

_HOUR = 3_600


@dataclass(frozen=True)
class Scorecard:
    """Predicted beside realised liquidations.

    Attributes:
        scores: see `hindcast_scores.DEFINITIONS`.
        buckets: start (UTC), predicted_usd (mean over runs), realised_usd (NaN without a row in the file), price_range (log of highest /
            lowest price), scaled_usd (predicted, times the scale fitted on the first half), is_scored (False while the model warms up).
        about: scenario, digest, seed, runs, market, length of a bucket, warm-up, files, and what the model says without being judged.
    """

    scores: tuple[Score, ...]
    buckets: pd.DataFrame = field(repr=False)
    about: dict[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> float | None:
        """Value of a score by name. Raises KeyError for an unknown one."""
        return {found.name: found.value for found in self.scores}[name]


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
        bucket_hours: length of a bucket, > 0; records must fall on its edges.
        warmup_hours: from the start, not scored: the model's traders begin without positions. >= 0.
        runs: along the same prices with other orders and traders, >= 1; predictions are their means.
        seed: replaces the scenario's own.
        progress: called with runs done and runs in all.

    Raises:
        ScenarioError: for a scenario that is not of this kind, or has no records at the edges of buckets.
        PriceFileError: for a file that cannot be read.
        ValueError: for numbers out of their range.
    """
    if bucket_hours < 1 or warmup_hours < 0 or runs < 1:
        raise ValueError(f"bucket_hours(={bucket_hours}) must be >= 1, warmup_hours(={warmup_hours}) >= 0, runs(={runs}) >= 1")
    name, asset = _market(loaded, market)
    seed = loaded.scenario.seed if seed is None else seed
    paths = price_paths(loaded, seed, 0)
    bucket_s = bucket_hours * _HOUR
    count = (len(paths.market_price) - 1) * paths.step_seconds // bucket_s
    prices = paths.market_price[:, paths.assets.index(asset)]
    happened = realised_usd(realised, paths, prices, bucket_s=bucket_s, count=count)  # before the runs: a bad file is told at once
    frames = _runs(loaded, name, seed, runs, progress)
    predicted = np.mean([_predicted(loaded, frame, bucket_s, count) for frame in frames], axis=0)
    buckets = pd.DataFrame(
        {
            "start": pd.Timestamp(paths.start) + pd.to_timedelta(np.arange(count) * bucket_s, unit="s"),
            "predicted_usd": predicted,
            "realised_usd": happened,
            "price_range": _ranges(prices, bucket_s, paths.step_seconds, count),
            "is_scored": np.arange(count) * bucket_hours >= warmup_hours,
        }
    )
    losses = [-float(frame["lp_liquidation_gain_usd"].iloc[-1]) for frame in frames]
    about = _about(loaded, name, realised) | {"seed": seed, "runs": runs, "bucket_hours": bucket_hours, "warmup_hours": warmup_hours}
    return _scored(buckets, bucket_hours, about | {"predicted_lp_liquidation_loss_usd": float(np.mean(losses))})


def _scored(buckets: pd.DataFrame, bucket_hours: int, about: dict[str, Any]) -> Scorecard:
    used = buckets[buckets["is_scored"]]
    columns = (used[name].to_numpy(dtype=np.float64) for name in ("predicted_usd", "realised_usd", "price_range"))
    card = Scorecard(score(*columns, bucket_hours=bucket_hours), buckets, about)
    scale = card["scale"]
    buckets["scaled_usd"] = buckets["predicted_usd"] * (np.nan if scale is None else scale)
    missing = int((used["realised_usd"].isna()).sum())
    return Scorecard(card.scores, buckets, about | {"buckets_scored": len(used) - missing, "buckets_without_a_record": missing})


def _about(loaded: Loaded, market: str, realised: RealisedColumns) -> dict[str, Any]:
    return {
        "name": loaded.scenario.name,
        "scenario_file": str(loaded.file),
        "settings": list(loaded.settings),
        "digest": loaded.digest,
        "market": market,
        "realised_file": str(realised.file),
        "realised_columns": list(realised.volumes),
        "realised_losses": "not scored: the file of realised liquidations records volumes, not who lost what",
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


def _runs(loaded: Loaded, market: str, seed: int, runs: int, progress: Callable[[int, int], None] | None) -> list[pd.DataFrame]:
    """The market's records of each run."""
    found = []
    for path in range(runs):
        frame = run(loaded, seed=seed, path=path).markets
        found.append(frame[frame["market"] == market])
        if progress is not None:
            progress(path + 1, runs)
    return found


def _predicted(loaded: Loaded, frame: pd.DataFrame, bucket_s: int, count: int) -> Floats:
    """USD liquidated per bucket, from records of the running total."""
    total = frame.set_index("time_s")["liquidated_usd"]
    edges = np.arange(count + 1) * float(bucket_s)
    if not np.isin(edges, total.index).all():
        raise _refused(loaded, "record_minutes", f"must divide {bucket_s // 60}, the minutes of a bucket, or no record falls on its edge")
    per_bucket: Floats = np.diff(total.reindex(edges).to_numpy(dtype=np.float64))
    return per_bucket


def _ranges(prices: Floats, bucket_s: int, step_seconds: int, count: int) -> Floats:
    """log(highest / lowest price) of each bucket, its both edges included."""
    edges = np.arange(count + 1) * bucket_s // step_seconds
    parts = (prices[first : last + 1] for first, last in pairwise(edges))
    return np.array([np.log(part.max() / part.min()) for part in parts])
