"""Liquidators who do not look at margin-called CDPs, because none can pay, miss nothing."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markets import FLOOD, STORM
from worlds import a_cdp, a_market, a_pool, give_tassets

from seawall.agents import liquidator
from seawall.agents.liquidator import Liquidator
from seawall.agents.purchase_bounds import cannot_pay, purchasable_tokens
from seawall.protocols import amm, auction
from seawall.protocols.amounts import floor_amount
from seawall.protocols.status import Status
from seawall.protocols.tables import TDOLLAR
from seawall.scenarios.build import build
from seawall.scenarios.load import load

BOOKKEEPING = {"flows": ("rest_first", "reason"), "marks": ("reason",), "liquidators": ("scripted",)}
"""Where reasons are kept until they are counted, and who is scripted."""


class Thorough(Liquidator):
    """Looks at every margin-called CDP as long as pool and wallet have something to offer, whatever roundings leave of that."""

    spared = 0
    """CDPs that a built-in liquidator would not have looked at."""

    def step(self):
        for k in range(len(self.world.tassets)):
            self.visit(k)

    def offer(self, tasset):
        """Tokens purchasable on the pool, and why not to look at any CDP."""
        world, feed, pool = self.world, self.world.feeds[tasset.feed], self.world.pools[tasset.pool]
        purchasable = purchasable_tokens(self.row, tasset, pool, world.wallets, feed.price)
        return purchasable, liquidator.why_nothing(self.row, tasset, feed, pool, world.wallets, purchasable, self.now)

    def visit(self, k):
        world, flow, tasset = self.world, self.world.flows[k], self.world.tassets[k]
        purchasable, reason = self.offer(tasset)
        at, end = flow.called_first, flow.called_first + flow.called_count
        while reason == Status.OK and at < end:
            would_look = liquidator.why_not_here(world, None, self.row, tasset, purchasable) == Status.OK
            has_bought = self.buy(world.cdps[world.called[at]], purchasable)
            at += 1
            type(self).spared += not would_look
            assert would_look or not has_bought
            if has_bought:
                purchasable, reason = self.offer(tasset)
        liquidator.leave_rest(flow, at, reason)

    def buy(self, position, purchasable):
        """Buy from one CDP if that pays, or leave the reason why not; tell whether it did."""
        world, mark = self.world, self.world.marks[position.row]
        tasset, kind = world.tassets[position.tasset], world.cdp_kinds[position.kind]
        if not liquidator.is_still_called(world, position):
            return False
        blocked = liquidator.why_not_this(position, tasset, kind, world.feeds, self.now)
        if blocked == Status.OK and self.now < mark.called_at + self.row.gas_delay:
            blocked = Status.TOO_EARLY
        mark.reason = Status.UNPROFITABLE if blocked == Status.OK else blocked
        brought = liquidator.fund(world, None, self.row, position, purchasable) if blocked == Status.OK else 0.0
        if brought > 0.0:
            liquidator.bring(world, None, self.row, position, brought)
            mark.reason = Status.NO_CAPITAL
        return brought > 0.0


def a_model(file, options, costs, delay):
    """A market whose liquidators differ in what a purchase costs them, in the profit they ask, and in how they find tokens."""
    model = build(load(file, options))
    rows = model.world.liquidators
    rows["cost_usd"] = np.resize(costs, len(rows))
    rows["min_profit"] = np.resize([0.01, 0.0, 0.01, 0.05], len(rows))
    rows["uses_pool"][-1] = False
    rows["gas_delay"] = delay
    return model


def result(model):
    for table, columns in BOOKKEEPING.items():
        for column in columns:
            getattr(model.world, table)[column] = 0
    return model.digest()


DEAR = ("prices.assets.A.start_usd=300000", "liquidators.count=6", "liquidators.cash_usd.median=20000")  # a unit is worth 30 cents
ALONE = (*DEAR, "arbitrageurs.count=0", "minters.count=120")
SITUATIONS = {  # file, settings, what a purchase costs, seconds that gas holds it up, CDPs that are spared a look at least
    "roundings cost as much as gas": (STORM, DEAR, (0.5, 2.0, 1.0), 0.0, 300),
    "and nobody brings the pool into line": (STORM, ALONE, (0.5, 2.0, 1.0), 0.0, 300),
    "and gas holds liquidators up": (STORM, ALONE, (0.5, 2.0, 1.0), 300.0, 0),
    "CDPs lock other tASSETs": (FLOOD, ("prices.assets.A.start_usd=300000",), (0.5,), 0.0, 0),
}


@pytest.mark.parametrize(("file", "options", "costs", "delay", "least"), SITUATIONS.values(), ids=SITUATIONS)
def test_a_run_is_the_same_whether_liquidators_look_at_all_called_cdps_or_not(file, options, costs, delay, least):
    played, thorough = a_model(file, options, costs, delay), a_model(file, options, costs, delay)
    Thorough.spared = 0
    thorough.script(Thorough, range(len(thorough.world.liquidators)))
    assert result(thorough.run()) == result(played.run())
    assert played.world.flows["liquidations"].sum() > 10
    assert Thorough.spared >= least


@pytest.mark.parametrize(("collateral_price", "delay", "expected"), [(None, 0.0, True), (None, 60.0, False), (50.0, 0.0, False)])
def test_where_a_cdp_may_have_a_reason_of_its_own_each_is_looked_at(collateral_price, delay, expected):
    world = a_market(collateral_price=collateral_price)
    world.liquidators["gas_delay"] = delay
    assert liquidator.is_price_all_that_counts(world, world.liquidators[0], world.tassets[0]) is expected


JUST_ENOUGH = -1e7


def gain_of(world, cost, tokens):
    """USD that a purchase from CDP 0 earns beyond the profit asked, and before its cost."""
    row, position, tasset, price = world.liquidators[0], world.cdps[0], world.tassets[0], world.feeds[0].price
    held = min(float(world.wallets[row.account, 1]), tokens)
    received = auction.quote(position, tasset, price, tokens)[1] * (1 - tasset.auction_fee)
    return received - (1 + row.min_profit) * (cost + held * price)


@settings(max_examples=200, deadline=None)
@given(
    price=st.floats(1.0, 1e5),
    depth=st.floats(0.5, 1e4),
    premium=st.floats(-0.3, 0.3),
    debt=st.floats(1e-4, 100.0),
    ratio=st.floats(0.5, 1.49),
    discount=st.floats(0.0, 0.3),
    fee=st.floats(0.0, 0.05),
    commission=st.sampled_from([0.0, 0.003, 0.05]),
    min_profit=st.floats(-0.1, 0.1),
    held=st.sampled_from([0.0, 3e-6, 1.0]),
    cash=st.sampled_from([1e7, 10.0, JUST_ENOUGH]),
)
def test_what_pays_is_never_said_not_to(price, depth, premium, debt, ratio, discount, fee, commission, min_profit, held, cash):
    """A purchase is planned that costs no gas; then gas is made to cost all but a trifle of what that purchase earns."""
    world = a_market(price=price, auction_discount=discount, auction_fee=fee, commission=commission, cash=abs(cash), minters=4)
    row, tasset, kind, pool = world.liquidators[0], world.tassets[0], world.cdp_kinds[0], world.pools[0]
    position = a_cdp(world, 0, floor_amount(debt * ratio * price), floor_amount(debt))
    a_pool(world, floor_amount(depth * price * (1 + premium)), floor_amount(depth), 100.0)
    if floor_amount(held) > 0:
        give_tassets(world, row.account, floor_amount(held))
    row.min_profit = min_profit
    purchasable = purchasable_tokens(row, tasset, pool, world.wallets, price)
    if cash == JUST_ENOUGH and purchasable > 0:  # for all that is purchasable, but not for what is paid beside
        reserves = (world.wallets[pool.account, token] for token in (TDOLLAR, 1))
        world.wallets[row.account, TDOLLAR] = amm.quote_cost(*reserves, purchasable, commission)
        purchasable = purchasable_tokens(row, tasset, pool, world.wallets, price)
    plan = (row, position, tasset, kind, world.feeds, world.pools, world.wallets, purchasable)
    cost, tokens = liquidator.plan(*plan)
    gain = gain_of(world, cost, tokens)
    assume(tokens > 0 and gain > 0)
    row.cost_usd = gain * (1 - 1e-9)
    if liquidator.plan(*plan) == (cost, tokens):
        assert not cannot_pay(row, tasset, pool, world.wallets, price, purchasable)
