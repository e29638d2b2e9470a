"""How a market comes to be: first prices, open CDPs, tokens handed from those who minted them to those who trade them, pools filled.

Everything moves by the contracts' own rules; only tDOLLAR and tEXO come from outside. What minters handed over they sold before the run,
and spent the proceeds outside the market (assumption).
"""

from __future__ import annotations

from seawall.protocols import amm, cdp, ledger, oracle, staking
from seawall.protocols.amounts import floor_amount
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import Floats, Ints, Table, World

ANY_SLIPPAGE = 1.0


def publish_first_prices(world: World) -> None:
    """Give every feed that has a feeder the market's first price, open or not, so that CDPs can be opened."""
    for tasset in world.tassets:
        feed = world.feeds[tasset.feed]
        if feed.feeder >= 0:
            oracle.publish(feed, feed.feeder, world.market_price[0, tasset.asset], 0.0)


@rule
def endow(wallets: Floats, tokens: Table, token: int, accounts: Ints, amounts: Floats) -> Status:
    """Give accounts (row numbers) tokens from outside, rounded down to whole units."""
    for i in range(len(accounts)):
        status = ledger.mint(wallets, tokens, token, accounts[i], floor_amount(amounts[i]))
        if status != Status.OK:
            return status
    return Status.OK


@rule
def open_cdps(
    cdps: Table, tassets: Table, kinds: Table, feeds: Table, tokens: Table, wallets: Floats, collateral: Floats, ratios: Floats
) -> tuple[Status, int]:
    """Open every CDP that has collateral (tokens, already in its owner's wallet) at its ratio. Returns the first refusal and its row."""
    for i in range(len(cdps)):
        if collateral[i] <= 0.0:
            continue
        tasset, kind = tassets[cdps[i].tasset], kinds[cdps[i].kind]
        status, _ = cdp.open_position(cdps[i], tasset, kind, feeds, tokens, wallets, floor_amount(collateral[i]), ratios[i], 0.0)
        if status != Status.OK:
            return status, i
    return Status.OK, -1


@rule
def gather(cdps: Table, wallets: Floats, index: int, token: int, payee: int, share: float) -> None:
    """Move a share of the tokens that minters of a tASSET (row `index`) hold to one account."""
    for i in range(len(cdps)):
        if cdps[i].tasset == index:
            owner = cdps[i].owner
            ledger.transfer(wallets, token, owner, payee, floor_amount(wallets[owner, token] * share))


def hand_out(world: World, index: int, accounts: Ints, parts: Floats) -> None:
    """Share the tokens at a pool's account among accounts by `parts` (fractions that sum to 1); the last gets what rounding left."""
    tasset = world.tassets[index]
    pool = world.pools[tasset.pool].account
    gathered = world.wallets[pool, tasset.token]
    for account, part in zip(accounts[:-1], parts[:-1], strict=True):
        ledger.transfer(world.wallets, tasset.token, pool, account, floor_amount(gathered * part))
    ledger.transfer(world.wallets, tasset.token, pool, accounts[-1], world.wallets[pool, tasset.token])


def fill_pools(world: World) -> tuple[Status, int]:
    """Let every LP provide all it holds of its pool's pair, and stake if it does. Returns the first refusal and its row."""
    for i, lp in enumerate(world.lps):
        pool = world.pools[lp.pool]
        lp.start_pool = lp.pool
        if lp.moves_at <= 0.0:  # its pool is still to come
            lp.start_base = world.wallets[lp.account, pool.base_token]
            continue
        base, asset = world.wallets[lp.account, pool.base_token], world.wallets[lp.account, pool.asset_token]
        status, shares = amm.provide(pool, world.tokens, world.wallets, lp.account, base, asset, ANY_SLIPPAGE)
        if status == Status.OK and lp.stake >= 0:
            stake = world.stakes[lp.stake]
            status = staking.bond(stake, world.stake_pools[stake.pool], world.wallets, shares)
        if status != Status.OK:
            return status, i
        lp.start_base = base - world.wallets[lp.account, pool.base_token]
        lp.start_asset = asset - world.wallets[lp.account, pool.asset_token]
    return Status.OK, -1


def stake_texo(world: World) -> None:
    """Let every staker stake all tEXO it holds but for the deposits of its own proposals."""
    deposits = float(world.governance[0].deposit)
    for staker in world.stakers:
        stake = world.stakes[staker.stake]
        pool = world.stake_pools[stake.pool]
        kept = deposits * int((world.proposals["proposer"] == staker.account).sum())
        amount = max(world.wallets[staker.account, pool.staked_token] - kept, 0.0)
        if staking.bond(stake, pool, world.wallets, amount) == Status.OK:
            staker.start_texo = amount
