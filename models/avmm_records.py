"""What is written down about the RFQ market: each asset's prices, what the book would pay of it, and the market's running totals."""

from __future__ import annotations

from seawall.agents.avmm import NUMERAIRE, Avmm, Mechanism, market_price
from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.rfq_ranges import is_in_range
from seawall.protocols.tables import Row


@rule
def would_pay(v: Avmm, lp: int, outbound: int, inbound: int) -> bool:
    """Tell whether a position pays one asset for another now: both prices are fresh and in its ranges, and it takes the other."""
    feed_out, feed_in, now = v.feeds[v.book.assets[outbound].feed], v.feeds[v.book.assets[inbound].feed], v.clock[0].now
    if not (is_fresh(feed_out, now) and is_fresh(feed_in, now) and (v.book.lps[lp].accepts >> inbound) & 1):
        return False
    return is_in_range(v.book, lp, outbound, inbound, feed_out.price, feed_in.price)


@rule
def pays(v: Avmm, lp: int, asset: int) -> bool:
    """Tell whether a position pays an asset for the numeraire now, or the numeraire for any other asset."""
    if not v.book.lps[lp].is_open or v.book.holdings[lp, asset].balance <= 0.0:
        return False
    if asset != NUMERAIRE:
        return would_pay(v, lp, asset, NUMERAIRE)
    ways = 0
    for inbound in range(len(v.book.assets)):
        ways += int(inbound != NUMERAIRE and would_pay(v, lp, NUMERAIRE, inbound))
    return ways > 0


@rule
def totals(v: Avmm) -> tuple[float, float, float]:
    """USD that LPs settled, earned in fees and lost to stale prices so far.

    Pools are not followed LP by LP: their volume and fees are counted, fees at today's prices, and no loss.
    """
    settled = fees = stale_loss = 0.0
    if v.terms[0].mechanism == Mechanism.CONSTANT_PRODUCT:
        for asset in range(1, len(v.avmm_assets)):
            pool = v.pools[v.avmm_assets[asset].pool]
            settled += pool.volume_base * market_price(v, NUMERAIRE)
            fees += pool.fees_base * market_price(v, NUMERAIRE) + pool.fees_asset * market_price(v, asset)
    for i in range(len(v.avmm_lps)):
        lp = v.avmm_lps[i]
        settled, fees, stale_loss = settled + lp.settled_usd, fees + lp.fees_usd, stale_loss + lp.stale_loss_usd
    return settled, fees, stale_loss


@rule
def record_asset(v: Avmm, asset: int, row: Row) -> None:
    """Fill one row of an asset's time series, the market's totals apart."""
    feed = v.feeds[v.book.assets[asset].feed]
    row.time, row.market_price = v.clock[0].now, market_price(v, asset)
    row.oracle_price, row.oracle_age = feed.price, max(v.clock[0].now - feed.updated_at, 0.0)  # a frozen price has no age
    for lp in range(len(v.book.lps)):
        balance = v.book.holdings[lp, asset].balance
        row.balance += balance
        if pays(v, lp, asset):
            row.payable += balance
            row.lps += 1
            row.best_discount = max(row.best_discount, v.book.lps[lp].fee_discount)


@rule
def observe(v: Avmm) -> None:
    """Write a record when its turn has come: at the start, at intervals, at the end."""
    clock, terms = v.clock[0], v.terms[0]
    if clock.step % clock.record_every != 0 and clock.step != clock.steps:
        return
    settled, fees, stale_loss = totals(v)
    for asset in range(len(v.avmm_assets)):
        row = v.series[terms.records, asset]
        record_asset(v, asset, row)
        row.settled_usd, row.fees_usd, row.stale_loss_usd = settled, fees, stale_loss
        for kind in range(len(v.flows)):
            row.ordered_usd += v.flows[kind].ordered_usd
            row.filled_usd += v.flows[kind].filled_usd
    terms.records += 1
