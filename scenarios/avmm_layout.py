"""Who stands in which row of an RFQ market: its assets' tokens and feeds, its accounts.

Settled before any table is made. The RFQ market's own tokens and accounts stand after the tASSET market's and before the exchange's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seawall.models.world import Sizes
from seawall.protocols.tables import TDOLLAR, Ints
from seawall.scenarios.avmm_schema import AvmmSpec
from seawall.scenarios.exchange_layout import feeds_of, lay_out_exchange
from seawall.scenarios.layout import TDOLLAR_NAME
from seawall.scenarios.schema import Scenario

NOT_TASSET = -1


class Asset(NamedTuple):
    """What an asset of the book is: row of tokens, row of feeds, asset of the prices that it follows (None: a dollar), row of tassets."""

    token: int
    feed: int
    tracks: str | None
    tasset: int = NOT_TASSET


class Accounts(NamedTuple):
    """Rows of wallets of the contract, the constant-product pools and the agents, in the order in which they stand."""

    contract: Ints
    pools: Ints
    lps: Ints
    traders: Ints
    informed: Ints

    @property
    def agents(self) -> Ints:
        """Rows of wallets of LPs, traders and informed traders."""
        return np.concatenate(self[2:])


@dataclass(frozen=True, slots=True)
class AvmmLayout:
    """Rows of an RFQ market.

    Attributes:
        assets: what each asset is.
        share_tokens: row of tokens of each constant-product pool's LP token; none with another mechanism.
        token_count: tokens of its own, LP tokens included.
        accounts_after: accounts of others that stand after its own.
    """

    assets: tuple[Asset, ...]
    share_tokens: tuple[int, ...]
    token_count: int
    accounts_after: int

    def counts(self, spec: AvmmSpec) -> tuple[int, ...]:
        """How many accounts of each sort there are, in the order of `Accounts`."""
        return 1, len(self.share_tokens), spec.lp_count, spec.traders.count, spec.informed.count

    def accounts(self, spec: AvmmSpec, end: int) -> Accounts:
        """Rows of wallets, of which there are `end` in all."""
        after = end - self.accounts_after
        rows = np.arange(after - sum(self.counts(spec)), after)
        return Accounts(*np.split(rows, np.cumsum(self.counts(spec))[:-1]))


def uses_pools(spec: AvmmSpec) -> bool:
    """Whether orders go to constant-product pools, to which LPs bring both sides."""
    return spec.mechanism == "constant_product"


def lay_out_avmm(scenario: Scenario, spec: AvmmSpec) -> AvmmLayout:
    """Settle the rows. The names are known (`avmm_checks`)."""
    first = Sizes(steps=0, assets=0, tassets=len(scenario.tasset_names)).tokens  # without extra ones
    others = _others_assets(scenario)
    own = [name for name in spec.names if name not in others]
    shares = range(first + len(own), first + len(own) + (len(spec.names) - 1) * uses_pools(spec))
    count = len(own) + len(shares)
    feeds, dollar = feeds_of(scenario), len(scenario.tasset_names)
    assets = []
    for name, terms in spec.assets.items():
        if name in own:
            assets.append(Asset(first + own.index(name), dollar if terms.tracks is None else feeds[terms.tracks], terms.tracks))
        else:
            token, feed, tracks, tasset = others[name]
            assets.append(Asset(token if token >= 0 else first + count + ~token, feed, tracks, tasset))
    exchange = scenario.exchange
    after = lay_out_exchange(scenario, exchange).account_count(exchange) if exchange is not None else 0
    return AvmmLayout(tuple(assets), tuple(shares), count, after)


def _others_assets(scenario: Scenario) -> dict[str, Asset]:
    """Other protocols' tokens by name; of the exchange's, ~token is the number among its tokens."""
    feeds, dollar = feeds_of(scenario), len(scenario.tasset_names)
    found = {TDOLLAR_NAME: Asset(TDOLLAR, dollar, None)}
    for k, (name, terms) in enumerate(scenario.tassets.items()):
        found[name] = Asset(1 + k, k, terms.tracks, k)
    if scenario.exchange is not None:
        tokens = lay_out_exchange(scenario, scenario.exchange).tokens
        for name, collateral in scenario.exchange.collaterals.items():
            feed = dollar if collateral.tracks is None else feeds[collateral.tracks]
            found[name] = Asset(~tokens.index(name), feed, collateral.tracks)
    return found
