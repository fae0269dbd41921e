"""What only the seeding of a demonstration asks of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("seed")


async def known(connection: Connection, indexes: Sequence[bytes]) -> dict[bytes, UUID]:
    """Who of these people is a citizen already, by blind index."""
    rows = await connection.fetch(_sql.known, indexes)
    return {row["identity_index"]: row["id"] for row in rows}


async def existing(connection: Connection, citizens: Sequence[UUID]) -> set[UUID]:
    """Which of these citizens have a row, erased ones included."""
    return {row["id"] for row in await connection.fetch(_sql.existing, citizens)}


async def erase(connection: Connection, citizens: Sequence[UUID]) -> None:
    """Leave of these citizens what an erasure leaves."""
    await connection.execute(_sql.erase, citizens)
