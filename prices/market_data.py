"""Where bars come from: what a source of market data must do, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from seawall.protocols.errors import SeawallError


class FetchError(SeawallError):
    """Bars that cannot be fetched or kept; the text names the source, and what it said."""


class Busy(FetchError):
    """A source that may answer later: a rate limit, a failure of its own, or the network's.

    Attributes:
        retry_after_s: seconds that the source asks to wait; None if it said nothing.
    """

    def __init__(self, said: str, retry_after_s: float | None = None) -> None:
        """Keep what the source said and how long it asks to wait."""
        self.retry_after_s = retry_after_s
        super().__init__(said)


class Exchange(Protocol):
    """A source of bars, in the shape that ccxt gave it."""

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> Sequence[Sequence[float]]:
        """One page of bars, the oldest first.

        Args:
            symbol: market, as the source names it.
            timeframe: length of a bar: a whole number and m, h or d.
            since: earliest start of a bar, milliseconds since 1970.
            limit: most bars of the page, >= 1.

        Returns:
            Bars of start (milliseconds since 1970), open, high, low, close (USD, or the market's own currency) and volume; fewer than
            `limit`, or none, where the source has no more.

        Raises:
            Busy: the source may answer later.
            FetchError: it will not.
        """
        ...
