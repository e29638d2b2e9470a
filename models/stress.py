"""`StressModel`: a Mesa model around a world of rows."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import mesa
import pandas as pd

from seawall.agents import avmm_lp, liquidator, liquidity_lp, lp, migration, minter, perps_trader, staker, trader
from seawall.agents.avmm import Avmm
from seawall.agents.avmm_lp import AvmmLp
from seawall.agents.avmm_trader import AvmmTrader
from seawall.agents.base import AvmmAgent, ExchangeAgent, MarketAgent, RoutedAgent
from seawall.agents.exchange import Exchange
from seawall.agents.exchange_keeper import ExchangeKeeper
from seawall.agents.keeper import Keeper
from seawall.agents.liquidator import Liquidator
from seawall.agents.liquidity_lp import LiquidityLp
from seawall.agents.lp import LiquidityProvider
from seawall.agents.minter import Minter
from seawall.agents.oracle_feeder import OracleFeeder
from seawall.agents.perps_trader import PerpsTrader
from seawall.agents.pool_owner import PoolOwner
from seawall.agents.staker import Staker
from seawall.agents.trader import Arbitrageur, Trader
from seawall.models import (
    avmm_audit,
    avmm_measures,
    avmm_records,
    avmm_step,
    exchange_audit,
    exchange_measures,
    exchange_step,
    frames,
    market_waterfall,
    measures,
    step,
)
from seawall.models.avmm_measures import AvmmNames
from seawall.models.exchange_measures import ExchangeNames
from seawall.models.records import observe
from seawall.models.world import digest
from seawall.protocols import audit, finite
from seawall.protocols.compiled import mark_compiled
from seawall.protocols.tables import Table, World

BUILT_IN: tuple[type[MarketAgent], ...] = (
    OracleFeeder,
    Keeper,
    Trader,
    Arbitrageur,
    Minter,
    Liquidator,
    LiquidityProvider,
    Staker,
)
OF_EXCHANGE: tuple[type[MarketAgent], ...] = (PerpsTrader, LiquidityLp, ExchangeKeeper, PoolOwner)
OF_AVMM: tuple[type[MarketAgent], ...] = (AvmmTrader, AvmmLp)
DEFAULT_WORLD = "seawall.scenarios.build:default_world"
"""Named, not imported: a model knows no scenario; only the constructor without arguments asks for one."""

A = TypeVar("A", bound=MarketAgent)


class DataCollector:
    """Mesa's two data frames, from the records of the world."""

    def __init__(self, model: StressModel) -> None:
        """Read from `model` whenever asked."""
        self._model = model

    def get_model_vars_dataframe(self) -> pd.DataFrame:
        """Time series with one column per (measure, tASSET), indexed by seconds since the start."""
        return self._model.series().pivot(index="time_s", columns="tasset")

    def get_agent_vars_dataframe(self) -> pd.DataFrame:
        """The owners' CDPs as they are now: collateral (tDOLLAR), debt (tokens), tASSET, one row per minter."""
        world, names = self._model.world, self._model.tasset_names
        cdps = world.cdps[world.minters["cdp"]]
        return pd.DataFrame(
            {
                "tasset": [names[k] for k in cdps["tasset"]],
                "collateral": cdps["collateral"],
                "debt": cdps["debt"],
                "is_open": cdps["is_open"],
            }
        )


class StressModel(mesa.Model):  # type: ignore[misc]  # Mesa has no types
    """A market under stress.

    `run()` plays all rounds compiled; `step()` plays one, as Mesa expects. Both give the same world, bit for bit.

    Attributes:
        world: all state.
        tasset_names: names of the tASSETs, by row.
        datacollector: Mesa's data frames, made from the records.
        running: False once the last round has been played.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        exchange: Exchange | None = None,
        exchange_names: ExchangeNames | None = None,
        avmm: Avmm | None = None,
        avmm_names: AvmmNames | None = None,
        tasset_names: Sequence[str] | None = None,
        seed: int = 0,
        with_audit: bool = False,
    ) -> None:
        """Wrap a world.

        Args:
            world: built by a scenario; None builds the default scenario's.
            exchange: DexToro's exchange beside it, if there is one.
            exchange_names: names of its markets, pools, collaterals and receivers of fees, by row.
            avmm: the RFQ market beside it, if there is one.
            avmm_names: names of its assets, by row.
            tasset_names: by row; "tasset 0", ... if not given.
            seed: for Mesa's own generators, which no built-in agent uses.
            with_audit: check the books after every round instead of only at the end, and that every figure is a number (slow).
        """
        super().__init__(rng=int(seed))
        if world is None:
            world, tasset_names = pkgutil.resolve_name(DEFAULT_WORLD)()
        self.world: World = world
        self.tasset_names = tuple(tasset_names or (f"tasset {k}" for k in range(len(world.tassets))))
        self.with_audit = with_audit
        self.datacollector = DataCollector(self)
        self._faces: dict[tuple[str, int], MarketAgent] = {}
        self._has_all_faces = False
        self._is_scripted = False
        self.exchange, self.exchange_names = exchange, exchange_names
        self.avmm, self.avmm_names = avmm, avmm_names
        self._rows = step.room_for_rows(world, avmm) if exchange is None else exchange_step.room_for_rows(world, exchange, avmm)
        self.running = self.rounds_left > 0

    @property
    def rounds_left(self) -> int:
        """Rounds still to play."""
        clock = self.world.clock[0]
        return int(clock.steps - clock.step)

    def step(self) -> None:
        """Play one round; nothing once the last has been played."""
        if self.rounds_left == 0:
            return
        if self._is_scripted:
            self._scripted_step()
        else:
            self._play(1)
        self._after_rounds(audited=self.with_audit)

    def _play(self, rounds: int) -> None:
        """Play rounds compiled."""
        if self.exchange is None:
            step.run(self.world, self._rows, rounds, self.avmm)
        else:
            exchange_step.run(self.world, self.exchange, self._rows, rounds, self.avmm)

    def run_for(self, duration: int) -> None:
        """Play up to `duration` rounds and check the books."""
        self._advance(min(int(duration), self.rounds_left))
        self._after_rounds(audited=True)

    def _advance(self, rounds: int) -> None:
        if self._is_scripted or self.with_audit:
            for _ in range(rounds):
                self.step()
        elif rounds > 0:
            self._play(rounds)
            mark_compiled(has_exchange=self.exchange is not None, has_avmm=self.avmm is not None)
        self.steps = int(self.world.clock[0].step)

    def run(self, *, progress: Callable[[int], None] | None = None, rounds_per_call: int = 1000) -> StressModel:
        """Play all rounds left and check the books.

        Args:
            progress: called with the rounds played since the last call.
            rounds_per_call: rounds between two calls.

        Raises:
            ConservationError: if the books do not balance exactly.
        """
        while self.rounds_left > 0:
            rounds = min(rounds_per_call, self.rounds_left)
            self._advance(rounds)
            if progress is not None:
                progress(rounds)
        self._after_rounds(audited=True)
        return self

    def _after_rounds(self, *, audited: bool) -> None:
        if self.with_audit:
            for market in (self.world, self.exchange, self.avmm):
                if market is not None:
                    finite.check(market)
        if audited:
            audit.check(self.world)
            if self.exchange is not None:
                exchange_audit.check(self.exchange)
            if self.avmm is not None:
                avmm_audit.check(self.avmm)
        self.running = self.rounds_left > 0

    # --- agents: faces of rows, made when somebody looks ---

    @property
    def agents(self) -> Any:
        """All agents as Mesa's AgentSet; the faces are made at the first look."""
        self._make_faces()
        return super().agents

    @agents.setter
    def agents(self, agents: Any) -> None:
        raise AttributeError("agents belong to Mesa; hand your classes to StressModel.script")

    @property
    def agents_by_type(self) -> Any:
        """AgentSets by exact class; the faces are made at the first look."""
        self._make_faces()
        return super().agents_by_type

    def face(self, kind: type[A], index: int) -> A:
        """The agent of one row."""
        key = (kind.kind, index)
        if key not in self._faces:
            rows = len(self.rows_of(kind))
            if not 0 <= index < rows:
                raise IndexError(f"{kind.kind} has {rows} rows, so there is none numbered {index}")
            self._faces[key] = kind(self, index)
        return self._faces[key]

    def script(self, kind: type[A], rows: Iterable[int]) -> list[A]:
        """Let a user's class step these rows instead of the built-in behaviour.

        Args:
            kind: subclass of a built-in agent that overrides `step()`.
            rows: row numbers in the table of that kind.

        Returns:
            The agents, in the order of `rows`.
        """
        table = self.rows_of(kind)
        made = []
        for index in rows:
            if (kind.kind, index) in self._faces:
                self._faces[kind.kind, index].remove()
            made.append(self.face(kind, index))
            table[index].scripted = True
        self._is_scripted = True
        return made

    def retire(self, agent: MarketAgent) -> None:
        """Let nobody act for an agent's row any more; called by `MarketAgent.remove`."""
        del self._faces[agent.kind, agent.index]
        agent.row.scripted = True
        self._is_scripted = True

    def _make_faces(self) -> None:
        if self._has_all_faces:
            return
        self._has_all_faces = True
        for kind in self.kinds:
            for index in range(len(self.rows_of(kind))):
                if not self.rows_of(kind)[index].scripted:
                    self.face(kind, index)

    @property
    def kinds(self) -> tuple[type[MarketAgent], ...]:
        """Classes of the built-in agents of this market."""
        return BUILT_IN + OF_EXCHANGE * (self.exchange is not None) + OF_AVMM * (self.avmm is not None)

    def rows_of(self, kind: type[MarketAgent]) -> Table:
        """Rows of a kind of agent."""
        table: Table = getattr(self._market_of(kind), kind.kind)
        return table

    def _market_of(self, kind: type[MarketAgent]) -> World | Exchange | Avmm | None:
        if issubclass(kind, AvmmAgent):
            return self.avmm
        return self.exchange if issubclass(kind, ExchangeAgent) else self.world

    # --- a round with scripted rows: the same phases, rows of Python classes at their turn ---

    def _scripted_step(self) -> None:
        world, clock, rows = self.world, self.world.clock[0], self._rows
        step.begin(clock)
        self._phase(OracleFeeder, range(len(world.oracle_feeders)))
        migration.act(world)
        if self.avmm is not None:
            avmm_step.begin(self.avmm)
        self._phase(Keeper, range(len(world.keepers)))
        self._phase(Trader, rows[: step.trader_order(world, rows)])
        self._phase(Arbitrageur, rows[: trader.arbitrageur_order(world, rows)])
        self._phase(Minter, rows[: minter.order(world, rows)])
        self._phase(Liquidator, rows[: liquidator.order(world, rows)])
        liquidator.explain(world)
        self._phase(LiquidityProvider, rows[: lp.order(world, rows)])
        staker.propose_due(world)
        self._phase(Staker, rows[: staker.order(world, rows)])
        if self.avmm is not None:
            self._scripted_avmm(self.avmm)
        observe(world)
        if self.exchange is not None:
            self._scripted_exchange(self.exchange)

    def _scripted_avmm(self, v: Avmm) -> None:
        avmm_step.settle_due(v)
        self._phase(AvmmTrader, self._rows[: avmm_step.trader_order(v, self._rows)])
        self._phase(AvmmLp, self._rows[: avmm_lp.order(v, self._rows)])
        avmm_records.observe(v)

    def _scripted_exchange(self, x: Exchange) -> None:
        rows = self._rows
        exchange_step.begin(x)
        self._phase(PerpsTrader, rows[: perps_trader.traders_with_orders(x, rows)])
        exchange_step.watch_margins(x, rows)
        self._phase(LiquidityLp, rows[: liquidity_lp.order(x, rows)])
        self._phase(ExchangeKeeper, range(len(x.exchange_keepers)))
        self._phase(PoolOwner, range(len(x.pool_owners)))
        exchange_step.finish(x)

    def _phase(self, kind: type[MarketAgent], order: Iterable[int]) -> None:
        """Let rows act in the order drawn; last come rows without anything to do whose class has a `step` of its own."""
        scripted, state = self.rows_of(kind)["scripted"], self._market_of(kind)
        beside = (self.avmm,) if issubclass(kind, RoutedAgent) else ()
        rows = [int(row) for row in order]
        idle = [int(row) for row in scripted.nonzero()[0] if row not in rows]
        for row in rows:
            if not scripted[row]:
                kind.act(state, row, *beside)
            elif (kind.kind, row) in self._faces:
                self._faces[kind.kind, row].step()
        for row in idle:
            face = self._faces.get((kind.kind, row))
            if face is not None and type(face).step is not MarketAgent.step:
                face.step()

    # --- results ---

    def summary(self) -> measures.Summary:
        """Headline figures of the run so far."""
        parts = [measures.measure(self.world)] if len(self.world.tassets) else []
        if self.exchange is not None:
            parts.append(exchange_measures.measure(self.exchange, self.world, self.exchange_names))
        if self.avmm is not None:
            parts.append(avmm_measures.measure(self.avmm, self.avmm_names))
        if len(parts) > 1:
            parts.append({"market_waterfall": market_waterfall.waterfall(self.world, self.avmm, self.exchange)})
        return {group: figures for part in parts for group, figures in part.items()}

    def digest(self) -> str:
        """Fingerprint of all state: equal for equal markets."""
        return digest(*(market for market in (self.world, self.exchange, self.avmm) if market is not None))

    def series(self) -> pd.DataFrame:
        """Time series; see `frames.series`."""
        return frames.series(self.world, self.tasset_names)

    def liquidations(self) -> pd.DataFrame:
        """Purchases; see `frames.liquidations`."""
        return frames.liquidations(self.world, self.tasset_names)
