"""Records of a world as data frames: time series, distribution of collateral ratios, refusals and liquidations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from seawall.agents.strategies import Strategy
from seawall.models.measures import owners_wealth
from seawall.models.records import RATIO_EDGES
from seawall.protocols.poll_terms import PollKind, PollState
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Table, World


def series(world: World, names: Sequence[str]) -> pd.DataFrame:
    """One row per record and tASSET. Seconds, USD per token, USD; `amm_premium` is a fraction: pool price / oracle price - 1.

    The oracle price is NaN while a tASSET is not listed yet; once it is delisted both prices are its end price.
    """
    return pd.DataFrame(series_columns(world, names))


def series_columns(world: World, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of `series`, `[records * tASSETs]` each: a frame takes ten times as long to make."""
    recorded = world.series[: int(world.clock[0].records)]
    count = len(recorded)
    flat = recorded.reshape(-1)
    terms = world.tassets
    amm_price = np.divide(flat["pool_base"], flat["pool_asset"], out=np.full(len(flat), np.nan), where=flat["pool_asset"] > 0)
    oracle_price = np.where(flat["oracle_price"] > 0, flat["oracle_price"], np.nan)
    debt_usd = flat["debt"] * flat["market_price"]
    return {
        "time_s": flat["time"],
        "tasset": np.tile(np.asarray(names, dtype=object), count),
        "market_price": flat["market_price"],
        "oracle_price": oracle_price,
        "oracle_fresh": flat["oracle_age"] <= np.tile(world.feeds["valid_for"][terms["feed"]], count),
        "market_open": flat["market_open"].astype(bool),
        "amm_price": amm_price,
        "amm_premium": amm_price / oracle_price - 1.0,
        "collateral_usd": flat["collateral_usd"],
        "debt_usd": debt_usd,
        "debt_tokens": flat["debt"],
        "system_collateral_ratio": np.divide(flat["collateral_usd"], debt_usd, out=np.full(len(flat), np.nan), where=debt_usd > 0),
        "min_collateral_ratio": flat["min_collateral_ratio"],
        "is_delisted": flat["is_delisted"].astype(bool),
        "shortfall_usd": flat["shortfall"],
        "insolvent_cdps": flat["insolvent"],
        "margin_called_cdps": flat["called"],
        "open_cdps": flat["open_cdps"],
        "bad_debt_usd": flat["bad_debt_usd"],
        "liquidated_debt_usd": flat["burned_usd"],
        "liquidations": flat["liquidations"],
        "volume_usd": flat["volume"],
        "lp_fees_usd": flat["fees_base"] + flat["fees_asset"] * flat["market_price"],
        "pool_usd": flat["pool_base"] + flat["pool_asset"] * flat["market_price"],
    }


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
    cumulative = np.moveaxis(world.tally_series[:, :, : int(world.clock[0].records)], -1, 0).copy()
    cumulative[-1] = world.tallies  # what was asked after the last record belongs to it
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


def rewards(world: World) -> pd.DataFrame:
    """One row per record: tEXO's price (tDOLLAR), tEXO staked, and, cumulative, fees sold (tDOLLAR), fees and inflation paid (tEXO).

    Empty in a market without tEXO.
    """
    recorded = world.reward_series[: int(world.clock[0].records) * len(world.keepers)]
    return pd.DataFrame(
        {
            "time_s": recorded["time"],
            "texo_price_usd": np.where(recorded["texo_price"] > 0, recorded["texo_price"], np.nan),
            "staked_texo": recorded["staked"],
            "fees_sold_usd": recorded["converted"],
            "fees_paid_texo": recorded["distributed"],
            "inflation_texo": recorded["emitted"],
            "lp_rewards_texo": recorded["lp_rewards"],
        }
    )


OUTCOMES = {
    PollState.NONE: "not proposed",
    PollState.IN_PROGRESS: "in voting",
    PollState.PASSED: "passed, not yet executed",
    PollState.REJECTED: "rejected",
    PollState.EXECUTED: "executed",
}


def polls(world: World, names: Sequence[str]) -> pd.DataFrame:
    """One row per proposal: when (seconds), on what, to what value, votes as fractions of what was staked, and what became of it."""
    rows, plans = world.polls, world.proposals
    staked_now = float(world.stake_pools["total_bond"][-1])
    staked = np.where(rows["staked"] > 0, rows["staked"], staked_now if staked_now > 0 else np.nan)
    is_term = np.isin(plans["kind"], (PollKind.MIN_COLLATERAL_RATIO, PollKind.AUCTION_DISCOUNT))
    return pd.DataFrame(
        {
            "proposed_s": plans["at"],
            "tasset": np.asarray(names, dtype=object)[plans["tasset"]],
            "change": [PollKind(int(kind)).name.lower() for kind in plans["kind"]],
            "value": np.where(is_term, plans["value"], np.nan),
            "yes": rows["yes"] / staked,
            "no": rows["no"] / staked,
            "abstain": rows["abstain"] / staked,
            "outcome": [OUTCOMES[PollState(int(state))] for state in rows["state"]],
            "executed_s": np.where(rows["executed_at"] > 0, rows["executed_at"], np.nan),
        }
    )


def owners(world: World) -> pd.DataFrame:
    """One row per behaviour of CDP owners: how many, what they started with and what they gained, USD at market prices.

    An owner who moved to a replacement counts once, with the behaviour of the start.
    """
    first = np.unique(world.minters["account"], return_index=True)[1]
    minters = world.minters[first]
    gain = owners_wealth(world)[first] - minters["start_usd"]
    found = [strategy for strategy in Strategy if (minters["strategy"] == strategy).any()]
    return pd.DataFrame(
        {
            "strategy": [strategy.name.lower() for strategy in found],
            "owners": [int((minters["strategy"] == strategy).sum()) for strategy in found],
            "start_usd": [float(minters["start_usd"][minters["strategy"] == strategy].sum()) for strategy in found],
            "gain_usd": [float(gain[minters["strategy"] == strategy].sum()) for strategy in found],
        }
    )


def _times(world: World) -> np.ndarray:
    times: np.ndarray = world.reward_series["time"][: int(world.clock[0].records)]
    return times
