"""Who stands in which row: tASSETs with their replacements, what owners mint against what, successors of those who move.

Settled before any table is made, because it says how large the tables are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seawall.agents.strategies import Reaction, Strategy
from seawall.protocols.tables import Bools, Floats, Ints
from seawall.scenarios.parts import LogNormal
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose, stream

TDOLLAR_NAME = "tDOLLAR"


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of a scenario's market.

    Attributes:
        names: tASSETs by row: the scenario's, then replacements.
        collaterals: (minted, locked) rows of tassets, for `Sizes`.
        kinds: `[owners]` row of cdp_kinds of each owner's CDP, ascending.
        strategies: `[owners]` Strategy.
        reactions: `[owners]` Reaction to a delisting.
        reaction_hours: `[owners]` hours until then.
        predecessor: `[owners]` row of the owner who moves into this CDP after a delisting; -1 for an owner of the start.
        trader_reactions, trader_hours: the same of the traders.
        lp_pools: `[LPs]` row of pools; the tEXO pool's one is last.
        lp_reactions, lp_hours: the same of the LPs.
        lp_stakes: `[LPs]` who stake their LP tokens.
    """

    names: tuple[str, ...]
    collaterals: tuple[tuple[int, int], ...]
    kinds: Ints
    strategies: Ints
    reactions: Ints
    reaction_hours: Floats
    predecessor: Ints
    trader_reactions: Ints
    trader_hours: Floats
    lp_pools: Ints
    lp_reactions: Ints
    lp_hours: Floats
    lp_stakes: Bools


def lay_out(scenario: Scenario, seed: int, path: int) -> Layout:
    """Settle the rows. The draws depend on seed, path and numbers of agents alone."""
    names = scenario.tasset_names
    collaterals = _collaterals(scenario)
    kinds = spread(scenario.minters.count, _kind_weights(scenario, collaterals))
    strategies = _strategies(scenario, len(kinds), stream(seed, path, Purpose.STRATEGIES))
    against_tassets = np.array([locked >= 0 for _, locked in pairs(scenario, collaterals)], np.bool_)[kinds]
    strategies[against_tassets & (strategies == Strategy.LEVERAGE)] = Strategy.HOLD  # the loop deposits what it sold, tDOLLAR
    unlisted = ~np.array([terms.listed for terms in scenario.tassets.values()], np.bool_)[_minted(scenario, collaterals, kinds)]
    minted = _minted(scenario, collaterals, kinds)
    strategies[unlisted] = _second_strategies(strategies[unlisted], minted[unlisted])
    rng = stream(seed, path, Purpose.REACTIONS)
    reactions, hours = _react(scenario, rng, len(kinds))
    trader_reactions, trader_hours = _react(scenario, rng, scenario.traders.count)
    lp_pools = np.repeat(np.arange(len(scenario.tassets)), scenario.lps.count)
    lp_reactions, lp_hours = _react(scenario, rng, len(lp_pools))
    staked = scenario.texo.lp_staked_share if scenario.texo else 0.0
    lp_stakes = stream(seed, path, Purpose.LP_STAKES).random(len(lp_pools)) < staked
    if scenario.texo is not None:
        lp_pools, lp_stakes = np.append(lp_pools, len(names)), np.append(lp_stakes, False)
        lp_reactions, lp_hours = np.append(lp_reactions, Reaction.SIT), np.append(lp_hours, 0.0)
    movers, moved_kinds = _movers(scenario, collaterals, kinds, reactions)
    return Layout(
        names,
        collaterals,
        np.append(kinds, moved_kinds),
        np.append(strategies, _second_strategies(strategies[movers], moved_kinds)),
        np.append(reactions, reactions[movers]),
        np.append(hours, hours[movers]),
        np.append(np.full(len(kinds), -1), movers),
        trader_reactions,
        trader_hours,
        lp_pools.astype(np.int64),
        lp_reactions,
        lp_hours,
        lp_stakes,
    )


def pairs(scenario: Scenario, collaterals: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """(minted, locked) rows of tassets by row of cdp_kinds; -1 stands for tDOLLAR."""
    return sorted([(k, -1) for k in range(len(scenario.tasset_names))] + list(collaterals))


def spread(count: int, weights: Floats) -> Ints:
    """Divide `count` rows into consecutive groups by weight (largest remainders get the odd ones); returns each row's group."""
    exact = count * weights / weights.sum()
    sizes = np.floor(exact).astype(np.int64)
    odd = np.argsort(-(exact - sizes), kind="stable")[: count - sizes.sum()]
    sizes[odd] += 1
    return np.repeat(np.arange(len(weights)), sizes)


def lognormal(quantity: LogNormal, rng: np.random.Generator, count: int) -> Floats:
    """`count` draws with the given median."""
    draws: Floats = quantity.median * np.exp(quantity.sigma * rng.standard_normal(count))
    return draws


def by_weight(weights: list[float], rng: np.random.Generator, count: int) -> Ints:
    """`count` draws of 0, 1, ... by weight."""
    bounds = np.cumsum(weights)
    drawn: Ints = np.searchsorted(bounds / bounds[-1], rng.random(count), side="right")
    return drawn


def _collaterals(scenario: Scenario) -> tuple[tuple[int, int], ...]:
    names = scenario.tasset_names
    locked = [names.index(name) for name in scenario.minters.collateral if name != TDOLLAR_NAME]
    return tuple(sorted((minted, other) for minted in range(len(scenario.tassets)) for other in locked if other != minted))


def _kind_weights(scenario: Scenario, collaterals: tuple[tuple[int, int], ...]) -> Floats:
    """Weight of each kind of CDP among the owners of the start; nobody owes a replacement yet."""
    spec, names = scenario.minters, scenario.tasset_names
    weights = []
    for minted, locked in pairs(scenario, collaterals):
        of_tasset = spec.shares.get(names[minted], 0.0 if spec.shares else 1.0) if names[minted] in scenario.tassets else 0.0
        locks = {other: spec.collateral.get(_name(names, other), 0.0) for m, other in pairs(scenario, collaterals) if m == minted}
        total = sum(locks.values())
        weights.append(of_tasset * (locks[locked] / total if total > 0.0 else float(locked < 0)))
    return np.array(weights)


def _name(names: tuple[str, ...], row: int) -> str:
    return TDOLLAR_NAME if row < 0 else names[row]


def _strategies(scenario: Scenario, count: int, rng: np.random.Generator) -> Ints:
    spec = scenario.minters.strategies
    weights = {Strategy.HOLD: spec.hold, Strategy.LEVERAGE: spec.leverage, Strategy.SHORT: spec.short, Strategy.PROVIDE: spec.provide}
    return by_weight([weights[strategy] for strategy in Strategy], rng, count)


def _minted(scenario: Scenario, collaterals: tuple[tuple[int, int], ...], kinds: Ints) -> Ints:
    return np.array([minted for minted, _ in pairs(scenario, collaterals)], np.int64)[kinds]


def _second_strategies(strategies: Ints, groups: Ints) -> Ints:
    """Every other holder of a tASSET listed during the run provides instead: its pool has liquidity from nobody else (assumption).

    Args:
        strategies: of its owners.
        groups: what each of them mints.
    """
    second = strategies.copy()
    for group in np.unique(groups):
        second[np.flatnonzero((groups == group) & (strategies == Strategy.HOLD))[::2]] = Strategy.PROVIDE
    return second


def _react(scenario: Scenario, rng: np.random.Generator, count: int) -> tuple[Ints, Floats]:
    spec = scenario.reactions
    weights = {Reaction.SIT: spec.sit, Reaction.RECOVER: spec.recover, Reaction.MOVE: spec.move}
    return by_weight([weights[reaction] for reaction in Reaction], rng, count), lognormal(spec.hours, rng, count)


def _movers(scenario: Scenario, collaterals: tuple[tuple[int, int], ...], kinds: Ints, reactions: Ints) -> tuple[Ints, Ints]:
    """Owners who move when their tASSET is delisted, and the kind (replacement against tDOLLAR) of the CDP that they move into."""
    known, names = pairs(scenario, collaterals), scenario.tasset_names
    movers, moved = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for event in scenario.delistings:
        old = [kind for kind, (minted, _) in enumerate(known) if minted == names.index(event.tasset)]
        rows = np.flatnonzero(np.isin(kinds, old) & (reactions == Reaction.MOVE))
        movers.append(rows)
        moved.append(np.full(len(rows), known.index((names.index(event.replacement), -1))))
    return np.concatenate(movers), np.concatenate(moved)
