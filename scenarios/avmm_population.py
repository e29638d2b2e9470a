"""Draws the RFQ market's population: who provides what, who trades, when orders arrive.

LPs have one stream and orders another; each kind of LP has its own child, so more LPs of one kind move nobody of another. What is drawn
depends on numbers of agents alone, so with another mechanism the same LPs and the same orders meet it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seawall.agents.avmm import NUMERAIRE, Avmm, LpKind, RfqTraderKind
from seawall.protocols.tables import Bools, Floats, Ints, Table
from seawall.scenarios.avmm_layout import uses_pools
from seawall.scenarios.avmm_schema import AvmmSpec, InventoryLps, RfqLps, StaticLps, UndercuttingLps, VolatilityAwareLps
from seawall.scenarios.layout import lognormal, spread
from seawall.scenarios.population import NEVER, SECONDS_PER_DAY, SECONDS_PER_MINUTE, chosen


class LpDraws(NamedTuple):
    """What was drawn of the LPs, kind by kind: row of rfq_assets, USD, seconds until the first look, each [LPs]."""

    primary: Ints
    value: Floats
    look_at: Floats


def draw_lps(spec: AvmmSpec, rng: np.random.Generator) -> LpDraws:
    """Draw the LPs. For pools, those whose primary asset is the numeraire go to the pools in turn, as nothing pairs it with itself."""
    primary, value, look_at = ([np.empty(0, np.int64)], [np.empty(0)], [np.empty(0)])
    for terms, child in zip(spec.lps.by_kind(), rng.spawn(len(LpKind)), strict=True):
        weights = np.array([terms.primaries.get(name, 0.0 if terms.primaries else 1.0) for name in spec.names])
        primary.append(spread(terms.count, weights))
        value.append(lognormal(terms.value_usd, child, terms.count))
        look_at.append(child.random(terms.count) * terms.look_minutes * SECONDS_PER_MINUTE)  # not everybody at the same minute
    drawn = LpDraws(np.concatenate(primary), np.concatenate(value), np.concatenate(look_at))
    if uses_pools(spec):
        homeless = np.flatnonzero(drawn.primary == NUMERAIRE)
        drawn.primary[homeless] = 1 + np.arange(len(homeless)) % (len(spec.names) - 1)
    return drawn


def holdings_usd(spec: AvmmSpec, drawn: LpDraws) -> Floats:
    """USD of each asset that everybody has at the start, [LPs, then traders, then informed traders; assets].

    For pools each LP has half its value in the numeraire.
    """
    agents, lps = spec.lp_count + spec.traders.count + spec.informed.count, np.arange(spec.lp_count)
    usd = np.zeros((agents, len(spec.names)))
    usd[lps, drawn.primary] = drawn.value / 2.0 if uses_pools(spec) else drawn.value
    if uses_pools(spec):
        usd[lps, NUMERAIRE] = drawn.value / 2.0
    first = spec.lp_count
    for terms in (spec.traders, spec.informed):
        rows = usd[first : first + terms.count]
        rows[:], rows[:, NUMERAIRE] = terms.tokens_usd, terms.cash_usd
        first += terms.count
    return usd


def set_lps(v: Avmm, spec: AvmmSpec, drawn: LpDraws) -> None:
    """Fill the LPs' behaviour."""
    first = 0
    for kind, terms in zip(LpKind, spec.lps.by_kind(), strict=True):
        rows = v.avmm_lps[first : first + terms.count]
        rows["kind"], rows["look_at"] = kind, drawn.look_at[first : first + terms.count]
        _set_kind(rows, terms)
        first += terms.count
    v.avmm_lps["position"] = np.arange(len(v.avmm_lps))
    v.avmm_lps["accepts"] = (1 << len(spec.names)) - 1


def _set_kind(rows: Table, terms: RfqLps) -> None:
    """Write one kind's terms; what a kind does not do it does never."""
    rows["width"], rows["min_discount"], rows["max_discount"] = terms.width, terms.discount, terms.discount
    rows["look_every"] = terms.look_minutes * SECONDS_PER_MINUTE
    rows["exit_volatility"] = rows["band"] = NEVER
    match terms:
        case StaticLps():
            rows["look_every"] = rows["look_at"] = NEVER
        case UndercuttingLps():
            rows["max_discount"], rows["discount_step"] = terms.max_discount, terms.discount_step
        case VolatilityAwareLps():
            rows["exit_volatility"], rows["width_per_volatility"] = terms.exit_volatility_per_year, terms.width_per_volatility
        case InventoryLps():
            rows["band"] = terms.band


def set_traders(v: Avmm, spec: AvmmSpec) -> None:
    """Fill the traders' behaviour: those whose orders are drawn, then the informed."""
    drawn, informed = v.avmm_traders[: spec.traders.count], v.avmm_traders[spec.traders.count :]
    drawn["kind"], drawn["max_cost"], drawn["min_edge"] = RfqTraderKind.NOISE, spec.traders.max_cost, NEVER
    informed["kind"], informed["max_cost"] = RfqTraderKind.INFORMED, 1.0  # their edge limits what they pay
    informed["min_edge"], informed["order_usd"] = spec.informed.min_edge, spec.informed.order_usd


def draw_orders(spec: AvmmSpec, steps: int, step_seconds: float, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Bools, Floats]:
    """Draw all orders of a run: round, trader, asset, side and size (USD), by time of arrival."""
    terms, seconds = spec.traders, steps * step_seconds
    count = int(rng.poisson(spec.orders_per_day * seconds / SECONDS_PER_DAY)) if terms.count else 0
    times = np.sort(rng.random(count)) * seconds
    rounds = np.minimum(np.floor(times / step_seconds).astype(np.int64) + 1, steps)
    traders = rng.integers(max(terms.count, 1), size=count)
    assets = 1 + rng.integers(len(spec.names) - 1, size=count)
    sells = ~chosen(terms.buy_share, rng, count)
    return rounds, traders, assets, sells, lognormal(terms.order_usd, rng, count)
