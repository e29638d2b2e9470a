"""Scenarios with an RFQ market: what is read, what is refused and in which words, and how the market comes to be."""

import math
import re

import numpy as np
import pytest

from seawall.agents.avmm import CONSTANT, LpKind, Mechanism, RfqTraderKind
from seawall.models import avmm_audit
from seawall.models.world import Sizes
from seawall.protocols import amm, audit
from seawall.protocols.amounts import floor_amount
from seawall.protocols.errors import ScenarioError
from seawall.scenarios.avmm_build import names_of
from seawall.scenarios.avmm_layout import lay_out_avmm
from seawall.scenarios.build import build
from seawall.scenarios.exchange_layout import lay_out_exchange, own_assets
from seawall.scenarios.load import SHIPPED, load

NEVER = math.inf
POOLS = "avmm.mechanism=constant_product"

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
avmm:
  assets:
    USDC: {}
    WETH: {tracks: ETH, rep: eth}
    WBTC: {tracks: BTC}
  lps:
    static: {count: 6}
    undercutting: {count: 3, primaries: {WETH: 2, WBTC: 1}}
    volatility_aware: {count: 2, look_minutes: 30}
    inventory: {count: 1, derived: true, discount: 0.25}
  traders: {count: 4, orders_per_day: 100}
  informed: {count: 2}
"""

TASSETS = """
tassets:
  tETH: {tracks: ETH, pool: {liquidity_usd: 1e4}, price_valid_seconds: 120}
minters: {count: 100}
"""

EXCHANGE = """
exchange:
  collaterals:
    ETHER: {tracks: ETH}
    COIN: {}
  markets:
    BTC-PERP: {tracks: BTC}
  pools:
    main: {}
  lps: {count: 4}
  incentives: [{pool: main, token: GIFT, amount: 1}]
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


def with_assets(text, *assets):
    """A scenario with these assets of the book more."""
    return text.replace("  lps:\n    static", "".join(f"    {asset}\n" for asset in assets) + "  lps:\n    static", 1)


ALL_THREE = with_assets(SHORT + TASSETS + EXCHANGE, "tDOLLAR: {}", "tETH: {}", "ETHER: {}", "COIN: {}")


def an_avmm(path, *settings):
    return build(load(path, settings)).avmm


def tables_of(v):
    """Every table of an RFQ market, the book's included, as bytes."""
    return [table.tobytes() for table in (*(t for t in v if isinstance(t, np.ndarray)), *v.book)]


# --- reading ---


def test_terms_default_to_those_of_the_document(write):
    spec = load(write(SHORT)).scenario.avmm
    assert (spec.max_fee, spec.min_fraction, spec.rep.delay_hours, spec.latency_seconds) == (0.01, 0.1, 48, 0)
    assert (spec.mechanism, spec.lp_count, spec.orders_per_day, spec.tracked()) == ("rfq", 12, 400, ("ETH", "BTC"))
    assert load(write(SHORT)).warnings == ()


TOO_SHORT = "0.0005: the prices last longer than 900 half-lives, past which REP could not be counted"


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("assets.WETH.tracks=DOGE", "--set: avmm.assets.WETH.tracks: 'DOGE' is no asset of prices.assets; known: BTC, ETH"),
        ("assets.tEXO.tracks=ETH", "--set: avmm.assets.tEXO: 'tEXO' is taken; choose another name"),
        ("assets.WETH.rep=gold", "--set: avmm.assets.WETH.rep: 'gold' must be 'stablecoin', 'altcoin', 'eth', 'btc' or 'dxtr'"),
        ("lps.static.primaries.X=1", "--set: avmm.lps.static.primaries.X: 'X' is no asset of avmm.assets; known: USDC, WBTC, WETH"),
        ("lps.undercutting.discount=1", "test.yaml:17: avmm.lps.undercutting: max_discount (0.95) must not be less than discount (1)"),
        ("lps.static.cuont=1", "--set: avmm.lps.static.cuont: is not a key here; did you mean count?"),
        ("auctions.floor_premium=0.5", "--set: avmm.auctions: floor_premium (0.5) must not be more than start_premium (0.005)"),
        ("min_fraction=0.001", "--set: avmm.min_fraction: 0.001 is not in [0.01, 1]"),
        ("traders.orders_per_day=14401", "--set: avmm.traders.orders_per_day: 14401 is not in [0, 14400]"),
        ("rep.half_life_days=5e-4", f"test.yaml: avmm.rep.half_life_days: {TOO_SHORT}"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_line_key_and_value(write, setting, fault):
    assert fault in faults_of(write(SHORT), f"avmm.{setting}")


DELISTED = "delistings: [{tasset: tETH, at_hours: 2, replacement: tETH2}]\n"
UNLISTED = TASSETS.replace("minters", "  tBTC: {tracks: BTC, listed: false, pool: {liquidity_usd: 1e4}}\nminters")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            with_assets(SHORT + TASSETS, "tETH: {tracks: ETH}"),
            "tETH.tracks: tETH is a token of another protocol, which says what it follows",
        ),
        (with_assets(SHORT + EXCHANGE, "ETHER: {tracks: ETH}"), "ETHER.tracks: ETHER is a token of another protocol, which says what"),
        (with_assets(SHORT + EXCHANGE, "GIFT: {}"), "GIFT: 'GIFT' is taken; choose another name"),
        (
            with_assets(SHORT, "tDOLLAR: {tracks: ETH}"),
            "tDOLLAR.tracks: tDOLLAR is a token of another protocol, which says what it follows",
        ),
        (with_assets(SHORT, "dUSD: {}"), "dUSD: 'dUSD' is taken; choose another name"),
        (
            with_assets(SHORT + TASSETS + DELISTED, "tETH: {}"),
            "tETH: tETH is delisted during the run; only what stays can be an asset here",
        ),
        (
            with_assets(SHORT + TASSETS + DELISTED, "tETH2: {}"),
            "tETH2: tETH2 is not listed at the start; only what is can be an asset here",
        ),
        (with_assets(SHORT + UNLISTED, "tBTC: {}"), "tBTC: tBTC is not listed at the start; only what is can be an asset here"),
    ],
)
def test_an_asset_must_be_a_token_that_can_be_held_throughout(write, text, fault):
    found = faults_of(write(text))
    assert any(each.startswith(f"test.yaml:15: avmm.assets.{fault}") for each in found), found


def test_a_market_without_lps_is_refused(write):
    nobody = [f"avmm.lps.{kind}.count=0" for kind in ("static", "undercutting", "volatility_aware", "inventory")]
    assert faults_of(write(SHORT), *nobody) == ["test.yaml:15: avmm.lps: nobody provides liquidity; at least one LP is needed"]


@pytest.mark.parametrize(("group", "line"), [("traders: {count: 4", 20), ("informed: {count: 2", 21)])
def test_traders_with_nothing_to_trade_are_refused(write, group, line):
    found = faults_of(write(SHORT.replace(group, f"{group}, cash_usd: 0, tokens_usd: 0")))
    name, _, count = group.partition(": {count: ")
    assert found == [f"test.yaml:{line}: avmm.{name}.count: {count} have nothing to trade: cash_usd and tokens_usd are 0"]


def test_informed_traders_need_a_price_to_know(write):
    text = SHORT.replace("{tracks: ETH, rep: eth}", "{}").replace("{tracks: BTC}", "{}")
    assert faults_of(write(text)) == ["test.yaml:21: avmm.informed.count: 2 have nothing to know: every asset is always a dollar"]


def test_too_many_orders_are_refused(write):
    settings = ["avmm.traders.count=100000", "avmm.traders.orders_per_day=1440"]
    assert faults_of(write(SHORT), *settings) == ["test.yaml:20: avmm.traders: 72,000,000 orders are more than 20,000,000"]


def test_a_book_that_would_not_fit_is_refused(write):
    text = with_assets(SHORT, *(f"COIN{i}: {{}}" for i in range(13)))
    found = faults_of(write(text), "avmm.lps.static.count=100000")
    assert found == ["test.yaml:28: avmm.lps: 100,006 LPs with 16 assets make 93,605,616 entries in the book, more than 50,000,000"]


def test_a_scenario_needs_one_of_the_three(write):
    text = SHORT.partition("avmm:")[0]
    assert "test.yaml:1: tassets: is missing, and there is neither exchange nor avmm; one of them is needed" in faults_of(write(text))
    idle = faults_of(write(SHORT + "liquidators: {count: 3}\n"))
    assert idle == ["test.yaml:22: liquidators.count: 3 have nothing to do: there is no tASSET"]


def test_prices_that_are_stale_between_publications_are_warned_of(write):
    warned = [str(each) for each in load(write(SHORT), ["avmm.price_valid_seconds=30"]).warnings]
    key = "--set: avmm.price_valid_seconds: 30 is less than"
    assert warned == [f"{key} the feeders' heartbeat: the price is stale between publications", f"{key} a round of 60 s"]
    shared = load(write(SHORT + EXCHANGE.replace("markets:", "markets:\n    ETH-PERP: {tracks: ETH}")), ["avmm.price_valid_seconds=30"])
    assert shared.warnings == ()  # both feeds are the exchange's


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (["lps.static.value_usd.median=1e12"], "test.yaml: avmm.lps: together they own more than 8,589,934,592 USDC"),
        (["traders.count=10000", "traders.cash_usd=1e6"], "test.yaml: avmm.traders: together they own more than 8,589,934,592 USDC"),
        (["informed.count=100", "informed.cash_usd=1e8"], "test.yaml: avmm.informed: together they own more than 8,589,934,592 USDC"),
        (["lps.undercutting.value_usd.median=1e-9"], "test.yaml: avmm.lps.undercutting.value_usd: LP 6 cannot provide 0 WETH: BAD_AMOUNT"),
    ],
)
def test_what_cannot_be_founded_is_refused_in_words(write, settings, fault):
    assert faults_of(write(SHORT), *(f"avmm.{setting}" for setting in settings))[0].startswith(fault)


def test_tassets_that_nobody_minted_cannot_be_held(write):
    text = with_assets(SHORT + TASSETS, "tETH: {}")
    found = faults_of(write(text), "minters.count=3")
    assert found[0].startswith("test.yaml: tassets.tETH.pool.liquidity_usd: its pool and agents are to hold ")
    assert found[0].endswith("more or larger CDPs, or a shallower pool, would do")


# --- rows ---


@pytest.mark.parametrize("text", [SHORT, SHORT + TASSETS, SHORT + EXCHANGE, SHORT + TASSETS + EXCHANGE, ALL_THREE])
@pytest.mark.parametrize("mechanism", ["rfq", "constant_product"])
def test_everybody_has_rows_of_their_own(write, text, mechanism):
    loaded = load(write(text), [f"avmm.mechanism={mechanism}"])
    scenario, spec, model = loaded.scenario, loaded.scenario.avmm, build(loaded)
    world, layout = model.world, lay_out_avmm(scenario, spec)
    accounts = layout.accounts(spec, len(world.wallets))
    rows = np.concatenate(accounts)
    pools = len(spec.names) - 1 if mechanism == "constant_product" else 0
    assert rows.tolist() == list(range(rows[0], rows[0] + 1 + pools + 12 + 4 + 2))
    others = [world.oracle_feeders, world.minters, world.lps, world.pools, world.stake_pools]
    taken = set(np.concatenate([table["account"] for table in others]))
    if scenario.exchange is not None:
        taken |= set(np.concatenate(lay_out_exchange(scenario, scenario.exchange).accounts(scenario.exchange, len(world.wallets))))
    assert not set(rows) & taken
    tokens = [*(asset.token for asset in layout.assets), *layout.share_tokens]
    assert len(set(tokens)) == len(tokens)
    first = Sizes(steps=0, assets=0, tassets=len(scenario.tassets)).tokens
    extra = len(lay_out_exchange(scenario, scenario.exchange).tokens) if scenario.exchange is not None else 0
    assert first + layout.token_count + extra == len(world.tokens)


def test_an_asset_is_the_token_that_its_name_says(write):
    model = build(load(write(ALL_THREE)))
    v, world, x = model.avmm, model.world, model.exchange
    assets = dict(zip(load(write(ALL_THREE)).scenario.avmm.names, v.book.assets, strict=True))
    assert [assets[name].token for name in ("tDOLLAR", "tETH")] == [0, world.tassets[0].token]
    assert [assets[name].token for name in ("ETHER", "COIN")] == x.collateral_types["token"].tolist()
    assert [assets[name].token for name in ("USDC", "WETH", "WBTC")] == [5, 6, 7]
    assert [int(asset.feed) for asset in assets.values()] == [1, 0, 2, 1, 0, 0, 1]  # tETH's feed, a dollar, BTC's
    assert v.avmm_assets["market"].tolist() == [CONSTANT, 0, 1, CONSTANT, 0, 0, CONSTANT]
    assert v.avmm_assets["last_price"].tolist() == [1, 2000, 50_000, 1, 2000, 2000, 1]


def test_feeds_are_shared_with_whoever_has_one(write):
    assert own_assets(load(write(SHORT)).scenario) == ("ETH", "BTC")
    assert own_assets(load(write(SHORT + TASSETS)).scenario) == ("BTC",)
    assert own_assets(load(write(SHORT + EXCHANGE)).scenario) == ("ETH", "BTC")
    valid = [build(load(write(SHORT + text), ["avmm.price_valid_seconds=90"])).world.feeds["valid_for"] for text in ("", TASSETS)]
    assert [each.tolist() for each in valid] == [[0, 90, 90], [120, 0, 90]]


def test_rep_counts_an_asset_by_its_class(write):
    v = an_avmm(write(SHORT))
    assert v.book.assets["maker_multiplier"].tolist() == [2.0, 4.0, 3.0]
    assert v.book.assets["taker_multiplier"].tolist() == [1.0, 3.0, 2.0]


def test_the_market_shares_the_world_s_tables(write):
    model = build(load(write(SHORT)))
    for name in ("clock", "tokens", "wallets", "feeds", "market_price", "tallies"):
        assert getattr(model.avmm, name) is getattr(model.world, name)
    assert len(model.avmm.order_start) == len(model.world.order_start)
    assert model.avmm.series.shape == (len(model.world.reward_series), 3)
    assert (model.avmm.terms[0].records, model.avmm.series[0]["market_price"].tolist()) == (1, [1, 2000, 50_000])


def test_names_stand_in_rows(write):
    assert names_of(load(write(SHORT)).scenario.avmm).assets == ("USDC", "WETH", "WBTC")


@pytest.mark.parametrize(("fraction", "fills"), [(0.1, 10), (0.3, 4), (1.0, 1)])
def test_there_is_room_for_as_many_fills_as_an_order_can_have(write, fraction, fills):
    assert len(an_avmm(write(SHORT), f"avmm.min_fraction={fraction}").fills) == fills


# --- terms ---


def test_terms_are_written_to_the_contract(write):
    rep = ["avmm.rep.half_life_days=2", "avmm.rep.short_loss=0.1", "avmm.rep.review_hours=6", "avmm.rep.per_fill=3"]
    v = an_avmm(write(SHORT), *rep, "avmm.max_fee=0.02", "avmm.latency_seconds=90", "avmm.rep.delay_hours=1")
    book, terms = v.book.terms[0], v.terms[0]
    assert (book.max_fee, book.min_fraction, book.rep_delay, book.rep_half_life) == (0.02, 0.1, 3_600, 172_800)
    assert (book.rep_per_fill, book.short_loss, book.out_of_range_loss) == (3, 0.1, 0)
    assert (terms.latency, terms.review_every, terms.review_at, terms.volatility_seconds) == (2, 21_600, 21_600, 14_400)


def test_nobody_is_reviewed_who_has_nothing_to_lose(write):
    v = an_avmm(write(SHORT))
    assert (v.terms[0].review_at, v.book.terms[0].rep_half_life) == (NEVER, NEVER)


@pytest.mark.parametrize("mechanism", list(Mechanism))
def test_mechanisms_are_named_as_in_the_scenario(write, mechanism):
    v = an_avmm(write(SHORT), f"avmm.mechanism={mechanism.name.lower()}")
    assert v.terms[0].mechanism == mechanism
    assert len(v.pools) == (2 if mechanism == Mechanism.CONSTANT_PRODUCT else 0)


# --- founding ---


def test_lps_put_all_they_have_into_their_positions(write):
    v = an_avmm(write(SHORT))
    lps, positions = v.avmm_lps, v.book.lps
    assert positions["is_open"].all()
    assert (positions["owner"] == lps["account"]).all()
    assert positions["primary"].tolist() == [0, 0, 1, 1, 2, 2, 1, 1, 2, 0, 1, 0]
    assert (v.book.holdings["balance"][np.arange(12), positions["primary"]] == lps["start_tokens"]).all()
    assert not v.wallets[lps["account"]].any()
    assert avmm_audit.faults(v) == []
    assert positions["fee_discount"].tolist() == [0.5] * 11 + [0.25]


def test_lps_put_in_what_they_were_drawn_to_own(write):
    alike = re.sub(r"(count: \d+)", r"\1, value_usd: {median: 50_000}", SHORT, count=4)
    v = an_avmm(write(alike))
    worth = {0: 50_000.0, 1: 25.0, 2: 1.0}
    assert v.avmm_lps["start_tokens"].tolist() == [worth[primary] for primary in v.book.lps["primary"]]
    assert not v.avmm_lps["start_numeraire"].any()


def test_ranges_stand_around_the_first_price(write):
    v = an_avmm(write(SHORT), "avmm.lps.static.width=0.25")
    assert (v.book.ranges[0, 1].low, v.book.ranges[0, 1].high) == (1_600, 2_500)
    assert v.book.ranges["is_active"].all()
    assert v.book.lps["uses_pair_ranges"].tolist() == [False] * 11 + [True]
    pair = v.book.ranges[11, 3]  # USDC and WETH, in WETH per USDC
    assert (pair.low, pair.high) == (pytest.approx(1 / 2_200), pytest.approx(1.1 / 2_000))


def test_money_from_outside_adds_up_exactly(write):
    for text in (SHORT, SHORT + TASSETS, SHORT + EXCHANGE, SHORT + TASSETS + EXCHANGE, ALL_THREE):
        for setting in ("avmm.mechanism=rfq", POOLS, "avmm.mechanism=dutch_auction"):
            model = build(load(write(text), [setting]))
            assert audit.faults(model.world) == avmm_audit.faults(model.avmm) == []


def test_nobody_is_given_more_or_less_than_drawn(write):
    v = an_avmm(write(SHORT))
    lps, primary = v.avmm_lps["start_tokens"], v.book.lps["primary"]
    in_lps = np.bincount(primary, weights=lps)
    to_traders = np.array([4 * 50_000 + 2 * 500_000, 4 * 10 + 2 * 100, 4 * floor_amount(0.4) + 2 * 4])
    assert (v.tokens["supply"][v.book.assets["token"]] == in_lps + to_traders).all()
    assert v.tokens["supply"].sum() == v.wallets.sum()


def test_traders_have_what_the_scenario_says(write):
    v = an_avmm(write(ALL_THREE), "avmm.traders.tokens_usd=1000", "avmm.informed.tokens_usd=500")
    tokens, prices = v.book.assets["token"], v.feeds["price"][v.book.assets["feed"]]
    worth = v.wallets[v.avmm_traders["account"]][:, tokens] * prices
    assert worth[:4] == pytest.approx(np.tile([50_000.0] + [1_000.0] * 6, (4, 1)), rel=1e-4)
    assert worth[4:] == pytest.approx(np.tile([500_000.0] + [500.0] * 6, (2, 1)), rel=1e-4)


def test_tassets_come_from_those_who_minted_them(write):
    text = SHORT.replace("inventory: {", "inventory: {primaries: {tETH: 1}, value_usd: {median: 50_000}, ")
    model = build(load(write(with_assets(text + TASSETS, "tETH: {}"))))
    v, world = model.avmm, model.world
    assert v.book.lps[11].primary == 3
    assert v.book.holdings[11, 3].balance == pytest.approx(25.0, rel=1e-6)
    assert world.tokens["supply"][1] == world.tassets[0].debt == world.wallets[:, 1].sum()
    assert world.cdps["debt"].sum() == world.tassets[0].debt


def test_pools_are_filled_half_and_half_at_the_first_price(write):
    v = an_avmm(write(SHORT), POOLS, "avmm.pool_commission=0.002")
    lps = v.avmm_lps
    assert v.book.lps["primary"].tolist() == [1, 2, 1, 1, 2, 2, 1, 1, 2, 1, 1, 2]  # those with USDC alone take turns
    assert [amm.price(pool, v.wallets) for pool in v.pools] == pytest.approx([2_000, 50_000], rel=1e-5)
    assert lps["start_tokens"] * np.array([1, 2_000, 50_000])[v.book.lps["primary"]] == pytest.approx(lps["start_numeraire"], rel=1e-5)
    assert v.wallets[v.pools["account"], 3].sum() == pytest.approx(lps["start_numeraire"].sum())
    shares = v.wallets[lps["account"]][:, v.pools["share_token"]]
    assert ((shares > 0.0).argmax(axis=1) == v.book.lps["primary"] - 1).all()
    assert v.avmm_assets["pool"].tolist() == [-1, 0, 1]
    assert v.pools["commission"].tolist() == [0.002, 0.002]
    assert not v.book.holdings["balance"].any()


def test_solvers_keep_their_tokens_in_their_wallets(write):
    v = an_avmm(write(SHORT), "avmm.mechanism=sealed_bid")
    lps, positions = v.avmm_lps, v.book.lps
    assert (v.wallets[lps["account"], v.book.assets["token"][positions["primary"]]] == lps["start_tokens"]).all()
    assert positions["is_open"].all()
    assert not v.book.holdings["balance"].any()


# --- draws ---


@pytest.mark.parametrize("mechanism", ["constant_product", "dutch_auction", "sealed_bid"])
def test_every_mechanism_meets_the_same_lps_and_orders(write, mechanism):
    one, other = an_avmm(write(SHORT)), an_avmm(write(SHORT), f"avmm.mechanism={mechanism}")
    assert (one.avmm_orders == other.avmm_orders).all()
    assert (one.avmm_lps["look_at"] == other.avmm_lps["look_at"]).all()
    worth = [
        v.avmm_lps["start_tokens"] * v.avmm_assets["last_price"][v.book.lps["primary"]] + v.avmm_lps["start_numeraire"]
        for v in (one, other)
    ]
    assert worth[0] == pytest.approx(worth[1], rel=1e-4)


def test_a_scenario_and_a_seed_make_one_market(write):
    assert tables_of(an_avmm(write(ALL_THREE))) == tables_of(an_avmm(write(ALL_THREE)))
    assert tables_of(an_avmm(write(SHORT))) != tables_of(an_avmm(write(SHORT), "seed=2"))


@pytest.mark.parametrize("setting", ["lps.undercutting.count=5", "lps.static.discount=0.1", "max_fee=0.02", "informed.count=1"])
def test_parameters_of_others_move_nobody_s_draws(write, setting):
    plain, changed = an_avmm(write(SHORT)), an_avmm(write(SHORT), f"avmm.{setting}")
    for kind in (LpKind.STATIC, LpKind.VOLATILITY_AWARE, LpKind.INVENTORY):
        one, other = (v.avmm_lps[v.avmm_lps["kind"] == kind] for v in (plain, changed))
        assert (one["start_tokens"] == other["start_tokens"]).all()
        assert (one["look_at"] == other["look_at"]).all()
    assert (plain.avmm_orders == changed.avmm_orders).all()


def test_an_rfq_market_moves_nobody_else_s_draws(write):
    alone = build(load(write(SHORT.partition("avmm:")[0] + TASSETS + EXCHANGE + "traders: {count: 5}\n")))
    beside = build(load(write(SHORT + TASSETS + EXCHANGE + "traders: {count: 5}\n")))
    assert (alone.world.orders == beside.world.orders).all()
    assert (alone.world.minters["target_ratio"] == beside.world.minters["target_ratio"]).all()
    assert (alone.exchange.liquidity_lps["start_tokens"] == beside.exchange.liquidity_lps["start_tokens"]).all()


def test_orders_arrive_as_a_poisson_process_for_any_asset(write):
    v = an_avmm(write(SHORT), "prices.days=10", "avmm.traders.buy_share=0.25")
    rounds = np.repeat(np.arange(len(v.order_start) - 1), np.diff(v.order_start))
    assert len(rounds) == len(v.avmm_orders) == pytest.approx(4_000, abs=4 * math.sqrt(4_000))
    assert (v.order_start[0], v.order_start[1]) == (0, 0)
    assert v.avmm_orders["sells"].mean() == pytest.approx(0.75, abs=4 * math.sqrt(0.1875 / 4_000))
    assert np.bincount(v.avmm_orders["asset"])[1:] == pytest.approx([2_000, 2_000], abs=4 * math.sqrt(1_000) + 40)
    assert set(v.avmm_orders["trader"]) == {0, 1, 2, 3}
    assert len(v.quotes) == len(v.avmm_orders) + 6


def test_kinds_do_what_they_are_named_for_and_the_rest_never(write):
    lps = an_avmm(write(SHORT)).avmm_lps
    assert lps["kind"].tolist() == [LpKind.STATIC] * 6 + [LpKind.UNDERCUTTING] * 3 + [LpKind.VOLATILITY_AWARE] * 2 + [LpKind.INVENTORY]
    static, undercutting, volatility_aware, inventory = lps[0], lps[6], lps[9], lps[11]
    assert (static.look_every, static.look_at) == (NEVER, NEVER)
    assert (undercutting.max_discount, undercutting.discount_step, static.max_discount) == (0.95, 0.01, 0.5)
    assert (volatility_aware.exit_volatility, volatility_aware.width_per_volatility, static.exit_volatility) == (1.5, 3.0, NEVER)
    assert (inventory.band, volatility_aware.band) == (0.5, NEVER)
    assert (lps["accepts"] == 0b111).all()
    looks = lps["look_at"][9:11]
    assert ((looks > 0.0) & (looks < 1_800.0)).all()
    assert looks[0] != looks[1]


def test_traders_stand_before_the_informed(write):
    traders = an_avmm(write(SHORT)).avmm_traders
    assert traders["kind"].tolist() == [RfqTraderKind.NOISE] * 4 + [RfqTraderKind.INFORMED] * 2
    assert traders["max_cost"].tolist() == [0.05] * 4 + [1.0] * 2
    assert traders["min_edge"].tolist() == [NEVER] * 4 + [0.0005] * 2
    assert traders["order_usd"].tolist() == [0.0] * 4 + [20_000.0] * 2


# --- running ---


def test_an_outage_of_an_asset_that_only_the_book_follows_silences_its_feed(write):
    model = build(load(write(SHORT + TASSETS + "outages: [{asset: BTC, at_hours: 4, hours: 1}]\n")))
    assert model.world.feed_up.shape[1] == 2
    assert (~model.world.feed_up[:, 1]).nonzero()[0].tolist() == list(range(240, 300))
    model.run_for(270)
    assert model.world.feeds["updated_at"][2] == 239 * 60.0


@pytest.mark.parametrize("text", [SHORT, SHORT + TASSETS, SHORT + EXCHANGE, ALL_THREE])
@pytest.mark.parametrize("setting", ["avmm.mechanism=rfq", POOLS, "avmm.latency_seconds=120"])
def test_any_subset_of_protocols_runs_with_books_that_balance(write, text, setting):
    model = build(load(write(text), [setting, "prices.days=0.25"])).run()
    assert model.rounds_left == 0
    assert audit.faults(model.world) == avmm_audit.faults(model.avmm) == []
    assert model.avmm.flows[RfqTraderKind.NOISE].filled > 0


def test_the_shipped_day_has_four_kinds_of_lps_and_stale_quotes():
    spec = load(SHIPPED / "rfq_day.yaml").scenario.avmm
    assert all(terms.count for terms in spec.lps.by_kind())
    assert (spec.lp_count, spec.orders_per_day, spec.latency_seconds, spec.informed.count) == (40, 2_000, 60, 3)
    assert load(SHIPPED / "rfq_day.yaml").warnings == ()
