"""Which recipients tried too many different questions about one citizen today."""

from __future__ import annotations

from uuid import UUID

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("probe")


async def probing(
    connection: Connection, since_us: int, until_us: int, most: int
) -> list[tuple[UUID, int]]:
    """Citizens asked about in a stretch of time, with the sectors that tried more than `most`."""
    rows = await connection.fetch(_sql.probing, since_us, until_us, most)
    return [(row["citizen"], row["sector"]) for row in rows]


async def mark(connection: Connection, citizen: UUID, sector: int) -> None:
    """Mark a sector until the next midnight in Asia/Shanghai."""
    await connection.execute(_sql.mark, citizen, sector)
