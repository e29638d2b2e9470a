"""Keepers of the exchange: liquidate traders, LPs' positions and vaults for a reward, and call the distributors.

A liquidation that pays less than it costs is left alone (assumption). When gas spikes it costs more, and a trader's comes only some time
after it could. The first keeper of the round's order does what there is; keepers share nothing. Source of what they do: MECHANICS.md
sections 3 ("Liquidation of a position", "Vault liquidation") and 4 ("Liquidation").
"""

from __future__ import annotations

from seawall.agents.base import ExchangeAgent, tally
from seawall.agents.exchange import Exchange, core_of, perps_of
from seawall.agents.exchange_books import report
from seawall.agents.margin_watch import position_of, watch
from seawall.protocols import debt_liquidation, delegation, distributor, perps_debt, perps_liquidation, perps_margin, rewards, vaults
from seawall.protocols.amounts import floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.perps_tables import index_price
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Row


@rule
def can_liquidate(x: Exchange, trader: Row, now: float) -> bool:
    """Tell whether an account may be liquidated, or is being."""
    perps, account = perps_of(x, trader.market), x.perps_accounts[trader.market, trader.member]
    return bool(account.is_flagged or perps_margin.is_liquidatable(perps, trader.member, now))


@rule
def liquidation_cost(x: Exchange, keeper: Row) -> float:
    """USD of gas for a liquidation now."""
    return float(keeper.cost_usd * x.gas[x.clock[0].step].factor) if len(x.gas) > 0 else float(keeper.cost_usd)


@rule
def pay_gas(x: Exchange, keeper: Row) -> None:
    """Book what a liquidation costs beyond its usual cost."""
    keeper.extra_cost_usd += liquidation_cost(x, keeper) - keeper.cost_usd


@rule
def is_held_up(x: Exchange, trader: Row, now: float) -> bool:
    """Note since when an account may be liquidated; tell whether gas still holds keepers up."""
    step = x.clock[0].step
    if len(x.gas) == 0:
        return False
    if trader.callable_until < step:
        trader.callable_since = now
    trader.callable_until = step + 1
    return bool(now < trader.callable_since + x.gas[step].delay)


@rule
def liquidate_trader(x: Exchange, keeper: Row, trader: Row, now: float) -> Status:
    """Liquidate what may be of an account; book who gained and lost what by it."""
    watch(x, trader)  # refused, or with something left, it is for sale at any price
    if is_held_up(x, trader, now):
        tally(x.tallies, Action.LIQUIDATE_TRADER, Status.TOO_EARLY)
        return Status.TOO_EARLY
    m, perps = trader.market, perps_of(x, trader.market)
    memory, account = x.market_memory[m], x.perps_accounts[m, trader.member]
    is_first = not account.is_flagged
    if is_first and floor_amount(perps_liquidation.liquidation_reward(perps, trader.member, keeper.account, True)) < liquidation_cost(
        x, keeper
    ):
        tally(x.tallies, Action.LIQUIDATE_TRADER, Status.UNPROFITABLE)
        return Status.UNPROFITABLE
    credit, before = report(x, m, now), perps_debt.unclamped_debt(perps, now)
    quantity, margin = position_of(x, trader).quantity, perps_margin.available_margin(perps, trader.member, now)
    status, paid, _ = perps_liquidation.liquidate(perps, x.tokens, x.wallets, trader.member, keeper.account, credit, now)
    tally(x.tallies, Action.LIQUIDATE_TRADER, status)
    if status != Status.OK:
        return status
    closed = abs(quantity) - abs(position_of(x, trader).quantity)
    memory.liquidation_gain += before - perps_debt.unclamped_debt(perps, now) - paid
    memory.keepers_paid += paid
    memory.liquidations += 1
    memory.liquidated_usd += closed * index_price(perps, 0)
    if is_first:
        memory.shortfall += max(0.0, -margin)
        trader.liquidations += 1
        trader.away_until = now + trader.cooldown
    keeper.earned_usd += paid
    pay_gas(x, keeper)
    return status


@rule
def liquidate_lps(x: Exchange, keeper: Row, now: float) -> None:
    """Liquidate LPs whose debt is too large for their collateral, and vaults as a whole; keep the collateral received."""
    core, pools, types, known, per_share = core_of(x), len(x.pools), len(x.collateral_types), -1, 0.0
    for i in range(len(x.liquidity_lps)):
        lp = x.liquidity_lps[i]
        position = x.positions[i * pools + max(lp.pool, 0)]
        if lp.pool < 0 or position.shares <= 0.0:
            continue
        vault = position.pool * types + position.collateral_type
        if vault != known:
            known, per_share = vault, vaults.debt_per_share(core, position.pool, position.collateral_type)
        if not debt_liquidation.is_liquidatable_at(core, position, per_share):
            continue
        reward_usd = x.collateral_types[lp.collateral_type].liquidation_reward * x.collateral_types[lp.collateral_type].price
        if reward_usd < liquidation_cost(x, keeper):
            tally(x.tallies, Action.LIQUIDATE_LP, Status.UNPROFITABLE)
            continue
        status, _, _, reward = debt_liquidation.liquidate(core, position, keeper.account, now)
        tally(x.tallies, Action.LIQUIDATE_LP, status)
        if status == Status.OK:
            keeper.earned_usd += reward * x.collateral_types[lp.collateral_type].price
            lp.pool, known = -1, -1  # the others of its vault owe more
            pay_gas(x, keeper)
    liquidate_vaults(x, keeper, now)


@rule
def liquidate_vaults(x: Exchange, keeper: Row, now: float) -> None:
    """Pay the debt of vaults below their liquidation ratio, as far as the dUSD goes, where the collateral is worth more than that."""
    core, usd = core_of(x), x.system[0].usd_token
    for p in range(len(x.pools)):
        for c in range(len(x.collateral_types)):
            cash = floor_amount(x.wallets[keeper.account, usd])
            if cash <= 0.0 or not debt_liquidation.is_vault_liquidatable(core, p, c):
                continue
            if vaults.vault_value(core, p, c) <= vaults.vault_debt(core, p, c):
                tally(x.tallies, Action.LIQUIDATE_VAULT, Status.UNPROFITABLE)
                continue
            status, paid, received = debt_liquidation.liquidate_vault(core, p, c, x.tokens, x.wallets, keeper.account, cash, now)
            tally(x.tallies, Action.LIQUIDATE_VAULT, status)
            keeper.earned_usd += received * x.collateral_types[c].price - paid
            if status == Status.OK:
                pay_gas(x, keeper)


@rule
def share_fees(x: Exchange) -> None:
    """Let the distributors siphon their shares off the order fees since the last time."""
    core = core_of(x)
    for m in range(len(x.markets)):
        memory = x.market_memory[m]
        fees = memory.fees - memory.fees_shared
        if fees > 0.0:
            for p in range(len(x.pools)):
                x.pool_memory[p].siphoned -= x.pools[p].debt
            status, paid = distributor.distribute_fees(core, m, x.tokens, x.wallets, fees)
            tally(x.tallies, Action.SHARE_FEES, status)
            for p in range(len(x.pools)):  # what is siphoned off is all that changes a pool's debt here
                x.pool_memory[p].siphoned += x.pools[p].debt
            memory.siphoned += paid
            memory.fees_shared = memory.fees


@rule
def pay_incentives(x: Exchange, now: float) -> None:
    """Let funders pay in the incentives that are due."""
    core = core_of(x)
    for i in range(len(x.incentives)):
        plan = x.incentives[i]
        if not plan.is_paid and now >= plan.at:
            plan.is_paid = True
            status, _ = rewards.distribute(core, plan.stream, x.wallets, plan.amount, now, plan.duration, now)
            tally(x.tallies, Action.INCENTIVE, status)


@rule
def act(x: Exchange, index: int) -> None:
    """Look at LPs and vaults when it is time, and take the collateral received out; the first keeper calls the distributors, too."""
    keeper, now = x.exchange_keepers[index], x.clock[0].now
    if now < keeper.look_at:
        return
    keeper.look_at = now + keeper.look_every
    liquidate_lps(x, keeper, now)
    for c in range(len(x.collateral_types)):
        free = x.deposits[keeper.account, c]
        if free > 0.0:
            delegation.withdraw(core_of(x), x.wallets, keeper.account, c, free)
    if index == 0:
        share_fees(x)


class ExchangeKeeper(ExchangeAgent):
    """Liquidates for a reward."""

    kind = "exchange_keepers"
    act = staticmethod(act)
