"""One run of a hindcast, watched round by round: who was liquidated, on which side, and what they lost by it.

The exchange adds up only how much is liquidated; sides are told by the positions that the liquidated held when the round began.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seawall.agents.exchange import Exchange
from seawall.protocols.tables import Floats, Ints
from seawall.scenarios.build import build_model
from seawall.scenarios.load import Loaded
from seawall.scenarios.paths import Paths


class Liquidated(NamedTuple):
    """What was liquidated on one market in each round.

    Attributes:
        long_usd: `[steps]` notional of longs, at the index price.
        short_usd: `[steps]` notional of shorts.
        loss_usd: `[steps]` margin that the liquidated had put up and have no more.
        lp_loss_usd: what LPs lost by liquidations over the run; negative where they gained.
        shortfall_usd: by how much liquidated accounts owed more than their margin, over the run.
    """

    long_usd: Floats
    short_usd: Floats
    loss_usd: Floats
    lp_loss_usd: float
    shortfall_usd: float


def watch(loaded: Loaded, paths: Paths, market: int, seed: int, path: int) -> Liquidated:
    """Play a path along prices and watch one market of the exchange.

    Args:
        loaded: a scenario with an exchange.
        paths: its prices.
        market: row of the market.
        seed: of the run, >= 0.
        path: number of the path, >= 0: other traders and orders along the same prices.
    """
    model = build_model(loaded, paths, seed, path)
    x = model.exchange
    assert x is not None
    watcher = _Watcher(x, market)
    found = np.zeros((3, model.rounds_left))
    for k in range(found.shape[1]):
        model.step()
        found[:, k] = watcher.look()
    model.run_for(0)  # checks the books
    memory = x.market_memory[market]
    return Liquidated(found[0], found[1], found[2], -float(memory.liquidation_gain), float(memory.shortfall))


class _Watcher:
    """Remembers what the traders of a market had at the last look."""

    def __init__(self, x: Exchange, market: int) -> None:
        own = x.perps_traders["market"] == market
        self._traders, self._rows = x.perps_traders, np.flatnonzero(own)
        self._members = x.perps_traders["member"][own]
        self._memory = x.market_memory[market : market + 1]
        self._positions, self._accounts = x.perps_positions[market], x.perps_accounts[market]
        self._remember()

    def _remember(self) -> None:
        self._usd = float(self._memory["liquidated_usd"][0])
        self._times: Ints = self._traders["liquidations"][self._rows]
        self._quantity: Floats = self._positions["quantity"][self._members]
        self._margin: Floats = self._accounts["margin"][self._members]

    def look(self) -> tuple[float, float, float]:
        """USD of longs and of shorts liquidated since the last look, and the margin lost."""
        usd = float(self._memory["liquidated_usd"][0]) - self._usd
        found = self._split(usd) if usd > 0.0 else (0.0, 0.0, 0.0)
        self._remember()
        return found

    def _split(self, usd: float) -> tuple[float, float, float]:
        struck = self._traders["liquidations"][self._rows] > self._times
        before, members = self._quantity[struck], self._members[struck]
        closed = np.abs(before - self._positions["quantity"][members])
        share = long_share(before, closed)
        lost = np.maximum(self._margin[struck] - self._accounts["margin"][members], 0.0)
        return usd * share, usd * (1.0 - share), float(lost.sum())


def long_share(before: Floats, closed: Floats) -> float:
    """Share of longs in what was closed; one half where all was opened and liquidated within the same round, so that no side is known.

    Args:
        before: [traders] positions when the round began, base asset, signed.
        closed: [traders] by how much they became smaller, >= 0.
    """
    sizes = np.where(before != 0.0, closed, 0.0)
    return float(sizes[before > 0.0].sum() / sizes.sum()) if sizes.sum() > 0.0 else 0.5
