"""China's working days, from a maintained library, as plain data for the pure scenarios.

The `holidays` package follows the State Council's yearly notices, make-up working days on
weekends included. A year whose notice it does not hold has no make-up days; `covers` ends before
it, and a scenario that looks further answers `cannot_assess` instead of guessing.
"""

from __future__ import annotations

from datetime import date, timedelta
from importlib.metadata import version

from holidays import HolidayBase, country_holidays

from scenarios.calendar import Calendar

_FIRST_YEAR = 2024


def calendar() -> Calendar:
    """The calendar from 2024 to the last year that the library knows in full."""
    last = _FIRST_YEAR
    while _make_up_days(last + 1):
        last += 1
    years = range(_FIRST_YEAR, last + 1)
    workdays = frozenset(day for year in years for day in _make_up_days(year))
    days_off = frozenset(_china(years)) - workdays
    return Calendar(
        holidays=days_off,
        workdays=workdays,
        source=f"holidays {version('holidays')}, China",
        covers=(date(_FIRST_YEAR, 1, 1), date(last, 12, 31)),
    )


def _make_up_days(year: int) -> list[date]:
    """Weekend days of a year that are worked."""
    known = _china(range(year, year + 1))
    first = date(year, 1, 1)
    days = (first + timedelta(days=offset) for offset in range(366))
    return [d for d in days if d.year == year and d.weekday() >= 5 and known.is_working_day(d)]


def _china(years: range) -> HolidayBase:
    return country_holidays("CN", years=years)
