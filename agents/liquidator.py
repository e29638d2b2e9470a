"""Liquidators: find the tASSET that a margin-called CDP owes, buy its collateral at a discount, keep the difference.

Tokens come from the wallet first, then from the RFQ book where it is cheaper than the pool, then from the tASSET's pool, in one
transaction, as long as each further token earns `min_profit`. Everybody sees the same CDPs and acts in the order drawn for the round, so
the first takes the best and the next what is left. Gas is paid outside the market; when it spikes, a purchase costs more and can be made
only some time after the margin call. Collateral in another tASSET is sold on that tASSET's pool at once, and counts for what it fetches
there. Whether a tASSET's CDPs are worth a look is judged at oracle prices: where that pool stands so far above the oracle that a
purchase pays only by the premium, none is made (assumption).

Source: 004_7b43fd311786c790.txt, "Margin Call & Auction" (almost risk-free profit); what bounds it is slippage, cash and cost: assumption.
"""

from __future__ import annotations

import math

from seawall.agents.alarms import update_called
from seawall.agents.avmm import Avmm
from seawall.agents.avmm_desk import asset_of
from seawall.agents.base import RoutedAgent, everybody, tally, whole_units
from seawall.agents.purchase_bounds import cannot_pay, greatest_gain, purchasable_tokens, purchase_cost, wanted_tokens
from seawall.agents.router import offers, quote_refill, refill, swap_best
from seawall.agents.swaps import ANY_SPREAD
from seawall.protocols import amm, auction, cdp
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.oracle import is_fresh
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, Floats, Ints, Row, Table, World

HALVINGS = 8  # smaller purchases tried where the pool that takes the collateral is too thin for a larger one


@rule
def find_margin_called(world: World) -> int:
    """List the CDPs below their minimum ratio at the last oracle price in `world.called`, by tASSET; return how many.

    A CDP found for the first time, or again after having been restored, is marked with the time.
    """
    called, first = update_called(world), 1
    for k in range(len(world.flows)):
        flow = world.flows[k]
        flow.called_first = first
        leave_rest(flow, first, Status.NO_CAPITAL)  # unless somebody looks and says otherwise
        first += flow.called_count
    return called


@rule
def leave_rest(flow: Row, first: int, reason: Status) -> None:
    """Note why the margin-called CDPs of a tASSET from a place in `World.called` on are left alone."""
    flow.rest_first, flow.reason = first, reason.value


@rule
def feel_gas(world: World) -> None:
    """Let all liquidators know what gas costs now and how long it holds them up."""
    if len(world.gas) > 0:
        gas = world.gas[world.clock[0].step]
        for i in range(len(world.liquidators)):
            world.liquidators[i].gas_factor, world.liquidators[i].gas_delay = gas.factor, gas.delay


@rule
def order(world: World, rows: Ints) -> int:
    """Fill `rows` with all liquidators in this round's order; nobody when no CDP is margin called. Return how many."""
    if find_margin_called(world) == 0:
        return 0
    feel_gas(world)
    return everybody(rows, len(world.liquidators), world.clock[0].order_seed, world.clock[0].step)


@rule
def why_nothing(liquidator: Row, tasset: Row, feed: Row, pool: Row, wallets: Floats, purchasable: float, now: float) -> Status:
    """Reason for which a liquidator has nothing to gain from any CDP of a tASSET; OK if it may have."""
    if tasset.auction_needs_fresh_price and not is_fresh(feed, now):
        return Status.STALE_PRICE
    has_tokens = purchasable > 0.0 or wallets[liquidator.account, tasset.token] > 0.0
    if has_tokens and greatest_gain(liquidator, tasset, pool, wallets, feed.price, purchasable) >= purchase_cost(liquidator):
        return Status.OK
    if wallets[pool.account, pool.asset_token] <= 0.0 or not liquidator.uses_pool:
        return Status.NO_LIQUIDITY
    if wallets[liquidator.account, TDOLLAR] <= purchase_cost(liquidator):
        return Status.NO_CAPITAL
    return Status.UNPROFITABLE


@rule
def proceeds(kind: Row, pools: Table, wallets: Floats, received: float) -> float:
    """tDOLLAR that collateral of a kind fetches: itself, or what the pool of that tASSET pays for it."""
    if kind.token == TDOLLAR:
        return received
    pool = pools[kind.collateral_feed]
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    return 0.0 if asset <= 0.0 else max(amm.quote_swap(asset, base, received, pool.commission)[0], 0.0)


@rule
def plan(
    liquidator: Row, position: Row, tasset: Row, kind: Row, feeds: Table, pools: Table, wallets: Floats, purchasable: float
) -> tuple[float, float]:
    """tDOLLAR to spend on the pool and tokens to bring to a margin-called CDP; (0, 0) when that would not pay.

    Tokens held already are counted as an outlay at the oracle price: they could be sold instead.
    """
    price_usd, price, pool = feeds[kind.feed].price, cdp.last_price(kind, feeds), pools[tasset.pool]
    wanted = wanted_tokens(position, tasset, price)
    for _ in range(HALVINGS):
        held = min(wallets[liquidator.account, tasset.token], wanted)
        bought = min(wanted - held, purchasable)
        cost = 0.0
        if bought > 0.0:
            base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
            cost = min(amm.quote_cost(base, asset, bought + amm.ROUNDING, pool.commission), wallets[liquidator.account, TDOLLAR])
        received = auction.quote(position, tasset, price, held + bought)[1] * (1.0 - tasset.auction_fee)
        outlay = cost + held * price_usd
        gain = proceeds(kind, pools, wallets, received) - outlay - purchase_cost(liquidator)
        if held + bought >= UNIT and gain >= liquidator.min_profit * outlay:
            return cost, held + bought
        if kind.token == TDOLLAR:  # a smaller purchase earns no more per token
            break
        wanted = floor_amount(wanted / 2.0)
    return 0.0, 0.0


@rule
def worth_spending(world: World, liquidator: Row, position: Row, tokens: float) -> float:
    """tDOLLAR that so many tokens may cost at most for a purchase with them to pay."""
    tasset, kind = world.tassets[position.tasset], world.cdp_kinds[position.kind]
    received = auction.quote(position, tasset, cdp.last_price(kind, world.feeds), tokens)[1] * (1.0 - tasset.auction_fee)
    return float((proceeds(kind, world.pools, world.wallets, received) - purchase_cost(liquidator)) / (1.0 + liquidator.min_profit))


@rule
def refill_for(world: World, v: Avmm, liquidator: Row, position: Row) -> None:
    """Buy on the RFQ book the tokens that a margin-called CDP wants and the wallet lacks, if that pays and the pool is not cheaper.

    A purchase must pay with what the book has of them, or nothing is bought: the pool may have no more to offer.
    """
    tasset, kind, wallets = world.tassets[position.tasset], world.cdp_kinds[position.kind], world.wallets
    price_usd, price, pool = world.feeds[kind.feed].price, cdp.last_price(kind, world.feeds), world.pools[tasset.pool]
    held = wallets[liquidator.account, tasset.token]
    missing = wanted_tokens(position, tasset, price) - held
    cash = min(ceil_amount(missing * price_usd / (1.0 - v.book.terms[0].max_fee)), wallets[liquidator.account, TDOLLAR])
    if missing < UNIT or cash < UNIT:
        return
    bought, held_usd = min(missing, floor_amount(cash / price_usd)), held * price_usd
    if bought < UNIT:
        return
    base, asset = wallets[pool.account, pool.base_token], wallets[pool.account, pool.asset_token]
    on_pool = amm.quote_cost(base, asset, bought, pool.commission) if asset > 0.0 else math.inf
    limit = min(worth_spending(world, liquidator, position, held + bought) - held_usd, on_pool) / bought
    received, paid, _ = quote_refill(v, liquidator.account, TDOLLAR, tasset.token, bought, cash, limit)
    if received > 0.0 and paid + held_usd <= worth_spending(world, liquidator, position, held + received):
        refill(v, liquidator.account, TDOLLAR, tasset.token, bought, cash, limit)


@rule
def note(world: World, position: Row, account: int, burned: float, sold: float, left: float, bad_debt: float) -> None:
    """Add a purchase to the flows of its tASSET and to the list of events; `left` is the collateral after it, all in tokens."""
    clock, flow, mark = world.clock[0], world.flows[position.tasset], world.marks[position.row]
    kind = world.cdp_kinds[position.kind]
    price, collateral_price = world.feeds[kind.feed].price, world.feeds[kind.collateral_feed].price
    burned_usd, now = burned * price, clock.now
    flow.liquidations += 1
    flow.burned_usd += burned_usd
    flow.sold_usd += sold * collateral_price
    flow.waited_usd_seconds += burned_usd * (now - mark.called_at)
    if mark.called_at == now:
        flow.instant_usd += burned_usd
    if not position.is_open and bad_debt <= 0.0:
        flow.returned_usd += left * collateral_price
    if clock.events == len(world.events):
        clock.events_lost += 1
        return
    event = world.events[clock.events]
    clock.events += 1
    event.time, event.cdp, event.tasset, event.liquidator = now, position.row, position.tasset, account
    event.burned, event.sold, event.sold_usd, event.price = burned, sold, sold * collateral_price, price
    event.called_at, event.bad_debt = mark.called_at, bad_debt


@rule
def buy(world: World, account: int, index: int, offer: float) -> tuple[Status, float]:
    """Bring tokens to one CDP; return the collateral received as well."""
    position, now = world.cdps[index], world.clock[0].now
    tasset, kind = world.tassets[position.tasset], world.cdp_kinds[position.kind]
    collateral, bad_debt, before = position.collateral, tasset.bad_debt, world.wallets[account, kind.token]
    status, burned, sold = auction.purchase(position, tasset, kind, world.feeds, world.tokens, world.wallets, account, offer, now)
    if status != Status.OK:
        return status, 0.0
    note(world, position, account, burned, sold, collateral - sold, tasset.bad_debt - bad_debt)
    return status, world.wallets[account, kind.token] - before


@rule
def act(world: World, index: int, v: Avmm | None = None) -> None:
    """Go through the margin-called CDPs, which stand together by tASSET, and buy from each what pays."""
    for k in range(len(world.tassets)):
        if world.flows[k].called_count > 0:
            visit(world, index, k, v)


@rule
def why_not_here(world: World, v: Avmm | None, liquidator: Row, tasset: Row, purchasable: float) -> Status:
    """Reason for which neither wallet, pool nor RFQ book offers tokens at a profit for any CDP of a tASSET; OK if one of them may."""
    feed, pool = world.feeds[tasset.feed], world.pools[tasset.pool]
    reason = why_nothing(liquidator, tasset, feed, pool, world.wallets, purchasable, world.clock[0].now)
    if v is not None and liquidator.uses_pool and (reason == Status.NO_LIQUIDITY or reason == Status.UNPROFITABLE):
        cash = world.wallets[liquidator.account, TDOLLAR]
        price_of_one, outbound = min(ceil_amount(feed.price), cash), asset_of(v, tasset.token)
        if cash > purchase_cost(liquidator) and offers(v, liquidator.account, asset_of(v, TDOLLAR), outbound, price_of_one) > 0:
            return Status.OK
    if v is not None or reason != Status.OK or not is_price_all_that_counts(world, liquidator, tasset):
        return reason
    return Status.UNPROFITABLE if cannot_pay(liquidator, tasset, pool, world.wallets, feed.price, purchasable) else Status.OK


@rule
def is_price_all_that_counts(world: World, liquidator: Row, tasset: Row) -> bool:
    """Tell whether no CDP of a tASSET can have a reason of its own to be left alone: all lock tDOLLAR, and gas holds nobody up."""
    others = 0
    for k in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[k]
        others += int(kind.feed == tasset.feed and kind.token != TDOLLAR and kind.first < kind.end)
    return bool(others == 0 and liquidator.gas_delay <= 0.0)


@rule
def why_not_this(position: Row, tasset: Row, kind: Row, feeds: Table, now: float) -> Status:
    """Reason for which a CDP cannot be bought from although it is margin called; OK if it can."""
    if kind.is_revoked:
        return Status.TASSET_DELISTED
    if tasset.auction_needs_fresh_price and not is_fresh(feeds[kind.collateral_feed], now):
        return Status.STALE_PRICE
    return Status.OK


@rule
def fund(world: World, v: Avmm | None, liquidator: Row, position: Row, purchasable: float) -> float:
    """Buy on the RFQ book, then on the pool, what a purchase from a CDP needs; return the tokens to bring, 0 if that does not pay."""
    tasset, kind = world.tassets[position.tasset], world.cdp_kinds[position.kind]
    if v is not None and liquidator.uses_pool:
        refill_for(world, v, liquidator, position)
    cost, brought = plan(liquidator, position, tasset, kind, world.feeds, world.pools, world.wallets, purchasable)
    if cost > 0.0:
        pool = world.pools[tasset.pool]
        tally(world.tallies, Action.SWAP, amm.swap(pool, world.wallets, liquidator.account, TDOLLAR, cost, ANY_SPREAD)[0])
    return brought


@rule
def bring(world: World, v: Avmm | None, liquidator: Row, position: Row, brought: float) -> None:
    """Bring tokens to a CDP; sell at once what is received in another tASSET."""
    tasset, kind, wallets = world.tassets[position.tasset], world.cdp_kinds[position.kind], world.wallets
    offer = min(wallets[liquidator.account, tasset.token], position.debt)
    if kind.token != TDOLLAR:  # what the pool paid out beyond the plan is kept: its purchase was not weighed
        offer = min(offer, brought)
    status, received = buy(world, liquidator.account, position.row, offer)
    tally(world.tallies, Action.PURCHASE, status)
    if kind.token != TDOLLAR and received > 0.0:
        pool = world.pools[kind.collateral_feed]
        swap_best(v, pool, wallets, world.tallies, liquidator.account, kind.token, received, ANY_SPREAD)
    if status == Status.OK:
        liquidator.purchases += 1
        liquidator.extra_cost_usd += purchase_cost(liquidator) - liquidator.cost_usd


@rule
def visit(world: World, index: int, which: int, v: Avmm | None) -> None:
    """Buy from the margin-called CDPs of one tASSET what pays; leave a reason where nothing does.

    Its pool is read once, and again after a purchase; where neither it nor the RFQ book may have anything to offer, the CDPs are not looked
    at.
    """
    liquidator, flow, tasset = world.liquidators[index], world.flows[which], world.tassets[which]
    pool, price = world.pools[tasset.pool], world.feeds[tasset.feed].price
    purchasable = purchasable_tokens(liquidator, tasset, pool, world.wallets, price)
    reason = why_not_here(world, v, liquidator, tasset, purchasable)
    at, end = flow.called_first, flow.called_first + flow.called_count
    while reason == Status.OK and at < end:
        row = world.called[at]
        at += 1
        position, mark = world.cdps[row], world.marks[row]
        kind = world.cdp_kinds[position.kind]
        if not position.is_open or not auction.is_margin_called(position, tasset, cdp.last_price(kind, world.feeds)):
            continue
        blocked = why_not_this(position, tasset, kind, world.feeds, world.clock[0].now)
        if blocked == Status.OK and world.clock[0].now < mark.called_at + liquidator.gas_delay:
            blocked = Status.TOO_EARLY
        if blocked != Status.OK:
            mark.reason = blocked.value
            continue
        brought = fund(world, v, liquidator, position, purchasable)
        if brought <= 0.0:
            mark.reason = Status.UNPROFITABLE.value
            continue
        bring(world, v, liquidator, position, brought)
        mark.reason = Status.NO_CAPITAL.value
        purchasable = purchasable_tokens(liquidator, tasset, pool, world.wallets, price)
        reason = why_not_here(world, v, liquidator, tasset, purchasable)
    leave_rest(flow, at, reason)


@rule
def explain(world: World) -> None:
    """Count, for each CDP still margin called after everybody's turn, the reason that the last to look at it had."""
    for k in range(len(world.flows)):
        flow = world.flows[k]
        end = flow.called_first + flow.called_count
        for at in range(flow.called_first, min(flow.rest_first, end)):
            row = world.called[at]
            if is_still_called(world, world.cdps[row]):
                world.tallies[Action.PURCHASE.value, world.marks[row].reason] += 1
        if flow.rest_first < end:
            world.tallies[Action.PURCHASE.value, flow.reason] += end - flow.rest_first - count_restored(world, k, flow.rest_first)


@rule
def is_still_called(world: World, position: Row) -> bool:
    """Tell whether a CDP is margin called after what has been done in this round."""
    price = cdp.last_price(world.cdp_kinds[position.kind], world.feeds)
    return bool(position.is_open and auction.is_margin_called(position, world.tassets[position.tasset], price))


@rule
def count_restored(world: World, tasset: int, first: int) -> int:
    """Count the CDPs of a tASSET, from a place in `World.called` on, that are margin called no more: they have changed since."""
    restored = 0
    for k in range(len(world.cdp_kinds)):
        touched = world.cdp_kinds[k].touched if world.cdp_kinds[k].tasset == tasset else 0
        while touched > 0:
            position = world.cdps[touched - 1]
            restored += int(position.is_called and position.row >= world.called[first] and not is_still_called(world, position))
            touched = position.next_touched
    return restored


class Liquidator(RoutedAgent):
    """Buys collateral of margin-called CDPs."""

    kind = "liquidators"
    act = staticmethod(act)

    @property
    def margin_called(self) -> list[int]:
        """Rows of `World.cdps` found margin called in this round."""
        return [int(row) for row in self.world.called[1 : self.world.called[0] + 1]]

    def buy_tokens(self, cdp: int, tdollar: float) -> float:
        """Buy the tASSET that a CDP owes on its pool; return the tokens received. Raises `Refused` by name."""
        tasset = self.world.tassets[self.world.cdps[cdp].tasset]
        pool = self.world.pools[tasset.pool]
        status, received = amm.swap(pool, self.world.wallets, self.account, TDOLLAR, whole_units(tdollar), ANY_SPREAD)
        self.ask(Action.SWAP, status)
        return received

    def purchase(self, cdp: int, offer: float) -> None:
        """Bring tokens to a margin-called CDP and receive its collateral at the discount. Raises `Refused` by name."""
        self.ask(Action.PURCHASE, buy(self.world, self.account, cdp, whole_units(offer))[0])
