"""Prices that happened, shuffled: blocks of a history's log returns, drawn at random and put end to end, all assets together.

Within a block, dependence in time and between assets is that of the history; between blocks there is none.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from seawall.protocols.tables import Floats

Kind = Literal["stationary", "circular", "moving"]


def resample(
    returns: Floats,
    steps: int,
    *,
    bars_per_step: int = 1,
    steps_per_bar: int = 1,
    block_bars: int | None = None,
    kind: Kind = "stationary",
    rng: np.random.Generator,
) -> Floats:
    """Log returns of a path made of blocks of a history; a longer path begins with the shorter one.

    Where a step is longer than a bar, bars are added up. Where it is shorter, the bar's steps are a bridge: they add up to the bar's return
    and move about its even share with the covariance of the history, which leaves them uncorrelated in time (assumption: no clustering
    within a bar).

    Args:
        returns: `[bars, assets]` log returns of the history, finite, at least 2 bars.
        steps: of the path, >= 1.
        bars_per_step: bars in a step, >= 1; 1 where a bar is a step or longer.
        steps_per_bar: steps in a bar, >= 1; 1 where a step is a bar or longer.
        block_bars: bars in a block, in [1, bars], the mean where the length is random; None for `optimal_block_bars`.
        kind: "stationary" for blocks of geometric length, on a circle; "circular" for blocks of one length, on a circle; "moving" for the
            same within the history, so that its ends are drawn less often.
        rng: source of all randomness; the same state gives the same bytes.

    Returns:
        `[steps, assets]`.

    Raises:
        ValueError: an argument is out of range, or steps are both longer and shorter than bars.

    Source: Politis and Romano, The stationary bootstrap (1994); A circular block-resampling procedure (1992); Kuensch, The jackknife and
    the bootstrap for general stationary observations (1989), as in `arch.bootstrap`.
    """
    _check_returns(returns)
    if steps < 1 or bars_per_step < 1 or steps_per_bar < 1 or (bars_per_step > 1 and steps_per_bar > 1):
        raise ValueError(
            f"steps(={steps}), bars_per_step(={bars_per_step}) and steps_per_bar(={steps_per_bar}) must be >= 1, one of the last two 1"
        )
    block_bars = optimal_block_bars(returns, kind) if block_bars is None else block_bars
    if not 1 <= block_bars <= len(returns):
        raise ValueError(f"block_bars(={block_bars}) must be in [1, {len(returns)}], the bars of the history")
    # Drawn first, so that the bridges of a longer path are those of the shorter one.
    bridge_seed = int(rng.integers(2**63))
    bars = _blocks(returns, math.ceil(steps * bars_per_step / steps_per_bar), block_bars, kind, rng)
    if steps_per_bar > 1:
        return _bridge(bars, returns, steps_per_bar, np.random.Generator(np.random.PCG64DXSM(bridge_seed)))[:steps]
    return bars.reshape(steps, bars_per_step, -1).sum(axis=1)


def optimal_block_bars(returns: Floats, kind: Kind) -> int:
    """Block length for a history `[bars, assets]`: the longest that any asset's returns or squared returns ask for, at most a third of it.

    Returns alone would ask for about one bar, and the clustering of volatility would be lost (taking the longest is an assumption).

    Source: Politis and White, Automatic block-length selection for the dependent bootstrap (2004), corrected by Patton et al. (2009).
    """
    from arch.bootstrap import optimal_block_length

    _check_returns(returns)
    moving = returns[:, np.ptp(returns, axis=0) > 0]
    squares = moving**2
    squares = squares[:, np.ptp(squares, axis=0) > 0]
    most = max(len(returns) // 3, 1)
    if len(returns) < 8 or moving.size == 0:  # too few to estimate autocorrelations from
        return most
    lengths = optimal_block_length(np.column_stack([moving, squares]))
    longest = float(lengths["stationary" if kind == "stationary" else "circular"].max())
    return min(max(math.ceil(longest), 1), most)


def _check_returns(returns: Floats) -> None:
    """Refuse (ValueError) log returns that are no history `[bars, assets]`."""
    if returns.ndim != 2 or returns.shape[0] < 2 or returns.shape[1] < 1:
        raise ValueError(f"returns {returns.shape} must be [bars, assets], at least 2 bars of one asset")
    bad = np.argwhere(~np.isfinite(returns))
    if len(bad):
        bar, asset = bad[0]
        raise ValueError(f"returns of bar {bar}, column {asset} (={returns[bar, asset]}) must be finite; so must {len(bad) - 1} more")


def _blocks(returns: Floats, bars: int, block_bars: int, kind: Kind, rng: np.random.Generator) -> Floats:
    """As many bars `[bars, assets]` as asked for: the bootstrap gives whole histories, of which the last is cut off."""
    from arch.bootstrap import CircularBlockBootstrap, MovingBlockBootstrap, StationaryBootstrap

    kinds = {"stationary": StationaryBootstrap, "circular": CircularBlockBootstrap, "moving": MovingBlockBootstrap}
    histories = kinds[kind](block_bars, returns, seed=rng).bootstrap(math.ceil(bars / len(returns)))
    drawn: Floats = np.concatenate([data[0] for data, _ in histories])
    return drawn[:bars]


def _bridge(bars: Floats, returns: Floats, steps_per_bar: int, rng: np.random.Generator) -> Floats:
    """Steps `[bars * steps_per_bar, assets]` that add up to the bars; their moves are single bars of the history, scaled to a step."""
    count, assets = bars.shape
    drawn = returns[rng.integers(len(returns), size=(count, steps_per_bar))]
    moves = drawn - drawn.mean(axis=1, keepdims=True)
    steps = bars[:, None, :] / steps_per_bar + moves / math.sqrt(steps_per_bar)
    return steps.reshape(count * steps_per_bar, assets)
