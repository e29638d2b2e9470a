"""The ground job as one compiled loop over plain float64 arrays, as tight as a good programmer would write it by hand for this job alone.

One function plays all rounds; it calls no rule. The events are Seawall's: publications, orders, arbitrage, alerts and top-ups, use of
excess collateral, margin calls, purchases, LPs leaving and coming back, and the shortfall of each round. Who goes first is drawn by the
same hash, so that the figures agree with Seawall's but for rounding. Compiled as Seawall is: without fast-math.

Written for speed: CDPs of a tASSET stand together; the prices at which an owner wakes, a margin call starts or a CDP becomes insolvent
stand in arrays of their own and change only when the CDP does; each round scans all of them in order. Liquidators skip a tASSET in which
they can buy nothing.

What it leaves out, and only Seawall does: the ledger (balances of contracts, supplies, the check of the books), rounding to units, answers
of contracts and their tallies, reasons, list of events, records, figures by tASSET, histograms of ratios, scripted rows, and the general
terms that this job does not use (fees of auctions, whole liquidation, exits of owners, errors and lags of feeds).
"""

from __future__ import annotations

import math

import numba
import numpy as np
from peers.job import Job
from peers.outcome import Outcome

NEVER = np.inf
UNIT = 2.0**-20
SLACK = 4.0 * UNIT  # bought beside what is needed, so that a purchase of all collateral leaves no crumb


@numba.njit(nogil=True, error_model="numpy", inline="always")
def _scatter(number):
    number &= 0xFFFFFFFF
    number = (((number >> 16) ^ number) * 0x45D9F3B) & 0xFFFFFFFF
    number = (((number >> 16) ^ number) * 0x45D9F3B) & 0xFFFFFFFF
    return (number >> 16) ^ number


@numba.njit(nogil=True, error_model="numpy")
def play(m: Job, steps: int) -> tuple[int, float, float, float, int, float, float, float]:  # noqa: PLR0912, PLR0915 - one function on purpose
    """Play the first rounds; the arrays are changed. Returns the figures of an `Outcome`."""
    kinds, cdps = len(m.terms), len(m.debt)
    arbitrageurs, liquidators, lps = len(m.min_edge), len(m.liquidator), len(m.lp)
    # Prices at which something happens to a CDP, and when its owner comes back; an owner with an appointment does not look at prices.
    wakes_above, wakes_below, due = np.empty(cdps), np.empty(cdps), m.minter[:, 4].copy()
    called_above, insolvent_above = np.empty(cdps), np.empty(cdps)
    kind = np.empty(cdps, np.int64)
    for k in range(kinds):
        for i in range(m.first[k], m.first[k + 1]):
            kind[i] = k
            backing = m.collateral[i] / m.debt[i]
            insolvent_above[i], called_above[i] = backing, backing / m.terms[k, 0]
            wakes_above[i], wakes_below[i] = backing / m.minter[i, 1], backing / m.minter[i, 2]
    keys = np.empty(max(cdps, arbitrageurs, liquidators, lps), np.int64)
    called, called_first = np.empty(cdps, np.int64), np.zeros(kinds + 1, np.int64)
    liquidations, liquidated_usd, shortfall_peak, insolvent_peak = 0, 0.0, 0.0, 0
    volume, fees_base, fees_asset = 0.0, 0.0, np.zeros(kinds)
    total_collateral, total_debt = np.zeros(kinds), np.zeros(kinds)
    lowest_ratio = NEVER
    for k in range(kinds):
        total_collateral[k] = m.collateral[m.first[k] : m.first[k + 1]].sum()
        total_debt[k] = m.debt[m.first[k] : m.first[k + 1]].sum()

    for step in range(1, steps + 1):
        now = step * m.step_seconds
        salt = _scatter(m.order_seed ^ _scatter(step))

        # oracle feeders
        for k in range(kinds):
            if m.can_publish[step, k]:
                seen = m.market_price[step, k]
                if now - m.oracle[k, 1] >= m.feeder[k, 0] or abs(seen / m.oracle[k, 0] - 1.0) >= m.feeder[k, 1]:
                    m.oracle[k, 0], m.oracle[k, 1] = seen, now

        # orders
        for j in range(m.order_start[step], m.order_start[step + 1]):
            a, k, usd = m.order_trader[j], m.order_pool[j], m.order_usd[j]
            base, asset = m.pool[k, 0], m.pool[k, 1]
            if m.order_sells[j]:
                offer = usd * asset / base
                gross = base * offer / (asset + offer)
                loss = offer * base / asset - gross
                if offer <= m.trader_tokens[a, k] and loss <= (gross + loss) * m.max_spread[a]:
                    kept = gross * m.terms[k, 3]
                    m.trader_tokens[a, k] -= offer
                    m.trader_cash[a] += gross - kept
                    m.pool[k, 0], m.pool[k, 1] = base - gross + kept, asset + offer
                    fees_base += kept
                    volume += gross - kept
            else:
                gross = asset * usd / (base + usd)
                loss = usd * asset / base - gross
                if usd <= m.trader_cash[a] and loss <= (gross + loss) * m.max_spread[a]:
                    kept = gross * m.terms[k, 3]
                    m.trader_cash[a] -= usd
                    m.trader_tokens[a, k] += gross - kept
                    m.pool[k, 0], m.pool[k, 1] = base + usd, asset - gross + kept
                    fees_asset[k] += kept
                    volume += usd

        # arbitrageurs
        for i in range(arbitrageurs):
            keys[i] = (_scatter(salt + i) & 0x7FFFFFFF) << 31 | i
        keys[:arbitrageurs].sort()
        for n in range(arbitrageurs):
            a = keys[n] & 0x7FFFFFFF
            for k in range(kinds):
                if now - m.oracle[k, 1] > m.terms[k, 4]:
                    continue
                base, asset = m.pool[k, 0], m.pool[k, 1]
                low, high = m.oracle[k, 0] * (1.0 - m.min_edge[a]), m.oracle[k, 0] * (1.0 + m.min_edge[a])
                if base < low * asset:
                    offer = min(math.sqrt(base * asset * low) - base, m.arbitrageur_cash[a])
                    if offer >= UNIT:
                        gross = asset * offer / (base + offer)
                        kept = gross * m.terms[k, 3]
                        m.arbitrageur_cash[a] -= offer
                        m.arbitrageur_tokens[a, k] += gross - kept
                        m.pool[k, 0], m.pool[k, 1] = base + offer, asset - gross + kept
                        fees_asset[k] += kept
                        volume += offer
                elif base > high * asset:
                    offer = min(math.sqrt(base * asset / high) - asset, m.arbitrageur_tokens[a, k])
                    if offer >= UNIT:
                        gross = base * offer / (asset + offer)
                        kept = gross * m.terms[k, 3]
                        m.arbitrageur_tokens[a, k] -= offer
                        m.arbitrageur_cash[a] += gross - kept
                        m.pool[k, 0], m.pool[k, 1] = base - gross + kept, asset + offer
                        fees_base += kept
                        volume += gross - kept

        # minters
        woken = 0
        for k in range(kinds):
            price = m.oracle[k, 0]
            for i in range(m.first[k], m.first[k + 1]):
                if price > wakes_above[i] or price < wakes_below[i] or now >= due[i]:
                    keys[woken] = i
                    woken += 1
        if woken > 1:
            for n in range(woken):
                keys[n] |= (_scatter(salt + keys[n]) & 0x7FFFFFFF) << 31
            keys[:woken].sort()
        for n in range(woken):
            i = keys[n] & 0x7FFFFFFF
            k = kind[i]
            price, target, alert, excess = m.oracle[k, 0], m.minter[i, 0], m.minter[i, 1], m.minter[i, 2]
            value = m.debt[i] * price
            is_low, is_high = m.collateral[i] < alert * value, m.collateral[i] > excess * value
            if is_low and due[i] == NEVER and m.minter[i, 3] > 0.0:
                due[i] = now + m.minter[i, 3]
                wakes_above[i], wakes_below[i] = NEVER, -NEVER
                continue
            if now - m.oracle[k, 1] <= m.terms[k, 4]:
                collateral_before, debt_before = m.collateral[i], m.debt[i]
                if is_low:
                    needed = target * value - m.collateral[i]
                    cash = min(needed, m.minter_cash[i])
                    m.minter_cash[i] -= cash
                    m.collateral[i] += cash
                    if cash < needed:
                        kept = min(m.debt[i] - m.collateral[i] / (target * price), m.minter_tokens[i])
                        m.minter_tokens[i] -= kept
                        m.debt[i] -= kept
                elif is_high and m.relevers[i]:
                    offer = m.collateral[i] / (target * price) - m.debt[i]
                    base, asset = m.pool[k, 0], m.pool[k, 1]
                    gross = base * offer / (asset + offer)
                    kept = gross * m.terms[k, 3]
                    m.debt[i] += offer
                    m.minter_cash[i] += gross - kept
                    m.pool[k, 0], m.pool[k, 1] = base - gross + kept, asset + offer
                    fees_base += kept
                    volume += gross - kept
                elif is_high:
                    spare = m.collateral[i] - target * value
                    m.collateral[i] -= spare
                    m.minter_cash[i] += spare * (1.0 - m.terms[k, 2])
                total_collateral[k] += m.collateral[i] - collateral_before
                total_debt[k] += m.debt[i] - debt_before
            value = m.debt[i] * price
            backing = m.collateral[i] / m.debt[i]
            insolvent_above[i], called_above[i] = backing, backing / m.terms[k, 0]
            if m.collateral[i] < alert * value or m.collateral[i] > excess * value:
                due[i] = now + max(m.minter[i, 3], m.step_seconds)
                wakes_above[i], wakes_below[i] = NEVER, -NEVER
            else:
                due[i] = NEVER
                wakes_above[i], wakes_below[i] = backing / alert, backing / excess

        # liquidators
        count = 0
        for k in range(kinds):
            called_first[k] = count
            price = m.oracle[k, 0]
            for i in range(m.first[k], m.first[k + 1]):
                if price > called_above[i]:
                    called[count] = i
                    count += 1
        called_first[kinds] = count
        if count > 0:
            for i in range(liquidators):
                keys[i] = (_scatter(salt + i) & 0x7FFFFFFF) << 31 | i
            keys[:liquidators].sort()
            for n in range(liquidators):
                a = keys[n] & 0x7FFFFFFF
                min_profit, cost_usd = m.liquidator[a, 0], m.liquidator[a, 1]
                for k in range(kinds):
                    if called_first[k] == called_first[k + 1] or now - m.oracle[k, 1] > m.terms[k, 4]:
                        continue
                    price, min_ratio, commission = m.oracle[k, 0], m.terms[k, 0], m.terms[k, 3]
                    sold_per_usd = 1.0 / (1.0 - m.terms[k, 1])
                    discounted = price * sold_per_usd
                    seen, purchasable = False, 0.0
                    for c in range(called_first[k], called_first[k + 1]):
                        i = called[c]
                        if price <= called_above[i]:
                            continue
                        base, asset = m.pool[k, 0], m.pool[k, 1]
                        if not seen:
                            seen = True
                            limit = discounted / (1.0 + min_profit)
                            gross = asset - math.sqrt(base * asset / ((1.0 - commission) * limit))
                            affordable = asset * m.liquidator_cash[a] / (base + m.liquidator_cash[a])
                            purchasable = min(gross, affordable) * (1.0 - commission)
                        if purchasable <= 0.0 and m.liquidator_tokens[a, k] <= 0.0:
                            break
                        collateral, debt = m.collateral[i], m.debt[i]
                        value = debt * price
                        for_sale = debt
                        if min_ratio > sold_per_usd and collateral > value * sold_per_usd:
                            for_sale = min((min_ratio * value - collateral) / (price * (min_ratio - sold_per_usd)) + UNIT, debt)
                        wanted = min(for_sale, collateral / discounted)
                        held = min(m.liquidator_tokens[a, k], wanted)
                        bought = min(wanted - held, purchasable)
                        cost = 0.0
                        if bought > 0.0:
                            gross = (bought + SLACK) / (1.0 - commission)
                            cost = min(base * gross / (asset - gross), m.liquidator_cash[a])
                        outlay = cost + held * price
                        received = min((held + bought) * discounted, collateral)
                        if held + bought < UNIT or received - outlay - cost_usd < min_profit * outlay:
                            continue
                        if cost > 0.0:
                            gross = asset * cost / (base + cost)
                            kept = gross * commission
                            m.liquidator_cash[a] -= cost
                            m.liquidator_tokens[a, k] += gross - kept
                            m.pool[k, 0], m.pool[k, 1] = base + cost, asset - gross + kept
                            fees_asset[k] += kept
                            volume += cost
                        burned = min(m.liquidator_tokens[a, k], for_sale)
                        sold = burned * discounted
                        if sold > collateral:
                            burned, sold = collateral / discounted, collateral
                        m.liquidator_tokens[a, k] -= burned
                        m.liquidator_cash[a] += sold
                        liquidations += 1
                        liquidated_usd += burned * price
                        seen = False
                        m.collateral[i], m.debt[i] = collateral - sold, debt - burned
                        if m.debt[i] <= 0.0 or m.collateral[i] <= 0.0:
                            m.minter_cash[i] += m.collateral[i]
                            m.collateral[i] = m.debt[i] = 0.0
                            insolvent_above[i] = called_above[i] = wakes_above[i] = due[i] = NEVER
                            wakes_below[i] = -NEVER
                        else:
                            backing = m.collateral[i] / m.debt[i]
                            insolvent_above[i], called_above[i] = backing, backing / min_ratio
                            if due[i] == NEVER:
                                wakes_above[i], wakes_below[i] = backing / m.minter[i, 1], backing / m.minter[i, 2]
                        total_collateral[k] += m.collateral[i] - collateral
                        total_debt[k] += m.debt[i] - debt

        # liquidity providers
        for i in range(lps):
            if m.lp[i, 0] == NEVER and m.lp[i, 1] == NEVER:
                continue
            k = m.lp_pool[i]
            base, asset, shares = m.pool[k, 0], m.pool[k, 1], m.pool[k, 2]
            if abs(base / (asset * m.oracle[k, 0]) - 1.0) > m.lp[i, 0] or now - m.oracle[k, 1] > m.lp[i, 1]:
                m.lp[i, 3] = NEVER
                if m.lp_shares[i] > 0.0:
                    part = m.lp_shares[i] / shares
                    m.lp_cash[i] += base * part
                    m.lp_tokens[i] += asset * part
                    m.pool[k, 0], m.pool[k, 1], m.pool[k, 2] = base - base * part, asset - asset * part, shares - m.lp_shares[i]
                    m.lp_shares[i] = 0.0
            elif m.lp_shares[i] <= 0.0:
                if m.lp[i, 3] == NEVER:
                    m.lp[i, 3] = now
                elif now - m.lp[i, 3] >= m.lp[i, 2]:
                    part = min(m.lp_cash[i] / base, m.lp_tokens[i] / asset)
                    m.lp_cash[i] -= part * base
                    m.lp_tokens[i] -= part * asset
                    m.lp_shares[i] = part * shares
                    m.pool[k, 0], m.pool[k, 1], m.pool[k, 2] = base + part * base, asset + part * asset, shares + part * shares
                    m.lp[i, 3] = NEVER

        # shortfall at the market's price
        shortfall, insolvent, all_collateral, all_debt = 0.0, 0, 0.0, 0.0
        for k in range(kinds):
            price = m.market_price[step, k]
            for i in range(m.first[k], m.first[k + 1]):
                if price > insolvent_above[i]:
                    shortfall += m.debt[i] * price - m.collateral[i]
                    insolvent += 1
            all_collateral += total_collateral[k]
            all_debt += total_debt[k] * price
        shortfall_peak, insolvent_peak = max(shortfall_peak, shortfall), max(insolvent_peak, insolvent)
        lowest_ratio = min(lowest_ratio, all_collateral / all_debt)

    debt_usd = (total_debt * m.market_price[steps]).sum()
    fees_usd = fees_base + (fees_asset * m.market_price[steps]).sum()
    return liquidations, liquidated_usd, debt_usd, shortfall_peak, insolvent_peak, lowest_ratio, volume, fees_usd


def run(job: Job, rounds: int) -> Outcome:
    """Play the first rounds of a job; its arrays are changed."""
    return Outcome(*play(job, rounds))
