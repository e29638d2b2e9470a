"""From a scenario and its founded world to the exchange beside it: tables with the terms, then the population and its money."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from seawall.agents import exchange as agent_tables
from seawall.agents.exchange import Exchange, blocks_of
from seawall.agents.pool_owner import Policy
from seawall.agents.tables import DEPARTURE
from seawall.models import exchange_records
from seawall.models.exchange_measures import ExchangeNames
from seawall.protocols import liquidity_tables, oracle, perps_tables
from seawall.protocols.amounts import floor_amount
from seawall.protocols.tables import World
from seawall.scenarios import disturbances, exchange_founding, exchange_population, stampedes
from seawall.scenarios.exchange_layout import NO_FEED, Accounts, ExchangeLayout, lay_out_exchange
from seawall.scenarios.exchange_schema import DUSD_NAME, ExchangeSpec, PerpsMarket
from seawall.scenarios.inputs import recorded_flows
from seawall.scenarios.load import Loaded
from seawall.scenarios.paths import Paths
from seawall.scenarios.population import NEVER, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose, stream

SPARE_ENTRIES = 2  # liquidations remembered for each market beyond one for each round of a window
POLICIES = {"fixed": Policy.FIXED, "equal": Policy.EQUAL, "yield": Policy.YIELD, "risk_parity": Policy.RISK_PARITY}


class _Place(NamedTuple):
    """What the tables are filled from."""

    scenario: Scenario
    spec: ExchangeSpec
    layout: ExchangeLayout
    accounts: Accounts
    assets: tuple[str, ...]


def build_exchange(world: World, loaded: Loaded, paths: Paths, seed: int, path: int) -> Exchange:
    """Build the scenario's exchange on a founded world, whose clock, tokens, wallets and feeds it shares.

    Args:
        world: made by `build_world` for the same scenario; its wallets and tokens take in the exchange's money.
        loaded: a checked scenario with an exchange.
        paths: prices of the run.
        seed: of the run.
        path: number of the path.

    Raises:
        ScenarioError: for an exchange that cannot be founded as the scenario says.
    """
    scenario, spec = loaded.scenario, loaded.scenario.exchange
    if spec is None:
        raise ValueError("the scenario has no exchange")
    layout = lay_out_exchange(scenario, spec)
    rng = stream(seed, path, Purpose.PERPS_ORDERS)
    plan = disturbances.plan_of(scenario, paths.steps, seed, path)
    orders = exchange_population.draw_orders(spec, paths.steps, scenario.step_seconds, rng)
    rounds, traders, sides, usd = stampedes.of_exchange(plan, spec, orders)
    departures = disturbances.exchange_departures(plan, spec.lps.count)
    x = empty_exchange(world, scenario, spec, layout, len(rounds), len(departures))
    x.departures[:] = departures
    x.perps_orders["trader"], x.perps_orders["side"], x.perps_orders["usd"] = traders, sides, usd
    x.order_start[:] = np.searchsorted(rounds, np.arange(len(x.order_start)))
    exchange_population.link_orders(x.perps_orders, rounds)
    place = _Place(scenario, spec, layout, layout.accounts(spec, len(world.wallets)), paths.assets)
    _publish(x, place)
    _set_core(x, place)
    _set_markets(x, place)
    _set_memory(x, place)
    _set_agents(x, place)
    _set_rewards(x, place)
    x.recorded[:] = recorded_flows(loaded, spec, paths)
    exchange_population.draw_traders(x, spec, stream(seed, path, Purpose.PERPS_TRADERS))
    exchange_population.set_keepers(x, spec)
    value = exchange_population.draw_lps(x, spec, stream(seed, path, Purpose.EXCHANGE_LPS))
    exchange_founding.found(x, loaded, spec, layout, value)
    exchange_records.observe(x)
    return x


def names_of(spec: ExchangeSpec) -> ExchangeNames:
    """What the rows of the exchange are called."""
    receivers = tuple(siphon.to for pool in spec.pools.values() for siphon in pool.siphons)
    return ExchangeNames(tuple(spec.markets), tuple(spec.pools), tuple(spec.collaterals), receivers)


def empty_exchange(
    world: World, scenario: Scenario, spec: ExchangeSpec, layout: ExchangeLayout, orders: int, departures: int = 0
) -> Exchange:
    """Allocate all tables, zero but for the values that mean "never" and "none"."""
    types, markets, pools, streams = len(spec.collaterals), len(spec.markets), len(spec.pools), len(layout.streams)
    traders, positions = spec.trader_count, spec.lps.count * len(spec.pools)
    siphons = sum(len(pool.siphons) for pool in spec.pools.values())
    x = Exchange(
        clock=world.clock,
        tokens=world.tokens,
        wallets=world.wallets,
        feeds=world.feeds,
        market_price=world.market_price,
        system=np.zeros(1, liquidity_tables.LIQUIDITY_SYSTEM),
        collateral_types=np.zeros(types, liquidity_tables.COLLATERAL_TYPE),
        deposits=np.zeros((len(world.wallets), types)),
        pools=np.zeros(pools, liquidity_tables.LIQUIDITY_POOL),
        markets=np.zeros(markets, liquidity_tables.MARKET),
        backings=np.zeros((pools, markets), liquidity_tables.BACKING),
        vaults=np.zeros((pools, types), liquidity_tables.VAULT),
        positions=np.zeros(positions, liquidity_tables.POSITION),
        streams=np.zeros(streams, liquidity_tables.STREAM),
        stream_vaults=np.zeros((streams, types), liquidity_tables.STREAM_VAULT),
        claims=np.zeros((positions, streams), liquidity_tables.REWARD_CLAIM),
        siphons=np.zeros(siphons, liquidity_tables.SIPHON),
        groups=np.zeros(markets, perps_tables.PERPS_GROUP),
        perps_markets=np.zeros((markets, 1), perps_tables.PERPS_MARKET),
        perps_accounts=np.zeros((markets, traders), perps_tables.PERPS_ACCOUNT),
        perps_positions=np.zeros((markets, traders), perps_tables.PERPS_POSITION),
        liquidated=np.zeros((markets, 1, _entries(scenario, spec)), perps_tables.LIQUIDATED),
        perps_traders=np.zeros(traders, agent_tables.PERPS_TRADER),
        liquidity_lps=np.zeros(spec.lps.count, agent_tables.LIQUIDITY_LP),
        pool_owners=np.zeros(pools, agent_tables.POOL_OWNER),
        exchange_keepers=np.zeros(spec.keepers.count, agent_tables.EXCHANGE_KEEPER),
        incentives=np.zeros(len(spec.incentives), agent_tables.INCENTIVE),
        collateral_sources=np.zeros(types, agent_tables.COLLATERAL_SOURCE),
        perps_orders=np.zeros(orders, agent_tables.PERPS_ORDER),
        order_start=np.zeros(len(world.order_start), np.int64),
        recorded=np.zeros((len(world.market_price), 2 * len(spec.flows))),
        times=np.zeros(1, agent_tables.EXCHANGE_CLOCK),
        market_memory=np.zeros(markets, agent_tables.MARKET_MEMORY),
        pool_memory=np.zeros(pools, agent_tables.POOL_MEMORY),
        new_weights=np.zeros(markets),
        new_limits=np.zeros(markets),
        market_series=np.zeros((len(world.reward_series), markets), agent_tables.MARKET_SERIES),
        pool_series=np.zeros((len(world.reward_series), pools), agent_tables.POOL_SERIES),
        tallies=world.tallies,
        gas=world.gas,
        departures=np.zeros(departures, DEPARTURE),
        margin_blocks=np.zeros((markets, blocks_of(traders)), agent_tables.MARGIN_BLOCK),
        watched=np.zeros(traders + 1, np.int64),
        lp_blocks=np.zeros(blocks_of(spec.lps.count), agent_tables.LP_BLOCK),
    )
    x.vaults["max_collateral"] = x.market_memory["first_insolvent_at"] = NEVER
    x.positions["delegated_at"] = -NEVER
    x.perps_markets["endorsed_liquidator"] = -1
    return x


def _entries(scenario: Scenario, spec: ExchangeSpec) -> int:
    longest = max(market.liquidation_window_seconds for market in spec.markets.values())
    return math.ceil(longest / scenario.step_seconds) + SPARE_ENTRIES


def _publish(x: Exchange, place: _Place) -> None:
    """Give the exchange's own feeds the market's first price."""
    for asset in place.layout.own_assets:
        feed = x.feeds[place.layout.feeds[asset]]
        feed.valid_for = place.spec.price_valid_seconds
        oracle.publish(feed, int(feed.feeder), float(x.market_price[0, place.assets.index(asset)]), 0.0)


def _set_core(x: Exchange, place: _Place) -> None:
    """Write the terms of the core, of collateral and of pools; pools choose their markets when LPs have delegated."""
    spec, layout, end = place.spec, place.layout, len(x.tokens)
    x.system["account"], x.system["usd_token"] = place.accounts.core[0], layout.token(DUSD_NAME, end)
    x.system["min_liquidity_ratio"] = spec.min_liquidity_ratio
    for row, source, (name, terms) in zip(x.collateral_types, x.collateral_sources, spec.collaterals.items(), strict=True):
        source.feed = NO_FEED if terms.tracks is None else layout.feeds[terms.tracks]
        row.token, row.price = layout.token(name, end), 1.0 if terms.tracks is None else x.feeds[source.feed].price
        row.issuance_ratio, row.liquidation_ratio = terms.issuance_ratio, terms.liquidation_ratio
        row.liquidation_reward = floor_amount(terms.liquidation_reward_usd / row.price)
        row.min_delegation = terms.min_delegation_usd / row.price
    x.pools["owner"] = place.accounts.owners
    types = list(spec.collaterals)
    for vaults, pool in zip(x.vaults, spec.pools.values(), strict=True):
        for name, limit in pool.collateral_limits.items():
            vaults[types.index(name)].max_collateral = limit


def _set_markets(x: Exchange, place: _Place) -> None:
    """Write the terms of the markets, to the core and to the traders."""
    pay, interest = place.spec.keeper_pay, place.spec.interest
    groups = x.groups
    groups["token"] = x.system[0].usd_token
    groups["settlement_reward"], groups["settlement_cost"] = pay.settlement_reward_usd, pay.settlement_cost_usd
    groups["flag_cost"], groups["liquidation_cost"] = pay.flag_cost_usd, pay.liquidation_cost_usd
    groups["min_keeper_reward"], groups["min_keeper_profit"] = pay.min_reward_usd, pay.min_profit
    groups["max_keeper_reward"], groups["max_keeper_share"] = pay.max_reward_usd, pay.max_margin_share
    groups["margin_reward_ratio"] = pay.margin_reward_ratio
    groups["interest_low"], groups["interest_high"], groups["interest_breakpoint"] = interest.low, interest.high, interest.breakpoint
    for m, terms in enumerate(place.spec.markets.values()):
        x.markets[m].min_liquidity_ratio = terms.min_liquidity_ratio or 0.0
        x.markets[m].min_delegation_seconds = terms.min_delegation_hours * SECONDS_PER_HOUR
        x.perps_markets[m, 0].feed = place.layout.feeds[terms.tracks]
        _set_perps_terms(x, m, terms)


def _set_perps_terms(x: Exchange, m: int, terms: PerpsMarket) -> None:
    row = x.perps_markets[m, 0]
    row.skew_scale, row.max_funding_velocity = terms.skew_scale, terms.max_funding_velocity
    row.maker_fee, row.taker_fee = terms.maker_fee, terms.taker_fee
    row.max_open_interest = NEVER if terms.max_open_interest is None else terms.max_open_interest
    row.max_open_interest_usd = terms.max_open_interest_usd or 0.0
    row.margin_slope, row.min_margin_ratio = terms.margin_slope, terms.min_margin_ratio
    row.maintenance_scalar, row.min_position_margin = terms.maintenance_scalar, terms.min_position_margin_usd
    row.flag_reward_ratio = terms.flag_reward_ratio
    row.liquidation_multiplier, row.liquidation_window = terms.liquidation_multiplier, terms.liquidation_window_seconds
    row.max_liquidation_skew, row.locked_oi_ratio = terms.max_liquidation_skew, terms.locked_oi_ratio


def _set_memory(x: Exchange, place: _Place) -> None:
    """Let memories begin at the first prices."""
    for memory, row, terms in zip(x.market_memory, x.perps_markets[:, 0], place.spec.markets.values(), strict=True):
        memory.asset = place.assets.index(terms.tracks)
        memory.fast_seconds, memory.slow_seconds = terms.fast_minutes * SECONDS_PER_MINUTE, terms.slow_minutes * SECONDS_PER_MINUTE
        memory.fast = memory.slow = memory.last_price = x.feeds[row.feed].price
    x.times["observe_every"] = x.times["observe_at"] = place.spec.yield_look_hours * SECONDS_PER_HOUR
    x.times["memory_seconds"] = place.spec.yield_memory_days * SECONDS_PER_DAY


def _set_agents(x: Exchange, place: _Place) -> None:
    """Give agents their accounts, LPs their positions (LP by LP), traders their members' rows, and owners their policies."""
    accounts, pools = place.accounts, len(x.pools)
    x.liquidity_lps["account"], x.perps_traders["account"] = accounts.lps, accounts.traders
    x.pool_owners["account"], x.exchange_keepers["account"] = accounts.owners, accounts.keepers
    x.positions["row"] = np.arange(len(x.positions))
    x.positions["account"], x.positions["pool"] = np.repeat(accounts.lps, pools), np.tile(np.arange(pools), len(accounts.lps))
    x.perps_traders["member"] = np.arange(len(x.perps_traders))
    x.perps_accounts["owner"] = accounts.traders
    for p, (row, pool) in enumerate(zip(x.pool_owners, place.spec.pools.values(), strict=True)):
        row.pool, row.policy, row.trust = p, POLICIES[pool.owner.policy].value, pool.owner.trust
        never = pool.owner.policy == "fixed"
        row.rebalance_every = row.rebalance_at = NEVER if never else pool.owner.rebalance_hours * SECONDS_PER_HOUR


def _set_rewards(x: Exchange, place: _Place) -> None:
    """Set up the reward streams, and when what is paid into them."""
    accounts, layout = place.accounts, place.layout
    x.streams["funder"], x.streams["account"] = accounts.funders, accounts.streams
    for row, (pool, collateral_type, token) in zip(x.streams, layout.streams, strict=True):
        row.pool, row.collateral_type, row.token = pool, collateral_type, layout.token(token, len(x.tokens))
    for plan, event, stream_row in zip(x.incentives, place.spec.incentives, layout.stream_of, strict=True):
        plan.stream, plan.at, plan.amount = stream_row, event.at_hours * SECONDS_PER_HOUR, floor_amount(event.amount)
        plan.duration = event.days * SECONDS_PER_DAY
