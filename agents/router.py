"""The best of pool and RFQ book: how the tASSET market's agents trade where a scenario has both.

A swap goes to the pool until the pool's next token costs what the book asks, then to the book, and what the book cannot fill back to the
pool. Arbitrageurs and liquidators refill on the book what they are short of, where that pays. Without an RFQ market (`v` is None)
everything goes to the pool.

Source: 001_e37e2646f2495a8d.txt for the book's prices and fees; the split between venues is an assumption (what an aggregator does).
"""

from __future__ import annotations

import math

from seawall.agents.avmm import Avmm
from seawall.agents.avmm_desk import ask, asset_of, trade
from seawall.agents.base import tally
from seawall.protocols import amm
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.rfq_tables import NONE
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Floats, Ints, Row

ANY_SPREAD = 1.0


@rule
def pool_part(pool: Row, wallets: Floats, offer_token: int, unit_cost: float, offer: float) -> float:
    """How much of an offer a pool takes until the next token asked costs `unit_cost` tokens offered, commission included.

    After x offered the next token costs (R + x)**2 / (R * A * (1 - commission)) with reserves R offered and A asked; solved for x.
    """
    ask_token = pool.asset_token if offer_token == pool.base_token else pool.base_token
    reserve, asked = wallets[pool.account, offer_token], wallets[pool.account, ask_token]
    taken = math.sqrt(reserve) * math.sqrt(asked * (1.0 - pool.commission) * unit_cost) - reserve
    return min(max(floor_amount(taken), 0.0), offer)


@rule
def swap_on_pool(pool: Row, wallets: Floats, tallies: Ints, account: int, offer_token: int, offer: float, max_spread: float) -> Status:
    """Swap on a pool, counted."""
    status = amm.swap(pool, wallets, account, offer_token, offer, max_spread)[0]
    tally(tallies, Action.SWAP, status)
    return status


@rule
def swap_best(
    v: Avmm | None, pool: Row, wallets: Floats, tallies: Ints, account: int, offer_token: int, offer: float, max_spread: float
) -> Status:
    """Swap on pool and book, whichever is cheaper token by token; every answer is counted.

    Args:
        v: the RFQ market, or None.
        pool: row of `World.pools`.
        wallets: `[accounts, tokens]`.
        tallies: `[actions, statuses]`.
        account: who swaps.
        offer_token: one of the pool's two tokens.
        offer: tokens paid.
        max_spread: fraction: slippage on the pool at which what the book does not take is called off.

    Returns:
        OK if anything was swapped, else why not.
    """
    if v is not None:
        ask_token = pool.asset_token if offer_token == pool.base_token else pool.base_token
        inbound, outbound = asset_of(v, offer_token), asset_of(v, ask_token)
        if inbound != NONE and outbound != NONE:
            status, received, paid = ask(v, account, inbound, outbound, offer)
            if status == Status.OK and received > 0.0:
                return _split(v, pool, wallets, tallies, account, offer_token, offer, max_spread, paid / received)
    return swap_on_pool(pool, wallets, tallies, account, offer_token, offer, max_spread)


@rule
def _split(
    v: Avmm,
    pool: Row,
    wallets: Floats,
    tallies: Ints,
    account: int,
    offer_token: int,
    offer: float,
    max_spread: float,
    unit_cost: float,
) -> Status:
    """Pool up to the book's price, then the book, then the pool again."""
    ask_token = pool.asset_token if offer_token == pool.base_token else pool.base_token
    left, done = offer, Status.BAD_AMOUNT
    cheap = pool_part(pool, wallets, offer_token, unit_cost, offer)
    if cheap >= UNIT and swap_on_pool(pool, wallets, tallies, account, offer_token, cheap, ANY_SPREAD) == Status.OK:
        left, done = left - cheap, Status.OK
    if left >= UNIT:
        status, _, paid = trade(v, account, asset_of(v, offer_token), asset_of(v, ask_token), left)
        if status == Status.OK:
            left, done = left - paid, Status.OK
    if left >= UNIT:
        status = swap_on_pool(pool, wallets, tallies, account, offer_token, left, max_spread)
        if done != Status.OK:
            done = status
    return done


@rule
def refill(v: Avmm, account: int, pay_token: int, wanted_token: int, wanted: float, most: float, most_per_token: float) -> float:
    """Buy tokens on the book if a token costs no more than a limit, fees included; nothing otherwise.

    Args:
        v: the RFQ market; changed.
        account: who buys.
        pay_token: row of tokens.
        wanted_token: row of tokens.
        wanted: tokens to be received.
        most: tokens paid, at most.
        most_per_token: tokens paid per token received, at most.

    Returns:
        Tokens received.
    """
    inbound, outbound = asset_of(v, pay_token), asset_of(v, wanted_token)
    if inbound == NONE or outbound == NONE or wanted < UNIT or most < UNIT:
        return 0.0
    status, received, paid = ask(v, account, inbound, outbound, most)
    if status != Status.OK or paid > most_per_token * received:
        return 0.0
    return trade(v, account, inbound, outbound, min(most, ceil_amount(wanted * paid / received)))[1]
