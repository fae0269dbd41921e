"""Patience with many at the price of one timer: what takes too long is cut off.

`asyncio.timeout` sets and cancels a timer for every wait, a large part of the cost of reading a
short body. Here everybody who waits is in one table, and a tenth of the deadline apart one timer
looks at all of them. So nobody is cut before the deadline, and nobody later than 1.1 times it.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any, Final

Task = asyncio.Task[Any]

_STEPS: Final = 10
_IDLE: Final = -1


class Patience:
    """Bounds the time of tasks of one event loop.

    Args:
        deadline_s: how long a task may be between `enter` and `leave`.
    """

    def __init__(self, deadline_s: float) -> None:
        self._step_s = deadline_s / _STEPS
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now = _IDLE
        #: Task → the step at which it entered, and the cancellations that it had by then.
        self._waiting: dict[Task, tuple[int, int]] = {}
        self._late: set[Task] = set()

    def enter(self) -> Task:
        """Bound the current task until `leave`."""
        task = asyncio.current_task()
        assert task is not None, "only a task can be cut off"
        if self._now == _IDLE or self._loop is not task.get_loop():
            self._begin(task.get_loop())
        self._waiting[task] = self._now, task.cancelling()
        return task

    def leave(self, task: Task) -> None:
        """The task is no longer bounded."""
        self._waiting.pop(task, None)
        self._late.discard(task)

    def has_cut(self, task: Task) -> bool:
        """Whether a cancellation that reached the task was this one's, and nobody else's.

        If it was, it is taken back, as `asyncio.timeout` does.
        """
        if task not in self._late:
            return False
        _, cancels_before = self._waiting[task]
        return task.uncancel() <= cancels_before

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:  # what an earlier loop left behind ended with it
            self._waiting.clear()
            self._late.clear()
        self._loop, self._now = loop, 0
        loop.call_later(self._step_s, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        if not self._waiting:
            self._now = _IDLE  # nobody waits, so nobody needs to look
            return
        self._now += 1
        for task, (entered, _) in self._waiting.items():
            # One step more than the deadline has: a task enters between two looks.
            if self._now - entered > _STEPS and task not in self._late:
                self._late.add(task)
                task.cancel()
        loop.call_later(self._step_s, self._look, loop)


@lru_cache(maxsize=16)
def patience(deadline_s: float) -> Patience:
    """The one table of a deadline."""
    return Patience(deadline_s)
