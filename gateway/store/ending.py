"""Grants of this city that still stand, and their ends, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("ending")


class Living(msgspec.Struct, frozen=True):
    """A grant that stands, and what it rests on. `number` grows from grant to grant;
    `sector` is None where no consent is."""

    id: UUID
    citizen: UUID
    consent: UUID
    city: str
    band_floor: int
    reserved_fen: int
    number: int
    until_us: int
    sector: int | None
    now_us: int


async def living(connection: Connection, citizens: Iterable[UUID]) -> list[Living]:
    """The grants of citizens that stand."""
    rows = await connection.fetch(_sql.living, list(citizens))
    return [Living(**row) for row in rows]


async def end(connection: Connection, reasons: Mapping[UUID, str]) -> None:
    """End grants, each for its reason."""
    await connection.execute(_sql.end, list(reasons), list(reasons.values()))


async def over(connection: Connection, limit: int) -> list[UUID]:
    """Citizens with a grant whose time has run out."""
    return [row["citizen"] for row in await connection.fetch(_sql.over, limit)]
