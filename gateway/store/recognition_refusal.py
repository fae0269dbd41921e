"""What of other cities was refused, and why: reasons counted by the minute, nobody named."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("recognition_refusal")


async def count(connection: Connection, place: str, city: str, reason: str) -> None:
    """Count one refusal. `city` is a GB/T 2260 code, or empty where none is known; `place` and
    `reason` are words of closed lists."""
    await count_all(connection, {(place, city, reason): 1})


async def count_all(connection: Connection, counted: Mapping[tuple[str, str, str], int]) -> None:
    """Count refusals by place, city and reason, each so often; all of them or none."""
    names = zip(*counted, strict=True)
    await connection.execute(_sql.count, *map(list, names), list(counted.values()))
