"""Who gained each dollar over all protocols: gains of all groups sum to what came out of nothing, to a millionth of a dollar."""

import functools

import numpy as np
import pytest
from avmm_markets import ETH, PRICES, TAAPL, an_avmm
from markets import FLOOD, STORM, SURGE
from worlds import a_cdp, a_market

from seawall.agents.avmm import Avmm, LpKind, Mechanism
from seawall.models import avmm_measures, avmm_step, exchange_measures, measures
from seawall.models import market_waterfall as waterfalls
from seawall.models.market_waterfall import Group
from seawall.models.world import Sizes, empty_world
from seawall.protocols import amm, ledger
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, TDOLLAR, World
from seawall.scenarios.build import build
from seawall.scenarios.load import load

# A doubled price that stays, and liquidators with tokens enough to buy all collateral: tokens are left that nobody owes.
COLLAPSE = (
    "shocks[0].change=1.0",
    "shocks[0].ramp_hours=0.01",
    "shocks[0].recovery_hours=12",
    "liquidators.tokens_usd=40_000",
    "minters.collateral_usd.median=16_000",
)
GALE = STORM.with_name("gale.yaml")  # all three protocols at once
SCENARIOS = {"storm": (STORM,), "flood": (FLOOD,), "collapse": (FLOOD, *COLLAPSE)}


def values(world, v=None, x=None, *, start):
    return {name: figure.value for name, figure in waterfalls.waterfall(world, v, x, start).items()}


def members(world: World) -> dict[Group, int]:
    counts = np.bincount(waterfalls.groups_of(world, None, None), minlength=len(Group))
    return {group: int(counts[group]) for group in Group if counts[group] > 0}


class Played:
    """A scenario, played: what was held at the start, what nobody gained at each of many times, and the end."""

    def __init__(self, file, *settings):
        self.model = build(load(file, settings))
        self.world = self.model.world
        markets = self.model.avmm, self.model.exchange
        self.start = waterfalls.holdings(self.world, *markets)
        self.gaps = []
        while self.model.running:
            self.model.run_for(40)
            self.gaps.append(values(self.world, *markets, start=self.start)["waterfall_gap_usd"])
        self.end = values(self.world, *markets, start=self.start)


@functools.cache
def play(name: str) -> Played:
    return Played(*SCENARIOS[name])


@pytest.fixture(params=SCENARIOS)
def played(request):
    return play(request.param)


def test_gains_sum_to_what_came_out_of_nothing(played):
    assert played.gaps == pytest.approx([0.0] * len(played.gaps), abs=2e-6)


def test_gains_sum_to_what_came_out_of_nothing_beside_an_rfq_market_and_an_exchange():
    model = Played(GALE)
    assert model.gaps == pytest.approx([0.0] * len(model.gaps), abs=2e-6)
    assert model.end["gain_rfq_lps_usd"] != 0.0 != model.end["gain_exchange_lps_usd"]


def test_of_each_token_the_groups_hold_the_supply_less_what_is_owed(played):
    world, held = played.world, waterfalls.holdings(played.world, None, None).sum(axis=0)
    expected = world.tokens["supply"].copy()
    expected[world.tassets["token"]] -= world.tassets["debt"]
    expected[world.pools["share_token"]] = 0.0
    assert held == pytest.approx(expected, abs=1e-6)


def test_owners_and_liquidators_gain_what_other_figures_say(played):
    """The same, reckoned from other records: owners' wealth, and liquidators' profit before the cost of their purchases."""
    world = played.world
    first = np.unique(world.minters["account"], return_index=True)[1]
    owned = measures.owners_wealth(world)[first].sum()
    prices = waterfalls.every_price(world, None, None)
    assert played.end["gain_cdp_owners_usd"] == pytest.approx(owned - played.start[Group.CDP_OWNERS] @ prices)
    bought = float((world.liquidators["purchases"] * world.liquidators["cost_usd"]).sum())
    dearer = played.start[Group.LIQUIDATORS] @ prices - world.liquidators["start_usd"].sum()
    assert played.end["gain_liquidators_usd"] == pytest.approx(measures.liquidators_profit(world) + bought - dearer)


def test_lps_gain_what_their_own_figure_says(played):
    """Their own figure starts after the pools are filled, and counts no locked part: cents apart."""
    prices = waterfalls.every_price(played.world, None, None)
    lps = played.world.lps
    unspent = played.start[Group.POOL_LPS] @ prices - measures.lp_gain(played.world)[1]
    assert played.end["gain_pool_lps_usd"] + unspent == pytest.approx(measures.lp_gain(played.world)[0], abs=len(lps))


def test_tokens_that_nobody_owes_are_a_gain_that_nobody_paid():
    world, end = play("collapse").world, play("collapse").end
    assert world.tassets["is_delisted"].any()
    assert end["unbacked_tokens_usd"] == pytest.approx(measures.waterfall(world)["holders_loss_usd"].value)
    assert end["unbacked_tokens_usd"] > 1_000.0
    assert end["emitted_usd"] > 100.0
    gains = sum(value for name, value in end.items() if name.startswith("gain_"))
    assert gains == pytest.approx(end["unbacked_tokens_usd"] + end["emitted_usd"])


def test_a_token_from_nowhere_shows_in_the_gap():
    world = a_market()
    start = waterfalls.holdings(world, None, None)
    ledger.mint(world.wallets, world.tokens, TDOLLAR, int(world.traders[0].account), 3.0)
    found = values(world, start=start)
    assert (found["gain_swap_traders_usd"], found["waterfall_gap_usd"]) == (3.0, 3.0)


def test_holdings_of_owners_are_collateral_less_debt():
    """60 tDOLLAR locked for 0.25 tokens, which were sold to a trader, at 100 USD; then the price doubles."""
    world = a_market(cash=1_000.0, minters=1)
    start = waterfalls.holdings(world, None, None)
    ledger.transfer(world.wallets, TDOLLAR, int(world.traders[0].account), int(world.minters[0].account), 25.0)
    a_cdp(world, 0, 60.0, 0.25)
    token, owner = int(world.tassets[0].token), int(world.minters[0].account)
    ledger.burn(world.wallets, world.tokens, TDOLLAR, owner, 60.0)  # the test's CDP was funded from outside
    ledger.transfer(world.wallets, token, owner, int(world.traders[0].account), 0.25)
    held = waterfalls.holdings(world, None, None)
    assert list(held[Group.CDP_OWNERS][[TDOLLAR, token]]) == [1_025.0, -0.25]
    world.market_price[:] = 200.0
    found = values(world, start=start)
    assert (found["gain_cdp_owners_usd"], found["gain_swap_traders_usd"]) == (-25.0, 25.0)


def test_lp_tokens_are_their_part_of_the_reserves():
    """An LP that puts all into a pool gains nothing; then 10 tDOLLAR of commission fall to it."""
    world = a_market(cash=1_000.0)
    a_cdp(world, 0, 10_000.0, 10.0)
    lp, pool, token = int(world.lps[0].account), world.pools[0], int(world.tassets[0].token)
    ledger.transfer(world.wallets, token, int(world.cdps[0].owner), lp, 10.0)
    start = waterfalls.holdings(world, None, None)
    assert amm.provide(pool, world.tokens, world.wallets, lp, 1_000.0, 10.0, 1.0)[0] == Status.OK
    assert values(world, start=start)["gain_pool_lps_usd"] == pytest.approx(0.0, abs=0.05)
    ledger.transfer(world.wallets, TDOLLAR, int(world.traders[0].account), int(pool.account), 10.0)
    found = values(world, start=start)
    assert found["gain_pool_lps_usd"] == pytest.approx(10.0, abs=0.05)
    assert found["waterfall_gap_usd"] == pytest.approx(0.0, abs=1e-6)


def test_fees_belong_to_the_protocol():
    world = a_market()
    start = waterfalls.holdings(world, None, None)
    ledger.transfer(world.wallets, TDOLLAR, int(world.minters[0].account), COLLECTOR_ACCOUNT, 7.0)
    found = values(world, start=start)
    assert (found["gain_protocol_usd"], found["gain_cdp_owners_usd"]) == (7.0, -7.0)


def test_a_group_without_members_is_left_out():
    assert "gain_arbitrageurs_usd" not in values(a_market(arbitrageurs=0), start=np.zeros((len(Group), 5)))


def test_every_account_belongs_to_one_group():
    world = a_market(minters=3, liquidators=2, traders=4, arbitrageurs=5, lps=6)
    found = members(world)
    assert found[Group.CDP_OWNERS] == 3
    assert found[Group.LIQUIDATORS] == 2
    assert found[Group.SWAP_TRADERS] == 4
    assert found[Group.ARBITRAGEURS] == 5
    assert found[Group.POOL_LPS] == 6
    assert sum(found.values()) == len(world.wallets)


# --- beside other markets ---


def beside(v: Avmm) -> tuple[World, Avmm]:
    """An RFQ market with accounts and tokens behind those of a market without tASSETs."""
    accounts, tokens = v.wallets.shape
    world = empty_world(Sizes(steps=60, tassets=0, assets=2, extra_accounts=accounts, extra_tokens=tokens))
    first_account, first_token = len(world.wallets) - accounts, len(world.tokens) - tokens
    world.wallets[first_account:, first_token:], world.tokens[first_token:] = v.wallets, v.tokens
    for table, column in ((v.book.terms, "account"), (v.book.lps, "owner"), (v.pools, "account")):
        table[column] += first_account
    for table in (v.avmm_lps, v.avmm_traders):
        table["account"] += first_account
    for table, column in ((v.book.assets, "token"), (v.pools, "base_token"), (v.pools, "asset_token"), (v.pools, "share_token")):
        table[column] += first_token
    return world, v._replace(wallets=world.wallets, tokens=world.tokens)


@pytest.mark.parametrize("mechanism", Mechanism)
def test_the_rfq_market_s_gains_sum_to_nothing(mechanism):
    """Two orders at the oracle's prices, which are 3 % behind the market's."""
    orders = [(1, 0, ETH, False, 20_000.0), (1, 0, TAAPL, True, 5_000.0)]
    world, v = beside(an_avmm(mechanism=mechanism, orders=orders, lps=(LpKind.STATIC,) * 4))
    start = waterfalls.holdings(world, v, None)
    v.clock["step"], v.market_price[1:] = 1, (1.03 * PRICES[ETH], 1.03 * PRICES[TAAPL])
    avmm_step.play(v, np.zeros(8, np.int64))
    found = values(world, v, start=start)
    assert found["waterfall_gap_usd"] == pytest.approx(0.0, abs=2e-6)
    assert found["gain_rfq_lps_usd"] == pytest.approx(avmm_measures.measure(v)["avmm"]["avmm_lp_gain_usd"].value, abs=0.5)
    assert abs(found["gain_rfq_traders_usd"]) > 1.0
    gains = [found[f"gain_{group}_usd"] for group in ("rfq_lps", "rfq_traders", "informed_traders", "protocol")]
    assert sum(gains) == pytest.approx(0.0, abs=2e-6)


def test_an_exchange_s_groups_gain_what_its_own_waterfall_says():
    model = build(load(SURGE))
    start = waterfalls.holdings(model.world, None, model.exchange)
    model.run()
    found = values(model.world, None, model.exchange, start=start)
    own = exchange_measures.measure(model.exchange, model.world)["exchange_waterfall"]
    assert found["gain_perps_traders_usd"] == own["perps_traders_gain_usd"].value != 0.0
    assert found["gain_siphon_receivers_usd"] == own["siphon_receivers_gain_usd"].value > 0.0
    assert (found["gain_protocol_usd"], found["waterfall_gap_usd"]) == (0.0, 0.0)


def test_the_start_is_what_was_noted():
    world = a_market()
    waterfalls.note_start(world, None, None)
    ledger.transfer(world.wallets, TDOLLAR, int(world.minters[0].account), int(world.traders[0].account), 2.0)
    assert waterfalls.waterfall(world, None, None)["gain_swap_traders_usd"].value == 2.0
