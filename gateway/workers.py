"""Processes that serve: started, replaced when they die, ended in bounded time.

The parent only watches. Each worker listens by itself on the shared port (SO_REUSEPORT), so the
kernel deals out connections evenly; from one shared socket a burst of 128 went 114 to 14. None
outlives the parent: the kernel kills them with it (gateway/processes.py).
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Final

import structlog

from gateway.processes import tethered

#: How often the parent looks, how far apart one worker's starts are at least, in seconds.
LOOK_S, RESTART_S = 0.1, 1.0

#: A worker that ends by itself within so many seconds of the first start shows that none can serve.
TRIAL_S: Final = 10.0

#: How long workers may take to finish what they are answering.
GRACE_S: Final = 15.0

_log = structlog.get_logger(__name__)


class Worker:
    """One worker's place, filled anew when its process dies."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tethered(command, signal_on_death=signal.SIGKILL)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -RESTART_S

    def fill(self) -> None:
        """Start a process if there is none and the last start is long enough ago."""
        if self._process is None and time.monotonic() - self._started >= RESTART_S:
            self._started = time.monotonic()
            try:
                self._process = subprocess.Popen(self._command)
            except OSError as fault:  # no memory for a process, say: the next look tries again
                _log.error("worker_not_started", error=type(fault).__name__)

    def ended(self) -> int | None:
        """The exit code of a process that has ended since the last call; negative is a signal."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._process = None
        return code

    def ask_to_end(self) -> None:
        """SIGTERM: answer what is under way, take nothing new."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Wait for the end, and kill at a time of the monotonic clock."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, until - time.monotonic()))
            return
        self._process.kill()
        self._process.wait()


class Workers:
    """So many processes of one command, until a signal or a failure to begin.

    Call from the main thread: the workers' lives hang on the thread that starts them.
    """

    def __init__(self, command: Sequence[str], count: int) -> None:
        self._workers = [Worker(command) for _ in range(count)]
        self._is_ending = False

    def run(self) -> int:
        """Serve until SIGTERM, SIGINT or SIGHUP; the exit code: 1 if workers could not begin."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        trial_ends = time.monotonic() + TRIAL_S
        failed = False
        while not (self._is_ending or failed):
            for worker in self._workers:
                worker.fill()
            time.sleep(LOOK_S)
            codes = [code for worker in self._workers if (code := worker.ended()) is not None]
            for code in codes:
                _log.error("worker_ended", status=code)
            failed = any(code > 0 for code in codes) and time.monotonic() < trial_ends
        self._stop()
        return int(failed)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._is_ending = True

    def _stop(self) -> None:
        until = time.monotonic() + GRACE_S
        for worker in self._workers:
            worker.ask_to_end()
        for worker in self._workers:
            worker.wait(until)
