"""Recognition schemes in PostgreSQL: versions of published tables, only ever added to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("recognition_scheme")


class Stored(msgspec.Struct, frozen=True):
    """A version as it was published: the TOML text itself."""

    id: str
    version: int
    text: str


class Published(msgspec.Struct, frozen=True):
    """What a new version is compared with: number, first day, SHA-256 of the text in UTF-8."""

    version: int
    valid_from: date
    sha256: bytes


async def unread(
    connection: Connection, known: Collection[tuple[str, int]], limit: int
) -> list[Stored]:
    """Versions that are not among the known ones, by id and version."""
    ids, versions = [id_ for id_, _ in known], [version for _, version in known]
    rows = await connection.fetch(_sql.unread, ids, versions, limit)
    return [Stored(*row) for row in rows]


async def lock(connection: Connection) -> None:
    """Let nobody else publish until the transaction ends."""
    await connection.execute(_sql.lock)


async def of_id(connection: Connection, scheme: str) -> list[Published]:
    """The versions of a scheme, in order."""
    return [Published(*row) for row in await connection.fetch(_sql.of_id, scheme)]


async def count(connection: Connection) -> int:
    """How many versions there are, of all schemes."""
    return int(await connection.fetchval(_sql.count))


async def add(
    connection: Connection, scheme: str, version: int, valid_from: date, text: str
) -> None:
    """Publish a version; as the owner."""
    await connection.execute(_sql.add, scheme, version, valid_from, text)
