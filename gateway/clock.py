"""The clock that everything else is given: time comes in through the door.

Inside the gateway a time is an integer count of microseconds since the Unix epoch, UTC. Seconds
appear only at the edge of tokens (RFC 7519 NumericDate), Asia/Shanghai only where people read.
The truth about time at a commit is PostgreSQL's `clock_timestamp()`; this clock only says at
which instant a decision is first tried.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Protocol

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

#: China Standard Time has had no daylight saving since 1991, so a fixed offset is exact.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Something that tells the time."""

    def now_us(self) -> int:
        """The time in microseconds since the Unix epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never run backwards: for deadlines."""
        ...


class SystemClock:
    """The machine's clock."""

    #: The C function itself: it is called several times for each decision.
    monotonic = staticmethod(time.monotonic)

    def now_us(self) -> int:
        return time.time_ns() // 1000


class FixedClock:
    """A clock that stands still until it is moved: for tests and replays."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def monotonic(self) -> float:
        return self._now_us / SECOND_US

    def advance(self, *, seconds: float) -> None:
        """Move forward (or, with a negative figure, backward)."""
        self._now_us += round(seconds * SECOND_US)


def to_us(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly.

    Raises:
        ValueError: the datetime is naive, so it names no instant.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    return (moment - _EPOCH) // _MICROSECOND


def from_us(moment_us: int) -> datetime:
    """The aware UTC datetime of a count of microseconds, exactly."""
    return _EPOCH + moment_us * _MICROSECOND


def rfc3339(moment_us: int) -> str:
    """`2026-11-22T08:30:00.123Z`: always 24 characters, milliseconds, rounded down.

    The fixed width keeps answers of equal size whatever the instant, and rounding down never
    makes an answer look valid for longer than it is.
    """
    seconds, micros = divmod(moment_us, SECOND_US)
    return f"{_to_the_second(seconds)}.{micros // 1000:03}Z"


@lru_cache(maxsize=256)
def _to_the_second(seconds: int) -> str:
    # Thousands of answers fall into one second; formatting it once is the cheaper half of each.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def shanghai_midnight_after(moment_us: int) -> int:
    """The next midnight in Asia/Shanghai after an instant, in microseconds since the epoch."""
    shift = 8 * HOUR_US
    return ((moment_us + shift) // DAY_US + 1) * DAY_US - shift
