"""The figures of the exchange in one run: what LPs earn and from whom, solvency of pools and markets, liquidations, who gained each dollar.

Every figure's definition stands in the report's glossary under the same name; a part after a dot says of which market, kind of trader or
receiver it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seawall.agents.exchange import Exchange, core_in
from seawall.agents.perps_trader import TraderKind
from seawall.models import cascades
from seawall.models import exchange_wealth as wealth
from seawall.models.exchange_neutrality import SOURCES, recorded, slopes
from seawall.models.measures import SECONDS_PER_YEAR, Figure, Summary, _finite, _ratio, token_prices
from seawall.protocols.tables import Floats, World

NO_TIME = "nothing was delegated, or no time passed"


@dataclass(frozen=True, slots=True)
class ExchangeNames:
    """What the rows of the exchange are called.

    Attributes:
        markets: by row of markets.
        pools: by row of pools.
        collaterals: by row of collateral_types.
        receivers: by row of siphons: who receives; one account has one name.
    """

    markets: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    collaterals: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()


def numbered(x: Exchange) -> ExchangeNames:
    """Names for an exchange without any: "market 0", ..."""
    return ExchangeNames(
        markets=tuple(f"market {m}" for m in range(len(x.markets))),
        pools=tuple(f"pool {p}" for p in range(len(x.pools))),
        collaterals=tuple(f"collateral {c}" for c in range(len(x.collateral_types))),
        receivers=tuple(f"account {account}" for account in x.siphons["account"]),
    )


def measure(x: Exchange, world: World, names: ExchangeNames | None = None) -> Summary:
    """All figures of the exchange so far, by group and name.

    Args:
        x: the exchange.
        world: the tASSET market beside it, whose prices reward tokens may have.
        names: of rows; numbers if not given.
    """
    names = names or numbered(x)
    owned = wealth.wealth_of(x)
    return {
        "exchange": {
            **lp_gain(x, world),
            **lp_yield(x, world, names),
            **solvency(x, names),
            **liquidations(x),
            **keepers(x, owned),
            **siphons(x, names),
            **traders(x, owned),
            **neutrality(x, names),
        },
        "exchange_waterfall": waterfall(x, owned),
    }


def lp_gain(x: Exchange, world: World) -> dict[str, Figure]:
    """What LPs gained through the markets, by source, and whether the sources add up to the change of the markets' debt."""
    memory = x.market_memory
    change = float(_total_debt(x).sum() - _first_debt(x).sum())
    in_usd = incentives_usd(x, world)
    return {
        "lp_order_fees_usd": _usd(memory["fees"].sum()),
        "lp_price_impact_usd": _usd(memory["impact"].sum()),
        "lp_funding_usd": _usd(memory["funding"].sum()),
        "lp_price_gain_usd": _usd(memory["price_gain"].sum()),
        "lp_liquidation_gain_usd": _usd(memory["liquidation_gain"].sum()),
        "siphoned_usd": _usd(memory["siphoned"].sum()),
        "lp_incentives_tokens": Figure(float(wealth.incentives(x).sum()), "tokens"),
        "lp_incentives_usd": in_usd,
        "lp_exchange_gain_usd": _usd(_market_gains(x).sum() + (in_usd.value or 0.0)),
        "lp_gain_residual_usd": _cleared(sum(memory[name].sum() for name in SOURCES) + change),
    }


def incentives_usd(x: Exchange, world: World) -> Figure:
    """Reward tokens shared out among LPs at today's prices."""
    shared, own = wealth.incentives(x), wealth.own_prices(x)
    prices = np.where(own > 0.0, own, token_prices(world))
    if (prices[x.streams["token"][shared > 0.0]] <= 0.0).any():
        return Figure(None, "USD", "a reward token has no price")
    return _usd(shared @ prices[x.streams["token"]])


def lp_yield(x: Exchange, world: World, names: ExchangeNames) -> dict[str, Figure]:
    """Return of LPs on the mean value of the pools, and of each market on the mean value delegated to it."""
    seconds = float(x.clock[0].now)
    years = seconds / SECONDS_PER_YEAR
    mean_value = float(x.pool_memory["value_seconds"].sum()) / seconds if seconds > 0.0 else 0.0
    gain = float(_market_gains(x).sum()) + float(incentives_usd(x, world).value or 0.0)
    fees = float(x.market_memory["fees"].sum() - x.market_memory["siphoned"].sum())
    return {
        "mean_pool_value_usd": Figure(mean_value, "USD") if seconds > 0.0 else Figure(None, "USD", "no time passed"),
        "lp_return": _ratio(gain, mean_value, "fraction", NO_TIME),
        "lp_return_per_year": _ratio(gain, mean_value * years, "per_year", NO_TIME),
        "lp_fee_return_per_year": _ratio(fees, mean_value * years, "per_year", NO_TIME),
        **_each("lp_return", names.markets, _market_returns(x)),
    }


def solvency(x: Exchange, names: ExchangeNames) -> dict[str, Figure]:
    """How close pools came to their debt, and for how long the credit of a market did not cover what its traders own."""
    seconds, memory = float(x.clock[0].now), x.market_memory
    pools = x.pool_series[: int(x.times[0].records)]
    ratios = np.divide(pools["value"], pools["debt"], out=np.full(pools.shape, np.inf), where=pools["debt"] >= wealth.DUST)
    no_debt, no_time = "no pool owed anything at any record", "no time passed"
    shares = [_ratio(missed, seconds, "fraction", no_time) for missed in memory["insolvent_seconds"]]
    return {
        "min_pool_collateral_ratio": _finite(ratios.min(initial=np.inf), "fraction", no_debt),
        "min_lp_collateral_ratio": _finite(pools["min_ratio"].min(initial=np.inf), "fraction", "no LP owed anything at any record"),
        "vaults_below_liquidation_ratio": Figure(int(wealth.vaults_below_ratio(core_in(x))), "count"),
        "market_insolvency_probability": _ratio(memory["insolvent_seconds"].sum(), seconds * len(memory), "fraction", no_time),
        **_each("market_insolvency_probability", names.markets, shares),
        "time_to_market_insolvency_s": _finite(
            memory["first_insolvent_at"].min(initial=np.inf), "seconds", "the credit always covered what traders own"
        ),
        "unpaid_peak_usd": _usd(memory["unpaid_peak"].max(initial=0.0)),
    }


def liquidations(x: Exchange) -> dict[str, Figure]:
    """How much was traded, and how much of it was liquidated."""
    memory = x.market_memory
    return {
        "perps_volume_usd": _usd(memory["volume"].sum()),
        "perps_orders": Figure(int(memory["orders"].sum()), "count"),
        "perps_liquidations": Figure(int(memory["liquidations"].sum()), "count"),
        "perps_liquidated_usd": _usd(memory["liquidated_usd"].sum()),
        "perps_shortfall_usd": _usd(memory["shortfall"].sum()),
        **cascade(x),
    }


def cascade(x: Exchange) -> dict[str, Figure]:
    """How much was liquidated at once."""
    found = cascades.of_traders(x)
    if found is None:
        far = "records lie more than an hour apart"
        return {"perps_cascade_usd": Figure(None, "USD", far), "perps_cascade_share": Figure(None, "fraction", far)}
    none_open = "no position was open before it"
    return {
        "perps_cascade_usd": _usd(found.usd),
        "perps_cascade_share": Figure(found.share, "fraction", "" if found.share is not None else none_open),
    }


def keepers(x: Exchange, owned: wealth.Wealth) -> dict[str, Figure]:
    """What keepers were paid by the markets, and what their whole work left them after its cost."""
    return {
        "keepers_paid_usd": _usd(x.market_memory["keepers_paid"].sum()),
        "keepers_profit_usd": _usd(owned.keepers.sum() - wealth.keepers_cost(x)),
    }


def siphons(x: Exchange, names: ExchangeNames) -> dict[str, Figure]:
    """What each receiver of siphoned fees has of them; of one who also trades, lends or keeps it cannot be told."""
    others = np.concatenate([rows["account"] for rows in (x.perps_traders, x.liquidity_lps, x.exchange_keepers)])
    figures = {}
    for name, row in zip(names.receivers, x.siphons, strict=True):
        held = Figure(None, "USD", "its account holds other dUSD as well")
        if row.account not in others:
            held = _usd(x.wallets[row.account, wealth.usd_token(x)])
        if row.fee_share > 0.0:
            figures[f"siphoned_usd.{name}"] = held
    return figures


def traders(x: Exchange, owned: wealth.Wealth) -> dict[str, Figure]:
    """What traders gained, by kind."""
    kinds = x.perps_traders["kind"]
    return {
        f"perps_traders_gain_usd.{kind.name.lower()}": _usd(owned.traders[kinds == kind].sum())
        for kind in TraderKind
        if (kinds == kind).any()
    }


def neutrality(x: Exchange, names: ExchangeNames) -> dict[str, Figure]:
    """How LPs' return moves with the market and with traders' profit: of all markets together, and of each."""
    figures = slopes(x, None)
    for m, market in enumerate(names.markets if len(names.markets) > 1 else ()):
        figures |= {f"{name}.{market}": figure for name, figure in slopes(x, m).items()}
    return figures


def waterfall(x: Exchange, owned: wealth.Wealth) -> dict[str, Figure]:
    """Who gained and who lost each dollar; dUSD that people brought along is no gain, reward tokens are left out."""
    gains = {
        "perps_traders_gain_usd": float(owned.traders.sum()),
        "exchange_lps_gain_usd": float(owned.lps.sum()),
        "exchange_keepers_gain_usd": float(owned.keepers.sum()),
        "siphon_receivers_gain_usd": float(x.market_memory["siphoned"].sum()),
    }
    left = wealth.unsettled(x)
    figures = {name: _usd(gain) for name, gain in gains.items()}
    return figures | {"unsettled_usd": _cleared(left), "waterfall_residual_usd": _cleared(sum(gains.values()) - left)}


def _usd(value: float) -> Figure:
    return Figure(float(value), "USD")


def _cleared(value: float) -> Figure:
    """USD to a millionth: what is less is rounding of the sums."""
    return _usd(round(float(value), 6) + 0.0)


def _each(name: str, labels: tuple[str, ...], figures: list[Figure]) -> dict[str, Figure]:
    """One figure for each label; none where there is only one, which the figure of all shows already."""
    return {f"{name}.{label}": figure for label, figure in zip(labels, figures, strict=True)} if len(labels) > 1 else {}


def _total_debt(x: Exchange) -> Floats:
    """USD that LPs owe through each market: what traders own, and what was paid out less what was paid in."""
    total: Floats = x.markets["reported_debt"] + x.markets["net_issuance"] - x.markets["collateral_value"]
    return total


def _first_debt(x: Exchange) -> Floats:
    series = recorded(x)
    first: Floats = series[0]["total_debt"] if len(series) else np.zeros(len(x.markets))
    return first


def _market_gains(x: Exchange) -> Floats:
    """USD that LPs gained through each market, less what distributors siphoned off its fees."""
    gains: Floats = np.sum([x.market_memory[name] for name in SOURCES], axis=0) - x.market_memory["siphoned"]
    return gains


def _market_returns(x: Exchange) -> list[Figure]:
    series = recorded(x)
    delegated = series["delegated"].mean(axis=0) if len(series) else np.zeros(len(x.markets))
    return [_ratio(gain, mean, "fraction", NO_TIME) for gain, mean in zip(_market_gains(x), delegated, strict=True)]
