"""What other cities are refused is counted with its reason, for this city's own eyes.

Refused is whoever comes, as often as they like, so counting must cost less than what it counts:
one request writes at a time, and takes along what the others have counted meanwhile.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Final

import structlog

from gateway.errors import GatewayError
from gateway.store import recognition_refusal as rows
from gateway.store.database import Database

#: How often the one that writes looks whether more was counted; what is left, the next one writes.
ROUNDS: Final = 3

_log = structlog.get_logger(__name__)


class Refusals:
    """Counts refusals; one instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # As many as there are places, listed cities and reasons together.
        self._counted: Counter[tuple[str, str, str]] = Counter()
        self._writing = False

    async def note(self, place: str, city: str, reason: str) -> None:
        """Count one. That it cannot be counted changes nothing about the refusal."""
        _log.info("recognition_refused", place=place, reason=reason)
        self._counted[place, city, reason] += 1
        if self._writing:
            return
        self._writing = True
        try:
            for _ in range(ROUNDS):
                if self._counted:
                    await self._write()
        finally:
            self._writing = False

    async def _write(self) -> None:
        counted, self._counted = self._counted, Counter()
        with suppress(GatewayError):
            async with self._database.connection() as connection:
                for name, times in sorted(counted.items()):
                    await rows.count(connection, *name, times)
