"""Assisted service in PostgreSQL: acts of staff at counters, only ever added, and their rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from gateway.gcra import Rate, charge
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
    """Whether the citizen's word on the score stands and was given at this party's counter."""
    return bool(await connection.fetchval(_sql.score_word, citizen, party))


async def take(connection: Connection, rates: Mapping[str, Rate]) -> int:
    """Count one thing under each of these names, or none where one of them has no room.

    Returns 0, or after how many microseconds there is room. Call it in a transaction of its own:
    the names stay locked to its end.
    """
    names = sorted(rates)
    await connection.execute(_sql.name_rates, names)
    held = await connection.fetch(_sql.lock_rates, names)
    charged = {
        row["name"]: charge(row["full_at_us"], row["now_us"], rates[row["name"]], 1) for row in held
    }
    refused = [grant.retry_us for _, grant in charged.values() if not grant.admitted]
    if not refused:
        numbers = [full_at_us for full_at_us, _ in charged.values()]
        await connection.execute(_sql.put_rates, list(charged), numbers)
    return max(refused, default=0)


async def give_back(connection: Connection, rates: Mapping[str, Rate]) -> None:
    """Undo one count under each of these names."""
    intervals = [rate.interval_us for rate in rates.values()]
    await connection.execute(_sql.give_back, list(rates), intervals)
