"""Days as the city counts them: Asia/Shanghai dates, public holidays, make-up working days."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

MINUTE_US = 60 * 1_000_000
DAY_US = 24 * 60 * MINUTE_US
#: Asia/Shanghai has been UTC+8 without summer time since 1991-09-15, before any decision here.
SHANGHAI_US = 8 * 60 * MINUTE_US
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_SATURDAY = 5


class Calendar(msgspec.Struct, frozen=True):
    """Which days are worked in mainland China, between two dates.

    `holidays` are days off by the State Council's yearly notice, `workdays` the weekend days
    that are worked in exchange. `covers` is the first and the last date it speaks for; outside
    it a scenario that asks for working days answers `cannot_assess`.
    """

    holidays: frozenset[date]
    workdays: frozenset[date]
    source: str
    covers: tuple[date, date]

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`: a weekday that is no holiday, or a make-up day."""
        if day in self.workdays:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def window_us(self) -> tuple[int, int]:
        """The closed-open interval of instants that the calendar speaks for (microseconds)."""
        first, last = self.covers
        return midnight_us(first), midnight_us(last + timedelta(days=1))


def day_number(t: int) -> int:
    """The day in Asia/Shanghai of instant `t` (microseconds), counted from 1970-01-01."""
    return (t + SHANGHAI_US) // DAY_US


def time_of_day_us(t: int) -> int:
    """How long after midnight in Asia/Shanghai `t` is, both in microseconds."""
    return (t + SHANGHAI_US) % DAY_US


def to_date(number: int) -> date:
    """The date of a day number; the inverse of counting days from 1970-01-01."""
    return date.fromordinal(number + _EPOCH_ORDINAL)


def to_day_number(day: date) -> int:
    """The day number of a date."""
    return day.toordinal() - _EPOCH_ORDINAL


def midnight_us(day: date) -> int:
    """The instant at which `day` begins in Asia/Shanghai, in microseconds."""
    return to_day_number(day) * DAY_US - SHANGHAI_US
