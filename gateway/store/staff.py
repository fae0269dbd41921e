"""Acts of staff on citizens' data: who, why and when, kept where the citizen sees it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("staff")


class Staff(msgspec.Struct, frozen=True):
    """A person of the city's staff, and why that person acts."""

    name: str
    purpose: str


async def note(connection: Connection, staff: Staff, action: str, citizen: UUID) -> None:
    """Note an act on one citizen."""
    await connection.execute(_sql.note, staff.name, staff.purpose, action, citizen)


async def note_people(
    connection: Connection, staff: Staff, action: str, people: Sequence[bytes]
) -> None:
    """Note an act on the citizens of these blind indexes; others have no record to note it in."""
    await connection.execute(_sql.note_people, staff.name, staff.purpose, action, people)
