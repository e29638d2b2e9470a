"""What the agents of the Mesa model trade on: pools and tASSETs, as plain objects."""

from __future__ import annotations

import math
from dataclasses import dataclass

from peers.job import Job

NEVER = math.inf
UNIT = 2.0**-20
SLACK = 4.0 * UNIT  # bought beside what is needed, so that a purchase of all collateral leaves no crumb


class Pool:
    """A constant-product pool; the commission on what it pays out stays in it."""

    def __init__(self, base: float, asset: float, shares: float, commission: float) -> None:
        """Take the reserves: tDOLLAR, tASSET tokens; and the LP tokens out."""
        self.base, self.asset, self.shares, self.commission = base, asset, shares, commission
        self.fees_base = self.fees_asset = self.volume = 0.0

    @property
    def price(self) -> float:
        """TDOLLAR per token."""
        return self.base / self.asset

    def quote(self, offer_reserve: float, ask_reserve: float, offer: float, max_spread: float) -> tuple[float, float]:
        """Payout and commission; (0, 0) beyond the spread accepted."""
        gross = ask_reserve * offer / (offer_reserve + offer)
        spread = offer * ask_reserve / offer_reserve - gross
        if spread > (gross + spread) * max_spread:
            return 0.0, 0.0
        kept = gross * self.commission
        return gross - kept, kept

    def buy(self, offer: float, max_spread: float = 1.0) -> float:
        """Tokens for tDOLLAR."""
        payout, kept = self.quote(self.base, self.asset, offer, max_spread)
        if payout > 0.0:
            self.base += offer
            self.asset -= payout
            self.fees_asset += kept
            self.volume += offer
        return payout

    def sell(self, offer: float, max_spread: float = 1.0) -> float:
        """TDOLLAR for tokens."""
        payout, kept = self.quote(self.asset, self.base, offer, max_spread)
        if payout > 0.0:
            self.asset += offer
            self.base -= payout
            self.fees_base += kept
            self.volume += payout
        return payout

    def cost(self, wanted: float) -> float:
        """TDOLLAR to offer for a payout of `wanted` tokens."""
        gross = wanted / (1.0 - self.commission)
        return self.base * gross / (self.asset - gross)


@dataclass(slots=True)
class Tasset:
    """Terms, pool and oracle price of one tASSET; `market_price` by round."""

    row: int
    pool: Pool
    min_ratio: float
    discount: float
    protocol_fee: float
    valid_for: float
    price: float
    updated_at: float
    market_price: list[float]

    @property
    def discounted(self) -> float:
        """USD of collateral that a token buys in an auction."""
        return self.price / (1.0 - self.discount)

    def is_fresh(self, now: float) -> bool:
        """Whether the oracle's price is still valid."""
        return now - self.updated_at <= self.valid_for


def tassets_of(job: Job) -> list[Tasset]:
    """The tASSETs of a job with their pools."""
    found = []
    for row, (terms, oracle, reserves) in enumerate(zip(job.terms.tolist(), job.oracle.tolist(), job.pool.tolist(), strict=True)):
        min_ratio, discount, protocol_fee, commission, valid_for = terms
        price, updated_at = oracle
        pool = Pool(*reserves, commission)
        prices = job.market_price[:, row].tolist()
        found.append(Tasset(row, pool, min_ratio, discount, protocol_fee, valid_for, price, updated_at, prices))
    return found
