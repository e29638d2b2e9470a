"""Trading sessions: half-days, holidays, daylight saving, and calendars nobody has."""

from datetime import UTC, date, datetime

import pytest

from seawall.scenarios.sessions import open_minutes


def test_a_regular_day_is_half_past_nine_to_four_in_new_york() -> None:
    [session] = open_minutes("XNYS", date(2008, 10, 13), date(2008, 10, 13))
    assert session.day == date(2008, 10, 13)
    assert session.opens == datetime(2008, 10, 13, 13, 30, tzinfo=UTC)
    assert session.closes == datetime(2008, 10, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2008, 11, 28), date(2008, 12, 24)])
def test_a_half_day_closes_at_one_in_new_york(day: date) -> None:
    [session] = open_minutes("XNYS", day, day)
    assert session.closes == datetime(day.year, day.month, day.day, 18, tzinfo=UTC)


def test_holidays_and_weekends_have_no_session() -> None:
    days = [session.day for session in open_minutes("XNYS", date(2008, 11, 26), date(2008, 12, 1))]
    assert days == [date(2008, 11, 26), date(2008, 11, 28), date(2008, 12, 1)]
    assert open_minutes("XNYS", date(2008, 11, 29), date(2008, 11, 30)) == []


def test_daylight_saving_moves_the_open_in_utc() -> None:
    sessions = open_minutes("XNYS", date(2008, 10, 31), date(2008, 11, 3))
    assert [session.opens.hour for session in sessions] == [13, 14]


def test_an_alias_and_a_market_that_never_closes() -> None:
    day = date(2022, 3, 14)
    assert open_minutes("NYSE", day, day) == open_minutes("XNYS", day, day)
    first, second = open_minutes("24/7", day, date(2022, 3, 15))
    assert first.closes == second.opens


@pytest.mark.parametrize(("name", "hint"), [("XNIS", "did you mean .*XNYS"), ("nyse", "did you mean NYSE"), ("???", "XNYS and 24/7")])
def test_an_unknown_calendar_is_refused_with_close_matches(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=rf"calendar\(='.*'\) is unknown; .*{hint}"):
        open_minutes(name, date(2022, 3, 14), date(2022, 3, 15))


def test_dates_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"last\(=2022-03-14\) must not be before first\(=2022-03-15\)"):
        open_minutes("XNYS", date(2022, 3, 15), date(2022, 3, 14))
