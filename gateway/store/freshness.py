"""Until when what other cities said of their citizens is fresh."""

from __future__ import annotations

from collections.abc import Collection

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("freshness")


async def close(connection: Connection, agreed: Collection[str]) -> int:
    """End the freshness of every city but those; returns of how many."""
    return int(await connection.fetchval(_sql.close, list(agreed)))


async def extend(connection: Connection, code: str, until_us: int, content: bytes) -> int | None:
    """Set until when a city is fresh, at most as long as the list; None if nothing was set."""
    until: int | None = await connection.fetchval(_sql.extend, code, until_us, content)
    return until
