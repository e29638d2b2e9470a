"""Figures of the exchange, by hand on small ones: two pools behind two markets."""

import numpy as np
import pytest
from exchanges import CREATOR, ETH, FIRST_LP, GIFT, KEEPER, NEVER, PRICE, STREAM, USD, an_exchange, next_round
from worlds import a_market

from seawall.agents.exchange import perps_in
from seawall.agents.exchange_books import report
from seawall.agents.perps_trader import TraderKind
from seawall.models import exchange_frames, exchange_measures, exchange_neutrality, exchange_step
from seawall.models.exchange_measures import ExchangeNames
from seawall.models.exchange_neutrality import Estimate
from seawall.protocols import ledger, perps_account, perps_liquidation, perps_orders
from seawall.protocols.liquidity_tables import EVERY
from seawall.protocols.status import Action, Status
from seawall.protocols.tables import TDOLLAR, TOKEN

DAY, YEAR = 86_400.0, 365 * 86_400.0
NAMES = ExchangeNames(("BTC", "SOL"), ("blue", "safe"), ("ETH", "coin"), ("creator", "unused"))


def figures(x, names=NAMES, world=None):
    measured = exchange_measures.measure(x, world or a_market(), names)
    return {name: figure for group in measured.values() for name, figure in group.items()}


def values(x, **options):
    return {name: figure.value for name, figure in figures(x, **options).items()}


@pytest.fixture
def x():
    """Nothing has happened yet; the creator may siphon 20% of the first pool's fees. As many tokens as the tASSET market beside has."""
    made = an_exchange()
    made = made._replace(tokens=np.append(made.tokens, np.zeros(1, TOKEN)), wallets=np.pad(made.wallets, ((0, 0), (0, 1))))
    made.siphons[0].pool, made.siphons[0].market, made.siphons[0].account, made.siphons[0].fee_share = 0, EVERY, CREATOR, 0.2
    return made


def test_nothing_has_happened(x):
    found = figures(x)
    known = {name: figure.value for name, figure in found.items() if figure.unit in ("USD", "count", "tokens")}
    assert known.pop("mean_pool_value_usd") is known.pop("perps_cascade_usd") is None
    assert set(known.values()) == {0}
    expected = {
        "lp_return": "nothing was delegated, or no time passed",
        "lp_return.BTC": "nothing was delegated, or no time passed",
        "mean_pool_value_usd": "no time passed",
        "min_pool_collateral_ratio": "no pool owed anything at any record",
        "min_lp_collateral_ratio": "no LP owed anything at any record",
        "market_insolvency_probability": "no time passed",
        "time_to_market_insolvency_s": "the credit always covered what traders own",
        "lp_beta_to_market": "fewer than 10 intervals between records",
        "lp_beta_to_traders.SOL": "fewer than 10 intervals between records",
    }
    assert {name: found[name].why for name in expected} == expected
    assert all(figure.why for figure in found.values() if figure.value is None)


def deposit_and_buy(x, trader, margin, size):
    """Trade by the contracts' rules, and book fees and impact as agents do."""
    row = x.perps_traders[trader]
    m, now = int(row.market), float(x.clock[0].now)
    perps = perps_in(x, m)
    if margin:
        assert perps_account.deposit_margin(perps, x.tokens, x.wallets, trader, margin) == Status.OK
    price, credit = float(x.feeds[m].price), report(x, m, now)
    limit = NEVER if size > 0 else 0.0
    args = (perps, x.tokens, x.wallets, trader, 0, size, price, limit, KEEPER, credit, now)
    status, fill, fees = perps_orders.settle(*args)
    assert status == Status.OK
    x.market_memory[m].fees += fees
    x.market_memory[m].impact += size * (fill - price)
    return fill, fees


def test_sources_of_the_gain_add_up_to_the_change_of_debt(x):
    """10 bought at 2,001 (premium of 5/10,000): 10 USD of impact, 10.005 USD of fee; a rise by 10 costs LPs 100."""
    exchange_step.finish(x)
    fill, fees = deposit_and_buy(x, 0, 5_000.0, 10.0)
    assert (fill, fees) == pytest.approx((2001.0, 10.005))
    next_round(x, PRICE + 10.0)
    exchange_step.begin(x)
    exchange_step.finish(x)
    found = values(x)
    days = 60.0 / DAY
    funding = 10.0 * 0.5 * (10.0 / 10_000.0 * 9.0 * days) * days * 2010.0
    expected = {
        "lp_order_fees_usd": 10.005,
        "lp_price_impact_usd": 10.0,
        "lp_price_gain_usd": -100.0,
        "lp_funding_usd": funding,
        "lp_exchange_gain_usd": 10.005 + 10.0 - 100.0 + funding,
        "lp_gain_residual_usd": 0.0,
        "perps_traders_gain_usd": 100.0 - 20.005 - funding,
        "exchange_lps_gain_usd": 20.005 - 100.0 + funding,
        "exchange_keepers_gain_usd": 0.0,
        "unsettled_usd": 0.0,
        "waterfall_residual_usd": 0.0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_a_source_that_is_missing_shows_in_the_residual(x):
    exchange_step.finish(x)
    deposit_and_buy(x, 0, 5_000.0, 10.0)
    exchange_step.finish(x)
    x.market_memory[0].fees -= 7.0
    assert figures(x)["lp_gain_residual_usd"].value == pytest.approx(-7.0)
    x.perps_traders[1].start_usd -= 3.0  # as if a trader had been given 3 USD
    assert figures(x)["waterfall_residual_usd"].value == pytest.approx(3.0)


def test_siphons_are_taken_off_and_shown_by_receiver(x):
    x.market_memory["fees"], x.market_memory["siphoned"] = (80.0, 20.0), (8.0, 2.0)
    ledger.mint(x.wallets, x.tokens, USD, CREATOR, 10.0)
    found = figures(x)
    assert found["siphoned_usd"].value == found["siphoned_usd.creator"].value == found["siphon_receivers_gain_usd"].value == 10.0
    assert found["lp_exchange_gain_usd"].value == 90.0
    assert "siphoned_usd.unused" not in found
    x.siphons["account"] = FIRST_LP
    assert (figures(x)["siphoned_usd.creator"].value, figures(x)["siphoned_usd.creator"].why) == (
        None,
        "its account holds other dUSD as well",
    )


def test_returns_are_on_the_mean_value_of_the_pools(x):
    """30 USD in 2 days on a mean of 3,000; the first market had 1,000 delegated on average, the second none."""
    x.clock[0].now = 2 * DAY
    x.pool_memory["value_seconds"] = 2 * DAY * 1_000.0, 2 * DAY * 2_000.0
    x.market_memory["fees"], x.market_memory["price_gain"] = (50.0, 0.0), (-20.0, 0.0)
    x.times["records"] = 2
    x.market_series["delegated"][:2, 0] = 500.0, 1_500.0
    found = figures(x)
    expected = {
        "mean_pool_value_usd": 3_000.0,
        "lp_return": 0.01,
        "lp_return_per_year": 0.01 * 365 / 2,
        "lp_fee_return_per_year": 50 / 3_000 * 365 / 2,
        "lp_return.BTC": 0.03,
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected)
    assert found["lp_return.SOL"].value is None


def test_incentives_count_in_dollars_only_at_a_price(x):
    x.streams[0].pool, x.streams[0].collateral_type, x.streams[0].token = 0, 1, GIFT
    x.stream_vaults["rewarded"][0] = 4.0, 6.0
    assert (values(x)["lp_incentives_tokens"], values(x)["lp_incentives_usd"]) == (6.0, None)
    assert figures(x)["lp_incentives_usd"].why == "a reward token has no price"
    world, pool = a_market(), a_market().pools[1]  # tEXO stands in the same row
    for token, amount in ((TDOLLAR, 100.0), (GIFT, 50.0)):
        ledger.mint(world.wallets, world.tokens, token, pool.account, amount)
    assert values(x, world=world)["lp_incentives_usd"] == pytest.approx(12.0)
    x.streams[0].token = ETH  # worth 2,000
    assert (values(x)["lp_incentives_usd"], values(x)["lp_exchange_gain_usd"]) == (12_000.0, 12_000.0)
    x.streams[0].collateral_type, x.streams[0].rewarded = EVERY, 9.0
    assert values(x)["lp_incentives_tokens"] == 9.0


def test_rewards_claimed_in_collateral_are_no_gain_of_the_waterfall(x):
    x.streams[0].collateral_type, x.streams[0].token, x.streams[0].account = 0, ETH, STREAM
    x.stream_vaults["rewarded"][0, 0], x.stream_vaults["unsettled"][0, 0], x.claims["pending"][0, 0] = 5.0, 1.0, 2.0
    ledger.mint(x.wallets, x.tokens, ETH, FIRST_LP, 2.0)  # 5 shared out, 1 not booked yet, 2 not claimed yet
    assert values(x)["exchange_lps_gain_usd"] == pytest.approx(0.0)


def test_solvency_of_pools_and_markets(x):
    x.clock[0].now, x.times["records"] = 1_000.0, 2
    x.pool_series["value"][:2], x.pool_series["debt"][:2] = 900.0, [[-5.0, 0.0], [300.0, 600.0]]
    x.pool_series["min_ratio"][:2] = [[NEVER, NEVER], [1.2, 1.4]]
    x.market_memory["insolvent_seconds"], x.market_memory["unpaid_peak"] = (0.0, 100.0), (0.0, 77.0)
    x.market_memory["first_insolvent_at"] = NEVER, 640.0
    x.vaults[1, 0].debt = 800_000.0  # on 1,000,000 USD of ETH: a ratio of 1.25, less than 1.5
    expected = {
        "min_pool_collateral_ratio": 1.5,
        "min_lp_collateral_ratio": 1.2,
        "vaults_below_liquidation_ratio": 1,
        "market_insolvency_probability": 0.05,
        "market_insolvency_probability.BTC": 0.0,
        "market_insolvency_probability.SOL": 0.1,
        "time_to_market_insolvency_s": 640.0,
        "unpaid_peak_usd": 77.0,
    }
    found = values(x)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_liquidations_and_keepers(x):
    """Two liquidations of traders and one of an LP at 3 USD each; the keeper brought 100 dUSD, has 150, and half an ETH not taken out."""
    memory = x.market_memory
    memory["liquidations"], memory["liquidated_usd"], memory["shortfall"] = (1, 1), (4_000.0, 500.0), (12.0, 0.5)
    memory["keepers_paid"], memory["orders"], memory["volume"] = (40.0, 10.0), (3, 4), (9_000.0, 1_000.0)
    keeper = x.exchange_keepers[0]
    keeper.start_usd, keeper.cost_usd = 100.0, 3.0
    ledger.mint(x.wallets, x.tokens, USD, KEEPER, 150.0)
    x.deposits[KEEPER, 0] = 0.5
    x.tallies[Action.LIQUIDATE_TRADER, Status.OK], x.tallies[Action.LIQUIDATE_LP, Status.OK] = 2, 1
    x.tallies[Action.LIQUIDATE_TRADER, Status.UNPROFITABLE] = 9
    expected = {
        "perps_liquidations": 2,
        "perps_liquidated_usd": 4_500.0,
        "perps_shortfall_usd": 12.5,
        "perps_orders": 7,
        "perps_volume_usd": 10_000.0,
        "keepers_paid_usd": 50.0,
        "exchange_keepers_gain_usd": 1_050.0,
        "keepers_profit_usd": 1_041.0,
    }
    found = values(x)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_what_traders_own_is_margin_and_profit_less_debt(x):
    """Long 2 from 1,990 with funding of -3 a unit since, 500 of margin and 40 of account debt; a flagged position is nobody's claim."""
    for trader in (0, 2):
        x.perps_traders[trader].kind = TraderKind.CARRY
        account, position = x.perps_accounts[0, trader], x.perps_positions[0, trader]
        account.margin, account.debt, position.quantity, position.entry_price, position.entry_funding = 500.0, 40.0, 2.0, 1990.0, 3.0
    x.perps_accounts[0, 2].is_flagged = True
    x.perps_traders[1].start_usd -= 5.0
    found = values(x)
    assert found["perps_traders_gain_usd.carry"] == pytest.approx((460.0 + 2 * (10.0 - 3.0)) + 460.0)
    assert found["perps_traders_gain_usd.noise"] == pytest.approx(5.0)
    frame = exchange_frames.traders(x).set_index("kind")
    assert frame.loc["carry"].to_dict() == pytest.approx({"traders": 2, "start_usd": 200_000.0, "gain_usd": 934.0, "liquidations": 0})


def test_a_liquidation_leaves_the_waterfall_at_zero(x):
    """A trader short 50 with 4,100 of margin is liquidated at 2,100, under water: LPs gain its margin less the keeper's pay, no more."""
    exchange_step.finish(x)
    deposit_and_buy(x, 0, 4_100.0, -50.0)
    next_round(x, 2_100.0)
    exchange_step.begin(x)
    perps = perps_in(x, 0)
    status, paid, _ = perps_liquidation.liquidate(perps, x.tokens, x.wallets, 0, KEEPER, report(x, 0, 60.0), 60.0)
    assert status == Status.OK
    exchange_step.finish(x)
    found = values(x)
    assert found["perps_traders_gain_usd"] == pytest.approx(-4_100.0)
    assert found["exchange_keepers_gain_usd"] == pytest.approx(paid)
    assert found["exchange_lps_gain_usd"] == pytest.approx(4_100.0 - paid, abs=1e-6)
    assert found["waterfall_residual_usd"] == pytest.approx(0.0, abs=1e-6)


def test_debt_that_no_pool_has_room_for_is_unsettled(x):
    """Traders own 5,000,000 more than they brought, the pools may take 4,000,000."""
    x.groups[0].margin = 5_000_000.0
    x.perps_accounts[0, 0].margin = 5_000_000.0
    report(x, 0, 0.0)
    found = values(x)
    assert found["perps_traders_gain_usd"] == pytest.approx(5_000_000.0)
    assert found["exchange_lps_gain_usd"] == pytest.approx(-2_000_000.0)
    assert found["unsettled_usd"] == pytest.approx(3_000_000.0)
    assert found["waterfall_residual_usd"] == pytest.approx(0.0, abs=1e-6)


def series(x, moves, beta, noise=0.0):
    """Records in which LPs lose `beta` times what traders win from each move of the price, with 1,000 and 3,000 delegated."""
    count = len(moves) + 1
    x.times["records"] = count
    rows = x.market_series[:count]
    rows["delegated"] = 1_000.0, 3_000.0
    rows["index_price"] = PRICE * np.cumprod(np.r_[1.0, 1.0 + moves])[:, None]
    won = np.r_[0.0, np.cumsum(moves)][:, None] * (500.0, 600.0)  # a skew of half and of a fifth of what is delegated
    rows["price_gain"] = -won
    rows["fees"] = won * (1.0 + beta) + noise


MOVES = 0.01 * np.sin(np.arange(20.0))


def test_slopes_of_a_straight_line(x):
    series(x, MOVES, beta=-1.0)
    found = figures(x)
    assert found["lp_beta_to_traders"].value == pytest.approx(-1.0)
    assert found["lp_beta_to_traders"].interval == pytest.approx((-1.0, -1.0))
    assert found["lp_beta_to_market.BTC"].value == pytest.approx(-0.5)
    assert found["lp_beta_to_market.SOL"].value == pytest.approx(-0.2)
    assert found["lp_beta_to_market"].value == pytest.approx(-(500 + 600) / 4_000)


def test_an_interval_holds_the_slope_despite_noise(x):
    series(x, MOVES, beta=-0.5, noise=np.random.default_rng(1).normal(0.0, 1.0, (21, 1)))
    found = figures(x)["lp_beta_to_traders"]
    assert isinstance(found, Estimate)
    low, high = found.interval
    assert low < -0.5 < high
    assert low < found.value < high


def test_an_interval_by_hand():
    """Ten points on a slope of 2 with errors of 1, -1, -1, 1, ...: the interval by the textbook's formula."""
    cause, errors = np.arange(12.0), np.tile([1.0, -1.0, -1.0, 1.0], 3)
    found = exchange_neutrality.slope(cause, 2.0 * cause + errors, "it")
    assert found.value == pytest.approx(2.0)
    reach = 2.2281388519649385 * np.sqrt(12.0 / 10.0 / 143.0)
    assert found.interval == pytest.approx((2.0 - reach, 2.0 + reach))


@pytest.mark.parametrize(
    ("moves", "beta", "name", "why"),
    [
        (MOVES[:9], -1.0, "lp_beta_to_market", "fewer than 10 intervals between records"),
        (0.0 * MOVES, -1.0, "lp_beta_to_market", "the index price did not vary"),
        (0.0 * MOVES, -1.0, "lp_beta_to_traders", "the traders' profit did not vary"),
        (MOVES, 0.0, "lp_beta_to_traders", "the return of LPs did not vary"),
    ],
)
def test_a_slope_that_cannot_be_computed_says_why(x, moves, beta, name, why):
    series(x, moves, beta)
    assert (figures(x)[name].value, figures(x)[name].why) == (None, why)


def test_intervals_without_capital_or_price_are_left_out(x):
    series(x, MOVES, beta=-1.0)
    x.market_series["index_price"][:3, 1] = 0.0
    x.market_series["delegated"][10, :] = 0.0
    assert len(exchange_neutrality.returns(x, 0).lps) == 19
    assert len(exchange_neutrality.returns(x, 1).lps) == 16
    assert np.isfinite(np.concatenate(exchange_neutrality.returns(x, None))).all()


def test_frames_have_a_row_per_record_and_name(x):
    x.times["records"] = 2
    x.market_series["index_price"][:2], x.market_series["skew"][:2] = [[0.0, 10.0], [20.0, 10.0]], 3.0
    x.pool_series["value"][:2], x.pool_series["debt"][:2], x.pool_series["min_ratio"][:2] = 100.0, [[50.0, -1.0], [0.0, 200.0]], NEVER
    markets = exchange_frames.markets(x, NAMES)
    assert markets["market"].tolist() == ["BTC", "SOL", "BTC", "SOL"]
    assert markets["skew_usd"].tolist() == [0.0, 30.0, 60.0, 30.0]
    assert markets["index_price"].isna().tolist() == [True, False, False, False]
    pools = exchange_frames.pools(x, NAMES)
    assert pools["pool"].tolist() == ["blue", "safe"] * 2
    np.testing.assert_array_equal(pools["collateral_ratio"], [2.0, np.nan, np.nan, 0.5])
    assert pools["min_collateral_ratio"].isna().all()


def test_lps_by_pool(x):
    x.liquidity_lps[3].pool = -1
    x.vaults[0, 0].value_per_share, x.vaults[0, 0].debt = 1.0, 500.0  # 1 USD of debt for each of the 500 ETH
    frame = exchange_frames.lps(x, NAMES).set_index("pool")
    assert frame["lps"].to_dict() == {"blue": 2, "safe": 1, exchange_frames.IN_NO_POOL: 1}
    assert frame.loc["blue"].to_dict() == pytest.approx({"lps": 2, "value_usd": 2e6, "debt_usd": 500.0, "gain_usd": -500.0})


def test_frames_without_an_exchange_are_empty_with_all_columns(x):
    made = [
        (exchange_frames.markets(None, None), exchange_frames.markets(x, NAMES)),
        (exchange_frames.pools(None, None), exchange_frames.pools(x, NAMES)),
        (exchange_frames.traders(None), exchange_frames.traders(x)),
        (exchange_frames.lps(None, None), exchange_frames.lps(x, None)),
    ]
    for empty, full in made:
        assert empty.empty
        assert (empty.columns == full.columns).all()
        assert (empty.dtypes == full.dtypes).all()
    assert made[3][1]["pool"].tolist() == ["pool 0", "pool 1"]


def test_names_are_numbers_where_none_are_given(x):
    assert "siphoned_usd.account 3" in figures(x, names=None)
    assert exchange_measures.numbered(x).markets == ("market 0", "market 1")
