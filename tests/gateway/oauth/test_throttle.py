"""The bound on attempts: a burst, a rate, a bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import FixedClock
from gateway.oauth import throttle
from gateway.oauth.throttle import Throttle


def test_after_the_burst_an_attempt_waits_for_its_turn() -> None:
    clock = FixedClock(0)
    bucket = Throttle(clock, per_s=0.5, burst=3)
    assert [bucket.wait_s("a") for _ in range(5)] == [0, 0, 0, 2, 2]
    clock.advance(seconds=2)
    assert [bucket.wait_s("a") for _ in range(2)] == [0, 2]


def test_names_do_not_share_an_allowance() -> None:
    bucket = Throttle(FixedClock(0), per_s=1, burst=1)
    assert [bucket.wait_s(name) for name in "abab"] == [0, 0, 1, 1]


def test_memory_is_bounded_and_the_longest_silent_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(throttle, "REMEMBERED", 2)
    bucket = Throttle(FixedClock(0), per_s=1, burst=1)
    assert [bucket.wait_s(name) for name in "abac"] == [0, 0, 1, 0]
    assert bucket.wait_s("a") == 1  # b was silent for longer
    assert bucket.wait_s("b") == 0


@given(
    st.lists(st.floats(0, 3), max_size=60),
    st.integers(1, 8),
    st.sampled_from([0.25, 1.0, 4.0]),
)
def test_no_rhythm_gets_more_than_burst_and_rate(
    pauses: list[float], burst: int, per_s: float
) -> None:
    clock = FixedClock(0)
    bucket = Throttle(clock, per_s=per_s, burst=burst)
    allowed = 0
    for pause in pauses:
        clock.advance(seconds=pause)
        allowed += bucket.wait_s("a") == 0
        assert allowed <= burst + per_s * clock.monotonic() + 1e-3


@given(st.integers(1, 20), st.sampled_from([0.25, 1.0, 4.0]))
def test_who_waits_as_told_is_let_in(burst: int, per_s: float) -> None:
    clock = FixedClock(0)
    bucket = Throttle(clock, per_s=per_s, burst=burst)
    for _ in range(burst + 5):
        if wait_s := bucket.wait_s("a"):
            clock.advance(seconds=wait_s)
            assert bucket.wait_s("a") == 0
