"""Scenarios with an exchange: what is read, what is refused and in which words, and how the exchange comes to be."""

import math

import numpy as np
import pytest

from seawall.agents.exchange import core_of
from seawall.agents.exchange_books import pool_debt
from seawall.agents.perps_trader import TraderKind
from seawall.models import exchange_audit
from seawall.protocols import audit, vaults
from seawall.protocols.errors import ScenarioError
from seawall.protocols.liquidity_tables import EVERY
from seawall.scenarios.build import build
from seawall.scenarios.exchange_build import names_of
from seawall.scenarios.exchange_layout import lay_out_exchange, own_assets
from seawall.scenarios.load import SHIPPED, load

NEVER = math.inf

SHORT = """\
name: Test
about: One line.
seed: 1
prices:
  model: constant
  days: 0.5
  assets:
    ETH: {start_usd: 2000}
    BTC: {start_usd: 50000}
exchange:
  collaterals:
    WETH: {tracks: ETH}
    USDC: {}
  markets:
    ETH-PERP: {tracks: ETH}
    BTC-PERP: {tracks: BTC}
  pools:
    main:
      siphons: [{to: creator, share: 0.05, market: ETH-PERP}, {to: stakers, share: 0.15}]
    side:
      owner: {policy: yield, trust: 0.2, rebalance_hours: 6}
      weights: {BTC-PERP: 1}
      siphons: [{to: stakers, share: 0.5}]
  lps: {count: 20, borrow_share: 0.5, look_hours: 3}
  traders:
    noise: {count: 5, orders_per_day: 100}
    carry: {count: 3}
    whale: {count: 1, cooldown_hours: null}
  keepers: {count: 2}
  incentives:
    - {pool: main, token: DTORO, amount: 100, at_hours: 1, days: 0.25}
    - {pool: main, token: DTORO, amount: 50, at_hours: 9}
    - {pool: side, collateral: USDC, token: dUSD, amount: 10}
"""

BESIDE = """
tassets:
  tETH: {tracks: ETH, pool: {liquidity_usd: 1e4}, price_valid_seconds: 120}
minters: {count: 20}
outages: [{asset: ETH, at_hours: 1, hours: 1}, {asset: BTC, at_hours: 4, hours: 1}]
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text):
        path = tmp_path / "test.yaml"
        path.write_text(text)
        return path

    return to_file


def faults_of(path, *settings):
    with pytest.raises(ScenarioError) as caught:
        build(load(path, settings))
    return [str(fault).removeprefix(str(path.parent) + "/") for fault in caught.value.faults]


# --- reading ---


def test_terms_default_to_those_of_base_eth(write):
    market = load(write(SHORT)).scenario.exchange.markets["ETH-PERP"]
    assert (market.skew_scale, market.max_funding_velocity, market.maker_fee, market.taker_fee) == (300_000, 9, 0.000001, 0.0005)
    assert (market.margin_slope, market.min_margin_ratio, market.maintenance_scalar) == (1.16, 0.02, 0.28)
    assert (market.liquidation_multiplier, market.liquidation_window_seconds, market.locked_oi_ratio) == (1.5, 30, 0.1)
    assert load(write(SHORT)).warnings == ()


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("markets.ETH-PERP.tracks=DOGE", "markets.ETH-PERP.tracks: 'DOGE' is no asset of prices.assets; known: BTC, ETH"),
        ("collaterals.WETH.tracks=DOGE", "collaterals.WETH.tracks: 'DOGE' is no asset of prices.assets; known: BTC, ETH"),
        ("pools.side.weights.X=1", "pools.side.weights.X: 'X' is no market; known: BTC-PERP, ETH-PERP"),
        ("pools.side.collateral_limits.X=1", "pools.side.collateral_limits.X: 'X' is no collateral; known: USDC, WETH"),
        ("pools.side.siphons[0].market=ETH-PERP", "pools.side.siphons[0].market: 'ETH-PERP' is no market of side; known: BTC-PERP"),
        ("pools.main.siphons[0].share=0.9", "pools.main.siphons: together 1.05 of the fees of ETH-PERP; more than 1 there is not"),
        ("lps.pools.X=1", "lps.pools.X: 'X' is no pool; known: main, side"),
        ("lps.collateral.X=1", "lps.collateral.X: 'X' is no collateral; known: USDC, WETH"),
        ("lps.borrow_ratio=3", "lps.borrow_ratio: 3 must be more than the issuance ratio of WETH (3)"),
        ("incentives[0].pool=X", "incentives[0].pool: 'X' is no pool; known: main, side"),
        ("incentives[0].collateral=X", "incentives[0].collateral: 'X' is no collateral; known: USDC, WETH, all"),
        ("incentives[0].token=tDOLLAR", "incentives[0].token: 'tDOLLAR' is a token of another protocol"),
        ("incentives[0].at_hours=13", "incentives[0].at_hours: 13 is after the end of the run (12 hours)"),
        ("collaterals.dUSD.tracks=ETH", "collaterals.dUSD: 'dUSD' is taken; choose another name"),
        ("collaterals.WETH.issuance_ratio=1.2", "collaterals.WETH: issuance_ratio (1.2) must not be less than liquidation_ratio (1.5)"),
        ("collaterals.USDC.min_delegation_usd=9", "collaterals.USDC: min_delegation_usd (9) must be more than liquidation_reward_usd (20)"),
        ("markets.ETH-PERP.fast_minutes=480", "markets.ETH-PERP: fast_minutes (480) must be less than slow_minutes (480)"),
        ("markets.ETH-PERP.skew_scael=1", "markets.ETH-PERP.skew_scael: is not a key here; did you mean skew_scale?"),
        ("traders.noise.leverage=60", "traders.noise.leverage: 60 is more than 50, the most that min_margin_ratio of every market allows"),
        ("keepers.count=0", "keepers.count: 0 is not in [1, 1000]"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_key_and_value(write, setting, fault):
    found = faults_of(write(SHORT), f"exchange.{setting}")
    assert any(f": exchange.{fault}" in each for each in found), found


def test_too_many_orders_are_refused(write):
    settings = ["exchange.traders.noise.count=10000", "exchange.traders.noise.orders_per_day=1440", "prices.days=2"]
    assert faults_of(write(SHORT), *settings) == ["test.yaml:25: exchange.traders: 28,800,146 orders are more than 20,000,000"]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (["lps.value_usd.median=90"], "test.yaml: exchange.lps.value_usd: LP "),
        (["pools.side.collateral_limits.USDC=1"], "test.yaml: exchange.pools.side.collateral_limits.USDC: 1 USDC are less than the LPs of"),
        (["lps.value_usd.median=1e12"], "test.yaml: exchange.lps.value_usd: together they own more than 8,589,934,592 USDC"),
        (["traders.whale.capital_usd.median=1e12"], "test.yaml: exchange.traders: together they own more than 8,589,934,592 dUSD"),
    ],
)
def test_what_cannot_be_founded_is_refused_in_words(write, settings, fault):
    assert faults_of(write(SHORT), *(f"exchange.{setting}" for setting in settings))[0].startswith(fault)


def test_a_scenario_needs_tassets_or_an_exchange(write):
    text = SHORT.partition("exchange:")[0]
    assert "test.yaml:1: tassets: is missing, and there is neither exchange nor avmm; one of them is needed" in faults_of(write(text))
    idle = faults_of(write(SHORT + "liquidators: {count: 3}\n"))
    assert idle == ["test.yaml:34: liquidators.count: 3 have nothing to do: there is no tASSET"]


def test_an_outage_names_a_tasset_or_an_asset(write):
    path = write(SHORT + BESIDE)
    assert "names tasset (tETH) and asset (ETH); one of them would do" in faults_of(path, "outages[0].tasset=tETH")[0]
    assert "outages[0].asset: 'X' is no asset that a feed follows; known: BTC, ETH" in faults_of(path, "outages[0].asset=X")[0]


# --- building ---


def test_names_stand_in_rows(write):
    names = names_of(load(write(SHORT)).scenario.exchange)
    assert (names.markets, names.pools, names.collaterals) == (("ETH-PERP", "BTC-PERP"), ("main", "side"), ("WETH", "USDC"))
    assert names.receivers == ("creator", "stakers", "stakers")


def test_the_exchange_shares_the_world_s_tables(write):
    model = build(load(write(SHORT)))
    x, world = model.exchange, model.world
    for name in ("clock", "tokens", "wallets", "feeds", "market_price"):
        assert getattr(x, name) is getattr(world, name)
    assert len(x.order_start) == len(world.order_start)
    assert len(x.market_series) == len(x.pool_series) == len(world.reward_series)
    assert (x.times[0].records, x.pool_series["lps"][0].sum()) == (1, 20)


def test_accounts_are_nobody_else_s(write):
    model = build(load(write(SHORT + BESIDE)))
    x, world = model.exchange, model.world
    spec = load(write(SHORT + BESIDE)).scenario.exchange
    accounts = lay_out_exchange(load(write(SHORT + BESIDE)).scenario, spec).accounts(spec, len(world.wallets))
    rows = np.concatenate(accounts)
    assert len(set(rows)) == len(rows) == 1 + 2 + 2 * 2 + 2 + 20 + 9 + 2
    assert rows[-1] == len(world.wallets) - 1
    others = [world.oracle_feeders, world.minters, world.lps, world.pools, world.stake_pools]
    assert not set(rows) & set(np.concatenate([table["account"] for table in others]))
    assert (x.perps_accounts["owner"] == x.perps_traders["account"]).all()
    assert set(x.siphons["account"]) == set(accounts.receivers)


def test_lps_delegate_all_and_borrow_down_to_their_ratio(write):
    x = build(load(write(SHORT))).exchange
    core, lps = core_of(x), x.liquidity_lps
    held = x.positions[np.arange(20) * 2 + lps["pool"]]
    assert (held["account"] == lps["account"]).all()
    assert (held["shares"] == lps["start_tokens"]).all()
    assert list(np.bincount(2 * lps["pool"] + lps["collateral_type"])) == [5, 5, 5, 5]
    assert (x.positions["delegated_at"] == np.where(x.positions["shares"] > 0.0, 0.0, -NEVER)).all()
    for lp, position in zip(lps, held, strict=True):
        ratio = vaults.collateral_ratio(vaults.position_value(core, position), vaults.position_debt(core, position))
        assert ratio == pytest.approx(lp.borrow_ratio) if lp.borrow_ratio < NEVER else ratio == NEVER
    borrowed = np.array([vaults.position_debt(core, position) for position in held])
    assert x.wallets[lps["account"], x.system[0].usd_token] == pytest.approx(lps["start_usd"] + borrowed)
    assert [pool_debt(x, p) for p in (0, 1)] == pytest.approx(list(x.pool_memory["last_debt"]))
    assert x.pool_memory["last_debt"].sum() == pytest.approx(borrowed.sum())


def test_the_cautious_do_not_fear_what_they_minted(write):
    x = build(load(write(SHORT), ["exchange.lps.kinds.loyal=0", "exchange.lps.kinds.yield_seeking=0"])).exchange
    borrows = x.liquidity_lps["borrow_ratio"] < NEVER
    assert 0 < borrows.sum() < 20
    assert x.liquidity_lps["fear"][borrows] == pytest.approx(0.25)
    assert x.liquidity_lps["fear"][~borrows] == pytest.approx(0.05)


def test_pools_back_their_markets_and_distributors_are_granted(write):
    x = build(load(write(SHORT))).exchange
    assert x.backings["weight"].tolist() == [[1.0, 1.0], [0.0, 1.0]]
    assert x.backings["shares"][0] == pytest.approx(x.pools[0].value / 2.0)
    assert x.backings["limit"][0] == pytest.approx(1.0 / 1.25 - x.pools[0].debt / x.pools[0].value, rel=0.2)
    assert [tuple(row) for row in x.siphons[["pool", "market", "fee_share"]]] == [(0, 0, 0.05), (0, EVERY, 0.15), (1, EVERY, 0.5)]
    assert x.siphons["account"][1] == x.siphons["account"][2]
    assert x.pool_owners["rebalance_at"].tolist() == [NEVER, 6 * 3600.0]


def test_traders_are_spread_over_markets_with_their_capital_in_dusd(write):
    x = build(load(write(SHORT))).exchange
    traders = x.perps_traders
    assert traders["kind"].tolist() == [TraderKind.NOISE] * 5 + [TraderKind.CARRY] * 3 + [TraderKind.WHALE]
    assert traders["market"].tolist() == [0, 0, 0, 1, 1, 0, 0, 1, 0]
    assert (x.wallets[traders["account"], x.system[0].usd_token] == traders["start_usd"]).all()
    assert traders["start_usd"] == pytest.approx(traders["capital"])
    assert (traders["cooldown"][-1], traders["cooldown"][0]) == (NEVER, 86_400.0)


def test_leverages_are_spread_about_their_median_as_far_as_margins_allow(write):
    """Lognormal with median 10 and sigma 1, cut at 1 and at 1 / 0.02."""
    settings = ["exchange.traders.noise.count=4000", "exchange.traders.noise.leverage=10", "exchange.traders.noise.leverage_sigma=1"]
    drawn = build(load(write(SHORT), settings)).exchange.perps_traders["leverage"][:4000]
    assert (drawn.min(), drawn.max()) == (1.0, 50.0)
    assert np.median(drawn) == pytest.approx(10.0, rel=0.08)
    inside = np.log(drawn[(drawn > 1.0) & (drawn < 50.0)] / 10.0)
    assert (np.abs(inside) < 0.5).sum() / 4000 == pytest.approx(math.erf(0.5 / math.sqrt(2.0)), abs=0.03)


def test_orders_arrive_as_a_poisson_process_within_the_run(write):
    x = build(load(write(SHORT), ["prices.days=10"])).exchange
    rounds = np.repeat(np.arange(len(x.order_start) - 1), np.diff(x.order_start))
    assert len(rounds) == len(x.perps_orders)
    noise = x.perps_orders[x.perps_traders["kind"][x.perps_orders["trader"]] == TraderKind.NOISE]
    assert abs(len(noise) - 5_000) < 4 * np.sqrt(5_000)
    assert noise["side"].mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / len(noise)))
    assert (x.order_start[0], x.order_start[1]) == (0, 0)
    assert (x.perps_orders["usd"] > 0.0).all()


@pytest.mark.parametrize(
    "setting",
    [
        "traders.whale.count=3",
        "traders.noise.leverage=2",
        "traders.noise.leverage_sigma=0.5",
        "lps.fear=0.2",
        "markets.ETH-PERP.taker_fee=0",
    ],
)
def test_parameters_of_others_move_nobody_s_draws(write, setting):
    plain, changed = (build(load(write(SHORT), settings)).exchange for settings in ([], [f"exchange.{setting}"]))
    assert (plain.perps_traders["capital"][:8] == changed.perps_traders["capital"][:8]).all()
    assert (plain.liquidity_lps["start_tokens"] == changed.liquidity_lps["start_tokens"]).all()
    of_plain, of_changed = (x.perps_orders[x.perps_orders["trader"] < 8][["trader", "side", "usd"]] for x in (plain, changed))
    assert (of_plain == of_changed).all()


def test_incentives_share_a_stream_of_pool_collateral_and_token(write):
    x = build(load(write(SHORT))).exchange
    assert x.streams["collateral_type"].tolist() == [EVERY, 1]
    assert x.incentives["stream"].tolist() == [0, 0, 1]
    assert x.streams["token"][1] == x.system[0].usd_token
    funders = x.wallets[x.streams["funder"], x.streams["token"]]
    assert funders.tolist() == [150.0, 10.0]
    assert x.incentives["at"].tolist() == [3_600.0, 32_400.0, 0.0]
    assert x.incentives["duration"].tolist() == [21_600.0, 0.0, 0.0]


def test_an_asset_of_a_tasset_has_one_feed(write):
    loaded = load(write(SHORT + BESIDE))
    model = build(loaded)
    x, world = model.exchange, model.world
    assert own_assets(loaded.scenario) == ("BTC",)
    assert x.perps_markets["feed"][:, 0].tolist() == [0, 2]
    assert x.collateral_sources["feed"].tolist() == [0, -1]
    assert world.feeds["price"].tolist() == [2000.0, 1.0, 50_000.0]
    assert world.feeds["valid_for"][[0, 2]].tolist() == [120.0, 60.0]
    up = world.feed_up
    assert (~up[:, 0]).nonzero()[0].tolist() == list(range(60, 120))
    assert (~up[:, 1]).nonzero()[0].tolist() == list(range(240, 300))
    model.run_for(60)
    assert world.feeds["updated_at"][[0, 2]].tolist() == [59 * 60.0, 3_600.0]


def test_a_delisted_tasset_s_feed_is_not_shared(write):
    text = SHORT + BESIDE + "delistings: [{tasset: tETH, at_hours: 2, replacement: tETH2}]\n"
    x = build(load(write(text))).exchange
    assert own_assets(load(write(text)).scenario) == ("ETH", "BTC")
    assert x.perps_markets["feed"][:, 0].tolist() == [3, 4]


def test_an_outage_without_a_name_is_of_every_feed(write):
    path = write(SHORT + "outages: [{at_hours: 1, hours: 1}]\n")
    up = build(load(path)).world.feed_up
    assert up.shape[1] == 2
    assert (~up).nonzero()[0].tolist() == [step for step in range(60, 120) for _ in range(2)]


def test_an_exchange_alone_and_one_beside_tassets_run_with_books_that_balance(write):
    for text in (SHORT, SHORT + BESIDE, SHORT + "texo: {inflation_per_day: 100}\n"):
        model = build(load(write(text)), with_audit=True).run()
        assert model.rounds_left == 0
        assert (audit.faults(model.world), exchange_audit.faults(model.exchange)) == ([], [])
        assert model.exchange.market_memory["orders"].sum() > 0
        assert model.exchange.incentives["is_paid"].all()


@pytest.mark.parametrize("name", ["perps_squeeze", "lp_run", "trusted_pool", "rewards"])
def test_shipped_exchanges_are_founded_for_other_seeds(name):
    for seed in (1, 2, 3):
        x = build(load(SHIPPED / f"{name}.yaml"), seed=seed).exchange
        assert (x.vaults["collateral"] > 0.0).all()
