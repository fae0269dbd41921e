"""What other cities were refused, and why: counted by the minute, about nobody."""

from __future__ import annotations

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("recognition_refusal")


async def count(connection: Connection, place: str, city: str, reason: str) -> None:
    """Count a refusal at a place, of a city where one proved itself (else the empty text)."""
    await connection.execute(_sql.count, place, city, reason)
