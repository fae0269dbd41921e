"""What the database says of itself before the gateway starts."""

from __future__ import annotations

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("preflight")


class Server(msgspec.Struct, frozen=True):
    """Settings that durability rests on, the role in replication, and the clock."""

    fsync: str
    full_page_writes: str
    synchronous_commit: str
    in_recovery: bool
    clock_us: int


async def server(connection: Connection) -> Server:
    """Ask the server."""
    row = await connection.fetchrow(_sql.server)
    assert row is not None, "one row always"
    return Server(*row)


async def has_realm(connection: Connection) -> bool:
    """Whether the database knows its city."""
    return bool(await connection.fetchval(_sql.has_realm))
