"""Status lists in PostgreSQL: places in them, the bits that are set, and copies to be signed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("status_list")


class Place(msgspec.Struct, frozen=True):
    """A free place of a list; not `mine` where somebody else is just taking it."""

    list: int
    idx: int
    mine: bool


class Copy(msgspec.Struct, frozen=True):
    """The bits as of an instant (µs), its age by the database's clock; `lst` None if known."""

    as_of_us: int
    age_us: int
    lst: bytes | None


async def newest(connection: Connection) -> int:
    """The newest list that takes entries, 0 where there is none."""
    return int(await connection.fetchval(_sql.newest))


async def draw(connection: Connection, numbers: Sequence[int]) -> Place | None:
    """A free place of the newest open list, by random numbers; None where all were taken."""
    row = await connection.fetchrow(_sql.draw, numbers)
    return None if row is None else Place(row["id"], row["idx"], row["mine"])


async def lock_opening(connection: Connection) -> None:
    """Be the only one who opens a list, until the transaction ends."""
    await connection.execute(_sql.opening)


async def open_list(connection: Connection, size: int, lst: bytes) -> None:
    """Begin a list without any bit set; `lst` is that, compressed."""
    await connection.execute(_sql.open, size, lst)


async def half_full(connection: Connection) -> list[int]:
    """Open lists of which half is taken."""
    return [row["id"] for row in await connection.fetch(_sql.half_full)]


async def close(connection: Connection, lists: Sequence[int]) -> None:
    """Let lists take no further entries."""
    await connection.execute(_sql.close, lists)


async def lists(connection: Connection, limit: int) -> list[tuple[int, int, bool]]:
    """Lists that are not worn out, with size, and whether a restore made them void; those first
    that were not copied for longest."""
    rows = await connection.fetch(_sql.lists, limit)
    return [(row["id"], row["size"], row["void"]) for row in rows]


async def worn_out(connection: Connection, limit: int) -> list[tuple[int, int]]:
    """Closed lists of whose grants none has stood for a day, with size."""
    rows = await connection.fetch(_sql.worn_out, limit)
    return [(row["id"], row["size"]) for row in rows]


async def wear_out(connection: Connection, number: int) -> None:
    """Have a list read for ever as it was copied last."""
    await connection.execute(_sql.wear_out, number)


async def now_us(connection: Connection) -> int:
    """The database's clock."""
    return int(await connection.fetchval(_sql.now_us))


async def ended_count(connection: Connection, number: int) -> int:
    """How many entries of a list have ended."""
    return int(await connection.fetchval(_sql.ended_count, number))


async def ended(connection: Connection, number: int) -> list[int]:
    """The entries of a list whose grants have ended, from one snapshot of its own."""
    return await connection.fetchval(_sql.ended, number) or []


async def put(connection: Connection, number: int, lst: bytes, as_of_us: int) -> bool:
    """Keep a copy, unless there is a newer one; returns whether it was kept."""
    return bool(await connection.fetchval(_sql.put, number, lst, as_of_us))


async def touch(connection: Connection, number: int, own_us: int, as_of_us: int) -> bool:
    """Say of the copy of an instant that nothing has changed until another one; False where that
    copy is not there any more."""
    return bool(await connection.fetchval(_sql.touch, number, own_us, as_of_us))


async def copy(connection: Connection, number: int, known_us: int) -> Copy | None:
    """The newest copy; without the bits where it is the one of `known_us`."""
    row = await connection.fetchrow(_sql.copy, number, known_us)
    return None if row is None else Copy(row["as_of_us"], row["age_us"], row["lst"])
