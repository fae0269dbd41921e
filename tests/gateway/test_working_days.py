"""The calendar is the State Council's, and says where it ends."""

from __future__ import annotations

from datetime import date

from gateway.working_days import calendar


def test_the_national_day_is_off_and_its_make_up_days_are_worked() -> None:
    # 国务院办公厅, 2026 年节假日安排: 国庆节 1 日至 7 日放假, 9 月 20 日与 10 月 10 日上班.
    known = calendar()
    assert not any(known.is_working_day(date(2026, 10, day)) for day in range(1, 8))
    assert known.is_working_day(date(2026, 10, 8))
    assert known.is_working_day(date(2026, 9, 20))  # a Sunday
    assert known.is_working_day(date(2026, 10, 10))  # a Saturday
    assert not known.is_working_day(date(2026, 10, 11))  # a Sunday like any other


def test_it_covers_whole_years_for_which_a_notice_is_known() -> None:
    known = calendar()
    first, last = known.covers
    assert (first.month, first.day, last.month, last.day) == (1, 1, 12, 31)
    assert {day.year for day in known.workdays} == set(range(first.year, last.year + 1))
    assert all(first <= day <= last for day in known.holidays | known.workdays)
    assert not known.holidays & known.workdays
    assert known.source.startswith("holidays ")
