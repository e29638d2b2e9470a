"""Resampled prices: blocks of the log returns of a price file, put end to end on the grid of the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from seawall.prices.bootstrap import optimal_block_bars, resample
from seawall.protocols.errors import PriceFileError
from seawall.protocols.tables import Bools, Floats
from seawall.scenarios.history import read_replay
from seawall.scenarios.named_files import Stamp, stamp
from seawall.scenarios.paths import Paths
from seawall.scenarios.price_schema import BootstrapPrices


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What a file gives to draw from.

    Attributes:
        end: time of the last close, UTC.
        last_usd: `[assets]` last closes.
        log_returns: `[bars, assets]` from bar to bar, with every market open at both ends: what moved over nights and gaps is left out.
        block_bars: bars in a block.
    """

    end: datetime
    last_usd: Floats
    log_returns: Floats
    block_bars: int


def past_of(prices: BootstrapPrices, file: Path) -> Past:
    """Read a history and the length of its blocks; kept for the next path of the same file.

    Raises:
        PriceFileError: the file is refused, or holds no two bars in a row.
    """
    return _read(prices.model_dump_json(), file, stamp(file))


@lru_cache(maxsize=2)
def _read(spec: str, file: Path, _stamp: Stamp | None) -> Past:
    prices = BootstrapPrices.model_validate_json(spec)
    history = read_replay(prices.source(file), step_seconds=prices.bar_seconds)
    is_open: Bools = np.all(history.market_open, axis=1)
    returns = np.diff(np.log(history.market_price), axis=0)[is_open[1:] & is_open[:-1]]
    if len(returns) < 2:
        raise PriceFileError(f"{file}: {len(returns)} bars follow another with all markets open; at least 2 are needed to draw from")
    end = history.start + timedelta(seconds=history.steps * history.step_seconds)
    block_bars = optimal_block_bars(returns, prices.kind) if prices.block_bars is None else prices.block_bars
    return Past(end, history.market_price[-1], returns, block_bars)


def bootstrap(prices: BootstrapPrices, file: Path, *, steps: int, step_seconds: int, rng: np.random.Generator) -> Paths:
    """Draw one path, in a market that never closes, from the end of the history on.

    Args:
        prices: what the scenario says.
        file: the price file.
        steps: number of steps, >= 1.
        step_seconds: seconds per step, > 0.
        rng: source of all randomness.

    Raises:
        PriceFileError: the file is refused.
        ValueError: bars and steps are no multiples of each other, or a block is longer than the history.
    """
    past = past_of(prices, file)
    bars_per_step, steps_per_bar = lengths(prices.bar_seconds, step_seconds)
    drawn = resample(
        past.log_returns,
        steps,
        bars_per_step=bars_per_step,
        steps_per_bar=steps_per_bar,
        block_bars=past.block_bars,
        kind=prices.kind,
        rng=rng,
    )
    start_usd = [prices.start_usd.get(asset, last) for asset, last in zip(prices.assets, past.last_usd.tolist(), strict=True)]
    growth = np.exp(np.vstack([np.zeros(len(start_usd)), np.cumsum(drawn, axis=0)]))
    market_price = np.array(start_usd) * growth
    return Paths(past.end, step_seconds, tuple(prices.assets), market_price, np.ones(market_price.shape, dtype=np.bool_))


def lengths(bar_seconds: int, step_seconds: int) -> tuple[int, int]:
    """Bars in a step and steps in a bar, one of them 1. Raises ValueError where neither is a multiple of the other."""
    if max(bar_seconds, step_seconds) % min(bar_seconds, step_seconds):
        raise ValueError(f"bar_seconds(={bar_seconds}) and step_seconds(={step_seconds}) must be multiples of each other")
    return max(step_seconds // bar_seconds, 1), max(bar_seconds // step_seconds, 1)
