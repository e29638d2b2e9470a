"""Float64 amounts beside exact fractions: the same money, to the unit; and what happens past the last amount that can be counted."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import FLOOD, GALE, STORM, SURGE, storm_model
from worlds import a_cdp, a_market, a_pool

from seawall.protocols import amm, auction, audit, cdp, finite, ledger, oracle
from seawall.protocols.amounts import LIMIT, UNIT, ceil_amount, floor_amount
from seawall.protocols.errors import NumberError
from seawall.protocols.status import Status
from seawall.protocols.tables import TDOLLAR
from seawall.scenarios.build import build
from seawall.scenarios.load import load

TERMS = {"min_collateral_ratio": "1.3", "auction_discount": "0.2", "protocol_fee": "0.015", "commission": "0.003"}
RATIO, DISCOUNT, FEE, COMMISSION = map(Fraction, TERMS.values())
TOKEN = 1
U = Fraction(UNIT)


def down(quantity):
    return math.floor(quantity / U) * U


def up(quantity):
    return math.ceil(quantity / U) * U


class Exact:
    """One CDP, its owner, a liquidator and the pool, in fractions: what a contract with decimals and no floats would hold.

    It is told which requests were granted, and does the arithmetic of each anew; it never reads a float64 balance.
    """

    def __init__(self, world):
        self.collateral = self.debt = self.fees = Fraction(0)
        self.price = Fraction(100)
        self.owner = [Fraction(float(world.wallets[world.minters[0].account, token])) for token in (TDOLLAR, TOKEN)]
        self.buyer = [Fraction(float(world.wallets[world.liquidators[0].account, token])) for token in (TDOLLAR, TOKEN)]
        self.pool = [Fraction(float(world.wallets[world.pools[0].account, token])) for token in (TDOLLAR, TOKEN)]

    def figures(self):
        return self.collateral, self.debt, self.price, *self.pool

    def open(self, collateral):
        self.owner[0] -= collateral
        self.collateral, self.debt = collateral, down(collateral / self.price / Fraction("1.5"))
        self.owner[1] += self.debt

    def deposit(self, amount):
        self.owner[0] -= amount
        self.collateral += amount

    def withdraw(self, amount):
        fee = down(amount * FEE)
        self.collateral -= amount
        self.fees += fee
        self.owner[0] += amount - fee

    def mint(self, amount):
        self.debt += amount
        self.owner[1] += amount

    def burn(self, amount):
        self.debt -= amount
        self.owner[1] -= amount

    def purchase(self, offer):
        discounted = self.price / (1 - DISCOUNT)
        burned = min(offer, self.for_sale())
        sold = down(burned * discounted)
        if sold > self.collateral:
            burned -= down((sold - self.collateral) / discounted)
            sold = self.collateral
        self.buyer[1] -= burned
        self.buyer[0] += sold
        self.collateral -= sold
        self.debt -= burned
        if self.debt <= 0:
            self.owner[0] += self.collateral
            self.collateral = Fraction(0)
        if self.collateral <= 0:
            self.debt = Fraction(0)

    def for_sale(self):
        if RATIO <= 1 / (1 - DISCOUNT) or self.collateral <= self.debt * self.price / (1 - DISCOUNT):
            return self.debt
        return min(
            up(max((RATIO * self.debt * self.price - self.collateral) / (self.price * (RATIO - 1 / (1 - DISCOUNT))), Fraction(0))),
            self.debt,
        )

    def swap(self, wallet, offered, amount):
        asked = 1 - offered
        gross = down(self.pool[asked] * amount / (self.pool[offered] + amount))
        payout = max(gross - up(gross * COMMISSION), Fraction(0))
        wallet[offered] -= amount
        wallet[asked] += payout
        self.pool[offered] += amount
        self.pool[asked] -= payout


class Both:
    """The contracts and their exact shadow, asked for the same."""

    def __init__(self):
        self.world = world = a_market(**{name: float(value) for name, value in TERMS.items()}, liquidate_whole=False, minters=2)
        a_cdp(world, 1, 3_000_000.0, 8_192.0)
        for payee, amount in ((world.minters[0].account, 1_024.0), (world.liquidators[0].account, 3_072.0)):
            assert ledger.transfer(world.wallets, TOKEN, world.minters[1].account, payee, amount) == Status.OK
        a_pool(world, 100_000.0, 1_000.0, 10_000.0)
        self.exact, self.asked = Exact(world), 0

    def ask(self, what, amount):
        """Ask for something; tokens are the 128th part of the amount, so that both sides of a trade are alike."""
        self.asked += 1
        if what == "price":
            self.publish(round(50.0 + amount % 97.0, 4))
        elif what in ("buy", "sell"):
            self.swap(what, amount)
        else:
            amount = amount / 128.0 if what in ("mint", "burn", "purchase") else amount
            amount = min(amount, float(self.world.cdps[0].debt)) if what == "purchase" else amount
            answer = self.contract(what, amount)
            if (answer[0] if isinstance(answer, tuple) else answer) == Status.OK:
                getattr(self.exact, what)(Fraction(amount))

    def contract(self, what, amount):
        world = self.world
        rows = (world.cdps[0], world.tassets[0], world.cdp_kinds[0], world.feeds)
        if what == "open":
            return cdp.open_position(*rows, world.tokens, world.wallets, amount, 1.5, 0.0)
        if what == "purchase":
            return auction.purchase(*rows, world.tokens, world.wallets, world.liquidators[0].account, amount, 0.0)
        if what in ("mint", "burn"):
            return getattr(cdp, what)(*rows, world.tokens, world.wallets, amount, 0.0)
        return getattr(cdp, what)(*rows, world.wallets, amount, 0.0)

    def margin_call(self):
        """Publish the price at which the collateral is 1.2 times the debt."""
        position = self.world.cdps[0]
        if position.debt > 0.0:
            self.publish(round(float(position.backing) / 1.2, 4))

    def publish(self, price):
        assert oracle.publish(self.world.feeds[0], self.world.feeds[0].feeder, price, 0.0) == Status.OK
        self.exact.price = Fraction(str(price))

    def swap(self, what, amount):
        offered = int(what == "sell")
        amount = amount / 128.0 if offered else amount
        world, account = self.world, self.world.minters[0].account
        if amm.swap(world.pools[0], world.wallets, account, offered, amount, 1.0)[0] == Status.OK:
            self.exact.swap(self.exact.owner, offered, Fraction(amount))

    def apart(self):
        """How far the contracts are from exact decimals: units of the worst of all balances, tokens counted at 128 tDOLLAR."""
        world, exact = self.world, self.exact
        pairs = [(world.cdps[0].collateral, exact.collateral), (world.wallets[1, TDOLLAR], exact.fees)]
        tokens = [(world.cdps[0].debt, exact.debt)]
        for account, shadow in (
            (world.minters[0].account, exact.owner), (world.liquidators[0].account, exact.buyer), (world.pools[0].account, exact.pool),
        ):  # fmt: skip
            pairs.append((world.wallets[account, TDOLLAR], shadow[0]))
            tokens.append((world.wallets[account, TOKEN], shadow[1]))
        gaps = [abs(Fraction(float(held)) - owed) / U for held, owed in pairs]
        return max(gaps + [abs(Fraction(float(held)) - owed) * 128 / U for held, owed in tokens])


def in_tokens(tdollar):
    """An amount of tDOLLAR whose 128th part is an amount too: so many tokens are asked for."""
    return floor_amount(tdollar / 128.0) * 128.0


amounts = st.floats(UNIT * 128.0, 20_000.0).map(in_tokens)
requests = st.lists(
    st.tuples(st.sampled_from(["deposit", "withdraw", "mint", "burn", "price", "purchase", "buy", "sell", "open"]), st.booleans(), amounts),
    min_size=10, max_size=60,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(requests)
def test_a_market_in_float64_is_the_market_in_exact_decimals(asked):
    """A request may round to the unit beside the exact one, of tokens or tDOLLAR, and nothing else adds up."""
    both = Both()
    both.ask("open", 30_000.0)
    for what, is_called, amount in asked:
        if is_called:
            both.margin_call()
        both.ask(what, amount)
        assert both.apart() <= 128 * both.asked
    audit.check(both.world)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thousand_requests_later_not_a_unit_is_missing(seed):
    """Rounding to the unit beside the exact one is allowed above, and does not happen: what `floor_amount` counts as whole is whole."""
    random, both = np.random.default_rng(seed), Both()
    both.ask("open", 30_000.0)
    kinds = ["deposit", "withdraw", "mint", "burn", "price", "purchase", "buy", "sell", "open"]
    moved = dict.fromkeys(kinds, 0)
    for _ in range(1_000):
        kind = kinds[random.integers(len(kinds))]
        if kind == "purchase":
            both.margin_call()
        before = both.exact.figures()
        both.ask(kind, in_tokens(random.lognormal(5.0, 2.0)))
        moved[kind] += before != both.exact.figures()
    assert both.apart() == 0
    del moved["open"]
    assert min(moved.values()) > 5, moved


# --- figures that are none ---


@pytest.mark.parametrize("file", [STORM, FLOOD, SURGE, GALE], ids=lambda file: file.stem)
def test_every_figure_of_a_run_is_a_number(file):
    model = build(load(file), with_audit=True)
    model.run_for(30)
    for market in (model.world, model.exchange, model.avmm):
        assert market is None or list(finite.faults(market)) == []


@pytest.mark.parametrize(
    ("table", "column", "value", "is_wrong"),
    [
        ("cdps", "debt", math.nan, True),
        ("cdps", "collateral", math.inf, True),
        ("cdps", "backing", math.inf, False),
        ("cdps", "backing", math.nan, True),
        ("feeds", "price", math.inf, True),
        ("feeds", "updated_at", math.inf, False),
        ("tassets", "protocol_fee", math.inf, True),
        ("minters", "exit_premium", math.inf, True),  # that of LPs may be
        ("lps", "exit_premium", math.inf, False),
        ("clock", "now", math.inf, True),
        ("tassets", "bad_debt_usd", math.nan, True),
        ("pools", "volume_base", math.inf, True),
        ("minters", "exit_at", math.nan, True),
    ],
)
def test_a_figure_that_is_none_is_named(table, column, value, is_wrong):
    model = storm_model(with_audit=True)
    getattr(model.world, table)[column][0] = value
    assert [fault.split(" holds ")[0] for fault in finite.faults(model.world)] == [f"{table}.{column}"] * is_wrong


def test_an_audited_run_stops_at_a_figure_that_is_none():
    model = storm_model(with_audit=True)
    model.run_for(3)
    model.world.pools["volume_base"][0] = math.nan
    with pytest.raises(NumberError, match=r"pools.volume_base holds nan at \[0\]"):
        model.run_for(1)


# --- past what can be counted ---


@pytest.mark.parametrize("round_to_unit", [floor_amount, ceil_amount])
@pytest.mark.parametrize("quantity", [LIMIT, 2.0 * LIMIT, 2.0**42])
def test_rounding_keeps_a_whole_number_of_units(round_to_unit, quantity):
    assert round_to_unit(quantity) == quantity
    assert round_to_unit(-quantity) == -quantity


@pytest.mark.parametrize("quantity", [2.0**43, 1e15, 1e300])
def test_rounding_keeps_what_is_too_much_to_be_paid(quantity):
    assert floor_amount(quantity) == quantity
    assert ceil_amount(quantity) == quantity


def test_a_cdp_that_owes_more_than_can_be_counted_is_margin_called():
    world = a_market(min_collateral_ratio=1.5)
    row = a_cdp(world, 0, 150_000.0, 1_000.0)
    assert auction.is_margin_called(row, world.tassets[0], 101.0)
    assert auction.is_margin_called(row, world.tassets[0], 1e10)
