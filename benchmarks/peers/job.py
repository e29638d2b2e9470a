"""The ground job as plain arrays, for peers in other environments: prices, orders, terms, populations, first balances."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Job(NamedTuple):
    """The first index of each array is the agent's, CDP's, tASSET's or order's number unless said otherwise.

    `terms` is [tASSETs, 5]: minimum ratio, discount, protocol fee, commission, seconds of validity. `pool` is [tASSETs, 3]: tDOLLAR,
    tokens, LP tokens. `minter` is [minters, 5]: target, alert, excess, reaction, due. `first` has the first CDP of each tASSET and the
    end.
    """

    step_seconds: float
    order_seed: int
    record_every: int  # rounds
    market_price: Floats  # [rounds + 1, tASSETs]
    can_publish: Bools  # [rounds + 1, tASSETs]
    feeder: Floats  # [tASSETs, 2]: heartbeat, deviation
    terms: Floats
    oracle: Floats  # [tASSETs, 2]: price, time
    pool: Floats
    order_start: Ints
    order_trader: Ints
    order_pool: Ints
    order_sells: Bools
    order_usd: Floats
    max_spread: Floats
    trader_cash: Floats
    trader_tokens: Floats
    min_edge: Floats
    arbitrageur_cash: Floats
    arbitrageur_tokens: Floats
    first: Ints
    collateral: Floats
    debt: Floats
    minter: Floats
    relevers: Bools
    minter_cash: Floats
    minter_tokens: Floats
    liquidator: Floats  # [liquidators, 2]: least profit, cost
    liquidator_cash: Floats
    liquidator_tokens: Floats
    lp_pool: Ints
    lp: Floats  # [LPs, 4]: exit premium, exit stale, return after, calm since
    lp_cash: Floats
    lp_tokens: Floats
    lp_shares: Floats


def save(job: Job, file: Path) -> None:
    """Write a job as one `.npz` file."""
    np.savez(file, **job._asdict())


def load(file: Path) -> Job:
    """Read what `save` has written."""
    with np.load(file) as arrays:
        return Job(**{name: arrays[name].item() if arrays[name].ndim == 0 else arrays[name] for name in Job._fields})
