"""Oracle feeds: who may publish a price, and for how long it counts.

Source: 004_7b43fd311786c790.txt, "Price" and "Oracle Feeder"; the boundary (60 s old is valid, 61 s is not) from MECHANICS.md section 1.
"""

from __future__ import annotations

from seawall.protocols.compiled import rule
from seawall.protocols.status import Status
from seawall.protocols.tables import Row


@rule
def is_fresh(feed: Row, now: float) -> bool:
    """Tell whether the last price may still be used: its age is at most `valid_for` seconds."""
    return bool(feed.updated_at >= now - feed.valid_for)


@rule
def publish(feed: Row, feeder: int, price: float, now: float) -> Status:
    """Register a new price.

    Args:
        feed: row of `World.feeds`; changed.
        feeder: account that publishes; only the feed's own feeder may.
        price: USD per token, > 0 and finite.
        now: seconds since the start.

    Returns:
        OK, or UNAUTHORIZED, TASSET_DELISTED (the end price stands), BAD_AMOUNT with nothing changed.
    """
    if feeder != feed.feeder:
        return Status.UNAUTHORIZED
    if feed.is_frozen:
        return Status.TASSET_DELISTED
    if not 0.0 < price < float("inf"):
        return Status.BAD_AMOUNT
    feed.price = price
    feed.updated_at = now
    return Status.OK


@rule
def freeze(feed: Row) -> None:
    """Let the last price stand for ever."""
    feed.is_frozen = True
    feed.updated_at = float("inf")
