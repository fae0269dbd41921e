"""What was said of citizens to other cities, in PostgreSQL: a row a grant, ended, never altered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("recognition")


class NewRecognition(msgspec.Struct, frozen=True, kw_only=True):
    """A recognition as it is granted; `id` is the grant's `jti`."""

    id: UUID
    citizen: UUID
    party: int
    city: str
    consent: UUID
    scenarios: Sequence[str]
    scheme: str
    scheme_version: int
    tier: str
    band_floor: int
    reserved_fen: int
    status_list: int
    status_idx: int
    until_us: int


class HeldRecognition(msgspec.Struct, frozen=True):
    """A recognition as its citizen sees it; `over` where its consent's time has run out."""

    id: UUID
    city: str
    party_name: str
    scenarios: Sequence[str]
    consent: UUID
    reserved_fen: int
    since: date
    until_us: int
    ended_us: int | None
    reason: str | None
    over: bool


async def end_former(connection: Connection, citizen: UUID, city: str) -> None:
    """End what was said of a citizen to a city before."""
    await connection.execute(_sql.end_former, citizen, city)


async def end_one(connection: Connection, recognition: UUID, reason: str) -> None:
    """End a recognition that has not ended."""
    await connection.execute(_sql.end_one, recognition, reason)


async def add(connection: Connection, recognition: NewRecognition) -> None:
    """Record a recognition."""
    await connection.execute(_sql.add, *msgspec.structs.astuple(recognition))


async def reserved(connection: Connection, citizen: UUID) -> dict[str, int]:
    """What of a citizen's deposit cap is kept for other cities (fen), by city."""
    rows = await connection.fetch(_sql.reserved, citizen)
    return {row["city"]: row["fen"] for row in rows}


async def of_citizen(connection: Connection, citizen: UUID, limit: int) -> list[HeldRecognition]:
    """The citizen's recognitions, the living first, then the newest."""
    rows = await connection.fetch(_sql.of_citizen, citizen, limit)
    return [HeldRecognition(*row) for row in rows]


async def forget(connection: Connection, limit: int) -> int:
    """Forget what was said so long ago that nothing asks for it; returns of how many grants."""
    return int(await connection.fetchval(_sql.forget, limit))
