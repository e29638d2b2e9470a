"""The founding of a market: everybody endowed, CDPs opened, tokens handed out, pools filled, tEXO staked."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from seawall.agents.strategies import Strategy
from seawall.models import genesis
from seawall.models.measures import owners_wealth
from seawall.protocols.amounts import LIMIT, UNIT
from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.status import Status
from seawall.protocols.tables import TDOLLAR, Bools, Floats, Ints, World
from seawall.scenarios import community, population
from seawall.scenarios.avmm_founding import NOBODY, Takers, tasset_takers
from seawall.scenarios.layout import Layout
from seawall.scenarios.load import Loaded
from seawall.scenarios.streams import Purpose, stream


def found(world: World, loaded: Loaded, layout: Layout, seed: int, path: int) -> None:
    """Endow everybody, open the CDPs, hand out the tokens and fill the pools.

    Raises:
        ScenarioError: for a market that cannot come to be as the scenario says.
    """
    scenario = loaded.scenario
    collateral, reserve = population.draw_minters(world, scenario, layout, stream(seed, path, Purpose.MINTERS), loaded.positions)
    at_once = population.plan_entries(world, scenario, layout, stream(seed, path, Purpose.ENTRIES))
    cash = population.draw_liquidators(world, scenario, stream(seed, path, Purpose.LIQUIDATORS))
    population.draw_lps(world, scenario, layout, stream(seed, path, Purpose.LPS))
    population.react(world, layout)
    community.set_lp_stakes(world, scenario, layout, stream(seed, path, Purpose.REWARDS))
    genesis.publish_first_prices(world)
    locked = world.cdp_kinds["token"][world.cdps["kind"]]
    in_tdollar = locked == TDOLLAR
    _endow(world, loaded, "minters", TDOLLAR, world.minters["account"], _owners_cash(world, layout, collateral, reserve, at_once))
    _endow(world, loaded, "liquidators", TDOLLAR, world.liquidators["account"], cash)
    _endow(world, loaded, "traders", TDOLLAR, world.traders["account"], np.full(len(world.traders), scenario.traders.cash_usd))
    arbitrage = np.full(len(world.arbitrageurs), scenario.arbitrageurs.cash_usd)
    _endow(world, loaded, "arbitrageurs", TDOLLAR, world.arbitrageurs["account"], arbitrage)
    half = np.array([terms.pool.liquidity_usd / 2.0 for terms in scenario.tassets.values()])
    lps = world.lps[world.lps["pool"] < len(layout.names)]
    listed = world.feeds["feeder"][lps["pool"]] >= 0
    cash = np.where(listed, half[lps["pool"]], 2.0 * half[lps["pool"]]) / scenario.lps.count  # who comes later buys the tokens
    _endow(world, loaded, "tassets", TDOLLAR, lps["account"], cash)
    world.lps["moves_at"][: len(lps)] = np.where(listed, np.inf, 0.0)
    _open(world, loaded, np.where(at_once & in_tdollar, collateral, 0.0))
    in_tokens = np.where(at_once & ~in_tdollar, collateral, 0.0)
    of_avmm = tasset_takers(scenario, seed, path, len(world.wallets))
    for index in np.unique(lps["pool"][listed]):
        _hand_out(world, loaded, int(index), half[index], _lockers(world, index, in_tokens), of_avmm.get(int(index), NOBODY))
    held = world.wallets[world.minters["account"], locked]
    _open(world, loaded, np.where(in_tokens > 0.0, held, 0.0))
    world.minters["budget"] = np.floor(collateral_tokens(world, collateral) / UNIT) * UNIT
    world.minters["budget"][layout.predecessor >= 0] = LIMIT  # a successor locks what its predecessor got out
    held = world.wallets[world.liquidators["account"]]
    world.liquidators["start_usd"] = held[:, TDOLLAR] + held[:, world.tassets["token"]] @ world.feeds["price"][: len(layout.names)]
    _found_texo(world, loaded, seed, path)
    status, row = genesis.fill_pools(world.lps, world.pools, world.stakes, world.stake_pools, world.tokens, world.wallets)
    if status != Status.OK:
        _refuse(loaded, "lps", f"LP {row} cannot provide its part: {Status(status).name}; fewer LPs or deeper pools would do")
    if len(world.minters):
        world.minters["start_usd"] = owners_wealth(world)


def collateral_tokens(world: World, usd: Floats) -> Floats:
    """USD of collateral in tokens of each owner's kind, at the first prices."""
    prices = world.feeds["price"][world.cdp_kinds["collateral_feed"][world.cdps["kind"]]]
    return np.divide(usd, prices, out=np.zeros(len(usd)), where=prices > 0.0)


def _owners_cash(world: World, layout: Layout, collateral: Floats, reserve: Floats, at_once: Bools) -> Floats:
    """TDOLLAR of each owner: collateral or the means to buy it, the reserve, and for providers the other side of the pair."""
    in_tdollar = world.cdp_kinds["token"][world.cdps["kind"]] == TDOLLAR
    cash = reserve + np.where(in_tdollar | ~at_once, collateral, 0.0)
    provides = layout.strategies == Strategy.PROVIDE
    return cash + np.where(provides, collateral / world.minters["target_ratio"], 0.0)


def _found_texo(world: World, loaded: Loaded, seed: int, path: int) -> None:
    """Bring tEXO into being: its pool's two sides, the stakers' stakes, the deposits of proposals."""
    scenario, spec = loaded.scenario, loaded.scenario.texo
    if spec is None:
        return
    texo, treasury = int(world.inflation[0].token), world.lps["account"][-1:]
    _endow(world, loaded, "texo", TDOLLAR, treasury, np.array([spec.liquidity_usd / 2.0]))
    _endow(world, loaded, "texo", texo, treasury, np.array([spec.liquidity_usd / 2.0 / spec.start_usd]))
    stakes = community.draw_stakers(world, spec, stream(seed, path, Purpose.STAKERS))
    proposed = np.array([(world.proposals["proposer"] == account).sum() for account in world.stakers["account"]])
    _endow(world, loaded, "texo.stake_usd", texo, world.stakers["account"], stakes + proposed * scenario.governance.deposit_texo)
    deposit = float(world.governance[0].deposit)
    genesis.stake_texo(world.stakers, world.proposals, deposit, world.stakes, world.stake_pools, world.wallets)
    community.draw_votes(world, scenario, seed, path)


def _endow(world: World, loaded: Loaded, what: str, token: int, accounts: Ints, amounts: Floats) -> None:
    if genesis.endow(world.wallets, world.tokens, token, np.ascontiguousarray(accounts), amounts) != Status.OK:
        name = "tDOLLAR" if token == TDOLLAR else "tEXO"
        _refuse(loaded, what, f"together they own more than {LIMIT:,.0f} {name}, past which cents could not be counted exactly")


def _open(world: World, loaded: Loaded, collateral: Floats) -> None:
    """Open the CDPs that have collateral here, in tokens."""
    ratios = np.ascontiguousarray(world.minters["target_ratio"])
    status, row = genesis.open_cdps(
        world.cdps, world.tassets, world.cdp_kinds, world.feeds, world.tokens, world.wallets, collateral, ratios
    )
    if status != Status.OK:
        _refuse(loaded, "minters", f"CDP {row} with {collateral[row]:,.2f} of collateral cannot be opened: {Status(status).name}")


def _lockers(world: World, index: int, usd: Floats) -> Takers:
    """Owners who lock tokens of one tASSET, and USD of them."""
    rows = np.flatnonzero((world.cdp_kinds["collateral_feed"][world.cdps["kind"]] == index) & (usd > 0.0))
    return Takers(world.minters["account"][rows], usd[rows])


def _hand_out(world: World, loaded: Loaded, index: int, pool_usd: float, owners: Takers, of_avmm: Takers) -> None:
    """Hand tokens of one tASSET from its minters to the LPs of its pool, traders, arbitrageurs, owners who lock it, the RFQ market."""
    scenario, price = loaded.scenario, world.feeds[index].price
    lps = world.lps["account"][world.lps["pool"] == index]
    agents = [world.traders["account"], world.arbitrageurs["account"], world.liquidators["account"]]
    takers = np.concatenate([owners.accounts, *agents, of_avmm.accounts, lps])
    wanted = np.concatenate(
        [
            owners.usd,
            np.full(len(world.traders), scenario.traders.tokens_usd),
            np.full(len(world.arbitrageurs), scenario.arbitrageurs.tokens_usd),
            np.full(len(world.liquidators), scenario.liquidators.tokens_usd),
            of_avmm.usd,
            np.full(len(lps), pool_usd / len(lps)),
        ]
    )
    minted_usd = world.tassets[index].debt * price
    if wanted.sum() > minted_usd:
        name = list(scenario.tassets)[index]
        message = (
            f"its pool and agents are to hold {wanted.sum():,.0f} USD of {name}, but CDPs mint {minted_usd:,.0f} USD; "
            "more or larger CDPs, or a shallower pool, would do"
        )
        _refuse(loaded, f"tassets.{name}.pool.liquidity_usd", message)
    tasset = world.tassets[index]
    pool_account = int(world.pools[tasset.pool].account)
    genesis.gather(world.cdps, world.wallets, index, int(tasset.token), pool_account, wanted.sum() / minted_usd)
    genesis.hand_out(world.wallets, int(tasset.token), pool_account, takers, wanted / wanted.sum())


def _refuse(loaded: Loaded, key: str, message: str) -> NoReturn:
    raise ScenarioError([Fault(str(loaded.file), None, key, message)])
