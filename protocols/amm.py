"""Constant-product pools: a tASSET against tDOLLAR, commission on what is paid out, LP tokens for a share of the reserves.

The reserves are the pool account's balances. The pool never reads the oracle.

Source: 004_7b43fd311786c790.txt (tASSET-tDOLLAR pairs and their LP tokens); arithmetic and rounding from MECHANICS.md section 2 (version
2.9: payout floored, commission rounded up and left in the pool, surplus of a deposit not taken, 1,000 units of the first LP tokens
locked).
"""

from __future__ import annotations

import math

from seawall.protocols import ledger
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount, is_positive_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table

LOCKED_SHARES = 1000.0 * UNIT
ROUNDING = 4.0 * UNIT  # a swap of what `quote_cost` asks may pay out this much less than was wanted


@rule
def quote_swap(offer_reserve: float, ask_reserve: float, offer: float, commission: float) -> tuple[float, float, float]:
    """Payout, commission and spread (loss against the pool's price, commission apart) of a swap, in tokens asked."""
    gross = floor_amount(ask_reserve * offer / (offer_reserve + offer))
    kept = ceil_amount(gross * commission)
    spread = max(floor_amount(offer * ask_reserve / offer_reserve) - gross, 0.0)
    return gross - kept, kept, spread


@rule
def quote_cost(offer_reserve: float, ask_reserve: float, wanted: float, commission: float) -> float:
    """Tokens to offer for a payout of `wanted`, rounded up; infinite when the pool cannot pay that much."""
    gross = wanted / (1.0 - commission)
    if gross >= ask_reserve:
        return float("inf")
    return ceil_amount(offer_reserve * gross / (ask_reserve - gross))


@rule
def zap_amount(base_reserve: float, cash: float) -> float:
    """tDOLLAR out of `cash` to swap, so that what is left and what is received stand in the pool's proportion afterwards.

    Commission apart, s swapped brings the part s/(base + s) of the asset's reserve, and the rest must be that part of what remains of
    both: (cash - s)/(base + s) = s/base, which s = sqrt(base*(base + cash)) - base solves.
    """
    return max(floor_amount(math.sqrt(base_reserve) * math.sqrt(base_reserve + cash) - base_reserve), 0.0)


@rule
def is_spread_within(offer: float, payout: float, spread: float, max_spread: float, belief_price: float) -> bool:
    """Tell whether a swap's price is acceptable; equality is.

    With a belief price (tokens offered per token asked, > 0) the payout must be at least offer/belief*(1-max_spread); with 0 the spread
    may be at most `max_spread` of payout + spread. Source: MECHANICS.md section 2.
    """
    if belief_price > 0.0:
        expected = offer / belief_price
        return (expected - payout) / expected <= max_spread
    return spread <= 0.0 or spread / (payout + spread) <= max_spread


@rule
def price(pool: Row, wallets: Floats) -> float:
    """tDOLLAR per tASSET at the margin, commission apart; NaN for an empty pool."""
    asset = wallets[pool.account, pool.asset_token]
    if asset <= 0.0:
        return math.nan
    return float(wallets[pool.account, pool.base_token] / asset)


@rule
def swap(pool: Row, wallets: Floats, trader: int, offer_token: int, offer: float, max_spread: float) -> tuple[Status, float]:
    """Pay one token of the pair in, take the other out.

    Args:
        pool: row of `World.pools`; fees and volume changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        trader: account.
        offer_token: the pool's base or asset token.
        offer: tokens paid, > 0.
        max_spread: fraction; 1 accepts any price.

    Returns:
        (OK, tokens received), or (BAD_AMOUNT, EMPTY_POOL, INSUFFICIENT_BALANCE, EXCEEDS_MAX_SPREAD; 0) with nothing changed.
    """
    if not is_positive_amount(offer) or (offer_token != pool.base_token and offer_token != pool.asset_token):
        return Status.BAD_AMOUNT, 0.0
    ask_token = pool.asset_token if offer_token == pool.base_token else pool.base_token
    offer_reserve, ask_reserve = wallets[pool.account, offer_token], wallets[pool.account, ask_token]
    if offer_reserve <= 0.0 or ask_reserve <= 0.0:
        return Status.EMPTY_POOL, 0.0
    payout, kept, spread = quote_swap(offer_reserve, ask_reserve, offer, pool.commission)
    payout = max(payout, 0.0)
    # The commission stays in the pool, so for the trader's limit it counts as paid out: the guard is against the spread alone.
    if not is_spread_within(offer, payout + kept, spread, max_spread, 0.0):
        return Status.EXCEEDS_MAX_SPREAD, 0.0
    status = ledger.transfer(wallets, offer_token, trader, pool.account, offer)
    if status != Status.OK:
        return status, 0.0
    ledger.transfer(wallets, ask_token, pool.account, trader, payout)
    if offer_token == pool.base_token:
        pool.fees_asset += kept
        pool.volume_base += offer
    else:
        pool.fees_base += kept
        pool.volume_base += payout
    return Status.OK, payout


@rule
def quote_provide(pool: Row, tokens: Table, wallets: Floats, base: float, asset: float) -> tuple[float, float, float]:
    """LP tokens for a deposit of up to `base` and `asset`, and the amounts that would be taken. Nothing changes."""
    total = tokens[pool.share_token].supply
    if total <= 0.0:
        return floor_amount(math.sqrt(base * asset)) - LOCKED_SHARES, base, asset
    base_reserve, asset_reserve = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    shares = floor_amount(min(base * total / base_reserve, asset * total / asset_reserve))
    taken_base = min(base, ceil_amount(shares * base_reserve / total))
    taken_asset = min(asset, ceil_amount(shares * asset_reserve / total))
    return shares, taken_base, taken_asset


@rule
def is_slippage_within(pool: Row, wallets: Floats, base: float, asset: float, max_slippage: float) -> bool:
    """Tell whether a deposit's proportion is within `max_slippage` (fraction) of the reserves' proportion; an empty pool takes any.

    Source: MECHANICS.md section 2.
    """
    base_reserve, asset_reserve = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    if base_reserve <= 0.0 or asset_reserve <= 0.0:
        return True
    offered, held = base * asset_reserve, asset * base_reserve
    return abs(offered - held) / max(offered, held) <= max_slippage


@rule
def provide(pool: Row, tokens: Table, wallets: Floats, lp: int, base: float, asset: float, max_slippage: float) -> tuple[Status, float]:
    """Add liquidity and receive LP tokens; the surplus of the larger side stays with the LP.

    Args:
        pool: row of `World.pools`.
        tokens: `World.tokens`; supply of the LP token changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        lp: account.
        base: tDOLLAR offered at most, > 0.
        asset: tASSET tokens offered at most, > 0.
        max_slippage: fraction by which the deposit's proportion may differ from the reserves'; 1 accepts any.

    Returns:
        (OK, LP tokens received), or (BAD_AMOUNT, EXCEEDS_MAX_SLIPPAGE, INSUFFICIENT_BALANCE, SUPPLY_LIMIT; 0) with nothing changed.
        BAD_AMOUNT also when the deposit is worth no LP token (a first deposit must exceed the locked ones).
    """
    if not (is_positive_amount(base) and is_positive_amount(asset)):
        return Status.BAD_AMOUNT, 0.0
    if not is_slippage_within(pool, wallets, base, asset, max_slippage):
        return Status.EXCEEDS_MAX_SLIPPAGE, 0.0
    first = tokens[pool.share_token].supply <= 0.0
    shares, base_taken, asset_taken = quote_provide(pool, tokens, wallets, base, asset)
    if shares <= 0.0:
        return Status.BAD_AMOUNT, 0.0
    if wallets[lp, pool.base_token] < base_taken or wallets[lp, pool.asset_token] < asset_taken:
        return Status.INSUFFICIENT_BALANCE, 0.0
    status = ledger.mint(wallets, tokens, pool.share_token, lp, shares)
    if status != Status.OK:
        return status, 0.0
    if first:
        ledger.mint(wallets, tokens, pool.share_token, pool.account, LOCKED_SHARES)
    ledger.transfer(wallets, pool.base_token, lp, pool.account, base_taken)
    ledger.transfer(wallets, pool.asset_token, lp, pool.account, asset_taken)
    return Status.OK, shares


@rule
def redeem(pool: Row, tokens: Table, wallets: Floats, lp: int, shares: float) -> tuple[Status, float, float]:
    """Burn LP tokens and take their part of both reserves.

    Returns:
        (OK, tDOLLAR, tASSET tokens received), or (BAD_AMOUNT, INSUFFICIENT_BALANCE; 0, 0) with nothing changed.
    """
    if not is_positive_amount(shares):
        return Status.BAD_AMOUNT, 0.0, 0.0
    total = tokens[pool.share_token].supply
    if wallets[lp, pool.share_token] < shares:
        return Status.INSUFFICIENT_BALANCE, 0.0, 0.0
    base = floor_amount(wallets[pool.account, pool.base_token] * shares / total)
    asset = floor_amount(wallets[pool.account, pool.asset_token] * shares / total)
    ledger.burn(wallets, tokens, pool.share_token, lp, shares)
    ledger.transfer(wallets, pool.base_token, pool.account, lp, base)
    ledger.transfer(wallets, pool.asset_token, pool.account, lp, asset)
    return Status.OK, base, asset
