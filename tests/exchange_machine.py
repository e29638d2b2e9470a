"""The whole exchange as a state machine: LPs, pools, markets, traders, keepers and rewards, each through the contracts."""

from __future__ import annotations

import math

import numpy as np
from driven import Driven, amounts, no_amounts, shares
from exchanges import CREATOR, FUNDER, GIFT, KEEPER, OWNER, PRICE, STREAM, USD, an_exchange
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from seawall.agents.exchange import core_in, perps_in
from seawall.agents.exchange_books import report
from seawall.models import exchange_audit
from seawall.protocols import (
    debt_liquidation,
    delegation,
    distributor,
    issuance,
    ledger,
    liquidity_pools,
    markets,
    oracle,
    perps_account,
    perps_debt,
    perps_liquidation,
    perps_margin,
    perps_orders,
    rewards,
    vaults,
)
from seawall.protocols.amounts import UNIT, floor_amount, is_amount
from seawall.protocols.liquidity_tables import EVERY, SIPHON
from seawall.protocols.status import Status

LPS, TRADERS, MARKETS, POOLS, TYPES = 4, 3, 2, 2, 2
ROUNDING = 2.0**-46  # of the largest figures in play, for each touch

in_market, in_pool, of_type = st.integers(0, MARKETS - 1), st.integers(0, POOLS - 1), st.integers(0, TYPES - 1)
lps, traders, positions = st.integers(0, LPS - 1), st.integers(0, TRADERS - 1), st.integers(0, LPS * POOLS - 1)
fractions = st.one_of(st.floats(0.0, 1.0), no_amounts)
limits = fractions.filter(lambda limit: limit != -math.inf)  # what -inf does: test_machines.py
seconds = st.sampled_from([0.0, 1.0, 60.0, 600.0, 90_000.0])


class ExchangeMarket(Driven):
    """Markets report to the core before anybody acts, as in a round; what rules say is checked by the audit after each answer."""

    drives = (
        *(oracle.publish, ledger.transfer, delegation.deposit, delegation.withdraw, delegation.delegate, delegation.migrate),
        *(issuance.mint_usd, issuance.burn_usd, issuance.associate_debt, markets.deposit_usd, markets.withdraw_usd),
        *(liquidity_pools.configure, debt_liquidation.liquidate, debt_liquidation.liquidate_vault, vaults.touch_vault),
        *(rewards.distribute, rewards.claim, rewards.reclaim, distributor.grant, distributor.distribute_fees),
        *(perps_account.deposit_margin, perps_account.withdraw_margin, perps_account.pay_debt),
        *(perps_orders.commit, perps_orders.settle, perps_liquidation.liquidate, perps_liquidation.liquidate_margin),
    )

    @initialize(is_rich=st.booleans())
    def start(self, is_rich):
        x = an_exchange(lps=LPS, traders=TRADERS, steps=1, lp_usd=1_000_000.0 if is_rich else 40_000.0)
        self.x = x = x._replace(siphons=np.zeros(3, SIPHON), streams=x.streams.copy())
        stream = x.streams[0]
        stream.token, stream.funder, stream.account, stream.pool, stream.collateral_type = GIFT, FUNDER, STREAM, 0, EVERY
        for account, token in ((FUNDER, GIFT), (KEEPER, USD), (OWNER, USD)):
            assert ledger.mint(x.wallets, x.tokens, token, account, 100_000.0) == Status.OK
        for lp in x.liquidity_lps:
            token = x.collateral_types[lp.collateral_type].token
            assert ledger.mint(x.wallets, x.tokens, token, lp.account, 1_000.0) == Status.OK
        x.perps_markets["max_open_interest_usd"] = 20_000_000.0
        x.groups["interest_low"], x.groups["interest_high"], x.groups["interest_breakpoint"] = 0.0003, 0.01, 0.75
        x.feeds["valid_for"] = 80_000.0
        self.core, self.now = core_in(x), 0.0
        self.touches, self.size = 1, 1e6
        self.start_usd = float(x.tokens[USD].supply)
        for m in range(MARKETS):
            for i in range(TRADERS):
                if x.perps_accounts[m, i].owner:
                    self.deposit_margin(m, i, 20_000.0)

    def tables(self):
        return self.x

    def credit(self, m):
        self.touches += 1
        return report(self.x, m, self.now)

    def market(self, m):
        return perps_in(self.x, m), self.x.tokens, self.x.wallets

    # --- prices and time ---

    @rule(seconds=seconds, is_published=st.sampled_from([True, True, False]))
    def wait(self, seconds, is_published):
        self.now += seconds
        if is_published:
            for f in range(2):
                self.publish(f, 1.0)

    @rule(f=st.integers(0, 1), factor=st.one_of(st.floats(0.7, 1.4), st.sampled_from([0.1, 4.0])))
    def publish(self, f, factor):
        feed = self.x.feeds[f]
        price = float(np.clip(feed.price * factor, PRICE / 50, PRICE * 50))
        self.ask(oracle.publish, feed, CREATOR, price, self.now)
        if f == 0:
            self.x.collateral_types[0].price = price

    @rule(c=of_type, p=in_pool, ratio=st.floats(0.5, 2.0))
    def crash(self, c, p, ratio):
        """The price at which a vault's collateral is worth so much of its debt."""
        held, owed = float(self.x.vaults[p, c].collateral), vaults.vault_debt(self.core, p, c)
        if held > 0.0 and owed > 1.0:
            self.x.collateral_types[c].price = ratio * owed / held

    @rule()
    def recover(self):
        self.x.collateral_types["price"] = float(self.x.feeds[0].price), 1.0

    # --- LPs ---

    @rule(lp=lps, amount=amounts, share=shares, back=st.booleans())
    def deposit_or_withdraw(self, lp, amount, share, back):
        c = int(self.x.liquidity_lps[lp].collateral_type)
        account, call = self.x.liquidity_lps[lp].account, delegation.withdraw if back else delegation.deposit
        held = self.x.deposits[account, c] if back else self.x.wallets[account, self.x.collateral_types[c].token]
        for asked in (amount, floor_amount(share * float(held))):
            self.ask(call, self.core, self.x.wallets, account, c, asked)

    @rule(i=positions, amount=st.none() | amounts, factor=st.sampled_from([0.0, 0.5, 0.9, 1.0, 1.1]))
    def delegate(self, i, amount, factor):
        row = self.x.positions[i]
        held = vaults.collateral(row, self.x.vaults[row.pool, row.collateral_type])
        self.ask(delegation.delegate, self.core, row, floor_amount(held * factor) if amount is None else amount, self.now)

    @rule(i=positions)
    def change_pool(self, i):
        self.ask(delegation.migrate, self.core, self.x.positions[i], self.x.positions[i ^ 1], self.now)

    @rule(i=positions, amount=st.none() | amounts, part=st.floats(0.0, 1.0))
    def mint(self, i, amount, part):
        row = self.x.positions[i]
        most = vaults.position_value(self.core, row) / 4.0 - vaults.position_debt(self.core, row)
        amount = floor_amount(part * max(most, 0.0)) if amount is None else amount
        self.ask(issuance.mint_usd, self.core, row, self.x.tokens, self.x.wallets, amount, self.now)

    @rule(i=positions, amount=st.none() | amounts, part=shares)
    def burn(self, i, amount, part):
        row = self.x.positions[i]
        amount = floor_amount(part * max(vaults.position_debt(self.core, row), 0.0)) if amount is None else amount
        status, repaid = self.ask(issuance.burn_usd, self.core, row, self.x.tokens, self.x.wallets, amount, self.now)
        assert (repaid > 0.0) == (status == Status.OK)

    @rule(i=positions, part=st.floats(0.5, 1.0), ratio=st.floats(0.5, 1.6), usd=amounts)
    def borrow_and_be_liquidated(self, i, part, ratio, usd):
        row = self.x.positions[i]
        self.mint(i, None, part)
        self.crash(int(row.collateral_type), int(row.pool), ratio)
        self.liquidate_lp(i)
        self.liquidate_vault(int(row.pool), int(row.collateral_type), usd)

    @rule(i=positions, m=in_market, amount=st.one_of(st.floats(0.0, 100.0), amounts))
    def associate(self, i, m, amount):
        self.credit(m)
        self.ask(issuance.associate_debt, self.core, m, self.x.positions[i], amount)

    @rule(i=positions)
    def liquidate_lp(self, i):
        self.ask(debt_liquidation.liquidate, self.core, self.x.positions[i], KEEPER, self.now)

    @rule(p=in_pool, c=of_type, amount=amounts)
    def liquidate_vault(self, p, c, amount):
        held = float(self.x.vaults[p, c].collateral)
        arguments = (self.core, p, c, self.x.tokens, self.x.wallets, KEEPER, amount, self.now)
        status, _, received = self.ask(debt_liquidation.liquidate_vault, *arguments)
        assert status != Status.OK or self.x.vaults[p, c].collateral == held - received

    @rule(p=in_pool, c=of_type)
    def touch(self, p, c):
        self.do(vaults.touch_vault, self.core, p, c)

    @rule(p=in_pool, weights=st.lists(st.one_of(st.floats(0.0, 5.0), no_amounts), min_size=2, max_size=2), most=limits, is_owner=shares)
    def configure(self, p, weights, most, is_owner):
        caller = OWNER + p if is_owner > 0.1 else KEEPER
        self.ask(liquidity_pools.configure, self.core, p, caller, np.array(weights), np.full(MARKETS, most))

    # --- fees, rewards, other markets' money ---

    @rule(i=st.integers(0, 2), p=in_pool, m=st.sampled_from([EVERY, 0, 1]), share=fractions)
    def grant(self, i, p, m, share):
        self.ask(distributor.grant, self.core, i, OWNER + p, p, m, CREATOR, share)

    @rule(m=in_market, fees=amounts)
    def distribute_fees(self, m, fees):
        self.ask(distributor.distribute_fees, self.core, m, self.x.tokens, self.x.wallets, fees)

    @rule(amount=amounts, start=st.one_of(st.floats(-200.0, 400.0), no_amounts), duration=st.one_of(st.floats(0.0, 300.0), no_amounts))
    def distribute(self, amount, start, duration):
        self.ask(rewards.distribute, self.core, 0, self.x.wallets, amount, self.now + start, duration, self.now)

    @rule(i=positions)
    def claim(self, i):
        self.ask(rewards.claim, self.core, self.x.positions[i], 0, self.x.wallets, self.now)

    @rule()
    def reclaim(self):
        self.ask(rewards.reclaim, self.x.streams[0], self.x.wallets)

    @rule(m=in_market, amount=amounts, out=st.booleans())
    def pay_market(self, m, amount, out):
        """USD that a market's owner brings or takes: it is booked with the group's, so that reports go on as they do."""
        self.credit(m)
        call = markets.withdraw_usd if out else markets.deposit_usd
        if self.ask(call, self.core, m, self.x.tokens, self.x.wallets, OWNER, amount) == Status.OK:
            self.x.groups[m].net_issuance = self.x.markets[m].net_issuance

    # --- traders ---

    @rule(m=in_market, i=traders, amount=amounts)
    def deposit_margin(self, m, i, amount):
        self.ask(perps_account.deposit_margin, *self.market(m), i, amount)

    @rule(m=in_market, i=traders, amount=amounts)
    def withdraw_margin(self, m, i, amount):
        credit = self.credit(m)
        self.ask(perps_account.withdraw_margin, *self.market(m), i, amount, credit, self.now)

    @rule(m=in_market, i=traders)
    def withdraw_all(self, m, i):
        """What may be withdrawn can be, and no unit more."""
        credit, market = self.credit(m), self.market(m)
        most = perps_account.most_withdrawable(market[0], i, credit, self.now)
        assert self.ask(perps_account.withdraw_margin, *market, i, most + UNIT, credit, self.now) != Status.OK
        if most > 0.0:
            answer = self.ask(perps_account.withdraw_margin, *market, i, most, credit, self.now)
            assert answer in (Status.OK, Status.STALE_PRICE)

    @rule(m=in_market, i=traders, amount=amounts, loss=st.floats(0.0, 30_000.0))
    def lose_and_repay(self, m, i, amount, loss):
        """A loss from elsewhere: the way into account debt without a position."""
        market = self.market(m)
        if not self.x.perps_accounts[m, i].is_flagged:
            perps_margin.charge(market[0], i, -loss)
        self.ask(perps_account.pay_debt, *market, i, amount)

    @rule(m=in_market, i=traders, size=st.one_of(st.floats(-300.0, 300.0), no_amounts, st.sampled_from([UNIT, -UNIT, 1e9])))
    def trade(self, m, i, size):
        if math.isfinite(size) and abs(size) <= 300.0:
            size = math.copysign(floor_amount(abs(size)), size)
        self.order(m, i, size)

    @rule(m=in_market, i=traders)
    def close(self, m, i):
        self.order(m, i, -float(self.x.perps_positions[m, i].quantity))

    @rule(m=in_market, i=traders, leverage=st.floats(5.0, 30.0), is_long=st.booleans(), fall=st.floats(0.0, 0.15))
    def overreach(self, m, i, leverage, is_long, fall):
        """A large position, and a price that moves against it."""
        size = floor_amount(leverage * float(self.x.perps_accounts[m, i].margin) / float(self.x.feeds[m].price))
        self.order(m, i, size if is_long else -size)
        self.publish(m, 1.0 - fall if is_long else 1.0 + fall)
        self.liquidate(m, i)

    def order(self, m, i, size):
        credit, price = self.credit(m), float(self.x.feeds[m].price)
        may = self.ask(perps_orders.commit, perps_in(self.x, m), i, 0, size, credit, self.now)
        acceptable = math.inf if size > 0.0 else 0.0
        answer = self.ask(perps_orders.settle, *self.market(m), i, 0, size, price, acceptable, KEEPER, credit, self.now)
        assert answer[0] == may or Status.INSUFFICIENT_CREDIT in (answer[0], may), (Status(answer[0]), Status(may))

    @rule(m=in_market, i=traders)
    def liquidate(self, m, i):
        credit, row = self.credit(m), self.x.perps_accounts[m, i]
        could = row.is_flagged or perps_margin.is_liquidatable(perps_in(self.x, m), i, self.now)
        status, *_ = self.ask(perps_liquidation.liquidate, *self.market(m), i, KEEPER, credit, self.now)
        assert could or status != Status.OK
        assert status != Status.OK or row.margin == row.debt == 0.0

    @rule(m=in_market, i=traders, loss=st.floats(0.0, 60_000.0))
    def liquidate_margin(self, m, i, loss):
        market, credit = self.market(m), self.credit(m)
        if not self.x.perps_accounts[m, i].is_flagged:
            perps_margin.charge(market[0], i, -loss)
        self.ask(perps_liquidation.liquidate_margin, *market, i, KEEPER, credit, self.now)

    @rule(payer=lps, payee=lps, amount=amounts)
    def transfer(self, payer, payee, amount):
        accounts = self.x.liquidity_lps["account"]
        self.ask(ledger.transfer, self.x.wallets, USD, accounts[payer], accounts[payee], amount)

    # --- what always holds ---

    @invariant()
    def books_balance(self):
        exchange_audit.check(self.x)
        x = self.x
        assert np.array_equal(x.wallets.sum(axis=0), x.tokens["supply"])
        assert (x.wallets >= 0.0).all() and (x.deposits >= 0.0).all()
        flat = np.concatenate([x.wallets.ravel(), x.deposits.ravel(), x.vaults["collateral"].ravel()])
        assert all(is_amount(amount) for amount in np.unique(flat).tolist())

    @invariant()
    def rewards_paid_in_are_waiting_shared_booked_or_returned(self):
        stream, inner = self.x.streams[0], self.x.stream_vaults[0]
        indices = sum(float(row[key].sum()) for row in (stream, inner) for key in ("unsettled", "pending_reward"))
        waiting = stream.amount - stream.released + stream.next_amount + stream.returnable
        assert self.x.wallets[STREAM, GIFT] == waiting + indices + self.x.claims[:, 0]["pending"].sum()

    @invariant()
    def debt_is_shared_out_whole(self):
        """Positions make up vaults, vaults make up pools, and pools and what none can take make up what markets and LPs have issued."""
        core, x = self.core, self.x
        self.size = max(self.size, *(float(np.abs(column).max()) for column in self._figures()))
        bound = self.touches * self.size * ROUNDING + self.touches * UNIT
        for p in range(POOLS):
            by_vault = [vaults.vault_debt(core, p, c) for c in range(TYPES)]
            for c in range(TYPES):
                vault = x.vaults[p, c]
                mine = [row for row in x.positions if (row.pool, row.collateral_type, row.epoch) == (p, c, vault.epoch)]
                assert abs(sum(vaults.position_debt(core, row) for row in mine) - by_vault[c]) <= bound
            assert abs(sum(by_vault) - float(x.pools[p].debt + liquidity_pools.incoming_debt(core, p))) <= bound
            assert x.pools[p].value == x.vaults[p]["weight"].sum()

    def _figures(self):
        x = self.x
        yield x.markets["value_per_share"] * x.pools["value"].sum()
        yield x.pools["value_per_share"] * x.pools["value"]
        yield x.vaults["value_per_share"] * x.vaults["shares"]
        yield x.markets["reported_debt"]

    @invariant()
    def the_debt_of_markets_is_what_traders_own(self):
        """By their running sums, and account by account with interest that waits."""
        for m in range(MARKETS):
            perps = perps_in(self.x, m)
            owned = sum(perps_margin.available_margin(perps, i, self.now) for i in range(TRADERS))
            owned += sum(perps_margin.position_profit(perps, i, 0, float(self.x.feeds[m].price), self.now)[2] for i in range(TRADERS))
            notional = float(self.x.perps_markets[m, 0].open_interest * self.x.feeds[m].price)
            scale = max(self.size, notional, float(self.x.groups[m].margin))
            assert abs(perps_debt.unclamped_debt(perps, self.now) - owned) <= self.touches * scale * ROUNDING
