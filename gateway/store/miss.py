"""Wrong guesses in PostgreSQL: one number a name, as in gateway/gcra.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("miss")


class MissRow(msgspec.Struct, frozen=True):
    """A name's number and the database's clock, both in microseconds."""

    name: str
    full_at_us: int
    now_us: int


async def hold(connection: Connection, names: Sequence[str]) -> list[MissRow]:
    """Lock these names until the transaction ends."""
    return [MissRow(*row) for row in await connection.fetch(_sql.hold, sorted(names))]


async def keep(connection: Connection, full_at_us: Mapping[str, int]) -> None:
    """Give names that are held their new numbers."""
    await connection.execute(_sql.keep, list(full_at_us), list(full_at_us.values()))


async def give_back(connection: Connection, by_us: Mapping[str, int]) -> None:
    """Let names err again so many microseconds sooner."""
    await connection.execute(_sql.give_back, list(by_us), list(by_us.values()))
