"""tEXO and those around it: stakers, keepers, inflation, proposals and how they will be voted on, delistings, who feeds whose price."""

from __future__ import annotations

import numpy as np

from seawall.agents.staker import Use
from seawall.agents.strategies import Strategy
from seawall.protocols.amounts import UNIT
from seawall.protocols.poll_terms import Choice, PollKind
from seawall.protocols.tables import Floats, Ints, World
from seawall.scenarios.community_schema import Texo
from seawall.scenarios.layout import Layout, by_weight, lognormal
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose, stream

SECONDS_PER_HOUR = 3_600.0
SECONDS_PER_DAY = 86_400.0
CHANGES = {
    "whitelist": PollKind.WHITELIST,
    "feeder": PollKind.REASSIGN_FEEDER,
    "min_collateral_ratio": PollKind.MIN_COLLATERAL_RATIO,
    "auction_discount": PollKind.AUCTION_DISCOUNT,
}


def spare_feeders(scenario: Scenario) -> list[int]:
    """Feeds (rows) that have a feeder in reserve: those of a poll on their feeder, and of their replacements."""
    names = scenario.tasset_names
    voted = [poll.tasset for poll in scenario.polls if poll.change == "feeder"]
    replaced = [event.replacement for event in scenario.delistings if event.tasset in voted]
    return [names.index(name) for name in dict.fromkeys(voted + replaced)]


def assign_feeders(world: World, scenario: Scenario) -> None:
    """Say whose price each feeder publishes. A replacement is fed by the accounts that fed the tASSET before it."""
    feeders, names, count = world.oracle_feeders, scenario.tasset_names, len(world.tassets)
    spare = spare_feeders(scenario)
    feeders["feed"][count : count + len(spare)] = spare
    for event in scenario.delistings:
        old, new = names.index(event.tasset), names.index(event.replacement)
        feeders[new].account = feeders[old].account
        if new in spare:
            feeders[count + spare.index(new)].account = feeders[count + spare.index(old)].account


def lp_stakers(scenario: Scenario, layout: Layout) -> tuple[Ints, Ints]:
    """Rows of LPs and of owners who stake LP tokens."""
    providers = np.flatnonzero(layout.strategies == Strategy.PROVIDE) if scenario.texo is not None else np.empty(0, np.int64)
    return np.flatnonzero(layout.lp_stakes), providers


def set_terms(world: World, scenario: Scenario) -> None:
    """Write what the contracts around tEXO go by, and what is planned: emissions, polls, delistings."""
    spec, rules, names = scenario.texo, scenario.governance, scenario.tasset_names
    terms = world.governance[0]
    terms.deposit, terms.quorum, terms.threshold = np.floor(rules.deposit_texo / UNIT) * UNIT, rules.quorum, rules.threshold
    terms.voting_seconds, terms.delay_seconds = rules.voting_days * SECONDS_PER_DAY, rules.delay_days * SECONDS_PER_DAY
    for plan, event in zip(world.migrations, scenario.delistings, strict=True):
        plan.at, plan.tasset, plan.replacement = (
            event.at_hours * SECONDS_PER_HOUR,
            names.index(event.tasset),
            names.index(event.replacement),
        )
    if spec is None:
        return
    world.pools[len(names)].commission = spec.commission
    world.stake_pools["emission_weight"] = np.r_[np.full(len(names), spec.lp_weight), spec.texo_weight]
    world.stake_pools["is_rewarded"] = np.r_[world.feeds["feeder"][: len(names)] >= 0, True]
    keeper = world.keepers[0]
    keeper.fees_every = keeper.fees_at = spec.fees_every_hours * SECONDS_PER_HOUR
    if len(world.emissions):
        keeper.emission_every = keeper.emission_at = spec.emission_every_hours * SECONDS_PER_HOUR
        world.inflation["min_interval"] = 60.0  # MECHANICS.md section 1, "Staking"
        world.emissions["end"], world.emissions["per_second"] = np.inf, spec.inflation_per_day / SECONDS_PER_DAY
    _plan_polls(world, scenario)


def _plan_polls(world: World, scenario: Scenario) -> None:
    names = scenario.tasset_names
    rows = spare_feeders(scenario)
    spare = dict(zip(rows, world.oracle_feeders["account"][len(names) : len(names) + len(rows)], strict=True))
    for i, (plan, poll) in enumerate(zip(world.proposals, scenario.polls, strict=True)):
        tasset = names.index(poll.tasset)
        plan.at, plan.tasset, plan.kind = poll.at_hours * SECONDS_PER_HOUR, tasset, CHANGES[poll.change].value
        plan.proposer = world.stakers[i % len(world.stakers)].account
        own_feeder = world.oracle_feeders[tasset].account
        plan.value = poll.value if poll.value is not None else own_feeder if poll.change == "whitelist" else spare[tasset]


def draw_votes(world: World, scenario: Scenario, seed: int, path: int) -> None:
    """Draw who votes on which poll, when and how."""
    rng = stream(seed, path, Purpose.VOTES)
    voting = scenario.governance.voting_days * SECONDS_PER_DAY
    count = len(world.stakers)
    for i, poll in enumerate(scenario.polls):
        votes, draw, when = rng.random(count) < poll.turnout, rng.random(count), rng.random(count)
        choice = np.where(draw < poll.support, Choice.YES, np.where(draw < poll.support + poll.abstain, Choice.ABSTAIN, Choice.NO))
        rows = slice(i * count, (i + 1) * count)
        world.intentions["choice"][rows] = np.where(votes, choice, -1)
        world.intentions["after"][rows] = when * max(voting - 2.0 * scenario.step_seconds, 0.0)  # nobody comes in the round of the end


def draw_stakers(world: World, spec: Texo, rng: np.random.Generator) -> Floats:
    """Fill the stakers' behaviour. Returns what each stakes, tEXO."""
    stakers = world.stakers
    stake = lognormal(spec.stake_usd, rng, len(stakers)) / spec.start_usd
    weights = {Use.KEEP: spec.rewards.keep, Use.COMPOUND: spec.rewards.compound, Use.SELL: spec.rewards.sell}
    stakers["use"] = by_weight([weights[use] for use in Use], rng, len(stakers))
    stakers["harvest_every"] = spec.harvest_days * SECONDS_PER_DAY
    stakers["harvest_at"] = rng.random(len(stakers)) * spec.harvest_days * SECONDS_PER_DAY  # not everybody at the same hour
    return stake


def set_lp_stakes(world: World, scenario: Scenario, layout: Layout, rng: np.random.Generator) -> None:
    """Give each staker of LP tokens its stake, and LPs their habit of claiming."""
    spec = scenario.texo
    if spec is None:
        return
    lps, owners = lp_stakers(scenario, layout)
    rows = len(world.stakers) + np.arange(len(lps) + len(owners))
    world.stakes["owner"][rows] = np.r_[world.lps["account"][lps], world.minters["account"][owners]]
    world.stakes["pool"][rows] = np.r_[world.lps["pool"][lps], world.cdps["tasset"][owners]]
    world.lps["stake"][lps], world.minters["stake"][owners] = rows[: len(lps)], rows[len(lps) :]
    period = spec.harvest_days * SECONDS_PER_DAY
    world.lps["harvest_every"] = period
    world.lps["harvest_at"][lps] = rng.random(len(world.lps))[lps] * period
    world.lps["sells_rewards"] = rng.random(len(world.lps)) < spec.lp_sells_share
