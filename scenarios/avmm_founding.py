"""The founding of an RFQ market: everybody endowed, positions opened and funded, or pools filled.

Its own tokens, tDOLLAR and the exchange's collateral come from outside; tASSETs from those who minted them (`founding`). All else happens
by the contracts' own rules.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

import numpy as np

from seawall.agents.avmm import NUMERAIRE, Avmm, Mechanism
from seawall.agents.avmm_lp import recentre
from seawall.models import genesis
from seawall.protocols import amm, rfq_positions, rfq_ranges
from seawall.protocols.amounts import LIMIT
from seawall.protocols.errors import Fault, ScenarioError
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Ints
from seawall.scenarios.avmm_checks import KINDS
from seawall.scenarios.avmm_layout import NOT_TASSET, Accounts, AvmmLayout, lay_out_avmm
from seawall.scenarios.avmm_population import LpDraws, draw_lps, holdings_usd
from seawall.scenarios.avmm_schema import AvmmSpec
from seawall.scenarios.load import Loaded
from seawall.scenarios.schema import Scenario
from seawall.scenarios.streams import Purpose, stream


class Takers(NamedTuple):
    """Accounts that are to hold tokens of a tASSET at the start, and USD of them."""

    accounts: Ints
    usd: Floats


NOBODY = Takers(np.empty(0, np.int64), np.empty(0))


def tasset_takers(scenario: Scenario, seed: int, path: int, end: int) -> dict[int, Takers]:
    """LPs and traders who need tokens of a tASSET, by its row; `end` is the number of accounts in all."""
    spec = scenario.avmm
    if spec is None:
        return {}
    layout = lay_out_avmm(scenario, spec)
    accounts, usd = layout.accounts(spec, end).agents, holdings_usd(spec, draw_lps(spec, stream(seed, path, Purpose.AVMM_LPS)))
    wanted = {asset.tasset: usd[:, a] for a, asset in enumerate(layout.assets) if asset.tasset != NOT_TASSET}
    return {row: Takers(accounts[column > 0.0], column[column > 0.0]) for row, column in wanted.items()}


def found(v: Avmm, loaded: Loaded, spec: AvmmSpec, layout: AvmmLayout, drawn: LpDraws) -> None:
    """Let the RFQ market come to be.

    Args:
        v: terms, first prices and behaviour written; of its tokens only tASSETs are in wallets.
        loaded: the scenario's file, for refusals.
        spec: its RFQ market.
        layout: its rows.
        drawn: its LPs.

    Raises:
        ScenarioError: for one that cannot come to be as the scenario says.
    """
    _endow(v, loaded, spec, layout, holdings_usd(spec, drawn))
    lps, tokens = v.avmm_lps, v.book.assets["token"]
    lps["start_tokens"] = v.wallets[lps["account"], tokens[drawn.primary]]
    lps["start_numeraire"] = np.where(drawn.primary == NUMERAIRE, 0.0, v.wallets[lps["account"], tokens[NUMERAIRE]])
    rfq_ranges.follow_prices(v.book, v.feeds)
    derived = [terms.derived for terms in spec.lps.by_kind()]
    for i, primary in enumerate(drawn.primary):
        _open(v, i, int(primary), derived[lps[i].kind])
        status = _fund(v, i, int(primary))
        if status != Status.OK:
            amount, name = lps[i].start_tokens, spec.names[primary]
            _refuse(loaded, f"lps.{KINDS[lps[i].kind]}.value_usd", f"LP {i} cannot provide {amount:,.6g} {name}: {Status(status).name}")


def _endow(v: Avmm, loaded: Loaded, spec: AvmmSpec, layout: AvmmLayout, usd: Floats) -> None:
    """Bring in what comes from outside, at the first prices."""
    accounts: Accounts = layout.accounts(spec, len(v.wallets))
    parts = np.split(usd, np.cumsum([len(accounts.lps), len(accounts.traders)]))
    groups = zip(("lps", "traders", "informed"), accounts[2:], parts, strict=True)
    for key, rows, wanted in groups:
        for a, asset in enumerate(layout.assets):
            if asset.tasset != NOT_TASSET:
                continue
            amounts = wanted[:, a] / v.feeds[asset.feed].price
            if genesis.endow(v.wallets, v.tokens, asset.token, np.ascontiguousarray(rows), amounts) != Status.OK:
                message = f"together they own more than {LIMIT:,.0f} {spec.names[a]}, past which cents could not be counted exactly"
                _refuse(loaded, key, message)


def _open(v: Avmm, i: int, primary: int, derived: bool) -> None:
    """Open an LP's position, with its discount, the assets that it takes, and its ranges."""
    lp = v.avmm_lps[i]
    rfq_positions.open_position(v.book, i, int(lp.account), primary, int(lp.accepts), float(lp.min_discount))
    rfq_positions.set_accepted(v.book, i, int(lp.accepts), derived)
    recentre(v, lp, float(lp.width))


def _fund(v: Avmm, i: int, primary: int) -> Status:
    """Put what an LP has to work: in its position, or in a pool together with the numeraire; for auctions it stays in the wallet."""
    lp, mechanism = v.avmm_lps[i], v.terms[0].mechanism
    if mechanism == Mechanism.RFQ:
        return Status(rfq_positions.deposit(v.book, i, v.wallets, float(lp.start_tokens)))
    if mechanism == Mechanism.CONSTANT_PRODUCT:
        pool = v.pools[v.avmm_assets[primary].pool]
        tokens, numeraire = float(lp.start_tokens), float(lp.start_numeraire)
        status, _ = amm.provide(pool, v.tokens, v.wallets, int(lp.account), numeraire, tokens, genesis.ANY_SLIPPAGE)
        return Status(status)
    return Status.OK


def _refuse(loaded: Loaded, key: str, message: str) -> NoReturn:
    raise ScenarioError([Fault(str(loaded.file), None, f"avmm.{key}", message)])
