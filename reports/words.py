"""Numbers as people read them: 12,345 USD; 1.2%; 3 h 20 min.

Everything inside Seawall is in USD, seconds and fractions; only the last step before a reader turns them into words, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import category

from markupsafe import Markup

NOT_COMPUTED = "not computed"
MINUTE, HOUR, DAY = 60, 3600, 86_400
_MILLIONS_FROM = 1e7  # below, every digit is shown
_WHOLE_FROM = 1000.0  # from here on, cents are noise
_CENT = 0.01
_MOST_DIGITS = 12
_LEAST_WRITTEN_OUT = 1e-7


def number(value: float, more: int = 0) -> str:
    """A plain number with thousands separators: whole from 1,000 up, otherwise four significant digits; `more` digits than that."""
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if math.isnan(value):
        return "undefined"
    if abs(value) >= _MILLIONS_FROM:
        return f"{value / 1e6:,.{1 + more}f} million"
    if abs(value) >= _WHOLE_FROM or value == int(value):
        return f"{value:,.{more}f}" if value != int(value) else f"{round(value):,}"
    return f"{value:.{4 + more}g}"


def apart(values: Sequence[float]) -> list[str]:
    """Numbers, with as many more digits as tell unequal ones apart."""
    texts: list[str] = []
    for more in range(_MOST_DIGITS):
        texts = [number(value, more) for value in values]
        if len(set(texts)) >= len(set(values)):
            break
    return texts


def amount(value: float) -> str:
    """An amount of USD without its unit; cents below 1,000 only."""
    if math.isfinite(value) and abs(value) < _WHOLE_FROM and value != int(value):
        return f"{value:.2f}" if abs(value) >= _CENT else _below_a_cent(value)
    return number(value)


def _below_a_cent(value: float) -> str:
    """One significant digit, written out as long as anybody would read it."""
    if abs(value) < _LEAST_WRITTEN_OUT:
        return f"{value:.1g}"
    return f"{value:.{math.ceil(-math.log10(abs(value)))}f}".rstrip("0")


def usd(value: float) -> str:
    """An amount of USD."""
    return f"{amount(value)} USD"


def percent(fraction: float) -> str:
    """A fraction as a percentage, at most three significant digits below 1,000%: 0.0123 is 1.23%."""
    hundredfold = fraction * 100
    if not math.isfinite(hundredfold) or abs(hundredfold) >= _WHOLE_FROM:
        return number(hundredfold) + "%"
    return f"{hundredfold:.3g}%" if hundredfold else "0%"


def confidence(share: float) -> str:
    """A confidence as a percentage, in as many digits as keep it below 100%: 95%, 98.3333%, 99.9988%."""
    return f"{share * 100:.6g}%"


def duration(seconds: float) -> str:
    """A time span in its two largest units: 45 s, 12 min 30 s, 3 h 20 min, 2 d 4 h."""
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 0:
        return "-" + duration(-seconds)
    for size, name, part, part_name in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1, "s")):
        whole, rest = divmod(round(seconds / part), size // part)
        if whole:
            return f"{whole} {name} {rest} {part_name}" if rest else f"{whole} {name}"
    return f"{seconds:.3g} s"


def quantity(value: float | None, unit: str) -> str:
    """A headline figure in its unit.

    Args:
        value: in `unit`; None or NaN where it could not be computed.
        unit: "USD", "fraction", "count", "seconds", "per_year" or "tokens".
    """
    return NOT_COMPUTED if value is None or math.isnan(value) else _IN_WORDS[unit](value)


_IN_WORDS: dict[str, Callable[[float], str]] = {
    "USD": usd,
    "fraction": percent,
    "count": number,
    "seconds": duration,
    "per_year": lambda value: f"{percent(value)} per year",
    "tokens": lambda value: f"{number(value)} tokens",
}


def label_of(code: str) -> str:
    """A status or column name in words: `STALE_PRICE` reads stale price."""
    return code.replace("_", " ").lower()


def plain(name: str) -> str:
    """A name of a study in words: capital_efficiency reads capital efficiency."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """Text with a large first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def on_page(value: Any) -> Any:
    """What a page shows of a value: of text no control characters, nor any that turn the order of letters, so that names cannot pose."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    unseen = [letter for letter in set(value) - {"\n", "\t"} if category(letter) in _UNSEEN]  # once each: figures are long texts
    return value.translate({ord(letter): " " for letter in unseen}) if unseen else value


def printable(text: str) -> str:
    """Text without control characters, so that a scenario's name cannot steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
