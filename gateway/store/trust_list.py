"""The region's list of cities in PostgreSQL, as last fetched and found good."""

from __future__ import annotations

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("trust_list")


class Head(msgspec.Struct, frozen=True):
    """What is kept of a list besides its text. Times are µs since the epoch.

    `expires_us` is when this city ceases to rely on it, which is its `exp` or sooner.
    """

    serial: int
    content: bytes
    issued_us: int
    expires_us: int


async def head(connection: Connection) -> Head | None:
    """What is kept, without the text."""
    row = await connection.fetchrow(_sql.head)
    return None if row is None else Head(*row)


async def lock(connection: Connection) -> Head | None:
    """The same, locked until the transaction ends."""
    row = await connection.fetchrow(_sql.lock)
    return None if row is None else Head(*row)


async def kept(connection: Connection) -> tuple[Head, str] | None:
    """The text too. Its own times are those of the day on which it last said something new."""
    row = await connection.fetchrow(_sql.kept)
    if row is None:
        return None
    *values, token = row
    return Head(*values), token


async def put(connection: Connection, new: Head, token: str) -> bool:
    """Keep a list, unless it is older than the one that is kept or says other than its serial."""
    values = new.serial, new.content, token, new.issued_us, new.expires_us
    return bool(await connection.fetchval(_sql.put, *values))


async def forget(connection: Connection) -> None:
    """Keep no list any more, as the owner: the region is another one."""
    await connection.execute(_sql.forget)
