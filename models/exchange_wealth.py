"""What traders, LPs, keepers and receivers of siphons own of the exchange, less what they started with. dUSD counts as a dollar.

Collateral is marked at the exchange's own price of it, as its debt ratios are. What LPs started with is marked at that price too, so a move
of the collateral's price is no gain of theirs here. Reward tokens are left out: they come from outside (`incentives`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seawall.agents.exchange import Exchange, core_in
from seawall.models.measures import worth
from seawall.protocols import debt_liquidation, markets, vaults
from seawall.protocols.compiled import rule
from seawall.protocols.liquidity_tables import EVERY, Core
from seawall.protocols.perps_funding import funding_now
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Floats

LIQUIDATIONS = (Action.LIQUIDATE_TRADER, Action.LIQUIDATE_LP, Action.LIQUIDATE_VAULT)
"""What costs a keeper money."""

DUST = 0.01  # USD: a pool that owes less owes what roundings have left behind


@rule
def mark_positions(core: Core, values: Floats, debts: Floats) -> None:
    """Fill in what each position of the LPs is worth and owes, USD, were it touched now."""
    for i in range(len(core.positions)):
        values[i] = vaults.position_value(core, core.positions[i])
        debts[i] = vaults.position_debt(core, core.positions[i])


@rule
def undistributed_debt(core: Core) -> float:
    """USD of debt that stays with the markets because no pool has room for it."""
    total = 0.0
    for m in range(len(core.markets)):
        _, handed_out = markets.settled(core.markets[m], core.backings, m)
        total += markets.total_debt(core.markets[m]) - handed_out
    return total


@rule
def vaults_below_ratio(core: Core) -> int:
    """Vaults below their liquidation ratio."""
    count = 0
    for p in range(len(core.pools)):
        for c in range(len(core.collateral_types)):
            count += int(debt_liquidation.is_vault_liquidatable(core, p, c))
    return count


class Wealth(NamedTuple):
    """USD that each one gained, [traders], [LPs], [keepers]; and of each LP the value of its positions and what they owe."""

    traders: Floats
    lps: Floats
    keepers: Floats
    lp_values: Floats
    lp_debts: Floats


def wealth_of(x: Exchange) -> Wealth:
    """Mark everybody."""
    values, debts = (np.zeros(len(x.positions)) for _ in range(2))
    mark_positions(core_in(x), values, debts)
    shape = (len(x.liquidity_lps), len(x.pools))
    value, debt = values.reshape(shape).sum(axis=1), debts.reshape(shape).sum(axis=1)
    lps, keepers = x.liquidity_lps, x.exchange_keepers
    started = lps["start_tokens"] * x.collateral_types["price"][lps["collateral_type"]] + lps["start_usd"]
    return Wealth(
        traders=x.wallets[x.perps_traders["account"], usd_token(x)] + traders_equity(x) - x.perps_traders["start_usd"],
        lps=free_usd(x, lps["account"]) + value - debt - rewards_in_wallets(x) - started,
        keepers=free_usd(x, keepers["account"]) - keepers["start_usd"],
        lp_values=value,
        lp_debts=debt,
    )


def usd_token(x: Exchange) -> int:
    """Row of tokens: dUSD."""
    return int(x.system[0].usd_token)


def own_prices(x: Exchange) -> Floats:
    """USD per token, [tokens]: dUSD and collateral; 0 for all others."""
    prices = np.zeros(len(x.tokens))
    prices[x.collateral_types["token"]] = x.collateral_types["price"]
    prices[usd_token(x)] = 1.0
    return prices


def free_usd(x: Exchange, accounts: np.ndarray) -> Floats:
    """USD of dUSD and collateral in each account's wallet, and of collateral deposited and not delegated."""
    owned: Floats = worth(x.wallets, accounts, own_prices(x)) + worth(x.deposits, accounts, x.collateral_types["price"])
    return owned


def traders_equity(x: Exchange) -> Floats:
    """USD that each trader owns of its market: margin and profit less account debt; negative under water, without interest not yet charged.

    What is left of a flagged account's position is nobody's claim.
    """
    rows, clock = x.perps_traders, x.clock[0]
    accounts, positions = x.perps_accounts[rows["market"], rows["member"]], x.perps_positions[rows["market"], rows["member"]]
    terms = x.perps_markets[:, 0]
    prices = x.feeds["price"][terms["feed"]]
    funding = np.array([funding_now(terms[m], float(prices[m]), float(clock.now))[1] for m in range(len(terms))])
    marks = (prices + funding)[rows["market"]]
    profit = positions["quantity"] * (marks - positions["entry_price"] - positions["entry_funding"])
    equity: Floats = accounts["margin"] - accounts["debt"] + np.where(accounts["is_flagged"], 0.0, profit)
    return equity


def unsettled(x: Exchange) -> float:
    """USD that stands in the gains of nobody, or twice: debt that no LP owes yet, and what markets report beyond what traders own."""
    owned_less_reported = float(traders_equity(x).sum() - x.markets["reported_debt"].sum())
    return undistributed_debt(core_in(x)) + owned_less_reported


def incentives(x: Exchange) -> Floats:
    """Reward tokens shared out among LPs so far, claimed or not, [streams]."""
    every = x.streams["collateral_type"] == EVERY
    of_vault = x.stream_vaults["rewarded"][np.arange(len(x.streams)), np.where(every, 0, x.streams["collateral_type"])]
    shared: Floats = np.where(every, x.streams["rewarded"], of_vault)
    return shared


def rewards_in_wallets(x: Exchange) -> Floats:
    """USD of rewards that LPs have claimed in dUSD or collateral, [LPs]: spread evenly, as only their sum is known."""
    held = sum(x.stream_vaults[column].sum(axis=1) + x.streams[column] for column in ("pending_reward", "unsettled"))
    claimed = incentives(x) - held - x.claims["pending"].sum(axis=0)
    count = len(x.liquidity_lps)
    return np.full(count, float(claimed @ own_prices(x)[x.streams["token"]]) / max(count, 1))


def keepers_cost(x: Exchange) -> float:
    """USD that keepers spent outside on liquidations; usual gas at their mean cost, as nobody counts who did which."""
    done = sum(int(x.tallies[action, Status.OK]) for action in LIQUIDATIONS)
    keepers = x.exchange_keepers
    return done * float(keepers["cost_usd"].mean()) + float(keepers["extra_cost_usd"].sum()) if len(keepers) else 0.0
