"""Requests for correction in PostgreSQL: their words sealed, their kind and dates plain."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("correction")


class CorrectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose account is open. Times are microseconds (UTC).

    `sealed` is what it names with the citizen's words, `answer` the office's words; both under
    the citizen's key. `due_on` is the last day to decide, in Asia/Shanghai.
    """

    id: UUID
    citizen: UUID
    about: str
    sealed: bytes
    status: str
    received_us: int
    due_on: date
    decided_us: int | None = None
    staff: str | None = None
    answer: bytes | None = None


async def open_of(connection: Connection, citizen: UUID) -> int:
    """How many requests of a citizen wait for a decision."""
    return int(await connection.fetchval(_sql.open, citizen))


async def add(connection: Connection, row: CorrectionRow) -> None:
    """Add a request that was received."""
    await connection.execute(
        _sql.add, row.id, row.citizen, row.about, row.sealed, row.received_us, row.due_on
    )


async def of_citizen(connection: Connection, citizen: UUID, limit: int) -> list[CorrectionRow]:
    """A citizen's requests, the newest first."""
    rows = await connection.fetch(_sql.of_citizen, citizen, limit)
    return [CorrectionRow(**row) for row in rows]


async def one(connection: Connection, request: UUID) -> CorrectionRow | None:
    """A request, whoever made it: for the office."""
    row = await connection.fetchrow(_sql.one, request)
    return None if row is None else CorrectionRow(**row)


async def waiting(connection: Connection, limit: int) -> list[CorrectionRow]:
    """What waits for a decision, the longest due first."""
    return [CorrectionRow(**row) for row in await connection.fetch(_sql.waiting, limit)]


async def decide(
    connection: Connection, request: UUID, status: str, staff: str, answer: bytes
) -> bool:
    """Decide a request; False where it no longer waits."""
    return bool(await connection.fetchval(_sql.decide, request, status, staff, answer))


async def has_fact(
    connection: Connection, citizen: UUID, department: str, code: str, source: str
) -> bool:
    """Whether there is such a fact on this citizen's file."""
    return bool(await connection.fetchval(_sql.has_fact, citizen, department, code, source))


async def has_lookup(connection: Connection, citizen: UUID, lookup: UUID) -> bool:
    """Whether there is such a question, search or act of staff about this citizen."""
    return bool(await connection.fetchval(_sql.has_lookup, citizen, lookup))
