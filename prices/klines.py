"""Bars from an exchange that answers `GET /api/v3/klines` as Binance does, over plain HTTP.

Source: Binance, "Rest API for Binance", sections "General API information" (status codes, errors) and "Kline/Candlestick data".
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from seawall.prices.market_data import Busy, FetchError

BINANCE = "https://api.binance.com"
MAX_LIMIT = 1_000  # bars of one page, by the exchange's own rules
MAX_ANSWER_BYTES = 16 * 2**20  # of a page; 1,000 bars are about 200 kB
TOO_MANY, BANNED, SERVER = 429, 418, 500
MEMBERS = 6  # start, open, high, low, close, volume; what follows is not read


@dataclass(frozen=True, slots=True)
class Klines:
    """An exchange at a base URL; satisfies `market_data.Exchange`.

    Attributes:
        base_url: scheme, host and port, http or https.
        timeout_s: seconds to wait for an answer, > 0.
    """

    base_url: str = BINANCE
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse (ValueError) a URL that is none of the web, so that no file is ever read."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"base_url(={self.base_url!r}) must begin with http:// or https:// and a host")

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> Sequence[Sequence[float]]:
        """One page of bars (see `market_data.Exchange`)."""
        count = min(limit, MAX_LIMIT)
        asked = {"symbol": symbol, "interval": timeframe, "startTime": since, "limit": count}
        url = f"{self.base_url.rstrip('/')}/api/v3/klines?{urlencode(asked)}"
        return [self._bar(kline) for kline in self._klines(url)]

    def _klines(self, url: str) -> list[Any]:
        try:
            with urlopen(Request(url, headers={"Accept": "application/json"}), timeout=self.timeout_s) as answer:
                text = answer.read(MAX_ANSWER_BYTES + 1)
        except HTTPError as error:
            with error:
                raise _refusal(self.base_url, error) from None
        except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
            raise Busy(f"{self.base_url}: {getattr(error, 'reason', error)}") from None
        if len(text) > MAX_ANSWER_BYTES:
            raise FetchError(f"{self.base_url}: answers with more than {MAX_ANSWER_BYTES} bytes")
        try:
            klines = json.loads(text)
        except ValueError:
            raise Busy(f"{self.base_url}: answers with what is no JSON: {text[:60]!r}") from None
        if not isinstance(klines, list):
            raise FetchError(f"{self.base_url}: answers with {str(klines)[:120]} instead of a list of bars")
        return klines

    def _bar(self, kline: Any) -> list[float]:
        try:
            return [float(member) for member in (kline[i] for i in range(MEMBERS))]
        except (TypeError, ValueError, LookupError):
            raise FetchError(f"{self.base_url}: {str(kline)[:120]} is no bar of start, open, high, low, close, volume") from None


def _refusal(base_url: str, error: HTTPError) -> FetchError:
    """What a status other than success means: come again later, or do not."""
    said = f"{base_url}: HTTP {error.code}: {_message(error)}"
    if error.code in (TOO_MANY, BANNED) or error.code >= SERVER:
        return Busy(said, _retry_after(error.headers))
    return FetchError(said)


def _message(error: HTTPError) -> str:
    """The exchange's own words, such as "Invalid symbol.", or those of the status."""
    try:
        text = error.read(4_096).decode(errors="replace")
        return str(json.loads(text)["msg"])[:200]
    except (ValueError, LookupError, TypeError, OSError, HTTPException):
        return str(error.reason)


def _retry_after(headers: Message) -> float | None:
    """Seconds that the answer asks to wait; None if it gives none, or a date."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
