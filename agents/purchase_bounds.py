"""What a purchase from a margin-called CDP costs, how many tokens it can use and what it can earn at most.

Both bounds on what it earns tell, from one look at wallet and pool, whether the CDPs of a tASSET are worth a look. `greatest_gain` leaves
roundings out of account. A purchase has to pay for them, and where it costs little beside a unit of the token, as where CDPs are many and
small, they decide: `cannot_pay` reckons with them.
"""

from __future__ import annotations

import math

from seawall.protocols import amm, auction
from seawall.protocols.amounts import ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.tables import TDOLLAR, Floats, Row

SURELY = 1.0 + 1e-9  # more than the error of a few products


@rule
def purchase_cost(liquidator: Row) -> float:
    """USD of gas for a purchase now."""
    return float(liquidator.cost_usd * liquidator.gas_factor)


@rule
def wanted_tokens(position: Row, tasset: Row, price: float) -> float:
    """Tokens that one purchase can use at a price in collateral per token: what is for sale, or what the collateral is worth if less."""
    worth = ceil_amount(position.collateral * (1.0 - tasset.auction_discount) / price)
    return min(auction.amount_for_sale(position, tasset, price), worth)


@rule
def profitable_tokens(base: float, asset: float, commission: float, limit_price: float) -> float:
    """Tokens to take from a pool until the next one costs `limit_price` tDOLLAR; 0 when the first costs more.

    Marginal cost after g tokens (before commission c): base*asset/((asset-g)**2*(1-c)); set equal to the limit and solved for g.
    """
    gross = asset - math.sqrt(base / ((1.0 - commission) * limit_price)) * math.sqrt(asset)
    return max(floor_amount(gross * (1.0 - commission)), 0.0)


@rule
def affordable_tokens(base: float, asset: float, commission: float, cash: float) -> float:
    """Tokens that a pool pays out for `cash` tDOLLAR."""
    return max(amm.quote_swap(base, asset, cash, commission)[0], 0.0)


@rule
def purchasable_tokens(liquidator: Row, tasset: Row, pool: Row, wallets: Floats, price: float) -> float:
    """Tokens that the pool sells at a profit, collateral at the oracle's price, as far as the cash goes."""
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    if not liquidator.uses_pool or base <= 0.0 or asset <= 0.0:
        return 0.0
    limit = price / (1.0 - tasset.auction_discount) * (1.0 - tasset.auction_fee) / (1.0 + liquidator.min_profit)
    if base > asset * (1.0 - pool.commission) * limit * SURELY:  # the first token costs more, and no root need be drawn to see it
        return 0.0
    profitable = profitable_tokens(base, asset, pool.commission, limit)
    return min(profitable, affordable_tokens(base, asset, pool.commission, wallets[liquidator.account, TDOLLAR]))


@rule
def greatest_gain(liquidator: Row, tasset: Row, pool: Row, wallets: Floats, price: float, purchasable: float) -> float:
    """USD that a purchase from any CDP of a tASSET can earn at most, beyond `min_profit` and before its cost.

    Collateral counts at the oracle's price: the most that tDOLLAR earns; another tASSET may fetch more on its pool, which is not looked
    for. Each token purchasable earns more than `min_profit`, so the most tokens earn the most.
    """
    payoff = price / (1.0 - tasset.auction_discount) * (1.0 - tasset.auction_fee)
    gain = wallets[liquidator.account, tasset.token] * max(payoff - price * (1.0 + liquidator.min_profit), 0.0)
    if purchasable <= 0.0:
        return gain
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    gross = purchasable / (1.0 - pool.commission)
    return gain + payoff * purchasable - base * gross / (asset - gross) * (1.0 + liquidator.min_profit)


@rule
def cannot_pay(liquidator: Row, tasset: Row, pool: Row, wallets: Floats, price: float, purchasable: float) -> bool:
    """Tell whether no purchase from any CDP of a tASSET against tDOLLAR pays, for sure: whatever it can use, and whatever is rounded.

    Whoever brings b tokens from the pool pays for b + ROUNDING (`liquidator.plan`). x tokens before commission c cost base*x/(asset-x); at
    a payoff p per token, (1+min_profit) times that leaves at most (sqrt(p*(1-c)*asset) - sqrt((1+min_profit)*base))**2, of which
    p*ROUNDING is lost. Where a purchase nearly pays, none of its sums is more than what its tokens bring, so that bounds the error of all;
    but not where the pool is nearly emptied, of which nothing is said, nor where cash is the limit, for then ROUNDING is not paid for.
    """
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    held, cash = wallets[liquidator.account, tasset.token], wallets[liquidator.account, TDOLLAR]
    if purchasable <= 0.0 or purchasable / (1.0 - pool.commission) > asset / 2.0:
        return False
    if amm.quote_cost(base, asset, purchasable + amm.ROUNDING, pool.commission) > cash:
        return False
    payoff, outlay = price / (1.0 - tasset.auction_discount) * (1.0 - tasset.auction_fee), 1.0 + liquidator.min_profit
    root = math.sqrt(payoff * (1.0 - pool.commission)) * math.sqrt(asset) - math.sqrt(outlay) * math.sqrt(base)
    gain = held * max(payoff - price * outlay, 0.0) + max(root * root - payoff * amm.ROUNDING, 0.0)
    return bool(gain + (SURELY - 1.0) * payoff * (held + purchasable + amm.ROUNDING) < purchase_cost(liquidator))
