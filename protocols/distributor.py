"""The pool owner's rewards distributor: stated shares of the fees go to stated accounts first, the rest to the LPs.

Fees stay in the market that earned them and lower its debt, so they reach the LPs pro rata to their collateral by themselves. What a pool
siphons off is minted to the receivers and owed by the pool's own LPs, so that other pools of the market do not pay for it.

Source: 000_f10a0af1cff63fc7.txt, "LP's, Pools, Markets & Traders" (5% of all fees to the creator of the market, 15% to DTORO stakers); that
fees reach LPs as negative debt, MECHANICS.md section 3, "Fees to LPs".
"""

from __future__ import annotations

from seawall.protocols import ledger, markets
from seawall.protocols.amounts import LIMIT, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import EVERY, Core
from seawall.protocols.shares import distribute
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Table


@rule
def applies(core: Core, i: int, p: int, m: int) -> bool:
    """Tell whether a row of siphons is for a pool's part of a market's fees."""
    return bool(core.siphons[i].pool == p and (core.siphons[i].market == m or core.siphons[i].market == EVERY))


@rule
def total_share(core: Core, p: int, m: int, but_for: int) -> float:
    """Sum of the shares that a pool siphons off a market's fees, but for one row."""
    total = 0.0
    for i in range(len(core.siphons)):
        if i != but_for and applies(core, i, p, m):
            total += core.siphons[i].fee_share
    return total


@rule
def grant(core: Core, i: int, caller: int, p: int, m: int, account: int, fee_share: float) -> Status:
    """Give an account a share of a pool's fees, or take it away.

    Args:
        core: `core.siphons` changed.
        i: row of `core.siphons`: unused, or of the same pool.
        caller: account.
        p: row of `core.pools`.
        m: row of `core.markets`, or EVERY.
        account: which receives; the account of a contract, too.
        fee_share: fraction; 0 takes it away.

    Returns:
        OK, or UNAUTHORIZED (not the pool's owner, or another pool's row), BAD_TERMS (no fraction, or more than all fees of a market in sum)
        with nothing changed.

    Source: 000_f10a0af1cff63fc7.txt, "LP's, Pools, Markets & Traders".
    """
    siphon = core.siphons[i]
    if caller != core.pools[p].owner or (siphon.fee_share > 0.0 and siphon.pool != p):
        return Status.UNAUTHORIZED
    if not 0.0 <= fee_share <= 1.0:
        return Status.BAD_TERMS
    for k in range(len(core.markets)):
        if m in (EVERY, k) and total_share(core, p, k, i) + fee_share > 1.0:
            return Status.BAD_TERMS
    siphon.pool, siphon.market, siphon.account, siphon.fee_share = p, m, account, fee_share
    return Status.OK


@rule
def siphon_off(core: Core, m: int, p: int, tokens: Table, wallets: Floats, fees: float) -> float:
    """Mint a pool's siphoned shares of fees to their receivers, each floored to a unit; the tokens are the sum."""
    paid = 0.0
    for i in range(len(core.siphons)):
        if applies(core, i, p, m):
            amount = floor_amount(fees * core.siphons[i].fee_share)
            ledger.mint(wallets, tokens, core.system[0].usd_token, core.siphons[i].account, amount)
            paid += amount
    return paid


@rule
def distribute_fees(core: Core, m: int, tokens: Table, wallets: Floats, fees: float) -> tuple[Status, float]:
    """Pay the distributors' shares of fees that a market has earned and kept.

    The fees are split among the pools that take part in the market's debt, by their shares, as the debt is.

    Args:
        core: `core.pools` changed.
        m: row of `core.markets`: it has the fees, so that its debt is lower by them.
        tokens: `World.tokens`; supply changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        fees: USD, >= 0.

    Returns:
        (OK, dUSD paid to receivers), 0 when no pool takes part; or (BAD_AMOUNT, SUPPLY_LIMIT; 0) with nothing changed.

    Source: 000_f10a0af1cff63fc7.txt, "LP's, Pools, Markets & Traders".
    """
    if not 0.0 <= fees <= LIMIT:
        return Status.BAD_AMOUNT, 0.0
    if tokens[core.system[0].usd_token].supply + fees > LIMIT:
        return Status.SUPPLY_LIMIT, 0.0
    market, total = core.markets[m], 0.0
    shares = markets.delegated_value(market, core.backings, m)
    for p in range(len(core.pools)):
        backing, pool = core.backings[p, m], core.pools[p]
        if backing.shares > 0.0 and backing.limit > market.value_per_share:
            paid = siphon_off(core, m, p, tokens, wallets, fees * (backing.shares / shares))
            _, pool.value_per_share = distribute(pool.value_per_share, pool.value, paid)
            pool.debt += paid
            total += paid
    return Status.OK, total
