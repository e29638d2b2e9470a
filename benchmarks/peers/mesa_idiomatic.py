"""The ground job as a Mesa model, written as Mesa's own examples are; variants: how agents are activated, "shuffle_do" or "do".

Agents are objects that step themselves, in the order of `AgentSet.shuffle_do`; who matters to others is found with `AgentSet.select`;
`DataCollector` takes the time series, at Seawall's interval and not in every round as examples do.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import mesa
from peers import play
from peers.job import Job
from peers.mesa_agents import Arbitrageur, Feeder, LiquidityProvider, Trader
from peers.mesa_cdps import Liquidator, Minter
from peers.mesa_pools import NEVER, tassets_of
from peers.outcome import Outcome


class GroundMarket(mesa.Model):
    """The market of a job, agent by agent.

    Attributes:
        activation: "shuffle_do" as in Mesa's examples, or "do", which leaves the order of agents as it is.
        now: seconds since the start.
        tassets: all tASSETs with their pools.
        margin_called: the minters whose CDP is below the minimum ratio in this round.
    """

    def __init__(self, job: Job, *, activation: str = "shuffle_do") -> None:
        """Make everybody, with the means they have in the job."""
        super().__init__(rng=job.order_seed)
        self.activation, self.step_seconds, self.record_every, self.now = activation, job.step_seconds, job.record_every, 0.0
        self.tassets = tassets_of(job)
        self.liquidations, self.liquidated_debt_usd = 0, 0.0
        self.shortfall_peak, self.insolvent_peak, self.min_system_ratio = 0.0, 0, NEVER
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "oracle_price": lambda m: [tasset.price for tasset in m.tassets],
                "pool_price": lambda m: [tasset.pool.price for tasset in m.tassets],
                "volume": lambda m: [tasset.pool.volume for tasset in m.tassets],
                "collateral": lambda m: m.agents_by_type[Minter].agg("collateral", sum),
                "debt_usd": lambda m: m.agents_by_type[Minter].agg("market_debt", sum),
                "shortfall": lambda m: m.agents_by_type[Minter].agg("shortfall", sum),
                "ratios": lambda m: m.agents_by_type[Minter].get("collateral_ratio"),
                "liquidations": "liquidations",
            }
        )
        _populate(self, job)

    def step(self) -> None:
        """Play one round."""
        self.now = self.steps * self.step_seconds
        for kind in (Feeder, Trader, Arbitrageur, Minter):
            self.activate(kind)
        self.margin_called = self.agents_by_type[Minter].select(lambda minter: minter.is_margin_called)
        if len(self.margin_called) > 0:
            self.activate(Liquidator)
        self.activate(LiquidityProvider)
        self.observe()
        if self.steps % self.record_every == 0:
            self.datacollector.collect(self)

    def activate(self, kind: type[mesa.Agent]) -> None:
        """Step all agents of a kind."""
        getattr(self.agents_by_type[kind], self.activation)("step")

    def note_purchase(self, burned_usd: float) -> None:
        """Count a purchase."""
        self.liquidations += 1
        self.liquidated_debt_usd += burned_usd

    def observe(self) -> None:
        """Mark the shortfall and the ratio of the whole market at the market's price and keep the worst."""
        minters = self.agents_by_type[Minter]
        shortfalls = minters.get("shortfall")
        self.shortfall_peak = max(self.shortfall_peak, sum(shortfalls))
        self.insolvent_peak = max(self.insolvent_peak, sum(shortfall > 0.0 for shortfall in shortfalls))
        self.min_system_ratio = min(self.min_system_ratio, minters.agg("collateral", sum) / minters.agg("market_debt", sum))

    def outcome(self) -> Outcome:
        """The figures so far."""
        pools = [(tasset.pool, tasset.market_price[self.steps]) for tasset in self.tassets]
        return Outcome(
            liquidations=self.liquidations,
            liquidated_debt_usd=self.liquidated_debt_usd,
            debt_end_usd=self.agents_by_type[Minter].agg("market_debt", sum),
            shortfall_peak_usd=self.shortfall_peak,
            insolvent_cdps_peak=self.insolvent_peak,
            min_system_collateral_ratio=self.min_system_ratio,
            volume_usd=sum(pool.volume for pool, _ in pools),
            lp_fees_usd=sum(pool.fees_base + pool.fees_asset * price for pool, price in pools),
        )


def _populate(model: GroundMarket, job: Job) -> None:
    tassets = model.tassets
    for tasset, terms in zip(tassets, job.feeder.tolist(), strict=True):
        Feeder(model, tasset, job.can_publish[:, tasset.row].tolist(), *terms)
    wallets = zip(job.trader_cash.tolist(), job.trader_tokens.tolist(), job.max_spread.tolist(), strict=True)
    traders = [Trader(model, *each) for each in wallets]
    for step, (first, last) in enumerate(pairwise(job.order_start.tolist())):
        for j in range(first, last):
            order = (tassets[job.order_pool[j]], bool(job.order_sells[j]), float(job.order_usd[j]))
            traders[job.order_trader[j]].orders.setdefault(step, []).append(order)
    for cash, tokens, min_edge in zip(job.arbitrageur_cash.tolist(), job.arbitrageur_tokens.tolist(), job.min_edge.tolist(), strict=True):
        Arbitrageur(model, cash, tokens, min_edge)
    for cash, tokens, terms in zip(job.liquidator_cash.tolist(), job.liquidator_tokens.tolist(), job.liquidator.tolist(), strict=True):
        Liquidator(model, cash, tokens, *terms)
    _populate_minters(model, job)
    lps = zip(job.lp_pool, job.lp_cash.tolist(), job.lp_tokens.tolist(), job.lp_shares.tolist(), job.lp[:, :3].tolist(), strict=True)
    for pool, *means in lps:
        LiquidityProvider(model, tassets[pool], *means)


def _populate_minters(model: GroundMarket, job: Job) -> None:
    means = zip(job.collateral.tolist(), job.debt.tolist(), job.minter_cash.tolist(), job.minter_tokens.tolist(), strict=True)
    for i, (own, terms) in enumerate(zip(means, job.minter.tolist(), strict=True)):
        tasset = next(tasset for tasset in model.tassets if i < job.first[tasset.row + 1])
        minter = Minter(model, tasset, *own)
        minter.target_ratio, minter.alert_ratio, minter.excess_ratio, minter.reaction, minter.due_at = terms
        minter.relevers = bool(job.relevers[i])


def prepare(job: Job, rounds: int, activation: str) -> Callable[[], Outcome]:
    """Build the model; what is returned plays the rounds."""
    market = GroundMarket(job, activation=activation)

    def run() -> Outcome:
        for _ in range(rounds):
            market.step()
        return market.outcome()

    return run


if __name__ == "__main__":
    play.main(prepare, packages=["mesa", "numpy"], variants=["shuffle_do", "do"])
