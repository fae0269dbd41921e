"""Cities that vouch for visitors here: how long their word is fresh, and whose visit it ends."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("issuer")


class View(msgspec.Struct, frozen=True):
    """An issuer's number, and the database's clock before its lists are fetched."""

    num: int
    now_us: int


async def known(connection: Connection) -> list[str]:
    """Every city that ever vouched for somebody here."""
    return [row["code"] for row in await connection.fetch(_sql.known)]


async def view(connection: Connection, code: str) -> View | None:
    """The issuer of a city; None where none of its citizens ever set out for here."""
    row = await connection.fetchrow(_sql.view, code)
    return View(row["num"], row["now_us"]) if row is not None else None


async def lists(connection: Connection, num: int, most: int) -> list[str]:
    """At most so many of the different lists that its living visits name."""
    return [row["uri"] for row in await connection.fetch(_sql.lists, num, most)]


async def ended(
    connection: Connection, num: int, uri: str, bits: bytes, limit: int
) -> list[tuple[UUID, UUID]]:
    """Living visits, with their citizens, that these bits of that list end."""
    rows = await connection.fetch(_sql.ended, num, uri, bits, limit)
    return [(row["id"], row["citizen"]) for row in rows]


async def end(connection: Connection, visits: Sequence[UUID], reason: str) -> None:
    """End visits."""
    await connection.execute(_sql.end, visits, reason)


async def lock(connection: Connection, code: str) -> int:
    """Lock an issuer until the transaction ends: no visit of it is opened meanwhile."""
    return int(await connection.fetchval(_sql.lock, code))


async def extend(connection: Connection, code: str, until_us: int) -> None:
    """Rely on an issuer until an instant, or until the trust list ends if that is sooner."""
    await connection.execute(_sql.extend, code, until_us)


async def bound(connection: Connection, code: str, until_us: int) -> None:
    """Rely on an issuer until an instant at most."""
    await connection.execute(_sql.bound, code, until_us)
