"""Days as the city counts them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.calendar import day_number, midnight_us, time_of_day_us, to_date, to_day_number
from tests.scenarios.worlds import CALENDAR, us


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 1, 5), True),  # Monday
        (date(2026, 1, 10), False),  # Saturday
        (date(2026, 1, 1), False),  # holiday on a Thursday
        (date(2026, 1, 4), True),  # Sunday, worked in exchange
    ],
)
def test_a_working_day_is_a_weekday_or_made_up_for(day: date, worked: bool) -> None:
    assert CALENDAR.is_working_day(day) is worked


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    midnight = us("2026-01-05T00:00:00+08:00")
    assert midnight_us(date(2026, 1, 5)) == midnight
    assert to_date(day_number(midnight)) == date(2026, 1, 5)
    assert to_date(day_number(midnight - 1)) == date(2026, 1, 4)


def test_the_calendar_speaks_for_its_last_day_to_the_end() -> None:
    start, end = CALENDAR.window_us()
    assert start == us("2025-12-20T00:00:00+08:00")
    assert end == us("2026-02-21T00:00:00+08:00")


@given(st.integers(0, 4_102_444_800_000_000).filter(lambda t: t > 700_000_000_000_000))
def test_eight_hours_ahead_is_what_the_zone_database_says(t: int) -> None:
    """From 1992 on; the constant stands for a zone file that a pure package cannot read."""
    local = datetime.fromtimestamp(t // 1_000_000, ZoneInfo("Asia/Shanghai"))
    assert to_date(day_number(t)) == local.date()
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    assert time_of_day_us(t) // 1_000_000 == seconds


def test_day_numbers_count_from_the_epoch() -> None:
    assert to_day_number(date(1970, 1, 1)) == 0
    assert to_date(to_day_number(date(2026, 11, 2))) == date(2026, 11, 2)
