"""Two staking pools for tests, one of LP tokens and one of tEXO, and people with tokens to stake."""

import numpy as np

from seawall.protocols import ledger, tables

LP, TEXO = 0, 1  # tokens
PAYER, POOLS, OWNERS = 0, (1, 3), 4  # accounts: rewards come from the first; a pool of LP tokens, one of tEXO
STAKERS = 4  # each has a stake in both pools
RICH = 1_000_000.0
HOUR = 3600.0


def set_up():
    """Pools without stakes; everybody has both tokens; two tokens a minute of inflation for a day, twice as much for tEXO."""
    tokens, wallets = np.zeros(2, tables.TOKEN), np.zeros((OWNERS + STAKERS, 2))
    pools, rows = np.zeros(2, tables.STAKE_POOL), np.zeros(2 * STAKERS, tables.STAKE)
    pools["account"], pools["staked_token"], pools["reward_token"] = POOLS, (LP, TEXO), TEXO
    pools["is_rewarded"], pools["emission_weight"] = True, (1.0, 2.0)
    rows["owner"], rows["pool"] = OWNERS + np.arange(2 * STAKERS) // 2, np.arange(2 * STAKERS) % 2
    for account in (PAYER, *range(OWNERS, OWNERS + STAKERS)):
        for token in (LP, TEXO):
            ledger.mint(wallets, tokens, token, account, RICH)
    inflation, emissions = np.zeros(1, tables.INFLATION), np.zeros(1, tables.EMISSION)
    inflation["token"], inflation["min_interval"] = TEXO, 60.0
    emissions["end"], emissions["per_second"] = 24 * HOUR, 2.0 / 60.0
    return tokens, wallets, pools, rows, inflation, emissions
