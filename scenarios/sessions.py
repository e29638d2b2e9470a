"""Trading sessions of an exchange, half-days and holidays included, from the calendars of exchange_calendars."""

from __future__ import annotations

import difflib
import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from pandas import NaT


class Session(NamedTuple):
    """One trading day: its date at the exchange, its first and last instant in UTC, and its lunch break if it has one."""

    day: date
    opens: datetime
    closes: datetime
    break_starts: datetime | None = None
    break_ends: datetime | None = None

    def stretches(self) -> list[tuple[datetime, datetime]]:
        """The times from one bell to the next between which there is trading."""
        if self.break_starts is None or self.break_ends is None:
            return [(self.opens, self.closes)]
        return [(self.opens, self.break_starts), (self.break_ends, self.closes)]


def open_minutes(calendar: str, first: date, last: date) -> list[Session]:
    """Sessions of an exchange from one date to another, both included, in order.

    Args:
        calendar: its name, a market code such as "XNYS" or "24/7", or an alias such as "NYSE".
        first: first date, at the exchange.
        last: last date, >= first.

    Returns:
        One session a trading day; none when the dates hold only weekends or holidays.

    Raises:
        ValueError: the calendar is unknown (the text offers close matches), the dates are in the wrong order, or its holidays are not
            recorded that far back or ahead.
    """
    # Here, not above: the import takes half a second that a scenario without sessions need not wait for.
    from exchange_calendars import errors, get_calendar, get_calendar_names

    if last < first:
        raise ValueError(f"last(={last}) must not be before first(={first})")
    names = get_calendar_names()
    if calendar not in names:
        near = difflib.get_close_matches(calendar.upper(), names, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}" if near else "XNYS and 24/7 are examples"
        raise ValueError(f"calendar(={calendar!r}) is unknown; {hint}")
    with warnings.catch_warnings():
        # exchange_calendars 4.13 reads a Series attribute that pandas 3.1 deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            # Without explicit bounds a calendar knows the last 20 years only; it refuses equal bounds, hence the extra day.
            schedule = get_calendar(calendar, start=first, end=last + timedelta(days=1)).schedule
        except errors.NoSessionsError:
            return []
    columns = (schedule[name] for name in ("open", "close", "break_start", "break_end"))
    sessions = (Session(day.date(), *map(_utc, bells)) for day, *bells in zip(schedule.index, *columns, strict=True))
    return [session for session in sessions if session.day <= last]


def _utc(bell: Any) -> Any:
    return None if bell is NaT else bell.to_pydatetime().astimezone(UTC)
