"""Time is exact: microseconds in, microseconds out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import (
    DAY_US,
    SHANGHAI,
    FixedClock,
    SystemClock,
    from_us,
    rfc3339,
    shanghai_midnight_after,
    to_us,
)

MOMENTS = st.integers(0, to_us(datetime(9999, 1, 1, tzinfo=UTC)))


@given(MOMENTS)
def test_a_moment_survives_being_a_datetime(moment: int) -> None:
    assert to_us(from_us(moment)) == moment


@given(MOMENTS)
def test_a_written_moment_has_24_characters_and_is_never_later(moment: int) -> None:
    text = rfc3339(moment)
    assert len(text) == 24
    assert 0 <= moment - to_us(datetime.fromisoformat(text)) < 1000


@given(MOMENTS)
def test_the_next_midnight_is_shanghais_and_within_a_day(moment: int) -> None:
    midnight = shanghai_midnight_after(moment)
    assert 0 < midnight - moment <= DAY_US
    local = from_us(midnight).astimezone(SHANGHAI)
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)


def test_a_naive_datetime_names_no_instant() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001  # what is refused


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(5)
    assert (clock.now_us(), clock.now_us()) == (5, 5)
    clock.advance(seconds=1.5)
    assert clock.now_us() == 1_500_005
    clock.advance(seconds=-1.5)
    assert clock.now_us() == 5


def test_the_systems_clock_tells_the_time_of_day() -> None:
    now = datetime.now(UTC)
    assert abs(from_us(SystemClock().now_us()) - now) < timedelta(minutes=1)
