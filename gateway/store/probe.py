"""Which recipients tried too many different questions about one citizen today."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("probe")


async def asked_about(connection: Connection, since_us: int, until_us: int) -> list[UUID]:
    """The citizens asked about in a stretch of time."""
    rows = await connection.fetch(_sql.asked_about, since_us, until_us)
    return [row["citizen"] for row in rows]


async def probing(
    connection: Connection, citizens: Sequence[UUID], most: int, newest: int
) -> list[tuple[UUID, int]]:
    """Those of the citizens about whom, in the `newest` questions of the day about each, more than
    `most` different ones came from one sector; with the sector."""
    rows = await connection.fetch(_sql.probing, citizens, most, newest)
    return [(row["citizen"], row["sector"]) for row in rows]


async def mark(connection: Connection, citizen: UUID, sector: int) -> None:
    """Mark a sector until the next midnight in Asia/Shanghai."""
    await connection.execute(_sql.mark, citizen, sector)
