"""Draws the exchange's population: who lends, who trades, when orders arrive.

LPs have one stream, the traders' behaviour one and their orders another; each kind of trader has its own child of these, so more traders of
one kind move nobody of another.
"""

from __future__ import annotations

import numpy as np

from seawall.agents.exchange import Exchange
from seawall.agents.perps_trader import TraderKind
from seawall.protocols.tables import Bools, Floats, Ints, Table
from seawall.scenarios.exchange_schema import ExchangeSpec, LiquidityLps, PerpsTraders, most_leverage
from seawall.scenarios.layout import by_weight, lognormal, spread
from seawall.scenarios.parts import LogNormal
from seawall.scenarios.population import NEVER, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, chosen

LOYAL, YIELD_SEEKING, CAUTIOUS = 0, 1, 2
DRAWN = tuple(TraderKind)[:-1]  # recorded flow is not drawn


def draw_lps(x: Exchange, spec: ExchangeSpec, rng: np.random.Generator) -> Floats:
    """Fill the LPs' behaviour, collateral type and pool. Returns the value that each delegates, USD."""
    terms, lps = spec.lps, x.liquidity_lps
    value = lognormal(terms.value_usd, rng, len(lps))
    kinds = by_weight([terms.kinds.loyal, terms.kinds.yield_seeking, terms.kinds.cautious], rng, len(lps))
    borrows = chosen(terms.borrow_share, rng, len(lps))
    period = terms.look_hours * SECONDS_PER_HOUR
    first_look = rng.random(len(lps)) * period  # not everybody at the same hour
    types, pools = _weights(terms.collateral, list(spec.collaterals)), _weights(terms.pools, list(spec.pools))
    vault = spread(len(lps), np.outer(pools, types).ravel())
    lps["pool"], lps["collateral_type"] = np.divmod(vault, len(types))
    lps["borrow_ratio"] = np.where(borrows, terms.borrow_ratio, NEVER)
    lps["look_every"], lps["look_at"] = period, first_look
    _set_kinds(x, terms, kinds, borrows)
    return value


def _set_kinds(x: Exchange, terms: LiquidityLps, kinds: Ints, borrows: Bools) -> None:
    """Write what the kinds of LPs care for; the cautious do not fear the debt that they have minted themselves."""
    lps, cautious = x.liquidity_lps, kinds == CAUTIOUS
    lps["yield_weight"] = kinds != LOYAL
    lps["risk_weight"] = np.where(cautious, terms.risk_weight, 0.0)
    lps["trust_weight"] = np.where(cautious, terms.trust_weight, 0.0)
    lps["hurdle"] = np.where(kinds == LOYAL, NEVER, terms.hurdle)
    lps["fear"] = np.where(cautious, terms.fear + np.where(borrows, 1.0 / terms.borrow_ratio, 0.0), NEVER)


def _weights(given: dict[str, float], names: list[str]) -> Floats:
    """Weights by row; all alike where none is given."""
    return np.array([given.get(name, 0.0 if given else 1.0) for name in names])


def draw_traders(x: Exchange, spec: ExchangeSpec, rng: np.random.Generator) -> None:
    """Fill the traders' behaviour and their capital, kind by kind; each kind is spread evenly over the markets."""
    first = 0
    for kind, terms, child in zip(DRAWN, spec.traders.by_kind(), rng.spawn(len(DRAWN)), strict=True):
        rows = x.perps_traders[first : first + terms.count]
        first += terms.count
        rows["kind"], rows["market"] = kind, spread(terms.count, np.ones(len(x.markets)))
        rows["capital"] = lognormal(terms.capital_usd, child, terms.count)
        rows["leverage"] = _leverages(terms, most_leverage(spec.markets.values()), child)
        rows["long_share"], rows["alert"] = terms.long_share, terms.alert
        rows["threshold"], rows["exit_threshold"] = terms.threshold, terms.exit_threshold
        rows["cooldown"] = NEVER if terms.cooldown_hours is None else terms.cooldown_hours * SECONDS_PER_HOUR
    x.perps_traders["away_until"] = -NEVER
    x.perps_traders["recorded"] = -1
    _set_flows(x, spec, x.perps_traders[first:])


def _leverages(terms: PerpsTraders, most: float, rng: np.random.Generator) -> Floats:
    """Leverage of each trader; nothing is drawn where all are alike."""
    if terms.leverage_sigma == 0.0:
        return np.full(terms.count, terms.leverage)
    return np.clip(lognormal(LogNormal(median=terms.leverage, sigma=terms.leverage_sigma), rng, terms.count), 1.0, most)


def _set_flows(x: Exchange, spec: ExchangeSpec, rows: Table) -> None:
    """Let the last traders follow what was recorded, longs and shorts in turn, with means to hold three times as much at the top price."""
    for i, (row, flow) in enumerate(zip(rows, (flow for flow in spec.flows for _ in range(2)), strict=True)):
        row.kind, row.market, row.recorded = TraderKind.REPLAY, list(spec.markets).index(flow.market), i
        row.leverage, row.cooldown = flow.leverage, 0.0
        top_price = x.market_price[:, x.market_memory[row.market].asset].max()
        row.capital = 3.0 * np.abs(x.recorded[:, i]).max() * top_price / flow.leverage


def set_keepers(x: Exchange, spec: ExchangeSpec) -> None:
    """Fill the keepers' behaviour."""
    x.exchange_keepers["cost_usd"], x.exchange_keepers["look_every"] = spec.keepers.cost_usd, spec.keepers.look_minutes * SECONDS_PER_MINUTE


def draw_orders(spec: ExchangeSpec, steps: int, step_seconds: float, rng: np.random.Generator) -> tuple[Ints, Ints, Floats, Floats]:
    """Draw all orders of a run: round, trader, draw of the side, notional (USD), by time of arrival."""
    times, traders, sides, usd = ([np.empty(0)], [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0)])
    seconds, first = steps * step_seconds, 0
    for terms, child in zip(spec.traders.by_kind(), rng.spawn(len(DRAWN)), strict=True):
        count = _order_count(terms, seconds, child)
        times.append(child.random(count) * seconds)
        traders.append(first + child.integers(max(terms.count, 1), size=count))
        sides.append(child.random(count))
        usd.append(lognormal(terms.order_usd, child, count))
        first += terms.count
    arrival = np.concatenate(times)
    order = np.argsort(arrival, kind="stable")
    rounds = np.minimum(np.floor(arrival[order] / step_seconds).astype(np.int64) + 1, steps)
    return rounds, np.concatenate(traders)[order], np.concatenate(sides)[order], np.concatenate(usd)[order]


def link_orders(orders: Table, rounds: Ints) -> None:
    """Link each trader's orders of a round, so that nobody looks for them: `orders` stand by round, as `rounds` says of each."""
    by_trader = np.lexsort((orders["trader"], rounds))
    one, other = by_trader[:-1], by_trader[1:]
    follows = (rounds[one] == rounds[other]) & (orders["trader"][one] == orders["trader"][other])
    orders["is_first"], orders["next_order"] = True, -1
    orders["is_first"][other[follows]] = False
    orders["next_order"][one[follows]] = other[follows]


def _order_count(terms: PerpsTraders, seconds: float, rng: np.random.Generator) -> int:
    return int(rng.poisson(terms.count * terms.orders_per_day * seconds / SECONDS_PER_DAY)) if terms.count else 0
