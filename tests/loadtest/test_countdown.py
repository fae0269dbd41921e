"""What is said to be left is never negative, and learns from what was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.countdown import Countdown

SECONDS = st.floats(0.1, 500)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=6))
def test_at_the_end_nothing_is_left_and_never_less(parts: list[tuple[float, float]]) -> None:
    clock = Clock()
    countdown = Countdown({f"{n}": thought for n, (thought, _) in enumerate(parts)}, clock)
    for number, (_, took) in enumerate(parts):
        countdown.begin(f"{number}")
        assert countdown.left_s() > 0
        clock.now += took
        assert countdown.left_s() >= 0
        said = countdown.says("asking")
        assert said.startswith(f"{number + 1}/{len(parts)} {number}: asking")
        countdown.end()


def test_a_first_part_that_took_twice_as_long_makes_the_others_be_thought_twice_as_long() -> None:
    clock = Clock()
    countdown = Countdown({"one": 10, "two": 20, "three": 30}, clock)
    countdown.begin("one")
    assert countdown.left_s() == 60
    clock.now += 20
    countdown.end()
    countdown.begin("two")
    assert countdown.left_s() == pytest.approx(100)
    clock.now += 15
    assert countdown.left_s() == pytest.approx(85)
    assert countdown.says("half") == "2/3 two: half · 1 min 25 s left"
