"""LPs of the exchange: choose a pool by yield, risk and trust in its owner, move, and leave when they fear.

At each look an LP compares pools by `yield_weight * yield - risk_weight * risk + trust_weight * trust` and moves if another one is better
by its hurdle. When its debt is more than `fear` of its collateral it burns what dUSD it has and leaves, if the contracts let it; so does
one whom a drain of liquidity frightens, whatever its debt, at each look while that lasts. A credit (negative debt) it mints and keeps:
that is how it takes its profit. One who borrows mints dUSD down to its borrow ratio, and burns when the ratio falls to half-way between
that and the liquidation ratio. Weights and thresholds are assumptions; that LPs delegate to pools and may leave: 000_f10a0af1cff63fc7.txt,
"What is DexToro Liquidity?".
"""

from __future__ import annotations

import math

from seawall.agents.base import ExchangeAgent, draw_order, tally
from seawall.agents.departures import send_away
from seawall.agents.exchange import SIZE, Exchange, core_in, core_of
from seawall.protocols import delegation, issuance, rewards, vaults
from seawall.protocols.amounts import floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import EVERY
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Ints, Row

INFINITE = float("inf")


@rule
def position_row(x: Exchange, index: int, pool: int) -> int:
    """Row of positions of an LP (row of liquidity_lps) in a pool."""
    return index * len(x.pools) + pool


@rule
def score(x: Exchange, lp: Row, p: int) -> float:
    """What a pool is worth to an LP, per year."""
    memory, trust = x.pool_memory[p], 0.0
    for i in range(len(x.pool_owners)):
        if x.pool_owners[i].pool == p:
            trust = x.pool_owners[i].trust
    return float(lp.yield_weight * memory.yield_mean - lp.risk_weight * math.sqrt(memory.yield_square) + lp.trust_weight * trust)


@rule
def best_pool(x: Exchange, lp: Row) -> int:
    """The pool that the LP likes best; its own unless another is better by the hurdle."""
    best, most = lp.pool, score(x, lp, lp.pool) + lp.hurdle
    for p in range(len(x.pools)):
        if p != lp.pool and score(x, lp, p) > most:
            best, most = p, score(x, lp, p)
    return int(best)


@rule
def repay(x: Exchange, lp: Row, position: Row, debt: float, now: float) -> None:
    """Burn dUSD against a debt, as far as the wallet goes."""
    amount = min(floor_amount(debt), x.wallets[lp.account, x.system[0].usd_token])
    if amount > 0.0:
        status, repaid = issuance.burn_usd(core_of(x), position, x.tokens, x.wallets, amount, now)
        tally(x.tallies, Action.BURN_USD, status)
        x.pool_memory[position.pool].last_debt -= repaid  # a loan repaid is no yield


@rule
def flee(x: Exchange, lp: Row, position: Row, debt: float, now: float) -> None:
    """Repay and take all collateral back; where the contracts refuse (credit locked, too early, a debt left), try at the next look."""
    core = core_of(x)
    if debt > 0.0:
        repay(x, lp, position, debt, now)
    status = delegation.delegate(core, position, 0.0, now)
    tally(x.tallies, Action.UNDELEGATE, status)
    if status == Status.OK:
        free = x.deposits[lp.account, lp.collateral_type]
        delegation.withdraw(core, x.wallets, lp.account, lp.collateral_type, free)
        lp.pool = -1


@rule
def move(x: Exchange, lp: Row, index: int, target: int, now: float) -> None:
    """Take collateral and debt to another pool."""
    source, goal = x.positions[position_row(x, index, lp.pool)], x.positions[position_row(x, index, target)]
    debt = vaults.position_debt(core_of(x), source)
    status = delegation.migrate(core_of(x), source, goal, now)
    tally(x.tallies, Action.MOVE_POOL, status)
    if status == Status.OK:
        x.pool_memory[lp.pool].last_debt -= debt
        x.pool_memory[target].last_debt += debt
        lp.pool = target


@rule
def mind_loan(x: Exchange, lp: Row, position: Row, value: float, debt: float, now: float) -> None:
    """Mint what is a credit, or up to the borrow ratio; burn where the ratio has fallen half-way to the liquidation ratio."""
    core, kind = core_of(x), x.collateral_types[lp.collateral_type]
    allowed = value / lp.borrow_ratio if lp.borrow_ratio < INFINITE else 0.0
    low = (lp.borrow_ratio + kind.liquidation_ratio) / 2.0
    if debt > 0.0 and lp.borrow_ratio < INFINITE and value / debt < low:
        repay(x, lp, position, debt - allowed, now)
    elif floor_amount(max(allowed - debt, 0.0)) > 0.01 * value:  # less is not worth a transaction
        amount = floor_amount(allowed - debt)
        status = issuance.mint_usd(core, position, x.tokens, x.wallets, amount, now)
        tally(x.tallies, Action.MINT_USD, status)
        if status == Status.OK:
            x.pool_memory[position.pool].last_debt += amount  # a loan taken is no loss


@rule
def claim_rewards(x: Exchange, lp: Row, position: Row, now: float) -> None:
    """Claim what the streams of the LP's vault hold for it."""
    core = core_of(x)
    for s in range(len(x.streams)):
        stream = x.streams[s]
        if stream.pool == position.pool and (stream.collateral_type == EVERY or stream.collateral_type == position.collateral_type):
            tally(x.tallies, Action.CLAIM_REWARD, rewards.claim(core, position, s, x.wallets, now)[0])


@rule
def look_through(x: Exchange, rows: Ints, count: int, block: int) -> int:
    """Add the LPs of a block whose time to look has come to `rows`; note when the next will, or has. Return how many rows there are."""
    now, next_look = x.clock[0].now, INFINITE
    for i in range(block * SIZE, min((block + 1) * SIZE, len(x.liquidity_lps))):
        look_at = x.liquidity_lps[i].look_at
        next_look = min(next_look, look_at)
        if now >= look_at:
            rows[count] = i
            count += 1
    x.lp_blocks[block].next_look = next_look
    return count


@rule
def order(x: Exchange, rows: Ints) -> int:
    """Fill `rows` with the LPs whose time to look has come, in the order drawn for the round; return how many."""
    clock, count = x.clock[0], 0
    send_away(x.departures, x.liquidity_lps, clock.step)
    for block in range(len(x.lp_blocks)):
        if clock.now >= x.lp_blocks[block].next_look:
            count = look_through(x, rows, count, block)
    draw_order(rows, count, clock.order_seed, clock.step)
    return count


@rule
def act(x: Exchange, index: int) -> None:
    """Look at debt, pools and loan, and do what they call for."""
    lp, now = x.liquidity_lps[index], x.clock[0].now
    if now < lp.look_at:
        return
    lp.look_at = now + lp.look_every
    lp.is_away = lp.is_away and now < lp.away_until
    if lp.pool < 0:
        return
    core, position = core_of(x), x.positions[position_row(x, index, lp.pool)]
    claim_rewards(x, lp, position, now)
    value, debt = vaults.position_value(core, position), vaults.position_debt(core, position)
    if value <= 0.0:
        return
    if lp.is_away or debt / value > lp.fear:
        flee(x, lp, position, debt, now)
        return
    target = best_pool(x, lp)
    if target != lp.pool:
        move(x, lp, index, target, now)
        return
    mind_loan(x, lp, position, value, debt, now)


class LiquidityLp(ExchangeAgent):
    """Delegates collateral to a pool of the exchange."""

    kind = "liquidity_lps"
    act = staticmethod(act)

    @property
    def row(self) -> Row:
        """Row of behaviour, a view; since it may be written, its next look is read again in the next round."""
        self.exchange.lp_blocks[self.index // SIZE].next_look = 0.0
        return super().row

    @property
    def account(self) -> int:
        """Row of `Exchange.wallets`; it is read when the agent is made, which must change nothing."""
        return int(super().row.account)

    @property
    def position(self) -> Row:
        """Row of the position in its pool, a view."""
        return self.exchange.positions[position_row(self.exchange, self.index, int(self.row.pool))]

    @property
    def debt(self) -> float:
        """USD owed; negative is credit."""
        return float(vaults.position_debt(core_in(self.exchange), self.position))

    def leave(self) -> None:
        """Repay what the wallet can and take all collateral back, if the contracts let it."""
        flee(self.exchange, self.row, self.position, self.debt, self.now)
