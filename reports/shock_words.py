"""Shocks in words: a short label for a figure, a sentence for a list of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seawall.reports.words import duration, number, percent, usd

Shock = Mapping[str, Any]
"""A shock of a manifest: `asset`, `at_s`, `kind` (a change where it has none) and the terms of its kind, in seconds and fractions."""


def label(shock: Shock) -> str:
    """What it does, in a few letters."""
    return _LABELS[_kind(shock)](shock)


def sentence(shock: Shock) -> str:
    """What it does to whom, and when."""
    return f"{shock['asset']} {_SENTENCES[_kind(shock)](shock)}, {duration(shock['at_s'])} after the start."


def _kind(shock: Shock) -> str:
    return str(shock.get("kind", "change"))


def _signed(fraction: float) -> str:
    return ("+" if fraction > 0 else "") + percent(fraction)


def _moves(fraction: float) -> str:
    return f"{'rises' if fraction > 0 else 'falls'} by {percent(abs(fraction))}"


_LABELS: dict[str, Callable[[Shock], str]] = {
    "change": lambda shock: _signed(shock["change"]),
    "gap": lambda shock: f"gap {_signed(shock['change'])}",
    "drift": lambda shock: f"{_signed(shock['per_day'])} a day",
    "volatility_burst": lambda shock: f"volatility x {number(shock['factor'])}",
    "depeg": lambda shock: f"to {usd(shock['level_usd'])}",
}
_SENTENCES: dict[str, Callable[[Shock], str]] = {
    "change": lambda shock: _moves(shock["change"]),
    "gap": lambda shock: f"{_moves(shock['change'])} at the next open",
    "drift": lambda shock: f"{_moves(shock['per_day'])} a day for {duration(shock['duration_s'])}",
    "volatility_burst": lambda shock: f"is {number(shock['factor'])} times as volatile for {duration(shock['duration_s'])}",
    "depeg": lambda shock: f"goes to {usd(shock['level_usd'])}",
}
