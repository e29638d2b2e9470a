"""Records of a world as data frames: time series, distribution of collateral ratios, refusals and liquidations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from seawall.models.records import RATIO_EDGES
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Table, World


def series(world: World, names: Sequence[str]) -> pd.DataFrame:
    """One row per record and tASSET. Seconds, USD per token, USD; `amm_premium` is a fraction: pool price / oracle price - 1."""
    recorded = world.series[: int(world.clock[0].records)]
    count = len(recorded)
    flat = recorded.reshape(-1)
    terms = world.tassets
    frame = pd.DataFrame({"time_s": flat["time"], "tasset": np.tile(np.asarray(names, dtype=object), count)})
    amm_price = np.divide(flat["pool_base"], flat["pool_asset"], out=np.full(len(flat), np.nan), where=flat["pool_asset"] > 0)
    debt_usd = flat["debt"] * flat["market_price"]
    frame["market_price"] = flat["market_price"]
    frame["oracle_price"] = flat["oracle_price"]
    frame["oracle_fresh"] = flat["oracle_age"] <= np.tile(world.feeds["valid_for"][terms["feed"]], count)
    frame["market_open"] = flat["market_open"].astype(bool)
    frame["amm_price"] = amm_price
    frame["amm_premium"] = amm_price / flat["oracle_price"] - 1.0
    frame["collateral_usd"] = flat["collateral_usd"]
    frame["debt_usd"] = debt_usd
    frame["debt_tokens"] = flat["debt"]
    frame["system_collateral_ratio"] = np.divide(flat["collateral_usd"], debt_usd, out=np.full(len(flat), np.nan), where=debt_usd > 0)
    frame["min_collateral_ratio"] = flat["min_collateral_ratio"]
    frame["is_delisted"] = flat["is_delisted"].astype(bool)
    frame["shortfall_usd"] = flat["shortfall"]
    frame["insolvent_cdps"] = flat["insolvent"]
    frame["margin_called_cdps"] = flat["called"]
    frame["open_cdps"] = flat["open_cdps"]
    frame["bad_debt_usd"] = flat["bad_debt_usd"]
    frame["liquidated_debt_usd"] = flat["burned_usd"]
    frame["liquidations"] = flat["liquidations"]
    frame["volume_usd"] = flat["volume"]
    frame["lp_fees_usd"] = flat["fees_base"] + flat["fees_asset"] * flat["market_price"]
    frame["pool_usd"] = flat["pool_base"] + flat["pool_asset"] * flat["market_price"]
    return frame


def ratios(world: World, names: Sequence[str]) -> pd.DataFrame:
    """CDPs per bin of collateral ratio at the market price: one row per record, tASSET and bin [low, high)."""
    counts = world.ratio_counts[: int(world.clock[0].records)]
    records, tassets, bins = counts.shape
    times = _times(world)
    return pd.DataFrame(
        {
            "time_s": np.repeat(times, tassets * bins),
            "tasset": np.tile(np.repeat(np.asarray(names, dtype=object), bins), records),
            "low": np.tile(RATIO_EDGES[:-1], records * tassets),
            "high": np.tile(RATIO_EDGES[1:], records * tassets),
            "cdps": counts.reshape(-1),
        }
    )


def refusals(world: World) -> pd.DataFrame:
    """What was refused between two records, by action and reason; rows with a count only."""
    cumulative = world.tally_series[: int(world.clock[0].records)]
    since_last = np.diff(cumulative, axis=0, prepend=cumulative[:1])
    since_last[0] = cumulative[0]
    since_last[:, :, Status.OK] = 0
    at, action, status = np.nonzero(since_last)
    return pd.DataFrame(
        {
            "time_s": _times(world)[at],
            "action": [Action(int(code)).name.lower() for code in action],
            "status": [Status(int(code)).name for code in status],
            "count": since_last[at, action, status],
        }
    )


def liquidations(world: World, names: Sequence[str]) -> pd.DataFrame:
    """Every purchase recorded: time, CDP, buyer, tokens and USD burned, tDOLLAR sold, and how long the CDP had been margin called."""
    events: Table = world.events[: int(world.clock[0].events)]
    liquidator = {int(account): row for row, account in enumerate(world.liquidators["account"])}
    return pd.DataFrame(
        {
            "time_s": events["time"],
            "tasset": np.asarray(names, dtype=object)[events["tasset"]],
            "cdp": events["cdp"],
            "liquidator": [liquidator.get(int(account), -1) for account in events["liquidator"]],
            "burned_tokens": events["burned"],
            "burned_usd": events["burned"] * events["price"],
            "sold_usd": events["sold_usd"],
            "price": events["price"],
            "seconds_called": events["time"] - events["called_at"],
            "bad_debt_usd": events["bad_debt"] * events["price"],
        }
    )


def _times(world: World) -> np.ndarray:
    return world.series[: int(world.clock[0].records), 0]["time"]
