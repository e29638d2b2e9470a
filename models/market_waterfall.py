"""Who gained and who lost each dollar, over all protocols of a scenario, measured against holding what everybody started with.

A group's holdings are what its accounts own net of what they owe, in tokens: wallets, collateral locked in CDPs less their debt, stakes and
what these have earned, balances of RFQ positions; LP tokens count as their part of their pool's reserves. Every token of every wallet of
the tASSET market and the RFQ market belongs to one group, so for each token the groups together hold its supply less what is owed of it.
Gains therefore sum to what came out of nothing: tEXO of the inflation, and tASSETs whose CDP ran out of collateral, which nobody owes any
more. That sum rule is checked (`waterfall_gap_usd`).

Accounts of the exchange are apart: what they own is no list of tokens (`exchange_wealth`).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from seawall.agents.avmm import Avmm, RfqTraderKind
from seawall.agents.exchange import Exchange
from seawall.models import exchange_measures, exchange_wealth
from seawall.models.avmm_measures import market_prices
from seawall.models.measures import Figure, token_prices
from seawall.protocols.tables import FIRST_FREE_ACCOUNT, MINT_ACCOUNT, Floats, Ints, Table, World


class Group(IntEnum):
    """Whose gains are told apart; a row of `World.start_holdings`.

    PROTOCOL is all contracts, keepers and feeders: fees not yet paid out, deposits of polls, rewards that nobody has earned yet, locked LP
    tokens.
    """

    CDP_OWNERS = 0
    LIQUIDATORS = 1
    SWAP_TRADERS = 2
    ARBITRAGEURS = 3
    POOL_LPS = 4
    STAKERS = 5
    RFQ_LPS = 6
    RFQ_TRADERS = 7
    INFORMED_TRADERS = 8
    PROTOCOL = 9


OTHERS = len(Group)  # accounts of the exchange

OF_EXCHANGE = {
    "gain_perps_traders_usd": "perps_traders_gain_usd",
    "gain_exchange_lps_usd": "exchange_lps_gain_usd",
    "gain_exchange_keepers_usd": "exchange_keepers_gain_usd",
    "gain_siphon_receivers_usd": "siphon_receivers_gain_usd",
}
"""Names of the exchange's own waterfall."""


def note_start(world: World, v: Avmm | None, x: Exchange | None) -> None:
    """Remember what each group holds before the first round."""
    world.start_holdings[:] = holdings(world, v, x)


def waterfall(world: World, v: Avmm | None, x: Exchange | None, start: Floats | None = None) -> dict[str, Figure]:
    """USD that each group gained, at today's prices; losses are negative. Groups without a member are left out.

    Args:
        world: the tASSET market.
        v: the RFQ market beside it, if there is one.
        x: the exchange beside it, if there is one; its groups' gains are those of its own waterfall.
        start: [groups, tokens]: what each group held before the first round; what `note_start` wrote down if left out.
    """
    prices = every_price(world, v, x)
    gains = (holdings(world, v, x) - (world.start_holdings if start is None else start)) @ prices
    unbacked = float(world.tassets["bad_debt"] @ prices[world.tassets["token"]])
    emitted = float(world.inflation[0].emitted * prices[world.inflation[0].token])
    members = np.bincount(groups_of(world, v, x), minlength=OTHERS + 1)
    return {
        **{f"gain_{group.name.lower()}_usd": _usd(gains[group]) for group in Group if members[group] > 0},
        **(of_exchange(x) if x is not None else {}),
        "unbacked_tokens_usd": _usd(unbacked),
        "emitted_usd": _usd(emitted),
        "waterfall_gap_usd": _usd(round(float(gains.sum()) - unbacked - emitted, 6) + 0.0),
    }


def of_exchange(x: Exchange) -> dict[str, Figure]:
    """The gains of the exchange's own waterfall, under the names used here."""
    own = exchange_measures.waterfall(x, exchange_wealth.wealth_of(x))
    return {name: own[there] for name, there in OF_EXCHANGE.items()}


def every_price(world: World, v: Avmm | None, x: Exchange | None) -> Floats:
    """USD per token now, [tokens]: the tASSET market's own, else the RFQ market's on the market, else the exchange's as it sees them."""
    prices = token_prices(world)
    if v is not None:
        tokens = v.book.assets["token"]
        prices[tokens] = np.where(prices[tokens] > 0.0, prices[tokens], market_prices(v))
    return prices if x is None else np.where(prices > 0.0, prices, exchange_wealth.own_prices(x))


def holdings(world: World, v: Avmm | None, x: Exchange | None) -> Floats:
    """Tokens that each group owns net of what it owes, [groups, tokens]; LP tokens as the reserves behind them."""
    owned = world.wallets.copy(order="F")  # what follows goes token by token
    assign_cdps(owned, world)
    assign_stakes(owned, world)
    if v is not None:
        assign_positions(owned, v)
        assign_reserves(owned, v.pools, v.tokens)
    assign_reserves(owned, world.pools, world.tokens)
    groups = groups_of(world, v, x)
    held: Floats = np.column_stack([np.bincount(groups, weights=of_token, minlength=OTHERS + 1) for of_token in owned.T])
    return held[:OTHERS]


def assign_cdps(owned: Floats, world: World) -> None:
    """Move collateral from the contract to the owners of CDPs, and take their debt off. `owned` is [accounts, tokens]."""
    cdps = world.cdps
    locked = world.cdp_kinds["token"][cdps["kind"]]
    np.add.at(owned, (cdps["owner"], locked), cdps["collateral"])
    np.subtract.at(owned, (MINT_ACCOUNT, locked), cdps["collateral"])
    np.subtract.at(owned, (cdps["owner"], world.tassets["token"][cdps["tasset"]]), cdps["debt"])


def assign_stakes(owned: Floats, world: World) -> None:
    """Move what is bonded, and what it has earned, booked or not, from the staking pools to the owners of stakes."""
    stakes = world.stakes
    pools = world.stake_pools[stakes["pool"]]
    earned = stakes["pending"] + stakes["bond"] * (pools["reward_index"] - stakes["index"])
    for token, amount in ((pools["staked_token"], stakes["bond"]), (pools["reward_token"], earned)):
        np.add.at(owned, (stakes["owner"], token), amount)
        np.subtract.at(owned, (pools["account"], token), amount)


def assign_positions(owned: Floats, v: Avmm) -> None:
    """Move the balances of RFQ positions from the contract to their owners."""
    positions = v.book.lps
    for asset, token in enumerate(v.book.assets["token"]):
        np.add.at(owned[:, token], positions["owner"], v.book.holdings["balance"][:, asset])
        owned[v.book.terms[0].account, token] -= v.book.holdings["balance"][:, asset].sum()


def assign_reserves(owned: Floats, pools: Table, tokens: Table) -> None:
    """Replace LP tokens by their part of the reserves, which leave the pool's account; the LP tokens locked there leave it its own part."""
    for pool in pools:
        supply = tokens[pool.share_token].supply
        if supply > 0.0:
            parts = owned[:, pool.share_token] / supply
            for token in (pool.base_token, pool.asset_token):
                reserve, owned[pool.account, token] = owned[pool.account, token], 0.0
                owned[:, token] += parts * reserve
            owned[:, pool.share_token] = 0.0


def groups_of(world: World, v: Avmm | None, x: Exchange | None) -> Ints:
    """Group of each account; OTHERS for accounts of the exchange, which are all that belong to neither market."""
    groups = np.full(len(world.wallets), Group.PROTOCOL if x is None else OTHERS, np.int64)
    groups[: own_accounts(world)] = Group.PROTOCOL
    tables = (world.minters, world.liquidators, world.traders, world.arbitrageurs, world.lps, world.stakers)
    for group, table in enumerate(tables):
        groups[table["account"]] = group
    if v is not None:
        groups[v.book.terms["account"]] = groups[v.pools["account"]] = Group.PROTOCOL
        groups[v.avmm_lps["account"]] = Group.RFQ_LPS
        is_noise = v.avmm_traders["kind"] == RfqTraderKind.NOISE
        groups[v.avmm_traders["account"]] = np.where(is_noise, Group.RFQ_TRADERS, Group.INFORMED_TRADERS)
    return groups


def own_accounts(world: World) -> int:
    """Accounts of the tASSET market, which come first: contracts, pools, staking pools, feeders, agents."""
    agents = (world.minters, world.liquidators, world.traders, world.arbitrageurs, world.lps, world.stakers, world.keepers)
    contracts = FIRST_FREE_ACCOUNT + len(world.pools) + len(world.stake_pools)
    return contracts + len(world.oracle_feeders) + sum(len(table) for table in agents)


def _usd(value: float) -> Figure:
    return Figure(float(value), "USD")
