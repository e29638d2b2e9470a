"""An empty market of given size, and its fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from seawall.agents import tables as agent_tables
from seawall.agents.alarm_tree import ALARM, most_nodes
from seawall.agents.alarms import Use, lay_out
from seawall.models import ranking
from seawall.models.market_waterfall import Group
from seawall.models.records import PEAK, RATIO_EDGES, REWARD_SERIES, SERIES
from seawall.protocols import tables
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import FIRST_FREE_ACCOUNT, TDOLLAR, Floats, Ints, Table, World

NEVER = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many rows each table has.

    One minter owns one CDP; each tASSET has one feed, one feeder, one pool, one token, one LP token and one pool for staking that.

    Attributes:
        collaterals: (minted, locked) rows of tassets: which tASSETs may be minted against which other, beside tDOLLAR.
        spare_feeders: feeders beyond one per tASSET.
        lp_stakes: stakes of LP tokens; each staker of tEXO has one of its own.
        extra_tokens: tokens of whoever shares this world's wallets; they follow tEXO's LP token.
        extra_accounts: accounts of the same; they come last.
        extra_feeds: feeds of the same, each with a feeder; they follow tDOLLAR's feed, their feeders the spare ones.
        departures: LPs sent away by drains, one row for each time.
        has_feed_faults: whether feeders are ever late or wrong beyond their habit; without, nothing is kept for each round.
        has_gas: whether gas is ever dearer than usual; the same.
    """

    steps: int
    tassets: int
    assets: int
    collaterals: tuple[tuple[int, int], ...] = ()
    spare_feeders: int = 0
    minters: int = 0
    liquidators: int = 0
    traders: int = 0
    arbitrageurs: int = 0
    lps: int = 0
    stakers: int = 0
    lp_stakes: int = 0
    keepers: int = 0
    emissions: int = 0
    proposals: int = 0
    migrations: int = 0
    extra_tokens: int = 0
    extra_accounts: int = 0
    extra_feeds: int = 0
    departures: int = 0
    has_feed_faults: bool = False
    has_gas: bool = False
    orders: int = 0
    record_every: int = 60
    events: int = 100_000

    @property
    def tokens(self) -> int:
        """TDOLLAR, tASSETs and their LP tokens, tEXO and its LP token, extra ones."""
        return 1 + 2 * self.tassets + 2 + self.extra_tokens

    @property
    def feeders(self) -> int:
        """Feeders, spare ones and those of extra feeds included."""
        return self.tassets + self.spare_feeders + self.extra_feeds

    @property
    def accounts(self) -> int:
        """Contracts, pools, staking pools, feeders, then agents, then extra ones."""
        agents = self.minters + self.liquidators + self.traders + self.arbitrageurs + self.lps + self.stakers + self.keepers
        return FIRST_FREE_ACCOUNT + 2 * (self.tassets + 1) + self.feeders + agents + self.extra_accounts

    @property
    def records(self) -> int:
        """Records of a run: the start, each interval, and the end."""
        return self.steps // self.record_every + 1 + (self.steps % self.record_every > 0)


def empty_world(sizes: Sizes, cdp_kinds: Ints | None = None) -> World:
    """Allocate all tables, zero but for the values that mean "never" and "none".

    Args:
        sizes: rows of each table.
        cdp_kinds: `[minters]` row of cdp_kinds of each owner's CDP, ascending; the first for all if not given.
    """
    inputs = (sizes.steps + 1, sizes.assets)
    fed = (sizes.steps + 1, sizes.feeders)
    recorded = (sizes.records, sizes.tassets)
    tallied = (len(Action), len(Status))
    kinds = sizes.tassets + len(sizes.collaterals)
    world = World(
        clock=np.zeros(1, tables.CLOCK),
        tokens=np.zeros(sizes.tokens, tables.TOKEN),
        wallets=np.zeros((sizes.accounts, sizes.tokens)),
        feeds=np.zeros(sizes.tassets + 1 + sizes.extra_feeds, tables.FEED),
        tassets=np.zeros(sizes.tassets, tables.TASSET),
        cdp_kinds=np.zeros(kinds, tables.CDP_KIND),
        cdps=np.zeros(sizes.minters, tables.CDP),
        pools=np.zeros(sizes.tassets + 1, tables.POOL),
        stake_pools=np.zeros(sizes.tassets + 1, tables.STAKE_POOL),
        stakes=np.zeros(sizes.stakers + sizes.lp_stakes, tables.STAKE),
        inflation=np.zeros(1, tables.INFLATION),
        emissions=np.zeros(sizes.emissions, tables.EMISSION),
        governance=np.zeros(1, tables.GOVERNANCE),
        polls=np.zeros(sizes.proposals, tables.POLL),
        ballots=np.zeros(sizes.proposals * sizes.stakers, tables.BALLOT),
        oracle_feeders=np.zeros(sizes.feeders, agent_tables.ORACLE_FEEDER),
        minters=np.zeros(sizes.minters, agent_tables.MINTER),
        liquidators=np.zeros(sizes.liquidators, agent_tables.LIQUIDATOR),
        traders=np.zeros(sizes.traders, agent_tables.TRADER),
        arbitrageurs=np.zeros(sizes.arbitrageurs, agent_tables.ARBITRAGEUR),
        lps=np.zeros(sizes.lps, agent_tables.LP),
        stakers=np.zeros(sizes.stakers, agent_tables.STAKER),
        keepers=np.zeros(sizes.keepers, agent_tables.KEEPER),
        proposals=np.zeros(sizes.proposals, agent_tables.PROPOSAL),
        intentions=np.zeros(sizes.proposals * sizes.stakers, agent_tables.INTENTION),
        migrations=np.zeros(sizes.migrations, agent_tables.MIGRATION),
        market_price=np.ones(inputs),
        market_open=np.ones(inputs, np.bool_),
        feed_noise=np.zeros(fed),
        feed_up=np.ones(fed, np.bool_),
        feed_faults=np.zeros((fed[0] * sizes.has_feed_faults, fed[1]), agent_tables.FEED_FAULT),
        gas=np.zeros(fed[0] * sizes.has_gas, agent_tables.GAS),
        departures=np.zeros(sizes.departures, agent_tables.DEPARTURE),
        orders=np.zeros(sizes.orders, agent_tables.ORDER),
        order_start=np.zeros(sizes.steps + 2, np.int64),
        calms=np.zeros(sizes.tassets + 2, agent_tables.CALM),
        alarms=np.zeros((len(Use), most_nodes(sizes.minters, kinds)), ALARM),
        called=np.zeros(sizes.minters + 1, np.int64),
        insolvent=np.zeros(sizes.minters + 1, np.int64),
        changes=np.zeros((2, sizes.minters + 1), np.int64),
        backings=np.full((3, sizes.minters), ranking.CLOSED),
        marks=np.zeros(sizes.minters, agent_tables.MARK),
        tallies=np.zeros(tallied, np.int64),
        flows=np.zeros(sizes.tassets, agent_tables.FLOW),
        events=np.zeros(sizes.events, agent_tables.EVENT),
        peaks=np.zeros(sizes.tassets + 1, PEAK),
        series=np.zeros(recorded, SERIES),
        ratio_counts=np.zeros((*recorded, len(RATIO_EDGES) - 1), np.int64),
        reward_series=np.zeros(sizes.records, REWARD_SERIES),
        tally_series=np.zeros((*tallied, sizes.records), np.int64),
        start_holdings=np.zeros((len(Group), sizes.tokens)),
    )
    if cdp_kinds is not None:
        world.cdps["kind"] = cdp_kinds
    _set_nevers(world)
    _set_contracts(world, sizes)
    _set_accounts(world, sizes)
    world.clock["steps"], world.clock["record_every"] = sizes.steps, sizes.record_every
    return world


def _set_nevers(world: World) -> None:
    """Values that mean "never", "none" and "as usual"."""
    world.feeds["updated_at"] = -NEVER
    world.feeds["feeder"] = -1
    world.inflation["emitted_at"] = -NEVER
    world.cdps["backing"] = NEVER
    world.cdps["ranked"] = ranking.CLOSED
    world.marks["called_at"] = NEVER
    world.peaks["first_insolvent_at"] = NEVER
    world.peaks["min_system_ratio"] = NEVER
    world.liquidators["uses_pool"] = True
    world.liquidators["gas_factor"] = world.gas["factor"] = world.feed_faults["factor"] = 1.0
    world.tassets["auction_needs_fresh_price"] = True
    world.tassets["replacement"] = world.minters["stake"] = world.lps["stake"] = world.intentions["choice"] = -1
    world.migrations["done_at"] = world.traders["recovers_at"] = world.stakers["harvest_at"] = NEVER
    world.minters["predecessor"] = -1
    for column in ("due_at", "exit_at", "excess_ratio", "opens_at", "holding"):
        world.minters[column] = NEVER
    for column in ("exit_premium", "exit_stale", "calm_since", "moves_at", "harvest_at"):
        world.lps[column] = NEVER
    for column in ("fees_at", "emission_at"):
        world.keepers[column] = NEVER


def _set_contracts(world: World, sizes: Sizes) -> None:
    """Give each contract its tokens and accounts."""
    count = sizes.tassets
    each, texo = np.arange(count), 1 + 2 * count
    pools, stake_pools, kinds, tdollar = world.pools, world.stake_pools, world.cdp_kinds, world.feeds[count]
    world.tassets["token"], world.tassets["feed"], world.tassets["pool"] = 1 + each, each, each
    tdollar.price, tdollar.is_frozen, tdollar.updated_at = 1.0, True, NEVER
    pools["account"] = FIRST_FREE_ACCOUNT + np.arange(count + 1)
    pools["base_token"], pools["asset_token"], pools["share_token"] = TDOLLAR, np.r_[1 + each, texo], np.r_[1 + count + each, texo + 1]
    stake_pools["account"] = FIRST_FREE_ACCOUNT + count + 1 + np.arange(count + 1)
    stake_pools["staked_token"], stake_pools["reward_token"] = np.r_[1 + count + each, texo], texo
    world.inflation["token"] = world.governance["token"] = texo
    world.governance["stake_pool"] = count
    world.polls["row"] = np.arange(len(world.polls))
    pairs = sorted([(k, -1) for k in range(count)] + list(sizes.collaterals))
    for kind, (minted, locked) in zip(kinds, pairs, strict=True):
        kind.tasset, kind.feed = minted, minted
        kind.token, kind.collateral_feed = (1 + locked, locked) if locked >= 0 else (TDOLLAR, count)


def _set_accounts(world: World, sizes: Sizes) -> None:
    """Give each agent its account and its rows, table by table."""
    account = FIRST_FREE_ACCOUNT + 2 * (sizes.tassets + 1)
    tables_of_agents = (
        world.oracle_feeders,
        world.minters,
        world.liquidators,
        world.traders,
        world.arbitrageurs,
        world.lps,
        world.stakers,
        world.keepers,
    )
    for agents in tables_of_agents:
        agents["account"] = account + np.arange(len(agents))
        account += len(agents)
    world.oracle_feeders["feed"][: sizes.tassets] = np.arange(sizes.tassets)
    world.feeds["feeder"][: sizes.tassets] = world.oracle_feeders["account"][: sizes.tassets]
    first = sizes.tassets + sizes.spare_feeders
    world.oracle_feeders["feed"][first:] = sizes.tassets + 1 + np.arange(sizes.extra_feeds)
    world.feeds["feeder"][sizes.tassets + 1 :] = world.oracle_feeders["account"][first:]
    world.minters["cdp"] = np.arange(len(world.minters))
    world.cdps["owner"] = world.minters["account"]
    world.stakers["stake"] = np.arange(sizes.stakers)
    world.stakes["owner"][: sizes.stakers] = world.stakers["account"]
    world.stakes["pool"][: sizes.stakers] = sizes.tassets
    world.ballots["poll"] = np.repeat(np.arange(sizes.proposals), sizes.stakers)
    world.ballots["voter"] = np.tile(world.stakers["account"], sizes.proposals)
    lay_out(world)


def digest(*markets: NamedTuple) -> str:
    """SHA-256 of all tables, column by column: equal for equal worlds, whatever the padding of rows. Of all markets together."""
    sha = hashlib.sha256()
    for name, table in (item for market in markets for item in _tables(market)):
        sha.update(name.encode())
        columns: list[Floats] = [table[column] for column in table.dtype.names] if table.dtype.names else [table]
        for column in columns:
            sha.update(np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()


def _tables(market: NamedTuple) -> Iterator[tuple[str, Table]]:
    """Names and tables of a market, those of a tuple inside it (a book) included."""
    for name, table in zip(market._fields, market, strict=True):
        if isinstance(table, tuple):
            yield from _tables(cast(NamedTuple, table))
        else:
            yield name, table
