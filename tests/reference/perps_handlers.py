"""What our perps rules make of a case.

One unit of a case's USD is one dUSD. Cases of PerpsV2, the isolated-margin predecessor, run where one of our formulas is theirs for
suitable terms; each handler says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from reference.case_files import Case, Figures, Handler

from seawall.protocols import (
    ledger,
    perps_debt,
    perps_funding,
    perps_keeper,
    perps_liquidation,
    perps_margin,
    perps_orders,
    perps_tables,
    tables,
)
from seawall.protocols.amounts import floor_amount, is_amount
from seawall.protocols.perps_account import deposit_margin, pay_debt, withdraw_margin
from seawall.protocols.perps_interest import interest_rate
from seawall.protocols.perps_pricing import fill_price, order_fee
from seawall.protocols.perps_tables import NO_MARKET, Perps
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Row, Table

INFINITE = float("inf")
KEEPER, FIRST_OWNER = 0, 1  # accounts
RICH = 2.0**28
ENTRIES = 8  # liquidations remembered for each market

GROUP_TERMS = {
    "settlement_reward": "settlement_reward",
    "keeper.min_reward": "min_keeper_reward",
    "keeper.min_profit_ratio": "min_keeper_profit",
    "keeper.max_reward": "max_keeper_reward",
    "keeper.max_scaling": "max_keeper_share",
    "keeper.collateral_reward_ratio": "margin_reward_ratio",
    "keeper.cost_settle": "settlement_cost",
    "keeper.cost_flag": "flag_cost",
    "keeper.cost_liquidate": "liquidation_cost",
    "interest.low": "interest_low",
    "interest.breakpoint": "interest_breakpoint",
    "interest.high": "interest_high",
}
MARKET_TERMS = {
    "skew_scale": "skew_scale",
    "max_funding_velocity": "max_funding_velocity",
    "maker_fee": "maker_fee",
    "taker_fee": "taker_fee",
    "max_size": "max_open_interest",
    "max_value": "max_open_interest_usd",
    "initial_margin_ratio": "margin_slope",
    "min_initial_margin_ratio": "min_margin_ratio",
    "maintenance_scalar": "maintenance_scalar",
    "min_position_margin": "min_position_margin",
    "flag_reward_ratio": "flag_reward_ratio",
    "liq_multiplier": "liquidation_multiplier",
    "liq_window_seconds": "liquidation_window",
    "max_liquidation_pd": "max_liquidation_skew",
    "locked_oi_ratio": "locked_oi_ratio",
}
"""Name of a term in a case: our column."""

ERRORS = {
    Status.OK: "none",
    Status.ACCOUNT_LIQUIDATABLE: "AccountLiquidatable",
    Status.NOT_LIQUIDATABLE: "NotEligibleForLiquidation",
    Status.NEGATIVE_FILL_PRICE: "OverflowInt256ToUint256",
    Status.MAX_OPEN_INTEREST: "MaxOpenInterestReached",
    Status.MAX_OPEN_INTEREST_USD: "MaxUSDOpenInterestReached",
    Status.INSUFFICIENT_MARGIN: "InsufficientMargin",
    Status.INSUFFICIENT_COLLATERAL: "InsufficientCollateral",
    Status.INSUFFICIENT_DEBT: "NonexistentDebt",
    Status.EXCEEDS_CREDIT_CAPACITY: "ExceedsMarketCreditCapacity",
    Status.EXCEEDS_ACCEPTABLE_PRICE: "AcceptablePriceExceeded",
    Status.INSUFFICIENT_CREDIT: "NotEnoughLiquidity",
}

SPECIAL_ERRORS = {
    ("modify_margin", Status.INSUFFICIENT_MARGIN): "InsufficientCollateralAvailableForWithdraw",
    ("modify_margin", Status.BAD_AMOUNT): "InvalidAmountDelta",
    ("trade", Status.BAD_AMOUNT): "ZeroSizeOrder",
    ("undelegate", Status.EXCEEDS_CREDIT_CAPACITY): "CapacityLocked",
}
"""Where the name depends on the action."""


def set_terms(row: Row, terms: Figures, names: dict[str, str]) -> None:
    """Write the terms that a case gives into our columns; what it does not give stays."""
    for name, column in names.items():
        if name in terms:
            setattr(row, column, float(terms[name]))


def empty_group(markets: int, accounts: int) -> Perps:
    """Markets whose terms are all 0, but for the defaults of the cases; prices are valid for ever, owners come after the keeper."""
    perps = Perps(
        np.zeros(1, perps_tables.PERPS_GROUP),
        np.zeros(markets, perps_tables.PERPS_MARKET),
        np.zeros(accounts, perps_tables.PERPS_ACCOUNT),
        np.zeros(accounts * markets, perps_tables.PERPS_POSITION),
        np.zeros((markets, ENTRIES), perps_tables.LIQUIDATED),
        np.zeros(markets, tables.FEED),
    )
    perps.group["max_keeper_reward"], perps.group["max_keeper_share"] = 1e9, 1000.0
    perps.markets["feed"], perps.markets["endorsed_liquidator"], perps.markets["max_open_interest"] = np.arange(markets), -1, 1e7
    perps.feeds["valid_for"] = INFINITE
    perps.accounts["owner"] = FIRST_OWNER + np.arange(accounts)
    return perps


# --- a scenario ---


@dataclass(slots=True)
class System:
    """The markets of a scenario, their traders' wallets, and the credit of its one liquidity provider."""

    perps: Perps
    tokens: Table
    wallets: Floats
    markets: list[str]
    accounts: list[int]
    lp_price: float
    credit: float
    now: float = 0.0

    def copy(self) -> System:
        perps = Perps(*(table.copy() for table in self.perps))
        return System(perps, self.tokens.copy(), self.wallets.copy(), self.markets, self.accounts, self.lp_price, self.credit, self.now)

    def market(self, step: Figures) -> int:
        return self.markets.index(step["market"])

    def account(self, step: Figures) -> int:
        return self.accounts.index(step["account"])


def system_of(inputs: Figures) -> System:
    """A fresh system with the terms of a scenario."""
    config, steps = inputs["config"], inputs["steps"]
    known = {"markets", "keeper", "interest", "lp_collateral", "lp_collateral_price", *GROUP_TERMS}
    assert config.keys() <= known
    assert all(terms.keys() <= {"market", "price", *MARKET_TERMS} for terms in config["markets"])
    ids = sorted({step.get("action", step)["account"] for step in steps if "account" in step.get("action", step)})
    perps = empty_group(len(config["markets"]), max(len(ids), 1))
    flat = dict(config) | {f"{part}.{name}": value for part in ("keeper", "interest") for name, value in config.get(part, {}).items()}
    set_terms(perps.group[0], flat, GROUP_TERMS)
    for row, feed, terms in zip(perps.markets, perps.feeds, config["markets"], strict=True):
        set_terms(row, terms, MARKET_TERMS)
        feed.price = float(terms["price"])
    tokens, wallets = np.zeros(1, tables.TOKEN), np.zeros((FIRST_OWNER + len(perps.accounts), 1))
    for owner in perps.accounts["owner"]:
        assert ledger.mint(wallets, tokens, 0, owner, RICH) == Status.OK
    lp_price = float(config.get("lp_collateral_price", "2000"))
    credit = float(config.get("lp_collateral", "1000")) * lp_price
    return System(perps, tokens, wallets, [terms["market"] for terms in config["markets"]], ids, lp_price, credit)


def modify_margin(system: System, step: Figures) -> tuple[Status, Figures]:
    amount, account = float(step["amount"]), system.account(step)
    if amount >= 0.0:
        return Status(deposit_margin(system.perps, system.tokens, system.wallets, account, amount)), {}
    return Status(withdraw_margin(system.perps, system.tokens, system.wallets, account, -amount, system.credit, system.now)), {}


def repay(system: System, step: Figures) -> tuple[Status, Figures]:
    status, paid = pay_debt(system.perps, system.tokens, system.wallets, system.account(step), float(step["amount"]))
    return Status(status), {"paid": paid}


def set_price(system: System, step: Figures) -> tuple[Status, Figures]:
    system.perps.feeds[system.market(step)].price = float(step["price"])
    return Status.OK, {}


def set_time(system: System, step: Figures) -> tuple[Status, Figures]:
    system.now = float(step["t"])
    return Status.OK, {}


def trade(system: System, step: Figures) -> tuple[Status, Figures]:
    """Commit at the feed's price, settle in the same second."""
    perps, account, market, size = system.perps, system.account(step), system.market(step), float(step["size"])
    status = perps_orders.commit(perps, account, market, size, system.credit, system.now)
    if status != Status.OK:
        return Status(status), {}
    price = float(step.get("price", perps.feeds[market].price))
    acceptable = float(step.get("acceptable_price", INFINITE if size > 0.0 else 0.0))
    before = state_of(system)
    status, fill, fees = perps_orders.settle(
        perps, system.tokens, system.wallets, account, market, size, price, acceptable, KEEPER, system.credit, system.now
    )
    assert status == Status.OK or state_of(system) == before
    return Status(status), {"fill_price": fill, "fees": fees}


def liquidate(system: System, step: Figures) -> tuple[Status, Figures]:
    """The reward is reported before it is floored to a unit: some cases count it in 10**-18 USD."""
    perps, account, row = system.perps, system.account(step), system.perps.accounts[system.account(step)]
    reward = perps_liquidation.liquidation_reward(perps, account, KEEPER, not row.is_flagged)
    act = perps_liquidation.liquidate if row.open_positions else perps_liquidation.liquidate_margin
    status, paid, _ = act(perps, system.tokens, system.wallets, account, KEEPER, system.credit, system.now)
    if status == Status.LIQUIDATION_WINDOW_USED:
        return Status.OK, {"keeper_reward": 0.0}  # the public implementation does nothing there, and refuses nothing
    assert status != Status.OK or paid == floor_amount(reward)
    return Status(status), {"keeper_reward": reward}


def undelegate(system: System, step: Figures) -> tuple[Status, Figures]:
    """The core refuses to lower credit to less than the markets need."""
    credit = float(step["amount"]) * system.lp_price
    if credit < system.credit and perps_debt.is_capacity_locked(system.perps, credit):
        return Status.EXCEEDS_CREDIT_CAPACITY, {}
    system.credit = credit
    return Status.OK, {}


def position(system: System, step: Figures) -> Figures:
    perps, account, market = system.perps, system.account(step), system.market(step)
    pnl, funding, interest = perps_margin.position_profit(perps, account, market, perps_tables.index_price(perps, market), system.now)
    size = float(perps.positions[perps_tables.position_index(perps, account, market)].quantity)
    return {"pnl": pnl, "accrued_funding": funding, "size": size, "owed_interest": interest}


def account_of(system: System, step: Figures) -> Figures:
    perps, account, now = system.perps, system.account(step), system.now
    initial, maintenance, reward = perps_margin.required_margins(perps, account, NO_MARKET, 0.0, 0.0)
    return {
        "collateral": float(perps.accounts[account].margin),
        "debt": float(perps.accounts[account].debt),
        "available_margin": perps_margin.available_margin(perps, account, now),
        "withdrawable_margin": perps_margin.withdrawable_margin(perps, account, now),
        "required_initial": initial + reward,
        "required_maintenance": maintenance + reward,
        "liquidation_reward": reward,
        "liquidatable": perps_margin.is_liquidatable(perps, account, now),
    }


def market_of(system: System, step: Figures) -> Figures:
    row, price = system.perps.markets[system.market(step)], perps_tables.index_price(system.perps, system.market(step))
    rate, per_unit = perps_funding.funding_now(row, price, system.now)
    velocity = perps_funding.funding_velocity(row.skew, row.skew_scale, row.max_funding_velocity)
    sums = {"skew": float(row.skew), "size": float(row.open_interest)}
    return {**sums, "funding_rate": rate, "funding_velocity": velocity, "funding_per_unit": per_unit}


def whole(system: System, step: Figures) -> Figures:
    """The one liquidity provider owes all that the markets owe."""
    del step
    perps, group = system.perps, system.perps.group[0]
    reported = perps_debt.reported_debt(perps, system.now)
    return {
        "reported_debt": reported,
        "market_total_debt": reported + group.net_issuance,
        "withdrawable": perps_debt.withdrawable_usd(group, system.credit),
        "lp_debt": reported + group.net_issuance,
        "minimum_credit": perps_debt.minimum_credit(perps),
    }


def credit_of(system: System, step: Figures) -> Figures:
    del step
    perps, group = system.perps, system.perps.group[0]
    return {
        "utilization": perps_debt.utilization(perps, system.credit),
        "delegated_collateral": max(0.0, perps_debt.delegated_collateral(group, system.credit)),
        "locked_credit": perps_debt.locked_credit(perps),
        "interest_rate": float(group.interest_rate),
    }


def required_margin(system: System, step: Figures) -> Figures:
    perps, account, market = system.perps, system.account(step), system.market(step)
    price = perps_tables.index_price(perps, market)
    return {"required_margin": perps_orders.required_margin(perps, account, market, float(step["size"]), price)}


def quote(system: System, step: Figures) -> Figures:
    market = system.market(step)
    price = float(step.get("price", perps_tables.index_price(system.perps, market)))
    fill, fee = perps_orders.quote(system.perps.markets[market], float(step["size"]), price)
    return {"fill_price": fill, "order_fee": fee}


def liquidation_capacity(system: System, step: Figures) -> Figures:
    market = system.market(step)
    capacity = perps_liquidation.liquidation_capacity(system.perps, market, system.now)
    return {"capacity": capacity, "max_in_window": perps_keeper.max_in_window(system.perps.markets[market])}


ACTIONS = {
    "modify_margin": modify_margin,
    "pay_debt": repay,
    "set_price": set_price,
    "time": set_time,
    "trade": trade,
    "liquidate": liquidate,
    "undelegate": undelegate,
}
QUERIES = {
    "position": position,
    "account": account_of,
    "market": market_of,
    "global": whole,
    "credit": credit_of,
    "required_margin": required_margin,
    "quote": quote,
    "liquidation_capacity": liquidation_capacity,
}


def error_of(system: System, action: Figures) -> str:
    """What an action would be refused with; a refusal changes nothing (of a trade: settlement does not)."""
    before = state_of(system)
    status, _ = ACTIONS[action["do"]](system, action)
    assert status == Status.OK or action["do"] == "trade" or state_of(system) == before
    return SPECIAL_ERRORS.get((action["do"], status)) or ERRORS[status]


def state_of(system: System) -> bytes:
    """All of it, bit for bit."""
    return b"".join(table.tobytes() for table in (*system.perps, system.tokens, system.wallets))


def assert_conserved(system: System) -> None:
    """Exactly: dUSD in wallets is the supply, and what the markets issued is what was minted beyond what was burned."""
    supply = system.tokens[0].supply
    assert system.wallets.sum() == supply
    assert system.perps.group[0].net_issuance == supply - RICH * len(system.perps.accounts)


def scenario(case: Case) -> Figures:
    return scenario_in(case, lots_of(case.inputs))


def scenario_in(case: Case, lots: dict[str, int]) -> Figures:
    """Run the steps with the base assets counted in lots, and report in the case's own units."""
    inputs = in_lots(case.inputs, lots)
    system, results = system_of(inputs), {}
    for step in inputs["steps"]:
        if step["do"] == "expect_error":
            results[step["label"]] = {"error": error_of(system.copy(), step["action"])}
        elif step["do"] in QUERIES:
            before = state_of(system)
            results[step["label"]] = out_of_lots(QUERIES[step["do"]](system, step), lots.get(step.get("market", ""), 1))
            assert state_of(system) == before
        else:
            status, result = ACTIONS[step["do"]](system, step)
            assert status == Status.OK, (step, status)
            results[step.get("label", "")] = result
        assert_conserved(system)
    return results


# --- units of the base asset: a size that is not in whole units of ours is counted in tenths, hundredths, ... ---

QUANTITIES = ("size", "skew", "skew_scale", "max_size", "capacity", "max_in_window")
PRICES = ("price", "acceptable_price", "fill_price", "funding_per_unit")


def lots_of(inputs: Figures) -> dict[str, int]:
    """Parts into which one unit of each market's base asset is divided."""
    lots = {terms["market"]: 1 for terms in inputs["config"]["markets"]}
    for step in inputs["steps"]:
        action = step.get("action", step)
        if "size" in action:
            market, size = action["market"], abs(Decimal(action["size"]))
            while lots[market] < 10**6 and not is_amount(float(size * lots[market])):
                lots[market] *= 10
    return lots


def in_lots(inputs: Figures, lots: dict[str, int]) -> Figures:
    """The inputs of a scenario with sizes multiplied, prices divided."""

    def changed(part: Figures) -> Figures:
        if "action" in part:
            return {**part, "action": changed(part["action"])}
        lot = lots.get(part.get("market", ""), 1)
        sizes = {name: str(Decimal(part[name]) * lot) for name in QUANTITIES if name in part}
        return {**part, **sizes, **{name: str(Decimal(part[name]) / lot) for name in PRICES if name in part}}

    markets = [changed({"max_size": "10000000", **terms}) for terms in inputs["config"]["markets"]]
    return {"config": {**inputs["config"], "markets": markets}, "steps": [changed(step) for step in inputs["steps"]]}


def out_of_lots(result: Figures, lot: int) -> Figures:
    sizes = {name: result[name] / lot for name in QUANTITIES if name in result}
    return {**result, **sizes, **{name: result[name] * lot for name in PRICES if name in result}}


# --- one formula ---


def numbers(case: Case) -> dict[str, float]:
    return {name: float(value) for name, value in case.inputs.items()}


def a_market(case: Case, names: dict[str, str]) -> Row:
    """A market row with some of the inputs of a case as terms."""
    row = empty_group(1, 1).markets[0]
    set_terms(row, case.inputs, names)
    return row


def fill(case: Case) -> Figures:
    """A negative price is refused as an order."""
    given = numbers(case)
    price = fill_price(given["price"], given["skew"], given["size"], given["skew_scale"])
    if price >= 0.0:
        return {"fill_price": price}
    perps = empty_group(1, 1)
    perps.markets["skew"], perps.markets["skew_scale"], perps.feeds["price"] = given["skew"], given["skew_scale"], given["price"]
    return {"error": ERRORS[Status(perps_orders.commit(perps, 0, 0, given["size"], 0.0, 0.0))]}


def fee(case: Case) -> Figures:
    given = numbers(case)
    return {"order_fee": order_fee(given["skew"], given["size"], given["fill_price"], given["maker_fee"], given["taker_fee"])}


def funding_step(case: Case) -> Figures:
    given, row = numbers(case), a_market(case, MARKET_TERMS)
    row.skew, row.funding_rate, row.funding_per_unit = given["skew"], given["last_rate"], given["last_value"]
    rate, per_unit = perps_funding.funding_now(row, given["price"], given["elapsed"])
    velocity = perps_funding.funding_velocity(row.skew, row.skew_scale, row.max_funding_velocity)
    perps_funding.recompute_funding(row, given["price"], given["elapsed"])
    assert (row.funding_rate, row.funding_per_unit, row.funding_updated_at) == (rate, per_unit, given["elapsed"])
    return {"funding_rate": rate, "funding_velocity": velocity, "funding_per_unit": per_unit}


def velocity(case: Case) -> Figures:
    given = numbers(case)
    return {"funding_velocity": perps_funding.funding_velocity(given["skew"], given["skew_scale"], given["max_funding_velocity"])}


def funding_sequence(case: Case) -> Figures:
    """PerpsV2, through orders: the same velocity model. Funding is reported after each trade."""
    inputs = case.inputs
    market = {"market": "ETH", **{name: inputs[name] for name in ("price", "skew_scale", "max_funding_velocity")}}
    deposit = {"do": "modify_margin", "account": 2, "amount": "1000000"}
    system, steps = system_of({"config": {"markets": [market]}, "steps": [deposit]}), []
    assert modify_margin(system, deposit) == (Status.OK, {})
    for order in inputs["trades"]:
        system.now += order["seconds_since_previous_trade"]
        assert trade(system, {"account": 2, "market": "ETH", "size": order["size"]})[0] == Status.OK
        row = system.perps.markets[0]
        steps.append({"funding_rate": float(row.funding_rate), "funding_value": float(row.funding_per_unit)})
    return {"steps": steps}


def debt_change(case: Case) -> Figures:
    """PerpsV2, through orders of several accounts: the skew is the liquidity providers' debt in both."""
    inputs = case.inputs
    deposits = [{"do": "modify_margin", "account": number, "amount": "100000"} for number, _ in enumerate(inputs["positions"])]
    config = {"markets": [{"market": "ETH", "price": inputs["price_before"], "skew_scale": "0"}]}
    system, debts = system_of({"config": config, "steps": deposits}), []
    for deposit, size in zip(deposits, inputs["positions"], strict=True):
        assert modify_margin(system, deposit)[0] == Status.OK
        assert trade(system, {"account": deposit["account"], "market": "ETH", "size": size})[0] == Status.OK
    for price in (inputs["price_before"], inputs["price_after"]):
        set_price(system, {"market": "ETH", "price": price})
        debts.append(perps_debt.reported_debt(system.perps, 0.0))
    return {"debt_change": debts[1] - debts[0]}


def margins(case: Case) -> Figures:
    given = numbers(case)
    found = perps_margin.position_margins(a_market(case, MARKET_TERMS), given["size"], given["price"])
    return dict(zip(("initial_margin_ratio", "maintenance_margin_ratio", "initial_margin", "maintenance_margin"), found, strict=True))


def interest(case: Case) -> Figures:
    given = numbers(case)
    return {"interest_rate": interest_rate(given["utilization"], given["low_gradient"], given["breakpoint"], given["high_gradient"])}


KEEPER_TERMS = {name.removeprefix("keeper."): column for name, column in GROUP_TERMS.items()}


def keeper(case: Case) -> Figures:
    given, group = numbers(case), empty_group(1, 1).group[0]
    set_terms(group, case.inputs, KEEPER_TERMS)
    return {"keeper_reward": perps_keeper.keeper_reward(group, given["reward"], given["cost"], given["margin"])}


def window(case: Case) -> Figures:
    names = {"maker": "maker_fee", "taker": "taker_fee", "skew_scale": "skew_scale"}
    row = a_market(case, {**names, "multiplier": "liquidation_multiplier", "seconds": "liquidation_window"})
    return {
        "max_in_window": perps_keeper.max_in_window(row),
        "windows_needed": perps_keeper.windows_needed(row, float(case.inputs["size"])),
    }


def v2_liquidation_fee(case: Case) -> Figures:
    """PerpsV2: our keeper reward without cost. Where it is paid (on flagging) and by whom is the same."""
    given, group = numbers(case), empty_group(1, 1).group[0]
    group.min_keeper_reward, group.max_keeper_reward = given["min_keeper_fee"], given.get("max_keeper_fee", INFINITE)
    notional = abs(given["size"]) * given["price"]
    return {"liquidation_fee": perps_keeper.keeper_reward(group, notional * given["fee_ratio"], 0.0, 0.0)}


def v2_liquidation_margin(case: Case) -> Figures:
    """PerpsV2: our maintenance margin of a position, with no part that grows with its size, and the keeper reward."""
    given, row = numbers(case), empty_group(1, 1).markets[0]
    row.min_margin_ratio, row.maintenance_scalar, row.min_position_margin = given["buffer_ratio"], 1.0, given["keeper_liquidation_fee"]
    maintenance = perps_margin.position_margins(row, given["size"], given["price"])[3]
    return {"liquidation_margin": maintenance + v2_liquidation_fee(case)["liquidation_fee"]}


def v2_liquidation_premium(case: Case) -> Figures:
    """PerpsV2 subtracts it from the margin; here the same term, the part that grows with the size, is added to what is required."""
    given, row = numbers(case), empty_group(1, 1).markets[0]
    row.skew_scale, row.margin_slope, row.maintenance_scalar = given["skew_scale"], given["multiplier"], 1.0
    return {"liquidation_premium": perps_margin.position_margins(row, given["size"], given["price"])[3]}


HANDLERS: dict[str, Handler] = {
    "scenario": scenario,
    "fill_price": fill,
    "order_fee": fee,
    "funding_step": funding_step,
    "funding_velocity": velocity,
    "v2_funding_sequence": funding_sequence,
    "market_debt_change": debt_change,
    "required_margins": margins,
    "interest_rate": interest,
    "keeper_reward": keeper,
    "liquidation_window": window,
    "v2_liquidation_fee": v2_liquidation_fee,
    "v2_liquidation_margin": v2_liquidation_margin,
    "v2_liquidation_premium": v2_liquidation_premium,
}
