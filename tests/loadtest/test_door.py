"""Of an overloaded run: who got in, who was refused in time, and when all was as before."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.door import STRETCH_S, Load, load_of, recovered_s
from loadtest.offered import ID_CHARS, Answers, Result

#: When it was due (ms), how long it took (ms), status, Retry-After.
Asked = tuple[float, float, int, int]
SECONDS = 4.0


def answers(name: str, asked: Sequence[Asked]) -> Answers:
    """What came of these requests."""
    at, took, status, retry = zip(*asked, strict=True) if asked else ((), (), (), ())
    nothing = array("I", bytes(4 * len(asked))).tobytes()
    return Answers(
        name=name,
        rate=1.0,
        at_us=array("I", [round(each * 1e3) for each in at]).tobytes(),
        sent_us=nothing,
        latency_us=array("I", [round(each * 1e3) for each in took]).tobytes(),
        status=array("H", status).tobytes(),
        retry_after_s=array("h", retry).tobytes(),
        body=nothing,
        ids=b" " * ID_CHARS * len(asked),
    )


def result(asked: Sequence[Asked], leaving: Sequence[Asked] = ()) -> Result:
    """A run with these decisions and withdrawals."""
    return Result(
        started_us=0,
        started_monotonic_ns=0,
        seconds=SECONDS,
        offered=len(asked) + len(leaving),
        achieved_per_s=100.0,
        lag_ms={"p50": 0.1, "p99": 1.0, "max": 2.0},
        cpu_share=0.1,
        faults=(),
        streams=(answers("decisions", asked), answers("withdrawals", leaving)),
    )


def load(asked: Sequence[Asked], leaving: Sequence[Asked] = ()) -> Load:
    """The same against a door for ten a second, at twice that."""
    return load_of(result(asked, leaving), 2.0, 10, SECONDS, 1 << 20)


def test_what_was_let_in_is_counted_with_the_withdrawals() -> None:
    asked = [(n * 100.0, 5.0, 200, -1) for n in range(36)]
    asked += [(n * 100.0 + 1, 2.0, 503, 2) for n in range(36)]
    made = load(asked, [(n * 1_000.0, 8.0, 200, -1) for n in range(3)] + [(3_500.0, 9.0, 500, -1)])
    assert made.accepted == 9.0
    assert made.goodput == pytest.approx((36 + 3) / (10 * SECONDS))
    assert made.statuses == {"200": 36, "503": 36}
    assert (made.withdrawals, made.withdrawn) == (4, 3)
    assert made.offered == 20.0


@given(st.lists(st.tuples(st.floats(501, 3_999), st.floats(0.1, 60)), min_size=1, max_size=40))
def test_a_refusal_is_in_time_up_to_twenty_milliseconds(took: list[tuple[float, float]]) -> None:
    made = load([(at, ms, 503, 2) for at, ms in took])
    in_time = sum(round(ms * 1e3) <= 20_000 for _, ms in took)
    assert made.refused_in_time == pytest.approx(in_time / len(took))
    assert made.refused_p99_ms <= max(ms for _, ms in took) + 0.001


def test_the_beginning_of_a_flood_counts_as_all_of_it_does() -> None:
    made = load([(0, 90, 503, 2), (1, 80, 200, -1), (900, 7, 503, 3), (901, 6, 200, -1)])
    assert (made.refused_p99_ms, made.accepted_p99_ms) == (90, 80)


def test_what_refusals_say_of_coming_back_is_counted_and_silence_as_well() -> None:
    made = load([(1, 1, 503, 2), (2, 1, 503, 3), (3, 1, 429, 3), (4, 1, 503, -1), (5, 1, 200, -1)])
    assert made.retry_after_s == {"2": 1, "3": 2, "none": 1}


def test_all_is_as_before_from_the_first_stretch_without_refusal_and_delay() -> None:
    stretch = STRETCH_S * 1e3
    refused = [(10.0, 1.0, 503, 2), (20.0, 5.0, 200, -1)]
    slow = [(stretch + 10, 100.0, 200, -1)]
    well = [(2 * stretch + n, 5.0, 200, -1) for n in range(20)]
    assert recovered_s(result([*refused, *slow, *well]), p99_ms=10) == 2 * STRETCH_S
    assert recovered_s(result(well), p99_ms=10) == 2 * STRETCH_S
    assert recovered_s(result([*refused, *slow]), p99_ms=10) == 2 * STRETCH_S, "not in this run"
    assert recovered_s(result(slow), p99_ms=50) == STRETCH_S
