"""Security keys of counter staff in PostgreSQL."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("counter_key")


class KeyRow(msgspec.Struct, frozen=True):
    """A security key that may be used."""

    id: UUID
    credential: bytes
    public_key: bytes
    sign_count: int
    name: str
    added_us: int
    challenged_us: int


async def add(
    connection: Connection,
    key: UUID,
    staff: UUID,
    *,
    credential: bytes,
    public_key: bytes,
    sign_count: int,
    name: str,
    most: int,
) -> bool:
    """Add a key; False where the person has `most` already, or it was registered before."""
    values = key, staff, credential, public_key, sign_count, name, most
    return await connection.fetchval(_sql.add, *values) is not None


async def of_staff(connection: Connection, staff: UUID) -> list[KeyRow]:
    """A person's keys, the oldest first."""
    return [KeyRow(**row) for row in await connection.fetch(_sql.of_staff, staff)]


async def used(connection: Connection, key: UUID, sign_count: int, challenged_us: int) -> bool:
    """Use a key for a challenge; False where that one, or a later one, was answered before."""
    return await connection.fetchval(_sql.used, key, sign_count, challenged_us) is not None


async def remove(connection: Connection, key: UUID, staff: UUID) -> bool:
    """Take a key of a person away; False where there is none."""
    return await connection.fetchval(_sql.remove, key, staff) is not None
