"""What other cities were refused, and why, counted by the minute: for the city's own eyes."""

from __future__ import annotations

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("recognition_refusal")


async def count(connection: Connection, place: str, city: str, reason: str) -> None:
    """Count a refusal. `city` is GB/T 2260, or "" where it is not known."""
    await connection.execute(_sql.count, place, city, reason)
