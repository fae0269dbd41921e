"""Assisted service in PostgreSQL: acts of staff at counters, only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("assisted")


class ActRow(msgspec.Struct, frozen=True, kw_only=True):
    """One act about to be recorded; its columns in their order."""

    id: UUID
    citizen: UUID
    party: int
    staff: UUID
    staff_name: str
    place: str
    scenario: str
    purpose: str
    act: str
    target: UUID | None = None
    target_version: int | None = None
    text_version: str | None = None
    text_sha256: bytes | None = None
    document: str
    receipt_no: str | None = None
    receipt_sha256: bytes | None = None


async def add(connection: Connection, acts: Sequence[ActRow]) -> None:
    """Record acts."""
    await connection.executemany(_sql.add, [msgspec.structs.astuple(act) for act in acts])


async def promise(connection: Connection, entity: str) -> str:
    """A legal entity's own public commitment."""
    return str(await connection.fetchval(_sql.promise, entity) or "")


async def gave_score_word(connection: Connection, citizen: UUID, party: int) -> bool:
    """Whether the citizen's newest word on the score is a yes at this party's counter."""
    return bool(await connection.fetchval(_sql.score_word, citizen, party))
