"""Idempotency keys in PostgreSQL: claimed and answered in the transaction of the write itself."""

from __future__ import annotations

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("idempotency")


class Held(msgspec.Struct, frozen=True):
    """What a key was used for before: the hash of that request, and its answer."""

    body_hash: bytes
    response: bytes | None


async def claim(connection: Connection, principal: str, key: str, body_hash: bytes) -> bool:
    """Whether the caller is the first to use this key; the claim ends with the transaction."""
    return bool(await connection.fetchval(_sql.claim, principal, key, body_hash))


async def held(connection: Connection, principal: str, key: str) -> Held | None:
    """What a key that could not be claimed stands for, or None if it was forgotten just now."""
    row = await connection.fetchrow(_sql.held, principal, key)
    return Held(*row) if row is not None else None


async def keep(
    connection: Connection, principal: str, key: str, status: int, response: bytes
) -> None:
    """Store the answer with the claim, in the same transaction."""
    await connection.execute(_sql.keep, principal, key, status, response)


async def forget(connection: Connection, principal: str) -> None:
    """Forget every key of a caller, with the answers under them."""
    await connection.execute(_sql.forget, principal)
