"""What of other cities was refused, and why: reasons counted by the minute, nobody named."""

from __future__ import annotations

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("recognition_refusal")


async def count(connection: Connection, place: str, city: str, reason: str, times: int = 1) -> None:
    """Count so many refusals. `city` is a GB/T 2260 code, or empty where none is known; `place` and
    `reason` are words of closed lists."""
    await connection.execute(_sql.count, place, city, reason, times)
