"""The figures of the RFQ market in one run: what orders cost, what LPs earn and lose, who gets the orders, how deep the book is.

The same figures measure the mechanisms that it is compared with; one that a mechanism does not have says so. Every figure's definition
stands in the report's glossary under the same name; a part after a dot says of which asset or kind of LP it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seawall.agents.avmm import NUMERAIRE, Avmm, LpKind, Mechanism, RfqTraderKind, market_price
from seawall.models.avmm_records import totals
from seawall.models.measures import SECONDS_PER_YEAR, Figure, Summary, _ratio, worth
from seawall.protocols.compiled import rule
from seawall.protocols.reputation import is_out_of_range
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import Bools, Floats, Table

NO_TIME = "LPs started with nothing, or no time passed"
NO_BOOK = "orders do not go to the book"
IN_POOLS = "not followed in pools"


@dataclass(frozen=True, slots=True)
class AvmmNames:
    """What the rows of the RFQ market are called.

    Attributes:
        assets: by row of rfq_assets; the first is the numeraire.
    """

    assets: tuple[str, ...] = ()


def numbered(v: Avmm) -> AvmmNames:
    """Names for a market without any: "asset 0", ..."""
    return AvmmNames(tuple(f"asset {k}" for k in range(len(v.avmm_assets))))


def measure(v: Avmm, names: AvmmNames | None = None) -> Summary:
    """All figures of the RFQ market so far, by group and name.

    Args:
        v: the RFQ market.
        names: of its assets; numbers if not given.
    """
    return {"avmm": {**orders(v), **lps(v), **concentration(v), **depth(v, names or numbered(v)), **refusals(v)}}


def orders(v: Avmm) -> dict[str, Figure]:
    """What traders' orders came to, and what they cost at the market prices of their placing."""
    noise, informed = v.flows[RfqTraderKind.NOISE], v.flows[RfqTraderKind.INFORMED]
    has_informed = (v.avmm_traders["kind"] == RfqTraderKind.INFORMED).any()
    informed_gain = _usd(0.0 - informed.cost_usd) if has_informed else Figure(None, "USD", "there are no informed traders")
    return {
        "avmm_volume_usd": Figure(float(totals(v)[0]), "USD"),
        "avmm_orders": Figure(int(noise.orders), "count"),
        "avmm_fill_rate": _ratio(noise.filled_usd, noise.ordered_usd, "fraction", "nothing was ordered"),
        "avmm_execution_cost": _ratio(noise.cost_usd, noise.filled_usd, "fraction", "no order was filled"),
        "avmm_informed_gain_usd": informed_gain,
    }


def lps(v: Avmm) -> dict[str, Figure]:
    """What LPs earned, what stale prices cost them, and what they have more than if they had kept what they started with."""
    _, fees, stale_loss = totals(v)
    start, gain = start_usd(v), gains(v)
    years = float(v.clock[0].now) / SECONDS_PER_YEAR
    return {
        "avmm_fees_usd": _usd(fees),
        "avmm_fee_yield_per_year": _ratio(fees, start.sum() * years, "per_year", NO_TIME),
        "avmm_stale_loss_usd": Figure(None, "USD", IN_POOLS) if is_pooled(v) else _usd(stale_loss),
        "avmm_lp_gain_usd": _usd(gain.sum()),
        "avmm_lp_net_yield_per_year": _ratio(gain.sum(), start.sum() * years, "per_year", NO_TIME),
        **{
            f"avmm_lp_net_yield_per_year.{kind.name.lower()}": _ratio(gain[of].sum(), start[of].sum() * years, "per_year", NO_TIME)
            for kind, of in by_kind(v.avmm_lps, LpKind)
        },
    }


def concentration(v: Avmm) -> dict[str, Figure]:
    """How what was settled is spread over LPs; in a pool by what they started with, as all of them settle every order."""
    settled = start_usd(v) if is_pooled(v) else v.avmm_lps["settled_usd"]
    total, why = float(settled.sum()), "nothing was settled"
    return {
        "avmm_herfindahl": _ratio((settled**2).sum(), total**2, "fraction", why),
        **{
            f"avmm_settled_share.{kind.name.lower()}": _ratio(settled[of].sum(), total, "fraction", why)
            for kind, of in by_kind(v.avmm_lps, LpKind)
        },
    }


def depth(v: Avmm, names: AvmmNames) -> dict[str, Figure]:
    """The least that the book would have paid at any record, of all assets together and of each, and how many LPs are out at the end."""
    series = recorded(v)
    out = Figure(int(outside(v).sum()), "count")
    if v.terms[0].mechanism != Mechanism.RFQ or len(series) == 0:
        none = Figure(None, "USD", NO_BOOK if len(series) else "nothing was recorded")
        return {"avmm_payable_min_usd": none, "avmm_lps_out_end": out}
    payable = series["payable"] * series["oracle_price"]
    lowest = {f"avmm_payable_min_usd.{name}": _usd(usd) for name, usd in zip(names.assets, payable.min(axis=0), strict=True)}
    return {"avmm_payable_min_usd": _usd(payable.sum(axis=1).min()), **lowest, "avmm_lps_out_end": out}


def refusals(v: Avmm) -> dict[str, Figure]:
    """Orders that the book refused for want of an LP or of a fresh price; who asks first and then stays away is not among them."""
    asked = v.tallies[Action.RFQ_ORDER]
    return {
        "avmm_refused_no_lp": Figure(int(asked[Status.NO_ELIGIBLE_LP]), "count"),
        "avmm_refused_stale_price": Figure(int(asked[Status.STALE_PRICE]), "count"),
    }


def is_pooled(v: Avmm) -> bool:
    """Tell whether LPs stand in constant-product pools, where nobody knows which of them settled an order."""
    return bool(v.terms[0].mechanism == Mechanism.CONSTANT_PRODUCT)


def market_prices(v: Avmm) -> Floats:
    """USD per token of each asset of the book on the market, now."""
    return np.array([market_price(v, asset) for asset in range(len(v.avmm_assets))])


def start_usd(v: Avmm) -> Floats:
    """USD that what each LP started with is worth at today's market prices."""
    prices = market_prices(v)
    primary = v.book.lps["primary"][v.avmm_lps["position"]]
    started: Floats = v.avmm_lps["start_tokens"] * prices[primary] + v.avmm_lps["start_numeraire"] * prices[NUMERAIRE]
    return started


def gains(v: Avmm) -> Floats:
    """USD that each LP has more than if it had kept what it started with: in its wallet, its position and its part of pools' reserves."""
    prices, accounts = market_prices(v), v.avmm_lps["account"]
    tokens = np.zeros(len(v.tokens))
    tokens[v.book.assets["token"]] = prices
    for pool in v.pools:
        supply = v.tokens[pool.share_token].supply
        tokens[pool.share_token] = (v.wallets[pool.account] @ tokens) / supply if supply > 0.0 else 0.0
    gained: Floats = worth(v.wallets, accounts, tokens) + v.book.holdings["balance"][v.avmm_lps["position"]] @ prices - start_usd(v)
    return gained


@rule
def mark_outside(v: Avmm, is_outside: Bools) -> None:
    """Fill in which LPs have stepped out, or stand in the book with ranges that let them pay nothing at the last prices."""
    for i in range(len(v.avmm_lps)):
        in_book = v.terms[0].mechanism == Mechanism.RFQ
        is_outside[i] = v.avmm_lps[i].is_out or (in_book and is_out_of_range(v.book, v.avmm_lps[i].position, v.feeds))


def outside(v: Avmm) -> Bools:
    """Which LPs serve nobody now, [LPs]."""
    is_outside = np.zeros(len(v.avmm_lps), np.bool_)
    mark_outside(v, is_outside)
    return is_outside


def recorded(v: Avmm) -> Table:
    """Records written so far, [records, assets]."""
    written: Table = v.series[: int(v.terms[0].records)]
    return written


def by_kind(rows: Table, kinds: type[LpKind] | type[RfqTraderKind]) -> list[tuple[LpKind | RfqTraderKind, Bools]]:
    """Kinds that exist, and which rows are of each."""
    return [(kind, rows["kind"] == kind) for kind in kinds if (rows["kind"] == kind).any()]


def _usd(value: float) -> Figure:
    return Figure(float(value), "USD")
