"""The phases of a round with NumPy: whoever has something to do is found by comparing arrays, and then acts in the order drawn.

A phase changes only the tables that `PHASES` names beside it, so that it can be a policy of radCAD or cadCAD. The order of agents is
Seawall's, by the same hash: figures agree but for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from peers.liquidation import liquidate
from peers.pools import buy, sell
from peers.tables import NEVER, UNIT, Market


def begin(m: Market) -> None:
    """Advance the clock."""
    m.clock.step += 1
    m.clock.now = m.clock.step * m.step_seconds


def publish(m: Market) -> None:
    """Let feeders publish on a heartbeat or after a move."""
    oracle, now, seen = m.oracle, m.clock.now, m.market_price[m.clock.step]
    for k, is_up in enumerate(m.can_publish[m.clock.step]):
        if is_up and (now - oracle.time[k] >= m.heartbeat[k] or abs(seen[k] / oracle.price[k] - 1.0) >= m.deviation[k]):
            oracle.price[k], oracle.time[k] = seen[k], now


def place_orders(m: Market) -> None:
    """Swap the traders' orders of this round."""
    pools, cash, tokens = m.pools, m.traders.cash, m.traders.tokens
    for a, k, sells, usd in m.orders[m.order_start[m.clock.step] : m.order_start[m.clock.step + 1]]:
        offered = usd * pools.asset[k] / pools.base[k] if sells else usd
        if offered > (tokens[k][a] if sells else cash[a]):
            continue
        offer_reserve, ask_reserve = (pools.asset[k], pools.base[k]) if sells else (pools.base[k], pools.asset[k])
        gross = ask_reserve * offered / (offer_reserve + offered)
        lost = offered * ask_reserve / offer_reserve - gross
        if lost > (gross + lost) * m.max_spread[a]:
            continue
        if sells:
            tokens[k][a] -= offered
            cash[a] += sell(m, k, offered)
        else:
            cash[a] -= offered
            tokens[k][a] += buy(m, k, offered)


def arbitrage(m: Market) -> None:
    """Let arbitrageurs pull each pool's price to the oracle's, as long as that is fresh."""
    pools, oracle, cash, tokens = m.pools, m.oracle, m.arbitrageurs.cash, m.arbitrageurs.tokens
    fresh = [k for k in range(m.kinds) if m.clock.now - oracle.time[k] <= m.valid_for[k]]
    for a in turns(m, range(len(cash))):
        for k in fresh:
            base, asset = pools.base[k], pools.asset[k]
            low, high = oracle.price[k] * (1.0 - m.min_edge[a]), oracle.price[k] * (1.0 + m.min_edge[a])
            if base < low * asset:
                offer = min(math.sqrt(base * asset * low) - base, cash[a])
                if offer >= UNIT:
                    cash[a] -= offer
                    tokens[k][a] += buy(m, k, offer)
            elif base > high * asset:
                offer = min(math.sqrt(base * asset / high) - asset, tokens[k][a])
                if offer >= UNIT:
                    tokens[k][a] -= offer
                    cash[a] += sell(m, k, offer)


def manage(m: Market) -> None:
    """Wake the owners whose price is past a bound or whose time has come."""
    cdps = m.cdps
    price = np.array(m.oracle.price)[m.kind]
    woken = np.flatnonzero((price > cdps.wakes_above) | (price < cdps.wakes_below) | (cdps.due <= m.clock.now))
    for i in turns(m, woken.tolist()):
        look_after(m, i, int(m.kind[i]))


def look_after(m: Market, i: int, k: int) -> None:
    """Do what an owner's ratio calls for; after a refusal come back a reaction time later."""
    cdps, now, price = m.cdps, m.clock.now, m.oracle.price[k]
    value, alert, excess, reaction = cdps.debt[i] * price, m.alert[i], m.excess[i], m.reaction[i]
    is_low, is_high = cdps.collateral[i] < alert * value, cdps.collateral[i] > excess * value
    if is_low and cdps.due[i] == NEVER and reaction > 0.0:
        make_appointment(m, i, now + reaction)
        return
    if now - m.oracle.time[k] <= m.valid_for[k]:
        if is_low:
            top_up(m, i, price)
        elif is_high:
            use_excess(m, i, k)
    backing = cdps.collateral[i] / cdps.debt[i]
    cdps.insolvent_above[i], cdps.called_above[i] = backing, backing / m.min_ratio[k]
    value = cdps.debt[i] * price
    if alert * value <= cdps.collateral[i] <= excess * value:
        cdps.due[i], cdps.wakes_above[i], cdps.wakes_below[i] = NEVER, backing / alert, backing / excess
    else:
        make_appointment(m, i, now + max(reaction, m.step_seconds))


def make_appointment(m: Market, i: int, time: float) -> None:
    """Come back at a time, whatever the price until then."""
    m.cdps.due[i], m.cdps.wakes_above[i], m.cdps.wakes_below[i] = time, NEVER, -NEVER


def top_up(m: Market, i: int, price: float) -> None:
    """Add cash, then burn tokens kept."""
    cdps, target = m.cdps, m.target[i]
    needed = target * cdps.debt[i] * price - cdps.collateral[i]
    cash = min(needed, cdps.cash[i])
    cdps.cash[i] -= cash
    cdps.collateral[i] += cash
    if cash < needed:
        kept = min(cdps.debt[i] - cdps.collateral[i] / (target * price), cdps.tokens[i])
        cdps.tokens[i] -= kept
        cdps.debt[i] -= kept


def use_excess(m: Market, i: int, k: int) -> None:
    """Mint and sell more, or withdraw collateral."""
    cdps, worth = m.cdps, m.target[i] * m.oracle.price[k]
    if m.relevers[i]:
        more = cdps.collateral[i] / worth - cdps.debt[i]
        cdps.debt[i] += more
        cdps.cash[i] += sell(m, k, float(more))
    else:
        spare = cdps.collateral[i] - worth * cdps.debt[i]
        cdps.collateral[i] -= spare
        cdps.cash[i] += spare * (1.0 - m.protocol_fee[k])


def auction(m: Market) -> None:
    """Let liquidators buy from the CDPs below the minimum ratio, in the order drawn."""
    called = np.flatnonzero(np.array(m.oracle.price)[m.kind] > m.cdps.called_above)
    if called.size:
        liquidate(m, called, turns(m, range(len(m.min_profit))))


def provide(m: Market) -> None:
    """Let nervous LPs leave when the peg breaks or the oracle is silent, and come back after a calm."""
    lps, pools, now, rows = m.lps, m.pools, m.clock.now, m.nervous
    off_peg = np.array([base / (asset * price) for base, asset, price in zip(pools.base, pools.asset, m.oracle.price, strict=True)]) - 1.0
    kind, is_in = m.lp_pool[rows], lps.shares[rows] > 0.0
    afraid = (np.abs(off_peg)[kind] > m.exit_premium[rows]) | (now - np.array(m.oracle.time)[kind] > m.exit_stale[rows])
    lps.calm_since[rows[afraid]] = NEVER
    for i in rows[afraid & is_in].tolist():
        redeem(m, i)
    for i in rows[~afraid & ~is_in].tolist():
        if lps.calm_since[i] == NEVER:
            lps.calm_since[i] = now
        elif now - lps.calm_since[i] >= m.return_after[i]:
            come_back(m, i)


def redeem(m: Market, i: int) -> None:
    """Take the part of both reserves."""
    lps, pools, k = m.lps, m.pools, int(m.lp_pool[i])
    part = float(lps.shares[i] / pools.shares[k])
    lps.cash[i] += pools.base[k] * part
    lps.tokens[i] += pools.asset[k] * part
    pools.base[k] -= pools.base[k] * part
    pools.asset[k] -= pools.asset[k] * part
    pools.shares[k] -= float(lps.shares[i])
    lps.shares[i] = 0.0


def come_back(m: Market, i: int) -> None:
    """Provide everything held, the surplus of the larger side apart."""
    lps, pools, k = m.lps, m.pools, int(m.lp_pool[i])
    part = float(min(lps.cash[i] / pools.base[k], lps.tokens[i] / pools.asset[k]))
    lps.cash[i] -= part * pools.base[k]
    lps.tokens[i] -= part * pools.asset[k]
    lps.shares[i] = part * pools.shares[k]
    for reserve in (pools.base, pools.asset, pools.shares):
        reserve[k] += part * reserve[k]
    lps.calm_since[i] = NEVER


def observe(m: Market) -> None:
    """Mark the shortfall and the ratio of the whole market at the market's price, and keep the worst."""
    cdps, totals = m.cdps, m.totals
    price = np.array(m.market_price[m.clock.step])[m.kind]
    insolvent = np.flatnonzero(price > cdps.insolvent_above)
    if insolvent.size:
        shortfall = float((cdps.debt[insolvent] * price[insolvent] - cdps.collateral[insolvent]).sum())
        totals.shortfall_peak = max(totals.shortfall_peak, shortfall)
        totals.insolvent_peak = max(totals.insolvent_peak, insolvent.size)
    totals.lowest_ratio = min(totals.lowest_ratio, float(cdps.collateral.sum() / (cdps.debt @ price)))


def turns(m: Market, rows: Sequence[int]) -> list[int]:
    """Rows in the order in which they act this round."""
    if len(rows) < 2:
        return list(rows)
    salt = scatter(m.order_seed ^ scatter(m.clock.step))
    return sorted(rows, key=lambda row: ((scatter(salt + row) & 0x7FFFFFFF), row))


def scatter(number: int) -> int:
    """A hash of 32 bits."""
    number &= 0xFFFFFFFF
    number = (((number >> 16) ^ number) * 0x45D9F3B) & 0xFFFFFFFF
    number = (((number >> 16) ^ number) * 0x45D9F3B) & 0xFFFFFFFF
    return (number >> 16) ^ number


PHASES = (
    (begin, ("clock",)),
    (publish, ("oracle",)),
    (place_orders, ("pools", "traders")),
    (arbitrage, ("pools", "arbitrageurs")),
    (manage, ("cdps", "pools")),
    (auction, ("cdps", "pools", "liquidators", "totals")),
    (provide, ("pools", "lps")),
    (observe, ("totals",)),
)
"""Phases in the order of a round, each with the tables that it changes."""
