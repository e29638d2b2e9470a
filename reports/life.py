"""From when to when a tASSET is listed, as a run's delistings, polls and prices tell."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import pandas as pd

from seawall.reports.result import Result


@dataclass(frozen=True, slots=True)
class Life:
    """Seconds since the start at which a tASSET is listed and delisted; infinite where that does not happen.

    Attributes:
        listed: by a delisting that it replaces, by a poll, or else the time of its first oracle price.
        delisted: from then on it has an end price, and no market.
    """

    listed: float
    delisted: float

    def spans(self, seconds: float) -> bool:
        """Tell whether the tASSET has a market at that time."""
        return self.listed <= seconds < self.delisted


def life_of(result: Result, tasset: str) -> Life:
    """When a tASSET of the run is listed and delisted."""
    delistings, polls, series = result.manifest["delistings"], result.polls, result.series
    listings = [float(event["at_s"]) for event in delistings if event["replacement"] == tasset]
    if len(polls):
        listings += polls.loc[(polls["tasset"] == tasset) & (polls["change"] == "whitelist"), "executed_s"].dropna().tolist()
    if not listings:
        is_priced = (series["tasset"] == tasset).to_numpy(bool) & series["oracle_price"].notna().to_numpy(bool)
        listings = series["time_s"].to_numpy(float)[is_priced].tolist()
    ends = [float(event["at_s"]) for event in delistings if event["tasset"] == tasset]
    return Life(min(listings, default=inf), min(ends, default=inf))


def lineage(result: Result, tasset: str) -> set[str]:
    """The tASSET and what it replaces: shocks and outages of the one are those of the other."""
    return {tasset, *(event["tasset"] for event in result.manifest["delistings"] if event["replacement"] == tasset)}


def since_listing(result: Result, tasset: str) -> pd.DataFrame:
    """The rows of one tASSET in order of time, from its listing on; none if it is never listed."""
    series, listed = result.series, life_of(result, tasset).listed
    rows = series[(series["tasset"] == tasset).to_numpy(bool) & (series["time_s"].to_numpy(float) >= listed)]
    return rows.sort_values("time_s", kind="stable")


def quoted(rows: pd.DataFrame) -> pd.DataFrame:
    """Those rows of a series in which the tASSET has a market price, so is not delisted."""
    return rows[~rows["is_delisted"].astype(bool)]
