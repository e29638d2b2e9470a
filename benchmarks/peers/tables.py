"""The ground job for NumPy: terms, which never change, and tables, which the rounds change.

What is many (CDPs, LPs) is arrays; what is few, or looked at one by one (pools, feeds, wallets), is lists of Python floats, whose
arithmetic costs a third of that of NumPy's scalars.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from peers.job import Job
from peers.outcome import Outcome

NEVER = math.inf
UNIT = 2.0**-20
SLACK = 4.0 * UNIT  # bought beside what is needed, so that a purchase of all collateral leaves no crumb


class Table(SimpleNamespace):
    """Columns by name: arrays, lists or plain numbers."""

    def copy(self) -> Table:
        """The same with columns of its own."""
        return Table(**{name: column.copy() if hasattr(column, "copy") else column for name, column in vars(self).items()})


class Market(SimpleNamespace):
    """Terms of the job and its tables: `clock`, `oracle`, `pools`, `traders`, `arbitrageurs`, `cdps`, `liquidators`, `lps`, `totals`."""


TABLES = ("clock", "oracle", "pools", "traders", "arbitrageurs", "cdps", "liquidators", "lps", "totals")


def terms_of(job: Job) -> dict[str, Any]:
    """What never changes, by name."""
    min_ratio, discount, protocol_fee, commission, valid_for = (column.tolist() for column in job.terms.T)
    target, alert, excess, reaction, _ = job.minter.T.copy()
    sizes = np.diff(job.first)
    return {
        "kinds": len(min_ratio),
        "step_seconds": job.step_seconds,
        "order_seed": job.order_seed,
        "market_price": job.market_price.tolist(),
        "can_publish": job.can_publish.tolist(),
        "heartbeat": job.feeder[:, 0].tolist(),
        "deviation": job.feeder[:, 1].tolist(),
        "min_ratio": min_ratio,
        "sold_per_usd": [1.0 / (1.0 - each) for each in discount],
        "protocol_fee": protocol_fee,
        "commission": commission,
        "valid_for": valid_for,
        "order_start": job.order_start.tolist(),
        "orders": list(
            zip(job.order_trader.tolist(), job.order_pool.tolist(), job.order_sells.tolist(), job.order_usd.tolist(), strict=True)
        ),
        "max_spread": job.max_spread.tolist(),
        "min_edge": job.min_edge.tolist(),
        "first": job.first.tolist(),
        "kind": np.repeat(np.arange(len(sizes)), sizes),
        "cdp_min_ratio": np.repeat(job.terms[:, 0], sizes),
        "target": target,
        "alert": alert,
        "excess": excess,
        "reaction": reaction,
        "relevers": job.relevers,
        "min_profit": job.liquidator[:, 0].copy(),
        "cost_usd": job.liquidator[:, 1].copy(),
        "nervous": np.flatnonzero((job.lp[:, 0] < NEVER) | (job.lp[:, 1] < NEVER)),
        "lp_pool": job.lp_pool,
        "exit_premium": job.lp[:, 0].copy(),
        "exit_stale": job.lp[:, 1].copy(),
        "return_after": job.lp[:, 2].copy(),
    }


def tables_of(job: Job) -> dict[str, Table]:
    """All tables as they are before the first round, by name."""
    base, asset, shares = (column.tolist() for column in job.pool.T)
    price, time = (column.tolist() for column in job.oracle.T)
    backing, min_ratio = job.collateral / job.debt, np.repeat(job.terms[:, 0], np.diff(job.first))
    return {
        "clock": Table(step=0, now=0.0),
        "oracle": Table(price=price, time=time),
        "pools": Table(base=base, asset=asset, shares=shares, volume=0.0, fees_base=0.0, fees_asset=[0.0] * len(base)),
        "traders": Table(cash=job.trader_cash.tolist(), tokens=job.trader_tokens.T.tolist()),
        "arbitrageurs": Table(cash=job.arbitrageur_cash.tolist(), tokens=job.arbitrageur_tokens.T.tolist()),
        "cdps": Table(
            collateral=job.collateral.copy(),
            debt=job.debt.copy(),
            due=job.minter[:, 4].copy(),
            cash=job.minter_cash.copy(),
            tokens=job.minter_tokens.copy(),
            # Prices past which something happens to a CDP; an owner with an appointment does not look at prices.
            insolvent_above=backing.copy(),
            called_above=backing / min_ratio,
            wakes_above=backing / job.minter[:, 1],
            wakes_below=backing / job.minter[:, 2],
        ),
        "liquidators": Table(cash=job.liquidator_cash.copy(), tokens=job.liquidator_tokens.T.copy()),
        "lps": Table(cash=job.lp_cash.copy(), tokens=job.lp_tokens.copy(), shares=job.lp_shares.copy(), calm_since=job.lp[:, 3].copy()),
        "totals": Table(liquidations=0, liquidated_usd=0.0, shortfall_peak=0.0, insolvent_peak=0, lowest_ratio=NEVER),
    }


def outcome_of(m: Market) -> Outcome:
    """The figures of a market so far."""
    prices = m.market_price[m.clock.step]
    return Outcome(
        liquidations=m.totals.liquidations,
        liquidated_debt_usd=float(m.totals.liquidated_usd),
        debt_end_usd=float(m.cdps.debt @ np.array(prices)[m.kind]),
        shortfall_peak_usd=m.totals.shortfall_peak,
        insolvent_cdps_peak=m.totals.insolvent_peak,
        min_system_collateral_ratio=m.totals.lowest_ratio,
        volume_usd=float(m.pools.volume),
        lp_fees_usd=float(m.pools.fees_base + sum(fee * price for fee, price in zip(m.pools.fees_asset, prices, strict=True))),
    )
