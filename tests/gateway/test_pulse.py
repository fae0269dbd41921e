"""What a process costs is measured on this very process."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest

from gateway.clock import SystemClock
from gateway.counts import Counts
from gateway.pulse import BEAT_S, STALL_S, STALLS_MAX, Pulse


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
async def pulse(counts: Counts) -> Pulse:
    return Pulse(counts, "server", SystemClock())


@pytest.fixture
def tidy() -> Iterator[None]:
    """The collector as it was before."""
    before = list(gc.callbacks)
    yield
    assert gc.callbacks == before


async def test_a_loop_that_is_held_up_is_a_stall_with_its_end_and_length(
    counts: Counts, pulse: Pulse, tidy: None
) -> None:
    pulse.start()
    await asyncio.sleep(2 * BEAT_S)
    began = time.monotonic()
    time.sleep(0.1)  # noqa: ASYNC251  the stall itself
    ended = time.monotonic()
    await asyncio.sleep(2 * BEAT_S)
    pulse.stop()
    found = [stall for stall in pulse.stalls if stall[0] == "loop" and stall[1] > began]
    assert len(found) >= 1
    _, end, seconds = found[0]
    # The loop was due some time within the first beat of it.
    assert 0.1 - BEAT_S - 0.005 <= seconds <= end - began + BEAT_S
    assert ended <= end < ended + 0.1
    assert counts.stalls["server", "loop"] == sum(each[0] == "loop" for each in pulse.stalls)
    assert pulse.gauges()["event_loop_lag_max_seconds", "server"] >= seconds


async def test_an_idle_loop_comes_round_in_time(counts: Counts, pulse: Pulse, tidy: None) -> None:
    pulse.start()
    await asyncio.sleep(10 * BEAT_S)
    pulse.stop()
    lags = counts.event_loop_lag_seconds["server",]
    assert 3 <= sum(lags.buckets) <= 12
    held = list(lags.buckets)
    await asyncio.sleep(2 * BEAT_S)
    assert lags.buckets == held, "it goes on after its end"


async def test_every_pause_of_the_collector_is_counted(
    counts: Counts, pulse: Pulse, tidy: None
) -> None:
    gc.disable()  # only those that are asked for
    try:
        pulse.start()
        for _ in range(3):
            gc.collect()
        pulse.stop()
        gc.collect()
    finally:
        gc.enable()
    pauses = counts.gc_pause_seconds["server",]
    assert sum(pauses.buckets) == 3
    gauges = pulse.gauges()
    assert pauses.total / 3 <= gauges["gc_pause_max_seconds", "server"] <= pauses.total
    longer = [stall for stall in pulse.stalls if stall[0] == "gc"]
    assert counts.stalls["server", "gc"] == len(longer)
    assert all(seconds > STALL_S for _, _, seconds in longer)


async def test_what_is_remembered_of_stalls_is_bounded_and_the_newest(pulse: Pulse) -> None:
    for number in range(STALLS_MAX + 7):
        pulse._stood_still("loop", float(number), 1.0)
    assert len(pulse.stalls) == STALLS_MAX
    assert pulse.stalls[-1] == ("loop", STALLS_MAX + 6.0, 1.0)


async def test_the_longest_pause_is_forgotten_after_a_minute(pulse: Pulse) -> None:
    pulse._stood_still("gc", 0.0, 0.5)
    seen = [pulse.gauges()["gc_pause_max_seconds", "server"] for _ in range(61)]
    assert seen == [0.5] * 60 + [0.0]


async def test_processor_and_memory_are_this_processes_own(counts: Counts, pulse: Pulse) -> None:
    pulse.gauges()
    before = counts.process_cpu_seconds["server",]
    began = time.process_time()
    while time.process_time() - began < 0.05:
        pass
    memory = pulse.gauges()["process_resident_memory_bytes", "server"]
    spent = counts.process_cpu_seconds["server",] - before
    assert spent == pytest.approx(time.process_time() - began, abs=0.03)
    assert 10e6 < memory < 10e9
