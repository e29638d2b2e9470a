"""Who stands in which row of an exchange: its feeds, its tokens, its accounts.

Settled before any table is made, because it says how much room the exchange needs in the tables that it shares with the tASSET market.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seawall.protocols.liquidity_tables import EVERY
from seawall.protocols.tables import Ints
from seawall.scenarios.exchange_schema import ALL, DUSD_NAME, ExchangeSpec
from seawall.scenarios.schema import Scenario

NO_FEED = -1  # of a stablecoin


class Accounts(NamedTuple):
    """Rows of wallets of an exchange's contracts and agents, in the order in which they stand."""

    core: Ints
    receivers: Ints
    funders: Ints
    streams: Ints
    owners: Ints
    lps: Ints
    traders: Ints
    keepers: Ints


@dataclass(frozen=True, slots=True)
class ExchangeLayout:
    """Rows of an exchange.

    Attributes:
        own_assets: assets with a feed of the exchange's own, by row of that.
        feeds: row of feeds of each asset that something tracks.
        tokens: names of its tokens: dUSD, collateral, tokens of incentives.
        receivers: who gets siphoned fees, by name.
        streams: (row of liquidity_pools, row of collateral_types or EVERY, name of the token) of each reward stream.
        stream_of: row of streams of each incentive.
    """

    own_assets: tuple[str, ...]
    feeds: dict[str, int]
    tokens: tuple[str, ...]
    receivers: tuple[str, ...]
    streams: tuple[tuple[int, int, str], ...]
    stream_of: tuple[int, ...]

    def counts(self, spec: ExchangeSpec) -> Accounts:
        """How many accounts of each sort there are, in `Accounts` of one number each."""
        streams, agents = len(self.streams), (len(spec.pools), spec.lps.count, spec.trader_count, spec.keepers.count)
        return Accounts(*(np.array([count]) for count in (1, len(self.receivers), streams, streams, *agents)))

    def account_count(self, spec: ExchangeSpec) -> int:
        """Accounts of all sorts."""
        return int(sum(count[0] for count in self.counts(spec)))

    def accounts(self, spec: ExchangeSpec, end: int) -> Accounts:
        """Rows of wallets, of which there are `end` in all; the exchange's are the last."""
        rows = np.arange(end - self.account_count(spec), end)
        return Accounts(*np.split(rows, np.cumsum([count[0] for count in self.counts(spec)])[:-1]))

    def token(self, name: str, end: int) -> int:
        """Row of a token, of which there are `end` in all; the exchange's are the last."""
        return end - len(self.tokens) + self.tokens.index(name)


def lay_out_exchange(scenario: Scenario, spec: ExchangeSpec) -> ExchangeLayout:
    """Settle the rows."""
    own = tuple(asset for asset in own_assets(scenario) if asset in spec.tracked())
    types, pools = list(spec.collaterals), list(spec.pools)
    wanted = [
        (pools.index(event.pool), EVERY if event.collateral == ALL else types.index(event.collateral), event.token)
        for event in spec.incentives
    ]
    streams = tuple(dict.fromkeys(wanted))
    return ExchangeLayout(
        own_assets=own,
        feeds=feeds_of(scenario),
        tokens=tuple(dict.fromkeys([DUSD_NAME, *types, *(event.token for event in spec.incentives)])),
        receivers=tuple(dict.fromkeys(siphon.to for pool in spec.pools.values() for siphon in pool.siphons)),
        streams=streams,
        stream_of=tuple(streams.index(stream) for stream in wanted),
    )


def own_assets(scenario: Scenario) -> tuple[str, ...]:
    """Assets with a feed apart, because no tASSET that stays listed tracks them: the exchange's, then those of the RFQ market alone."""
    tracked = [asset for spec in (scenario.exchange, scenario.avmm) if spec is not None for asset in spec.tracked()]
    return tuple(asset for asset in dict.fromkeys(tracked) if asset not in _shared_feeds(scenario))


def feeds_of(scenario: Scenario) -> dict[str, int]:
    """Row of feeds of each asset that something tracks; what is listed or delisted during the run has a feed besides."""
    first = len(scenario.tasset_names) + 1
    return _shared_feeds(scenario) | {asset: first + i for i, asset in enumerate(own_assets(scenario))}


def _shared_feeds(scenario: Scenario) -> dict[str, int]:
    """Feed of each asset that a tASSET tracks from start to end; the first such tASSET's."""
    delisted = {event.tasset for event in scenario.delistings}
    feeds: dict[str, int] = {}
    for row, (name, terms) in enumerate(scenario.tassets.items()):
        if terms.listed and name not in delisted:
            feeds.setdefault(terms.tracks, row)
    return feeds
