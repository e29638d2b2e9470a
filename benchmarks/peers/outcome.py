"""What a peer's run came to, to set beside Seawall's: the same rules must lead to about the same figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one whole run; USD, and numbers of things; `min_system_collateral_ratio` is a fraction."""

    liquidations: int
    liquidated_debt_usd: float
    debt_end_usd: float
    shortfall_peak_usd: float
    insolvent_cdps_peak: int
    min_system_collateral_ratio: float
    volume_usd: float
    lp_fees_usd: float
