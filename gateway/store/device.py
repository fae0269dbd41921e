"""Citizens' device keys in PostgreSQL."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("device")


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device key of a citizen; times in microseconds."""

    id: UUID
    kid: str
    jwk: str  # public JWK as JSON
    name: str
    registered_us: int
    revoked_us: int | None = None
    compromised_us: int | None = None


async def add(
    connection: Connection, device: UUID, citizen: UUID, kid: str, jwk: str, name: str
) -> bool:
    """Add a key, unless somebody has registered it before."""
    return bool(await connection.fetchval(_sql.add, device, citizen, kid, jwk, name))


async def of_citizen(connection: Connection, citizen: UUID) -> list[DeviceRow]:
    """All devices a citizen ever registered, the oldest first."""
    return [DeviceRow(**row) for row in await connection.fetch(_sql.of_citizen, citizen)]


async def rename(connection: Connection, citizen: UUID, device: UUID, name: str) -> bool:
    """Rename a citizen's device; False where there is none."""
    return bool(await connection.fetchval(_sql.rename, citizen, device, name))


async def revoke(
    connection: Connection, citizen: UUID, device: UUID, compromised_us: int | None
) -> None:
    """Revoke a citizen's device, and say since when its key may have been in other hands."""
    await connection.execute(_sql.revoke, citizen, device, compromised_us)
