"""What other cities are refused is counted with its reason, for this city's own eyes.

Refused is whoever comes, as often as they like, so counting must cost less than what it counts:
one request writes at a time, and takes along what the others have counted meanwhile. What could not
be written is written later, under the minute in which that happens; where the connection was lost
while PostgreSQL confirmed it, it may have been counted before.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import asyncpg
import structlog

from gateway.errors import GatewayError
from gateway.store import recognition_refusal as rows
from gateway.store.database import Database

#: How often the one that writes looks whether more was counted; what is left, the next one writes.
ROUNDS: Final = 3

#: So many different refusals wait to be written; a further kind is in the log alone.
KINDS_MAX: Final = 10_000

_log = structlog.get_logger(__name__)


class Refusals:
    """Counts refusals; one instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: Counter[tuple[str, str, str]] = Counter()
        self._writing = False

    async def note(self, place: str, city: str, reason: str) -> None:
        """Count one. That it cannot be counted changes nothing about the refusal."""
        _log.info("recognition_refused", place=place, reason=reason)
        self._keep((place, city, reason), 1)
        await self.flush()

    async def flush(self) -> None:
        """Write what was counted, unless somebody does; what cannot be written is kept."""
        if self._writing:
            return
        self._writing = True
        try:
            for _ in range(ROUNDS):
                if not self._counted or not await self._write():
                    return
        finally:
            self._writing = False

    async def _write(self) -> bool:
        counted, self._counted = self._counted, Counter()
        written = False
        try:
            async with self._database.connection() as connection:
                await rows.count_all(connection, counted)
            written = True
        except (GatewayError, asyncpg.PostgresError) as fault:
            _log.warning("recognition_refusals_kept", error=type(fault).__name__)
        finally:
            # Also where whoever writes is gone: the others' are among them.
            if not written:
                for name, times in counted.items():
                    self._keep(name, times)
        return written

    def _keep(self, name: tuple[str, str, str], times: int) -> None:
        if name in self._counted or len(self._counted) < KINDS_MAX:
            self._counted[name] += times
