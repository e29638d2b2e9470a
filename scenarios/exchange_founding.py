"""The founding of an exchange: everybody endowed, collateral delegated, pools configured, siphons granted, dUSD borrowed.

dUSD, collateral and reward tokens come from outside; all else happens by the contracts' own rules.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from seawall.agents.exchange import Exchange, core_of
from seawall.agents.exchange_books import pool_debt, report
from seawall.models import genesis
from seawall.protocols import delegation, distributor, issuance, liquidity_pools
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount
from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.liquidity_tables import EVERY
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Ints
from seawall.scenarios.exchange_layout import ExchangeLayout
from seawall.scenarios.exchange_schema import ExchangeSpec
from seawall.scenarios.load import Loaded

AT_START = 0.0


def found(x: Exchange, loaded: Loaded, spec: ExchangeSpec, layout: ExchangeLayout, value: Floats) -> None:
    """Let the exchange come to be.

    Args:
        x: terms and behaviour written, nobody owns anything.
        loaded: the scenario's file, for refusals.
        spec: its exchange.
        layout: its rows.
        value: [LPs] USD of collateral that each delegates.

    Raises:
        ScenarioError: for one that cannot come to be as the scenario says.
    """
    _endow(x, loaded, spec, layout, value)
    _delegate(x, loaded, spec)
    _configure(x, loaded, spec)
    _grant(x, loaded, spec, layout)
    _borrow(x, loaded)
    for m in range(len(x.markets)):
        report(x, m, AT_START)
    for p in range(len(x.pools)):
        x.pool_memory[p].last_debt = pool_debt(x, p)


def _endow(x: Exchange, loaded: Loaded, spec: ExchangeSpec, layout: ExchangeLayout, value: Floats) -> None:
    """Bring in collateral, dUSD and what incentives will pay."""
    lps, usd = x.liquidity_lps, int(x.system[0].usd_token)
    for c, kind in enumerate(x.collateral_types):
        own = lps["collateral_type"] == c
        _give(x, loaded, "lps.value_usd", layout, int(kind.token), lps["account"][own], value[own] / kind.price)
    lps["start_tokens"] = x.wallets[lps["account"], x.collateral_types["token"][lps["collateral_type"]]]
    _give(x, loaded, "lps.reserve", layout, usd, lps["account"], value * spec.lps.reserve)
    _give(x, loaded, "traders", layout, usd, x.perps_traders["account"], x.perps_traders["capital"])
    cash = np.full(len(x.exchange_keepers), spec.keepers.cash_usd)
    _give(x, loaded, "keepers.cash_usd", layout, usd, x.exchange_keepers["account"], cash)
    for agents in (lps, x.perps_traders, x.exchange_keepers):
        agents["start_usd"] = x.wallets[agents["account"], usd]
    for plan in x.incentives:
        row = x.streams[plan.stream]
        _give(x, loaded, "incentives", layout, int(row.token), np.array([row.funder]), np.array([plan.amount]))


def _give(x: Exchange, loaded: Loaded, key: str, layout: ExchangeLayout, token: int, accounts: Ints, amounts: Floats) -> None:
    if genesis.endow(x.wallets, x.tokens, token, np.ascontiguousarray(accounts), amounts) != Status.OK:
        name = layout.tokens[token - len(x.tokens)]  # the exchange's tokens are the last
        _refuse(loaded, key, f"together they own more than {LIMIT:,.0f} {name}, past which cents could not be counted exactly")


def _delegate(x: Exchange, loaded: Loaded, spec: ExchangeSpec) -> None:
    """Let every LP delegate all its collateral to its pool."""
    core, pools, types = core_of(x), list(spec.pools), list(spec.collaterals)
    x.positions["collateral_type"] = np.repeat(x.liquidity_lps["collateral_type"], len(pools))
    for i, lp in enumerate(x.liquidity_lps):
        position, amount, kind = x.positions[i * len(pools) + lp.pool], float(lp.start_tokens), x.collateral_types[lp.collateral_type]
        name, pool = types[lp.collateral_type], pools[lp.pool]
        status = delegation.deposit(core, x.wallets, lp.account, lp.collateral_type, amount)
        if status == Status.OK:
            status = delegation.delegate(core, position, amount, AT_START)
        if status == Status.POOL_COLLATERAL_LIMIT:
            limit = x.vaults[lp.pool, lp.collateral_type].max_collateral
            message = f"{limit:,.6g} {name} are less than the LPs of {pool} delegate at the start; a higher limit or fewer LPs would do"
            _refuse(loaded, f"pools.{pool}.collateral_limits.{name}", message)
        if status in (Status.BELOW_MIN_DELEGATION, Status.BAD_AMOUNT):
            message = (
                f"LP {i} has {amount:,.6g} {name}, and the smallest position is {kind.min_delegation:,.6g}; "
                "larger LPs or a lower min_delegation_usd would do"
            )
            _refuse(loaded, "lps.value_usd", message)
        if status != Status.OK:
            _refuse(loaded, "lps", f"LP {i} cannot delegate {amount:,.6g} {name} to {pool}: {Status(status).name}")


def _configure(x: Exchange, loaded: Loaded, spec: ExchangeSpec) -> None:
    """Let every owner choose the markets of its pool."""
    for p, (name, pool) in enumerate(spec.pools.items()):
        given = spec.weights(name)
        weights = np.array([given.get(market, 0.0) for market in spec.markets])
        limits = np.full(len(weights), pool.max_debt_per_share)
        status = liquidity_pools.configure(core_of(x), p, int(x.pools[p].owner), weights, limits)
        if status != Status.OK:
            _refuse(loaded, f"pools.{name}.weights", f"the pool cannot back these markets: {Status(status).name}")


def _grant(x: Exchange, loaded: Loaded, spec: ExchangeSpec, layout: ExchangeLayout) -> None:
    """Let every owner grant the siphons of its pool's distributor."""
    receivers = layout.accounts(spec, len(x.wallets)).receivers
    markets, row = list(spec.markets), 0
    for p, (name, pool) in enumerate(spec.pools.items()):
        for i, siphon in enumerate(pool.siphons):
            market = EVERY if siphon.market is None else markets.index(siphon.market)
            account = int(receivers[layout.receivers.index(siphon.to)])
            status = distributor.grant(core_of(x), row, int(x.pools[p].owner), p, market, account, siphon.share)
            if status != Status.OK:
                _refuse(loaded, f"pools.{name}.siphons[{i}].share", f"{siphon.share:g} cannot be granted: {Status(status).name}")
            row += 1


def _borrow(x: Exchange, loaded: Loaded) -> None:
    """Let those LPs who borrow mint dUSD down to their ratio; the rest of their dUSD they had before."""
    core, pools = core_of(x), len(x.pools)
    for i, lp in enumerate(x.liquidity_lps):
        usd = floor_amount(float(lp.start_tokens * x.collateral_types[lp.collateral_type].price / lp.borrow_ratio))
        if usd < UNIT:
            continue
        status = issuance.mint_usd(core, x.positions[i * pools + lp.pool], x.tokens, x.wallets, usd, AT_START)
        if status != Status.OK:
            _refuse(loaded, "lps.borrow_ratio", f"LP {i} cannot mint {usd:,.2f} dUSD down to {lp.borrow_ratio:g}: {Status(status).name}")


def _refuse(loaded: Loaded, key: str, message: str) -> NoReturn:
    raise ScenarioError([Fault(str(loaded.file), None, f"exchange.{key}", message)])
