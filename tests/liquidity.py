"""A core of DexToro Liquidity for tests: tables with the initial values that the rules expect, and money to begin with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seawall.protocols import ledger, tables
from seawall.protocols import liquidity_tables as liquidity
from seawall.protocols.liquidity_tables import EVERY, Core
from seawall.protocols.tables import Floats, Table

CORE_ACCOUNT, POOL_OWNER, FIRST_STREAM_ACCOUNT = 0, 1, 2
USD = 0  # token; the collateral types' tokens follow, then one reward token for each stream


class Lent(NamedTuple):
    """A core and the tokens behind it."""

    core: Core
    tokens: Table
    wallets: Floats

    def state(self) -> bytes:
        return b"".join(table.tobytes() for table in (*self.core, self.tokens, self.wallets))

    def copy(self) -> Lent:
        return Lent(Core(*(table.copy() for table in self.core)), self.tokens.copy(), self.wallets.copy())

    def give(self, token: int, account: int, amount: float) -> None:
        assert ledger.mint(self.wallets, self.tokens, token, account, amount) == 0

    def position(self, account: int, pool: int = 0, collateral_type: int = 0) -> tables.Row:
        """The row of that account, pool and collateral type."""
        rows = self.core.positions
        found = np.flatnonzero((rows["account"] == account) & (rows["pool"] == pool) & (rows["collateral_type"] == collateral_type))
        return rows[int(found[0])]


def a_core(
    lps: Sequence[int],
    *,
    pools: int = 1,
    markets: int = 1,
    types: int = 1,
    streams: Sequence[tuple[int, int]] = (),
    siphons: int = 0,
    accounts: int = 0,
) -> Lent:
    """Nothing delegated yet. Streams are (pool, collateral type or EVERY); every LP has a position row in every vault."""
    accounts = max(accounts, max(lps, default=0) + 1, first_lp(len(streams)))
    core = Core(
        system=np.zeros(1, liquidity.LIQUIDITY_SYSTEM),
        collateral_types=np.zeros(types, liquidity.COLLATERAL_TYPE),
        deposits=np.zeros((accounts, types)),
        pools=np.zeros(pools, liquidity.LIQUIDITY_POOL),
        markets=np.zeros(markets, liquidity.MARKET),
        backings=np.zeros((pools, markets), liquidity.BACKING),
        vaults=np.zeros((pools, types), liquidity.VAULT),
        positions=np.zeros(len(lps) * pools * types, liquidity.POSITION),
        streams=np.zeros(len(streams), liquidity.STREAM),
        stream_vaults=np.zeros((len(streams), types), liquidity.STREAM_VAULT),
        claims=np.zeros((len(lps) * pools * types, len(streams)), liquidity.REWARD_CLAIM),
        siphons=np.zeros(siphons, liquidity.SIPHON),
    )
    core.system["account"], core.system["usd_token"] = CORE_ACCOUNT, USD
    core.collateral_types["token"], core.collateral_types["price"] = 1 + np.arange(types), 1.0
    core.pools["owner"] = POOL_OWNER
    core.vaults["max_collateral"] = math.inf
    owners, in_pools, in_types = np.meshgrid(lps, np.arange(pools), np.arange(types), indexing="ij")
    core.positions["row"] = np.arange(len(core.positions))
    core.positions["account"], core.positions["pool"] = owners.ravel(), in_pools.ravel()
    core.positions["collateral_type"], core.positions["delegated_at"] = in_types.ravel(), -math.inf
    for s, (pool, collateral_type) in enumerate(streams):
        core.streams[s].pool, core.streams[s].collateral_type = pool, collateral_type
        core.streams[s].funder, core.streams[s].account = FIRST_STREAM_ACCOUNT + 2 * s, FIRST_STREAM_ACCOUNT + 2 * s + 1
        core.streams[s].token = 1 + types + s
    tokens = np.zeros(1 + types + len(streams), tables.TOKEN)
    return Lent(core, tokens, np.zeros((accounts, len(tokens))))


def first_lp(streams: int) -> int:
    """The first account that is nobody's."""
    return FIRST_STREAM_ACCOUNT + 2 * streams


__all__ = ["CORE_ACCOUNT", "EVERY", "POOL_OWNER", "USD", "Lent", "a_core", "first_lp"]
