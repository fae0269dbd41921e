"""Everything that may explain a slow answer, gathered for as long as a block lasts."""

from __future__ import annotations

import asyncio
import time

from loadtest.serving import Serving
from loadtest.stalls import postgres, pulse
from loadtest.stalls.evidence import Evidence
from loadtest.stalls.scheduler import POSTGRES, Scheduler


class Watch:
    """Gathers evidence inside its `with` block; `found` holds it afterwards.

    The monotonic clock is the same for all processes of a machine.
    """

    def __init__(self, serving: Serving) -> None:
        engines = serving.running.engines
        self._serving, self._log = serving, engines.postgres.log
        self._url = engines.postgres.superuser_url
        roots = {
            "a worker": serving.root,
            POSTGRES: engines.postgres.pid,
            "Valkey": engines.valkey.pid,
        }
        self._scheduler = Scheduler(roots, time.monotonic)
        self._backends = postgres.Backends(self._url, time.monotonic)
        self._synced = (0, 0.0)
        self.found: list[Evidence] = []
        self.fsyncs = 0
        """Syncs of the write-ahead log meanwhile, as far as the backends have told."""
        self.fsync_ms = 0.0
        """What one of them took, in the mean."""

    def __enter__(self) -> Watch:
        self._since, self._ahead_s = time.monotonic(), time.time() - time.monotonic()
        self._offset = self._log.stat().st_size
        self._synced = asyncio.run(postgres.synced(self._url))
        self._scheduler.start()
        self._backends.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._scheduler.stop()
        self._backends.stop()
        if kind is None:
            self._gather()

    def _gather(self) -> None:
        if pulse.available():
            time.sleep(pulse.WRITTEN_S + 0.2)
        fsyncs, took_ms = asyncio.run(postgres.synced(self._url))
        self.fsyncs = fsyncs - self._synced[0]
        self.fsync_ms = (took_ms - self._synced[1]) / max(self.fsyncs, 1)
        self.found = [
            *self._scheduler.found,
            *self._backends.found,
            *postgres.logged(self._log, self._offset, self._ahead_s),
            *pulse.remembered(self._serving.metrics_port, self._since),
        ]


def sources() -> list[str]:
    """What is watched, for whoever reads the result."""
    told = [
        "the generator's own lag",
        "time on run queues of workers and engines, every 10 ms",
        "waits of PostgreSQL's backends, every 20 ms",
        f"PostgreSQL's log: statements over {postgres.SLOW_MS} ms, checkpoints, autovacuum",
    ]
    if pulse.available():
        told.append("collector and event loop, as the workers remember them")
    return told
