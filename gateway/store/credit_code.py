"""Credit codes in PostgreSQL, each under its keyed hash; PostgreSQL decides who uses one."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("credit_code")


class Scan(msgspec.Struct, frozen=True):
    """A code that a party has used, for its citizen: whose it was, and when (µs)."""

    party: str
    at_us: int


async def add(
    connection: Connection,
    code_hash: bytes,
    citizen: UUID,
    session: bytes,
    *,
    desk: str | None,
    life_s: int,
) -> int | None:
    """Add a code; its end in microseconds by the database's clock, None where it is taken."""
    words = code_hash, citizen, session, desk, float(life_s)
    expires_us: int | None = await connection.fetchval(_sql.add, *words)
    return expires_us


async def end_older(connection: Connection, citizen: UUID, keep: int) -> None:
    """Let all but the newest `keep` of a citizen's living codes die."""
    await connection.execute(_sql.older, citizen, keep)


async def use(connection: Connection, code_hash: bytes, party: int) -> UUID | None:
    """Use a code for a party: its citizen, or None where no such code can be used now."""
    citizen: UUID | None = await connection.fetchval(_sql.use, code_hash, party)
    return citizen


async def scans(connection: Connection, citizen: UUID, session: bytes) -> list[Scan]:
    """Who scanned this session's codes within ten minutes, newest first, five at most."""
    return [Scan(*row) for row in await connection.fetch(_sql.scans, citizen, session)]
