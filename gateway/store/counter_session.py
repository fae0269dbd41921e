"""Sessions of parties' staff in PostgreSQL, each under the hash of its cookie."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("counter_session")


class ClerkRow(msgspec.Struct, frozen=True):
    """Whose session it is, and how long it lasts."""

    staff: UUID
    login: str
    name: str
    party: int
    desk: str | None
    place: str | None
    since_us: int
    expires_us: int
    idle_s: float
    """Seconds until it ends by itself if nothing happens."""


async def begin(
    connection: Connection,
    id_hash: bytes,
    staff: UUID,
    *,
    desk: str | None,
    life_s: int,
    idle_s: int,
) -> None:
    """Begin a session of at most `life_s` seconds, which ends after `idle_s` without a request."""
    await connection.execute(
        _sql.begin, id_hash, staff, desk, float(life_s), float(min(idle_s, life_s))
    )


async def clerk(connection: Connection, id_hash: bytes) -> ClerkRow | None:
    """Whose session this is, if it goes on and account and party are active."""
    row = await connection.fetchrow(_sql.clerk, id_hash)
    return ClerkRow(**row) if row else None


async def touch(connection: Connection, id_hash: bytes, idle_s: int) -> None:
    """Something happened: the session may idle for so many seconds from now."""
    await connection.execute(_sql.touch, id_hash, float(idle_s))


async def sit_at(connection: Connection, id_hash: bytes, desk: str | None) -> None:
    """Say where the person works."""
    await connection.execute(_sql.sit_at, id_hash, desk)


async def end(connection: Connection, id_hash: bytes) -> None:
    """End a session; one that has ended, or never was, stays so."""
    await connection.execute(_sql.end, id_hash)
