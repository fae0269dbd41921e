"""What other cities are refused is counted with its reason, for this city's own eyes."""

from __future__ import annotations

from contextlib import suppress

import structlog

from gateway.errors import GatewayError
from gateway.store import recognition_refusal as rows
from gateway.store.database import Database

_log = structlog.get_logger(__name__)


class Refusals:
    """Counts refusals; one instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, place: str, city: str, reason: str) -> None:
        """Count one. That it cannot be counted changes nothing about the refusal."""
        _log.info("recognition_refused", place=place, reason=reason)
        with suppress(GatewayError):
            async with self._database.connection() as connection:
                await rows.count(connection, place, city, reason)
