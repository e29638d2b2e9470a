"""The figures of one run: solvency, liquidations, fee yield, and who bore the losses. Losses are positive; USD; fractions, not percents.

Every figure's definition stands in the report's glossary under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seawall.models import cascades
from seawall.protocols.poll_terms import PollState
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, Floats, Ints, World

SECONDS_PER_YEAR = 365 * 86_400
SMALL_PRODUCT = 8_192  # elements of a matrix that every BLAS multiplies in one thread; many do with far more


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline figure: value and unit, or why there is none."""

    value: float | int | None
    unit: str
    why: str = ""


Summary = dict[str, dict[str, Figure]]


def measure(world: World) -> Summary:
    """All figures of a run so far, by group and name."""
    return {
        "solvency": solvency(world),
        "liquidations": liquidations(world),
        "fee_yield": fee_yield(world),
        "waterfall": waterfall(world),
        **({"staking": staking(world)} if len(world.keepers) else {}),
        **({"delisting": delisting(world)} if len(world.migrations) else {}),
    }


def market_prices(world: World) -> Floats:
    """USD that each tASSET is worth now: the market price of what it tracks, or its end price."""
    prices: Floats = np.where(
        world.tassets["is_delisted"], world.tassets["end_price"], world.market_price[int(world.clock[0].step)][world.tassets["asset"]]
    )
    return prices


def token_prices(world: World) -> Floats:
    """USD per token, [tokens]: tDOLLAR 1, tASSETs at the market, tEXO at its own pool's price, LP tokens at their part of the reserves."""
    pools, count = world.pools, len(world.tassets)
    prices = np.zeros(len(world.tokens))
    prices[TDOLLAR], prices[world.tassets["token"]] = 1.0, market_prices(world)
    reserves = world.wallets[pools["account"]]
    rows = np.arange(len(pools))
    base, asset = reserves[rows, pools["base_token"]], reserves[rows, pools["asset_token"]]
    prices[pools[count]["asset_token"]] = base[count] / asset[count] if asset[count] > 0 else 0.0
    supply = world.tokens["supply"][pools["share_token"]]
    value = base + asset * prices[pools["asset_token"]]
    prices[pools["share_token"]] = np.divide(value, supply, out=np.zeros(len(pools)), where=supply > 0)
    return prices


def solvency(world: World) -> dict[str, Figure]:
    """Who is worth less than they owe, marked at the market price."""
    peak = world.peaks[len(world.tassets)]
    debt_usd = float(world.tassets["debt"] @ market_prices(world))
    return {
        "bad_debt_usd": Figure(float(world.tassets["bad_debt_usd"].sum()), "USD"),
        "shortfall_peak_usd": Figure(float(peak.shortfall_peak), "USD"),
        "shortfall_end_usd": Figure(float(peak.shortfall), "USD"),
        "insolvent_cdps_peak": Figure(int(peak.insolvent_peak), "count"),
        "insolvent_cdps_end": Figure(int(peak.insolvent), "count"),
        "min_system_collateral_ratio": _finite(peak.min_system_ratio, "fraction", "nothing was owed"),
        "time_to_insolvency_s": _finite(peak.first_insolvent_at, "seconds", "no CDP became insolvent"),
        "under_collateralised_debt_share_end": _ratio(peak.insolvent_debt_usd, debt_usd, "fraction", "nothing is owed"),
        "debt_end_usd": Figure(debt_usd, "USD"),
        "open_cdps_end": Figure(int(world.cdps["is_open"].sum()), "count"),
    }


def liquidations(world: World) -> dict[str, Figure]:
    """How margin-called CDPs were cleared, and what stood in the way."""
    flows, asked = world.flows, world.tallies[Action.PURCHASE]
    burned, sold = float(flows["burned_usd"].sum()), float(flows["sold_usd"].sum())
    never_called = "no CDP was margin called"
    return {
        "liquidations": Figure(int(flows["liquidations"].sum()), "count"),
        "liquidated_debt_usd": Figure(burned, "USD"),
        "collateral_sold_usd": Figure(sold, "USD"),
        "discount_paid_usd": Figure(sold - burned, "USD"),
        "collateral_returned_usd": Figure(float(flows["returned_usd"].sum()), "USD"),
        "liquidation_efficiency": _ratio(flows["instant_usd"].sum(), flows["called_usd"].sum(), "fraction", never_called),
        "mean_time_to_liquidation_s": _ratio(flows["waited_usd_seconds"].sum(), burned, "seconds", "nothing was liquidated"),
        "margin_called_at_end": Figure(int(world.series[-1]["called"].sum()), "count"),
        **cascade(world),
        "refused_stale_price": Figure(int(asked[Status.STALE_PRICE]), "count"),
        "refused_unprofitable": Figure(int(asked[Status.UNPROFITABLE]), "count"),
        "refused_no_capital": Figure(int(asked[Status.NO_CAPITAL]), "count"),
        "refused_no_liquidity": Figure(int(asked[Status.NO_LIQUIDITY]), "count"),
        "refused_too_early": Figure(int(asked[Status.TOO_EARLY]), "count"),
        "refused_delisted": Figure(int(asked[Status.TASSET_DELISTED]), "count"),
    }


def cascade(world: World) -> dict[str, Figure]:
    """How much was liquidated at once, and for how many rounds in a row."""
    found = cascades.of_cdps(world)
    if found is None:
        why = "not all purchases were listed one by one"
        return {
            "cascade_usd": Figure(None, "USD", why),
            "cascade_debt_share": Figure(None, "fraction", why),
            "cascade_rounds": Figure(None, "count", why),
        }
    nothing = "nothing was owed before it"
    return {
        "cascade_usd": Figure(found.usd, "USD"),
        "cascade_debt_share": Figure(found.share, "fraction", "" if found.share is not None else nothing),
        "cascade_rounds": Figure(cascades.rounds_in_a_row(world), "count"),
    }


def fee_yield(world: World) -> dict[str, Figure]:
    """What the pools earned for their LPs, and what was left after the move of prices."""
    seconds, fees = float(world.clock[0].now), lp_fees(world)
    pool_value_years = float(world.peaks[len(world.tassets)].pool_value_seconds) / SECONDS_PER_YEAR
    gain, start_value = lp_gain(world)
    no_pool = "no liquidity, or no time passed"
    return {
        "volume_usd": Figure(float(world.pools["volume_base"].sum()), "USD"),
        "lp_fees_usd": Figure(fees, "USD"),
        "fee_yield_per_year": _ratio(fees, pool_value_years, "per_year", no_pool),
        "lp_net_yield_per_year": _ratio(gain, start_value * seconds / SECONDS_PER_YEAR, "per_year", no_pool),
        "protocol_fees_usd": Figure(protocol_fees(world), "USD"),
    }


def waterfall(world: World) -> dict[str, Figure]:
    """Who bore each dollar lost, and who gained from it."""
    flows, tassets = world.flows, world.tassets
    return {
        "owners_loss_usd": Figure(float(flows["sold_usd"].sum() - flows["burned_usd"].sum()), "USD"),
        "holders_loss_usd": Figure(float(tassets["bad_debt"] @ market_prices(world)), "USD"),
        "lp_impermanent_loss_usd": Figure(lp_fees(world) - lp_gain(world)[0], "USD"),
        "liquidators_profit_usd": Figure(liquidators_profit(world), "USD"),
    }


def staking(world: World) -> dict[str, Figure]:
    """What stakers of tEXO and of LP tokens earned: protocol fees turned into tEXO, and inflation."""
    count, last = len(world.tassets), world.reward_series[max(int(world.clock[0].records) - 1, 0)]
    pool, price = world.stake_pools[count], float(token_prices(world)[world.inflation[0].token])
    staked = world.reward_series["staked"][: int(world.clock[0].records)].mean()
    years = float(world.clock[0].now) / SECONDS_PER_YEAR
    states = world.polls["state"]
    return {
        "texo_price_start_usd": _positive(world.reward_series[0]["texo_price"], "USD", "its pool was empty"),
        "texo_price_end_usd": _positive(last["texo_price"], "USD", "its pool is empty"),
        "fees_sold_usd": Figure(float(world.keepers["converted"].sum()), "USD"),
        "fees_paid_texo": Figure(float(world.keepers["distributed"].sum()), "tokens"),
        "fee_purchase_price_usd": _ratio(world.keepers["converted"].sum(), world.keepers["distributed"].sum(), "USD", "no fees were paid"),
        "inflation_texo": Figure(float(world.inflation[0].emitted), "tokens"),
        "texo_staking_yield_per_year": _ratio(pool.rewarded, staked * years, "per_year", "nothing was staked, or no time passed"),
        "lp_rewards_usd": Figure(float(world.stake_pools["rewarded"][:count].sum()) * price, "USD"),
        "polls_executed": Figure(int((states == PollState.EXECUTED).sum()), "count"),
        "polls_rejected": Figure(int((states == PollState.REJECTED).sum()), "count"),
    }


def delisting(world: World) -> dict[str, Figure]:
    """What became of delisted tASSETs: what is still owed and locked, what the old pool holds, how far the replacement is."""
    gone = world.tassets["is_delisted"]
    fresh = world.migrations["replacement"][world.migrations["done_at"] < np.inf]
    prices, pools = market_prices(world), world.wallets[world.pools["account"]]
    still_owed = float((world.tassets["debt"] * prices)[gone].sum())
    kinds = gone[world.cdp_kinds["tasset"]]
    collateral = world.cdp_kinds["collateral"] * token_prices(world)[world.cdp_kinds["token"]]
    return {
        "delisted_tassets": Figure(int(gone.sum()), "count"),
        "delisted_debt_end_usd": Figure(still_owed, "USD"),
        "delisted_collateral_end_usd": Figure(float(collateral[kinds].sum()), "USD"),
        "delisted_pools_end_usd": Figure(float(2.0 * pools[:-1, TDOLLAR][gone].sum()), "USD"),
        "replacement_debt_end_usd": Figure(float((world.tassets["debt"] * prices)[fresh].sum()), "USD"),
        "replacement_pools_end_usd": Figure(float(2.0 * pools[:-1, TDOLLAR][fresh].sum()), "USD"),
    }


def lp_fees(world: World) -> float:
    """USD of commission kept in the pools, tokens at today's prices."""
    return float(world.pools["fees_base"].sum() + world.pools["fees_asset"] @ token_prices(world)[world.pools["asset_token"]])


def lp_gain(world: World) -> tuple[float, float]:
    """USD that all LPs own more than if they had kept what they started with, and USD that this start is worth at today's prices.

    Owned is everything in their wallets, LP tokens they staked, and rewards claimed or not.
    """
    lps, prices = world.lps, token_prices(world)
    if len(lps) == 0:
        return 0.0, 0.0
    owned = worth(world.wallets, lps["account"], prices)
    owned[lps["stake"] >= 0] += stakes_worth(world)[lps["stake"][lps["stake"] >= 0]]
    held = lps["start_base"] + lps["start_asset"] * prices[world.pools[lps["start_pool"]]["asset_token"]]
    return float((owned - held).sum()), float(held.sum())


def owners_wealth(world: World) -> Floats:
    """USD that the owner of each CDP has in its wallet, in all its CDPs and staked, less what it owes; [minters]."""
    prices, accounts = token_prices(world), len(world.wallets)
    cdps = world.cdps
    owed = cdps["debt"] * prices[world.tassets["token"][cdps["tasset"]]]
    locked = cdps["collateral"] * prices[world.cdp_kinds["token"][cdps["kind"]]]
    wealth = np.zeros(accounts)
    np.add.at(wealth, cdps["owner"], locked - owed)
    np.add.at(wealth, world.stakes["owner"], stakes_worth(world))
    account = world.minters["account"]
    owned: Floats = wealth[account] + worth(world.wallets, account, prices)
    return owned


def worth(wallets: Floats, accounts: Ints, prices: Floats) -> Floats:
    """USD of the tokens in wallets, [accounts].

    Block by block: for a large product BLAS wakes a thread for each core, and these spin on when it is done, while the market plays.
    """
    rows = max(SMALL_PRODUCT // max(len(prices), 1), 1)
    blocks = [wallets[accounts[first : first + rows]] @ prices for first in range(0, len(accounts), rows)]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def stakes_worth(world: World) -> Floats:
    """USD of each stake: what is bonded, and rewards booked or not; [stakes]."""
    prices, stakes = token_prices(world), world.stakes
    pools = world.stake_pools[stakes["pool"]]
    earned = stakes["pending"] + stakes["bond"] * (pools["reward_index"] - stakes["index"])
    worth: Floats = stakes["bond"] * prices[pools["staked_token"]] + earned * prices[pools["reward_token"]]
    return worth


def protocol_fees(world: World) -> float:
    """USD of protocol fees: tDOLLAR sold for tEXO so far, and what the collector still holds."""
    return float(world.keepers["converted"].sum() + world.wallets[COLLECTOR_ACCOUNT] @ token_prices(world))


def liquidators_profit(world: World) -> float:
    """USD that all liquidators own more than at the start, tokens kept at the market price, cost of purchases taken off."""
    rows, wallets = world.liquidators, world.wallets[world.liquidators["account"]]
    tokens = wallets[:, world.tassets["token"]] @ market_prices(world)
    return float((wallets[:, TDOLLAR] + tokens - rows["start_usd"] - rows["purchases"] * rows["cost_usd"] - rows["extra_cost_usd"]).sum())


def _positive(value: float, unit: str, why: str) -> Figure:
    return Figure(float(value), unit) if value > 0 else Figure(None, unit, why)


def _finite(value: float, unit: str, why: str) -> Figure:
    return Figure(float(value), unit) if np.isfinite(value) else Figure(None, unit, why)


def _ratio(numerator: float, denominator: float, unit: str, why: str) -> Figure:
    return Figure(float(numerator) / float(denominator), unit) if denominator > 0 else Figure(None, unit, why)
