"""Who stands in which row, what is drawn for them, and scenario files about listings, polls, strategies and tEXO."""

from collections import Counter

import numpy as np
import pytest
from markets import FLOOD

from seawall.agents.strategies import Reaction, Strategy
from seawall.models import frames
from seawall.protocols.amounts import floor_amount
from seawall.protocols.errors import ScenarioError
from seawall.protocols.poll_terms import Choice, PollKind
from seawall.protocols.tables import TDOLLAR
from seawall.scenarios import community, inputs
from seawall.scenarios.build import build
from seawall.scenarios.layout import by_weight, lay_out, pairs, spread
from seawall.scenarios.load import load
from seawall.scenarios.streams import Purpose, stream

FIVE = """\
name: Test
about: One line.
seed: 1
prices: {model: constant, days: 0.5, assets: {A: {start_usd: 100}, B: {start_usd: 10}, C: {start_usd: 30}}}
tassets:
  tA: {tracks: A, pool: {liquidity_usd: 1000}}
  tB: {tracks: B, pool: {liquidity_usd: 1000}}
  tC: {tracks: C, pool: {liquidity_usd: 1000}}
minters: {count: 60}
texo: {}
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text, name="test.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return to_file


def faults_of(path, *settings):
    with pytest.raises(ScenarioError) as caught:
        load(path, settings)
    return [str(fault).removeprefix(str(path.parent) + "/") for fault in caught.value.faults]


def flood(*settings):
    return load(FLOOD, settings).scenario


def layout_of(scenario, seed=23, path=0):
    return lay_out(scenario, seed, path)


def full_world(*settings):
    return build(load(FLOOD, settings)).world


# --- kinds and shares ---


def counts(scenario):
    """Owners of the start by what they mint and what they lock."""
    layout, names = layout_of(scenario), scenario.tasset_names
    known = pairs(scenario, layout.collaterals)
    kinds = layout.kinds[layout.predecessor < 0]
    return Counter((names[known[kind][0]], "tDOLLAR" if known[kind][1] < 0 else names[known[kind][1]]) for kind in kinds)


def test_owners_are_spread_evenly_over_tassets_and_lock_tdollar(write):
    assert counts(load(write(FIVE)).scenario) == {("tA", "tDOLLAR"): 20, ("tB", "tDOLLAR"): 20, ("tC", "tDOLLAR"): 20}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            ["minters.collateral.tDOLLAR=3", "minters.collateral.tA=1"],  # nobody locks what it mints
            {("tA", "tDOLLAR"): 20, ("tB", "tDOLLAR"): 15, ("tB", "tA"): 5, ("tC", "tDOLLAR"): 15, ("tC", "tA"): 5},
        ),
        (
            ["minters.collateral.tA=1"],  # without tDOLLAR only those who mint tA itself lock it
            {("tA", "tDOLLAR"): 20, ("tB", "tA"): 20, ("tC", "tA"): 20},
        ),
        (
            ["minters.collateral.tA=1", "minters.collateral.tB=1"],
            {("tA", "tB"): 20, ("tB", "tA"): 20, ("tC", "tA"): 10, ("tC", "tB"): 10},
        ),
        (
            ["minters.shares.tA=1", "minters.shares.tC=3", "minters.collateral.tDOLLAR=2", "minters.collateral.tA=1"],
            {("tA", "tDOLLAR"): 15, ("tC", "tDOLLAR"): 30, ("tC", "tA"): 15},
        ),
    ],
)
def test_shares_and_collateral_weights_divide_the_owners(write, settings, expected):
    assert counts(load(write(FIVE), settings).scenario) == expected


def test_kinds_stand_together():
    world = full_world("minters.count=300", "minters.collateral.tB=1")
    kinds = world.cdps["kind"]
    assert (np.diff(kinds) >= 0).all()
    assert [kinds[row.first : row.end].tolist() for row in world.cdp_kinds] == [
        [k] * int(row.end - row.first) for k, row in enumerate(world.cdp_kinds)
    ]
    assert world.cdp_kinds["end"][-1] == len(kinds)
    assert list(world.cdps["tasset"]) == list(world.cdp_kinds["tasset"][kinds])


@pytest.mark.parametrize(
    ("count", "weights", "sizes"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (10, [1, 0, 3], [3, 0, 7]),  # 2.5 and 7.5: the first of equal remainders
        (7, [2, 1, 1], [3, 2, 2]),
        (0, [1, 2], [0, 0]),
        (1, [1, 5], [0, 1]),
    ],
)
def test_rows_are_spread_by_largest_remainders(count, weights, sizes):
    groups = spread(count, np.array(weights, float))
    assert list(np.bincount(groups, minlength=len(weights))) == sizes
    assert list(groups) == sorted(groups)


# --- replacements and successors ---


def test_replacements_have_rows_and_no_owners_at_the_start():
    scenario = flood()
    layout = layout_of(scenario)
    assert layout.names == scenario.tasset_names == ("tA", "tB", "tC", "tA2")
    assert set(layout.collaterals) == {(1, 0), (2, 0)}  # nothing else is minted against tA, and nothing against tA2
    assert all(minted != "tA2" for minted, _ in counts(scenario))
    world = full_world()
    assert world.feeds["feeder"][3] == -1
    assert not world.cdps["is_open"][world.cdps["tasset"] == 3].any()
    assert world.feeds["price"][3] == 0.0


def test_those_who_move_have_a_successor_of_the_same_account():
    scenario = flood()
    layout, world = layout_of(scenario), full_world()
    known = pairs(scenario, layout.collaterals)
    start = len(layout.kinds) - (layout.predecessor >= 0).sum()
    owe_old = np.array([known[kind][0] == 0 for kind in layout.kinds[:start]])
    movers = np.flatnonzero(owe_old & (layout.reactions[:start] == Reaction.MOVE))
    assert len(movers) > 5
    assert list(layout.predecessor[start:]) == list(movers)
    assert set(layout.kinds[start:]) == {known.index((3, -1))}
    accounts, rows = world.minters["account"], np.arange(start, len(layout.kinds))
    assert list(accounts[rows]) == list(accounts[movers])
    assert list(world.cdps["owner"]) == list(accounts)
    assert len(set(accounts[:start])) == start
    for column in ("target_ratio", "alert_ratio", "reaction", "reaction_to_delisting", "delisting", "response"):
        assert list(world.minters[column][rows]) == list(world.minters[column][movers]), column
    assert np.isinf(world.minters["opens_at"][rows]).all()


def test_nobody_moves_without_a_delisting(write):
    layout = layout_of(load(write(FIVE), ["reactions.sit=0", "reactions.recover=0"]).scenario)
    assert set(layout.reactions) == {Reaction.MOVE}
    assert list(layout.predecessor) == [-1] * 60


def test_a_successor_is_counted_once_among_the_owners():
    owners = frames.owners(full_world())
    assert owners["owners"].sum() == 120
    assert owners["gain_usd"].abs().max() == 0.0
    expected = Counter(layout_of(flood()).strategies[:120].tolist())
    assert dict(zip(owners["strategy"], owners["owners"], strict=True)) == {Strategy(k).name.lower(): n for k, n in expected.items()}


# --- strategies and reactions ---


def test_strategies_are_drawn_by_weight(write):
    weights = [f"minters.strategies.{name}={weight}" for name, weight in (("hold", 1), ("leverage", 1), ("short", 2), ("provide", 0))]
    layout = layout_of(load(write(FIVE), ["minters.count=4000", *weights]).scenario)
    drawn = np.bincount(layout.strategies, minlength=4) / 4000
    assert drawn == pytest.approx([0.25, 0.25, 0.5, 0.0], abs=0.03)


def test_who_locks_a_tasset_holds_instead_of_levering(write):
    settings = ["minters.strategies.hold=0", "minters.strategies.leverage=1", "minters.collateral.tDOLLAR=1", "minters.collateral.tA=1"]
    scenario = load(write(FIVE), settings).scenario
    layout = layout_of(scenario)
    locks = np.array([locked >= 0 for _, locked in pairs(scenario, layout.collaterals)])[layout.kinds]
    assert locks.any()
    assert list(layout.strategies) == list(np.where(locks, Strategy.HOLD, Strategy.LEVERAGE))


def test_every_other_owner_of_what_is_listed_later_provides():
    scenario = flood("minters.strategies.short=0", "minters.strategies.provide=0")
    layout = layout_of(scenario)
    known = pairs(scenario, layout.collaterals)
    minted = np.array([known[kind][0] for kind in layout.kinds])
    assert set(layout.strategies[minted <= 1]) == {Strategy.HOLD}
    for late in (2, 3):
        of_late = layout.strategies[minted == late]
        assert list(of_late) == [(Strategy.PROVIDE, Strategy.HOLD)[i % 2] for i in range(len(of_late))]


@pytest.mark.parametrize("count", [3, 12])
def test_each_tasset_listed_later_has_a_provider_among_its_owners(write, count):
    """Its pool has liquidity from nobody else."""
    polls = "polls: [{at_hours: 1, tasset: tB, change: whitelist}, {at_hours: 1, tasset: tC, change: whitelist}]\n"
    settings = [f"minters.count={count}", "tassets.tB.listed=false", "tassets.tC.listed=false", "minters.strategies.short=1"]
    scenario = load(write(FIVE + polls), settings).scenario
    for seed in range(20):
        layout = layout_of(scenario, seed)
        for kind in (1, 2):
            found = set(layout.strategies[layout.kinds == kind])
            assert Strategy.PROVIDE in found or found == {Strategy.SHORT}, (seed, kind)


def test_reactions_are_drawn_by_weight():
    scenario = flood("traders.count=4000", "reactions.sit=1", "reactions.recover=3", "reactions.move=0")
    layout = layout_of(scenario)
    assert np.bincount(layout.trader_reactions, minlength=3) / 4000 == pytest.approx([0.25, 0.75, 0.0], abs=0.03)
    assert np.median(layout.trader_hours) == pytest.approx(0.5, rel=0.1)
    assert (layout.predecessor == -1).all()


def test_the_provider_of_texo_stays():
    layout, world = layout_of(flood()), full_world()
    assert list(layout.lp_pools) == [0] * 6 + [1] * 6 + [2] * 6 + [4]
    assert (layout.lp_reactions[-1], bool(layout.lp_stakes[-1])) == (Reaction.SIT, False)
    treasury = world.lps[-1]
    assert (treasury.exit_premium, treasury.exit_stale, treasury.moves_at, treasury.stake) == (np.inf, np.inf, np.inf, -1)


@pytest.mark.parametrize(("draw", "expected"), [(0.0, 1), (0.49, 1), (0.5, 2), (0.99, 2)])
def test_a_weight_of_zero_is_never_drawn(draw, expected):
    class Fixed:
        def random(self, count):
            return np.full(count, draw)

    assert list(by_weight([0.0, 1.0, 1.0, 0.0], Fixed(), 2)) == [expected] * 2


# --- draws do not depend on parameters ---

OTHERS = (
    "minters.strategies.entry_premium=0.2",
    "minters.strategies.loops=7",
    "minters.buffer.median=0.5",
    "reactions.hours.median=3",
    "polls[1].support=0.1",
    "polls[1].abstain=0.2",
    "texo.stake_usd.median=9000",
    "texo.harvest_days=0.1",
    "governance.voting_days=0.12",
    "delistings[0].split=2",
    "minters.holding_days=1.2",
)


def test_parameters_move_nobodys_draws():
    left, right = full_world(), full_world(*OTHERS)
    assert list(left.minters["strategy"]) == list(right.minters["strategy"])
    assert list(left.minters["delisting"]) == list(right.minters["delisting"])
    assert list(left.stakers["use"]) == list(right.stakers["use"])
    np.testing.assert_allclose(right.minters["reaction_to_delisting"], 6 * left.minters["reaction_to_delisting"])
    np.testing.assert_allclose(right.traders["reaction"], 6 * left.traders["reaction"])
    np.testing.assert_allclose(right.stakers["harvest_at"], 2 * left.stakers["harvest_at"])
    np.testing.assert_allclose(right.stakers["start_texo"], 4.5 * left.stakers["start_texo"], rtol=1e-5)
    np.testing.assert_allclose(right.intentions["after"], left.intentions["after"] * (10_368 - 120) / (5_184 - 120))
    np.testing.assert_allclose(left.minters["opens_at"], right.minters["opens_at"])
    voters, others = left.intentions["choice"] >= 0, right.intentions["choice"] >= 0
    assert list(voters) == list(others)
    kept = np.arange(len(voters)) // len(left.stakers) != 1  # the second poll's support is another
    assert list(left.intentions["choice"][kept]) == list(right.intentions["choice"][kept])


def test_weights_of_strategies_turn_one_owner_at_a_time():
    """More providers: nobody who provided before does something else now."""
    listed = full_world().cdps["tasset"] < 2
    left = layout_of(flood()).strategies[listed]
    right = layout_of(flood("minters.strategies.provide=8")).strategies[listed]
    assert ((left != Strategy.PROVIDE) | (right == Strategy.PROVIDE)).all()
    assert (right == Strategy.PROVIDE).sum() > (left == Strategy.PROVIDE).sum()


def test_the_share_of_lps_who_stake_moves_nobodys_habits():
    """Who stakes in both markets claims at the same hours, and whether somebody sells is drawn whether it stakes or not."""
    left, right = full_world("texo.lp_staked_share=0.4").lps, full_world("texo.lp_staked_share=0.9").lps
    both = (left["stake"] >= 0) & (right["stake"] >= 0)
    assert both.sum() >= 3
    assert (right["stake"] >= 0).sum() > both.sum() - 1
    assert list(left["harvest_at"][both]) == list(right["harvest_at"][both])
    assert list(left["sells_rewards"]) == list(right["sells_rewards"])


def test_one_more_poll_leaves_the_votes_on_the_others():
    scenario = flood()
    left, right = full_world(), build(load(FLOOD, ["polls[4].turnout=0.9"])).world
    count = 4 * scenario.texo.stakers
    for column in ("choice", "after"):
        assert list(left.intentions[column][:count]) == list(right.intentions[column][:count])


@pytest.mark.parametrize(("path", "seed"), [(1, 23), (0, 24)])
def test_another_path_or_seed_draws_anew(path, seed):
    left, right = layout_of(flood()), layout_of(flood(), seed, path)
    assert list(left.strategies[:120]) != list(right.strategies[:120])
    assert list(left.trader_hours) != list(right.trader_hours)
    assert list(left.kinds[:120]) == list(right.kinds[:120])


def test_turnout_support_and_abstention_are_what_was_asked_for():
    world = full_world("texo.stakers=4000", "polls[0].turnout=0.5", "polls[0].support=0.6", "polls[0].abstain=0.3")
    choices = world.intentions["choice"][:4000]
    assert (choices >= 0).mean() == pytest.approx(0.5, abs=0.03)
    voted = choices[choices >= 0]
    assert [(voted == choice).mean() for choice in (Choice.YES, Choice.ABSTAIN, Choice.NO)] == pytest.approx([0.6, 0.3, 0.1], abs=0.04)


# --- times of entering and leaving ---


def test_holders_of_what_is_listed_are_there_at_once_and_the_others_come_later():
    world = full_world()
    start = world.minters["budget"] < 2.0**33
    at_once = start & (world.minters["strategy"] == Strategy.HOLD) & (world.cdps["tasset"] < 2)
    assert list(world.cdps["is_open"]) == list(at_once)
    assert np.isinf(world.minters["opens_at"][at_once]).all()
    assert np.isfinite(world.minters["opens_at"][start & ~at_once]).all()


def test_nobodys_holding_time_is_over_before_it_enters():
    world = full_world()
    comes = np.isfinite(world.minters["opens_at"]) & np.isfinite(world.minters["holding"])
    assert comes.any()
    assert (world.minters["exit_at"][comes] == np.inf).all()
    at_once = np.isinf(world.minters["opens_at"]) & world.cdps["is_open"]
    assert (world.minters["exit_at"] == world.minters["holding"])[at_once].all()


# --- feeders, outages, new shares ---


def test_polls_on_a_feeder_bring_a_spare_one_for_the_replacement_too():
    scenario, world = flood(), full_world()
    assert community.spare_feeders(scenario) == [0, 3]
    feeders = world.oracle_feeders
    assert list(feeders["feed"]) == [0, 1, 2, 3, 0, 3]
    assert list(feeders["asset"]) == [0, 1, 2, 3, 0, 3]
    assert feeders["account"][3] == feeders["account"][0]
    assert feeders["account"][5] == feeders["account"][4] != feeders["account"][0]
    assert list(world.feeds["feeder"][:4]) == [feeders["account"][0], feeders["account"][1], -1, -1]
    values = dict(zip(world.proposals["kind"], world.proposals["value"], strict=True))
    assert values[int(PollKind.REASSIGN_FEEDER)] == feeders["account"][4]
    assert values[int(PollKind.WHITELIST)] == feeders["account"][2]


def test_two_polls_on_one_feeder_share_the_spare(write):
    polls = ["polls[1].change=feeder", "polls[1].tasset=tA", "polls[1].value=~", "polls[4].tasset=tC", "polls[4].change=feeder"]
    assert community.spare_feeders(flood(*polls, "polls[4].value=~")) == [0, 2, 3]
    assert community.spare_feeders(load(write(FIVE)).scenario) == []


def test_an_outage_strikes_a_tassets_own_feeder_and_its_replacements():
    scenario = flood()  # tC at 4 h for 12 minutes, tA at 1.2 h for 18; rounds of a minute
    up = inputs.feed_up(scenario, 720, 6)
    down = [set(np.flatnonzero(~up[:, feeder])) for feeder in range(6)]
    assert down[0] == down[3] == set(range(72, 90))
    assert down[2] == set(range(240, 252))
    assert down[1] == down[4] == down[5] == set()


def test_an_outage_of_everything_spares_the_spare_feeders():
    up = inputs.feed_up(flood("outages[0].tasset=~"), 720, 6)
    assert list(up[245]) == [False] * 4 + [True] * 2
    assert up[252].all()


def test_an_outage_that_outlasts_the_run_ends_with_it():
    up = inputs.feed_up(flood("outages[0].hours=100"), 720, 6)
    assert not up[240:, 2].any()
    assert up.shape == (721, 6)


def test_a_new_share_costs_an_old_one_over_the_split():
    loaded = load(FLOOD)
    paths = inputs.price_paths(loaded, 23, 0)
    prices, is_open = inputs.with_new_shares(loaded.scenario, paths)
    assert prices.shape == is_open.shape == (721, 4)
    np.testing.assert_array_equal(prices[:, 3], prices[:, 0] / 4)
    np.testing.assert_array_equal(is_open[:, 3], is_open[:, 0])
    np.testing.assert_array_equal(prices[:, :3], paths.market_price)


def test_new_shares_follow_what_their_tasset_tracks_not_its_row(write):
    text = FIVE.replace("tracks: A", "tracks: C", 1) + "delistings: [{tasset: tA, at_hours: 1, replacement: tX, split: 0.5}]\n"
    loaded = load(write(text))
    prices, _ = inputs.with_new_shares(loaded.scenario, inputs.price_paths(loaded, 1, 0))
    assert list(prices[0]) == [100.0, 10.0, 30.0, 60.0]
    world = build(loaded).world
    assert list(world.tassets["asset"]) == [2, 1, 2, 3]
    assert list(world.oracle_feeders["asset"]) == [2, 1, 2, 3]


# --- the founding ---


def test_owners_against_a_tasset_lock_it_from_the_start_and_books_balance():
    world = build(load(FLOOD), with_audit=True).world
    kinds = world.cdp_kinds[world.cdps["kind"]]
    locks = world.cdps["is_open"] & (kinds["token"] != TDOLLAR)
    assert locks.any()
    price = world.feeds["price"][kinds["feed"]] / world.feeds["price"][kinds["collateral_feed"]]
    ratio = world.cdps["backing"][locks] / price[locks]
    np.testing.assert_allclose(ratio, world.minters["target_ratio"][locks], rtol=1e-5)


def test_lps_of_what_is_listed_later_come_with_cash_alone():
    world = full_world()
    late = world.lps["pool"] == 2
    assert (world.lps["moves_at"][late] == 0.0).all()
    assert list(world.wallets[world.lps["account"][late], TDOLLAR]) == pytest.approx([20_000 / 6] * 6)
    assert world.wallets[world.pools[2].account].sum() == 0.0
    assert np.isinf(world.lps["moves_at"][~late]).all()


def test_stakers_keep_the_deposits_of_their_proposals():
    world = full_world()
    proposers = world.proposals["proposer"]
    held = world.wallets[world.stakers["account"], world.inflation[0].token]
    assert list(held) == [100.0 * (proposers == account).sum() for account in world.stakers["account"]]
    assert (world.stakes["bond"][: len(world.stakers)] > 0).all()


def test_a_deposit_that_is_no_whole_number_of_units_can_be_paid():
    world = full_world("governance.deposit_texo=0.1")
    deposit = float(world.governance[0].deposit)
    assert deposit == floor_amount(deposit)
    assert deposit == pytest.approx(0.1, abs=1e-5)
    assert (world.stakes["bond"][: len(world.stakers)] > 0).all()


def test_staked_shares_of_nobody_and_everybody():
    for share, staking in ((0, 0), (1, 18)):
        world = full_world(f"texo.lp_staked_share={share}")
        assert (world.lps["stake"] >= 0).sum() == staking
    assert list(world.stakes["pool"][world.lps["stake"][:18]]) == list(world.lps["pool"][:18])


# --- faults ---


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (["tassets.tC.listed=false"], "--set: tassets.tC.listed: is false, and no poll whitelists it"),
        (["delistings[0].replacement=tB"], "--set: delistings[0].replacement: 'tB' is taken; choose another name"),
        (["delistings[0].replacement=tA"], "--set: delistings[0].replacement: 'tA' is taken; choose another name"),
        (["delistings[0].replacement=tDOLLAR"], "--set: delistings[0].replacement: 'tDOLLAR' is taken; choose another name"),
        (["delistings[0].replacement=tEXO"], "--set: delistings[0].replacement: 'tEXO' is taken; choose another name"),
        (["delistings[1].replacement=tA2"], "--set: delistings[1].replacement: 'tA2' is taken; choose another name"),
        (["delistings[1].tasset=tA"], "--set: delistings[1].tasset: 'tA' is delisted already"),
        (["delistings[0].tasset=tX"], "--set: delistings[0].tasset: 'tX' is no tASSET; known: tA, tB, tC"),
        (["delistings[1].tasset=tA2"], "--set: delistings[1].tasset: 'tA2' is no tASSET; known: tA, tB, tC"),
        (["delistings[0].split=0"], "--set: delistings[0].split: 0 is not in [1e-12, 1e12]"),
        (["delistings[0].at_hours=13"], "--set: delistings[0].at_hours: 13 is after the end of the run (12 hours)"),
        (["polls[0].at_hours=13"], "--set: polls[0].at_hours: 13 is after the end of the run (12 hours)"),
        (["polls[0].tasset=tA2"], "--set: polls[0].tasset: 'tA2' is no tASSET; known: tA, tB, tC"),
        (["polls[0].change=whitelist", "polls[0].value=~"], "--set: polls[0].change: tA is listed already"),
        (["polls[0].change=whitelist"], "test.yaml:12: polls[0]: whitelist takes no value"),
        (["polls[0].change=feeder"], "test.yaml:12: polls[0]: feeder takes no value"),
        (["polls[0].value=~"], "test.yaml:12: polls[0]: min_collateral_ratio needs a value in [1, 100]"),
        (["polls[0].value=0.9"], "test.yaml:12: polls[0]: 0.9 is not in [1, 100]"),
        (["polls[0].change=auction_discount"], "test.yaml:12: polls[0]: 2 is not in [0, 1)"),
        (["polls[0].change=auction_discount", "polls[0].value=~"], "test.yaml:12: polls[0]: auction_discount needs a value in [0, 1)"),
        (["polls[0].support=0.9", "polls[0].abstain=0.2"], "test.yaml:12: polls[0]: support and abstain are together more than 1"),
        (["polls[0].turnout=1.5"], "--set: polls[0].turnout: 1.5 is not in [0, 1]"),
        (["polls[0].change=fee"], "--set: polls[0].change: 'fee' must be 'whitelist', 'feeder', 'min_collateral_ratio' or"),
        (["texo=~"], "test.yaml:11: polls: nobody can vote: there is no texo, whose stakers would"),
        (["texo.stakers=0"], "--set: texo.stakers: 0 is not in [1, 100000]"),
        (["texo.emission_every_hours=0.01"], "--set: texo.emission_every_hours: 0.01 is not in [0.02, 8760]"),
        (["texo.inflation_per_day=-1"], "--set: texo.inflation_per_day: -1 is not in [0, 1e9]"),
        (
            ["texo.rewards.keep=0", "texo.rewards.compound=0", "texo.rewards.sell=0"],
            "--set: texo.rewards: keep, compound and sell are all 0; at least one must be more",
        ),
        (["governance.quorum=1.1"], "--set: governance.quorum: 1.1 is not in [0, 1]"),
        (["governance.voting_days=0"], "--set: governance.voting_days: 0 is not in [1e-12, 1e12]"),
        (["minters.strategies.hold=0"], "minters.strategies: hold, leverage, short and provide are all 0; at least one must be more"),
        (
            ["minters.strategies.entry_premium=0.01", "minters.strategies.exit_premium=0.01"],
            "minters.strategies: exit_premium (0.01) must be less than entry_premium (0.01)",
        ),
        (["minters.strategies.loops=0"], "--set: minters.strategies.loops: 0 is not in [1, 20]"),
        (["minters.strategies.hodl=1"], "--set: minters.strategies.hodl: is not a key here; did you mean hold?"),
        (["minters.collateral.tX=1"], "--set: minters.collateral.tX: 'tX' is no listed tASSET; known: tA, tB, tC, tDOLLAR"),
        (["minters.collateral.tA2=1"], "--set: minters.collateral.tA2: 'tA2' is no listed tASSET; known: tA, tB, tC, tDOLLAR"),
        (["minters.collateral.tA=0"], "--set: minters.collateral.tA: 0 is not in [1e-12, 1e12]"),
        (
            ["reactions.sit=0", "reactions.recover=0", "reactions.move=0"],
            "reactions: sit, recover and move are all 0; at least one must be",
        ),
    ],
)
def test_a_fault_is_named_with_line_key_and_value(write, settings, fault):
    text = FIVE + "polls:\n  - {at_hours: 1, tasset: tA, change: min_collateral_ratio, value: 2}\n"
    text += "delistings:\n  - {tasset: tA, at_hours: 2, replacement: tA2}\n"
    if any(setting.startswith("delistings[1]") for setting in settings):
        text += "  - {tasset: tB, at_hours: 3, replacement: tB2}\n"
    found = faults_of(write(text), *settings)
    assert any(line.startswith(fault) or fault in line for line in found), found
    assert len(found) == 1, found


def test_collateral_must_be_listed_at_the_start():
    found = faults_of(FLOOD, "minters.collateral.tC=1")
    assert found == ["--set: minters.collateral.tC: 'tC' is no listed tASSET; known: tA, tB, tDOLLAR"]


def test_somebody_must_be_listed_at_the_start(write):
    poll = "polls: [{at_hours: 1, tasset: tC, change: whitelist}]\n"
    found = faults_of(write(FIVE + poll), *(f"tassets.{name}.listed=false" for name in ("tA", "tB", "tC")))
    assert found == [
        "--set: tassets.tA.listed: is false, and no poll whitelists it",
        "--set: tassets.tB.listed: is false, and no poll whitelists it",
        "test.yaml:5: tassets: at least one must be listed at the start",
    ]


@pytest.mark.parametrize("name", ["tDOLLAR", "tEXO"])
def test_a_tasset_cannot_be_called_what_another_token_is(write, name):
    found = faults_of(write(FIVE.replace("tC:", f"{name}:")))
    assert any(name in fault for fault in found)


@pytest.mark.parametrize("support", [0.0, 0.5, 0.95])
def test_any_support_may_be_asked_for_alone(write, support):
    poll = f"polls: [{{at_hours: 1, tasset: tA, change: feeder, support: {support}}}]\n"
    assert load(write(FIVE + poll)).scenario.polls[0].support == support


@pytest.mark.parametrize("abstain", range(0, 101, 7))
def test_support_and_abstention_may_make_one(write, abstain):
    poll = f"polls: [{{at_hours: 1, tasset: tA, change: feeder, support: {(100 - abstain) / 100}, abstain: {abstain / 100}}}]\n"
    assert load(write(FIVE + poll)).scenario.polls[0].abstain == abstain / 100


def test_streams_of_the_new_quantities_differ():
    purposes = (Purpose.REACTIONS, Purpose.STAKERS, Purpose.VOTES, Purpose.STRATEGIES, Purpose.ENTRIES, Purpose.REWARDS, Purpose.LP_STAKES)
    assert len({float(stream(23, 0, purpose).random()) for purpose in purposes}) == len(purposes)
