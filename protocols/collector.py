"""The collector: the protocol fee, taken in tDOLLAR, becomes tEXO on the AMM and goes to those who stake tEXO.

Nothing forces an execution price: the sale is a market order, and a thin pool moves against it.

Source: 004_7b43fd311786c790.txt, "Protocol Fee"; the two steps and the limit of the sale from MECHANICS.md section 1, "Fee flow".
"""

from __future__ import annotations

from seawall.protocols import amm, staking
from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import COLLECTOR_ACCOUNT, Floats, Row

MAX_SPREAD = 0.5  # fraction; limit of the public implementation's sale for its governance token


@rule
def convert(pool: Row, wallets: Floats, token: int, max_spread: float) -> tuple[Status, float]:
    """Sell all that the collector holds of a token for the other token of a pool.

    Args:
        pool: row of `World.pools`: the tEXO-tDOLLAR pair; fees and volume changed.
        wallets: `[accounts, tokens]`; changed through the ledger.
        token: row of tokens, sold: tDOLLAR, where it is the fee.
        max_spread: fraction; 1 accepts any price.

    Returns:
        (OK, tokens received), or (BAD_AMOUNT, EMPTY_POOL, EXCEEDS_MAX_SPREAD; 0) with nothing changed. BAD_AMOUNT also when there is
        nothing to sell.
    """
    return amm.swap(pool, wallets, COLLECTOR_ACCOUNT, token, wallets[COLLECTOR_ACCOUNT, token], max_spread)


@rule
def distribute(stake_pool: Row, wallets: Floats) -> tuple[Status, float]:
    """Pay all that the collector holds of a staking pool's reward token to those who are bonded there.

    Args:
        stake_pool: row of `World.stake_pools`: that of tEXO; changed.
        wallets: `[accounts, tokens]`; changed through the ledger.

    Returns:
        (OK, tokens paid), or (NOT_REWARDED, BAD_AMOUNT; 0) with nothing changed. BAD_AMOUNT when there is nothing to pay.
    """
    amount = wallets[COLLECTOR_ACCOUNT, stake_pool.reward_token]
    status = staking.deposit_reward(stake_pool, wallets, COLLECTOR_ACCOUNT, amount)
    return status, amount if status == Status.OK else 0.0
