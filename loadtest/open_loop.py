"""An open-loop HTTP/1.1 generator: it sends when a request is due, whatever became of the others.

    python -m loadtest.open_loop PLAN.json RESULT.msgpack

A closed loop, such as wrk's, waits for answers before it asks again, and so hides how long callers
would have waited. Here a latency runs from the *scheduled* time of sending, so what the generator
or a full pool of connections adds is in it, and the result says how much that was and whether the
plan's rate was offered at all. Connections are kept alive, carry one request at a time, and are
used in turn, so that all workers of a server get their share. Everything is bounded: requests,
connections, seconds, requests that wait for a connection, and the wait for the last answers.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from heapq import merge
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from loadtest.lane import Lane
from loadtest.offered import UNSENT, Answers, Plan, Result

#: A generator that is late still reads answers after so many requests.
AT_ONCE_MAX = 64


class Alarm:
    """Calls at moments of the monotonic clock: a timerfd, since libuv counts in milliseconds."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._libc, self._spec = ctypes.CDLL(None, use_errno=True), struct.Struct("4q")
        self._fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, 0o4000)  # TFD_NONBLOCK
        asyncio.get_running_loop().add_reader(self._fd, ring)

    def set(self, at_ns: int) -> None:
        """Ring then, or at once where that is past; 0 = never. Forgets what rang before."""
        spec = self._spec.pack(0, 0, *divmod(at_ns, 10**9))
        self._libc.timerfd_settime(self._fd, 1, spec, None)  # TFD_TIMER_ABSTIME


class Run:
    """All streams of a plan, each request begun when it is due."""

    def __init__(self, plan: Plan, lanes: list[Lane], over: asyncio.Event) -> None:
        self._plan, self._lanes, self._over = plan, lanes, over
        self._alarm = Alarm(self._ring)
        self._schedule = merge(*(_scheduled(n, lane) for n, lane in enumerate(lanes)))
        self._next = next(self._schedule, None)
        self._begun, self._begun_us, self._cpu_s = 0, 0, time.process_time()
        self.start_ns, self.start_us = time.monotonic_ns(), time.time_ns() // 1000

    async def finish(self) -> None:
        """Begin, and wait for the last answers, for so long as the plan allows."""
        for lane in self._lanes:
            lane.started(self.start_ns)
        self._ring()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._plan.seconds + self._plan.drain_s):
                while any(lane.left for lane in self._lanes):
                    await self._over.wait()
                    self._over.clear()

    def result(self) -> Result:
        """What came of it, and whether it was the load of the plan."""
        elapsed_s = (time.monotonic_ns() - self.start_ns) / 1e9
        lag = sorted(late for lane in self._lanes for late in lane.lag) or [0]
        places = {"p50": len(lag) // 2, "p99": int(len(lag) * 0.99), "max": -1}
        lag_ms = {name: lag[place] / 1000 for name, place in places.items()}
        achieved = self._begun / max(self._begun_us / 1e6, 1e-6)
        answers = tuple(lane.answers() for lane in self._lanes)
        return Result(
            started_us=self.start_us,
            started_monotonic_ns=self.start_ns,
            seconds=elapsed_s,
            offered=len(lag),
            achieved_per_s=achieved,
            lag_ms=lag_ms,
            cpu_share=(time.process_time() - self._cpu_s) / elapsed_s,
            faults=tuple(self._faults(achieved, lag_ms["p99"], answers)),
            streams=answers,
        )

    def _faults(
        self, achieved: float, lag_ms: float, answers: tuple[Answers, ...]
    ) -> Iterator[str]:
        last_us = max((lane.at[-1] for lane in self._lanes if lane.at), default=0)
        wanted = sum(len(lane.at) for lane in self._lanes) / max(last_us / 1e6, 1e-6)
        if achieved < 0.98 * wanted:
            yield f"began {achieved:.0f} requests/s of {wanted:.0f}"
        if lag_ms > self._plan.lag_p99_ms_max:
            yield f"its own lag: p99 {lag_ms:.1f} ms"
        if unsent := sum(stream.statuses[UNSENT] for stream in answers):
            yield f"{unsent} requests never sent: too many waited for a connection"

    def _ring(self) -> None:
        for _ in range(AT_ONCE_MAX):
            now_us = self._now_us()
            if self._next is None or self._next[0] > now_us:
                break
            _, lane, number = self._next
            self._begun, self._begun_us = self._begun + 1, now_us
            self._lanes[lane].due(number, now_us)
            self._next = next(self._schedule, None)
        self._alarm.set(0 if self._next is None else self.start_ns + self._next[0] * 1000)

    def _now_us(self) -> int:
        return (time.monotonic_ns() - self.start_ns) // 1000


async def run(plan: Plan) -> Result:
    """Offer a plan. Raises TimeoutError where the connections cannot be opened."""
    _end_on_a_fault_of_ours()
    over = asyncio.Event()
    lanes = [Lane(one, plan, plan.seed + n, over.set) for n, one in enumerate(plan.streams)]
    await asyncio.gather(*(lane.connect() for lane in lanes))
    gc.freeze()
    gc.disable()  # the run is bounded, and makes no cycles that could not wait for its end
    under_way = Run(plan, lanes, over)
    await under_way.finish()
    return under_way.result()


def _scheduled(place: int, lane: Lane) -> Iterator[tuple[int, int, int]]:
    return ((at, place, number) for number, at in enumerate(lane.at))


def _end_on_a_fault_of_ours() -> None:
    """A callback that raises would be called again and again: report it and cancel the run."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def end(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        task.cancel()

    loop.set_exception_handler(end)


def main() -> None:
    """`python -m loadtest.open_loop PLAN.json RESULT.msgpack`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("result", type=Path)
    given = parser.parse_args()
    plan = msgspec.json.decode(given.plan.read_bytes(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(plan))
    given.result.write_bytes(msgspec.msgpack.encode(result))
    print(f"{result.offered} requests, {result.achieved_per_s:.0f}/s", *result.faults, sep="; ")


if __name__ == "__main__":
    main()
