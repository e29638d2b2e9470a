"""What each line of the waterfall over all protocols means: gains against holding what everybody started with."""

from __future__ import annotations

from seawall.reports.definition import GAIN, LOSS, Definition

_AGAINST_HOLDING = "Less what they held at the start, both at prices of the end."
_EXCHANGE = "As in the exchange's own waterfall."

_OWNED = {
    "gain_cdp_owners_usd": ("CDP owners", f"Tokens in wallets and collateral less debt of CDPs. {_AGAINST_HOLDING}"),
    "gain_liquidators_usd": ("liquidators", f"Tokens in wallets; gas is paid outside. {_AGAINST_HOLDING}"),
    "gain_swap_traders_usd": ("swap traders", f"Tokens in wallets. {_AGAINST_HOLDING}"),
    "gain_arbitrageurs_usd": ("arbitrageurs", f"Tokens in wallets. {_AGAINST_HOLDING}"),
    "gain_pool_lps_usd": ("pool LPs", f"Tokens in wallets, stakes, and their part of the pools' reserves. {_AGAINST_HOLDING}"),
    "gain_stakers_usd": ("stakers", f"Tokens in wallets, and stakes with what they have earned. {_AGAINST_HOLDING}"),
    "gain_rfq_lps_usd": ("RFQ LPs", f"Tokens in wallets and positions, and their part of the RFQ market's pools. {_AGAINST_HOLDING}"),
    "gain_rfq_traders_usd": ("RFQ traders", f"Tokens in wallets of those who know no more than the oracle. {_AGAINST_HOLDING}"),
    "gain_informed_traders_usd": (
        "informed traders",
        f"Tokens in wallets of those who see the market's price before the oracle does. {_AGAINST_HOLDING}",
    ),
    "gain_protocol_usd": (
        "protocol",
        f"What is nobody's yet: fees, deposits of polls, rewards not earned, locked LP tokens, what keepers hold. {_AGAINST_HOLDING}",
    ),
    "gain_perps_traders_usd": ("perps traders", f"{_EXCHANGE} What traders own: dUSD, margin and open profit less account debt."),
    "gain_exchange_lps_usd": ("exchange LPs", f"{_EXCHANGE} What LPs own: dUSD and collateral less debt."),
    "gain_exchange_keepers_usd": ("exchange keepers", f"{_EXCHANGE} What keepers own; costs outside the market are not taken off."),
    "gain_siphon_receivers_usd": ("siphon receivers", f"{_EXCHANGE} Siphoned fees, of all receivers."),
}

GAINERS: dict[str, str] = {name: who for name, (who, _) in _OWNED.items()}
"""Whose gain each figure is, in the order of the report."""

CHECKS = {
    "unbacked_tokens_usd": Definition(
        "unbacked tokens",
        "tASSETs that exist although nobody owes them any more, because the collateral behind them is gone, at prices of the end: gains "
        "that nobody paid for. Who holds them bears the loss once they are to be redeemed.",
        "USD",
        LOSS,
    ),
    "emitted_usd": Definition(
        "new tEXO",
        "tEXO that the inflation brought into being, at its price of the end: gains that came out of nothing.",
        "USD",
        "positive: gains add up to that much more",
    ),
    "waterfall_gap_usd": Definition(
        "check: all protocols",
        "Gains of all groups but the exchange's, less unbacked tokens and new tEXO: a check of the books.",
        "USD",
        "0 within rounding",
    ),
}

MARKET_TERMS: dict[str, Definition] = {
    name: Definition(f"gain of {who}", meaning, "USD", GAIN) for name, (who, meaning) in _OWNED.items()
} | CHECKS
