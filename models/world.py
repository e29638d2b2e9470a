"""An empty market of given size, and its fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from seawall.agents import tables as agent_tables
from seawall.agents.alarms import BLOCK, ROWS_PER_BLOCK, lay_out
from seawall.models.records import PEAK, RATIO_EDGES, SERIES
from seawall.protocols import tables
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import FIRST_FREE_ACCOUNT, Floats, World

NEVER = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many rows each table has. One minter owns one CDP; each tASSET has one feed, one feeder, one pool, one token and one LP token."""

    steps: int
    tassets: int
    assets: int
    minters: int = 0
    liquidators: int = 0
    traders: int = 0
    arbitrageurs: int = 0
    lps: int = 0
    orders: int = 0
    record_every: int = 60
    events: int = 100_000

    @property
    def accounts(self) -> int:
        """Contracts, pools, feeders, then agents."""
        agents = self.minters + self.liquidators + self.traders + self.arbitrageurs + self.lps
        return FIRST_FREE_ACCOUNT + 2 * self.tassets + agents

    @property
    def records(self) -> int:
        """Records of a run: the start, each interval, and the end."""
        return self.steps // self.record_every + 1 + (self.steps % self.record_every > 0)


def empty_world(sizes: Sizes) -> World:
    """Allocate all tables, zero but for the values that mean "never" and "none"."""
    inputs = (sizes.steps + 1, sizes.assets)
    recorded = (sizes.records, sizes.tassets)
    tallied = (len(Action), len(Status))
    world = World(
        clock=np.zeros(1, tables.CLOCK),
        tokens=np.zeros(1 + 2 * sizes.tassets, tables.TOKEN),
        wallets=np.zeros((sizes.accounts, 1 + 2 * sizes.tassets)),
        feeds=np.zeros(sizes.tassets, tables.FEED),
        tassets=np.zeros(sizes.tassets, tables.TASSET),
        cdps=np.zeros(sizes.minters, tables.CDP),
        pools=np.zeros(sizes.tassets, tables.POOL),
        oracle_feeders=np.zeros(sizes.tassets, agent_tables.ORACLE_FEEDER),
        minters=np.zeros(sizes.minters, agent_tables.MINTER),
        liquidators=np.zeros(sizes.liquidators, agent_tables.LIQUIDATOR),
        traders=np.zeros(sizes.traders, agent_tables.TRADER),
        arbitrageurs=np.zeros(sizes.arbitrageurs, agent_tables.ARBITRAGEUR),
        lps=np.zeros(sizes.lps, agent_tables.LP),
        market_price=np.ones(inputs),
        market_open=np.ones(inputs, np.bool_),
        feed_noise=np.zeros((sizes.steps + 1, sizes.tassets)),
        feed_up=np.ones((sizes.steps + 1, sizes.tassets), np.bool_),
        orders=np.zeros(sizes.orders, agent_tables.ORDER),
        order_start=np.zeros(sizes.steps + 2, np.int64),
        blocks=np.zeros(sizes.minters // ROWS_PER_BLOCK + sizes.tassets, BLOCK),
        called=np.zeros(sizes.minters + 1, np.int64),
        insolvent=np.zeros(sizes.minters + 1, np.int64),
        marks=np.zeros(sizes.minters, agent_tables.MARK),
        tallies=np.zeros(tallied, np.int64),
        flows=np.zeros(sizes.tassets, agent_tables.FLOW),
        events=np.zeros(sizes.events, agent_tables.EVENT),
        peaks=np.zeros(sizes.tassets + 1, PEAK),
        series=np.zeros(recorded, SERIES),
        ratio_counts=np.zeros((*recorded, len(RATIO_EDGES) - 1), np.int64),
        tally_series=np.zeros((sizes.records, *tallied), np.int64),
    )
    _set_nevers(world)
    _set_indices(world)
    world.clock["steps"], world.clock["record_every"] = sizes.steps, sizes.record_every
    return world


def _set_nevers(world: World) -> None:
    """Values that mean "never", "none" and "as usual"."""
    world.feeds["updated_at"] = -NEVER
    world.cdps["backing"] = NEVER
    world.marks["seen_step"] = -2
    world.peaks["first_insolvent_at"] = NEVER
    world.peaks["min_system_ratio"] = NEVER
    world.minters["due_at"] = world.minters["exit_at"] = world.minters["excess_ratio"] = NEVER
    world.liquidators["uses_pool"] = True
    world.tassets["auction_needs_fresh_price"] = True
    for column in ("exit_premium", "exit_stale", "calm_since"):
        world.lps[column] = NEVER


def _set_indices(world: World) -> None:
    """Give each thing its rows and accounts: contracts, pools, feeders, then agents table by table."""
    count = len(world.tassets)
    each = np.arange(count)
    world.tassets["token"], world.tassets["feed"], world.tassets["pool"] = 1 + each, each, each
    world.pools["base_token"], world.pools["asset_token"], world.pools["share_token"] = tables.TDOLLAR, 1 + each, 1 + count + each
    world.pools["account"] = FIRST_FREE_ACCOUNT + each
    world.oracle_feeders["feed"], world.oracle_feeders["account"] = each, FIRST_FREE_ACCOUNT + count + each
    world.feeds["feeder"] = world.oracle_feeders["account"]
    account = FIRST_FREE_ACCOUNT + 2 * count
    for agents in (world.minters, world.liquidators, world.traders, world.arbitrageurs, world.lps):
        agents["account"] = account + np.arange(len(agents))
        account += len(agents)
    world.minters["cdp"] = np.arange(len(world.minters))
    world.cdps["owner"] = world.minters["account"]
    lay_out(world)


def digest(world: World) -> str:
    """SHA-256 of all tables, column by column: equal for equal worlds, whatever the padding of rows."""
    sha = hashlib.sha256()
    for name, table in zip(World._fields, world, strict=True):
        sha.update(name.encode())
        columns: list[Floats] = [table[column] for column in table.dtype.names] if table.dtype.names else [table]
        for column in columns:
            sha.update(np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()
