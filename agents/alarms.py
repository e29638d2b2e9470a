"""Price alarms: quiet CDPs are not visited.

Each CDP has three alarms: for its owner, for its margin call, and for its insolvency. They are prices, of what is owed in terms of
the collateral (the ratio of two prices), and a time, up to which nothing is to be done. A round looks at the roots of the trees in which
they stand (`alarm_tree`) and goes down to those that ring. CDPs that are margin called or insolvent stand in lists of their own, in the
order of their rows; their alarms ring when that may be over.

Bounds err on the side of looking once too often: who acts is decided by the exact conditions, never by a bound. A rule that changes a CDP
puts it on its kind's list of touched ones (`cdp.change`), whatever called it; its alarms are set anew before anybody looks at them.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from seawall.agents.alarm_tree import NEVER, first_ringing, gather, look_next_time, next_ringing, plant, set_alarm, set_leaf
from seawall.agents.sorted_rows import put_in, take_out
from seawall.protocols.amounts import UNIT, floor_amount
from seawall.protocols.auction import amount_for_sale, is_margin_called
from seawall.protocols.cdp import last_price
from seawall.protocols.compiled import rule
from seawall.protocols.tables import TDOLLAR, Floats, Ints, Row, Table, World

BEFORE, AFTER = 1.0 - 1e-12, 1.0 + 1e-12  # a bound lies this much on the safe side of the price it stands for


class Use(IntEnum):
    """What an alarm is for: the row of `World.alarms`."""

    OWNER = 0
    CALL = 1
    INSOLVENT = 2


OWNER, CALL, INSOLVENT = Use.OWNER.value, Use.CALL.value, Use.INSOLVENT.value


def lay_out(world: World) -> None:
    """Give every kind of CDP its rows and its alarms; all ring at the first look."""
    kinds = world.cdps["kind"]
    if (np.diff(kinds) < 0).any():
        raise ValueError("rows of a kind must stand together, and kinds in their order")
    edges = np.searchsorted(kinds, np.arange(len(world.cdp_kinds) + 1))
    world.cdp_kinds["first"], world.cdp_kinds["end"] = edges[:-1], edges[1:]
    world.cdps["row"] = np.arange(len(kinds))
    for use in Use:
        plant(world.alarms[use], world.cdp_kinds)
    open_all(world)


def open_all(world: World) -> None:
    """Let every alarm ring at the next look, after behaviour was changed by hand."""
    world.alarms["due"] = 0.0


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
def owner_alarm(minter: Row, position: Row) -> tuple[float, float, float]:
    """Price above which an owner wakes, price below which it does, and time from which."""
    if not position.is_open:
        return NEVER, 0.0, float(minter.opens_at)
    above, below = NEVER, 0.0
    if minter.due_at == NEVER and minter.alert_ratio > 0.0:
        above = position.backing / minter.alert_ratio * BEFORE
    if minter.due_at == NEVER and minter.excess_ratio < NEVER:
        below = position.backing / minter.excess_ratio * AFTER
    return above, below, min(minter.exit_at, minter.due_at)


@rule
def call_alarm(position: Row, tasset: Row) -> tuple[float, float, float]:
    """Price above which a CDP is margin called, or below which it may no more be; never once the tASSET is delisted.

    One that is called and owes nothing any more, or whose tASSET is delisted, is looked at next time.
    """
    ratio = tasset.min_collateral_ratio
    if position.is_called and (position.debt <= 0.0 or tasset.is_delisted):
        return NEVER, 0.0, 0.0
    if position.is_called:  # for sure while debt * price * ratio, with both floors taken off, is more than the collateral
        return NEVER, (position.collateral + (1.0 + ratio) * UNIT) / (position.debt * ratio) * AFTER, NEVER
    return NEVER if tasset.is_delisted else position.backing / ratio * BEFORE, 0.0, NEVER


@rule
def insolvency_alarm(position: Row) -> tuple[float, float, float]:
    """Price above which a CDP becomes insolvent, or below which it may no more be; without debt it is looked at next time."""
    if position.is_insolvent and position.debt <= 0.0:
        return NEVER, 0.0, 0.0
    if position.is_insolvent:
        return NEVER, (position.collateral + UNIT) / position.debt * AFTER, NEVER
    return position.backing * BEFORE, 0.0, NEVER


@rule
def mind_owner(world: World, row: int) -> None:
    """Set the alarm of an owner anew."""
    above, below, due = owner_alarm(world.minters[row], world.cdps[row])
    set_alarm(world.alarms[OWNER], row, above, below, due)


@rule
def mind_call(world: World, row: int) -> None:
    """Set the alarm of a CDP's margin call anew."""
    above, below, due = call_alarm(world.cdps[row], world.tassets[world.cdps[row].tasset])
    set_alarm(world.alarms[CALL], row, above, below, due)


@rule
def mind_insolvency(world: World, row: int) -> None:
    """Set the alarm of a CDP's insolvency anew."""
    above, below, due = insolvency_alarm(world.cdps[row])
    set_alarm(world.alarms[INSOLVENT], row, above, below, due)


@rule
def set_all(world: World) -> None:
    """Set all alarms at once, when a market has come to be."""
    owners, calls, insolvencies = world.alarms[OWNER], world.alarms[CALL], world.alarms[INSOLVENT]
    for row in range(len(world.cdps)):
        position = world.cdps[row]
        position.is_touched = False
        set_leaf(owners[row], *owner_alarm(world.minters[row], position))
        set_leaf(calls[row], *call_alarm(position, world.tassets[position.tasset]))
        set_leaf(insolvencies[row], *insolvency_alarm(position))
    for k in range(len(world.cdp_kinds)):
        world.cdp_kinds[k].touched = 0
    for use in range(len(world.alarms)):
        gather(world.alarms[use], len(world.cdps))


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
def open_row(world: World, row: int) -> None:
    """Let all alarms of a CDP ring at their next look."""
    for use in range(len(world.alarms)):
        look_next_time(world.alarms[use], row)


@rule
def reopen(world: World, tasset: int) -> None:
    """Open the alarms of a tASSET's CDPs, after its terms or its owners' behaviour have changed."""
    for k in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[k]
        if kind.tasset == tasset:
            for row in range(kind.first, kind.end):
                open_row(world, row)


@rule
def take_in_touched(world: World) -> None:
    """Set the alarms of every CDP anew that a rule has changed since.

    They say when what is known of it, called or not, insolvent or not, may no more be so; where that is now, they ring at the next look.
    """
    for k in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[k]
        while kind.touched > 0:
            position = world.cdps[kind.touched - 1]
            mind_owner(world, position.row)
            mind_call(world, position.row)
            mind_insolvency(world, position.row)
            kind.touched = position.next_touched
            position.is_touched = False
            if not position.is_unranked:
                position.is_unranked = True
                position.next_unranked = kind.unranked
                kind.unranked = position.row + 1


@rule
def wake_owners(world: World, rows: Ints) -> int:
    """Fill `rows` with the minters who have something to do at the oracle prices of now, ascending; return how many."""
    take_in_touched(world)
    now, tree = world.clock[0].now, world.alarms[OWNER]
    count = 0
    for k in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[k]
        price = last_price(kind, world.feeds)
        row = first_ringing(tree, kind.root, price, now)
        while row >= 0:
            if is_awake(world.minters[row], world.cdps[row], price, now):
                look_next_time(tree, row)  # what it is about to do may set other bounds
                rows[count] = row
                count += 1
            else:
                mind_owner(world, row)
            row = next_ringing(tree, row, price, now)
    return count


@rule
def begin_call(world: World, position: Row, now: float) -> None:
    """Mark a CDP as margin called from now on, and book what of its debt that puts up for sale."""
    tasset, kind, flow = world.tassets[position.tasset], world.cdp_kinds[position.kind], world.flows[position.tasset]
    world.marks[position.row].called_at = now
    flow.called_count += 1
    flow.called_usd += amount_for_sale(position, tasset, last_price(kind, world.feeds)) * world.feeds[kind.feed].price


@rule
def end_call(world: World, position: Row) -> None:
    """Take the mark of a margin call away."""
    world.marks[position.row].called_at = NEVER
    world.flows[position.tasset].called_count -= 1


@rule
def renew(listed: Ints, changes: Ints, left: int, entered: int) -> int:
    """Take rows out of a list and put others in; both stand in `changes`, from 1 on, ascending. Return how many the list has then.

    A list has the number of its rows in front of them.
    """
    if left > 0:
        take_out(listed, 1, listed[0] + 1, changes[0], left)
    listed[0] += entered - left
    put_in(listed, 1, listed[0] + 1, changes[1], entered)
    return int(listed[0])


@rule
def update_called(world: World) -> int:
    """Bring `world.called` up to the oracle prices of now, ascending; return how many CDPs are margin called."""
    take_in_touched(world)
    tree, leaving, entering, now = world.alarms[CALL], world.changes[0], world.changes[1], world.clock[0].now
    left, entered = 0, 0
    for k in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[k]
        tasset, price = world.tassets[kind.tasset], last_price(kind, world.feeds)
        row = first_ringing(tree, kind.root, price, now)
        while row >= 0:
            position = world.cdps[row]
            was_called, position.is_called = position.is_called, position.is_open and is_margin_called(position, tasset, price)
            if position.is_called and not was_called:
                entered += 1
                entering[entered] = row
                begin_call(world, position, now)
            elif was_called and not position.is_called:
                left += 1
                leaving[left] = row
                end_call(world, position)
            mind_call(world, row)
            row = next_ringing(tree, row, price, now)
    return renew(world.called, world.changes, left, entered)


@rule
def update_insolvent(world: World) -> int:
    """Bring `world.insolvent` up to the market prices of this round, ascending; return how many CDPs are worth less than they owe."""
    take_in_touched(world)
    tree, leaving, entering, clock = world.alarms[INSOLVENT], world.changes[0], world.changes[1], world.clock[0]
    left, entered = 0, 0
    for k in range(len(world.cdp_kinds)):
        kind = world.cdp_kinds[k]
        price = market_ratio(kind, world.tassets, world.market_price, clock.step)
        row = first_ringing(tree, kind.root, price, clock.now)
        while row >= 0:
            position = world.cdps[row]
            was_insolvent, position.is_insolvent = position.is_insolvent, is_insolvent(position, price)
            if position.is_insolvent and not was_insolvent:
                entered += 1
                entering[entered] = row
            elif was_insolvent and not position.is_insolvent:
                left += 1
                leaving[left] = row
            mind_insolvency(world, row)
            row = next_ringing(tree, row, price, clock.now)
    return renew(world.insolvent, world.changes, left, entered)
