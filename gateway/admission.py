"""Who is let in: so many requests at a time, so many a second, the most urgent first.

While there is room, entering is a comparison and an addition. Without room a request waits in a
bounded line (gateway/waiting_line.py) on a future of its own, without a task and with one timer
for all. Nobody enters past somebody who waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.clock import Clock
from gateway.counts import Counts
from gateway.errors import ReducedCapacity
from gateway.waiting_line import Priority, WaitingLine

#: What is told to those given up: at least so long, spread to twice that.
RETRY_S = 2

#: Of a worker's rooms, one in so many is kept for citizens: parties cannot fill all.
KEPT = 8

#: The rate may be used late, but not by more than this many seconds' worth at once.
LENIENCY_S = 0.05

#: The timer is no finer than this: several who are due together are seen together.
GRAIN_S = 0.001


class Admission:
    """The door of one worker.

    Args:
        per_s: requests a second that may enter, 0 = no such bound.
        in_flight: requests inside at a time.
        waiting: requests that may wait.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        per_s: float,
        in_flight: int,
        waiting: int,
        counts: Counts | None = None,
    ) -> None:
        self._clock, self._counts = clock, counts or Counts(clock)
        self._step_s = 1 / per_s if per_s else 0.0
        self._full_at = 0.0
        kept = in_flight // KEPT
        self._room = [
            in_flight if kind <= Priority.CITIZEN else in_flight - kept for kind in Priority
        ]
        self._line: WaitingLine[asyncio.Future[bool]] = WaitingLine(waiting)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self.in_flight = 0
        self.shed = [0] * len(Priority)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._line.count

    def try_enter(self, kind: int) -> bool:
        """Enter if there is room now and nobody waits; who entered must `leave`."""
        if self._line.count or self.in_flight >= self._room[kind]:
            return False
        if self._step_s and not self._take(self._clock.monotonic()):
            return False
        self.in_flight += 1
        return True

    async def wait(self, kind: int) -> None:
        """Wait for room and enter; who entered must `leave`.

        Raises:
            ReducedCapacity: it would take, or has taken, too long. Nothing was entered.
        """
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        now = self._clock.monotonic()
        gone = self._line.join(waiter, kind, now)
        if gone is not None:
            _tell(gone, entered=False)
        self.settle()
        try:
            entered = await waiter
        except asyncio.CancelledError:
            # Its asker is gone. If it was let in just before, the room is free again.
            if not self._line.leave(waiter, kind) and not waiter.cancelled() and waiter.result():
                self.leave()
            raise
        if not entered:
            self.shed[kind] += 1
            self._counts.limited("admission")
            raise ReducedCapacity(RETRY_S)

    @asynccontextmanager
    async def room(self, kind: int) -> AsyncIterator[None]:
        """Room for as long as the block lasts, for routes that need not count microseconds.

        Raises:
            ReducedCapacity: as `wait` does.
        """
        if not self.try_enter(kind):
            await self.wait(kind)
        try:
            yield
        finally:
            self.leave()

    def leave(self) -> None:
        """Give the room back."""
        self.in_flight -= 1
        if self._line.count:
            self.settle()

    def settle(self) -> None:
        """Give up whom to give up, let in whom there is room for, and see when to look again."""
        now = self._clock.monotonic()
        for waiter in self._line.overdue(now):
            _tell(waiter, entered=False)
        while (kind := self._line.most_urgent) is not None:
            if self.in_flight >= self._room[kind] or not self._take(now, only_look=True):
                break
            if _tell(self._line.next(now), entered=True):
                self._take(now)
                self.in_flight += 1
        self._set_timer(now)

    def _take(self, now: float, *, only_look: bool = False) -> bool:
        """Take one of the rate, if there is one."""
        full_at = max(self._full_at, now - LENIENCY_S)
        if full_at > now:
            return False
        if not only_look:
            self._full_at = full_at + self._step_s
        return True

    def _set_timer(self, now: float) -> None:
        due = self._line.due(now)
        if due is None:
            return  # a timer that is set finds nobody and is not set again
        if self._step_s and self._full_at > now:
            due = min(due, self._full_at)
        if self._timer is not None:
            if self._timer_at <= due + GRAIN_S:
                return  # it looks early enough, and then again
            self._timer.cancel()
        self._timer_at = due
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(due - now, GRAIN_S), self._timer_rang)

    def _timer_rang(self) -> None:
        self._timer = None
        self.settle()


def _tell(waiter: asyncio.Future[bool], *, entered: bool) -> bool:
    """Tell a waiter; whether it was still there to hear."""
    if waiter.done():
        return False
    waiter.set_result(entered)
    return True
