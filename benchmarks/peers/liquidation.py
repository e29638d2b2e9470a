"""Purchases from margin-called CDPs with NumPy: what pays is found for all liquidators and CDPs at once, then bought one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from peers.job import Bools, Ints
from peers.pools import buy
from peers.tables import NEVER, SLACK, UNIT, Market


def liquidate(m: Market, called: Ints, order: Sequence[int]) -> None:
    """Let liquidators buy in turn; those for whom nothing pays are passed over together."""
    lots = [(k, called[m.kind[called] == k]) for k in range(m.kinds) if m.clock.now - m.oracle.time[k] <= m.valid_for[k]]
    waiting = np.array(order)
    while waiting.size:
        can = np.zeros(waiting.size, np.bool_)
        for k, cdps in lots:
            can |= pays(m, k, waiting, cdps).any(axis=1)
        if not can.any():
            return
        turn = int(can.argmax())
        for k, cdps in lots:
            buy_from_all(m, k, int(waiting[turn]), cdps)
        waiting = waiting[turn + 1 :]


def buy_from_all(m: Market, k: int, a: int, cdps: Ints) -> None:
    """Go through margin-called CDPs of one tASSET and buy from each what pays."""
    while cdps.size:
        good = pays(m, k, np.array([a]), cdps)[0]
        if not good.any():
            return
        at = int(good.argmax())
        purchase(m, k, a, int(cdps[at]))
        cdps = cdps[at + 1 :]


def pays(m: Market, k: int, liquidators: Ints, cdps: Ints) -> Bools:
    """`[liquidators, CDPs]`: whether a purchase from that CDP, with tokens held and from the pool, meets the least profit now."""
    price, sold_per_usd, kept = m.oracle.price[k], m.sold_per_usd[k], 1.0 - m.commission[k]
    base, asset, discounted = m.pools.base[k], m.pools.asset[k], price * sold_per_usd
    cash, tokens, min_profit = (column[liquidators][:, None] for column in (m.liquidators.cash, m.liquidators.tokens[k], m.min_profit))
    limit = discounted / (1.0 + min_profit)
    purchasable = np.minimum(asset - np.sqrt(base * asset / (kept * limit)), asset * cash / (base + cash)) * kept
    collateral = m.cdps.collateral[cdps]
    wanted = np.minimum(for_sale(m, k, cdps), collateral / discounted)
    held = np.minimum(tokens, wanted)
    bought = np.minimum(wanted - held, purchasable)
    gross = (bought + SLACK) / kept
    cost = np.where(bought > 0.0, np.minimum(base * gross / (asset - gross), cash), 0.0)
    outlay = cost + held * price
    received = np.minimum((held + bought) * discounted, collateral)
    profit = received - outlay - m.cost_usd[liquidators][:, None]
    found: Bools = (profit >= min_profit * outlay) & (held + bought >= UNIT) & (price > m.cdps.called_above[cdps])
    return found


def for_sale(m: Market, k: int, cdps: Ints) -> np.ndarray:
    """Tokens whose purchase restores the minimum ratio; the whole debt where no purchase can."""
    price, min_ratio, sold_per_usd = m.oracle.price[k], m.min_ratio[k], m.sold_per_usd[k]
    collateral, debt = m.cdps.collateral[cdps], m.cdps.debt[cdps]
    if min_ratio <= sold_per_usd:
        return debt
    restoring = (min_ratio * debt * price - collateral) / (price * (min_ratio - sold_per_usd)) + UNIT
    return np.where(collateral > debt * price * sold_per_usd, np.minimum(restoring, debt), debt)


def purchase(m: Market, k: int, a: int, i: int) -> None:
    """Buy what is missing from the pool, bring all tokens to the CDP; only what is for sale is taken."""
    cdps, cash, tokens = m.cdps, m.liquidators.cash, m.liquidators.tokens[k]
    price, kept = m.oracle.price[k], 1.0 - m.commission[k]
    base, asset, discounted = m.pools.base[k], m.pools.asset[k], price * m.sold_per_usd[k]
    amount, collateral = float(for_sale(m, k, np.array([i]))[0]), float(cdps.collateral[i])
    wanted = min(amount, collateral / discounted)
    limit = discounted / (1.0 + m.min_profit[a])
    purchasable = float(min(asset - (base * asset / (kept * limit)) ** 0.5, asset * cash[a] / (base + cash[a])) * kept)
    bought = min(wanted - min(float(tokens[a]), wanted), purchasable)
    if bought > 0.0:
        gross = (bought + SLACK) / kept
        cost = float(min(base * gross / (asset - gross), cash[a]))
        cash[a] -= cost
        tokens[a] += buy(m, k, cost)
    burned = min(float(tokens[a]), amount)
    sold = burned * discounted
    if sold > collateral:
        burned, sold = collateral / discounted, collateral
    tokens[a] -= burned
    cash[a] += sold
    m.totals.liquidations += 1
    m.totals.liquidated_usd += burned * price
    cdps.collateral[i] -= sold
    cdps.debt[i] -= burned
    settle(m, k, i)


def settle(m: Market, k: int, i: int) -> None:
    """End a CDP whose debt or collateral is gone; set the bounds of any other."""
    cdps = m.cdps
    if cdps.debt[i] <= 0.0 or cdps.collateral[i] <= 0.0:
        cdps.cash[i] += cdps.collateral[i]
        cdps.collateral[i] = cdps.debt[i] = 0.0
        cdps.insolvent_above[i] = cdps.called_above[i] = cdps.wakes_above[i] = cdps.due[i] = NEVER
        cdps.wakes_below[i] = -NEVER
        return
    backing = cdps.collateral[i] / cdps.debt[i]
    cdps.insolvent_above[i], cdps.called_above[i] = backing, backing / m.min_ratio[k]
    if cdps.due[i] == NEVER:
        cdps.wakes_above[i], cdps.wakes_below[i] = backing / m.alert[i], backing / m.excess[i]
