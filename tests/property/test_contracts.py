"""Every contract rule in random order with amounts from dust to absurd: books balance exactly, and a refusal changes nothing."""

import math

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from markets import FLOOD, copy_of, same

from seawall.protocols import amm, auction, audit, cdp, collector, ledger, listing, oracle, staking
from seawall.protocols.amounts import LIMIT, UNIT, floor_amount, is_amount
from seawall.protocols.status import Status
from seawall.protocols.tables import TDOLLAR
from seawall.scenarios.build import build
from seawall.scenarios.load import load

WORLD = build(load(FLOOD, [
    "minters.count=24", "traders.count=4", "traders.tokens_usd=500", "liquidators.count=2", "lps.count=2", "arbitrageurs.count=0",
    "minters.collateral_usd.median=40000", "minters.collateral_usd.sigma=0.3", "minters.strategies.provide=0", "minters.strategies.short=0",
    "tassets.tA.pool.liquidity_usd=40000", "texo.stakers=3", "texo.lp_staked_share=1",
])).world  # fmt: skip

rows = st.integers(0, 23)
tassets = st.integers(0, len(WORLD.tassets) - 1)
pools = st.integers(0, len(WORLD.pools) - 1)
lps = st.integers(0, len(WORLD.lps) - 1)
stakes = st.integers(0, len(WORLD.stakes) - 1)
sensible = st.floats(0.0, 30_000.0).map(floor_amount)
spreads = st.sampled_from([0.0, 0.01, 1.0])
odd = st.sampled_from(
    [0.0, -0.0, UNIT, 1000 * UNIT, UNIT / 3, -UNIT, -1.0, 0.1, 1e-300, LIMIT, LIMIT + 1, 1e300, math.inf, -math.inf, math.nan]
)
amounts = st.one_of(sensible, sensible, sensible, odd)
shares = st.floats(0.0, 1.1)


class Contracts(RuleBasedStateMachine):
    """A small market whose contracts are called at random."""

    @initialize()
    def start(self):
        self.world = copy_of(WORLD)
        self.now = 0.0

    def expect_all_or_nothing(self, before, status):
        assert Status(status) == Status.OK or same(before, self.world), Status(status)

    def parts(self, row):
        world = self.world
        position = world.cdps[row]
        tasset = world.tassets[position.tasset]
        return position, tasset, world.cdp_kinds[position.kind], world.feeds

    @rule(seconds=st.sampled_from([0.0, 30.0, 60.0, 61.0, 1e6]))
    def wait(self, seconds):
        self.now += seconds

    @rule(feed=tassets, move=st.floats(0.3, 3.0), price=st.none() | odd, stranger=st.booleans())
    def publish(self, feed, move, price, stranger):
        before, row = copy_of(self.world), self.world.feeds[feed]
        new = float(np.clip(max(row.price, 1.0) * move, 1e-3, 1e6)) if price is None else price
        self.expect_all_or_nothing(before, oracle.publish(row, int(row.feeder) + stranger, new, self.now))

    @rule(row=rows, amount=amounts, ratio=st.one_of(st.floats(0.5, 5.0), odd))
    def open(self, row, amount, ratio):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        status, minted = cdp.open_position(position, tasset, kind, feeds, self.world.tokens, self.world.wallets, amount, ratio, self.now)
        self.expect_all_or_nothing(before, status)
        assert (minted > 0) == (status == Status.OK)

    @rule(row=rows, amount=amounts)
    def deposit(self, row, amount):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        self.expect_all_or_nothing(before, cdp.deposit(position, tasset, kind, feeds, self.world.wallets, amount, self.now))

    @rule(row=rows, amount=amounts)
    def withdraw(self, row, amount):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        status = cdp.withdraw(position, tasset, kind, feeds, self.world.wallets, amount, self.now)
        self.expect_all_or_nothing(before, status)
        assert status != Status.OK or not auction.is_margin_called(position, tasset, cdp.last_price(kind, feeds))

    @rule(row=rows, amount=amounts)
    def mint(self, row, amount):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        status = cdp.mint(position, tasset, kind, feeds, self.world.tokens, self.world.wallets, amount, self.now)
        self.expect_all_or_nothing(before, status)
        assert status != Status.OK or not auction.is_margin_called(position, tasset, cdp.last_price(kind, feeds))

    @rule(row=rows, amount=amounts)
    def burn(self, row, amount):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        self.expect_all_or_nothing(before, cdp.burn(position, tasset, kind, feeds, self.world.tokens, self.world.wallets, amount, self.now))

    @rule(row=rows)
    def close(self, row):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        status = cdp.close(position, tasset, kind, feeds, self.world.tokens, self.world.wallets, self.now)
        self.expect_all_or_nothing(before, status)
        assert status != Status.OK or (position.debt, position.collateral, position.is_open) == (0, 0, False)

    @rule(row=rows, buyer=rows, share=shares, offer=st.none() | amounts)
    def purchase(self, row, buyer, share, offer):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        account = self.world.minters[buyer].account
        offer = floor_amount(share * float(position.debt)) if offer is None else offer
        collateral, debt = float(position.collateral), float(position.debt)
        status, burned, sold = auction.purchase(
            position, tasset, kind, feeds, self.world.tokens, self.world.wallets, account, offer, self.now
        )
        self.expect_all_or_nothing(before, status)
        assert burned <= debt
        assert sold <= collateral
        assert sold <= burned * cdp.last_price(kind, feeds) / (1.0 - tasset.auction_discount) * (1 + 1e-12)

    @rule(feed=tassets, stranger=st.booleans(), seldom=st.integers(0, 19))
    def delist(self, feed, stranger, seldom):
        if seldom > 0:
            return
        before, row = copy_of(self.world), self.world.feeds[feed]
        world = self.world
        status = listing.delist(world.tassets[feed], row, world.cdp_kinds, world.stake_pools[feed], row.feeder + stranger)
        self.expect_all_or_nothing(before, status)

    @rule(which=tassets, replacement=tassets, stranger=st.booleans(), seldom=st.integers(0, 9))
    def migrate(self, which, replacement, stranger, seldom):
        if seldom > 0:
            return
        before, world = copy_of(self.world), self.world
        feeder = world.feeds[which].feeder + stranger
        status = listing.migrate(world.tassets, which, replacement, world.feeds, world.cdp_kinds, world.stake_pools, feeder)
        self.expect_all_or_nothing(before, status)
        assert status != Status.OK or (world.tassets[which].is_delisted and world.feeds[replacement].feeder == feeder)

    @rule(row=rows, burner=rows, share=shares, amount=st.none() | amounts)
    def recover(self, row, burner, share, amount):
        before, (position, tasset, kind, feeds) = copy_of(self.world), self.parts(row)
        account = self.world.minters[burner].account
        amount = floor_amount(share * float(position.debt)) if amount is None else amount
        collateral = float(position.collateral)
        status, received = listing.recover(position, tasset, kind, feeds, self.world.tokens, self.world.wallets, account, amount, self.now)
        self.expect_all_or_nothing(before, status)
        assert received <= collateral
        assert status != Status.OK or received <= amount * cdp.last_price(kind, feeds) * (1 + 1e-12)

    @rule(
        trader=st.integers(0, 3),
        pool=pools,
        token=st.integers(0, len(WORLD.tokens) - 1),
        amount=amounts,
        spread=st.sampled_from([0.0, 0.01, 1.0]),
    )
    def swap(self, trader, pool, token, amount, spread):
        before, world = copy_of(self.world), self.world
        row, account = world.pools[pool], world.traders[trader].account
        product = world.wallets[row.account, row.base_token] * world.wallets[row.account, row.asset_token]
        status, _ = amm.swap(row, world.wallets, account, token, amount, spread)
        self.expect_all_or_nothing(before, status)
        assert world.wallets[row.account, row.base_token] * world.wallets[row.account, row.asset_token] >= product

    @rule(lp=lps, base=amounts, asset=amounts, slippage=spreads)
    def provide(self, lp, base, asset, slippage):
        before, world = copy_of(self.world), self.world
        row = world.lps[lp]
        status, shares = amm.provide(world.pools[row.pool], world.tokens, world.wallets, row.account, base, asset, slippage)
        self.expect_all_or_nothing(before, status)
        assert (shares > 0) == (status == Status.OK)

    @rule(lp=lps, share=shares, amount=st.none() | odd)
    def redeem(self, lp, share, amount):
        before, world = copy_of(self.world), self.world
        row = world.lps[lp]
        pool = world.pools[row.pool]
        amount = floor_amount(share * float(world.wallets[row.account, pool.share_token])) if amount is None else amount
        self.expect_all_or_nothing(before, amm.redeem(pool, world.tokens, world.wallets, row.account, amount)[0])

    @rule(index=stakes, amount=amounts)
    def bond(self, index, amount):
        before, world = copy_of(self.world), self.world
        stake = world.stakes[index]
        self.expect_all_or_nothing(before, staking.bond(stake, world.stake_pools[stake.pool], world.wallets, amount))

    @rule(index=stakes, share=shares, amount=st.none() | odd)
    def unbond(self, index, share, amount):
        before, world = copy_of(self.world), self.world
        stake = world.stakes[index]
        amount = floor_amount(share * float(stake.bond)) if amount is None else amount
        self.expect_all_or_nothing(before, staking.unbond(stake, world.stake_pools[stake.pool], world.wallets, amount, self.now))

    @rule(index=stakes)
    def claim(self, index):
        stake = self.world.stakes[index]
        assert staking.claim(stake, self.world.stake_pools[stake.pool], self.world.wallets)[0] == Status.OK

    @rule()
    def emit(self):
        before, world = copy_of(self.world), self.world
        status, _ = staking.emit(world.inflation[0], world.emissions, world.stake_pools, world.tokens, world.wallets, self.now)
        self.expect_all_or_nothing(before, status)

    @rule(pool=pools, spread=spreads)
    def sell_fees(self, pool, spread):
        before, world = copy_of(self.world), self.world
        row = world.pools[pool]
        token = row.base_token if pool == len(world.tassets) else row.asset_token
        self.expect_all_or_nothing(before, collector.convert(row, world.wallets, token, spread)[0])

    @rule()
    def pay_fees(self):
        before, world = copy_of(self.world), self.world
        self.expect_all_or_nothing(before, collector.distribute(world.stake_pools[-1], world.wallets)[0])

    @rule(payer=rows, payee=rows, amount=amounts)
    def transfer(self, payer, payee, amount):
        before, world = copy_of(self.world), self.world
        accounts = world.minters["account"]
        self.expect_all_or_nothing(before, ledger.transfer(world.wallets, TDOLLAR, accounts[payer], accounts[payee], amount))

    @rule(payee=rows, amount=amounts)
    def print_money(self, payee, amount):
        before, world = copy_of(self.world), self.world
        self.expect_all_or_nothing(before, ledger.mint(world.wallets, world.tokens, TDOLLAR, world.minters[payee].account, amount))

    @invariant()
    def books_balance(self):
        audit.check(self.world)

    @invariant()
    def all_money_is_in_whole_units(self):
        world = self.world
        flat = np.concatenate([world.wallets.ravel(), world.cdps["collateral"], world.cdps["debt"], world.tokens["supply"]])
        assert all(is_amount(float(amount)) for amount in flat)

    @invariant()
    def backing_is_collateral_per_debt(self):
        for position in self.world.cdps:
            expected = position.collateral / position.debt if position.debt > 0 else math.inf
            assert position.backing == expected


TestContracts = Contracts.TestCase
TestContracts.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
