"""Sessions in PostgreSQL, each under the hash of its cookie."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("session")


class SessionRow(msgspec.Struct, frozen=True):
    """A session that goes on; times in microseconds (UTC)."""

    begun_us: int
    ends_us: int
    is_this: bool


async def begin(connection: Connection, id_hash: bytes, citizen: UUID, life_s: int) -> None:
    """Begin a session that ends by itself after `life_s` seconds of the database's clock."""
    await connection.execute(_sql.begin, id_hash, citizen, float(life_s))


async def citizen(connection: Connection, id_hash: bytes) -> UUID | None:
    """Whose session this is, if it goes on."""
    found: UUID | None = await connection.fetchval(_sql.citizen, id_hash)
    return found


async def hold(connection: Connection, citizen: UUID) -> set[bytes]:
    """The hashes of a citizen's living sessions, locked until the transaction ends."""
    return {row["id_hash"] for row in await connection.fetch(_sql.hold, citizen)}


async def end(connection: Connection, id_hash: bytes) -> None:
    """End a session; one that has ended, or never was, stays so."""
    await connection.execute(_sql.end, id_hash)


async def of_citizen(
    connection: Connection, citizen: UUID, id_hash: bytes, limit: int
) -> list[SessionRow]:
    """A citizen's sessions that go on, the newest first; `id_hash` tells which is the caller's."""
    rows = await connection.fetch(_sql.of_citizen, citizen, id_hash, limit)
    return [SessionRow(**row) for row in rows]


async def end_all(connection: Connection, citizen: UUID) -> None:
    """End every session of a citizen."""
    await connection.execute(_sql.end_all, citizen)
