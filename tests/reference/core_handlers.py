"""How the steps of the core's reference scenarios run on our rules.

The names of a case become rows in order of appearance. An account of a case is one of ours, with as much collateral as it deposits; whoever
must pay dUSD that the case does not say where it got is given it by the ledger.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from liquidity import CORE_ACCOUNT, EVERY, POOL_OWNER, USD, a_core, first_lp
from reference.case_files import Figures

from seawall.protocols import debt_liquidation, delegation, issuance, liquidity_pools, markets, rewards, vaults
from seawall.protocols.amounts import ceil_amount
from seawall.protocols.status import Status
from seawall.protocols.tables import Row

LIQUIDATOR = 900  # the case's account

ERRORS = {
    Status.OK: "none",
    Status.BAD_AMOUNT: "InvalidParameter",
    Status.BELOW_MIN_RATIO: "InsufficientCollateralRatio",
    Status.VAULT_BELOW_RATIO: "InsufficientVaultCollateralRatio",
    Status.INSUFFICIENT_COLLATERAL: "InsufficientAccountCollateral",
    Status.POOL_COLLATERAL_LIMIT: "PoolCollateralLimitExceeded",
    Status.BELOW_MIN_DELEGATION: "InsufficientDelegation",
    Status.DELEGATION_UNCHANGED: "InvalidCollateralAmount",
    Status.TOO_EARLY: "MinDelegationTimeoutPending",
    Status.CAPACITY_LOCKED: "CapacityLocked",
    Status.NOT_ENOUGH_LIQUIDITY: "NotEnoughLiquidity",
    Status.NOT_LIQUIDATABLE: "IneligibleForLiquidation",
    Status.MUST_LIQUIDATE_VAULT: "MustBeVaultLiquidated",
    Status.NOT_BACKED: "NotFundedByPool",
    Status.INSUFFICIENT_DEBT: "InsufficientDebt",
    Status.EMPTY_DISTRIBUTION: "EmptyDistribution",
}


def all_steps(steps: list[Figures]) -> list[Figures]:
    """The steps, and those that are only tried."""
    return [inner for step in steps for inner in (step, *([step["action"]] if "action" in step else []))]


def names(steps: list[Figures], keys: tuple[str, ...], default: Any) -> dict[Any, int]:
    """Row of each name that the steps give under these keys, the default first."""
    found = [step[key] for step in steps for key in keys if key in step]
    return {name: row for row, name in enumerate(dict.fromkeys([default, *found]))}


class Scenario:
    """A fresh system of the case's names, and one method for each kind of step: it returns a status, or figures."""

    def __init__(self, config: Figures, steps: list[Figures]) -> None:
        """Make the rows, with the terms of the case in all of them."""
        steps = all_steps(steps)
        self.pools = names(steps, ("pool", "from_pool", "to_pool"), 1)
        self.types = names(steps, ("collateral",), "col")
        self.markets = names(steps, ("market",), "m1")
        registered = [step for step in steps if step["do"] == "register_distributor"]
        self.streams = {step["distributor"]: row for row, step in enumerate(registered)}
        fed = [
            (self.pools[step.get("pool", 1)], EVERY if step.get("level") == "pool" else self.types[step.get("collateral", "col")])
            for step in registered
        ]
        lps = list(names(steps, ("account",), LIQUIDATOR))
        self.accounts = {account: first_lp(len(fed)) + row for row, account in enumerate(lps)}
        self.lent = a_core(
            list(self.accounts.values()), pools=len(self.pools), markets=len(self.markets), types=len(self.types), streams=fed
        )
        terms = self.lent.core.collateral_types
        for column in ("issuance_ratio", "liquidation_ratio", "liquidation_reward", "min_delegation"):
            terms[column] = float(config[column])
        self.now = 0.0

    # --- what a step names ---

    def pool(self, step: Figures) -> int:
        return self.pools[step.get("pool", 1)]

    def collateral_type(self, step: Figures) -> int:
        return self.types[step.get("collateral", "col")]

    def market_row(self, step: Figures) -> Row:
        return self.lent.core.markets[self.markets[step["market"]]]

    def position_row(self, step: Figures, pool: str = "pool") -> Row:
        return self.lent.position(self.accounts[step["account"]], self.pools[step.get(pool, 1)], self.collateral_type(step))

    def lend_usd(self, account: int, amount: float) -> None:
        """Give an account what it lacks of an amount of dUSD."""
        missing = ceil_amount(amount) - float(self.lent.wallets[account, USD])
        if missing > 0.0:
            self.lent.give(USD, account, missing)

    # --- steps that set something from outside ---

    def set_price(self, step: Figures) -> None:
        self.lent.core.collateral_types[self.collateral_type(step)].price = float(step["price"])

    def create_pool(self, step: Figures) -> None:
        assert self.lent.core.pools[self.pool(step)].value == 0.0

    def create_market(self, step: Figures) -> None:
        assert self.market_row(step).value_per_share == 0.0

    def report_debt(self, step: Figures) -> None:
        self.market_row(step).reported_debt = float(step["value"])

    def lock_capacity(self, step: Figures) -> None:
        self.market_row(step).minimum_credit = float(step["value"])

    def set_min_liquidity_ratio(self, step: Figures) -> None:
        row = self.market_row(step) if "market" in step else self.lent.core.system[0]
        row.min_liquidity_ratio = float(step["ratio"])

    def set_min_delegate_time(self, step: Figures) -> None:
        self.market_row(step).min_delegation_seconds = float(step["seconds"])

    def set_pool_collateral(self, step: Figures) -> None:
        vault = self.lent.core.vaults[self.pool(step), self.collateral_type(step)]
        vault.max_collateral, vault.issuance_ratio = float(step["limit"]), float(step["issuance_ratio"])

    def time(self, step: Figures) -> None:
        self.now = float(step["t"])

    def register_distributor(self, step: Figures) -> None:
        assert self.lent.core.streams[self.streams[step["distributor"]]].pool == self.pool(step)

    # --- steps that somebody asks the core for ---

    def deposit(self, step: Figures) -> int:
        account, c, amount = self.accounts[step["account"]], self.collateral_type(step), float(step["amount"])
        self.lent.give(1 + c, account, amount)
        return delegation.deposit(self.lent.core, self.lent.wallets, account, c, amount)

    def delegate(self, step: Figures) -> int:
        return delegation.delegate(self.lent.core, self.position_row(step), float(step["amount"]), self.now)

    def configure_pool(self, step: Figures) -> int:
        weights, limits = np.zeros((2, len(self.markets)))
        for market, weight, limit in step["markets"]:
            weights[self.markets[market]], limits[self.markets[market]] = float(weight), float(limit)
        return liquidity_pools.configure(self.lent.core, self.pool(step), POOL_OWNER, weights, limits)

    def market_deposit_usd(self, step: Figures) -> int:
        lent, amount = self.lent, float(step["amount"])
        self.lend_usd(POOL_OWNER, amount)
        return markets.deposit_usd(lent.core, self.markets[step["market"]], lent.tokens, lent.wallets, POOL_OWNER, amount)

    def market_withdraw_usd(self, step: Figures) -> int:
        lent, amount = self.lent, float(step["amount"])
        return markets.withdraw_usd(lent.core, self.markets[step["market"]], lent.tokens, lent.wallets, POOL_OWNER, amount)

    def touch_vault(self, step: Figures) -> None:
        vaults.touch_vault(self.lent.core, self.pool(step), self.collateral_type(step))

    def mint(self, step: Figures) -> int:
        lent = self.lent
        return issuance.mint_usd(lent.core, self.position_row(step), lent.tokens, lent.wallets, float(step["amount"]), self.now)

    def burn(self, step: Figures) -> int:
        lent, amount = self.lent, float(step["amount"])
        self.lend_usd(self.accounts[step["account"]], amount)
        return issuance.burn_usd(lent.core, self.position_row(step), lent.tokens, lent.wallets, amount, self.now)[0]

    def associate_debt(self, step: Figures) -> int:
        return issuance.associate_debt(self.lent.core, self.markets[step["market"]], self.position_row(step), float(step["amount"]))

    def migrate(self, step: Figures) -> int:
        source, target = self.position_row(step, "from_pool"), self.position_row(step, "to_pool")
        return delegation.migrate(self.lent.core, source, target, self.now)

    def liquidate(self, step: Figures) -> int | Figures:
        status, debt, seized, reward = debt_liquidation.liquidate(
            self.lent.core, self.position_row(step), self.accounts[LIQUIDATOR], self.now
        )
        return status or {"debt_liquidated": debt, "collateral_liquidated": seized, "reward": reward}

    def liquidate_vault(self, step: Figures) -> int | Figures:
        lent, max_usd, liquidator = self.lent, float(step["max_usd"]), self.accounts[LIQUIDATOR]
        self.lend_usd(liquidator, max_usd)
        status, paid, received = debt_liquidation.liquidate_vault(
            lent.core, self.pool(step), self.collateral_type(step), lent.tokens, lent.wallets, liquidator, max_usd, self.now
        )
        return status or {"debt_liquidated": paid, "collateral_liquidated": received, "reward": received}

    def distribute_reward(self, step: Figures) -> Figures:
        """There a schedule without start and duration is taken and never paid; here it is refused, and nothing is cancelled either."""
        lent, s, amount = self.lent, self.streams[step["distributor"]], float(step["amount"])
        stream = lent.core.streams[s]
        lent.give(stream.token, stream.funder, amount)
        start = -math.inf if step["start"] is None else float(step["start"])
        status, cancelled = rewards.distribute(lent.core, s, lent.wallets, amount, start, float(step["duration"]), self.now)
        is_never_paid = step["start"] is None and step["duration"] == 0
        assert status == (Status.BAD_TERMS if is_never_paid else Status.OK)
        return {"cancelled": cancelled}

    def claim(self, step: Figures) -> Figures:
        position, s = self.position_row(step), self.streams[step["distributor"]]
        status, paid = rewards.claim(self.lent.core, position, s, self.lent.wallets, self.now)
        assert status == Status.OK
        return {"claimed": paid}

    # --- queries ---

    def position(self, step: Figures) -> Figures:
        core, row = self.lent.core, self.position_row(step)
        value, debt = vaults.position_value(core, row), vaults.position_debt(core, row)
        ratio = vaults.collateral_ratio(value, debt)
        held = vaults.collateral(row, core.vaults[row.pool, row.collateral_type])
        return {"collateral": held, "value": value, "debt": debt, "c_ratio": None if math.isinf(ratio) else ratio}

    def vault(self, step: Figures) -> Figures:
        core, p, c = self.lent.core, self.pool(step), self.collateral_type(step)
        debt = vaults.vault_debt(core, p, c)
        ratio = vaults.collateral_ratio(vaults.vault_value(core, p, c), debt)
        return {"collateral": core.vaults[p, c].collateral, "debt": debt, "c_ratio": 0.0 if math.isinf(ratio) else ratio}

    def market(self, step: Figures) -> Figures:
        row, backings, m = self.market_row(step), self.lent.core.backings, self.markets[step["market"]]
        return {
            "withdrawable": markets.withdrawable_usd(row, backings, m),
            "total_debt": markets.total_debt(row),
            "delegated_collateral": markets.delegated_value(row, backings, m),
            "net_issuance": row.net_issuance,
        }

    def market_pools(self, step: Figures) -> Figures:
        backings, m = self.lent.core.backings, self.markets[step["market"]]
        value, _ = markets.settled(self.market_row(step), backings, m)
        backers = {pool: backings[p, m] for pool, p in self.pools.items() if backings[p, m].shares > 0.0}
        return {
            "in_range": [pool for pool, backing in backers.items() if backing.limit > value],
            "out_of_range": [pool for pool, backing in backers.items() if backing.limit <= value],
            "value_per_share": value,
        }

    def reward(self, step: Figures) -> Figures:
        """What a claim would pay now."""
        return {"available": on_a_copy(self, lambda copy: copy.claim(step))["claimed"]}

    def available(self, step: Figures) -> Figures:
        return {"available": self.lent.core.deposits[self.accounts[step["account"]], self.collateral_type(step)]}

    def is_liquidatable(self, step: Figures) -> Figures:
        return {"liquidatable": bool(debt_liquidation.is_liquidatable(self.lent.core, self.position_row(step)))}

    def expect_error(self, step: Figures) -> Figures:
        """The action on a copy, which a refusal leaves as it was but for what the test itself has lent."""
        return on_a_copy(self, lambda copy: copy.attempt(step["action"]))

    def attempt(self, step: Figures) -> Figures:
        before = b"".join(table.tobytes() for table in self.lent.core)
        result = self.do(step)
        status = result if isinstance(result, int) else Status.OK
        assert status == Status.OK or before == b"".join(table.tobytes() for table in self.lent.core)
        return {"error": ERRORS[Status(status)]}

    # --- running ---

    def do(self, step: Figures) -> Any:
        method: Callable[[Figures], Any] = getattr(self, step["do"])
        return method(step)

    def run(self, steps: list[Figures]) -> Figures:
        """Every step in turn; what is labelled is a result. The books balance after each."""
        results: Figures = {}
        for step in steps:
            result = self.do(step)
            assert not isinstance(result, int) or result == Status.OK, (step, Status(result))
            if "label" in step:
                results[step["label"]] = result
            self.check_books()
        return results

    def check_books(self) -> None:
        lent = self.lent
        assert np.array_equal(lent.wallets.sum(axis=0), lent.tokens["supply"])
        for c in self.types.values():
            held = lent.core.deposits[:, c].sum() + lent.core.vaults[:, c]["collateral"].sum()
            assert lent.wallets[CORE_ACCOUNT, 1 + c] == held


def on_a_copy(scenario: Scenario, ask: Callable[[Scenario], Figures]) -> Figures:
    """Ask a copy, so that the scenario stays as it is."""
    kept, scenario.lent = scenario.lent, scenario.lent.copy()
    try:
        return ask(scenario)
    finally:
        scenario.lent = kept
