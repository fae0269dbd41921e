"""What one process shows of itself: every second its counts go to its seat, and where nobody
listens on the metrics address, it does.

Whoever listens shows all processes of the machine behind that address. When it dies, another takes
its place with its next tick, and no count is lost but those of the dead one's last second.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from gateway import metrics, seats
from gateway.clock import Clock
from gateway.counts import Counts, Series, merged
from gateway.edge.scrape import Scrape
from gateway.pulse import Pulse
from gateway.seats import Seat, SeatsRefused, Snapshot
from gateway.settings import Settings

#: The kinds of process.
SERVER, WORKER = "server", "worker"

_log = structlog.get_logger(__name__)


class Monitor:
    """Shows one process's counts."""

    def __init__(self, counts: Counts, settings: Settings, process: str, clock: Clock) -> None:
        self._counts, self._process, self._now = counts, process, clock.monotonic
        self._address = settings.metrics_host, settings.metrics_port
        self._folder: Path | None = None
        self._seat: Seat | None = None
        self._inherited: Series = {}
        self._pulse = Pulse(counts, process, clock)
        self._scrape = Scrape(self._text, clock.monotonic)
        self._troubled = False

    def start(self) -> None:
        """Begin to measure the process."""
        self._pulse.start()

    async def step(self) -> None:
        """Write what was counted, and listen if nobody does. Trouble is logged once."""
        try:
            if self._seat is None:
                self._take_seat()
            if self._seat is not None:
                self._write(self._seat, self._now())
                await self._listen()
            self._troubled = False
        except (OSError, SeatsRefused) as fault:
            if isinstance(fault, FileNotFoundError):
                self._give_up_seat()  # the folder was removed under us: begin another
            if not self._troubled:
                _log.warning("metrics_unavailable", error=type(fault).__name__)
            self._troubled = True

    async def close(self) -> None:
        """Write a last time, and leave."""
        self._pulse.stop()
        await self._scrape.close()
        if self._seat is not None:
            try:
                self._write(self._seat, 0.0)
            except OSError as fault:
                _log.warning("metrics_unavailable", error=type(fault).__name__)
            self._give_up_seat()

    def _take_seat(self) -> None:
        self._folder = seats.folder_of(*self._address)
        self._seat = seats.take(self._folder)
        if self._seat is not None:
            self._inherited = merged(self._inherited, self._seat.found.series)

    def _write(self, seat: Seat, at: float) -> None:
        gauges = self._pulse.gauges()
        series = merged(self._inherited, self._counts.series())
        seat.write(Snapshot(self._process, at, series, gauges, list(self._pulse.stalls)))

    def _give_up_seat(self) -> None:
        if self._seat is not None:
            self._seat.leave()
            self._seat = None

    async def _listen(self) -> None:
        if self._scrape.is_open:
            return
        try:
            await self._scrape.open(*self._address)
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise

    def _text(self, open_metrics: bool) -> bytes:
        assert self._folder is not None, "it listens only from a seat"
        return metrics.text(seats.read_all(self._folder), self._now(), open_metrics=open_metrics)


@asynccontextmanager
async def monitored(
    counts: Counts, settings: Settings, process: str, clock: Clock
) -> AsyncIterator[Monitor | None]:
    """The process's monitor for as long as the block lasts; None where metrics are switched off."""
    if not settings.metrics_port:
        yield None
        return
    monitor = Monitor(counts, settings, process, clock)
    monitor.start()
    try:
        yield monitor
    finally:
        await monitor.close()
