"""Price alarms: quiet CDPs are not visited.

CDPs stand in blocks of up to 64 rows of one kind. Each block keeps the prices (of what is owed in terms of the collateral: the ratio of
two prices) and the time up to which nobody in it has anything to do: no owner wakes, no margin call starts, nobody becomes insolvent. A
round compares one price with a block's bounds and opens the block only when one is crossed. CDPs that are margin called or insolvent stand
in lists of their own, in the order of their rows, so that they do not keep blocks open.

Bounds err on the side of looking once too often: who acts is decided by the exact conditions, never by a bound. A rule that changes a CDP
puts it on its kind's list of touched ones (`cdp.change`), whatever called it; `take_in_touched` tightens the bounds before they are
next used.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from seawall.agents.base import sort_rows
from seawall.protocols.amounts import floor_amount
from seawall.protocols.auction import is_margin_called
from seawall.protocols.cdp import last_price
from seawall.protocols.compiled import rule
from seawall.protocols.tables import FLOAT, INT, TDOLLAR, Floats, Ints, Row, Table, World, table_type

ROWS_PER_BLOCK = 64
NEVER = float("inf")
BEFORE, AFTER = 1.0 - 1e-12, 1.0 + 1e-12  # a bound lies this much on the safe side of the price it stands for

BLOCK = table_type(
    "blocks",
    first=(INT, "row of cdps"),
    end=(INT, "row of cdps after the last"),
    kind=(INT, "row of cdp_kinds"),
    owner_above=(FLOAT, "collateral per token: no owner wakes while the oracle price is not above"),
    owner_below=(FLOAT, "collateral per token: no owner wakes while the oracle price is not below"),
    owner_due=(FLOAT, "seconds: no owner has an appointment before"),
    call_above=(FLOAT, "collateral per token: no further margin call while the oracle price is not above"),
    insolvent_above=(FLOAT, "collateral per token: no further insolvent CDP while the market price is not above"),
)


def lay_out(world: World) -> None:
    """Divide the CDPs into blocks; all bounds are open, so the first look at a block is a full one."""
    kinds = world.cdps["kind"]
    edges = np.flatnonzero(np.r_[True, kinds[1:] != kinds[:-1], True]) if len(kinds) else np.zeros(1, np.int64)
    runs = [np.arange(first, end, ROWS_PER_BLOCK) for first, end in pairwise(edges)]
    firsts = np.concatenate([*runs, np.empty(0, np.int64)])
    ends = np.r_[firsts, len(kinds)][1:]
    blocks = world.blocks
    if len(firsts) > len(blocks):
        raise ValueError(f"CDPs of {len(runs)} runs of kinds do not fit {len(blocks)} blocks: rows of a kind must stand together")
    blocks["first"][: len(firsts)], blocks["end"][: len(firsts)] = firsts, ends
    blocks["first"][len(firsts) :] = blocks["end"][len(firsts) :] = len(kinds)
    blocks["kind"][: len(firsts)] = kinds[firsts]
    world.cdps["row"] = np.arange(len(kinds))
    world.cdps["block"] = np.repeat(np.arange(len(firsts)), ends - firsts)
    open_all(world)


def open_all(world: World) -> None:
    """Open every block, after behaviour was changed by hand."""
    blocks = world.blocks[world.blocks["first"] < world.blocks["end"]]
    blocks["owner_above"] = blocks["call_above"] = blocks["insolvent_above"] = 0.0
    blocks["owner_below"], blocks["owner_due"] = NEVER, 0.0
    world.blocks[world.blocks["first"] < world.blocks["end"]] = blocks


@rule
def is_awake(minter: Row, position: Row, price: float, now: float) -> bool:
    """Tell whether an owner has something to do: an opening, an exit, an appointment, or a ratio outside alert and excess."""
    if not position.is_open:
        return bool(now >= minter.opens_at)
    if now >= minter.exit_at:
        return True
    if minter.due_at < NEVER:
        return bool(now >= minter.due_at)
    return bool(price * minter.alert_ratio > position.backing or price * minter.excess_ratio < position.backing)


@rule
def mind_owner(block: Row, minter: Row, position: Row) -> None:
    """Tighten a block's bounds to when one owner will wake."""
    if not position.is_open:
        block.owner_due = min(block.owner_due, minter.opens_at)
        return
    block.owner_due = min(block.owner_due, minter.exit_at, minter.due_at)
    if minter.due_at < NEVER:
        return
    if minter.alert_ratio > 0.0:
        block.owner_above = min(block.owner_above, position.backing / minter.alert_ratio * BEFORE)
    if minter.excess_ratio < NEVER:
        block.owner_below = max(block.owner_below, position.backing / minter.excess_ratio * AFTER)


@rule
def mind_call(block: Row, position: Row, tasset: Row) -> None:
    """Tighten a block's bound to the price at which one CDP is margin called; never once the tASSET is delisted."""
    if not tasset.is_delisted:
        block.call_above = min(block.call_above, position.backing / tasset.min_collateral_ratio * BEFORE)


@rule
def mark_price(tasset: Row, market_price: Floats, step: int) -> float:
    """USD per token that a tASSET is worth in a round: the market's price of what it tracks, or its end price."""
    return float(tasset.end_price) if tasset.is_delisted else float(market_price[step, tasset.asset])


@rule
def collateral_mark(kind: Row, tassets: Table, market_price: Floats, step: int) -> float:
    """USD per token that the collateral of a kind is worth in a round; a tDOLLAR is a dollar."""
    return 1.0 if kind.token == TDOLLAR else mark_price(tassets[kind.collateral_feed], market_price, step)


@rule
def market_ratio(kind: Row, tassets: Table, market_price: Floats, step: int) -> float:
    """Tokens of collateral per token owed at the marks of a round."""
    return mark_price(tassets[kind.tasset], market_price, step) / collateral_mark(kind, tassets, market_price, step)


@rule
def is_insolvent(position: Row, ratio: float) -> bool:
    """Tell whether the collateral is less than the debt is worth, in whole units as the contracts count, at the ratio of the marks.

    So an owner who took out all above 100% of a delisted tASSET is not insolvent by a fraction of a unit.
    """
    return bool(position.collateral < floor_amount(position.debt * ratio))


@rule
def reopen(world: World, tasset: int) -> None:
    """Open the blocks of a tASSET's CDPs, after its terms or its owners' behaviour have changed."""
    for b in range(len(world.blocks)):
        block = world.blocks[b]
        if world.cdp_kinds[block.kind].tasset == tasset:
            block.owner_above = block.call_above = block.insolvent_above = 0.0
            block.owner_below, block.owner_due = NEVER, 0.0


@rule
def take_in_touched(world: World) -> None:
    """Tighten the bounds for every CDP that a rule has changed since."""
    for k in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[k]
        while kind.touched > 0:
            position = world.cdps[kind.touched - 1]
            block = world.blocks[position.block]
            mind_owner(block, world.minters[position.row], position)
            mind_call(block, position, world.tassets[kind.tasset])
            block.insolvent_above = min(block.insolvent_above, position.backing * BEFORE)
            kind.touched = position.next_touched
            position.is_touched = False


@rule
def wake_owners(world: World, rows: Ints) -> int:
    """Fill `rows` with the minters who have something to do at the oracle prices of now, ascending; return how many."""
    take_in_touched(world)
    now = world.clock[0].now
    count = 0
    for b in range(len(world.blocks)):
        block = world.blocks[b]
        price = last_price(world.cdp_kinds[block.kind], world.feeds)
        if price <= block.owner_above and price >= block.owner_below and now < block.owner_due:
            continue
        block.owner_above, block.owner_below, block.owner_due = NEVER, 0.0, NEVER
        for i in range(block.first, block.end):
            mind_owner(block, world.minters[i], world.cdps[i])
            if is_awake(world.minters[i], world.cdps[i], price, now):
                block.owner_due = now  # what it is about to do may set other bounds: look again in the next round
                rows[count] = i
                count += 1
    return count


@rule
def update_called(world: World) -> int:
    """Bring `world.called` up to the oracle prices of now, ascending; return how many CDPs are margin called.

    `called[0]` is their number, their rows follow.
    """
    take_in_touched(world)
    called = world.called
    count, before = 0, called[0]
    for k in range(1, before + 1):
        position = world.cdps[called[k]]
        tasset = world.tassets[position.tasset]
        if position.is_open and is_margin_called(position, tasset, last_price(world.cdp_kinds[position.kind], world.feeds)):
            count += 1
            called[count] = called[k]
        else:
            position.is_called = False
            mind_call(world.blocks[position.block], position, tasset)
    kept = count
    for b in range(len(world.blocks)):
        block = world.blocks[b]
        kind = world.cdp_kinds[block.kind]
        tasset, price = world.tassets[kind.tasset], last_price(kind, world.feeds)
        if price <= block.call_above:
            continue
        block.call_above = NEVER
        for i in range(block.first, block.end):
            position = world.cdps[i]
            if position.is_called:
                continue
            if position.is_open and is_margin_called(position, tasset, price):
                position.is_called = True
                count += 1
                called[count] = i
            else:
                mind_call(block, position, tasset)
    called[0] = count
    if count > kept:
        sort_rows(called, 1, count + 1)
    return count


@rule
def update_insolvent(world: World) -> int:
    """Bring `world.insolvent` up to the market prices of this round, ascending; return how many CDPs are worth less than they owe."""
    take_in_touched(world)
    listed, step = world.insolvent, world.clock[0].step
    count, before = 0, listed[0]
    for k in range(1, before + 1):
        position = world.cdps[listed[k]]
        if is_insolvent(position, market_ratio(world.cdp_kinds[position.kind], world.tassets, world.market_price, step)):
            count += 1
            listed[count] = listed[k]
        else:
            position.is_insolvent = False
            block = world.blocks[position.block]
            block.insolvent_above = min(block.insolvent_above, position.backing * BEFORE)
    kept = count
    for b in range(len(world.blocks)):
        block = world.blocks[b]
        price = market_ratio(world.cdp_kinds[block.kind], world.tassets, world.market_price, step)
        if price <= block.insolvent_above:
            continue
        block.insolvent_above = NEVER
        for i in range(block.first, block.end):
            position = world.cdps[i]
            if position.is_insolvent:
                continue
            if is_insolvent(position, price):
                position.is_insolvent = True
                count += 1
                listed[count] = i
            else:
                block.insolvent_above = min(block.insolvent_above, position.backing * BEFORE)
    listed[0] = count
    if count > kept:
        sort_rows(listed, 1, count + 1)
    return count
