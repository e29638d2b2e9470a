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


@rule
def hand_out(wallets: Floats, token: int, payer: int, accounts: Ints, parts: Floats) -> None:
    """Share a payer's tokens among accounts by `parts` (fractions that sum to 1); the last gets what rounding left."""
    gathered, last = wallets[payer, token], len(accounts) - 1
    for i in range(last):
        ledger.transfer(wallets, token, payer, accounts[i], floor_amount(gathered * parts[i]))
    ledger.transfer(wallets, token, payer, accounts[last], wallets[payer, token])


@rule
def fill_pools(lps: Table, pools: Table, stakes: Table, stake_pools: Table, tokens: Table, wallets: Floats) -> tuple[Status, int]:
    """Let every LP provide all it holds of its pool's pair, and stake if it does. Returns the first refusal and its row."""
    for i in range(len(lps)):
        lp, pool = lps[i], pools[lps[i].pool]
        lp.start_pool = lp.pool
        base, asset = wallets[lp.account, pool.base_token], wallets[lp.account, pool.asset_token]
        if lp.moves_at <= 0.0:  # its pool is still to come
            lp.start_base = base
            continue
        status, shares = amm.provide(pool, tokens, wallets, lp.account, base, asset, ANY_SLIPPAGE)
        if status == Status.OK and lp.stake >= 0:
            stake = stakes[lp.stake]
            status = staking.bond(stake, stake_pools[stake.pool], wallets, shares)
        if status != Status.OK:
            return status, i
        lp.start_base = base - wallets[lp.account, pool.base_token]
        lp.start_asset = asset - wallets[lp.account, pool.asset_token]
    return Status.OK, -1


@rule
def stake_texo(stakers: Table, proposals: Table, deposit: float, stakes: Table, stake_pools: Table, wallets: Floats) -> None:
    """Let every staker stake all tEXO it holds but for the deposits of its own proposals."""
    for i in range(len(stakers)):
        staker, stake = stakers[i], stakes[stakers[i].stake]
        pool = stake_pools[stake.pool]
        amount = wallets[staker.account, pool.staked_token]
        for k in range(len(proposals)):
            amount -= deposit * int(proposals[k].proposer == staker.account)
        amount = max(amount, 0.0)
        if staking.bond(stake, pool, wallets, amount) == Status.OK:
            staker.start_texo = amount
