"""What a process costs, and where it stood still: processor, memory, collector, event loop.

A stall is a stretch of over 20 ms in which the process did nothing for those who wait: the
garbage collector worked (`gc`), or the event loop came round late (`loop`, whatever the cause; a
long collection shows as both). The newest are remembered with their time, for whoever asks what a
slow answer was waiting for.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
from collections import deque
from typing import Any, Final

from gateway.clock import Clock
from gateway.counts import Counts

#: The event loop is asked to come round so often.
BEAT_S: Final = 0.02

#: What is called a stall, and how many are remembered.
STALL_S: Final = 0.02
STALLS_MAX: Final = 256

#: Seconds that the longest lag and pause look back, in readings of one a second.
LOOK_BACK: Final = 60

#: Cause, end (monotonic seconds, the same clock for all processes of a machine), seconds.
Stall = tuple[str, float, float]


class Pulse:
    """Measures the process that it runs in.

    Args:
        counts: where it is counted.
        process: what kind of process this is, `server` or `worker`.
        clock: where time comes from.
    """

    def __init__(self, counts: Counts, process: str, clock: Clock) -> None:
        self._now = clock.monotonic
        self._process = process
        self._counts = counts
        self._stall_counts = counts.stalls
        for cause in ("gc", "loop"):
            counts.stalls[process, cause] += 0
        self._cpu = counts.process_cpu_seconds
        self._cpu_before = 0.0
        self._pauses = counts.gc_pause_seconds[process,]
        self._lags = counts.event_loop_lag_seconds[process,]
        self._longest = {"gc": 0.0, "loop": 0.0}
        self._recent = {cause: deque[float](maxlen=LOOK_BACK) for cause in self._longest}
        self._collecting_since = 0.0
        self._due = 0.0
        self._next: asyncio.TimerHandle | None = None
        self.stalls: deque[Stall] = deque(maxlen=STALLS_MAX)

    def start(self) -> None:
        """Begin, inside a running event loop."""
        self._due = self._now()
        self._beat()
        gc.callbacks.append(self._collector)

    def stop(self) -> None:
        """End; what was counted stays."""
        gc.callbacks.remove(self._collector)
        if self._next is not None:
            self._next.cancel()

    def gauges(self) -> dict[tuple[str, ...], float]:
        """What is so at this moment; called once a second. The processor's time is counted."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = used.ru_utime + used.ru_stime
        self._cpu[self._process,] += cpu - self._cpu_before
        self._cpu_before = cpu
        for cause, seconds in self._longest.items():
            self._recent[cause].append(seconds)
            self._longest[cause] = 0.0
        return {
            ("lookup_streams", self._process): self._counts.lookup_streams,
            ("process_resident_memory_bytes", self._process): _resident_bytes(),
            ("gc_pause_max_seconds", self._process): max(self._recent["gc"]),
            ("event_loop_lag_max_seconds", self._process): max(self._recent["loop"]),
        }

    def _beat(self) -> None:
        now = self._now()
        # A timer may come early by the loop's own idea of now.
        lag = max(now - self._due, 0.0)
        self._lags.observe(lag)
        self._stood_still("loop", now, lag)
        self._due = now + BEAT_S
        self._next = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _collector(self, phase: str, _: dict[str, Any]) -> None:
        # Called by the collector itself, some microseconds each time.
        now = self._now()
        if phase == "start":
            self._collecting_since = now
        elif self._collecting_since:
            pause = now - self._collecting_since
            self._pauses.observe(pause)
            self._stood_still("gc", now, pause)

    def _stood_still(self, cause: str, end: float, seconds: float) -> None:
        if seconds > self._longest[cause]:
            self._longest[cause] = seconds
        if seconds > STALL_S:
            self._stall_counts[self._process, cause] += 1
            self.stalls.append((cause, end, seconds))


def _resident_bytes() -> int:
    with open("/proc/self/statm", "rb") as file:  # pages: all, resident, …
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
