"""CPU seconds and memory of groups of processes, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes have spent so far, and their ended children."""
    return sum(_spent(pid) for pid in pids)


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields is not None:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory that these processes hold, pages that they share counted by each."""
    total = 0
    for pid in pids:
        with suppress(OSError):  # one has just ended
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    return total


def _spent(pid: int) -> float:
    fields = _stat(pid)
    if fields is None:
        return 0.0
    # utime, stime and those of children already waited for (proc(5), fields 14 to 17). They are cut
    # down to 10 ms, of which forty database backends lose most: the scheduler's own count of the
    # threads is exact, but does not know those that have ended.
    own, children = (int(fields[n]) + int(fields[n + 1]) for n in (11, 13))
    return max(own * _TICK_S, _scheduled(pid)) + children * _TICK_S


def _scheduled(pid: int) -> float:
    """Seconds that the living threads of a process have run (sched-stats, first field, in ns)."""
    try:
        threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except OSError:
        return 0.0  # one has just ended, or the kernel does not count
    return sum(int(text.split()[0]) for text in threads) / 1e9


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()  # from field 3 on: the name may hold anything
