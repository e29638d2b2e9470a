"""Being in the RFQ market or out of it: what an LP has at work, how it takes everything out, how it comes back.

In the book an LP is in with the tokens of its position and with what it accepts; as a solver in auctions with what it accepts, its tokens
being in its wallet; in constant-product pools with its LP tokens. A position is funded in its primary asset alone, so what an LP took out
of other assets stays in its wallet (assumption).
"""

from __future__ import annotations

from seawall.agents.avmm import NUMERAIRE, Avmm, Mechanism
from seawall.agents.avmm_alternatives import pool_of
from seawall.agents.base import tally
from seawall.protocols import amm, rfq_positions
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action
from seawall.protocols.tables import Row

ANY_SLIPPAGE = 1.0


@rule
def is_rfq(v: Avmm) -> bool:
    """Tell whether orders go to the book, where positions hold the LPs' tokens; else they are in wallets or pools."""
    return bool(v.terms[0].mechanism == Mechanism.RFQ.value)


@rule
def has_pool(v: Avmm) -> bool:
    """Tell whether the LPs' tokens are in constant-product pools."""
    return bool(v.terms[0].mechanism == Mechanism.CONSTANT_PRODUCT.value)


@rule
def own_pool(v: Avmm, lp: Row) -> Row:
    """The constant-product pool that an LP provides to: its primary asset's."""
    return pool_of(v, v.book.lps[lp.position].primary, NUMERAIRE)


@rule
def accept(v: Avmm, lp: Row, mask: int) -> None:
    """Take the assets of a bit mask and no others, unless that is so already."""
    position = v.book.lps[lp.position]
    if position.accepts != mask:
        status = rfq_positions.set_accepted(v.book, lp.position, mask, position.uses_pair_ranges)
        tally(v.tallies, Action.RFQ_TERMS, status)


@rule
def is_inside(v: Avmm, lp: Row) -> bool:
    """Tell whether an LP has tokens in its position or its pool, or accepts anything."""
    if has_pool(v):
        return bool(v.wallets[lp.account, own_pool(v, lp).share_token] > 0.0)
    position = v.book.lps[lp.position]
    for asset in range(len(v.book.assets)):
        if v.book.holdings[lp.position, asset].balance > 0.0:
            return True
    return bool(position.is_open and position.accepts != 0)


@rule
def leave(v: Avmm, lp: Row) -> None:
    """Take everything out, and accept nothing."""
    lp.is_out = True
    if has_pool(v):
        pool = own_pool(v, lp)
        shares = v.wallets[lp.account, pool.share_token]
        tally(v.tallies, Action.REDEEM, amm.redeem(pool, v.tokens, v.wallets, lp.account, shares)[0])
        return
    accept(v, lp, 0)
    for asset in range(len(v.book.assets)):
        balance = v.book.holdings[lp.position, asset].balance
        if balance > 0.0:
            tally(v.tallies, Action.RFQ_FUND, rfq_positions.withdraw(v.book, lp.position, asset, v.wallets, balance))


@rule
def come_back(v: Avmm, lp: Row) -> None:
    """Provide what the wallet holds, both sides to the pool or the primary asset to the position, and accept again what it did."""
    lp.is_away = lp.is_out = False
    if has_pool(v):
        pool = own_pool(v, lp)
        base, asset = v.wallets[lp.account, pool.base_token], v.wallets[lp.account, pool.asset_token]
        tally(v.tallies, Action.PROVIDE, amm.provide(pool, v.tokens, v.wallets, lp.account, base, asset, ANY_SLIPPAGE)[0])
        return
    position = v.book.lps[lp.position]
    if not position.is_open:
        return
    accept(v, lp, lp.accepts)
    amount = v.wallets[lp.account, v.book.assets[position.primary].token]
    if is_rfq(v) and amount > 0.0:
        tally(v.tallies, Action.RFQ_FUND, rfq_positions.deposit(v.book, lp.position, v.wallets, amount))
