"""What PostgreSQL stood still for: waits of its backends as they are, and its log afterwards."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import asyncpg

from loadtest.stalls.evidence import AUTOVACUUM, CHECKPOINT, FSYNC, LOCK, STATEMENT, Evidence

#: How often the backends are looked at, in seconds.
LOOK_S = 0.02

#: Statements that take longer go to the log, in milliseconds.
SLOW_MS = 20

#: What is set for a measurement; the local city sets none of it on the command line.
SETTINGS = {
    "log_min_duration_statement": str(SLOW_MS),
    "log_autovacuum_min_duration": "0",
    "track_wal_io_timing": "on",
}

_BACKENDS = """
SELECT pid, query_start, wait_event_type AS kind, wait_event AS wait
  FROM pg_stat_activity
 WHERE state = 'active' AND backend_type = 'client backend' AND wait_event IS NOT NULL
   AND pid <> pg_backend_pid()
"""
_SYNCED = """
SELECT coalesce(sum(fsyncs), 0)::bigint AS fsyncs, coalesce(sum(fsync_time), 0)::float8 AS took_ms
  FROM pg_stat_io WHERE object = 'wal'
"""

#: Waits by the cause that they are evidence of; others than these say nothing.
_WAITS = {
    # Of these, WALWrite as a lock waits for another backend's flush.
    **dict.fromkeys(("WalSync", "WalWrite", "WALWrite"), FSYNC),
    **dict.fromkeys(("DataFileRead", "DataFileExtend", "DataFileSync"), STATEMENT),
}

_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC \[\d+\] .*?LOG:  (.*)$")
_TOOK = re.compile(r"duration: ([\d.]+) ms")
_ELAPSED = re.compile(r"elapsed: ([\d.]+) s")
_COMPLETE = re.compile(r"(?:checkpoint|restartpoint) complete:.* total=([\d.]+) s")


class _Wait(NamedTuple):
    """A backend in one statement, waiting for one thing. Seen twice, it waited in between."""

    pid: int
    begun: datetime
    kind: str
    wait: str


class Backends:
    """Looks at the backends' waits, in a thread of its own, between `start` and `stop`."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self._url, self._now = url, clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backends", daemon=True)
        self.found: list[Evidence] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._look())

    async def _look(self) -> None:
        connection = await asyncpg.connect(self._url)
        seen: dict[_Wait, tuple[float, float]] = {}
        try:
            statement = await connection.prepare(_BACKENDS)
            while not self._over.is_set():
                self._note(seen, {_Wait(*row.values()) for row in await statement.fetch()})
                await asyncio.sleep(LOOK_S)
            self._note(seen, set())
        finally:
            await connection.close(timeout=5)

    def _note(self, seen: dict[_Wait, tuple[float, float]], waits: set[_Wait]) -> None:
        """Remember when each wait was first and last seen; one that was seen twice is evidence."""
        now = self._now()
        for wait in [each for each in seen if each not in waits]:
            start, end = seen.pop(wait)
            if end > start and (cause := _cause(wait)):
                self.found.append(Evidence(cause, start, end, wait.wait))
        for wait in waits:
            seen[wait] = seen.get(wait, (now, now))[0], now


def _cause(wait: _Wait) -> str:
    return LOCK if wait.kind == "Lock" else _WAITS.get(wait.wait, "")


async def talkative(url: str) -> None:
    """Let the server log what may explain a stall; for throw-away cities, as the superuser."""
    connection = await asyncpg.connect(url)
    try:
        for name, value in SETTINGS.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close(timeout=5)


async def synced(url: str) -> tuple[int, float]:
    """How often the write-ahead log was synced so far, and the milliseconds that took."""
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(_SYNCED)
        assert row is not None, "an aggregate is one row"
        return row["fsyncs"], row["took_ms"]
    finally:
        await connection.close(timeout=5)


def logged(log: Path, offset: int, ahead_s: float) -> Iterator[Evidence]:
    """What the log says from an offset on.

    Args:
        ahead_s: by how much the wall clock's seconds are ahead of the monotonic ones.
    """
    with log.open("rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").splitlines()
    for number, line in enumerate(lines):
        if (told := _LINE.match(line)) is not None:
            end = datetime.fromisoformat(f"{told[1]}+00:00").timestamp() - ahead_s
            # An autovacuum's figures stand on the lines below its own.
            following = "\n".join(lines[number : number + 20])
            if (found := _meaning(told[2], following)) is not None:
                cause, took_s, detail = found
                yield Evidence(cause, end - took_s, end, detail)


def _meaning(said: str, following: str) -> tuple[str, float, str] | None:
    """Cause, seconds and a word of a log line; never the statement itself."""
    if (took := _TOOK.match(said)) is not None:
        return STATEMENT, float(took[1]) / 1e3, "slow statement"
    if (took := _COMPLETE.match(said)) is not None:
        return CHECKPOINT, float(took[1]), "checkpoint"
    if said.startswith("automatic ") and (took := _ELAPSED.search(following)) is not None:
        return AUTOVACUUM, float(took[1]), said.partition(" of table")[0]
    return None
