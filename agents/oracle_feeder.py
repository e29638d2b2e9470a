"""Oracle feeders: publish the market price on a heartbeat or after a move, late and with an error, and fall silent.

A disturbance makes a feeder later than usual, has it publish a multiple of what it saw, or has it stuck: later by a round in each round.

Source: 004_7b43fd311786c790.txt, "Oracle Feeder" and "Price" (silent while the real market is closed). Heartbeat and deviation threshold
are the usual rule of production feeds; the error is log-normal (assumption).
"""

from __future__ import annotations

import math

from seawall.agents.base import MarketAgent, tally
from seawall.protocols import oracle
from seawall.protocols.compiled import rule
from seawall.protocols.status import Action
from seawall.protocols.tables import Row, World


@rule
def wants_to_publish(feeder: Row, feed: Row, observed: float, now: float) -> bool:
    """Tell whether the heartbeat has run out or the price has moved by the deviation threshold."""
    if now - feed.updated_at >= feeder.heartbeat:
        return True
    return abs(observed / feed.price - 1.0) >= feeder.deviation


@rule
def act(world: World, index: int) -> None:
    """Publish what was seen `lag` rounds ago, unless the market was closed then, the feeder is down now, or the feed is another's."""
    feeder = world.oracle_feeders[index]
    clock = world.clock[0]
    seen, factor = clock.step - feeder.lag, 1.0
    if len(world.feed_faults) > 0:
        fault = world.feed_faults[clock.step, index]
        seen, factor = seen - fault.lag, fault.factor
    feed = world.feeds[feeder.feed]
    if feed.feeder != feeder.account or feed.is_frozen:
        return
    if seen < 0 or not world.feed_up[clock.step, index] or not world.market_open[seen, feeder.asset]:
        return
    observed = world.market_price[seen, feeder.asset] * factor
    if feeder.noise > 0.0:
        observed *= math.exp(feeder.noise * world.feed_noise[seen, index])
    if wants_to_publish(feeder, feed, observed, clock.now):
        tally(world.tallies, Action.PUBLISH, oracle.publish(feed, feeder.account, observed, clock.now))


class OracleFeeder(MarketAgent):
    """Publishes one feed."""

    kind = "oracle_feeders"
    act = staticmethod(act)

    def publish(self, price: float) -> None:
        """Publish a price (USD per token, > 0). Raises `Refused` for a price that is none."""
        self.ask(Action.PUBLISH, oracle.publish(self.world.feeds[self.row.feed], self.account, float(price), self.now))
