"""Until when what other cities said of their citizens is fresh."""

from __future__ import annotations

from collections.abc import Collection

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("freshness")


async def close(connection: Connection, agreed: Collection[str]) -> int:
    """End the freshness of every city but those; returns of how many."""
    return int(await connection.fetchval(_sql.close, list(agreed)))


async def is_kept(connection: Connection, content: bytes) -> bool:
    """Whether the list kept is still this one; it cannot be replaced until the transaction ends."""
    return bool(await connection.fetchval(_sql.is_kept, content))


async def everyone(connection: Connection) -> dict[str, int]:
    """Until when each city's word is fresh (µs since the epoch, 0 = it is not), by code."""
    return {row["code"]: row["until_us"] for row in await connection.fetch(_sql.everyone)}
