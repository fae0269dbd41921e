"""The pure algorithm: nobody gets more than burst and rate, nobody who keeps to it gets less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import SECOND_US
from gateway.gcra import BURST_MAX, RATE_MAX, Grant, Rate, charge

RATES = st.builds(Rate, st.integers(10, SECOND_US), st.integers(1, 50))
STEPS = st.lists(st.tuples(st.integers(0, 3 * SECOND_US), st.integers(1, 80)), max_size=40)


@given(RATES, STEPS)
def test_no_rhythm_gets_more_than_burst_and_rate(rate: Rate, steps: list[tuple[int, int]]) -> None:
    full_at_us = now_us = admitted = 0
    for pause_us, count in steps:
        now_us += pause_us
        full_at_us, grant = charge(full_at_us, now_us, rate, count)
        admitted += grant.admitted
        assert 0 <= grant.admitted <= count
        assert admitted <= rate.burst + now_us / rate.interval_us


@given(RATES, STEPS)
def test_a_count_is_granted_as_if_its_parts_had_come_one_by_one(
    rate: Rate, steps: list[tuple[int, int]]
) -> None:
    together = apart = now_us = 0
    for pause_us, count in steps:
        now_us += pause_us
        together, grant = charge(together, now_us, rate, count)
        single = 0
        for _ in range(count):
            apart, one = charge(apart, now_us, rate, 1)
            single += one.admitted
        assert (grant.admitted, together) == (single, apart)


@given(RATES, STEPS)
def test_what_is_told_is_true(rate: Rate, steps: list[tuple[int, int]]) -> None:
    full_at_us = now_us = 0
    for pause_us, count in steps:
        now_us += pause_us
        full_at_us, grant = charge(full_at_us, now_us, rate, count)
        everything = charge(full_at_us, now_us + grant.reset_us, rate, 10_000)[1]
        assert everything.admitted == rate.burst
        if grant.remaining:
            assert grant.retry_us == 0
            assert charge(full_at_us, now_us, rate, 10_000)[1].admitted == grant.remaining
        else:
            assert charge(full_at_us, now_us + grant.retry_us - 1, rate, 1)[1].admitted == 0
            assert charge(full_at_us, now_us + grant.retry_us, rate, 1)[1].admitted == 1


@given(st.integers(1, RATE_MAX), st.integers(1, BURST_MAX))
def test_a_rate_is_never_more_than_was_asked_for(per_s: int, burst: int) -> None:
    rate = Rate.of(per_s, burst)
    assert rate.interval_us * per_s >= SECOND_US
    assert (rate.interval_us - 1) * per_s < SECOND_US
    # Who keeps to the burst in each window of whole seconds is never refused.
    assert rate.window_s * SECOND_US >= rate.depth_us


@given(st.integers(1, RATE_MAX), st.integers(1, BURST_MAX), st.integers(1, 64))
def test_the_shares_of_all_are_not_more_than_the_whole(per_s: int, burst: int, of: int) -> None:
    whole, share = Rate.of(per_s, burst), Rate.of(per_s, burst).share(of)
    assert share.interval_us == whole.interval_us * of
    assert share.burst * of <= max(whole.burst, of)  # one each is the least there is


def test_a_number_that_cannot_be_true_locks_nobody_out_for_longer_than_a_burst() -> None:
    rate = Rate(interval_us=100, burst=5)
    assert charge(10**18, 0, rate, 1) == (500, Grant(0, 0, 500, 100))
    assert charge(-(10**18), 0, rate, 1) == (100, Grant(1, 4, 100, 0))
