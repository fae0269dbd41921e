"""Processes that wanted a core and got none, sampled from /proc/PID/schedstat (sched-stats).

The second field is the time that a thread has waited on a run queue, in nanoseconds. It is read
for the first thread of every process, which is the one that does the work in all of ours. A
sampler that wakes late itself is evidence as well: the machine had no core for it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from loadtest import cpu
from loadtest.stalls.evidence import SCHEDULER, Evidence

#: How often it looks, and how often it looks for new processes, in seconds.
LOOK_S, REFRESH_S = 0.01, 1.0

#: A wait that is worth remembering: a tenth of what lies between two looks. And a late awakening.
WAIT_S, LATE_S = LOOK_S / 10, 0.01

#: Findings that are kept; a machine with more has no core to spare at all.
FOUND_MAX = 50_000

#: The backends that answer the gateway, by what they call themselves; PostgreSQL has others, and
#: nobody waits for those.
_GATEWAYS = b"qianjiang_gateway"


#: What the tree is called that has such backends.
POSTGRES = "PostgreSQL"


class Scheduler:
    """Samples in a thread of its own between `start` and `stop`.

    Args:
        roots: process ids by what their trees are called.
    """

    def __init__(self, roots: Mapping[str, int], clock: Callable[[], float]) -> None:
        self._roots, self._now = roots, clock
        self._files: dict[int, tuple[str, int]] = {}
        self._waited: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self.found: list[Evidence] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and close what was opened."""
        self._over.set()
        self._thread.join(5)
        for _, file in self._files.values():
            os.close(file)
        self._files.clear()

    def _run(self) -> None:
        refreshed = before = 0.0
        while not self._over.is_set() and len(self.found) < FOUND_MAX:
            now = self._now()
            if now - refreshed >= REFRESH_S:
                self._refresh()
                refreshed = self._now()
                before = 0.0  # looking for processes takes a while, which is nobody's fault
            elif before and (late := now - before - LOOK_S) >= LATE_S:
                self.found.append(Evidence(SCHEDULER, now - late, now, "the machine"))
            self._look()
            before = self._now()
            time.sleep(LOOK_S)

    def _look(self) -> None:
        for pid, (name, file) in list(self._files.items()):
            try:
                waited = int(os.pread(file, 64, 0).split()[1])
            except (OSError, IndexError):  # it has ended
                self._forget(pid)
                continue
            waits = (waited - self._waited.get(pid, waited)) / 1e9
            self._waited[pid] = waited
            if waits >= WAIT_S:
                now = self._now()
                self.found.append(Evidence(SCHEDULER, now - waits, now, name))

    def _refresh(self) -> None:
        for name, root in self._roots.items():
            for pid in cpu.tree(root):
                if pid not in self._files and (name != POSTGRES or _is_of_the_gateway(pid)):
                    with suppress(OSError):
                        file = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
                        self._files[pid] = name, file

    def _forget(self, pid: int) -> None:
        os.close(self._files.pop(pid)[1])
        self._waited.pop(pid, None)


def _is_of_the_gateway(pid: int) -> bool:
    try:
        return _GATEWAYS in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
