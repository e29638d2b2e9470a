"""The tASSET market as a state machine: CDPs, auctions, listing, pools, staking, fees and polls in any order, with any amounts."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from driven import Driven, amounts, no_amounts, shares
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from markets import FLOOD, copy_of

from seawall.protocols import amm, auction, audit, cdp, collector, decisions, governance, ledger, listing, oracle, staking
from seawall.protocols.amounts import UNIT, ceil_amount, floor_amount, is_amount
from seawall.protocols.poll_terms import PollKind, PollState
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, World
from seawall.scenarios.build import build
from seawall.scenarios.load import load


def _market() -> World:
    """Flood's market, smaller; polls have nobody's plan, and their terms fit the hours that an example takes."""
    world = build(load(FLOOD, [
        "minters.count=24", "traders.count=4", "traders.tokens_usd=500", "liquidators.count=2", "lps.count=2", "arbitrageurs.count=0",
        "minters.collateral_usd.median=40000", "minters.collateral_usd.sigma=0.3", "minters.strategies.provide=0",
        "minters.strategies.short=0", "tassets.tA.pool.liquidity_usd=40000", "texo.stakers=3", "texo.lp_staked_share=1",
        "record_minutes=360", "governance.quorum=0.01", "governance.voting_days=0.002", "governance.delay_days=0.0001",
    ])).world  # fmt: skip
    texo, wallets, token = world.governance[0].token, world.wallets, world.tassets[0].token
    assert ledger.mint(wallets, world.tokens, texo, world.stakers["account"][0], 10_000.0) == Status.OK
    for payee in (*world.lps["account"][:2], COLLECTOR_ACCOUNT):
        assert ledger.transfer(wallets, token, world.minters["account"][0], payee, 16.0) == Status.OK
        assert ledger.mint(wallets, world.tokens, TDOLLAR, payee, 16_000.0) == Status.OK
    for stake in (row for row in world.stakes if row.pool == 0 and row.bond > 0.0):
        assert staking.unbond(stake, world.stake_pools[0], wallets, floor_amount(stake.bond / 2.0), 0.0) == Status.OK
    for row in (2, 9):  # closed, to be opened
        position = world.cdps[row]
        tasset, kind = world.tassets[position.tasset], world.cdp_kinds[position.kind]
        lender = max(set(world.minters["account"]) - {position.owner}, key=lambda account, token=tasset.token: wallets[account, token])
        missing = float(position.debt - wallets[position.owner, tasset.token])
        assert ledger.transfer(wallets, tasset.token, lender, position.owner, missing) == Status.OK
        assert cdp.close(position, tasset, kind, world.feeds, world.tokens, wallets, 0.0) == Status.OK
    return world


WORLD = _market()
rows = st.sampled_from([0, 8, 14, 16, 24, 2, 9, 15, 22])  # CDPs of each kind, so few that they meet again
tassets = st.integers(0, len(WORLD.tassets) - 1)
pools = st.integers(0, len(WORLD.pools) - 1)
lps = st.sampled_from([0, 1, len(WORLD.lps) - 1])
stakes = st.integers(0, len(WORLD.stakes) - 1)
voters = st.integers(0, len(WORLD.stakers) - 1)
polls = st.integers(0, len(WORLD.polls) - 1)
spreads = st.sampled_from([0.0, 0.01, 1.0])
no_prices = no_amounts.filter(lambda price: not 0.0 < price < math.inf)
ratios = st.one_of(st.floats(1.2, 5.0), st.sampled_from([1.2, 1.3, math.nextafter(1.3, 0.0)]), no_amounts)
seldom = st.integers(0, 4).map(lambda number: number == 0)


class TassetMarket(Driven):
    """Everybody may ask every contract for anything; books balance to the unit after each answer."""

    drives = (
        *(oracle.publish, cdp.open_position, cdp.deposit, cdp.withdraw, cdp.mint, cdp.burn, cdp.close, auction.purchase),
        *(listing.delist, listing.migrate, listing.recover, amm.swap, amm.provide, amm.redeem, collector.convert, collector.distribute),
        *(staking.bond, staking.unbond, staking.claim, staking.emit, staking.deposit_reward),
        *(governance.propose, governance.vote, governance.end_poll, decisions.execute),
        *(ledger.transfer, ledger.mint, ledger.burn),
    )

    @initialize()
    def start(self):
        self.world = copy_of(WORLD)
        self.now = 0.0

    def tables(self):
        return self.world

    def parts(self, row):
        world = self.world
        position = world.cdps[row]
        return position, world.tassets[position.tasset], world.cdp_kinds[position.kind], world.feeds

    @rule(seconds=st.sampled_from([0.0, 30.0, 60.0, 61.0, 200.0, 1e6]), is_published=st.sampled_from([True, True, True, False]))
    def wait(self, seconds, is_published):
        self.now += seconds
        if is_published:
            self.publish_all_again()

    # --- prices and listing ---

    @rule(feed=tassets, move=st.floats(0.3, 3.0), price=st.none() | no_prices, stranger=seldom)
    def publish(self, feed, move, price, stranger):
        row = self.world.feeds[feed]
        new = float(np.clip(max(row.price, 1.0) * move, 0.1, 1e4)) if price is None else price
        self.ask(oracle.publish, row, int(row.feeder) + stranger, new, self.now)

    def richest_in(self, token):
        """Row of minters of the owner with the most of a token."""
        return int(np.argmax(self.world.wallets[self.world.minters["account"], token]))

    def required(self, row, more=0.0):
        """Collateral that a CDP needs with some tokens more of debt, in exact fractions."""
        position, tasset, kind, feeds = self.parts(row)
        debt, price = Fraction(float(position.debt) + more), cdp.last_price(kind, feeds)
        return debt * Fraction(price) * Fraction(float(tasset.min_collateral_ratio)) if math.isfinite(price) else Fraction(0)

    def publish_all_again(self):
        for row in self.world.feeds[:-1]:
            self.ask(oracle.publish, row, int(row.feeder), float(row.price), self.now)

    @rule(feed=tassets, stranger=st.booleans(), now=seldom)
    def delist(self, feed, stranger, now):
        world, row = self.world, self.world.feeds[feed]
        if now:
            self.ask(listing.delist, world.tassets[feed], row, world.cdp_kinds, world.stake_pools[feed], int(row.feeder) + stranger)

    @rule(which=tassets, replacement=tassets, stranger=st.booleans())
    def migrate(self, which, replacement, stranger):
        world, feeder = self.world, int(self.world.feeds[which].feeder) + stranger
        arguments = (world.tassets, which, replacement, world.feeds, world.cdp_kinds, world.stake_pools, feeder)
        if self.ask(listing.migrate, *arguments) == Status.OK:
            assert world.tassets[which].is_delisted and world.feeds[replacement].feeder == feeder

    # --- CDPs ---

    @rule(row=rows, share=shares, amount=st.none() | amounts, ratio=ratios)
    def open(self, row, share, amount, ratio):
        position, *around = self.parts(row)
        amount = floor_amount(share * float(self.world.wallets[position.owner, around[1].token])) if amount is None else amount
        status, minted = self.ask(cdp.open_position, position, *around, self.world.tokens, self.world.wallets, amount, ratio, self.now)
        assert (minted > 0) == (status == Status.OK)

    @rule(row=rows, share=shares, amount=st.none() | amounts)
    def deposit(self, row, share, amount):
        position, tasset, kind, feeds = self.parts(row)
        amount = floor_amount(share * float(self.world.wallets[position.owner, kind.token])) if amount is None else amount
        self.ask(cdp.deposit, position, tasset, kind, feeds, self.world.wallets, amount, self.now)

    @rule(row=rows, amount=amounts)
    def withdraw(self, row, amount):
        if self.ask(cdp.withdraw, *self.parts(row), self.world.wallets, amount, self.now) == Status.OK:
            self.assert_safe(row)

    @rule(row=rows)
    def withdraw_to_the_minimum(self, row):
        """What the minimum ratio leaves free can be had, and not a unit more."""
        position, tasset, kind, feeds = self.parts(row)
        needed = cdp.required_collateral(position.debt, cdp.last_price(kind, feeds), tasset.min_collateral_ratio)
        free = float(position.collateral - needed)
        more = self.ask(cdp.withdraw, position, tasset, kind, feeds, self.world.wallets, max(free, 0.0) + UNIT, self.now)
        assert more != Status.OK
        if more == Status.BELOW_MIN_RATIO and free > 0.0:
            assert self.ask(cdp.withdraw, position, tasset, kind, feeds, self.world.wallets, free, self.now) == Status.OK
            self.assert_safe(row)

    @rule(row=rows, amount=amounts)
    def mint(self, row, amount):
        if self.ask(cdp.mint, *self.parts(row), self.world.tokens, self.world.wallets, amount, self.now) == Status.OK:
            self.assert_safe(row)

    @rule(row=rows)
    def mint_to_the_minimum(self, row):
        """The most that may be minted is what the collateral covers, to the unit below and the unit above of the quotient."""
        position, tasset, kind, feeds = self.parts(row)
        worth = cdp.last_price(kind, feeds) * tasset.min_collateral_ratio
        most = floor_amount(float(position.collateral) / worth) - float(position.debt) if worth > 0.0 else 0.0
        slack = ceil_amount(3.0 * (UNIT + UNIT / worth)) if worth > 0.0 else UNIT  # two products are floored
        ask = (*self.parts(row), self.world.tokens, self.world.wallets)
        more = self.ask(cdp.mint, *ask, max(most, 0.0) + slack, self.now)
        assert more != Status.OK
        if more == Status.BELOW_MIN_RATIO and most > 2.0 * slack:
            assert self.ask(cdp.mint, *ask, most - slack, self.now) == Status.OK
            self.assert_safe(row)

    @rule(row=rows, share=shares, amount=st.none() | amounts)
    def burn(self, row, share, amount):
        position, *around = self.parts(row)
        held = float(self.world.wallets[position.owner, around[0].token])
        amount = floor_amount(share * min(held, float(position.debt))) if amount is None else amount
        self.ask(cdp.burn, position, *around, self.world.tokens, self.world.wallets, amount, self.now)

    @rule(row=rows, ratio=ratios)
    def close_and_open_anew(self, row, ratio):
        self.close(row)
        self.open(row, 0.9, None, ratio)

    @rule(row=rows)
    def close(self, row):
        position, *around = self.parts(row)
        if self.ask(cdp.close, position, *around, self.world.tokens, self.world.wallets, self.now) == Status.OK:
            assert (position.debt, position.collateral, position.is_open) == (0, 0, False)

    @rule(row=rows, units=st.integers(-2, 2), buyer=rows, share=shares)
    def fall_to_the_minimum_and_be_bought(self, row, units, buyer, share):
        """The price at which a CDP is some units off its minimum: it is called exactly if it lacks a unit."""
        position, tasset, kind, feeds = self.parts(row)
        feed = feeds[kind.feed]
        if position.debt <= 0.0 or feed.is_frozen or feed.feeder < 0 or feeds[kind.collateral_feed].price <= 0.0:
            return
        target = float(position.collateral + units * UNIT) / tasset.min_collateral_ratio / float(position.debt)
        price = target * float(feeds[kind.collateral_feed].price)
        if price <= 0.0:
            return
        self.ask(oracle.publish, feed, int(feed.feeder), price, self.now)
        needed = cdp.required_collateral(position.debt, cdp.last_price(kind, feeds), tasset.min_collateral_ratio)
        called = auction.is_margin_called(position, tasset, cdp.last_price(kind, feeds))
        assert called == (not tasset.is_delisted and position.collateral < needed)
        if not tasset.is_delisted:  # what two products are floored by is the CDP's
            assert not called or Fraction(float(position.collateral)) < self.required(row) + Fraction(UNIT) / 2**20
        self.purchase(row, buyer, share, None)

    @rule(row=rows, rise=st.floats(1.0, 2.0), share=shares)
    def rise_and_be_bought(self, row, rise, share):
        """A CDP this far below its minimum, and the owner with the most of what it owes as the buyer."""
        position, tasset, kind, feeds = self.parts(row)
        self.publish_all_again()
        feed, held = feeds[kind.feed], float(feeds[kind.collateral_feed].price)
        if position.debt > 0.0 and held > 0.0:
            price = rise * float(position.backing) / tasset.min_collateral_ratio * held
            self.ask(oracle.publish, feed, int(feed.feeder), price, self.now)
        self.purchase(row, self.richest_in(tasset.token), share, None)

    @rule(row=rows, buyer=rows, share=shares, offer=st.none() | amounts)
    def purchase(self, row, buyer, share, offer):
        position, tasset, kind, feeds = self.parts(row)
        offer = floor_amount(share * float(position.debt)) if offer is None else offer
        collateral, debt, account = float(position.collateral), float(position.debt), self.world.minters[buyer].account
        called = auction.is_margin_called(position, tasset, cdp.last_price(kind, feeds))
        status, burned, sold = self.ask(
            auction.purchase, position, tasset, kind, feeds, self.world.tokens, self.world.wallets, account, offer, self.now
        )
        assert called or status != Status.OK
        assert burned <= debt
        assert sold <= collateral
        assert sold <= burned * cdp.last_price(kind, feeds) / (1.0 - tasset.auction_discount) * (1 + 1e-12)

    @rule(row=rows, burner=rows, share=shares, amount=st.none() | amounts)
    def recover(self, row, burner, share, amount):
        position, tasset, kind, feeds = self.parts(row)
        amount = floor_amount(share * float(position.debt)) if amount is None else amount
        collateral, account = float(position.collateral), self.world.minters[burner].account
        status, received = self.ask(
            listing.recover, position, tasset, kind, feeds, self.world.tokens, self.world.wallets, account, amount, self.now
        )
        assert received <= collateral
        assert status != Status.OK or received <= amount * cdp.last_price(kind, feeds) * (1 + 1e-12)

    @rule(row=rows, share=shares)
    def wind_up(self, row, share):
        """What a CDP owes is delisted, and the owner with the most of it recovers its collateral."""
        position, tasset, *_ = self.parts(row)
        self.publish_all_again()
        self.delist(int(position.tasset), False, True)
        self.recover(row, self.richest_in(tasset.token), share, None)

    # --- pools and fees ---

    @rule(trader=rows, pool=pools, token=st.integers(0, len(WORLD.tokens) - 1), amount=amounts, spread=spreads)
    def swap(self, trader, pool, token, amount, spread):
        row = self.world.pools[pool]
        product = self.product(row)
        self.ask(amm.swap, row, self.world.wallets, self.world.minters[trader].account, token, amount, spread)
        assert self.product(row) >= product

    @rule(trader=rows, pool=pools, amount=amounts, buys=st.booleans())
    def swap_in_its_pool(self, trader, pool, amount, buys):
        row = self.world.pools[pool]
        self.swap(trader, pool, int(row.base_token if buys else row.asset_token), amount, 1.0)

    @rule(lp=lps, share=shares, slippage=spreads)
    def provide_in_proportion(self, lp, share, slippage):
        row = self.world.lps[lp]
        pool, wallets = self.world.pools[row.pool], self.world.wallets
        tokens = pool.base_token, pool.asset_token
        owned, reserves = ([float(wallets[account, token]) for token in tokens] for account in (row.account, pool.account))
        part = share * min((mine / its for mine, its in zip(owned, reserves, strict=True) if its > 0.0), default=0.0)
        self.provide(lp, *(floor_amount(part * its) for its in reserves), slippage)

    @rule(lp=lps, base=amounts, asset=amounts, slippage=spreads)
    def provide(self, lp, base, asset, slippage):
        world, row = self.world, self.world.lps[lp]
        status, got = self.ask(amm.provide, world.pools[row.pool], world.tokens, world.wallets, row.account, base, asset, slippage)
        assert (got > 0) == (status == Status.OK)

    @rule(lp=lps, share=shares, amount=st.none() | no_amounts)
    def redeem(self, lp, share, amount):
        world, row = self.world, self.world.lps[lp]
        pool = world.pools[row.pool]
        amount = floor_amount(share * float(world.wallets[row.account, pool.share_token])) if amount is None else amount
        self.ask(amm.redeem, pool, world.tokens, world.wallets, row.account, amount)

    @rule(pool=pools, spread=spreads)
    def sell_fees(self, pool, spread):
        row = self.world.pools[pool]
        token = row.base_token if pool == len(self.world.tassets) else row.asset_token
        self.ask(collector.convert, row, self.world.wallets, int(token), spread)

    @rule(sells=st.booleans())
    def pay_fees(self, sells):
        for pool in (0, len(self.world.pools) - 1) if sells else ():
            self.sell_fees(pool, 1.0)
        self.ask(collector.distribute, self.world.stake_pools[-1], self.world.wallets)

    # --- staking and polls ---

    @rule(index=stakes, amount=amounts)
    def bond(self, index, amount):
        stake = self.world.stakes[index]
        self.ask(staking.bond, stake, self.world.stake_pools[stake.pool], self.world.wallets, amount)

    @rule(index=stakes, share=shares, amount=st.none() | amounts)
    def unbond(self, index, share, amount):
        stake = self.world.stakes[index]
        amount = floor_amount(share * float(stake.bond)) if amount is None else amount
        locked = float(stake.locked) if self.now < stake.locked_until else 0.0
        if self.ask(staking.unbond, stake, self.world.stake_pools[stake.pool], self.world.wallets, amount, self.now) == Status.OK:
            assert stake.bond >= locked

    @rule(index=stakes)
    def claim(self, index):
        stake = self.world.stakes[index]
        assert self.ask(staking.claim, stake, self.world.stake_pools[stake.pool], self.world.wallets)[0] == Status.OK

    @rule()
    def emit(self):
        world = self.world
        self.ask(staking.emit, world.inflation[0], world.emissions, world.stake_pools, world.tokens, world.wallets, self.now)
        assert world.inflation[0].emitted <= staking.scheduled(world.emissions, self.now)

    @rule(pool=pools, payer=voters, amount=amounts)
    def give_rewards(self, pool, payer, amount):
        account = self.world.stakers[payer].account
        self.ask(staking.deposit_reward, self.world.stake_pools[pool], self.world.wallets, account, amount)

    @rule(
        poll=polls,
        kind=st.sampled_from([*PollKind, 17]),
        tasset=tassets,
        value=st.one_of(st.sampled_from([0.0, 0.1, 1.0, 1.5, 3.0]), no_amounts),
    )
    def propose(self, poll, kind, tasset, value):
        world = self.world
        proposer = world.stakers[0].account
        self.ask(governance.propose, world.polls[poll], world.governance[0], world.wallets, proposer, kind, tasset, value, self.now)

    @rule(poll=polls, voter=voters, choice=st.integers(0, 3), amount=st.none() | amounts)
    def vote(self, poll, voter, choice, amount):
        world = self.world
        stake, ballot = world.stakes[world.stakers[voter].stake], world.ballots[poll * len(world.stakers) + voter]
        weight = float(stake.bond) if amount is None else amount
        self.ask(governance.vote, world.polls[poll], ballot, world.governance[0], stake, choice, weight, self.now)

    @rule(poll=polls)
    def end_poll(self, poll):
        self.ask(
            governance.end_poll, self.world.polls[poll], self.world.governance[0], self.world.stake_pools[-1], self.world.wallets, self.now
        )

    @rule(poll=polls)
    def execute(self, poll):
        world, row = self.world, self.world.polls[poll]
        feed, pool = world.feeds[row.target], world.stake_pools[row.target]
        self.ask(decisions.execute, row, world.governance[0], world.tassets[row.target], feed, pool, self.now)

    @rule(poll=polls, kind=st.sampled_from(list(PollKind)), tasset=tassets, value=st.sampled_from([0.05, 1.0, 1.4, 2.0]))
    def decide(self, poll, kind, tasset, value):
        """A poll from its proposal to its execution."""
        terms = self.world.governance[0]
        self.propose(poll, kind, tasset, value)
        self.vote(poll, 1, 0, None)
        for seconds, step in ((terms.voting_seconds, self.end_poll), (terms.delay_seconds, self.execute)):
            self.now += float(seconds)
            step(poll)

    # --- tokens ---

    @rule(payer=rows, payee=rows, amount=amounts)
    def transfer(self, payer, payee, amount):
        accounts = self.world.minters["account"]
        self.ask(ledger.transfer, self.world.wallets, TDOLLAR, accounts[payer], accounts[payee], amount)

    @rule(payee=rows, amount=amounts)
    def print_money(self, payee, amount):
        self.ask(ledger.mint, self.world.wallets, self.world.tokens, TDOLLAR, self.world.minters[payee].account, amount)

    @rule(payer=rows, amount=amounts)
    def destroy_money(self, payer, amount):
        self.ask(ledger.burn, self.world.wallets, self.world.tokens, TDOLLAR, self.world.minters[payer].account, amount)

    # --- what always holds ---

    def assert_safe(self, row):
        """By the contract's own word, and in exact fractions, less what two products are floored by."""
        position, tasset, kind, feeds = self.parts(row)
        assert not auction.is_margin_called(position, tasset, cdp.last_price(kind, feeds))
        assert Fraction(float(position.collateral)) >= self.required(row) * (1 - Fraction(1, 2**48)) - 4 * Fraction(UNIT)

    def product(self, pool):
        held = self.world.wallets[pool.account]
        return Fraction(float(held[pool.base_token])) * Fraction(float(held[pool.asset_token]))

    @invariant()
    def books_balance(self):
        audit.check(self.world)

    @invariant()
    def all_money_is_in_whole_units(self):
        world = self.world
        flat = np.concatenate([world.wallets.ravel(), world.cdps["collateral"], world.cdps["debt"], world.tokens["supply"]])
        assert all(is_amount(amount) for amount in np.unique(flat).tolist())

    @invariant()
    def backing_is_collateral_per_debt(self):
        cdps = self.world.cdps
        owing = cdps["debt"] > 0.0
        assert np.isinf(cdps["backing"][~owing]).all()
        assert np.array_equal(cdps["backing"][owing], cdps["collateral"][owing] / cdps["debt"][owing])
        assert np.array_equal(cdps["is_open"], owing | (cdps["collateral"] > 0.0))

    @invariant()
    def polls_count_their_ballots(self):
        world = self.world
        for poll in world.polls:
            mine = world.ballots[(world.ballots["poll"] == poll.row) & (world.ballots["weight"] > 0.0)]
            cast = [mine["weight"][mine["choice"] == choice].sum() for choice in range(3)]
            assert cast == [poll.yes, poll.no, poll.abstain]
            assert (poll.deposit > 0.0) == (poll.state == PollState.IN_PROGRESS)

    @invariant()
    def votes_stay_staked(self):
        stakes_ = self.world.stakes
        assert (stakes_["bond"] >= np.where(stakes_["locked_until"] > self.now, stakes_["locked"], 0.0)).all()
