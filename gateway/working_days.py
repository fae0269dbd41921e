"""China's working days, from a maintained library, as plain data for the pure scenarios.

The `holidays` package follows the State Council's yearly notices, make-up working days on
weekends included. A year whose notice it does not hold has no make-up days; `covers` ends before
it, and a scenario that looks further answers `cannot_assess` instead of guessing.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from importlib.metadata import version

from holidays import country_holidays

from scenarios.calendar import Calendar

_ONE_DAY = timedelta(days=1)
_FIRST_YEAR = 2024
#: How far ahead the library is asked; the State Council's notice is for one year.
_YEARS_MAX = 10


@cache
def calendar() -> Calendar:
    """The calendar from 2024 to the last year that the library knows in full."""
    known = country_holidays("CN", years=range(_FIRST_YEAR, _FIRST_YEAR + _YEARS_MAX))
    make_up_years = {day.year for day in known.weekend_workdays}
    last = _FIRST_YEAR
    while last + 1 in make_up_years:
        last += 1
    covers = date(_FIRST_YEAR, 1, 1), date(last, 12, 31)
    workdays = frozenset(day for day in known.weekend_workdays if covers[0] <= day <= covers[1])
    return Calendar(
        holidays=frozenset(day for day in known if covers[0] <= day <= covers[1]) - workdays,
        workdays=workdays,
        source=f"holidays {version('holidays')}, China",
        covers=covers,
    )


def working_day_after(day: date, count: int) -> date:
    """The last day of a period of so many working days that begins after `day`.

    Beyond what the calendar covers every weekday is taken for a working day: the period then ends
    no later than it should.
    """
    while count > 0:
        day += _ONE_DAY
        count -= calendar().is_working_day(day)
    return day
